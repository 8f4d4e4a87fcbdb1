# SPDX-License-Identifier: BSD-2-Clause
"""What the parameters of a message put on the wire, decoded by tshark. The peer
is a socket of the kernel's own at the other host, which has two addresses."""
import contextlib
import socket
import struct

from capture import DATA, FORWARD_TSN, Capture, inside
from check import code, refusal
from harness import SLOW, wait_for
from hosts import LEFT, RIGHT, Hosts, networks
from rpc import WAIT

start = Hosts

SCTP = 132
AUTH_CHUNK, AUTH_KEY, AUTH_SUPPORTED = 21, 23, 129
KEYS = {1: b"the first key", 2: b"the second key"}
FAST = {"initial": 100, "max": 100, "min": 100}


class Peer:
    def __init__(self, port, auth=False):
        with inside("right"):
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        if auth:
            self.listener.setsockopt(SCTP, AUTH_SUPPORTED, struct.pack("=iI", 0, 1))
            self.listener.setsockopt(SCTP, AUTH_CHUNK, bytes([DATA]))
            for number, key in KEYS.items():
                self.listener.setsockopt(SCTP, AUTH_KEY, struct.pack("=iHH", 0, number, len(key)) + key)
        self.listener.bind(("0.0.0.0", port))
        self.listener.listen()
        self.listener.settimeout(WAIT * SLOW)
        self.s = None

    def accept(self):
        self.s = self.listener.accept()[0]
        self.s.settimeout(WAIT * SLOW)

    def got(self, *messages):
        for want in messages:
            assert self.s.recv(65536) == want

    def close(self):
        self.s.close()
        self.listener.close()


@contextlib.contextmanager
def associated(h, port, auth=False, ip=LEFT[0], kind="seqpacket", **options):
    """(client, socket, association, peer)"""
    c, peer = h.left.client(), Peer(port, auth)
    sock = c.call("open", ip=ip, type=kind, options={"sctp_rtoinfo": FAST, **options})["sock"]
    up = c.call("connect", sock=sock, addr=RIGHT[0], port=port, timeout=WAIT * 1000 * SLOW)
    peer.accept()
    yield c, sock, up["assoc_id"], peer
    c.call("abort", sock=sock, assoc_id=up["assoc_id"])
    peer.close()


def say(c, sock, assoc_id, data, **info):
    c.call("send", sock=sock, data=data, sctp_sndrcvinfo={"assoc_id": assoc_id, **info})


def test_only_the_message_that_says_so_is_acknowledged_at_once(h):
    """Its DATA chunk has the I bit (RFC 7053); of a long message the last chunk has it."""
    with Capture("left") as capture, associated(h, 2100) as (c, sock, up, peer):
        say(c, sock, up, b"plain")
        peer.got(b"plain")
        say(c, sock, up, b"at once", flags=["sack_immediately"])
        peer.got(b"at once")
        say(c, sock, up, b"x" * 3000, flags=["unordered", "sack_immediately"])
        peer.got(b"x" * 3000)
    rows = capture.fields("sctp.data_i_bit", "sctp.data_u_bit", only=f"sctp.chunk_type == {DATA}")
    bits = [(i, u) for row in rows for i, u in zip(*row)]
    assert [i for i, _ in bits] == ["0", "1"] + ["0"] * (len(bits) - 3) + ["1"], bits
    assert [u for _, u in bits] == ["0", "0"] + ["1"] * (len(bits) - 2), bits


def sent_again(c, sock, up):
    options = c.call("getopts", sock=sock, options=[["sctp_assoc_stats", {"assoc_id": up}]])["options"]
    return options[0][1]["rtxchunks"]


def test_a_message_is_given_up_by_its_own_policy(h):
    """All is lost for a while, in which no association is given up. The peer is told to skip that message, and only that one."""
    policies = {2101: {"pr_policy": "rtx", "pr_value": 0}, 2102: {"pr_policy": "ttl", "pr_value": 20},
                2103: {"timetolive": 20}, 2104: {}}
    with Capture("right") as capture, contextlib.ExitStack() as stack:
        all_of_them = {port: stack.enter_context(associated(h, port, sctp_associnfo={"asocmaxrxt": 1000})) for port in policies}
        networks("netem", "1", "loss", "100%")
        try:
            for port, (c, sock, up, _) in all_of_them.items():
                say(c, sock, up, b"lost", **policies[port])
                say(c, sock, up, b"kept")
            for c, sock, up, _ in all_of_them.values():
                wait_for(lambda of=(c, sock, up): sent_again(*of) > 0)
        finally:
            networks("netem", "1")
        for port, (_, _, _, peer) in all_of_them.items():
            peer.got(*([b"kept"] if policies[port] else [b"lost", b"kept"]))
        capture.wait(FORWARD_TSN, 3)
    rows = capture.fields("ip.src", "sctp.dstport", only=f"sctp.chunk_type == {FORWARD_TSN}")
    assert {(src, int(port)) for (src,), (port,) in rows} == {(LEFT[0], p) for p in policies if policies[p]}, rows


