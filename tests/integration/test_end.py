# SPDX-License-Identifier: BSD-2-Clause
"""eof, abort and close."""
import time

from check import (WAIT_MS, answer_code, code, fill, nothing, only, recv, recv_data, refusal, send, setopt)
from harness import associate


def no_association(c):
    return c.call("assocs")["assocs"] == []


def test_eof_tells_the_caller_shutdown_comp_only(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, here, "sctp_assoc_change", state="shutdown_comp", assoc_id=here_id)
    assert nothing(c, here)


def test_eof_tells_the_peer_of_the_beginning_and_the_end(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_shutdown_event", assoc_id=there_id)
    recv(c, there, "sctp_assoc_change", state="shutdown_comp", assoc_id=there_id)
    recv(c, here, "sctp_assoc_change", state="shutdown_comp")
    assert nothing(c, there) and no_association(c)


def test_eof_comes_after_all_that_was_sent(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for i in range(50):
        send(c, here, here_id, bytes(1000) + b"%d" % i)
    c.call("eof", sock=here, assoc_id=here_id)
    assert [recv_data(c, there) for _ in range(50)] == [bytes(1000) + b"%d" % i for i in range(50)]
    recv(c, there, "sctp_shutdown_event")


def test_after_eof_nothing_can_be_sent_and_no_second_eof(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    assert code(c, "send", sock=here, assoc_id=here_id, data=b"x") == "epipe"
    assert code(c, "eof", sock=here, assoc_id=here_id) == "epipe"


def test_the_socket_stays_after_eof(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, here, "sctp_assoc_change", state="shutdown_comp")
    port = c.call("sockname", sock=there)["port"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    assert up["assoc_id"] != here_id


def test_abort_tells_both_sides_why(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("abort", sock=here, assoc_id=here_id)
    recv(c, here, "sctp_assoc_change", state="comm_lost", error=12, assoc_id=here_id)
    recv(c, there, "sctp_assoc_change", state="comm_lost", error=12, assoc_id=there_id)
    assert nothing(c, here) and nothing(c, there) and no_association(c)
    assert c.call("error_string", error=12)["text"] == "User Initiated Abort"


def test_the_peer_sees_the_reason_of_an_abort(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    reason = bytes(range(256)) * 4
    c.call("abort", sock=here, assoc_id=here_id, reason=reason)
    lost = recv(c, there, "sctp_assoc_change", state="comm_lost", error=12)
    assert lost["info"] == b"\x00\x0c" + (len(reason) + 4).to_bytes(2, "big") + reason


def test_a_reason_may_not_be_long(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    assert refusal(c, "abort", sock=here, assoc_id=here_id, reason=bytes(1025)) == \
        "emsgsize: reason: 1025 bytes; it takes at most 1024"


def test_abort_and_eof_of_what_is_over(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    c.call("abort", sock=here, assoc_id=here_id)
    for method in ("abort", "eof"):
        assert refusal(c, method, sock=here, assoc_id=here_id) == \
            f"epipe: assoc_id {here_id}: it is over, or is being shut down"
        assert code(c, method, sock=here, assoc_id=here_id + 1000) == "epipe"
        assert refusal(c, method, sock=here) == "badarg: assoc_id: missing; a one-to-many socket needs it"


def test_an_abort_ends_one_association_and_no_other(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    far = c.call("open", ip="127.0.0.1")["sock"]
    far_id = c.call("connect", sock=far, addr="127.0.0.1", port=c.call("sockname", sock=there)["port"],
                    timeout=WAIT_MS)["assoc_id"]
    recv(c, there, "sctp_assoc_change", state="comm_up")
    c.call("abort", sock=there, assoc_id=there_id)
    recv(c, there, "sctp_assoc_change", state="comm_lost", assoc_id=there_id)
    send(c, far, far_id, b"still")
    assert recv_data(c, there) == b"still"


def test_close_sends_all_and_shuts_down(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent = [bytes(1000) + b"%d" % i for i in range(100)]
    for data in sent:
        send(c, here, here_id, data)
    c.call("close", sock=here)
    assert [recv_data(c, there) for _ in sent] == sent
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")


def test_close_with_unread_data_shuts_down_too(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    for _ in range(100):
        send(c, here, here_id, bytes(1000))
    c.call("close", sock=there)
    recv(c, here, "sctp_shutdown_event")
    recv(c, here, "sctp_assoc_change", state="shutdown_comp")


def test_close_sends_what_waits_for_room_as_well(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent, ids = [], []
    while not c.call("getstat", sock=here)["send_pend"]:
        sent.append(len(sent).to_bytes(4, "big") * 25000)
        ids.append(c.request("send", sock=here, assoc_id=here_id, data=sent[-1]))
    c.call("close", sock=here)
    assert [recv_data(c, there) for _ in sent] == sent
    for i in ids:
        c.answer(i)
    recv(c, there, "sctp_shutdown_event")


def test_close_with_linger_zero_aborts(d):
    c = d.client()
    there, there_id, here, _ = associate(c)
    setopt(c, here, linger={"on": True, "seconds": 0})
    c.call("close", sock=here)
    recv(c, there, "sctp_assoc_change", state="comm_lost", error=12, assoc_id=there_id)
    assert nothing(c, there)


# ---- close with linger {on, seconds} ---------------------------------------


def linger(c, sock, seconds):
    setopt(c, sock, linger={"on": True, "seconds": seconds})


def stalled(c, seconds, other=None):
    """An association whose peer reads nothing yet, with more sent than it has
    room for, and a close that lingers: (listener, its id, what was sent, the
    sends, the close)."""
    there, there_id, here, here_id = associate(c, to=other)
    sent, ids = fill(c, here, here_id)
    linger(c, here, seconds)
    return there, there_id, sent, ids, c.request("close", sock=here)


def arrives(c, there, sent):
    assert [recv_data(c, there) for _ in sent] == sent
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")


def test_close_that_lingers_waits_until_all_has_arrived(d):
    c, other = d.client(), d.client()
    there, _, sent, ids, closing = stalled(c, 30, other)
    c.call("status")
    assert closing not in c.answers
    arrives(other, there, sent)
    assert c.answer(closing) == {}
    assert all(i in c.answers for i in ids)


def test_close_that_lingers_waits_so_long_at_most(d):
    c, other = d.client(), d.client()
    begun = time.monotonic()
    there, _, sent, ids, closing = stalled(c, 1, other)
    assert c.answer(closing) == {}
    assert time.monotonic() - begun >= 0.9  # timers are coarse
    assert c.call("status")["lingering"] == 1
    arrives(other, there, sent)
    for i in ids:
        c.answer(i)


def test_close_that_lingers_with_nothing_to_wait_for(d):
    c = d.client()
    for args in ({}, {"type": "stream"}):
        sock = c.call("open", ip="127.0.0.1", options={"linger": {"on": True, "seconds": 30}}, **args)["sock"]
        assert c.call("close", sock=sock) == {}
    there, _, here, here_id = associate(c)
    linger(c, here, 30)
    send(c, here, here_id, bytes(100000))
    c.call("close", sock=here)
    arrives(c, there, [bytes(100000)])


def test_others_are_served_while_a_close_lingers(d):
    c, other = d.client(), d.client()
    there, there_id, _, _, closing = stalled(c, 30, other)
    far, far_id, near, near_id = associate(other)
    for i in range(100):
        send(other, near, near_id, b"%d" % i)
        assert recv_data(other, far) == b"%d" % i
    assert c.call("open")["sock"] and closing not in c.answers
    other.call("abort", sock=there, assoc_id=there_id)
    assert c.answer(closing) == {}


def test_the_socket_is_closed_while_its_close_lingers(d):
    c, other = d.client("owner"), d.client()
    there, there_id, here, here_id = associate(other)
    mine = c.call("open", ip="127.0.0.1")["sock"]
    port = other.call("sockname", sock=there)["port"]
    my_id = c.call("connect", sock=mine, addr="127.0.0.1", port=port, timeout=WAIT_MS)["assoc_id"]
    recv(other, there, "sctp_assoc_change", state="comm_up")
    sent, ids = fill(c, mine, my_id)
    waiting = c.request("recv", sock=mine)
    linger(c, mine, 30)
    closing = other.request("close", sock=mine)
    assert c.event("sctp_closed") == {"sock": mine, "reason": "another client closed it"}
    assert answer_code(c, waiting) == "closed"
    for who in (c, other):
        for method, args in (("close", {}), ("recv", {"timeout": 0}), ("send", {"assoc_id": my_id, "data": b"x"})):
            assert code(who, method, sock=mine, **args) == "closed"
    assert closing not in other.answers
    assert sorted(a["sock"] for a in other.call("assocs")["assocs"]) == sorted([there, there, here])
    arrives(other, there, sent)
    assert other.answer(closing) == {}


def test_a_close_lingers_for_the_last_of_several_associations(d):
    c = d.client()
    here = c.call("open", ip="127.0.0.1", options={"linger": {"on": True, "seconds": 30}})["sock"]
    theirs = []
    for _ in range(3):
        there = c.call("open", ip="127.0.0.1")
        c.call("listen", sock=there["sock"])
        up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
        theirs.append((there["sock"], fill(c, here, up["assoc_id"], 20000)[0]))
    closing = c.request("close", sock=here)
    for i, (there, sent) in enumerate(theirs):
        c.call("status")
        assert closing not in c.answers, i
        arrives(c, there, sent)
    assert c.answer(closing) == {}


def test_a_close_lingers_no_longer_than_the_peer(d):
    c, other = d.client(), d.client()
    there, there_id, _, ids, closing = stalled(c, 30, other)
    other.call("abort", sock=there, assoc_id=there_id)
    assert c.answer(closing) == {}
    assert answer_code(c, ids[-1]) == "epipe"
    there, _, _, _, closing = stalled(c, 30, other)
    linger(other, there, 0)
    other.close()
    assert c.answer(closing) == {}


def test_the_end_of_the_caller_of_a_close_that_lingers(d):
    """Its sends that wait end with it; what was taken arrives."""
    c, other = d.client(), d.client()
    there, _, sent, ids, _ = stalled(c, 30, other)
    c.call("status")
    c.close()
    while len(other.call("clients")["clients"]) > 1:
        pass
    got = []
    while (e := recv(other, there))["event"] == "data":
        got.append(e["data"])
    assert e["event"] == "sctp_shutdown_event"
    assert got == sent[:len(got)] and len(got) >= len(sent) - len(ids)
    recv(other, there, "sctp_assoc_change", state="shutdown_comp")


def test_the_end_of_an_owner_does_not_linger(d):
    """Nobody waits for it, and nothing is lost of what was taken."""
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(c, to=other)
    linger(c, here, 30)
    send(c, here, here_id, bytes(100000))
    c.close()
    arrives(other, there, [bytes(100000)])


def test_close_lingers_on_stream_sockets_too(d):
    c = d.client()
    for seconds in (30, 1):
        there = c.call("open", ip="127.0.0.1", type="stream")
        c.call("listen", sock=there["sock"])
        here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
        c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        got = c.call("accept", sock=there["sock"], timeout=WAIT_MS)["accepted"]
        recv(c, got, "sctp_assoc_change", state="comm_up")
        sent, ids = fill(c, here, 0)
        linger(c, here, seconds)
        begun = time.monotonic()
        closing = c.request("close", sock=here)
        c.call("status")
        assert closing not in c.answers
        if seconds == 1:
            assert c.answer(closing) == {} and time.monotonic() - begun >= 0.9, time.monotonic() - begun
        arrives(c, got, sent)
        if seconds == 30:
            assert c.answer(closing) == {}
        for i in ids:
            c.answer(i)


def test_close_lingers_on_peeled_sockets_too(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    linger(c, here, 30)
    peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
    sent, _ = fill(c, peeled, here_id)
    closing = c.request("close", sock=peeled)
    c.call("status")
    assert closing not in c.answers
    arrives(c, there, sent)
    assert c.answer(closing) == {}


def test_a_close_as_a_notification_lingers_silently(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent, _ = fill(c, here, here_id)
    linger(c, here, 30)
    c.notify("close", sock=here)
    arrives(c, there, sent)
    assert c.quiet()


# ---- closed ----------------------------------------------------------------


def test_what_is_closed_is_closed_for_every_method(d):
    c = d.client()
    sock = c.call("open")["sock"]
    c.call("close", sock=sock)
    text = f"closed: sock {sock}: no such socket; it was closed, or never opened"
    for method, args in (("close", {}), ("listen", {}), ("recv", {}), ("eof", {}), ("abort", {}),
                         ("sockname", {}), ("getstat", {}), ("accept", {}), ("peername", {}),
                         ("socknames", {}), ("peernames", {}), ("send", {"data": b"x"}),
                         ("setopts", {"options": {}}), ("getopts", {"options": []}),
                         ("peeloff", {"assoc_id": 1}), ("controlling_process", {"client": 1}),
                         ("connect", {"addr": "127.0.0.1", "port": 1}),
                         ("connect_init", {"addr": "127.0.0.1", "port": 1})):
        assert refusal(c, method, sock=sock, **args) == text


def test_the_owner_is_told_when_another_closes(d):
    c, other = d.client("owner"), d.client()
    sock = c.call("open")["sock"]
    other.call("close", sock=sock)
    assert c.event("sctp_closed") == {"sock": sock, "reason": "another client closed it"}


def test_the_end_of_the_owner_is_the_end_of_its_sockets(d):
    c, other = d.client(), d.client("other")
    there, _, here, here_id = associate(c, to=other)
    send(c, here, here_id, b"last")
    waiting = other.request("recv", sock=here)
    c.close()
    assert answer_code(other, waiting) == "closed"
    assert recv_data(other, there) == b"last"
    recv(other, there, "sctp_shutdown_event")
    recv(other, there, "sctp_assoc_change", state="shutdown_comp")


def test_closing_many_leaves_nothing(d):
    c = d.client()
    ids = associate(c, 1)
    for _ in range(30):
        ids = associate(c)
        send(c, ids[2], ids[3], bytes(5000))
    assert len(c.call("assocs")["assocs"]) == 62
    assert only(c.call("clients")["clients"], sockets=62)
