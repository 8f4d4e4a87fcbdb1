# SPDX-License-Identifier: BSD-2-Clause
"""A peer that takes nothing stops what is sent to it, and nothing else."""
from check import code, fill, option, recv, recv_data, send, setopt
from harness import associate
from rpc import RpcError

CONFIG = {"queue_time": 1000}


def beside(c, **options):
    """Another association of a socket that has a stalled one: (socket, its id,
    who reads the other, the other's id)."""
    _, _, here, here_id = associate(c, options=options)
    other = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=other["sock"])
    other_id = c.call("connect", sock=here, addr="127.0.0.1", port=other["port"], timeout=10000)["assoc_id"]
    recv(c, other["sock"], "sctp_assoc_change")
    return here, here_id, other["sock"], other_id


def goes_on(c, here, here_id, other, other_id):
    send(c, here, other_id, b"on")
    assert recv_data(c, other) == b"on"
    assert option(c, here, "sctp_nodelay") in (True, False)
    c.call("abort", sock=here, assoc_id=here_id)
    send(c, here, other_id, b"and on")
    assert recv_data(c, other) == b"and on"
    c.call("close", sock=here)


def stalled(c, n, size, say):
    where = beside(c)
    fill(c, *where[:2])
    for _ in range(n):
        say("send", sock=where[0], assoc_id=where[1], data=bytes(size))
    return where


def test_many_sends_that_wait_stop_nothing_else(d):
    c = d.client()
    goes_on(c, *stalled(c, 1500, 1000, c.request))


def test_nor_do_a_few_large_ones(d):
    c = d.client()
    goes_on(c, *stalled(c, 8, 150000, c.request))


def test_nor_do_notifications(d):
    c = d.client()
    goes_on(c, *stalled(c, 1500, 1000, c.notify))


def test_close_alone_ends_it(d):
    c = d.client()
    where = stalled(c, 1500, 1000, c.request)
    setopt(c, where[0], linger={"on": True, "seconds": 0})
    c.call("close", sock=where[0])


def test_more_than_association_queue_is_refused_after_a_while(d):
    c = d.client()
    where = beside(c)
    fill(c, *where[:2])
    ids = [c.request("send", sock=where[0], assoc_id=where[1], data=bytes(100000)) for _ in range(80)]
    try:
        c.answer(ids[-1])
        raise AssertionError("8 MB wait")
    except RpcError as e:
        assert e.code == "eagain" and "association_queue" in str(e), e
    waiting = c.call("getstat", sock=where[0])["send_pend"]
    assert 2 << 20 < waiting < 5 << 20, waiting
    c.notify("send", sock=where[0], assoc_id=where[1], data=b"in vain")
    assert c.event("sctp_send_failed")["data"] == b"in vain"
    goes_on(c, *where)


def test_when_the_peer_reads_again_all_that_waits_arrives(d):
    c, reader = d.client(), d.client()
    there, _, here, here_id = associate(c, to=reader)
    sent, ids = fill(c, here, here_id)
    for i in range(1500):
        sent.append(i.to_bytes(4, "big") * 250)
        ids.append(c.request("send", sock=here, assoc_id=here_id, data=sent[-1]))
    assert c.call("getstat", sock=here)["send_pend"] >= 1500000
    setopt(reader, there, active=True)
    for data in sent:
        assert reader.event("data")["data"] == data
    for i in ids:
        c.answer(i)


# ---- non_block_send ------------------------------------------------------------


def test_non_block_send_gives_eagain_to_one_that_waits_for_each_answer(d):
    """What finds no room is taken up to the watermark and answered at once, and arrives."""
    c = d.client()
    there, _, here, here_id = associate(c, options={"non_block_send": True, "high_msgq_watermark": 30000})
    sent = []
    while True:
        data = len(sent).to_bytes(4, "big") * 2500
        try:
            c.call("send", sock=here, assoc_id=here_id, data=data)
        except RpcError as e:
            assert e.code == "eagain", e
            break
        sent.append(data)
    assert c.call("getstat", sock=here)["send_pend"] <= 40000
    assert [recv_data(c, there) for _ in sent] == sent
    send(c, here, here_id, b"room again")
    assert recv_data(c, there) == b"room again"


def test_what_was_answered_early_comes_back_when_it_cannot_be_sent(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"non_block_send": True, "high_msgq_watermark": 300000})
    setopt(c, here, active=True)
    while (waiting := c.call("getstat", sock=here)["send_pend"]) <= 300000:
        c.call("send", sock=here, assoc_id=here_id, data=bytes(100000))
    assert code(c, "send", sock=here, assoc_id=here_id, data=bytes(100000)) == "eagain"
    c.call("abort", sock=here, assoc_id=here_id)
    while waiting > 0:
        waiting -= len(c.event("sctp_send_failed")["data"])
