# SPDX-License-Identifier: BSD-2-Clause
"""reset_streams and reset_assoc, and what both sides are told of them."""
from check import WAIT_MS, code, fill, nothing, option, recv, recv_data, refusal, send, setopt
from harness import associate, wait_for

ALL = ["reset_streams", "reset_assoc", "add_streams"]
EVENTS = {"stream_reset_event": True, "assoc_reset_event": True, "stream_change_event": True}


def reconfiguring(kinds=ALL, **options):
    return {"sctp_reconfig_supported": {"assoc_value": 1},
            "sctp_enable_stream_reset": {"assoc_value": kinds}, "sctp_events": EVENTS, **options}


def pair(c, mine=ALL, theirs=ALL, **args):
    """(listener, its assoc_id, connector, its assoc_id), which allow these kinds."""
    there = c.call("open", ip="127.0.0.1", options=reconfiguring(theirs))
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options=reconfiguring(mine), **args)["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")["assoc_id"]
    return there["sock"], peer, here, up


def is_reset(c, sock, flags, streams, assoc_id):
    """It is told that these were, or, with none, all ten. A stack may tell of some first."""
    told, wanted = set(), set(streams or range(10))
    while told != wanted:
        got = recv(c, sock, "sctp_stream_reset_event", assoc_id=assoc_id)
        some = set(got["streams"] or range(10))
        assert got["flags"] == flags and some <= wanted - told, (got, told)
        told |= some


def number(c, here, up, there, stream):
    """The sequence number that the next message of a stream has."""
    send(c, here, up, b"x", stream=stream)
    return recv(c, there, "data")["sctp_sndrcvinfo"].get("ssn", 0)


def acknowledged(c, sock, assoc_id):
    """Wait until the peer has acknowledged all."""
    wait_for(lambda: option(c, sock, "sctp_status", assoc_id=assoc_id)["unackdata"] == 0)


def test_outgoing_streams_begin_again(d):
    c = d.client()
    there, peer, here, up = pair(c)
    for n in range(3):
        assert [number(c, here, up, there, s) for s in (2, 3)] == [n, n]
    assert c.call("reset_streams", sock=here, assoc_id=up, streams=[3]) == {}
    is_reset(c, here, ["outgoing"], [3], up)
    is_reset(c, there, ["incoming"], [3], peer)
    assert [number(c, here, up, there, s) for s in (2, 3)] == [3, 0]


def test_incoming_streams_begin_again(d):
    c = d.client()
    there, peer, here, up = pair(c)
    assert [number(c, there, peer, here, 5) for _ in range(2)] == [0, 1]
    c.call("reset_streams", sock=here, assoc_id=up, flags=["incoming"], streams=[5, 6])
    is_reset(c, here, ["incoming"], [5, 6], up)
    is_reset(c, there, ["outgoing"], [5, 6], peer)
    assert number(c, there, peer, here, 5) == 0


def test_all_streams(d):
    c = d.client()
    there, peer, here, up = pair(c)
    for stream in range(4):
        assert [number(c, here, up, there, stream) for _ in range(2)] == [0, 1]
    c.call("reset_streams", sock=here, assoc_id=up)
    is_reset(c, here, ["outgoing"], [], up)
    is_reset(c, there, ["incoming"], [], peer)
    assert [number(c, here, up, there, stream) for stream in range(4)] == [0] * 4


def test_one_stream_after_the_other(d):
    """Each request is answered before the next."""
    c = d.client()
    there, peer, here, up = pair(c, type="stream")
    for stream in range(10):
        c.call("reset_streams", sock=here, streams=stream)
        is_reset(c, here, ["outgoing"], [stream], up)
        is_reset(c, there, ["incoming"], [stream], peer)


def test_an_association_begins_again(d):
    c = d.client()
    there, peer, here, up = pair(c)
    assert [number(c, here, up, there, 1) for _ in range(2)] == [0, 1]
    acknowledged(c, here, up)
    assert c.call("reset_assoc", sock=here, assoc_id=up) == {}
    events = {sock: [] for sock in (here, there)}
    for sock, assoc_id in (here, up), (there, peer):
        while not events[sock] or events[sock][-1]["event"] != "sctp_assoc_reset_event":
            events[sock].append(recv(c, sock, assoc_id=assoc_id))
    mine, theirs = events[here][-1], events[there][-1]
    assert mine["flags"] == theirs["flags"] == []
    assert (mine["local_tsn"], mine["remote_tsn"]) == (theirs["remote_tsn"], theirs["local_tsn"])
    send(c, here, up, b"x", stream=1)
    while (got := recv(c, there))["event"] != "data":
        assert got["event"] == "sctp_stream_reset_event", got
    info = got["sctp_sndrcvinfo"]
    assert (info.get("ssn", 0), info["tsn"]) == (0, mine["local_tsn"])


