# SPDX-License-Identifier: BSD-2-Clause
"""Groups: clients that own a socket together. Who gets what, and what becomes of it."""
import functools
import itertools
import json
import os
import signal
import socket
import subprocess
import time

import msgpack

from check import WAIT_MS, code, only, recv, refusal, send
from harness import BUILD, SLOW, Daemon, halt, wait_for
from rpc import WAIT
from test_keeper import Own
from test_refuse import STRANGER, as_stranger
from test_session import close_all, session, start  # noqa: F401
from test_supervise import clean as unsupervised
from test_supervise import comes_up, listener, supervise
from test_survive import Faulty
from through import Session

SCTP = 132


def clean(test):
    """No group outlives its test."""
    @functools.wraps(test)
    def run(d):
        try:
            test(d)
        finally:
            d.close_clients()
            c = d.client("clean")
            for g in c.call("groups")["groups"]:
                c.call("ungroup", name=g["name"])
            close_all(c)
    return run


class Shop:
    """A group with its socket, and peers that are sockets of a client of their own."""

    def __init__(self, d, type="seqpacket", **group):
        self.d = d
        self.owner, self.out = session(d, "owner"), d.client("peers")
        got = self.owner.call("open", ip="127.0.0.1", type=type, options={"active": True})
        self.sock, self.port = got["sock"], got["port"]
        self.owner.call("listen", sock=self.sock)
        self.owner.call("group", sock=self.sock, name="g", **group)
        self.peers = []

    def member(self, name, **join):
        """In a session, or with a name that begins with "plain" without one."""
        c = self.d.client(name) if name.startswith("plain") else session(self.d, name)
        assert c.call("join", name="g", **join)["sock"] == self.sock
        return c

    def peer(self):
        sock = self.out.call("open", ip="127.0.0.1")["sock"]
        up = self.out.call("connect", sock=sock, addr="127.0.0.1", port=self.port, timeout=WAIT_MS)
        self.peers.append((sock, up["assoc_id"]))
        return self.peers[-1]

    def say(self, peer, *words):
        for word in words:
            send(self.out, *peer, word)

    def hear(self, peer):
        got = self.out.call("recv", sock=peer[0], timeout=WAIT_MS)
        assert got["event"] == "data", got
        return got["data"]

    def group(self):
        return only(self.out.call("groups")["groups"], name="g")

    def stands(self):
        """The same, without what each call of a member's changes."""
        got = self.group()
        for m in got["members"]:
            del m["queued"], m["going_for"]
        return got

    @staticmethod
    def says(d, *parts):
        """A line of the log has these parts."""
        wait_for(lambda: any(all(p in line for p in parts) for line in d.log_text().splitlines()))

    def shares(self):
        return {m["name"]: m["sockets"] for m in self.group()["members"]}


def ack(c):
    c.notify("ack", seq=c.seq)


def words(c, n, sock=None):
    got = [c.event("data", **({"sock": sock} if sock else {})) for _ in range(n)]
    return [e["data"] for e in got]


def assigned(c, **want):
    e = c.event("assigned", group="g", **want)
    return e["sock"]


@clean
def test_each_association_belongs_to_one_member(d):
    shop = Shop(d)
    a, b = shop.member("a"), shop.member("b")
    for _ in range(4):
        shop.peer()
    mine = [[assigned(c) for _ in range(2)] for c in (a, b)]
    for c, socks in zip((a, b), mine):
        for s in socks:
            up = c.event("sctp_assoc_change", sock=s, state="comm_up")
            c.call("send", sock=s, data=b"on its handle")
            c.call("send", sock=shop.sock, assoc_id=up["assoc_id"], data=b"by assoc_id")
    for peer in shop.peers:
        assert [shop.hear(peer) for _ in range(2)] == [b"on its handle", b"by assoc_id"]
    # and the other member may send, too
    b.call("send", sock=mine[0][0], data=b"from b")
    assert b"from b" in [shop.hear(p) for p in shop.peers[:1]]
    assert shop.shares() == {"a": 2, "b": 2}


@clean
def test_a_member_that_dies_leaves_what_it_had_not_acknowledged(d):
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    a.event("sctp_assoc_change")
    shop.say(peer, b"1", b"2", b"3")
    got = [a.event("data") for _ in range(3)]
    assert [e["data"] for e in got] == [b"1", b"2", b"3"]
    b = shop.member("b")
    shop.says(d, f"group g: client {b.id} joined, shares=0 members=2 uid=0 pid=")
    a.call("ack", seq=got[0]["seq"])
    a.close()
    shop.says(d, f"group g: client {a.id} is no member any more: its connection ended, shares=1 messages=2 members=1 ")
    e = b.event("assigned", sock=s)
    assert e["from_member"] == a.id and e["group"] == "g" and e["peer"]["addr"] == "127.0.0.1"
    shop.say(peer, b"4")
    assert words(b, 3) == [b"2", b"3", b"4"]
    b.call("send", sock=s, data=b"still")
    assert shop.hear(peer) == b"still"


@clean
def test_what_a_member_wrote_before_it_died_is_done(d):
    """Answers and acknowledgements that the daemon had not read when it saw that the member is gone."""
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    up = a.event("sctp_assoc_change")
    shop.say(peer, *[b"%d" % n for n in range(200)])
    got = [a.event("data") for _ in range(200)]
    b = shop.member("b")
    with d.asleep():        # more than the daemon serves of one user in a turn, at whose end it writes to a
        send_ = {"sock": s, "assoc_id": up["assoc_id"]}
        a.sock.sendall(b"".join(msgpack.packb(m) for e in got for m in (
            [0, 1000000 + e["seq"], "send", [{**send_, "data": b"re " + e["data"]}]], [2, "ack", [{"seq": e["seq"]}]])))
        a.close()
    e = assigned(b, from_member=a.id)
    assert e == s and b.quiet(), b.events
    assert [shop.hear(peer) for _ in range(200)] == [b"re %d" % n for n in range(200)]


