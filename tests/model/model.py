#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A model of what no test can hold: many hosts in pairs, of which each stands in for the other, with one NATS cluster
behind them. It simulates failures of hosts, one by one and in storms, and prints how long associations were without a
host, how loaded everything was, and which limit comes next as it all grows.

	model.py [NAME=NUMBER]...	the names and their values are those of PARAMETERS
	model.py --check		a few seconds: cases whose result is known

What is modelled:
 - A host fails and is repaired after a while. Its partner has the addresses after `detect` seconds, and restarts the
   associations one after the other. A processor that is busy with messages does so in the time that is left.
 - If the partner is down as well, the associations wait for whichever of the two is up first. A repaired host does not take
   back what its partner has (nopreempt), so later failures hit both halves or none.
 - A peer that has waited for longer than its own timers gives the association up and sets it up anew: it is a set-up for
   the host, and a loss for its users.
 - Each restart is a row of the table on the bus, and each message is one on the bus. The bus has one queue for both.
What is not: the network, and that peers of one operator fail together.

The figures come from measurements; each names its command. Those in the lab are of one processor of User-Mode Linux, where a
system call takes some 50 times as long as on the machine itself, so they are upper bounds."""
import heapq
import random
import statistics
import sys

PARAMETERS = {
    # name: (value, what it is)
    "hosts": (200, "hosts, in pairs"),
    "associations": (100_000, "associations of all hosts"),
    "days": (365, "simulated time"),
    "mtbf_hours": (2000, "mean time between failures of one host"),
    "repair_minutes": (20, "mean time until a host is back"),
    "storms": (12, "times in these days at which many hosts fail together"),
    "storm_hosts": (40, "how many then, chosen by chance"),
    "messages": (1.0, "messages of each association a second, both ways together"),
    "detect": (0.8, "s from a failure until the partner has the addresses: 3 x advert_int of keepalived.conf, and the skew"),
    "take_over_ms": (150, "ms from then until the first INIT: the command, and the bridge that reads the table (make standby)"),
    "restart_us": (350, "us of the partner's processor for each association: a set-up of make bench, in the lab; a restart takes as long"),
    "message_us": (7, "us of a host's processor for each message (make bench: sctpd at both ends, in the lab)"),
    "row_us": (500, "us of the bus for each row of the table (a put waits for its answer)"),
    "bus_us": (5.5, "us of the bus for each message (JetStream with deduplication: 183,000 a second)"),
    "peer_timer": (96, "s after which the first idle peer gave its association up (make standby: the earliest of 1,000)"),
    "memory_kib": (18, "KiB of the kernel for each end of an association (make crowd)"),
    "host_gib": (16, "GiB of memory of a host that associations may have"),
    "seed": (1, "of the random numbers"),
}
UP, DOWN = True, False


class Settings:
    def __init__(self, **given):
        for name, (value, _) in PARAMETERS.items():
            setattr(self, name, given.get(name, value))
        self.hosts = max(2, int(self.hosts) // 2 * 2)
        self.end = self.days * 86400


class Pair:
    """Two hosts, and who has how many of the associations: by the host that had them first."""

    def __init__(self, associations):
        self.associations = associations            # of each half
        self.up = [UP, UP]
        self.at = [0, 1]                            # which host has half 0, half 1; None: nobody
        self.since = [None, None]                   # since when that half has none

    def load(self, host):
        return sum(self.associations for half in (0, 1) if self.at[half] == host)


class Model:
    def __init__(self, settings):
        self.s = settings
        self.random = random.Random(settings.seed)
        self.pairs = [Pair(settings.associations / settings.hosts) for _ in range(settings.hosts // 2)]
        self.queue, self.number, self.now = [], 0, 0.0
        self.outages = []               # (seconds until the last of them was restarted, associations)
        self.failures = self.double = self.gave_up = 0
        self.busiest_host = self.bus_free = self.bus_behind = 0.0

    def at(self, when, what, *args):
        self.number += 1
        heapq.heappush(self.queue, (when, self.number, what, args))

    def run(self):
        s = self.s
        for pair in self.pairs:
            for host in (0, 1):
                self.at(self.random.expovariate(1 / (s.mtbf_hours * 3600)), self.fail, pair, host)
        for _ in range(int(s.storms)):
            self.at(self.random.uniform(0, s.end), self.storm)
        for pair in self.pairs:
            for host in (0, 1):
                self.busy(pair, host)
        while self.queue and self.queue[0][0] <= s.end:
            self.now, _, what, args = heapq.heappop(self.queue)
            what(*args)
        return self

    def storm(self):
        hosts = [(pair, host) for pair in self.pairs for host in (0, 1)]
        for pair, host in self.random.sample(hosts, min(len(hosts), int(self.s.storm_hosts))):
            self.fail(pair, host, again=False)

    def fail(self, pair, host, again=True):
        s = self.s
        if again:
            self.at(self.now + self.random.expovariate(1 / (s.mtbf_hours * 3600)), self.fail, pair, host)
        if not pair.up[host]:
            return
        pair.up[host] = DOWN
        self.failures += 1
        self.at(self.now + self.random.expovariate(1 / (s.repair_minutes * 60)), self.repaired, pair, host)
        lost = [half for half in (0, 1) if pair.at[half] == host]
        for half in lost:
            pair.at[half], pair.since[half] = None, self.now
        if not lost:
            return
        if not pair.up[1 - host]:
            self.double += 1
        self.at(self.now + s.detect, self.take_over, pair, 1 - host)

    def repaired(self, pair, host):
        pair.up[host] = UP
        self.at(self.now + self.s.detect, self.take_over, pair, host)

    def left(self, pair, host):
        """The part of a host's processor that messages leave."""
        return max(0.05, 1 - pair.load(host) * self.s.messages * self.s.message_us / 1e6)

    def busy(self, pair, host):
        self.busiest_host = max(self.busiest_host, pair.load(host) * self.s.messages * self.s.message_us / 1e6)

    def take_over(self, pair, host):
        """This host restarts what nobody has, if it is up."""
        s = self.s
        halves = [half for half in (0, 1) if pair.at[half] is None]
        if not pair.up[host] or not halves:
            return
        ready = self.now + s.take_over_ms / 1e3
        for half in halves:
            ready += pair.associations * s.restart_us / 1e6 / self.left(pair, host)
            took = ready - pair.since[half]
            self.outages.append((took, pair.associations))
            if took > s.peer_timer:
                self.gave_up += pair.associations
            pair.at[half], pair.since[half] = host, None
            self.rows(ready, pair.associations)
        self.busy(pair, host)

    def rows(self, when, n):
        """The bus has messages as well; rows wait for each other."""
        s = self.s
        share = max(0.05, 1 - s.associations * s.messages * s.bus_us / 1e6)
        self.bus_free = max(self.bus_free, when) + n * s.row_us / 1e6 / share
        self.bus_behind = max(self.bus_behind, self.bus_free - when)


