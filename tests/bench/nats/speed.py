#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast the bridge is, one way, with one peer: speed.py [COUNT [SIZE...]].

For each length: a client of sctpd alone, a bare publisher of JetStream alone, and the bridge, which does both; the messages
go over the same daemon, and into a stream of the same kind. Prints messages a second, medians of three, and the ratio of the
bridge to the slower of the two."""
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "integration"))
from harness import BUILD, Daemon  # noqa: E402
from nats import Nats, bridge, bus  # noqa: E402

SPEED = os.path.join(BUILD, "nats-speed")
PORT, ROUNDS = "2905", 3


def speed(*args):
    return subprocess.Popen([SPEED, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def end(p):
    p.stdin.close()
    assert p.wait() == 0, p.args


def alone(d, count, size):
    receiver = speed("receive", d.path, PORT, count)
    assert receiver.stdout.readline() == "listens\n"
    sender = speed("send", d.path, PORT, count, size)
    rate = float(receiver.stdout.readline())
    end(sender)
    end(receiver)
    return rate


def bare(server, n, count, size):
    n.api("STREAM.CREATE.bare", name="bare", subjects=["bare"], retention="limits", storage="file", num_replicas=1)
    p = speed("publish", server.url, "bare", count, size)
    rate = float(p.stdout.readline())
    end(p)
    n.api("STREAM.DELETE.bare")
    return rate


def bridged(d, n, count, size):
    """From the first message in the log to the last."""
    before = n.state("sctp-h1-in")["last_seq"]
    sender = speed("send", d.path, PORT, count, size)
    while n.state("sctp-h1-in")["last_seq"] < before + 2:   # comm_up, and the first message
        time.sleep(0.001)
    start, first = time.monotonic(), n.state("sctp-h1-in")["last_seq"]
    while (last := n.state("sctp-h1-in")["last_seq"]) < before + count:
        time.sleep(0.01)
    rate = (last - first) / (time.monotonic() - start)
    end(sender)
    n.api("STREAM.PURGE.sctp-h1-in")
    return rate


def main(count=100000, *sizes):
    d = Daemon()
    with bus() as servers:
        n = Nats(*servers)
        for size in sizes or (100, 1000):
            got = {"sctpd alone": [alone(d, count, size) for _ in range(ROUNDS)],
                   "JetStream alone": [bare(servers[0], n, count, size) for _ in range(ROUNDS)]}
            with bridge(d, servers, {"e": {"ip": "127.0.0.1", "port": PORT}}, in_max_age=0):
                got["bridge"] = [bridged(d, n, count, size) for _ in range(ROUNDS)]
            rate = {what: statistics.median(rates) for what, rates in got.items()}
            slower = min(rate["sctpd alone"], rate["JetStream alone"])
            print(f"{size} bytes: " + ", ".join(f"{what} {r:,.0f}/s" for what, r in rate.items()) + f"; ratio {rate['bridge'] / slower:.2f}", flush=True)
    d.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
