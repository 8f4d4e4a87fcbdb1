# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 of the daemon once a second under programs that know nothing of it.
On the kernel's stack associations outlive it: the programs notice nothing."""
import os
import signal
import threading
import time

from harness import STACK, Skip
from rpc import Client
from test_keeper import Own
from test_programs import calls, osmo

BEATS = 5   # seconds that osmo-stp has


class Killed:
    """A daemon with its keeper, as tests take one, that is killed once a second meanwhile."""

    def __init__(self):
        if STACK != "kernel":
            raise Skip("associations of the userland stack end with the daemon")
        self.own, self.clients, self.times, self.over = Own(), [], 0, threading.Event()
        self.path = self.own.path
        self.thread = threading.Thread(target=self.run)

    def client(self):
        self.clients.append(Client(self.path))
        return self.clients[-1]

    def run(self):
        pid = self.own.child()
        while not self.over.wait(1):
            os.kill(pid, signal.SIGKILL)
            self.times += 1
            pid = self.own.next_child(pid)

    def __enter__(self):
        self.own.__enter__()
        self.own.ready()
        return self

    def __exit__(self, *why):
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()
        for c in self.clients:
            c.close()
        self.own.__exit__(*why)


def test_sipp(_):
    with Killed() as d:
        d.thread.start()
        calls(d, True, True)
        print(f"  1500 calls, {d.times} kills", flush=True)
        assert d.times >= 2


def test_osmo_stp(_):
    with Killed() as d, osmo(d, True, True) as (sg, asp):
        d.thread.start()
        time.sleep(BEATS)   # for so long it is killed; nothing happens that could be waited for
        [sg_asp] = [a for a in d.client().call("assocs")["assocs"] if a["port"] == 2905]
        assert sg_asp["state"] == "up" and sg_asp["age"] >= BEATS, sg_asp
        for p in sg, asp:
            assert p.process.poll() is None and "SHUTDOWN" not in p.output and "losed" not in p.output, p.output
        print(f"  active all the time, {d.times} kills", flush=True)
        assert d.times >= 2
