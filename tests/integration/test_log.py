# SPDX-License-Identifier: BSD-2-Clause
"""Log lines: what they say of an association, as text and as JSON, how many there
may be, and what is said of those that were held back."""
import datetime
import fcntl
import json
import os
import re
import select
import subprocess
import tempfile
from contextlib import closing

from check import WAIT_MS, blackhole, code, recv
from harness import BUILD, SCTPD, WAIT, Client, Daemon, associate, stack_config, wait_for

CONFIG = {"log_level": "info"}

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def says(d, pattern, times=1):
    """The log has lines that match, so many; gives the last."""
    wait_for(lambda: len(re.findall(pattern, d.log_text(), re.M)) >= times)
    return re.findall(pattern, d.log_text(), re.M)[-1]


def line_of(d, id, what):
    """The line that says this of an association, whose end it is."""
    return says(d, rf"^{STAMP} sctpd: (\w+): assoc {id}: {what}")


def test_an_association_comes_up_and_is_shut_down(d):
    c = d.client("logger")
    there, there_id, here, here_id = associate(c)
    port = c.call("sockname", sock=there)["port"]
    mine = c.call("sockname", sock=here)["port"]
    assert line_of(d, here_id, rf"up, peer=127\.0\.0\.1:{port} peer_addrs=127\.0\.0\.1 local=127\.0\.0\.1:{mine} "
                   rf"streams_out=10 streams_in=10 sock={here} client=\d+ uid={os.geteuid()}$") == "info"
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, here, "sctp_assoc_change", state="shutdown_comp")
    line_of(d, here_id, rf"ended in order: this side shut it down, peer=127\.0\.0\.1:{port} sock={here} ")
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")
    line_of(d, there_id, rf"ended in order: the peer shut it down, peer=127\.0\.0\.1:{mine} sock={there} ")


def test_an_abort_says_whose_it_is_and_why(d):
    c = d.client("tester")
    there, there_id, here, here_id = associate(c)
    c.call("abort", sock=here, assoc_id=here_id, reason=b"out of \xff \"order\"\n")
    recv(c, there, "sctp_assoc_change", state="comm_lost")
    clean = r'out of \? "order"\?'
    assert line_of(d, here_id, rf'aborted by client \d+ "tester" \(user {os.geteuid()}, process {os.getpid()}\): '
                   rf'its reason is "{clean}", peer=') == "notice"
    assert line_of(d, there_id, rf'aborted by the peer: User Initiated Abort: "{clean}" \(cause 12\), peer=') == "notice"
    text = d.log_text()
    assert len(re.findall(rf"assoc {here_id}: (aborted|ended|lost)", text)) == 1, text
    assert len(re.findall(rf"assoc {there_id}: (aborted|ended|lost)", text)) == 1, text


def test_the_end_of_a_socket_is_the_cause(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("close", sock=here)
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")
    line_of(d, here_id, "ended in order: its socket was closed, ")
    other = d.client()
    there, there_id, here, here_id = associate(other, to=c, options={"on_owner_exit": "abort"})
    other.close()
    recv(c, there, "sctp_assoc_change", state="comm_lost")
    line_of(d, here_id, "aborted by sctpd: its owner is gone, and on_owner_exit is abort, ")
    line_of(d, there_id, "aborted by the peer: ")


def test_what_could_not_be_set_up(d):
    c = d.client()
    sock = c.call("open", ip="127.0.0.1")["sock"]
    assert code(c, "connect", sock=sock, addr="127.0.0.1", port=9, timeout=WAIT_MS) == "cant_assoc"
    assert says(d, rf"sctpd: (\w+): assoc \d+: not set up: the peer refused it.*, peer=127\.0\.0\.1:9 sock={sock} ") == "notice"
    sock = c.call("open")["sock"]
    assert code(c, "connect", sock=sock, addr=blackhole(), port=9, timeout=50) == "timeout"
    says(d, r"assoc \d+: aborted by client \d+ .*: its connect waited as long as its time-out says, "
         r"peer=198\.51\.100\.1:9 ")


def test_what_the_daemon_refuses(_):
    d = Daemon(log_level="info", max_associations=1)
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options={"active": True})["sock"]
    c.call("connect_init", sock=here, addr="127.0.0.1", port=there["port"])
    assert says(d, rf"sctpd: (\w+): assoc \d+: refused: .*max_associations.*, peer=127\.0\.0\.1:\d+ sock={there['sock']} ") == "notice"
    says(d, r"assoc \d+: aborted by the peer: User Initiated Abort")
    d.stop()


