# SPDX-License-Identifier: BSD-2-Clause
"""sctpd-nats, the bridge to NATS JetStream: real servers, and messages that are numbered both ways."""
import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import nkeys
from harness import BUILD, HOARDS, ROOT, SLOW, STACK, halt, wait_for
from nats import Bridge, Nats, bridge, bus, close_held
from rpc import WAIT

STOP = float(os.environ.get("NATS_STOP", "3"))  # seconds for which the bus is stopped
MIB = 1 << 20
FEW = 20  # messages in a second that a window lets through that is closed

PORT = 38412
CONSUMERS = "the partitions have their consumers"
N2 = {"n2": {"ip": "127.0.0.1", "port": PORT}}
SCTP = 132
EXAMPLES = os.path.join(ROOT, "client-lib", "nats", "examples")


class Peer:
    """A peer that is a plain socket, where the kernel has SCTP; elsewhere it is the daemon's own."""

    def __init__(self, daemon, port=PORT, streams=10):
        self.plain = STACK == "kernel"
        if self.plain:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            self.sock.settimeout(WAIT)
            self.sock.connect(("127.0.0.1", port))
            self.port = self.sock.getsockname()[1]
            return
        self.c = daemon.client()
        answer = self.c.call("open", options={"active": True})
        self.sock, self.port = answer["sock"], answer["port"]
        self.assoc = self.c.call("connect", sock=self.sock, addr="127.0.0.1", port=port)["assoc_id"]

    def send(self, data, stream=0):
        if self.plain:
            self.sock.send(data)
        else:
            self.c.call("send", sock=self.sock, assoc_id=self.assoc, stream=stream, data=data)

    def receive(self):
        return self.sock.recv(1 << 17) if self.plain else self.c.event("data")["data"]

    def close(self):
        if self.plain:
            self.sock.close()
        else:
            self.c.close()


def associations(n, host="h1"):
    """{association as in subjects: port of its peer} of those that came up, as the log says."""
    return {subject.split(".")[5]: int(head["Sctp-From"].split(":")[1]) for _, subject, head, body in n.all(f"sctp-{host}-in")
            if subject.endswith(".event.sctp_assoc_change") and json.loads(body)["state"] == "comm_up"}


def logged(n, host="h1"):
    """{association: [data]} of the messages in the log, in its order."""
    found = {}
    for _, subject, _, body in n.all(f"sctp-{host}-in"):
        words = subject.split(".")
        if len(words) == 7:
            found.setdefault(words[5], []).append(body)
    return found


def up(n, count=1, host="h1"):
    """Wait until so many associations are in the log, and give them."""
    wait_for(lambda: len(associations(n, host)) >= count)
    return associations(n, host)


def test_both_ways_in_order_with_all_that_belongs_to_a_message(d):
    with bus() as servers, bridge(d, servers, N2, partitions=4, out_duplicates=1000):
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        for i in range(50):
            peer.send(b"%d" % i)
        wait_for(lambda: len(logged(n).get(assoc, ())) == 50)
        assert logged(n) == {assoc: [b"%d" % i for i in range(50)]}
        seq, subject, head, body = next(m for m in n.all("sctp-h1-in") if len(m[1].split(".")) == 7)
        part = subject.split(".")[4]
        assert subject == f"sctp.h1.in.n2.{part}.{assoc}.0" and 0 <= int(part) < 4, subject
        assert head["Sctp-Assoc"] == assoc.split("-")[0] and head["Sctp-Stream"] == head["Sctp-Ppid"] == head["Sctp-Ssn"] == "0", head
        assert head["Sctp-From"] == f"127.0.0.1:{peer.port}" and int(head["Sctp-Tsn"]) > 0, head
        # The consumer of the partition has the association and its messages.
        of_part = [s for _, s, _, _ in n.all("sctp-h1-in") if s.split(".")[4] == part]
        assert of_part[0].endswith(".event.session") and sum(f".{assoc}." in s for s in of_part) >= 51, of_part
        for i in range(50):
            n.put(f"sctp.h1.out.n2.{assoc}.0", b"a%d" % i, {"Sctp-Ppid": "60"})
        assert [peer.receive() for _ in range(50)] == [b"a%d" % i for i in range(50)]
        wait_for(lambda: n.state("sctp-h1-out")["messages"] == 0)
        peer.close()
        n.close()


def test_the_address_of_an_ipv6_peer_is_in_brackets(d):
    with bus() as servers, bridge(d, servers, {"n2": {"ip": "::1", "port": PORT}}):
        n, c = Nats(*servers), d.client()
        s = c.call("open", family="inet6")
        c.call("connect", sock=s["sock"], addr="::1", port=PORT)
        wait_for(lambda: [m for m in n.all("sctp-h1-in") if m[1].endswith(".event.sctp_assoc_change")])
        head, = [head for _, subject, head, _ in n.all("sctp-h1-in") if subject.endswith(".event.sctp_assoc_change")]
        assert head["Sctp-From"] == f"[::1]:{s['port']}", head
        c.close()
        n.close()


