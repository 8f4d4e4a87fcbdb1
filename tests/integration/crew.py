# SPDX-License-Identifier: BSD-2-Clause
"""What a group under load consists of: members, peers, and the book that accounts for each
number. Peers send numbered messages, members send each back with a number of their own, and
both write down what they did."""
import collections
import json
import os
import select
import shutil
import signal
import socket
import struct
import time
import traceback

import msgpack

from beams import SOURCES, erlc, library
from harness import SCRATCH, compiled
from rpc import WAIT, Client, RpcError
from through import LOST, SCTP, Session

# What members write: H, it has handled a message, A, it has acknowledged it and the daemon has
# answered; or T, it was taken out of the group and joins again. Then the member, the peer, the
# number, when that was and when the message was sent, in microseconds of the real-time clock.
RECORD = struct.Struct("<cxHIQQQ")
LIB_MEMBER = os.path.join(SCRATCH, "lib_member")
BEAMS = os.path.join(SCRATCH, "members")
LONGEST = 8  # gaps that are shown one by one
WRITE = 4096 // RECORD.size * RECORD.size  # a pipe takes so much whole, whoever else writes


def now():
    return time.time_ns() // 1000


class Member(Session):
    """It acknowledges what it has handled and answered. SIGTERM: it drains, and ends when it
    has nothing left, as somebody does who is to be upgraded."""

    acks = False

    def __init__(self, path, number, log, stop):
        super().__init__(path, f"m{number}")
        self.number, self.log, self.stop, self.draining = number, log, stop, False
        self.call("join", name="g")

    def note(self, kind, rows):
        """Rows are peer, number, and when it was sent."""
        t = now()
        packed = b"".join(RECORD.pack(kind, self.number, *row[:2], t, row[2]) for row in rows)
        for i in range(0, len(packed), WRITE):
            os.write(self.log, packed[i:i + WRITE])

    def calls(self, method, calls):
        """Many at a time; each must succeed."""
        ids = range(self.msgid + 1, self.msgid + 1 + len(calls))
        packed = [msgpack.packb([0, i, method, [args]]) for i, args in zip(ids, calls)]
        self.msgid += len(calls)
        self.unanswered.update(zip(ids, packed))
        try:
            self.sock.sendall(b"".join(packed))
        except LOST:
            pass
        for i in ids:
            self.answer(i)

    def work(self):
        """Handle what has come, answer it, and acknowledge it then."""
        events, rows, seq = list(self.events), [], 0
        self.events.clear()
        for what, e in events:
            seq = e["seq"]
            if what == "data":
                rows.append((*map(int, e["data"].split()[:3]), e["sock"]))
            elif what == "left":
                self.note(b"T", [(0, 0, 0)])
                self.number += 1 << 10
                self.call("join", name="g")
            elif e.get("state") in ("comm_lost", "shutdown_comp"):
                raise AssertionError((what, e))
        if rows:
            self.note(b"H", rows)
            self.calls("send", [{"sock": row[3], "data": b"%d %d %d %d" % (*row[:3], self.number)} for row in rows])
        self.call("ack", seq=seq)
        if rows:
            self.note(b"A", {row[0]: row for row in rows}.values())

    def serve(self):
        self.sock.settimeout(None)
        while True:
            while self.events:
                self.work()
            if self.draining and self.call("drain_member", name="g")["sockets"] == 0 and not self.events:
                self.call("leave", name="g")
                return
            if self.stop in select.select([self.sock, self.stop], [], [])[0]:
                os.read(self.stop, 64)
                self.call("drain_member", name="g")
                self.draining = True
            elif not self.events:
                self.feed()


def in_python(path, number, log):
    stop, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(wake)
    Member(path, number, log, stop).serve()


def in_c(path, number, log):
    os.set_inheritable(log, True)
    os.execv(LIB_MEMBER, [LIB_MEMBER, path, str(number), "g", str(log)])


def in_erlang(path, number, log):
    log = f"/proc/{os.getppid()}/fd/{log}"
    os.execvp("erl", ["erl", "+S", "1:1", "-noinput", "-pa", BEAMS, "-eval", f'member:main(["{path}", "{number}", "{log}"])'])


