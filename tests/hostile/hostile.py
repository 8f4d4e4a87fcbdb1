# SPDX-License-Identifier: BSD-2-Clause
"""A million hostile packets at the UDP port of an sctpd that was built with
ASan and UBSan: hostile.py PACKETS SECONDS [A-SECOND]. It must not die, not
grow, and serve an association beside at the pace that it had before."""
import os
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
SLOWDOWN = 3        # the usual pace beside: the flood has the processor as well
GROWTH = 64 << 20   # ASan keeps what was freed for a while


def pace(d, pair, seconds):
    """Messages a second from one end of an association to the other."""
    c = d.client()
    there, _, here, here_id = pair
    n, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        c.call("send", sock=here, assoc_id=here_id, data=b"healthy %d" % n)
        got = c.call("recv", sock=there, timeout=WAIT * 1000)
        assert got.get("data") == b"healthy %d" % n, got
        n += 1
    c.close()
    return n / seconds


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


def main():
    packets, seconds = int(sys.argv[1]), int(sys.argv[2])
    rate = sys.argv[3] if len(sys.argv) > 3 else "50000"
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
    beside = associate(victim.client())
    before = pace(victim, beside, 1)
    memory = victim.memory()
    between.stdin.write(b"go\n")
    between.stdin.flush()
    paces = []
    while between.poll() is None:
        paces.append(pace(victim, beside, 0.5))
        assert victim.alive(), victim.log_text()[-6000:]
    sent = int(between.stdout.read())
    after, grown = pace(victim, beside, 1), victim.memory() - memory
    print(f"{sent} hostile packets; a healthy association made {before:.0f} round trips a second "
          f"before, {statistics.median(paces):.0f} meanwhile ({min(paces):.0f} at least), {after:.0f} after; "
          f"memory grew by {grown >> 20} MiB")
    assert statistics.median(paces) * SLOWDOWN >= before and after * 2 >= before, paces
    assert grown < GROWTH, grown
    for c in kept:
        try:
            c.call("status")
        except (RpcError, OSError, EOFError) as why:
            raise AssertionError(victim.log_text()[-6000:]) from why
    peer.stop()
    victim.stop()


main()
