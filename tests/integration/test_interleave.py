# SPDX-License-Identifier: BSD-2-Clause
"""I-DATA (RFC 8260): long messages of several streams come in turns, and are
put together each for itself."""
import random
import time

from capture import DATA, I_DATA, Capture, inside
from check import allow_interleaving, code, option, recv, refusal, setopt
from harness import SLOW
from hosts import LEFT, RIGHT, Hosts, networks
from rpc import WAIT

TIME = WAIT * SLOW * 1000
OFFER = {"sctp_fragment_interleave": 2, "sctp_interleaving_supported": {"assoc_value": 1}}
# Where packets are captured, segmentation offload and delayed SACKs make a long message take seconds.
EAGER = {"sctp_delayed_sack": {"freq": 1, "delay": 10}}
LONG = [random.Random(n).randbytes(300000 + n) for n in range(8)]


class start(Hosts):
    """The sysctl is off by default."""

    def __init__(self, **config):
        super().__init__(**config)
        for side in "left", "right":
            with inside(side):
                allow_interleaving()


def pair(h, receiver=OFFER, sender=OFFER, **args):
    """A receiver at the left and a sender at the right: (client, socket, assoc_id) of both."""
    c, s = h.left.client(), h.right.client()
    there = c.call("open", ip=LEFT[0], options=receiver)
    c.call("listen", sock=there["sock"])
    here = s.call("open", ip=RIGHT[0], options={"sndbuf": 6 << 20, **sender}, **args)["sock"]
    up = s.call("connect", sock=here, addr=LEFT[0], port=there["port"], timeout=TIME)["assoc_id"]
    peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")["assoc_id"]
    return (c, there["sock"], peer), (s, here, up)


def send_all(side, messages):
    """Each (stream, data, other parameters), at once."""
    s, sock, assoc_id = side
    return s.requests("send", [
        {"sock": sock, "data": data, "sctp_sndrcvinfo": {"assoc_id": assoc_id, "stream": stream, **more}}
        for stream, data, more in messages])


def received(side, n):
    """So many messages, as (stream, ppid, flags, data)."""
    c, sock, _ = side
    got = []
    for _ in range(n):
        e = c.call("recv", sock=sock, timeout=TIME)
        assert e["event"] == "data", e
        info = e["sctp_sndrcvinfo"]
        got.append((info.get("stream", 0), info.get("ppid", 0), info.get("flags", []), e["data"]))
    return got


def test_long_messages_of_many_streams_are_told_apart(h):
    """They come piece by piece, ordered and unordered ones of the same streams in turns."""
    receiver, sender = pair(h, {**OFFER, "recbuf": 100000, "sctp_partial_delivery_point": 3000, **EAGER},
                            {**OFFER, "sctp_stream_scheduler": {"assoc_value": "rr"}})
    sent = [(n % 4, data, {"ppid": 40 + n, "flags": ["unordered"] if n > 3 else []}) for n, data in enumerate(LONG)]
    with Capture("left") as capture:
        ids = send_all(sender, sent)
        got = received(receiver, len(sent))
    for i in ids:
        sender[0].answer(i)
    assert sorted(got) == sorted((stream, more["ppid"], more["flags"], data) for stream, data, more in sent)
    assert capture.count(I_DATA) > 100 and capture.count(DATA) == 0


def delay(h, options, stream_values):
    """Of ten bytes behind 400 kB on another stream, in ms."""
    receiver, sender = pair(h, options, options)
    s, sock, assoc_id = sender
    for stream, value in stream_values:
        setopt(s, sock, sctp_stream_scheduler_value={"assoc_id": assoc_id, "stream_id": stream, "stream_value": value})
    c, there, _ = receiver
    setopt(c, there, active=True)
    ids = send_all(sender, [(0, b"b" * 400000, {}), (1, b"u" * 10, {})])
    began = time.monotonic()
    while (e := c.event("data"))["data"] != b"u" * 10:
        pass
    took = time.monotonic() - began
    for i in ids:
        s.answer(i)
    if stream_values:
        assert len(c.event("data")["data"]) == 400000
    return 1000 * took