def percentile(outages, part):
    """Of associations that were without a host: so many had one again within this time."""
    total = sum(n for _, n in outages)
    seen = 0
    for took, n in sorted(outages):
        seen += n
        if seen >= part * total:
            return took
    return 0.0


def limits(s):
    """What each resource can bear, as associations of the whole, at these rates; a host has its partner's as well."""
    per_host = 2 / s.hosts
    within = 1 - s.take_over_ms / 1e3
    return {
        "a restart of all of a host within 1 s after the addresses moved": within / (s.restart_us / 1e6) * s.hosts,
        "processor of a host, with its partner's messages": 1e6 / s.message_us / max(s.messages, 1e-9) / per_host,
        "the bus: messages": 1e6 / s.bus_us / max(s.messages, 1e-9),
        "the bus: rows of a storm within a minute": 60 / (s.row_us / 1e6) * s.hosts / max(s.storm_hosts, 1),
        "memory of a host, with its partner's associations": s.host_gib * (1 << 20) / s.memory_kib / per_host,
    }


def report(m):
    s = m.s
    print(f"{s.hosts} hosts in pairs, {s.associations:,.0f} associations, {s.messages:g} messages a second each, "
          f"{s.days:g} days")
    print(f"failures of hosts: {m.failures}, of them while the partner was down: {m.double}")
    if m.outages:
        took = [t for t, _ in m.outages]
        n = sum(n for _, n in m.outages)
        print(f"associations taken over: {n:,.0f}; without a host for {percentile(m.outages, .5):.2f} s (half), "
              f"{percentile(m.outages, .99):.2f} s (99 %), {max(took):.0f} s (longest)")
        served = 1 - sum(t * n for t, n in m.outages) / (s.end * s.associations)
        print(f"an association had a host for {served * 100:.5f} % of the time; "
              f"{m.gave_up:,.0f} were given up by their peers ({m.gave_up / n * 100:.2f} % of those taken over)")
        single = [t for t in took if t < 10]
        if single:
            print(f"with a partner that was up: {statistics.mean(single):.2f} s on average, of which {s.detect:g} s to detect it")
    print(f"load: the busiest host {m.busiest_host * 100:.1f} % of a processor, the bus "
          f"{s.associations * s.messages * s.bus_us / 1e4:.0f} %; the table was behind by {m.bus_behind:.1f} s at most")
    print("limits, as associations of the whole at these rates:")
    for what, n in sorted(limits(s).items(), key=lambda item: item[1]):
        print(f"  {n:14,.0f}  {what}{'   <- exceeded' if n < s.associations else ''}")
    first = min(limits(s), key=limits(s).get)
    print(f"the next limit: {first}")


