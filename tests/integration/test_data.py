# SPDX-License-Identifier: BSD-2-Clause
"""send and recv."""
from check import (WAIT_MS, answer_code, code, nothing, only, option, recv, recv_data, refusal,
                   send, setopt)
from harness import associate
from rpc import RpcError


def code_or(c, method, **args):
    """The code of an error, or None."""
    try:
        c.call(method, **args)
    except RpcError as e:
        return e.code
    return None


def info_of(c, sock):
    return recv(c, sock, "data")["sctp_sndrcvinfo"]


def test_by_association_and_stream(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("send", sock=here, assoc_id=here_id, stream=9, data=b"hello")
    got = recv(c, there, "data", data=b"hello")
    info = got["sctp_sndrcvinfo"]
    assert info.pop("tsn") > 0
    assert info == {"stream": 9, "assoc_id": there_id}
    assert got["from"]["port"] == c.call("sockname", sock=here)["port"]


def test_stream_sequence_numbers_count_per_stream(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for stream in (1, 2, 1, 2, 1):
        send(c, here, here_id, b"x", stream)
    infos = [info_of(c, there) for _ in range(5)]
    assert [(i["stream"], i.get("ssn", 0)) for i in infos] == [(1, 0), (2, 0), (1, 1), (2, 1), (1, 2)]


def test_by_sndrcvinfo_with_ppid_in_host_order(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("send", sock=here, data=b"x", sctp_sndrcvinfo={
        "assoc_id": here_id, "stream": 2, "ppid": 0x01020304, "context": 77, "timetolive": 60000})
    info = info_of(c, there)
    assert (info["stream"], info["ppid"]) == (2, 0x01020304)
    assert "context" not in info and "flags" not in info


def test_unordered(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("send", sock=here, data=b"x", sctp_sndrcvinfo={"assoc_id": here_id, "flags": ["unordered"]})
    info = info_of(c, there)
    assert info["flags"] == ["unordered"] and "cumtsn" in info


def test_sndrcvinfo_takes_no_defaults(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, here, sctp_default_send_param={"assoc_id": here_id, "ppid": 5})
    c.call("send", sock=here, data=b"x", sctp_sndrcvinfo={"assoc_id": here_id})
    assert "ppid" not in info_of(c, there)


def test_defaults_are_of_one_association(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    other = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=other["sock"])
    other_id = c.call("connect", sock=here, addr="127.0.0.1", port=other["port"], timeout=WAIT_MS)["assoc_id"]
    recv(c, other["sock"], "sctp_assoc_change")
    setopt(c, here, sctp_default_send_param={
        "assoc_id": here_id, "ppid": 46, "stream": 3, "flags": ["unordered"]})
    send(c, here, here_id, b"x", stream=1)
    info = info_of(c, there)
    assert (info["ppid"], info["stream"], info["flags"]) == (46, 1, ["unordered"])
    send(c, here, other_id, b"x")
    assert "ppid" not in info_of(c, other["sock"])


def test_defaults_change_with_the_option(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for ppid in (1, 2, 3):
        setopt(c, here, sctp_default_send_param={"assoc_id": here_id, "ppid": ppid})
        send(c, here, here_id, b"x")
        assert info_of(c, there)["ppid"] == ppid


def test_defaults_of_the_socket_are_for_associations_to_come(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"sctp_default_send_param": {"ppid": 7}})
    send(c, here, here_id, b"x")
    assert info_of(c, there)["ppid"] == 7


def test_what_is_a_string_is_sent_as_its_bytes(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    send(c, here, here_id, "grüße")
    assert recv_data(c, there) == "grüße".encode()


def test_without_data_io_event_there_is_no_sndrcvinfo(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, there, sctp_events={"data_io_event": False})
    send(c, here, here_id, b"x")
    assert set(recv(c, there, "data")) == {"event", "sock", "from", "data"}


def test_send_checks_in_gen_sctps_words(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    for want, args in (
            ("epipe", {"assoc_id": here_id + 1000, "data": b"x"}),
            ("einval", {"assoc_id": here_id, "data": b""}),
            ("einval", {"assoc_id": here_id, "stream": 10, "data": b"x"}),
            ("badarg", {"data": b"x"})):
        assert code(c, "send", sock=here, **args) == want


def test_a_message_beyond_the_fragmentation_point_needs_fragments(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, here, sctp_disable_fragments=True, sctp_maxseg={"assoc_id": here_id, "assoc_value": 1000})
    assert code(c, "send", sock=here, assoc_id=here_id, data=bytes(5000)) == "emsgsize"
    send(c, here, here_id, bytes(900))
    assert recv_data(c, there) == bytes(900)


def test_recv_looks_once_with_timeout_zero(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    assert refusal(c, "recv", sock=there, timeout=0) == f"timeout: sock {there}: nothing arrived in time"
    send(c, here, here_id, b"x")
    # Taken by the stack here is not yet arrived there: look until it is.
    while code_or(c, "recv", sock=there, timeout=0) == "timeout":
        pass
    assert nothing(c, there)


def test_recv_times_out_and_swallows_nothing(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    assert code(c, "recv", sock=there, timeout=20) == "timeout"
    send(c, here, here_id, b"x")
    assert recv_data(c, there) == b"x"


def test_recv_waits_for_ever_or_until_it_comes(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for args in ({}, {"timeout": "infinity"}, {"timeout": 4294967294}):
        waiting = c.request("recv", sock=there, **args)
        send(c, here, here_id, b"x")
        assert c.answer(waiting)["data"] == b"x"


def test_a_second_recv_is_ealready(d):
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(c)
    waiting = c.request("recv", sock=there)
    assert refusal(c, "recv", sock=there) == f"ealready: sock {there}: another recv is waiting"
    assert code(other, "recv", sock=there, timeout=0) == "ealready"
    send(c, here, here_id, b"x")
    assert c.answer(waiting)["data"] == b"x"


def test_recv_on_an_active_socket_is_einval(d):
    c = d.client()
    sock = c.call("open", options={"active": True})["sock"]
    assert refusal(c, "recv", sock=sock) == \
        f"einval: sock {sock}: it is active, so its owner receives what arrives; set active to false"


def test_a_caller_that_goes_gives_its_recv_back(d):
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(c)
    other.request("recv", sock=there)
    other.call("status")
    other.close()
    while only(c.call("sockets")["sockets"], sock=there) and len(c.call("clients")["clients"]) > 1:
        pass
    send(c, here, here_id, b"x")
    assert recv_data(c, there) == b"x"


def test_close_ends_a_recv_that_waits(d):
    c = d.client()
    sock = c.call("open")["sock"]
    waiting = c.request("recv", sock=sock)
    c.call("close", sock=sock)
    assert answer_code(c, waiting) == "closed"


def test_a_recv_that_waits_when_active_is_set_still_gets_the_next(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    waiting = c.request("recv", sock=there)
    setopt(c, there, active=True)
    send(c, here, here_id, b"1")
    send(c, here, here_id, b"2")
    assert c.answer(waiting)["data"] == b"1" and c.event("data")["data"] == b"2"


def test_any_client_of_the_user_may_send_and_receive(d):
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(c)
    send(other, here, here_id, b"x")
    assert recv_data(other, there) == b"x"


def test_the_order_of_one_client_is_kept(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    ids = [c.request("send", sock=here, assoc_id=here_id, data=b"%d" % i) for i in range(500)]
    for i in ids:
        c.answer(i)
    assert [recv_data(c, there) for _ in range(500)] == [b"%d" % i for i in range(500)]


def test_getstat_counts_messages_and_bytes(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for n in (1, 100, 10):
        send(c, here, here_id, bytes(n))
    for _ in range(3):
        recv_data(c, there)
    got = c.call("getstat", sock=here)
    assert got == {"send_cnt": 3, "send_oct": 111, "send_max": 100, "send_avg": 37, "send_pend": 0,
                   "recv_cnt": 0, "recv_oct": 0, "recv_max": 0, "recv_avg": 0}
    got = c.call("getstat", sock=there)
    assert [got[k] for k in ("recv_cnt", "recv_oct", "recv_max", "recv_avg")] == [3, 111, 100, 37]


def test_a_time_to_live_that_ends_gives_the_message_back(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    assert option(c, there, "active") is False
    args = {"sock": here, "data": bytes(100000)}
    info = {"assoc_id": here_id, "timetolive": 10, "context": 99}
    while not c.call("getstat", sock=here)["send_pend"]:
        c.request("send", sctp_sndrcvinfo=info, **args)
    failed = recv(c, here, "sctp_send_failed")
    assert failed["info"]["context"] == 99 and failed["assoc_id"] == here_id
    c.call("abort", sock=here, assoc_id=here_id)


def test_the_flags_eof_and_abort_are_gen_sctps(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("send", sock=here, data=b"", sctp_sndrcvinfo={"assoc_id": here_id, "flags": ["eof"]})
    assert c.call("recv", sock=there, timeout=WAIT_MS)["event"] == "sctp_shutdown_event"
    assert c.call("recv", sock=there, timeout=WAIT_MS)["state"] == "shutdown_comp"
    there, there_id, here, here_id = associate(c)
    c.call("send", sock=here, data=b"why", sctp_sndrcvinfo={"assoc_id": here_id, "flags": ["abort"]})
    lost = c.call("recv", sock=there, timeout=WAIT_MS)
    assert (lost["state"], lost["error"]) == ("comm_lost", 12) and lost["info"].endswith(b"why")


def test_a_calm_association_is_served_beside_one_that_floods(d):
    """The busy one is read a little at a time and rests; all of both comes, in order."""
    to, c = d.client(), d.client()
    busy, calm = associate(c, 2, to=to)
    to.call("setopts", sock=busy[0], options={"active": True})
    for n in range(6000):
        c.notify("send", sock=busy[2], assoc_id=busy[3], data=b"%d" % n)
        if n % 100 == 0:
            c.notify("send", sock=calm[2], assoc_id=calm[3], data=b"%d" % (n // 100))
    seen = {busy[1]: [], calm[1]: []}
    for _ in range(6060):
        e = to.event("data", sock=busy[0])
        seen[e["sctp_sndrcvinfo"]["assoc_id"]].append(int(e["data"]))
    assert seen == {busy[1]: list(range(6000)), calm[1]: list(range(60))}


def test_a_stream_of_little_messages_one_way(d):
    """It is read now and then, not at each message: all of it comes, in order, and its end."""
    to, c = d.client(), d.client()
    there, _, here, here_id = associate(c, to=to)
    to.call("setopts", sock=there, options={"active": True})
    for n in range(20000):
        c.notify("send", sock=here, assoc_id=here_id, data=b"%d" % n)
    for n in range(20000):
        to.event("data", sock=there, data=b"%d" % n)
    send(c, here, here_id, b"after")
    to.event("data", sock=there, data=b"after")
    for n in range(2000):
        c.notify("send", sock=here, assoc_id=here_id, data=b"%d" % n)
    c.call("eof", sock=here, assoc_id=here_id)
    for n in range(2000):
        to.event("data", sock=there, data=b"%d" % n)
    to.event("sctp_assoc_change", sock=there, state="shutdown_comp")


def test_a_socket_is_closed_while_one_of_its_associations_rests(d):
    to, c = d.client(), d.client()
    busy, calm = associate(c, 2, to=to)
    to.call("setopts", sock=busy[0], options={"active": True})
    for n in range(1000):
        c.notify("send", sock=busy[2], assoc_id=busy[3], data=bytes(100))
        if n % 20 == 0:
            c.notify("send", sock=calm[2], assoc_id=calm[3], data=b"x")
    to.event("data", sock=busy[0], data=b"x")
    to.call("close", sock=busy[0])
    for sock in (busy[2], calm[2]):
        while recv(c, sock).get("event") != "sctp_assoc_change":
            pass
    associate(d.client())
