# SPDX-License-Identifier: BSD-2-Clause
"""Peers that are killed under supervised associations: the runs of "make supervise", and what
tests take of them. killed.py lksctp|osmo-stp|thousand COUNT, where the kernel has SCTP."""
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

from harness import SCRATCH, SLOW, Daemon, Skip, associate, compiled, wait_for

BACKOFF = {"backoff_min": 50, "backoff_max": 200, "jitter": 20}  # ms
MORE = 100 * SLOW  # ms that an association may take beyond the pause


def port():
    """One that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lksctp:
    """tests/integration/lksctp_peer.c"""

    def __init__(self, number):
        self.program = compiled("lksctp_peer")
        self.port, self.process = number, None

    def start(self):
        """Gives when it listens, in s."""
        self.process = subprocess.Popen([self.program, str(self.port)], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening "), line
        return int(line.split()[1]) / 1000

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Osmo:
    """osmo-stp, which takes whoever comes."""

    def __init__(self, number):
        if not shutil.which("osmo-stp"):
            raise Skip("there is no osmo-stp")
        self.port, self.process = number, None
        self.conf = os.path.join(SCRATCH, "osmo-stp.cfg")
        with open(self.conf, "w") as f:
            f.write(f"cs7 instance 0\n xua rkm routing-key-allocation dynamic-permitted\n listen m3ua {number}\n"
                    "  accept-asp-connections dynamic-permitted\n  local-ip 127.0.0.1\n")

    def start(self):
        self.process = subprocess.Popen(["osmo-stp", "-c", self.conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        def listens():
            assert self.process.poll() is None, "osmo-stp ended"
            with open("/proc/net/sctp/eps", encoding="ascii") as f:
                return any(line.split()[5:6] == [str(self.port)] for line in f)
        wait_for(listens)
        return time.monotonic()

    def kill(self):
        self.process.kill()
        self.process.wait()


def killed_again_and_again(d, kind, times):
    """The peer dies and comes back; how long each association took from then, in ms."""
    peer = kind(port())
    c, took = d.client("owner"), []
    c.call("supervise", name="killed", local="127.0.0.1", peer="127.0.0.1", peer_port=peer.port, **BACKOFF)
    sock = c.call("attach", name="killed", options={"active": True})["sock"]
    try:
        for i in range(times):
            began = peer.start()
            while c.event("sctp_assoc_change", sock=sock)["state"] != "comm_up":
                pass
            took.append((time.monotonic() - began) * 1000)
            peer.kill()
            # A few attempts fail before it is there again.
            while c.call("supervised", name="killed")["supervised"][0]["attempts"] < i % 4 + 1:
                pass
    finally:
        if peer.process.poll() is None:
            peer.kill()
        c.call("unsupervise", name="killed")
    worst = max(took)
    assert worst <= BACKOFF["backoff_max"] + MORE, f"{worst:.0f} ms: {[round(t) for t in took]}"
    return took


class Trips:
    """Round trips of two other clients over an association of theirs, in a thread, in s."""

    def __init__(self, d):
        self.a, self.b = d.client("asks"), d.client("answers")
        self.there, self.there_id, self.here, self.here_id = associate(self.a, to=self.b)
        for c, sock in ((self.a, self.here), (self.b, self.there)):
            c.call("setopts", sock=sock, options={"active": True, "sctp_nodelay": True})

    def run(self, seconds):
        took, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            self.a.call("send", sock=self.here, assoc_id=self.here_id, data=b"x" * 100)
            self.b.event("data")
            self.b.call("send", sock=self.there, assoc_id=self.there_id, data=b"x" * 100)
            self.a.event("data")
            took.append(time.monotonic() - began)
        return took


def thousand(d, n, backoff=2000, jitter=50, before=2):
    """n associations to one peer, which is killed under all of them, and is back at once.
    Gives (when each came up after that, in ms; when the daemon knew of all their ends; the
    round trips of others before, and meanwhile)."""
    peer, c, trips = Lksctp(port()), d.client("owner"), Trips(d)
    peer.start()
    for i in range(n):
        c.call("supervise", name=f"n{i}", local="127.0.0.1", peer="127.0.0.1", peer_port=peer.port,
               backoff_min=backoff, backoff_max=backoff, jitter=jitter)
    for _ in range(n):
        assert peer.process.stdout.readline().startswith("up ")
    alone, ups = trips.run(before), []

    def lost():  # and not how many are left: the first come back before the last are gone
        return c.call("status")["supervised_lost"]
    before_it = lost()
    peer.kill()
    died = time.monotonic()  # each ABORT is sent
    peer.start()
    wait_for(lambda: lost() >= before_it + n)
    noticed = (time.monotonic() - died) * 1000

    def count():
        for _ in range(n):
            ups.append(int(peer.process.stdout.readline().split()[1]) - died * 1000)
    counter = threading.Thread(target=count)
    counter.start()
    meanwhile = trips.run(backoff / 1000)
    counter.join(60)
    assert len(ups) == n, f"{len(ups)} of {n} came back"
    peer.kill()
    for i in range(n):
        c.call("unsupervise", name=f"n{i}")
    return ups, noticed, alone, meanwhile


def check_spread(ups, noticed, backoff=2000, jitter=50, bins=10):
    """Are they spread over the jitter? Gives the histogram."""
    least, most = backoff * (1 - jitter / 100), backoff + noticed + MORE
    width = (max(ups) - min(ups)) / bins
    histogram = [0] * bins
    for up in ups:
        histogram[min(max(int((up - min(ups)) / width), 0), bins - 1)] += 1
    even = len(ups) / bins
    assert max(ups) <= most and max(ups) - min(ups) > 0.7 * (backoff - least), (min(ups), max(ups), noticed)
    # What is even over the jitter is a triangle once the ends are not known at once.
    assert max(histogram) < 2.5 * even, histogram
    return histogram


def main():
    what, count = sys.argv[1], int(sys.argv[2])
    d = Daemon(log_level="notice", max_sockets=4 * count + 64)
    with contextlib.closing(d.client()):
        if what == "thousand":
            ups, noticed, before, meanwhile = thousand(d, count)
            print(f"{count} associations came back {min(ups):.0f} to {max(ups):.0f} ms after their end, which sctpd knew of after {noticed:.0f} ms")
            histogram = check_spread(ups, noticed)
            print("histogram, ten parts of that time:", *histogram)
            was, now = statistics.median(before), statistics.median(meanwhile)
            print(f"round trip of others, median: {was * 1e6:.0f} us before, {now * 1e6:.0f} us meanwhile, {now / was:.2f} times")
            assert now < 1.5 * was
        else:
            took = killed_again_and_again(d, {"lksctp": Lksctp, "osmo-stp": Osmo}[what], count)
            print(f"{what}: killed {count} times; associated again after {min(took):.0f} to {max(took):.0f} ms, "
                  f"median {statistics.median(took):.0f} ms, with pauses up to {BACKOFF['backoff_max']} ms")
    d.stop()


if __name__ == "__main__":
    main()
