# SPDX-License-Identifier: BSD-2-Clause
"""Every call of libc's that the daemon and its keeper make fails, with every
errno that its manual page names (table.py), each time that it is made:

    walk.py [--seconds N] [CALL...]

With --seconds it takes as many cases as there is time for, each call at least
once, the first and the last time before others. TEST_SEED chooses; it is printed. TEST_STACK is the stack, as in
tests/integration: the kernel's runs under the keeper.

While one call fails a small work is done that uses all kinds of sockets. What
came of it is one of
    same        all was as if nothing had failed
    refused     a call was answered by an error that says so
    cut         one connection was lost, and everybody else served
and, which is right only as it starts,
    ended       it did not start, and said why.
These are never right: it exited or was started again, it hangs, an answered
send is lost without a word or came twice, something is left over, and it
keeps a processor busy. A table of calls by errno is printed."""
import argparse
import collections
import errno
import mmap
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]

import rpc  # noqa: E402
import through  # noqa: E402
from harness import BUILD, ROOT, STACK, stack_config  # noqa: E402
from rpc import Client, RpcError  # noqa: E402
from table import CANNOT_FAIL, ERRORS, OTHER_NAMES, errors  # noqa: E402
from through import LOST, Session  # noqa: E402

KERNEL = STACK == "kernel"
PATIENCE = 5 if not KERNEL else 8  # seconds that an answer may take
MS = PATIENCE * 1000 // 2  # and a call with a timeout
SENDS = 5
EVER = 1 << 62
# A packet that is lost is sent again before anybody loses patience.
QUICK = {"sctp_rtoinfo": {"initial": 100, "min": 50, "max": 300}}
RIGHT = ("same", "refused", "cut")

with open(os.path.join(HERE, "shim.c")) as f:
    SHIM = f.read()
# In the order of its enum.
CALLS = re.findall(r"\bX\((\w+)\)", SHIM.split("enum {")[0].split("functions whose failure")[1])
CALLS = [c for c in CALLS if c not in ("X", "name")]
PAGE = struct.Struct("=iiiiQQQ")


class Page:
    """The memory that is shared with the preloaded functions."""

    def __init__(self, path):
        with open(path, "wb") as f:
            f.write(bytes(4096))
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 4096)

    def set(self, call=None, number=0, first=0, last=0):
        self.off()
        self.memory[PAGE.size:] = bytes(4096 - PAGE.size)
        self.memory[4:PAGE.size] = PAGE.pack(0, CALLS.index(call) if call else 0, number, 0, first, last, 0)[4:]
        self.memory[:4] = struct.pack("=i", 1)

    def off(self):
        self.memory[:4] = struct.pack("=i", 0)

    def failed(self):
        return PAGE.unpack(self.memory[:PAGE.size])[6]

    def counts(self):
        n = struct.unpack_from(f"={len(CALLS)}Q", self.memory, PAGE.size)
        return {c: k for c, k in zip(CALLS, n) if k > 0}