# ---- cases whose result is known -----------------------------------------------


def check():
    quiet = {"storms": 0, "mtbf_hours": 1e9, "hosts": 2, "associations": 2000, "messages": 0}
    m = Model(Settings(**quiet)).run()
    assert m.failures == 0 and not m.outages, "nothing fails"

    m = Model(Settings(**{**quiet, "storms": 1, "storm_hosts": 1})).run()
    (took, n), = m.outages
    assert n == 1000 and abs(took - (0.8 + 0.15 + 1000 * 350e-6)) < 1e-9, "one failure takes what its parts take"

    m = Model(Settings(**{**quiet, "storms": 1, "storm_hosts": 2})).run()
    assert m.double == 1 and all(n == 1000 for _, n in m.outages) and len(m.outages) == 2, "both fail"
    assert min(took for took, _ in m.outages) > 0.95, "and somebody has to come back"

    half = Settings(**{**quiet, "storms": 1, "storm_hosts": 1, "messages": 71.428571, "message_us": 7})
    (took, _), = Model(half).run().outages
    assert abs(took - (0.95 + 0.35 / 0.5)) < 1e-6, "a processor that is half busy restarts half as fast"

    big = limits(Settings())
    assert abs(big["the bus: messages"] - 181818) < 1, "as many messages as the bus takes"
    twice = limits(Settings(hosts=400))
    assert twice["the bus: messages"] == big["the bus: messages"], "hosts do not make the bus faster"
    key = "processor of a host, with its partner's messages"
    assert twice[key] == 2 * big[key], "but share the messages"
    assert Model(Settings(days=30)).run().outages == Model(Settings(days=30)).run().outages, "the same seed, the same result"
    print("model: its known cases are right")


def main():
    if sys.argv[1:] == ["--check"]:
        check()
        return
    given = {}
    for word in sys.argv[1:]:
        name, _, value = word.partition("=")
        if name not in PARAMETERS:
            sys.exit(f"model.py: {word}: it is NAME=NUMBER, with one of these names:\n" + "\n".join(
                f"  {n:16} {v:>10}  {text}" for n, (v, text) in PARAMETERS.items()))
        try:
            given[name] = float(value)
        except ValueError:
            sys.exit(f"model.py: {word}: {value!r} is no number")
    report(Model(Settings(**given)).run())


main()