def test_what_cannot_be_sent_comes_back_with_the_reason_and_stops_nothing(d):
    with bus() as servers, bridge(d, servers, N2):
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        number, session = assoc.split("-")
        bad = [(f"n2.{assoc}.9999", {}, "n2", "einval: stream 9999"),
               (f"n2.{int(number) + 77}-{session}.0", {}, "n2", "epipe: assoc_id"),
               (f"other.{assoc}.0", {}, "_", "enoent: no endpoint"),
               (f"n2.{number}-00000000.0", {}, "_", "epipe: the association is of an earlier session"),
               (f"n2.{assoc}", {}, "_", "badarg: the subject"),
               (f"n2.{assoc}.0.0", {}, "_", "badarg: the subject"),
               (f"n2.{assoc}.70000", {}, "_", "badarg: the subject"),
               (f"n2.{assoc}.x", {}, "_", "badarg: the subject"),
               (f"n2.{number}.0", {}, "_", "badarg: the subject"),
               (f"n2.{assoc}.0", {"Sctp-Ppid": "-1"}, "_", "badarg: a header"),
               (f"n2.{assoc}.0", {"Sctp-Ppid": "4294967296"}, "_", "badarg: a header"),
               (f"n2.{assoc}.0", {"Sctp-Flags": "abort"}, "_", "badarg: a header"),
               (f"n2.{assoc}.0", {"Sctp-Assoc": "3"}, "_", "badarg: a header")]
        sent = {}
        for i, (subject, head, endpoint, reason) in enumerate(bad):
            sent[str(n.put(f"sctp.h1.out.{subject}", b"bad %d" % i, head))] = endpoint, reason, b"bad %d" % i
        n.put(f"sctp.h1.out.n2.{assoc}.0", b"")
        n.put(f"sctp.h1.out.n2.{assoc}.0", b"good", {"Sctp-Ppid": "4294967295", "Sctp-Flags": "unordered,sack_immediately"})
        assert peer.receive() == b"good"

        def failed():
            return [m for m in n.all("sctp-h1-in") if ".failed." in m[1]]
        wait_for(lambda: len(failed()) == len(bad) + 1)
        for _, subject, head, body in failed()[:-1]:
            endpoint, reason, data = sent[head["Sctp-Out-Sequence"]]
            assert subject.split(".")[3] == endpoint and head["Sctp-Reason"].startswith(reason) and body == data, (subject, head, body)
        assert failed()[-1][2]["Sctp-Reason"].startswith("einval: data: it is empty"), failed()[-1]
        peer.close()
        n.close()


def test_killed_again_and_again_the_bridge_goes_on_where_it_was(d):
    """Numbered both ways; each time it is killed at another place."""
    with bus() as servers, bridge(d, servers, N2, window=32, out_duplicates=1000) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        said = put = 0
        for kill in range(6):
            for _ in range(100 + 13 * kill):
                peer.send(b"%d" % said)
                n.put(f"sctp.h1.out.n2.{assoc}.0", b"a%d" % put)
                said, put = said + 1, put + 1
            b.kill()
            for _ in range(20):
                peer.send(b"%d" % said)
                n.put(f"sctp.h1.out.n2.{assoc}.0", b"a%d" % put)
                said, put = said + 1, put + 1
            b.start()
        assert [peer.receive() for _ in range(put)] == [b"a%d" % i for i in range(put)]
        wait_for(lambda: len(logged(n)[assoc]) == said and n.state("sctp-h1-out")["messages"] == 0)
        assert logged(n) == {assoc: [b"%d" % i for i in range(said)]}
        assert b.log_text().count("session ") == 1, b.log_text()
        peer.close()
        n.close()


@contextlib.contextmanager
def led(servers):
    """Servers of a cluster that have chosen a leader."""
    n = Nats(*servers)
    wait_for(lambda: "error" not in n.api("INFO"))
    n.close()
    yield


def restarted(n, servers):
    """Kill a server that is not the leader of the streams, which are idle, and start it again."""
    leaders = [n.api(f"STREAM.INFO.sctp-h1-{way}")["cluster"]["leader"] for way in ("in", "out")]
    s = next(s for s in servers if s.name not in leaders)
    s.kill()
    s.start()
    wait_for(lambda: all(r["current"] for way in ("in", "out") for r in n.api(f"STREAM.INFO.sctp-h1-{way}")["cluster"]["replicas"]))


def test_a_server_that_was_restarted_has_the_log_and_the_queue_that_the_others_have(d):
    """It knows nothing but what it has stored, also of ids. Who else publishes into a log with copies is named."""
    with bus(3) as servers, led(servers), bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        for i in range(20):
            peer.send(b"%d" % i)
            n.put(f"sctp.h1.out.n2.{assoc}.0", b"%d" % i, {"Nats-Msg-Id": f"a{i}"})
        assert [peer.receive() for _ in range(20)] == [b"%d" % i for i in range(20)]
        wait_for(lambda: len(logged(n).get(assoc, ())) == 20)
        restarted(n, servers)
        for i in range(20, 60):
            peer.send(b"%d" % i)
            n.put(f"sctp.h1.out.n2.{assoc}.0", b"%d" % (i - 10), {"Nats-Msg-Id": f"a{i - 10}"})
        assert [peer.receive() for _ in range(30)] == [b"%d" % i for i in range(20, 50)]
        wait_for(lambda: len(logged(n).get(assoc, ())) == 60)
        for stream in "sctp-h1-in", "sctp-h1-out":
            last = n.state(stream)["last_seq"]
            wait_for(lambda: {s.copy_of(stream)["last_seq"] for s in servers} == {last})
        n.put(f"sctp.h1.in.n2.0.{assoc}.0", b"-1")
        b.said("another program publishes on subjects of the log (sctp.h1.in.n2.0.")
        peer.send(b"60")
        wait_for(lambda: [k for k in numbers(n) if k >= 0] == list(range(61)))
        peer.close()
        n.close()


