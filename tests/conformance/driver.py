# SPDX-License-Identifier: BSD-2-Clause
"""The driver of client-lib/python for tests/conformance: see README.md there."""
import asyncio
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client-lib", "python", "src"))

import sctpd  # noqa: E402


def say(**what):
    print(json.dumps(what, default=lambda b: {"bytes": b.hex()}), flush=True)


def arguments(words):
    pairs = (word.split("=", 1) for word in words)
    return {key: int(value) if value.isdigit() else value for key, value in pairs}


class Driver:
    def __init__(self, path):
        self.path, self.d, self.sockets = path, None, {}

    async def connect(self, kind, patience, token="", seq=0):
        try:
            self.d = await sctpd.connect_unix(self.path, session=kind == "session", patience=int(patience) / 1000,
                                              token=token, seq=int(seq), on_change=lambda change: say(change=change))
            say(connected=True, token=self.d.token)
        except sctpd.Error as why:
            say(connected=False, error=why.code)

    async def call(self, ident, method, *words):
        try:
            say(id=ident, ok=await self.d.call(method, **arguments(words)))
        except sctpd.Error as why:
            say(id=ident, error=why.code)

    async def notify(self, method, *words):
        await self.d.notify(method, **arguments(words))

    async def next(self, sock):
        try:
            if sock not in self.sockets:
                self.sockets[sock] = self.d.socket(int(sock))
            event = await self.sockets[sock].recv()
            say(event=event.kind, fields=event.raw)
        except sctpd.Error as why:
            say(event=None, error=why.code)


async def main(path):
    reader = asyncio.StreamReader(limit=1 << 26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    driver, tasks = Driver(path), set()
    while line := (await reader.readline()).decode():
        what, *words = line.split()
        work = getattr(driver, what)(*words)
        if what in ("connect", "notify"):
            await work
        else:
            tasks.add(task := asyncio.ensure_future(work))
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(0)  # it says what it has to say before the next one


asyncio.run(main(sys.argv[1]))
