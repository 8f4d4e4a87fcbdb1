# SPDX-License-Identifier: BSD-2-Clause
"""Every event of the stack's: it comes when it is subscribed to, and only then."""

from check import answer_code, nothing, only, option, recv, recv_data, send, setopt
from harness import associate

NONE = ("association_event", "address_event", "send_failure_event", "peer_error_event",
        "shutdown_event", "partial_delivery_event", "adaptation_layer_event",
        "authentication_event", "sender_dry_event", "stream_reset_event", "assoc_reset_event",
        "stream_change_event")


def subscribe(c, sock, *names):
    """To these events and to no other."""
    setopt(c, sock, sctp_events={**dict.fromkeys(NONE, False), **dict.fromkeys(names, True)})


def connect(c, there, options=None, **args):
    """Another association of a listening socket; gives its other end."""
    here = c.call("open", **{"ip": "127.0.0.1", "options": options or {}, **args})["sock"]
    port = c.call("sockname", sock=there)["port"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=20000)
    return here, up["assoc_id"]


def listener(c, *events, options=None, **args):
    there = c.call("open", **{"ip": "127.0.0.1", "options": options or {}, **args})["sock"]
    subscribe(c, there, *events)
    c.call("listen", sock=there)
    return there


def id_at(c, sock):
    return only(c.call("assocs")["assocs"], sock=sock)["assoc_id"]