def test_the_peer_refuses(d):
    """It agreed to reconfiguration, and allows none of it."""
    c = d.client()
    there, _, here, up = pair(c, theirs=[])
    c.call("reset_streams", sock=here, assoc_id=up, streams=[1])
    got = recv(c, here, "sctp_stream_reset_event", assoc_id=up)
    assert set(got["flags"]) & {"denied", "failed"} and "outgoing" in got["flags"], got
    setopt(c, here, sctp_add_streams={"assoc_id": up, "outstrms": 1})
    got = recv(c, here, "sctp_stream_change_event", assoc_id=up)
    assert set(got["flags"]) & {"denied", "failed"}, got
    c.call("reset_assoc", sock=here, assoc_id=up)
    got = recv(c, here, "sctp_assoc_reset_event", assoc_id=up)
    assert set(got["flags"]) & {"denied", "failed"}, got
    assert number(c, here, up, there, 1) == 0 and nothing(c, there)


def test_the_peer_did_not_agree(d):
    c = d.client()
    _, _, here, up = associate(c)
    for method in "reset_streams", "reset_assoc":
        assert refusal(c, method, sock=here, assoc_id=up) == (
            f"eopnotsupp: assoc_id {up}: its peer has not agreed to RE-CONFIG; on both sides set "
            "sctp_reconfig_supported before the association is set up")


def test_streams_that_are_not_there_are_named(d):
    c = d.client()
    there, _, here, up = pair(c)
    args = {"sock": here, "assoc_id": up}
    assert refusal(c, "reset_streams", **args, streams=[0, 10]) == \
        "einval: streams: 10: the association has outbound streams 0 to 9"
    assert refusal(c, "reset_streams", **args, flags=["incoming"], streams=1 << 40) == \
        f"einval: streams: {1 << 40}: the association has inbound streams 0 to 9"
    for streams in [], [0] * 201:
        assert refusal(c, "reset_streams", **args, streams=streams) == (
            f"badarg: streams: a list of {len(streams)}; it takes 1 to 200, or leave it out to reset all streams")
    for streams in "1", [-1], [[1]], {}, True:
        assert code(c, "reset_streams", **args, streams=streams) == "badarg", streams
    assert refusal(c, "reset_streams", **args, flags=[]) == \
        "badarg: flags: an empty list; it takes incoming, outgoing, or both"
    for flags in ["denied"], "outgoing", 1:
        assert code(c, "reset_streams", **args, flags=flags) == "badarg", flags
    assert nothing(c, there) and nothing(c, here)


def test_associations_that_are_not_there_or_not_up(d):
    c = d.client()
    sock = c.call("open", ip="127.0.0.1")["sock"]
    for method in "reset_streams", "reset_assoc":
        assert code(c, method, sock=sock, assoc_id=99999) == "epipe"
        assert code(c, method, sock=sock) == "badarg"
    there, peer, here, up = pair(c)
    c.call("eof", sock=here, assoc_id=up)
    wait_for(lambda: code(c, "reset_streams", sock=here, assoc_id=up) in ("enotconn", "epipe"))


def test_messages_that_wait_come_first(d):
    """A reset would overtake them."""
    c = d.client()
    there, _, here, up = pair(c)
    sent, ids = fill(c, here, up)
    for method in "reset_streams", "reset_assoc":
        assert refusal(c, method, sock=here, assoc_id=up) == (
            f"eagain: assoc_id {up}: not all of its messages have arrived; reset it once the event "
            "sctp_sender_dry_event says that they have")
    assert [recv_data(c, there) for _ in sent] == sent
    for i in ids:
        c.answer(i)
    acknowledged(c, here, up)
    c.call("reset_streams", sock=here, assoc_id=up)
    is_reset(c, here, ["outgoing"], [], up)


def test_this_side_does_not_allow_it(d):
    """The kernel asks no peer for what sctp_enable_stream_reset does not have."""
    c = d.client()
    _, _, here, up = pair(c, mine=["add_streams"])
    for method in "reset_streams", "reset_assoc":
        assert refusal(c, method, sock=here, assoc_id=up) == \
            f"einval: assoc_id {up}: its sctp_enable_stream_reset has no {method}; set that first"
    setopt(c, here, sctp_enable_stream_reset={"assoc_id": up, "assoc_value": ALL})
    c.call("reset_streams", sock=here, assoc_id=up)
    is_reset(c, here, ["outgoing"], [], up)


def test_added_streams_are_reset_too(d):
    c = d.client()
    there, peer, here, up = pair(c)
    setopt(c, here, sctp_add_streams={"assoc_id": up, "outstrms": 2})
    recv(c, here, "sctp_stream_change_event", outstrms=2)
    recv(c, there, "sctp_stream_change_event", instrms=2)
    assert [number(c, here, up, there, 11) for _ in range(2)] == [0, 1]
    c.call("reset_streams", sock=here, assoc_id=up, streams=[11])
    is_reset(c, here, ["outgoing"], [11], up)
    is_reset(c, there, ["incoming"], [11], peer)
    assert number(c, here, up, there, 11) == 0
