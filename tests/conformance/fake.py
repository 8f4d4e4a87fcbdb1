# SPDX-License-Identifier: BSD-2-Clause
"""The daemon's side of the wire, as a case says it, and a driver beside it.

The fake daemon numbers what it sends, as sctpd does in a session, and sends it
again after a resumption if it is told to. Of what it reads it checks what every
client must hold to: nothing is said between hello and its answer, an
acknowledgement never goes back nor beyond what was sent, and no two requests in
flight have the same msgid. Requests that a library makes by itself (setopts,
ack) are answered without a word."""
import json
import os
import queue
import socket
import subprocess
import tempfile
import threading
import time

import msgpack

WAIT = int(os.environ.get("TEST_WAIT", "20"))
TOKEN = "0123456789abcdef" * 2
FEATURES = ["seqpacket", "stream", "resume", "survive"]
LIMITS = {"max_message": 16 << 20, "client_queue": 1 << 20}


class Wrong(AssertionError):
    """The library did what it must not, or not what it must."""


class Connection:
    """One connection of the library."""

    def __init__(self, fake, sock):
        self.fake, self.sock = fake, sock
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 28)
        self.greeted = False

    def send(self, data):
        self.sock.sendall(data)

    def bytewise(self, data):
        """Each byte as a packet of its own; the last few thousand, if there are more."""
        head, tail = data[:-3000], data[-3000:]
        self.send(head)
        for byte in tail:
            self.send(bytes([byte]))

    def feed(self, wait=WAIT):
        """Read once. False: nothing came in that time."""
        self.sock.settimeout(wait)
        try:
            data = self.sock.recv(1 << 16)
        except socket.timeout:
            return False
        if not data:
            raise Wrong("the library closed the connection")
        self.unpacker.feed(data)
        return True

    def message(self, wait=WAIT):
        """The next message, whatever it is; None if none came in that time."""
        deadline = time.monotonic() + wait
        while True:
            for message in self.unpacker:
                return message
            left = deadline - time.monotonic()
            if left <= 0 or not self.feed(left):
                return None

    def read(self, method=None, wait=WAIT):
        """The next request, or notification with None for its msgid: (msgid, method, arguments). What
        libraries do by themselves is left out."""
        while True:
            message = self.message(wait)
            if message is None:
                if method is None:
                    return None
                raise Wrong(f"{method} does not come")
            got = self.fake.take(self, message)
            if got is None:
                continue
            if method is not None and got[1] != method:
                raise Wrong(f"{method} was to come, and {got[1]} came")
            return got

    def read_nothing(self, wait=0.2):
        """What comes in that time beside what libraries do by themselves is wrong."""
        got = self.read(None, wait)
        if got is not None:
            raise Wrong(f"{got[1]} came, and nothing was to come")

    def die(self):
        self.sock.close()


class Fake:
    """A daemon; what it says next is the case's."""

    def __init__(self, path):
        self.path = path
        self.listener = None
        self.number = 0         # of the last message
        self.log = []           # (number, bytes) of all that was sent
        self.acked = 0
        self.ack_log = []
        self.in_flight = {}
        self.notifications = 0  # taken of this client
        self.listen()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.listener.settimeout(WAIT)

    def leave(self):
        """Nobody listens any more."""
        self.listener.close()
        os.unlink(self.path)

    def accept(self, wait=WAIT):
        self.listener.settimeout(wait)
        try:
            return Connection(self, self.listener.accept()[0])
        except socket.timeout:
            raise Wrong("the library does not connect") from None

    def nobody_comes(self, wait=0.5):
        self.listener.settimeout(wait)
        try:
            self.listener.accept()
        except socket.timeout:
            return
        raise Wrong("the library comes back, and must not")

    # ---- what comes ----------------------------------------------------

    def take(self, c, message):
        """Check it. None: the case need not know."""
        kind = message[0]
        if kind == 2:
            _, method, params = message
            if not c.greeted:
                raise Wrong(f"{method} came before hello was answered")
            if method == "ack":
                self.take_ack(params[0]["seq"])
                return None
            self.notifications += 1
            return None, method, params[0] if params else {}
        if kind != 0:
            raise Wrong(f"this is no request: {message}")
        _, msgid, method, params = message
        if method == "hello":
            return msgid, method, params[0]
        if not c.greeted:
            raise Wrong(f"{method} came before hello was answered")
        again = self.in_flight.get(msgid)
        if again is not None and again != (method, params):
            raise Wrong(f"two requests have the msgid {msgid}")
        self.in_flight[msgid] = method, params
        if method in ("setopts", "ack"):
            if method == "ack":
                self.take_ack(params[0]["seq"])
            self.answer(c, msgid, {})
            return None
        return msgid, method, params[0] if params else {}

    def take_ack(self, seq):
        if seq < self.acked or seq > self.number:
            raise Wrong(f"ack {seq} after ack {self.acked}, and {self.number} messages were sent")
        self.acked = seq
        self.ack_log.append(seq)

    # ---- what goes -----------------------------------------------------

    def numbered(self, message):
        packed = msgpack.packb(message)
        self.log.append((self.number, packed))
        return packed

    def answer_bytes(self, msgid, result=None, error=None):
        self.number += 1
        self.in_flight.pop(msgid, None)
        return self.numbered([1, msgid, error, result if error is None else None])

    def answer(self, c, msgid, result=None, error=None):
        c.send(self.answer_bytes(msgid, result if result is not None else {}, error))

    def event_bytes(self, name, **fields):
        self.number += 1
        return self.numbered([2, name, [{"seq": self.number, **fields}]])

    def event(self, c, name="data", **fields):
        c.send(self.event_bytes(name, **fields))

    def message(self, c, n, sock=7):
        """A message of a peer."""
        self.event(c, sock=sock, sctp_sndrcvinfo={"assoc_id": 1}, data=b"%d" % n)

    def replay(self, c, after):
        """What was sent after that number, as sctpd does before it answers hello."""
        for number, packed in self.log:
            if number > after:
                c.send(packed)

    def hello_bytes(self, msgid, features=FEATURES, **more):
        self.number += 1
        return msgpack.packb([1, msgid, None, {
            "client": 3, "protocol": 1, "version": "9.9", "stack": "kernel", "features": list(features), "limits": LIMITS,
            "resume": TOKEN, "seq": self.number, "notifications": self.notifications, **more}])

    def greet(self, c, **more):
        """Read hello and answer it, with what is missing before the answer. Gives hello's arguments."""
        msgid, _, said = c.read("hello")
        if said.get("resume") not in (True, TOKEN):
            raise Wrong(f"hello {said}")
        if said["resume"] == TOKEN:
            self.replay(c, said.get("seq", 0))
        c.greeted = True
        c.send(self.hello_bytes(msgid, **more))
        return said

    def resumed(self, **more):
        """The library connects again and is greeted: (connection, hello's arguments)."""
        c = self.accept()
        return c, self.greet(c, **more)