class Daemon:
    """sctpd with both pages; the kernel's has a keeper."""

    def __init__(self, keeper=KERNEL, prepare=lambda pages: None):
        self.keeper = keeper
        self.dir = tempfile.mkdtemp(prefix="faults-")
        self.path = os.path.join(self.dir, "s")
        self.pages = {who: Page(os.path.join(self.dir, who)) for who in ("daemon", "keeper")}
        prepare(self.pages)
        conf = {**stack_config(None), "log_level": "info"}
        with open(os.path.join(self.dir, "conf"), "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in conf.items())
        notify = os.path.join(self.dir, "notify")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.listener.bind(notify)
        self.log = open(os.path.join(self.dir, "log"), "w+")
        env = {**os.environ, "LD_PRELOAD": os.path.join(ROOT, "build/faults.so"), "NOTIFY_SOCKET": notify,
               **{f"FAULTS_{w.upper()}": os.path.join(self.dir, w) for w in self.pages}}
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "sctpd"), *(["-k"] if keeper else []), "-c", os.path.join(self.dir, "conf"),
             "-s", self.path], stderr=self.log, stdin=subprocess.DEVNULL, env=env)

    def is_ready(self):
        """True, or False if it ended or does not come to it."""
        end = time.monotonic() + 3 * PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            if select.select([self.listener], [], [], 0.05)[0] and \
                    self.listener.recv(4096).startswith(b"READY=1"):
                return True
            if "notify: " in self.text():
                return True  # it cannot say so, and that it says
        return False

    def ask(self):
        c = Client(self.path)
        c.sock.settimeout(PATIENCE)
        try:
            return c.call("status")
        finally:
            c.close()

    def close_held(self):
        """Where a step was refused, sockets may wait for somebody."""
        c = Client(self.path)
        c.sock.settimeout(PATIENCE)
        try:
            for s in c.call("sockets")["sockets"]:
                if s["held"]:
                    c.call("close", sock=s["sock"])
        finally:
            c.close()

    def left(self):
        """What is left over when all clients are gone; empty: nothing."""
        end = time.monotonic() + PATIENCE
        while True:
            self.close_held()
            s = self.ask()
            left = {k: s[k] for k in ("clients", "sockets", "associations", "lingering")}
            if tuple(left.values()) == (1, 0, 0, 0):
                return {}
            if time.monotonic() > end:
                return left

    def cpu(self, pid):
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_busy(self, pid):
        """Nobody asks for anything: it should sleep."""
        before = self.cpu(pid)
        select.select([], [], [], 0.2)
        return self.cpu(pid) - before > 0.1

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def stop(self):
        """Gives its exit status, or None if it had to be killed."""
        for p in self.pages.values():
            p.off()
        status = self.process.poll()
        if status is None:
            self.process.terminate()
            try:
                status = self.process.wait(2 * PATIENCE)
            except subprocess.TimeoutExpired:
                if self.keeper:
                    self.kill_child()
                self.process.kill()
                self.process.wait()
        self.listener.close()
        self.log.close()
        shutil.rmtree(self.dir)
        return status

    def kill_child(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path) as f:
            for pid in f.read().split():
                os.kill(int(pid), signal.SIGKILL)


# ---- the work ---------------------------------------------------------------

class Enough(Exception):
    """A step was refused: what follows would need it."""


class Resumed(Session):
    """One that has no session yet cannot come back."""
    token = None

    def feed(self):
        if self.token is None:
            self.take()
        else:
            super().feed()


class Heard(collections.deque):
    """A client's events; somebody looks at each as it comes."""

    def __init__(self, hear):
        super().__init__()
        self.hear = hear

    def append(self, event):
        self.hear(*event)
        super().append(event)


class Work:
    """What is done, and what came of it."""

    def __init__(self, daemon):
        self.d = daemon
        self.trace, self.sent, self.got = [], [], collections.Counter()
        self.cuts = self.told = 0
        self.heard_out = False  # whoever it was for had time to hear it
        self.clients = []

    def client(self, name, kind=Client):
        c = kind(self.d.path, name)
        c.sock.settimeout(PATIENCE)
        c.events = Heard(self.hear)
        self.clients.append(c)
        return c

    def hear(self, name, fields):
        if name in ("sctp_send_failed", "sctp_closed", "sctp_error") or \
                fields.get("state") in ("comm_lost", "cant_assoc"):
            self.told += 1
        if name == "data":
            self.got[bytes(fields["data"])] += 1

    def step(self, c, method, **args):
        try:
            result = c.call(method, **args)
            self.trace.append((method, "ok"))
        except RpcError as e:
            self.trace.append((method, str(e)))
            raise Enough from e
        if method == "send":
            self.sent.append(args["data"])
        if "event" in result:
            self.hear(result["event"], result)
        return result

    def missing(self):
        return [d for d in self.sent if self.got[d] == 0]

    def wait_for_all(self, c):
        """All that was answered has come to c, whose sockets are active; or
        somebody was told that it will not."""
        self.heard_out, end = False, time.monotonic() + PATIENCE
        while self.missing() and not self.told and time.monotonic() < end:
            if select.select([c.sock], [], [], end - time.monotonic())[0]:
                c.feed()
        self.heard_out = True

    def part(self, do):
        try:
            do(self)
        except Enough:
            pass
        except LOST:
            self.cuts += 1
        finally:
            for c in self.clients:
                c.close()
            self.clients = []

    def verdict(self):
        lost = self.missing()
        if any(n > 1 for n in self.got.values()):
            return "DOUBLED"
        if lost and not self.told and (self.heard_out or not self.cuts):
            return "LOST"
        if self.cuts:
            return "cut"
        return "refused" if any(r != "ok" for _, r in self.trace) else "same"


