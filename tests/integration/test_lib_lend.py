# SPDX-License-Identifier: BSD-2-Clause
"""libsctpd without the daemon in between, and with many messages at a time: a
C program that has its socket lent, and sends and takes batches."""
import os
import shutil
import signal
import subprocess

from harness import SCRATCH, SLOW, Daemon, Skip, compiled
from rpc import WAIT, Client
from test_keeper import Own

PROGRAM = os.path.join(SCRATCH, "lib_lend")
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--track-fds=yes"]
TO_NINETEEN = " ".join(map(str, range(20)))


def start(**config):
    compiled("lib_lend")
    return Daemon(**config)


def says(d, *args, wrap=(), program=PROGRAM):
    """What the program prints, line by line."""
    p = subprocess.run([*wrap, program, args[0], d.path, *map(str, args[1:])], text=True, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=4 * WAIT * SLOW)
    assert p.returncode == 0, (p.returncode, p.stdout, p.stderr)
    return p.stdout.splitlines()


def lends(d, wrap=()):
    once = [f"ealready einval direct {TO_NINETEEN} einval", "again"]
    assert (got := says(d, "lend", wrap=wrap)) == [*once, *once, "einval"], got


def batches(d, n, wrap=()):
    assert (got := says(d, "batch", n, wrap=wrap)) == [f"{n} together"], got


def fails(d, wrap=()):
    got = says(d, "fail", wrap=wrap)
    assert got[0].startswith("einval, 7 sent: einval: message [1] of 10: "), got
    codes = got[1].split()
    assert [c == "ok" for c in codes] == [i not in (1, 3, 8) for i in range(10)], got
    assert codes[8] == "emsgsize" and got[2] == "0 2 4 5 6 7 9", got


def test_the_socket_is_lent_and_returned_and_nothing_is_lost(d):
    lends(d)


def test_a_thousand_there_and_back_in_order(d):
    batches(d, 1000)


def test_of_a_batch_it_is_said_which_failed(d):
    fails(d)


def test_batches_that_wait_for_room(d):
    """More than the stack, the daemon and a pipe hold: each has to wait."""
    assert says(d, "flood", 3000, 20000) == ["3000"]


def test_many_small_ones(d):
    assert says(d, "flood", 40000 // SLOW // 1000 * 1000, 20) == [str(40000 // SLOW // 1000 * 1000)]


def survives(k):
    c = Client(k.path)
    try:
        return "survive" in c.call("hello")["features"]
    finally:
        c.close()


def killed(*args, at, wrap=()):
    """What the program prints when the daemon is killed at these of its lines."""
    with Own() as k:
        pid = k.ready()
        if not survives(k):
            raise Skip("no association survives this daemon")
        p = subprocess.Popen([*wrap, PROGRAM, args[0], k.path, *map(str, args[1:])], text=True, bufsize=1,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            lines = []
            for line in p.stdout:
                lines.append(line.rstrip("\n"))
                if len(lines) in at:
                    os.kill(pid, signal.SIGKILL)
                    pid = k.next_child(pid)
                    p.stdin.write("go on\n")
            assert p.wait(WAIT * SLOW) == 0, lines
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()
            p.stdin.close()
            p.stdout.close()
        return lines


def test_in_a_session_it_stays_lent_when_the_daemon_dies(d):
    assert (got := killed("survive", at=(1,))) == ["lent", "direct", "back", "later"], got


def test_in_a_session_batches_survive_kills(d):
    assert (got := killed("batch", 1000, 12, at=(2, 5, 8))) == ["1000 together"] * 12, got


def test_valgrind_finds_nothing(d):
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind")
    lends(d, wrap=VALGRIND)
    batches(d, 200, wrap=VALGRIND)
    fails(d, wrap=VALGRIND)
