# SPDX-License-Identifier: BSD-2-Clause
"""A hundred hostile clients of one user beside one honest client of another:
hundred.py SECONDS [smoke | ATTACK...]. Each row of the table is an attack that
all of them do; the last is all attacks together. The exit status says whether
each row kept the bounds, with smoke those of time aside, which are no matter then.

The honest client makes a round trip each 5 ms on an association of its own,
and opens and closes a socket now and then. Latency counts from when a round
trip was due. It is measured alone first, just before each attack, since
other programs may run on the machine.

What a hostile program computes takes processors too, from the honest client as
much as from the daemon, and no daemon can give that back. So the hostile
programs run under SCHED_IDLE: they have what nobody else wants of the
processors, and what the honest client feels is what the daemon does for them.
That holds for a few such programs: beside a hundred of them that talk to nobody
a timer of 5 ms came 10 ms late once in a hundred times, beside two on time. So
the clients are in two programs, a connection and a state each, and do their
steps in a circle. The daemon runs on the first processor, the honest client on
the last, and the hostile programs on all but the first. The honest client runs
under SCHED_FIFO where that is allowed, alone as well as beside them, and the
daemon, which it starts, does not: a tracer of
the kernel's scheduler showed that, without it, Linux 6.18 woke the honest client
and then ran the other of two SCHED_IDLE programs until the next tick, 4 ms later.
The table says how much of a processor the hostile programs, the daemon and the
honest client took, and how many steps (answers, or writes of a batch) the hostile
clients made: an attack without any is none. The smoke, which compares no times, runs
beside other tests; there the hostile clients are programs like all others, since
SCHED_IDLE would leave them nothing. "stolen" is what the host of a virtual
machine took of all processors, in percent, alone and during. While it takes them
nobody runs, for 1 to 20 ms at a time, and a round trip then says nothing about
sctpd. So a watch of the highest priority sleeps a millisecond again and again on
each processor. Whoever else wants that processor, the watch comes first: where it
wakes late, the processor was gone. The time is cut into windows of a tenth of a
second, and those in which a watch was late are not looked at, whatever the round
trips in them were, alone as well as during. It goes on until there are enough of
the others. "seen" is their share, in percent: where it is too small, the row is
missed. Alone is measured before the attack and after it, half of the time each, so
that a machine that becomes slower or faster meanwhile does the same to both.

The row "connects" may miss its bound. A program that connects and closes does so
100,000 times a second, and each connection is an inode, which the kernel frees
later, hundreds at a time, on the processor that closed it: half a millisecond,
50 times a second, whichever program accepts them. Who accepted fewer would
have others find the queue full.

The first row, "control", is no attack: two programs are as busy, and none of them
talks to sctpd. What the honest client lost there is the machine's doing. The
bounds are against the honest client alone all the same, in each row."""
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
from harness import SLOW, STACK, WAIT, associate, wait_for  # noqa: E402
from rpc import Client, RpcError  # noqa: E402

HONEST, HOSTILE, CLIENTS = 1001, 1002, 100
PROCESSES = 2       # that the hostile clients are in
PROCESSORS = sorted(os.sched_getaffinity(0))
WINDOW = 0.1        # seconds that are looked at, or not
LATE = 0.0007       # seconds: who had the processor then is neither sctpd nor another program
PATIENCE = 8        # times as long as there is to be seen
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


# Each attack is a generator. It never waits: it yields whether it got anything
# done since it yielded last. The first is none: it is as busy, and what it
# talks to is not sctpd.

def told(c, batch):
    """Write all of it, and forget what comes meanwhile."""
    left = batch
    while left:
        drain(c)
        before, left = len(left), c.push(left, 0)
        yield len(left) < before


def asked(c, method, **args):
    """Gives the answer; an error is raised as RpcError."""
    msgid = c.request(method, **args)
    while msgid not in c.answers:
        if select.select([c.sock], [], [], 0)[0]:
            c.feed()
        else:
            yield False
    yield True
    return c.answer(msgid)


def control(_):
    here, there = socket.socketpair()
    while True:
        here.sendall(packed("describe", 100))
        there.recv(1 << 18)
        yield True


def many_sockets(path):
    c, socks = Client(path), []
    while True:
        try:
            socks.append((yield from asked(c, "open", ip="127.0.0.1"))["sock"])
        except RpcError:
            if socks:
                yield from asked(c, "close", sock=socks.pop())


def names(path):
    c = Client(path)
    sock = (yield from asked(c, "open", ip="127.0.0.1"))["sock"]
    while True:
        yield from told(c, waiting("connect", sock=sock, addr="nobody.invalid.example", port=5))


def stalled_peer(path):
    c = Client(path)
    _, _, sock, assoc_id = associate(c)
    while True:
        yield from told(c, waiting("send", sock=sock, assoc_id=assoc_id, data=b"x"))


def unread(c, batch):
    """Write it for ever, and read nothing."""
    left = batch
    while True:
        before, left = len(left), c.push(left, 0)
        yield len(left) < before
        left = left or batch