def test_many_more_events_wait_for_a_bridge_than_its_library_holds(d):
    """It asks sctpd what there is, and the answer stands behind all that peers said while it was away."""
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        up(n)
        b.kill()
        flood = Flood(peer, 10)
        while flood.said < 6000:
            assert flood.say(WAIT)
        b.start()
        b.runs(2)
        wait_for(lambda: n.state("sctp-h1-in")["messages"] >= flood.said)
        wait_for(lambda: len(numbers(n)) >= flood.said)
        assert numbers(n) == list(range(flood.said))
        peer.close()
        n.close()


# ---- back-pressure -----------------------------------------------------------


class Flood:
    """Numbered messages of a length, as fast as they are taken."""

    def __init__(self, peer, size):
        self.peer, self.size, self.said, self.waits = peer, size, 0, None
        if peer.plain:
            peer.sock.setblocking(False)

    def message(self):
        return (b"%d " % self.said).ljust(self.size, b".")

    def say(self, timeout):
        """One more; False if it is not taken within that time."""
        if self.peer.plain:
            if not select.select([], [self.peer.sock], [], timeout)[1]:
                return False
            try:
                self.peer.sock.send(self.message())
            except BlockingIOError:
                time.sleep(min(timeout, 0.01))
                return False
        else:
            c = self.peer.c
            if self.waits is None:
                self.waits = c.request("send", sock=self.peer.sock, assoc_id=self.peer.assoc, data=self.message())
            while self.waits not in c.answers:
                if not select.select([c.sock], [], [], timeout)[0]:
                    return False
                c.feed()
            c.answer(self.waits)
            self.waits = None
        self.said += 1
        return True

    def taken(self, seconds):
        """How many are taken in that time. A window that is closed still lets one through now and then, as a probe."""
        before, end = self.said, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.say(left)
        return self.said - before

    def until_blocked(self):
        while self.taken(1) > FEW:
            assert self.said < 200000, "the peer is never blocked"


