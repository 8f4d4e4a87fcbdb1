# SPDX-License-Identifier: BSD-2-Clause
"""What getstat counts, and what it does not."""
from check import code, fill, recv, recv_data, send, setopt
from harness import associate

NOTHING = {"recv_cnt": 0, "recv_oct": 0, "recv_max": 0, "recv_avg": 0,
           "send_cnt": 0, "send_oct": 0, "send_max": 0, "send_avg": 0, "send_pend": 0}


def stat(c, sock, *names):
    got = c.call("getstat", sock=sock)
    return tuple(got[n] for n in names) if names else got


def test_a_new_socket_has_counted_nothing(d):
    c = d.client()
    assert stat(c, c.call("open")["sock"]) == NOTHING
    assert stat(c, c.call("open", type="stream")["sock"]) == NOTHING


def test_events_and_set_ups_do_not_count(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change")
    assert stat(c, there) == stat(c, here) == NOTHING


def test_a_message_of_many_fragments_counts_once(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"sctp_maxseg": {"assoc_value": 600}})
    send(c, here, here_id, bytes(100000))
    recv_data(c, there)
    assert stat(c, here, "send_cnt", "send_oct", "send_max", "send_avg") == (1, 100000, 100000, 100000)
    assert stat(c, there, "recv_cnt", "recv_oct", "recv_max", "recv_avg") == (1, 100000, 100000, 100000)


def test_a_send_that_is_refused_does_not_count(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"sndbuf": 10000})
    for args in ({"data": b""}, {"data": bytes(50000)}, {"data": b"x", "stream": 99}):
        code(c, "send", sock=here, assoc_id=here_id, **args)
    assert stat(c, here) == NOTHING


def test_what_waits_is_counted_once_it_is_sent(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent, ids = fill(c, here, here_id)
    got = stat(c, here)
    assert got["send_pend"] % 100000 == 0 and got["send_pend"] > 0
    assert got["send_cnt"] == len(sent) - got["send_pend"] // 100000
    for _ in sent:
        recv_data(c, there)
    for i in ids:
        c.answer(i)
    assert stat(c, here, "send_cnt", "send_pend") == (len(sent), 0)


def test_all_associations_of_a_socket_count_together(d):
    c = d.client()
    ids = associate(c, 3)
    there = ids[0][0]
    for n, (_, there_id, here, here_id) in enumerate(ids, 1):
        send(c, here, here_id, bytes(n * 10))
        send(c, there, there_id, bytes(n))
    for _ in ids:
        recv_data(c, there)
    assert stat(c, there, "recv_cnt", "recv_oct", "recv_max", "recv_avg") == (3, 60, 30, 20)
    assert stat(c, there, "send_cnt", "send_oct", "send_max", "send_avg") == (3, 6, 3, 2)


def test_a_peeled_socket_counts_from_zero(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    send(c, here, here_id, b"before")
    recv_data(c, there)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert stat(c, peeled) == NOTHING
    send(c, here, here_id, b"after!")
    recv_data(c, peeled)
    assert stat(c, peeled, "recv_cnt") == stat(c, there, "recv_cnt") == (1,)


def test_active_and_passive_count_alike(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, there, active=True)
    for n in (1, 2, 3):
        send(c, here, here_id, bytes(n))
        c.event("data")
    assert stat(c, there, "recv_cnt", "recv_oct", "recv_max", "recv_avg") == (3, 6, 3, 2)


def test_the_list_of_sockets_has_the_counters_too(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    send(c, here, here_id, b"x")
    recv_data(c, there)
    rows = {r["sock"]: r for r in c.call("sockets")["sockets"]}
    assert (rows[here]["send_cnt"], rows[here]["recv_cnt"]) == (1, 0)
    assert (rows[there]["send_cnt"], rows[there]["recv_cnt"]) == (0, 1)


def test_any_client_of_the_user_may_ask(d):
    c, other = d.client(), d.client()
    assert stat(other, c.call("open")["sock"]) == NOTHING