def never_reads(path):
    return unread(Client(path), packed("describe", 100))


def half_frames(path):
    while True:
        c = Client(path)
        size = (yield from asked(c, "status"))["limits"]["max_message"]
        head = b"\x94\x00\x01\xa4send\x91\x81\xa4data\xc6" + struct.pack(">I", size)
        yield from told(c, head + bytes(size // 2))
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            yield False
        c.close()


def abandoned(path):
    while True:
        c = Client(path)
        with contextlib.suppress(RpcError):
            yield from asked(c, "hello", resume=True)
            sock = (yield from asked(c, "open", ip="127.0.0.1", options=HOLD))["sock"]
            yield from asked(c, "listen", sock=sock)
        c.close()


def circle(path):
    token, old = True, []
    while True:
        old = old[-8:] + [Client(path)]
        token = (yield from asked(old[-1], "hello", resume=token))["resume"]


def notifications(path):
    batch = packed("describe", kind=2) + packed("sockets", kind=2) + packed("clients", kind=2)
    return unread(Client(path), batch * 30)


def connects(path):
    while True:
        Client(path).close()
        yield True


def enormous_options(path):
    c = Client(path)
    sock = (yield from asked(c, "open", ip="127.0.0.1"))["sock"]
    options = {f"nothing{i}": "x" * 1000 for i in range(800)}
    while True:
        yield from told(c, packed("setopts", sock=sock, options=options))


ATTACKS = (many_sockets, names, stalled_peer, never_reads, half_frames, abandoned, circle, notifications, connects,
           enormous_options)


def forever(attacks, path, count):
    """What a hostile process does: each of its clients does a step, in a circle.
    One whose connection is ended comes again."""
    running = [attack(path) for attack in attacks]
    while True:
        steps = 0
        for i, attack in enumerate(attacks):
            try:
                steps += next(running[i])
            except (OSError, EOFError, RpcError, StopIteration):
                running[i] = attack(path)
        count(steps)
        if steps == 0:
            time.sleep(0.001)


class Processes:
    """Children of ours, with a number each that they count up."""

    def __init__(self, idle):
        self.idle, self.pids, self.counts = idle, [], mmap.mmap(-1, 8 * PROCESSES)
        self.ready, self.gate = os.pipe(), os.pipe()

    def start(self, f, *args):
        at = 8 * len(self.pids)
        if pid := os.fork():
            self.pids.append(pid)
            return

        def count(n):
            self.counts[at:at + 8] = struct.pack("Q", struct.unpack("Q", self.counts[at:at + 8])[0] + n)
        try:
            os.sched_setaffinity(0, PROCESSORS[1:] or PROCESSORS)
            if self.idle:
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
            n += len(os.read(self.ready[0], PROCESSES))
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


def hostile(attacks, path, count):
    os.setgid(HOSTILE)
    os.setuid(HOSTILE)
    forever(attacks, path, count)


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
        os.sched_setaffinity(self.pid, PROCESSORS[:1])
        os.sched_setaffinity(0, PROCESSORS[-1:])
        assert os.sched_getscheduler(self.pid) == os.SCHED_OTHER, "the daemon has a priority of its own"
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        except PermissionError:
            print("SCHED_FIFO is not allowed here: the honest client runs as any program does")

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
        while due < end and time.monotonic() < end + 1:
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


def stolen():
    """Ticks that the host took of all processors since this machine started."""
    with open("/proc/stat") as f:
        return int(f.readline().split()[8])


class Watch:
    """A watch on each processor, that counts how often it was late."""

    def __init__(self):
        self.counts, self.pids = mmap.mmap(-1, 8 * len(PROCESSORS)), []
        for i, processor in enumerate(PROCESSORS):
            if (pid := os.fork()) == 0:
                try:
                    self.look(8 * i, processor)
                finally:
                    os._exit(1)
            self.pids.append(pid)

    def look(self, at, processor):
        os.sched_setaffinity(0, {processor})
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))
        n = 0
        while True:
            due = time.monotonic() + 0.001
            time.sleep(0.001)
            if time.monotonic() > due + LATE:
                n += 1
                self.counts[at:at + 8] = struct.pack("Q", n)

    def late(self):
        return bytes(self.counts)

    def stop(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


class Measured:
    """Round trips until there are so many seconds in which no processor was gone."""

    def __init__(self):
        self.windows, self.took, self.enough, self.time, self.stolen, self.seen = 0, [], True, 0, 0, 0

    def go_on(self, h, watch, seconds, patience):
        begin, stolen_before, seen, every = time.monotonic(), stolen(), [], []
        while len(seen) * WINDOW < seconds and time.monotonic() < begin + seconds * patience:
            late = watch.late()
            every.append(h.paced(WINDOW))
            if watch.late() == late:
                seen.append(every[-1])
        self.windows += len(every)
        self.seen += len(seen)
        self.enough = self.enough and len(seen) * WINDOW >= seconds
        self.took = sorted(self.took + [t for w in (seen or every) for t in w])
        self.time += time.monotonic() - begin
        self.stolen += (stolen() - stolen_before) / os.sysconf("SC_CLK_TCK") / os.cpu_count()


def at(took, part):
    return took[min(len(took) - 1, int(len(took) * part))]


def tidy(d, but=()):
    """What is held for ever is root's to close."""
    with contextlib.closing(Client(d.path)) as c:
        for row in c.call("sockets")["sockets"]:
            if row["sock"] not in but:
                with contextlib.suppress(RpcError):
                    c.call("close", sock=row["sock"])


def row(name, attacks, seconds, timed):
    """One line of the table; gives what it missed."""
    os.sched_setaffinity(0, PROCESSORS)
    d, watch = test_resolve.start(socket_mode="0666", log_level="err", max_memory=MEMORY, resume_time=1000), Watch()
    os.chmod(d.dir, 0o755)
    try:
        return measured(d, watch, name, [attacks[i % len(attacks)] for i in range(CLIENTS)], seconds, timed)
    finally:
        watch.stop()
        if d.alive():
            d.kill()


def first_step(h, crowd):
    """What is measured begins with it: two programs may take long to connect beside others."""
    deadline = time.monotonic() + WAIT * SLOW
    while not crowd.total() and time.monotonic() < deadline:
        h.paced(WINDOW)


def beside(crowd, d, h, attacks, go_on):
    """What the daemon, the crowd and the honest client take of a processor meanwhile; and the crowd's steps."""
    for i in range(PROCESSES):
        crowd.start(hostile, attacks[i * CLIENTS // PROCESSES:(i + 1) * CLIENTS // PROCESSES], d.path)
    try:
        crowd.go()
        first_step(h, crowd)
        took = -cpu(d.process.pid), -time.process_time(), -time.monotonic()
        go_on()
        took = took[0] + cpu(d.process.pid), took[1] + time.process_time(), took[2] + time.monotonic()
        steps = crowd.total()
    finally:
        hostile_cpu = crowd.stop()
    return [t / took[2] for t in (took[0], hostile_cpu, took[1])], steps


def left(d, fds, but=()):
    """None, or what the daemon has not given back."""
    tidy(d, but)
    try:
        if not but:
            d.idle()
        wait_for(lambda: d.descriptors() <= fds)
    except AssertionError as e:
        return str(e)


def measured(d, watch, name, attacks, seconds, timed):
    # The daemon makes alarms when messages first need them, and keeps them.
    Honest(d).round_trip()
    d.close_clients()
    fds, first = d.idle()[0], memory(d.process.pid)
    h, alone, during = Honest(d), Measured(), Measured()
    with_honest, patience = d.descriptors(), PATIENCE if timed else 1
    alone.go_on(h, watch, seconds / 4, patience)
    shares, steps = beside(Processes(timed), d, h, attacks, lambda: during.go_on(h, watch, seconds / 2, patience))
    not_back = left(d, with_honest, (h.here, h.there))
    alone.go_on(h, watch, seconds / 4, patience)
    d.close_clients()
    not_back = not_back or left(d, fds)
    ratio = [at(during.took, p) / at(alone.took, p) for p in (0.5, 0.99)]
    limit = first + MEMORY + ASIDE
    times = (f"{at(t, 0.5):6.2f} {at(t, 0.99):6.2f} {t[-1]:7.2f}" for t in (alone.took, during.took))
    print(f"{name:17}", *times, f"{ratio[0]:5.2f} {ratio[1]:5.2f} {len(h.refused):7} {h.peak >> 20:5}/{limit >> 20:<4}",
          f"{fds:4}/{d.descriptors():<4}", *(f"{s:5.2f}" for s in shares), f"{steps:8}",
          *(f"{100 * m.stolen / m.time:5.2f} {100 * m.seen / m.windows:3.0f}" for m in (alone, during)), flush=True)
    missed = [f"refused: {h.refused[0]}"] if h.refused else []
    missed += ["memory"] if h.peak > limit else []
    missed += [f"left: {not_back}"] if not_back else []
    missed += ["no hostile step"] if not steps else []
    missed += ["the host took too much to measure"] if timed and not (alone.enough and during.enough) else []
    missed += [f"ratio {max(ratio):.2f}"] if timed and max(ratio) > RATIO else []
    return [f"{name}: {m}" for m in missed]


def main():
    seconds, words = float(sys.argv[1]), sys.argv[2:]
    timed = words != ["smoke"]
    tempfile.tempdir = "/tmp"
    rows = [("all together", ATTACKS)]
    if timed:
        rows = [(a.__name__, (a,)) for a in (control, *ATTACKS)] + rows
        rows = [r for r in rows if r[0] in words] or rows
    print(f"stack {STACK}, {CLIENTS} hostile clients{' (SCHED_IDLE)' if timed else ''}, ms alone and during,"
          " MiB of memory and limit, descriptors before/after, processors")
    print(f"{'attack':17} {'p50':>6} {'p99':>6} {'max':>7} {'p50':>6} {'p99':>6} {'max':>7}  r50   r99  refused"
          "    memory   desc   sctpd  host honest    steps  stolen, seen %")
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