def kib(sizes):
    return " and ".join(str(size // 1024) for size in sizes)


def numbers(n, host="h1"):
    """Of all messages in the log."""
    return [int(body.split()[0]) for found in logged(n, host).values() for body in found]


def test_while_the_bus_is_stopped_nothing_grows_and_afterwards_all_is_there(d):
    """Frozen, and then killed: the peer is blocked meanwhile."""
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        up(n)
        flood = Flood(peer, 1000)
        for _ in range(2000):
            assert flood.say(WAIT)
        wait_for(lambda: len(numbers(n)) == 2000)
        n.close()
        for what, stop, go in (("frozen", lambda s: s.pause(True), lambda s: s.pause(False)), ("killed", lambda s: s.kill(), lambda s: s.start())):
            loaded = b.memory(), d.memory()
            stop(servers[0])
            flood.until_blocked()
            before = b.memory(), d.memory()
            assert flood.taken(STOP) < FEW * STOP, "the peer is not blocked any more"
            after = b.memory(), d.memory()
            assert HOARDS or all(y - x < MIB for x, y in zip(before, after)), (before, after)
            go(servers[0])
            assert flood.say(WAIT * SLOW)
            print(f"NATS {what} for {STOP:.0f} s, bridge and daemon in KiB: before {kib(loaded)}, when the peer was blocked {kib(before)}, "
                  f"at the end {kib(after)}", flush=True)
        wait_for(lambda: n.state("sctp-h1-in")["messages"] >= flood.said, lambda: f"{n.state('sctp-h1-in')}, {flood.said} said, {b.log_text()}")
        wait_for(lambda: len(numbers(n)) >= flood.said, lambda: f"{len(numbers(n))} of {flood.said}, {b.log_text()}")
        assert numbers(n) == list(range(flood.said))
        assert HOARDS or b.memory() < 64 * MIB, b.memory()
        print(f"{flood.said} messages, all there and in order; afterwards {kib((b.memory(), d.memory()))}", flush=True)
        peer.close()
        n.close()


def test_a_log_that_is_full_blocks_the_peer_and_goes_on_when_there_is_room(d):
    with bus() as servers, bridge(d, servers, N2, in_max_bytes="256K") as b:
        n, peer = Nats(*servers), Peer(d)
        up(n)
        flood = Flood(peer, 1000)
        flood.until_blocked()
        b.said("maximum bytes exceeded")
        found = []
        deadline = time.monotonic() + 3 * WAIT * SLOW
        while len(found) < flood.said:
            got = n.all("sctp-h1-in")
            found += [int(body.split()[0]) for _, subject, _, body in got if len(subject.split(".")) == 7]
            for seq, *_ in got:
                n.ask("$JS.API.STREAM.MSG.DELETE.sctp-h1-in", b'{"seq":%d,"no_erase":true}' % seq)
                deadline = time.monotonic() + 3 * WAIT * SLOW
            assert time.monotonic() < deadline, (len(found), flood.said, b.log_text()[-3000:])
        wrong = next((i for i, number in enumerate(found) if i != number), None)
        assert wrong is None, (wrong, found[max(wrong - 3, 0):wrong + 3], flood.said, got[-1][:2], b.log_text())
        assert len(found) - flood.said <= 1, (len(found), flood.said)  # one may wait for its answer
        peer.close()
        n.close()


def test_a_small_log_has_room_for_the_beginning_of_many_partitions(d):
    with bus() as servers, bridge(d, servers, N2, partitions=64, in_max_bytes="64K"):
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        peer.send(b"x")
        wait_for(lambda: logged(n).get(assoc) == [b"x"])
        peer.close()
        n.close()


def test_what_was_logged_and_removed_before_anybody_knew_counts_once(d):
    """The bridge dies before it knows that five are in the log, and readers remove them. It finds that out, and dies again."""
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        last = n.state("sctp-h1-in")["last_seq"]
        wait_for(lambda: b.state_in()[1] == last)
        event, _ = b.state_in()
        servers[0].pause(True)
        for _ in range(5):
            peer.send(b"x" * 3000)
        wait_for(lambda: servers[0].unread() > 5 * 3000)
        b.kill()
        servers[0].pause(False)
        wait_for(lambda: n.state("sctp-h1-in")["last_seq"] == last + 5)
        assert n.api("STREAM.PURGE.sctp-h1-in")["success"]
        for times in (2, 3):
            b.start()
            b.runs(times)
            wait_for(lambda: b.state_in()[0] == event + 5)
            b.kill()
        b.start()
        for i in range(6):
            peer.send(b"%d" % i)
        wait_for(lambda: len(logged(n).get(assoc, ())) >= 6)
        assert logged(n) == {assoc: [b"%d" % i for i in range(6)]}
        peer.close()
        n.close()


def test_a_server_whose_copies_may_come_to_differ_is_warned_of(d):
    said = "copies of a stream may come to differ"
    with bus() as servers, bridge(d, servers, N2) as b:
        b.runs()
        assert said not in b.log_text()         # there are no copies
    with bus() as servers:
        version = Nats(*servers).version()
        b = Bridge(d, servers, N2, replicas=3)
        b.start()
        wait_for(lambda: "replicas > 1 not supported" in b.log_text() or "no suitable peers" in b.log_text())
        assert (said in b.log_text()) == (version < (2, 10, 27)), (version, b.log_text())
        b.end()


def test_a_full_log_with_copies_is_the_same_at_all_servers(d):
    """What is old is removed by each server when it sees fit."""
    with bus(3) as servers, led(servers), bridge(d, servers, N2, in_max_bytes="128K", in_max_age=1000) as b:
        n, peer = Nats(*servers), Peer(d)
        up(n)
        flood = Flood(peer, 1000)
        while b.log_text().count("maximum bytes exceeded (in_max_bytes)") < 3 or n.state("sctp-h1-in")["last_seq"] <= 200:
            flood.taken(0.5)
        wait_for(lambda: {s.copy_of("sctp-h1-in")["last_seq"] for s in servers} == {n.state("sctp-h1-in")["last_seq"]})
        # The queue's consumer may have no leader in the beginning.
        assert not [line for line in b.log_text().splitlines() if "looking where the log ends" in line and "sctp-h1-out" not in line], b.log_text()
        peer.close()
        n.close()


# ---- long messages -------------------------------------------------------------


def test_a_message_longer_than_the_servers_take_is_in_pieces_that_stand_together(d):
    with bus(extra="max_payload: 16384") as servers, bridge(d, servers, N2, window=4) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        long = [bytes([65 + i]) * (50000 + i) for i in range(6)]
        for i, data in enumerate(long):
            peer.send(data)
            peer.send(b"%d" % i)
            if i % 2:
                b.kill()
                b.start()
        wait_for(lambda: sum(map(len, logged(n).get(assoc, ()))) == sum(map(len, long)) + 6)
        messages = [(head.get("Sctp-Piece"), body) for _, s, head, body in n.all("sctp-h1-in") if len(s.split(".")) == 7]
        for i, data in enumerate(long):
            pieces = [messages.pop(0) for _ in range(-(-len(data) // (16384 - 2048)))]
            assert [p for p, _ in pieces] == [f"{k + 1}/{len(pieces)}" for k in range(len(pieces))], [p for p, _ in pieces]
            assert b"".join(body for _, body in pieces) == data
            assert messages.pop(0) == (None, b"%d" % i)
        peer.close()
        n.close()


FILL = "sctp.h1.in._.0.fill"


def fill(n, size, room):
    """Somebody else's messages, until the log has no more than so many bytes of room."""
    while n.state("sctp-h1-in")["bytes"] + room < size:
        assert "error" not in json.loads(n.ask(FILL, b"x" * min(1000, room))[1])


def test_a_message_whose_first_piece_fits_into_the_log_has_no_piece_twice(d):
    with bus(extra="max_payload: 16384") as servers, bridge(d, servers, N2, in_max_bytes="64K") as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        fill(n, 65536, 16384)
        peer.send(b"x" * 40000)
        b.said("maximum bytes exceeded", 3)
        n.api("STREAM.PURGE.sctp-h1-in", filter=FILL)
        peer.send(b"end")
        wait_for(lambda: b"end" in logged(n)[assoc])
        assert [head.get("Sctp-Piece") for _, s, head, _ in n.all("sctp-h1-in") if len(s.split(".")) == 7] == ["1/3", "2/3", "3/3", None]
        peer.close()
        n.close()


def test_a_message_may_have_more_pieces_than_the_window_has_places(d):
    """Short ones wait before it, as the bus is frozen; nothing of them or of those behind is lost or doubled."""
    with bus(extra="max_payload: 4200") as servers, bridge(d, servers, N2, window=4):
        n, c = Nats(*servers), d.client()
        sock = c.call("open", options={"active": True})["sock"]
        assoc = c.call("connect", sock=sock, addr="127.0.0.1", port=PORT)["assoc_id"]
        name, = up(n)
        sent = [b"1", b"2", b"3", b"x" * 1500000, b"4", b"y" * 1500000, b"5"]
        servers[0].pause(True)
        for data in sent[:4]:
            c.call("send", sock=sock, assoc_id=assoc, stream=0, data=data)
        wait_for(lambda: c.call("getopts", sock=sock, options=[["sctp_status", {"assoc_id": assoc}]])["options"][0][1]["unackdata"] == 0)
        servers[0].pause(False)
        for data in sent[4:]:
            c.call("send", sock=sock, assoc_id=assoc, stream=0, data=data)
        wait_for(lambda: sum(map(len, logged(n).get(name, ()))) >= sum(map(len, sent)))
        assert b"".join(logged(n)[name]) == b"".join(sent)
        n.close()


# ---- what is wrong ---------------------------------------------------------------


def test_what_is_wrong_in_the_configuration_is_named_with_its_line(d):
    with bus() as servers:
        for config, endpoints, text in (
                ({"window": 0}, N2, 'window: "0" is not a number from 1 to 65536'),
                ({"host": "a.b"}, N2, 'host: "a.b" is not a name of letters, digits, _ and -'),
                ({"storage": "tape"}, N2, "neither file nor memory"),
                ({"tls": "maybe"}, N2, "neither yes nor no"),
                ({"replica": 3}, N2, 'unknown key: "replica"'),
                ({"log_level": "loud"}, N2, "none of err, warning, notice, info, debug"),
                ({"user": "x"}, N2, "password_file need each other"),
                ({"in_max_bytes": "1G"}, N2, "bytes (K and M are understood)"),
                ({}, {}, "say which sockets to open, or what to attach to"),
                ({}, {"a.b": {"port": 1}}, 'endpoint: "a.b" is not a name'),
                ({}, {"a": {}}, "neither which port to open"),
                ({}, {"a": {"attach": "x", "port": 1}}, "attach and other keys"),
                ({}, {"a": {"type": "stream"}}, "always seqpacket"),
                ({}, {"a": {"options.active": "true"}}, "set by sctpd-nats itself"),
                ({}, {"a": {"port": "abc"}}, "endpoint a: port: got a string; it takes an integer from 0 to 65535"),
                ({}, {"a": {"port": 1, "prot": 5}}, "endpoint a: prot: unknown; there are: ip, port, type, family, options"),
                ({}, {"a": {"port": 1, "options.nothing": 1}}, "endpoint a: options.nothing: there is no such option")):
            b = Bridge(d, servers, endpoints, **config)
            status, said = b.test()
            assert status == 1 and text in said and b.conf in said, said
            b.end()
        b = Bridge(d, [], N2, replicas=1)
        assert b.test() == (1, f'sctpd-nats: {b.conf}: servers: "" names no server, such as nats://127.0.0.1:4222\n')
        with open(b.conf, "a") as f:
            f.write("endpoint x { port = 1 }\n")
        assert 'begins no endpoint: that is "endpoint NAME {"' in b.test()[1]
        b.end()
        b = Bridge(d, servers, N2)
        assert b.test() == (0, f"{b.conf}: the configuration is right\n")
        b.end()


def test_what_sctpd_does_not_open_is_named_and_tried_again(d):
    c = d.client()
    taken = c.call("open", ip="127.0.0.1", port=PORT)
    with bus() as servers:
        b = Bridge(d, servers, N2)
        b.start()
        b.said("endpoint n2 (line 8): eaddrinuse")
        c.call("close", sock=taken["sock"])
        b.said("endpoint n2: listens")
        b.end()
        close_held(d)


def certificates(folder):
    """An authority, a server's key and certificate of it, and another authority."""
    def run(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=folder)
    for name in ("ca", "other"):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "server.key", "-out", "server.csr",
        "-subj", "/CN=bus")
    with open(os.path.join(folder, "ext"), "w") as f:
        f.write("subjectAltName=IP:127.0.0.1,DNS:bus\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
        "-days", "2", "-extfile", "ext")


def wrong_then_right(d, servers, wrong, right):
    """With each wrong login there is a named error, and what to do, and nothing else; with the right one it runs."""
    for config, error in wrong:
        b = Bridge(d, servers, N2, **config)
        b.start()
        wait_for(lambda: re.search(error, b.log_text()), lambda: f"not {error!r}: {b.log_text()}")
        b.end()
        assert not d.client().call("sockets")["sockets"]
    b = Bridge(d, servers, N2, **right)
    b.start()
    b.runs()
    b.end()
    close_held(d)


NOT_TAKEN = "Authorization Violation; the servers do not take this login: see credentials, nkey, user and token_file"


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def test_a_login_that_is_wrong_is_named_and_nothing_is_opened(d):
    with bus(extra='authorization { user: "sctp", password: "right" }') as servers:
        right, wrong = (written(servers[0].dir, name, name + "\n") for name in ("right", "wrong"))
        wrong_then_right(d, servers, [({}, NOT_TAKEN), ({"user": "sctp", "password_file": wrong}, NOT_TAKEN),
                                      ({"user": "sctp", "password_file": "/nowhere"}, "/nowhere: No such file or directory")],
                         {"user": "sctp", "password_file": right})
    with bus(extra='authorization { token: "right" }') as servers:
        right, wrong, empty = (written(servers[0].dir, name, text) for name, text in (("right", "right\n"), ("wrong", "wrong\n"), ("empty", "")))
        wrong_then_right(d, servers, [({}, NOT_TAKEN), ({"token_file": wrong}, NOT_TAKEN), ({"token_file": empty}, "empty: it is empty")],
                         {"token_file": right})


def test_nkeys_and_credentials_are_taken_and_wrong_ones_are_named(d):
    with bus() as (first,):
        user, other = nkeys.Key(first.dir, "user"), nkeys.Key(first.dir, "user")
        seeds = [written(first.dir, f"seed{i}", key.seed + "\n") for i, key in enumerate((user, other))]
        none = os.path.join(first.dir, "none")
        with bus(extra=f"authorization {{ users: [ {{ nkey: {user.public} }} ] }}") as servers:
            wrong_then_right(d, servers, [({"nkey": user.public, "nkey_seed": seeds[1]}, NOT_TAKEN),
                                          ({"nkey": other.public, "nkey_seed": seeds[1]}, NOT_TAKEN),
                                          ({"nkey": user.public, "nkey_seed": none}, f"'{none}': No such file.*; see nkey and nkey_seed")],
                             {"nkey": user.public, "nkey_seed": seeds[0]})
        conf, account = nkeys.operator_mode(first.dir)
        with bus(extra=conf) as servers:
            right = nkeys.credentials(os.path.join(first.dir, "right.creds"), account, user)
            wrong = nkeys.credentials(os.path.join(first.dir, "wrong.creds"), nkeys.Key(first.dir, "account"), user)
            wrong_then_right(d, servers, [({}, NOT_TAKEN), ({"credentials": wrong}, NOT_TAKEN),
                                          ({"credentials": none}, f"'{none}': No such file.*; see credentials"),
                                          ({"credentials": first.conf}, "no nkey user seed found.*; see credentials")],
                             {"credentials": right})


def test_tls_is_verified(d):
    """By both sides."""
    with bus() as (first,):
        certificates(first.dir)
        ca, cert, key = (os.path.join(first.dir, name) for name in ("ca.pem", "server.pem", "server.key"))
        tls = f'cert_file: "{cert}", key_file: "{key}"'
        see = "; see tls_ca, tls_cert, tls_key and tls_hostname"
        with bus(extra=f"tls {{ {tls} }}") as servers:
            wrong_then_right(d, servers, [({"tls_ca": f"{first.dir}/other.pem"}, "unable to get local issuer certificate.*" + see),
                                          ({"tls_ca": ca, "tls_hostname": "elsewhere"}, "(SSL|certificate).*" + see),
                                          ({"tls_ca": "/nowhere"}, "SSL.*" + see),
                                          ({}, "unable to get local issuer certificate.*" + see)],
                             {"tls_ca": ca, "tls_hostname": "bus"})
        with bus(extra=f'tls {{ {tls}, ca_file: "{ca}", verify: true }}') as servers:
            wrong_then_right(d, servers, [({"tls_ca": ca}, see), ({"tls_ca": ca, "tls_cert": cert, "tls_key": f"{first.dir}/other.key"}, see)],
                             {"tls_ca": ca, "tls_cert": cert, "tls_key": key})
        wrong_then_right(d, [first], [({"tls_ca": ca}, "the servers have no TLS: remove tls")], {})


def test_a_stream_that_is_not_ours_or_does_not_fit_is_left_alone_and_named(d):
    with bus() as servers:
        n = Nats(*servers)
        b = Bridge(d, servers, N2, in_max_bytes="8192M")
        b.start()
        b.said("insufficient storage resources available (JetStream error 10047); set smaller in_max_bytes and out_max_bytes")
        b.end()
        n.api("STREAM.CREATE.sctp-h1-in", name="sctp-h1-in", subjects=["sctp.h1.in.>"], retention="interest", storage="memory")
        b = Bridge(d, servers, N2)
        b.start()
        b.said("the stream sctp-h1-in is there, and not as sctpd-nats makes it")
        assert not d.client().call("sockets")["sockets"]
        assert n.api("STREAM.INFO.sctp-h1-in")["config"]["retention"] == "interest"
        n.api("STREAM.DELETE.sctp-h1-in")
        b.runs()
        b.end()
        close_held(d)
        n.close()


def test_who_else_publishes_to_the_log_is_named_and_nothing_is_lost(d):
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        lies = [{}, {"Nats-Msg-Id": "liar"}, {"Nats-Msg-Id": f"{assoc.split('-')[1]}-9999999"}]
        for i in range(60):
            peer.send(b"%d" % i)
            if i % 20 == 10:
                n.put(f"sctp.h1.in.n2.0.{assoc}.0", b"-1", lies.pop())
        b.said("another program publishes on subjects of the log")
        wait_for(lambda: len(numbers(n)) == 63)
        assert [k for k in numbers(n) if k >= 0] == list(range(60))
        assert b.log_text().count("session ") == 1, b.log_text()
        peer.close()
        n.close()


def test_the_partitions_have_consumers_only_if_that_is_set(d):
    def consumers():
        return {c["name"]: c["config"]["max_ack_pending"] for c in n.api("CONSUMER.LIST.sctp-h1-in")["consumers"]}

    with bus() as servers:
        n = Nats(*servers)
        for set_, there in (({}, {}), ({"part_consumers": "yes", "part_pending": 3}, {f"part-{i}": 3 for i in range(16)}),
                            ({"part_consumers": "no"}, {f"part-{i}": 3 for i in range(16)})):
            with bridge(d, servers, N2, **set_) as b:
                if set_.get("part_consumers") == "yes":
                    b.said(CONSUMERS)
                assert consumers() == there
            close_held(d)
        n.api("STREAM.DELETE.sctp-h1-in")
        with bridge(d, servers, N2, part_consumers="yes") as b:
            b.said(CONSUMERS)
            assert consumers() == {f"part-{i}": 1 for i in range(16)}
            # The stream is another one, and there, when the bridge looks again.
            made = n.api("STREAM.INFO.sctp-h1-in")["config"]
            n.api("STREAM.DELETE.sctp-h1-in")
            assert "error" not in n.api("STREAM.CREATE.sctp-h1-in", **made)
            peer = Peer(d)
            b.said(CONSUMERS, 2)
            assert consumers() == {f"part-{i}": 1 for i in range(16)}
            peer.close()
        n.close()


def test_consumers_that_take_long_to_make_or_cannot_be_made_hold_up_nothing(d):
    """Three servers need half a second for one, and all of them longer than sctpd holds the sockets."""
    with bus(3) as servers:
        n = Nats(*servers)
        b = Bridge(d, servers, N2, hold_time=10000, partitions=40)
        b.start()
        b.runs()
        peer = Peer(d)
        up(n)
        b.end()
        foreign = {"durable_name": "part-1", "ack_policy": "none", "deliver_policy": "all"}
        assert "error" not in n.api("CONSUMER.DURABLE.CREATE.sctp-h1-in.part-1", stream_name="sctp-h1-in", config=foreign)
        later = Bridge(d, servers, N2, hold_time=10000, partitions=40, state_dir=b.dir, part_consumers="yes")
        later.start()
        later.said("the consumer part-1 of sctp-h1-in cannot be made")
        assert "another program made one of that name: remove it" in later.log_text()
        peer.send(b"7")
        wait_for(lambda: 7 in numbers(n))
        n.api("CONSUMER.DELETE.sctp-h1-in.part-1")
        wait_for(lambda: "error" not in n.api("CONSUMER.INFO.sctp-h1-in.part-2"))
        assert "session " not in later.log_text(), later.log_text()    # neither over nor begun
        later.end()
        close_held(d)
        peer.close()
        n.close()


def test_a_consumer_of_the_queue_that_somebody_removed_is_made_again(d):
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        for i in range(2):
            n.put(f"sctp.h1.out.n2.{assoc}.0", b"%d" % i)
            assert peer.receive() == b"%d" % i
            assert n.api("CONSUMER.DELETE.sctp-h1-out.bridge")["success"]
        b.runs(3)
        peer.close()
        n.close()


def test_a_message_of_the_queue_that_was_delivered_and_did_not_come_is_missed(d):
    """Somebody else took it, and nothing follows that would show the gap."""
    consumer = "CONSUMER.INFO.sctp-h1-out.bridge"
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        n.put(f"sctp.h1.out.n2.{assoc}.0", b"0")
        assert peer.receive() == b"0"
        halt(b.process.pid)
        wait_for(lambda: n.api(consumer)["num_waiting"] == 0)
        n.put(f"sctp.h1.out.n2.{assoc}.0", b"1")
        n.publish("$JS.API.CONSUMER.MSG.NEXT.sctp-h1-out.bridge", b'{"batch":1,"expires":2000000000}', n.inbox + ".thief")
        assert n.receive()[3] == b"1"
        b.process.send_signal(signal.SIGCONT)
        assert peer.receive() == b"1"
        b.said("a message of the queue was lost on its way here")
        peer.close()
        n.close()


def counted(b, name):
    """As the metrics of this bridge say, which are written every 5 s and at its end."""
    path = os.path.join(b.dir, "metrics")
    if not os.path.exists(path):
        return 0
    with open(path, encoding="ascii") as f:
        return int(re.search(rf"^sctpd_nats_{name}_total{{host=\"h1\"}} (\d+)$", f.read(), re.M)[1])


def test_what_somebody_removed_from_the_queue_is_named_and_what_follows_is_sent(d):
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        n.put(f"sctp.h1.out.n2.{assoc}.0", b"0")
        assert peer.receive() == b"0"
        b.kill()
        seqs = [n.put(f"sctp.h1.out.n2.{assoc}.0", b"%d" % i) for i in range(1, 8)]
        for seq in *seqs[1:4], seqs[5]:
            assert n.api("STREAM.MSG.DELETE.sctp-h1-out", seq=seq)["success"]
        b.start()
        assert [peer.receive() for _ in range(3)] == [b"1", b"5", b"7"]
        for first, last in (seqs[1], seqs[3]), (seqs[5], seqs[5]):
            b.said(f"messages {first} to {last} of the queue sctp-h1-out are not sent: they were removed from it, or a bridge with another state_dir had them")
        b.end()
        assert counted(b, "out_removed") == 4
        peer.close()
        n.close()


def test_what_the_server_removed_from_a_full_queue_is_named(d):
    """nats-server 2.9 does that for a message that almost fits, and says nothing; later ones refuse that message."""
    with bus() as servers, bridge(d, servers, N2, out_max_bytes="64K") as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        b.kill()
        taken = []
        for size in (*[2000] * 40, *range(2000, 1000, -37)):
            _, body = n.ask(f"sctp.h1.out.n2.{assoc}.0", b"%*d" % (size, len(taken)))
            if "error" not in json.loads(body):
                taken.append(size)
        gone = n.state("sctp-h1-out")["first_seq"] - 1
        b.start()
        assert [int(peer.receive()) for _ in taken[gone:]] == list(range(gone, len(taken)))
        if gone:
            b.said(f"messages 1 to {gone} of the queue sctp-h1-out are not sent: they were removed from it")
        b.end()
        assert counted(b, "out_removed") == gone
        peer.close()
        n.close()


def test_what_was_sent_and_then_removed_is_not_taken_for_what_follows(d):
    """The bridge dies while sctpd, which stands still, has not confirmed anything; then somebody empties the queue. The next
    bridge passes over what sctpd had, and over nothing else."""
    with bus() as servers, bridge(d, servers, N2) as b:
        n, peer = Nats(*servers), Peer(d)
        assoc, = up(n)
        with d.asleep():
            for i in range(3):
                n.put(f"sctp.h1.out.n2.{assoc}.0", b"%d" % i)
            wait_for(lambda: counted(b, "out_taken") == 3)
            b.kill()
        assert [peer.receive() for _ in range(3)] == [b"0", b"1", b"2"]
        lost = n.put(f"sctp.h1.out.n2.{assoc}.0", b"never read")
        assert n.api("STREAM.PURGE.sctp-h1-out")["purged"] == 4
        for i in range(3, 6):
            n.put(f"sctp.h1.out.n2.{assoc}.0", b"%d" % i)
        b.start()
        assert [peer.receive() for _ in range(3)] == [b"3", b"4", b"5"]
        b.said(f"messages {lost} to {lost} of the queue sctp-h1-out are not sent: they were removed")
        peer.close()
        n.close()


def test_a_state_that_is_anothers_ends_the_program_with_the_reason(d):
    with bus() as servers, bridge(d, servers, N2) as b:
        second = Bridge(d, servers, N2, state_dir=b.dir)
        second.start()
        assert second.process.wait(WAIT * SLOW) == 1 and f"another sctpd-nats uses {b.dir}" in second.log_text()
        state = os.path.join(b.dir, "state")
        with open(state) as f:
            text = f.read()
        for wrong, said in ((text.replace("state 1", "state 2"), "another version's"), (text.replace("host h1", "host h7"), "is the state of host h7"),
                            ("", "another version's")):
            other = Bridge(d, servers, N2)
            with open(os.path.join(other.dir, "state"), "w") as f:
                f.write(wrong)
            other.start()
            assert other.process.wait(WAIT * SLOW) == 1 and said in other.log_text(), other.log_text()


# ---- endpoints ---------------------------------------------------------------------


def test_a_supervised_association_is_an_endpoint(d):
    """The bridge is killed as well: what it had not handled comes once."""
    c = d.client("owner")
    listener = c.call("open", ip="127.0.0.1", options={"active": True})
    c.call("listen", sock=listener["sock"])
    c.call("supervise", name="hlr1", local="127.0.0.1", peer=["127.0.0.1"], peer_port=listener["port"])
    with bus() as servers, bridge(d, servers, {"hlr": {"attach": "hlr1"}}, window=8) as b:
        n = Nats(*servers)
        assoc, = up(n)
        there = c.event("sctp_assoc_change", state="comm_up")["assoc_id"]
        said = 0
        for kill in range(4):
            for _ in range(50 + kill):
                c.call("send", sock=listener["sock"], assoc_id=there, data=b"%d" % said)
                n.put(f"sctp.h1.out.hlr.{assoc}.0", b"%d" % said)
                said += 1
            b.kill()
            b.start()
        assert [int(c.event("data")["data"]) for _ in range(said)] == list(range(said))
        wait_for(lambda: len(numbers(n)) >= said)
        assert numbers(n) == list(range(said))
        n.close()
    c.call("unsupervise", name="hlr1")


def test_a_socket_that_an_administrator_closed_is_opened_again(d):
    with bus() as servers, bridge(d, servers, N2) as b:
        n, c = Nats(*servers), d.client()
        first, = c.call("sockets")["sockets"]
        c.call("close", sock=first["sock"])
        b.said("endpoint n2: listens", 2)
        peer = Peer(d)
        up(n)
        assert any(s.endswith(".event.sctp_closed") for _, s, _, _ in n.all("sctp-h1-in"))
        peer.close()
        n.close()


# ---- the programs of client-lib/nats/examples -----------------------------------------


def consumers(folder):
    """{language: command} of those that can be built here."""
    found, run = {"python": ["/usr/bin/python3", os.path.join(EXAMPLES, "consumer.py")]}, {"check": True, "capture_output": True}
    c, go = os.path.join(folder, "c"), os.path.join(folder, "go")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", c, os.path.join(EXAMPLES, "consumer.c"), "-lnats"], **run)
    found["c"] = [c]
    if shutil.which("go") and os.path.exists("/usr/share/gocode/src/github.com/nats-io/nats.go"):
        cache = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": os.path.join(BUILD, "go", "nats-cache")}
        subprocess.run(["go", "build", "-o", go, os.path.join(EXAMPLES, "consumer.go")], env={**os.environ, **cache}, **run)
        found["go"] = [go]
    return found


def test_the_examples_take_a_partition_answer_die_and_come_back_without_doubling(d):
    with bus() as servers, bridge(d, servers, N2, partitions=1, part_consumers="yes", part_wait=500) as b:
        n, peer, said = Nats(*servers), Peer(d), 0
        up(n)
        b.said(CONSUMERS)
        commands = consumers(b.dir)
        for language, command in commands.items():
            address = servers[0].url if language != "python" else f"127.0.0.1:{servers[0].port}"
            for _ in range(3):
                for _ in range(20):
                    peer.send(b"%d" % said)
                    said += 1
                p = subprocess.Popen([*command, address, "h1", "0"])
                try:
                    wait_for(lambda: n.state("sctp-h1-out")["last_seq"] > said - 10)
                    assert p.poll() is None, f"{language}: {p.returncode}"
                finally:
                    p.kill()
                    p.wait(WAIT)
            p = subprocess.Popen([*command, address, "h1", "0"])
            wait_for(lambda: n.state("sctp-h1-out")["last_seq"] >= said)
            p.kill()
            p.wait(WAIT)
        assert [int(peer.receive()) for _ in range(said)] == list(range(said))
        assert n.state("sctp-h1-out")["last_seq"] == said
        print(f"examples in {', '.join(commands)}", flush=True)
        peer.close()
        n.close()
