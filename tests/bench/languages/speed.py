# SPDX-License-Identifier: BSD-2-Clause
"""How fast the Python library is: "speed.py server", which prints its port, and "speed.py client PORT N". See run."""
import asyncio
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "client-lib", "python", "src"))

import sctpd  # noqa: E402

SIZE = 100


async def server(d):
    s = await d.open(ip="127.0.0.1")
    await s.listen()
    print(s.port, flush=True)
    async for event in s:
        if isinstance(event, sctpd.Data) and event.data[:1] in b"eq":  # echo; quit
            await s.send(event.data, event.assoc_id)
            if event.data[:1] == b"q":
                await s.recv()
                return


async def client(d, port, n):
    s = await d.open()
    assoc = (await s.connect("127.0.0.1", int(port), timeout=10)).assoc_id
    times = []
    for _ in range(int(n) // 10):
        begun = time.perf_counter()
        await s.send(b"e" * SIZE, assoc)
        await s.recv()
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    for _ in range(int(n)):
        await s.post(b"x" * SIZE, assoc)
    await s.send(b"q" * SIZE, assoc)
    await s.recv()  # it has passed all of them
    print(int(n) / (time.perf_counter() - begun), sorted(times)[len(times) // 2] * 1e6)


async def main(what, *args):
    async with await sctpd.connect_unix() as d:
        await (server(d) if what == "server" else client(d, *args))


asyncio.run(main(*sys.argv[1:]))
