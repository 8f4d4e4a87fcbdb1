# SPDX-License-Identifier: BSD-2-Clause
"""The option path_manager: two networks, of which one fails under traffic."""
import contextlib
import select
import time

from check import WAIT_MS, code, option, refusal, setopt
from harness import SLOW, wait_for
from hosts import LEFT, RIGHT, Hosts, networks
from rpc import WAIT
from watched import no_data

start = Hosts
RETURN = 500        # ms
MANAGER = {"on": True, "failover": "fast", "return": RETURN}


class Flow:
    """Numbered messages from the left to the right, one every 10 ms; when each came."""

    def __init__(self, h, both=None, **options):
        self.c, self.peer = h.left.client(), h.right.client()
        options.update(both or {})
        there = self.peer.call("open", ip=RIGHT, options={
            "active": True, "sctp_delayed_sack": {"freq": 1}, "sctp_rtoinfo": {"initial": 300, "min": 300, "max": 1000},
            **(both or {})})
        self.peer.call("listen", sock=there["sock"])
        self.sock = self.c.call("open", ip=LEFT, options={"active": True, **options})["sock"]
        self.id = self.c.call("connect", sock=self.sock, addr=RIGHT[0], port=there["port"],
                              timeout=WAIT_MS)["assoc_id"]
        self.sent, self.came, self.asked, self.at = 0, [], [], []
        # The peer acknowledges only where it has had an answer, so it must have had one everywhere.
        wait_for(lambda: {p["state"] for p in self.paths() + self.peer.call("paths", sock=there["sock"])["paths"]} == {"active"})

    def paths(self):
        return self.c.call("paths", sock=self.sock, assoc_id=self.id)["paths"]

    def primary(self):
        return next(p["address"]["addr"] for p in self.paths() if p["primary"])

    def step(self, seconds=0.01):
        """Send one, and take what comes until the next is due."""
        self.at.append(time.monotonic())
        self.asked.append(self.c.request("send", sock=self.sock, assoc_id=self.id, stream=0,
                                         data=self.sent.to_bytes(4, "big")))
        self.sent += 1
        due = time.monotonic() + seconds
        while (left := due - time.monotonic()) > 0:
            for s in select.select([self.c.sock, self.peer.sock], [], [], left)[0]:
                (self.c if s is self.c.sock else self.peer).feed()
            while self.peer.events:
                name, fields = self.peer.events.popleft()
                if name == "data":
                    self.came.append((time.monotonic(), int.from_bytes(fields["data"], "big")))

    def until(self, true, seconds=0):
        """At the latest WAIT after so many seconds."""
        deadline = time.monotonic() + seconds + WAIT * SLOW
        while not true():
            assert time.monotonic() < deadline, (self.sent, len(self.came), list(self.c.events)[:20])
            self.step()

    def go_on(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)

    def said(self, action):
        """The events sctpd_primary with this action, so far."""
        return [e for name, e in self.c.events if name == "sctpd_primary" and e["action"] == action]

    def longest(self):
        """For how long the slowest message was on its way, s."""
        return max(came - self.at[n] for came, n in self.came)

    def end(self):
        """All came, once, and in order."""
        self.until(lambda: len(self.came) >= self.sent - 1)
        for i in self.asked:
            self.c.answer(i)
        numbers = [n for _, n in self.came]
        assert numbers == list(range(len(numbers))), "messages were lost, doubled or out of order"
        return len(numbers)


@contextlib.contextmanager
def dead(number):
    """Nothing passes on this network meanwhile, and its devices do not know."""
    networks("netem", str(number), "loss", "100%")
    try:
        yield
    finally:
        networks("netem", str(number))


def test_a_primary_that_fails_is_left_within_a_second_and_taken_again(h):
    with dead(2):
        pass
    f = Flow(h, path_manager=MANAGER, stall={"time": 1000})
    f.go_on(0.3)
    with dead(1):
        f.until(lambda: f.said("moved"))
        f.go_on(0.2)
        assert f.primary() == RIGHT[1]
    healed = time.monotonic()
    f.until(lambda: f.said("returned"))
    took = time.monotonic() - healed
    assert f.primary() == RIGHT[0]
    f.go_on(0.1)
    n, longest = f.end(), f.longest()
    print(f"        {n} messages, the slowest took {longest * 1000:.0f} ms; healed, the primary was taken again after {took:.1f} s")
    assert longest < 1, longest
    assert not any(name == "sctpd_stalled" for name, _ in f.c.events), "a path that fails is no stall"
    assert RETURN / 1000 <= took < RETURN / 1000 + 3, took


