# SPDX-License-Identifier: BSD-2-Clause
"""A group under load, numbered messages both ways: members are killed, drained and joined, and
the daemon dies. No message is lost, acknowledged twice, or out of order within an association,
and no association ends. GROUPS_SECONDS, GROUPS_ASSOCIATIONS and the others below make it longer
and larger; crew.py has the members and the peers."""
import fcntl
import json
import os
import random
import select
import signal
import time

from check import only
from crew import KINDS, SLOW_KINDS, Book, OnKernel, OnSctpd, compile_members, now, start_member, start_peers
from harness import SLOW, STACK
from rpc import WAIT
from test_group import clean
from test_keeper import Own
from test_session import session
from test_session import start as start_daemon
from through import Session

SECONDS = float(os.environ.get("GROUPS_SECONDS", "3"))
ASSOCIATIONS = int(os.environ.get("GROUPS_ASSOCIATIONS", "20"))
EVERY = float(os.environ.get("GROUPS_EVERY", "0.3"))    # seconds between two comings and goings
DEATHS = float(os.environ.get("GROUPS_DEATHS", "2"))    # and between two deaths of the daemon
WINDOW = int(os.environ.get("GROUPS_WINDOW", "4"))      # messages of an association that are on the way
RATE = float(os.environ.get("GROUPS_RATE", "1000"))     # messages a second, of all together
MEMBERS = 4
MS = 1000
GAP, GAP_OVER_DEATH = 50, 1500  # ms, 99 of 100 hand-overs, where it runs as long as
LONG = 60                       # seconds


def start(**config):
    compile_members()
    return start_daemon(**config)


