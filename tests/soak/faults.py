# SPDX-License-Identifier: BSD-2-Clause
"""What happens to the two hosts: each kind of fault begins something and says
when it is over. One loop hears the daemons, the clients and the clock."""
import heapq
import itertools
import os
import select
import signal
import socket
import subprocess
import time

import msgpack

from hosts import NETWORKS
from plan import SIDES

KINDS = {  # and how often
    "daemon-kill": 4, "daemon-fault": 4, "daemon-early": 2, "daemon-term": 2, "daemon-stop": 1, "client-kill": 4,
    "client-stop": 1, "hand-over": 3, "path": 1}
KILLS = ("daemon-kill", "daemon-fault", "daemon-early", "daemon-term", "client-kill")
NAMES = {"daemon-kill": "SIGKILL of the daemon", "daemon-term": "SIGTERM of the daemon",
         "daemon-fault": "SIGKILL at a place of fault.h",
         "daemon-early": "SIGKILL while it starts",
         "daemon-stop": "SIGSTOP of the daemon, 2 s", "client-kill": "SIGKILL of a client",
         "client-stop": "SIGSTOP of a client, 2 s",
         "hand-over": "hand-over to another client", "path": "network down and up"}
# Places of daemon/util/fault.h that are come to all the time.
PLACES = ("recvmmsg", "bundle", "sendmmsg", "uncommitted", "committed", "applied", "written")
SELDOM = ("supervised", "attached")  # in one of ten: see supervised.py
PASSED = 40  # times that one is passed, at most, before the daemon dies there
STOPPED = 2  # seconds
AT_ONCE = 0.1  # how often the next comes at once
STARTING = 0.1  # seconds in which a daemon that was killed is killed again