def test_assoc_change(d):
    c = d.client()
    there = listener(c)
    here, here_id = connect(c, there)
    send(c, here, here_id, b"x")
    assert recv_data(c, there) == b"x" and nothing(c, there)
    subscribe(c, there, "association_event")
    c.call("abort", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_assoc_change", state="comm_lost")


def test_an_unwanted_assoc_change_still_ends_the_association(d):
    c = d.client()
    there = listener(c)
    here, here_id = connect(c, there)
    setopt(c, there, active=True)
    setopt(c, here, active=True)
    c.call("abort", sock=here, assoc_id=here_id)
    while c.call("assocs")["assocs"]:
        pass
    assert not [e for e in c.events if e[1]["sock"] == there]


def test_shutdown_event(d):
    c = d.client()
    for wanted in (True, False):
        there = listener(c, "association_event", *["shutdown_event"] * wanted)
        here, here_id = connect(c, there)
        recv(c, there, "sctp_assoc_change", state="comm_up")
        c.call("eof", sock=here, assoc_id=here_id)
        if wanted:
            recv(c, there, "sctp_shutdown_event")
        recv(c, there, "sctp_assoc_change", state="shutdown_comp")


def test_adaptation_event(d):
    c = d.client()
    for wanted in (True, False):
        there = listener(c, *["adaptation_layer_event"] * wanted)
        here, here_id = connect(c, there, {"sctp_adaptation_layer": {"adaptation_ind": 0x01020304}})
        if wanted:
            recv(c, there, "sctp_adaptation_event", adaptation_ind=0x01020304, assoc_id=id_at(c, there))
        send(c, here, here_id, b"x")
        assert recv_data(c, there) == b"x"


def test_sender_dry_event(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    subscribe(c, here, "sender_dry_event")
    recv(c, here, "sctp_sender_dry_event", assoc_id=here_id)
    send(c, here, here_id, b"x")
    recv(c, here, "sctp_sender_dry_event", assoc_id=here_id)
    subscribe(c, here)
    send(c, here, here_id, b"y")
    assert [recv_data(c, there) for _ in range(2)] == [b"x", b"y"] and nothing(c, here)


def test_addresses_are_confirmed(d):
    c = d.client()
    there = listener(c, "address_event", ip=["127.0.0.1", "127.0.0.2"])
    here, here_id = connect(c, there, ip=["127.0.0.3", "127.0.0.4"])
    got = recv(c, there, "sctp_paddr_change", state="addr_confirmed")
    assert got["assoc_id"] == id_at(c, there) and got["addr"]["addr"] in ("127.0.0.3", "127.0.0.4")
    assert got["addr"]["port"] == c.call("sockname", sock=here)["port"]
    subscribe(c, there)
    send(c, here, here_id, b"x")
    recv_data(c, there)


def test_a_primary_address_is_made(d):
    c = d.client()
    there = listener(c, ip=["127.0.0.1", "127.0.0.2"])
    here, here_id = connect(c, there)
    second = {"addr": "127.0.0.2", "port": c.call("sockname", sock=there)["port"]}
    setopt(c, here, sctp_primary_addr={"assoc_id": here_id, "addr": second})
    while (got := recv(c, here, "sctp_paddr_change"))["state"] != "addr_made_prim":
        assert got["state"] == "addr_confirmed"
    assert got["addr"] == second


def reconfiguring():
    return {"sctp_reconfig_supported": {"assoc_value": 1},
            "sctp_enable_stream_reset": {"assoc_value": ["reset_streams", "reset_assoc", "add_streams"]}}


def test_stream_change_event(d):
    c = d.client()
    there = listener(c, "stream_change_event", options=reconfiguring())
    here, here_id = connect(c, there, reconfiguring())
    subscribe(c, here, "stream_change_event")
    setopt(c, here, sctp_add_streams={"assoc_id": here_id, "outstrms": 5})
    recv(c, here, "sctp_stream_change_event", assoc_id=here_id, outstrms=5, instrms=0, flags=[])
    recv(c, there, "sctp_stream_change_event", instrms=5, outstrms=0)
    assert option(c, here, "sctp_status", assoc_id=here_id)["outstrms"] == 15


def test_streams_that_were_added_can_be_sent_on(d):
    c = d.client()
    there = listener(c, options=reconfiguring())
    here, here_id = connect(c, there, reconfiguring())
    subscribe(c, here, "stream_change_event")
    setopt(c, here, sctp_add_streams={"assoc_id": here_id, "outstrms": 5})
    recv(c, here, "sctp_stream_change_event")
    send(c, here, here_id, b"x", stream=14)
    assert recv(c, there, "data")["sctp_sndrcvinfo"]["stream"] == 14


def test_send_failed_comes_once_with_the_whole_message(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"sctp_maxseg": {"assoc_value": 1000}})
    subscribe(c, here, "send_failure_event")
    taken, waiting = {}, {}
    while not c.call("getstat", sock=here)["send_pend"]:
        n = len(taken) + len(waiting) + 1   # what is zero is left out of an event
        data = n.to_bytes(4, "big") * 5000
        waiting[n] = c.request("send", sock=here, data=data, sctp_sndrcvinfo={
            "assoc_id": here_id, "context": n, "ppid": 46, "stream": 1, "flags": ["unordered"]})
        c.call("status")
        if waiting[n] in c.answers:
            c.answer(waiting.pop(n))
            taken[n] = data
    c.call("abort", sock=here, assoc_id=here_id)
    assert {answer_code(c, i) for i in waiting.values()} == {"epipe"}
    last, failed = max(taken), []
    while not failed or failed[-1]["info"]["context"] != last:
        failed.append(recv(c, here, "sctp_send_failed", assoc_id=here_id))
    assert nothing(c, here)
    contexts = [e["info"]["context"] for e in failed]
    assert len(set(contexts)) == len(contexts) and contexts == sorted(contexts)
    whole = [e for e in failed if e["data"] == taken[e["info"]["context"]]]
    assert len(whole) >= len(failed) - 1  # of the first a part may have arrived
    assert all((e["info"]["ppid"], e["info"]["stream"], e["info"]["flags"]) == (46, 1, ["unordered"])
               for e in failed)
    assert {e["flags"] for e in failed} == {True, False}
    assert [e["flags"] for e in failed] == sorted((e["flags"] for e in failed), reverse=True)


def test_send_failed_comes_not_when_it_is_not_wanted(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    subscribe(c, here)
    while not c.call("getstat", sock=here)["send_pend"]:
        c.request("send", sock=here, assoc_id=here_id, data=bytes(100000))
    c.call("abort", sock=here, assoc_id=here_id)
    assert nothing(c, here)


def test_authkey_event(d):
    c = d.client()
    auth = {"sctp_auth_supported": {"assoc_value": 1}}
    there = listener(c, "authentication_event", options=auth)
    here, here_id = connect(c, there)
    got = c.call("recv", sock=there, timeout=1000)
    assert got["event"] == "sctp_authkey_event" and got["indication"] == "no_auth"
    send(c, here, here_id, b"x")
    assert recv_data(c, there) == b"x"
