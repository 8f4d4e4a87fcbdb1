# SPDX-License-Identifier: BSD-2-Clause
"""connect and connect_init."""
from check import (WAIT_MS, answer_code, blackhole, code, nothing, only, option, recv,
                   recv_data, refusal, send, setopt)
from harness import associate


def listener(c, **args):
    got = c.call("open", **{"ip": "127.0.0.1", **args})
    c.call("listen", sock=got["sock"])
    return got["sock"], got["port"]


def connect(c, sock, port, **args):
    return c.call("connect", **{"sock": sock, "addr": "127.0.0.1", "port": port, "timeout": WAIT_MS, **args})


def free_port(c):
    """One on which nobody listens."""
    got = c.call("open", ip="127.0.0.1")
    c.call("close", sock=got["sock"])
    return got["port"]


def no_association(c):
    return c.call("assocs")["assocs"] == []


def test_answers_with_comm_up(d):
    c = d.client()
    there, port = listener(c, options={"sctp_initmsg": {"max_instreams": 7, "num_ostreams": 3}})
    here = c.call("open", ip="127.0.0.1", options={"sctp_initmsg": {"num_ostreams": 9}})["sock"]
    up = connect(c, here, port)
    assert set(up) == {"state", "error", "outbound_streams", "inbound_streams", "assoc_id"}
    assert (up["state"], up["error"]) == ("comm_up", 0)
    assert (up["outbound_streams"], up["inbound_streams"]) == (7, 3)
    peer = recv(c, there, "sctp_assoc_change", state="comm_up", error=0, sock=there)
    assert (peer["outbound_streams"], peer["inbound_streams"]) == (3, 7)
    assert peer["from"] == {"addr": "127.0.0.1", "port": c.call("sockname", sock=here)["port"]}
    assert nothing(c, here)


def test_default_streams_are_ten(d):
    c = d.client()
    _, port = listener(c)
    up = connect(c, c.call("open", ip="127.0.0.1")["sock"], port)
    assert (up["outbound_streams"], up["inbound_streams"]) == (10, 10)


