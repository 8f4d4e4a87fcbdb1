# SPDX-License-Identifier: BSD-2-Clause
"""sctpd -k: what systemd does, without systemd. The daemon may die in any way;
clients are served all the same and are never refused."""
import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BUILD, SLOW, WAIT, Daemon, Skip, halt, wait_for
from rpc import Client
from through import LOST, Session, Through

WATCHDOG = 2  # seconds


class Kept(Daemon):
    """A daemon and its keeper: process is the keeper."""

    def __init__(self, **config):
        os.environ["WATCHDOG_USEC"] = str(WATCHDOG * 1000000)
        # -k may stand after the other flags.
        super().__init__(prefix=["sh", "-c", 'exec "$@" -k', "sh"], **config)
        del os.environ["WATCHDOG_USEC"]
        self.conf = os.path.join(self.dir, "conf")

    def child(self):
        """The number of the process that serves now."""
        c = Client(self.path)
        try:
            c.sock.settimeout(WAIT * SLOW)
            return c.call("status")["pid"]
        finally:
            c.close()

    def next_child(self, old):
        """The same when it is another; to be refused is never right."""
        while True:
            try:
                pid = self.child()
            except LOST:
                continue  # it died with this connection in its hands
            if pid != old:
                return pid

    def says(self, text, times=1):
        wait_for(lambda: self.log_text().count(text) >= times)

    def configure(self, **config):
        with open(self.conf, "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in {"log_level": "debug", **config}.items())

    def reload(self, line):
        """Tell the keeper; until the log has that line once more."""
        times = self.log_text().count(line) + 1
        self.process.send_signal(signal.SIGHUP)
        self.says(line, times)


start = Kept


def limit(d, key="max_clients"):
    c = d.client()
    return c.call("status")["limits"][key]


def test_the_daemon_is_the_keepers_child(d):
    pid = d.child()
    with open(f"/proc/{pid}/stat") as f:
        assert int(f.read().rsplit(")", 1)[1].split()[1]) == d.process.pid
    with open(f"/proc/{d.process.pid}/comm") as f:
        assert f.read() == "sctpd-keeper\n" or SLOW > 1
    with open(f"/proc/{pid}/limits") as f:
        soft, hard = next(line for line in f if line.startswith("Max open files")).split()[3:5]
    assert soft == hard


def test_killed_it_is_there_again_under_the_same_socket(d):
    inode = os.stat(d.path).st_ino
    pid = d.child()
    for sig in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGINT):
        os.kill(pid, sig)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"))
        pid = d.next_child(pid)
    assert os.stat(d.path).st_ino == inode


@contextlib.contextmanager
def connecting(d, counts, failures):
    """Threads that connect and ask, again and again, meanwhile."""
    end = threading.Event()

    def one():
        while not end.is_set():
            try:
                c = Client(d.path)
            except OSError as why:  # this must never happen
                failures.append(why)
                return
            c.sock.settimeout(WAIT * SLOW)
            try:
                c.call("status")
                counts["answered"] += 1
            except LOST:
                counts["lost"] += 1  # it died with this connection in its hands
            except OSError as why:
                failures.append(why)
            finally:
                c.close()

    threads = [threading.Thread(target=one) for _ in range(3)]
    for t in threads:
        t.start()
    yield
    end.set()
    for t in threads:
        t.join()


def test_nobody_is_refused_while_it_is_killed_again_and_again(d):
    counts, failures = {"answered": 0, "lost": 0}, []
    pid = d.child()
    with connecting(d, counts, failures):
        for _ in range(20):
            before = counts["answered"]
            os.kill(pid, signal.SIGKILL)
            pid = d.next_child(pid)
            wait_for(lambda: counts["answered"] > before + 2 or failures)
    assert not failures, failures
    assert "while it started" not in d.log_text()


