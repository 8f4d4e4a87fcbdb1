# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of a socket when its owner is gone: on_owner_exit, adopt."""
import socket

from check import code, nothing, only, option, recv, refusal, send, setopt
from harness import associate, wait_for
from rpc import WAIT
from test_refuse import as_stranger
from test_session import clean, close_all, come_back, cut, session, start  # noqa: F401

SCTP = 132


def sockets(c):
    return c.call("sockets")["sockets"]


@clean
def test_close_is_what_happens_if_nobody_says_otherwise(d):
    a, b = d.client(), d.client()
    there, _, here, here_id = associate(a, to=b)
    assert option(a, here, "on_owner_exit") == "close" and option(a, here, "hold_time") == 60000
    a.close()
    recv(b, there, "sctp_shutdown_event")
    recv(b, there, "sctp_assoc_change", state="shutdown_comp")


@clean
def test_abort(d):
    a, b = d.client(), d.client()
    there, _, here, here_id = associate(a, to=b)
    setopt(a, here, on_owner_exit="abort")
    a.close()
    recv(b, there, "sctp_assoc_change", state="comm_lost")


@clean
def test_hold_keeps_all_and_reads_nothing(d):
    a, b = d.client("a"), d.client("b")
    there, there_id, here, here_id = associate(a, to=b)
    setopt(a, here, on_owner_exit="hold", active=True)
    a.close()
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    send(b, there, there_id, b"1")
    send(b, there, there_id, b"2")
    b.call("adopt", sock=here)
    assert b.event("owner")["owner"] == b.id
    assert [b.event("data")["data"] for _ in range(2)] == [b"1", b"2"]
    assert not only(sockets(b), sock=here)["held"]


@clean
def test_hold_runs_out(d):
    a, b = d.client(), d.client()
    there, _, here, here_id = associate(a, to=b)
    setopt(a, here, on_owner_exit="hold", hold_time=300)
    a.close()
    recv(b, there, "sctp_shutdown_event")
    recv(b, there, "sctp_assoc_change", state="shutdown_comp")
    assert code(b, "adopt", sock=here) == "closed"


@clean
def test_the_peers_shutdown_that_came_meanwhile_is_there(d):
    a, b = d.client(), d.client("b")
    there, there_id, here, here_id = associate(a, to=b)
    setopt(a, here, on_owner_exit="hold")
    a.close()
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    send(b, there, there_id, b"last")
    b.call("eof", sock=there, assoc_id=there_id)
    b.call("adopt", sock=here)
    assert recv(b, here, "data")["data"] == b"last"
    recv(b, here, "sctp_shutdown_event")
    recv(b, here, "sctp_assoc_change", state="shutdown_comp")