@clean
def test_nobody_there(d):
    """What comes waits for a member, also what the last one had."""
    shop = Shop(d)
    peer = shop.peer()
    shop.say(peer, b"1")
    a = shop.member("a")
    s = assigned(a)
    a.event("sctp_assoc_change", sock=s)
    assert words(a, 1) == [b"1"]
    shop.say(peer, b"2")
    assert words(a, 1) == [b"2"]
    a.close()
    wait_for(lambda: shop.group()["unassigned"] == 1)
    shop.say(peer, b"3")
    b = shop.member("b")
    assert assigned(b) == s
    b.event("sctp_assoc_change", sock=s)
    assert words(b, 3) == [b"1", b"2", b"3"]


@clean
def test_leave_gives_back(d):
    shop = Shop(d)
    a, b = shop.member("a"), shop.member("b")
    peers = [shop.peer(), shop.peer()]
    s, t = assigned(a), assigned(b)
    a.event("sctp_assoc_change", sock=s)
    b.event("sctp_assoc_change", sock=t)
    for peer in peers:
        shop.say(peer, b"1", b"2")
    assert words(a, 2) == [b"1", b"2"]
    a.call("leave", name="g")
    assert assigned(b, from_member=a.id) == s
    b.event("sctp_assoc_change", sock=s)
    assert words(b, 2, s) == [b"1", b"2"]
    assert a.quiet() and shop.shares() == {"b": 2}
    assert code(a, "leave", name="g") == "einval"


@clean
def test_drain_waits_for_acknowledgements(d):
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    shop.say(peer, b"1")
    assert words(a, 1) == [b"1"]
    b = shop.member("b")
    assert a.call("drain_member", name="g")["sockets"] == 1
    assert only(shop.group()["members"], name="a")["going"] == 1
    shop.say(peer, b"2")
    assert b.quiet() and not [e for e in a.events if e[0] == "data"]
    ack(a)
    assert assigned(b, from_member=a.id) == s
    assert a.event("unassigned", sock=s)["to_member"] == b.id
    assert words(b, 1) == [b"2"]
    a.call("drain_member", name="g", on=False)
    shop.says(d, f"group g: client {a.id} is in service again, shares=0 members=2 ")
    ack(b)
    assert shop.shares() == {"a": 0, "b": 1}


@clean
def test_what_is_assigned_and_brought_nothing_goes_on_at_once(d):
    """The word assigned is not the association's: nobody has to acknowledge it."""
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    a.event("sctp_assoc_change", sock=s)
    ack(a)
    b = shop.member("b")
    a.call("drain_member", name="g")
    assert assigned(b) == s
    a.call("drain_member", name="g", on=False)
    b.call("drain_member", name="g")
    assert assigned(a, from_member=b.id) == s
    shop.say(peer, b"1")
    assert words(a, 1, s) == [b"1"]


@clean
def test_who_joins_gets_a_part(d):
    shop = Shop(d)
    a = shop.member("a")
    for _ in range(4):
        shop.peer()
    socks = [assigned(a) for _ in range(4)]
    for _ in range(4):
        a.event("sctp_assoc_change")
    b = shop.member("b")
    ack(a)
    got = {assigned(b, from_member=a.id) for _ in range(2)}
    assert got < set(socks)
    assert {a.event("unassigned")["sock"] for _ in range(2)} == got
    assert shop.shares() == {"a": 2, "b": 2}


@clean
def test_without_a_session_what_was_written_is_handled(d):
    shop = Shop(d)
    a = shop.member("plain a")
    peer = shop.peer()
    s = assigned(a)
    shop.say(peer, b"1")
    assert words(a, 1) == [b"1"]
    b = shop.member("plain b")
    a.close()
    assert assigned(b) == s
    shop.say(peer, b"2")
    assert words(b, 1) == [b"2"]


@clean
def test_an_association_that_ended_is_closed_by_the_daemon(d):
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    shop.out.call("close", sock=peer[0])
    a.event("sctp_closed", sock=s)
    assert [x for x in a.call("sockets")["sockets"] if x["sock"] == s]
    ack(a)
    wait_for(lambda: not [x for x in a.call("sockets")["sockets"] if x["sock"] == s])
    assert shop.shares() == {"a": 0}


@clean
def test_a_stream_listener(d):
    shop = Shop(d, type="stream")
    peer = shop.peer()
    a = shop.member("a")
    s = assigned(a)
    shop.say(peer, b"1")
    assert words(a, 1, s) == [b"1"]
    b = shop.member("b")
    a.close()
    assert assigned(b) == s
    b.event("sctp_assoc_change", sock=s)
    assert words(b, 1, s) == [b"1"]


@clean
def test_active_standby(d):
    """All belong to the first; when one of a higher priority comes, that takes over."""
    shop = Shop(d, policy="active_standby")
    b = shop.member("b", priority=20)
    peers = [shop.peer(), shop.peer()]
    socks = {assigned(b), assigned(b)}
    for _ in socks:
        b.event("sctp_assoc_change")
    a = shop.member("a", priority=10)
    ack(b)
    assert {assigned(a), assigned(a)} == socks
    shop.say(peers[0], b"1")
    assert words(a, 1) == [b"1"]
    a.close()
    assert {assigned(b), assigned(b)} == socks
    assert words(b, 1) == [b"1"]


@clean
def test_ungroup_gives_the_socket_to_who_says_so(d):
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    assert shop.owner.call("ungroup", name="g")["sock"] == shop.sock
    e = a.event("left")
    assert e["reason"] == "the group was ended" and e["ended"]
    shop.says(d, f"group g: made, policy=sticky sock={shop.sock} uid=0")
    shop.says(d, f"group g: ended: the group was ended, members=1 sock={shop.sock} uid=0")
    shop.say(peer, b"1")
    assert words(a, 1, s) == [b"1"]
    assert a.call("groups")["groups"] == []
    shop.peer()
    assert shop.owner.event("sctp_assoc_change", sock=shop.sock)["state"] == "comm_up"


@clean
def test_the_end_of_the_socket_ends_the_group(d):
    shop = Shop(d)
    a = shop.member("a")
    shop.owner.call("close", sock=shop.sock)
    a.event("left")
    assert a.call("groups")["groups"] == []
    assert not [c for c in a.call("clients")["clients"] if c["name"] == "group g"]


