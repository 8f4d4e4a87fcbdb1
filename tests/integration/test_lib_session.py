# SPDX-License-Identifier: BSD-2-Clause
"""Sessions of libsctpd: a C program, and a peer on the kernel's own socket that
sends it numbered messages, while the daemon, its keeper or the program dies."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from harness import BUILD, ROOT, SCRATCH, SLOW, Skip, compiled, halt, wait_for
from rpc import WAIT
from test_keeper import Kept, Own

SCTP = 132
SO_RCVBUFFORCE = 33
KILLS = 8 if SLOW == 1 else 2
EXAMPLE = os.path.join(ROOT, "tests", "integration", "resume_example.py")
PROGRAM = os.path.join(SCRATCH, "lib_session")
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--track-fds=yes"]


def start(**config):
    """A program may be done before the last kill: its session is over then before
    anybody waits for that in vain."""
    compiled("lib_session")
    d = Kept(resume_time=WAIT * SLOW * 1000 // 2, **config)
    if "survive" not in d.client().call("hello")["features"]:
        d.stop()
        raise Skip("no association survives this daemon")
    return d


@contextlib.contextmanager
def program(d, mode, *args, wrap=()):
    """It, started; it must have ended well by the end."""
    p = subprocess.Popen([*wrap, PROGRAM, mode, d.path, *map(str, args)], text=True, bufsize=1,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield p
        assert p.wait(WAIT * SLOW) == 0, p.returncode
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        p.stdin.close()
        p.stdout.close()


def line(p):
    return p.stdout.readline().rstrip("\n")


def answers(path):
    """Does somebody listen there? The name is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def connect(port, buffer=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    s.settimeout(WAIT * SLOW)
    if buffer:
        with contextlib.suppress(PermissionError):
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer)
    s.connect(("127.0.0.1", int(port)))
    return s


class Peer:
    """Says 0, 1, 2, ... until the end; what it hears is in heard."""

    def __init__(self, port, listens=True, every=0.005):
        self.every, self.over, self.said, self.heard, self.failed = every, False, 0, [], []
        self.sock = connect(port)
        work = (self.speak, self.hear) if listens else (self.speak,)
        self.threads = [threading.Thread(target=self.guard, args=(w,)) for w in work]

    def guard(self, work):
        try:
            work()
        except Exception as why:
            self.failed.append(f"{work.__name__}: {why!r}")

    def speak(self):
        while not self.over:
            self.sock.send(b"%d" % self.said)
            self.said += 1
            time.sleep(self.every)
        self.sock.send(b"end")

    def hear(self):
        while (data := self.sock.recv(100)) != b"end":
            assert data, "the association has ended"
            self.heard.append(int(data))

    def wait(self, n=20):
        wanted, deadline = self.said + n, time.monotonic() + WAIT * SLOW
        while (self.said < wanted or self.heard and len(self.heard) < wanted) and not self.failed:
            assert time.monotonic() < deadline, "nothing goes on"
            time.sleep(self.every)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *why):
        self.over = True
        for t in self.threads:
            t.join()
        self.sock.close()
        assert not self.failed, self.failed


def all_once(numbers, n):
    missing, twice = len(set(range(n)) - set(numbers)), len(numbers) - len(set(numbers))
    assert numbers == list(range(n)), f"of {n}: {missing} lost, {twice} doubled"


def echoes_of(d, p, seconds, every=0.005):
    """A program of a library in another language sends back what it gets, while the daemon is killed each second."""
    kills = 0
    with Peer(p.stdout.readline(), every=every) as peer:
        peer.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, begun = d.child(), time.monotonic()
            os.kill(pid, signal.SIGKILL)
            kills += 1
            d.next_child(pid)
            peer.wait()
            while time.monotonic() < begun + 1:
                peer.wait(1)
    all_once(peer.heard, peer.said)
    said = p.stdout.readline()
    assert said == f"the daemon was gone {kills} times, and came back {kills} times\n", said
    print(f"        {peer.said} messages, {kills} kills")


def echoes(d, mode, *args, wrap=(), kills=KILLS, sig=signal.SIGKILL):
    with program(d, mode, *args, wrap=wrap) as p:
        with Peer(line(p)) as peer:
            peer.wait()
            for _ in range(kills):
                pid = d.child()
                os.kill(pid, sig)
                d.next_child(pid)
                peer.wait()
        all_once(peer.heard, peer.said)
        assert (said := line(p)) == f"gone {kills} back {kills} over 0", said
    print(f"        {peer.said} messages, {kills} kills")