class Watch:
    """Asks a daemon for its process, and the next one when that is gone."""

    def __init__(self, path):
        self.path, self.sock, self.killed, self.times = path, None, None, []
        self.fault, self.deaths = None, []  # the place where it is to die; those where it did
        self.ask()

    def ask(self):
        self.forget()
        if self.sock:
            self.sock.close()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)
        try:
            self.sock.sendall(msgpack.packb([0, 1, "status", []]))
        except (BrokenPipeError, ConnectionResetError):
            pass  # hear sees it, too
        self.unpacker = msgpack.Unpacker()

    def forget(self):
        if getattr(self, "pidfd", None) is not None:
            os.close(self.pidfd)
        self.pid = self.pidfd = None

    def hear(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            if self.fault and not self.killed:
                self.deaths.append(self.fault)
                self.killed = time.monotonic()
            self.fault = None
            self.ask()
            return
        self.unpacker.feed(data)
        for _, _, _, result in self.unpacker:
            try:
                self.pidfd = os.pidfd_open(result["pid"])
                self.pid = result["pid"]
                if self.killed:
                    self.times.append(time.monotonic() - self.killed)
                self.killed = None
            except ProcessLookupError:
                pass  # dead again: the connection's end is under way

    def signal(self, number):
        """False: there is none at the moment."""
        if self.pidfd is None:
            return False
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            return False
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.forget()  # until the next says who it is
            self.killed = time.monotonic()
        return True


class Faults:
    """Those of a run; kinds as in KINDS. child says which process of a side
    the keeper has now, also if it does not serve yet."""

    def __init__(self, load, random, kinds, rate, log, child, fault_files):
        self.child, self.fault_files = child, fault_files
        self.load, self.random, self.kinds, self.rate, self.log = load, random, kinds, rate, log
        self.watches = {side: Watch(load.paths[side]) for side in SIDES}
        self.counts = {kind: {side: 0 for side in SIDES} for kind in KINDS}
        self.not_done, self.open = {}, set()
        self.timers, self.order = [], itertools.count()
        self.problems, self.cut, self.calm = [], None, False

    # ---- the loop ----

    def at(self, delay, action, *args):
        heapq.heappush(self.timers, (time.monotonic() + delay, next(self.order), action, args))

    def step(self, until):
        """Until something has happened, or that time."""
        sources = {w.sock: (lambda side=side: self.hear_daemon(side)) for side, w in self.watches.items()}
        sources.update({c.control: (lambda c=c: self.hear_client(c)) for c in self.load.clients if c.pid})
        if self.cut:
            sources[self.cut[1]] = self.path_ended
        first = min([until, *(t[0] for t in self.timers[:1])])
        ready, _, _ = select.select(list(sources), [], [], max(first - time.monotonic(), 0))
        for source in ready:
            sources[source]()
        while self.timers and self.timers[0][0] <= time.monotonic():
            _, _, action, args = heapq.heappop(self.timers)
            action(*args)

    def hear_client(self, c):
        said = c.hear()
        if said is None:
            self.problems.append(f"{c} exited with {c.ended()}")
        elif said["is"] == "gave":
            self.close("hand-over", c.side)
            if said.get("error") is None:
                self.done("hand-over", c.side, f"{c} gave sock {said['sock']}")
            else:
                self.miss("hand-over", said["error"])

    # ---- one fault ----

    def kills(self):
        return sum(n for kind in KILLS for n in self.counts[kind].values())

    def times(self):
        """How long it took until the next daemon answered, in ms."""
        return sorted(1000 * t for w in self.watches.values() for t in w.times)

    def done(self, kind, side, text=""):
        self.counts[kind][side] += 1
        self.log(f"{side}: {kind} {text}")

    def miss(self, kind, why):
        self.not_done[kind] = self.not_done.get(kind, 0) + 1
        self.log(f"not done: {kind}: {why}")

    def close(self, kind, side):
        self.open.discard((kind, side))

    def next(self, elapsed):
        """Begin one; gives when the next is due."""
        kinds = self.kinds
        behind = self.kills() < elapsed * 1.1 + 1 and any(k in KILLS for k in kinds)
        if behind:
            kinds = {k: n for k, n in kinds.items() if k in KILLS}
        kind = self.random.choices(list(kinds), kinds.values())[0]
        getattr(self, kind.replace("-", "_"))(self.random.choice(SIDES))
        if self.random.random() < AT_ONCE:
            return 0
        return self.random.uniform(0, 0.3 / self.rate) if behind else self.random.expovariate(self.rate)

    def daemon_kill(self, side, number=signal.SIGKILL, kind="daemon-kill", then=None):
        pid = self.watches[side].pid
        if not self.watches[side].signal(number):
            self.at(0.005, self.daemon_kill, side, number, kind, then)  # when the next is there
            return
        self.done(kind, side, f"pid {pid}")
        if then:
            self.at(self.random.uniform(0, STARTING), then, side)

    def daemon_fault(self, side):
        """It dies by itself: hear_daemon counts it then."""
        watch = self.watches[side]
        if watch.pid is None or watch.fault:
            if not self.calm:       # the one before may never come to its place: bundles need a load
                self.at(0.005, self.daemon_fault, side)
            return
        watch.fault = self.random.choice(SELDOM if self.random.random() < 0.1 else PLACES)
        with open(self.fault_files[side] + "+", "w", encoding="ascii") as f:
            f.write(f"{watch.fault} {self.random.randint(1, 3 if watch.fault in SELDOM else PASSED)}\n")
        os.rename(self.fault_files[side] + "+", self.fault_files[side])

    def hear_daemon(self, side):
        self.watches[side].hear()
        for place in self.watches[side].deaths:
            self.done("daemon-fault", side, f"at {place}")
        self.watches[side].deaths.clear()

    def daemon_term(self, side):
        self.daemon_kill(side, signal.SIGTERM, "daemon-term")

    def daemon_early(self, side):
        self.daemon_kill(side, then=self.kill_early)

    def kill_early(self, side):
        """One that restores: the journal stands that twice, not more often."""
        pid = self.child(side)
        if pid is None or self.watches[side].pid is not None:
            self.miss("daemon-early", "it was too late or too early")
            return
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.done("daemon-early", side, f"pid {pid}")

    def daemon_stop(self, side):
        watch = self.watches[side]
        if ("daemon-stop", side) in self.open:
            return
        pidfd = os.dup(watch.pidfd) if watch.signal(signal.SIGSTOP) else None
        if pidfd is None:
            self.at(0.005, self.daemon_stop, side)
            return
        self.done("daemon-stop", side, f"pid {watch.pid}")
        self.go_on_later("daemon-stop", side, pidfd)

    def go_on_later(self, kind, side, pidfd):
        self.open.add((kind, side))
        self.at(STOPPED, self.go_on, kind, side, pidfd)

    def go_on(self, kind, side, pidfd):
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it was killed meanwhile
        os.close(pidfd)
        self.close(kind, side)

    def client_kill(self, side):
        c = self.random.choice(self.load.of(side))
        if not c.pid or not c.back:
            self.at(0.005, self.client_kill, side)
            return
        status = c.kill()
        if status != -signal.SIGKILL:
            self.problems.append(f"{c} exited with {status}")
            return
        self.close("hand-over", side)
        self.done("client-kill", side, str(c))
        self.at(self.random.choice((0, self.random.uniform(0, 0.5))), c.start)

    def client_stop(self, side):
        c = self.random.choice(self.load.of(side))
        if ("client-stop", side) in self.open or not c.pid or not c.back:
            return
        signal.pidfd_send_signal(c.pidfd, signal.SIGSTOP)
        self.done("client-stop", side, str(c))
        self.go_on_later("client-stop", side, os.dup(c.pidfd))

    def hand_over(self, side):
        socks = [c for c in self.load.clients if c.side == side and c.client]
        if ("hand-over", side) in self.open or len(socks) < 2:
            return
        giver, taker = self.random.sample(socks, 2)
        if giver.pid and giver.back:
            self.open.add(("hand-over", side))
            giver.say("give", to=taker.client)

    def path(self, side):
        if self.cut:
            return
        number, seconds = self.random.choice("12"), self.random.uniform(0.3, 3)
        script = f'sh "$0" cut {number} && sleep {seconds:.3f}; sh "$0" mend {number}'
        process = subprocess.Popen(["sh", "-c", script, NETWORKS], stdin=subprocess.DEVNULL)
        self.cut = process, os.pidfd_open(process.pid)
        self.done("path", side, f"network {number} for {seconds:.1f} s")

    def path_ended(self):
        process, pidfd = self.cut
        os.close(pidfd)
        self.cut = None
        if process.wait() != 0:
            self.problems.append("a network could not be cut or mended")

    # ---- the end ----

    def calm_down(self, deadline):
        """Begin no more; until all is up again."""
        self.calm = True
        while True:
            if self.problems or (not self.timers and not self.cut and not self.open and
                                 all(w.pid for w in self.watches.values()) and
                                 all(c.pid and c.back for c in self.load.clients)):
                return
            if time.monotonic() > deadline:
                self.problems.append("not all was up again after the last fault: "
                                     f"{self.open} {[str(c) for c in self.load.clients if not c.pid or not c.back]} "
                                     f"{[side for side, w in self.watches.items() if not w.pid]} {self.cut} "
                                     f"{[w.fault for w in self.watches.values()]} "
                                     f"{[(t[0] - time.monotonic(), t[2].__name__) for t in self.timers]}")
                return
            self.step(deadline)
