# SPDX-License-Identifier: BSD-2-Clause
"""A socket that sends each message back, whatever happens to sctpd: echo.py [PORT].
It ends when a message says so."""
import asyncio
import sys

import sctpd


async def main(port=0):
    changes = []
    async with await sctpd.connect_unix(on_change=changes.append) as d:
        s = await d.open(port=int(port))
        await s.listen()
        print(s.port, flush=True)
        async for event in s:
            if isinstance(event, sctpd.Data):
                await s.send(event.data, event.assoc_id, event.stream)
                if event.data == b"end":
                    break
    print("the daemon was gone", changes.count("gone"), "times, and came back", changes.count("back"), "times")


asyncio.run(main(*sys.argv[1:]))
