# SPDX-License-Identifier: BSD-2-Clause
"""Changes of addresses and of streams on the wire, decoded by tshark. The peer
is a socket of the kernel's own at the other host."""
import contextlib
import socket
import struct

from capture import ASCONF, ASCONF_ACK, AUTH, RE_CONFIG, Capture, inside
from check import option, refusal, setopt
from harness import SLOW, wait_for
from hosts import LEFT, RIGHT, Hosts, networks
from rpc import WAIT

start = Hosts

SCTP = 132
EVENTS = 11
RECONFIG_SUPPORTED, ENABLE_STREAM_RESET, RESET_STREAMS = 117, 118, 119
ASCONF_SUPPORTED, AUTH_SUPPORTED = 128, 129
MSG_NOTIFICATION = 0x8000
PEER_ADDR_CHANGE, STREAM_RESET, ASSOC_RESET, STREAM_CHANGE = 0x8002, 0x800a, 0x800b, 0x800c
ADDED, REMOVED = 3, 2
OURS = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1},
        "sctp_reconfig_supported": {"assoc_value": 1},
        "sctp_enable_stream_reset": {"assoc_value": ["reset_streams", "reset_assoc", "add_streams"]},
        "sctp_events": {"stream_reset_event": True, "assoc_reset_event": True, "stream_change_event": True},
        "active": True}
# Parameters of RFC 5061 and RFC 6525.
ADD_ADDRESS, DELETE_ADDRESS = "0xc001", "0xc002"
DONE, DENIED = 1, 2     # results of a response
OUT_RESET, IN_RESET, TSN_RESET, RESPONSE, ADD_OUT, ADD_IN = "0x000d", "0x000e", "0x000f", "0x0010", "0x0011", "0x0012"


class Peer:
    """A listening socket of the kernel's at the right, and the association that
    comes to it. It says what it is told."""

    def __init__(self, port, asconf=True, allows=7):
        with inside("right"):
            self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        for name, value in ((RECONFIG_SUPPORTED, 1), (ENABLE_STREAM_RESET, allows),
                            (AUTH_SUPPORTED, asconf), (ASCONF_SUPPORTED, asconf)):
            self.listener.setsockopt(SCTP, name, struct.pack("iI", 0, value))
        self.listener.setsockopt(SCTP, EVENTS, bytes([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1]))
        self.listener.bind((RIGHT[0], port))
        self.listener.listen()
        self.listener.settimeout(WAIT * SLOW)
        self.s = None

    def accept(self):
        self.s = self.listener.accept()[0]
        self.s.settimeout(WAIT * SLOW)

    def data(self):
        """The next message."""
        while True:
            data, _, flags, _ = self.s.recvmsg(65536)
            if not flags & MSG_NOTIFICATION:
                return data

    def told(self, kind):
        """The next notification of this type, from behind its head."""
        while True:
            data, _, flags, _ = self.s.recvmsg(65536)
            assert data, "the association ended"
            if flags & MSG_NOTIFICATION and struct.unpack("=H", data[:2])[0] == kind:
                return data[8:]

    def told_of_address(self, state):
        """The address that was added or removed."""
        while True:
            body = self.told(PEER_ADDR_CHANGE)
            if struct.unpack_from("=i", body, 128)[0] == state:
                return socket.inet_ntoa(body[4:8])

    def close(self):
        for s in self.s, self.listener:
            if s:
                s.close()


@contextlib.contextmanager
def associated(h, port, ip=LEFT[0], **args):
    """(client, socket, assoc_id, peer)"""
    c = h.left.client()
    with contextlib.closing(Peer(port, **args)) as peer:
        sock = c.call("open", ip=ip, options=OURS)["sock"]
        up = c.call("connect", sock=sock, addr=RIGHT[0], port=port, timeout=WAIT * 500)["assoc_id"]
        peer.accept()
        yield c, sock, up, peer
        c.call("close", sock=sock)


def requests(capture):
    """Of each packet with RE-CONFIG chunks: who sent it, the types of their
    parameters, and the results in responses."""
    rows = capture.fields("ip.src", "sctp.parameter_type", "sctp.parameter_reconfig_response_result",
                          only=f"sctp.chunk_type == {RE_CONFIG}")
    return [(src, set(types), [int(r, 0) for r in results]) for (src,), types, results in rows]


def test_addresses_are_added_and_removed_on_the_wire(h):
    """But not for a peer that did not agree to it."""
    with Capture("right") as capture, associated(h, 2020) as (c, sock, up, peer), \
            associated(h, 2021, asconf=False) as (other, deaf, deaf_up, deaf_peer):
        assert c.call("bindx_add", sock=sock, addrs=LEFT[1]) == {"told": 1}
        assert peer.told_of_address(ADDED) == LEFT[1]
        capture.wait(ASCONF_ACK, 1)
        assert c.call("bindx_rem", sock=sock, addrs=LEFT[0]) == {"told": 1}
        assert peer.told_of_address(REMOVED) == LEFT[0]
        capture.wait(ASCONF_ACK, 2)
        c.call("send", sock=sock, assoc_id=up, data=b"from the other")
        assert peer.data() == b"from the other"
        assert other.call("bindx_add", sock=deaf, addrs=LEFT[1]) == {"told": 0}
        other.call("send", sock=deaf, assoc_id=deaf_up, data=b"x")
        assert deaf_peer.data() == b"x"
    rows = capture.fields("ip.src", "sctp.chunk_type", "sctp.parameter_type",
                          only=f"sctp.chunk_type == {ASCONF} || sctp.chunk_type == {ASCONF_ACK}")
    chunks = [(src, [int(c) for c in chunks]) for (src,), chunks, _ in rows]
    assert chunks == [(LEFT[0], [AUTH, ASCONF]), (RIGHT[0], [AUTH, ASCONF_ACK]),
                      (LEFT[1], [AUTH, ASCONF]), (RIGHT[0], [AUTH, ASCONF_ACK])], chunks
    assert ADD_ADDRESS in rows[0][2] and DELETE_ADDRESS in rows[2][2], rows


