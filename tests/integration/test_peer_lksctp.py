# SPDX-License-Identifier: BSD-2-Clause
"""Peers that nobody here wrote, lksctp-tools' sctp_darn and sctp_test, over
two networks; and what happens when networks and peers fail."""
import re
import socket

from harness import SLOW, wait_for
from hosts import LEFT, RIGHT, Hosts, Program, cut, networks
from rpc import WAIT

start = Hosts

# A path is given up after 3 lost packets, which takes less than a second, and
# is tried every 0.2 s; an association after 101 in a row, and a FRAIL one
# after 5, but not by idle paths, which are tried every 30 s only.
QUICK = {
    "sctp_rtoinfo": {"initial": 200, "min": 100, "max": 200},
    "sctp_peer_addr_params": {"hbinterval": 200, "pathmaxrxt": 2, "flags": ["hb_enable"]},
    "sctp_associnfo": {"asocmaxrxt": 100},
}
FRAIL = {"sctp_rtoinfo": QUICK["sctp_rtoinfo"], "sctp_associnfo": {"asocmaxrxt": 4}}
SIZES = [1, 1000, 2000, 3000, 5000, 10000, 15000, 20000, 25000, 32768]  # of sctp_test -c 4


def darn(netns, *args):
    return Program("sctp_darn", *args, netns=netns)


def darn_listens(port):
    peer = darn("right", "-H", RIGHT[0], "-B", RIGHT[1], "-P", str(port), "-l")
    return peer.listening(port)


def darn_connects(netns, port, peer_port):
    local, peer = (LEFT, RIGHT) if netns == "left" else (RIGHT, LEFT)
    return darn(netns, "-H", local[0], "-B", local[1], "-P", str(port),
                "-h", peer[0], "-p", str(peer_port), "-s")


def listen(c, ip, port, options=None):
    sock = c.call("open", ip=ip, port=port, options={"active": True, **(options or QUICK)})["sock"]
    c.call("listen", sock=sock)
    return sock


def connect(c, ip, addr, port, options=None):
    sock = c.call("open", ip=ip, options=options or QUICK)["sock"]
    up = c.call("connect", sock=sock, addr=addr, port=port, timeout=WAIT * SLOW * 1000)
    c.call("setopts", sock=sock, options={"active": True})
    return sock, up["assoc_id"]


def comes_up(c, sock):
    """The association that the peer makes."""
    up = c.event("sctp_assoc_change", sock=sock)
    assert up["state"] == "comm_up", up
    return up["assoc_id"]


def texts(c, sock, n):
    return [c.event("data", sock=sock)["data"] for _ in range(n)]


def get(c, sock, option, **which):
    return c.call("getopts", sock=sock, options=[[option, which]])["options"][0][1]


def confirmed(c, sock, assoc):
    """Wait until both paths to the peer are known to work."""
    for peer in c.call("peernames", sock=sock, assoc_id=assoc)["addresses"]:
        path = {"assoc_id": assoc, "address": peer}
        wait_for(lambda: get(c, sock, "sctp_get_peer_addr_info", **path)["state"] == "active")


def acknowledged(c, sock, assoc):
    """Wait until the peer's kernel has all."""
    wait_for(lambda: get(c, sock, "sctp_status", assoc_id=assoc)["unackdata"] == 0)


# ---- messages both ways ----------------------------------------------------


def test_darn_sends(h):
    c = h.left.client()
    sock = listen(c, LEFT, 2006)
    with darn_connects("right", 2005, 2006) as peer:
        peer.write("hello", "what's up?")
        assoc = comes_up(c, sock)
        got = c.event("data", sock=sock)
        assert got["data"] == b"hello\n\0"
        assert got["from"] == {"addr": RIGHT[0], "port": 2005}
        assert got["sctp_sndrcvinfo"]["assoc_id"] == assoc
        assert texts(c, sock, 1) == [b"what's up?\n\0"]
        names = c.call("peernames", sock=sock, assoc_id=assoc)["addresses"]
        assert sorted(n["addr"] for n in names) == RIGHT
        peer.end()
        c.event("sctp_shutdown_event", sock=sock)
        assert c.event("sctp_assoc_change", sock=sock)["state"] == "shutdown_comp"