# Members by what they are written in; each takes the daemon's path, a number, and where to write.
KINDS = {"Python": in_python, "C": in_c} | ({"Erlang": in_erlang} if shutil.which("erlc") else {})
SLOW_KINDS = {"Erlang"}  # it takes some seconds until they are there


def compile_members():
    compiled("lib_member")
    if "Erlang" in KINDS:
        compile_erlang()


def compile_erlang():
    os.makedirs(BEAMS, exist_ok=True)
    library(BEAMS)
    erlc(BEAMS, [os.path.join(SOURCES, "member.erl")], "-Werror")


def start_member(path, number, log, kind="Python"):
    """Its process; it ends with 0 if all went well."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(0)
        KINDS[kind](path, number, log)
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


# ---- peers -------------------------------------------------------------


class OnKernel:
    """Peers on the kernel's own sockets."""

    def __init__(self, path, port, count):
        self.all, self.poll = {}, select.epoll()
        for i in range(count):
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            s.settimeout(WAIT)
            s.connect(("127.0.0.1", port))
            s.setsockopt(SCTP, 3, 1)  # SCTP_NODELAY
            s.setblocking(False)
            self.all[i] = s
            self.poll.register(s.fileno(), select.EPOLLIN)
        self.of = {s.fileno(): i for i, s in self.all.items()}

    def send(self, messages):
        """Gives those that found no room."""
        left = []
        for i, data in messages:
            try:
                self.all[i].send(data)
            except BlockingIOError:
                left.append(i)
        return left

    def receive(self, seconds):
        for fd, _ in self.poll.poll(seconds):
            i = self.of[fd]
            yield i, self.all[i].recv(200)  # what else there is comes next time


class OnSctpd:
    """Peers on the daemon itself."""

    def __init__(self, path, port, count):
        self.client = Client(path, "peers")
        self.of, self.all = {}, {}
        for i in range(count):
            sock = self.client.call("open", ip="127.0.0.1")["sock"]
            up = self.client.call("connect", sock=sock, addr="127.0.0.1", port=port, timeout=WAIT * 500)
            self.client.call("setopts", sock=sock, options={"active": True})
            self.of[sock], self.all[i] = i, (sock, up["assoc_id"])

    def send(self, messages):
        self.client.requests("send", [{"sock": self.all[i][0], "assoc_id": self.all[i][1], "data": data}
                                      for i, data in messages])
        return []

    def receive(self, seconds):
        if not self.client.events and select.select([self.client.sock], [], [], seconds)[0]:
            self.client.feed()
        for error, _ in self.client.answers.values():
            if error is not None:
                raise RpcError(error)
        self.client.answers.clear()
        while self.client.events:
            what, e = self.client.events.popleft()
            if what == "data":
                yield self.of[e["sock"]], e["data"]
            elif e.get("state") in ("comm_lost", "shutdown_comp"):
                yield self.of[e["sock"]], b""


class Peers:
    """Each has up to window messages on the way; all together send rate a second."""

    def __init__(self, on, window, rate):
        self.on, self.window, self.rate, self.problems = on, window, rate, []
        n = len(on.all)
        self.sent, self.top, self.last, self.by = [0] * n, [0] * n, [0] * n, [None] * n
        self.answers = self.again = 0
        self.ready = collections.deque(i for _ in range(window) for i in range(n))

    def heard(self, i, data):
        """An answer: the next of its member's or, if that took over, at most one behind all others."""
        self.answers += 1
        if not data:
            self.problems.append(f"association {i} has ended")
            return
        peer, n, _, member = map(int, data.split())
        if peer != i or n != self.last[i] + 1 if member == self.by[i] else n > self.top[i] + 1:
            self.problems.append(f"association {i}: {data} after {self.last[i]} by {self.by[i]}; {self.top[i]} is the highest")
        self.last[i], self.by[i] = n, member
        if n <= self.top[i]:
            self.again += 1
        while self.top[i] < n:
            self.top[i] += 1
            self.ready.append(i)

    def say(self, most):
        due = []
        while self.ready and len(due) < most:
            i = self.ready.popleft()
            self.sent[i] += 1
            due.append((i, b"%d %d %d" % (i, self.sent[i], now())))
        for i in self.on.send(due):
            self.sent[i] -= 1
            self.ready.append(i)
        return len(due)

    def run(self, control):
        """Until control says something; then until all is answered."""
        began, said = time.monotonic(), 0
        while not self.problems and not select.select([control], [], [], 0)[0]:
            said += self.say(min(256, int((time.monotonic() - began) * self.rate) - said))
            for i, data in self.on.receive(0.005):
                self.heard(i, data)
        deadline = time.monotonic() + WAIT
        while not self.problems and self.top != self.sent and time.monotonic() < deadline:
            for i, data in self.on.receive(0.1):
                self.heard(i, data)
        self.problems += [f"association {i}: {s} sent, {t} answered" for i, (s, t) in enumerate(zip(self.sent, self.top)) if s != t]


