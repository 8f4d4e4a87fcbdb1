# SPDX-License-Identifier: BSD-2-Clause
"""gen_sctp's example: "example.py server", and then "example.py 127.0.0.1"."""
import asyncio
import sys

import sctpd


async def server(d):
    """Print whatever comes."""
    s = await d.open(port=2006, recbuf=65536)
    await s.listen()
    async for event in s:
        text = f"{event.from_.addr}:{event.from_.port} {event.kind} "
        if isinstance(event, sctpd.Data):
            text += f"on stream {event.stream}: {event.data.decode()}"
        print(text + getattr(event, "state", ""), flush=True)


async def client(d, addr):
    """Five streams, numbered from 0: the second message is refused."""
    s = await d.open(sctp_initmsg={"num_ostreams": 5})
    assoc = await s.connect(addr, 2006, timeout=5)
    print(f"connected, {assoc.outbound_streams} outbound streams")
    await s.send(b"Test 0", assoc.assoc_id, 0)
    print('sent "Test 0" on stream 0')
    try:
        await s.send(b"Test 5", assoc.assoc_id, 5)
    except sctpd.Error as why:
        print("refused:", why)
    await asyncio.sleep(1)  # an abort does not wait for what is under way
    await s.abort(assoc.assoc_id)
    print("aborted")


async def main(what="127.0.0.1"):
    async with await sctpd.connect_unix() as d:
        await (server(d) if what == "server" else client(d, what))


asyncio.run(main(*sys.argv[1:]))