def test_who_connected_before_it_died_and_was_not_served_yet_is_served(d):
    pid = d.child()
    halt(pid)
    waiting = [Client(d.path) for _ in range(5)]
    ids = [c.request("status") for c in waiting]
    os.kill(pid, signal.SIGKILL)
    assert {c.answer(i)["pid"] for c, i in zip(waiting, ids)} == {d.next_child(pid)}
    for c in waiting:
        c.close()


def test_the_watchdog_kills_one_that_hangs(d):
    pid = d.child()
    start = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    assert d.next_child(pid) != pid
    assert WATCHDOG * 0.4 < time.monotonic() - start < WATCHDOG + WAIT
    assert f"sctpd {pid} gives no sign of life" in d.log_text()
    assert f"sctpd {pid} died of signal {signal.SIGABRT}" in d.log_text()


def test_one_that_serves_is_not_killed(d):
    pid = d.child()
    time.sleep(WATCHDOG * 1.5)
    assert d.child() == pid


def test_hangup_reads_the_configuration_again(d):
    pid, other = d.child(), d.client("other")
    d.configure(max_clients=77, resume_time=1234)
    d.reload("config: read again")
    assert (limit(d), d.child()) == (77, pid)
    d.configure()
    d.reload("config: read again")
    assert (limit(d), d.child()) == (8192, pid)
    assert other.call("status")["pid"] == pid


def test_a_wrong_configuration_is_refused_entirely(d):
    pid = d.child()
    d.configure(max_clients=78, client_queue="much")
    d.reload("the old configuration stays in force")
    assert 'client_queue: "much" is not bytes' in d.log_text()
    assert (limit(d), d.child()) == (8192, pid)
    d.configure()


def test_what_cannot_change_while_running_is_noted(d):
    d.configure(socket_mode="0600", max_clients=79)
    d.reload("config: socket_mode takes effect at the next start")
    d.says("config: read again")
    assert limit(d) == 79
    d.configure()
    d.reload("config: read again")


def test_a_message_of_a_stranger_is_ignored(d):
    """What can write to the keeper's socket is not always its child."""
    path = os.path.join(d.dir, f"keeper.{d.process.pid}")
    assert os.stat(path).st_mode & 0o777 == 0o600
    pid, fds = d.child(), d.descriptors()
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(path)
    for text in (b"FDSTOREREMOVE=1\nFDNAME=rpc", b"FDSTORE=1\nFDNAME=junk", b"\n", b"\0" * 2000, b"READY=1"):
        socket.send_fds(s, [text], [0, 1, 2])
    s.close()
    wait_for(lambda: d.descriptors() == fds)
    os.kill(pid, signal.SIGKILL)
    d.next_child(pid)
    assert d.alive()


def test_another_daemon_does_not_take_the_socket(d):
    """Not even after the one that bound it has died: each locks it."""
    pid = d.child()
    os.kill(pid, signal.SIGKILL)
    d.next_child(pid)
    got = subprocess.run([os.path.join(BUILD, "sctpd"), "-c", d.conf, "-s", d.path],
                         capture_output=True, text=True, timeout=WAIT * SLOW)
    assert got.returncode == 1 and "another sctpd is running there" in got.stderr


def test_descriptors_do_not_pile_up(d):
    pid, fds = d.child(), d.descriptors()
    for _ in range(5):
        os.kill(pid, signal.SIGKILL)
        pid = d.next_child(pid)
    # The new one answers before the keeper has dealt with all that it was told.
    wait_for(lambda: d.descriptors() == fds)


# ---- one association, in which nothing is lost, doubled or out of order ----


def survives(d, *numbers):
    if "survive" not in d.client().call("hello")["features"]:
        raise Skip("no association survives this daemon")
    with Through(d.path) as t:
        t.wait()
        for number in numbers:
            pid = d.child()
            os.kill(pid, number)
            d.next_child(pid)
            t.wait()
    print(f"        {t}")


def test_an_association_survives_kills(d):
    survives(d, *[signal.SIGKILL] * 10, signal.SIGSEGV)


def test_an_association_survives_restarts(d):
    survives(d, *[signal.SIGTERM] * 5, signal.SIGINT)


