# SPDX-License-Identifier: BSD-2-Clause
"""The daemon dies at given instants, by itself, and another takes over: what
was taken from the kernel is given once, and what it took is answered once."""
import contextlib
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import time

import msgpack

from check import allow_interleaving, answer_code, only, option, recv, send, setopt
from harness import BUILD, SLOW, Skip, associate, halt, round_trip, wait_for
from rpc import WAIT, Client, RpcError
from test_auth import plain_peer as keyed_peer
from test_auth import required
from test_keeper import Own
from through import Session, Through

SCTP = 132
FAULTY = os.path.join(BUILD, "fault", "sctpd")
ASSOCIATIONS = int(os.environ.get("TEST_ASSOCIATIONS", "5000"))


class Faulty(Own):
    """A keeper whose daemon dies where it is told to."""

    def __init__(self, program=FAULTY, die_at=(), **config):
        if not os.path.exists(program):
            raise Skip(f"there is no {os.path.relpath(program)}; build it: make build/fault/sctpd")
        self.fault = tempfile.mktemp(prefix="sctpd-fault-")
        os.environ["SCTPD_FAULT"] = self.fault
        if die_at:
            self.die_at(*die_at)
        super().__init__(program, **config)
        del os.environ["SCTPD_FAULT"]

    def die_at(self, place, n=1):
        """It will, when it comes there for the nth time."""
        with open(self.fault + "+", "w") as f:
            f.write(f"{place} {n}\n")
        os.rename(self.fault + "+", self.fault)

    def deaths(self):
        return self.log_text().count("died of signal 9")

    def __exit__(self, *why):
        if os.path.exists(self.fault):
            os.unlink(self.fault)
        if why[0] is not None:
            print("\n".join(self.log_text().splitlines()[-40:]), flush=True)
        super().__exit__(*why)


def dies_and_nothing_is_lost(place, times=15):
    with Faulty() as k:
        k.ready()
        with Through(k.path, every=0.002) as t:
            t.wait()
            for n in range(1, times + 1):
                k.die_at(place, n)
                wait_for(lambda n=n: k.deaths() == n or t.failed)
                t.wait(5)
        print(f"        {t}, died {k.deaths()} times", flush=True)
        assert k.deaths() == times


def test_right_after_recvmmsg(d):
    dies_and_nothing_is_lost("recvmmsg")


def test_right_after_sendmmsg(d):
    dies_and_nothing_is_lost("sendmmsg")


def test_before_a_commit(d):
    dies_and_nothing_is_lost("uncommitted")


def test_in_a_commit(d):
    dies_and_nothing_is_lost("committed")


def test_after_a_commit_and_before_the_client_is_told(d):
    dies_and_nothing_is_lost("applied")


def test_a_turn_in_which_many_associations_had_a_message_each(d):
    """They share a transaction: it is lost whole, and all of them are read again."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        peers = {}
        for _ in range(40):
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peer.connect(("127.0.0.1", there["port"]))
            peers[s.event("sctp_assoc_change", state="comm_up")["assoc_id"]] = peer
        for n, (place, nth) in enumerate([("recvmmsg", 5), ("recvmmsg", 31), ("uncommitted", 1), ("committed", 1)]):
            k.die_at(place, nth)
            for at, peer in enumerate(peers.values()):
                peer.send(b"%d %d" % (n, at))
            got = {}
            for _ in peers:
                e = s.event("data")
                at = e["sctp_sndrcvinfo"]["assoc_id"]
                assert at not in got, "twice"
                got[at] = e["data"]
            assert list(map(got.get, peers)) == [b"%d %d" % (n, at) for at in range(len(peers))]
            wait_for(lambda n=n: k.deaths() == n + 1)
        for peer in peers.values():
            peer.close()
        s.close()


def test_the_first_message_of_an_association_that_came_up_in_the_same_turn(d):
    """Beside one that was up before, so that both are read in one turn."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])

        def daemon():  # asked of nobody: a client that goes is a commit
            with open(f"/proc/{k.process.pid}/task/{k.process.pid}/children", encoding="ascii") as f:
                return int(f.read())

        def peer():
            p = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            p.connect(("127.0.0.1", there["port"]))
            return p

        old = peer()
        s.event("sctp_assoc_change", state="comm_up")
        for n in range(1, 5):   # it reads four times
            pid, deaths = daemon(), k.deaths()
            halt(pid)
            k.die_at("recvmmsg", n)
            new = peer()
            new.send(b"new")
            old.send(b"old")
            os.kill(pid, signal.SIGCONT)
            up = s.event("sctp_assoc_change", state="comm_up")
            got = [s.event("data") for _ in range(2)]
            assert sorted(e["data"] for e in got) == [b"new", b"old"], got
            new.close()
            s.event("sctp_assoc_change", state="shutdown_comp", assoc_id=up["assoc_id"])
            wait_for(lambda deaths=deaths: k.deaths() == deaths + 1)
        old.close()
        s.close()


