# SPDX-License-Identifier: BSD-2-Clause
"""Long messages, many messages, and senders whose peers do not read."""
import random
import time

from check import (MORE, answer_code, answered, code, fill, nothing, recv, recv_data, refusal,
                   send, setopt)
from harness import associate
from rpc import RpcError

MIB = 1 << 20


def noise(n, seed=1):
    return random.Random(seed).randbytes(n)


def test_a_mebibyte_passively_and_actively(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    data = noise(MIB)
    send(c, here, here_id, data)
    assert recv_data(c, there) == data
    setopt(c, there, active=True)
    send(c, here, here_id, data)
    assert c.event("data")["data"] == data


def test_the_longest_message(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"sndbuf": 20 * MIB})
    data = noise(16 * MIB)
    send(c, here, here_id, data)
    assert recv_data(c, there) == data
    assert refusal(c, "send", sock=here, assoc_id=here_id, data=bytes(16 * MIB + 1)) == \
        "emsgsize: data: 16777217 bytes are more than max_message, 16777216"


def test_a_message_beyond_the_send_buffer_is_emsgsize(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"sndbuf": 100000})
    assert refusal(c, "send", sock=here, assoc_id=here_id, data=bytes(200001)) == \
        "emsgsize: data: 200001 bytes are more than the send buffer takes; set sndbuf"
    send(c, here, here_id, bytes(150000))
    assert recv_data(c, there) == bytes(150000)


def test_ten_thousand_messages_in_order_per_stream(d):
    c, reader = d.client(), d.client("reader")
    there, _, here, here_id = associate(c, to=reader)
    setopt(reader, there, active=True)
    choose, blob, sent = random.Random(7), noise(20000), {s: [] for s in range(10)}
    answers = []
    for batch in range(100):
        for _ in range(100):
            stream, n, at = choose.randrange(10), choose.randint(1, 9000), choose.randrange(10000)
            sent[stream].append(blob[at:at + n])
            answers.append(c.request("send", sock=here, assoc_id=here_id, stream=stream, data=sent[stream][-1]))
        for _ in range(100):
            e = reader.event("data")
            stream = e["sctp_sndrcvinfo"].get("stream", 0)
            assert e["data"] == sent[stream].pop(0)
    for i in answers:
        c.answer(i)
    assert not any(sent.values()) and reader.quiet()


def test_a_full_association_holds_up_no_other(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    other = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=other["sock"])
    other_id = c.call("connect", sock=here, addr="127.0.0.1", port=other["port"], timeout=10000)["assoc_id"]
    recv(c, other["sock"], "sctp_assoc_change")
    sent, waiting = fill(c, here, here_id)
    for i in range(100):
        send(c, here, other_id, b"%d" % i)
    assert [recv_data(c, other["sock"]) for _ in range(100)] == [b"%d" % i for i in range(100)]
    assert c.call("getstat", sock=here)["send_pend"] >= len(sent[-1]) and not answered(c, waiting[-1])
    assert [recv_data(c, there) for _ in sent] == sent
    for i in waiting:
        c.answer(i)
    assert c.call("getstat", sock=here)["send_pend"] == 0


def test_what_waits_fails_when_the_association_is_aborted(d):
    c = d.client()
    for abort_here in (True, False):
        there, there_id, here, here_id = associate(c)
        _, waiting = fill(c, here, here_id)
        setopt(c, here, active=True)
        if abort_here:
            c.call("abort", sock=here, assoc_id=here_id)
        else:
            c.call("abort", sock=there, assoc_id=there_id)
        assert answer_code(c, waiting[-1]) == "epipe"
        assert all(answered(c, i) for i in waiting[:-1])
        assert c.call("getstat", sock=here)["send_pend"] == 0
        assert c.event("sctp_assoc_change", sock=here)["state"] == "comm_lost"