def test_linux_alone_needs_longer(h):
    """Beside it: the same failure without the path manager, with the kernel's own times."""
    f = Flow(h)
    f.go_on(0.3)
    with dead(1):
        n = len(f.came)
        f.until(lambda: len(f.came) > n + 20)
    f.until(lambda: len(f.came) >= f.sent - 1)
    f.end()
    print(f"        Linux alone: the slowest took {f.longest() * 1000:.0f} ms")
    assert f.longest() >= 0.9, "the path manager's times are the kernel's own: there is nothing to show"


# A path is tried every 0.4 s, so that what takes minutes takes seconds here.
QUICK = {"sctp_rtoinfo": {"initial": 300, "min": 300, "max": 300}, "sctp_associnfo": {"asocmaxrxt": 100},
         "sctp_peer_addr_params": {"hbinterval": 100, "pathmaxrxt": 50, "flags": ["hb_enable"]},
         "sctp_peer_addr_thlds": {"pathmaxrxt": 50, "pathpfthld": 0}}


def test_a_path_that_flaps_is_damped(h):
    """A failure takes as long as the machine needs for it, and the half-life is four times that: of two failures no more
    than a sixth is forgotten before the next."""
    half_life = 2500
    f = Flow(h, **QUICK, path_manager={"on": True, "return": 0, "half_life": half_life})
    before = f.c.call("status")
    told, slowest = None, 0
    for n in range(1, 20):
        began = time.monotonic()
        with dead(1):
            f.until(lambda n=n: len(f.said("moved")) == n)
            told = time.monotonic()         # to mend the path takes long where processes do
        if f.said("damped"):
            break
        f.until(lambda n=n: len(f.said("returned")) == n)
        slowest = max(slowest, time.monotonic() - began)
        half_life = max(half_life, int(4000 * slowest))
        setopt(f.c, f.sock, path_manager={"half_life": half_life})
    damped, = f.said("damped")
    assert n >= 3 and half_life <= damped["wait"] <= 3 * half_life, (n, half_life, damped)
    f.until(lambda: len(f.said("returned")) == n, damped["wait"] / 1000)
    waited = time.monotonic() - told
    assert waited > damped["wait"] / 1000 - 0.6, (waited, damped)
    f.end()
    after = f.c.call("status")
    assert [after[k] - before[k] for k in ("primaries_moved", "primaries_returned", "paths_damped")] == [n, n, 1]
    print(f"        damped at failure {n}, for {damped['wait']} ms with a half-life of {half_life} ms, and taken again after {waited * 1000:.0f} ms")


def flaps(h, seconds):
    """The primary is cut and mended once a second for so long: is it damped, and nothing lost?"""
    f = Flow(h, path_manager={**MANAGER, "return": 0})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with dead(1):
            f.go_on(0.4)
        f.go_on(0.4)
    n = f.end()
    print(f"        flap: {n} messages in {seconds} s, none lost, doubled or out of order; the slowest took {f.longest() * 1000:.0f} ms; "
          f"{len(f.said('moved'))} times moved, {len(f.said('returned'))} times back, {len(f.said('damped'))} times damped", flush=True)
    return len(f.said("damped")) > 0 and f.longest() < 1 and len(f.said("returned")) <= 3 + seconds / 15


def test_the_wanted_path_is_taken_at_once_and_may_be_another(h):
    f = Flow(h, **QUICK, path_manager={"on": True, "primary": RIGHT[1]})
    got = f.c.event("sctpd_primary", sock=f.sock, action="returned")
    assert got["reason"] == "it is the wanted path, and works" and got["addr"]["addr"] == got["wanted"]["addr"] == RIGHT[1], got
    assert f.primary() == RIGHT[1] and option(f.c, f.sock, "path_manager")["primary"] == RIGHT[1]
    setopt(f.c, f.sock, path_manager={"primary": RIGHT[0]})
    f.c.event("sctpd_primary", sock=f.sock, action="returned")
    assert f.primary() == RIGHT[0]
    setopt(f.c, f.sock, path_manager={"primary": "0.0.0.0"})
    assert "primary" not in option(f.c, f.sock, "path_manager")


