# SPDX-License-Identifier: BSD-2-Clause
"""standby_figures.py [N [bridge|without]]: how long it takes until another host has N associations, of the peers of all kinds
in standby.py, and whether one of them ends. "make standby" runs it in the lab.

With "bridge" two sctpd-nats do it, with the table in a bucket of JetStream: what --take-over prints.

With "without" nobody takes over: how long it takes until idle peers see the end by their own timers.

The exit status is 1 if a bound was missed."""
import statistics
import sys
import time

import test_natsstandby
from standby import Crowd, Pair, announce, answers, calls, endpoint, lab, move, table

N = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
AT_MOST = 1000      # ms from the moment at which the address moved
missed = []


def bound(ms):
    if ms > AT_MOST:
        missed.append(ms)
    return f"{ms:.0f} ms, at most {AT_MOST} ms{'' if ms <= AT_MOST else ' MISSED'}"


def comes_up(c, sock, n):
    """When each of n comes up."""
    times = []
    while len(times) < n:
        e = c.event("sctp_assoc_change", sock=sock)
        assert e["state"] == "comm_up", e
        times.append(time.monotonic())
    return times


def show(what, said):
    print(f"{what}:")
    for kind, counts in said.items():
        print(f"  {kind}: {counts['open']} open, {counts['closed']} closed, {counts['echoes']} echoes, "
              f"told of {counts['restarts']} restarts")


def crowd_of(c, sock):
    crowd = Crowd(N)
    crowd.call_servers(c, sock)
    comes_up(c, sock, N)
    return crowd


def echoed(c, sock, assocs, text):
    for a in assocs:
        c.request("send", sock=sock, assoc_id=a, stream=0, data=text)
    for _ in assocs:
        assert c.event("data", sock=sock)["data"] == text


def taken_over(p, here, at_here, crowd):
    there, at_there = endpoint(p.west)
    rows = table(here, at_here)
    asked = calls(at_there, rows)
    lab("cut", "east")
    move("west")
    begin = time.monotonic()
    ids = there.requests("connect_init", asked)
    answers(there, at_there)
    known = time.monotonic()
    times = [t - begin for t in comes_up(there, at_there, N)]
    assocs = [there.answer(i)["assoc_id"] for i in ids]
    print(f"{N} associations restarted, after the address had moved: the first after {times[0] * 1000:.0f} ms, half "
          f"after {statistics.median(times) * 1000:.0f} ms, all after {bound(times[-1] * 1000)}; "
          f"all peers were known after {(known - begin) * 1000:.0f} ms")
    echoed(there, at_there, assocs, b"x")
    show("echoed by each", crowd.kept(restarts=1, echoes=1))
    lab("mend", "east")
    announce("east")
    here.call("setopts", sock=at_here, options={"blackhole": True})
    for r in rows:
        here.request("abort", sock=at_here, assoc_id=r["assoc_id"])
    here.call("status")
    lab("remove", "east")
    move("west")
    echoed(there, at_there, assocs, b"y")
    show("the first host came back, and ended what it had; echoed by each", crowd.kept(restarts=1, echoes=2))


def ended_by_themselves(_, here, at_here, crowd):
    here.sock.settimeout(None)
    echoed(here, at_here, [r["assoc_id"] for r in table(here, at_here)], b"echo this")
    lab("cut", "east")
    begin = time.monotonic()
    said = {}
    while sum(said.values()) < N:
        closed = {kind: counts["closed"] for kind, counts in crowd.counts().items()}
        for kind, ended in closed.items():
            all_of_them = crowd.numbers[kind]
            if ended > said.get(kind, 0) and (kind not in said or ended == all_of_them or ended - said[kind] >= all_of_them / 4):
                print(f"after {time.monotonic() - begin:.0f} s: {ended} of {all_of_them} {kind} have ended", flush=True)
                said[kind] = ended
        time.sleep(1)       # nothing tells
    print(f"all peers saw the end by their own timers after {time.monotonic() - begin:.0f} s")


def by_bridges(p):
    with test_natsstandby.members(p) as (east, west, n):
        east.take_over()
        east.runs()
        crowd = test_natsstandby.crowd_of(N, p, n)
        names = list(test_natsstandby.rows(n))
        lab("cut", "east")
        move("west")
        begin = time.monotonic()
        said = west.take_over()
        print(f"{N} associations by a bridge: the command took {bound((time.monotonic() - begin) * 1000)}, of which the bridge, "
              f"from the moment at which it was told: {said}")
        assert said["failed"] == "0", said
        test_natsstandby.echoed(n, names, b"x")
        show("echoed by each", crowd.kept(restarts=1, echoes=1))
        test_natsstandby.comes_back(east, west)
        test_natsstandby.echoed(n, names, b"y")
        show("the first host came back, and ended what it had; echoed by each", crowd.kept(restarts=1, echoes=2))
        # nats-server 2.9.10 loses a request in so many: out.c. To begin anew would be a stall of seconds.
        assert "cannot be read" not in west.log_text(), west.log_text()
        crowd.close()


def main():
    p = Pair(log_level="info")
    try:
        if "bridge" in sys.argv[2:]:
            by_bridges(p)
            return
        here, at_here = endpoint(p.east)
        answers(here, at_here)
        crowd = crowd_of(here, at_here)
        (ended_by_themselves if "without" in sys.argv[2:] else taken_over)(p, here, at_here, crowd)
        crowd.close()
        p.close_clients()
        lab("mend", "east")
        p.idle()
    finally:
        p.stop()


main()
sys.exit(1 if missed else 0)
