# SPDX-License-Identifier: BSD-2-Clause
"""Sessions: a client may lose its connection and be the same client again;
nothing that it has not acknowledged is lost, nothing is given twice."""
import functools
import os
import select
import socket

import msgpack

from check import code, only, option, recv_data, refusal, send, setopt
from harness import Daemon, associate
from rpc import WAIT, Client
from test_refuse import as_stranger
from through import LOST, Session


def start():
    return Daemon(socket_mode="0666")


def clean(test):
    """What is held when a test is over is closed: nobody else would."""
    @functools.wraps(test)
    def run(d):
        try:
            test(d)
        finally:
            d.close_clients()
            c = d.client()
            close_all(c)
    return run


def session(d, name="s"):
    c = Session(d.path, name)
    c.sock.settimeout(WAIT * 10)
    c.id = only(c.call("clients")["clients"], name=name, away=False)["client"]
    d.clients.append(c)
    return c


def held(c, **options):
    """An association within c, whose listening end is held when c is gone."""
    there, there_id, here, here_id = associate(c)
    for s in (there, here):
        setopt(c, s, on_owner_exit="hold", hold_time="infinity", **options)
    return there, there_id, here, here_id


def cut(c):
    """The connection breaks, as if the process had died."""
    c.sock.close()


def come_back(c):
    c.come_back()
    return c


def close_all(c):
    for s in c.call("sockets")["sockets"]:
        c.call("close", sock=s["sock"])


@clean
def test_only_who_asks_for_it_has_a_session(d):
    c = d.client("plain")
    got = c.call("hello", name="x")
    assert "resume" not in got and "seq" not in got
    assert code(c, "ack", seq=0) == "einval"
    got = c.call("hello", resume=True)
    assert len(bytes.fromhex(got["resume"])) == 16 and got["seq"] == 1
    assert c.call("hello")["resume"] == got["resume"]


@clean
def test_what_resume_takes(d):
    c = d.client()
    for wrong in (1, False, 1.5, [], {}):
        assert refusal(c, "hello", resume=wrong) == "badarg: resume: it takes true, or the token of a session"
    assert refusal(c, "hello", resume=b"x").startswith("eacces: resume: ")
    assert "resume" not in c.call("hello", resume=None)


@clean
def test_a_wrong_token_gets_nothing_and_always_the_same_text(d):
    s = session(d)
    texts = {refusal(d.client(), "hello", resume=t) for t in
             ("", "0" * 32, s.token[:-1], s.token + "0", s.token.upper() + "x", "g" * 32, "0" * 100000)}
    assert len(texts) == 1 and texts.pop().startswith("eacces: resume: ")


@clean
def test_another_users_token_gets_nothing(d):
    s = session(d)
    text = refusal(d.client(), "hello", resume="0" * 32)
    got = as_stranger(d.path, [("hello", {"resume": s.token}), ("adopt", {"sock": 1, "resume": s.token})])
    assert got == [text, "eacces: resume: sock 1 belongs to no session with this token"]


@clean
def test_messages_are_numbered_one_after_the_other(d):
    s = session(d)
    there, _, here, here_id = associate(s)
    setopt(s, there, active=True)
    first = s.seq
    for i in range(5):
        send(s, here, here_id, b"%d" % i)
    events = [s.event("data") for _ in range(5)]
    seqs = [e["seq"] for e in events]
    assert seqs == sorted(seqs) and s.seq == first + 10
    s.call("close", sock=there)
    assert code(s, "ack", seq=s.seq + 100) == "einval"


@clean
def test_it_is_the_same_client_again(d):
    s = session(d)
    there, there_id, here, here_id = held(s)
    setopt(s, there, active=7)
    number = s.id
    cut(s)
    come_back(s)
    me = only(s.call("clients")["clients"], client=number)
    assert me["pid"] == os.getpid() and me["sockets"] == 2 and not me["away"]
    assert option(s, there, "active") == 7
    send(s, here, here_id, b"x")
    assert s.event("data")["data"] == b"x"
    close_all(s)


@clean
def test_what_was_not_acknowledged_comes_again_and_no_more(d):
    s = session(d)
    there, _, here, here_id = held(s, active=True)
    for i in range(20):
        send(s, here, here_id, b"%d" % i)
    first = [s.event("data")["data"] for _ in range(20)]
    handled = s.seq
    s.seq = handled - 20        # as if the half of them had not been handled
    cut(s)
    come_back(s)
    again = [fields["data"] for name, fields in s.events if name == "data"]
    assert again and again == first[-len(again):]
    s.events.clear()
    s.call("ack", seq=s.seq)
    cut(s)
    come_back(s)
    assert not s.events
    close_all(s)


