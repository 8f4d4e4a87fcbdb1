# SPDX-License-Identifier: BSD-2-Clause
"""A client of sctpd in plain MessagePack-RPC, for tests: nothing of ours but
the wire. Waits for answers and events, never sleeps; every wait ends."""
import collections
import contextlib
import os
import select
import socket
import struct

import msgpack

WAIT = int(os.environ.get("TEST_WAIT", "20"))  # seconds after which a test has failed


class RpcError(Exception):
    """The error string of a response; code is its first word."""

    @property
    def code(self):
        return str(self).split(":", 1)[0]


class Timed(socket.socket):
    """A socket whose time-outs the kernel keeps. For Python's own each call is four: poll(2) and the time before
    and after, and a system call takes User-Mode Linux a hundred times as long as it takes other kernels."""

    def settimeout(self, seconds):
        super().settimeout(0 if seconds == 0 else None)
        value = struct.pack("ll", int(seconds or 0), int((seconds or 0) % 1 * 1e6))
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    @contextlib.contextmanager
    def _in_time(self, flags=0):
        try:
            yield
        except BlockingIOError:
            if flags & socket.MSG_DONTWAIT or not self.getblocking():
                raise
            raise TimeoutError("timed out") from None

    def connect(self, address):
        with self._in_time():
            super().connect(address)

    def recv(self, size, flags=0):
        with self._in_time(flags):
            return super().recv(size, flags)

    def recvmsg(self, *args):
        with self._in_time():
            return super().recvmsg(*args)

    def send(self, data, flags=0):
        with self._in_time(flags):
            return super().send(data, flags)

    def sendall(self, data, flags=0):
        with self._in_time(flags):
            super().sendall(data, flags)


class Client:
    def __init__(self, path, name=None):
        self.sock = Timed(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(WAIT)
        self.sock.connect(path)
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 28)
        self.answers = {}
        self.events = collections.deque()
        self.msgid = 0
        self.id = self.call("hello", name=name)["client"] if name else None

    def close(self):
        self.sock.close()

    def feed(self):
        """Read once; True when something whole may have come."""
        data = self.sock.recv(1 << 18)
        if not data:
            raise EOFError("sctpd closed the connection")
        self.unpacker.feed(data)
        for message in self.unpacker:
            if message[0] == 1:
                assert len(message) == 4, message
                self.answers[message[1]] = message[2:]
            else:
                assert message[0] == 2 and len(message) == 3, message
                self.events.append((message[1], message[2][0]))

    def request(self, method, **args):
        return self.requests(method, [args])[0]

    def requests(self, method, calls):
        """One with each of these arguments, written at once; gives their ids."""
        ids = range(self.msgid + 1, self.msgid + 1 + len(calls))
        self.msgid += len(calls)
        self.sock.sendall(b"".join(msgpack.packb([0, i, method, [args] if args else []])
                                   for i, args in zip(ids, calls)))
        return ids

    def notify(self, method, **args):
        self.sock.sendall(msgpack.packb([2, method, [args]]))

    def push(self, data, seconds):
        """Write until nothing is taken for so long; gives what is left."""
        data = memoryview(data)
        while data and select.select([], [self.sock], [], seconds)[1]:
            try:
                data = data[self.sock.send(data[:65536], socket.MSG_DONTWAIT):]
            except BlockingIOError:
                pass
        return data

    def answer(self, msgid):
        while msgid not in self.answers:
            self.feed()
        error, result = self.answers.pop(msgid)
        if error is not None:
            raise RpcError(error)
        return result

    def call(self, method, **args):
        return self.answer(self.request(method, **args))

    def event(self, name=None, **want):
        """The next event, or the next of that name with these fields; the
        others stay in their order."""
        seen = 0
        while True:
            for i in range(seen, len(self.events)):
                got, fields = self.events[i]
                if name is None or got == name and all(fields.get(k) == v for k, v in want.items()):
                    del self.events[i]
                    return (got, fields) if name is None else fields
            seen = len(self.events)
            self.feed()

    def quiet(self, seconds=0.2):
        """Nothing more comes: an answered request shows that all was sent."""
        self.call("status")
        return not self.events
