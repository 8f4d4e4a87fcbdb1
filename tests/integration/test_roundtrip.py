# SPDX-License-Identifier: BSD-2-Clause
"""What shows only where a packet and its answer need time: what is done to an
association while it is set up, and while both sides shut it down."""
import contextlib

from check import WAIT_MS, answer_code, blackhole, code, nothing, recv, recv_data, setopt
from harness import STACK, associate, round_trip, wait_for
from test_stream_socket import pair as stream_pair

KINDS = "seqpacket", "stream"
ROUNDS = 100


@contextlib.contextmanager
def coming_up(c, kind):
    """A set-up that is under way: (listener, socket, arguments that name it)."""
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type=kind)["sock"]
    with round_trip():
        new = c.call("connect_init", sock=here, addr="127.0.0.1", port=there["port"])["assoc_id"]
        yield there["sock"], here, {"sock": here, "assoc_id": new}


def ends(c, sock, kind, *events):
    for event, want in events:
        recv(c, sock, event, **want)
    if kind == "stream":
        recv(c, sock, "sctp_closed")
        assert code(c, "recv", sock=sock) == "closed"


UP = ("sctp_assoc_change", {"state": "comm_up"})
DOWN = ("sctp_shutdown_event", {})
COMPLETE = ("sctp_assoc_change", {"state": "shutdown_comp"})

# ---- while it comes up ------------------------------------------------------


def left(d, c):
    s = c.call("status")
    return s["sockets"], s["associations"], s["lingering"], d.descriptors()


def test_a_socket_that_is_closed_while_it_connects_leaves_nothing(d):
    c = d.client()
    for kind in KINDS:
        before = left(d, c)
        for _ in range(ROUNDS):
            here = c.call("open", type=kind)["sock"]
            c.call("connect_init", sock=here, addr=blackhole(), port=9)
            c.call("close", sock=here)
        assert left(d, c) == before


def test_nor_does_one_whose_owner_goes(d):
    c = d.client()
    for kind in KINDS:
        before = left(d, c)
        for _ in range(ROUNDS):
            owner = d.client()
            here = owner.call("open", type=kind)["sock"]
            owner.call("connect_init", sock=here, addr=blackhole(), port=9)
            owner.close()
        wait_for(lambda before=before: left(d, c) == before)


def test_what_was_sent_before_it_was_up_arrives_though_the_socket_is_closed(d):
    c = d.client()
    for kind in KINDS:
        with coming_up(c, kind) as (there, here, assoc):
            for n in range(3):
                c.notify("send", **assoc, data=b"%d" % n)
            c.call("close", sock=here)
            ends(c, there, None, UP)
            assert [recv_data(c, there) for _ in range(3)] == [b"0", b"1", b"2"]
            ends(c, there, None, DOWN, COMPLETE)


def test_messages_may_be_sent_at_once(d):
    c = d.client()
    for kind in KINDS:
        with coming_up(c, kind) as (there, here, assoc):
            c.notify("send", **assoc, data=b"a notification")
            asked = c.request("send", **assoc, data=b"a request")
            ends(c, there, None, UP)
            assert [recv_data(c, there) for _ in range(2)] == [b"a notification", b"a request"]
            assert c.answer(asked) == {}
            ends(c, here, None, UP)


def test_they_come_back_if_nobody_is_there(d):
    c = d.client()
    quick = {"sctp_initmsg": {"max_attempts": 1}, "sctp_rtoinfo": {"initial": 200, "min": 100, "max": 200}}
    for kind in KINDS:
        here = c.call("open", type=kind, options={"active": True, **quick})["sock"]
        new = c.call("connect_init", sock=here, addr=blackhole(), port=9)["assoc_id"]
        c.notify("send", sock=here, assoc_id=new, data=b"a notification")
        assert c.event("sctp_send_failed", sock=here)["data"] == b"a notification"
        c.event("sctp_assoc_change", sock=here, state="cant_assoc")
    asked = c.request("send", sock=here, assoc_id=c.call("connect_init", sock=here, addr=blackhole(), port=9)["assoc_id"],
                      data=b"a request")
    if STACK == "kernel":   # the userland's has taken it
        assert answer_code(c, asked) == "epipe"


