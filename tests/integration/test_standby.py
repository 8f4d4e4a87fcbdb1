# SPDX-License-Identifier: BSD-2-Clause
"""Associations that outlive their host: another one that has their addresses restarts them (RFC 9260 5.2), and their
peers keep their sockets."""
import contextlib
import struct

import rawpeer
from harness import SLOW, wait_for
from relay import signed, udp
from rpc import WAIT, RpcError
from standby import (MOVING, PEERS, PEERS_UDP, PORT, UDP, Crowd, Pair, Plain, Userland, announce, answers, echoed, endpoint, lab,
                     move, restart, table)

start = Pair
N = 20          # of each kind of peer
ALL = 160       # of all kinds, at least N of each
FEW = 4         # of those that take longer


def comes_up(c, sock, n):
    got = set()
    while len(got) < n:
        e = c.event("sctp_assoc_change", sock=sock)
        assert e["state"] == "comm_up", e
        got.add(e["assoc_id"])
    return got


@contextlib.contextmanager
def at_east(p):
    """The addresses are there in the end, and nowhere else. Before they move, all that uses them ends."""
    try:
        yield
    finally:
        p.close_clients()
        lab("mend", "east")
        p.idle()
        move("east")
        lab("remove", "west")


@contextlib.contextmanager
def plain_peers(c, sock):
    """One-to-one sockets with one path and with two, and one-to-many sockets that were called: all N."""
    peers = [Plain("connect", N, PEERS[0], MOVING[0], PORT), Plain("connect", N, ",".join(PEERS), ",".join(MOVING), PORT),
             Plain("listen", N, ",".join(PEERS), 30000)]
    try:
        for i in range(N):
            c.request("connect_init", sock=sock, addr=PEERS, port=30000 + i)
        comes_up(c, sock, 3 * N)
        yield peers
    finally:
        for peer in peers:
            peer.close()


def nobody_lost_a_socket(peers):
    for peer in peers:
        said = peer.counts()
        assert (said["open"], said["closed"]) == (N, 0), said


def strange(c, sock):
    """Events that say that an association ended."""
    c.call("status")
    return [e for name, e in c.events if name == "sctp_assoc_change" and e["sock"] == sock]


def test_another_host_takes_all_associations_over_and_the_first_comes_back(p):
    """Its link is cut, and not its process. The peers are plain programs of lksctp, Erlang's gen_sctp and usrsctp."""
    here, at_here = endpoint(p.east)
    answers(here, at_here)
    there, at_there = endpoint(p.west)
    with contextlib.closing(Crowd(ALL)) as crowd, at_east(p):
        crowd.call_servers(here, at_here)
        userland = Userland(p, FEW)
        comes_up(here, at_here, ALL + FEW)
        rows = table(here, at_here)
        assert len(rows) == ALL + FEW
        assert [r["udp"] for r in rows].count(UDP) == FEW
        assert {len(r["addr"]) for r in rows if r["udp"] == PEERS_UDP} == {1, 2}    # of usrsctp's program
        lab("cut", "east")
        move("west")
        ids = restart(there, at_there, rows)
        for i in ids:
            there.request("send", sock=at_there, assoc_id=i, stream=0, data=b"from west")
        userland.echo(FEW)
        got = [there.event("data", sock=at_there)["data"] for _ in ids]
        assert got == [b"from west"] * len(ids)
        crowd.kept(restarts=1, echoes=1)

        # It still has the addresses, and says so, to peers and in packets.
        lab("mend", "east")
        announce("east")
        here.call("setopts", sock=at_here, options={"blackhole": True})
        for row in rows:
            here.request("send", sock=at_here, assoc_id=row["assoc_id"], stream=0, data=b"from east")
            here.request("abort", sock=at_here, assoc_id=row["assoc_id"])
        wait_for(lambda: here.call("assocs", sock=at_here)["assocs"] == [])
        # What peers send now reaches a host that does not know them.
        lab("remove", "east")
        announce("west")
        for i in ids:
            there.request("send", sock=at_there, assoc_id=i, stream=0, data=b"again")
        userland.echo(FEW)
        assert [there.event("data", sock=at_there)["data"] for _ in ids] == [b"again"] * len(ids)
        assert strange(there, at_there) == []
        crowd.kept(restarts=1, echoes=2)
        assert userland.counts() == {"restart": FEW, "closed": 0}