@clean
def test_who_may_adopt(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, _ = associate(a, to=b)
    setopt(a, here, on_owner_exit="hold")
    assert refusal(b, "adopt", sock=here) == \
        f"not_owner: sock {here}: client {a.id} owns it and is connected; it can give the socket away with controlling_process"
    a.call("adopt", sock=here)          # it has it
    assert code(b, "adopt", sock=1) == "closed"
    a.close()
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    for text in as_stranger(d.path, [("adopt", {"sock": here}), ("adopt", {"sock": here, "resume": "0" * 32})]):
        assert text.startswith("eacces: ")
    silent = d.client()
    assert code(silent, "adopt", sock=here) == "einval"
    b.call("adopt", sock=here)


@clean
def test_with_the_token_another_user_may(d):
    s, b = session(d), d.client("b")
    there, _, here, here_id = associate(s, to=b)
    setopt(s, here, on_owner_exit="hold")
    cut(s)
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    got = as_stranger(d.path, [("hello", {}), ("adopt", {"sock": here, "resume": s.token}),
                               ("send", {"sock": here, "assoc_id": here_id, "data": b"x"})])
    assert got[1:] == [{}, {}]
    assert recv(b, there, "data")["data"] == b"x"


@clean
def test_what_the_old_owner_had_not_acknowledged_is_adopted(d):
    s, b = session(d), d.client("b")
    there, there_id, here, here_id = associate(s, to=b)
    setopt(s, here, on_owner_exit="hold", active=True)
    for i in range(10):
        send(b, there, there_id, b"%d" % i)
    for i in range(5):
        handled = s.event("data")["seq"]
    s.call("ack", seq=handled)
    cut(s)
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    send(b, there, there_id, b"10")
    b.call("adopt", sock=here)
    b.event("owner")
    got = [b.event("data")["data"] for _ in range(6)]
    assert got[-1] == b"10" and got[0] <= b"5" and got == sorted(got, key=int)


@clean
def test_a_message_taken_by_recv_and_not_acknowledged_is_adopted(d):
    s, b = session(d), d.client("b")
    there, there_id, here, here_id = associate(s, to=b)
    setopt(s, here, on_owner_exit="hold")
    s.call("ack", seq=s.seq)
    send(b, there, there_id, b"taken")
    assert recv(s, here, "data")["data"] == b"taken"
    cut(s)
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    b.call("adopt", sock=here)
    assert b.event("data")["data"] == b"taken" and nothing(b, here)


@clean
def test_without_a_session_what_was_not_written_is_adopted(d):
    a, b = d.client("a"), d.client("b")
    there, there_id, here, here_id = associate(a, to=b)
    setopt(a, here, on_owner_exit="hold", active=True)
    data = [b"%06d" % i * 2000 for i in range(100)]
    for one in data:
        send(b, there, there_id, one)       # more than a Unix socket's buffer
    a.close()
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    b.call("adopt", sock=here)
    b.event("owner")
    got = [b.event("data")["data"]]
    while got[-1] != data[-1]:
        got.append(b.event("data")["data"])
    assert got == data[-len(got):] and len(got) > 10


@clean
def test_the_old_owner_comes_back_and_is_told(d):
    s, b = session(d), d.client("b")
    there, _, here, here_id = associate(s, to=b)
    setopt(s, here, on_owner_exit="hold", active=True)
    other = s.call("open", options={"on_owner_exit": "hold"})["sock"]
    cut(s)
    wait_for(lambda: only(sockets(b), sock=here)["held"])
    b.call("adopt", sock=here)
    come_back(s)
    assert s.event("owner", sock=here)["owner"] == b.id
    assert only(sockets(s), sock=other)["owner"] == s.id
    close_all(s)


@clean
def test_given_away_with_what_was_not_acknowledged(d):
    s, b = session(d), d.client("b")
    for mode in (True, "once", 10):
        there, there_id, here, here_id = associate(s)
        setopt(s, there, active=mode)
        for i in range(10):
            send(s, here, here_id, b"%d" % i)
        handled = 1 if mode == "once" else 4
        got = [s.event("data", sock=there) for _ in range(handled)]
        s.notify("ack", seq=got[-1]["seq"])
        s.acked = 1 << 40       # no other
        s.call("controlling_process", sock=there, client=b.id)
        s.acked = 0
        s.events.clear()
        setopt(b, there, active=True)
        assert [b.event("data")["data"] for _ in range(10 - handled)] == [b"%d" % i for i in range(handled, 10)]
        b.call("close", sock=there)
        s.call("close", sock=here)
        b.events.clear()


@clean
def test_a_plain_peer_is_blocked_and_nothing_grows(d):
    """The kernel's window does the waiting: the peer never heard of sctpd."""
    s = session(d)
    got = s.call("open", ip="127.0.0.1", options={"active": True, "on_owner_exit": "hold"})
    s.call("listen", sock=got["sock"])
    peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    peer.settimeout(WAIT)
    peer.connect(("127.0.0.1", got["port"]))
    s.event("sctp_assoc_change", state="comm_up")
    s.call("ack", seq=s.seq)
    cut(s)
    wait_for(lambda: d.log_text().count("held, its owner is gone"))
    before = d.memory()
    peer.settimeout(1)
    sent = 0
    try:
        while True:
            peer.send(sent.to_bytes(4, "big") * 250)
            sent += 1
    except TimeoutError:
        pass
    assert sent > 100 and d.memory() < before + (1 << 20), (sent, d.memory() - before)
    peer.settimeout(WAIT)
    come_back(s)
    numbers = []
    while len(numbers) < sent:
        numbers.append(int.from_bytes(s.event("data")["data"][:4], "big"))
        if len(numbers) == sent // 2:
            peer.close()        # its SHUTDOWN comes after what it sent
    assert numbers == list(range(sent))
    s.event("sctp_shutdown_event")
    close_all(s)