def start_peers(on, path, port, count, window, rate):
    """Their process, and a socket: it says that they are there, is told to stop, and says what became of it."""
    here, there = socket.socketpair()
    here.settimeout(WAIT * 3)
    pid = os.fork()
    if pid:
        there.close()
        return pid, here
    try:
        signal.alarm(0)
        peers = Peers(on(path, port, count), window, rate)
        there.sendall(b"ready")
        peers.run(there)
        there.recv(16)
        there.sendall(json.dumps({"sent": peers.sent, "answers": peers.answers, "again": peers.again,
                                  "problems": peers.problems}).encode())
        there.shutdown(socket.SHUT_WR)
        there.recv(1)
    except BaseException:
        traceback.print_exc()
    os._exit(0)


# ---- the book ----------------------------------------------------------


class Book:
    """Of each association: who takes over begins behind what was acknowledged, and leaves no gap."""

    def __init__(self, count):
        self.handled, self.acked = [0] * count, [0] * count
        self.by, self.at = [None] * count, [0] * count
        self.gone = {}       # members, when they were killed or told to go, and how
        self.outages = []    # of the daemon: since when, and until when
        self.unheard = set()  # associations of which nothing was handled since the last one
        self.gaps = collections.defaultdict(list)
        self.usual = collections.Counter()  # of messages whose association stayed where it was: how many took so many ms to their member
        self.longest = []    # of those without a death of the daemon: how long, after what, of which association, from whom to whom, since when
        self.messages = self.thrown_out = 0
        self.problems, self.rest = [], b""

    def feed(self, data):
        data = self.rest + data
        whole = len(data) // RECORD.size * RECORD.size
        self.rest = data[whole:]
        for kind, *row in RECORD.iter_unpack(data[:whole]):
            if kind == b"H":
                self.is_handled(*row)
            elif kind == b"A":
                self.acked[row[1]] = max(self.acked[row[1]], row[2])
            else:
                self.thrown_out += 1

    def is_handled(self, member, peer, n, t, sent):
        before, self.messages = self.by[peer], self.messages + 1
        top = self.handled[peer]
        # Who was killed may have acknowledged what it handled last and not have told us.
        if n != top + 1 and (before == member or n != self.acked[peer] + 1):
            self.problems.append(f"association {peer}: member {member} got {n} after {top} by {before}; {self.acked[peer]} is acknowledged")
        if before != member:
            self.acked[peer] = n - 1
        since = max(self.at[peer], sent)
        if before != member and before in self.gone:
            when, how = self.gone[before]
            if when <= t:
                over = any(end >= when and begin <= t for begin, end in self.outages)
                how += ", over a death" if over else ""
                self.gaps[how].append(t - max(when, since))
                if not over:
                    self.longest = sorted([*self.longest, (t - max(when, since), how, peer, before, member, max(when, since))])[-LONGEST:]
        elif peer in self.unheard and t > self.outages[-1][0]:
            self.gaps["a death, same member"].append(t - max(self.outages[-1][0], since))
        elif before == member:
            self.usual[max(t - since, 0) // 1000] += 1
        if self.outages and t > self.outages[-1][0]:
            self.unheard.discard(peer)
        self.handled[peer], self.by[peer], self.at[peer] = n, member, t

    def usual_ms(self, part):
        """So large a part of those took no longer."""
        left = part * self.usual.total()
        for ms, n in sorted(self.usual.items()):
            left -= n
            if left <= 0:
                break
        return ms

    def died(self):
        self.outages.append((now(), 1 << 62))
        self.unheard = set(range(len(self.by)))

    def is_back(self):
        self.outages[-1] = (self.outages[-1][0], now())

    def is_complete(self, sent):
        return self.handled == self.acked == sent
