# SPDX-License-Identifier: BSD-2-Clause
"""The userland stack on one host, and on the other the kernel's, with UDP:
driven by sctpd on both, by lksctp's sctp_test, and by Erlang's gen_sctp; and
another userland stack. MANY messages of mixed sizes each way, and each of
them is looked at."""
import ctypes
import functools
import os
import re
import shutil
import socket
import subprocess
import types

from beams import SOURCES, erlc
from harness import SCRATCH, STACK, Daemon, Skip, wait_for
from hosts import LEFT, RIGHT, Hosts, Program
from rpc import WAIT
from test_wire import MANY, at_once, both_ways, send_all

UDP = "9899"
BEAMS = os.path.join(SCRATCH, "erlang-many")
SIZES = (1, 1000, 2000, 3000, 5000, 10000, 15000, 20000, 25000, 32768)  # of sctp_test -c 4
WORDS = (1, 4, 25, 125, 250, 363, 364, 750, 2500, 8192)     # of erlang/many.erl
AHEAD = 16      # of them in a row fit the window of a socket of gen_sctp's
SECONDS = 840   # that a test may take


class Mixed(Hosts):
    """The userland stack at the left."""

    def __init__(self):
        if STACK != "kernel":
            raise Skip("both stacks are needed")
        super().__init__()
        for setting in ("udp_port", "encap_port"):
            subprocess.run(["ip", "netns", "exec", "right", "sh", "-c",
                            f"echo {UDP} >/proc/sys/net/sctp/{setting}"], check=True)
        # The kernel would leave packets of several to devices that are none.
        for dev in ("net1", "net2"):
            subprocess.run(["ip", "-netns", "right", "link", "set", dev, "gso_max_size", "1500"],
                           check=True)
        self.left.stop()
        self.left = type(self.left)(netns="left", stack="userland")


start = Mixed


def connect(h, port):
    """An association with a program at the right, as (client, sock, id)."""
    c = h.left.client()
    sock = c.call("open", ip=LEFT[0])["sock"]
    up = c.call("connect", sock=sock, addr=RIGHT[0], port=port, timeout=WAIT * 1000)
    return c, sock, up["assoc_id"]


# ---- sctpd -----------------------------------------------------------------


def test_both_daemons(h):
    assert h.left.client().call("status")["stack"] == "userland"
    assert h.right.client().call("status")["stack"] == "kernel"
    both_ways(h, MANY, SECONDS)


