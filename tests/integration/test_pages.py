# SPDX-License-Identifier: BSD-2-Clause
"""Long lists: associations and paths come in pages, in an order that lasts."""
from check import WAIT_MS, blackhole, recv, refusal
from harness import STACK, associate, wait_for

BASE = {"sock", "assoc_id", "state", "peer", "port", "inbound_streams", "outbound_streams", "send_pend", "recv_pend", "stalled",
        "owner", "name", "pid", "uid", "age", "recv_cnt", "recv_oct", "send_cnt", "send_oct", "ppids", "more_ppids",
        "last_error", "last_error_age"}


def crowd(c, n):
    """A listener with n associations, and one of its peers with as many sockets."""
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = [c.call("open", ip="127.0.0.1")["sock"] for _ in range(n)]
    for sock in here:
        c.call("connect", sock=sock, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    return there["sock"], here


def of(row):
    return row["sock"], row["assoc_id"]


def pages(c, method, between=lambda: None, **args):
    """All rows, page by page."""
    rows, after = [], {}
    while True:
        got = c.call(method, **args, **after)
        rows += got[method]
        if not got["more"]:
            return rows
        assert 0 < len(got[method]) <= args["limit"] + 1, got
        after = {"after_sock": rows[-1]["sock"], "after_assoc": rows[-1]["assoc_id"]}
        between()


def test_each_is_in_one_page(d):
    c = d.client()
    there, here = crowd(c, 20)
    everything = sorted(map(of, c.call("assocs")["assocs"]))
    assert len(everything) == 40
    for method in "assocs", "paths":
        for limit in 1, 7, 40, 64:
            assert sorted(map(of, pages(c, method, limit=limit))) == everything, (method, limit)
            assert len(pages(c, method, limit=limit, sock=there)) == 20
    row, = c.call("assocs", sock=here[0])["assocs"]
    assert [of(r) for r in c.call("assocs", sock=here[0], assoc_id=row["assoc_id"])["assocs"]] == [of(row)]


def test_what_stays_is_met_once_whatever_comes_and_goes(d):
    """Between any two pages some associations end and others begin: the tables grow."""
    c = d.client()
    there, here = crowd(c, 20)
    port = c.call("sockname", sock=there)["port"]
    stay = {of(row) for row in c.call("assocs")["assocs"] if row["sock"] in here[:10]}
    leave, new = here[10:], []

    def change():
        if leave:
            c.call("close", sock=leave.pop())
        for _ in range(8 if len(new) < 80 else 0):
            new.append(c.call("open", ip="127.0.0.1")["sock"])
            c.call("connect", sock=new[-1], addr="127.0.0.1", port=port, timeout=WAIT_MS)

    rows = list(map(of, pages(c, "assocs", change, limit=3)))
    assert new and not leave and len(rows) == len(set(rows)) and stay < set(rows), (rows, stay)


def test_what_is_said_of_one(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    row, = c.call("assocs", sock=here)["assocs"]
    assert set(row) == BASE, row
    assert row["name"] == "tester" and row["pid"] > 0 and row["owner"] == c.call("sockets")["sockets"][0]["owner"]
    assert row["port"] == c.call("sockname", sock=here)["port"] and row["send_pend"] == 0, row
    row, = c.call("assocs", sock=here, assoc_id=here_up, status=True, addrs=True)["assocs"]
    assert set(row) == BASE | {"status", "stats", "local_addrs", "peer_addrs"}, row
    assert row["status"]["state"] == "established" and row["status"]["assoc_id"] == here_up
    assert row["status"]["primary"]["mtu"] > 0
    assert row["peer_addrs"] == [row["peer"]] and row["local_addrs"] == [{"addr": "127.0.0.1", "port": row["port"]}]
    if STACK == "kernel":
        assert row["stats"]["opackets"] > 0, row
    else:
        assert row["stats"] == {}, row
    path, = c.call("paths", sock=here, addrs=True)["paths"]
    assert path["local_addrs"] == row["local_addrs"] and path["port"] == row["port"], path


def test_what_waits_for_the_owner_is_counted(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    wait_for(lambda: c.call("assocs", sock=there["sock"])["assocs"][0]["recv_pend"] > 0)
    recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    assert c.call("assocs", sock=there["sock"])["assocs"][0]["recv_pend"] == 0


def test_one_that_is_not_up_has_no_status(d):
    c = d.client()
    sock = c.call("open", type="stream")["sock"]
    c.call("connect_init", sock=sock, addr=blackhole(), port=9)
    row, = c.call("assocs", sock=sock, status=True, addrs=True)["assocs"]
    assert row["state"] == "coming_up" and row["status"] == {} and row["stats"] == {}, row
    assert row["local_addrs"] == [] and row["peer_addrs"] == [], row
    c.call("abort", sock=sock)


def test_ranges_that_cannot_be_are_refused(d):
    c = d.client()
    there, up, here, here_up = associate(c)
    for method in "assocs", "paths":
        for args, why in (
                ({"limit": 0}, "badarg: limit: 0 is out of range; 1 to 1024"),
                ({"limit": 1025}, "badarg: limit: 1025 is out of range; 1 to 1024"),
                ({"assoc_id": up}, "badarg: assoc_id: give its socket in sock as well"),
                ({"after_sock": here}, "badarg: after_sock: give after_assoc as well: both are of the last association of the page before"),
                ({"after_assoc": up}, "badarg: after_assoc: give after_sock as well: both are of the last association of the page before"),
                ({"sock": there, "after_sock": here, "after_assoc": 1}, "badarg: after_sock: with sock it must be the same"),
                ({"sock": there, "assoc_id": up, "after_sock": there, "after_assoc": 1}, "badarg: after_assoc: there is nothing after the one that assoc_id names")):
            assert refusal(c, method, **args) == why, (method, args)
        assert c.call(method, after_sock=1 << 50, after_assoc=1)["more"] is False
    assert refusal(c, "assocs", limit=65, status=True) == "badarg: limit: 65 is out of range; 1 to 64 with status or addrs"