def test_an_urgent_message_overtakes_a_long_one(h):
    try:
        networks("netem", "1", "rate", "20mbit")
        without = delay(h, {}, [])
        with_it = delay(h, {**OFFER, "sctp_stream_scheduler": {"assoc_value": "prio"}}, [(0, 1), (1, 0)])
    finally:
        networks("netem", "1")
    print(f"        {without:.0f} ms without I-DATA, {with_it:.0f} ms with it", flush=True)
    assert with_it * 4 <= without, (with_it, without)


def test_without_it_a_descriptor_does_not_interleave(h):
    """Whoever of the two does not offer it: messages come whole and in order."""
    for mine, theirs in (OFFER, {}), ({}, OFFER), ({"sctp_fragment_interleave": 1}, {}):
        receiver, sender = pair(h, {**mine, "recbuf": 20000}, theirs)
        c, sock, peer = receiver
        peeled = c.call("peeloff", sock=sock, assoc_id=peer)["sock"]
        assert option(c, peeled, "sctp_fragment_interleave") == 0
        setopt(c, peeled, sctp_fragment_interleave=2)
        assert option(c, peeled, "sctp_fragment_interleave") == 0
        assert option(c, sock, "sctp_fragment_interleave") == (1 if mine else 0)
        ids = send_all(sender, [(0, LONG[0], {}), (1, b"next", {})])
        assert [data for *_, data in received((c, peeled, 0), 2)] == [LONG[0], b"next"]
        for i in ids:
            sender[0].answer(i)


def test_with_it_a_descriptor_interleaves(h):
    (c, sock, peer), (s, here, up) = pair(h)
    assert option(s, here, "sctp_interleaving_supported", assoc_id=up)["assoc_value"] == 1
    peeled = c.call("peeloff", sock=sock, assoc_id=peer)["sock"]
    assert option(c, peeled, "sctp_fragment_interleave") == 1


def test_it_must_be_allowed(h):
    c = h.left.client()
    sock = c.call("open", ip=LEFT[0])["sock"]
    assert refusal(c, "setopts", sock=sock, options={"sctp_interleaving_supported": {"assoc_value": 1}}) == (
        "eperm: options.sctp_interleaving_supported: it needs sctp_fragment_interleave, set before, and the sysctl "
        "net.sctp.intl_enable; 0 of 1 were set")
    setopt(c, sock, **OFFER)
    assert option(c, sock, "sctp_interleaving_supported")["assoc_value"] == 1
    setopt(c, sock, sctp_fragment_interleave=0)
    assert option(c, sock, "sctp_interleaving_supported")["assoc_value"] == 0
    assert code(c, "setopts", sock=sock, options={"sctp_fragment_interleave": "2"}) == "badarg"


def test_more_messages_at_once_than_are_allowed_end_the_association(h):
    """The part that has come of each takes memory."""
    streams = 200
    receiver, sender = pair(h, {**OFFER, "sctp_partial_delivery_point": 1},
                            {**OFFER, "sctp_stream_scheduler": {"assoc_value": "rr"},
                             "sctp_initmsg": {"num_ostreams": streams}})
    c, sock, _ = receiver
    waiting = c.request("recv", sock=sock, timeout=TIME)
    send_all(sender, [(n, bytes(20000), {}) for n in range(streams)])
    got = c.answer(waiting)
    while got["event"] in ("data", "sctp_pdapi_event"):
        got = c.call("recv", sock=sock, timeout=TIME)
    assert (got["event"], got["state"]) == ("sctp_assoc_change", "comm_lost"), got
    s, here, _ = sender
    while (got := s.call("recv", sock=here, timeout=TIME))["event"] != "sctp_assoc_change":
        pass
    assert got["state"] == "comm_lost", got
