# SPDX-License-Identifier: BSD-2-Clause
"""standby_figures.py [N [bridge|without]]: how long it takes until another host has N associations, of plain programs of lksctp:
half of them one-to-one clients with one path, a quarter with two, and a quarter one-to-many servers with two. "make
standby" runs it in the lab.

With "bridge" two sctpd-nats do it, with the table in a bucket of JetStream: what --take-over prints, all peers one-to-one.

With "without" nobody takes over: how long it takes until idle peers with the kernel's own timers see the end."""
import statistics
import sys
import time

import test_natsstandby
from standby import MOVING, PEERS, PORT, Pair, Plain, answers, endpoint, lab, move, table

N = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
AT_MOST = 1000      # ms from the moment at which the address moved


def bound(ms):
    return f"{ms:.0f} ms, at most {AT_MOST} ms{'' if ms <= AT_MOST else ' MISSED'}"


def comes_up(c, sock, n):
    """When each of n comes up."""
    times = []
    while len(times) < n:
        e = c.event("sctp_assoc_change", sock=sock)
        assert e["state"] == "comm_up", e
        times.append(time.monotonic())
    return times


def peers_of(c, sock):
    quarter = N // 4
    Plain("listen", 1, PEERS[0], 40000).close()      # it is compiled then
    begin = time.monotonic()
    peers = [Plain("connect", N - 2 * quarter, PEERS[0], MOVING[0], PORT),
             Plain("connect", quarter, ",".join(PEERS), ",".join(MOVING), PORT),
             Plain("listen", quarter, ",".join(PEERS), 30000)]
    print(f"for comparison: a plain program's set-up took {(time.monotonic() - begin) / (N - quarter) * 1000:.2f} ms")
    for i in range(quarter):
        c.request("connect_init", sock=sock, addr=PEERS, port=30000 + i)
    comes_up(c, sock, N)
    return peers


def sums(peers):
    counts = [peer.counts() for peer in peers]
    return {k: sum(c[k] for c in counts) for k in counts[0]}


def taken_over(p, here, at_here, peers):
    there, at_there = endpoint(p.west)
    rows = table(here, at_here)
    lab("cut", "east")
    move("west")
    begin = time.monotonic()
    ids = there.requests("connect_init", [{"sock": at_there, "addr": r["addr"], "port": r["port"]} for r in rows])
    answers(there, at_there)
    known = time.monotonic()
    times = [t - begin for t in comes_up(there, at_there, N)]
    assocs = [there.answer(i)["assoc_id"] for i in ids]
    print(f"{N} associations restarted, after the address had moved: the first after {times[0] * 1000:.0f} ms, half "
          f"after {statistics.median(times) * 1000:.0f} ms, all after {bound(times[-1] * 1000)}; "
          f"all peers were known after {(known - begin) * 1000:.0f} ms")
    for a in assocs:
        there.request("send", sock=at_there, assoc_id=a, stream=0, data=b"x")
    for _ in assocs:
        there.event("data", sock=at_there)
    print("echoed by each:", sums(peers))
    lab("mend", "east")
    here.call("setopts", sock=at_here, options={"blackhole": True})
    for r in rows:
        here.request("abort", sock=at_here, assoc_id=r["assoc_id"])
    here.call("status")
    lab("remove", "east")
    move("west")
    for a in assocs:
        there.request("send", sock=at_there, assoc_id=a, stream=0, data=b"y")
    for _ in assocs:
        there.event("data", sock=at_there)
    after = sums(peers)
    print("the first host came back, and ended what it had:", after)
    assert after["closed"] == 0 and after["open"] == N, after


def ended_by_themselves(p, here, at_here, peers):
    here.sock.settimeout(None)
    for r in table(here, at_here):
        here.request("send", sock=at_here, assoc_id=r["assoc_id"], stream=0, data=b"echo this")
    for _ in range(N):
        here.event("data", sock=at_here)
    lab("cut", "east")
    begin = time.monotonic()
    say = N // 10
    while (ended := sums(peers)["closed"]) < N:
        if ended >= say:
            print(f"after {time.monotonic() - begin:.0f} s: {ended} of {N} have ended", flush=True)
            say = ended + N // 10
        time.sleep(1)       # nothing tells
    print(f"all peers saw the end by their own timers after {time.monotonic() - begin:.0f} s")


def by_bridges(p):
    with test_natsstandby.members(p) as (east, west, n):
        east.take_over()
        east.runs()
        peers = [Plain("connect", N - N // 2, PEERS[0], MOVING[0], PORT),
                 Plain("connect", N // 2, ",".join(PEERS), ",".join(MOVING), PORT)]
        while len(test_natsstandby.rows(n)) < N:
            time.sleep(0.1)     # nothing tells
        lab("cut", "east")
        move("west")
        begin = time.monotonic()
        said = west.take_over()
        print(f"{N} associations by a bridge: the command took {bound((time.monotonic() - begin) * 1000)}, of which the bridge, "
              f"from the moment at which it was told: {said}")
        after = sums(peers)
        print("peers:", after)
        assert after["closed"] == 0 and said["failed"] == "0", (after, said)
        for peer in peers:
            peer.close()


def main():
    p = Pair(log_level="info")
    try:
        if "bridge" in sys.argv[2:]:
            by_bridges(p)
            return
        here, at_here = endpoint(p.east)
        answers(here, at_here)
        peers = peers_of(here, at_here)
        (ended_by_themselves if "without" in sys.argv[2:] else taken_over)(p, here, at_here, peers)
        for peer in peers:
            peer.close()
        p.close_clients()
        lab("mend", "east")
        p.idle()
    finally:
        p.stop()


main()
