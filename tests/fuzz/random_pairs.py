# SPDX-License-Identifier: BSD-2-Clause
"""Well-behaved clients amid the others: pairs of sessions that send each other
numbered messages, as requests and as notifications, more than there is room
for at times; that read slowly, passively or one by one, break off and come
back. Whatever else happens, all that they send arrives exactly once and in
order, and every request is answered in time."""
import collections
import itertools
import json
import os
import random
import select
import socket
import time
import traceback

import msgpack

LOST = (EOFError, ConnectionResetError, BrokenPipeError)
STREAMS = 3
PORT = 7000             # of the pairs' listeners, from here on: the others know them
HOLD = {"on_owner_exit": "hold", "hold_time": 60000}
ABSENT = 60000          # bytes on their way beyond which an end makes no more
ASIDE = ("status", "sockname", "getstat", "socknames", "getopts", "describe", "assocs")


class Finding(Exception):
    """A promise was broken; the text says which."""


class Session:
    """proto/README.md, "Sessions", to the letter."""

    def __init__(self, path, name, uid, bound):
        self.path, self.name, self.uid, self.bound = path, name, uid, bound
        self.token, self.seq, self.acked, self.id = True, 0, 0, None
        self.numbers, self.notified, self.returns = itertools.count(1), 0, 0
        self.log = collections.deque()      # what may have to be sent again: [kind, number, packed, back, since]
        self.waiting = {}                   # those of them that are requests, by number
        self.connect()

    # ---- the connection ----

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        was = os.geteuid()
        if self.uid != was:
            os.seteuid(self.uid)
        try:
            self.sock.settimeout(self.bound)
            self.sock.connect(self.path)
        finally:
            if self.uid != was:
                os.seteuid(was)
        self.sock.setblocking(False)
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 28)
        self.hello, self.hello_since = next(self.numbers), time.monotonic()
        self.out = bytearray(msgpack.packb([0, self.hello, "hello", [
            {"name": self.name, "resume": self.token, "seq": self.seq}]]))

    def come_back(self):
        self.sock.close()
        self.returns += 1
        self.connect()

    def welcome(self, error, result):
        if error is not None:
            raise Finding(f"{self.name}: hello: {error}")
        self.token, self.seq, self.id, self.hello = result["resume"], result["seq"], result["client"], None
        taken, now = result.get("notifications", 0), time.monotonic()
        self.log = collections.deque(e for e in self.log if (e[1] in self.waiting if e[0] == 0 else e[1] > taken))
        for e in self.log:
            e[4] = now
            self.out += e[2]

    # ---- what it says ----

    def request(self, method, back=None, **args):
        """back(error, result) when it is answered."""
        number = next(self.numbers)
        entry = [0, number, msgpack.packb([0, number, method, [args]]), back or self.good(method, args), time.monotonic()]
        self.waiting[number] = entry
        self.say(entry)

    def notify(self, method, **args):
        self.notified += 1
        self.say([2, self.notified, msgpack.packb([2, method, [args]]), None, 0])

    def say(self, entry):
        self.log.append(entry)
        if self.hello is None:
            self.out += entry[2]

    def good(self, method, args):
        def back(error, _):
            if error is not None:
                raise Finding(f"{self.name}: {method} {str(args)[:200]}: {error}")
        return back

    def unwritten(self):
        return sum(len(e[2]) for e in self.log) if self.hello is not None else len(self.out)

    # ---- what it is told ----

    def turn(self, readable, writable):
        try:
            if readable:
                self.read()
            if self.hello is None and self.seq > self.acked + 20:
                self.acked = self.seq
                self.out += msgpack.packb([2, "ack", [{"seq": self.seq}]])
            if writable and self.out:
                del self.out[:self.sock.send(self.out[:1 << 17])]
        except BlockingIOError:
            pass
        except LOST:
            self.come_back()

    def read(self):
        data = self.sock.recv(1 << 17)
        if not data:
            raise EOFError
        self.unpacker.feed(data)
        for kind, what, *rest in self.unpacker:
            if kind == 1 and what == self.hello:
                self.welcome(*rest)
            elif kind == 1:
                self.seq += 1
                self.answered(what, *rest)
            else:
                self.numbered(what, rest[0][0])

    def answered(self, number, error, result):
        entry = self.waiting.pop(number, None)
        if entry is None:
            if self.returns == 0:
                raise Finding(f"{self.name}: an answer to {number}, which waits for none: {error} {str(result)[:200]}")
            return
        # Notifications before it were carried out before it.
        while self.log and (self.log[0][0] == 2 or self.log[0][1] not in self.waiting):
            if self.log.popleft() is entry:
                break
        entry[3](error, result)

    def numbered(self, name, fields):
        seq = fields.get("seq")
        if seq is None or seq <= self.seq:
            raise Finding(f"{self.name}: event {name} has the number {seq} after {self.seq}: {str(fields)[:200]}")
        self.seq = seq
        self.event(name, fields)

    def event(self, name, fields):
        raise NotImplementedError

    def late(self, now):
        """The request, if any, that has not been answered in time."""
        if self.hello is not None and now - self.hello_since > self.bound:
            return f"{self.name}: hello is not answered after {self.bound} s"
        for entry in itertools.islice(self.log, 1):
            if entry[0] == 0 and now - entry[4] > self.bound:
                return f"{self.name}: not answered after {self.bound} s: {entry[2][:60]!r}"
        return None