def ends(place, nth, abort, n=1):
    """The daemon dies in the turn in which n associations end."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        peers = {}
        for _ in range(n):
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peer.connect(("127.0.0.1", there["port"]))
            peers[s.event("sctp_assoc_change", state="comm_up")["assoc_id"]] = peer
        k.die_at(place, nth)
        for peer in peers.values():
            if abort:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
        end = {"state": "comm_lost", "error": 12} if abort else {"state": "shutdown_comp"}
        for assoc_id in peers:
            s.event("sctp_assoc_change", assoc_id=assoc_id, **end)
        wait_for(lambda: k.deaths() == 1)
        again = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        again.connect(("127.0.0.1", there["port"]))
        s.event("sctp_assoc_change", state="comm_up")
        again.close()
        s.close()


def test_an_association_that_was_just_aborted(d):
    ends("uncommitted", 1, True)


def test_an_association_that_was_just_shut_down(d):
    ends("uncommitted", 1, False)


def test_many_associations_that_were_just_aborted(d):
    ends("recvmmsg", 5, True, 6)


def test_a_message_too_long_before_its_end_ends_no_more_than_its_association(d):
    """The peer shuts down behind it, while what is ours is not acknowledged: it is aborted
    in the middle of being read, and its descriptor is not asked for anything any more."""
    with Faulty(max_message=100000) as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", type="stream")
        s.call("listen", sock=there["sock"])
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        peer.connect(("127.0.0.1", there["port"]))
        sock = s.call("accept", sock=there["sock"], timeout=WAIT * 1000)["accepted"]
        for _ in range(40):
            s.notify("send", sock=sock, data=bytes(50000))
        peer.send(bytes(200000))
        peer.shutdown(socket.SHUT_WR)
        wait_for(lambda: option(s, sock, "sctp_status")["state"] == "shutdown_received")
        s.call("setopts", sock=sock, options={"active": True})
        s.event("sctp_closed", sock=sock)
        assert "message over max_message" in k.log_text()
        assert k.deaths() == 0 and "restart" not in k.log_text()
        peer.close()
        s.close()


def test_an_association_that_its_owner_just_peeled_off(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        peer.settimeout(WAIT)
        peer.connect(("127.0.0.1", there["port"]))
        up = s.event("sctp_assoc_change", state="comm_up")
        k.die_at("uncommitted")
        sock = s.call("peeloff", sock=there["sock"], assoc_id=up["assoc_id"])["sock"]
        wait_for(lambda: k.deaths() == 1)
        s.call("setopts", sock=sock, options={"active": True})
        peer.send(b"still")
        assert s.event("data", sock=sock)["data"] == b"still"
        s.call("send", sock=sock, data=b"here")
        assert peer.recv(10) == b"here"
        peer.close()
        s.close()


def test_an_association_that_was_just_peeled_off(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        for n in range(1, 6):
            k.die_at("peeloff")
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peer.connect(("127.0.0.1", there["port"]))
            up = s.event("sctp_assoc_change", state="comm_up")
            wait_for(lambda n=n: k.deaths() == n)
            peer.send(b"x")
            assert s.event("data")["data"] == b"x"
            s.call("send", sock=there["sock"], assoc_id=up["assoc_id"], data=b"y")
            peer.settimeout(WAIT)
            assert peer.recv(10) == b"y"
            peer.close()
            s.event("sctp_assoc_change", state="shutdown_comp")
        s.close()


def test_an_authenticated_association_that_was_just_peeled_off(d):
    """It has AUTH, which the next process sees as well; and what the socket requires outlives a death."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True, **required()})
        s.call("listen", sock=there["sock"])
        for n in range(1, 4):
            k.die_at("peeloff")
            with keyed_peer(there["port"]) as peer:
                up = s.event("sctp_assoc_change", state="comm_up")
                wait_for(lambda n=n: k.deaths() == n)
                peer.send(b"x")
                assert s.event("data")["data"] == b"x"
                s.call("send", sock=there["sock"], assoc_id=up["assoc_id"], data=b"y")
                assert peer.recv(10) == b"y"
            s.event("sctp_assoc_change", state="shutdown_comp")
            with contextlib.suppress(OSError), keyed_peer(there["port"], auth=False) as peer:
                while True:
                    peer.send(b"from one without AUTH")
        with keyed_peer(there["port"]) as peer:
            s.event("sctp_assoc_change", state="comm_up")   # and none of those between
        s.close()


