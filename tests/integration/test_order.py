# SPDX-License-Identifier: BSD-2-Clause
"""What both sides are told, word for word and in which order, when something
surprising happens to an association between two hosts. It has two paths, or
one where the stack has no more."""
import contextlib
import subprocess

import hosts
from check import code, nothing, recv, refusal
from harness import SLOW, STACK, Skip, wait_for
from hosts import Hosts, networks
from rpc import WAIT

start = Hosts

PATHS = 1 if STACK == "userland" else 2
LEFT, RIGHT = hosts.LEFT[:PATHS], hosts.RIGHT[:PATHS]

# A path is given up after 3 lost packets in a row, an association after 13.
QUICK = {
    "sctp_rtoinfo": {"initial": 200, "min": 100, "max": 200},
    "sctp_peer_addr_params": {"hbinterval": 200, "pathmaxrxt": 2, "flags": ["hb_enable"]},
    "sctp_associnfo": {"asocmaxrxt": 12},
}
# Neither is, in the time of a test.
PATIENT = {
    "sctp_rtoinfo": {"initial": 200, "min": 100, "max": 200},
    "sctp_peer_addr_params": {"hbinterval": 200, "pathmaxrxt": 1000, "flags": ["hb_enable"]},
    "sctp_associnfo": {"asocmaxrxt": 3000},
    "sctp_initmsg": {"max_attempts": 1000},
}
ASCONF = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1}}


# What is seen at most of the causes of the peer's abort, in bytes.
SEEN = 508 if STACK == "userland" else 4 + 1024


def text(name, e):
    """An event in a few words."""
    if name == "data":
        return f"data {e['data'].decode()}"
    if name == "sctp_send_failed":
        return f"failed {e['data'].decode()} {'sent' if e['flags'] else 'unsent'} {e['error']}"
    if name == "sctp_assoc_change":
        return f"{e['state']} {e['error']}"
    if name == "sctp_paddr_change":
        return f"{e['state']} {e['addr']['addr']} {e['error']}"
    return name


class Side:
    """A socket, in active mode unless it is said otherwise, and its association."""

    def __init__(self, daemon, port, ip, **args):
        options = {"active": True, **args.pop("options", PATIENT)}
        self.daemon, self.ip, self.port = daemon, ip, port
        self.c = daemon.client()
        self.sock = self.c.call("open", ip=ip, port=port, options=options, **args)["sock"]
        self.id = None

    def call(self, method, **args):
        return self.c.call(method, sock=self.sock, **args)

    def active(self, mode):
        self.call("setopts", options={"active": mode})

    def is_told(self, *events):
        """These and in this order; gives the last."""
        got = []
        for want in events:
            name, e = self.c.event()
            got.append(text(name, e))
            if "assoc_id" in e:
                self.id = self.id or e["assoc_id"]
                assert e["assoc_id"] == self.id, (got, e)
            assert got == list(events[:len(got)]), got
        return e if events else None

    def is_up(self, addrs, n=1):
        """It is told that; and that the paths to all but these n addresses of
        the peer work too, which it had not spoken to yet."""
        self.is_told("comm_up 0", *(f"addr_confirmed {a} 2" for a in addrs[n:]))

    def is_told_of_all(self, state, addrs, *errors):
        """This of all addresses, in whatever order, for either reason."""
        got = sorted(text(*self.c.event()).rsplit(" ", 1) for _ in addrs)
        assert [g[0] for g in got] == [f"{state} {a}" for a in addrs], got
        assert all(int(g[1]) in errors for g in got), got

    def send(self, *texts):
        for t in texts:
            self.call("send", assoc_id=self.id, data=t.encode())

    def send_at_once(self, *texts):
        asked = [self.c.request("send", sock=self.sock, assoc_id=self.id, data=t.encode()) for t in texts]
        for i in asked:
            self.c.answer(i)

    def acknowledged(self):
        """Wait until the peer's kernel has all."""
        which = ["sctp_status", {"assoc_id": self.id}]
        wait_for(lambda: self.call("getopts", options=[which])["options"][0][1]["unackdata"] == 0)