def test_calls_that_wait_survive_kills(d):
    echoes(d, "echo")


def test_calls_that_wait_survive_restarts(d):
    echoes(d, "echo", sig=signal.SIGTERM, kills=3)


def test_recv_survives_kills(d):
    echoes(d, "echo_passive")


def test_a_loop_survives_kills(d):
    echoes(d, "echo_loop")


def test_notifications_survive_kills(d):
    echoes(d, "echo_loop", "notes")


def test_valgrind_finds_nothing(d):
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind")
    for mode in ("echo", "echo_passive", "echo_loop"):
        echoes(d, mode, wrap=VALGRIND, kills=2)


def lost(mode, max_ms):
    with Own() as k:
        k.ready()
        with program(k, mode, max_ms) as p:
            line(p)
            k.process.kill()
            k.process.wait()
            begun = time.monotonic()
            assert line(p) == "lost"
            assert line(p) == ("lost: the connection to sctpd ended, and it did not come back within "
                               f"{max_ms} ms")
            assert time.monotonic() - begun < max_ms / 1000 + 2 * SLOW
            assert line(p) == "gone 1 back 0 over 1"


def test_patience_has_an_end(d):
    lost("ask", 300)


def test_patience_for_events_has_an_end(d):
    lost("wait", 300)


def test_a_daemon_that_does_not_survive_is_not_waited_for(d):
    with tempfile.TemporaryDirectory() as there:
        path = os.path.join(there, "s")
        with open(os.path.join(there, "log"), "w+") as log:
            alone = subprocess.Popen([os.path.join(BUILD, "sctpd"), "-s", path], stderr=log, stdin=subprocess.DEVNULL)
        try:
            wait_for(lambda: answers(path))
            k = type("Alone", (), {"path": path})
            with program(k, "wait", WAIT * 1000) as p:
                line(p)
                alone.kill()
                assert line(p) == "lost"
                line(p)
                assert line(p) == "gone 0 back 0 over 1"
        finally:
            alone.kill()
            alone.wait()


def test_who_is_superseded_ends(d):
    with program(d, "wait", WAIT * 1000) as p:
        token = line(p)
        c = d.client()
        assert c.call("hello", resume=token)["resume"] == token
        assert line(p) == "superseded"
        assert line(p).startswith("superseded: Another program")
        assert line(p) == "gone 0 back 0 over 1"


def test_a_session_that_never_was(d):
    with program(d, "stale") as p:
        assert [line(p) for _ in range(3)] == ["no_session", "32", "gone 0 back 0 over 1"]


def test_a_session_that_was_forgotten_ends(d):
    with Own(resume_time=1) as k:
        pid = k.ready()
        with program(k, "wait", WAIT * 1000) as p:
            line(p)
            halt(p.pid)
            os.kill(pid, signal.SIGKILL)
            k.next_child(pid)
            k.says("did not come back")
            p.send_signal(signal.SIGCONT)
            assert line(p) == "no_session"
            assert line(p).startswith("no_session: sctpd says: eacces: resume: ")
            assert line(p) == "gone 1 back 0 over 1"


def test_the_example_in_python_loses_nothing(d):
    p = subprocess.Popen([sys.executable, EXAMPLE, d.path], text=True, stdout=subprocess.PIPE)
    try:
        with Peer(line(p)) as peer:
            peer.wait()
            for _ in range(KILLS):
                pid = d.child()
                os.kill(pid, signal.SIGKILL)
                d.next_child(pid)
                peer.wait()
        all_once(peer.heard, peer.said)
        assert p.poll() is None
    finally:
        p.kill()
        p.wait()
        p.stdout.close()


def test_the_example_is_in_the_text_and_short(d):
    with open(EXAMPLE) as f, open(os.path.join(ROOT, "proto", "README.md")) as readme:
        text = f.read()
        assert f"```\n{text}```\n" in readme.read()
    assert text.count("\n") <= 60
    assert set(re.findall(r"^(?:import|from) (\S+)", text, re.M)) == {"contextlib", "msgpack", "socket", "sys"}