@clean
def test_grace(d):
    """A member that comes back in time keeps what it has."""
    shop = Shop(d, grace=5000)
    a, b = shop.member("a"), shop.member("b")
    peer = shop.peer()
    s = assigned(a)
    a.sock.close()
    wait_for(lambda: only(shop.group()["members"], name="a")["state"] == "away")
    shop.say(peer, b"1")
    a.come_back()
    assert words(a, 1, s) == [b"1"]
    assert shop.shares() == {"a": 1, "b": 0} and b.quiet()


@clean
def test_a_session_that_comes_back_too_late_hears_that_it_left(d):
    """It exists still, for a socket of its own that is held, but others have its share."""
    shop = Shop(d)
    a = shop.member("a")
    a.call("open", ip="127.0.0.1", options={"on_owner_exit": "hold"})
    peer = shop.peer()
    s = assigned(a)
    shop.say(peer, b"1")
    assert words(a, 1, s) == [b"1"]
    b = shop.member("b")
    a.sock.close()
    assert assigned(b, from_member=a.client) == s and words(b, 1, s) == [b"1"]
    a.come_back()
    e = a.event("left")
    assert e["reason"] == "its connection ended" and "ended" not in e
    assert code(a, "leave", name="g") == "einval"
    assert a.call("join", name="g")["members"] == 2


@clean
def test_spread(d):
    """One association, whose messages go to members by their stream."""
    shop = Spread(d, by="stream")
    a, b = shop.member("a"), shop.member("b")
    for n in range(8):
        for stream in range(4):
            shop.out.call("send", sock=shop.peers[0][0], assoc_id=shop.peers[0][1], stream=stream, data=b"%d %d" % (stream, n))
    got = {}
    for c in (a, b):
        for _ in range(16):
            e = c.event("data", sock=shop.sock)
            got.setdefault((c, e["sctp_sndrcvinfo"].get("stream", 0)), []).append(e["data"])
    assert len(got) == 4
    for (_, stream), list_ in got.items():
        assert list_ == [b"%d %d" % (stream, n) for n in range(8)]
    a.call("send", sock=shop.sock, data=b"from a")
    b.call("send", sock=shop.sock, data=b"from b")
    assert [shop.hear(shop.peers[0]) for _ in range(2)] == [b"from a", b"from b"]


class Spread(Shop):
    def __init__(self, d, **group):
        self.d = d
        self.owner, self.out = session(d, "owner"), d.client("peers")
        got = self.owner.call("open", ip="127.0.0.1", type="stream")
        self.port, self.peers = got["port"], []
        self.owner.call("listen", sock=got["sock"])
        self.peer()
        self.sock = self.owner.call("accept", sock=got["sock"], timeout=WAIT_MS)["accepted"]
        self.owner.call("group", sock=self.sock, name="g", policy="spread", **group)


@clean
def test_spread_by_bytes_and_a_member_that_dies(d):
    shop = Spread(d, by="bytes", offset=1, length=2)
    a, b = shop.member("a"), shop.member("b")
    keys = [b"%02d" % k for k in range(20)]
    for n in range(3):
        shop.say(shop.peers[0], *[b"%d" % n + k for k in keys])
    heard = {a: [], b: []}
    while sum(map(len, heard.values())) < 60:
        for c in heard:
            c.call("status")
            heard[c] += words(c, sum(name == "data" for name, _ in c.events))
    assert all(heard.values())
    of = {k: [c for c in heard if any(w[1:] == k for w in heard[c])] for k in keys}
    assert all(len(cs) == 1 for cs in of.values())
    a.close()      # it has acknowledged nothing
    again = words(b, len(heard[a]))
    assert sorted(again) == sorted(heard[a])
    for k in keys:
        assert [w for w in heard[b] + again if w[1:] == k] == [b"%d" % n + k for n in range(3)]


@clean
def test_a_key_that_a_message_does_not_reach_is_what_it_has_of_it(d):
    """All that are too short for any of it have the empty key: they stay with one member, in their order."""
    shop = Spread(d, by="bytes", offset=2, length=4)
    a, b = shop.member("a"), shop.member("b")
    short = [b"%d" % n for n in range(1, 21)]
    part = [b"..k", b"++k"] * 10
    shop.say(shop.peers[0], *(m for pair in zip(short, part) for m in pair))
    heard = {a: [], b: []}
    while sum(map(len, heard.values())) < 40:
        for c in heard:
            c.call("status")
            heard[c] += words(c, sum(name == "data" for name, _ in c.events))
    for wanted in short, part:
        assert sorted([m for m in h if m in wanted] for h in heard.values()) == [[], wanted], heard


@clean
def test_who_is_drained_and_joins_is_told_what_ends_that(d):
    shop = Shop(d)
    a = shop.member("a")
    a.call("drain_member", name="g")
    before = shop.stands()
    assert refusal(a, "join", name="g", priority=1) == \
        'ealready: name: you are a member of group "g" already, and drained; drain_member with on=false ends that'
    assert shop.stands() == before
    a.call("drain_member", name="g", on=False)
    assert refusal(a, "join", name="g") == 'ealready: name: you are a member of group "g" already'


@clean
def test_spread_waits_for_what_the_last_had(d):
    shop = Spread(d, by="stream")
    a = shop.member("a")
    shop.say(shop.peers[0], b"1")
    assert words(a, 1) == [b"1"]
    a.call("drain_member", name="g")
    b = shop.member("b")
    shop.say(shop.peers[0], b"2")
    assert b.quiet() and shop.group()["waiting"] == 1
    ack(a)
    assert words(b, 1) == [b"2"]


def is_taken_out(d, shop, a, b, again):
    """For a has hung."""
    assert only(shop.group()["members"], name="a")["going_for"] < 5000 * SLOW
    left = a.event("left")
    assert left["reason"] == "it acknowledged nothing for the group's hand_over_time, and others waited for that"
    assert words(b, 1) == [b"1"]
    assert [m["name"] for m in shop.group()["members"]] == ["b"]
    shop.says(d, f'group g: client {a.id} is no member any more: {left["reason"]}, shares=', f" messages={again} members=1 ")