@clean
def test_what_came_meanwhile_comes_then(d):
    s, other = session(d), d.client()
    there, _, _, _ = held(s, active=True)
    port = s.call("port", sock=there)["port"]
    here = other.call("open", ip="127.0.0.1")["sock"]
    up = other.call("connect", sock=here, addr="127.0.0.1", port=port)
    s.event("sctp_assoc_change", state="comm_up")
    cut(s)
    for i in range(10):
        send(other, here, up["assoc_id"], b"%d" % i)
    other.call("eof", sock=here, assoc_id=up["assoc_id"])
    come_back(s)
    assert [s.event("data")["data"] for _ in range(10)] == [b"%d" % i for i in range(10)]
    s.event("sctp_shutdown_event")
    close_all(s)


@clean
def test_answers_not_seen_are_given_again(d):
    s = session(d)
    held(s)
    msgid = s.request("status")
    while msgid not in s.answers:
        s.feed()
    answer = s.answers.pop(msgid)
    s.seq -= 1
    s.unanswered[msgid] = b""   # not seen, says the client
    cut(s)
    come_back(s)
    assert s.answers.pop(msgid)[1]["pid"] == answer[1]["pid"] and not s.unanswered
    close_all(s)


@clean
def test_a_recv_that_waited_waits_again(d):
    s, other = session(d), d.client()
    there, there_id, here, here_id = held(s)
    msgid = s.request("recv", sock=there)
    s.call("status")
    cut(s)
    come_back(s)
    send(other, here, here_id, b"late")
    assert s.answer(msgid)["data"] == b"late"
    close_all(s)


@clean
def test_the_newer_wins_and_the_older_is_told(d):
    s = session(d)
    there, _, here, here_id = associate(s)
    setopt(s, there, active=True)
    new = Client(d.path)
    d.clients.append(new)
    got = new.call("hello", resume=s.token, seq=s.seq)
    assert got["client"] == s.id and got["resume"] == s.token
    s.sock.settimeout(WAIT)
    try:
        s.take()
        s.take()
        raise AssertionError("the older is still there")
    except (EOFError, ConnectionResetError):
        pass
    assert s.events.pop() == ("superseded", {"pid": os.getpid()})
    send(new, here, here_id, b"x")
    assert new.event("data")["data"] == b"x"


@clean
def test_one_that_does_not_read_is_told_when_it_does(d):
    """Its last message is given whole first; and then it knows, and stays away."""
    s = session(d)
    there, _, here, here_id = associate(s)
    setopt(s, there, active=True)
    other = d.client()
    for _ in range(60):
        other.request("send", sock=here, assoc_id=here_id, data=b"x" * 10000)
    while len(other.answers) < 60:
        other.feed()
    new = Client(d.path)
    d.clients.append(new)
    new.call("hello", resume=s.token, seq=s.seq)
    try:
        while True:
            s.take()
    except (EOFError, ConnectionResetError):
        pass
    assert s.events.pop()[0] == "superseded"


@clean
def test_a_connection_that_did_other_things_cannot_become_another_client(d):
    s, c = session(d), d.client()
    c.call("open")
    assert code(c, "hello", resume=s.token) == "einval"
    assert code(d.client(), "hello", resume=s.token, seq=s.seq + 1000) == "einval"


@clean
def test_requests_behind_hello_are_the_sessions(d):
    s = session(d)
    there, _, here, here_id = held(s)
    cut(s)
    raw = socket.socket(socket.AF_UNIX)
    raw.connect(d.path)
    raw.sendall(b"".join(msgpack.packb(m) for m in (
        [0, 1000, "hello", [{"resume": s.token, "seq": s.seq}]],
        [0, 1001, "send", [{"sock": here, "assoc_id": here_id, "data": b"behind"}]],
        [0, 1002, "recv", [{"sock": there}]])))
    s.sock = raw
    s.sock.settimeout(WAIT)
    assert s.answer(1002)["data"] == b"behind"
    close_all(s)


