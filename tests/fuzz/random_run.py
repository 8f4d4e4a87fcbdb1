# SPDX-License-Identifier: BSD-2-Clause
"""Random clients at a daemon under a sanitizer, in rounds of at most ROUND
seconds with a daemon and a seed each. In a round a dozen connections of several
users make random calls, pairs of well-behaved sessions send each other numbered
messages, and the daemon is killed and restarted under its keeper. What must
hold, whatever is called:

- no sanitizer or valgrind says anything, and no process ends but by our hand;
- the well-behaved lose nothing, have nothing twice and are answered in time;
- a status is answered in time, always;
- what the daemon says is well formed, and as it describes itself;
- when all are gone its counters and its descriptors are what they were.

RANDOM_STACK userland or kernel; RANDOM_SECONDS how long (60); RANDOM_SEED of
the first round, to repeat one; RANDOM_SCTPD the daemon; RANDOM_WRAP a command
in front of it (valgrind); RANDOM_KILLS seconds between two kills, 0 for none;
RANDOM_LOG the log level; RANDOM_HOLD for how many seconds a daemon of which
something was found stays there, for a debugger."""
import collections
import contextlib
import json
import os
import random
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]

import random_client  # noqa: E402
import random_pairs  # noqa: E402
from random_values import SILENT  # noqa: E402
from rpc import Client, RpcError  # noqa: E402

STACK = os.environ.get("RANDOM_STACK") or "userland"
SECONDS = float(os.environ.get("RANDOM_SECONDS") or 60)
SEED = int(os.environ.get("RANDOM_SEED") or random.SystemRandom().randrange(1 << 32))
KEEPER = os.path.join(ROOT, "build", "sctpd")
SCTPD = os.path.join(ROOT, os.environ.get("RANDOM_SCTPD") or "build/sctpd")
WRAP = os.environ.get("RANDOM_WRAP") or ""
KILLS = float(os.environ.get("RANDOM_KILLS") or (3 if STACK == "kernel" else 10))
HOLD = float(os.environ.get("RANDOM_HOLD") or 0)
ROUND = 60
PAIRS = 4
PARKED = 10                     # a pair for 200 of the descriptors that are to survive
ALARMS = 2      # loop_alarm_init: of counters that are to be written, and of the time where asking for it is dear
OTHERS = (61001, 61002) if os.geteuid() == 0 else (os.geteuid(),)
GOOD = 61000 if os.geteuid() == 0 else os.geteuid()
BOUND = 90 if WRAP else 30      # seconds in which a well-behaved client must see something
ANSWER = 45 if WRAP else 10     # and status must be answered
# What was sent to a peer that does not answer may wait for it for minutes after
# the socket was closed. On the kernel's stack that is made shorter, by these.
MAY_LINGER = STACK == "userland"
SYSCTL = {"rto_min": 100, "rto_initial": 300, "rto_max": 500, "max_init_retransmits": 3, "path_max_retrans": 3,
          "association_max_retrans": 5, "intl_enable": 1}
LOGS = os.path.join(ROOT, "build", "random")
LOST = (EOFError, ConnectionResetError, BrokenPipeError)

DEATH = re.compile(r"keeper: sctpd (\d+) (died of signal \d+|exited with \d+)")
BAD = re.compile(r"ERROR: \w+Sanitizer.*|\S+: runtime error: .*|^==\d+== .*|gives no sign of life.*|does not end; .*|"
                 r"journal: (?:ignored|no room).*", re.M)
# UBSan's of usrsctp built with it: it is not ours, and goes on.
NOT_OURS = re.compile(r"usrsctp\S*: runtime error")


class Found(Exception):
    """A finding; the text says what."""