def sides(h, left=PATIENT, right=PATIENT, **args):
    return (Side(h.left, 2011, args.get("left_ip", LEFT), options=left),
            Side(h.right, 2010, args.get("right_ip", RIGHT), options=right))


def pair(h, left=PATIENT, right=PATIENT, **args):
    """The left one connected, and both know that all paths work."""
    here, there = sides(h, left, right, **args)
    there.call("listen")
    here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
    here.is_up(RIGHT)
    there.is_up(LEFT)
    return here, there


def over(*all_sides):
    """Nothing more is told, and nothing is left."""
    for side in all_sides:
        assert side.c.quiet(), side.c.events
        assert side.c.call("assocs")["assocs"] == []


@contextlib.contextmanager
def apart():
    """No network works."""
    networks("cut", "1")
    networks("cut", "2")
    try:
        yield
    finally:
        networks("mend", "1")
        networks("mend", "2")


@contextlib.contextmanager
def slow(delay="100ms"):
    try:
        networks("netem", "1", "delay", delay)
        networks("netem", "2", "delay", delay)
    except subprocess.CalledProcessError as why:
        raise Skip("this kernel has no netem") from why
    try:
        yield
    finally:
        networks("netem", "1")
        networks("netem", "2")


# ---- it ends ---------------------------------------------------------------


def test_eof(h):
    here, there = pair(h)
    here.send("1", "2")
    here.call("eof", assoc_id=here.id)
    there.is_told("data 1", "data 2", "sctp_shutdown_event", "shutdown_comp 0")
    here.is_told("shutdown_comp 0")
    over(here, there)


def test_eof_of_both_at_once(h):
    """Both SHUTDOWNs are under way when the other's comes, which is then no
    news."""
    here, there = pair(h)
    with slow():
        here.call("eof", assoc_id=here.id)
        there.call("eof", assoc_id=there.id)
        for side in here, there:
            side.is_told("shutdown_comp 0")
    over(here, there)


def test_abort_with_a_reason(h):
    here, there = pair(h)
    here.call("abort", assoc_id=here.id, reason=b"enough")
    assert "info" not in here.is_told("comm_lost 12")
    assert there.is_told("comm_lost 12")["info"] == b"\x00\x0c\x00\x0aenough"
    over(here, there)


def test_abort_with_a_reason_by_the_listener(h):
    here, there = pair(h)
    there.call("abort", assoc_id=there.id, reason=bytes(1024))
    assert here.is_told("comm_lost 12")["info"] == (b"\x00\x0c\x04\x04" + bytes(1024))[:SEEN]
    there.is_told("comm_lost 12")
    over(here, there)


def test_what_was_received_before_an_abort_comes_before_it(h):
    here, there = pair(h)
    there.active(False)
    here.send("1", "2", "3")
    here.acknowledged()
    here.call("abort", assoc_id=here.id, reason=b"enough")
    here.is_told("comm_lost 12")
    there.active(True)
    there.is_told("data 1", "data 2", "data 3", "comm_lost 12")
    over(here, there)


def test_abort_of_both_at_once(h):
    here, there = pair(h)
    with slow():
        here.call("abort", assoc_id=here.id, reason=b"I")
        there.call("abort", assoc_id=there.id, reason=b"you")
        assert "info" not in here.is_told("comm_lost 12")
        assert "info" not in there.is_told("comm_lost 12")
    over(here, there)


def test_abort_gives_back_what_has_not_arrived(h):
    """After the end of the association, in the order of sending. The peer,
    who heard nothing, is told by the answer to its next heartbeat."""
    here, there = pair(h)
    with apart():
        here.send("1", "2", "3")
        here.call("abort", assoc_id=here.id)
        here.is_told("comm_lost 12", "failed 1 sent 12", "failed 2 sent 12", "failed 3 sent 12")
    there.is_told("comm_lost 0")
    over(here, there)


def test_the_peers_process_is_killed(h):
    """The kernel shuts down in its name, or aborts where it had not read all."""
    for unread in (False, True):
        here, there = pair(h)
        there.active(False)
        if unread:
            here.send("never read")
            here.acknowledged()
        h.restart_right()
        if unread:
            assert here.is_told("comm_lost 12")["info"] == b"\x00\x0c\x00\x04"
        else:
            here.is_told("sctp_shutdown_event", "shutdown_comp 0")
        over(here)
        here.call("close")


