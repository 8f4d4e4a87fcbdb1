# SPDX-License-Identifier: BSD-2-Clause
"""listen, accept and peeloff."""
from check import (WAIT_MS, answer_code, code, nothing, only, option, recv, recv_data, refusal,
                   send, setopt)
from harness import associate


def connect(c, port, **args):
    here = c.call("open", ip="127.0.0.1", **args)["sock"]
    return here, c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)["assoc_id"]


def stream_listener(c, **args):
    got = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=got["sock"], **args)
    return got["sock"], got["port"]


def listens(c, sock):
    return only(c.call("sockets")["sockets"], sock=sock)["listening"]


def refused(c, port):
    here = c.call("open", ip="127.0.0.1")["sock"]
    return code(c, "connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS) == "cant_assoc"


def test_who_does_not_listen_is_not_associated_with(d):
    c = d.client()
    got = c.call("open", ip="127.0.0.1")
    assert refused(c, got["port"]) and not listens(c, got["sock"])
    c.call("listen", sock=got["sock"])
    connect(c, got["port"])
    assert listens(c, got["sock"])


def test_listening_ends_and_begins_again_and_associations_stay(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    port = c.call("sockname", sock=there)["port"]
    for backlog in (False, 0):
        c.call("listen", sock=there, backlog=backlog)
        assert refused(c, port) and not listens(c, there)
    send(c, here, here_id, b"still")
    assert recv_data(c, there) == b"still"
    c.call("listen", sock=there, backlog=True)
    connect(c, port)
    recv(c, there, "sctp_assoc_change", state="comm_up")


def test_closing_what_was_accepted_leaves_its_port_to_the_listener(d):
    c = d.client()
    sock, port = stream_listener(c)
    for _ in range(2):
        connect(c, port)
        accepted = c.call("accept", sock=sock, timeout=WAIT_MS)["accepted"]
        c.call("close", sock=accepted)
        assert listens(c, sock)
        assert code(c, "open", ip="127.0.0.1", port=port, type="stream") == "eaddrinuse"


def test_a_backlog_is_a_number_too(d):
    c = d.client()
    sock = c.call("open", type="stream")["sock"]
    for backlog in (1, 65535, 65536, 2 ** 31 - 1):
        c.call("listen", sock=sock, backlog=backlog)
        assert listens(c, sock)
    c.call("listen", sock=sock, backlog=0)
    assert not listens(c, sock)


def test_accept_takes_one_association_as_a_socket(d):
    c = d.client()
    there, port = stream_listener(c)
    here, _ = connect(c, port)
    got = c.call("accept", sock=there, timeout=WAIT_MS)
    assert got["from"] == {"addr": "127.0.0.1", "port": c.call("sockname", sock=here)["port"]}
    row = only(c.call("assocs")["assocs"], sock=got["accepted"])
    assert (row["assoc_id"], row["state"]) == (got["assoc_id"], "up")
    assert (row["outbound_streams"], row["inbound_streams"]) == (10, 10)
    row = only(c.call("sockets")["sockets"], sock=got["accepted"])
    assert (row["type"], row["active"], row["port"]) == ("stream", False, port)


def test_accept_waits_and_its_caller_is_the_owner(d):
    c, other = d.client(), d.client("other")
    there, port = stream_listener(c)
    waiting = other.request("accept", sock=there)
    other.call("status")
    connect(c, port)
    accepted = other.answer(waiting)["accepted"]
    assert only(c.call("sockets")["sockets"], sock=accepted)["owner"] == other.id


def test_accept_times_out(d):
    c = d.client()
    there, _ = stream_listener(c)
    assert refusal(c, "accept", sock=there, timeout=5) == f"timeout: sock {there}: nothing arrived in time"
    assert code(c, "accept", sock=there, timeout=0) == "timeout"


def test_accept_ends_when_its_socket_listens_no_more(d):
    """What comes of it as one that connects is another's."""
    c, other = d.client(), d.client("other")
    there, _ = stream_listener(c)
    waiting = other.request("accept", sock=there)
    other.call("status")
    c.call("listen", sock=there, backlog=False)
    assert answer_code(other, waiting) == "einval"
    assert code(c, "accept", sock=there) == "einval"


def test_accept_is_for_listening_stream_sockets(d):
    c = d.client()
    text = "einval: sock {0}: only a listening stream socket accepts"
    for args in ({}, {"type": "stream"}):
        sock = c.call("open", **args)["sock"]
        assert refusal(c, "accept", sock=sock) == text.format(sock)


def test_an_active_listener_is_sent_accept(d):
    c = d.client()
    there, port = stream_listener(c)
    setopt(c, there, active=True)
    here, here_id = connect(c, port)
    e = c.event("accept", sock=there)
    recv(c, e["accepted"], "sctp_assoc_change", state="comm_up", assoc_id=e["assoc_id"])
    send(c, here, here_id, b"hello")
    assert recv_data(c, e["accepted"]) == b"hello"
    assert option(c, e["accepted"], "active") is False


def test_closing_a_listener_keeps_what_was_accepted(d):
    c = d.client()
    there, port = stream_listener(c)
    here, here_id = connect(c, port)
    accepted = c.call("accept", sock=there, timeout=WAIT_MS)["accepted"]
    c.call("close", sock=there)
    recv(c, accepted, "sctp_assoc_change", state="comm_up")
    send(c, here, here_id, b"still")
    assert recv_data(c, accepted) == b"still"


def test_peeloff_keeps_the_id_and_both_directions(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    row = only(c.call("assocs")["assocs"], sock=peeled)
    assert row["assoc_id"] == there_id
    send(c, here, here_id, b"in")
    assert recv(c, peeled, "data")["sctp_sndrcvinfo"]["assoc_id"] == there_id
    send(c, peeled, there_id, b"out")
    assert recv_data(c, here) == b"out"


def test_what_waits_moves_along_in_order(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    far, far_id = connect(c, c.call("sockname", sock=there)["port"])
    for i in range(20):
        send(c, here, here_id, b"%d" % i)
    send(c, far, far_id, b"not moved")
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert [recv_data(c, peeled) for _ in range(20)] == [b"%d" % i for i in range(20)]
    recv(c, there, "sctp_assoc_change", state="comm_up")
    assert recv_data(c, there) == b"not moved" and nothing(c, there)


def test_an_event_that_waits_moves_along(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    connect(c, there["port"])
    row = only(c.call("assocs")["assocs"], sock=there["sock"])
    peeled = c.call("peeloff", sock=there["sock"], assoc_id=row["assoc_id"])["sock"]
    recv(c, peeled, "sctp_assoc_change", state="comm_up")
    assert nothing(c, there["sock"])


def test_a_peeled_socket_inherits_options_but_not_active(d):
    c = d.client()
    there, there_id, _, _ = associate(c)
    setopt(c, there, sctp_nodelay=False, sctp_events={"address_event": False}, active=True, priority=3)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert option(c, peeled, "sctp_nodelay") is False
    assert option(c, peeled, "sctp_events")["address_event"] is False
    assert option(c, peeled, "active") is False and option(c, peeled, "priority") == 3


def test_its_owner_is_the_caller(d):
    c, other = d.client(), d.client("other")
    there, there_id, _, _ = associate(c)
    peeled = other.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert only(c.call("sockets")["sockets"], sock=peeled)["owner"] == other.id


def test_the_parent_has_it_no_more(d):
    c = d.client()
    there, there_id, _, _ = associate(c)
    c.call("peeloff", sock=there, assoc_id=there_id)
    assert code(c, "send", sock=there, assoc_id=there_id, data=b"x") == "epipe"
    text = f"einval: assoc_id {there_id}: sock {there} has no such association"
    assert refusal(c, "peeloff", sock=there, assoc_id=there_id) == text


def test_a_peeled_socket_is_one_to_one(d):
    c = d.client()
    there, there_id, here, _ = associate(c)
    port = c.call("sockname", sock=here)["port"]
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert c.call("peername", sock=peeled) == {"addr": "127.0.0.1", "port": port}
    assert c.call("peernames", sock=peeled)["addresses"] == [{"addr": "127.0.0.1", "port": port}]
    assert c.call("sockname", sock=peeled) == c.call("sockname", sock=there)
    assert code(c, "listen", sock=peeled) == "einval"
    assert code(c, "peeloff", sock=peeled, assoc_id=there_id) == "einval"
    assert code(c, "connect", sock=peeled, addr="127.0.0.1", port=port) == "eisconn"


def test_a_peeled_socket_outlives_its_parent(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    c.call("close", sock=there)
    send(c, here, here_id, b"still")
    assert recv_data(c, peeled) == b"still"


def test_the_end_of_a_peeled_association_is_told(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, peeled, "sctp_shutdown_event")
    recv(c, peeled, "sctp_assoc_change", state="shutdown_comp")
    recv(c, peeled, "sctp_closed", reason="the association is over")
    assert code(c, "recv", sock=peeled) == "closed"


def test_eof_and_abort_work_on_a_peeled_socket(d):
    c = d.client()
    (there, a, here, _), (there2, b, here2, _) = associate(c), associate(c)
    peeled = c.call("peeloff", sock=there, assoc_id=a)["sock"]
    c.call("eof", sock=peeled)
    recv(c, here, "sctp_shutdown_event")
    peeled = c.call("peeloff", sock=there2, assoc_id=b)["sock"]
    c.call("abort", sock=peeled, reason=b"enough")
    assert b"enough" in recv(c, here2, "sctp_assoc_change", state="comm_lost")["info"]


def test_a_recv_that_waits_on_the_parent_stays_there(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    waiting = c.request("recv", sock=there)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    send(c, here, here_id, b"for the child")
    assert recv_data(c, peeled) == b"for the child"
    c.call("close", sock=there)
    assert answer_code(c, waiting) == "closed"


def test_an_accepted_socket_has_its_buffers_once(d):
    c = d.client()
    there, port = stream_listener(c)
    connect(c, port)
    accepted = c.call("accept", sock=there, timeout=WAIT_MS)["accepted"]
    before = option(c, accepted, "recbuf")
    recv(c, accepted, "sctp_assoc_change", state="comm_up")
    assert option(c, accepted, "recbuf") == before


def test_a_stream_listener_may_pause_too(d):
    c = d.client()
    there, port = stream_listener(c)
    connect(c, port)
    c.call("accept", sock=there, timeout=WAIT_MS)
    c.call("listen", sock=there, backlog=False)
    assert refused(c, port)
    c.call("listen", sock=there, backlog=True)
    connect(c, port)
    c.call("accept", sock=there, timeout=WAIT_MS)


def test_so_may_one_whose_associations_were_peeled_off(d):
    c = d.client()
    there, there_id, _, _ = associate(c)
    c.call("peeloff", sock=there, assoc_id=there_id)
    c.call("listen", sock=there, backlog=False)
    c.call("listen", sock=there)
    connect(c, c.call("sockname", sock=there)["port"])
    recv(c, there, "sctp_assoc_change", state="comm_up")


def test_two_listeners_on_one_port_are_still_refused(d):
    c = d.client()
    reuse = {"reuseaddr": True}
    got = c.call("open", ip="127.0.0.1", options=reuse)
    other = c.call("open", ip="127.0.0.1", port=got["port"], options=reuse)["sock"]
    c.call("listen", sock=got["sock"])
    assert refusal(c, "listen", sock=other) == f"eaddrinuse: port {got['port']}: another socket listens on it"