def test_what_a_host_does_not_know_is_aborted_without_blackhole_and_kept_with_it(p):
    """A peer sends before the host that has the address has restarted it."""
    here, at_here = endpoint(p.east)
    answers(here, at_here)
    there, at_there = endpoint(p.west)
    peers = p.peers.client("usrsctp")
    with at_east(p):
        for silent in (True, False):
            there.call("setopts", sock=at_there, options={"blackhole": silent})
            assert there.call("getopts", sock=at_there, options=["blackhole"])["options"] == [["blackhole", silent]]
            move("east")
            sock = peers.call("open", ip=PEERS[0], options={"active": True})["sock"]
            up = peers.call("connect", sock=sock, addr=MOVING[0], port=PORT, timeout=5000)
            comes_up(here, at_here, 1)
            rows = table(here, at_here)
            lab("cut", "east")
            move("west")
            before = drops(p.west)
            peers.call("send", sock=sock, assoc_id=up["assoc_id"], stream=0, data=b"early")
            if silent:
                wait_for(lambda: drops(p.west) > before)
                new, = restart(there, at_there, rows)
                assert peers.event("sctp_assoc_change", sock=sock)["state"] == "restart"
                there.call("eof", sock=at_there, assoc_id=new)
            else:
                assert peers.event("sctp_assoc_change", sock=sock)["state"] == "comm_lost"
            peers.call("close", sock=sock)
            here.call("abort", sock=at_here, assoc_id=rows[0]["assoc_id"])
            here.event("sctp_assoc_change", state="comm_lost")
            lab("mend", "east")
            lab("remove", "west")


def test_no_packet_of_a_peer_that_is_not_known_is_answered_with_an_abort(p):
    """Whatever its first chunk is. An INIT behind it is answered, so all before it was looked at."""
    there, at_there = endpoint(p.west)
    with at_east(p), udp(host="10.0.1.2") as s:
        move("west")
        s.settimeout(WAIT * SLOW)

        def answers_to(what, tag=rawpeer.TAG):
            s.sendto(signed(struct.pack(">HHII", 5000, PORT, tag, 0) + what), (MOVING[0], UDP))

        causes = [rawpeer.chunk(rawpeer.ERROR, struct.pack(">HH", cause, 4)) for cause in range(1, 14)]
        kinds = [rawpeer.chunk(kind, bytes(16)) for kind in (*range(256),) if kind != rawpeer.INIT]
        behind_auth = [rawpeer.chunk(15, bytes(28)) + what for what in (*causes, rawpeer.chunk(rawpeer.HEARTBEAT, bytes(16)))]
        for what in (*causes, *kinds, *behind_auth):
            answers_to(what)
        answers_to(rawpeer.init(), 0)
        got = []
        while rawpeer.INIT_ACK not in got:
            got.append(s.recv(65536)[12])
        assert rawpeer.ABORT not in got, got
        there.call("close", sock=at_there)


def drops(daemon):
    """Packets that the kernel has received and thrown away."""
    return int(dict(line.split() for line in daemon.kernel("snmp").splitlines())["SctpInPktDiscards"])


def test_blackhole_is_refused_on_a_one_to_one_socket(p):
    c = p.east.client()
    try:
        c.call("open", type="stream", options={"blackhole": True})
    except RpcError as e:
        assert e.code == "eopnotsupp" and "blackhole" in str(e), e
    else:
        raise AssertionError("it was set")


def test_a_restart_with_more_addresses_is_refused_and_ends_nothing(p):
    """RFC 9260 5.2.4.1: the socket that takes over must not be bound to more than the first."""
    c = p.east.client("bridge")
    sock = c.call("open", ip=MOVING[0], port=PORT, options={"active": True})["sock"]
    c.call("listen", sock=sock)
    there, at_there = endpoint(p.west)      # on both addresses
    peer = Plain("connect", 1, PEERS[0], MOVING[0], PORT)
    try:
        comes_up(c, sock, 1)
        rows = table(c, sock)
        with at_east(p):
            lab("cut", "east")
            move("west")
            there.call("connect_init", sock=at_there, addr=rows[0]["addr"], port=rows[0]["port"])
            e = there.event("sctp_assoc_change", sock=at_there)
            assert e["state"] in ("comm_lost", "cant_assoc"), e
            assert peer.counts()["closed"] == 0
    finally:
        peer.close()


def test_split_brain_ends_by_itself(p):
    """Both hosts have the addresses and restart the same associations in turn. The last one has them; no socket closes."""
    here, at_here = endpoint(p.east)
    answers(here, at_here)
    there, at_there = endpoint(p.west)
    with plain_peers(here, at_here) as plain, at_east(p):
        rows = table(here, at_here)
        move("west")            # east has them as well
        ids = restart(there, at_there, rows)
        nobody_lost_a_socket(plain)
        # East does not know, and takes them again: what it has is dead, so it begins anew.
        here.call("setopts", sock=at_here, options={"blackhole": True})
        for row in rows:
            here.request("abort", sock=at_here, assoc_id=row["assoc_id"])
        wait_for(lambda: here.call("assocs", sock=at_here)["assocs"] == [])
        here.events.clear()
        announce("east")
        again = restart(here, at_here, rows)
        nobody_lost_a_socket(plain)
        echoed(here, at_here, again, b"east")
        # West learns that it has lost, and ends what is not its own any more.
        there.call("setopts", sock=at_there, options={"blackhole": True})
        for i in ids:
            there.request("abort", sock=at_there, assoc_id=i)
        wait_for(lambda: there.call("assocs", sock=at_there)["assocs"] == [])
        announce("west")                # what peers send now, reaches west
        lab("remove", "west")
        announce("east")
        echoed(here, at_here, again, b"again")
        nobody_lost_a_socket(plain)
        assert strange(here, at_here) == []
        