def test_a_program_that_died_goes_on(d):
    """Its file has each message once, whoever dies, or both."""
    with tempfile.TemporaryDirectory() as there:
        notes = os.path.join(there, "notes")

        def noted():
            with open(notes) as f:
                return [n.split()[1] for n in f.read().splitlines()[1:]]
        p = subprocess.Popen([PROGRAM, "note", d.path, notes], text=True, stdout=subprocess.PIPE)
        try:
            with Peer(line(p), listens=False) as peer:
                for round in range(6):
                    before = len(noted()) if os.path.exists(notes) else 0
                    wait_for(lambda: os.path.exists(notes) and len(noted()) > before + 10)
                    pid = d.child()
                    if round % 3 == 2:
                        os.kill(pid, signal.SIGKILL)
                    p.kill()
                    p.wait()
                    p.stdout.close()
                    if round % 3 == 1:
                        os.kill(pid, signal.SIGKILL)
                        d.next_child(pid)
                    peer.wait(5)
                    p = subprocess.Popen([PROGRAM, "note", d.path, notes], text=True, stdout=subprocess.PIPE)
                    assert line(p) == "again"
            assert p.wait(WAIT * SLOW) == 0
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()
            p.stdout.close()
        got = noted()
        assert got.pop() == "end"
        all_once([int(n) for n in got], peer.said)


def gives(d, *args, keeping=()):
    """The program takes three of twenty events and gives the rest away."""
    to, first = d.client("taker"), 3
    with program(d, "give", first, *args) as p:
        peer = connect(line(p))
        for n in range(20):
            peer.send(b"%d" % n)
        assert [line(p) for _ in range(first)] == ["0", "1", "2"]
        for number in keeping:
            p.stdin.write(f"{number}\n")
            assert [line(p) for _ in range(2)] == ["badarg" if number else "ok", str(first)]
            first += 1
        p.stdin.write(f"{to.id}\n")
        assert [line(p) for _ in range(2)] == ["ok", "timeout"]
        sock = to.event("owner")["sock"]
        got = [int(to.event("data", sock=sock)["data"]) for _ in range(20 - first)]
        assert got == list(range(first, 20)), got
        peer.close()
        assert line(p) == "gone 0 back 0 over 0"


def test_a_socket_is_given_away_with_its_events(d):
    gives(d)


def test_a_socket_that_cannot_be_given_away_keeps_its_events(d):
    gives(d, keeping=(999999, 0, 999999))


def test_while_a_socket_is_given_away_no_event_comes(d):
    gives(d, "async")


def test_who_takes_no_event_is_not_cut_off(d):
    """The daemon does not keep answers for ever; the library knows how long."""
    with Own(client_queue="64K", max_message="64K") as k:
        pid = k.ready()
        with program(k, "deaf", 4000) as p:
            peer = connect(line(p))
            assert line(p) == "half"
            os.kill(pid, signal.SIGKILL)
            k.next_child(pid)
            assert line(p) == "sctp_assoc_change comm_up"
            assert line(p) == "gone 1 back 1 over 0"
            peer.close()


def floods(d, n, *args):
    """The peer hears all the time: its kernel is slow once the window was closed."""
    heard = []

    def hear():
        while data := peer.recv(8192):
            heard.append(int(data.split(b"\0")[0]))
    with program(d, "flood", n, *args) as p:
        peer = connect(line(p), buffer=8 << 20)
        hearer = threading.Thread(target=hear)
        hearer.start()
        for i in range(4):
            wait_for(lambda: len(heard) >= n * i // 8)
            pid = d.child()
            os.kill(pid, signal.SIGKILL)
            d.next_child(pid)
        hearer.join()
        peer.close()
        all_once(heard, n)
        assert re.fullmatch(rf"gone ([{0 if SLOW > 1 else 1}-4]) back \1 over 0", said := line(p)), said


def test_many_messages_at_once_survive_kills(d):
    floods(d, 20000 // SLOW)


def test_many_notifications_at_once_survive_kills(d):
    floods(d, 20000 // SLOW, "notes")


def test_requests_without_end_do_not_hold_up_acknowledgements(d):
    """The daemon ends a session that acknowledges nothing."""
    with Own(client_queue="64K", max_message="64K") as k:
        k.ready()
        floods(k, 50000 // SLOW, "all")
