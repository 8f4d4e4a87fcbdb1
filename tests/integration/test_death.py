# SPDX-License-Identifier: BSD-2-Clause
"""The owner of a socket dies, at each of many points of what it and others do
with it: its sockets are closed, flushed and shut down, whoever waits is told
"closed", and nobody else notices (DESIGN.md 4, gen_sctp's rules).

Two clients, Recv and Send, use a socket of Owner's that is associated with
one of Peer's. Each row is a point at which Owner's connection ends, and what
the others see of it."""
import msgpack

from check import answer_code, answered, blackhole, code, fill, nothing, recv, recv_data, setopt
from harness import associate, wait_for


class Stage:
    """Who is there. Owner has the socket here, Peer the socket there."""

    def __init__(self, d):
        self.d = d
        self.owner, self.recv, self.send = d.client("owner"), d.client("recv"), d.client("send")
        self.peer = d.client("peer")
        self.there, self.there_id, self.here, self.here_id = associate(self.owner, to=self.peer)
        self.port = self.peer.call("sockname", sock=self.there)["port"]
        self.received = []          # what Peer will have been sent
        self.aborted = False        # or: it is told comm_lost instead of the end
        self.closed = []            # requests of others that end with "closed"

    def dies(self):
        self.owner.close()
        wait_for(lambda: all(row["name"] != "owner" for row in self.peer.call("clients")["clients"]))

    def waits(self, client, method, **args):
        """A request that is not answered yet, and ends with the socket."""
        request = client.request(method, sock=self.here, **args)
        assert not answered(client, request)
        self.closed.append((client, request))

    def sends(self, data):
        self.send.call("send", sock=self.here, assoc_id=self.here_id, data=data)
        self.received.append(data)

    def check(self):
        """What all rows have in common."""
        for client, request in self.closed:
            assert answer_code(client, request) == "closed"
        for client in self.recv, self.send:
            for method, args in (("recv", {"timeout": 0}), ("send", {"assoc_id": self.here_id, "data": b"x"}),
                                 ("getopts", {"options": ["active"]}), ("close", {})):
                assert code(client, method, sock=self.here, **args) == "closed"
        got = [recv(self.peer, self.there) for _ in range(len(self.received))]
        assert [e.get("data") for e in got] == self.received, got
        if self.aborted:
            recv(self.peer, self.there, "sctp_assoc_change", state="comm_lost", error=12, assoc_id=self.there_id)
        else:
            recv(self.peer, self.there, "sctp_shutdown_event", assoc_id=self.there_id)
            recv(self.peer, self.there, "sctp_assoc_change", state="shutdown_comp", assoc_id=self.there_id)
        assert nothing(self.peer, self.there) and self.peer.call("assocs")["assocs"] == []


# ---- the points: each does something, and then Owner is to die -------------


def idle(s):
    pass


def half_a_request(s):
    whole = msgpack.packb([0, 99, "send", [{"sock": s.here, "assoc_id": s.here_id, "data": b"never whole"}]])
    s.owner.sock.sendall(whole[:len(whole) - 1])


def a_whole_request_unanswered(s):
    """It was written before the end, and is served."""
    s.owner.request("send", sock=s.here, assoc_id=s.here_id, data=b"last")
    s.received.append(b"last")


def garbage(s):
    """It is dropped for it, which is a death like any other."""
    s.owner.sock.sendall(b"\xc1")


def recv_of_another_waits(s):
    s.waits(s.recv, "recv")


def its_own_recv_waits(s):
    s.owner.request("recv", sock=s.here)
    s.owner.call("status")
    assert code(s.recv, "recv", sock=s.here, timeout=0) == "ealready"


def data_waits_unread(s):
    for i in range(20):
        s.peer.call("send", sock=s.there, assoc_id=s.there_id, data=b"%d" % i)
    assert recv_data(s.recv, s.here) == b"0"


def recv_of_another_took_the_last(s):
    waiting = s.recv.request("recv", sock=s.here)
    s.peer.call("send", sock=s.there, assoc_id=s.there_id, data=b"for recv")
    assert s.recv.answer(waiting)["data"] == b"for recv"


def another_has_sent(s):
    for i in range(20):
        s.sends(b"%d" % i)


def sends_of_another_wait(s):
    """They were promised an answer, and all of it arrives."""
    sent, requests = fill(s.send, s.here, s.here_id)
    s.received += sent
    s.unanswered = requests


def its_own_sends_wait(s):
    """Nobody was told of these; the other's, which came after them, stay."""
    sent, requests = fill(s.owner, s.here, s.here_id)
    s.partly = sent


def connect_of_its_own_waits(s):
    other = s.owner.call("open")["sock"]
    s.owner.request("connect", sock=other, addr=blackhole(), port=9)
    s.owner.call("status")


def connect_of_another_waits(s):
    other = s.owner.call("open")["sock"]
    request = s.send.request("connect", sock=other, addr=blackhole(), port=9)
    assert not answered(s.send, request)
    s.closed.append((s.send, request))


def connect_was_begun(s):
    other = s.owner.call("open")["sock"]
    s.owner.call("connect_init", sock=other, addr=blackhole(), port=9)


def accept_of_another_waits(s):
    listener = s.owner.call("open", type="stream")["sock"]
    s.owner.call("listen", sock=listener)
    request = s.recv.request("accept", sock=listener)
    assert not answered(s.recv, request)
    s.closed.append((s.recv, request))