@clean
def test_a_member_that_hangs_is_taken_out_in_time(d):
    """Nobody waits for its acknowledgement longer than hand_over_time."""
    shop = Shop(d, hand_over_time=300)
    assert shop.group()["hand_over_time"] == 300
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    a.event("sctp_assoc_change", sock=s)
    ack(a)
    shop.say(peer, b"1")
    assert words(a, 1) == [b"1"]
    b = shop.member("b")
    assert not only(shop.group()["members"], name="a")["going_for"]
    a.call("drain_member", name="g")
    shop.says(d, f"group g: client {a.id} is drained, shares=1 members=2 ")
    is_taken_out(d, shop, a, b, 1)
    assert assigned(b, from_member=a.id) == s


@clean
def test_it_does_not_matter_who_is_to_be_the_next(d):
    """What has waited so long has waited so long: a new next member gives the one that hangs no more time."""
    shop = Shop(d, hand_over_time=300)
    a = shop.member("a")
    peer = shop.peer()
    assigned(a)
    ack(a)
    shop.say(peer, b"1")
    assert words(a, 1) == [b"1"]
    b = shop.member("b")
    c = shop.member("c")
    a.call("drain_member", name="g")
    end = time.monotonic() + WAIT * SLOW
    for n in itertools.count():
        if all(m["name"] != "a" for m in shop.group()["members"]):
            break
        assert time.monotonic() < end, "it is still waited for"
        (b, c)[n % 2].call("drain_member", name="g", on=True)
        (b, c)[n % 2].call("drain_member", name="g", on=False)


@clean
def test_the_slots_of_spread_are_charged(d):
    shop = Spread(d, by="stream")
    resident = only(d.client().call("clients")["clients"], name="group g")
    assert resident["memory"] >= 256 * 40, resident


@clean
def test_with_spread_too(d):
    shop = Spread(d, by="stream", hand_over_time=300)
    a = shop.member("a")
    shop.say(shop.peers[0], b"1")
    assert words(a, 1) == [b"1"]
    b = shop.member("b")
    a.call("drain_member", name="g")
    is_taken_out(d, shop, a, b, 2)     # comm_up, too


@clean
def test_spread_lets_nobody_wait_for_others(d):
    """What waits for one that does not acknowledge waits in its order, and everybody else goes on."""
    shop = Spread(d, by="stream")
    a = shop.member("a")
    shop.say(shop.peers[0], b"0")
    assert words(a, 1) == [b"0"]
    a.call("drain_member", name="g")
    b = shop.member("b")
    for n in range(40):     # the slot of stream 0 rests, and that of stream 1 does not
        shop.out.call("send", sock=shop.peers[0][0], assoc_id=shop.peers[0][1], stream=n % 2, data=b"%d" % n)
    assert words(b, 20) == [b"%d" % n for n in range(1, 40, 2)]
    assert shop.group()["waiting"] == 20 and only(shop.group()["members"], name="a")["going"] == 1
    ack(a)
    assert words(b, 20) == [b"%d" % n for n in range(0, 40, 2)]
    b.call("drain_member", name="g")
    a.call("drain_member", name="g", on=False)
    shop.say(shop.peers[0], b"last", b"of all")
    wait_for(lambda: shop.group()["waiting"] == 2)
    shop.owner.call("ungroup", name="g")        # what waits goes along
    shop.owner.call("setopts", sock=shop.sock, options={"active": True})
    assert words(shop.owner, 2)[-2:] == [b"last", b"of all"]


@clean
def test_sctpctl_lists_members_and_what_waits(d):
    """A line for each member, and one for a group that has none; as JSON what the daemon said."""
    shop = Shop(d)
    assert said(d, "groups").splitlines()[1].split()[0] == "g"
    a, b = shop.member("a"), shop.member("b", priority=7)
    peer = shop.peer()
    assigned(b)
    b.event("sctp_assoc_change")
    ack(b)
    shop.say(peer, b"1")
    assert words(b, 1) == [b"1"]
    b.call("drain_member", name="g")
    lines = [line.split() for line in said(d, "groups", "-v", "name=g").splitlines()]
    rows = [dict(zip(lines[0], line)) for line in lines[1:]]
    assert [r["name"] for r in rows] == ["b", "a"] and [r["state"] for r in rows] == ["draining", "active"], rows
    assert rows[0]["going"] == "1" and rows[0]["for"] != "-" and rows[1]["for"] == "-" and rows[0]["priority"] == "7", rows
    assert json.loads(said(d, "--json", "groups"))["groups"][0]["members"][1]["client"] == a.id


def said(d, *words):
    return subprocess.run([os.path.join(BUILD, "sctpctl"), "-s", d.path, *words], capture_output=True, text=True,
                          check=True, timeout=WAIT * SLOW).stdout


