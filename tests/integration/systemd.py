# SPDX-License-Identifier: BSD-2-Clause
"""sctpd as systemd runs it: the installed units, on a systemd that is the first
process. systemd.py [WORD...] runs the tests whose name has one of the words, in

    tests/lab/run --systemd -- /usr/bin/python3 tests/integration/systemd.py

and nowhere else, as it changes what it runs on. The last line is
"N passed, N failed, N skipped"."""
import contextlib
import grp
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import traceback
import types
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rpc import WAIT, Client, RpcError  # noqa: E402
from through import LOST, Through  # noqa: E402

CONF = pathlib.Path("/etc/sctpd/sctpd.conf")
UNITS = pathlib.Path("/run/systemd/system")


class Skip(Exception):
    """This test cannot run here; the text says why."""


def run(*command, ok=True):
    got = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert got.returncode == 0 or not ok, f"{command}: {got.stdout}{got.stderr}"
    return got


def wait_for(true, seconds=WAIT):
    """A look is often a program, which takes the lab's one processor from what is waited for:
    so the pause is three times as long as the look."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if got := true():
            return got
        ended = time.monotonic()
        assert ended < deadline, "it never came"
        time.sleep(max(0.02, 3 * (ended - began)))


class Unit:
    """A service and the socket that its clients use."""

    def __init__(self, name, path):
        self.name, self.path = name, path

    def ctl(self, verb, **kind):
        return run("systemctl", verb, self.name, **kind)

    def show(self, what):
        return run("systemctl", "show", "-P", what, self.name).stdout.strip()

    def stored(self):
        return int(self.show("NFileDescriptorStore"))

    def restarts(self):
        return int(self.show("NRestarts"))

    def journal(self):
        return run("journalctl", "-q", "-o", "cat", "-u", self.name).stdout

    def says(self, text, times=1):
        """The journal has it so often."""
        try:
            wait_for(lambda: self.journal().count(text) >= times)
        except AssertionError:
            raise AssertionError(f"it never said {text!r}:\n{self.journal()[-3000:]}") from None

    def call(self, method, **args):
        """On a connection of its own; who connects is never refused."""
        while True:
            c = Client(self.path)
            try:
                return c.call(method, **args)
            except LOST:
                continue
            finally:
                c.close()

    def pid(self, other_than=None):
        """The process that serves."""
        while (pid := self.call("status")["pid"]) == other_than:
            time.sleep(0.01)
        return pid

    def limit(self, key="max_clients"):
        return self.call("status")["limits"][key]

    def drop_in(self, text):
        """As systemctl edit makes one; None takes it away."""
        there = UNITS / f"{self.name}.d"
        there.mkdir(parents=True, exist_ok=True)
        if text is None:
            (there / "test.conf").unlink()
        else:
            (there / "test.conf").write_text(text)
        run("systemctl", "daemon-reload")
        self.ctl("restart")


class Connecting:
    """Somebody connects and asks, again and again, meanwhile."""

    def __init__(self, unit):
        self.unit, self.end, self.answered, self.failed = unit, False, 0, []
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        while not self.end:
            try:
                self.unit.call("status")
                self.answered += 1
                time.sleep(0.005)  # and leaves the lab's one processor to systemd
            except (OSError, RpcError) as why:  # ConnectionRefusedError would be one
                self.failed.append(why)
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, why, trace):
        self.end = True
        self.thread.join()
        assert not self.failed, self.failed
        assert self.answered > 0


@contextlib.contextmanager
def fails(unit, broken, times=10):
    """It is killed, and cannot start so often; to look at a file costs less than to ask systemd."""
    tried, before = pathlib.Path(unit.path).with_name("tried"), unit.restarts()
    broken.touch()
    os.kill(unit.pid(), signal.SIGKILL)
    yield
    wait_for(lambda: tried.exists() and tried.stat().st_size >= times)
    assert unit.restarts() >= before + times


@contextlib.contextmanager
def dropped_in(unit, text):
    unit.drop_in(text)
    try:
        yield
    finally:
        unit.drop_in(None)


@contextlib.contextmanager
def wrapped(unit, command):
    """Meanwhile it cannot start while this file exists."""
    broken, wrapper = pathlib.Path("/run/broken"), pathlib.Path("/run/wrapper")
    wrapper.write_text(f"#!/bin/sh\n[ ! -e {broken} ] || {{ echo >>$RUNTIME_DIRECTORY/tried; exit 1; }}\nexec {command}\n")
    wrapper.chmod(0o755)
    with dropped_in(unit, f"[Service]\nNoExecPaths=\nExecStart=\nExecStart={wrapper}\n"):
        try:
            yield broken
        finally:
            broken.unlink(missing_ok=True)


def mode_of(path):
    st = os.stat(path)
    return stat.S_IMODE(st.st_mode), grp.getgrgid(st.st_gid).gr_name


# ---- the tests, in this order ------------------------------------------------


def test_a_client_may_connect_before_the_service_runs(s, plain):
    assert s.show("ActiveState") == "inactive"
    c = Client(s.path)
    assert c.call("hello", name="early")["stack"] == "kernel"
    assert c.call("status")["pid"] == int(s.show("MainPID"))
    c.close()


def test_it_is_active_when_it_is_ready(s, plain):
    assert (s.show("Type"), s.show("ActiveState"), s.show("SubState")) == ("notify", "active", "running")
    assert s.show("StatusText") == f"Serving at {s.path}"


def test_it_runs_as_its_own_user_with_two_capabilities(s, plain):
    pid = s.pid()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    field = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert field["Uid"].split()[0] == run("id", "-u", "sctpd").stdout.strip()
    assert int(field["CapEff"], 16) == 1 << 10 | 1 << 12  # CAP_NET_BIND_SERVICE, CAP_NET_ADMIN
    assert field["NoNewPrivs"] == "1" and field["Seccomp"] == "2"
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"Max open files +65536 +65536 ", limits), limits


def test_in_its_sandbox_sctp_works(s, plain):
    c = Client(s.path)
    there = c.call("open", ip="127.0.0.1", port=80)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options={"recbuf": 1 << 20})
    assert c.call("getopts", sock=here["sock"], options=["recbuf"])["options"][0][1] == 2 << 20
    up = c.call("connect", sock=here["sock"], addr="localhost", port=80, timeout=WAIT * 1000)
    c.call("send", sock=here["sock"], assoc_id=up["assoc_id"], data=b"x" * 10000)
    assert c.call("recv", sock=there["sock"], timeout=WAIT * 1000)["state"] == "comm_up"
    assert len(c.call("recv", sock=there["sock"], timeout=WAIT * 1000)["data"]) == 10000
    c.close()


def test_in_its_sandbox_there_is_no_shell(s, plain):
    """What its processes may execute is a matter of its mounts."""
    assert run("nsenter", "-t", str(s.pid()), "-m", "/usr/local/sbin/sctpd", "-V").stdout.startswith("sctpd ")
    got = run("nsenter", "-t", str(s.pid()), "-m", "/bin/sh", "-c", "true", ok=False)
    assert got.returncode == 126 and "Permission denied" in got.stderr, (got.returncode, got.stderr)


def entries(*match):
    """What the journal has that matches, as its own JSON says it."""
    text = run("journalctl", "-q", "-o", "json", "-u", "sctpd.service", *match).stdout
    return [json.loads(line) for line in text.splitlines()]


def associated(c):
    """A listener, and an association with it."""
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options={"active": True})["sock"]
    return there, here, c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT * 1000)["assoc_id"]


def test_its_log_lines_have_fields_in_the_journal(s, plain):
    c = Client(s.path, "on call")
    there, here, id = associated(c)
    c.call("abort", sock=here, assoc_id=id, reason=b"line\nbreak \xff")
    wait_for(lambda: len(entries(f"SCTP_ASSOC={id}")) >= 2)
    up, gone = entries(f"SCTP_ASSOC={id}")[-2:]
    assert (up["PRIORITY"], gone["PRIORITY"], up["SYSLOG_IDENTIFIER"]) == ("6", "5", "sctpd")
    assert up["SCTP_PEER"] == gone["SCTP_PEER"] == f"127.0.0.1:{there['port']}" and up["SCTP_SOCK"] == str(here)
    assert up["SCTP_STREAMS_OUT"] == "10" and up["SCTP_CLIENT_NAME"] == "on call" and int(up["_PID"]) == s.pid()
    assert gone["SCTP_CAUSE"] == 'its reason is "line?break ?"' and gone["SCTP_CAUSE_CODE"] == "12"
    assert gone["SCTP_BY"].startswith("client ") and gone["MESSAGE"].startswith(f"assoc {id}: aborted by client ")
    assert gone["MESSAGE_ID"] != up["MESSAGE_ID"] and gone in entries(f"MESSAGE_ID={gone['MESSAGE_ID']}")
    run("journalctl", "--update-catalog")
    explained = run("journalctl", "-q", "-x", f"MESSAGE_ID={gone['MESSAGE_ID']}").stdout
    assert "The association ended by an ABORT." in explained and "man:sctpd(8)" in explained, explained
    c.close()


def test_a_journal_that_does_not_read_stops_nothing(s, plain):
    """What it does not take is lost, and counted."""
    c = Client(s.path)
    c.call("log_level", level="debug")
    journald = int(run("systemctl", "show", "-P", "MainPID", "systemd-journald.service").stdout)
    os.kill(journald, signal.SIGSTOP)
    try:
        for _ in range(400):
            other = Client(s.path)
            other.call("hello")
            other.close()
        assert c.call("status")["clients"] >= 1
    finally:
        os.kill(journald, signal.SIGCONT)
    c.call("log_level", level="info")
    s.says("log lines were lost, because nobody read them")
    c.close()


def allow_netns():
    """The drop-in that sctpd(8) gives."""
    text = pathlib.Path("/usr/local/share/man/man8/sctpd.8").read_text()
    lines = re.search(r"^\.Cm netns ,\nwhich needs.*?-offset indent\n(.*?)^\.Ed", text, re.M | re.S)[1]
    assert lines.startswith("[Service]\n")
    return lines


def test_other_networks_take_a_drop_in(s, plain):
    def opens():
        c = Client(s.path)
        try:
            c.call("open", options={"netns": "/run/netns/there"})
            assert "netns" in c.call("hello")["features"]
        except RpcError as why:
            assert "netns" not in c.call("hello")["features"]
            return why.code
        finally:
            c.close()
        return "ok"
    run("ip", "netns", "add", "there")
    assert opens() == "eperm"
    with dropped_in(s, allow_netns()):
        assert opens() == "ok"
    assert opens() == "eperm"
    run("ip", "netns", "delete", "there")


def test_in_its_sandbox_it_may_wait_for_its_turn(s, plain):
    c = Client(s.path)
    there = c.call("open", ip="127.0.0.1", port=80)
    c.call("listen", sock=there["sock"])
    for _ in range(32):
        here = c.call("open", ip="127.0.0.1")
        c.call("connect", sock=here["sock"], addr="localhost", port=80, timeout=WAIT * 1000)
    wait_for(lambda: os.sched_getscheduler(s.pid()) == os.SCHED_BATCH)
    c.close()
    wait_for(lambda: os.sched_getscheduler(s.pid()) == os.SCHED_OTHER)


def test_the_score_of_its_sandbox(s, plain):
    text = run("systemd-analyze", "security", "--no-pager", s.name).stdout
    assert float(re.search(r"exposure level for .*: ([\d.]+)", text)[1]) <= 1.8, text


def test_killed_it_is_there_again_and_nobody_is_refused(s, plain):
    pid, before = s.pid(), s.restarts()
    with Connecting(s) as who:
        for _ in range(5):
            answered = who.answered
            os.kill(pid, signal.SIGKILL)
            pid = s.pid(other_than=pid)
            wait_for(lambda: who.answered > answered)
    assert s.restarts() == before + 5


def test_restarted_it_is_there_again_and_nobody_is_refused(s, plain):
    pid = s.pid()
    with Connecting(s):
        for _ in range(2):
            s.ctl("restart")
            pid = s.pid(other_than=pid)


def test_the_socket_stays_as_it_was(s, plain):
    assert mode_of(s.path) == (0o660, "sctp")
    s.ctl("stop")
    assert mode_of(s.path) == (0o660, "sctp")
    assert s.pid() == int(s.show("MainPID"))


def test_systemd_itself_may_be_started_anew(s, plain):
    pid, c = s.pid(), Client(s.path)
    stored = s.stored()
    run("systemctl", "daemon-reexec")
    assert c.call("status")["pid"] == pid and s.stored() == stored
    os.kill(pid, signal.SIGKILL)
    s.pid(other_than=pid)
    c.close()


def test_the_watchdog_ends_one_that_hangs(s, plain):
    with dropped_in(s, "[Service]\nWatchdogSec=2s\n"):
        pid = s.pid()
        time.sleep(3)
        assert s.pid() == pid
        os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        assert s.pid(other_than=pid) and 0.5 < time.monotonic() - start < 20


def test_reload_puts_another_configuration_in_force(s, plain):
    pid, c = s.pid(), Client(s.path)
    CONF.write_text("max_clients = 99\n")
    s.ctl("reload")
    wait_for(lambda: s.limit() == 99)
    assert s.pid() == pid and c.call("status")["pid"] == pid
    assert s.show("ActiveState") == "active"
    c.close()


def test_reload_refuses_a_wrong_one(s, plain):
    pid = s.pid()
    CONF.write_text("max_clients = 100\nclient_queue = much\n")
    assert s.ctl("reload", ok=False).returncode != 0
    s.says(f'{CONF}:2: client_queue: "much" is not bytes')
    # And should the signal come all the same:
    os.kill(pid, signal.SIGHUP)
    s.says("the old configuration stays in force")
    wait_for(lambda: s.show("StatusText").startswith("Configuration refused: "))
    assert (s.limit(), s.pid(), s.show("ActiveState")) == (99, pid, "active")
    CONF.unlink()
    s.ctl("reload")
    wait_for(lambda: s.show("StatusText") == f"Serving at {s.path}")
    assert s.limit() == 8192


def test_the_store_holds_a_handful(s, plain):
    assert s.stored() <= 4 and int(s.show("FileDescriptorStoreMax")) == 16


def test_a_wrong_configuration_at_the_start_is_not_tried_again(s, plain):
    CONF.write_text("nonsense\n")
    s.ctl("restart")            # what was in force stays so: there may be associations
    s.pid()
    s.ctl("stop")
    s.ctl("start", ok=False)
    wait_for(lambda: s.show("ActiveState") == "failed")
    assert s.show("ExecMainStatus") == "78"
    CONF.unlink()
    s.ctl("start")
    s.pid()


# One association, in which nothing is lost, doubled or out of order.


def survives(unit, *acts):
    """Do these things one after the other while it is in use."""
    c = Client(unit.path)
    if "survive" not in c.call("hello")["features"]:
        raise Skip("no association survives this daemon")
    c.close()
    with Through(unit.path, every=0.02) as t:
        t.wait()
        for act in acts:
            act()
            t.wait()
    print(f"        {t}", flush=True)


def kill(unit, number=signal.SIGKILL):
    def act():
        pid = unit.pid()
        os.kill(pid, number)
        unit.pid(other_than=pid)
    return act


def test_an_association_survives_kills(s, plain):
    survives(s, *[kill(s)] * 5, kill(s, signal.SIGSEGV), kill(s, signal.SIGTERM))


def test_an_association_survives_restarts(s, plain):
    survives(s, *[lambda: s.ctl("restart")] * 3)


def test_an_association_survives_reloads(s, plain):
    def write(text):
        def act():
            CONF.write_text(text)
            s.ctl("reload", ok=False)
        return act
    survives(s, write("max_clients = 99\n"), write("nonsense\n"), write(""))


def test_an_association_survives_that_systemd_is_started_anew(s, plain):
    survives(s, lambda: run("systemctl", "daemon-reexec"), kill(s), lambda: run("systemctl", "daemon-reload"), kill(s))


def test_an_association_survives_a_daemon_that_hangs(s, plain):
    with dropped_in(s, "[Service]\nWatchdogSec=2s\n"):
        survives(s, kill(s, signal.SIGSTOP))


def test_an_association_survives_a_program_that_cannot_start(s, plain):
    def act():
        with fails(s, broken):
            pass
        broken.unlink()
    with wrapped(s, "sctpd") as broken:
        survives(s, act)


# Without a socket unit the daemon binds its socket, and the store keeps it.


def test_a_socket_of_its_own_outlives_it_in_the_store(s, plain):
    plain.ctl("start")
    inode, stored, pid = os.stat(plain.path).st_ino, plain.stored(), plain.pid()
    assert 1 <= stored <= 4
    with Connecting(plain):
        for _ in range(3):
            os.kill(pid, signal.SIGKILL)
            pid = plain.pid(other_than=pid)
        plain.ctl("restart")
        pid = plain.pid(other_than=pid)
        run("systemctl", "daemon-reexec")
        os.kill(pid, signal.SIGKILL)
        pid = plain.pid(other_than=pid)
    assert (os.stat(plain.path).st_ino, plain.stored()) == (inode, stored)


def test_a_program_that_cannot_start_does_not_empty_the_store(s, plain):
    plain.ctl("start")
    with wrapped(plain, f"sctpd -s {plain.path}") as broken:
        inode, stored, pid = os.stat(plain.path).st_ino, plain.stored(), plain.pid()
        with fails(plain, broken):
            waiting = Client(plain.path)
            number = waiting.request("status")
        assert plain.stored() == stored
        broken.unlink()
        assert waiting.answer(number)["pid"] == plain.pid(other_than=pid)
        assert (os.stat(plain.path).st_ino, plain.stored()) == (inode, stored)
        waiting.close()


def test_descriptors_that_nobody_knows_leave_the_store(s, plain):
    """As an older or a newer version may have put them there."""
    plain.ctl("start")
    put = pathlib.Path("/run/put.py")
    put.write_text("import os, socket\n"
                   "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                   "s.connect(os.environ['NOTIFY_SOCKET'])\n"
                   "for name in (b'junk', b'j' * 200):\n"
                   "    socket.send_fds(s, [b'FDSTORE=1\\nFDPOLL=0\\nFDNAME=' + name], [os.memfd_create('junk')])\n"
                   f"os.execvp('sctpd', ['sctpd', '-s', '{plain.path}'])\n")
    stored = plain.stored()
    with dropped_in(plain, f"[Service]\nNoExecPaths=\nExecStart=\nExecStart=/usr/bin/python3 {put}\n"):
        plain.pid()
        assert plain.stored() == stored + 2
    plain.pid()
    assert plain.stored() == stored
    plain.says('"junk", was passed and is not known')


def test_stopped_it_leaves_the_store_and_comes_again(s, plain):
    plain.ctl("stop")
    assert plain.stored() == 0
    plain.ctl("start")
    assert plain.pid() == int(plain.show("MainPID"))
    plain.ctl("stop")


# One sctpd for each network namespace.


def blue():
    return Unit("sctpd@blue.service", "/run/sctpd-blue/sctpd.sock")


def listener(c, **where):
    sock = c.call("open", ip="127.0.0.1", **where)
    c.call("listen", sock=sock["sock"])
    return sock


def test_an_instance_serves_in_its_network_namespace(s, plain):
    run("ip", "netns", "add", "blue")
    run("ip", "-n", "blue", "link", "set", "lo", "up")
    run("systemctl", "enable", "--now", "sctpd@blue.socket")
    b = blue()
    assert b.show("ActiveState") == "inactive" and mode_of(b.path) == (0o660, "sctp")
    there, here = Client(b.path), Client(s.path)
    assert there.call("status")["pid"] == int(b.show("MainPID")) != s.pid()
    assert b.show("StatusText") == f"Serving at {b.path}"
    # Both have the same port, and each reaches its own.
    one, other = listener(there, port=2905), listener(here, port=2905)
    for c, mine, text in ((there, one, b"blue"), (here, other, b"host")):
        client = c.call("open")
        up = c.call("connect", sock=client["sock"], addr="127.0.0.1", port=2905, timeout=WAIT * 1000)
        c.call("send", sock=client["sock"], assoc_id=up["assoc_id"], data=text)
        assert c.call("recv", sock=mine["sock"], timeout=WAIT * 1000)["state"] == "comm_up"
        assert c.call("recv", sock=mine["sock"], timeout=WAIT * 1000)["data"] == text
    # A port that only one of them has is not there for the other.
    port = listener(there)["port"]
    lonely = here.call("open")
    try:
        here.call("connect", sock=lonely["sock"], addr="127.0.0.1", port=port, timeout=WAIT * 1000)
        raise AssertionError("connected to a socket in another namespace")
    except RpcError as why:
        assert why.code == "cant_assoc", why
    there.close()
    here.close()


def test_an_instance_has_the_same_sandbox(s, plain):
    b = blue()
    same = ("User,Group,CapabilityBoundingSet,SystemCallFilter,RestrictNamespaces,NoExecPaths,"
            "FileDescriptorStoreMax,Restart,ProtectSystem,LimitNOFILE,WatchdogUSec")
    has, other = (run("systemctl", "show", "-p", same, u.name).stdout.splitlines() for u in (b, s))
    assert has == other and len(has) == 11, (has, other)
    field = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{b.pid()}/status").read_text().splitlines()
                 if ":\t" in line)
    assert int(field["CapEff"], 16) == 1 << 10 | 1 << 12


def test_an_instance_comes_again_by_itself(s, plain):
    b, mine = blue(), s.pid()
    pid = b.pid()
    with Connecting(b):
        os.kill(pid, signal.SIGKILL)
        pid = b.pid(other_than=pid)
        b.ctl("restart")
        pid = b.pid(other_than=pid)
    assert s.pid() == mine
    b.ctl("reload")
    assert b.pid() == pid


def test_an_instance_may_have_a_configuration_of_its_own(s, plain):
    own = CONF.with_name("blue.conf")
    own.write_text("max_clients = 99\n")
    b = blue()
    b.drop_in(f"[Service]\nEnvironment=\"OPTIONS=-c {own}\"\n")
    assert (b.limit(), s.limit()) == (99, 8192)
    own.write_text("nonsense\n")
    assert b.ctl("reload", ok=False).returncode != 0
    own.unlink()
    (UNITS / f"{b.name}.d/test.conf").unlink()


def test_an_instance_without_its_namespace_does_not_start(s, plain):
    run("systemctl", "disable", "--now", "sctpd@blue.socket")
    b = blue()
    b.ctl("stop")
    run("ip", "netns", "delete", "blue")
    got = run("systemctl", "start", "sctpd@blue.socket", ok=False)
    assert got.returncode != 0 and "Assertion failed" in got.stderr, got.stderr
    assert b.ctl("start", ok=False).returncode != 0
    assert b.show("NRestarts") == "0" and b.show("ActiveState") == "inactive"


# ---- metrics ----------------------------------------------------------------


def scrape():
    with urllib.request.urlopen("http://127.0.0.1:9899/metrics", timeout=WAIT) as answer:
        return answer.read().decode()


def test_metrics_are_served_in_a_sandbox(s, plain):
    run("systemctl", "enable", "--now", "sctpd-metrics.socket")
    m = Unit("sctpd-metrics.service", s.path)
    assert m.show("ActiveState") == "inactive"
    with contextlib.closing(Client(s.path)) as c:
        there, here = listener(c), c.call("open")
        up = c.call("connect", sock=here["sock"], addr="127.0.0.1", port=there["port"], timeout=WAIT * 1000)
        text = scrape()
        assert "\nsctpd_up 1\n" in text and "\nsctpd_scrape_success 1\n" in text, text
        # Its user sees the associations of root's.
        assert f'sctpd_association_up{{sock="{here["sock"]}",assoc_id="{up["assoc_id"]}",peer="127.0.0.1:{there["port"]}"}} 1' in text
        assert "sctpd_path_srtt_seconds{" in text
    status = pathlib.Path(f"/proc/{m.show('MainPID')}/status").read_text()
    uid = pwd.getpwnam("sctpd-metrics").pw_uid
    assert uid > 0 and f"Uid:\t{uid}\t" in status and re.search(r"^CapEff:\t0+$", status, re.M), status
    assert re.search(r"^Max open files +64 ", pathlib.Path(f"/proc/{m.show('MainPID')}/limits").read_text(), re.M)
    run("systemctl", "stop", "sctpd.socket", "sctpd.service")
    assert "\nsctpd_up 0\n" in scrape()
    run("systemctl", "start", "sctpd.socket")
    assert "\nsctpd_up 1\n" in scrape()
    run("systemctl", "disable", "--now", "sctpd-metrics.socket")


def test_metrics_are_written_for_node_exporter(s, plain):
    directory = pathlib.Path("/var/lib/prometheus/node-exporter")
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "sctpd.prom"
    t = Unit("sctpd-textfile.service", s.path)
    t.ctl("start")
    assert "\nsctpd_up 1\n" in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o644
    run("systemctl", "stop", "sctpd.socket", "sctpd.service")
    t.ctl("start")
    assert "\nsctpd_up 0\n" in file.read_text() and t.show("Result") == "success"
    run("systemctl", "start", "sctpd.socket")
    assert [f.name for f in directory.glob("sctpd*")] == ["sctpd.prom"]
    file.unlink()
    run("systemctl", "start", "sctpd-textfile.timer")
    assert re.search(r"\d", run("systemctl", "show", "-P", "NextElapseUSecRealtime", "sctpd-textfile.timer").stdout)
    run("systemctl", "stop", "sctpd-textfile.timer")


def setup():
    run("systemd-sysusers", "sctpd.conf")
    CONF.parent.mkdir(exist_ok=True)
    run("systemctl", "start", "sctpd.socket")
    unit = pathlib.Path("/usr/lib/systemd/system/sctpd.service").read_text()
    UNITS.mkdir(parents=True, exist_ok=True)
    (UNITS / "plain.service").write_text(
        unit.replace("Requires=sctpd.socket\n", "").replace("sbin/sctpd\n", "sbin/sctpd -s /run/plain/s\n")
            .replace("RuntimeDirectory=sctpd", "RuntimeDirectory=plain"))
    run("systemctl", "daemon-reload")
    return Unit("sctpd.service", "/run/sctpd/sctpd.sock"), Unit("plain.service", "/run/plain/s")


@contextlib.contextmanager
def nats_server():
    """One of the machine's own, with what it stores in the guest's memory; gives a client of it."""
    if not shutil.which("nats-server"):
        raise Skip("there is no nats-server; tests/deps.sh check installs it")
    from nats import Nats  # pylint: disable=import-outside-toplevel
    run("systemd-run", "--unit=test-nats", shutil.which("nats-server"), "-js", "-sd", "/run/test-nats", "-a", "127.0.0.1", "-p", "4222")
    n = Nats(types.SimpleNamespace(port=4222))
    try:
        n.api("INFO")
        yield n
    finally:
        n.close()
        run("systemctl", "stop", "test-nats")


def test_the_bridge_to_nats_runs_in_its_sandbox_and_goes_on(s, plain):
    """It is killed and restarted: it has the same session and the same log. A wrong configuration does not start."""
    conf, m = CONF.with_name("sctpd-nats.conf"), Unit("sctpd-nats.service", s.path)
    with nats_server() as n, contextlib.closing(Client(s.path)) as c:
        conf.write_text("host = h1\nwindows = 1\n")
        m.ctl("start", ok=False)
        m.says('sctpd-nats.conf:2: unknown key: "windows"')
        m.ctl("stop")
        conf.write_text("host = h1\nlog_level = info\nin_max_bytes = 1M\nout_max_bytes = 1M\nendpoint n2 {\n\tip = 127.0.0.1\n\tport = 38412\n}\n")
        m.ctl("start")
        m.says("the bridge runs")
        pid = m.show("MainPID")
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        uid = pwd.getpwnam("sctpd-nats").pw_uid
        assert uid > 0 and f"Uid:\t{uid}\t" in status and re.search(r"^CapEff:\t0+$", status, re.M), status
        assert stat.S_IMODE(os.stat("/var/lib/sctpd-nats").st_mode) == 0o700
        here = c.call("open")
        up = c.call("connect", sock=here["sock"], addr="127.0.0.1", port=38412, timeout=WAIT * 1000)
        for runs, end in ((2, lambda: os.kill(int(pid), signal.SIGKILL)), (3, lambda: m.ctl("restart"))):
            end()
            c.call("send", sock=here["sock"], assoc_id=up["assoc_id"], data=b"%d" % runs)
            m.says("the bridge runs", runs)
        wait_for(lambda: [body for _, subject, _, body in n.all("sctp-h1-in") if len(subject.split(".")) == 7] == [b"2", b"3"])
        assert m.journal().count("with sctpd begins") == 1
        m.ctl("stop")
        assert m.show("Result") == "success"
        conf.unlink()


def main():
    words = sys.argv[1:]
    if pathlib.Path("/proc/1/comm").read_text() != "systemd\n" or not pathlib.Path("/oldroot").is_dir():
        sys.exit("systemd.py: run it in tests/lab/run --systemd")
    print(f"systemd: {run('systemctl', '--version').stdout.splitlines()[0]}", flush=True)
    units = setup()
    passed, failed, skipped = 0, [], []
    for name, test in list(globals().items()):
        if not name.startswith("test_") or words and not any(w in name for w in words):
            continue
        start = time.monotonic()
        try:
            test(*units)
            passed += 1
            print(f"ok      systemd.{name[5:]} ({time.monotonic() - start:.1f} s)", flush=True)
        except Skip as why:
            skipped.append(f"systemd.{name[5:]}: {why}")
        except Exception:
            failed.append(name)
            print(f"FAILED  systemd.{name[5:]}\n{traceback.format_exc()}", flush=True)
            for unit in units:
                print(*unit.journal().splitlines()[-15:], sep="\n", flush=True)
    for line in skipped:
        print(f"skipped {line}")
    for name in failed:
        print(f"FAILED  systemd.{name[5:]}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or not passed else 0)


main()
