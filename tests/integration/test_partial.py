# SPDX-License-Identifier: BSD-2-Clause
"""Messages larger than the receiver's window: they come in pieces, which the
daemon puts together, and may end in the middle."""
import random

from check import recv, setopt
from harness import SLOW, wait_for
from hosts import LEFT, RIGHT, Hosts
from rpc import WAIT

start = Hosts

LONG = random.Random(1).randbytes(2 << 20)
TIME = WAIT * SLOW * 1000


def pair(h, recbuf=20000, sender=None, **args):
    """A receiver at the left with a small window, and a sender at the right:
    (client, socket, assoc_id) of both."""
    c, s = h.left.client(), h.right.client()
    there = c.call("open", ip=LEFT[0], options={"recbuf": recbuf})
    c.call("listen", sock=there["sock"])
    here = s.call("open", ip=RIGHT[0], options={"sndbuf": 6 << 20, **(sender or {})}, **args)["sock"]
    up = s.call("connect", sock=here, addr=LEFT[0], port=there["port"], timeout=TIME)
    peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    return (c, there["sock"], peer["assoc_id"]), (s, here, up["assoc_id"])


def send(side, data, **args):
    c, sock, assoc_id = side
    c.call("send", sock=sock, assoc_id=assoc_id, data=data, **args)


def takes(side):
    c, sock, _ = side
    return c.call("recv", sock=sock, timeout=TIME)


def told(side, event, **want):
    got = takes(side)
    assert got["event"] == event, {**got, "data": len(got.get("data", b""))}
    assert all(got.get(k) == v for k, v in want.items()), got
    return got


def queue(daemon, assoc_id, name):
    """What the kernel says of an association's TX_QUEUE or RX_QUEUE; None: it is no more."""
    head, *rows = [line.split() for line in daemon.kernel("assocs").splitlines()]
    for row in rows:
        if row[head.index("ASSOC-ID")] == str(assoc_id):
            return int(row[head.index(name)])
    return None


def chunks(daemon):
    """Of messages, that the kernel has received."""
    rows = dict(line.split() for line in daemon.kernel("snmp").splitlines())
    return int(rows["SctpInOrderChunks"])


def near(h):
    """A pair at the left alone: over lo, whose packets are larger than the
    window, a long message takes many seconds."""
    c, s = h.left.client(), h.left.client()
    there = c.call("open", ip="127.0.0.1", options={"recbuf": 20000})
    c.call("listen", sock=there["sock"])
    here = s.call("open", ip="127.0.0.1", options={"sndbuf": 6 << 20})["sock"]
    up = s.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=TIME)
    peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    return (c, there["sock"], peer["assoc_id"]), (s, here, up["assoc_id"])


def begun(h):
    """Such a pair, and a recv that waits for a long message of which some has
    been read."""
    receiver, sender = near(h)
    c, sock, _ = receiver
    waiting = c.request("recv", sock=sock, timeout=TIME)
    before = chunks(h.left)
    send(sender, LONG)
    wait_for(lambda: chunks(h.left) >= before + 3)
    c.call("status")
    assert waiting not in c.answers
    return receiver, sender, waiting


# ---- whole -----------------------------------------------------------------


def test_it_arrives_whole(h):
    for recbuf in 4096, 20000, 65536, 200000:
        receiver, sender = pair(h, recbuf)
        send(sender, LONG)
        c, sock, assoc_id = sender
        following = c.request("send", sock=sock, assoc_id=assoc_id, data=b"next")   # it may have to wait for room
        assert told(receiver, "data")["data"] == LONG
        assert told(receiver, "data")["data"] == b"next"
        c.answer(following)


def test_it_arrives_whole_in_active_mode(h):
    receiver, sender = pair(h)
    c, sock, _ = receiver
    setopt(c, sock, active=2)
    send(sender, LONG)
    send(sender, b"next")
    send(sender, b"later")
    assert c.event("data")["data"] == LONG
    assert c.event("data")["data"] == b"next"
    c.event("sctp_passive")
    assert told(receiver, "data")["data"] == b"later"


def test_it_arrives_whole_on_a_stream_socket(h):
    c, s = h.left.client(), h.right.client()
    there = c.call("open", ip=LEFT[0], type="stream", options={"recbuf": 20000})
    c.call("listen", sock=there["sock"])
    here = s.call("open", ip=RIGHT[0], type="stream", options={"sndbuf": 6 << 20})["sock"]
    s.call("connect", sock=here, addr=LEFT[0], port=there["port"], timeout=TIME)
    got = c.call("accept", sock=there["sock"], timeout=TIME)["accepted"]
    recv(c, got, "sctp_assoc_change", state="comm_up")
    s.call("send", sock=here, data=LONG)
    s.call("send", sock=here, data=b"next")
    for data in LONG, b"next":
        assert c.call("recv", sock=got, timeout=TIME)["data"] == data


def test_several_on_several_streams_and_unordered(h):
    receiver, sender = pair(h, 65536)
    sent = [LONG[i << 19:(i + 1) << 19] for i in range(4)]
    for i, data in enumerate(sent[:3]):
        send(sender, data, stream=i)
    s, here, here_id = sender
    s.call("send", sock=here, data=sent[3], sctp_sndrcvinfo={"assoc_id": here_id, "flags": ["unordered"], "ppid": 9})
    got = [told(receiver, "data") for _ in sent]
    assert sorted(e["data"] for e in got) == sorted(sent)
    whole = [e for e in got if e["data"] == sent[3]][0]["sctp_sndrcvinfo"]
    assert whole["flags"] == ["unordered"] and whole["ppid"] == 9


