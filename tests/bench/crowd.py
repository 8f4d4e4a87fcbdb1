#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""As many associations as one daemon can hold: crowd.py COUNT [SECONDS].

One daemon listens on LISTENERS one-to-many sockets. The peers are the sockets
of another daemon, each of which connects to all of the listeners. Both daemons,
and the two clients that drive them, are on this machine, so a set-up costs
both ends. TEST_STACK selects the stack. The kernel's stack runs with the
keeper; its daemon is killed when all associations are up, and must have every
one of them again.

It stops early where there is no room for more: no memory, no descriptors, or
40,000 associations of usrsctp, which has that number in it. When all are up,
it watches the daemon for SECONDS in which nothing happens."""
import os
import re
import resource
import signal
import sys
import time

PATIENCE = 600          # seconds that anything may take
os.environ["TEST_WAIT"] = str(PATIENCE)
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from harness import STACK, Daemon, stack_config  # noqa: E402
from rpc import Client, RpcError  # noqa: E402
from test_keeper import Kept  # noqa: E402
from through import Session  # noqa: E402

LISTENERS = 100
WINDOW = 256            # set-ups under way at a time
SPARE = 128 << 20       # bytes of memory that stay free
CONFIG = {"log_level": "warning", "max_associations": 1000000, "max_sockets": 1000000, "max_memory": "500000M",
          "client_queue": "64M", "resume_time": 600000}


def fields(path):
    """The numbers of a file of lines such as "Name: 12 kB"."""
    with open(path, encoding="ascii") as f:
        return {m[1]: int(m[2]) for m in re.finditer(r"^(\w+):\s*(\d+)", f.read(), re.M)}


def memory(pid):
    """Bytes that this process alone has filled."""
    has = fields(f"/proc/{pid}/status")
    return 1024 * (has["RssAnon"] + has["RssShmem"])


def kernels():
    """Bytes that the kernel has for itself."""
    has = fields("/proc/meminfo")
    return 1024 * (has["MemTotal"] - has["MemFree"] - has["Buffers"] - has["Cached"] - has["AnonPages"])


def processor(pid):
    """Seconds of processor time."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")


def raise_limits(count):
    """A descriptor for each association, and those of the rest."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for most in (max(hard, 2 * count + 1000), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return
        except (ValueError, OSError):
            continue


def open_all(c, n, **args):
    """So many sockets; gives their answers."""
    return [c.answer(i) for i in c.requests("open", [{"ip": "127.0.0.1", **args}] * n)]


class Crowd:
    def __init__(self, count):
        self.count, self.up, self.why = count, 0, None
        net = stack_config(None)
        self.near = (Kept if STACK == "kernel" else Daemon)(**CONFIG, **net)
        self.far = Daemon(**{**CONFIG, **stack_config(None), **({} if STACK == "kernel" else
                                                                {"peer_udp_port": net["udp_port"]})})
        self.server = Session(self.near.path, "server") if STACK == "kernel" else Client(self.near.path)
        self.client = Client(self.far.path)
    
    def pid(self):
        c = Client(self.near.path)
        status = c.call("status")
        c.close()
        return status["pid"], status["associations"]

    def room(self):
        """False: the machine has no more."""
        if 1024 * fields("/proc/meminfo")["MemAvailable"] < SPARE:
            self.why = "there is no more memory"
        return self.why is None

    def set_up(self, calls):
        """Have these connects carried out, WINDOW at a time."""
        waiting = []
        for i in range(0, len(calls), WINDOW // 2):
            waiting.append(self.client.requests("connect", calls[i:i + WINDOW // 2]))
            if len(waiting) == 2:
                self.finish(waiting.pop(0))
            if not self.room():
                break
        for ids in waiting:
            self.finish(ids)

    def finish(self, ids):
        for i in ids:
            try:
                self.client.answer(i)
                self.up += 1
            except RpcError as e:
                self.why = self.why or str(e)

    def fill(self):
        """Gives how many set-ups there were in a second."""
        ports = [s["port"] for s in open_all(self.server, LISTENERS, options={"active": True})]
        for s in self.server.call("sockets")["sockets"]:
            self.server.call("listen", sock=s["sock"])
        socks = [s["sock"] for s in open_all(self.client, -(-self.count // LISTENERS))]
        calls = [{"sock": s, "addr": "127.0.0.1", "port": p} for s in socks for p in ports][:self.count]
        start = time.monotonic()
        self.set_up(calls)
        return self.up / (time.monotonic() - start)

    def hear(self):
        """Each association was announced once."""
        ups = 0
        while ups < self.up:
            ups += self.server.event()[1].get("state") == "comm_up"

    def idle(self, pid, seconds):
        """How often it woke up in a second, and what part of a processor it took."""
        time.sleep(seconds / 3)  # the last addresses are confirmed
        before, took = fields(f"/proc/{pid}/status")["voluntary_ctxt_switches"], processor(pid)
        time.sleep(seconds)
        woke = fields(f"/proc/{pid}/status")["voluntary_ctxt_switches"] - before
        return woke / seconds, (processor(pid) - took) / seconds

    def die(self, pid):
        """Kill it; gives the seconds until the session goes on."""
        start = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        self.server.call("status")
        return time.monotonic() - start


def report(name, value):
    print(f"{name:<46}{value:>12}", flush=True)


def main(count, seconds=10.0):
    raise_limits(count)
    crowd = Crowd(count)
    pid, _ = crowd.pid()
    before, kernel = memory(pid), kernels()
    rate = crowd.fill()
    crowd.hear()
    report("associations held", crowd.up)
    if crowd.why is not None:
        report("no more, because", crowd.why)
    report("set-ups a second, both ends and their clients", round(rate))
    report("bytes of the daemon for an association", (memory(pid) - before) // max(crowd.up, 1))
    if STACK == "kernel":
        report("bytes of the kernel for an end of one", (kernels() - kernel) // max(2 * crowd.up, 1))
    woke, share = crowd.idle(pid, seconds)
    report("wake-ups a second when idle", woke)
    report("part of a processor when idle", f"{share:.4f}")
    held = crowd.pid()[1]
    if STACK == "kernel":
        report("seconds from SIGKILL until the session goes on", f"{crowd.die(pid):.2f}")
        held = crowd.pid()[1]
        report("associations held after that", held)
    return held == crowd.up and crowd.up > 0 and (crowd.why is not None or crowd.up == count)


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]), *map(float, sys.argv[2:])))