def it_is_active_and_does_not_read(s):
    setopt(s.owner, s.here, active=True)
    for i in range(100):
        s.peer.call("send", sock=s.there, assoc_id=s.there_id, data=bytes(10000))


def another_has_shut_down(s):
    s.sends(b"before")
    s.send.call("eof", sock=s.here, assoc_id=s.here_id)


def another_has_aborted(s):
    s.send.call("abort", sock=s.here, assoc_id=s.here_id)
    s.aborted = True


def linger_is_zero(s):
    setopt(s.owner, s.here, linger={"on": True, "seconds": 0})
    s.aborted = True


def linger_is_long(s):
    """Nobody waits for this close, and all arrives."""
    setopt(s.owner, s.here, linger={"on": True, "seconds": 30})
    s.sends(b"last")


def its_close_lingers(s):
    setopt(s.owner, s.here, linger={"on": True, "seconds": 30})
    sent, s.unanswered = fill(s.send, s.here, s.here_id)
    s.received += sent
    s.owner.request("close", sock=s.here)
    s.owner.call("status")


def the_close_of_another_lingers(s):
    """Which goes on, and is answered."""
    setopt(s.owner, s.here, linger={"on": True, "seconds": 30})
    sent, s.unanswered = fill(s.send, s.here, s.here_id)
    s.received += sent
    s.unanswered.append(s.send.request("close", sock=s.here))
    s.owner.event("sctp_closed")


POINTS = (idle, half_a_request, a_whole_request_unanswered, garbage, recv_of_another_waits, its_own_recv_waits,
          data_waits_unread, recv_of_another_took_the_last, another_has_sent, sends_of_another_wait,
          its_own_sends_wait, connect_of_its_own_waits, connect_of_another_waits, connect_was_begun,
          accept_of_another_waits, it_is_active_and_does_not_read, another_has_shut_down, another_has_aborted,
          linger_is_zero, linger_is_long, its_close_lingers, the_close_of_another_lingers)


def test_at_each_point(d):
    assert len(POINTS) >= 20
    for point in POINTS:
        try:
            s = Stage(d)
            s.unanswered, s.partly = [], []
            point(s)
            s.dies()
            for data in s.partly:       # as far as the stack had taken them
                got = recv(s.peer, s.there)
                if got["event"] != "data":
                    assert got["event"] == "sctp_shutdown_event"
                    recv(s.peer, s.there, "sctp_assoc_change", state="shutdown_comp")
                    break
                assert got["data"] == data
            else:
                s.check()
            for request in s.unanswered:
                s.send.answer(request)
        except Exception as why:
            raise AssertionError(f"{point.__name__}: {why!r}") from why
        d.close_clients()
        d.idle()


# ---- after a hand-over -----------------------------------------------------


def test_the_old_owners_death_is_nobodys_concern(d):
    s = Stage(d)
    s.owner.call("controlling_process", sock=s.here, client=s.recv.id)
    s.owner.close()
    assert s.recv.event("owner")["owner"] == s.recv.id
    s.sends(b"1")
    assert recv_data(s.peer, s.there) == b"1"
    assert s.recv.quiet()


def test_the_new_owners_death_is_the_sockets(d):
    s = Stage(d)
    s.owner.call("controlling_process", sock=s.here, client=s.recv.id)
    waiting = s.owner.request("recv", sock=s.here)
    assert not answered(s.owner, waiting)
    s.recv.close()
    assert answer_code(s.owner, waiting) == "closed"
    recv(s.peer, s.there, "sctp_shutdown_event")
    recv(s.peer, s.there, "sctp_assoc_change", state="shutdown_comp")


def test_the_hand_over_is_the_last_thing_it_does(d):
    """Written and gone: the socket is the new owner's."""
    s = Stage(d)
    s.owner.request("controlling_process", sock=s.here, client=s.recv.id)
    s.dies()
    assert s.recv.event("owner")["owner"] == s.recv.id
    s.sends(b"1")
    assert recv_data(s.peer, s.there) == b"1"


def test_what_it_gave_and_what_it_kept(d):
    s = Stage(d)
    kept = s.owner.call("open")["sock"]
    s.owner.call("controlling_process", sock=s.here, client=s.recv.id)
    s.dies()
    assert code(s.send, "recv", sock=kept, timeout=0) == "closed"
    assert code(s.send, "recv", sock=s.here, timeout=0) == "timeout"


# ---- others than the owner -------------------------------------------------


def test_who_uses_it_may_die_at_any_time(d):
    """Half-way through a request, or while one waits: the socket stays."""
    s = Stage(d)
    for die in range(4):
        other = d.client("other")
        if die == 0:
            whole = msgpack.packb([0, 99, "close", [{"sock": s.here}]])
            other.sock.sendall(whole[:-1])
        elif die == 1:
            other.request("recv", sock=s.here)
            other.call("status")
        elif die == 2:
            other.request("connect", sock=s.here, addr="127.0.0.1", port=1)
        else:
            fill(other, s.here, s.here_id)
        other.close()
        wait_for(lambda: all(row["name"] != "other" for row in s.peer.call("clients")["clients"]))
    wait_for(lambda: s.owner.call("getstat", sock=s.here)["send_pend"] == 0)
    s.peer.call("send", sock=s.there, assoc_id=s.there_id, data=b"still")
    assert recv_data(s.recv, s.here) == b"still"
    last = s.send.request("send", sock=s.here, assoc_id=s.here_id, data=b"last")
    while recv_data(s.peer, s.there) != b"last":
        pass
    s.send.answer(last)