# ---- it disappears ---------------------------------------------------------


def test_the_peer_disappears(h):
    """Only what it sends tells it, and both messages go out before it knows: one that is sent later may never be."""
    here, there = pair(h, {**QUICK, "sctp_peer_addr_params": {"hbinterval": 60000, "pathmaxrxt": 2}}, PATIENT)
    with apart():
        here.send_at_once("in vain", "and this")
        here.is_told_of_all("addr_unreachable", RIGHT, 0)
        here.is_told("comm_lost 0", "failed in vain sent 0", "failed and this sent 0")
        assert there.c.quiet()
    there.is_told("comm_lost 0")
    over(here, there)


def test_idle_both_sides_find_out_by_themselves(h):
    here, there = pair(h, QUICK, QUICK)
    with apart():
        for side, addrs in (here, RIGHT), (there, LEFT):
            side.is_told_of_all("addr_unreachable", addrs, 0)
            side.is_told("comm_lost 0")
    over(here, there)


def test_the_peer_disappears_and_is_back_in_time(h):
    here, there = pair(h, {**QUICK, "sctp_associnfo": {"asocmaxrxt": 3000}}, PATIENT)
    with apart():
        here.send("late")
        here.is_told_of_all("addr_unreachable", RIGHT, 0)
    there.is_told("data late")
    here.is_told_of_all("addr_available", RIGHT, 0, 1, 2)  # what was acknowledged
    here.call("eof", assoc_id=here.id)
    there.is_told("sctp_shutdown_event", "shutdown_comp 0")
    here.is_told("shutdown_comp 0")
    over(here, there)


def test_one_path_fails_and_works_again(h):
    here, there = pair(h, QUICK, PATIENT)
    networks("cut", "1")
    try:
        here.send("1")
        here.is_told(f"addr_unreachable {RIGHT[0]} 0")
    finally:
        networks("mend", "1")
    assert text(*here.c.event())[:-2] == f"addr_available {RIGHT[0]}"
    there.is_told("data 1")
    here.call("eof", assoc_id=here.id)
    here.is_told("shutdown_comp 0")


# ---- it restarts -----------------------------------------------------------


def restart_right(h, here, there, ip, send=()):
    """Its sctpd is killed while no network works, so that nobody is told, and
    a new one connects from the same port. Nothing of the old association may
    reach it first, or it would be aborted."""
    there.active(False)
    here.call("setopts", options={
        "sctp_rtoinfo": {"assoc_id": here.id, "initial": 20000, "min": 20000, "max": 60000},
        "sctp_peer_addr_params": {"assoc_id": here.id, "flags": ["hb_disable"]}})
    here.send("never read")     # else the kernel would shut down for long
    here.acknowledged()
    with apart():
        here.send(*send)
        h.restart_right()
        there = Side(h.right, 2010, ip)
        there.id = there.call("connect_init", addr=LEFT[0], port=2011)["assoc_id"]
    return there


def test_the_peer_restarts(h):
    here, there = pair(h)
    there = restart_right(h, here, there, RIGHT)
    here.is_told("restart 0")
    there.is_up(LEFT)
    here.send("still here")
    there.send("hello again")
    there.is_told("data still here")
    here.is_told("data hello again")
    there.call("eof", assoc_id=there.id)
    here.is_told("sctp_shutdown_event", "shutdown_comp 0")
    there.is_told("shutdown_comp 0")
    over(here, there)


def test_the_peer_restarts_with_fewer_addresses(h):
    """Those that it left out are no paths any more, whatever was listed before."""
    here, there = pair(h)

    def peer():
        return ([p["address"]["addr"] for p in here.call("paths")["paths"]],
                [a["addr"] for a in here.call("peernames", assoc_id=here.id)["addresses"]])
    assert peer() == peer() == (RIGHT, RIGHT)
    there = restart_right(h, here, there, RIGHT[1:])
    here.is_told(f"addr_made_prim {RIGHT[1]} 0", f"addr_removed {RIGHT[0]} 0", "restart 0")
    there.is_up(LEFT)
    assert peer() == peer() == (RIGHT[1:], RIGHT[1:])
    here.send("still here")
    there.is_told("data still here")