@clean
def test_what_is_refused(d):
    """The exact error, and nothing changed."""
    shop = Shop(d)
    a, plain, other = shop.member("a"), d.client(), d.client("other")
    o, sock = shop.owner, shop.sock
    free = o.call("open", ip="127.0.0.1")["sock"]
    lone = o.call("open", ip="127.0.0.1", type="stream")["sock"]
    theirs = other.call("open", ip="127.0.0.1")["sock"]
    before = shop.stands()
    grouped = f'einval: sock {sock}: it belongs to the group "g", which says who has it'
    group = {"sock": free, "name": "h"}
    rows = [
        (o, "group", {**group, "sock": 4294967295}, "closed: sock 4294967295: no such socket; it was closed, or never opened"),
        (o, "group", {**group, "sock": sock}, grouped),
        (o, "group", {**group, "sock": theirs}, f"not_owner: sock {theirs}: client {other.id} owns it, and only the owner may share it"),
        (o, "group", {**group, "sock": lone}, f"enotconn: sock {lone}: it neither listens nor has an association yet"),
        (o, "group", {**group, "name": ""}, "badarg: name: it takes 1 to 64 bytes"),
        (o, "group", {**group, "name": "x" * 65}, "badarg: name: it takes 1 to 64 bytes"),
        (o, "group", {**group, "name": "a\nb"}, "badarg: name: there is a control character in it"),
        (o, "group", {**group, "name": b"abcdef\xffg"}, "badarg: name: it is no UTF-8"),
        (o, "group", {**group, "name": b"caf\xc3"}, "badarg: name: it is no UTF-8"),
        (o, "group", {**group, "name": "g"}, 'ebusy: name: user 0 has a group "g" already'),
        (o, "group", {**group, "policy": "fair"}, "badarg: policy: "),
        (o, "group", {**group, "policy": "spread"}, "badarg: by: with spread it takes ppid, stream or bytes"),
        (o, "group", {**group, "policy": "spread", "by": "load"}, "badarg: by: with spread it takes ppid, stream or bytes"),
        (o, "group", {**group, "policy": "spread", "by": "ppid"}, f"eopnotsupp: sock {free}: spread is for a socket with a single association; peel one off or accept one first"),
        (o, "group", {**group, "by": "ppid"}, "badarg: by: with sticky it takes load or hash"),
        (o, "group", {**group, "policy": "active_standby", "by": "load"}, "badarg: by: with active_standby the priority decides"),
        (o, "group", {**group, "policy": "spread", "by": "bytes"}, "badarg: length: with bytes it takes 1 to 64"),
        (o, "group", {**group, "policy": "spread", "by": "bytes", "length": 65}, "badarg: length: with bytes it takes 1 to 64"),
        (o, "group", {**group, "policy": "spread", "by": "bytes", "length": 1, "offset": 4294967295}, "badarg: offset: no message is so long"),
        (o, "group", {**group, "offset": 1}, "badarg: offset: it belongs to by = bytes"),
        (o, "group", {**group, "length": 1}, "badarg: length: it belongs to by = bytes"),
        (o, "group", {**group, "grace": 60001}, "badarg: grace: 60001 is out of range; it takes 0 to 60000"),
        (o, "group", {**group, "hand_over_time": 3600001}, "badarg: hand_over_time: 3600001 is out of range; it takes 0 to 3600000"),
        (o, "group", {**group, "users": "all"}, "badarg: users: it takes a list of up to 16 numbers of users"),
        (o, "group", {**group, "users": [1] * 17}, "badarg: users: it takes a list of up to 16 numbers of users"),
        (o, "group", {**group, "users": ["root"]}, "badarg: users[0]: got a string; it takes the number of a user"),
        (o, "join", {"name": "h"}, "enoent: name: there is no such group; the method groups lists them"),
        (o, "join", {"name": "g", "priority": 1001}, "badarg: priority: 1001 is out of range; it takes 0 to 1000"),
        (a, "join", {"name": "g"}, 'ealready: name: you are a member of group "g" already'),
        (plain, "join", {"name": "g"}, "einval: join: this client has not called hello or watch, so it cannot be given a socket"),
        (o, "leave", {"name": "g"}, 'einval: name: you are no member of group "g"; join makes you one'),
        (o, "leave", {"name": "g", "client": 1}, 'badarg: client 1: it is no member of group "g"'),
        (o, "leave", {"name": "h"}, "enoent: name: there is no such group; the method groups lists them"),
        (o, "drain_member", {"name": "g"}, 'einval: name: you are no member of group "g"; join makes you one'),
        (o, "drain_member", {"name": "g", "client": 1}, 'badarg: client 1: it is no member of group "g"'),
        (plain, "ungroup", {"name": "g"}, "einval: ungroup: this client has not called hello or watch, so it cannot be given a socket"),
        (o, "ungroup", {"name": "h"}, "enoent: name: there is no such group; the method groups lists them"),
        (o, "groups", {"name": "h"}, "enoent: name: there is no such group that you may see"),
        (o, "adopt", {"sock": sock}, grouped),
        (o, "controlling_process", {"sock": sock, "client": a.id}, grouped),
        (o, "peeloff", {"sock": sock, "assoc_id": 3}, grouped),
        (o, "lend", {"sock": sock}, grouped),
        (o, "recv", {"sock": sock}, f"einval: sock {sock}: it is the socket of a group; what happens comes to its members as events"),
    ]
    for c, method, args, text in rows:
        got = refusal(c, method, **args)
        assert got == text or text.endswith(": ") and got.startswith(text), (method, args, got)
    assert shop.stands() == before
    lines = as_stranger(d.path, [("hello", {"name": "s"}), ("join", {"name": "g"}), ("leave", {"name": "g", "client": a.id}),
                                 ("drain_member", {"name": "g", "client": a.id}), ("ungroup", {"name": "g"}),
                                 ("groups", {}), ("send", {"sock": sock, "assoc_id": 1, "data": b"x"}), ("close", {"sock": sock})])[1:]
    belongs = f'eacces: name: group "g" belongs to user 0, and you are user {STRANGER}'
    assert lines == [f'eacces: name: group "g" belongs to user 0, and users does not name you, user {STRANGER}',
                     belongs, belongs, belongs, {"groups": []}] + \
        [f"eacces: sock {sock}: it belongs to user 0, and you are user {STRANGER}"] * 2
    assert shop.stands() == before


@clean
def test_users_that_the_owner_names(d):
    """They may join, and send, but the group is not theirs."""
    shop = Shop(d, users=[STRANGER])
    got = as_stranger(d.path, [("hello", {"name": "s"}), ("join", {"name": "g"}), ("groups", {}), ("ungroup", {"name": "g"}),
                               ("close", {"sock": shop.sock}), ("leave", {"name": "g"})])
    assert got[1] == {"sock": shop.sock, "members": 1}
    assert got[2]["groups"][0]["users"] == [STRANGER]
    assert got[3] == f'eacces: name: group "g" belongs to user 0, and you are user {STRANGER}'
    assert got[4] == f"eacces: sock {shop.sock}: it is the socket of a group of user 0, and you are user {STRANGER}"
    assert got[5] == {}


@clean
def test_a_socket_is_shared_once_what_its_owner_was_sent_is_acknowledged(d):
    o, out = session(d, "owner"), d.client("peers")
    got = o.call("open", ip="127.0.0.1", options={"active": True})
    o.call("listen", sock=got["sock"])
    sock = out.call("open", ip="127.0.0.1")["sock"]
    out.call("connect", sock=sock, addr="127.0.0.1", port=got["port"], timeout=WAIT_MS)
    up = o.event("sctp_assoc_change")
    assert refusal(o, "group", sock=got["sock"], name="g") == \
        f"ebusy: sock {got['sock']}: acknowledge first what you were sent of it, up to message {up['seq']}"
    ack(o)
    o.call("group", sock=got["sock"], name="g")
    o.call("join", name="g")
    assert o.event("assigned", assoc_id=up["assoc_id"])["peer"]["addr"] == "127.0.0.1"


