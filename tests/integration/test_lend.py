# SPDX-License-Identifier: BSD-2-Clause
"""lend: the descriptor itself travels to the client, who talks to the kernel;
the association outlives it."""
import os
import signal
import socket

import msgpack

from check import code, option, recv, recv_data, refusal, send, setopt
from harness import associate, wait_for
from rpc import WAIT, RpcError

ASSOC_CHANGE = b"\x01\x80"     # sn_type of the last notification


def lend(c, sock):
    """The socket, as Python has it."""
    c.msgid += 1
    c.sock.sendall(msgpack.packb([0, c.msgid, "lend", [{"sock": sock}]]))
    data, fds, _, _ = socket.recv_fds(c.sock, 1 << 16, 4)
    c.unpacker.feed(data)
    (_, msgid, error, result), = list(c.unpacker)
    assert msgid == c.msgid
    if error is not None:
        raise RpcError(error)
    assert len(fds) == 1 and result["assoc_id"] > 0
    s = socket.socket(fileno=fds[0])
    s.settimeout(WAIT)
    return s


def pair(c, to=None):
    """(listener, its assoc_id, peeled off socket)."""
    there, there_id, here, here_id = associate(c, to=to)
    return there, there_id, c.call("peeloff", sock=here, assoc_id=here_id)["sock"], here_id


def test_the_borrower_talks_to_the_kernel(d):
    c = d.client("c")
    there, there_id, sock, _ = pair(c)
    s = lend(c, sock)
    s.send(b"direct")
    assert recv_data(c, there) == b"direct"
    send(c, there, there_id, b"back")
    assert s.recv(100) == b"back"


def test_an_accepted_and_a_connected_stream_socket(d):
    c = d.client("c")
    listener = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=listener["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=listener["port"])
    there = c.call("accept", sock=listener["sock"])["accepted"]
    recv(c, there, "sctp_assoc_change", state="comm_up")
    a, b = lend(c, here), lend(c, there)
    a.send(b"x")
    assert b.recv(10) == b"x"
    c.call("give_back", sock=there)
    b.close()
    a.send(b"y")
    assert recv_data(c, there) == b"y"


def test_meanwhile_the_daemon_keeps_its_hands_off(d):
    c = d.client("c")
    there, there_id, sock, _ = pair(c)
    setopt(c, sock, active=True)
    s = lend(c, sock)
    send(c, there, there_id, b"for the borrower")
    assert c.quiet()
    assert s.recv(100) == b"for the borrower"
    for method, args in (("send", {"data": b"x"}), ("eof", {}), ("abort", {})):
        assert refusal(c, method, sock=sock, **args).startswith(f"einval: sock {sock}: it is lent to its owner")
    assert code(c, "lend", sock=sock) == "ealready"
    other = d.client("other")
    assert code(c, "controlling_process", sock=sock, client=other.id) == "einval"
    assert code(other, "lend", sock=sock) == "not_owner" and code(other, "give_back", sock=sock) == "not_owner"
    assert option(c, sock, "sctp_nodelay") is True


def test_given_back_nothing_is_lost(d):
    c = d.client("c")
    there, there_id, sock, _ = pair(c)
    s = lend(c, sock)
    for i in range(100):
        send(c, there, there_id, b"%d" % i)
    mine = [s.recv(100) for _ in range(40)]
    c.call("give_back", sock=sock)
    s.close()
    assert code(c, "give_back", sock=sock) == "einval"
    assert mine + [recv_data(c, sock) for _ in range(60)] == [b"%d" % i for i in range(100)]
    c.call("send", sock=sock, data=b"again the daemon")
    assert recv_data(c, there) == b"again the daemon"


def test_the_borrower_dies_and_the_association_lives(d):
    c = d.client("c")
    there, there_id, _, _ = pair(c)
    listener = c.call("port", sock=there)["port"]
    ready, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        b = d.client("b")
        here = b.call("open", ip="127.0.0.1", options={"on_owner_exit": "hold"})["sock"]
        up = b.call("connect", sock=here, addr="127.0.0.1", port=listener)
        sock = b.call("peeloff", sock=here, assoc_id=up["assoc_id"])["sock"]
        s = lend(b, sock)
        s.send(b"alive")
        os.write(into, sock.to_bytes(8, "big"))
        signal.pause()
    sock = int.from_bytes(os.read(ready, 8), "big")
    up = recv(c, there, "sctp_assoc_change", state="comm_up")
    assert recv_data(c, there) == b"alive"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for i in range(10):
        send(c, there, up["assoc_id"], b"%d" % i)
    wait_for(lambda: any(s["sock"] == sock and s["held"] for s in c.call("sockets")["sockets"]))
    c.call("adopt", sock=sock)
    assert [recv_data(c, sock) for _ in range(10)] == [b"%d" % i for i in range(10)]
    for s in c.call("sockets")["sockets"]:
        c.call("close", sock=s["sock"])


def test_it_ended_meanwhile(d):
    c = d.client("c")
    there, there_id, sock, _ = pair(c)
    s = lend(c, sock)
    c.call("eof", sock=there, assoc_id=there_id)
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")
    while s.recvmsg(1000)[0][:2] != ASSOC_CHANGE:
        pass                    # the borrower reads all that there is
    c.call("give_back", sock=sock)
    s.close()
    assert recv(c, sock)["event"] == "sctp_closed"
    assert code(c, "recv", sock=sock, timeout=0) == "closed"


def test_what_waits_must_be_received_first(d):
    c = d.client("c")
    there, there_id, sock, _ = pair(c)
    peer = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    c.call("eof", sock=peer)
    got = recv(c, sock, "sctp_shutdown_event")
    assert got and code(c, "lend", sock=sock) == "enotconn"


def test_only_what_is_about_one_association(d):
    c = d.client("c")
    there, _, here, _ = associate(c)
    assert code(c, "lend", sock=there) == "einval" and code(c, "lend", sock=here) == "einval"
    stream = c.call("open", type="stream")["sock"]
    assert code(c, "lend", sock=stream) == "enotconn"
    assert code(c, "lend", sock=1) == "closed"
    c.notify("lend", sock=stream)
    assert c.event("error")["method"] == "lend"


def test_behind_much_else(d):
    """The descriptor comes with its own answer, not with what is before it."""
    c = d.client("c")
    _, _, sock, _ = pair(c)
    ids = [c.request("describe") for _ in range(20)]
    lent = c.request("lend", sock=sock)
    fds = []
    while lent not in c.answers:
        data, got, _, _ = socket.recv_fds(c.sock, 1 << 18, 4)
        had = len(c.answers)
        c.unpacker.feed(data)
        for message in c.unpacker:
            c.answers[message[1]] = message[2:]
        fds += got
        assert not got or len(c.answers) > had
    assert len(fds) == 1 and all(i in c.answers for i in ids) and c.answers[lent][0] is None
    os.close(fds[0])


def test_two_at_once_are_one_and_a_refusal(d):
    """No descriptor is dropped for another."""
    c = d.client("c")
    socks = [pair(c)[2] for _ in range(2)]
    c.sock.sendall(b"".join(msgpack.packb([0, 9000 + i, "lend", [{"sock": s}]]) for i, s in enumerate(socks)))
    fds = []
    while len(c.answers) < 2:
        data, got, _, _ = socket.recv_fds(c.sock, 1 << 16, 4)
        c.unpacker.feed(data)
        for message in c.unpacker:
            c.answers[message[1]] = message[2:]
        fds += got
    assert c.answers[9000][0] is None and c.answers[9001][0].startswith("eagain: ") and len(fds) == 1
    os.close(fds[0])
    lend(c, socks[1]).close()