def test_a_restart_gives_back_what_the_old_one_had_not(h):
    """Before it is told: they are of the time before."""
    here, there = pair(h)
    there = restart_right(h, here, there, RIGHT, ("1", "2"))
    here.is_told("failed 1 sent 0", "failed 2 sent 0", "restart 0")
    there.is_up(LEFT)
    here.send("3")
    there.is_told("data 3")


def test_the_peer_may_not_restart_with_more_addresses(h):
    """Somebody else could take the association over with them (RFC 9260 5.2.4.1)."""
    here, there = sides(h, right_ip=RIGHT[0])
    there.call("listen")
    here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
    here.is_told("comm_up 0")
    there.is_up(LEFT)
    there = restart_right(h, here, there, RIGHT)
    there.is_told("cant_assoc 11")
    assert here.c.quiet()
    here.send("is it you?")
    here.is_told("comm_lost 0", "failed is it you? sent 0")
    over(here, there)


# ---- its addresses come and go ---------------------------------------------


def address(verb, addr):
    subprocess.run(["ip", "-netns", "left", "address", verb, addr, "dev", "net1"], check=True)


def test_addresses_come_and_go(h):
    """They follow those of the host (AUTO_ASCONF), the primary one included."""
    here, there = sides(h, {**ASCONF, **PATIENT}, {**ASCONF, **PATIENT}, left_ip="any")
    here.call("setopts", options={"sctp_auto_asconf": True})
    there.call("listen")
    here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
    here.is_up(RIGHT)
    there.is_up(LEFT)

    def addresses():
        names = there.call("peernames", assoc_id=there.id)["addresses"]
        return sorted(n["addr"] for n in names)

    address("add", "10.0.1.11/24")
    try:
        there.is_told("addr_added 10.0.1.11 0", "addr_confirmed 10.0.1.11 2")
        assert addresses() == ["10.0.1.1", "10.0.1.11", "10.0.2.1"]
        here.call("setopts", options={"sctp_set_peer_primary_addr": {
            "assoc_id": here.id, "addr": {"addr": "10.0.1.11", "port": 2011}}})
        there.is_told("addr_made_prim 10.0.1.11 0")
        there.send("to the new one")
        here.is_told("data to the new one")
    finally:
        address("del", "10.0.1.11/24")
    there.is_told(f"addr_made_prim {LEFT[0]} 0", "addr_removed 10.0.1.11 0")
    assert addresses() == LEFT
    there.send("to the old one")
    here.is_told("data to the old one")
    assert here.c.quiet()


def test_who_did_not_agree_is_told_of_no_address(h):
    """Without sctp_asconf_supported on both sides nothing is offered."""
    here, there = sides(h, {**ASCONF, **PATIENT}, PATIENT, left_ip="any")
    here.call("setopts", options={"sctp_auto_asconf": True})
    there.call("listen")
    here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
    here.is_up(RIGHT)
    there.is_up(LEFT)
    primary = {"assoc_id": here.id, "addr": {"addr": LEFT[1], "port": 2011}}
    assert code(here.c, "setopts", sock=here.sock, options={"sctp_set_peer_primary_addr": primary}) == "eperm"
    address("add", "10.0.1.11/24")
    address("del", "10.0.1.11/24")
    here.send("1")
    there.is_told("data 1")


# ---- it does not come up ---------------------------------------------------


def test_the_peer_refuses(h):
    here, there = sides(h)
    here.id = here.call("connect_init", addr=RIGHT, port=2010)["assoc_id"]
    here.is_told("cant_assoc 0")
    assert refusal(here.c, "connect", sock=here.sock, addr=RIGHT, port=2010).startswith(
        "cant_assoc: the peer refused or did not answer; ")
    over(here, there)


def test_what_was_sent_before_it_was_refused_comes_back(h):
    here, there = sides(h)
    with slow():
        here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
        here.send("1", "2")
        here.is_told("cant_assoc 0", "failed 1 unsent 0", "failed 2 unsent 0")
    over(here, there)