def test_its_options_change_only_what_they_name(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1", options={"sctp_initmsg": {"max_attempts": 3}})["sock"]
    up = connect(c, here, port, options={"sctp_initmsg": {"num_ostreams": 4}})
    assert up["outbound_streams"] == 4
    assert option(c, here, "sctp_initmsg")["max_attempts"] == 3


def test_its_options_stay_when_it_fails(d):
    c = d.client()
    here = c.call("open", ip="127.0.0.1")["sock"]
    assert code(c, "connect", sock=here, addr="127.0.0.1", port=free_port(c),
                options={"sctp_initmsg": {"num_ostreams": 4}}) == "cant_assoc"
    assert option(c, here, "sctp_initmsg")["num_ostreams"] == 4


def test_refused_says_which_and_leaves_nothing(d):
    c = d.client()
    here = c.call("open", ip="127.0.0.1")["sock"]
    text = refusal(c, "connect", sock=here, addr="127.0.0.1", port=free_port(c), timeout=WAIT_MS)
    assert text.startswith("cant_assoc: the peer refused or did not answer; assoc_id ")
    assert nothing(c, here) and no_association(c)


def test_a_timeout_takes_the_attempt_back(d):
    c = d.client()
    here = c.call("open")["sock"]
    args = {"sock": here, "addr": blackhole(), "port": 9}
    for _ in range(3):
        assert refusal(c, "connect", timeout=10, **args) == \
            "timeout: connect: the peer did not answer in time; the attempt was aborted"
        assert no_association(c) and nothing(c, here)
    there, port = listener(c)
    assert connect(c, here, port)["state"] == "comm_up"


def test_two_set_ups_with_one_peer_are_ealready(d):
    c = d.client()
    here = c.call("open")["sock"]
    args = {"sock": here, "addr": blackhole(), "port": 9}
    first = c.request("connect", timeout=50, **args)
    assert refusal(c, "connect", **args) == "ealready: 198.51.100.1:9: an association with it is being set up"
    assert answer_code(c, first) == "timeout"


def test_a_second_association_with_a_peer_is_eisconn_from_either_side(d):
    c = d.client()
    there, there_id, here, _ = associate(c)
    port = c.call("sockname", sock=there)["port"]
    assert refusal(c, "connect", sock=here, addr="127.0.0.1", port=port) == \
        f"eisconn: 127.0.0.1:{port}: the socket has an association with it already"
    port = c.call("sockname", sock=here)["port"]
    assert code(c, "connect", sock=there, addr="127.0.0.1", port=port) == "eisconn"
    assert code(c, "connect_init", sock=there, addr="127.0.0.1", port=port) == "eisconn"


def test_messages_of_others_wait_while_it_waits(d):
    c = d.client()
    there, there_id, far, far_id = associate(c)
    send(c, far, far_id, b"early")
    up = connect(c, there, listener(c)[1])
    assert up["state"] == "comm_up" and up["assoc_id"] != there_id
    assert recv_data(c, there) == b"early" and nothing(c, there)


def test_who_has_associations_may_begin_to_listen(d):
    c = d.client()
    _, _, here, _ = associate(c)
    c.call("listen", sock=here)
    port = c.call("sockname", sock=here)["port"]
    assert connect(c, c.call("open", ip="127.0.0.1")["sock"], port)["state"] == "comm_up"
    recv(c, here, "sctp_assoc_change", state="comm_up")


def test_on_an_active_socket_it_is_answered_and_no_event(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1", options={"active": True})["sock"]
    assert connect(c, here, port)["state"] == "comm_up"
    assert c.quiet() and option(c, here, "active") is True


def test_connect_arms_once_again_and_counts_one(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1", options={"active": "once"})["sock"]
    connect(c, here, port)
    assert option(c, here, "active") == "once"
    setopt(c, here, active=False)
    setopt(c, here, active=1)
    connect(c, here, listener(c)[1])
    assert c.event("sctp_passive", sock=here) and option(c, here, "active") is False


def test_another_client_than_the_owner_may_connect(d):
    owner, other = d.client(), d.client()
    _, port = listener(owner)
    here = owner.call("open", ip="127.0.0.1", options={"active": True})["sock"]
    assert connect(other, here, port)["state"] == "comm_up"
    assert owner.quiet()


def test_close_ends_a_connect_that_waits(d):
    c = d.client()
    here = c.call("open")["sock"]
    waiting = c.request("connect", sock=here, addr=blackhole(), port=9)
    c.call("close", sock=here)
    assert answer_code(c, waiting) == "closed"


def test_a_caller_that_goes_takes_its_attempt_with_it(d):
    c, other = d.client(), d.client()
    here = c.call("open")["sock"]
    other.request("connect", sock=here, addr=blackhole(), port=9)
    other.call("status")
    other.close()
    while c.call("assocs")["assocs"]:
        pass
    assert connect(c, here, listener(c)[1])["state"] == "comm_up"


def test_connect_init_gives_the_id_of_the_event(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1")["sock"]
    got = c.call("connect_init", sock=here, addr="127.0.0.1", port=port)
    assert set(got) == {"assoc_id"}
    recv(c, here, "sctp_assoc_change", state="comm_up", assoc_id=got["assoc_id"])


def test_connect_init_gives_the_id_of_a_failure_too(d):
    c = d.client()
    here = c.call("open", ip="127.0.0.1", options={"active": True})["sock"]
    got = c.call("connect_init", sock=here, addr="127.0.0.1", port=free_port(c))
    e = c.event("sctp_assoc_change")
    assert (e["state"], e["assoc_id"]) == ("cant_assoc", got["assoc_id"])
    assert no_association(c)


def test_several_set_ups_go_on_at_once(d):
    c = d.client()
    here = c.call("open", ip="127.0.0.1")["sock"]
    ids = {c.call("connect_init", sock=here, addr="127.0.0.1", port=listener(c)[1])["assoc_id"]
           for _ in range(10)}
    ups = {recv(c, here, "sctp_assoc_change", state="comm_up")["assoc_id"] for _ in range(10)}
    assert ids == ups and len(ids) == 10


def test_messages_may_be_sent_before_it_is_up(d):
    c = d.client()
    there, port = listener(c)
    here = c.call("open", ip="127.0.0.1")["sock"]
    new = c.call("connect_init", sock=here, addr="127.0.0.1", port=port)["assoc_id"]
    for data in (b"1", b"2", b"3"):
        send(c, here, new, data)
    recv(c, there, "sctp_assoc_change", state="comm_up")
    assert [recv_data(c, there) for _ in range(3)] == [b"1", b"2", b"3"]


def test_a_list_of_addresses(d):
    c = d.client()
    there, port = listener(c, ip=["127.0.0.1", "127.0.0.2"])
    here = c.call("open", ip=["127.0.0.3", "127.0.0.4"])["sock"]
    up = connect(c, here, port, addr=["127.0.0.1", "127.0.0.2"])
    for sock, want in ((here, ["127.0.0.1", "127.0.0.2"]), (there, ["127.0.0.3", "127.0.0.4"])):
        row = only(c.call("assocs")["assocs"], sock=sock)
        got = c.call("peernames", sock=sock, assoc_id=row["assoc_id"])["addresses"]
        assert sorted(a["addr"] for a in got) == want
    local = c.call("socknames", sock=here, assoc_id=up["assoc_id"])["addresses"]
    assert sorted(a["addr"] for a in local) == ["127.0.0.3", "127.0.0.4"]


def test_over_six(d):
    c = d.client()
    _, port = listener(c, ip="::1")
    here = c.call("open", ip="::1")["sock"]
    assert connect(c, here, port, addr="::1")["state"] == "comm_up"


def test_from_six_to_four(d):
    c = d.client()
    there, port = listener(c)
    here = c.call("open", ip="127.0.0.1", family="inet6")["sock"]
    up = connect(c, here, port)
    assert c.call("peernames", sock=here, assoc_id=up["assoc_id"])["addresses"] == [
        {"addr": "::ffff:127.0.0.1", "port": port}]
    assert recv(c, there, "sctp_assoc_change")["from"]["addr"] == "127.0.0.1"


def test_a_socket_may_connect_to_itself(d):
    c = d.client()
    sock, port = listener(c)
    assert connect(c, sock, port)["state"] == "comm_up"