def test_lines_have_no_time_before_the_daemon_runs(_):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("log_format = xml\n")
        f.flush()
        got = subprocess.run([os.path.join(BUILD, "sctpd"), "-c", f.name], capture_output=True, text=True, check=False)
    assert got.returncode == 78 and got.stderr == \
        f'sctpd: err: {f.name}:1: log_format: "xml" is none of auto, text, json, journal\n', got


def test_what_nobody_read_is_counted_once_somebody_reads(_):
    """Also if no line follows: those that were lost are said by a timer."""
    with tempfile.TemporaryDirectory() as dir:
        path = os.path.join(dir, "s")
        into, out = os.pipe()
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)
        with open(os.path.join(dir, "conf"), "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in {"log_level": "debug", **stack_config(None)}.items())
        daemon = subprocess.Popen([SCTPD, "-c", f.name, "-s", path], stderr=out, stdin=subprocess.DEVNULL)
        os.close(out)
        wait_for(lambda: os.path.exists(path))
        with closing(Client(path)) as c:
            for _ in range(100):
                with closing(Client(path)) as other:
                    other.call("hello")
            c.call("log_level", level="err")        # nothing is said from now on
            text = b""
            while b"log lines were lost, because nobody read them" not in text:
                assert select.select([into], [], [], WAIT)[0], text[-500:]
                text += os.read(into, 65536)
        daemon.terminate()
        os.close(into)
        assert daemon.wait(WAIT) == 0


# ---- JSON ------------------------------------------------------------------


def test_json_is_one_object_a_line_whatever_a_peer_sends(_):
    d = Daemon(log_level="debug", log_format="json")
    c = d.client('a "name" \\')
    there, there_id, here, here_id = associate(c)
    c.call("abort", sock=here, assoc_id=here_id, reason=bytes(range(256)))
    recv(c, there, "sctp_assoc_change", state="comm_lost")
    wait_for(lambda: d.log_text().count('"line":"assoc_aborted"') == 2)
    rows = [json.loads(line) for line in d.log_text().splitlines()]
    for row in rows:
        assert {"time", "level", "priority", "pid", "message"} <= set(row), row
        when = datetime.datetime.fromisoformat(row["time"].replace("Z", "+00:00"))
        assert abs(when.timestamp() - datetime.datetime.now().timestamp()) < 900
    by_peer, = (r for r in rows if r.get("line") == "assoc_aborted" and r["sctp_by"] == "the peer")
    assert by_peer["sctp_assoc"] == there_id and by_peer["sctp_cause_code"] == 12
    assert "User Initiated Abort" in by_peer["sctp_cause"] and len(by_peer["message_id"]) == 32
    assert by_peer["level"] == "notice" and by_peer["sctp_client_name"] == 'a "name" \\'
    up, = (r for r in rows if r.get("line") == "assoc_up" and r["sctp_assoc"] == here_id)
    assert up["sctp_streams_out"] == 10 and up["sctp_peer_addrs"] == "127.0.0.1"
    d.stop()


# ---- too many --------------------------------------------------------------


def test_what_is_held_back_is_said_though_nothing_follows(_):
    d = Daemon(log_level="info")
    c = d.client()
    associate(c, 150)
    ups = lambda: len(re.findall(r"assoc \d+: up, ", d.log_text()))
    held = lambda: sum(int(n) for n in re.findall(
        r'sctpd: info: (\d+) more log lines of the kind "assoc_up" were held back; at most 100 in 1 s are written$',
        d.log_text(), re.M))
    wait_for(lambda: ups() + held() == 300)
    assert held() > 0
    d.stop()


def test_what_is_held_back_is_said_at_the_end(_):
    d = Daemon(log_level="info")
    c = d.client()
    associate(c, 150)
    c.close()
    text = d.stop()
    for line, pattern in ("assoc_up", r"assoc \d+: up, "), ("assoc_ended", r"assoc \d+: ended in order: "):
        held = re.findall(rf'(\d+) more log lines of the kind "{line}" were held back', text)
        assert len(re.findall(pattern, text)) + sum(map(int, held)) == 300, (line, held)
