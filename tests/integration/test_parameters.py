# SPDX-License-Identifier: BSD-2-Clause
"""Parameters that a message has of its own: sctp_sndrcvinfo of send."""
import time

from harness import STACK, associate
from rpc import RpcError, WAIT


def refused(c, text, **args):
    try:
        c.call("send", **args)
    except RpcError as e:
        assert str(e).startswith(text), str(e)
        return
    raise AssertionError("it was sent")


def crossed(c, there, data):
    got = c.call("recv", sock=there, timeout=WAIT * 1000)
    assert (got["event"], got["data"]) == ("data", data), got


def test_every_parameter_is_taken_and_the_message_arrives(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for n, extra in enumerate([
            {"pr_policy": "none"}, {"pr_policy": "ttl", "pr_value": 60000},
            {"pr_policy": "rtx"}, {"pr_policy": "rtx", "pr_value": 3},
            {"pr_policy": "prio", "pr_value": 7}, {"timetolive": 60000},
            {"flags": ["sack_immediately"]}, {"flags": ["sack_immediately", "unordered"]}]):
        data = b"%d" % n
        c.call("send", sock=here, data=data, sctp_sndrcvinfo={"assoc_id": here_id, "stream": 1, **extra})
        crossed(c, there, data)


def one_to_one(c):
    """Two sockets of type stream: the accepted one, the other, and the id there."""
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"])
    accepted = c.call("accept", sock=there["sock"], timeout=WAIT * 1000)["accepted"]
    assert c.call("recv", sock=accepted, timeout=WAIT * 1000)["state"] == "comm_up"
    return accepted, here, up["assoc_id"]


def test_an_address_is_taken_where_the_stack_uses_it(d):
    c = d.client()
    accepted, here, here_id = one_to_one(c)
    for data, info in (b"1", {"addr": "127.0.0.1"}), (b"2", {"addr": "127.0.0.1", "flags": ["addr_over"]}):
        c.call("send", sock=here, data=data, sctp_sndrcvinfo={"assoc_id": here_id, **info})
        crossed(c, accepted, data)
    there, _, many, many_id = associate(c)
    args = {"sock": many, "data": b"x", "sctp_sndrcvinfo": {"assoc_id": many_id, "addr": "127.0.0.1"}}
    if STACK == "kernel":
        refused(c, "eopnotsupp: addr: the kernel takes it on a socket of type stream", **args)
    else:
        c.call("send", **args)
        crossed(c, there, b"x")


def test_an_address_that_is_not_the_peers_is_refused(d):
    c = d.client()
    there, here, here_id = one_to_one(c)
    for addr in "127.0.0.9", "::1", "10.77.77.77":
        refused(c, f"eaddrnotavail: addr: {addr} is none of the peer's", sock=here, data=b"x",
                sctp_sndrcvinfo={"assoc_id": here_id, "addr": addr})
    # No other association was begun, and this one works.
    assert c.call("status")["associations"] == 2
    c.call("send", sock=here, assoc_id=here_id, data=b"y")
    crossed(c, there, b"y")


def test_parameters_that_contradict_each_other_are_refused(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    for text, extra in [
            ("badarg: addr: missing", {"flags": ["addr_over"]}),
            ("badarg: sctp_sndrcvinfo.addr: \"::\"", {"addr": "::"}),
            ("badarg: sctp_sndrcvinfo.addr: \"here\" does not parse", {"addr": "here"}),
            ("badarg: timetolive: give it or pr_policy", {"timetolive": 5, "pr_policy": "rtx"}),
            ("badarg: pr_value: it says nothing", {"pr_value": 5}),
            ("einval: pr_value: with ttl", {"pr_policy": "ttl"}),
            ("badarg: sctp_sndrcvinfo.pr_policy: \"best\"", {"pr_policy": "best"}),
            ("badarg: sctp_sndrcvinfo.auth_keynumber: 65536", {"auth_keynumber": 65536}),
            ("einval: flags: sendall", {"flags": ["sendall"]})]:
        refused(c, text, sock=here, data=b"x", sctp_sndrcvinfo={"assoc_id": here_id, **extra})


def test_a_key_is_refused_where_the_message_would_go_without_it(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    for number in 0, 7:
        refused(c, "eacces: auth_keynumber" if STACK == "kernel" else "enoprotoopt: auth_keynumber",
                sock=here, data=b"x", sctp_sndrcvinfo={"assoc_id": here_id, "auth_keynumber": number})


def test_a_refused_notification_comes_back_with_its_parameters(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    info = {"assoc_id": here_id, "stream": 2, "pr_policy": "rtx", "pr_value": 3, "auth_keynumber": 0,
            "flags": ["sack_immediately"], "ppid": 9}
    c.notify("send", sock=here, data=b"x", sctp_sndrcvinfo=info)
    got = c.event("sctp_send_failed")
    assert (got["info"], got["data"]) == (info, b"x"), got


def test_a_default_addr_over_is_refused_with_the_reason(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    c.call("setopts", sock=here, options={"sctp_default_send_param": {"flags": ["addr_over"], "assoc_id": here_id}})
    refused(c, "einval: sctp_default_send_param has the flag addr_over", sock=here, assoc_id=here_id, data=b"x")


def test_messages_have_the_time_of_their_arrival(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("setopts", sock=there, options={"timestamp": True})
    before = time.time()
    c.call("send", sock=here, assoc_id=here_id, data=b"passive")
    got = c.call("recv", sock=there, timeout=WAIT * 1000)
    assert before * 1e6 - 1 <= got["timestamp"] <= time.time() * 1e6, got
    c.call("setopts", sock=there, options={"active": True, "sctp_events": {"data_io_event": False}})
    c.call("send", sock=here, assoc_id=here_id, data=b"active")
    later = c.event("data")
    assert got["timestamp"] <= later["timestamp"] <= time.time() * 1e6 and later["data"] == b"active"
    c.call("setopts", sock=there, options={"timestamp": False})
    c.call("send", sock=here, assoc_id=here_id, data=b"without")
    assert "timestamp" not in c.event("data")


def test_times_of_arrival_go_with_associations_that_come_later(d):
    """The option is given before there is one; also for stream and what is peeled off."""
    c = d.client()
    for kind in "seqpacket", "stream":
        there = c.call("open", ip="127.0.0.1", type=kind, options={"timestamp": True})
        c.call("listen", sock=there["sock"])
        here = c.call("open", ip="127.0.0.1", type=kind)
        up = c.call("connect", sock=here["sock"], addr="127.0.0.1", port=there["port"], timeout=WAIT * 1000)
        if kind == "stream":
            sock = c.call("accept", sock=there["sock"], timeout=WAIT * 1000)["accepted"]
        else:
            peer = c.call("recv", sock=there["sock"], timeout=WAIT * 1000)
            sock = c.call("peeloff", sock=there["sock"], assoc_id=peer["assoc_id"])["sock"]
        c.call("send", sock=here["sock"], assoc_id=up["assoc_id"], data=b"x" * 200000)
        while (got := c.call("recv", sock=sock, timeout=WAIT * 1000))["event"] != "data":
            pass
        assert got["timestamp"] > 1e15 and len(got["data"]) == 200000