def test_an_association_survives_a_daemon_that_hangs(d):
    survives(d, signal.SIGSTOP)


# ---- a keeper of one's own, for what ends it ----

class Own:
    def __init__(self, program=None, **config):
        self.dir = tempfile.TemporaryDirectory(prefix="sctpd-")
        self.path = os.path.join(self.dir.name, "s")
        self.conf = os.path.join(self.dir.name, "conf")
        self.configure(**config)
        self.log = open(os.path.join(self.dir.name, "log"), "w+")
        self.process = subprocess.Popen(
            [program or os.path.join(BUILD, "sctpd"), "-k", "-c", self.conf, "-s", self.path],
            executable=os.path.join(BUILD, "sctpd"), stderr=self.log, stdin=subprocess.DEVNULL)

    configure, log_text, says, child, next_child = (
        Kept.configure, Kept.log_text, Kept.says, Kept.child, Kept.next_child)

    def ready(self):
        self.says("ready at")
        return self.child()

    def ended(self):
        return self.process.wait(WAIT * SLOW)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.dir.cleanup()


def gone(pid):
    """It has ended; who inherits it may be slow to take note."""
    def ended():
        try:
            with open(f"/proc/{pid}/stat") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True
    wait_for(ended)


def test_told_to_stop_it_stops_the_daemon_and_leaves_nothing(d):
    for sig in (signal.SIGTERM, signal.SIGINT):
        with Own() as k:
            pid = k.ready()
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            k.process.send_signal(sig)
            assert k.ended() == 0, k.log_text()
            gone(pid)
            assert set(os.listdir(k.dir.name)) == {"conf", "log", "s.lock"}


def test_killed_the_keeper_leaves_a_daemon_that_ends_well(d):
    """A session is expected back as the daemon ends: that is no matter. What
    is freed is overwritten, so that whoever looks at it dies of it."""
    os.environ["GLIBC_TUNABLES"] = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)     # PR_SET_CHILD_SUBREAPER: to hear how it ends
    try:
        with Own() as k:
            pid = k.ready()
            s = Session(k.path, "s")
            s.call("open")
            os.kill(pid, signal.SIGKILL)
            s.sock.close()
            pid = k.next_child(pid)
            k.says("journal: restored")
            wait_for(lambda: k.log_text().count("ready at") == 2)
            k.process.kill()
            k.ended()
            assert os.waitpid(pid, 0)[1] == 0, k.log_text()
    finally:
        ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)
        del os.environ["GLIBC_TUNABLES"]


def test_a_daemon_that_does_not_stop_is_stopped(d):
    with Own() as k:
        os.kill(k.ready(), signal.SIGSTOP)
        k.process.terminate()
        assert k.ended() == 0, k.log_text()


def test_a_wrong_configuration_ends_it(d):
    with Own(max_clients="many") as k:
        assert k.ended() == 78


def test_a_configuration_that_was_spoiled_meanwhile_ends_nothing(d):
    """The daemon dies, and its successor cannot read the file: what was in
    force stays so, as there are associations to be kept."""
    with Own(max_clients=77) as k:
        pid = k.ready()
        if "survive" not in Client(k.path).call("hello")["features"]:
            raise Skip("no association survives this daemon")
        with Through(k.path) as t:
            t.wait()
            k.configure(max_clients="many")
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            t.wait()
            assert 'max_clients: "many"' in k.log_text()
            k.says("the present configuration stays in force")
            assert limit(Served(k.path)) == 77
            k.configure(max_clients=78)
            k.process.send_signal(signal.SIGHUP)
            k.says("config: read again")
            assert limit(Served(k.path)) == 78


class Served:
    """What limit wants."""

    def __init__(self, path):
        self.path = path

    def client(self):
        return Client(self.path)


def test_the_daemon_does_not_outlive_its_keeper(d):
    with Own() as k:
        pid = k.ready()
        k.process.kill()
        k.process.wait()
        gone(pid)


