# SPDX-License-Identifier: BSD-2-Clause
"""The daemon under test, and what tests share.

A module of tests gets one daemon of its own, started once; tests name the
clients they want with d.client(). When a test is over its clients are closed
and the daemon must have no socket and no association left.

TEST_WRAP, if set, is put in front of the daemon's command (valgrind); and
TEST_SCTPD is the daemon instead of the one that was built (with ASan).
TEST_STACK, if set, is the SCTP stack that it uses, and TEST_ENCAP, with the
userland stack, its setting encap, where one daemon has the network; TEST_BUILD is the folder
in which it was built. TEST_DELAY, if set, is how many milliseconds every
packet needs on the loopback device, on which most tests talk."""
import atexit
import contextlib
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref

import programs
from programs import BUILD, ROOT
from rpc import WAIT, Client

WRAP = shlex.split(os.environ.get("TEST_WRAP", ""))
SCTPD = os.environ.get("TEST_SCTPD") or os.path.join(BUILD, "sctpd")
STACK = os.environ.get("TEST_STACK", "kernel")
# What valgrind says of a descriptor that was opened and not closed.
OPEN_AT_EXIT = re.compile(r"^==\d+== Open .*\n(?!.*<inherited from parent>)", re.M)
SLOW = 10 if WRAP else 1  # how much longer things may take
HOARDS = bool(WRAP) or "TEST_SCTPD" in os.environ  # what is freed stays with valgrind or ASan: memory says little
DELAY = int(os.environ.get("TEST_DELAY", "0"))
# What tests compile is this run's own: "make check" has several at a time.
SCRATCH = tempfile.mkdtemp(prefix="sctpd-tests-")
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


class Skip(Exception):
    """This test cannot run here; the text says why."""


def compiled(name):
    """tests/integration/NAME.c as a program; its path."""
    path = os.path.join(SCRATCH, name)
    return path if os.path.exists(path) else programs.compiled(name, SCRATCH)


def stack_config(netns, stack=STACK):
    """Settings for the stack under test: where daemons share a network the
    userland's have a UDP port of their own each, and call only themselves."""
    if stack == "kernel":
        return {"stack": stack}
    if "TEST_ENCAP" in os.environ:
        return {"stack": stack, "encap": os.environ["TEST_ENCAP"]}
    if netns:
        return {"stack": stack}
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind(("::", 0))
        port = s.getsockname()[1]
    return {"stack": stack, "udp_port": port, "peer_udp_port": port}


def delay_loopback(ms):
    """Every packet on the loopback device needs so long, or, with 0, no time.
    The queue is long: packets are to be late, and not to be lost."""
    change = ["replace", "dev", "lo", "root", "netem", "delay", f"{ms}ms", "limit", "100000"]
    done = subprocess.run(["tc", "qdisc", *(change if ms else ["del", "dev", "lo", "root"])],
                          capture_output=True, text=True)
    if ms and done.returncode != 0:
        raise Skip(f"no netem here: {done.stderr.strip()}")