def test_eof_shuts_down_what_comes_up(d):
    c = d.client()
    for kind in KINDS:
        with coming_up(c, kind) as (there, here, assoc):
            c.notify("send", **assoc, data=b"before it")
            c.call("eof", **assoc)
            assert code(c, "eof", **assoc) == code(c, "send", **assoc, data=b"x") == "epipe"
            ends(c, here, kind, UP, COMPLETE)
            ends(c, there, None, UP)
            assert recv_data(c, there) == b"before it"
            ends(c, there, None, DOWN, COMPLETE)


def test_eof_though_nobody_reads_that_it_is_up(d):
    c = d.client()
    for kind in KINDS:
        with coming_up(c, kind) as (there, here, assoc):
            c.call("eof", **assoc)
            ends(c, there, None, UP, DOWN, COMPLETE)


def test_eof_where_nobody_is_there_is_cant_assoc(d):
    c = d.client()
    quick = {"sctp_initmsg": {"max_attempts": 1}, "sctp_rtoinfo": {"initial": 200, "min": 100, "max": 200}}
    for kind in KINDS:
        here = c.call("open", type=kind, options=quick)["sock"]
        new = c.call("connect_init", sock=here, addr=blackhole(), port=9)["assoc_id"]
        c.call("eof", sock=here, assoc_id=new)
        recv(c, here, "sctp_assoc_change", state="cant_assoc")
        assert nothing(c, here)


def test_abort_after_eof_takes_it_back(d):
    c = d.client()
    for kind in KINDS:
        here = c.call("open", type=kind)["sock"]
        new = c.call("connect_init", sock=here, addr=blackhole(), port=9)["assoc_id"]
        c.call("eof", sock=here, assoc_id=new)
        c.call("abort", sock=here, assoc_id=new)
        wait_for(lambda: c.call("assocs")["assocs"] == [])
        c.call("close", sock=here)


def test_a_session_that_comes_back_finds_what_it_had_begun(d):
    """It asks again, as what was not answered was not carried out."""
    other = d.client()
    for kind in KINDS:
        there = other.call("open", ip="127.0.0.1")
        other.call("listen", sock=there["sock"])
        c = d.client()
        token = c.call("hello", name="s", resume=True)["resume"]
        here = c.call("open", ip="127.0.0.1", type=kind, options={"on_owner_exit": "hold"})["sock"]
        with round_trip(200):
            c.request("connect", sock=here, addr="127.0.0.1", port=there["port"])
            c.call("status")
            c.close()
            c = d.client()
            c.call("hello", resume=token, seq=3)
            up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
            assert up["state"] == "comm_up"
            ends(other, there["sock"], None, UP)
            assert nothing(other, there["sock"])
        setopt(c, here, on_owner_exit="close")


# ---- while it goes down -----------------------------------------------------


def test_eof_is_the_answer_to_the_peers(d):
    """As every careful server does it; before the peer's end has come."""
    c = d.client()
    there, here = stream_pair(c)
    with round_trip():
        c.call("eof", sock=here)
        recv(c, there, "sctp_shutdown_event")
        c.call("eof", sock=there)
        ends(c, there, "stream", COMPLETE)
        ends(c, here, "stream", COMPLETE)


def test_both_sides_shut_down_at_once(d):
    c = d.client()
    for kind in KINDS:
        if kind == "stream":
            there, here = stream_pair(c)
            there_id = here_id = 0
        else:
            there, there_id, here, here_id = associate(c)
        with round_trip():
            c.call("eof", sock=here, assoc_id=here_id)
            c.call("eof", sock=there, assoc_id=there_id)
            for sock in here, there:
                e = recv(c, sock)
                if e["event"] == "sctp_shutdown_event":
                    e = recv(c, sock)
                assert (e["event"], e.get("state")) == ("sctp_assoc_change", "shutdown_comp"), e
                if kind == "stream":
                    recv(c, sock, "sctp_closed")


def test_after_the_peers_eof_nothing_can_be_sent(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    setopt(c, there, active=True)
    with round_trip():
        c.call("eof", sock=here, assoc_id=here_id)
        c.event("sctp_shutdown_event", sock=there)
        asked = c.request("send", sock=there, assoc_id=there_id, data=b"late")
        c.notify("send", sock=there, assoc_id=there_id, data=b"later")
        assert answer_code(c, asked) == "epipe"
        failed = c.event("sctp_send_failed", sock=there)
        assert failed["data"] == b"later" and failed["reason"].startswith("epipe: "), failed
        c.event("sctp_assoc_change", sock=there, state="shutdown_comp")
