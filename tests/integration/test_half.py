# SPDX-License-Identifier: BSD-2-Clause
"""Clients that say all that they have to say, close their side, and read on."""
import socket

import msgpack

from check import blackhole, send
from harness import SLOW, associate, wait_for
from rpc import WAIT, Client


def half_closed(d, *requests):
    """A client that has sent these requests, (method, arguments) each, and
    nothing will follow."""
    c = Client(d.path)
    d.clients.append(c)
    c.sock.settimeout(WAIT * SLOW)
    c.sock.sendall(b"".join(msgpack.packb([0, i, method, [args]]) for i, (method, args) in enumerate(requests)))
    c.sock.shutdown(socket.SHUT_WR)
    return c


def results(c, keep=True):
    """What it was answered, by msgid, up to the end of the stream."""
    got, answers = 0, []
    u = msgpack.Unpacker(max_buffer_size=1 << 30)
    while data := c.sock.recv(1 << 18):
        got += len(data)
        u.feed(data)
        answers += [(kind, n, error, result if keep else None) for kind, n, error, result in u]
    assert u.tell() == got, "the stream ends in the middle of an answer"
    assert all(kind == 1 and error is None for kind, _, error, _ in answers), answers
    return [result for _, _, _, result in sorted(answers, key=lambda a: a[1])]


def clients(c, n):
    """Wait until there are so many."""
    wait_for(lambda: len(c.call("clients")["clients"]) == n)


def test_all_answers_come(d):
    assert len(results(half_closed(d, *[("describe", {})] * 12))) == 12


def test_the_requests_of_a_paused_client_are_answered_too(d):
    """Its answers are more than client_queue: the daemon stops reading it."""
    assert len(results(half_closed(d, *[("describe", {})] * 300), keep=False)) == 300


def test_one_that_waits_is_answered(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    waits = half_closed(d, ("connect", {"sock": here, "addr": "127.0.0.1", "port": there["port"]}), ("status", {}))
    up, status = results(waits)
    assert up["state"] == "comm_up" and "pid" in status


def test_a_recv_that_waits_is_taken_back(d):
    """Nothing is swallowed, and the connection ends."""
    c = d.client()
    there, _, here, here_id = associate(c)
    assert len(results(half_closed(d, ("recv", {"sock": there}), ("status", {})))) == 1
    send(c, here, here_id, b"x")
    assert c.call("recv", sock=there, timeout=WAIT * 1000)["data"] == b"x"


def test_then_its_sockets_are_closed(d):
    c = d.client()
    assert len(results(half_closed(d, ("open", {}), ("open", {})))) == 2
    wait_for(lambda: c.call("status")["sockets"] == 0)


def test_one_that_goes_while_it_waits_is_gone(d):
    c = d.client()
    here = c.call("open")["sock"]
    waits = half_closed(d, ("connect", {"sock": here, "addr": blackhole(), "port": 9}), ("status", {}))
    waits.answer(1)
    waits.close()
    clients(c, 1)
    wait_for(lambda: c.call("assocs")["assocs"] == [])


def test_one_that_never_reads_is_as_any_other_that_does_not(d):
    """What it asks is served up to client_queue, and others are served."""
    c = d.client()
    deaf = half_closed(d, *[("describe", {})] * 300)
    before = d.memory()
    for _ in range(200):
        c.call("status")
    assert d.memory() - before < 8 << 20
    assert len(c.call("clients")["clients"]) == 2
    deaf.close()
    clients(c, 1)


def test_a_session_that_half_closes_is_answered(d):
    token = d.client().call("hello", name="s", resume=True)["resume"]
    answers = results(half_closed(d, ("hello", {"resume": token}), *[("describe", {})] * 12))
    assert len(answers) == 13
