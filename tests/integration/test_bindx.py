# SPDX-License-Identifier: BSD-2-Clause
"""bindx_add and bindx_rem: addresses that come and go while a socket is open."""
from check import WAIT_MS, code, nothing, recv, refusal, send, setopt
from harness import wait_for

ASCONF = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1}}
NOT_AGREED = ("its peer has not agreed to changes of addresses; on both sides set sctp_auth_supported "
              "and sctp_asconf_supported before the association is set up")


def addrs(c, method, **args):
    return sorted(a["addr"] for a in c.call(method, **args)["addresses"])


def listener(c, ip="127.0.0.1", **args):
    got = c.call("open", ip=ip, **args)
    c.call("listen", sock=got["sock"])
    return got["sock"], got["port"]


def pair(c, here_options=None, there_options=None, n=1, **args):
    """A socket with associations to n listeners of their own:
    (socket, [its assoc_id, listener, its assoc_id])."""
    here = c.call("open", ip="127.0.0.1", options=ASCONF if here_options is None else here_options, **args)["sock"]
    peers = []
    for _ in range(n):
        there, port = listener(c, "127.0.0.9", options=ASCONF if there_options is None else there_options)
        up = c.call("connect", sock=here, addr="127.0.0.9", port=port, timeout=WAIT_MS)["assoc_id"]
        peer = recv(c, there, "sctp_assoc_change", state="comm_up")["assoc_id"]
        peers.append((up, there, peer))
    return here, peers


def is_told(c, sock, *changes):
    """Of these, as "state address" or a list of such in any order."""
    got = [recv(c, sock, "sctp_paddr_change") for _ in changes]
    assert sorted(f"{e['state']} {e['addr']['addr']}" for e in got) == sorted(changes), got


def listed(c, sock):
    """The peer's addresses that paths lists, and this side's."""
    got = c.call("paths", sock=sock, addrs=True)["paths"]
    return sorted(p["address"]["addr"] for p in got), sorted(a["addr"] for a in got[0]["local_addrs"])


def test_new_associations_have_what_was_added(d):
    c = d.client()
    there, port = listener(c)
    assert c.call("bindx_add", sock=there, addrs=["127.0.0.2", "127.0.0.3"]) == {"told": 0}
    assert addrs(c, "socknames", sock=there) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert c.call("bindx_rem", sock=there, addrs="127.0.0.2") == {"told": 0}
    here = c.call("open", ip="127.0.0.9")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.3", port=port, timeout=WAIT_MS)["assoc_id"]
    assert addrs(c, "peernames", sock=here, assoc_id=up) == ["127.0.0.1", "127.0.0.3"]