def make(tag, stream, number):
    """The message of that number."""
    size = random.Random(number * 31 + stream).choice((10, 30, 100, 100, 1000, 1400, 3000, 20000))
    head = b"%s %d %d " % (tag.encode(), stream, number)
    return head + b"." * max(size - len(head), 0)


class End(Session):
    """One end of a pair's association, which sends and receives."""

    def __init__(self, pair, side, *how):
        super().__init__(*how)
        self.pair, self.side, self.random = pair, side, pair.random
        self.handle, self.assoc_id, self.up, self.over = None, None, False, False
        self.next_out, self.next_in = [0] * STREAMS, [0] * STREAMS
        self.mode, self.receiving, self.asleep, self.sent_bytes, self.last = True, False, 0, 0, time.monotonic()
        self.quiet = 0                      # no more is sent until then
        self.flying = 0                     # sends without an answer

    # ---- what comes ----

    def event(self, name, fields):
        handler = getattr(self, "on_" + name, None)
        if handler is None:
            raise Finding(f"{self.name}: event {name} {str(fields)[:300]}")
        handler(fields)

    def mine(self, fields):
        """Of our association: strangers may connect to a listener."""
        if fields.get("sock") != self.handle:
            return False
        info = fields.get("sctp_sndrcvinfo") or fields
        return self.pair.one or info.get("assoc_id") == self.assoc_id

    def on_data(self, e):
        self.once_more()
        if not self.mine(e):
            return
        stream = e["sctp_sndrcvinfo"].get("stream", 0)
        number, peer = self.next_in[stream], self.peer()
        if e["data"] != make(peer.tag(), stream, number):
            raise Finding(f"{self.name}: stream {stream}: wanted number {number}, got {e['data'][:40]!r} "
                          f"of {len(e['data'])} bytes; the peer has sent {peer.next_out}; returns {self.returns}, "
                          f"seq {e.get('seq')}")
        self.next_in[stream] += 1
        self.pair.arrived += 1
        self.last = time.monotonic()

    def on_sctp_assoc_change(self, e):
        self.once_more()
        if e["state"] == "comm_up" and self.side == 1 and e["from"]["port"] == self.peer().port and not self.pair.one:
            self.assoc_id, self.up = e["assoc_id"], True
        elif not self.mine(e):
            if e["state"] == "comm_up" and self.random.random() < 0.7:
                # A stranger, who may be gone by now.
                self.request("abort", lambda *_: None, sock=self.handle, assoc_id=e["assoc_id"])
        elif e["state"] == "shutdown_comp" and self.pair.ending:
            self.over = True
        elif e["state"] == "comm_up" and self.pair.one:
            self.up = True
        else:
            raise Finding(f"{self.name}: sctp_assoc_change {e}")

    def on_sctp_shutdown_event(self, e):
        self.once_more()
        if self.mine(e) and not self.pair.ending:
            raise Finding(f"{self.name}: sctp_shutdown_event {e}")

    def on_sctp_closed(self, e):
        if e["sock"] == self.handle and not self.pair.ending:
            raise Finding(f"{self.name}: sctp_closed {e}")

    def stranger(self, e):
        self.once_more()
        if self.mine(e) and e["sock"] == self.handle:
            raise Finding(f"{self.name}: {e}")

    def on_sctp_paddr_change(self, e):
        self.once_more()

    on_sctp_send_failed = on_sctp_remote_error = on_sctp_pdapi_event = on_sctp_adaptation_event = stranger
    on_sctp_stream_change_event = on_sctp_stream_reset_event = on_sctp_assoc_reset_event = stranger

    def on_sctp_passive(self, e):
        self.mode = False

    def once_more(self):
        if self.mode == "once":
            self.mode = False

    def on_error(self, e):
        raise Finding(f"{self.name}: the event error {e}")

    # ---- what it does ----

    def peer(self):
        return self.pair.ends[1 - self.side]

    def tag(self):
        return f"{self.pair.number}.{self.side}.{self.pair.life}"

    def act(self, now):
        """Once in a while, when it is up."""
        r = self.random
        if self.handle is None or self.hello is not None:
            return
        if self.mode is False and not self.receiving:
            if r.random() < 0.5:
                self.receive()
            else:
                self.set_mode(r.choice((True, True, "once", 7, 100)))
        elif self.mode is True and r.random() < 0.003:
            self.set_mode(False)
        x = r.random()
        if x < 0.004:
            self.asleep = now + r.random()
        elif x < 0.006 and self.up and self.peer().up:
            self.come_back()
        elif x < 0.02:
            method = r.choice(ASIDE)
            args = {"sock": self.handle} if method in ("sockname", "getstat", "socknames", "getopts") else {}
            if method == "getopts":
                args["options"] = ["active", "sndbuf", "linger"]
            self.request(method, **args)
        elif x < 0.3 and self.up and self.peer().up and not self.pair.ending and now > self.quiet:
            self.produce(now)

    def receive(self):
        self.receiving = True

        def back(error, result):
            self.receiving = False
            if error is None:
                self.event(result["event"], result)
            elif not error.startswith("timeout") and not self.over:
                raise Finding(f"{self.name}: recv: {error}")
        self.request("recv", back, sock=self.handle, timeout=self.random.choice((0, 50, 500)))

    def set_mode(self, mode):
        """Events that come before the answer may be of the mode before; but
        from passive there is none, so that one of once has been spent by it."""
        self.mode = "once" if mode == "once" else "changing"

        def back(error, _):
            if error is not None:
                raise Finding(f"{self.name}: active {mode}: {error}")
            if self.mode == "changing":
                self.mode = mode
        self.request("setopts", back, sock=self.handle, options={"active": mode})

    def produce(self, now):
        if self.flying > 40 or self.unwritten() > ABSENT:
            return
        r = self.random
        notifications = r.random() < 0.5
        for _ in range(r.choice((1, 1, 3, 10, 30))):
            stream = r.randrange(STREAMS)
            args = {"sock": self.handle, "stream": stream, "data": make(self.tag(), stream, self.next_out[stream])}
            if not self.pair.one or r.random() < 0.5:
                args["assoc_id"] = self.assoc_id
            self.next_out[stream] += 1
            self.pair.sent += 1
            if notifications:
                self.notify("send", **args)
            else:
                self.flying += 1
                self.request("send", self.send_answered, **args)
        if notifications:
            # Their answer, so to say: how many may be under way is bounded.
            self.flying += 20
            self.request("port", self.burst_taken, sock=self.handle)
        self.quiet = now + r.choice((0, 0, 0.01, 0.05))

    def send_answered(self, error, _):
        self.flying -= 1
        if error is not None:
            raise Finding(f"{self.name}: send: {error}")

    def burst_taken(self, error, _):
        self.flying -= 20
        if error is not None:
            raise Finding(f"{self.name}: port: {error}")