@clean
def test_the_last_acknowledgement_of_a_one_to_one_socket_ends_its_group(d):
    """The group's socket is shared itself, and closed when its association is over and all of it is acknowledged."""
    o, out = session(d, "owner"), d.client("peers")
    got = out.call("open", ip="127.0.0.1", type="stream")
    out.call("listen", sock=got["sock"])
    sock = o.call("open", ip="127.0.0.1", type="stream")["sock"]
    o.call("connect", sock=sock, addr="127.0.0.1", port=got["port"], timeout=WAIT_MS)
    there = out.call("accept", sock=got["sock"], timeout=WAIT_MS)["accepted"]
    o.call("setopts", sock=sock, options={"active": True})
    ack(o)
    o.call("group", sock=sock, name="g")
    members = [session(d, name) for name in ("a", "b")]
    for m in members:
        assert m.call("join", name="g")["sock"] == sock
    has = members[0]
    assert assigned(has) == sock
    out.call("close", sock=there)
    has.event("sctp_closed", sock=sock)
    ack(has)
    for m in members:
        assert "closed" in m.event("left", group="g")["reason"]
    assert d.client().call("groups")["groups"] == []


class Supervised(Shop):
    """A group on the socket of a supervised association, whose peer is a listener."""

    def __init__(self, d, owner=None, **group):
        self.d, self.owner, self.out = d, owner or session(d, "owner"), d.client("peer")
        self.there, port = listener(self.out)
        self.sock = supervise(self.owner, port)
        self.up = comes_up(self.out, self.there)
        self.owner.call("attach", name="a", options={"active": True})
        self.owner.event("sctp_assoc_change", state="comm_up")
        ack(self.owner)
        self.owner.call("status")
        self.owner.call("group", sock=self.sock, name="g", **group)

    def say(self, *words, stream=0):
        for word in words:
            send(self.out, self.there, self.up, word, stream)

    def hear(self):
        """What came on the association that is up; the end of those before may come in between."""
        while (got := recv(self.out, self.there))["event"] != "data":
            assert got["assoc_id"] != self.up, got
        return got["data"]

    def again(self, c):
        """The association ends, and comes again; the member c is told."""
        self.out.call("abort", sock=self.there, assoc_id=self.up)
        c.event("sctp_assoc_change", sock=self.sock, state="comm_lost")
        self.up = comes_up(self.out, self.there)
        return c.event("sctp_assoc_change", sock=self.sock, state="comm_up")["assoc_id"]


@clean
@unsupervised
def test_a_supervised_association_belongs_to_one_member(d):
    """Also when it ended and comes again; and who has it may die."""
    for group in ({}, {"policy": "active_standby"}):
        shop = Supervised(d, **group)
        a = shop.member("a", priority=1)
        assert assigned(a) == shop.sock
        b = shop.member("b", priority=2)
        shop.say(b"1")
        assert words(a, 1) == [b"1"]
        new = shop.again(a)
        assert a.event("supervised", state="up")["name"] == "a"
        shop.say(b"2")
        assert words(a, 1) == [b"2"]
        a.call("send", sock=shop.sock, assoc_id=new, data=b"from a")
        assert shop.hear() == b"from a" and b.quiet()
        other = d.client("other")
        grouped = f'einval: sock {shop.sock}: it belongs to the group "g", which says who has it'
        assert refusal(other, "attach", name="a", take=True) == refusal(a, "detach", name="a") == grouped
        a.close()
        assert assigned(b, from_member=a.id, assoc_id=new) == shop.sock
        shop.say(b"3")
        assert words(b, 3) == [b"1", b"2", b"3"]
        b.events.clear()        # it came up, ended and came up again
        b.call("send", sock=shop.sock, assoc_id=shop.again(b), data=b"from b")
        assert shop.hear() == b"from b"
        b.close()       # nobody is there: it is looked after all the same
        wait_for(lambda: shop.group()["unassigned"] == 1)
        shop.out.call("abort", sock=shop.there, assoc_id=shop.up)
        shop.up = comes_up(shop.out, shop.there)
        c = shop.member("c")
        assigned(c)
        shop.say(b"4")
        assert words(c, 4) == [b"1", b"2", b"3", b"4"]     # b had acknowledged nothing
        shop.owner.call("unsupervise", name="a")
        assert c.event("left")["reason"] == "the group's socket was closed"
        assert c.call("groups")["groups"] == []
        d.close_clients()


@clean
@unsupervised
def test_the_messages_of_a_supervised_association_are_spread(d):
    shop = Supervised(d, policy="spread", by="stream")
    a, b = shop.member("a"), shop.member("b")
    for n in range(2):
        for stream in range(4):
            shop.say(*[b"%d %d %d" % (n, stream, i) for i in range(4)], stream=stream)
        got = [words(c, 8) for c in (a, b)]
        for stream in range(4):
            assert [w for c in got for w in c if w.split()[1] == b"%d" % stream] == [b"%d %d %d" % (n, stream, i) for i in range(4)]
        shop.again(a)


def test_a_group_of_a_supervised_association_outlives_the_daemon(d):
    with Own() as k:
        k.ready()
        shop = Supervised(d, Session(k.path, "owner"))
        shop.k = k
        a = Outlives.member(shop, "a")
        assigned(a)
        for n in range(3):
            pid = k.child()
            shop.say(b"%d" % n)
            os.kill(pid, signal.SIGKILL)
            assert words(a, 1) == [b"%d" % n]
            last = shop.again(a)
        b = Outlives.member(shop, "b")
        a.close()
        assert assigned(b) == shop.sock
        b.call("send", sock=shop.sock, assoc_id=last, data=b"still")
        assert shop.hear() == b"still"
        for c in (b, shop.owner):
            c.close()
    d.close_clients()


def test_the_longest_name_is_whole_when_the_daemon_has_died(d):
    """That of the group's own client, too, which is longer."""
    name = "é" * 32

    def named():
        got = [c["name"] for c in s.call("clients")["clients"]], [g["name"] for g in s.call("groups")["groups"]]
        return "group " + name in got[0] and got[1] == [name]
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "owner")
        sock = s.call("open", ip="127.0.0.1")["sock"]
        s.call("listen", sock=sock)
        s.call("group", sock=sock, name=name)
        assert named()
        os.kill(pid, signal.SIGKILL)
        s.call("status")
        assert named()
        s.close()


