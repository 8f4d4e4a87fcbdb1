# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl top: rates, as text and on a screen."""
import contextlib
import json
import os
import re
import subprocess
import tempfile

from check import recv
from harness import STACK, Daemon, associate, wait_for
from test_cli import SCTPCTL, WAIT, good, run, spawn


def frames(d, *args):
    """A top that prints a line of JSON each tenth of a second."""
    return spawn(d, "top", "--json", "-d", 0.1, *args)


def frame(p):
    return json.loads(p.stdout.readline())


def test_rates_are_what_passed_between_two_frames(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    p = frames(d, "--sock", here)
    first = frame(p)
    assert first["seconds"] == 0 and [a["sock"] for a in first["assocs"]] == [here], first
    for _ in range(50):
        c.call("send", sock=here, assoc_id=here_up, data=b"x" * 100)
    messages = bytes_ = 0
    while messages < 49.5:
        got = frame(p)
        rates = got["assocs"][0]["rates"]
        messages += rates["send_cnt"] * got["seconds"]
        bytes_ += rates["send_oct"] * got["seconds"]
        assert rates["recv_cnt"] == 0 and (rates["rtxchunks"] is None) == (STACK == "userland"), rates
    assert messages < 50.5 and 4900 < bytes_ < 5100, (messages, bytes_)
    p.kill()
    p.communicate()


def test_the_first_rates_are_averages(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    c.call("send", sock=here, assoc_id=here_up, data=b"x" * 100)
    recv(c, there, "data")
    wait_for(lambda: c.call("assocs", sock=here)["assocs"][0]["age"] > 100)
    row = next(a for a in frame(frames(d, "-n", 1))["assocs"] if a["sock"] == here)
    assert 0 < row["rates"]["send_cnt"] < 10 and 0 < row["rates"]["send_oct"] < 1000, row


def test_as_text(d):
    c = d.client("tester")
    associate(c, n=2)
    out = good(d, "top", "-b", "-n", 2, "-d", 0.1)
    assert len(out.split("\n\n")) == 2
    for text in out.split("\n\n"):
        head, sums, columns, *rows = text.splitlines()
        assert re.match(rf"\d\d:\d\d:\d\d up \d+s, {STACK} stack, 2 clients, 3 sockets, 4 associations$", head), head
        assert re.match(r"in \S+ msg/s \S+ B/s  out \S+ msg/s \S+ B/s  sendq 0  4 by msg/s$", sums), sums
        assert columns.split()[:3] == ["sock", "assoc", "peer"] and "owner" in columns.split() and len(rows) == 4
        assert all(len(line) <= 80 and "tester/" in line for line in rows), rows
    out = good(d, "top", "-b", "-n", 1, "--sort=-peer", "--peer", "127.0.0.1", "--state", "up")
    peers = [line.split()[2] for line in out.splitlines()[3:]]
    assert peers == sorted(peers, reverse=True) and " by -peer peer=127.0.0.1:0 state=up" in out, out


def test_it_says_what_it_does_not_take(d):
    for args, says in (
            (["top"], "-b prints tables as text"),
            (["top", "-b", "x"], "top takes options only"),
            (["top", "-b", "--sort", "in-bytes"], 'no column "in-bytes"; there are: sock, assoc'),
            (["top", "-b", "--state", "active"], 'no state "active"'),
            (["top", "-b", "-d", "0"], "not a number of seconds from 0.1 to 86400"),
            (["assocs", "-b"], "--batch goes with top only")):
        status, out, err = run(d, *args)
        assert (status, out) == (2, "") and says in err, (args, status, out, err)


class Screen:
    """sctpctl in a terminal that tmux shows."""

    def __init__(self, d, *args):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.folder.name, "tmux")
        command = " ".join([SCTPCTL, "-s", d.path, *args])
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24",
                  f"{command}; echo exit status $?; read line")

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-S", self.socket, *args], stdout=subprocess.PIPE, text=True, check=True,
                              env={**os.environ, "TERM": "screen"})
        return done.stdout

    def text(self):
        return self.tmux("capture-pane", "-p")

    def shows(self, pattern):
        wait_for(lambda: re.search(pattern, self.text(), re.M))

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def close(self):
        self.tmux("kill-server")
        self.folder.cleanup()


def test_on_a_screen(d):
    c = d.client("tester")
    ids = associate(c, n=30)
    with contextlib.closing(Screen(d, "top", "-d", "0.2", "--sort=sock", "--sock", str(ids[0][0]))) as s:
        s.shows(r"^ *sock assoc peer ")
        lines = s.text().splitlines()
        assert len(lines) == 24 and sum("tester/" in line for line in lines) == 20 and lines[-1].startswith("h: help"), lines
        s.press("h")
        s.shows("Abort the chosen association")
        s.press("h", "End", "Up")
        want = sorted(ids, key=lambda i: i[1])[-2]
        s.press("Enter")
        s.shows(rf"^association {want[1]} of socket {want[0]}: up$")
        s.press("q", "k")
        s.shows(rf"^abort association {want[1]} of socket {want[0]}, peer 127\.0\.0\.1:\d+\? y or n: *$")
        s.press("n", "Enter")
        s.shows("^not aborted")
        assert len(c.call("assocs", sock=ids[0][0])["assocs"]) == 30
        s.press("k", "y", "Enter")
        s.shows("^aborted")
        recv(c, want[2], "sctp_assoc_change", state="comm_lost", assoc_id=want[3])
        s.press("f", "state=gone", "Enter")
        s.shows('^"state=gone" is no filter')
        s.press("f", "state=up", "Space", "ppid=m3ua", "Enter")
        s.shows("by sock state=up ppid=m3ua")
        s.press("f", "Enter", ">")
        s.shows("^sorted by assoc")
        s.press("r")
        s.shows("by -assoc")
        s.press("q")
        s.shows("^exit status 0$")


def test_a_daemon_that_is_gone_is_waited_for(_):
    other = Daemon()
    with contextlib.closing(Screen(other, "top", "-d", "0.1", "--timeout", "20000")) as s:
        s.shows("^ *sock assoc")
        other.stop()
        s.shows("^sctpctl: sctpd is gone, waiting$")
        again = Daemon(path=other.path)
        s.shows("^ *sock assoc")
        s.press("q")
        s.shows("^exit status 0$")
        again.stop()


def test_a_daemon_that_does_not_come_back_ends_it(_):
    other = Daemon()
    p = frames(other, "--timeout", 300)
    frame(p)
    other.stop()
    out, err = p.communicate(None, WAIT)
    assert p.returncode == 3 and '"exit_status": 3' in err and "sctpd is gone, waiting" in err, (out, err)