def test_others_messages_come_between_its_pieces(h):
    receiver, sender, waiting = begun(h)
    c, sock, _ = receiver
    far = h.left.client()
    other = far.call("open", ip="127.0.0.2")["sock"]
    port = c.call("sockname", sock=sock)["port"]
    other_id = far.call("connect", sock=other, addr="127.0.0.1", port=port, timeout=TIME)["assoc_id"]
    assert c.answer(waiting)["state"] == "comm_up"
    far.call("send", sock=other, assoc_id=other_id, data=b"quick")
    assert told(receiver, "data")["data"] == b"quick"
    s, here, here_id = sender
    s.call("abort", sock=here, assoc_id=here_id)
    aborted(receiver, None)


def test_two_long_ones_of_two_peers_are_not_mixed(h):
    receiver, sender = pair(h)
    c, sock, _ = receiver
    s = sender[0]
    other = s.call("open", ip=RIGHT[0], options={"sndbuf": 6 << 20})["sock"]
    port = c.call("sockname", sock=sock)["port"]
    other_id = s.call("connect", sock=other, addr=LEFT[0], port=port, timeout=TIME)["assoc_id"]
    told(receiver, "sctp_assoc_change")
    send(sender, LONG)
    send((s, other, other_id), LONG[::-1])
    assert {told(receiver, "data")["data"] for _ in range(2)} == {LONG, LONG[::-1]}


def test_the_senders_process_may_be_killed(h):
    """The kernel sends the rest in its name."""
    receiver, sender = pair(h)
    send(sender, LONG)
    h.restart_right()
    assert told(receiver, "data")["data"] == LONG
    told(receiver, "sctp_shutdown_event")
    told(receiver, "sctp_assoc_change", state="shutdown_comp")


# ---- ended in the middle ---------------------------------------------------


def again(h, receiver):
    """What comes next from a peer is intact."""
    c, sock, _ = receiver
    name = c.call("sockname", sock=sock)
    s, ip = (h.left.client(), "127.0.0.1") if name["addr"] == "127.0.0.1" else (h.right.client(), RIGHT[0])
    here = s.call("open", ip=ip, options={"sndbuf": 6 << 20})["sock"]
    here_id = s.call("connect", sock=here, addr=name["addr"], port=name["port"], timeout=TIME)["assoc_id"]
    told(receiver, "sctp_assoc_change", state="comm_up")
    for data in b"short", LONG[::-1][:100000]:
        send((s, here, here_id), data)
        assert told(receiver, "data")["data"] == data


def aborted(receiver, waiting):
    """A recv that waited for it, or the next one, is told of its end."""
    c, sock, assoc_id = receiver
    got = c.answer(waiting) if waiting else takes(receiver)
    assert (got["event"], got["indication"], got["assoc_id"]) == (
        "sctp_pdapi_event", "partial_delivery_aborted", assoc_id), got
    assert "data" not in got


def test_the_sender_aborts(h):
    receiver, sender, waiting = begun(h)
    s, here, here_id = sender
    s.call("abort", sock=here, assoc_id=here_id, reason=b"enough")
    aborted(receiver, waiting)
    lost = told(receiver, "sctp_assoc_change", state="comm_lost", error=12)
    assert lost["info"].endswith(b"enough")
    again(h, receiver)
    told(sender, "sctp_assoc_change", state="comm_lost", error=12)
    # What was acknowledged does not come back; that may be nothing yet.
    back = told(sender, "sctp_send_failed", flags=True, error=12)
    assert back["data"] and LONG.endswith(back["data"])


def ended_unread(receiver):
    """The kernel says sctp_pdapi_event only if a piece was in the socket's
    queue already; in no case is there data."""
    got = takes(receiver)
    if got["event"] == "sctp_pdapi_event":
        got = takes(receiver)
    assert (got["event"], got["state"], got["assoc_id"]) == ("sctp_assoc_change", "comm_lost", receiver[2]), got


def test_the_sender_aborts_while_nobody_reads(h):
    receiver, sender = pair(h)
    send(sender, b"before")
    send(sender, LONG)
    assert told(receiver, "data")["data"] == b"before"
    wait_for(lambda: queue(h.left, receiver[2], "RX_QUEUE") > 20000)
    s, here, here_id = sender
    s.call("abort", sock=here, assoc_id=here_id)
    ended_unread(receiver)
    again(h, receiver)


def test_in_active_mode(h):
    receiver, sender, waiting = begun(h)
    c, sock, assoc_id = receiver
    s, here, here_id = sender
    setopt(c, sock, active=True)
    s.call("abort", sock=here, assoc_id=here_id)
    aborted(receiver, waiting)      # which had waited before
    assert c.event()[0] == "sctp_assoc_change"


def test_unwanted_the_event_does_not_come_and_the_pieces_go(h):
    receiver, sender, waiting = begun(h)
    c, sock, _ = receiver
    setopt(c, sock, sctp_events={"partial_delivery_event": False})
    s, here, here_id = sender
    s.call("abort", sock=here, assoc_id=here_id)
    got = c.answer(waiting)
    assert (got["event"], got["state"]) == ("sctp_assoc_change", "comm_lost")
    again(h, receiver)


def test_the_receiver_aborts(h):
    receiver, sender, waiting = begun(h)
    c, sock, assoc_id = receiver
    c.call("abort", sock=sock, assoc_id=assoc_id)
    got = c.answer(waiting)
    if got["event"] == "sctp_pdapi_event":
        got = takes(receiver)
    assert (got["event"], got["state"]) == ("sctp_assoc_change", "comm_lost"), got
    again(h, receiver)