def listener(w, c, **more):
    l = w.step(c, "open", ip="127.0.0.1", options={**QUICK, **more.pop("options", {})}, **more)
    w.step(c, "listen", sock=l["sock"])
    return l["sock"], l["port"]


def opened(w, c, **more):
    return w.step(c, "open", ip="127.0.0.1", options={**QUICK, **more.pop("options", {})}, **more)["sock"]


def one_to_many(w):
    """Two clients, one of them with a session, which it loses and resumes."""
    b, a = w.client("b", Resumed), w.client("a")
    there, port = listener(w, b, options={"active": True, "on_owner_exit": "hold"})
    here = opened(w, a)
    up = w.step(a, "connect", sock=here, addr="127.0.0.1", port=port, timeout=MS)["assoc_id"]
    try:
        for i in range(SENDS):
            w.step(a, "send", sock=here, assoc_id=up, data=b"many %d" % i)
        w.wait_for_all(b)
        w.step(a, "getopts", sock=here, options=["sctp_rtoinfo", "recbuf"])
        w.step(a, "setopts", sock=here, options={"sctp_nodelay": True})
        w.step(a, "peernames", sock=here, assoc_id=up)
        b.sock.close()
        w.step(a, "send", sock=here, assoc_id=up, data=b"while it is away")
        b.come_back()
        b.sock.settimeout(PATIENCE)
        w.step(b, "ack", seq=b.seq)
    finally:
        w.wait_for_all(b)
    w.step(a, "eof", sock=here, assoc_id=up)
    while w.step(a, "recv", sock=here, timeout=MS)["event"] != "sctp_assoc_change":
        pass
    w.step(a, "close", sock=here)
    w.step(b, "close", sock=there)


def one_to_one(w):
    """By the peer's name; accepted; peeled off; lent, where that is possible."""
    a, b = w.client("a"), w.client("b")
    there, port = listener(w, b, type="stream")
    here = opened(w, a, type="stream")
    w.step(a, "connect", sock=here, addr="localhost", port=port, timeout=MS)
    to = w.step(b, "accept", sock=there, timeout=MS)["accepted"]
    w.step(b, "setopts", sock=to, options={"active": True})
    try:
        w.step(a, "send", sock=here, data=b"one")
    finally:
        w.wait_for_all(b)
    if KERNEL:
        w.step(a, "lend", sock=here)
        w.step(a, "give_back", sock=here)
    w.step(a, "status")
    w.step(b, "assocs")
    w.step(a, "close", sock=here)


def handed_on(w):
    """Peeled off, held when its owner goes, adopted by another."""
    a, b = w.client("a"), w.client("b")
    there, port = listener(w, b, options={"on_owner_exit": "hold"})
    here = opened(w, a)
    up = w.step(a, "connect", sock=here, addr="127.0.0.1", port=port, timeout=MS)["assoc_id"]
    own = w.step(a, "peeloff", sock=here, assoc_id=up)["sock"]
    w.step(a, "send", sock=own, data=b"before")
    b.close()
    c = w.client("c")
    while w.step(c, "sockets")["sockets"] and not any(s["sock"] == there and s["held"] for s in
                                                      w.step(c, "sockets")["sockets"]):
        pass
    w.step(c, "adopt", sock=there)
    w.step(c, "setopts", sock=there, options={"active": True})
    try:
        w.step(a, "send", sock=own, data=b"after")
    finally:
        w.wait_for_all(c)
    w.step(c, "close", sock=there)


PARTS = (one_to_many, one_to_one, handed_on)


def work(d):
    """All of it; gives what it was, and a few words."""
    total, words = "same", ""
    for part in PARTS:
        w = Work(d)
        try:
            w.part(part)
            kind = w.verdict()
        except TimeoutError:
            kind = "HANG"
        except AssertionError as why:
            kind, w.trace = "WRONG", [*w.trace, ("", str(why))]
        except OSError as why:
            kind, w.trace = "cut", [*w.trace, ("", repr(why))]
        if kind != "same":
            said = [f"{m}: {r}" for m, r in w.trace if r != "ok"]
            words += f"{part.__name__} {kind} {said} missing={w.missing()} "
        if kind not in RIGHT or total == "same":
            total = kind
        if kind not in RIGHT:
            break
    return total, words