def test_an_association_that_was_just_accepted(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", type="stream")
        s.call("listen", sock=there["sock"])
        for n in range(1, 4):
            k.die_at("accept")
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peer.settimeout(WAIT)
            peer.connect(("127.0.0.1", there["port"]))
            got = s.call("accept", sock=there["sock"])
            wait_for(lambda n=n: k.deaths() == n)
            assert got["from"]["port"] == peer.getsockname()[1]
            s.call("send", sock=got["accepted"], data=b"y")
            assert peer.recv(10) == b"y"
            peer.close()
            s.call("close", sock=got["accepted"])
        s.close()


def test_a_connect_that_had_just_begun(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        for n, method in enumerate(("connect", "connect_init", "connect"), 1):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            here = s.call("open", ip="127.0.0.1")["sock"]
            k.die_at("connectx")
            up = s.call(method, sock=here, addr="127.0.0.1", port=listener.getsockname()[1])
            wait_for(lambda n=n: k.deaths() == n)
            peer, _ = listener.accept()
            s.call("send", sock=here, assoc_id=up["assoc_id"], data=b"y")
            peer.settimeout(WAIT)
            assert peer.recv(10) == b"y"
            peer.close()
            listener.close()
            s.call("close", sock=here)
        s.close()


def test_a_connect_of_a_stream_socket(d):
    """The daemon dies in its midst, or right after it began; it is asked for again."""
    for place in (None, "connectx"):
        with Faulty() as k:
            pid = k.ready()
            s, other = Session(k.path, "s"), Session(k.path, "other")
            there = other.call("open", ip="127.0.0.1")
            other.call("listen", sock=there["sock"])
            here = s.call("open", ip="127.0.0.1", type="stream")["sock"]
            with round_trip(400):
                if place:
                    k.die_at(place)
                asked = s.request("connect", sock=here, addr="127.0.0.1", port=there["port"])
                if not place:
                    other.call("status")
                    os.kill(pid, signal.SIGKILL)
                up = s.answer(asked)
            assert up["state"] == "comm_up" and k.deaths() == 1
            recv(other, there["sock"], "sctp_assoc_change", state="comm_up")
            s.call("send", sock=here, data=b"x")
            assert recv(other, there["sock"])["data"] == b"x"
            assert only(s.call("assocs")["assocs"], sock=here)["assoc_id"] == up["assoc_id"]
            assert s.call("eof", sock=here) == {}
            assert recv(s, here)["state"] == "shutdown_comp"
            s.close()
            other.close()


def test_a_send_that_waits_for_room(d):
    """It is asked for again, by who has no answer; each message arrives once."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        here = s.call("open", ip="127.0.0.1")["sock"]
        up = s.call("connect", sock=here, addr="127.0.0.1", port=listener.getsockname()[1])
        peer, _ = listener.accept()
        peer.settimeout(WAIT)
        n = 0
        while len(s.unanswered) < 6:
            s.request("send", sock=here, assoc_id=up["assoc_id"], data=n.to_bytes(4, "big") * 25000)
            s.call("status")
            n += 1
        os.kill(pid, signal.SIGKILL)
        s.call("status")
        got = []
        while len(got) < n:
            data, more = b"", True
            while more:
                part, _, flags, _ = peer.recvmsg(1 << 20)
                data += part
                more = not flags & socket.MSG_EOR
            assert data == data[:4] * 25000
            got.append(int.from_bytes(data[:4], "big"))
        assert got == list(range(n))
        while s.unanswered:
            s.feed()
        s.close()


def plain_peer(s, type="seqpacket", **options):
    """A socket of the session's, associated with the kernel's own: (socket, id, the peer's)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    here = s.call("open", ip="127.0.0.1", type=type, options={"on_owner_exit": "hold", **options})["sock"]
    up = s.call("connect", sock=here, addr="127.0.0.1", port=listener.getsockname()[1])
    peer, _ = listener.accept()
    peer.settimeout(WAIT)
    listener.close()
    return here, up["assoc_id"], peer


def arrive_once(k, s, where, n):
    """So many numbered messages that wait, though the daemon dies twice right after
    the kernel took some. Nobody is answered what was not asked."""
    here, here_id, peer = where
    got = []
    for deaths in (1, 2):
        k.die_at("sendmmsg")
        while k.deaths() < deaths:
            got.append(peer.recv(2000))
        s.call("status")
    s.taken("send", sock=here, assoc_id=here_id, data=b"last")
    while not got or got[-1] != b"last":
        got.append(peer.recv(2000))
    assert [int.from_bytes(g[:4], "big") for g in got[:-1]] == list(range(n))
    assert not s.strangers, s.strangers
    peer.close()
    s.close()


def test_notifications_that_wait_are_sent_once_though_the_daemon_dies_when_room_comes(d):
    """It dies twice, right after the kernel has taken some of them. Nobody is
    answered what was not asked, and the next notification is still the next."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        n = 0
        while s.call("getstat", sock=here)["send_pend"] < 200000:
            for _ in range(100):
                s.taken("send", sock=here, assoc_id=here_id, data=n.to_bytes(4, "big") * 250)
                n += 1
        arrive_once(k, s, (here, here_id, peer), n)


def test_requests_and_notifications_that_wait_keep_their_order(d):
    """Killed, the next daemon is asked for the requests again, and not for the notifications."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        n = 0
        while s.call("getstat", sock=here)["send_pend"] < 200000:
            for _ in range(100):
                say = s.taken if n % 3 else s.request
                say("send", sock=here, assoc_id=here_id, data=n.to_bytes(4, "big") * 250)
                n += 1
        os.kill(pid, signal.SIGKILL)
        s.call("status")
        got = [int.from_bytes(peer.recv(2000)[:4], "big") for _ in range(n)]
        assert got == list(range(n))
        for msgid in list(s.unanswered):
            s.answer(msgid)
        peer.close()
        s.close()


def test_and_when_the_connection_breaks_and_comes_back(d):
    """The daemon lives. Some are answered while the client is away, some when it is back."""
    with Own() as k:
        k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        n, got = 0, []
        for _ in range(3):
            while s.call("getstat", sock=here)["send_pend"] < 200000:
                for _ in range(100):
                    say = s.taken if n % 3 else s.request
                    say("send", sock=here, assoc_id=here_id, data=n.to_bytes(4, "big") * 250)
                    n += 1
            s.sock.close()
            for _ in range(150):
                got.append(int.from_bytes(peer.recv(2000)[:4], "big"))
            s.come_back()
        while len(got) < n:
            got.append(int.from_bytes(peer.recv(2000)[:4], "big"))
        assert got == list(range(n))
        for msgid in list(s.unanswered):
            s.answer(msgid)
        assert s.call("getstat", sock=here)["send_cnt"] == n
        peer.close()
        s.close()


def test_what_was_answered_while_it_waited_is_sent_once(d):
    """With non_block_send: see test_stuck.py."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s, non_block_send=True, high_msgq_watermark=200000)
        n, answered = 0, True
        while answered:
            try:
                s.call("send", sock=here, assoc_id=here_id, data=n.to_bytes(4, "big") * 250)
                n += 1
            except RpcError as e:
                assert e.code == "eagain"
                answered = False
        arrive_once(k, s, (here, here_id, peer), n)


def test_what_others_are_told_in_the_middle_of_writing_is_in_the_journal_first(d):
    """One client is written to, so that its next request is read, which gives a
    socket to a session that is next in the list; and then the daemon dies."""
    with Faulty(client_queue=65536) as k:
        pid = k.ready()
        b, a = Session(k.path, "b"), Client(k.path, "a")
        socks = [a.call("open")["sock"] for _ in range(40)]
        a.sock.sendall(b"".join(msgpack.packb([0, 1000 + i, "describe", []]) + msgpack.packb(
            [0, 2000 + i, "controlling_process", [{"sock": sock, "client": b.client}]])
            for i, sock in enumerate(socks)))
        wait_for(lambda: only(b.call("clients")["clients"], client=a.id)["queued"] >= 65536)
        b.events.clear()
        halt(pid)
        k.die_at("written", 2)
        a.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while a.sock.recv(1 << 20):
                pass
        answer = b.request("status")
        os.kill(pid, signal.SIGCONT)
        b.answer(answer)
        wait_for(lambda: k.deaths() == 1)
        for _ in range(3):
            b.call("status")
        b.close()
        a.close()


def test_it_dies_at_its_very_start_and_what_comes_after_outlives_it(d):
    """Between giving one thing to the keeper and the next."""
    for n in (1, 2, 3):
        with Faulty(die_at=("stored", n)) as k:
            pid = k.ready()
            assert k.deaths() == 1
            for _ in range(3):
                with Through(k.path, every=0.002) as t:
                    t.wait()
                    os.kill(pid, signal.SIGKILL)
                    t.wait()
                pid = k.next_child(pid)


def test_what_was_accepted_and_found_again_leaves_nothing_in_the_queues(d):
    """It is parked once: closed, no queue has it any more."""
    with Faulty() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", type="stream", options={"on_owner_exit": "hold"})
        s.call("listen", sock=there["sock"])
        k.die_at("accept")
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        peer.connect(("127.0.0.1", there["port"]))
        got = s.call("accept", sock=there["sock"])["accepted"]
        wait_for(lambda: k.deaths() == 1)
        peer.close()
        s.call("setopts", sock=got, options={"active": True})
        s.event("sctp_closed", sock=got)
        s.call("close", sock=got)
        os.kill(k.next_child(pid), signal.SIGKILL)
        s.call("status")
        assert re.findall("journal: restored.* closed=([0-9]+)", k.log_text())[-1] == "0", k.log_text()
        s.close()


def test_queues_that_are_not_needed_any_more_are_given_up(d):
    """Some hundred sockets want several; afterwards there are as many descriptors as before."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")

        def descriptors():
            return len(os.listdir(f"/proc/{pid}/fd"))

        s.call("close", sock=s.call("open")["sock"])  # the first queue stays
        before = descriptors()
        for _ in range(3):
            socks = [s.call("open", options={"on_owner_exit": "hold"})["sock"] for _ in range(650)]
            many = descriptors()
            for sock in socks:
                s.call("close", sock=sock)
            wait_for(lambda: descriptors() == before)
            assert many > before + 650
            kept = s.call("open", options={"on_owner_exit": "hold"})["sock"]
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            s.call("close", sock=kept)
            assert descriptors() == before
        s.close()


def test_an_abort_that_could_not_be_answered_costs_no_session(d):
    """The session's only socket is one-to-one, and its descriptor is gone."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        here, _, peer = plain_peer(s, type="stream")
        s.call("setopts", sock=here, options={"active": True})
        k.die_at("abort")
        assert answer_code(s, s.request("abort", sock=here)) == "epipe"
        s.event("sctp_assoc_change", sock=here, state="comm_lost")
        s.event("sctp_closed", sock=here)
        assert "lost: its descriptor did not outlive the daemon before, peer=" in k.log_text()
        s.call("close", sock=here)
        peer.close()
        s.close()


def test_a_message_of_which_only_the_beginning_had_come(d):
    """A long one is read in pieces, and the daemon dies between them."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        helper = subprocess.Popen(["/usr/bin/python3", "-c", f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, {SCTP})
s.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
s.connect(("127.0.0.1", {there["port"]}))
for i in range(20):
    s.send(bytes([i]) * (1 << 20))
s.recv(1)
"""])
        for i in range(20):
            k.die_at("recvmmsg", 1 + i % 2)
            data = s.event("data")["data"]
            assert len(data) == 1 << 20 and data == bytes([i]) * len(data)
        assert k.deaths() > 5, k.deaths()
        helper.kill()
        helper.wait()
        s.close()


def test_events_that_wait_for_a_passive_owner(d):
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1")
        s.call("listen", sock=there["sock"])
        peers = []
        for _ in range(5):
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peer.connect(("127.0.0.1", there["port"]))
            peers.append(peer)
        for peer in peers[:2]:
            peer.close()
        wait_for(lambda: only(s.call("sockets")["sockets"], sock=there["sock"])["associations"] >= 3)
        os.kill(pid, signal.SIGKILL)
        got = [recv(s, there["sock"]) for _ in range(9)]
        ups = [e["assoc_id"] for e in got if e.get("state") == "comm_up"]
        downs = [e["assoc_id"] for e in got if e.get("state") == "shutdown_comp"]
        assert len(set(ups)) == 5 and sorted(downs) == sorted(ups[:2]), got
        for peer in peers:
            peer.close()
        s.close()


def test_the_next_process_lists_the_same_paths(d):
    """And what changed since; of peers that agreed to that and of one that did not."""
    agreed = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1}}
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "paths")
        socks = []
        for options in agreed, {}:
            there = s.call("open", ip=["127.0.0.1", "127.0.0.2"], options=options)
            s.call("listen", sock=there["sock"])
            here = s.call("open", ip="127.0.0.3", options=options)["sock"]
            s.call("connect", sock=here, addr="127.0.0.1", port=there["port"])
            socks.append((here, there["sock"]))

        def listed(sock):
            return [(p["address"]["addr"], p["assoc_id"], p["primary"], [a["addr"] for a in p["local_addrs"]])
                    for p in s.call("paths", sock=sock, addrs=True)["paths"]]
        before = [[listed(sock) for sock in pair] for pair in socks]
        assert [[len(paths) for paths in pair] for pair in before] == [[2, 1], [2, 1]]
        os.kill(pid, signal.SIGKILL)
        for _ in range(2):
            assert [[listed(sock) for sock in pair] for pair in socks] == before
        for here, _ in socks:
            s.call("bindx_add", sock=here, addrs="127.0.0.4")
        wait_for(lambda: len(listed(socks[0][1])) == 2)
        assert len(listed(socks[1][1])) == 1
        assert [p[3] for pair in socks for p in listed(pair[0])] == [["127.0.0.3", "127.0.0.4"]] * 2 + [["127.0.0.3"]] * 2
        s.close()


def test_what_is_closed_and_still_under_way_arrives(d):
    """A socket is closed with messages on their way; the daemon dies; they arrive."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        here = s.call("open", ip="127.0.0.1")["sock"]
        up = s.call("connect", sock=here, addr="127.0.0.1", port=listener.getsockname()[1])
        peer, _ = listener.accept()
        peer.settimeout(WAIT)
        for i in range(100):
            send(s, here, up["assoc_id"], b"%04d" % i * 1000)
        s.call("close", sock=here)
        os.kill(pid, signal.SIGKILL)
        got = [peer.recv(8000)[:4] for _ in range(100)]
        assert got == [b"%04d" % i for i in range(100)] and peer.recv(100) == b""
        k.next_child(pid)
        wait_for(lambda: s.call("status")["lingering"] == 0)
        s.close()


def test_options_and_modes_are_as_they_were(d):
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        sock = s.call("open", family="inet6", options={"active": 17, "high_msgq_watermark": 77, "hold_time": "infinity",
                                                       "on_owner_exit": "hold", "mode": "list",
                                                       "sctp_events": {"adaptation_layer_event": True}})["sock"]
        names = ["active", "high_msgq_watermark", "hold_time", "on_owner_exit", "mode", "sctp_events", "sctp_rtoinfo"]
        setopt(s, sock, sctp_rtoinfo={"initial": 1234})
        before = s.call("getopts", sock=sock, options=names), s.call("sockets"), s.call("getstat", sock=sock)
        os.kill(pid, signal.SIGKILL)
        assert (s.call("getopts", sock=sock, options=names), s.call("sockets"), s.call("getstat", sock=sock)) == before
        s.close()


def test_a_delivery_point_that_was_set_stays_whatever_the_buffers_are(d):
    """One of 0 as well, which is what the kernel begins with."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        for many in ("seqpacket", "stream"):
            socks = [s.call("open", type=many)["sock"] for _ in range(3)]
            for sock, point in zip(socks, (5000, 0)):
                setopt(s, sock, sctp_partial_delivery_point=point)
            for size in (60000, 70000):
                for sock in socks:
                    setopt(s, sock, recbuf=size)
                points = [option(s, sock, "sctp_partial_delivery_point") for sock in socks]
                assert points[:2] == [5000, 0], points
                assert points[2] == size // 2, points    # half of what the kernel makes of it
                os.kill(pid, signal.SIGKILL)
                pid = k.next_child(pid)
        s.close()


def test_handles_and_clients_are_not_numbered_anew(d):
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        seen = {s.call("open")["sock"] for _ in range(100)} | {Client(k.path, "x").id}
        for _ in range(3):
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            new = {s.call("open")["sock"], Client(k.path, "x").id}
            assert not seen & new and min(new) > max(seen)
            seen |= new
        s.close()


def test_who_has_no_session_has_died_with_the_daemon(d):
    with Own() as k:
        pid = k.ready()
        c, s = Client(k.path, "c"), Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1")
        s.call("listen", sock=there["sock"])
        for how in ("close", "abort", "hold"):
            here = c.call("open", ip="127.0.0.1", options={"on_owner_exit": how})["sock"]
            c.call("connect", sock=here, addr="127.0.0.1", port=there["port"])
            recv(s, there["sock"], "sctp_assoc_change", state="comm_up")
        os.kill(pid, signal.SIGKILL)
        states = {recv(s, there["sock"])["event"] for _ in range(3)}
        assert states == {"sctp_shutdown_event", "sctp_assoc_change"}, states
        s.call("adopt", sock=here)
        assert only(s.call("sockets")["sockets"], sock=here)["associations"] == 1
        s.close()


def test_a_session_that_does_not_come_back_has_died(d):
    with Own(resume_time=300) as k:
        pid = k.ready()
        s = Session(k.path, "s")
        s.call("open")
        s.close()
        c = Client(k.path, "c")
        wait_for(lambda: not c.call("sockets")["sockets"])
        s = Session(k.path, "s")
        s.call("open")
        os.kill(pid, signal.SIGKILL)
        s.sock.close()
        k.next_child(pid)
        k.says("did not come back within resume_time")
        wait_for(lambda: Client(k.path).call("status")["sockets"] == 0)


def test_the_counters_of_status_go_on(d):
    """Those of sockets that were closed, and of those that live on, each once; and a daemon of another version goes on
    with them."""
    with tempfile.TemporaryDirectory() as there:
        program = os.path.join(there, "sctpd")
        os.symlink(os.path.join(BUILD, "sctpd"), program)
        with Own(program) as k:
            pid = k.ready()
            sent = 0
            for to in (os.path.join(BUILD, "sctpd"), FAULTY, os.path.join(BUILD, "sctpd")):
                c = Client(k.path, "c")
                for lives in False, True:
                    receiver, _, sender, assoc_id = associate(c)
                    for _ in range(3):
                        send(c, sender, assoc_id, b"x")
                        recv(c, receiver, "data")
                        sent += 1
                    for sock in sender, receiver:
                        if lives:
                            c.call("setopts", sock=sock, options={"on_owner_exit": "hold"})
                        else:
                            c.call("close", sock=sock)
                now = c.call("status")
                assert (now["send_cnt"], now["recv_cnt"]) == (sent, sent), now
                os.symlink(to, program + "+")
                os.rename(program + "+", program)
                os.kill(pid, signal.SIGKILL)
                pid = k.next_child(pid)
                now = Client(k.path).call("status")
                assert now["sockets"] > 0 and (now["send_cnt"], now["recv_cnt"]) == (sent, sent), now


def test_the_next_version_and_back(d):
    """A daemon of another journal version takes over, and this one from it."""
    with tempfile.TemporaryDirectory() as there:
        program = os.path.join(there, "sctpd")
        os.symlink(os.path.join(BUILD, "sctpd"), program)
        with Own(program) as k:
            pid = k.ready()
            with Through(k.path) as t:
                for to in (FAULTY, os.path.join(BUILD, "sctpd"), FAULTY):
                    t.wait()
                    os.symlink(to, program + "+")
                    os.rename(program + "+", program)
                    os.kill(pid, signal.SIGTERM if to == FAULTY else signal.SIGKILL)
                    pid = k.next_child(pid)
                t.wait()
            assert len(re.findall(r"taken over from version \d by version 99", k.log_text())) == 2
            assert len(re.findall(r"taken over from version 99 by version \d\b", k.log_text())) == 1


def spoil(pid, where, what):
    """Write into the journal of a process."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if "sctpd-journal" in os.readlink(f"/proc/{pid}/fd/{fd}"):
            with open(f"/proc/{pid}/fd/{fd}", "r+b") as f:
                f.seek(where)
                f.write(what)
            return
    raise AssertionError("it has no journal")


def test_a_journal_that_is_none_is_ignored(d):
    for where, what, says in ((0, b"garbage!", "it is not a journal of sctpd"),
                              (12, (99).to_bytes(4, "little"), "a newer sctpd wrote it"),
                              (16, (4096).to_bytes(4, "little"), "it has another layout"),
                              (88, (1 << 40).to_bytes(8, "little"), "its list of changes is damaged")):
        with Own() as k:
            pid = k.ready()
            s = Session(k.path, "s")
            s.call("open")
            with open(f"/proc/{pid}/stat"):
                halt(pid)
            spoil(pid, where, what)
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            k.says("journal: ignored: " + says)
            c = Client(k.path)
            assert c.call("status")["sockets"] == 0
            s.sock.close()
            # And the new one is a good one.
            with Through(k.path) as t:
                t.wait()
                os.kill(pid, signal.SIGKILL)
                t.wait()


def test_a_damaged_record_is_left_out_and_the_rest_goes_on(d):
    with Own() as k:
        pid = k.ready()
        with Through(k.path) as t:
            t.wait()
            other = Session(k.path, "other")
            other.call("open", port=9)
            halt(pid)
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if "sctpd-journal" in os.readlink(f"/proc/{pid}/fd/{fd}"):
                    with open(f"/proc/{pid}/fd/{fd}", "r+b") as f:
                        data = f.read()
                        # The socket's record, and not the answer to open, which has a port as well.
                        f.seek(data.rindex(b"\xa4port\x09\xa4many"))
                        f.write(b"\xc1\xc1\xc1\xc1\xc1\xc1")
            os.kill(pid, signal.SIGKILL)
            t.wait()
            k.says("journal: left out: a socket")
            assert Client(k.path).call("status")["sockets"] == 1
            other.sock.close()


def test_a_socket_that_is_lost_costs_no_other_a_message(d):
    """Its record has another handle, so its descriptor is not found and it is
    closed: what was received last is not dealt with yet, and stays."""
    with Faulty() as k:
        pid = k.ready()
        with Through(k.path, every=0.002) as t:
            t.wait()
            other = Session(k.path, "other")
            sock = other.call("open")["sock"]
            record = msgpack.packb(sock)
            wrong = next(n for n in (sock + 7000, sock - 7000) if len(msgpack.packb(n)) == len(record))
            for fd in os.listdir(f"/proc/{pid}/fd"):
                if "sctpd-journal" in os.readlink(f"/proc/{pid}/fd/{fd}"):
                    with open(f"/proc/{pid}/fd/{fd}", "r+b") as f:
                        f.seek(f.read().rindex(b"\xa6handle" + record))
                        f.write(b"\xa6handle" + msgpack.packb(wrong))
            k.die_at("recvmmsg")
            wait_for(lambda: k.deaths() == 1 or t.failed)
            t.wait(5)
            k.says(f"sock {wrong}: its descriptor is missing")
            other.sock.close()


def many(n):
    """n associations, kill -9: all there again?"""
    with Own(log_level="notice", max_associations=20000) as k:
        pid = k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        peers = []
        before = memory(pid)
        for i in range(n):
            peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peer.connect(("127.0.0.1", there["port"]))
            peers.append(peer)
            if i % 100 == 99:
                s.call("status")
                s.events.clear()
        ids = set()
        wait_for(lambda: only(s.call("sockets")["sockets"], sock=there["sock"])["associations"] == n)
        s.events.clear()
        each = (memory(pid) - before) / n
        start = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        k.next_child(pid)
        took = time.monotonic() - start
        s.call("status")
        assert s.call("status")["associations"] == n
        for i, peer in enumerate(peers):
            peer.send(b"%d" % i)
        got = [s.event("data")["data"] for _ in range(n)]
        assert sorted(got, key=int) == [b"%d" % i for i in range(n)]
        print(f"        {n} associations: served again {took * 1000:.0f} ms after kill -9, "
              f"{each:.0f} bytes of the daemon's memory each", flush=True)
        for peer in peers:
            peer.close()
        s.close()


def memory(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_one_a_hundred_and_five_thousand_associations(d):
    if SLOW > 1:
        raise Skip("under valgrind it says nothing of time")
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    for n in (1, 100, ASSOCIATIONS):
        many(n)


def test_notifications_that_wait_for_room(d):
    """Nobody waits for an answer and asks again: they wait in the journal."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        here = s.call("open", ip="127.0.0.1")["sock"]
        up = s.call("connect", sock=here, addr="127.0.0.1", port=listener.getsockname()[1])
        peer, _ = listener.accept()
        peer.settimeout(WAIT)
        n = 0
        while only(s.call("assocs")["assocs"], sock=here)["send_pend"] < 400000:
            s.notify("send", sock=here, assoc_id=up["assoc_id"], data=b"%04d" % n * 25000)
            n += 1
        for _ in range(2):
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
        assert only(s.call("assocs")["assocs"], sock=here)["send_pend"] > 0
        s.notify("send", sock=here, assoc_id=up["assoc_id"], data=b"last")
        got = []
        while not got or got[-1] != b"last":
            data, more = b"", True
            while more:
                part, _, flags, _ = peer.recvmsg(1 << 20)
                data += part
                more = not flags & socket.MSG_EOR
            got.append(data[:4])
        assert got == [b"%04d" % i for i in range(n)] + [b"last"]
        s.close()


def test_messages_that_wait_keep_their_parameters(d):
    """The daemon is killed twice. What could not be sent comes back as it was."""
    info = {"stream": 1, "flags": ["unordered", "addr_over", "sack_immediately"], "ppid": 46, "context": 5,
            "pr_policy": "prio", "pr_value": 9, "addr": "127.0.0.1"}
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s, "stream")
        while s.call("getstat", sock=here)["send_pend"] < 300000:
            s.notify("send", sock=here, data=b"d" * 100000, sctp_sndrcvinfo={**info, "assoc_id": here_id})
        for _ in range(2):
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
        s.call("abort", sock=here, assoc_id=here_id)
        e = s.event("sctp_send_failed", error=0)
        assert e["info"] == {**info, "assoc_id": here_id} and e["data"] == b"d" * 100000, e["info"]
        assert e["reason"].startswith("epipe"), e
        peer.close()
        s.close()


def numbered(n, first=0, size=4):
    return [{"data": i.to_bytes(4, "big") * (size // 4)} for i in range(first, first + n)]


def taken_once(s, here, here_id, peer, die):
    """Messages are sent by requests of up to 40 until 400 were taken, with a death before each request."""
    sent, partial = 0, 0
    while sent < 400:
        die()
        msgid = s.request("send_many", sock=here, assoc_id=here_id, messages=numbered(40, sent, 100))
        answer = s.answer(msgid)
        assert answer["taken"] == 40 or "error" in answer, answer
        partial += answer["taken"] < 40
        sent += answer["taken"]
    assert [int.from_bytes(peer.recv(2000)[:4], "big") for _ in range(sent)] == list(range(sent))
    s.call("send", sock=here, assoc_id=here_id, data=b"last")
    assert peer.recv(2000) == b"last" and not s.strangers, s.strangers
    return partial


def test_send_many_dies_right_after_the_kernel_took_them(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        taken_once(s, here, here_id, peer, lambda: k.die_at("sendmmsg"))
        assert k.deaths() >= 10
        peer.close()
        s.close()


def test_send_many_dies_when_the_kernel_has_some_of_them(d):
    """In a bundle the last is sent by a call of its own. The answer says that 39 of 40 were taken."""
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        assert taken_once(s, here, here_id, peer, lambda: k.die_at("bundle")) >= 10
        peer.close()
        s.close()


def test_send_many_dies_before_the_answer_is_written(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        for place in "uncommitted", "committed", "applied":
            k.die_at(place)
            answer = s.answer(s.request("send_many", sock=here, assoc_id=here_id, messages=numbered(5)))
            assert answer == {"taken": 5}, (place, answer)
            assert [int.from_bytes(peer.recv(2000)[:4], "big") for _ in range(5)] == list(range(5))
        assert k.deaths() == 3
        peer.close()
        s.close()


def test_send_many_dies_while_the_first_waits(d):
    """Behind it waits a notification, so it must keep its place: it is sent once, and answered."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        sent = 0
        while True:
            msgid = s.request("send_many", sock=here, assoc_id=here_id, messages=numbered(8, sent, 1000))
            s.call("status")
            if msgid in s.unanswered:
                break
            sent += s.answer(msgid)["taken"]
        s.taken("send", sock=here, assoc_id=here_id, data=b"last")
        s.call("status")
        for _ in range(2):
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            s.call("status")
        got = []
        while not got or got[-1] != b"last":
            got.append(peer.recv(2000))
        answer = s.answer(msgid)
        assert answer["taken"] == 1 and answer["error"].startswith("eagain: "), answer
        assert [int.from_bytes(g[:4], "big") for g in got[:-1]] == list(range(sent + 1))
        peer.close()
        s.close()


def test_notifications_of_a_session_that_is_over(d):
    """Its socket is closed, they wait for room, and the daemon dies: they arrive."""
    for place in (None, "sendmmsg"):
        with Faulty(resume_time=500) as k:
            pid = k.ready()
            s, other = Session(k.path, "s"), Client(k.path)
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            here = s.call("open", ip="127.0.0.1")["sock"]
            up = s.call("connect", sock=here, addr="127.0.0.1", port=listener.getsockname()[1])
            peer, _ = listener.accept()
            peer.settimeout(WAIT)
            n = 0
            while only(s.call("assocs")["assocs"], sock=here)["send_pend"] < 400000:
                s.notify("send", sock=here, assoc_id=up["assoc_id"], data=b"%04d" % n * 2500)
                n += 1
            s.call("close", sock=here)
            s.close()
            wait_for(lambda: other.call("status")["clients"] == 1)
            other.close()
            if place:
                k.die_at(place)
            else:
                os.kill(pid, signal.SIGKILL)
            got = []
            while data := whole(peer):
                assert data == data[:4] * 2500
                got.append(int(data[:4]))
            assert got == list(range(n))
            assert k.deaths() == 1
            other = Client(k.path)
            wait_for(lambda: other.call("status")["lingering"] == 0)
            other.close()
            peer.close()


def whole(peer):
    """A plain socket's next message, all of it."""
    data, more = b"", True
    while more:
        part, _, flags, _ = peer.recvmsg(1 << 20)
        data += part
        more = part and not flags & socket.MSG_EOR
    return data


def test_a_reset_that_was_asked_for_goes_on(d):
    """The kernel does it, and the next process has the event. Asked again, it is done again, or refused meanwhile."""
    options = {"sctp_reconfig_supported": {"assoc_value": 1},
               "sctp_enable_stream_reset": {"assoc_value": ["reset_streams"]},
               "sctp_events": {"stream_reset_event": True}, "active": True}
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "reset")
        there = s.call("open", ip="127.0.0.1", options=options)
        s.call("listen", sock=there["sock"])
        here = s.call("open", ip="127.0.0.1", options=options)["sock"]
        up = s.call("connect", sock=here, addr="127.0.0.1", port=there["port"])["assoc_id"]
        k.die_at("reset")
        try:
            s.call("reset_streams", sock=here, assoc_id=up, streams=[3])
        except RpcError as e:
            assert e.code == "einprogress", e
        assert k.deaths() == 1
        got = s.event("sctp_stream_reset_event", sock=here)
        assert (got["flags"], got["streams"]) == (["outgoing"], [3])
        assert s.event("sctp_stream_reset_event", sock=there["sock"])["flags"] == ["incoming"]
        s.close()


def test_a_change_of_addresses_that_was_begun_is_ended_when_it_is_asked_for_again(d):
    options = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1}, "active": True}
    for method, state in ("bindx_add", "addr_added"), ("bindx_rem", "addr_removed"):
        for n in 1, 2, 3, 4:
            with Faulty() as k:
                k.ready()
                s = Session(k.path, "bindx")
                ip = ["127.0.0.1"] if method == "bindx_add" else ["127.0.0.1", "127.0.0.2"]
                here = s.call("open", ip=ip, options=options)["sock"]
                there = [s.call("open", ip="127.0.0.9", options=options) for _ in range(3)]
                for t in there:
                    s.call("listen", sock=t["sock"])
                    s.call("connect", sock=here, addr="127.0.0.9", port=t["port"])
                k.die_at("bindx", n)
                try:
                    told = s.call(method, sock=here, addrs="127.0.0.2")["told"]
                    assert told == 4 - n, (method, n, told)
                except RpcError as e:
                    assert (n, e.code) == (4, "einval"), e
                assert k.deaths() == 1
                for t in there:
                    assert s.event("sctp_paddr_change", sock=t["sock"], state=state)["addr"]["addr"] == "127.0.0.2"
                assert s.call("getopts", sock=here, options=["reuseport"])["options"] == [["reuseport", False]]
                s.close()


