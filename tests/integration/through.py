# SPDX-License-Identifier: BSD-2-Clause
"""One association all through: a peer on the kernel's own socket sends numbered
messages to a client of sctpd, in a session, which sends each back, whatever
happens to the daemon meanwhile. None may be lost, doubled or out of order."""
import socket
import threading
import time

import msgpack

from rpc import WAIT, Client, RpcError, Timed

SCTP = 132
EVERY = 0.01  # seconds between two messages
LOST = (EOFError, ConnectionResetError, BrokenPipeError)  # the daemon is gone


class Session(Client):
    """A client that comes back by itself, as proto/README.md says how."""

    acks = True  # by itself, all that came

    def __init__(self, path, name):
        self.path, self.seq, self.acked, self.bytes, self.unanswered, self.returns = path, 0, 0, 0, {}, 0
        self.strangers = []  # answers that nobody waits for
        self.said, self.unheard = 0, []  # notifications that may have to be said again
        while True:
            super().__init__(path)
            try:
                hello = self.greet(name=name, resume=True)
                break
            except LOST:    # the daemon died before there was a session
                self.close()
        self.token, self.client = hello["resume"], hello["client"]

    def greet(self, **args):
        self.msgid += 1
        self.sock.sendall(msgpack.packb([0, self.msgid, "hello", [args]]))
        while self.msgid not in self.answers:
            self.take()
        error, result = self.answers.pop(self.msgid)
        if error is not None:
            raise RpcError(error)
        return result

    def request(self, method, **args):
        self.msgid += 1
        packed = msgpack.packb([0, self.msgid, method, [args]])
        self.unanswered[self.msgid] = packed
        try:
            self.sock.sendall(packed)
        except LOST:
            pass  # feed will see it, too
        return self.msgid

    def taken(self, method, **args):
        """A notification that is said again unless the daemon had taken it."""
        self.said += 1
        self.unheard.append((self.said, self.msgid, msgpack.packb([2, method, [args]])))
        try:
            self.sock.sendall(self.unheard[-1][2])
        except LOST:
            pass

    def say_again(self, taken):
        """Requests and notifications, each in its place."""
        self.unheard = [u for u in self.unheard if u[0] > taken]
        rest = list(self.unheard)
        for msgid, packed in self.unanswered.items():
            while rest and rest[0][1] < msgid:
                self.sock.sendall(rest.pop(0)[2])
            self.sock.sendall(packed)
        for _, _, packed in rest:
            self.sock.sendall(packed)

    def feed(self):
        try:
            self.take()
        except LOST:
            self.come_back()

    def take(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise EOFError
        self.unpacker.feed(data)
        for kind, *rest in self.unpacker:
            if kind == 1:
                msgid, error, result = rest
                self.seq += 1
                if self.unanswered.pop(msgid, None) is None and msgid != self.msgid:
                    self.strangers.append((msgid, error, result))
                self.answers[msgid] = error, result
            else:
                name, (fields,) = rest
                self.seq = fields.get("seq", self.seq + 1)
                self.events.append((name, fields))
        self.bytes += len(data)
        if self.acks and (self.seq >= self.acked + 50 or self.bytes > 100000):
            self.acked, self.bytes = self.seq, 0
            self.notify("ack", seq=self.seq)

    def come_back(self):
        while True:
            self.sock.close()
            self.sock = Timed(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(WAIT)
            self.sock.connect(self.path)  # to be refused is never right
            self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 28)
            try:
                result = self.greet(resume=self.token, seq=self.seq)
                self.say_again(result.get("notifications", 0))
            except LOST:
                continue
            assert result["resume"] == self.token
            self.seq = max(self.seq, result["seq"])     # events may have followed it
            self.returns += 1
            return


class Through:
    """with Through(path) as t: ... ; then t.count and t.gap, the longest time
    in ms in which the peer heard nothing, are known."""

    def __init__(self, path, every=EVERY):
        self.every, self.end, self.failed, self.heard, self.sent = every, False, [], [], 0
        self.client = Session(path, "through")
        got = self.client.call("open", ip="127.0.0.1", options={"active": True})
        self.sock = got["sock"]
        self.client.call("listen", sock=self.sock)
        self.peer = Timed(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        self.peer.settimeout(WAIT)
        self.peer.connect(("127.0.0.1", got["port"]))
        self.threads = [threading.Thread(target=self.guard, args=(work,))
                        for work in (self.speak, self.hear, self.echo)]

    def guard(self, work):
        try:
            work()
        except Exception as why:
            self.failed.append(f"{work.__name__}: {why!r}")
            self.end = True

    def speak(self):
        while not self.end:
            self.peer.send(b"%d" % self.sent)
            self.sent += 1
            time.sleep(self.every)
        self.peer.send(b"end")

    def hear(self):
        while (data := self.peer.recv(100)) != b"end":
            assert data, "the association has ended"
            self.heard.append((int(data), time.monotonic()))

    def echo(self):
        data = assoc_id = None
        while data != b"end":
            self.client.feed()
            while self.client.events:
                name, fields = self.client.events.popleft()
                if name == "data":
                    data = fields["data"]
                    self.client.request("send", sock=self.sock, assoc_id=assoc_id, data=data)
                elif name != "sctp_paddr_change":  # the machine may have other addresses
                    assoc_id = fields["assoc_id"]
                    assert (name, fields["state"]) == ("sctp_assoc_change", "comm_up"), (name, fields)
            self.check_answers()
        while self.client.unanswered:
            self.client.feed()
        self.check_answers()

    def check_answers(self):
        errors = [error for error, _ in self.client.answers.values() if error is not None]
        assert not errors, errors
        self.client.answers.clear()

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, kind, why, trace):
        self.end = True
        for t in self.threads:
            t.join()
        self.client.close()
        self.peer.close()
        assert not self.failed, self.failed
        numbers = [n for n, _ in self.heard]
        missing, twice = set(range(self.sent)) - set(numbers), len(numbers) - len(set(numbers))
        assert numbers == list(range(self.sent)), f"{self.sent} sent, {len(missing)} lost, {twice} doubled"
        times = [t for _, t in self.heard]
        self.count = len(times)
        self.gap = 1000 * max((b - a for a, b in zip(times, times[1:])), default=0)

    def wait(self, n=20):
        """Until it has heard so many more; not for ever."""
        wanted, deadline = len(self.heard) + n, time.monotonic() + WAIT
        while len(self.heard) < wanted and not self.failed:
            assert time.monotonic() < deadline, "the peer hears nothing any more"
            time.sleep(self.every)

    def __str__(self):
        return f"{self.count} messages, longest gap {self.gap:.0f} ms, resumed {self.client.returns} times"