class Load:
    def __init__(self, d, owner, daemon=None):
        self.d, self.daemon = d, daemon
        self.look = Session(d.path, "look")
        got = owner.call("open", ip="127.0.0.1", options={"active": True, "sctp_nodelay": True})
        owner.call("listen", sock=got["sock"])
        owner.call("group", sock=got["sock"], name="g")
        self.port, self.book = got["port"], Book(ASSOCIATIONS)
        self.into, self.log = os.pipe()
        fcntl.fcntl(self.into, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.set_blocking(self.into, False)
        self.alive, self.draining, self.next = {}, {}, 1
        self.counts = dict.fromkeys(("killed", "drained", "joined", "deaths"), 0)
        self.spread, self.problems, self.reaped = [], [], 0.0
        self.began, self.began_of = now(), {}

    # ---- members ----

    def group(self):
        return only(self.look.call("groups", name="g")["groups"], name="g")

    def join(self):
        """Of each kind in turn; of those that take their time only the first in a short run."""
        kinds = [k for k in KINDS if self.next <= MEMBERS or SECONDS >= LONG or k not in SLOW_KINDS]
        kind = kinds[self.next % len(kinds)]
        self.began_of[self.next] = now()
        self.alive[self.next] = start_member(self.d.path, self.next, self.log, kind)
        self.next += 1
        self.counts["joined"] += 1

    def kill(self):
        number = random.choice(list(self.alive))
        self.book.gone[number] = now(), "killed"
        pid = self.alive.pop(number)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.counts["killed"] += 1

    def drain(self):
        number = random.choice(list(self.alive))
        self.book.gone[number] = now(), "drained"
        self.draining[number] = self.alive.pop(number), time.monotonic()
        os.kill(self.draining[number][0], signal.SIGTERM)

    def reap(self):
        """Those that ended by themselves: only who drains may, and in time."""
        for number, (pid, since) in list(self.draining.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.draining[number]
                self.counts["drained"] += 1
            if status or time.monotonic() > since + WAIT * SLOW:
                self.problems.append(f"member {number} drains: status {status}, {self.group()}")
        for number, pid in list(self.alive.items()):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self.alive[number]
                self.problems.append(f"member {number} has ended")

    def are_in(self):
        """All that are to be in the group are, and nobody else; what it says of them."""
        members = {m["name"]: m for m in self.group()["members"]}
        return members if members.keys() == {f"m{n}" for n in self.alive} else None

    def all_are_shared(self):
        """Peers are connected before the daemon has read that they are."""
        g = self.group()
        return g["associations"] == ASSOCIATIONS and not g["unassigned"]

    def measure(self):
        """How evenly the associations are spread, where none is just going."""
        members = self.are_in()
        if self.book.outages and now() < self.book.outages[-1][1] + 2000 * MS:
            return      # what was just going is known again when members have had their second to come back
        if members and not any(m["going"] for m in members.values()):
            even = ASSOCIATIONS / len(members)
            self.spread.append(max(abs(m["sockets"] - even) for m in members.values()) / even)

    def event(self):
        """A member comes or goes."""
        if self.draining or not self.are_in():
            return
        self.measure()
        may = [self.join] if len(self.alive) < MEMBERS + 2 else []
        may += [self.kill, self.drain] if len(self.alive) >= MEMBERS else []
        random.choice(may)()

    def death(self):
        """The daemon dies, and each third time a member with it."""
        pid = self.daemon()
        self.book.died()
        os.kill(pid, signal.SIGKILL)
        self.counts["deaths"] += 1
        if self.counts["deaths"] % 3 == 0 and len(self.alive) > 1:
            self.kill()
        self.look.call("status")
        self.book.is_back()

    # ---- the load ----

    def hear(self, seconds):
        if select.select([self.into], [], [], seconds)[0]:
            self.book.feed(os.read(self.into, 1 << 20))

    def check(self):
        """Often; and ten times a second whether those are there that should be."""
        if time.monotonic() > self.reaped + 0.1:
            self.reap()
            self.reaped = time.monotonic()
        problems = self.problems + self.book.problems
        assert not problems, "\n".join([f"{len(problems)} problems", *problems[:10]])

    def step(self, until):
        while (left := until - time.monotonic()) > 0:
            self.hear(left)
            self.check()

    def until(self, true):
        deadline = time.monotonic() + WAIT * SLOW
        while not true():
            assert time.monotonic() < deadline, ("it never came", self.group())
            self.step(time.monotonic() + 0.02)

    def settle(self):
        """To the members that there are to be, with even shares."""
        while len(self.alive) > MEMBERS:
            self.kill()
        while len(self.alive) < MEMBERS:
            self.join()
        self.until(lambda: self.are_in() and not any(m["going"] for m in self.are_in().values()))
        self.measure()

    def end(self, peers):
        """All that was sent comes, is acknowledged, and answered."""
        self.until(lambda: not self.draining)
        self.settle()
        peers.sendall(b"stop")
        self.until(lambda: select.select([peers], [], [], 0)[0])
        text = b""
        while part := peers.recv(1 << 20):
            text += part
        said = json.loads(text)
        assert not said["problems"], said["problems"][:10]
        self.until(lambda: self.book.is_complete(said["sent"]))
        g = self.group()
        assert self.all_are_shared() and not g["waiting"], g
        self.table(said, g)

    def table(self, said, g):
        book, counts, late = self.book, self.counts, []
        rows = [("members joined", counts["joined"], ""), ("members killed", counts["killed"], ""),
                ("members drained", counts["drained"], "without an error"),
                ("daemons killed", counts["deaths"], ""), ("hand-overs", g["handovers"], "since the daemon's last start"),
                ("associations", ASSOCIATIONS, "none ended"),
                ("messages", sum(said["sent"]), f"{sum(said['sent']) / self.seconds:.0f} a second; none lost, doubled or out of order"),
                ("answers", said["answers"], f"{said['again']} again, by who took over; none lost or out of order"),
                ("members thrown out", book.thrown_out, "and joined again"),
                ("off even, %", f"{100 * max(self.spread):.1f}", f"at most, of {len(self.spread)} looks")]
        for name, n, text in rows:
            print(f"        {name:28}{n:>9}  {text}")
        print(f"        {'gap, ms':28}{'number':>9}{'median':>9}{'p99':>9}{'most':>9}")
        print(f"        {'no hand-over':28}{book.usual.total():9}" + "".join(f"{book.usual_ms(part):9.1f}" for part in (0.5, 0.99, 1)))
        for name, gaps in sorted(book.gaps.items()):
            gaps.sort()
            median, p99 = (gaps[int(len(gaps) * p)] / MS for p in (0.5, 0.99))
            print(f"        {name:28}{len(gaps):9}{median:9.1f}{p99:9.1f}{gaps[-1] / MS:9.1f}", flush=True)
            late += [(name, p99)] if p99 > (GAP_OVER_DEATH if "death" in name else GAP) else []
        for gap, how, peer, before, member, since in book.longest if SECONDS >= LONG else []:
            print(f"        {gap / MS:.0f} ms, {how}: association {peer} of member {before} came to {member}; "
                  f"{(since - self.began) / MS / MS:.1f} s from the start, joined {(since - self.began_of[member & 1023]) / MS / MS:.1f} s before", flush=True)
        assert max(self.spread) <= max(0.1, MEMBERS / ASSOCIATIONS), self.spread
        assert SECONDS < LONG or not late, late

    def run(self):
        for _ in range(MEMBERS):
            self.join()
        self.until(self.are_in)
        pid, peers = start_peers(OnSctpd if STACK == "userland" else OnKernel, self.d.path, self.port, ASSOCIATIONS, WINDOW, RATE)
        try:
            assert peers.recv(5) == b"ready"
            self.until(self.all_are_shared)
            began = time.monotonic()
            event, death = began + EVERY, began + DEATHS
            while time.monotonic() < began + SECONDS:
                self.step(min(event, death) if self.daemon else event)
                if self.daemon and time.monotonic() >= death:
                    self.death()
                    death = time.monotonic() + DEATHS
                if time.monotonic() >= event:
                    self.event()
                    event += max(EVERY, time.monotonic() - event)
            self.seconds = time.monotonic() - began
            self.end(peers)
        finally:
            for p in [*self.alive.values(), *(p for p, _ in self.draining.values()), pid]:
                os.kill(p, signal.SIGKILL)
                os.waitpid(p, 0)
            os.close(self.into)
            os.close(self.log)
            self.look.close()


@clean
def test_members_come_and_go_under_load(d):
    Load(d, session(d, "owner")).run()


def test_the_daemon_dies_as_well(d):
    with Own(log_level="info") as k:
        k.ready()
        owner = Session(k.path, "owner")
        Load(k, owner, k.child).run()
        owner.close()
