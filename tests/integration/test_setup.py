# SPDX-License-Identifier: BSD-2-Clause
"""More of how associations are set up: what else goes on, addresses, streams."""
from check import (WAIT_MS, answer_code, blackhole, code, nothing, option, recv, recv_data, refusal,
                   send, setopt)
from harness import associate, wait_for


def listener(c, **args):
    got = c.call("open", **{"ip": "127.0.0.1", **args})
    c.call("listen", sock=got["sock"])
    return got["sock"], got["port"]


def connect(c, sock, port, **args):
    return c.call("connect", **{"sock": sock, "addr": "127.0.0.1", "port": port, "timeout": WAIT_MS, **args})


def test_connect_beside_a_recv_that_waits(d):
    """In gen_sctp both may hang, or the recv takes the answer."""
    c, other = d.client(), d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1")["sock"]
    waiting = other.request("recv", sock=here)
    other.call("status")
    up = connect(c, here, port)
    assert up["state"] == "comm_up"
    other.call("status")
    assert waiting not in other.answers
    c.call("eof", sock=here, assoc_id=up["assoc_id"])
    assert other.answer(waiting)["state"] == "shutdown_comp"


def test_connect_is_answered_without_association_event(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1", options={"sctp_events": {"association_event": False}})["sock"]
    assert connect(c, here, port)["state"] == "comm_up"
    assert code(c, "connect", sock=c.call("open", options={"sctp_events": {"association_event": False}})["sock"],
                addr="127.0.0.1", port=9, timeout=WAIT_MS) == "cant_assoc"


def test_streams_are_the_smaller_of_what_both_want(d):
    c = d.client()
    for mine, theirs in ((5, 65535), (20, 7), (65535, 300), (1, 1)):
        _, port = listener(c, options={"sctp_initmsg": {"max_instreams": theirs}})
        here = c.call("open", ip="127.0.0.1", options={"sctp_initmsg": {"num_ostreams": mine}})["sock"]
        assert connect(c, here, port)["outbound_streams"] == min(mine, theirs)


def test_addresses_that_are_none_of_a_peers(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for addr in ("0.0.0.0", "255.255.255.255"):
        for method in ("connect", "connect_init", "connectx_init"):
            assert code(c, method, sock=sock, addr=addr, port=9) == "einval", addr
    assert c.call("assocs")["assocs"] == []


def test_a_list_of_addresses_is_checked_whole(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for method in ("connect", "connect_init", "connectx_init"):
        for addr, want in (([], "badarg"), (["127.0.0.1"] * 33, "badarg"), (["127.0.0.1", "x y"], "badarg"),
                           (["127.0.0.1", 5], "badarg"), (["127.0.0.1", "::1"], "eafnosupport")):
            assert code(c, method, sock=sock, addr=addr, port=9) == want, addr
    assert c.call("assocs")["assocs"] == []


def test_connectx_init_of_several_addresses(d):
    c = d.client()
    there, port = listener(c, ip=["127.0.0.1", "127.0.0.2"])
    here = c.call("open", ip="127.0.0.3")["sock"]
    new = c.call("connectx_init", sock=here, addr=["127.0.0.2", "127.0.0.1"], port=port)["assoc_id"]
    up = recv(c, here, "sctp_assoc_change", state="comm_up", assoc_id=new)
    assert up["from"]["port"] == port
    names = c.call("peernames", sock=here, assoc_id=new)["addresses"]
    assert sorted(a["addr"] for a in names) == ["127.0.0.1", "127.0.0.2"]
    recv(c, there, "sctp_assoc_change", state="comm_up")


def test_connectx_init_of_one_that_refuses_has_its_id(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1")["sock"]
    c.call("close", sock=[r for r in c.call("sockets")["sockets"] if r["port"] == port][0]["sock"])
    new = c.call("connectx_init", sock=here, addr=["127.0.0.1"], port=port)["assoc_id"]
    recv(c, here, "sctp_assoc_change", state="cant_assoc", assoc_id=new)
    assert nothing(c, here)


def test_set_up_options_give_up_soon(d):
    """With one attempt the failure is the kernel's, and in time."""
    c = d.client()
    here = c.call("open", options={"sctp_initmsg": {"max_attempts": 1, "max_init_timeo": 200},
                                   "sctp_rtoinfo": {"initial": 100, "min": 100, "max": 200}})["sock"]
    assert code(c, "connect", sock=here, addr=blackhole(), port=9, timeout=WAIT_MS) == "cant_assoc"
    assert c.call("assocs")["assocs"] == []


def test_timeout_zero_is_a_timeout_or_comes_in_time(d):
    c = d.client()
    here = c.call("open")["sock"]
    assert code(c, "connect", sock=here, addr=blackhole(), port=9, timeout=0) == "timeout"
    assert c.call("assocs")["assocs"] == [] and nothing(c, here)


def test_connect_init_outlives_the_timeout_of_its_name(d):
    """The timeout of connect_init is about names; an address needs none."""
    c = d.client()
    here = c.call("open")["sock"]
    c.call("connect_init", sock=here, addr=blackhole(), port=9, timeout=0)
    assert code(c, "recv", sock=here, timeout=50) == "timeout"
    assert len(c.call("assocs")["assocs"]) == 1
    assert code(c, "connect", sock=here, addr=blackhole(), port=9) == "ealready"


def test_a_set_up_that_goes_on_can_be_aborted(d):
    c = d.client()
    here = c.call("open")["sock"]
    new = c.call("connect_init", sock=here, addr=blackhole(), port=9)["assoc_id"]
    c.call("abort", sock=here, assoc_id=new)
    while c.call("assocs")["assocs"]:
        pass
    assert code(c, "send", sock=here, assoc_id=new, data=b"x") == "epipe"


def test_two_clients_connect_one_socket_to_two_peers_at_once(d):
    c, other = d.client(), d.client()
    ports = listener(c)[1], listener(c)[1]
    here = c.call("open", ip="127.0.0.1")["sock"]
    args = {"sock": here, "addr": "127.0.0.1", "timeout": WAIT_MS}
    a, b = c.request("connect", port=ports[0], **args), other.request("connect", port=ports[1], **args)
    ids = c.answer(a)["assoc_id"], other.answer(b)["assoc_id"]
    assert ids[0] != ids[1] and nothing(c, here)


def test_what_connect_consumes_is_its_own_event_alone(d):
    """Events and messages of others stay, on a passive and on an active socket."""
    c = d.client()
    there, there_id, far, far_id = associate(c)
    c.call("eof", sock=far, assoc_id=far_id)
    assert connect(c, there, listener(c)[1])["state"] == "comm_up"
    recv(c, there, "sctp_shutdown_event", assoc_id=there_id)
    recv(c, there, "sctp_assoc_change", state="shutdown_comp", assoc_id=there_id)
    setopt(c, there, active=True)
    assert connect(c, there, listener(c)[1])["state"] == "comm_up"
    assert c.quiet()


def test_a_bad_option_keeps_it_from_connecting(d):
    c = d.client()
    there, port = listener(c)
    here = c.call("open", ip="127.0.0.1")["sock"]
    for method in ("connect", "connect_init", "connectx_init"):
        assert refusal(c, method, sock=here, addr="127.0.0.1", port=port, options=[["ttl", 9], ["ttl", 0]]) == \
            "einval: options.ttl: Invalid argument; 1 of 2 were set"
    assert option(c, here, "ttl") == 9 and nothing(c, there)


def test_a_peer_that_was_peeled_off_cannot_be_connected_to_again(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    port = c.call("port", sock=there)["port"]
    peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
    assert code(c, "connect", sock=here, addr="127.0.0.1", port=port) == "eaddrnotavail"
    assert code(c, "connect", sock=peeled, addr="127.0.0.1", port=port) == "eisconn"


def test_it_listens_while_it_has_set_ups_and_connects_while_it_listens(d):
    c = d.client()
    mine, my_port = listener(c)
    theirs, port = listener(c)
    connect(c, mine, port)
    recv(c, theirs, "sctp_assoc_change", state="comm_up")
    new = connect(c, c.call("open", ip="127.0.0.1")["sock"], my_port)
    assert recv(c, mine, "sctp_assoc_change", state="comm_up") and new["state"] == "comm_up"


def test_an_association_of_a_closed_listener_stays_with_its_accepter(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    connect(c, here, there["port"])
    accepted = c.call("accept", sock=there["sock"], timeout=WAIT_MS)["accepted"]
    c.call("close", sock=there["sock"])
    c.call("send", sock=here, data=b"x")
    recv(c, accepted, "sctp_assoc_change", state="comm_up")
    assert recv_data(c, accepted) == b"x"


def test_who_was_not_accepted_is_told_when_the_listener_closes(d):
    """With data unread the kernel aborts, else it shuts down."""
    c = d.client()
    for data in (True, False):
        there = c.call("open", ip="127.0.0.1", type="stream")
        c.call("listen", sock=there["sock"])
        here = c.call("open", ip="127.0.0.1")["sock"]
        up = connect(c, here, there["port"])["assoc_id"]
        if data:
            send(c, here, up, b"x")
            wait_for(lambda: option(c, here, "sctp_status", assoc_id=up)["unackdata"] == 0)     # it is there
        c.call("close", sock=there["sock"])
        if data:
            recv(c, here, "sctp_assoc_change", state="comm_lost", error=12)
        else:
            recv(c, here, "sctp_shutdown_event")
            recv(c, here, "sctp_assoc_change", state="shutdown_comp")


def test_one_that_is_over_is_accepted_with_all_that_it_said(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    up = connect(c, here, there["port"])["assoc_id"]
    send(c, here, up, b"last words")
    c.call("abort", sock=here, assoc_id=up)
    recv(c, here, "sctp_assoc_change", state="comm_lost")
    got = c.call("accept", sock=there["sock"], timeout=WAIT_MS)
    recv(c, got["accepted"], "sctp_assoc_change", state="comm_up", assoc_id=got["assoc_id"])
    assert recv_data(c, got["accepted"]) == b"last words"
    recv(c, got["accepted"], "sctp_assoc_change", state="comm_lost", assoc_id=got["assoc_id"])
    recv(c, got["accepted"], "sctp_closed")


def test_eof_and_abort_of_a_stream_socket_that_is_over_unread(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    up = connect(c, here, there["port"])["assoc_id"]
    accepted = c.call("accept", sock=there["sock"], timeout=WAIT_MS)["accepted"]
    recv(c, accepted, "sctp_assoc_change", state="comm_up")
    c.call("abort", sock=here, assoc_id=up)
    wait_for(lambda: len(d.kernel("assocs").splitlines()) == 1)     # its head: the peer knows, too
    for method, args in (("send", {"data": b"x"}), ("eof", {}), ("abort", {})):
        assert code(c, method, sock=accepted, **args) == "epipe"
    recv(c, accepted, "sctp_assoc_change", state="comm_lost")


def test_a_listener_whose_peeled_associations_are_over_may_listen_again(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    c.call("abort", sock=here, assoc_id=here_id)
    recv(c, peeled, "sctp_assoc_change", state="comm_lost")
    recv(c, peeled, "sctp_closed")
    c.call("listen", sock=there, backlog=False)
    c.call("listen", sock=there)
    connect(c, c.call("open", ip="127.0.0.1")["sock"], c.call("port", sock=there)["port"])
    recv(c, there, "sctp_assoc_change", state="comm_up")


def test_nobody_answers_a_recv_by_another_who_waits_for_connect(d):
    c, other = d.client(), d.client()
    here = c.call("open")["sock"]
    waiting = other.request("recv", sock=here)
    other.call("status")
    assert code(c, "connect", sock=here, addr=blackhole(), port=9, timeout=20) == "timeout"
    c.call("close", sock=here)
    assert answer_code(other, waiting) == "closed"
