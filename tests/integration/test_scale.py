# SPDX-License-Identifier: BSD-2-Clause
"""Many at once, and some that do not read."""
import resource

import msgpack

from harness import SLOW, WRAP, associate, wait_for
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
    connects = [c.request("connect", sock=a["sock"], addr="127.0.0.1", port=b["port"],
                          timeout=WAIT * SLOW * 1000) for c, (a, b) in zip(clients, pairs)]
    ups = [c.answer(n) for c, n in zip(clients, connects)]
    status = clients[0].call("status")
    assert (status["clients"], status["sockets"]) == (CLIENTS, SOCKETS), status
    assert status["associations"] == 2 * ASSOCIATIONS, status

    sends = [c.request("send", sock=a["sock"], assoc_id=up["assoc_id"], stream=i % 10,
                       data=b"to %d" % i) for i, (c, (a, _), up) in enumerate(zip(clients, pairs, ups))]
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


def test_owner_that_does_not_read(d):
    """Its peers wait, all others go on, and nothing is lost."""
    lazy, flooder, others = d.client("lazy"), d.client("flooder"), d.client("others")
    there, _, here, here_id = associate(flooder, to=lazy)
    busy = associate(others)
    lazy.call("setopts", sock=there, options={"active": True})
    before = d.memory()
    size, n = 1000, 20000 if not WRAP else 8000
    send = {"sock": here, "assoc_id": here_id, "stream": 0}
    flood = b"".join(msgpack.packb([2, "send", [{**send, "data": i.to_bytes(size, "big")}]])
                     for i in range(n))
    flood = flooder.push(flood, 1)
    assert len(flood) > size * n // 10, "nearly all of it was taken"
    for i in range(200):
        others.call("send", sock=busy[2], assoc_id=busy[3], stream=0, data=b"%d" % i)
        assert others.call("recv", sock=busy[0], timeout=WAIT * SLOW * 1000)["data"] == b"%d" % i
    grown = d.memory() - before
    assert WRAP or grown < 8 * MIB, f"{grown} bytes more"
    for i in range(n):
        if not lazy.events:
            flood = flooder.push(flood, 0)
        assert int.from_bytes(lazy.event("data", sock=there)["data"], "big") == i
    grown = d.memory() - before
    assert WRAP or grown < 8 * MIB, f"{grown} bytes more"


def test_writer_with_events_to_read(d):
    """Who writes a request and reads nothing meanwhile gets through with it,
    however many events wait."""
    c, flooder = d.client(), d.client()
    there, _, here, here_id = associate(flooder, to=c)
    _, _, here2, here2_id = associate(c)
    c.call("setopts", sock=there, options={"active": True})
    send = {"sock": here, "assoc_id": here_id, "stream": 0, "data": bytes(1000)}
    assert flooder.push(msgpack.packb([2, "send", [send]]) * 8000, 0.5)
    c.call("send", sock=here2, assoc_id=here2_id, stream=0, data=bytes(1500000))
    flooder.close()


def test_long_message_that_waits_delays_nothing(d):
    """Though it alone is longer than the client's queue may be."""
    c = d.client()
    there, there_id, here, here_id = associate(c)
    _, _, here2, here2_id = associate(c)
    message = {"sock": here, "assoc_id": here_id, "stream": 0, "data": bytes(1500000)}
    numbers = []
    while c.call("getstat", sock=here)["send_pend"] == 0:
        numbers.append(c.request("send", **message))
    c.call("send", sock=here2, assoc_id=here2_id, stream=0, data=b"not delayed")
    for _ in numbers:
        assert c.call("recv", sock=there, timeout=WAIT * SLOW * 1000)["data"] == message["data"]
    for number in numbers:
        c.answer(number)
    c.call("abort", sock=there, assoc_id=there_id)


def test_sender_that_goes_while_it_waits(d):
    """With its messages goes what kept them waiting. Twice, as the kernel
    says it in two ways: with an answer that was not read, and without."""
    for unread in False, True:
        c = d.client()
        _, _, here, here_id = associate(c)
        if unread:
            c.request("status")
        assert c.push(msgpack.packb([0, 0, "send", [{"sock": here, "assoc_id": here_id, "stream": 0,
                                                     "data": bytes(100000)}]]) * 100, 0.3)
        c.close()
        d.idle()


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
    assert WRAP or memory_after - memory < MIB // 4, f"{memory_after - memory} bytes more"


def test_watcher_that_does_not_read(d):
    """It loses events, and is told how many; nobody else is held up."""
    lazy, eager, c = d.client("lazy"), d.client(), d.client()
    lazy.call("watch")
    eager.call("watch")
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    quick = {"sctp_rtoinfo": {"initial": 100, "min": 100, "max": 200}}     # should an INIT be lost
    socks = [c.call("open", ip="127.0.0.1", options=quick)["sock"] for _ in range(20)]

    def happen():
        """An association of each comes and goes."""
        begun = c.requests("connect", [{"sock": s, "addr": "127.0.0.1", "port": there["port"]} for s in socks])
        ups = [c.answer(i)["assoc_id"] for i in begun]
        for s, up in zip(socks, ups):
            c.call("abort", sock=s, assoc_id=up)
            assert c.call("recv", sock=s, timeout=WAIT * SLOW * 1000)["state"] == "comm_lost"
        eager.call("status")    # whose answer comes after what it sees
        [queued] = [x["queued"] for x in c.call("clients")["clients"] if x["client"] == lazy.id]
        return queued

    wait_for(lambda: happen() >= 256 << 10)
    happen()
    happen()
    lost = lazy.event("overrun")["lost"]
    assert lost > 50
    assert {name for name, _ in lazy.events} == {"watch"}
    assert len(lazy.events) + lost == len(eager.events)
    assert list(lazy.events) == list(eager.events)[:len(lazy.events)]
