# SPDX-License-Identifier: BSD-2-Clause
"""sctpd-nats, the bridge to NATS JetStream: real servers, and messages that are numbered both ways."""
import json
import os
import socket

from harness import STACK, wait_for
from nats import Nats, bridge, bus
from rpc import WAIT

PORT = 38412
N2 = {"n2": {"ip": "127.0.0.1", "port": PORT}}
SCTP = 132


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
    with bus() as servers, bridge(d, servers, N2, partitions=4):
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
    with bus() as servers, bridge(d, servers, N2, window=32) as b:
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
