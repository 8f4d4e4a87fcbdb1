#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast the bridge is, one way, with one peer: speed.py [COUNT [SIZE...]].

For each length: a client of sctpd alone, a bare publisher of JetStream alone, and the bridge, which does both. They have the
same daemon and the same NATS server, and all the processors that there are. The bare publisher's stream is stored as the
bridge's log is, and its messages have no headers. Neither stream has consumers, as is the bridge's default. Beside it: both with a
consumer for each partition, from which nobody reads.

What goes through JetStream is timed by when the server stored the first message and the last, so that nobody asks it meanwhile:
an answer costs it as much as ten messages. All take turns, nine times, there and back: from one turn to the next each is faster
or slower by a tenth. A turn takes seconds, as the server is slower in the first tenth of one. Prints messages a second, medians,
and the ratio of the bridge to the slower of the two; behind each rate is the processor time of a message, by program, in
microseconds. With a ratio below the bound the status is 1."""
import datetime
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "integration"))
from harness import BUILD, STACK, Daemon  # noqa: E402
from nats import Nats, bridge, bus  # noqa: E402

SPEED = os.path.join(BUILD, "nats-speed")
PORT, ROUNDS, BOUND, POLL, PARTS = "2905", 9, 0.7, 0.25, 16
TICK = os.sysconf("SC_CLK_TCK")


def speed(*args):
    return subprocess.Popen([SPEED, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def end(p):
    p.stdin.close()
    assert p.wait() == 0, p.args


def used(pid):
    """Seconds of processor time."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / TICK


class Clock:
    """What programs use from here on."""

    def __init__(self, **programs):
        self.programs = {name: (p, used(p.pid)) for name, p in programs.items()}

    def stop(self, count):
        """By program, in microseconds for each message."""
        return {name: (used(p.pid) - before) / count * 1e6 for name, (p, before) in self.programs.items()}


def alone(d, count, size):
    receiver = speed("receive", d.path, PORT, count)
    assert receiver.stdout.readline() == "listens\n"
    sender = speed("send", d.path, PORT, count, size)
    clock = Clock(sctpd=d.process, sender=sender, receiver=receiver)
    rate, cost = float(receiver.stdout.readline()), clock.stop(count)
    end(sender)
    end(receiver)
    return rate, cost


def stored(n, stream, seq):
    """When the server stored a message, in seconds."""
    whole, fraction = n.api(f"STREAM.MSG.GET.{stream}", seq=seq)["message"]["time"].rstrip("Z").split(".")
    return datetime.datetime.fromisoformat(whole).timestamp() + float(f"0.{fraction}")


def rate_of(n, stream, first, last):
    return (last - first) / (stored(n, stream, last) - stored(n, stream, first))


def bare(server, n, count, size, consumers=0):
    """Of the consumers one would get the messages, as of those of the partitions."""
    n.api("STREAM.CREATE.bare", name="bare", subjects=["bare", "bare.*"], retention="limits", discard="new", storage="file",
          num_replicas=1, max_bytes=1 << 30, duplicate_window=10**8)
    for i in range(consumers):
        n.api(f"CONSUMER.DURABLE.CREATE.bare.part-{i}", stream_name="bare", config={
            "durable_name": f"part-{i}", "filter_subject": f"bare.{i}" if i else "bare", "ack_policy": "explicit",
            "deliver_policy": "all", "ack_wait": 5 * 10**9, "max_ack_pending": 1})
    assert n.state("bare")["consumer_count"] == consumers
    publisher = speed("publish", server.url, "bare", count, size)
    clock = Clock(nats=server.process, publisher=publisher)
    publisher.stdout.readline()
    cost = clock.stop(count)
    end(publisher)
    rate = rate_of(n, "bare", 1, count)
    n.api("STREAM.DELETE.bare")
    return rate, cost


def bridged(d, servers, n, count, size, consumers=0):
    """From the first message in the log to the last."""
    with bridge(d, servers, {"e": {"ip": "127.0.0.1", "port": PORT}}, in_max_age=0, partitions=PARTS,
                part_consumers="yes" if consumers else "no") as b:
        before = n.state("sctp-h1-in")["last_seq"]
        assert n.state("sctp-h1-in")["consumer_count"] == consumers
        sender = speed("send", d.path, PORT, count, size)
        clock = Clock(sctpd=d.process, sender=sender, bridge=b.process, nats=servers[0].process)
        while n.state("sctp-h1-in")["last_seq"] < before + 1 + count:   # comm_up, and the messages
            time.sleep(POLL)
        cost = clock.stop(count)
        rate = rate_of(n, "sctp-h1-in", before + 2, before + 1 + count)
        end(sender)
    n.api("STREAM.DELETE.sctp-h1-in")
    return rate, cost


def median(results):
    """(rate, {program: cost}) of several of these."""
    return (statistics.median(r for r, _ in results),
            {name: statistics.median(c[name] for _, c in results) for name in results[0][1]})


def show(what, result):
    rate, cost = result
    print(f"    {what:<29} {rate:>9,.0f}/s   " + ", ".join(f"{name} {us:.1f}" for name, us in cost.items()), flush=True)


def ratio(middle, alone_, bridge_):
    return middle[bridge_][0] / min(middle["sctpd alone"][0], middle[alone_][0])


def measure(d, servers, n, count, size):
    """The ratio."""
    kinds = {"sctpd alone": lambda: alone(d, count, size),
             "JetStream alone": lambda: bare(servers[0], n, count, size),
             "bridge": lambda: bridged(d, servers, n, count, size),
             f"JetStream alone, {PARTS} consumers": lambda: bare(servers[0], n, count, size, PARTS),
             f"bridge, {PARTS} consumers": lambda: bridged(d, servers, n, count, size, PARTS)}
    results = {what: [] for what in kinds}
    for turn in range(ROUNDS):
        for what in list(kinds)[::1 if turn % 2 == 0 else -1]:
            results[what].append(kinds[what]())
    print(f"{STACK}, {os.cpu_count()} processors, {size} bytes: messages a second, and microseconds of processor time for each", flush=True)
    middle = {what: median(got) for what, got in results.items()}
    for what, result in middle.items():
        show(what, result)
    _, js, log, js_read, log_read = kinds
    got = ratio(middle, js, log)
    print(f"    ratio to the slower of the two: {got:.2f}, at least {BOUND}{'' if got >= BOUND else ': MISSED'}; "
          f"with the consumers {ratio(middle, js_read, log_read):.2f}", flush=True)
    return got


def main(count=300000, *sizes):
    d = Daemon()
    with bus() as servers:
        n = Nats(*servers)
        ratios = [measure(d, servers, n, count, size) for size in sizes or (100, 1000)]
    d.stop()
    return min(ratios) < BOUND


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