def test_darn_receives(h):
    c = h.left.client()
    with darn_listens(2006) as peer:
        sock, assoc = connect(c, LEFT, RIGHT, 2006)
        names = c.call("peernames", sock=sock, assoc_id=assoc)["addresses"]
        assert sorted(n["addr"] for n in names) == RIGHT
        c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"plain\n")
        c.call("send", sock=sock, data=b"everything\n", sctp_sndrcvinfo={
            "assoc_id": assoc, "stream": 3, "ppid": 77, "flags": ["unordered"]})
        info = peer.expect(r"DATA\(6\):  plain\n(.*)DATA\(11\):  everything$")[1]
        assert re.search(r"sinfo_stream +3$", info, re.M), info
        assert re.search(rf"sinfo_ppid +{socket.htonl(77)}$", info, re.M), info
        assert re.search(r"sinfo_flags 0x1$", info, re.M), info


def test_sctp_test_sends(h):
    c = h.left.client()
    for kind in "seqpacket", "stream":
        sock = c.call("open", ip=LEFT, port=2008, type=kind, options=QUICK)["sock"]
        c.call("listen", sock=sock)
        with Program("sctp_test", "-H", RIGHT[0], "-B", RIGHT[1], "-P", "2009", "-h", LEFT[0],
                     "-p", "2008", "-s", "-c", "4", "-x", "1", "-o", "1", netns="right") as peer:
            at = sock
            if kind == "stream":
                at = c.call("accept", sock=sock, timeout=WAIT * SLOW * 1000)["accepted"]
            c.call("setopts", sock=at, options={"active": True})
            got = texts(c, at, len(SIZES))
            assert [len(data) for data in got] == SIZES
            # Digits, and a NUL at the end.
            digits = b"0123456789" * 3300
            assert all(data == digits[:len(data) - 1] + b"\0" for data in got)
            peer.end()
            assert peer.process.returncode == 0, peer.output
        # The port is the next one's, which it is when the association is over.
        c.event("sctp_assoc_change", sock=at, state="shutdown_comp")
        c.call("close", sock=sock)
        if at != sock:
            c.call("close", sock=at)


def test_sctp_test_sends_unordered(h):
    """On several streams, with a PPID of its own each: as it says, so it comes."""
    c = h.left.client()
    sock = listen(c, LEFT, 2008)
    with Program("sctp_test", "-H", RIGHT[0], "-B", RIGHT[1], "-P", "2009", "-h", LEFT[0],
                 "-p", "2008", "-s", "-c", "-100", "-x", "3", "-M", "3", netns="right") as peer:
        got = [c.event("data", sock=sock) for _ in range(30)]
        said = re.findall(r"SNDRCV\(stream=(\d+) flags=0x1 ppid=(\d+)", peer.end())
    infos = [e["sctp_sndrcvinfo"] for e in got]
    assert [(i.get("stream", 0), i["flags"], i["ppid"]) for i in infos] == \
        [(int(stream), ["unordered"], socket.htonl(int(ppid))) for stream, ppid in said]
    assert all(len(e["data"]) == 100 for e in got)


def test_darn_over_ipv6(h):
    c = h.left.client()
    with darn("right", "-H", "fd00:1::2", "-B", "fd00:2::2", "-P", "2006", "-l") as peer:
        peer.listening(2006)
        sock, assoc = connect(c, ["fd00:1::1", "fd00:2::1"], ["fd00:1::2", "fd00:2::2"], 2006)
        confirmed(c, sock, assoc)
        c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"six\n")
        peer.expect(r"DATA\(4\):  six$")


