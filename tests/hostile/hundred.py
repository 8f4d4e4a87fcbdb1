# SPDX-License-Identifier: BSD-2-Clause
"""A hundred hostile clients of one user beside one honest client of another:
hundred.py SECONDS [smoke]. Each row of the table is an attack that all of them
do; the last is all attacks together. The exit status says whether each row
kept the bounds, with smoke those of time aside, which are no matter then.

The honest client makes a round trip each 5 ms on an association of its own,
and opens and closes a socket now and then. Latency counts from when a round
trip was due. It is measured alone first, just before each attack, since
other programs may run on the machine.

What a hostile program computes takes processors too, from the honest client as
much as from the daemon, and no daemon can give that back. So the hostile
programs run under SCHED_IDLE: they have what nobody else wants of the
processors, and what the honest client feels is what the daemon does for them.
An attack that had no processor is none. The table says therefore how much of
one the hostile programs, the daemon and the honest client took, and how many
steps (calls, or writes of a batch) the hostile programs made. The first row,
"control", is no attack: as many programs are as busy, and none of them talks to
sctpd. What the honest client lost there is the machine's doing. The bounds are
against the honest client alone all the same, in each row."""
import contextlib
import itertools
import mmap
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time

import msgpack

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import test_resolve  # noqa: E402
from harness import STACK, associate, wait_for  # noqa: E402
from rpc import Client, RpcError  # noqa: E402

HONEST, HOSTILE, CLIENTS = 1001, 1002, 100
PACE = 0.005        # seconds from one round trip to the next
RATIO = 1.5         # of the median, and of the 99th percentile
MEMORY = 128 << 20  # that the daemon may charge to all users
ASIDE = 32 << 20    # what malloc does not give back, and the stack's own
# A lookup that nobody answers ends after a second, its descriptor with it.
test_resolve.RESOLV = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
IDS = itertools.count(1000)
HOLD = {"on_owner_exit": "hold", "hold_time": "infinity"}


def packed(method, n=1, kind=0, **args):
    head = [0, 1] if kind == 0 else [2]
    return msgpack.packb([*head, method, [args]]) * n


def waiting(method, **args):
    """A hundred calls that are answered late, so each has an id of its own."""
    return b"".join(msgpack.packb([0, next(IDS), method, [args]]) for _ in range(100))


def drain(c):
    """Read what is there, and forget it. With a time-out python would wait for more."""
    while select.select([c.sock], [], [], 0)[0]:
        if not c.sock.recv(1 << 18):
            raise EOFError


# Each attack is a generator; it yields after each step. The first is none: the
# same number of programs are as busy, and what they talk to is not sctpd.

def control(_):
    here, there = socket.socketpair()
    while True:
        here.sendall(packed("describe", 100))
        there.recv(1 << 18)
        yield


def many_sockets(path):
    c, socks = Client(path), []
    while True:
        try:
            socks.append(c.call("open", ip="127.0.0.1")["sock"])
        except RpcError:
            if socks:
                c.call("close", sock=socks.pop())
        yield


def names(path):
    c = Client(path)
    sock = c.call("open", ip="127.0.0.1")["sock"]
    while True:
        left = c.push(waiting("connect", sock=sock, addr="nobody.invalid.example", port=5), 0.02)
        yield
        while left:
            drain(c)
            left = c.push(left, 0.02)
            yield
        drain(c)


def stalled_peer(path):
    c = Client(path)
    _, _, sock, assoc_id = associate(c)
    while True:
        left = c.push(waiting("send", sock=sock, assoc_id=assoc_id, data=b"x"), 0.02)
        while left:
            drain(c)
            left = c.push(left, 0.02)
            yield
        drain(c)
        yield


def never_reads(path):
    c, batch = Client(path), packed("describe", 100)
    while True:
        left = c.push(batch, 0.02)
        while left:
            left = c.push(left, 0.02)
            yield
        yield


