# SPDX-License-Identifier: BSD-2-Clause
"""What three clients may expect of their sockets: random programs of legal and
illegal calls, and beside them a model that knows how each must end.

Everything happens on the loopback, where an association's packets have all
arrived when the call that sent them is answered, so that the model need not
guess: where packets need time, it waits until they have. It says what waits at each end of an association, in its order; between
associations there is none."""
import collections
import random
import time

from check import WAIT_MS
from harness import DELAY, wait_for
from rpc import WAIT, RpcError

NOT_THERE = 1 << 40     # no handle, and no client
HOST = "127.0.0.1"
UP = ("sctp_assoc_change", {"state": "comm_up", "error": 0})
LOST = ("sctp_assoc_change", {"state": "comm_lost", "error": 12})
SHUT = ("sctp_shutdown_event", {})
COMP = ("sctp_assoc_change", {"state": "shutdown_comp", "error": 0})
CANT = ("sctp_assoc_change", {"state": "cant_assoc"})
CLOSED = ("sctp_closed", {"reason": "the association is over"})
OPTIONS = {"sctp_delayed_ack_time": {"assoc_value": 0}}     # so that nothing is unacknowledged


class End:
    """One end of an association: what its socket will be told of it."""

    def __init__(self, sock, peer=None):
        self.sock, self.peer, self.id = sock, peer, None
        self.up, self.was_up = True, True
        self.queue = collections.deque()
        self.shut = False               # by its peer, and no eof was said since

    def over(self, *events):
        self.up = False
        self.shut = SHUT in events
        self.queue.extend(events)
        if self.sock.one and self.was_up:
            self.queue.append(CLOSED)

    def is_going_down(self):
        """It is known that the peer shuts it down, and not yet that it has: eof is nothing new."""
        return self.shut and SHUT not in self.queue and COMP in self.queue

    def knows(self):
        """Has the daemon not been told of its end?"""
        return self.up or any(e is not CLOSED for e in self.queue)


class Sock:
    def __init__(self, kind, handle, port, owner):
        self.kind, self.handle, self.port, self.owner = kind, handle, port, owner
        self.one = kind != "many"
        self.active, self.listening, self.linger = False, False, None
        self.waiting = None             # (client, msgid) of a recv
        self.accepts = False            # and whether that is an accept
        self.ends, self.backlog = [], collections.deque()
        self.finished = False           # one-to-one: its association was, and is over
        self.sent, self.got = 0, 0

    def waits(self):
        return any(e.queue for e in self.ends) or bool(self.backlog)

    def counts(self):
        return not isinstance(self.active, (bool, str))

    def end(self, id_):
        return next((e for e in self.ends if e.id == id_), None)


