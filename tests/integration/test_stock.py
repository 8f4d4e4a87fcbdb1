# SPDX-License-Identifier: BSD-2-Clause
"""First programs in languages that spell MessagePack in their own ways, with
what their distribution has: each opens two sockets, sends one message, and
has a call refused. No distribution has Node's libraries: two of npm's are in
stock/npm, and what three of them write of odd calls is in stock/node.tsv, see
stock/node.js."""
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import sys

from harness import ROOT, SLOW, Skip, associate, wait_for
from rpc import WAIT, RpcError
from test_keeper import Own
from test_lib_session import connect

STOCK = os.path.join(ROOT, "tests", "integration", "stock")
PLACES = {"sock": struct.pack(">BI", 0xce, 4000000001), "assoc_id": struct.pack(">BI", 0xce, 4000000002)}
EXTENSION = 'got an extension type; it takes '
# What is not served, by what the row's call says; the rest is.
REFUSED = {
    '{"sock":5000000000,"timeout":0}': "closed: sock 5000000000: ",
    '{"port":"1970-01-01T00:00:00.000Z"}': "badarg: port: " + EXTENSION,
    '{"port":null}': "badarg: port: got nan; it takes ",
}

# msgpack-lite knows Buffer as bytes, and makes an extension of other arrays of them.
EXTENDED = {("msgpack-lite", '{"sock":4000000001,"assoc_id":4000000002,"data":{"0":1,"1":2}}')}


def says(d, *command):
    """What the program printed, in lines."""
    if not shutil.which(command[0]):
        raise Skip(f"there is no {command[0]}; tests/deps.sh check installs it")
    got = subprocess.run([command[0], os.path.join(STOCK, command[1]), *command[2:]], env={**os.environ, "SCTPD_SOCKET": d.path},
                         capture_output=True, text=True, check=False, timeout=WAIT * SLOW)
    assert got.returncode == 0, got.stdout + got.stderr
    return got.stdout.splitlines()


SAID = ["comm_up", "hello", "badarg: port: got 80.5; it takes an integer from 0 to 65535"]


def test_lua(d):
    assert says(d, "lua5.3", "client.lua") == SAID


def test_perl(d):
    assert says(d, "perl", "client.pl") == SAID


def test_php(d):
    assert says(d, "php", "client.php") == SAID


def test_node(d):
    for library in "msgpack", "msgpackr":
        assert says(d, "node", "client.js", library) == SAID, library


def node_rows():
    with open(os.path.join(STOCK, "node.tsv"), encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f]


def outcome(c, data):
    c.sock.sendall(data)
    try:
        return c.answer(7), ""
    except RpcError as e:
        return None, str(e)


def test_what_nodes_libraries_write(d):
    """Each call of each library does what it says, or is refused by name."""
    c = d.client()
    there, _, here, here_id = associate(c)
    sent = 0
    for library, method, said, data in node_rows():
        data = bytes.fromhex(data)
        for name, value in ("sock", here), ("assoc_id", here_id):
            data = data.replace(PLACES[name], struct.pack(">BI", 0xce, value))
        data = data.replace(struct.pack(">Q", 4000000001), struct.pack(">Q", here))     # of a BigInt
        got, error = outcome(c, data)
        if method == "recv" and said not in REFUSED and not error:
            assert got["event"] == "sctp_assoc_change", (library, said, got)
        elif method == "recv" and said not in REFUSED:
            assert error.startswith("timeout: "), (library, said, error)
        elif (library, said) in EXTENDED or library == "msgpackr" and "undefined" in said:  # it makes an extension of that
            assert error.split(":")[0] in ("badarg", "einval") and "it takes " in error, (library, said, error)
        else:
            assert error.startswith(REFUSED.get(said, "")) and bool(error) == (said in REFUSED), (library, said, error)
        if method == "send" and not error:
            sent += 1
            assert c.call("recv", sock=there, timeout=WAIT * 1000 * SLOW)["data"] in (b"hello", b"\1\2")
        if method == "open" and not error:
            c.call("close", sock=got["sock"])
    assert sent == 7


def test_a_member_of_a_group(d):
    """By the page on groups alone: who makes it may go; members answer; one is drained by
    itself, and ends; one is killed. The peer has one association all the time."""
    program = [sys.executable, os.path.join(STOCK, "member.py"), d.path]
    port = int(subprocess.run([*program, "make", "g"], capture_output=True, text=True, check=True, timeout=WAIT * SLOW).stdout)
    c, look = d.client("peer"), d.client("look")
    work = {}

    def start(name):
        work[name] = subprocess.Popen([*program, "work", "g", name])

    def members():
        return {m["name"]: m["sockets"] for m in look.call("groups", name="g")["groups"][0]["members"]}

    def asks(words):
        for word in words:
            c.call("send", sock=sock, assoc_id=assoc_id, data=word)
        got = []
        while len(got) < len(words):
            e = c.call("recv", sock=sock, timeout=WAIT * 500)
            assert e["event"] == "data", e
            got.append(e["data"])
        return got
    try:
        start("a")
        wait_for(lambda: members() == {"a": 0})
        sock = c.call("open", ip="127.0.0.1")["sock"]
        assoc_id = c.call("connect", sock=sock, addr="127.0.0.1", port=port, timeout=WAIT * 500)["assoc_id"]
        assert asks([b"1", b"2"]) == [b"1 a", b"2 a"]
        start("b")
        wait_for(lambda: members() == {"a": 1, "b": 0})
        assert asks([b"end"]) == [b"end a"]
        assert work["a"].wait(WAIT * SLOW) == 0
        assert asks([b"3"]) == [b"3 b"]
        start("c")
        wait_for(lambda: members() == {"b": 1, "c": 0})
        work["b"].kill()
        assert asks([b"4", b"5"]) == [b"4 c", b"5 c"]
    finally:
        for p in work.values():
            p.kill()
            p.wait()
        look.call("hello")
        look.call("ungroup", name="g")


def test_a_member_of_a_group_and_the_daemon_dies(d):
    """Each message is answered once, in order."""
    with Own() as k:
        pid = k.ready()
        program = [sys.executable, os.path.join(STOCK, "member.py"), k.path]
        port = int(subprocess.run([*program, "make", "g"], capture_output=True, text=True, check=True, timeout=WAIT * SLOW).stdout)
        member = subprocess.Popen([*program, "work", "g", "a"])
        try:
            with contextlib.closing(connect(port)) as peer:
                said = 0
                for _ in range(4):
                    before, said = said, said + 20
                    for n in range(before, said):
                        peer.send(b"%d" % n)
                        if n == before + 10:
                            os.kill(pid, signal.SIGKILL)
                    assert [peer.recv(100) for _ in range(before, said)] == [b"%d a" % n for n in range(before, said)]
                    pid = k.next_child(pid)
            assert member.poll() is None
        finally:
            member.kill()
            member.wait()
