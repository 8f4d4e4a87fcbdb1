#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What looking costs: top.py COUNT [SECONDS].

One daemon has COUNT associations with another. How long a frame of sctpctl top or
of sctpctl paths -d keeps sctpctl and the daemon busy, and a list of paths by a
program that is started for it; and how long a message from
one client to another takes while somebody looks once a second, and while nobody
does. Both are measured in turns, for SECONDS in all, so that whatever else the
machine does falls on both. TEST_STACK selects the stack."""
import contextlib
import fcntl
import os
import pty
import resource
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from crowd import Crowd, processor, raise_limits, report  # noqa: E402
from harness import BUILD  # noqa: E402
from rpc import Client  # noqa: E402

SCTPCTL = os.path.join(BUILD, "sctpctl")
FRAMES = 20
LISTS = 10
TURNS = 8               # of each kind


def children():
    """Seconds of processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Echo:
    """A message from one client to another, through an association of the daemon with itself."""

    def __init__(self, path):
        self.here, self.there = Client(path), Client(path)
        listener = self.there.call("open", ip="127.0.0.1", options={"active": True})
        self.there.call("listen", sock=listener["sock"])
        self.sock = self.here.call("open", ip="127.0.0.1")["sock"]
        self.assoc = self.here.call("connect", sock=self.sock, addr="127.0.0.1", port=listener["port"])["assoc_id"]
        self.there.event("sctp_assoc_change")

    def trip(self):
        begin = time.perf_counter()
        self.here.call("send", sock=self.sock, assoc_id=self.assoc, data=b"x" * 100)
        self.there.event("data")
        return time.perf_counter() - begin

    def trips(self, seconds):
        until = time.monotonic() + seconds
        took = []
        while time.monotonic() < until or not took:
            took.append(self.trip())
        return took


def start(path, args):
    """sctpctl on a terminal of 80 columns, and what is set when it has shown something."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    p = subprocess.Popen([SCTPCTL, "-s", path, *map(str, args)], stdin=its, stdout=its, stderr=its,
                         env={**os.environ, "TERM": "xterm"})
    os.close(its)
    shown = threading.Event()
    threading.Thread(target=swallow, args=(ours, shown), daemon=True).start()
    return p, shown


def swallow(fd, shown):
    with contextlib.suppress(OSError):      # EIO: whoever wrote has ended
        while os.read(fd, 65536):
            shown.set()
    os.close(fd)
    shown.set()


def cost(path, pid, runs, frames, *args):
    """Milliseconds of processor time that sctpctl and the daemon take for a frame; a run shows so many."""
    own, its = children(), processor(pid)
    for _ in range(runs):
        assert start(path, args)[0].wait() == 0
    return (children() - own) * 1000 / runs / frames, (processor(pid) - its) * 1000 / runs / frames


class Look:
    """Somebody looks each second, until this ends: on a screen, or by a program that is started each time."""

    def __init__(self, path, what):
        self.path, self.over = path, threading.Event()
        self.process = self.thread = None
        if what in ("top", "paths"):
            self.process, shown = start(self.path, (what, "-d", 1))
            shown.wait()
        else:
            self.thread = threading.Thread(target=self.lists)
            self.thread.start()

    def lists(self):
        while not self.over.is_set():
            start(self.path, ("paths",))[0].wait()
            self.over.wait(1)

    def end(self):
        self.over.set()
        if self.thread:
            self.thread.join()
        else:
            self.process.terminate()
            self.process.wait()


def alternate(echo, path, what, seconds):
    """Round trips while nobody looks, and while somebody does, in turns."""
    alone, looked_at = [], []
    for _ in range(TURNS):
        alone.append(microseconds(echo.trips(seconds)))
        looking = Look(path, what)
        looked_at.append(microseconds(echo.trips(seconds)))
        looking.end()
    return alone, looked_at


def microseconds(trips):
    """The mean: a few that take long count."""
    return statistics.fmean(trips) * 1e6


def main(count, seconds=60.0):
    raise_limits(2 * count)
    crowd = Crowd(count)
    pid, _ = crowd.pid()
    crowd.fill()
    crowd.hear()
    path = crowd.near.path
    report("associations", crowd.up)
    for what, *how in (("a frame of top", 1, FRAMES, "top", "-d", 0.1, "-n", FRAMES),
                       ("the first list of paths", 1, 1, "paths"), ("a list of paths, by a program", LISTS, 1, "paths"),
                       ("a frame of paths", 1, FRAMES, "paths", "-d", 0.1, "-n", FRAMES)):
        own, its = cost(path, pid, *how)
        report(f"ms of processor for {what}: sctpctl", f"{own:.1f}")
        report("  the daemon", f"{its:.1f}")
    echo = Echo(path)
    echo.trips(seconds / 20)
    for what in "top", "paths", "a list of paths, by a program":
        alone, looked_at = alternate(echo, path, what, seconds / 6 / TURNS)
        report("us for a message, nobody looks", f"{statistics.median(alone):.1f}")
        report(f"  with {what} each second", f"{statistics.median(looked_at):.1f}")
        report("  ratio, the median of turns", f"{statistics.median(b / a for a, b in zip(alone, looked_at)):.3f}")
    return crowd.up == count


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]), *map(float, sys.argv[2:])))
