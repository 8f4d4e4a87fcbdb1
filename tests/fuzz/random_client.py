# SPDX-License-Identifier: BSD-2-Clause
"""Clients that do anything: one process with a dozen connections of several
users, which makes random calls, reads when it likes, breaks off in the middle
and comes back with anybody's token. All that it is told must be well formed
and as described; nothing else is expected of it."""
import collections
import json
import os
import random
import select
import socket
import time
import traceback

import msgpack

from random_values import JUNK, Values, respelt

CONNECTIONS = 12
REMEMBERED = 40         # handles, tokens and the like: old ones are soon forgotten
TRACE = 600             # the last calls, for whoever looks for the cause
WEIGHTS = {"open": 4, "listen": 4, "connect": 7, "connect_init": 4, "send": 16, "send_many": 4, "recv": 5, "accept": 4, "close": 4,
           "setopts": 5, "getopts": 3, "peeloff": 3, "eof": 2, "abort": 2, "lend": 2, "give_back": 2, "hello": 3,
           "ack": 2, "controlling_process": 3, "adopt": 2, "describe": 0.3, "bindx_add": 3, "bindx_rem": 2, "reset_streams": 3,
           "drain": 0.3, "disconnect": 0.3, "log_level": 0.1, "tap": 0.3, "supervise": 3, "attach": 5, "detach": 1.5, "up": 1.5,
           "down": 0.7, "unsupervise": 0.7, "explain": 0.7,
           "group": 3, "join": 5, "leave": 1.5, "drain_member": 2, "ungroup": 1, "groups": 0.5}
FOREIGN = 0.05          # of all calls are spelt as other languages do
EVENT_FIELDS = {"sock", "seq", "from", "event"}     # of any event, beside its own
FDS_MAX = 8


class World:
    """What all these clients have seen, to be used by any of them."""

    def __init__(self, rng, ports, fifo):
        self.random, self.fifo, self.fixed = rng, fifo, ports
        self.assocs = collections.defaultdict(lambda: collections.deque(maxlen=4))
        self.owners = {}
        self.socks, self.ports, self.tokens, self.numbers = (collections.deque(maxlen=REMEMBERED) for _ in range(4))

    def learn_sock(self, client, sock, port=None):
        self.socks.append(sock)
        self.owners[sock] = client
        if port:
            self.ports.append(port)
        if len(self.owners) > 4 * REMEMBERED:
            for old in set(self.owners) - set(self.socks):
                del self.owners[old]
                self.assocs.pop(old, None)

    def learn_assoc(self, sock, assoc_id):
        if assoc_id and sock in self.owners and assoc_id not in self.assocs[sock]:
            self.assocs[sock].append(assoc_id)

    def sock(self, client):
        """Rather one's own."""
        r = self.random
        if not self.socks or r.random() < 0.01:
            return r.choice((0, 1, 1 << 40))
        for _ in range(4):
            sock = r.choice(self.socks)
            if self.owners.get(sock) is client:
                return sock
        return sock

    def assoc(self, sock):
        known = self.assocs.get(sock) if isinstance(sock, int) else None
        return self.random.choice(known) if known and self.random.random() < 0.95 else self.random.randrange(20)

    def port(self):
        if self.ports and self.random.random() < 0.9:
            return self.random.choice(self.ports)
        return self.random.choice((*self.fixed, 9, 65535, 0))

    def token(self):
        return self.random.choice(self.tokens) if self.tokens else "f" * 32

    def client_number(self):
        return self.random.choice(self.numbers) if self.numbers else 1


class Finding(Exception):
    """The daemon said what it must not."""