@contextlib.contextmanager
def interleaving():
    """I-DATA is allowed meanwhile."""
    allow_interleaving()
    try:
        yield
    finally:
        allow_interleaving("0")


def test_of_several_messages_that_come_in_turns_each_is_whole(d):
    """The daemon dies again and again while pieces of eight come."""
    fragment_interleave, maxseg, scheduler, interleaving_supported, sndinfo = 18, 13, 123, 125, 2
    sndbufforce = 32
    sent = [bytes([n]) * (200000 + n) for n in range(8)]
    with interleaving(), Faulty() as k, socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP) as peer:
        k.ready()
        s = Session(k.path, "interleave")
        there = s.call("open", ip="127.0.0.1", options={
            "active": True, "sctp_fragment_interleave": 2, "sctp_interleaving_supported": {"assoc_value": 1},
            "sctp_partial_delivery_point": 2000})
        s.call("listen", sock=there["sock"])
        for name, value in ((fragment_interleave, struct.pack("i", 1)),
                            (interleaving_supported, struct.pack("iI", 0, 1)),
                            (maxseg, struct.pack("iI", 0, 1000)), (scheduler, struct.pack("iI", 0, 2))):
            peer.setsockopt(SCTP, name, value)
        peer.setsockopt(socket.SOL_SOCKET, sndbufforce, 4 << 20)
        peer.settimeout(WAIT)
        peer.connect(("127.0.0.1", there["port"]))
        up = s.event("sctp_assoc_change", sock=there["sock"], state="comm_up")["assoc_id"]
        for n, data in enumerate(sent):     # ordered and unordered ones on four streams
            peer.sendmsg([data], [(SCTP, sndinfo, struct.pack("HHIIi", n % 4, n // 4, socket.htonl(40 + n), 0, 0))])
        got = []
        deaths = 0
        while len(got) < len(sent):
            if k.deaths() == deaths:
                deaths += 1
                k.die_at("recvmmsg", 7)
            e = s.event("data", sock=there["sock"])
            info = e["sctp_sndrcvinfo"]
            got.append((info["ppid"], info.get("stream", 0), info.get("flags", []), e["data"]))
        assert sorted(got) == [(40 + n, n % 4, ["unordered"] if n > 3 else [], data) for n, data in enumerate(sent)]
        print(f"        died {k.deaths()} times", flush=True)
        assert k.deaths() > 0
        s.call("abort", sock=there["sock"], assoc_id=up)
        s.close()


def test_an_unbound_socket_and_its_options_outlive_the_daemon(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "bind")

        def kill():
            pid = k.child()
            os.kill(pid, signal.SIGKILL)
            k.next_child(pid)

        sock = s.call("open", bind=False, family="inet6", options={"ipv6_v6only": True, "sctp_initmsg": {"num_ostreams": 3}})["sock"]
        kill()
        assert s.call("port", sock=sock)["port"] == 0
        assert dict(s.call("getopts", sock=sock, options=["ipv6_v6only", "sctp_initmsg"])["options"])["sctp_initmsg"]["num_ostreams"] == 3
        port = s.call("bind", sock=sock, ip="::1")["port"]
        kill()
        assert s.call("sockname", sock=sock) == {"addr": "::1", "port": port}
        s.close()


def test_a_bind_that_was_begun_is_ended_when_it_is_asked_for_again(d):
    for method, args in (("bind", {"ip": ["127.0.0.1", "127.0.0.2"]}), ("bind", {}), ("listen", {}), ("connect", {})):
        with Faulty() as k:
            k.ready()
            s = Session(k.path, "bind")
            there = s.call("open", ip="127.0.0.9", options={"active": True})
            s.call("listen", sock=there["sock"])
            sock = s.call("open", bind=False)["sock"]
            if method == "connect":
                args = {"addr": "127.0.0.9", "port": there["port"]}
            k.die_at("bound", 1)
            s.call(method, sock=sock, **args)
            assert k.deaths() == 1
            port = s.call("port", sock=sock)["port"]
            names = [a["addr"] for a in s.call("socknames", sock=sock)["addresses"]]
            assert port > 0 and "127.0.0.1" in names
            assert method != "bind" or len(names) == len(args.get("ip", names))
            s.close()


def test_what_was_set_by_number_outlives_the_daemon(d):
    with Faulty() as k:
        k.ready()
        s = Session(k.path, "rawopt")
        sock = s.call("open", bind=False)["sock"]
        rtoinfo, events = struct.pack("=iIII", 0, 500, 2000, 200), bytes([1, 1, 0, 1]) + bytes(10)
        for name, value in (0, rtoinfo), (11, events), (13, struct.pack("=iI", 0, 900)):
            s.call("setsockopt", sock=sock, level=SCTP, name=name, value=value)
        s.call("setsockopt", sock=sock, level=1, name=8, value=struct.pack("=i", 50000))
        pid = k.child()
        os.kill(pid, signal.SIGKILL)
        k.next_child(pid)
        for level, name, value in (SCTP, 0, rtoinfo), (SCTP, 11, events), (SCTP, 13, struct.pack("=iI", 0, 900)), \
                (1, 8, struct.pack("=i", 100000)):
            assert s.call("getsockopt", sock=sock, level=level, name=name, value=bytes(100))["value"] == value, name
        s.close()