def imported(path):
    """The functions that a program or a library takes from others."""
    out = subprocess.run(["nm", "-D", "--undefined-only", path], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def assert_that_none_is_left_out():
    """Each system call that sctpd imports is in the shim and in the table, and nothing else."""
    assert set(CALLS) == set(ERRORS), f"in one of shim.c and table.py only: {set(CALLS) ^ set(ERRORS)}"
    if KERNEL:
        return  # once is enough
    macros = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                            capture_output=True, text=True, check=True).stdout
    system = set(re.findall(r"#define __NR_(\w+)", macros)) | OTHER_NAMES
    left_out = imported(os.path.join(BUILD, "sctpd")) & system - set(CALLS) - CANNOT_FAIL
    assert not left_out, f"neither in shim.c nor in CANNOT_FAIL of table.py: {left_out}"


# ---- the walk ---------------------------------------------------------------

class Walk:
    def __init__(self, seconds, only):
        self.seconds, self.only = seconds, only
        self.seed = int(os.environ.get("TEST_SEED") or time.time_ns() % 10000)
        self.random = random.Random(self.seed)
        self.results = collections.defaultdict(collections.Counter)
        self.wrong = []
        self.d = None

    def ready(self):
        if self.d is None:
            self.d = Daemon()
            assert self.d.is_ready(), self.d.text()
            self.pid = self.d.ask()["pid"]
        return self.d

    def give_up(self):
        status = self.d.stop()
        self.d = None
        return status

    def note(self, who, call, number, n, kind, words):
        self.results[(who, call, number)][kind] += 1
        if kind not in (*RIGHT, "ended"):
            self.wrong.append((who, call, number, n, kind))
            print(f"WRONG: {who}: {call} fails with {errno.errorcode[number]} the {n}. time: {kind}: {words}", flush=True)
        elif "-v" in sys.argv:
            print(f"{who}: {call} {errno.errorcode[number]} {n}: {kind}: {words}", flush=True)

    def after(self, kind, words):
        """Is it still there, the same, with nothing left over?"""
        d = self.d
        try:
            pid = d.ask()["pid"]
            if pid != self.pid:
                return "EXIT", d.text()[-600:]
            if kind in RIGHT and (left := d.left()):
                return "LEFT", f"{left} {words}"
        except (OSError, EOFError) as why:
            if d.process.poll() is not None:
                return "EXIT", f"{d.process.poll()} {d.text()[-600:]}"
            return ("HANG" if kind in RIGHT else kind), f"{why!r} {words}"
        return kind, words

    def one(self, who, call, number, n):
        d = self.ready()
        page = d.pages[who]
        page.set(call, number, n, n)
        kind, words = work(d)
        failed = page.failed()
        page.off()
        kind, words = self.after(kind, words)
        if failed or kind not in RIGHT:
            self.note(who, call, number, n, kind, words)
        if kind not in RIGHT:
            self.give_up()
        return failed

    def serving(self):
        """How often each is called in a work in which nothing fails."""
        d = self.ready()
        page = d.pages["daemon"]
        most = collections.Counter()
        for _ in range(3):
            page.set()
            kind, words = work(d)
            assert kind == "same", (kind, words, d.text()[-2000:])
            page.off()
            assert not d.left()
            most |= collections.Counter(page.counts())
        return most

    # ---- as it starts ----

    def start(self, who, call, number, n):
        """Gives what came of a start in which the call failed."""
        d = Daemon(prepare=lambda pages: pages[who].set(call, number, n, n))
        ready = d.is_ready()
        failed = d.pages[who].failed()
        kind, words = "same", ""
        d.pages[who].off()
        status = d.process.poll()
        if ready:
            try:
                kind, words = work(d)
            except (OSError, EOFError) as why:
                kind, words = "HANG", repr(why)
        elif status is None:
            kind = "HANG"
        elif status < 0 or " err: " not in d.text():
            kind = "EXIT"
        else:
            kind = "ended"
        text = d.text()[-600:]
        end = d.stop()
        if kind in RIGHT and end != 0:
            kind = "EXIT"
        if failed or kind not in RIGHT:
            self.note(f"start of {who}", call, number, n, kind, f"{words} {end} {text}")

    def starting(self, who):
        d = Daemon(prepare=lambda pages: pages[who].set())
        assert d.is_ready(), d.text()
        counts = d.pages[who].counts()
        d.stop()
        return counts

    # ---- the keeper, while daemons come and go ----

    def keeping(self):
        d = self.ready()
        d.pages["keeper"].set()
        self.death()
        d.pages["keeper"].off()
        return d.pages["keeper"].counts()

    def death(self):
        d = self.ready()
        os.kill(self.pid, signal.SIGKILL)
        end = time.monotonic() + 3 * PATIENCE
        while True:
            try:
                pid = d.ask()["pid"]
            except LOST:
                pid = self.pid
            if pid != self.pid:
                self.pid = pid
                return
            assert time.monotonic() < end and d.process.poll() is None, "no other daemon came"

    def keep(self, _, call, number, n):
        """Its child dies, and there is another, whatever fails in the keeper."""
        d = self.ready()
        page = d.pages["keeper"]
        page.set(call, number, n, n)
        kind, words = "same", ""
        try:
            self.death()
            page.off()
            kind, words = work(d)
        except (AssertionError, OSError, EOFError) as why:
            kind, words = ("HANG" if d.process.poll() is None else "EXIT"), repr(why)
        failed = page.failed()
        page.off()
        if kind not in RIGHT:
            words += d.text()[-1500:]
            self.give_up()
        if failed or kind not in RIGHT:
            self.note("keeper", call, number, n, kind, words)

    # ---- all ----

    def table(self):
        total = collections.Counter()
        last = None
        for (who, call, number), kinds in sorted(self.results.items()):
            if last != (who, call):
                print(f"{who}: {call}")
                last = who, call
            print(f"    {errno.errorcode[number]:16}" + ", ".join(f"{v} {k}" for k, v in kinds.most_common()))
            total.update(kinds)
        print(f"stack {STACK}: " + ", ".join(f"{v} {k}" for k, v in total.most_common()))

    def cases(self):
        """All that may fail: (function, whose, call, errno, which of its calls)."""
        kinds = [(self.one, "daemon", self.serving()), (self.start, "daemon", self.starting("daemon"))]
        if KERNEL:
            kinds += [(self.start, "keeper", self.starting("keeper")), (self.keep, "keeper", self.keeping())]
        return [(do, who, call, number, n) for do, who, counts in kinds for call, most in counts.items()
                if not self.only or call in self.only
                for number in errors(call) for n in range(1, most + 1)]

    def chosen(self, cases):
        """Each call once at first, then, until there is no more time, the others; first and last times before others."""
        most = collections.Counter()
        for do, who, call, _, n in cases:
            most[do, who, call] = max(n, most[do, who, call])
        self.random.shuffle(cases)
        cases.sort(key=lambda c: c[4] not in (1, most[c[:3]]))
        seen = set()
        cases.sort(key=lambda c: c[:3] in seen or seen.add(c[:3]) or False)
        return cases

    def busy(self, call="close"):
        if self.d is not None and self.d.is_busy(self.pid):
            self.note("daemon", call, errors(call)[0], 0, "BUSY", self.d.text()[-600:])
            self.give_up()

    def walk(self, cases):
        """Gives how many there was time for."""
        end = time.monotonic() + (self.seconds or EVER)
        last = None
        for done, (do, *case) in enumerate(cases):
            if time.monotonic() > end:
                return done
            do(*case)
            if not self.seconds and last not in (None, case[1]):
                self.busy(last)
            last = case[1]
        return len(cases)

    def end(self):
        self.busy()
        if self.d is not None:
            log = self.d.text()
            if (status := self.give_up()) != 0:
                self.note("daemon", "close", errno.EIO, 0, "EXIT", f"at its end: {status} {log[-600:]}")

    def run(self):
        print(f"stack: {STACK}, seed {self.seed}", flush=True)
        assert_that_none_is_left_out()
        cases = self.cases()
        done = self.walk(self.chosen(cases) if self.seconds else cases)
        self.end()
        self.table()
        print(f"{done} of {len(cases)} cases")
        print(f"{done - len(self.wrong)} passed, {len(self.wrong)} failed, 0 skipped")
        return not self.wrong and done > 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, help="a sample that takes so long")
    p.add_argument("-v", action="store_true", help="show each case")
    p.add_argument("calls", nargs="*", help="these only")
    a = p.parse_args()
    rpc.WAIT = through.WAIT = PATIENCE
    sys.exit(0 if Walk(a.seconds, a.calls).run() else 1)


main()