def test_a_process_that_died_with_the_daemon_is_not_waited_for_as_one_that_lives(d):
    with Own() as k:
        k.ready()
        shop = Outlives(k)
        c = shop.member("c")                    # it lives, and does not come back
        there, here = socket.socketpair()
        if not (pid := os.fork()):              # a member that dies with the daemon
            signal.alarm(0)
            dead = shop.member("dead")
            here.sendall(b"in")
            here.recv(1)
            os._exit(dead.seq)
        assert there.recv(2) == b"in"
        b = shop.member("b")
        peers = [shop.peer() for _ in range(3)]
        mine = {assigned(m): m for m in (c, b)}
        wait_for(lambda: [m["sockets"] for m in only(b.call("groups")["groups"], name="g")["members"]] == [1, 1, 1])
        child = k.child()
        halt(child)                             # so it does not see who dies before it
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.kill(child, signal.SIGKILL)
        b.call("status")                        # it is back
        first, second = assigned(b), assigned(b)
        assert first not in mine and mine[second] is c, k.log_text()
        assert k.log_text().index("its process has ended") < k.log_text().index("it did not come back to a new daemon in time")
        for p in peers:
            p.close()
        for m in (b, c, shop.owner):
            m.close()


@clean
def test_what_an_association_left_waits_for_a_member(d):
    """It has ended, and so has the only member, which had not acknowledged that."""
    shop = Shop(d)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    shop.say(peer, b"1", b"2")
    assert words(a, 2) == [b"1", b"2"]
    shop.out.call("close", sock=peer[0])
    a.event("sctp_closed", sock=s)
    a.close()
    wait_for(lambda: shop.group()["unassigned"] == 1)
    b = shop.member("b")
    assert assigned(b) == s
    assert words(b, 2, s) == [b"1", b"2"]
    b.event("sctp_closed", sock=s)
    ack(b)
    wait_for(lambda: not [x for x in b.call("sockets")["sockets"] if x["sock"] == s])


@clean
def test_grace_begins_anew_each_time(d):
    """The end of the first is not the end of the second."""
    shop = Shop(d, grace=60000)
    a, b = shop.member("a"), shop.member("b")
    peer = shop.peer()
    s = assigned(a)
    for n in (b"1", b"2"):
        a.sock.close()
        wait_for(lambda: only(shop.group()["members"], name="a")["state"] == "away")
        shop.say(peer, n)
        a.come_back()
        assert words(a, 1, s) == [n]
    assert shop.shares() == {"a": 1, "b": 0} and b.quiet()


@clean
def test_who_is_away_as_the_group_ends_is_waited_for_no_more(d):
    """Its socket does what on_owner_exit says, as that of any client."""
    shop = Shop(d, grace=60000)
    a = shop.member("a")
    peer = shop.peer()
    s = assigned(a)
    a.event("sctp_assoc_change", sock=s)
    a.sock.close()
    wait_for(lambda: only(shop.group()["members"], name="a")["state"] == "away")
    shop.owner.call("ungroup", name="g")
    wait_for(lambda: not [x for x in shop.out.call("sockets")["sockets"] if x["sock"] == s])
    while shop.out.call("recv", sock=peer[0], timeout=WAIT_MS).get("state") != "shutdown_comp":
        pass
    wait_for(lambda: not [c for c in shop.out.call("clients")["clients"] if c["name"] == "a"])


@clean
def test_what_was_accepted_goes_along_as_the_group_ends(d):
    """Nobody was there to have it."""
    shop = Shop(d, type="stream")
    peer = shop.peer()
    shop.say(peer, b"1")
    wait_for(lambda: shop.group()["waiting"] == 1)
    shop.owner.call("ungroup", name="g")
    assert not [c for c in shop.out.call("clients")["clients"] if c["name"] == "group g"]
    s = shop.owner.event("accept", sock=shop.sock)["accepted"]
    shop.owner.call("setopts", sock=s, options={"active": True})
    assert words(shop.owner, 1, s) == [b"1"]
    shop.owner.call("send", sock=s, data=b"2")
    assert shop.hear(peer) == b"2"


@clean
def test_what_was_accepted_ends_with_the_groups_socket(d):
    shop = Shop(d, type="stream")
    peer = shop.peer()
    wait_for(lambda: shop.group()["waiting"] == 1)
    shop.owner.call("close", sock=shop.sock)
    assert not [c for c in shop.out.call("clients")["clients"] if c["name"] == "group g"]
    while shop.out.call("recv", sock=peer[0], timeout=WAIT_MS).get("state") not in ("shutdown_comp", "comm_lost"):
        pass


@clean
def test_spread_goes_on_with_who_comes_back(d):
    """It was away as the last other member left."""
    shop = Spread(d, by="stream", grace=60000)
    a, b = shop.member("a"), shop.member("b")
    a.sock.close()
    wait_for(lambda: only(shop.group()["members"], name="a")["state"] == "away")
    b.call("leave", name="g")
    shop.say(shop.peers[0], b"1", b"2")
    a.come_back()
    assert words(a, 2) == [b"1", b"2"]
    ack(a)
    shop.say(shop.peers[0], b"3")
    assert words(a, 1) == [b"3"]
    assert shop.shares() == {"a": 256}


@clean
def test_a_socket_that_was_another_clients_is_shared(d):
    """What that one was sent is its own affair."""
    o, out, to = session(d, "owner"), d.client("peers"), session(d, "to")
    got = o.call("open", ip="127.0.0.1", options={"active": True})
    o.call("listen", sock=got["sock"])
    sock = out.call("open", ip="127.0.0.1")["sock"]
    up = out.call("connect", sock=sock, addr="127.0.0.1", port=got["port"], timeout=WAIT_MS)
    for n in range(20):
        send(out, sock, up["assoc_id"], b"%d" % n)
    words(o, 20)
    ack(o)
    o.call("controlling_process", sock=got["sock"], client=to.id)
    to.event("owner")
    ack(to)
    to.call("group", sock=got["sock"], name="g")


