# SPDX-License-Identifier: BSD-2-Clause
"""open, and the names of what it opened."""
import os

from check import code, only, option, refusal
from harness import Skip


def names(c, method, **args):
    return [(a["addr"], a["port"]) for a in c.call(method, **args)["addresses"]]


def sockname(c, sock):
    got = c.call("sockname", sock=sock)
    return got["addr"], got["port"]


def listed(c, sock):
    return only(c.call("sockets")["sockets"], sock=sock)


def test_without_arguments_any_address_and_a_free_port(d):
    c = d.client()
    got = c.call("open")
    assert set(got) == {"sock", "port"} and got["port"] > 0
    assert sockname(c, got["sock"]) == ("0.0.0.0", got["port"])
    row = listed(c, got["sock"])
    assert (row["type"], row["family"], row["active"]) == ("seqpacket", "inet", False)
    assert (row["listening"], row["associations"], row["port"]) == (False, 0, got["port"])


def test_handles_are_never_used_again(d):
    c = d.client()
    handles = []
    for _ in range(20):
        handles.append(c.call("open")["sock"])
        c.call("close", sock=handles[-1])
    assert len(set(handles)) == 20 and handles == sorted(handles)


def test_a_port_is_taken_as_given(d):
    c = d.client()
    port = c.call("open")["port"]
    c.call("close", sock=listed_only(c)["sock"])
    assert c.call("open", port=port)["port"] == port


def listed_only(c):
    rows = c.call("sockets")["sockets"]
    assert len(rows) == 1
    return rows[0]


def test_one_address(d):
    c = d.client()
    got = c.call("open", ip="127.0.0.2")
    assert sockname(c, got["sock"]) == ("127.0.0.2", got["port"])
    assert names(c, "socknames", sock=got["sock"]) == [("127.0.0.2", got["port"])]