def test_streams_and_associations_are_reset_on_the_wire(h):
    """And streams added; and what the peer refuses is told."""
    with Capture("right") as capture, associated(h, 2022) as (c, sock, up, peer):
        for flags in ["outgoing"], ["incoming"], ["incoming", "outgoing"]:
            c.call("reset_streams", sock=sock, assoc_id=up, flags=flags, streams=[1, 2])
            for _ in flags:
                got = c.event("sctp_stream_reset_event", sock=sock)
                assert got["streams"] == [1, 2] and not set(got["flags"]) & {"denied", "failed"}, got
                peer.told(STREAM_RESET)
        c.call("reset_assoc", sock=sock, assoc_id=up)
        assert c.event("sctp_assoc_reset_event", sock=sock)["flags"] == []
        peer.told(ASSOC_RESET)
        for field in "outstrms", "instrms":
            setopt(c, sock, sctp_add_streams={"assoc_id": up, field: 2})
            got = c.event("sctp_stream_change_event", sock=sock)
            assert got[field] == 2 and got["flags"] == [], got
            peer.told(STREAM_CHANGE)
        with associated(h, 2025, allows=0) as (c, sock, up, peer):
            c.call("reset_streams", sock=sock, assoc_id=up, streams=[1])
            assert c.event("sctp_stream_reset_event", sock=sock)["flags"] == ["outgoing", "denied"]
            c.call("reset_assoc", sock=sock, assoc_id=up)
            assert c.event("sctp_assoc_reset_event", sock=sock)["flags"] == ["denied"]
    got = requests(capture)
    assert got == [
        (LEFT[0], {OUT_RESET}, []), (RIGHT[0], {RESPONSE}, [DONE]),
        (LEFT[0], {IN_RESET}, []), (RIGHT[0], {OUT_RESET}, []), (LEFT[0], {RESPONSE}, [DONE]),
        (LEFT[0], {OUT_RESET, IN_RESET}, []), (RIGHT[0], {RESPONSE, OUT_RESET}, [DONE]), (LEFT[0], {RESPONSE}, [DONE]),
        (LEFT[0], {TSN_RESET}, []), (RIGHT[0], {RESPONSE}, [DONE]),
        (LEFT[0], {ADD_OUT}, []), (RIGHT[0], {RESPONSE}, [DONE]),
        (LEFT[0], {ADD_IN}, []), (RIGHT[0], {ADD_OUT}, []), (LEFT[0], {RESPONSE}, [DONE]),
        (LEFT[0], {OUT_RESET}, []), (RIGHT[0], {RESPONSE}, [DENIED]),
        (LEFT[0], {TSN_RESET}, []), (RIGHT[0], {RESPONSE}, [DENIED])], got


def test_while_one_is_unanswered_another_is_refused(h):
    with associated(h, 2026) as (c, sock, up, _):
        try:
            networks("netem", "1", "delay", "50ms")
            c.call("reset_streams", sock=sock, assoc_id=up)
            for method in "reset_streams", "reset_assoc":
                assert refusal(c, method, sock=sock, assoc_id=up) == (
                    f"einprogress: assoc_id {up}: the peer has not answered an earlier request; wait for its event")
            c.event("sctp_stream_reset_event", sock=sock)
        finally:
            networks("netem", "1")
        c.call("reset_assoc", sock=sock, assoc_id=up)
        c.event("sctp_assoc_reset_event", sock=sock)


def test_a_path_that_fails_is_seen(h):
    """In paths, where sctp_expose_potentially_failed_state hides its values too."""
    quick = {"sctp_rtoinfo": {"initial": 200, "min": 100, "max": 200},
             "sctp_peer_addr_params": {"hbinterval": 100, "pathmaxrxt": 2, "flags": ["hb_enable"]}}
    c = h.left.client()
    right = h.right.client()
    there = right.call("open", ip=RIGHT)
    right.call("listen", sock=there["sock"])
    sock = c.call("open", ip=LEFT, options={**quick, "sctp_expose_potentially_failed_state": {"assoc_value": 1}})["sock"]
    up = c.call("connect", sock=sock, addr=RIGHT, port=there["port"], timeout=WAIT * 500)["assoc_id"]

    def states():
        return {p["address"]["addr"]: p["state"] for p in c.call("paths", sock=sock, assoc_id=up)["paths"]}
    wait_for(lambda: states() == {RIGHT[0]: "active", RIGHT[1]: "active"})
    seen = []
    networks("cut", "2")
    try:
        wait_for(lambda: seen.append(states()[RIGHT[1]]) or seen[-1] == "inactive")
    finally:
        networks("mend", "2")
    assert "potentially_failed" in seen, set(seen)
    assert states()[RIGHT[0]] == "active"
    wait_for(lambda: states()[RIGHT[1]] == "active")
    assert option(c, sock, "sctp_status", assoc_id=up)["state"] == "established"
