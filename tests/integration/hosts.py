# SPDX-License-Identifier: BSD-2-Clause
"""Two hosts with two networks between them, sctpd on both, and other
programs that speak SCTP there.

The hosts are the network namespaces of tests/lab/two-hosts.sh: network N has
10.0.N.1 at the left and 10.0.N.2 at the right."""
import contextlib
import os
import re
import select
import shutil
import subprocess
import time

from harness import ROOT, SLOW, Daemon, Skip, wait_for
from rpc import WAIT

NETWORKS = os.path.join(ROOT, "tests", "lab", "two-hosts.sh")
LEFT = ["10.0.1.1", "10.0.2.1"]
RIGHT = ["10.0.1.2", "10.0.2.2"]


def networks(*args):
    subprocess.run(["sh", NETWORKS, *args], check=True)


@contextlib.contextmanager
def cut(number):
    """This network is down meanwhile."""
    networks("cut", number)
    try:
        yield
    finally:
        networks("mend", number)


class Program:
    """Somebody else's program, in a namespace if one is named. Its output is
    read as it comes; lines written to it end with a newline."""

    def __init__(self, *command, netns=None):
        if not shutil.which(command[0]):
            raise Skip(f"{command[0]} is not installed: run tests/deps.sh check")
        line = ["stdbuf", "-oL", *command]
        if netns:
            line = ["ip", "netns", "exec", netns, *line]
        self.output = ""
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def write(self, *lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def read(self, deadline):
        """Some more of its output; False at its end."""
        left = max(deadline - time.monotonic(), 0)
        ready = select.select([self.process.stdout], [], [], left)[0]
        assert ready, f"{self.process.args} said only:\n{self.output}"
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        self.output += data.decode(errors="replace")
        return bool(data)

    def expect(self, pattern):
        """Wait until its output matches."""
        deadline = time.monotonic() + WAIT * SLOW
        while not (found := re.search(pattern, self.output, re.S | re.M)):
            assert self.read(deadline), f"{self.process.args} ended with:\n{self.output}"
        return found

    def listening(self, port):
        """Wait until it listens: programs say so too early, or not at all."""
        def listens():
            with open(f"/proc/{self.process.pid}/net/sctp/eps", encoding="ascii") as f:
                rows = [line.split() for line in f]
            return any(row[3] == "10" and row[5] == str(port) for row in rows[1:])
        wait_for(listens)
        return self

    def end(self):
        """Wait until it ends by itself; all that it said."""
        self.process.stdin.close()
        deadline = time.monotonic() + WAIT * SLOW
        while self.read(deadline):
            pass
        self.process.wait(WAIT)
        return self.output

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT)
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Hosts:
    """What a module of tests gets instead of a Daemon: two of them."""

    def __init__(self, **config):
        networks("up")
        self.left = Daemon(netns="left", **config)
        self.right = Daemon(netns="right", **config)

    def restart_right(self):
        """sctpd at the right is killed without a word, and comes again."""
        config = self.right.config
        self.right.kill()
        self.right = Daemon(netns="right", **config)

    def alive(self):
        return self.left.alive() and self.right.alive()

    def close_clients(self):
        self.left.close_clients()
        self.right.close_clients()

    def idle(self):
        self.left.idle()
        self.right.idle()

    def log_text(self):
        return "\n".join(f"--- {side}\n" + "\n".join(d.log_text().splitlines()[-20:])
                         for side, d in (("left", self.left), ("right", self.right)))

    def stop(self):
        try:
            return self.left.stop() + self.right.stop()
        finally:
            networks("down")