class Program:
    """One of them. step() does something; finish() closes all."""

    def __init__(self, d, seed):
        self.d, self.random, self.log = d, random.Random(seed), []
        self.clients = [d.client(f"{seed}.{i}") for i in range(3)]
        self.socks, self.closed, self.blocked, self.number = [], [], set(), 0
        self.changed = False

    # ---- calls ---------------------------------------------------------

    def note(self, *what):
        self.log.append(" ".join(str(w) for w in what))

    def call(self, want, method, **args):
        """By any client, or by the one in args; it must end with this code."""
        c = args.pop("client_", None) or self.random.choice(self.clients)
        shown = {k: v if not isinstance(v, bytes) or len(v) < 20 else f"{len(v)} bytes" for k, v in args.items()}
        self.note(f"client {c.id}:", method, shown, "->", want)
        try:
            result = c.call(method, **args)
        except RpcError as e:
            assert e.code == want, f"{method}: {e}; the model says {want}"
            return None
        assert want == "ok", f"{method}: {result}; the model says {want}"
        return result

    def event(self, s):
        """The owner's next event of a socket."""
        seen, c = 0, s.owner
        while True:
            for i in range(seen, len(c.events)):
                if c.events[i][1].get("sock") == s.handle:
                    got = c.events[i]
                    del c.events[i]
                    return got
            seen = len(c.events)
            c.feed()

    # ---- events --------------------------------------------------------

    def take(self, s, name, fields):
        """What came must be what waits at one of its ends, or an accept."""
        self.note("       ", s.handle, "has", name, {k: v for k, v in fields.items() if k not in ("sock", "event", "from")})
        assert fields["sock"] == s.handle, fields
        if name == "accept":
            self.take_accept(s, fields)
            return
        info = fields.get("sctp_sndrcvinfo")
        id_ = (info or fields).get("assoc_id", s.ends[0].id if s.one and s.ends else None)
        e = s.end(id_) or next((x for x in s.ends if x.id is None and x.queue and x.queue[0] is UP), None)
        assert e is not None and e.queue, f"{name} {fields}: nothing waits there"
        if e.id is None:
            e.id = id_
        want, values = e.queue.popleft()
        assert name == want and all(fields.get(k) == v for k, v in values.items()), \
            f"{name} {fields}; the model says {want} {values}"
        if e.peer is not None and "from" in fields:
            assert fields["from"] == {"addr": HOST, "port": e.peer.sock.port}, fields
        s.got += name == "data"
        self.forget(s, e)

    def forget(self, s, e):
        if e.up or any(x is not CLOSED for x in e.queue):
            return
        if s.one and e.was_up:
            s.finished = True
        if not e.queue:
            s.ends.remove(e)

    def take_accept(self, s, fields):
        e = s.backlog.popleft()
        e.id = fields["assoc_id"]
        assert e.id, fields
        owner = self.accepter
        new = Sock("stream", fields["accepted"], s.port, owner)
        new.linger = s.linger
        new.ends, e.sock = [e], new
        assert fields["from"] == {"addr": HOST, "port": e.peer.sock.port}, fields
        self.socks.append(new)

    def spend(self, s):
        if s.active == "once":
            s.active = False
        elif s.counts():
            s.active -= 1
            if s.active == 0:
                self.passive(s)

    def passive(self, s):
        s.active = False
        got = self.event(s)
        assert got == ("sctp_passive", {"sock": s.handle}), got

    def coming_up(self):
        """One-to-many sockets are read at once, but not at this very moment."""
        many = {s.handle for s in self.socks if not s.one}
        return [r for r in self.clients[0].call("assocs")["assocs"]
                if r["sock"] in many and r["state"] == "coming_up"]

    def in_kernel(self):
        """The kernel has the associations that the model has, and none whose set-up
        is undecided: an INIT that is on its way to a port where nobody listens yet
        would find who listens there next. Where packets need their time, none is
        still on its way out either."""
        want = collections.Counter((str(s.port), str(e.peer.sock.port)) for s in self.socks
                                   for e in (*s.ends, *s.backlog) if e.up)
        deadline = time.monotonic() + WAIT
        while True:
            rows = [r.split() for r in self.d.kernel("assocs").splitlines()[1:]]
            got = collections.Counter((r[11], r[12]) for r in rows if r[4] in "123" or DELAY and r[4] != "0")
            if got == want and not self.coming_up():
                return
            assert time.monotonic() < deadline, \
                f"the kernel has {got} in the states {[r[4] for r in rows]}; the model says {want}"

    def settle(self):
        """What can be delivered now must come, and nothing else may have."""
        if self.changed:
            self.in_kernel()
            self.changed = False
        for s in list(self.socks):
            while s.waits() and (s.waiting or s.active is not False):
                if s.waiting:
                    (c, number), s.waiting = s.waiting, None
                    self.accepter = c
                    got = c.answer(number)
                    self.take(s, got["event"] if "event" in got else "accept", got)
                else:
                    self.accepter = s.owner
                    self.take(s, *self.event(s))
                    self.spend(s)
        for c in self.clients:
            assert not c.events, f"client {c.id} was sent {c.events}; the model knows nothing of it"

    # ---- things to choose from -----------------------------------------

    def a_sock(self, *kinds):
        kinds = kinds or ("many", "stream", "peeled")
        return self.random.choice([s for s in self.socks if s.kind in kinds] or [None])

    def an_end(self, up=True):
        return self.random.choice([e for s in self.socks for e in s.ends
                                   if e.up == up and e.id is not None] or [None])

    # ---- what a program does -------------------------------------------

    def do_open(self):
        if len(self.socks) > 8:
            return
        kind = self.random.choice(("many", "many", "stream"))
        c = self.random.choice(self.clients)
        got = self.call("ok", "open", client_=c, ip=HOST, options=OPTIONS,
                        type="stream" if kind == "stream" else "seqpacket")
        self.socks.append(Sock(kind, got["sock"], got["port"], c))

    def do_open_wrong(self):
        taken = self.a_sock()
        args, want = self.random.choice((
            ({"port": -1}, "badarg"), ({"ip": "nowhere"}, "badarg"), ({"ip": "192.0.2.1"}, "eaddrnotavail"),
            ({"type": "dgram"}, "badarg"), ({"options": {"ttl": 0}}, "einval"),
            ({"options": {"no_such": 1}}, "einval"), ({"options": {"active": 32768}}, "einval"),
            ({"ip": HOST, "port": taken.port if taken else -1}, "eaddrinuse" if taken else "badarg")))
        self.call(want, "open", **args)

    def do_listen(self):
        s = self.a_sock()
        if s is None or s.kind == "stream" and (s.ends or s.finished):
            return
        backlog = self.random.choice((True, True, False, 5, 0, 70000, "x"))
        if backlog == "x":
            self.call("badarg", "listen", sock=s.handle, backlog=backlog)
        elif s.kind == "peeled":
            self.call("einval", "listen", sock=s.handle, backlog=backlog)
        elif backlog or not s.backlog:     # who waits to be accepted is aborted, which is the kernel's
            self.call("ok", "listen", sock=s.handle, backlog=backlog)
            s.listening = bool(backlog)
            if s.waiting and s.accepts and not s.listening:
                self.no_more(s)

    def no_more(self, s):
        """An accept ends with einval when its socket listens no more."""
        (c, number), s.waiting = s.waiting, None
        try:
            raise AssertionError(f"{c.answer(number)} from a socket that does not listen")
        except RpcError as e:
            assert e.code == "einval", e

    def may_connect(self, s, to):
        """The code with which it ends, other than for the peer's sake."""
        if s.finished:
            return "closed"
        if s.one and s.ends:
            return "eisconn"
        if s.kind == "stream" and s.listening:
            return "einval"
        for e in s.ends:
            if e.up and e.peer.sock.port == to.port:
                return "eisconn"
        if any(t is not s and t.port == s.port and e.up and e.peer.sock.port == to.port
               for t in self.socks for e in t.ends):
            # The kernel's word for a peer that was peeled off, or accepted.
            return "eisconn" if any(e.peer and e.peer.sock.port == to.port for e in s.ends) else "eaddrnotavail"
        return "ok"

    def do_connect(self):
        s = self.a_sock()
        listening = [t for t in self.socks if t.listening]
        to = self.random.choice(listening) if listening and self.random.random() < 0.85 else self.a_sock("many", "stream")
        if s is None or to is None or s.port == to.port:
            return
        to = next((t for t in listening if t.port == to.port), to)
        if (to.port, s.port) in self.blocked or len(to.backlog) >= 5:
            return                      # with a backlog of 5 more may be refused
        want = self.may_connect(s, to)
        init = self.random.random() < 0.3
        refused = not to.listening
        if want == "ok" and refused and not init:
            want = "cant_assoc"
        method = self.random.choice(("connect_init", "connectx_init")) if init else "connect"
        got = self.call(want, method, sock=s.handle, addr=HOST, port=to.port,
                        **({} if init else {"timeout": WAIT_MS}))
        if s.counts() and not init and want in ("ok", "cant_assoc"):
            self.spend(s)               # the answer counts as one
        if got is None:
            return
        self.changed = True
        e = End(s)
        e.id = got["assoc_id"]
        s.ends.append(e)
        if refused:
            e.was_up = False
            e.over(CANT)
            return
        e.peer = End(to, e)
        e.peer.queue.append(UP)
        if init:
            e.queue.append(UP)
        (to.ends if to.kind == "many" else to.backlog).append(e.peer)

    def do_connect_wrong(self):
        s = self.a_sock()
        if s is None:
            return
        args, want = self.random.choice((
            ({"addr": HOST, "port": 0}, "einval"), ({"addr": HOST, "port": 65536}, "badarg"),
            ({"addr": "10.0.0.256", "port": 1}, "badarg"), ({"addr": [], "port": 1}, "badarg"),
            ({"addr": "::1", "port": 1}, "eafnosupport"), ({"port": 1}, "badarg"),
            ({"addr": HOST, "port": 1, "timeout": -1}, "badarg")))
        self.call(want, "connect", sock=s.handle, **args)

    def do_send(self):
        e = self.an_end()
        if e is None:
            return
        self.number += 1
        data = b"%d." % self.number * self.random.choice((1, 10, 300))
        stream = self.random.randrange(10)
        how = {"stream": stream}
        if self.random.random() < 0.3:
            how = {"sctp_sndrcvinfo": {"stream": stream, "assoc_id": e.id, "ppid": self.number}}
        elif not e.sock.one or self.random.random() < 0.5:
            how["assoc_id"] = e.id
        self.call("ok", "send", sock=e.sock.handle, data=data, **how)
        e.sock.sent += 1
        if e.peer.up:
            e.peer.queue.append(("data", {"data": data}))
            self.arrived(e)

    def arrived(self, e):
        """What the peer has cannot be given back when it is aborted."""
        def all_is():  # not by unackdata: the kernel counts that when a SACK comes
            rows = [r.split() for r in self.d.kernel("assocs").splitlines()[1:]]
            return all(tx_queue == "0" for _, _, _, _, _, _, assoc_id, tx_queue, *_ in rows if assoc_id == str(e.id))
        wait_for(all_is)

    def do_send_wrong(self):
        s, e = self.a_sock("many"), self.an_end()
        if s is not None:
            for args, want in (({"assoc_id": 999999, "data": b"x"}, "epipe"), ({"data": b"x"}, "badarg")):
                self.call(want, "send", sock=s.handle, **args)
        if e is not None:
            args, want = self.random.choice((
                ({"data": b""}, "einval"), ({"stream": 10, "data": b"x"}, "einval"), ({"data": 5}, "badarg"),
                ({"stream": 65536, "data": b"x"}, "badarg"), ({}, "badarg")))
            self.call(want, "send", sock=e.sock.handle, assoc_id=e.id, **args)

    def do_use_what_is_over(self):
        e = self.an_end(up=False)
        if e is None:
            return
        for method, args in (("send", {"data": b"x"}), ("eof", {}), ("abort", {})):
            if e.sock.kind == "stream" and method != "send" and (not e.was_up or e.queue and e.queue[0] is UP):
                continue                # the kernel does not say how a set-up stands
            going_down = method == "eof" and e.is_going_down()
            self.call("ok" if going_down else "epipe", method, sock=e.sock.handle, assoc_id=e.id, **args)
            e.shut = e.shut and not going_down

    def do_eof(self):
        e = self.an_end()
        if e is not None:
            self.call("ok", "eof", sock=e.sock.handle, assoc_id=e.id)
            e.over(COMP)
            self.peer_over(e, SHUT, COMP)

    def do_abort(self):
        e = self.an_end()
        if e is None:
            return
        if e.sock.kind == "stream" and self.random.random() < 0.3:
            self.call("einval", "abort", sock=e.sock.handle, reason=b"x")
            return
        if self.random.random() < 0.1:
            self.call("emsgsize", "abort", sock=e.sock.handle, assoc_id=e.id, reason=bytes(1025))
            return
        if e.sock.kind == "stream" and e.queue:
            return
        reason = {} if e.sock.kind == "stream" else {"reason": b"because"}
        self.call("ok", "abort", sock=e.sock.handle, assoc_id=e.id, **reason)
        e.over(LOST)
        self.peer_over(e, LOST)
        e.sock.finished = e.sock.kind == "stream"

    def peer_over(self, e, *events):
        self.changed = True
        if not e.peer.up:
            return
        e.peer.over(*events)
        if e.peer in e.peer.sock.backlog:
            # The kernel keeps it until who accepts it closes it, and takes no other from there.
            self.blocked.add((e.peer.sock.port, e.sock.port))

    def do_recv(self):
        s = self.a_sock()
        if s is None:
            return
        timeout = self.random.choice((0, 0, 1, WAIT_MS, "infinity", -1))
        c = self.random.choice(self.clients)
        accept = s.kind == "stream" and s.listening
        method = self.random.choice(("accept", "recv")) if accept else "recv"
        args = {"client_": c, "sock": s.handle, "timeout": timeout}
        if timeout == -1:
            self.call("badarg", method, **args)
        elif s.active is not False:
            self.call("einval", method, **args)
        elif s.waiting:
            self.call("ealready", method, **args)
        elif s.finished and not s.waits():
            self.call("closed", method, **args)
        elif not s.waits() and timeout in (0, 1):
            self.call("timeout", method, **args)
        elif not s.waits():
            self.note(f"client {c.id}: {method} {s.handle} waits")
            s.waiting, s.accepts = (c, c.request(method, sock=s.handle)), method == "accept"
            c.call("status")            # it is there
        else:
            self.accepter = c
            got = self.call("ok", method, **{**args, "timeout": WAIT_MS})
            self.take(s, got["event"], got)

    def do_accept_wrong(self):
        s = self.a_sock()
        if s is not None and not (s.kind == "stream" and s.listening):
            self.call("einval", "accept", sock=s.handle, timeout=0)

    def do_active(self):
        s = self.a_sock()
        if s is None:
            return
        mode = self.random.choice((True, False, "once", 0, 1, 2, 5, -1, -3, 32767, 32768, -32769, "twice"))
        total = mode if isinstance(mode, bool) or not isinstance(mode, int) else \
            mode + (s.active if s.counts() else 0)
        if mode in (32768, -32769, "twice") or not isinstance(total, (bool, str)) and total > 32767:
            self.call("einval", "setopts", sock=s.handle, options={"active": mode})
            return
        self.call("ok", "setopts", sock=s.handle, options={"active": mode})
        if isinstance(total, (bool, str)) or total > 0:
            s.active = total
        else:
            self.passive(s)

    def do_options(self):
        s = self.a_sock()
        if s is None:
            return
        options, want = self.random.choice((
            ([["ttl", 9], ["ttl", 0]], "einval"), ([["no_such", 1]], "einval"), ({"sctp_status": {}}, "einval"),
            ({"sctp_nodelay": 1}, "badarg"), ({"sctp_nodelay": False}, "ok"), ({"sctp_rtoinfo": {"max": 30000}}, "ok"),
            ({"linger": {"on": True, "seconds": 0}}, "ok"), ({"linger": {"on": True, "seconds": 5}}, "ok"),
            ({"linger": {"on": False}}, "ok"), ({"netns": "/nowhere"}, "einval"), (5, "badarg")))
        if s.kind == "stream" and (s.finished or s.ends and not s.ends[0].up):
            return                      # with an abort it loses the kernel's
        self.call(want, "setopts", sock=s.handle, options=options)
        if want == "ok" and "linger" in options:
            s.linger = options["linger"]

    def do_look(self):
        s = self.a_sock()
        if s is None:
            return
        got = self.call("ok", "getopts", sock=s.handle, options=["active"])["options"]
        assert got == [["active", s.active]], f"{got}; the model says {s.active}"
        row = [r for r in self.call("ok", "sockets")["sockets"] if r["sock"] == s.handle][0]
        want = {"owner": s.owner.id, "listening": s.listening, "port": s.port, "active": s.active,
                "type": "stream" if s.one else "seqpacket", "send_cnt": s.sent, "recv_cnt": s.got}
        assert {k: row[k] for k in want} == want, f"{row}; the model says {want}"
        assert self.call("ok", "port", sock=s.handle) == {"port": s.port}
        has = s.one and any(e.up for e in s.ends)
        if has or not s.one or not s.ends:
            got = self.call("ok" if has else "enotconn", "peername", sock=s.handle)
            assert got is None or got == {"addr": HOST, "port": s.ends[0].peer.sock.port}
        stat = self.call("ok", "getstat", sock=s.handle)
        assert (stat["send_cnt"], stat["recv_cnt"]) == (s.sent, s.got), stat

    def do_look_wrong(self):
        s = self.a_sock()
        if s is not None:
            options, want = self.random.choice(((["no_such"], "einval"), (["sctp_add_streams"], "einval"),
                                                ({"ttl": 1}, "badarg"), ([["ttl", {}]], "badarg")))
            self.call(want, "getopts", sock=s.handle, options=options)
        self.call("enosys", "no_such_method")
        self.call("badarg", "error_string", error=-1)

    def do_peeloff(self):
        e = self.an_end()
        s = e.sock if e else self.a_sock()
        if s is None:
            return
        if s.one or e is None:
            self.call("einval", "peeloff", sock=s.handle, assoc_id=e.id if e else 999999)
            return
        if any(x is UP for x in e.queue) and e.peer.sock.finished:
            return
        c = self.random.choice(self.clients)
        got = self.call("ok", "peeloff", client_=c, sock=s.handle, assoc_id=e.id)
        new = Sock("peeled", got["sock"], s.port, c)
        s.ends.remove(e)
        new.ends, e.sock, new.linger = [e], new, s.linger
        self.socks.append(new)
        self.call("einval", "peeloff", sock=s.handle, assoc_id=e.id)

    def do_hand_over(self):
        s = self.a_sock()
        if s is None:
            return
        giver, to = self.random.choice(self.clients), self.random.choice([*self.clients, None])
        args = {"client_": giver, "sock": s.handle, "client": to.id if to else NOT_THERE}
        if to is s.owner:
            self.call("ok", "controlling_process", **args)
        elif giver is not s.owner:
            self.call("not_owner", "controlling_process", **args)
        elif to is None:
            self.call("badarg", "controlling_process", **args)
        else:
            self.call("ok", "controlling_process", **args)
            was, s.owner = s.owner, to
            got = self.event(s)
            assert got == ("owner", {"sock": s.handle, "owner": to.id, "was": was.id}), got

    def gone(self, s):
        """A socket is closed: what its peers, and who waits, are told."""
        self.socks.remove(s)
        self.closed.append(s.handle)
        if s.waiting:
            c, number = s.waiting
            if c in self.clients:
                try:
                    raise AssertionError(f"{c.answer(number)} from a socket that was closed")
                except RpcError as why:
                    assert why.code == "closed", why
        aborted = s.linger == {"on": True, "seconds": 0}
        for e in s.ends:
            if e.up:
                e.up = False
                self.peer_over(e, *((LOST,) if aborted else (SHUT, COMP)))
        # With data unread the kernel aborts those that were not accepted.
        unread = any(name == "data" for e in s.backlog for name, _ in e.queue)
        for e in s.backlog:
            e.up = False
            self.peer_over(e, *((LOST,) if unread or aborted else (SHUT, COMP)))

    def do_close(self):
        s = self.a_sock()
        if s is None:
            return
        c = self.random.choice((s.owner, *self.clients))
        self.call("ok", "close", client_=c, sock=s.handle)
        if c is not s.owner:
            got = self.event(s)
            assert got == ("sctp_closed", {"sock": s.handle, "reason": "another client closed it"}), got
        self.gone(s)

    def do_use_what_is_closed(self):
        handle = self.random.choice([*self.closed[-5:], NOT_THERE])
        method, args = self.random.choice((
            ("close", {}), ("listen", {}), ("recv", {}), ("accept", {}), ("eof", {}), ("abort", {}),
            ("send", {"data": b"x"}), ("setopts", {"options": {}}), ("getopts", {"options": []}),
            ("getstat", {}), ("port", {}), ("sockname", {}), ("peername", {}), ("peeloff", {"assoc_id": 1}),
            ("controlling_process", {"client": 1}), ("connect", {"addr": HOST, "port": 1})))
        self.call("closed", method, sock=handle, **args)

    def do_die(self):
        """A client goes; another comes in its place."""
        if self.random.random() < 0.7:
            return
        i = self.random.randrange(3)
        c = self.clients[i]
        self.note(f"client {c.id} goes")
        c.close()
        self.clients[i] = self.d.client("next")
        while any(r["client"] == c.id for r in self.clients[i].call("clients")["clients"]):
            pass
        for s in self.socks:
            if s.waiting and s.waiting[0] is c:
                s.waiting = None
        for s in [s for s in self.socks if s.owner is c]:
            self.gone(s)

    STEPS = {"open": 6, "open_wrong": 1, "listen": 6, "connect": 12, "connect_wrong": 1, "send": 16, "send_wrong": 1,
             "use_what_is_over": 2, "eof": 3, "abort": 3, "recv": 14, "accept_wrong": 1, "active": 9, "options": 3,
             "look": 5, "look_wrong": 1, "peeloff": 3, "hand_over": 5, "close": 2, "use_what_is_closed": 2, "die": 1}

    def run(self, steps):
        names, weights = list(self.STEPS), list(self.STEPS.values())
        for name in ("open",) * 3 + tuple(self.random.choices(names, weights, k=steps)):
            getattr(self, f"do_{name}")()
            self.settle()
        for c in self.clients:
            assert c.quiet(0), f"client {c.id} was sent {c.events}; the model knows nothing of it"
