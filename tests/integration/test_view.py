# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl assocs and paths: columns, filters, order, everything about one."""
import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

from check import WAIT_MS, blackhole, recv
from harness import STACK, Daemon, associate
from rpc import Client
from test_cli import SCTPCTL, WAIT, as_json, good, run


def table(d, *args):
    """The rows as dicts of text."""
    head, *rows = (re.split(r"  +", line.strip()) for line in good(d, *args, "-v" if args[0] == "paths" else "--color=never").splitlines())
    return [dict(zip(head, row)) for row in rows]


def on_terminal(d, width, *args, height=24):
    """What it prints on a terminal of that width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", height, width, 0, 0))
    p = subprocess.Popen([SCTPCTL, "-s", d.path, "--color=never", *map(str, args)], stdout=its, stderr=its, stdin=its)
    os.close(its)
    text = b""
    with contextlib.suppress(OSError):      # EIO: it has ended
        while chunk := os.read(ours, 65536):
            text += chunk
    os.close(ours)
    assert p.wait(WAIT) == 0, text
    return text.decode().replace("\r", "").splitlines()


def test_a_line_fits_a_terminal(d):
    c = d.client("a client with quite a long name")
    associate(c, ip="127.0.0.1")
    for command in "assocs", "paths":
        heads = {w: on_terminal(d, w, command) for w in (40, 80, 200)}
        assert all(len(line) <= w for w in (80, 200) for line in heads[w]), heads
        few, usual, many = (heads[w][0].split() for w in (40, 80, 200))
        assert set(few) < set(usual) < set(many), heads
        assert {"sock", "assoc", "peer", "state"} <= set(few), few
        assert good(d, command).splitlines()[0].split() == usual     # no terminal is one of 80 columns
    try:
        for columns, heads in ("200", many), ("0", usual), ("wide", usual), ("", usual):
            os.environ["COLUMNS"] = columns                           # but a wide one, if that is said
            assert good(d, "paths").splitlines()[0].split() == heads, columns
    finally:
        del os.environ["COLUMNS"]
    assert "mtu" in many and good(d, "paths", "-v").splitlines()[0].split() == many


def test_filters(d):
    c = d.client()
    there, up, here, here_up = associate(c)
    port = c.call("sockname", sock=there)["port"]
    going = c.call("open", type="stream")["sock"]
    c.call("connect_init", sock=going, addr=blackhole(), port=9)

    def socks(*args, command="assocs"):
        return {row["sock"] for row in as_json(d, command, *args)[command]}

    assert socks() == {there, here, going}
    assert socks("--state", "up") == {there, here} and socks("--state", "coming_up") == {going}
    assert socks("--sock", here) == socks(f"sock={here}") == {here}
    assert socks("--peer", "127.0.0.1") == {there, here}
    assert socks("--peer", f"127.0.0.1:{port}") == socks("--peer", f":{port}") == {here}
    assert socks("--peer", f"[::ffff:127.0.0.1]:{port}") == {here} and socks("--peer", "::1") == set()
    assert socks("--peer", ":9") == {going}
    assert socks("--peer", "127.0.0.1", "--state", "coming_up") == set()
    assert socks(command="paths") == {there, here} and socks("--state", "inactive", command="paths") == set()
    assert socks("--peer", f":{port}", "--state", "active", command="paths") == {here}
    assert good(d, "assocs", "--peer", "::1") == "no associations\n" and good(d, "paths", "--peer", "::1") == "no paths\n"
    c.call("abort", sock=going)


def test_by_ppid(d):
    """Those on which it was seen, either way, by name or number; and what went each way."""
    c = d.client()
    first, second = associate(c, n=2)
    c.call("send", sock=first[2], data=b"x" * 30, sctp_sndrcvinfo={"assoc_id": first[3], "ppid": 3})
    c.call("send", sock=second[2], data=b"x" * 70, sctp_sndrcvinfo={"assoc_id": second[3], "ppid": 1000000})
    for _ in range(2):
        recv(c, first[0], "data")

    def of(*args):
        return sorted((r["sock"], r["assoc_id"]) for r in as_json(d, "assocs", *args)["assocs"])

    assert of("--ppid", "m3ua") == of("--ppid", 3) == sorted([first[:2], first[2:]])
    assert of("--ppid", 1000000) == sorted([second[:2], second[2:]]) and of("--ppid", "ngap") == []
    out = good(d, "assocs", "-v", "--sock", first[2])
    for line in r"sent: +1 messages, 30 bytes", r"received: +0 messages, 0 bytes", r"PPIDs: +m3ua \(3\)", r"up for: +\d+s":
        assert re.search(rf"^  {line}$", out, re.M), (line, out)
    assert re.search(r"^  PPIDs: +1000000$", good(d, "assocs", "-v", "--sock", second[2]), re.M)
    rows = [line.split() for line in on_terminal(d, 300, "assocs", "--sort", "in-bytes")]
    at = rows[0].index("in-bytes")
    assert [r[at] for r in rows[1:]] == ["70", "30", "0", "0"] and rows[2][rows[0].index("ppids")] == "m3ua", rows


def test_what_is_no_filter_is_said(d):
    for args, says in (
            (["assocs", "--state", "active"], 'no state "active"; there are: coming_up, up, going_down, over'),
            (["paths", "--state", "up"], 'no state "up"; there are: active'),
            (["assocs", "--peer", "x"], '--peer takes ADDRESS, ADDRESS:PORT or :PORT, not "x"'),
            (["assocs", "--peer", "x:5"], '--peer takes ADDRESS, ADDRESS:PORT or :PORT, not "x:5"'),
            (["assocs", "--peer", "127.0.0.1:99999"], "--peer takes ADDRESS"),
            (["paths", "--ppid", "m3ua"], "--ppid goes with assocs, top, tap, listen and connect only"),
            (["assocs", "--sort", "size"], 'no column "size"; there are: sock, assoc, state'),
            (["assocs", "size=5"], "size: unknown; there are: sock, assoc_id"),
            (["status", "--sort", "peer"], "--sort goes with sockets, assocs, paths, top, clients and groups only")):
        status, out, err = run(d, *args)
        assert (status, out) == (2, "") and says in err, (args, status, out, err)


def test_order(d):
    c = d.client()
    associate(c, n=3)
    rows = as_json(d, "assocs")["assocs"]
    keys = [(r["sock"], r["assoc_id"]) for r in rows]
    assert keys == sorted(keys) and len(keys) == 6
    ports = [r["port"] for r in as_json(d, "assocs", "--sort", "port")["assocs"]]
    assert ports == sorted(ports, reverse=True)
    ports = [r["port"] for r in as_json(d, "assocs", "--sort=-port")["assocs"]]
    assert ports == sorted(ports)
    peers = [r["address"]["port"] for r in as_json(d, "paths", "--sort", "peer")["paths"]]
    assert peers == sorted(peers) and len(peers) == 6


def test_sockets_and_clients(d):
    c = d.client("a client with a long name")
    associate(c, n=2)
    for command, few in ("sockets", {"sock", "port", "owner"}), ("clients", {"client", "name", "sockets", "queued"}):
        for width in 40, 80, 200:
            lines = on_terminal(d, width, command)
            assert few <= set(lines[0].split()) and (width < 80 or max(map(len, lines)) <= width), lines
        assert len(lines) == {"sockets": 4, "clients": 3}[command]
    ports = [s["port"] for s in as_json(d, "sockets", "--sort", "port")["sockets"]]
    assert ports == sorted(ports, reverse=True) and len(ports) == 3
    assert as_json(d, "clients", "--sort=-sockets")["clients"][-1]["sockets"] == 3
    assert [w for line in on_terminal(d, 80, "sockets")[1:] for w in line.split()[2:3]] == ["inet"] * 3


def test_more_than_a_page(d):
    """What one answer holds is no limit for the command."""
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    for _ in range(70):
        here = c.call("open", ip="127.0.0.1")["sock"]
        c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    for command in "assocs", "paths":
        assert len(as_json(d, command)[command]) == 140
        assert len(good(d, command).splitlines()) == 141
        # Where the list begins, and how long its pages are, may be said.
        last = as_json(d, "call", command, "limit=30")[command][-1]
        rest = as_json(d, command, f"after_sock={last['sock']}", f"after_assoc={last['assoc_id']}", "limit=30")[command]
        assert len(rest) == 110


def test_everything_about_one(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    port = c.call("sockname", sock=there)["port"]
    out = good(d, "assocs", "-v", "--sock", here)
    assert out.startswith(f"association {here_up} of socket {here}: up\n"), out
    for line in (rf"peer: +127\.0\.0\.1:{port}", r"local: +127\.0\.0\.1:\d+", r'owner: +client \d+ "tester", process \d+.*, user \d+',
                 r"streams: +\d+ in, \d+ out", r"to send: +0 bytes", r"DATA: +0 chunks not acknowledged",
                 rf"path: +127\.0\.0\.1:{port} active, primary", r" +RTT \d+ ms, RTO \d+ ms, cwnd \d+, MTU \d+"):
        assert re.search(rf"^  {line}", out, re.M), (line, out)
    assert ("again:" in out) == (STACK == "kernel"), out
    assert len(good(d, "assocs", "-v").split("\n\n")) == 2
    row, = as_json(d, "assocs", "-v", f"sock={here}")["assocs"]
    assert row["peer_addrs"] == [{"addr": "127.0.0.1", "port": port}] and "stats" in row


def test_the_owner_by_its_program(d):
    """Who says no name is called by its program's."""
    c = d.client()
    associate(c)
    out = good(d, "assocs", "-v")
    assert re.search(rf"owner: +client \d+, process {os.getpid()} \(\w+", out), out
    assert f"/{os.getpid()}" in good(d, "assocs")