def half_frames(path):
    while True:
        c = Client(path)
        size = c.call("status")["limits"]["max_message"]
        head = b"\x94\x00\x01\xa4send\x91\x81\xa4data\xc6" + struct.pack(">I", size)
        c.push(head + bytes(size // 2), 1)
        yield
        time.sleep(0.5)
        c.close()


def abandoned(path):
    while True:
        c = Client(path)
        with contextlib.suppress(RpcError):
            c.call("hello", resume=True)
            sock = c.call("open", ip="127.0.0.1", options=HOLD)["sock"]
            c.call("listen", sock=sock)
        c.close()
        yield


def circle(path):
    token, old = True, []
    while True:
        old = old[-8:] + [Client(path)]
        token = old[-1].call("hello", resume=token)["resume"]
        yield


def notifications(path):
    c = Client(path)
    batch = (packed("describe", kind=2) + packed("sockets", kind=2) + packed("clients", kind=2)) * 30
    while True:
        left = c.push(batch, 0.02)
        while left:
            left = c.push(left, 0.02)
            yield
        yield


def connects(path):
    while True:
        Client(path).close()
        yield


def enormous_options(path):
    c = Client(path)
    sock = c.call("open", ip="127.0.0.1")["sock"]
    options = {f"nothing{i}": "x" * 1000 for i in range(800)}
    while True:
        with contextlib.suppress(RpcError):
            c.call("setopts", sock=sock, options=options)
        yield


ATTACKS = (many_sockets, names, stalled_peer, never_reads, half_frames, abandoned, circle, notifications, connects,
           enormous_options)


def forever(attack, path, count):
    """What a hostile process does; one whose connection is ended comes again."""
    while True:
        try:
            for _ in attack(path):
                count(1)
        except (OSError, EOFError, RpcError):
            time.sleep(0.01)


class Processes:
    """Children of ours, with a number each that they count up."""

    def __init__(self):
        self.pids, self.counts = [], mmap.mmap(-1, 8 * (CLIENTS + 1))
        self.ready, self.gate = os.pipe(), os.pipe()

    def start(self, f, *args):
        at = 8 * len(self.pids)
        if pid := os.fork():
            self.pids.append(pid)
            return

        def count(n):
            self.counts[at:at + 8] = struct.pack("Q", struct.unpack("Q", self.counts[at:at + 8])[0] + n)
        try:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            os.close(self.gate[1])
            os.write(self.ready[1], b"x")
            os.read(self.gate[0], 1)
            f(*args, count)
        finally:
            os._exit(1)

    def go(self):
        """All at once, when all are there: that they start is no attack."""
        n = 0
        while n < len(self.pids):
            n += len(os.read(self.ready[0], CLIENTS))
        os.close(self.gate[1])

    def total(self):
        return sum(struct.unpack(f"{len(self.pids)}Q", self.counts[:8 * len(self.pids)]))

    def stop(self):
        """End them; seconds of a processor that they took."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for fd in (*self.ready, self.gate[0]):
            os.close(fd)
        return sum(u.ru_utime + u.ru_stime for _, _, u in (os.wait4(pid, 0) for pid in self.pids))


def hostile(attack, path, count):
    os.setgid(HOSTILE)
    os.setuid(HOSTILE)
    forever(attack, path, count)


def memory(pid):
    """What is resident without the journal's pages, and all of the memfds."""
    with open(f"/proc/{pid}/statm") as f:
        _, resident, shared, *_ = map(int, f.read().split())
    with open(f"/proc/{pid}/status") as f:
        shm = next(int(line.split()[1]) * 1024 for line in f if line.startswith("RssShmem"))
    total, seen = resident * os.sysconf("SC_PAGESIZE") - shm, set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/memfd:"):
                s = os.stat(f"/proc/{pid}/fd/{fd}")
                total += 0 if s.st_ino in seen else s.st_blocks * 512
                seen.add(s.st_ino)
    return total


def cpu(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Honest:
    def __init__(self, d):
        os.seteuid(HONEST)
        self.c = d.client()
        os.seteuid(0)
        self.there, _, self.here, self.id = associate(self.c)
        self.c.call("setopts", sock=self.there, options={"active": True})
        self.n, self.refused, self.peak, self.pid = 0, [], 0, d.process.pid

    def round_trip(self):
        self.n += 1
        data = b"honest %d" % self.n
        sent = self.c.request("send", sock=self.here, assoc_id=self.id, data=data)
        assert self.c.event("data")["data"] == data
        self.c.answer(sent)

    def open_close(self):
        self.c.call("close", sock=self.c.call("open", ip="127.0.0.1")["sock"])

    def paced(self, seconds):
        """Latencies in ms, sorted. What is beside a round trip is not in one."""
        took, due, end = [], time.monotonic(), time.monotonic() + seconds
        while due < end and time.monotonic() < end + seconds:
            time.sleep(max(0, due - time.monotonic()))
            try:
                self.round_trip()
                took.append(1000 * (time.monotonic() - due))
                due += PACE
                if len(took) % 20 == 0 and time.monotonic() < due:
                    self.open_close()
                    self.peak = max(self.peak, memory(self.pid))
                    due = time.monotonic() + PACE
            except RpcError as e:
                self.refused.append(str(e))
                due += PACE
        self.peak = max(self.peak, memory(self.pid))
        return sorted(took)


def at(took, part):
    return took[min(len(took) - 1, int(len(took) * part))]


def tidy(d):
    """What is held for ever is root's to close."""
    with contextlib.closing(Client(d.path)) as c:
        for row in c.call("sockets")["sockets"]:
            with contextlib.suppress(RpcError):
                c.call("close", sock=row["sock"])


def row(name, attacks, seconds, timed):
    """One line of the table; gives what it missed."""
    d = test_resolve.start(socket_mode="0666", log_level="err", max_memory=MEMORY, resume_time=1000)
    os.chmod(d.dir, 0o755)
    try:
        return measured(d, name, attacks, seconds, timed)
    finally:
        if d.alive():
            d.kill()


def measured(d, name, attacks, seconds, timed):
    fds, first = d.idle()[0], memory(d.process.pid)
    h, crowd = Honest(d), Processes()
    alone = h.paced(seconds / 2)
    for i in range(CLIENTS):
        crowd.start(hostile, attacks[i % len(attacks)], d.path)
    try:
        crowd.go()
        took = -cpu(d.process.pid), -time.process_time(), -time.monotonic()
        during = h.paced(seconds / 2)
        took = took[0] + cpu(d.process.pid), took[1] + time.process_time(), took[2] + time.monotonic()
        steps = crowd.total()
    finally:
        hostile_cpu = crowd.stop()
    d.close_clients()
    tidy(d)
    left = None
    try:
        d.idle()
        wait_for(lambda: d.descriptors() <= fds)
    except AssertionError as e:
        left = str(e)
    ratio = [at(during, p) / at(alone, p) for p in (0.5, 0.99)]
    limit = first + MEMORY + ASIDE
    times = (f"{at(t, 0.5):6.2f} {at(t, 0.99):6.2f} {t[-1]:7.2f}" for t in (alone, during))
    print(f"{name:17}", *times, f"{ratio[0]:5.2f} {ratio[1]:5.2f} {len(h.refused):7} {h.peak >> 20:5}/{limit >> 20:<4}",
          f"{fds:4}/{d.descriptors():<4}", *(f"{s / took[2]:5.2f}" for s in (took[0], hostile_cpu, took[1])),
          f"{steps:8}", flush=True)
    missed = [f"refused: {h.refused[0]}"] if h.refused else []
    missed += ["memory"] if h.peak > limit else []
    missed += [f"left: {left}"] if left else []
    missed += ["no hostile step"] if not steps else []
    missed += [f"ratio {max(ratio):.2f}"] if timed and max(ratio) > RATIO else []
    return [f"{name}: {m}" for m in missed]


def main():
    seconds, timed = float(sys.argv[1]), sys.argv[2:] != ["smoke"]
    tempfile.tempdir = "/tmp"
    rows = [("all together", ATTACKS)]
    if timed:
        rows = [(a.__name__, (a,)) for a in (control, *ATTACKS)] + rows
    print(f"stack {STACK}, {CLIENTS} hostile clients (SCHED_IDLE), ms alone and during, MiB of memory and limit,"
          " descriptors before/after, processors")
    print(f"{'attack':17} {'p50':>6} {'p99':>6} {'max':>7} {'p50':>6} {'p99':>6} {'max':>7}  r50   r99  refused"
          "    memory   desc   sctpd  host honest    steps")
    missed = []
    with test_resolve.NameServer() as server:
        server.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for name, attacks in rows:
            missed += row(name, attacks, seconds / len(rows), timed)
    for m in missed:
        print(f"missed: {m}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