class Pair:
    """A listens, B connects; or the other way round from time to time."""

    def __init__(self, number, path, uid, seed, bound):
        self.number, self.random = number, random.Random(seed * 100 + number)
        self.path, self.uid, self.bound = path, uid, bound
        self.one = number % 2 == 1
        self.sent = self.arrived = self.lives = self.life = 0
        self.begin()

    def begin(self):
        """Another association, with sessions of its own."""
        self.life += 1
        self.ending = self.finished = self.ready = False
        self.ends = [End(self, side, self.path, f"pair {self.number}.{side}", self.uid, self.bound) for side in (0, 1)]
        a, b = self.ends
        b.request("open", self.opened, ip="127.0.0.1", port=PORT + self.number,
                  type="stream" if self.one else "seqpacket", options={"active": not self.one, "reuseaddr": True, **HOLD})

    def opened(self, error, result):
        if error is not None:
            raise Finding(f"pair {self.number}: open: {error}")
        b = self.ends[1]
        b.listener = result["sock"]
        if not self.one:
            b.handle = b.listener
        b.request("listen", self.listening, sock=b.listener)

    def listening(self, error, _):
        if error is not None:
            raise Finding(f"pair {self.number}: listen: {error}")
        a, b = self.ends
        if self.one:
            self.accept()
        a.request("open", self.opened_too, ip="127.0.0.1", type="stream" if self.one else "seqpacket",
                  options={"active": True, **HOLD})

    def accept(self):
        self.ends[1].request("accept", self.accepted, sock=self.ends[1].listener)

    def accepted(self, error, result):
        a, b = self.ends
        if error is not None:
            raise Finding(f"pair {self.number}: accept: {error}")
        if result["from"]["port"] != getattr(a, "port", None):
            b.request("close", lambda *_: None, sock=result["accepted"])   # a stranger
            self.accept()
            return
        b.handle, b.assoc_id, b.up, b.mode = result["accepted"], result["assoc_id"], True, False
        b.request("setopts", sock=b.handle, options=HOLD)

    def opened_too(self, error, result):
        if error is not None:
            raise Finding(f"pair {self.number}: open: {error}")
        a = self.ends[0]
        a.handle, a.port = result["sock"], result["port"]
        a.request("connect", self.connected, sock=a.handle, addr="127.0.0.1", port=PORT + self.number,
                  timeout=int(self.bound * 1000))

    def connected(self, error, result):
        if error is not None:
            raise Finding(f"pair {self.number}: connect: {error}")
        a = self.ends[0]
        a.assoc_id, a.up, self.ready = result["assoc_id"], True, True

    # ---- its end ----

    def stop(self):
        self.ending, self.stopping = True, time.monotonic()

    def drained(self):
        a, b = self.ends
        return a.next_out == b.next_in and b.next_out == a.next_in and not any(e.flying for e in self.ends)

    def finish(self):
        """All has come: shut down and close, and see that the peer is told."""
        a, b = self.ends
        if not self.finished:
            self.finished = True
            for e in self.ends:
                e.quiet = 1e30
            a.request("eof", sock=a.handle, assoc_id=a.assoc_id)
        return all(e.over for e in self.ends)

    def close(self):
        for e in self.ends:
            e.sock.close()

    def behind(self):
        a, b = self.ends
        return f"pair {self.number}: sent {a.next_out} {b.next_out}, arrived {b.next_in} {a.next_in}, modes " \
               f"{a.mode} {b.mode}, under way {a.flying} {b.flying}, over {a.over} {b.over}, up {a.up} {b.up}"


