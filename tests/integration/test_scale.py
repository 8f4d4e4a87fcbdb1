# SPDX-License-Identifier: BSD-2-Clause
"""Many at once, and some that do not read."""
import resource
import select

import msgpack

from harness import WRAP, associate
from rpc import WAIT

resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)

CONFIG = {"client_queue": "256K", "log_level": "info"}
MIB = 1 << 20
PART = 10 if WRAP else 1    # valgrind takes its time: a tenth will do
CLIENTS, SOCKETS, ASSOCIATIONS = 1000 // PART, 200 // PART, 1000 // PART


def test_thousand(d):
    """Each of the clients makes one association and sends one message over
    it; the owner of the socket that it arrives at sends one back. All
    requests are on their way before the first answer is read."""
    clients = [d.client() for _ in range(CLIENTS)]
    owners = clients[:SOCKETS]
    opens = [c.request("open", ip="127.0.0.1", options={"active": True}) for c in owners]
    socks = [c.answer(n) for c, n in zip(owners, opens)]
    here, there = socks[::2], socks[1::2]
    owner = {s["sock"]: c for s, c in zip(socks, owners)}
    for s in there:
        owner[s["sock"]].call("listen", sock=s["sock"])
    pairs = [(here[i % len(here)], there[(i + i // len(here)) % len(there)])
             for i in range(ASSOCIATIONS)]
    connects = [c.request("connect", sock=a["sock"], addr="127.0.0.1", port=b["port"], timeout=WAIT * 10000)
                for c, (a, b) in zip(clients, pairs)]
    ups = [c.answer(n) for c, n in zip(clients, connects)]
    status = clients[0].call("status")
    assert (status["clients"], status["sockets"]) == (CLIENTS, SOCKETS), status
    assert status["associations"] == 2 * ASSOCIATIONS, status

    sends = [c.request("send", sock=a["sock"], assoc_id=up["assoc_id"], stream=i % 10, data=b"to %d" % i)
             for i, (c, (a, _), up) in enumerate(zip(clients, pairs, ups))]
    for c, n in zip(clients, sends):
        c.answer(n)
    arrived = set()
    for s in there:
        c = owner[s["sock"]]
        for _ in range(sum(b is s for _, b in pairs)):
            got = c.event("data", sock=s["sock"])
            arrived.add(got["data"])
            c.notify("send", sock=s["sock"], assoc_id=got["sctp_sndrcvinfo"]["assoc_id"],
                     stream=got["sctp_sndrcvinfo"].get("stream", 0), data=b"back" + got["data"][2:])
    assert arrived == {b"to %d" % i for i in range(ASSOCIATIONS)}
    back = {}
    for s in here:
        for _ in range(sum(a is s for a, _ in pairs)):
            got = owner[s["sock"]].event("data", sock=s["sock"])
            back[got["data"]] = (s["sock"], got["sctp_sndrcvinfo"]["assoc_id"])
    assert back == {b"back %d" % i: (a["sock"], up["assoc_id"])
                    for i, ((a, _), up) in enumerate(zip(pairs, ups))}


class Flood:
    """Requests that a client writes as far as they are taken."""

    def __init__(self, c, requests):
        self.c, self.left = c, memoryview(b"".join(msgpack.packb(r) for r in requests))

    def push(self, seconds):
        """Write until nothing was taken for so long, or all was."""
        while self.left and select.select([], [self.c.sock], [], seconds)[1]:
            self.c.sock.setblocking(False)
            try:
                self.left = self.left[self.c.sock.send(self.left[:65536]):]
            except BlockingIOError:
                pass
        self.c.sock.settimeout(WAIT * PART)


def test_owner_that_does_not_read(d):
    """Its peers wait, all others go on, and nothing is lost."""
    lazy, flooder, others = d.client("lazy"), d.client("flooder"), d.client("others")
    there, _, here, here_id = associate(flooder, to=lazy)
    busy = associate(others)
    lazy.call("setopts", sock=there, options={"active": True})
    before = d.memory()
    size, n = 1000, 20 * MIB // PART // 1000
    flood = Flood(flooder, ([2, "send", [{"sock": here, "assoc_id": here_id, "stream": 0,
                                          "data": i.to_bytes(size, "big")}]] for i in range(n)))
    flood.push(1)
    assert len(flood.left) > size * n // 10, "it was taken, all of it"
    for i in range(200):
        others.call("send", sock=busy[2], assoc_id=busy[3], stream=0, data=b"%d" % i)
        assert others.call("recv", sock=busy[0], timeout=WAIT * 1000)["data"] == b"%d" % i
    grown = d.memory() - before
    assert grown < 8 * MIB, f"{grown} bytes more"
    for i in range(n):
        if not lazy.events and flood.left:
            flood.push(0)
        assert int.from_bytes(lazy.event("data", sock=there)["data"], "big") == i
    grown = d.memory() - before
    assert grown < 8 * MIB, f"{grown} bytes more"


def test_comings_and_goings(d):
    """Clients that come, some with a socket, and go leave nothing behind."""
    def come_and_go(n):
        for i in range(n):
            c = d.client()
            if i % 10 == 0:
                c.call("open")
            d.close_clients()
        return d.idle()

    fds, memory = come_and_go(500 // PART)
    fds_after, memory_after = come_and_go(5000 // PART)
    assert fds_after == fds
    assert memory_after - memory < MIB // 4, f"{memory_after - memory} bytes more"


def test_watcher_that_does_not_read(d):
    """It loses events, and is told how many; nobody else is held up."""
    lazy, eager, c = d.client("lazy"), d.client(), d.client()
    lazy.call("watch")
    eager.call("watch")
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]

    def happen(n):
        for _ in range(n):
            up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT * 1000)
            c.call("abort", sock=here, assoc_id=up["assoc_id"])
            assert c.call("recv", sock=here, timeout=WAIT * 1000)["state"] == "comm_lost"
        eager.call("status")    # whose answer comes after what it sees
        [queued] = [x["queued"] for x in c.call("clients")["clients"] if x["client"] == lazy.id]
        return queued

    while happen(50) < 256 << 10:
        pass
    happen(50)
    lost = lazy.event("overrun")["lost"]
    assert lost > 50
    assert {name for name, _ in lazy.events} == {"watch"}
    assert len(lazy.events) + lost == len(eager.events)
    assert list(lazy.events) == list(eager.events)[:len(lazy.events)]