class Connection:
    def __init__(self, owner, uid):
        self.all, self.random, self.uid = owner, owner.random, uid
        self.sock = owner.connect(uid)
        self.sock.setblocking(False)
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 28, strict_map_key=False)
        self.asked, self.session, self.seq, self.token = {}, False, 0, None
        self.out, self.fds, self.half = bytearray(), [], False
        self.lazy = self.random.choice((0, 0, 0, 0.9, 0.999))
        self.closed, self.before = False, None

    def close(self):
        self.sock.close()
        for fd in self.fds:
            os.close(fd)
        self.fds, self.closed = [], True

    # ---- what it says ----

    def call(self, method, args, notification=False):
        known = args if isinstance(args, dict) else {}
        self.session |= method in ("hello", b"hello") and "resume" in known    # whose answers come is not known
        if notification:
            message = [2, method, [args]]
        else:
            self.all.msgid += 1
            self.asked[self.all.msgid] = method, known
            message = [0, self.all.msgid, method, [args] if args or self.random.random() < 0.5 else []]
        if self.random.random() < FOREIGN:
            message[-2:] = respelt(message[-2:], self.random)
        self.all.note(self, message)
        try:
            packed = msgpack.packb(message)
        except (OverflowError, ValueError):
            return
        if self.random.random() < 0.0005:
            packed = self.spoilt(packed)
        self.out += packed

    def spoilt(self, packed):
        r, packed = self.random, bytearray(packed)
        for _ in range(r.choice((1, 1, 5))):
            packed[r.randrange(len(packed))] = r.randrange(256)
        self.asked, self.session = collections.defaultdict(lambda: (None, {})), True     # it may be any request now
        return packed[:r.randrange(len(packed))] if r.random() < 0.3 else packed

    def write(self):
        try:
            while self.out:
                del self.out[:self.sock.send(self.out[:1 << 16])]
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    # ---- what it is told ----

    def read(self):
        try:
            for _ in range(20):
                data, fds, _, _ = socket.recv_fds(self.sock, 1 << 17, FDS_MAX)
                self.fds += fds
                if not data:
                    return self.close()
                self.unpacker.feed(data)
                for message in self.unpacker:
                    self.take(message)
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        return None

    def take(self, message):
        self.all.told += 1
        match message:
            case [1, msgid, error, result]:
                self.answered(msgid, error, result)
            case [2, name, [dict(fields)]]:
                self.event(name, fields)
            case _:
                raise Finding(f"no message: {str(message)[:300]}, after {str(self.before)[:600]}")
        self.before = message

    def answered(self, msgid, error, result):
        method, args = self.asked.pop(msgid, (None, {})) if type(self.asked) is dict else (None, {})
        if method is None and not self.session:
            raise Finding(f"an answer to {msgid}, which nobody asked: {error} {str(result)[:300]}")
        self.seq += 1
        if error is not None:
            if result is not None or error.split(":")[0] not in self.all.errors:
                raise Finding(f"{method} {str(args)[:300]}: an error that is none: {error!r} {str(result)[:300]}")
            return
        if isinstance(method, bytes):
            method = method.decode()    # which is as good
        if method is None:
            return
        if method == "recv":
            self.described(result["event"], result)
        elif extra := set(result) - self.all.results[method] - {"event", "from", "sock", "seq", "info"}:
            raise Finding(f"{method}: {extra} is not described; {str(result)[:300]}")
        self.learn(method, args, result)

    def described(self, name, fields):
        if name not in self.all.events:
            raise Finding(f"an event that is not described: {name} {str(fields)[:300]}")
        if name != "watch" and (extra := set(fields) - self.all.events[name] - EVENT_FIELDS):
            raise Finding(f"event {name}: {extra} is not described; {str(fields)[:300]}")

    def event(self, name, fields):
        self.described(name, fields)
        self.seq = fields.get("seq", self.seq)
        self.learn(name, {}, fields)

    def learn(self, what, args, got):
        """What a result or an event shows; and what a good client does next."""
        w, r = self.all.world, self.random
        if what == "hello":
            self.seq, self.token = got.get("seq", self.seq), got.get("resume")
            w.numbers.append(got["client"])
            if self.token:
                self.session = True
                w.tokens.append(self.token)
            return
        sock = got.get("accepted") or got.get("sock") or args.get("sock")
        if what in ("open", "peeloff", "accept", "owner", "adopt", "attach"):
            w.learn_sock(self, sock, got.get("port"))
        if not isinstance(sock, int):
            return
        info = got.get("sctp_sndrcvinfo") or {}
        assoc_id = got.get("assoc_id") or info.get("assoc_id")
        if assoc_id:
            w.learn_assoc(sock, assoc_id)
        if what == "open" and r.random() < 0.5:
            self.call("listen", {"sock": sock})
        elif what == "open" and w.ports and r.random() < 0.5:
            self.call("connect", {"sock": sock, "addr": "127.0.0.1", "port": r.choice(w.ports), "timeout": 500})
        elif what == "connect" and r.random() < 0.5:
            self.change(sock, assoc_id)
        elif what == "listen" and r.random() < 0.3:
            self.call("accept", {"sock": sock, "timeout": 1000})

    def change(self, sock, assoc_id):
        """What is done to an association that has just come up."""
        r = self.random
        for _ in range(r.choice((1, 1, 3))):
            method = r.choice(("paths", "bindx_add", "bindx_add", "bindx_rem", "reset_streams", "reset_assoc"))
            args = {"sock": sock}
            if not method.startswith("bindx") or r.random() < 0.3:
                args["assoc_id"] = assoc_id
            if method.startswith("bindx"):
                args["addrs"] = self.all.values.a_addrs(method, self, sock)
            self.call(method, args)

    # ---- what it does ----

    def step(self):
        """One thing."""
        r = self.random
        x = r.random()
        if self.half or x < 0.93:
            self.burst()
        elif x < 0.94:
            self.half_frame()
        elif x < 0.95:
            self.resume()
        elif x < 0.955:
            self.flood()
        elif x < 0.965 and self.fds:
            self.use_descriptor()
        elif x < 0.970:
            self.lazy = r.choice((0, 0, 0, 0.9, 0.999))
        elif x < 0.974:
            self.go(r.choice((socket.SHUT_WR, socket.SHUT_WR, socket.SHUT_RD, socket.SHUT_RDWR)))
        elif x < 0.98:
            self.go(None)

    def burst(self):
        r = self.random
        for _ in range(r.choice((1, 1, 1, 2, 3, 10, 40))):
            method = self.all.a_method()
            args = self.all.values.arguments(method, self)
            if r.random() < 0.001:
                args = r.choice(JUNK)
            self.call(method if r.random() > 0.001 else r.choice(("", "nosuch", 5, method.encode())), args,
                      r.random() < 0.12)

    def half_frame(self):
        """The rest comes later, or never."""
        self.all.msgid += 1
        self.asked[self.all.msgid] = "send", {}
        data = b"h" * self.random.choice((10, 100000))
        packed = msgpack.packb([0, self.all.msgid, "send", [{"sock": 1, "data": data}]])
        cut = self.random.randrange(1, len(packed))
        self.out += packed[:cut]
        self.all.note(self, f"half a frame: {cut} of {len(packed)} bytes")
        if self.random.random() < 0.5:
            self.write()
            self.go(self.random.choice((None, socket.SHUT_WR)))
        else:
            self.out += packed[cut:]

    def resume(self):
        """Be somebody again: oneself, or another, whether that has gone or not."""
        token = self.random.choice((self.token, self.all.world.token())) or True
        self.call("hello", {"resume": token, "seq": self.random.choice((0, self.seq, self.seq, self.seq + 5))})

    def flood(self):
        """Of messages to one association, as fast as it goes."""
        sock = self.all.world.sock(self)
        args = {"sock": sock, "assoc_id": self.all.world.assoc(sock), "data": b"f" * self.random.choice((1, 100, 3000))}
        for _ in range(self.random.choice((50, 300))):
            self.call("send", args, self.random.random() < 0.7)

    def use_descriptor(self):
        """One that was lent: whatever its new holder does, it may do."""
        r, fd = self.random, self.fds[-1]
        what = r.choice(("send", "recv", "close", "shutdown", "dup", "block"))
        self.all.note(self, f"descriptor {fd}: {what}")
        try:
            if what in ("close", "dup"):
                if what == "dup" and len(self.fds) < 20:
                    self.fds.insert(0, os.dup(fd))
                os.close(self.fds.pop())
                return
            s = socket.socket(fileno=os.dup(fd))
            with s:
                if what == "send":
                    s.send(b"d" * r.choice((1, 1000)), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                elif what == "recv":
                    s.recv(r.choice((1, 70000)), socket.MSG_DONTWAIT)
                elif what == "shutdown":
                    s.shutdown(r.choice((socket.SHUT_WR, socket.SHUT_RDWR)))
                else:
                    os.set_blocking(fd, r.random() < 0.5)
        except OSError:
            pass

    def go(self, how):
        self.all.note(self, f"goes: {how}")
        if how is None:
            self.close()
            return
        try:
            self.sock.shutdown(how)
        except OSError:
            self.close()


class Clients:
    """All of them. ask: where the orchestrator's words come from."""

    def __init__(self, path, seed, uids, described, ports, fifo):
        self.path, self.random, self.uids = path, random.Random(seed), uids
        self.world = World(self.random, ports, fifo)
        self.values = Values(described, self.random, self.world)
        self.errors = {e["code"] for e in described["errors"]}
        self.results = {m["name"]: {f["name"] for f in m["out"]} for m in described["methods"]}
        self.events = {e["name"]: {f["name"] for f in e["fields"]} for e in described["events"]}
        self.names = list(self.values.methods)
        self.weights = [WEIGHTS.get(n, 1) for n in self.names]
        self.connections, self.msgid, self.calls, self.told = [], 0, 0, 0
        self.trace, self.began = collections.deque(maxlen=TRACE), time.monotonic()

    def a_method(self):
        return self.random.choices(self.names, self.weights)[0]

    def note(self, connection, what):
        self.calls += 1
        self.trace.append((time.monotonic() - self.began, id(connection) % 99991, connection.uid, what))

    def traced(self):
        """The trace as text, one call a line."""
        for at, connection, uid, what in self.trace:
            yield f"{at:9.4f} {connection:5} {uid:5} " + str(what).replace("z" * 20, "z").replace("f" * 20, "f")[:1000]

    def connect(self, uid):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        was = os.geteuid()
        if uid != was:
            os.seteuid(uid)
        try:
            s.connect(self.path)
        finally:
            if uid != was:
                os.seteuid(was)
        return s

    def step(self):
        r = self.random
        if len(self.connections) < CONNECTIONS:
            try:
                self.connections.append(Connection(self, r.choice(self.uids)))
            except (OSError, TimeoutError):
                time.sleep(0.01)  # none is served at this moment
                return
            if r.random() < 0.7:
                self.connections[-1].call("hello", {"name": "random", **({"resume": True} if r.random() < 0.5 else {})})
        c = r.choice(self.connections)
        if len(c.out) < 1 << 17:
            c.step()
        for c in self.connections:
            if not c.closed and c.out:
                c.write()
            if not c.closed and r.random() >= c.lazy:
                c.read()
        self.connections = [c for c in self.connections if not c.closed]
        if all(len(c.out) >= 1 << 17 for c in self.connections):
            select.select([c.sock for c in self.connections], [], [], 0.01)

    def leave(self):
        for c in self.connections:
            c.close()
        self.connections = []


def run(control, file, **how):
    """In a process of its own: until control says something. What was found
    is said there; the trace is written to file."""
    clients, finding = Clients(**how), None
    try:
        while not select.select([control], [], [], 0)[0]:
            for _ in range(10):
                clients.step()
    except Finding as why:
        finding = f"random client: {why}"
    except Exception:
        finding = "random client: " + traceback.format_exc()
    with open(file, "w", encoding="utf-8", errors="replace") as f:
        f.writelines(line + "\n" for line in clients.traced())
    clients.leave()
    if select.select([control], [], [], 0)[0]:
        control.recv(100)   # or its other end is told that nobody did
    control.send(json.dumps({"finding": finding, "calls": clients.calls, "told": clients.told}).encode())