def test_sctp_test_receives(h):
    c = h.left.client()
    with Program("sctp_test", "-H", RIGHT[0], "-B", RIGHT[1], "-P", "2008", "-l", "-d", "1",
                 netns="right") as peer:
        peer.listening(2008)
        sock, assoc = connect(c, LEFT, RIGHT, 2008)
        for size in SIZES:
            c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"x" * size)
        peer.expect(r"Data 32768 bytes")
        assert re.findall(r"Data +(\d+) bytes", peer.output) == [str(n) for n in SIZES]


# ---- networks that fail ----------------------------------------------------


def test_network_fails_under_darn(h):
    c = h.left.client()
    n = 0
    with darn_listens(2006) as peer:
        sock, assoc = connect(c, LEFT, RIGHT, 2006)
        confirmed(c, sock, assoc)

        def send_until(state):
            """Numbers, a few at a time, until the first address is said to be so."""
            nonlocal n
            while n < 50000:
                for _ in range(5):
                    n += 1
                    c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"%d\n" % n)
                seen = [e for _, e in c.events if (e.get("addr") or {}).get("addr") == RIGHT[0]]
                if seen and seen[-1]["state"] == state:
                    return
                peer.expect(rf"DATA\(\d+\):  {n}$")
            raise AssertionError(f"{state} never came")

        with cut("1"):
            send_until("addr_unreachable")
        send_until("addr_available")
        peer.expect(rf"DATA\(\d+\):  {n}$")
        numbers = re.findall(r"DATA\(\d+\):  (\d+)$", peer.output, re.M)
        assert numbers == [str(i) for i in range(1, n + 1)], numbers


class Numbers:
    """Two sides that send each other numbers."""

    def __init__(self, *sides):
        self.sides = [{"client": c, "sock": s, "assoc": a, "sent": 0, "got": [], "paths": []}
                      for c, s, a in sides]

    def send_some(self):
        for side in self.sides:
            for _ in range(10):
                side["sent"] += 1
                side["client"].call("send", sock=side["sock"], assoc_id=side["assoc"],
                                    stream=0, data=b"%d" % side["sent"])

    def take(self, side):
        name, e = side["client"].event()
        if name == "sctp_paddr_change":
            side["paths"].append((e["addr"]["addr"], e["state"]))
        assert name in ("data", "sctp_paddr_change"), (name, e)
        if name == "data":
            side["got"].append(int(e["data"]))

    def pass_until(self, done):
        while not done():
            assert self.sides[0]["sent"] < 100000
            self.send_some()
            for side, other in zip(self.sides, reversed(self.sides)):
                while len(side["got"]) < other["sent"]:
                    self.take(side)

    def check(self):
        for side, other in zip(self.sides, reversed(self.sides)):
            assert side["got"] == list(range(1, other["sent"] + 1))


def pair(h, options):
    """An association between the two daemons: (client, sock, assoc_id) of both."""
    left, right = h.left.client(), h.right.client()
    there = listen(right, RIGHT, 2010, options)
    here, id_here = connect(left, LEFT, RIGHT, 2010, options)
    id_there = comes_up(right, there)
    confirmed(left, here, id_here)
    confirmed(right, there, id_there)
    return (left, here, id_here), (right, there, id_there)


def test_network_fails_under_two_sctpds(h):
    run = Numbers(*pair(h, QUICK))

    def both(state):
        return lambda: all((addr, state) in side["paths"]
                           for side, addr in zip(run.sides, (RIGHT[0], LEFT[0])))

    run.pass_until(lambda: run.sides[0]["sent"] >= 100)
    networks("netem", "1", "delay", "50ms")     # so that some are lost on the way
    run.send_some()
    with cut("1"):
        networks("netem", "1")
        run.pass_until(both("addr_unreachable"))
    run.pass_until(both("addr_available"))
    run.check()


def test_both_networks_fail(h):
    here, there = pair(h, FRAIL)
    with cut("1"), cut("2"):
        for c, sock, assoc in here, there:
            c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"in vain")
            failed = c.event("sctp_send_failed", sock=sock)
            assert (failed["data"], failed["assoc_id"]) == (b"in vain", assoc), failed
            lost = c.event("sctp_assoc_change", sock=sock)
            assert (lost["state"], lost["assoc_id"]) == ("comm_lost", assoc), lost


