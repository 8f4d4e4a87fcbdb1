# SPDX-License-Identifier: BSD-2-Clause
"""sockname, port, peername, socknames and peernames, on every kind of socket."""
from check import WAIT_MS, blackhole, code, recv, refusal, send
from harness import associate


def addrs(c, method, **args):
    return sorted(a["addr"] for a in c.call(method, **args)["addresses"])


def stream_pair(c):
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.2", type="stream")
    c.call("connect", sock=here["sock"], addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    got = c.call("accept", sock=there["sock"], timeout=WAIT_MS)
    return there, got["accepted"], here


def test_port_is_that_of_open(d):
    c = d.client()
    for args in ({}, {"type": "stream"}, {"family": "inet6"}, {"ip": ["127.0.0.1", "127.0.0.2"]}):
        got = c.call("open", **args)
        assert c.call("port", sock=got["sock"]) == {"port": got["port"]}
        assert c.call("sockname", sock=got["sock"])["port"] == got["port"]


def test_any_is_all_addresses_of_the_host(d):
    c = d.client()
    sock = c.call("open")["sock"]
    assert c.call("sockname", sock=sock)["addr"] == "0.0.0.0"
    names = addrs(c, "socknames", sock=sock)
    assert "0.0.0.0" not in names and names, names
    blackhole()
    assert "198.51.100.2" in addrs(c, "socknames", sock=c.call("open")["sock"])
    assert "::ffff:198.51.100.2" in addrs(c, "socknames", sock=c.call("open", family="inet6")["sock"])


def test_socknames_of_one_association(d):
    c = d.client()
    there = c.call("open", ip=["127.0.0.1", "127.0.0.2"])
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.3")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    peer = recv(c, there["sock"], "sctp_assoc_change")["assoc_id"]
    assert addrs(c, "socknames", sock=there["sock"], assoc_id=peer) == ["127.0.0.1", "127.0.0.2"]
    assert addrs(c, "socknames", sock=here, assoc_id=up) == ["127.0.0.3"]
    assert addrs(c, "peernames", sock=here, assoc_id=up) == ["127.0.0.1", "127.0.0.2"]
    assert addrs(c, "peernames", sock=there["sock"], assoc_id=peer) == ["127.0.0.3"]


def test_of_an_association_that_is_not(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for method in ("socknames", "peernames"):
        assert refusal(c, method, sock=sock, assoc_id=999999) == \
            f"epipe: assoc_id 999999: sock {sock} has no such association; it has ended, or never existed"
    assert refusal(c, "peernames", sock=sock) == "badarg: assoc_id: missing; a one-to-many socket needs it"


def test_peername_is_enotconn_where_there_is_no_one_peer(d):
    c = d.client()
    _, _, here, _ = associate(c)
    assert code(c, "peername", sock=here) == "enotconn"
    assert code(c, "peername", sock=c.call("open", type="stream")["sock"]) == "enotconn"


def test_a_connected_stream_socket_has_a_peer_unlike_gen_sctps(d):
    c = d.client()
    there, accepted, here = stream_pair(c)
    assert c.call("peername", sock=here["sock"]) == {"addr": "127.0.0.1", "port": there["port"]}
    assert c.call("peername", sock=accepted) == {"addr": "127.0.0.2", "port": here["port"]}
    assert addrs(c, "peernames", sock=here["sock"]) == ["127.0.0.1"]
    assert c.call("port", sock=accepted) == {"port": there["port"]}
    assert c.call("sockname", sock=accepted) == c.call("sockname", sock=there["sock"])


def test_peers_of_four_on_a_socket_of_six_are_mapped_or_not(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    for mapped, want in ((True, "::ffff:127.0.0.1"), (False, "127.0.0.1")):
        here = c.call("open", family="inet6", ip="127.0.0.1", options={"sctp_i_want_mapped_v4_addr": mapped})["sock"]
        up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
        assert addrs(c, "peernames", sock=here, assoc_id=up) == [want]
        peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")["assoc_id"]
        send(c, there["sock"], peer, b"x")
        assert recv(c, here, "data")["from"]["addr"] == want


def test_any_client_of_the_user_may_ask(d):
    c, other = d.client(), d.client()
    _, _, here, here_id = associate(c)
    for method, args in (("sockname", {}), ("port", {}), ("socknames", {}), ("peernames", {"assoc_id": here_id})):
        assert other.call(method, sock=here, **args) == c.call(method, sock=here, **args)