def test_of_several_addresses_sockname_is_the_last(d):
    c = d.client()
    got = c.call("open", ip=["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    assert sockname(c, got["sock"]) == ("127.0.0.3", got["port"])
    assert sorted(names(c, "socknames", sock=got["sock"])) == [
        (f"127.0.0.{i}", got["port"]) for i in (1, 2, 3)]


def test_the_same_address_twice_is_refused(d):
    c = d.client()
    assert code(c, "open", ip=["127.0.0.1", "127.0.0.1"]) in ("einval", "eaddrinuse")
    assert c.call("sockets")["sockets"] == []


def test_any_with_another_address_is_refused(d):
    assert code(d.client(), "open", ip=["any", "127.0.0.1"]) == "einval"


def test_loopback_and_any_are_words(d):
    c = d.client()
    assert sockname(c, c.call("open", ip="loopback")["sock"])[0] == "127.0.0.1"
    assert sockname(c, c.call("open", ip="any")["sock"])[0] == "0.0.0.0"
    assert sockname(c, c.call("open", ip="loopback", family="inet6")["sock"])[0] == "::1"
    assert sockname(c, c.call("open", family="inet6")["sock"])[0] == "::"


def test_an_address_of_six_opens_inet6(d):
    c = d.client()
    got = c.call("open", ip="::1")
    assert listed(c, got["sock"])["family"] == "inet6"
    assert sockname(c, got["sock"]) == ("::1", got["port"])


def test_an_address_of_four_on_inet6_is_mapped(d):
    c = d.client()
    got = c.call("open", ip="127.0.0.1", family="inet6")
    assert sockname(c, got["sock"])[0] == "::ffff:127.0.0.1"


def test_both_families_on_inet6(d):
    c = d.client()
    sock = c.call("open", ip=["127.0.0.1", "::1"], family="inet6")["sock"]
    assert sorted(a for a, _ in names(c, "socknames", sock=sock)) == ["::1", "::ffff:127.0.0.1"]


def test_an_address_of_six_on_inet_is_refused(d):
    assert refusal(d.client(), "open", ip="::1", family="inet") == \
        'eafnosupport: ip: "::1" is IPv6, and the socket is inet; open it with family inet6'


def test_stream(d):
    c = d.client()
    assert listed(c, c.call("open", type="stream")["sock"])["type"] == "stream"


def test_options_are_set_before_it_is_bound(d):
    c = d.client()
    sock = c.call("open", family="inet6", options={"ipv6_v6only": True, "sctp_nodelay": False})["sock"]
    assert option(c, sock, "ipv6_v6only") is True
    assert option(c, sock, "sctp_nodelay") is False


def test_an_option_that_fails_leaves_nothing_open(d):
    c = d.client()
    assert refusal(c, "open", options=[["sctp_nodelay", True], ["ttl", 0]]) == \
        "einval: options.ttl: Invalid argument; 1 of 2 were set"
    assert c.call("sockets")["sockets"] == []


def test_a_port_in_use_is_refused_unless_both_reuse_it(d):
    c = d.client()
    port = c.call("open", ip="127.0.0.1")["port"]
    assert refusal(c, "open", ip="127.0.0.1", port=port) == \
        f"eaddrinuse: port {port}: it is in use on that address"
    reuse = {"reuseaddr": True}
    port = c.call("open", ip="127.0.0.1", options=reuse)["port"]
    assert c.call("open", ip="127.0.0.1", port=port, options=reuse)["port"] == port


def test_an_address_of_another_host_is_refused(d):
    assert refusal(d.client(), "open", ip="192.0.2.1") == "eaddrnotavail: ip: not an address of this host"


def test_a_privileged_port(d):
    if os.getuid() != 0:
        raise Skip("needs root")
    assert d.client().call("open", ip="127.0.0.1", port=999)["port"] == 999


def test_peername_is_for_one_to_one(d):
    c = d.client()
    sock = c.call("open")["sock"]
    assert refusal(c, "peername", sock=sock) == \
        f"enotconn: sock {sock}: a one-to-many socket has no one peer; see peernames"
    sock = c.call("open", type="stream")["sock"]
    assert refusal(c, "peername", sock=sock) == f"enotconn: sock {sock}: it has no association"


def unbound(c, **args):
    got = c.call("open", bind=False, **args)
    assert got["port"] == 0
    return got["sock"]


def test_bind_false_leaves_it_unbound(d):
    c = d.client()
    for kind, any in (("inet", "0.0.0.0"), ("inet6", "::")):
        for type in "seqpacket", "stream":
            sock = unbound(c, type=type, family=kind)
            assert sockname(c, sock) == (any, 0) and names(c, "socknames", sock=sock) == []
            assert c.call("port", sock=sock)["port"] == listed(c, sock)["port"] == 0
            assert code(c, "send", sock=sock, assoc_id=7, data=b"x") == "epipe"
            assert refusal(c, "bindx_add", sock=sock, addrs="127.0.0.1") == \
                f"einval: sock {sock}: it is not bound yet; the method bind takes all its addresses"
            c.call("close", sock=sock)


def test_bind_false_takes_no_address_and_no_port(d):
    c = d.client()
    for more in {"ip": "127.0.0.1"}, {"port": 0}, {"port": 2905}:
        assert refusal(c, "open", bind=False, **more) == \
            "badarg: bind: false leaves the socket unbound, so it takes neither ip nor port; give them to the method bind"
    assert c.call("sockets")["sockets"] == []
    assert c.call("open", bind=True, port=0)["port"] > 0


def test_options_are_set_and_read_before_bind(d):
    c = d.client()
    sock = unbound(c, family="inet6", options={"sctp_nodelay": False})
    assert option(c, sock, "sctp_nodelay") is False
    c.call("setopts", sock=sock, options={"ipv6_v6only": True, "sctp_initmsg": {"num_ostreams": 3}})
    assert option(c, sock, "ipv6_v6only") is True
    assert option(c, sock, "sctp_rtoinfo")["initial"] == 3000
    port = c.call("bind", sock=sock, ip="::1")["port"]
    assert sockname(c, sock) == ("::1", port)
    assert option(c, sock, "sctp_initmsg")["num_ostreams"] == 3
    assert code(c, "setopts", sock=sock, options={"ipv6_v6only": False}) == "einval"


def test_bind_binds_all_addresses_once(d):
    c = d.client()
    sock = unbound(c)
    port = c.call("bind", sock=sock, ip=["127.0.0.1", "127.0.0.2"])["port"]
    assert port > 0 and sockname(c, sock) == ("127.0.0.2", port)
    assert sorted(names(c, "socknames", sock=sock)) == [("127.0.0.1", port), ("127.0.0.2", port)]
    assert c.call("port", sock=sock)["port"] == listed(c, sock)["port"] == port
    for again in {}, {"ip": ["127.0.0.1", "127.0.0.2"], "port": port}:
        assert refusal(c, "bind", sock=sock, **again) == \
            f"einval: sock {sock}: it is bound to port {port} already; bindx_add adds addresses"
    assert code(c, "bind", sock=c.call("open")["sock"]) == "einval"
    other = unbound(c)
    c.call("close", sock=sock)
    assert c.call("bind", sock=other, port=port)["port"] == port


def test_a_bind_that_fails_leaves_it_unbound(d):
    c = d.client()
    taken = c.call("open", ip="127.0.0.2")["port"]
    sock = unbound(c)
    assert code(c, "bind", sock=sock, ip=["127.0.0.1", "127.0.0.2"], port=taken) == "eaddrinuse"
    assert code(c, "bind", sock=sock, ip=["127.0.0.1", "192.0.2.1"]) == "eaddrnotavail"
    assert code(c, "bind", sock=sock, ip=["127.0.0.1", "127.0.0.1"]) in ("einval", "eaddrinuse")
    assert code(c, "bind", sock=sock, ip="::1") == "eafnosupport"
    assert sockname(c, sock) == ("0.0.0.0", 0) and names(c, "socknames", sock=sock) == []
    c.call("bind", sock=sock, ip=["127.0.0.1", "127.0.0.3"], port=taken)
    assert sorted(names(c, "socknames", sock=sock)) == [("127.0.0.1", taken), ("127.0.0.3", taken)]


def test_listen_and_connect_bind_what_is_not_bound(d):
    c = d.client()
    for type in "seqpacket", "stream":
        listener, sock = unbound(c, type=type), unbound(c, type=type)
        c.call("listen", sock=listener, backlog=0)
        assert c.call("port", sock=listener)["port"] == 0
        c.call("listen", sock=listener)
        port = c.call("port", sock=listener)["port"]
        assert port > 0 and sockname(c, listener) == ("0.0.0.0", port)
        a = c.call("connect", sock=sock, addr="127.0.0.1", port=port)["assoc_id"]
        assert c.call("port", sock=sock)["port"] > 0
        c.call("send", sock=sock, assoc_id=a, data=b"hello")
        at = c.call("accept", sock=listener)["accepted"] if type == "stream" else listener
        while (got := c.call("recv", sock=at))["event"] != "data":
            pass
        assert got["data"] == b"hello"
        assert got["from"]["port"] == c.call("port", sock=sock)["port"]