@clean
def test_without_acknowledgement_events_stop_at_client_queue(d):
    s = session(d)
    there, _, here, here_id = associate(s)
    setopt(s, there, active=True)
    other = d.client()
    data = b"x" * 10000
    for _ in range(300):
        other.request("send", sock=here, assoc_id=here_id, data=data)
    s.notify = lambda *a, **k: None     # it never acknowledges
    limit = d.client().call("hello")["limits"]["client_queue"]
    got = 0
    s.sock.settimeout(0.5)
    try:
        while True:
            s.take()
    except TimeoutError:
        got = sum(len(f["data"]) for n, f in s.events if n == "data")
    assert limit - 200000 < got < limit + 200000, got
    del s.notify
    s.sock.settimeout(WAIT)
    while got < 300 * len(data):
        s.acked = s.seq
        s.notify("ack", seq=s.seq)
        s.take()
        got = sum(len(f["data"]) for n, f in s.events if n == "data")
    assert got == 300 * len(data)


@clean
def test_one_that_never_acknowledges_is_cut_off_and_costs_nobody_else(d):
    """In the middle of a run of sends, whose association goes with it."""
    own = Daemon(client_queue=4096, max_message=65536)
    s, other = session(own), own.client()
    there, _, here, here_id = associate(s, to=other)
    setopt(other, there, active=True)
    setopt(s, here, linger={"on": True, "seconds": 0})
    run = b"".join(msgpack.packb([0, 1000000 + i, "send", [{"sock": here, "assoc_id": here_id, "data": b"x"}]])
                   for i in range(200))
    try:
        for _ in range(1000):
            s.sock.sendall(run)
            while select.select([s.sock], [], [], 0)[0] and s.sock.recv(1 << 18):
                pass            # it reads, and acknowledges nothing, ever
            other.call("status")
            other.events.clear()
        raise AssertionError("it is still there")
    except LOST:
        pass
    own.close_clients()
    own.idle()
    assert "it acknowledges nothing" in own.stop()


@clean
def test_a_session_without_sockets_ends_with_its_connection(d):
    s = session(d)
    cut(s)
    assert code(d.client(), "hello", resume=s.token) == "eacces"


@clean
def test_notifications_are_counted(d):
    s = session(d)
    there, _, here, here_id = held(s)
    for i in range(3):
        s.notify("send", sock=here, assoc_id=here_id, data=b"%d" % i)
    assert [recv_data(s, there) for _ in range(3)] == [b"0", b"1", b"2"]
    s.notify("ack", seq=s.seq)
    cut(s)
    c = Client(d.path)
    d.clients.append(c)
    assert c.call("hello", resume=s.token, seq=s.seq)["notifications"] == 3
    close_all(c)


def all_whole(sock, n):
    """As many messages as that are read, and each is one."""
    unpacker, got = msgpack.Unpacker(max_buffer_size=1 << 28), []
    while len(got) < n:
        data = sock.recv(1 << 18)
        assert data, "it was cut off"
        unpacker.feed(data)
        got += list(unpacker)
    for message in got:
        assert isinstance(message, list) and message[0] in (1, 2), f"no message: {str(message)[:100]}"
    return got


DESCRIBES = [msgpack.packb([0, 1000 + i, "describe", []]) for i in range(10)]  # more than the connection takes


def serve_all(d):
    """What a user asks for is served in turns, one request in each of them at
    least: another connection of the user's has its own behind."""
    other = d.client()
    for _ in range(12):
        other.call("status")


@clean
def test_a_message_that_was_not_sent_whole_cannot_be_acknowledged(d):
    """The rest of it would never come, and what follows would be taken for it."""
    s = session(d)
    s.sock.sendall(b"".join(DESCRIBES))
    s.sock.sendall(msgpack.packb([0, 1, "ack", [{"seq": s.seq + 9}]]))
    serve_all(d)
    got = all_whole(s.sock, 11)
    assert sorted(m[1] for m in got) == [1, *range(1000, 1010)]
    error = next(m[2] for m in got if m[1] == 1)
    assert error.startswith("einval: seq: "), error
    s.notify("ack", seq=s.seq + 11)


@clean
def test_a_connection_with_answers_under_way_cannot_become_another_client(d):
    """They would be torn."""
    s, c = session(d), d.client()
    c.sock.sendall(b"".join(DESCRIBES))
    c.sock.sendall(msgpack.packb([0, 1, "hello", [{"resume": s.token, "seq": s.seq}]]))
    serve_all(d)
    got = all_whole(c.sock, 11)
    assert sorted(m[1] for m in got) == [1, *range(1000, 1010)]
    error = next(m[2] for m in got if m[1] == 1)
    assert error.startswith("einval: resume: "), error
    assert s.call("hello")["client"] == s.id
