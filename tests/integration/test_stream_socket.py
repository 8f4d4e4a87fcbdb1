# SPDX-License-Identifier: BSD-2-Clause
"""One-to-one sockets: no assoc_id is needed, and an end is an event."""
from check import (WAIT_MS, answer_code, blackhole, code, cpu_seconds, nothing, only, option, recv, recv_data,
                   refusal, setopt)

OVER = {"reason": "the association is over"}


def listener(c, **args):
    got = c.call("open", **{"ip": "127.0.0.1", "type": "stream", **args})
    c.call("listen", sock=got["sock"])
    return got["sock"], got["port"]


def pair(c, **args):
    """Two connected stream sockets."""
    there, port = listener(c)
    here = c.call("open", ip="127.0.0.1", type="stream", **args)["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    assert up["state"] == "comm_up"
    accepted = c.call("accept", sock=there, timeout=WAIT_MS)["accepted"]
    c.call("close", sock=there)
    recv(c, accepted, "sctp_assoc_change", state="comm_up")
    return accepted, here


def flat(d, c):
    """The daemon does nothing while nobody asks it for anything: if it turned round, it would take all of the time, whenever
    one looks. A look may find more where the machine is busy (a guest charges what its host took to who runs) or under
    valgrind (what it sees first takes long)."""
    sock = c.call("open")["sock"]
    assert code(c, "recv", sock=sock, timeout=1) == "timeout"
    for _ in range(3):
        before = cpu_seconds(d)
        assert code(c, "recv", sock=sock, timeout=300) == "timeout"
        if cpu_seconds(d) - before <= 0.05:
            return True
    return False


def ends(c, sock, *events):
    for event, want in events:
        recv(c, sock, event, **want)
    recv(c, sock, "sctp_closed", **OVER)
    assert refusal(c, "recv", sock=sock) == \
        f"closed: sock {sock}: its association has ended, and nothing more will arrive"


SHUTDOWN = ("sctp_shutdown_event", {}), ("sctp_assoc_change", {"state": "shutdown_comp"})
SHUT_COMP = SHUTDOWN[1:]
LOST = (("sctp_assoc_change", {"state": "comm_lost", "error": 12}),)


def test_messages_go_both_ways_without_an_id(d):
    c = d.client()
    there, here = pair(c)
    for a, b in ((here, there), (there, here)):
        c.call("send", sock=a, stream=4, data=b"hello")
        got = recv(c, b, "data", data=b"hello")
        assert got["sctp_sndrcvinfo"]["stream"] == 4
    c.call("send", sock=here, assoc_id=999, data=b"any id does")
    assert recv_data(c, there) == b"any id does"


def test_names(d):
    c = d.client()
    there, here = pair(c)
    name, peer = c.call("sockname", sock=here), c.call("peername", sock=there)
    assert name == peer and c.call("peernames", sock=there)["addresses"] == [peer]


def test_active(d):
    c = d.client()
    there, here = pair(c)
    setopt(c, there, active=True)
    for i in range(100):
        c.call("send", sock=here, data=b"%d" % i)
    assert [c.event("data")["data"] for _ in range(100)] == [b"%d" % i for i in range(100)]


def test_eof_ends_both_sides_and_nobody_spins(d):
    c = d.client()
    there, here = pair(c)
    c.call("send", sock=here, data=b"last")
    c.call("eof", sock=here)
    assert recv_data(c, there) == b"last"
    ends(c, there, *SHUTDOWN)
    ends(c, here, *SHUT_COMP)
    assert flat(d, c)


def test_eof_ends_active_sockets_too(d):
    c = d.client()
    there, here = pair(c)
    setopt(c, there, active=True)
    setopt(c, here, active=True)
    c.call("eof", sock=here)
    assert c.event("sctp_closed", sock=there)["reason"] == OVER["reason"]
    assert c.event("sctp_closed", sock=here)["reason"] == OVER["reason"]
    assert flat(d, c)
    names = sorted(name for name, _ in c.events)
    assert names == ["sctp_assoc_change", "sctp_assoc_change", "sctp_shutdown_event"]


def test_events_of_the_end_come_one_by_one_as_they_are_counted(d):
    c = d.client()
    there, here = pair(c)
    for _ in range(5):
        c.call("send", sock=here, data=b"x")
    c.call("eof", sock=here)
    ends(c, here, *SHUT_COMP)
    for name in ["data"] * 5 + ["sctp_shutdown_event", "sctp_assoc_change", "sctp_closed"]:
        setopt(c, there, active="once")
        assert c.event()[0] == name


def test_abort_ends_both_sides_and_nobody_spins(d):
    c = d.client()
    there, here = pair(c)
    c.call("abort", sock=here)
    ends(c, here, *LOST)
    ends(c, there, *LOST)
    assert flat(d, c)


def test_an_abort_has_no_reason_here(d):
    c = d.client()
    _, here = pair(c)
    assert refusal(c, "abort", sock=here, reason=b"x") == "einval: reason: a stream socket cannot give one"


def test_close_ends_the_peer(d):
    c = d.client()
    there, here = pair(c)
    c.call("send", sock=here, data=b"last")
    c.call("close", sock=here)
    assert recv_data(c, there) == b"last"
    ends(c, there, *SHUTDOWN)
    assert flat(d, c)


def test_close_with_linger_zero_aborts(d):
    c = d.client()
    there, here = pair(c)
    setopt(c, here, linger={"on": True, "seconds": 0})
    c.call("close", sock=here)
    ends(c, there, *LOST)


def test_close_with_unread_data_shuts_down(d):
    c = d.client()
    there, here = pair(c)
    for _ in range(10):
        c.call("send", sock=here, data=bytes(1000))
    c.call("close", sock=there)
    ends(c, here, *SHUTDOWN)


def test_after_the_end_it_can_do_nothing_more(d):
    c = d.client()
    for end in ("eof", "abort"):
        there, here = pair(c)
        _, port = listener(c)
        c.call(end, sock=there)
        ends(c, here, *(SHUTDOWN if end == "eof" else LOST))
        ends(c, there, *(SHUT_COMP if end == "eof" else LOST))
        for sock in (here, there):
            assert code(c, "send", sock=sock, data=b"x") == "epipe"
            assert code(c, "eof", sock=sock) == "epipe"
            assert code(c, "abort", sock=sock) == "epipe"
            assert code(c, "peername", sock=sock) == "enotconn"
            assert code(c, "connect", sock=sock, addr="127.0.0.1", port=port) == "closed"
            assert code(c, "listen", sock=sock) == "closed"
            c.call("close", sock=sock)


def test_a_second_connect_is_eisconn(d):
    c = d.client()
    _, here = pair(c)
    assert code(c, "connect", sock=here, addr="127.0.0.1", port=listener(c)[1]) == "eisconn"


def test_nor_one_whose_refusal_is_not_read(d):
    c = d.client()
    sock = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect_init", sock=sock, addr="127.0.0.1", port=9)
    assert code(c, "recv", sock=c.call("open")["sock"], timeout=300) == "timeout"   # meanwhile it is refused
    assert code(c, "listen", sock=sock) == "einval"
    recv(c, sock, "sctp_assoc_change", state="cant_assoc")
    c.call("listen", sock=sock)
    assert code(c, "accept", sock=sock, timeout=0) == "timeout"


def test_one_that_gets_no_answer_costs_nothing_after_close(d):
    """Nor does its one-to-many counterpart, which has room to send all the time."""
    c, hole = d.client(), blackhole()
    for kind, eof in ("stream", True), ("stream", False), ("seqpacket", True), ("seqpacket", False):
        sock = c.call("open", type=kind, options={
            "sctp_initmsg": {"max_attempts": 3},
            "sctp_rtoinfo": {"initial": 300, "max": 300, "min": 300}})["sock"]
        id_ = c.call("connect_init", sock=sock, addr=hole, port=9)["assoc_id"]
        c.request("send", sock=sock, assoc_id=id_, stream=0, data=b"x")
        if eof:
            c.call("eof", sock=sock, assoc_id=id_)
        c.call("close", sock=sock)
        assert flat(d, c), (kind, eof)


def test_a_connected_one_cannot_listen(d):
    """Nor when its association has ended and its owner has not been told: what
    waits for recv is no answer to accept."""
    c = d.client()
    accepted, here = pair(c)
    assert code(c, "listen", sock=accepted) == "einval"
    c.call("abort", sock=here)
    for _ in range(20):     # and meanwhile the peer's ABORT comes
        assert code(c, "listen", sock=accepted) == "einval"
        assert code(c, "accept", sock=accepted, timeout=0) == "einval"
    recv(c, accepted, "sctp_assoc_change", state="comm_lost")


def test_a_listener_cannot_connect(d):
    c = d.client()
    sock, port = listener(c)
    assert refusal(c, "connect", sock=sock, addr="127.0.0.1", port=port) == \
        f"einval: sock {sock}: a listening stream socket cannot connect"


def test_refused_it_may_connect_again(d):
    c = d.client()
    there, port = listener(c)
    c.call("close", sock=there)
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    for _ in range(3):
        assert code(c, "connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS) == "cant_assoc"
        assert nothing(c, here)
    _, port = listener(c)
    up = c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    assert up["state"] == "comm_up" and option(c, here, "sctp_status")["state"] == "established"
    assert flat(d, c)


def test_refused_while_active_it_says_so_once_and_nobody_spins(d):
    c = d.client()
    there, port = listener(c)
    c.call("close", sock=there)
    here = c.call("open", ip="127.0.0.1", type="stream", options={"active": True})["sock"]
    new = c.call("connect_init", sock=here, addr="127.0.0.1", port=port)["assoc_id"]
    assert c.event("sctp_assoc_change")["state"] == "cant_assoc" and new
    assert flat(d, c) and c.quiet()


def test_connect_init(d):
    c = d.client()
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    new = c.call("connect_init", sock=here, addr="127.0.0.1", port=port)["assoc_id"]
    recv(c, here, "sctp_assoc_change", state="comm_up", assoc_id=new)


def test_to_a_one_to_many_peer(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    c.call("send", sock=here, data=b"x")
    recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    got = recv(c, there["sock"], "data", data=b"x")
    c.call("send", sock=there["sock"], assoc_id=got["sctp_sndrcvinfo"]["assoc_id"], data=b"y")
    assert recv_data(c, here) == b"y"


def test_the_end_ends_a_recv_that_waits(d):
    c = d.client()
    there, here = pair(c)
    setopt(c, there, sctp_events={"shutdown_event": False, "association_event": False})
    waiting = c.request("recv", sock=there)
    c.call("eof", sock=here)
    assert c.answer(waiting)["event"] == "sctp_closed"
    waiting = c.request("recv", sock=there)
    assert answer_code(c, waiting) == "closed"


def test_the_lists_say_over(d):
    c = d.client()
    there, here = pair(c)
    c.call("abort", sock=here)
    ends(c, there, *LOST)
    assert only(c.call("sockets")["sockets"], sock=there)["associations"] == 0


def test_a_connect_that_times_out_is_the_end_of_it(d):
    """The kernel takes a one-to-one socket's attempt back only by closing it."""
    c = d.client()
    sock = c.call("open", type="stream")["sock"]
    args = {"sock": sock, "addr": blackhole(), "port": 9}
    assert code(c, "connect", timeout=10, **args) == "timeout"
    assert recv(c, sock, "sctp_closed")["reason"] == OVER["reason"]
    assert code(c, "connect", **args) == code(c, "listen", sock=sock) == code(c, "recv", sock=sock) == "closed"