def test_in_the_shell(d):
    c = d.client()
    there, up, here, here_up = associate(c)
    out = good(d, "shell", text=f"assocs\npaths sock={here}\n").splitlines()
    assert [line.split()[0] for line in out] == ["sock", str(there), str(here), "sock", str(here)], out


def test_again_and_again(d):
    c = d.client()
    for _ in range(4):
        associate(c, ip="127.0.0.1")
    for command, rows in ("sockets", 8), ("assocs", 8), ("paths", 8), ("clients", 1):
        once = good(d, command).splitlines()
        assert len(once) >= rows + 1, once
        tables = good(d, command, "-d", "0.1", "-n", 3).split("\n\n")
        assert [len(t.splitlines()) for t in tables] == [len(once)] * 3, (command, tables)
        lines = good(d, command, "--json", "-d", "0.1", "-n", 2).splitlines()
        assert len(lines) == 2 and all(len(json.loads(line)[command]) >= rows for line in lines), lines
    # What does not fit on a terminal is counted, and each list is in the place of the last.
    assert len(on_terminal(d, 80, "paths")) == 9
    screens = "\n".join(on_terminal(d, 80, "paths", "-d", "0.1", "-n", 2, height=6)).split("\033[H")[1:]
    for screen in screens:
        lines = screen.split("\033[J")[0].splitlines()
        assert len(lines) == 5 and lines[0].split()[:2] == ["sock", "assoc"], screens
        assert lines[-1].startswith("5 more lines do not fit"), screens
    assert len(screens) == 2, screens
    # Who looks sees what comes, and is told when the daemon is gone.
    own = Daemon()
    p = subprocess.Popen([SCTPCTL, "-s", own.path, "-j", "sockets", "-d", "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert json.loads(p.stdout.readline())["sockets"] == []
    mine = Client(own.path)
    mine.call("open")
    while not json.loads(p.stdout.readline())["sockets"]:
        pass
    own.stop()
    _, error = p.communicate(timeout=WAIT)
    assert p.returncode == 3 and b"sctpd ended the connection" in error, (p.returncode, error)
    mine.close()
    status, _, error = run(d, "record", 1, "-d", "1")
    assert status == 2 and "--delay goes with" in error and "paths" in error, error