@contextlib.contextmanager
def round_trip(ms=40):
    """A packet and its answer on the loopback device need so long meanwhile."""
    delay_loopback(ms // 2)
    try:
        yield
    finally:
        delay_loopback(DELAY)


def wait_for(true, why=lambda: "it never came"):
    """Until it is true. For what nobody tells: it asks again and again, and leaves the
    processor meanwhile to those that it waits for, ever longer at a time."""
    deadline, pause = time.monotonic() + WAIT * SLOW, 0.001
    while not true():
        assert time.monotonic() < deadline, why()
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def halt(pid):
    """SIGSTOP, and wait until it has stopped: until then another processor goes on with it."""
    os.kill(pid, signal.SIGSTOP)

    def stands():
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                    open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as f:     # unless it has just ended
                if f.read().rpartition(")")[2].split()[0] != "T":
                    return False
        return True
    wait_for(stands, lambda: f"process {pid} did not stop")


class Daemon:
    """sctpd, started and ready; config is a dict for its file, and prefix
    comes before its command."""
    all = weakref.WeakSet()

    def __init__(self, netns=None, path=None, prefix=(), **config):
        self.config = config
        self.dir = tempfile.mkdtemp(prefix="sctpd-")
        self.path = path or os.path.join(self.dir, "s")
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in {"log_level": "debug", **stack_config(netns),
                                                        **config}.items())
        self.log = open(os.path.join(self.dir, "log"), "w+")
        Daemon.all.add(self)
        command = [*WRAP, SCTPD, "-c", conf, "-s", self.path]
        if netns:
            command = ["ip", "netns", "exec", netns, *command]
        command = [*prefix, *command]
        # "READY=1" says when it listens; the socket file alone comes too early.
        notify = os.path.join(self.dir, "notify")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(notify)
        self.process = subprocess.Popen(command, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env={**os.environ, "NOTIFY_SOCKET": notify})
        wait_for(lambda: select.select([listener], [], [], 0.1)[0] or self.process.poll() is not None)
        assert self.alive() and listener.recv(64).startswith(b"READY=1"), self.log_text()
        listener.close()
        self.clients = []

    def client(self, name=None):
        c = Client(self.path, name)
        c.sock.settimeout(WAIT * SLOW)
        self.clients.append(c)
        return c

    def close_clients(self):
        for c in self.clients:
            c.close()
        self.clients = []

    def idle(self):
        """Wait until nothing of an ended test is left, the asking client aside;
        gives how many descriptors and how much memory it has then."""
        c = Client(self.path)
        c.sock.settimeout(WAIT * SLOW)
        left = {}

        def nothing():
            left.update({k: v for k, v in c.call("status").items()
                         if k in ("clients", "away", "sockets", "associations", "lingering")})
            return left == {"clients": 1, "away": 0, "sockets": 0, "associations": 0, "lingering": 0}
        wait_for(nothing, lambda: f"left in sctpd: {left}")
        has = self.descriptors(), self.memory()
        c.close()
        return has

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def log_text(self):
        self.log.flush()
        with open(self.log.name) as f:
            return f.read()

    @classmethod
    def logs(cls):
        """The end of what each has logged that was not ended properly, by its folder."""
        return {d.dir: d.log_text().splitlines()[-30:] for d in cls.all if os.path.exists(d.log.name)}

    def alive(self):
        return self.process.poll() is None

    def descriptors(self):
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def kernel(self, name):
        """What the kernel says in /proc/net/sctp where it runs."""
        with open(f"/proc/{self.process.pid}/net/sctp/{name}", encoding="ascii") as f:
            return f.read()

    @contextlib.contextmanager
    def asleep(self):
        """It does not run meanwhile."""
        halt(self.process.pid)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """End it without a word."""
        self.process.kill()
        self.process.wait(WAIT)
        self.close_clients()
        shutil.rmtree(self.dir)

    def stop(self):
        """End it properly; what it logged."""
        self.close_clients()
        self.process.terminate()
        return self.ended()

    def ended(self):
        """Wait until it ended properly; valgrind says with its exit status
        and in the log whether it has something to complain about."""
        status = self.process.wait(WAIT * SLOW)
        text = self.log_text()
        shutil.rmtree(self.dir)
        assert status == 0, f"sctpd exited with {status}:\n{text[-6000:]}"
        assert not OPEN_AT_EXIT.search(text), f"sctpd left descriptors open:\n{text[-6000:]}"
        return text


def associate(c, n=1, to=None, ip="127.0.0.1", options=None, **listener):
    """A listening socket and n sockets with an association to it; gives
    (listener, its assoc_id, connector, its assoc_id), or a list of n such."""
    to = to or c
    there = to.call("open", ip=ip, **listener)
    to.call("listen", sock=there["sock"])
    ids = []
    for _ in range(n):
        here = c.call("open", ip=ip, options=options or {})
        up = c.call("connect", sock=here["sock"], addr=ip, port=there["port"], timeout=WAIT * 1000)
        peer = to.call("recv", sock=there["sock"], timeout=WAIT * 1000)
        assert (peer["event"], peer["state"]) == ("sctp_assoc_change", "comm_up"), peer
        ids.append((there["sock"], peer["assoc_id"], here["sock"], up["assoc_id"]))
    return ids if n > 1 else ids[0]
