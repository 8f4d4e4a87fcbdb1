# SPDX-License-Identifier: BSD-2-Clause
"""paths: every path of an association, of a socket, or of all, in one answer."""
from check import WAIT_MS, blackhole, code, option, recv, refusal, setopt
from harness import STACK, associate, wait_for

KEYS = {"sock", "port", "assoc_id", "address", "state", "cwnd", "srtt", "rto", "mtu", "primary"}
NO_PATHS = {"paths": [], "more": False}
MANY = [f"127.0.1.{n}" for n in range(1, 33)]


def two_homed(c):
    """A listener at two addresses, and an association with it."""
    there = c.call("open", ip=["127.0.0.1", "127.0.0.2"])
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.3")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    recv(c, there["sock"], "sctp_assoc_change")
    return here, up, there["port"]


def test_the_only_path(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    for args, sock in (({"sock": here, "assoc_id": here_id}, here), ({"sock": there}, there)):
        got = c.call("paths", **args)
        assert set(got) == {"paths", "more"} and got["more"] is False
        path, = got["paths"]
        assert set(path) == KEYS and path["sock"] == sock and path["primary"] is True, path
        assert path["state"] == "active" and path["address"]["addr"] == "127.0.0.1"
        seen = option(c, sock, "sctp_get_peer_addr_info", assoc_id=path["assoc_id"], address=path["address"])
        assert all(path[k] == seen[k] for k in ("assoc_id", "address", "state", "mtu")), (path, seen)
        assert path["rto"] > 0 and path["cwnd"] > 0
    assert {p["sock"] for p in c.call("paths")["paths"]} == {here, there}


def test_a_one_to_one_socket_needs_no_association(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    path, = c.call("paths", sock=here, assoc_id=0)["paths"]
    assert path["address"] == {"addr": "127.0.0.1", "port": there["port"]}
    assert c.call("paths", sock=there["sock"])["paths"] == []


def test_all_addresses_and_which_is_primary(d):
    c = d.client()
    here, up, port = two_homed(c)
    for primary in "127.0.0.2", "127.0.0.1":
        setopt(c, here, sctp_primary_addr={"assoc_id": up, "addr": {"addr": primary, "port": port}})
        got = c.call("paths", sock=here, assoc_id=up)["paths"]
        assert {p["address"]["addr"]: p["primary"] for p in got} == \
            {a: a == primary for a in ("127.0.0.1", "127.0.0.2")}
        assert all(p["assoc_id"] == up for p in got), got


def test_on_an_inet6_socket(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", family="inet6")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    path, = c.call("paths", sock=here, assoc_id=up)["paths"]
    assert path["primary"] is True and path["address"]["addr"] == "::ffff:127.0.0.1", path


def test_of_more_paths_than_one_answer_holds_it_says_so(d):
    c = d.client()
    there = c.call("open", ip=MANY)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="seqpacket")["sock"]
    socks = [c.call("open", ip="127.0.0.1")["sock"] for _ in range(33)]
    ids = [c.call("connect", sock=s, addr=MANY[0], port=there["port"], timeout=WAIT_MS)["assoc_id"] for s in socks]
    got = c.call("paths")
    assert 1024 <= len(got["paths"]) < 1024 + 32 and got["more"] is True
    last = got["paths"][-1]
    rest = c.call("paths", after_sock=last["sock"], after_assoc=last["assoc_id"])
    assert len(got["paths"] + rest["paths"]) == 33 * 32 + 33 and rest["more"] is False
    got = c.call("paths", sock=socks[32], assoc_id=ids[32])
    assert len(got["paths"]) == 32 and got["more"] is False
    assert c.call("paths", sock=here) == NO_PATHS


def test_of_what_has_no_paths(d):
    c = d.client()
    sock = c.call("open", ip="127.0.0.1")["sock"]
    assert c.call("paths", sock=sock) == NO_PATHS
    assert refusal(c, "paths", sock=sock, assoc_id=999999) == \
        f"epipe: assoc_id 999999: sock {sock} has no such association; it has ended, or never existed"
    assert refusal(c, "paths", sock=sock, assoc_id=0) == "badarg: assoc_id: missing; a one-to-many socket needs it"
    assert refusal(c, "paths", assoc_id=3) == "badarg: assoc_id: give its socket in sock as well"
    assert code(c, "paths", sock=1 << 40) == "closed"


def test_of_an_association_that_is_not_up(d):
    c = d.client()
    sock = c.call("open", type="stream")["sock"]
    c.call("connect_init", sock=sock, addr=blackhole(), port=9)
    assert refusal(c, "paths", sock=sock, assoc_id=0) == \
        "enotconn: assoc_id 0: it has paths only while it is up; the event sctp_assoc_change says when that is"
    assert c.call("paths", sock=sock) == NO_PATHS
    c.call("abort", sock=sock)


def test_an_ended_association_has_none(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    c.call("abort", sock=here, assoc_id=here_id)
    wait_for(lambda: c.call("paths")["paths"] == [])
    assert code(c, "paths", sock=here, assoc_id=here_id) in ("epipe", "enotconn")


def test_addresses_may_change_where_there_is_more_than_one_path(d):
    c = d.client()
    features = c.call("hello")["features"]
    assert ("bindx" in features) == ("multihoming" in features) == (STACK == "kernel")
    sock = c.call("open", ip="127.0.0.1")["sock"]
    if STACK == "kernel":
        assert c.call("bindx_add", sock=sock, addrs="127.0.0.2") == {"told": 0}
        return
    for method in "bindx_add", "bindx_rem":
        assert refusal(c, method, sock=sock, addrs="127.0.0.2") == (
            "enoprotoopt: addrs: the userland stack has one address for each association and cannot change it; "
            "open another socket")