class Keeper:
    """sctpd -k, whose daemon is another program: with a sanitizer, or wrapped."""

    def __init__(self, seed):
        self.dir = tempfile.mkdtemp(prefix="random-")
        os.chmod(self.dir, 0o755)
        self.path, self.signalled, self.seen = os.path.join(self.dir, "s"), {}, 0
        with open(os.path.join(self.dir, "conf"), "w", encoding="ascii") as f:
            f.writelines(f"{k} = {v}\n" for k, v in self.config(seed).items())
        program = os.path.join(self.dir, "sctpd")
        with open(program, "w", encoding="ascii") as f:
            f.write(f'#!/bin/sh\nexec {WRAP} {shlex.quote(SCTPD)} "$@"\n')
        os.chmod(program, 0o755)
        self.log = open(os.path.join(self.dir, "log"), "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [program, "-k", "-c", os.path.join(self.dir, "conf"), "-s", self.path], executable=KEEPER,
            stderr=self.log, stdin=subprocess.DEVNULL,
            env={**os.environ, "WATCHDOG_USEC": str(ANSWER * 1000000),
                 "ASAN_OPTIONS": "quarantine_size_mb=64:" + os.environ.get("ASAN_OPTIONS", "")})

    @staticmethod
    def config(seed):
        """Some of the limits are within reach in some of the rounds."""
        r = random.Random(seed)
        udp = {}
        if STACK == "userland":
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
                s.bind(("::", 0))
                udp = {"udp_port": s.getsockname()[1], "peer_udp_port": s.getsockname()[1]}
        return {"stack": STACK, "log_level": os.environ.get("RANDOM_LOG") or "notice", "socket_mode": "0666", **udp,
                "client_queue": r.choice(("64K", "256K", "1M")), "max_message": r.choice(("100K", "1M")),
                "max_sockets": r.choice((100, 4096)), "max_associations": r.choice((200, 16384)), "resume_time": "10000"}

    def text(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            f.seek(self.seen)
            return f.read()

    def check(self):
        """Nobody complains, and nobody has died of himself."""
        text = self.text()
        for found in BAD.finditer(text):
            if not NOT_OURS.search(found[0]):
                raise Found(found[0])
        for pid, how in DEATH.findall(text):
            if how not in self.signalled.get(int(pid), ()):
                raise Found(f"the daemon {how}")
        if self.process.poll() is not None:
            raise Found(f"the keeper ended: {self.process.returncode}")

    def kill(self, pid, sig):
        """With what that may end, later."""
        self.signalled.setdefault(pid, set()).update(
            ("died of signal 9",) if sig == signal.SIGKILL else ("exited with 0", "died of signal 15"))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)

    def stop(self):
        """It ends as it should."""
        with contextlib.suppress(OSError, EOFError):
            self.kill(Root(self.path).pid, 0)
        for pid in list(self.signalled):
            self.signalled[pid].add("exited with 0")
        self.process.terminate()
        try:
            status = self.process.wait(2 * ANSWER)
        except subprocess.TimeoutExpired:
            raise Found("it does not stop") from None
        text = self.text()
        for found in BAD.finditer(text):
            if not NOT_OURS.search(found[0]):
                raise Found(found[0])
        if status != 0:
            raise Found(f"the keeper exited with {status}: {text[-300:]}")

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Root(Client):
    """Who asks for the status, and puts away what others leave."""

    def __init__(self, path):
        super().__init__(path)
        self.sock.settimeout(ANSWER)
        self.pid = self.call("status")["pid"]

    def held(self):
        for s in self.call("sockets")["sockets"]:
            if s["held"]:
                with contextlib.suppress(RpcError):
                    self.call("close", sock=s["sock"])
        for g in self.call("groups")["groups"]:
            with contextlib.suppress(RpcError):
                self.call("close", sock=g["sock"])
        for v in self.call("supervised")["supervised"]:
            with contextlib.suppress(RpcError):
                self.call("unsupervise", name=v["name"])


class Process:
    """A part of the load, in a process of its own."""

    def __init__(self, run, **how):
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                self.control.close()
                run(theirs, **how)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        theirs.close()

    def hear(self, seconds=0.0):
        """What it says, or None if it says nothing."""
        if not select.select([self.control], [], [], seconds)[0]:
            return None
        try:
            data = self.control.recv(1 << 16)
        except ConnectionResetError:
            data = self.control.recv(1 << 16)   # the last words came before that
        said = json.loads(data) if data else {"finding": "it died"}
        if said.get("finding"):
            raise Found(said["finding"])
        return said

    def stop(self, seconds):
        """Its last words."""
        with contextlib.suppress(OSError):
            self.control.send(b"stop")
        said = self.hear(seconds)
        if said is None:
            raise Found(f"a load does not end in {seconds} s")
        self.end()
        return said

    def end(self):
        if self.pid is None:
            return
        with contextlib.suppress(OSError):
            self.control.send(b"stop")
        with contextlib.suppress(Found):
            self.hear(5)    # it writes its trace
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.control.close()
        self.pid = None