def test_a_message_is_authenticated_by_the_key_that_it_names(h):
    keys = [["sctp_auth_key", {"keynumber": n, "key": key}] for n, key in KEYS.items()]
    with Capture("left") as capture, \
            associated(h, 2120, auth=True, sctp_auth_supported={"assoc_value": 1}) as (c, sock, up, peer):
        for name, value in keys:
            c.call("setopts", sock=sock, options=[[name, {"assoc_id": up, **value}]])
        c.call("setopts", sock=sock, options={"sctp_auth_active_key": {"assoc_id": up, "keynumber": 1}})
        for n, info in enumerate([{}, {"auth_keynumber": 2}, {"auth_keynumber": 1}, {"auth_keynumber": 0}, {}]):
            say(c, sock, up, b"%d" % n, **info)
            peer.got(b"%d" % n)
        args = {"sock": sock, "data": b"x", "sctp_sndrcvinfo": {"assoc_id": up, "auth_keynumber": 9}}
        assert refusal(c, "send", **args) == "einval: auth_keynumber 9: the association has no such key"
        many = [{"data": b"%d" % n, "sctp_sndrcvinfo": {"auth_keynumber": n}} for n in (1, 2, 9)]
        answer = c.call("send_many", sock=sock, assoc_id=up, messages=many)
        assert answer["taken"] == 2 and answer["error"].startswith("einval: message [2]: auth_keynumber 9"), answer
        peer.got(b"1", b"2")
    rows = capture.fields("sctp.shared_key_id", only=f"sctp.chunk_type == {DATA} && ip.src == {LEFT[0]}")
    ids = [int(key, 16 if key.startswith("0x") else 10) for (row,) in rows for key in row]
    assert ids == [1, 2, 1, 0, 1, 1, 2], ids


def test_a_message_goes_to_the_address_that_it_names(h):
    """On a path that is not the primary one; the others go on as before."""
    with Capture("left") as capture, associated(h, 2130, ip=LEFT, kind="stream") as (c, sock, up, peer):
        wait_for(lambda: {p["state"] for p in c.call("paths", sock=sock, assoc_id=up)["paths"]} == {"active"})
        for data, info in ((b"1", {}), (b"2", {"addr": RIGHT[1]}), (b"3", {"addr": RIGHT[0], "flags": ["addr_over"]}),
                           (b"4", {})):
            say(c, sock, up, data, **info)
            peer.got(data)
        assert code(c, "send", sock=sock, data=b"x",
                    sctp_sndrcvinfo={"assoc_id": up, "addr": "10.0.1.77"}) == "eaddrnotavail"
        many = [{"data": b"%d" % n, "sctp_sndrcvinfo": {"addr": RIGHT[n % 2]}} for n in range(5, 9)]
        assert c.call("send_many", sock=sock, assoc_id=up, messages=many) == {"taken": 4}
        heard = sorted(peer.s.recv(100) for _ in range(4))
        assert heard == [b"5", b"6", b"7", b"8"]
    rows = capture.fields("ip.dst", "sctp.data_sid", only=f"sctp.chunk_type == {DATA}")
    where = [dst for (dst,), sids in rows for _ in sids]
    assert where[:4] == [RIGHT[0], RIGHT[1], RIGHT[0], RIGHT[0]], where
    assert sorted(where[4:]) == [RIGHT[0], RIGHT[0], RIGHT[1], RIGHT[1]], where


def test_times_of_arrival_are_those_of_the_wire(h):
    """The daemon sleeps meanwhile: a message is as old as its packet, and not as its reading."""
    c = h.left.client()
    with inside("right"):
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    there = c.call("open", ip=LEFT[0], options={"timestamp": True, "active": True})
    c.call("listen", sock=there["sock"])
    with Capture("left") as capture, peer:
        peer.connect((LEFT[0], there["port"]))
        c.event("sctp_assoc_change")
        with h.left.asleep():
            for n in range(3):
                peer.send(b"%d" % n)
                capture.wait(DATA, n + 1)
        times = [c.event("data")["timestamp"] / 1e6 for _ in range(3)]
    wire = capture.times(DATA, LEFT[0])
    assert len(wire) == 3
    for on_wire, at in zip(wire, times):
        assert abs(on_wire - at) < 0.005, (wire, times)