def test_all_associations_of_a_socket_are_told(d):
    c = d.client()
    here, peers = pair(c, n=3)
    assert c.call("bindx_add", sock=here, addrs="127.0.0.2") == {"told": 3}
    for up, there, peer in peers:
        is_told(c, there, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")
        assert addrs(c, "peernames", sock=there, assoc_id=peer) == ["127.0.0.1", "127.0.0.2"]
        assert addrs(c, "socknames", sock=here, assoc_id=up) == ["127.0.0.1", "127.0.0.2"]
    assert c.call("bindx_rem", sock=here, addrs="127.0.0.1") == {"told": 3}
    for up, there, peer in peers:
        is_told(c, there, "addr_made_prim 127.0.0.2", "addr_removed 127.0.0.1")
        assert addrs(c, "peernames", sock=there, assoc_id=peer) == ["127.0.0.2"]
        send(c, here, up, b"still")
        assert recv(c, there, "data")["from"]["addr"] == "127.0.0.2"
    assert addrs(c, "socknames", sock=here) == ["127.0.0.2"]


def test_an_address_that_is_not_yet_of_this_host(d):
    """With freebind, whenever that was set."""
    c = d.client()
    before, _ = pair(c, {**ASCONF, "freebind": True})
    later, _ = pair(c)
    assert code(c, "bindx_add", sock=later, addrs="192.0.2.7") == "eaddrnotavail"
    c.call("setopts", sock=later, options={"freebind": True})
    for sock in before, later:
        assert c.call("bindx_add", sock=sock, addrs="192.0.2.7") == {"told": 1}
        assert addrs(c, "socknames", sock=sock) == ["127.0.0.1", "192.0.2.7"]


def test_a_listener_and_the_associations_that_it_has(d):
    """Both have the port, and the listener the address, before an association gets it."""
    c = d.client()
    there, port = listener(c, options=ASCONF)
    here = c.call("open", ip="127.0.0.9", options=ASCONF)["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)["assoc_id"]
    peer = recv(c, there, "sctp_assoc_change")["assoc_id"]
    assert c.call("bindx_add", sock=there, addrs="127.0.0.2", assoc_id=0) == {"told": 0}
    assert nothing(c, here)
    assert c.call("bindx_add", sock=there, addrs="127.0.0.2", assoc_id=1) == {"told": 1}
    is_told(c, here, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")
    assert c.call("bindx_rem", sock=there, addrs="127.0.0.2", assoc_id=peer) == {"told": 1}
    is_told(c, here, "addr_removed 127.0.0.2")
    assert addrs(c, "peernames", sock=here, assoc_id=up) == ["127.0.0.1"]
    assert addrs(c, "socknames", sock=there) == ["127.0.0.1", "127.0.0.2"]
    listening = [s for s in c.call("sockets")["sockets"] if s["sock"] == there]
    assert listening[0]["listening"] is True
    assert c.call("getopts", sock=there, options=["reuseport"])["options"] == [["reuseport", False]]


def test_a_socket_that_was_peeled_off(d):
    """It shares the port with the listener that it came from, whichever is changed first."""
    c = d.client()
    there, port = listener(c, options=ASCONF)
    here = c.call("open", ip="127.0.0.9", options=ASCONF)["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    peer = recv(c, there, "sctp_assoc_change")["assoc_id"]
    peeled = c.call("peeloff", sock=there, assoc_id=peer)["sock"]
    assert c.call("bindx_add", sock=there, addrs="127.0.0.2") == {"told": 0}
    assert c.call("bindx_add", sock=peeled, addrs="127.0.0.2") == {"told": 1}
    is_told(c, here, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")
    assert c.call("bindx_add", sock=peeled, addrs="127.0.0.3") == {"told": 1}
    assert c.call("bindx_add", sock=there, addrs="127.0.0.3") == {"told": 0}


def test_a_one_to_one_socket(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream", options=ASCONF)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.9", type="stream", options=ASCONF)["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    accepted = c.call("accept", sock=there["sock"], timeout=WAIT_MS)["accepted"]
    assert c.call("bindx_add", sock=here, addrs="127.0.0.8") == {"told": 1}
    recv(c, accepted, "sctp_assoc_change")
    is_told(c, accepted, "addr_added 127.0.0.8", "addr_confirmed 127.0.0.8")
    assert c.call("bindx_add", sock=there["sock"], addrs="127.0.0.2") == {"told": 0}
    assert c.call("bindx_add", sock=accepted, addrs="127.0.0.2") == {"told": 1}
    is_told(c, here, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")


def test_a_peer_that_did_not_agree_is_not_told(d):
    c = d.client()
    for mine, theirs in ((ASCONF, {}), ({}, ASCONF)):
        here, ((up, there, _),) = pair(c, mine, theirs)
        assert c.call("bindx_add", sock=here, addrs="127.0.0.2") == {"told": 0}
        assert addrs(c, "socknames", sock=here, assoc_id=up) == ["127.0.0.1"]
        assert addrs(c, "socknames", sock=here) == ["127.0.0.1", "127.0.0.2"]
        for method in "bindx_add", "bindx_rem":
            assert refusal(c, method, sock=here, addrs="127.0.0.3", assoc_id=up) == \
                f"eopnotsupp: assoc_id {up}: {NOT_AGREED}"
        send(c, here, up, b"still")
        assert recv(c, there, "data")["from"]["addr"] == "127.0.0.1"
        assert nothing(c, there)


def test_paths_lists_what_there_is_now(d):
    """However often it was asked before."""
    c = d.client()
    here, ((_, there, _),) = pair(c)
    assert listed(c, here) == (["127.0.0.9"], ["127.0.0.1"]) and listed(c, there) == (["127.0.0.1"], ["127.0.0.9"])
    c.call("bindx_add", sock=here, addrs="127.0.0.2")
    is_told(c, there, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")
    both = ["127.0.0.1", "127.0.0.2"]
    assert listed(c, here) == (["127.0.0.9"], both) and listed(c, there) == (both, ["127.0.0.9"])
    c.call("bindx_rem", sock=here, addrs="127.0.0.1")
    is_told(c, there, "addr_made_prim 127.0.0.2", "addr_removed 127.0.0.1")
    assert listed(c, here) == (["127.0.0.9"], ["127.0.0.2"]) and listed(c, there) == (["127.0.0.2"], ["127.0.0.9"])


def test_paths_of_a_peer_that_did_not_agree_stay(d):
    c = d.client()
    here, ((_, there, _),) = pair(c, ASCONF, {})
    for _ in range(2):
        assert listed(c, here) == (["127.0.0.9"], ["127.0.0.1"]) and listed(c, there) == (["127.0.0.1"], ["127.0.0.9"])
    c.call("bindx_add", sock=here, addrs="127.0.0.2")
    c.call("bindx_rem", sock=here, addrs="127.0.0.1")
    assert listed(c, here) == (["127.0.0.9"], ["127.0.0.1"]) and listed(c, there) == (["127.0.0.1"], ["127.0.0.9"])
    up = c.call("connect", sock=here, addr="127.0.0.9", port=listener(c, "127.0.0.9")[1], timeout=WAIT_MS)["assoc_id"]
    assert addrs(c, "socknames", sock=here, assoc_id=up) == ["127.0.0.2"]


def test_what_is_done_already_is_passed_over_and_what_is_left_is_done(d):
    c = d.client()
    here, ((up, there, _),) = pair(c)
    c.call("bindx_add", sock=here, addrs="127.0.0.2", assoc_id=up)
    is_told(c, there, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")
    assert c.call("bindx_add", sock=here, addrs=["127.0.0.2", "127.0.0.3"]) == {"told": 1}
    is_told(c, there, "addr_added 127.0.0.3", "addr_confirmed 127.0.0.3")
    assert addrs(c, "socknames", sock=here) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    text = "einval: addrs: the socket has them already"
    assert refusal(c, "bindx_add", sock=here, addrs=["127.0.0.2", "127.0.0.3"]) == text
    c.call("bindx_rem", sock=here, addrs=["127.0.0.2", "127.0.0.7"])
    assert refusal(c, "bindx_rem", sock=here, addrs="127.0.0.2") == \
        "einval: addrs: they are not addresses of the socket; socknames lists those"


def test_an_association_that_comes_later_has_all(d):
    c = d.client()
    here, _ = pair(c)
    c.call("bindx_add", sock=here, addrs="127.0.0.2")
    there, port = listener(c, "127.0.0.9", options=ASCONF)
    c.call("connect", sock=here, addr="127.0.0.9", port=port, timeout=WAIT_MS)
    peer = recv(c, there, "sctp_assoc_change")["assoc_id"]
    assert addrs(c, "peernames", sock=there, assoc_id=peer) == ["127.0.0.1", "127.0.0.2"]
    assert c.call("bindx_add", sock=here, addrs="127.0.0.3") == {"told": 2}


def test_one_address_must_remain(d):
    c = d.client()
    sock = c.call("open", ip=["127.0.0.1", "127.0.0.2"])["sock"]
    text = "ebusy: addrs: a socket must keep one address; add another first, or close the socket"
    assert refusal(c, "bindx_rem", sock=sock, addrs=["127.0.0.1", "127.0.0.2"]) == text
    assert addrs(c, "socknames", sock=sock) == ["127.0.0.1", "127.0.0.2"]
    c.call("bindx_rem", sock=sock, addrs="127.0.0.1")
    assert refusal(c, "bindx_rem", sock=sock, addrs="127.0.0.2") == text


def test_sockname_is_an_address_that_there_is(d):
    c = d.client()
    got = c.call("open", ip=["127.0.0.1", "127.0.0.2"])
    name = {"addr": "127.0.0.2", "port": got["port"]}
    c.call("bindx_add", sock=got["sock"], addrs="127.0.0.3")
    assert c.call("sockname", sock=got["sock"]) == name
    c.call("bindx_rem", sock=got["sock"], addrs="127.0.0.1")
    assert c.call("sockname", sock=got["sock"]) == name
    c.call("bindx_rem", sock=got["sock"], addrs="127.0.0.2")
    assert c.call("sockname", sock=got["sock"]) == {**name, "addr": "127.0.0.3"}


def test_addresses_of_both_families(d):
    c = d.client()
    sock = c.call("open", ip="::1")["sock"]
    c.call("bindx_add", sock=sock, addrs=["127.0.0.1", "127.0.0.2"])
    assert addrs(c, "socknames", sock=sock) == ["::1", "::ffff:127.0.0.1", "::ffff:127.0.0.2"]
    c.call("bindx_rem", sock=sock, addrs=["::1", "127.0.0.2"])
    assert c.call("sockname", sock=sock)["addr"] == "::ffff:127.0.0.1"
    inet = c.call("open", ip="127.0.0.1")["sock"]
    assert code(c, "bindx_add", sock=inet, addrs="::1") == "eafnosupport"


def test_bad_addresses_are_named(d):
    c = d.client()
    got = c.call("open", ip="127.0.0.1")
    sock = got["sock"]
    for addr, text in (("198.18.0.1", "eaddrnotavail: addrs: not an address of this host"),
                       (["127.0.0.2", "127.0.0.2"], "einval: addrs: 127.0.0.2 is there twice"),
                       ("0.0.0.0", "einval: addrs: 0.0.0.0 stands for all addresses; name each"),
                       (["127.0.0.2", "198.18.0.1"], "eaddrnotavail: addrs: not an address of this host")):
        assert refusal(c, "bindx_add", sock=sock, addrs=addr) == text, addr
        assert addrs(c, "socknames", sock=sock) == ["127.0.0.1"]
    for addr in ("any", "loopback", "host.example", 5, [], ["127.0.0.2"] * 33):
        assert code(c, "bindx_add", sock=sock, addrs=addr) == "badarg", addr
    assert code(c, "bindx_add", sock=sock, addrs="127.0.0.2", assoc_id=99999) == "epipe"
    assert code(c, "bindx_add", sock=1 << 40, addrs="127.0.0.2") == "closed"


def test_a_socket_of_any_address_has_all_already(d):
    c = d.client()
    for args in {}, {"family": "inet6"}:
        sock = c.call("open", **args)["sock"]
        for method in "bindx_add", "bindx_rem":
            assert refusal(c, method, sock=sock, addrs="127.0.0.1") == (
                f"einval: sock {sock}: it is bound to any address, so it has all of this host already; "
                "sctp_auto_asconf tells peers of changes")


def test_an_address_of_another_socket_is_refused(d):
    """As open refuses it, with the same exceptions."""
    c = d.client()
    for mine, theirs, taken in (({}, {}, True), ({"reuseport": True}, {}, True), ({}, {"reuseport": True}, True),
                                ({"reuseport": True}, {"reuseport": True}, False),
                                ({"reuseaddr": True}, {"reuseaddr": True}, False)):
        first = c.call("open", ip="127.0.0.1", options=mine)
        second = c.call("open", ip="127.0.0.2", port=first["port"], options=theirs)["sock"]
        if taken:
            assert refusal(c, "bindx_add", sock=second, addrs="127.0.0.1") == \
                f"eaddrinuse: addrs: another socket has the address at port {first['port']}"
            assert addrs(c, "socknames", sock=second) == ["127.0.0.2"]
        else:
            c.call("bindx_add", sock=second, addrs="127.0.0.1")
        for sock in first["sock"], second:
            c.call("close", sock=sock)


def test_lent_and_over_are_refused(d):
    c = d.client("c")
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    c.call("lend", sock=here)
    assert refusal(c, "bindx_add", sock=here, addrs="127.0.0.2") == (
        f"einval: sock {here}: it is lent to its owner, which uses it without the daemon; give_back returns it")
    c.call("give_back", sock=here)
    c.call("abort", sock=here)
    wait_for(lambda: code(c, "bindx_add", sock=here, addrs="127.0.0.2") == "closed")


def test_many_associations_are_told_in_a_moment(d):
    """Each is a descriptor of its own at the same port."""
    c = d.client()
    there, port = listener(c, options=ASCONF)
    setopt(c, there, sctp_events={"address_event": False, "association_event": False})
    socks = [c.call("open", ip="127.0.0.9", options=ASCONF)["sock"] for _ in range(100)]
    for s in socks:
        c.call("connect", sock=s, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    assert c.call("bindx_add", sock=there, addrs="127.0.0.2") == {"told": 100}
    for s in socks:
        is_told(c, s, "addr_added 127.0.0.2", "addr_confirmed 127.0.0.2")