def test_two_userland_stacks(h):
    """The second is beside the kernel's, on another UDP port, and connects, so that this is
    learnt. As it is without the kernel's, and with MANY, wire.two_udp_ports tries it natively."""
    other = Daemon(netns="right", stack="userland", udp_port=9900)
    try:
        assert {d.client().call("status")["stack"] for d in (h.left, other)} == {"userland"}
        # The sides are named by who listens.
        turned = types.SimpleNamespace(left=other, right=h.left)
        both_ways(turned, MANY // 10, SECONDS, here_ip=RIGHT[0], there_ip=LEFT[0])
    finally:
        other.stop()


# ---- lksctp's sctp_test ----------------------------------------------------


def sent_by_sctp_test(turns, seed):
    """What it sends with -c 4 and a seed: (data, ppid, ssn). Its ppid is C's
    next random number, in its own byte order; the text is digits and a zero."""
    libc = ctypes.CDLL(None)
    libc.srand(seed)
    digits = b"01234567890123456789012345678901234567890123456789" * 700
    for n in range(turns * len(SIZES)):
        data = digits[:SIZES[n % len(SIZES)] - 1] + b"\0"
        yield data, socket.ntohl(libc.rand()), n % 65536


def test_sctp_test_sends(h):
    """Each message with its text, its number in the stream and its ppid."""
    c = h.left.client()
    sock = c.call("open", ip=LEFT[0], port=2006, options={"active": True})["sock"]
    c.call("listen", sock=sock)
    turns = MANY // len(SIZES)
    with Program("sh", "-c", f"exec sctp_test -H {RIGHT[0]} -P 2005 -h {LEFT[0]} -p 2006 -s "
                 f"-c 4 -o 1 -r 7 -d 0 -x {turns} >/dev/null 2>&1", netns="right"):
        for n, sent in enumerate(sent_by_sctp_test(turns, 7)):
            e = c.event("data", sock=sock)
            info = e["sctp_sndrcvinfo"]
            assert (e["data"], info.get("ppid", 0), info.get("ssn", 0)) == sent, n
        # An association that ends well had nothing more to say.
        assert c.event("sctp_assoc_change", sock=sock, state="shutdown_comp")


# A piece: its length, how it begins, and number in the stream and ppid of the
# message. The first it prints without these, for want of room.
PIECE = re.compile(r"Data (\d+) bytes\. First \d+ bytes: (.*)\n"
                   r"(?:\t  SNDRCV\(stream=0 ssn=(\d+) tsn=\d+ flags=0x0 ppid=(\d+)\n)?")


def for_sctp_test(n):
    """The n-th, of which it prints the first nine bytes."""
    return (b"%08d" % n).ljust(SIZES[n % len(SIZES)], b"x") if n % len(SIZES) else b"1"


def expect_told(n, pieces):
    """It prints that one, in pieces if the kernel gives it so."""
    data, came = for_sctp_test(n), 0
    while came < len(data):
        size, text, ssn, ppid = next(pieces).groups()
        assert text == data[came:came + 9].decode(), n
        assert (ssn, ppid) == (str(n % 65536), str(socket.htonl(n))) or n == 0, n
        came += int(size)
    assert came == len(data), n


def read_until(path, end):
    """What is written there, until that is."""
    parts = [""]

    def more():
        parts.append(f.read())
        return end in parts[-2][-len(end):] + parts[-1]

    with open(path, encoding="ascii") as f:
        wait_for(more)
    return "".join(parts)


def test_sctp_test_receives(h):
    """It prints of each message how long it is, how it begins, and what it came with."""
    said = os.path.join(h.left.dir, "sctp_test")
    with Program("sh", "-c", f"exec sctp_test -H {RIGHT[0]} -P 2007 -l >{said} 2>&1",
                 netns="right") as peer:
        peer.listening(2007)
        c, sock, assoc_id = end = connect(h, 2007)
        at_once(SECONDS, functools.partial(send_all, end, MANY, for_sctp_test, numbered=True))
        c.call("eof", sock=sock, assoc_id=assoc_id)
        while c.call("recv", sock=sock, timeout=WAIT * 1000).get("state") != "shutdown_comp":
            pass
        text = read_until(said, "SHUTDOWN_COMPLETE")
    pieces = PIECE.finditer(text)
    for n in range(MANY):
        expect_told(n, pieces)
    assert next(pieces, None) is None


# ---- Erlang's gen_sctp -----------------------------------------------------


def numbered(n):
    """The n-th message of erlang/many.erl."""
    return n.to_bytes(4, "big") * WORDS[n * 7 % len(WORDS)]


def in_step(end, peer):
    """Send all and take as many, never more than AHEAD before: that much fits
    the peer's window. Else the kernel would give it messages in pieces, and
    gen_sctp loses the first ones of those (before OTP 26.2.5.4: OTP-19235)."""
    c, sock, assoc_id = end
    c.call("setopts", sock=sock, options={"active": True})
    sent, under_way = 0, []
    for n in range(MANY):
        if sent < min(n + AHEAD // 2, MANY):
            for msgid in under_way:
                c.answer(msgid)
            under_way = c.requests("send", [{"sock": sock, "assoc_id": assoc_id, "data": numbered(i)}
                                            for i in range(sent, min(n + AHEAD, MANY))])
            sent += len(under_way)
        name, e = c.event()
        assert name == "data" and e["data"] == numbered(n), (n, name, peer.output)
    for msgid in under_way:
        c.answer(msgid)


def compile_erlang():
    os.makedirs(BEAMS)
    erlc(BEAMS, [os.path.join(SOURCES, "many.erl")])


def test_gen_sctp_both_ways(h):
    if not shutil.which("erlc"):
        raise Skip("erlang-base is not installed: run tests/deps.sh check")
    compile_erlang()
    with Program("erl", "-noshell", "-pa", BEAMS, "-run", "many", "run", RIGHT[0], "2008", str(MANY),
                 netns="right") as peer:
        peer.expect("listening")
        end = connect(h, 2008)
        in_step(end, peer)
        peer.expect("all came")
        end[0].call("eof", sock=end[1], assoc_id=end[2])
        peer.expect("over")
