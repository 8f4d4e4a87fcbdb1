# SPDX-License-Identifier: BSD-2-Clause
"""A million hostile packets at the UDP port of an sctpd that was built with
ASan and UBSan: hostile.py PACKETS SECONDS [A-SECOND]. It must not die, not
grow, and serve an association beside at the pace that this has: so many round
trips a second, whose latency counts from when each was due."""
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
os.environ["TEST_STACK"] = "userland"

import harness  # noqa: E402
from harness import BUILD, Daemon, associate  # noqa: E402
from rpc import WAIT, RpcError  # noqa: E402

VICTIM, PEER, BETWEEN = 9899, 9900, 9901
PACE = 1000         # round trips a second that the healthy association makes
KEPT = 0.95         # of them, in each phase
FLOOD = 20000       # hostile packets a second: what is more than the victim can
                    # take is lost before it, and healthy packets with them
GROWTH = 64 << 20   # ASan keeps what was freed for a while
FOUND = re.compile(r"(\S*usrsctp\S+: runtime error: .*)")


class Healthy:
    """An association of the victim with itself, beside those of the flood."""

    def __init__(self, d):
        self.c = d.client()
        self.there, _, self.here, self.id = associate(self.c)
        self.c.call("setopts", sock=self.there, options={"active": True})
        self.n = 0

    def round_trip(self):
        self.n += 1
        data = b"healthy %d" % self.n
        sent = self.c.request("send", sock=self.here, assoc_id=self.id, data=data)
        got = self.c.event("data")
        assert got["data"] == data, got
        self.c.answer(sent)

    def at_most(self, seconds):
        """Round trips a second, one after the other."""
        first, end = self.n, time.monotonic() + seconds
        while time.monotonic() < end:
            self.round_trip()
        return (self.n - first) / seconds

    def paced(self, seconds):
        """How much of its pace was kept, and the latencies in ms."""
        took, start = [], time.monotonic()
        while (due := start + len(took) / PACE) < start + seconds:
            if due >= (now := time.monotonic()):
                time.sleep(due - now)
            elif now >= start + seconds:
                break
            self.round_trip()
            took.append((time.monotonic() - due) * 1e3)
        return len(took) / seconds / PACE, took


class Phase:
    """What the healthy association had, before, during or after the flood."""

    def __init__(self, name):
        self.name, self.kept, self.took, self.most = name, [], [], []

    def measure(self, healthy, seconds):
        kept, took = healthy.paced(seconds)
        self.kept.append(kept)
        self.took += took
        self.most.append(healthy.at_most(seconds / 4))

    def __str__(self):
        return (f"{self.name}: {statistics.mean(self.kept):.1%} of {PACE} round trips a second kept, "
                f"median {statistics.median(self.took):.2f} ms, "
                f"99% {statistics.quantiles(self.took, n=100)[98]:.2f} ms, worst {max(self.took):.1f} ms; "
                f"at most {statistics.median(self.most):.0f} a second ({min(self.most):.0f} at least)")


def converse(victim, peer):
    """The peer has associations with the victim, which are learnt from."""
    v, p = victim.client(), peer.client()
    there = v.call("open", ip="127.0.0.1", port=2006, options={"active": True})
    v.call("listen", sock=there["sock"])
    for _ in range(3):
        here = p.call("open", ip="127.0.0.1")["sock"]
        up = p.call("connect", sock=here, addr="127.0.0.1", port=2006, timeout=WAIT * 1000)
        for size in (1, 100, 1000, 5000):
            p.call("send", sock=here, assoc_id=up["assoc_id"], data=bytes(size))
        if _ == 1:
            p.call("eof", sock=here, assoc_id=up["assoc_id"])
        if _ == 2:
            p.call("abort", sock=here, assoc_id=up["assoc_id"])
    return v, p


def no_room():
    """Packets that the victim's socket was too full for."""
    with open("/proc/net/udp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    return sum(int(row[-1]) for row in rows if int(row[1].split(":")[1], 16) == VICTIM)


def flood(between, victim, healthy):
    """What was sent, and how the healthy one fared meanwhile."""
    during = Phase("during")
    between.stdin.write(b"go\n")
    between.stdin.flush()
    start, lost = time.monotonic(), no_room()
    while between.poll() is None:
        during.measure(healthy, 0.8)
        assert victim.alive(), victim.log_text()[-6000:]
    sent, lasted = int(between.stdout.read()), time.monotonic() - start
    print(f"{sent} hostile packets in {lasted:.0f} s, "
          f"{no_room() - lost} found no room in the victim's socket")
    return during


def findings(victim):
    """What UBSan says of usrsctp, if that was built with it: not ours to mend."""
    for line in sorted(set(FOUND.findall(victim.log_text()))):
        print(f"found in usrsctp: {line}")


def main():
    packets, seconds = int(sys.argv[1]), int(sys.argv[2])
    rate = sys.argv[3] if len(sys.argv) > 3 else str(FLOOD)
    between = subprocess.Popen([os.path.join(BUILD, "hostile"), str(BETWEEN), str(VICTIM),
                                str(packets), str(seconds), rate],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # What was freed is not used again for a while, which is not growth.
    os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=16"
    harness.BUILD = os.path.join(BUILD, "asan")
    victim = Daemon(udp_port=VICTIM, peer_udp_port=VICTIM, log_level="warning")
    harness.BUILD = BUILD
    peer = Daemon(udp_port=PEER, peer_udp_port=BETWEEN)
    kept = converse(victim, peer)
    healthy, before, after = Healthy(victim), Phase("before"), Phase("after")
    before.measure(healthy, 2)
    memory = victim.memory()
    during = flood(between, victim, healthy)
    grown = victim.memory() - memory
    after.measure(healthy, 2)
    for phase in before, during, after:
        print(phase)
    print(f"memory grew by {grown >> 20} MiB")
    findings(victim)
    for phase in before, during, after:
        assert statistics.mean(phase.kept) >= KEPT, phase
    assert grown < GROWTH, grown
    for c in kept:
        try:
            c.call("status")
        except (RpcError, OSError, EOFError) as why:
            raise AssertionError(victim.log_text()[-6000:]) from why
    peer.stop()
    victim.stop()


main()