# ---- peers that fail -------------------------------------------------------


def test_darn_is_gone_before_sctpd_looks(h):
    """Its whole life passes while sctpd does not run; nothing of it is lost."""
    c = h.left.client()
    sock = listen(c, LEFT, 2006)
    with darn_connects("right", 2005, 2006) as peer, h.left.asleep():
        peer.write("hello", "goodbye")
        peer.end()
        wait_for(lambda: " 2005 " not in h.left.kernel("assocs"))
    assoc = comes_up(c, sock)
    assert texts(c, sock, 2) == [b"hello\n\0", b"goodbye\n\0"]
    assert c.event("sctp_shutdown_event", sock=sock)["assoc_id"] == assoc
    end = c.event("sctp_assoc_change", sock=sock)
    assert (end["state"], end["assoc_id"]) == ("shutdown_comp", assoc), end


def test_darn_is_killed(h):
    """With messages unread, the kernel aborts in its name."""
    c = h.left.client()
    sock = listen(c, LEFT, 2006)
    with darn_connects("right", 2005, 2006) as peer:
        peer.write("hello")
        assoc = comes_up(c, sock)
        c.event("data", sock=sock)
        for _ in range(3):
            c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"it never reads this")
        acknowledged(c, sock, assoc)
        peer.kill()
        lost = c.event("sctp_assoc_change", sock=sock)
        assert (lost["state"], lost["assoc_id"]) == ("comm_lost", assoc), lost
        assert lost["error"] == 12, lost


def test_darn_restarts(h):
    """It dies while no network works, so that nobody is told, and is back
    under the same address and port before it is missed."""
    c = h.left.client()
    sock = listen(c, LEFT, 2006, {"sctp_rtoinfo": QUICK["sctp_rtoinfo"]})
    with darn_connects("right", 2005, 2006) as peer:
        peer.write("before")
        assoc = comes_up(c, sock)
        assert texts(c, sock, 1) == [b"before\n\0"]
        c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"it never reads this")
        acknowledged(c, sock, assoc)
        confirmed(c, sock, assoc)
        with cut("1"), cut("2"):
            peer.kill()
    with darn_connects("right", 2005, 2006) as peer:
        peer.write("after")
        change = c.event("sctp_assoc_change", sock=sock)
        assert (change["state"], change["assoc_id"]) == ("restart", assoc), change
        assert texts(c, sock, 1) == [b"after\n\0"]
        c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"still here")
        acknowledged(c, sock, assoc)


def test_sctpd_restarts(h):
    """The same with an sctpd that is killed, over both networks, and both
    ways afterwards."""
    left, right = h.left.client(), h.right.client()
    sock = listen(left, LEFT, 2006, {"sctp_rtoinfo": QUICK["sctp_rtoinfo"]})
    there = right.call("open", ip=RIGHT, port=2005)["sock"]
    right.call("connect", sock=there, addr=LEFT, port=2006)
    assoc = comes_up(left, sock)
    left.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"it never reads this")
    acknowledged(left, sock, assoc)
    confirmed(left, sock, assoc)
    with cut("1"), cut("2"):
        h.restart_right()
    right = h.right.client()
    there = right.call("open", ip=RIGHT, port=2005, options={"active": True})["sock"]
    up = right.call("connect", sock=there, addr=LEFT, port=2006, timeout=WAIT * SLOW * 1000)
    change = left.event("sctp_assoc_change", sock=sock)
    assert (change["state"], change["assoc_id"]) == ("restart", assoc), change
    left.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"welcome back")
    assert right.event("data", sock=there)["data"] == b"welcome back"
    right.call("send", sock=there, assoc_id=up["assoc_id"], stream=1, data=b"thank you")
    assert left.event("data", sock=sock)["data"] == b"thank you"