class Driver:
    """A program of the library: words in, JSON out. See README.md."""

    def __init__(self, command, path, log):
        self.process = subprocess.Popen([*command, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                        text=True, bufsize=1)
        self.lines = queue.Queue()
        self.seen = []
        self.changes = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def say(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Wrong("the driver has ended") from None

    def result(self, key, value=None, wait=WAIT):
        """The next line that has this key, with this value; others are kept."""
        deadline = time.monotonic() + wait
        while True:
            for i, line in enumerate(self.seen):
                if key in line and (value is None or line[key] == value):
                    return self.seen.pop(i)
            try:
                line = self.lines.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                raise Wrong(f"the library says nothing of {key} {value or ''}; it said {self.seen}") from None
            if line is None:
                raise Wrong(f"the driver has ended; it said {self.seen}")
            if "change" in line:
                self.changes.append(line["change"])
            else:
                self.seen.append(line)

    def connect(self, kind="session", *more):
        self.say("connect", kind, *(more or (WAIT * 1000,)))

    def connected(self):
        got = self.result("connected")
        if not got["connected"]:
            raise Wrong(f"it is not connected: {got}")
        return got

    def call(self, ident, method, **arguments):
        self.say("call", ident, method, *(f"{k}={v}" for k, v in arguments.items()))

    def ok(self, ident, want=None):
        got = self.result("id", str(ident))
        if "ok" not in got:
            raise Wrong(f"call {ident} failed: {got}")
        if want is not None and got["ok"] != want:
            raise Wrong(f"call {ident}: {got['ok']} and not {want}")
        return got["ok"]

    def fails(self, ident, *codes):
        got = self.result("id", str(ident))
        if got.get("error") not in codes:
            raise Wrong(f"call {ident} was to fail with {' or '.join(codes)}: {got}")

    def next(self, n=None, sock=7):
        """Take the next event; n is the number in the message of a peer."""
        self.say("next", sock)
        got = self.result("event")
        if n is not None and got.get("fields", {}).get("data") != {"bytes": (b"%d" % n).hex()}:
            raise Wrong(f"message {n} was to come: {got}")
        return got

    def quiet(self, wait=0.2):
        """Nothing was said twice."""
        end = time.monotonic() + wait
        while (left := end - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise Wrong("the driver has ended")
            if "change" not in line:
                self.seen.append(line)
        if self.seen:
            raise Wrong(f"nobody asked for {self.seen}")

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def play(case, command):
    """None, or what is wrong."""
    with tempfile.TemporaryDirectory(prefix="sctpd-") as there, open(os.path.join(there, "log"), "w+") as log:
        path = os.path.join(there, "s")
        fake = Fake(path)
        driver = Driver(command, path, log)
        try:
            case(fake, driver)
            log.seek(0)
            said = log.read()
            return f"the driver wrote to stderr: {said[-2000:]}" if said else None
        except (Wrong, OSError) as why:
            log.seek(0)
            return f"{type(why).__name__}: {why}\n{log.read()[-2000:]}".rstrip()
        finally:
            driver.end()
            fake.listener.close()