def test_the_peer_never_answers(h):
    """Whether no such host is there or no network is."""
    few = {**PATIENT, "sctp_initmsg": {"max_attempts": 2, "max_init_timeo": 100}}
    for addr in "10.0.1.99", RIGHT[0]:
        here = Side(h.left, 2011, LEFT, options=few)
        with apart() if addr == RIGHT[0] else contextlib.nullcontext():
            here.id = here.call("connect_init", addr=addr, port=2010)["assoc_id"]
            here.send("1")
            here.is_told("cant_assoc 0", "failed 1 unsent 0")
        over(here)
        here.call("close")


def test_the_peer_is_gone_when_it_should_answer(h):
    """Nobody is told of an association that never was, but who asked for it."""
    here, there = sides(h)
    there.call("listen")
    with slow():
        here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
        there.call("close")
        here.is_told("cant_assoc 0")
    over(here, there)


# ---- both at once ----------------------------------------------------------


def collide(h, method, **args):
    """Both connect at the same time, from and to fixed ports."""
    both = (Side(h.left, 2011, LEFT, **args), Side(h.right, 2010, RIGHT, **args))
    with slow():
        asked = [s.c.request(method, sock=s.sock, addr=peer.ip, port=peer.port, timeout=WAIT * SLOW * 1000)
                 for s, peer in zip(both, reversed(both))]
        for s, request in zip(both, asked):
            s.id = s.c.answer(request)["assoc_id"]
            if method == "connect_init":
                s.is_told("comm_up 0")
    return both


def is_one_association(here, there):
    for s in here, there:
        rows = [a for a in s.c.call("assocs")["assocs"] if a["sock"] == s.sock]
        assert [a["assoc_id"] for a in rows] == [s.id], rows
    here.send("to the right")
    there.send("to the left")
    told = {}
    for s in here, there:
        told[s] = []
        while not told[s] or not told[s][-1].startswith("data"):
            told[s].append(text(*s.c.event()))
        told[s] = [t for t in told[s] if not t.startswith("addr_confirmed")]
    assert told[here] == ["data to the left"] and told[there] == ["data to the right"], told
    here.call("abort", assoc_id=here.id)
    assert here.c.event("sctp_assoc_change")["state"] == "comm_lost"
    assert there.c.event("sctp_assoc_change")["state"] == "comm_lost"


def test_both_connect_at_once(h):
    """One association comes of it, for each under the id it was given."""
    for method in "connect_init", "connect":
        here, there = collide(h, method)
        is_one_association(here, there)
        here.call("close")
        there.call("close")


def test_both_connect_at_once_from_stream_sockets(h):
    for method in "connect_init", "connect":
        here, there = collide(h, method, type="stream")
        is_one_association(here, there)
        here.call("close")
        there.call("close")


def test_both_connect_at_once_while_they_listen(h):
    both = sides(h)
    for s in both:
        s.call("listen")
    with slow():
        for s, peer in zip(both, reversed(both)):
            s.id = s.call("connect_init", addr=peer.ip, port=peer.port)["assoc_id"]
        for s in both:
            s.is_told("comm_up 0")
    is_one_association(*both)


def test_to_connect_while_the_other_one_does_is_eisconn_or_the_same(h):
    """It is the peer's association by then, and there is no second one."""
    here, there = sides(h)
    there.call("listen")
    here.call("listen")
    here.id = here.call("connect_init", addr=RIGHT[0], port=2010)["assoc_id"]
    here.is_told("comm_up 0")
    there.is_told("comm_up 0")
    for s, peer in (here, there), (there, here):
        assert code(s.c, "connect", sock=s.sock, addr=peer.ip[0], port=peer.port) == "eisconn"
    is_one_association(here, there)


# ---- the same in passive mode ----------------------------------------------


def test_recv_gives_the_same_in_the_same_order(h):
    here, there = pair(h)
    for s in here, there:
        s.active(False)
    there.send("1")
    there.acknowledged()
    with apart():
        here.send("2")
        here.call("abort", assoc_id=here.id, reason=b"enough")
        got = [recv(here.c, here.sock) for _ in range(3)]
    assert [text(e["event"], e) for e in got] == ["data 1", "comm_lost 12", "failed 2 sent 12"]
    assert nothing(here.c, here.sock)