def test_off_nothing_is_taken_again(h):
    f = Flow(h, **QUICK, path_manager={"on": True, "return": "infinity"})
    with dead(1):
        f.until(lambda: f.said("moved"))
    f.until(lambda: {p["state"] for p in f.paths()} == {"active"})
    f.go_on(0.3)
    assert not f.said("returned") and f.primary() == RIGHT[1]
    with dead(2):       # but it is better than one that does not work
        f.until(lambda: f.said("returned"))
    assert f.primary() == RIGHT[0]
    f.end()


def test_the_peer_is_asked_if_it_agreed(h):
    asks = {"on": True, "primary": RIGHT[1], "ask_peer": True}
    f = Flow(h, **QUICK, path_manager=asks)
    got = f.c.event("sctpd_primary", sock=f.sock, action="not_asked")
    assert got["addr"]["addr"] == LEFT[1] and "both sides need sctp_asconf_supported" in got["reason"], got
    f = Flow(h, both={"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1}},
             **QUICK, path_manager=asks)
    assert f.c.event("sctpd_primary", sock=f.sock, action="asked")["addr"]["addr"] == LEFT[1]
    wait_for(lambda: [p["address"]["addr"] for p in f.peer.call("paths")["paths"] if p["primary"]].count(LEFT[1]))


def test_a_stall_on_the_path_that_is_left(h):
    """The primary fails, and the other network passes all but data: heartbeats go there."""
    f = Flow(h, **QUICK, stall={"time": 1000})
    with dead(1):
        f.until(lambda: any(p["state"] == "potentially_failed" for p in f.paths()))
        with no_data("net2", "-netns", "left"):
            f.until(lambda: any(name == "sctpd_stalled" for name, _ in f.c.events))
    got = f.c.event("sctpd_stalled", sock=f.sock, state="stalled")
    assert got["reason"] == "data" and got["heartbeats"] >= 2, got
    f.c.event("sctpd_stalled", sock=f.sock, state="ended")


def test_what_does_not_fit_is_refused(h):
    c = h.left.client()
    sock = c.call("open", ip=LEFT)["sock"]
    was = option(c, sock, "path_manager")
    assert was == {"on": False, "return": 5000, "half_life": 15000, "failover": "kept", "ask_peer": False}, was
    for value, error in REFUSED:
        got = refusal(c, "setopts", sock=sock, options={"path_manager": value})
        assert got == f"{error}; 0 of 1 were set", (value, got)
        assert option(c, sock, "path_manager") == was, value
    assert code(c, "open", options={"path_manager": {"on": 1}}) == "badarg"


ADDRESS = 'it takes an address, such as "10.0.0.1" or "2001:db8::1"'
MS = 'it takes milliseconds from 0 to 4294967294, or "infinity"'
REFUSED = [
    (True, "badarg: options.path_manager: got a boolean; it takes a map"),
    ({"on": 1}, "badarg: options.path_manager.on: got an integer; it takes true or false"),
    ({"off": True}, "badarg: options.path_manager.off: unknown; there are: on, primary, return, half_life, failover, ask_peer"),
    ({"primary": "nowhere"}, f'badarg: options.path_manager.primary: "nowhere" does not parse; {ADDRESS}'),
    ({"primary": 7}, f"badarg: options.path_manager.primary: got an integer; {ADDRESS}"),
    ({"primary": "224.0.0.1"}, "einval: options.path_manager.primary: 224.0.0.1 is no address of one host"),
    ({"primary": "255.255.255.255"}, "einval: options.path_manager.primary: 255.255.255.255 is no address of one host"),
    ({"primary": "fd00:1::2"}, "einval: options.path_manager.primary: fd00:1::2 is no address of an inet socket's peer"),
    ({"return": -2}, f"badarg: options.path_manager.return: -2 is out of range; {MS}"),
    ({"return": "never"}, f"badarg: options.path_manager.return: got a string; {MS}"),
    ({"return": 86400001}, "einval: options.path_manager.return: 86400001 ms; it takes 0 to 86400000, or infinity"),
    ({"half_life": "infinity"}, "einval: options.path_manager.half_life: it takes 0 to 3600000 ms"),
    ({"half_life": 3600001}, "einval: options.path_manager.half_life: it takes 0 to 3600000 ms"),
    ({"failover": "slow"}, 'badarg: options.path_manager.failover: "slow" is not one of its words: kept, fast'),
    ({"ask_peer": "yes"}, "badarg: options.path_manager.ask_peer: got a string; it takes true or false"),
    ({"on": True, "failover": ["fast"]}, "badarg: options.path_manager.failover: got a list; its words are: kept, fast"),
]