def test_a_new_program_at_the_old_place_is_the_next_daemon(d):
    with tempfile.TemporaryDirectory() as there:
        program = os.path.join(there, "sctpd")
        os.symlink(os.path.join(BUILD, "sctpd"), program)
        with Own(program) as k:
            pid = k.ready()
            os.unlink(program)
            with open(program, "w") as f:
                f.write(f'#!/bin/sh\necho "the new one" >&2\nexec {BUILD}/sctpd "$@"\n')
            os.chmod(program, 0o755)
            os.kill(pid, signal.SIGTERM)
            pid = k.next_child(pid)
            k.says("the new one")
            # None at all: then the old one again.
            os.unlink(program)
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)


def test_a_program_that_cannot_start_is_tried_ever_more_slowly(d):
    """And when it is mended the socket is the same: nobody was refused."""
    with tempfile.TemporaryDirectory() as there:
        program = os.path.join(there, "sctpd")
        os.symlink(os.path.join(BUILD, "sctpd"), program)
        with Own(program) as k:
            pid, inode = k.ready(), os.stat(k.path).st_ino
            os.unlink(program)
            with open(program, "w") as f:
                f.write("#!/bin/sh\nexit 1\n")
            os.chmod(program, 0o755)
            os.kill(pid, signal.SIGKILL)
            waiting = Client(k.path)
            number = waiting.request("status")
            k.says("waiting for 400 ms")
            assert k.log_text().count("exited with 1\n") == 7
            assert not select.select([waiting.sock], [], [], 0)[0]
            os.unlink(program)
            os.symlink(os.path.join(BUILD, "sctpd"), program)
            assert waiting.answer(number)["pid"] == k.next_child(pid)
            assert os.stat(k.path).st_ino == inode
            waiting.close()


def test_as_the_first_process_it_collects_orphans(d):
    with tempfile.TemporaryDirectory() as there:
        path = os.path.join(there, "s")
        outer = subprocess.Popen(["unshare", "-pf", os.path.join(BUILD, "sctpd"), "-k", "-s", path],
                                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

        def children(pid):
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                return [int(n) for n in f.read().split()]
        try:
            wait_for(lambda: os.path.exists(path))
            keeper = children(outer.pid)[0]
            subprocess.run(["nsenter", "-t", str(keeper), "-p", "sh", "-c", "(sleep 0.2 & exec true)&"],
                           check=True, timeout=WAIT * SLOW)
            wait_for(lambda: len(children(keeper)) == 2)
            wait_for(lambda: len(children(keeper)) == 1)
            os.kill(children(keeper)[0], signal.SIGKILL)
            c = Client(path)
            c.call("status")
            c.close()
            os.kill(keeper, signal.SIGTERM)
            assert outer.wait(WAIT * SLOW) == 0
            assert os.listdir(there) == ["s.lock"]
        finally:
            if outer.poll() is None:
                outer.kill()
                outer.wait()


def test_the_keeper_takes_a_socket_that_was_passed_and_leaves_it(d):
    with tempfile.TemporaryDirectory() as there:
        path = os.path.join(there, "s")
        s = socket.socket(socket.AF_UNIX)
        s.bind(path)
        s.listen()
        run = 'LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; eval "exec 3<&$0"; exec "$@"'
        k = subprocess.Popen(["sh", "-c", run, str(s.fileno()), os.path.join(BUILD, "sctpd"), "-k",
                              "-s", os.path.join(there, "other")],
                             pass_fds=[s.fileno()], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        s.close()
        try:
            c = Client(path)
            pid = c.call("status")["pid"]
            os.kill(pid, signal.SIGKILL)
            c.close()
            c = Client(path)
            assert c.call("status")["pid"] != pid
            c.close()
            k.terminate()
            assert k.wait(WAIT * SLOW) == 0
            assert set(os.listdir(there)) == {"s", "s.lock"}
        finally:
            if k.poll() is None:
                k.kill()
                k.wait()