def test_what_waits_as_a_notification_comes_back(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    fill(c, here, here_id)
    c.notify("send", sock=here, assoc_id=here_id, stream=2, data=b"waiting")
    c.call("abort", sock=here, assoc_id=here_id)
    e = c.event("sctp_send_failed")
    assert (e["data"], e["flags"], e["sock"]) == (b"waiting", False, here)


def test_eof_comes_after_what_waits(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent, waiting = fill(c, here, here_id)
    c.call("eof", sock=here, assoc_id=here_id)
    assert code(c, "send", sock=here, assoc_id=here_id, data=b"x") == "epipe"
    assert [recv_data(c, there) for _ in sent] == sent
    for i in waiting:
        c.answer(i)
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")


def test_the_end_of_a_client_whose_sends_wait_leaves_nothing(d):
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(other)
    sent, waiting = fill(c, here, here_id)
    c.close()
    while other.call("getstat", sock=here)["send_pend"]:
        pass
    next_ = other.request("send", sock=here, assoc_id=here_id, data=b"next")
    got = []
    while not got or got[-1] != b"next":
        got.append(recv_data(other, there))
    other.answer(next_)
    assert got[:-1] == sent[:len(got) - 1] and len(sent) - MORE <= len(got) - 1 < len(sent)
    assert nothing(other, there)


def test_the_end_of_the_owner_while_sends_of_another_wait(d):
    c, owner, reader = d.client(), d.client(), d.client("reader")
    there, _, here, here_id = associate(owner, to=reader)
    sent, waiting = fill(c, here, here_id)
    owner.close()
    assert [recv_data(reader, there) for _ in sent] == sent
    for i in waiting:
        c.answer(i)
    recv(reader, there, "sctp_shutdown_event")


def test_peeloff_while_sends_wait_keeps_them_in_order(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent, waiting = fill(c, here, here_id)
    peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
    pend = [c.call("getstat", sock=s)["send_pend"] for s in (here, peeled)]
    assert pend[0] == 0 and pend[1] >= len(sent[-1])
    last = c.request("send", sock=peeled, data=b"last")
    assert [recv_data(c, there) for _ in range(len(sent) + 1)] == sent + [b"last"]
    for i in waiting + [last]:
        c.answer(i)


def test_who_does_not_read_is_not_read_for(d):
    c, slow = d.client(), d.client("slow")
    there, _, here, here_id = associate(c, to=slow)
    setopt(slow, there, active=True)
    sent, waiting = fill(c, here, here_id)
    before = d.memory()
    c.call("status")
    assert d.memory() - before < MIB
    assert [slow.event("data")["data"] for _ in sent] == sent
    for i in waiting:
        c.answer(i)


def test_a_client_whose_messages_wait_beyond_its_limit_is_not_read(d):
    c, other = d.client("sender"), d.client()
    there, _, here, here_id = associate(other)
    fill(c, here, here_id)
    sent = 0
    c.sock.settimeout(0.5)
    try:
        while sent < 64 * MIB:
            c.request("send", sock=here, assoc_id=here_id, data=bytes(MIB))
            sent += MIB
    except TimeoutError:
        pass
    assert sent < 64 * MIB
    row = [r for r in other.call("clients")["clients"] if r["client"] == c.id][0]
    assert row["queued"] < 4 * MIB
    setopt(other, there, linger={"on": True, "seconds": 0})


def test_a_sender_on_an_accepted_socket_may_read_its_comm_up_while_it_waits(d):
    c = d.client()
    got = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=got["sock"])
    there = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=there, addr="127.0.0.1", port=got["port"], timeout=10000)
    here = c.call("accept", sock=got["sock"], timeout=10000)["accepted"]
    sent, waiting = fill(c, here, 0)
    recv(c, here, "sctp_assoc_change", state="comm_up")
    assert [recv_data(c, there) for _ in sent] == sent
    for i in waiting:
        c.answer(i)


# ---- how long a message waits, and how many --------------------------------


def test_send_timeout_gives_a_message_up(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    sent, waiting = fill(c, here, here_id)
    pend = c.call("getstat", sock=here)["send_pend"]
    setopt(c, here, send_timeout=50)
    begun = time.monotonic()
    last = c.request("send", sock=here, assoc_id=here_id, data=b"in vain")
    assert refusal_of(c, last) == f"timeout: assoc_id {here_id}: no room within send_timeout"
    assert time.monotonic() - begun >= 0.03  # timers are coarse
    assert c.call("getstat", sock=here)["send_pend"] <= pend
    setopt(c, here, send_timeout="infinity")
    after = c.request("send", sock=here, assoc_id=here_id, data=b"after")
    assert [recv_data(c, there) for _ in range(len(sent) + 1)] == sent + [b"after"]
    for i in waiting + [after]:
        c.answer(i)


def test_send_timeout_is_for_those_that_wait_alone(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"send_timeout": 0})
    send(c, here, here_id, b"x")
    assert recv_data(c, there) == b"x"
    while (got := c.request("send", sock=here, assoc_id=here_id, data=bytes(100000))):
        try:
            c.answer(got)
        except RpcError as e:
            assert e.code == "timeout"
            break
    assert c.call("getstat", sock=here)["send_pend"] == 0


def test_send_timeout_of_a_notification_gives_it_back(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    fill(c, here, here_id)
    setopt(c, here, send_timeout=50)
    c.notify("send", sock=here, assoc_id=here_id, data=b"in vain")
    e = c.event("sctp_send_failed")
    assert (e["data"], e["flags"]) == (b"in vain", False)


def refusal_of(c, msgid):
    try:
        return c.answer(msgid)
    except RpcError as e:
        return str(e)


HIGH, LOW, SIZE = 500000, 250000, 50000


def attempt(c, here, here_id, data=bytes(SIZE)):
    """A send with non_block_send: (was it taken, bytes that waited before and after it)."""
    before = c.call("getstat", sock=here)["send_pend"]
    request = c.request("send", sock=here, assoc_id=here_id, data=data)
    after = c.call("getstat", sock=here)["send_pend"]
    taken = not answered(c, request) or refusal_of(c, request) == {}
    return taken, before, after


def test_non_block_send_gives_eagain_between_the_watermarks(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={
        "non_block_send": True, "high_msgq_watermark": HIGH, "low_msgq_watermark": LOW})
    for _ in range(3):
        while (got := attempt(c, here, here_id))[0]:
            assert got[2] <= HIGH + SIZE, got
        assert got[1] > HIGH - SIZE and got[2] > LOW, got   # the stack takes some meanwhile
        while not (got := attempt(c, here, here_id))[0]:
            assert got[1] > LOW, got
            recv_data(c, there)
        assert got[2] <= LOW + SIZE, got


def test_without_it_all_wait(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"high_msgq_watermark": 1, "low_msgq_watermark": 1})
    fill(c, here, here_id)
    assert c.call("getstat", sock=here)["send_pend"] > 1
    setopt(c, here, non_block_send=True)
    text = refusal(c, "send", sock=here, assoc_id=here_id, data=b"x")
    assert text.startswith(f"eagain: assoc_id {here_id}: ") and text.endswith(" bytes wait for room already")


def test_the_watermarks_are_of_one_association(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"non_block_send": True})
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    other = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=10000)["assoc_id"]
    recv(c, there["sock"], "sctp_assoc_change")
    while attempt(c, here, here_id)[0]:
        pass
    for i in range(20):
        send(c, here, other, b"%d" % i)
    assert [recv_data(c, there["sock"]) for _ in range(20)] == [b"%d" % i for i in range(20)]


def test_eof_goes_through_when_send_gives_eagain(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"non_block_send": True})
    n = 0
    while attempt(c, here, here_id)[0]:
        n += 1
    c.call("eof", sock=here, assoc_id=here_id)
    assert code(c, "send", sock=here, assoc_id=here_id, data=b"x") == "epipe"
    assert [len(recv_data(c, there)) for _ in range(n)] == [SIZE] * n
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")


def test_abort_goes_through_when_send_gives_eagain(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"non_block_send": True})
    other = d.client()
    while attempt(c, here, here_id)[0]:
        pass
    other.call("abort", sock=here, assoc_id=here_id, reason=b"enough")
    while (e := recv(c, there))["event"] == "data":
        pass
    assert (e["state"], e["error"]) == ("comm_lost", 12) and e["info"].endswith(b"enough")


def test_eagain_of_a_notification_gives_it_back(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"non_block_send": True})
    while c.quiet():    # the peer may take some at any moment, then there is room again
        while attempt(c, here, here_id)[0]:
            pass
        c.notify("send", sock=here, assoc_id=here_id, data=b"too much")
    e = c.event("sctp_send_failed")
    assert (e["data"], e["flags"]) == (b"too much", False)