def test_associations_that_wait_for_room_come_when_there_is(_):
    d = Daemon(max_sockets="5")
    try:
        shop = Shop(d)
        a = shop.member("a")
        socks = [shop.out.call("open", ip="127.0.0.1")["sock"] for _ in range(3)]
        shop.out.call("connect", sock=socks[0], addr="127.0.0.1", port=shop.port, timeout=WAIT_MS)
        assigned(a)
        up = shop.out.call("connect", sock=socks[1], addr="127.0.0.1", port=shop.port, timeout=WAIT_MS)
        send(shop.out, socks[1], up["assoc_id"], b"1")
        shop.says(d, 'group "g": associations wait, as ')
        shop.out.call("close", sock=socks[2])
        assigned(a)
        assert words(a, 1) == [b"1"]
    finally:
        d.stop()


def test_all_of_it_outlives_the_daemon(d):
    """Members come back with their tokens, and each has what it had."""
    with Faulty() as k:
        k.ready()
        shop = Outlives(k)
        a, b = shop.member("a"), shop.member("b")
        peers = [shop.peer() for _ in range(4)]
        mine = {c: {assigned(c) for _ in range(2)} for c in (a, b)}
        for place in ("uncommitted", "committed", "applied"):
            deaths = k.deaths()
            k.die_at(place)
            for n, peer in enumerate(peers):
                peer.send(b"%d" % n)
            wait_for(lambda deaths=deaths: k.deaths() == deaths + 1)
            assert sorted(words(a, 2) + words(b, 2)) == [b"0", b"1", b"2", b"3"]
        # one dies with the daemon: its share goes to the other
        a.call("ack", seq=a.seq)
        b.call("ack", seq=b.seq)
        k.die_at("uncommitted")
        a.close()
        peers[0].send(b"x")
        peers[1].send(b"y")
        peers[2].send(b"x")
        peers[3].send(b"y")
        assert {assigned(b), assigned(b)} == mine[a]
        assert sorted(words(b, 4)) == [b"x", b"x", b"y", b"y"]
        for s in mine[a] | mine[b]:
            b.call("send", sock=s, data=b"still")
        for peer in peers:
            assert peer.recv(10) == b"still"
            peer.close()
        b.close()
        shop.owner.close()


def test_a_daemon_that_dies_as_it_hands_over(d):
    """What the member that left had is neither lost nor doubled."""
    with Faulty() as k:
        k.ready()
        shop = Outlives(k)
        peer = shop.peer()
        names = iter("abcdefgh")
        a = shop.member(next(names))
        assigned(a)
        for place in ("handover", "uncommitted", "committed", "applied"):
            peer.send(b"1")
            peer.send(b"2")
            assert words(a, 2) == [b"1", b"2"]
            b = shop.member(next(names))
            deaths = k.deaths()
            k.die_at(place)
            b.request("leave", name="g", client=a.client)
            wait_for(lambda deaths=deaths: k.deaths() == deaths + 1)
            assigned(b)
            assert words(b, 2) == [b"1", b"2"]
            b.call("ack", seq=b.seq)
            a.close()
            a = b
        peer.close()
        a.close()
        shop.owner.close()


def test_after_a_death_only_what_is_the_associations_is_waited_for(d):
    """A member that acknowledges messages, and not the answer that it did not hear at first, gives up what it has."""
    for group in ({}, {"by": "stream"}):
        with Faulty() as k:
            k.ready()
            shop = Outlives(k) if not group else OutlivesSpread(k, **group)
            peer = shop.peers[0] if group else shop.peer()
            a = shop.member("a")
            peer.send(b"1")
            assert words(a, 1) == [b"1"]
            b = shop.member("b")
            b.call("drain_member", name="g")
            b.call("drain_member", name="g", on=False)
            a.call("ack", seq=a.seq)
            k.die_at("applied")
            a.call("status")        # known to the journal, and not written
            wait_for(lambda: k.deaths() == 1)
            b.call("drain_member", name="g", client=a.client)
            peer.send(b"2")
            assert words(b, 1) == [b"2"]
            for c in (a, b, shop.owner, peer):
                c.close()


def test_spread_outlives_the_daemon(d):
    """What waits for an acknowledgement does so in the next process, and keys keep their order."""
    with Faulty() as k:
        k.ready()
        shop = OutlivesSpread(k, by="stream")
        peer = shop.peers[0]
        a = shop.member("a")
        peer.send(b"1")
        assert words(a, 1) == [b"1"]
        a.call("drain_member", name="g")
        b = shop.member("b")
        for n, place in enumerate(("uncommitted", "committed", "applied")):
            k.die_at(place)
            peer.send(b"%d" % (n + 2))
            wait_for(lambda n=n: k.deaths() == n + 1)
        assert b.quiet()
        a.call("ack", seq=a.seq)
        assert words(b, 3) == [b"2", b"3", b"4"]
        b.call("send", sock=shop.sock, data=b"still")
        assert peer.recv(10) == b"still"
        for c in (a, b, shop.owner, peer):
            c.close()


class Outlives(Shop):
    """With a daemon that dies, and peers on the kernel's own sockets."""

    def __init__(self, k, **group):
        self.k = k
        self.owner = Session(k.path, "owner")
        got = self.owner.call("open", ip="127.0.0.1", options={"active": True})
        self.sock, self.port = got["sock"], got["port"]
        self.owner.call("listen", sock=self.sock)
        self.owner.call("group", sock=self.sock, name="g", **group)

    def member(self, name, **join):
        c = Session(self.k.path, name)
        c.call("join", name="g", **join)
        return c

    def peer(self):
        p = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        p.settimeout(WAIT)
        p.connect(("127.0.0.1", self.port))
        return p


class OutlivesSpread(Outlives):
    def __init__(self, k, **group):
        self.k = k
        self.owner = Session(k.path, "owner")
        got = self.owner.call("open", ip="127.0.0.1", type="stream")
        self.port = got["port"]
        self.owner.call("listen", sock=got["sock"])
        self.peers = [self.peer()]
        self.sock = self.owner.call("accept", sock=got["sock"], timeout=WAIT_MS)["accepted"]
        self.owner.call("group", sock=self.sock, name="g", policy="spread", **group)