class Round:
    def __init__(self, seed, seconds, total):
        self.seed, self.seconds, self.total = seed, seconds, total
        self.random = random.Random(seed)
        self.keeper, self.root, self.clients, self.pairs, self.slowest = Keeper(seed), None, None, None, 0.0
        self.survives = STACK == "kernel"

    # ---- the loads ----

    def begin(self):
        deadline = time.monotonic() + BOUND
        while self.root is None:
            try:
                self.root = Root(self.keeper.path)
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:     # it is not there from the first moment
                    raise
                time.sleep(0.01)
        described = self.root.call("describe")
        self.kill(signal.SIGKILL)       # so that what it is to come back to is a restarted daemon's
        self.before = self.rest(), self.descriptors()
        self.begin_pairs()
        fifo = os.path.join(self.keeper.dir, "fifo")
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
        self.clients = Process(random_client.run, file=os.path.join(self.keeper.dir, "calls"), path=self.keeper.path,
                               seed=self.seed, uids=OTHERS, described=described, fifo=fifo,
                               ports=[random_pairs.PORT + n for n in range(PAIRS)])

    def begin_pairs(self):
        self.pairs = Process(random_pairs.run, path=self.keeper.path, seed=self.seed, uid=GOOD, bound=BOUND, number=PAIRS)
        if self.pairs.hear(2 * BOUND) is None:
            raise Found("the well-behaved clients cannot begin")

    def end_pairs(self):
        for key, n in self.pairs.stop(4 * BOUND).items():
            if key != "finding":
                self.total[key] = self.total.get(key, 0) + n

    # ---- asking, and killing ----

    def status(self):
        """It is answered in time, by whichever daemon there is."""
        begun = time.monotonic()
        while True:
            try:
                if self.root is None:
                    self.root = Root(self.keeper.path)
                said = self.root.call("status")
                break
            except LOST:
                self.root = None
            except (TimeoutError, BlockingIOError):
                self.root = None
                self.keeper.check()
                if time.monotonic() - begun > ANSWER:
                    raise Found(f"status is not answered in {ANSWER} s") from None
        self.slowest = max(self.slowest, time.monotonic() - begun)
        return said

    def kill(self, sig):
        pid = self.status()["pid"]
        self.total["kills"] += 1
        self.keeper.kill(pid, sig)
        while self.status()["pid"] == pid:
            pass

    def kill_one(self):
        sig = self.random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        if self.survives:
            self.kill(sig)
            return
        self.end_pairs()
        self.kill(sig)
        self.begin_pairs()

    # ---- the round ----

    def run(self):
        self.begin()
        end = time.monotonic() + self.seconds
        due = time.monotonic() + KILLS * self.random.uniform(0.5, 1.5) if KILLS else end
        while (now := time.monotonic()) < end:
            self.status()
            self.keeper.check()
            if now >= due and now < end - 3:
                self.kill_one()
                due = time.monotonic() + KILLS * self.random.uniform(0.3, 1.7)
            if self.pairs.hear(0.05):
                raise Found("the well-behaved clients ended")
            if self.clients.hear():
                raise Found("the random clients ended")
        said = self.clients.stop(BOUND)
        self.total["calls"] += said["calls"]
        self.total["told"] += said["told"]
        self.end_pairs()
        self.settle()
        self.keeper.stop()

    def rest(self):
        """The counters, when nothing moves any more; what is held is closed."""
        deadline, before = time.monotonic() + BOUND, None
        while True:
            s = self.status()
            left = {k: s[k] - (k == "clients") for k in ("clients", "sockets", "associations", "lingering")}
            if left != before:
                before, deadline = left, time.monotonic() + BOUND
            only_lingers = MAY_LINGER and not left["clients"] + left["sockets"] + left["associations"]
            if not any(left.values()) or time.monotonic() > deadline or \
                    only_lingers and time.monotonic() > deadline - BOUND + 3:
                return left
            with contextlib.suppress(*LOST):
                self.root.held()
            time.sleep(0.02)

    def descriptors(self):
        """What each of them is; valgrind's own come and go."""
        pid, names = self.status()["pid"], []
        with open(f"/proc/{pid}/net/unix", encoding="ascii", errors="replace") as f:
            unix = {line.split()[6] for line in f}
        for n in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                name = os.readlink(f"/proc/{pid}/fd/{n}")
                if name.startswith("socket:"):
                    name = "Unix socket" if name[8:-1] in unix else "socket"
                names.append(re.sub(r"\d+", "N", name))
        return collections.Counter(n for n in names if "valgrind" not in n)

    def more_descriptors(self):
        """Than it had before; PARKED and ALARMS aside, which it keeps once it needed them."""
        more = self.descriptors() - self.before[1]
        if more["anon_inode:[timerfd]"] <= ALARMS:
            del more["anon_inode:[timerfd]"]
        if STACK == "kernel" and more["Unix socket"] <= PARKED:
            del more["Unix socket"]
        return dict(more)

    def settle(self):
        left = self.rest()
        if left["lingering"] and MAY_LINGER:
            self.total["lingering"] = self.total.get("lingering", 0) + left["lingering"]
            return
        if any(left.values()):
            raise Found(f"all are gone, and it has left: {left}")
        deadline = time.monotonic() + ANSWER
        while more := self.more_descriptors():
            if time.monotonic() > deadline:
                raise Found(f"all are gone, and it has more descriptors than before: {more}")
            time.sleep(0.05)

    def end(self):
        for process in (self.clients, self.pairs):
            if process:
                process.end()
        if self.root:
            self.root.close()
        self.keeper.end()
        self.total["slowest"] = max(self.total["slowest"], self.slowest)