class Pairs:
    def __init__(self, path, seed, uid, bound, number):
        self.pairs = [Pair(n, path, uid, seed, bound) for n in range(number)]
        self.bound, self.survives = bound, True

    def turn(self, wait):
        now = time.monotonic()
        ends = [e for p in self.pairs for e in p.ends]
        awake = [e for e in ends if e.asleep < now]
        ready, able, _ = select.select([e.sock for e in awake], [e.sock for e in ends if e.out], [], wait)
        for e in ends:
            if e.sock in ready or e.sock in able:
                e.turn(e.sock in ready, e.sock in able)
            e.act(now)
            if late := e.late(now):
                raise Finding(late)

    def check(self, now):
        """Nothing of a pair has come for long, and there is something to come."""
        for p in self.pairs:
            for e in p.ends:
                if e.up and now - e.last > self.bound and not p.drained():
                    raise Finding("nothing comes: " + p.behind())

    def end(self):
        """All that was sent arrives, and the associations end as they should."""
        for p in self.pairs:
            p.stop()
        deadline = time.monotonic() + 2 * self.bound
        while not all([p.drained() and p.finish() for p in self.pairs]):
            self.turn(0.01)
            if time.monotonic() > deadline:
                raise Finding("it did not end: " + "; ".join(p.behind() for p in self.pairs))
        for p in self.pairs:
            p.close()

    def figures(self):
        return {"sent": sum(p.sent for p in self.pairs), "arrived": sum(p.arrived for p in self.pairs),
                "returns": sum(e.returns for p in self.pairs for e in p.ends)}


def run(control, **how):
    """In a process of its own. control says: "stop", or "new" when the daemon
    has died and nothing survives that."""
    finding, pairs = None, None
    try:
        pairs = Pairs(**how)
        while not all(p.ready and p.ends[1].up for p in pairs.pairs):
            pairs.turn(0.05)
        control.send(b'{"ready": true}')
        while not select.select([control], [], [], 0)[0]:
            pairs.turn(0.005)
            pairs.check(time.monotonic())
        pairs.end()
    except Finding as why:
        finding = f"well-behaved client: {why}"
    except Exception:
        finding = "well-behaved client: " + traceback.format_exc()
    if select.select([control], [], [], 0)[0]:
        control.recv(100)   # or its other end is told that nobody did
    control.send(json.dumps({"finding": finding, **(pairs.figures() if pairs else {})}).encode())
