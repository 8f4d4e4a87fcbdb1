# SPDX-License-Identifier: BSD-2-Clause
"""IPv4 peers of inet6 sockets: their addresses are mapped, ::ffff:a.b.c.d, unless the socket says otherwise."""
import socket
import struct

from check import code, option, recv, refusal

MAPPED = "::ffff:127.0.0.1"
SOL_SCTP, PRIMARY, PEER_INFO, PEER_ADDRS, LOCAL_ADDRS = 132, 6, 15, 108, 109


def raw(addr, port):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    body = struct.pack("!HI16s", port, 0, socket.inet_pton(family, addr)) if ":" in addr else \
        struct.pack("!H4s", port, socket.inet_pton(family, addr))
    return struct.pack("=H", family) + body


def data(c, sock):
    while (got := c.call("recv", sock=sock, timeout=5000))["event"] != "data":
        pass
    return got


def echo(c, sock, assoc_id, peer, seen_as):
    """A message there and back; how each side sees the other's address."""
    c.call("send", sock=sock, assoc_id=assoc_id, data=b"there")
    there = data(c, peer)
    assert there["data"] == b"there"
    c.call("send", sock=peer, assoc_id=there["sctp_sndrcvinfo"]["assoc_id"], data=b"back")
    back = data(c, sock)
    assert (back["data"], back["from"]["addr"]) == (b"back", seen_as), back
    return there["from"]["addr"]


def listener(c, **args):
    got = c.call("open", **args)
    c.call("listen", sock=got["sock"])
    return got


def test_an_inet6_socket_has_peers_of_four(d):
    c = d.client()
    there = listener(c, ip="127.0.0.1")
    for type in "seqpacket", "stream":
        for ip in {}, {"ip": "::"}, {"ip": MAPPED}, {"ip": ["::1", "127.0.0.1"]}:
            sock = c.call("open", family="inet6", type=type, **ip)["sock"]
            for to in (MAPPED,) if type == "stream" else (MAPPED, "127.0.0.1"):
                a = c.call("connect", sock=sock, addr=to, port=there["port"])["assoc_id"]
                assert echo(c, sock, a, there["sock"], MAPPED) == "127.0.0.1"
                assert c.call("peernames", sock=sock, assoc_id=a)["addresses"] == [{"addr": MAPPED, "port": there["port"]}]
                assert option(c, sock, "sctp_primary_addr", assoc_id=a)["addr"]["addr"] == MAPPED
                c.call("abort", sock=sock, assoc_id=a)
                if type == "seqpacket":
                    while c.call("recv", sock=sock, timeout=5000)["event"] != "sctp_assoc_change":
                        pass
            c.call("close", sock=sock)


def test_an_inet6_listener_has_peers_of_four(d):
    c = d.client()
    for type in "seqpacket", "stream":
        for seen, options in ((MAPPED, {}), ("127.0.0.1", {"sctp_i_want_mapped_v4_addr": False})):
            there = listener(c, family="inet6", type=type, options=options)
            here = c.call("open", ip="127.0.0.1")
            a = c.call("connect", sock=here["sock"], addr="127.0.0.1", port=there["port"])["assoc_id"]
            if type == "stream":
                got = c.call("accept", sock=there["sock"])
                assert got["from"]["addr"] == seen, got
                there["sock"] = got["accepted"]
            assert echo(c, here["sock"], a, there["sock"], "127.0.0.1") == seen
            names = c.call("assocs", sock=there["sock"])["assocs"]
            assert names[0]["peer"] == {"addr": seen, "port": here["port"]}, names


def test_a_v6only_socket_has_none(d):
    c = d.client()
    only = {"family": "inet6", "options": {"ipv6_v6only": True}}
    there = listener(c, ip="127.0.0.1")
    for type in "seqpacket", "stream":
        sock = c.call("open", type=type, **only)["sock"]
        for to in MAPPED, "127.0.0.1":
            assert code(c, "connect", sock=sock, addr=to, port=there["port"]) == "einval"
        assert code(c, "open", ip=MAPPED, **only) == "einval"
    there, here = listener(c, **only), c.call("open", ip="127.0.0.1", options={"sctp_initmsg": {"max_attempts": 1}})["sock"]
    assert code(c, "connect", sock=here, addr="127.0.0.1", port=there["port"]) == "cant_assoc"
    assert c.call("open", port=there["port"])["port"] == there["port"]


def test_an_inet_socket_takes_no_mapped_address(d):
    c = d.client()
    assert refusal(c, "connect", sock=c.call("open")["sock"], addr=MAPPED, port=9) == \
        f'eafnosupport: addr: "{MAPPED}" is IPv6, and the socket is inet; open it with family inet6'


def test_mapped_addresses_in_options_by_number(d):
    c = d.client()
    there = listener(c, ip="127.0.0.1")
    for seen, want in ((MAPPED, True), ("127.0.0.1", False)):
        sock = c.call("open", ip=["::1", "127.0.0.1"], family="inet6", options={"sctp_i_want_mapped_v4_addr": want})["sock"]
        a = c.call("connect", sock=sock, addr=MAPPED, port=there["port"])["assoc_id"]

        def get(name, value):
            return c.call("getsockopt", sock=sock, level=SOL_SCTP, name=name, value=value)["value"]

        peer = raw(seen, there["port"])
        assert get(PEER_ADDRS, struct.pack("=II", a, 0) + bytes(100)) == struct.pack("=II", a, 1) + peer.ljust(28 if want else 16, b"\0")
        for addr in raw(MAPPED, there["port"]), raw("127.0.0.1", there["port"]):
            value = get(PEER_INFO, struct.pack("=I", a) + addr.ljust(148, b"\0"))
            assert struct.unpack_from("=i", value, 132) == (2,), value
        assert get(PRIMARY, struct.pack("=I", a) + bytes(128))[4:4 + len(peer)] == peer
        c.call("close", sock=sock)