def keep(folder, seed):
    """What is needed to find the cause."""
    there = os.path.join(LOGS, str(seed))
    shutil.rmtree(there, ignore_errors=True)
    os.makedirs(there)
    for name in ("log", "conf", "calls"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(os.path.join(folder, name), there)
    return there


def one(seed, seconds, total):
    """A round; gives its finding, if any."""
    r, found = Round(seed, seconds, total), None
    try:
        r.run()
    except (Found, RpcError, OSError, EOFError) as why:
        found = str(why) if isinstance(why, Found) else repr(why)
        if HOLD:
            print(f"held: {found}, {r.keeper.path}", flush=True)
            time.sleep(HOLD)
        with contextlib.suppress(Exception):
            time.sleep(1)       # a sanitizer's report takes a moment
            r.keeper.check()
    except BaseException:
        r.end()
        raise
    r.end()
    if found:
        there = keep(r.keeper.dir, seed)
        print(f"FOUND, in the round of seed {seed}: {found}\n"
              f"  its log and last calls: {os.path.relpath(there, ROOT)}\n"
              f"  again: make random RANDOM_STACK={STACK} RANDOM_SEED={seed} RANDOM_SECONDS={seconds:.0f}", flush=True)
    shutil.rmtree(r.keeper.dir)
    return found


def main():
    if STACK == "kernel" and os.geteuid() == 0:
        # Packets to the silent one go somewhere, and none comes back.
        subprocess.run(["sh", "-c", f"ip link add random0 type dummy && ip link set random0 up && "
                        f"ip addr add {SILENT[:-1]}1/24 dev random0"], check=False, stderr=subprocess.DEVNULL)
        for name, value in SYSCTL.items():
            with contextlib.suppress(OSError), open(f"/proc/sys/net/sctp/{name}", "w", encoding="ascii") as f:
                f.write(str(value))
    end, seed, found = time.monotonic() + SECONDS, SEED, []
    total = {"calls": 0, "told": 0, "kills": 0, "sent": 0, "arrived": 0, "returns": 0, "slowest": 0.0, "rounds": 0}
    print(f"random: {STACK}, {SECONDS:.0f} s, the first seed is {SEED}", flush=True)
    while not found and (left := end - time.monotonic()) > 2 or not total["rounds"]:
        what = one(seed, min(left, ROUND), total)
        found += [what] if what else []
        total["rounds"] += 1
        seed = (seed + 1) % (1 << 32)
    print(f"random: {total['calls']} calls and {total['told']} answers and events in {total['rounds']} rounds, "
          f"{total['kills']} kills; {total['arrived']} of {total['sent']} messages of the well-behaved, "
          f"who came back {total['returns']} times; status took {1000 * total['slowest']:.0f} ms at most")
    print(f"random: seed {SEED}, {len(found)} findings", flush=True)
    return 1 if found else 0


sys.exit(main())
