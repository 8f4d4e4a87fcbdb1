# SPDX-License-Identifier: BSD-2-Clause
"""Associations that the daemon looks after: supervise, attach, back-off."""
import contextlib
import functools
import os
import re
import signal
import socket
import struct
import subprocess

from capture import INIT, Capture, chunk_types, sctp_of
from check import blackhole, code, nothing, only, recv, refusal, send
from harness import BUILD, STACK, Daemon, wait_for
from killed import Lksctp, check_spread, killed_again_and_again, thousand
from rpc import RpcError
from test_keeper import Kept
from test_refuse import as_stranger
from test_session import come_back, cut, session
from through import Session

CONFIG = {"socket_mode": "0666"}
FAST = {"backoff_min": 20, "backoff_max": 60, "local": "127.0.0.1"}


def clean(test):
    """Nothing is supervised any more when the test is over."""
    @functools.wraps(test)
    def run(d):
        try:
            test(d)
        finally:
            c = d.client()
            for v in c.call("supervised")["supervised"]:
                c.call("unsupervise", name=v["name"])
            c.close()
    return run


def state(c, name="a"):
    return only(c.call("supervised", name=name)["supervised"], name=name)


def listener(c, port=0):
    """A peer: its socket and port."""
    there = c.call("open", ip="127.0.0.1", port=port, options={"reuseaddr": True})
    c.call("listen", sock=there["sock"])
    return there["sock"], there["port"]


def supervise(c, port, name="a", **more):
    return c.call("supervise", **{**FAST, "name": name, "peer": "127.0.0.1", "peer_port": port, **more})["sock"]


def comes_up(c, sock):
    """The next association of a passive socket, whatever comes before it."""
    while True:
        got = recv(c, sock)
        if got.get("state") == "comm_up":
            return got["assoc_id"]


def is_up(c, name="a"):
    return wait_for(lambda: state(c, name)["state"] == "up")


@clean
def test_it_is_set_up_without_anybody_and_attach_gives_it(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    sock = supervise(a, port)
    up = recv(b, there, "sctp_assoc_change", state="comm_up")
    is_up(a)
    assert state(a)["owner"] == 0 and state(a)["sock"] == sock
    got = a.call("attach", name="a")
    assert (got["sock"], got["state"], got["associations"]) == (sock, "up", 1), got
    assert recv(a, sock, "sctp_assoc_change")["state"] == "comm_up"
    assert state(a)["owner"] == a.id
    send(a, sock, got["assoc_id"], b"here")
    assert recv(b, there, "data")["data"] == b"here"
    send(b, there, up["assoc_id"], b"there")
    assert recv(a, sock, "data")["data"] == b"there"


@clean
def test_messages_wait_until_somebody_is_attached_and_again_after_a_death(d):
    a, b, other = d.client("a"), d.client("b"), d.client("other")
    there, port = listener(b)
    sock = supervise(a, port)
    up = recv(b, there, "sctp_assoc_change", state="comm_up")
    for i in range(5):
        send(b, there, up["assoc_id"], b"%d" % i)
    a.call("attach", name="a", options={"active": 3})
    a.event("sctp_assoc_change")
    assert [a.event("data")["data"] for _ in range(2)] == [b"0", b"1"]
    a.close()
    wait_for(lambda: state(other)["owner"] == 0)
    send(b, there, up["assoc_id"], b"5")
    other.call("attach", name="a")
    assert [recv(other, sock, "data")["data"] for _ in range(4)] == [b"2", b"3", b"4", b"5"]


@clean
def test_what_a_session_had_not_acknowledged_goes_to_the_next_owner(d):
    a, b, s = d.client("a"), d.client("b"), session(d)
    there, port = listener(b)
    sock = supervise(a, port)
    up = comes_up(b, there)
    s.call("attach", name="a", options={"active": True})
    for i in range(6):
        send(b, there, up, b"%d" % i)
    assert s.event("sctp_assoc_change")["state"] == "comm_up"
    seqs = [s.event("data")["seq"] for _ in range(4)]
    s.call("ack", seq=seqs[1])
    cut(s)
    wait_for(lambda: state(a)["owner"] == 0)
    send(b, there, up, b"6")
    a.call("attach", name="a", options={"active": True})
    assert [a.event("data", sock=sock)["data"] for _ in range(5)] == [b"2", b"3", b"4", b"5", b"6"]


@clean
def test_it_is_set_up_again_with_a_new_association_on_the_same_socket(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    sock = supervise(a, port)
    first = recv(b, there, "sctp_assoc_change", state="comm_up")["assoc_id"]
    a.call("attach", name="a", options={"active": True})
    was = a.event("sctp_assoc_change")
    for _ in range(3):
        b.call("abort", sock=there, assoc_id=first)
        assert a.event("sctp_assoc_change")["state"] == "comm_lost"
        change = a.event("sctp_assoc_change")
        assert change["state"] == "comm_up" and change["sock"] == sock and change["assoc_id"] != was["assoc_id"], change
        first, was = comes_up(b, there), change


@clean
def test_an_end_is_seen_behind_messages_that_nobody_reads(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    supervise(a, port)
    up = recv(b, there, "sctp_assoc_change", state="comm_up")["assoc_id"]
    for i in range(20):
        send(b, there, up, b"%d" % i)
    b.call("abort", sock=there, assoc_id=up)
    assert comes_up(b, there) != up


@clean
def test_its_pauses_grow_and_a_peer_that_comes_is_found(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    b.call("close", sock=there)
    supervise(a, port)
    wait_for(lambda: state(a)["attempts"] > 3)
    last = state(a)
    assert last["state"] in ("waiting", "connecting") and last["next"] <= 60, last
    assert "refused it" in last["reason"] and "a firewall" in last["reason"], last
    supervise(a, 9, "silent", local="198.51.100.2", peer=blackhole())
    wait_for(lambda: "not answer" in state(a, "silent")["reason"])
    assert any("the last attempt: the peer" in p and "a firewall" in p for p in a.call("explain", name="silent")["problems"]) or \
        state(a, "silent")["state"] == "connecting"
    a.call("unsupervise", name="silent")
    there, _ = listener(b, port)
    recv(b, there, "sctp_assoc_change", state="comm_up")
    is_up(a)
    assert state(a)["attempts"] == 0


@clean
def test_a_name_is_looked_up_at_each_attempt_and_up_does_not_wait(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    b.call("close", sock=there)
    supervise(a, port, peer="localhost", backoff_min=60000, backoff_max=60000)
    wait_for(lambda: state(a)["state"] == "waiting")
    there, _ = listener(b, port)
    for _ in range(3):
        a.call("up", name="a")
    comes_up(b, there)
    is_up(a)
    supervise(a, port, "none", peer="nosuch.invalid", backoff_min=60000, backoff_max=60000)
    wait_for(lambda: state(a, "none")["state"] == "waiting")
    assert "nosuch.invalid" in state(a, "none")["reason"]


@clean
def test_down_and_up(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    supervise(a, port)
    recv(b, there, "sctp_assoc_change", state="comm_up")
    is_up(a)
    a.call("down", name="a")
    recv(b, there, "sctp_shutdown_event")
    recv(b, there, "sctp_assoc_change", state="shutdown_comp")
    assert state(a)["state"] == "down" and code(a, "attach", name="a") == "enotconn"
    a.call("up", name="a")
    recv(b, there, "sctp_assoc_change", state="comm_up")


@clean
def test_that_which_is_down_at_first_sends_nothing_and_is_explained(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    supervise(a, port, down=True, peer="127.0.0.1,192.0.2.1".split(","))
    assert state(a)["state"] == "down" and state(a)["sock"] == 0
    said = a.call("explain", name="a")
    assert said["local"] == ["127.0.0.1"]
    assert said["routes"][0] == {"peer": "127.0.0.1", "from": "127.0.0.1", "problem": ""}, said
    assert any("loopback" in p for p in said["problems"]), said
    assert nothing(b, there)


@clean
def test_what_explain_says_of_local_addresses(d):
    a = d.client("a")
    for local, what in (("203.0.113.77", "not an address of this host"), ("nosuch0", "no such interface"),
                        ("203.0.113.0/24", "no address of this host is in it"), ("127.0.0.0/8", "loopback and bridges aside")):
        a.call("supervise", name="a", local=local, peer="127.0.0.1", peer_port=9, down=True)
        said = a.call("explain", name="a")
        assert any(what in p for p in said["problems"]), (local, said)
        a.call("unsupervise", name="a")
    a.call("supervise", name="a", local="lo", peer="127.0.0.1", peer_port=9, down=True)
    assert "127.0.0.1" in a.call("explain", name="a")["local"]


@contextlib.contextmanager
def interface(name, *addrs):
    """A pair of interfaces, of which that one has these addresses."""
    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)
    ip("link", "add", name, "type", "veth", "peer", "name", name + "p")
    for n in (name, name + "p"):
        ip("link", "set", n, "up")
    for a in addrs:
        ip("addr", "add", a, "dev", name)
    try:
        yield ip
    finally:
        subprocess.run(["ip", "link", "del", name], capture_output=True)


@clean
def test_interfaces_and_addresses_that_come_and_go(d):
    """What local stands for is looked at before each attempt."""
    a, b = d.client("a"), d.client("b")
    with interface("peer0", "10.78.0.1/24"):
        there = b.call("open", ip="10.78.0.1", options={"sctp_rtoinfo": {"initial": 200, "min": 100, "max": 300}})
        b.call("listen", sock=there["sock"])
        a.call("supervise", **{**FAST, "local": "sup0"}, name="a", peer="10.78.0.1", peer_port=there["port"])
        wait_for(lambda: state(a)["state"] == "waiting" and state(a)["attempts"] > 1)
        assert state(a)["reason"] == "local: sup0: there is no such interface", state(a)

        def up_with(*addrs):
            assoc = comes_up(b, there["sock"])
            is_up(a)
            got = b.call("peernames", sock=there["sock"], assoc_id=assoc)
            assert {p["addr"] for p in got["addresses"]} == set(addrs), (got, addrs)
            assert a.call("explain", name="a")["local"] == sorted(addrs), (a.call("explain", name="a"), addrs)
            return assoc
        with interface("sup0", "10.77.0.1/24") as ip:
            up = up_with("10.77.0.1")
            was = a.call("attach", name="a")["sock"]
            ip("addr", "add", "10.77.1.2/24", "dev", "sup0")
            b.call("abort", sock=there["sock"], assoc_id=up)
            up = up_with("10.77.0.1", "10.77.1.2")
            ip("addr", "del", "10.77.0.1/24", "dev", "sup0")
            send(b, there["sock"], up, b"by the other path")
            while (got := recv(a, was))["event"] != "data":
                pass
            assert got["data"] == b"by the other path", got
            ip("addr", "add", "10.77.2.3/24", "dev", "sup0")
            a.call("abort", sock=was, assoc_id=a.call("attach", name="a")["assoc_id"])
            up = up_with("10.77.1.2", "10.77.2.3")
            assert state(a)["sock"] == was, "the socket stays"
        b.call("abort", sock=there["sock"], assoc_id=up)
        wait_for(lambda: state(a)["reason"] == "local: sup0: there is no such interface")
        with interface("sup0", "10.77.0.9/24"):
            up_with("10.77.0.9")
            a.call("unsupervise", name="a")
            for r in b.call("assocs", sock=there["sock"])["assocs"]:  # those whose peer has no address any more, too
                with contextlib.suppress(RpcError):  # some end by themselves
                    b.call("abort", sock=there["sock"], assoc_id=r["assoc_id"])
            wait_for(lambda: b.call("status")["lingering"] == 0)


def offered_by(capture):
    """The addresses of the first INIT: it lists them, or it has one, and is sent from there."""
    for _, packet in capture.packets:
        sctp = sctp_of(packet, None)
        if INIT not in chunk_types(sctp):
            continue
        at, addrs = 12 + 20, []
        while at + 4 <= len(sctp):
            kind, size = struct.unpack_from("!HH", sctp, at)
            if kind == 5:
                addrs.append(socket.inet_ntoa(sctp[at + 4:at + 8]))
            at += max(size + 3 & ~3, 4)
        return addrs or [socket.inet_ntoa(packet[12:16])]
    raise AssertionError("there is no INIT")


@clean
def test_explain_offers_what_the_init_does(d):
    """Linux leaves out addresses that reach less far than the peer's."""
    c, far, near, link = d.client(), "203.0.113.1", "10.77.0.1", "169.254.7.7"
    with interface("sup0", f"{near}/24", f"{link}/16", f"{far}/24") as ip:
        for n, (peer, local, offered) in enumerate((
                ("203.0.113.9", ["127.0.0.1", near, far, link], [far]),
                ("203.0.113.9", ["127.0.0.1", near, link], [near, link]),
                ("10.77.0.9", ["127.0.0.1", near, far, link], [near, far]),
                ("169.254.1.1", ["127.0.0.1", near, far, link], [near, far, link]),
                ("127.0.0.5", ["127.0.0.1", near, far, link], ["127.0.0.1", near, far, link]))):
            if not peer.startswith("127"):
                ip("neigh", "replace", peer, "lladdr", "02:00:00:00:00:09", "dev", "sup0")
            c.call("supervise", name=f"n{n}", local=local, peer=peer, peer_port=9, down=True)
            explained = c.call("explain", name=f"n{n}")
            with Capture() as capture:
                c.call("up", name=f"n{n}")
                capture.wait(INIT)
                init = offered_by(capture)
            assert explained["local"] == init == offered, (peer, explained, init)
            for a in set(local) - set(offered):
                assert any(p.startswith(f"local: {a} is not offered") for p in explained["problems"]), explained
            c.call("unsupervise", name=f"n{n}")


@clean
def test_role_listen_takes_peers(d):
    a, b = d.client("a"), d.client("b")
    free, port = listener(b)
    b.call("close", sock=free)
    a.call("supervise", name="a", role="listen", local="127.0.0.1", local_port=port)
    assert state(a)["state"] == "listening"
    here = b.call("open", ip="127.0.0.1")["sock"]
    up = b.call("connect", sock=here, addr="127.0.0.1", port=port)
    is_up(a)
    assert a.call("attach", name="a")["associations"] == 1
    b.call("abort", sock=here, assoc_id=up["assoc_id"])
    wait_for(lambda: state(a)["state"] == "listening")


@clean
def test_one_owner_at_a_time_and_detach(d):
    a, b, c = d.client("a"), d.client("b"), d.client("c")
    there, port = listener(b)
    sock = supervise(a, port)
    is_up(a)
    a.call("attach", name="a")
    assert code(c, "attach", name="a") == "ebusy" and code(c, "detach", name="a") == "not_owner"
    c.call("attach", name="a", take=True)
    assert state(a)["owner"] == c.id
    c.call("detach", name="a")
    assert state(a)["owner"] == 0
    assert code(a, "adopt", sock=sock) == code(a, "close", sock=sock) == code(a, "peeloff", sock=sock, assoc_id=1) == "einval"


@clean
def test_with_hold_it_waits_for_its_owner_and_is_nobodys_after_hold_time(d):
    """Back with its session, the owner goes on where it was."""
    c, s = d.client("peer"), session(d)
    there, port = listener(c)
    supervise(c, port)
    got = s.call("attach", name="a", options={"active": True, "on_owner_exit": "hold", "hold_time": 60000})
    assoc = comes_up(c, there)
    c.call("send", sock=there, assoc_id=assoc, data=b"one")
    assert s.event("data")["data"] == b"one"
    cut(s)
    c.call("send", sock=there, assoc_id=assoc, data=b"two")
    wait_for(lambda: state(c)["owner"] == s.client and only(c.call("sockets")["sockets"], sock=got["sock"])["held"])
    assert code(d.client(), "attach", name="a") == "ebusy"
    come_back(s)
    assert s.event("data")["data"] == b"two"
    s.call("setopts", sock=got["sock"], options={"hold_time": 50})
    cut(s)
    wait_for(lambda: state(c)["owner"] == 0)
    c.call("attach", name="a")


@clean
def test_who_may_attach(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    supervise(a, port)
    supervise(a, port, name="b", attach=65534)
    supervise(a, port, name="g", attach="@65534")
    for name in "abg":
        is_up(a, name)
    b_is = state(a, "b")["sock"]
    got = as_stranger(d.path, [
        ("supervised", {}), ("attach", {"name": "a"}), ("explain", {"name": "a"}), ("unsupervise", {"name": "b"}),
        ("up", {"name": "b"}), ("down", {"name": "b"}), ("attach", {"name": "b"}), ("attach", {"name": "g"}),
        ("sockname", {"sock": b_is}), ("detach", {"name": "b"}), ("sockname", {"sock": b_is})])
    assert {v["name"] for v in got[0]["supervised"]} == {"b", "g"}, got[0]
    assert all(why.startswith("eacces: ") for why in [*got[1:6], got[10]]), got
    assert got[6]["state"] == got[7]["state"] == "up" and got[8]["addr"] == "127.0.0.1", got
    wait_for(lambda: state(a, "g")["owner"] == 0)


@clean
def test_bad_input_is_named_and_nothing_else_happens(d):
    c = d.client()
    right = {"name": "x", "peer": "127.0.0.1", "peer_port": 9}
    for change, error, what in (
            ({"name": ""}, "badarg", "name"), ({"name": "a b"}, "badarg", "name"), ({"name": "x" * 65}, "badarg", "name"),
            ({"name": None}, "badarg", "name"), ({"role": "call"}, "badarg", "role"),
            ({"peer": None}, "badarg", "peer: missing"), ({"peer": "10.0.0.256"}, "badarg", "peer"),
            ({"peer": []}, "badarg", "1 to 16"), ({"peer": ["127.0.0.1"] * 2}, "badarg", "there twice"),
            ({"peer": ["a"] * 17}, "badarg", "1 to 16"), ({"peer": "0.0.0.0"}, "badarg", "peer"), ({"peer": {}}, "badarg", "peer"),
            ({"peer_port": 0}, "badarg", "peer_port: missing"), ({"peer_port": 65536}, "badarg", "peer_port"),
            ({"local": "10.0.0.0/33"}, "badarg", "local"), ({"local": "eth0/24"}, "badarg", "local"), ({"local": "0.0.0.0"}, "badarg", "local"),
            ({"primary": "eth0"}, "badarg", "primary"), ({"streams_out": 0}, "badarg", "streams_out"), ({"streams_in": 0}, "badarg", "streams_in"),
            ({"backoff_min": 9}, "badarg", "backoff_min"), ({"backoff_max": 5}, "badarg", "backoff_"),
            ({"backoff_min": 100, "backoff_max": 99}, "badarg", "less than backoff_min"), ({"jitter": 101}, "badarg", "jitter"),
            ({"attach": "somebody"}, "badarg", "attach"), ({"attach": "@"}, "badarg", "attach"),
            ({"options": 1}, "badarg", "options"), ({"options": {"nosuch": 1}}, "badarg", "options.nosuch"),
            ({"options": {"sctp_rtoinfo": {"max": -1}}}, "badarg", "options.sctp_rtoinfo.max"),
            ({"options": {"sctp_status": {}}}, "badarg", "only be read"), ({"options": {"netns": "/run/netns/x"}}, "badarg", "options.netns"),
            ({"options": {"sctp_auth_key": {"keynumber": 1, "key": b"k"}}}, "badarg", "journal"),
            ({"role": "listen"}, "badarg", "peer"), ({"role": "listen", "peer": None}, "badarg", "peer_port"),
            ({"role": "listen", "peer": None, "peer_port": None}, "badarg", "local_port: missing"),
            ({"unknown": 1}, "badarg", "unknown")):
        why = refusal(c, "supervise", **{k: v for k, v in {**right, **change}.items() if v is not None})
        assert why.startswith(error + ": ") and what in why, (change, why)
    assert not c.call("supervised")["supervised"]
    for method in ("unsupervise", "supervised", "attach", "detach", "up", "down", "explain"):
        assert code(c, method, name="x") == "enoent", method
    c.call("supervise", **right, down=True)
    c.call("supervise", **right, down=True)
    assert code(c, "supervise", **right) == "ealready"
    assert code(c, "detach", name="x") == "not_owner" and code(c, "attach", name="x") == "enotconn"


@clean
def test_the_event_says_how_it_is(d):
    a, b, w = d.client("a"), d.client("b"), d.client("w")
    there, port = listener(b)
    sock = supervise(a, port)
    up = comes_up(b, there)
    is_up(a)
    a.call("attach", name="a")
    w.call("watch")
    b.call("abort", sock=there, assoc_id=up)
    for want in ("waiting", "connecting", "up"):
        got = a.event("supervised")
        assert (got["name"], got["state"], got["sock"]) == ("a", want, sock), got
        assert (got["next"] > 0, got["reason"]) == (want == "waiting", "" if want == "up" else "the peer aborted it"), got
    while w.event("watch")["event"] != "supervised":
        pass


@clean
def test_sctpctl_lists_explains_and_completes(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    supervise(a, port, "north")
    supervise(a, port, "south", down=True)
    comes_up(b, there)
    is_up(a, "north")

    def ctl(*words, status=0):
        done = subprocess.run([os.path.join(BUILD, "sctpctl"), *words], capture_output=True, text=True,
                              env={**os.environ, "SCTPD_SOCKET": d.path})
        assert done.returncode == status, done
        return done.stdout + done.stderr
    said = ctl("supervised")
    assert "north" in said and "up" in said and "down" in said, said
    assert ctl("explain", "south") == "offers  127.0.0.1\nroute   to 127.0.0.1 from 127.0.0.1\nnothing is known against it\n"
    assert '"problems": []' in ctl("--json", "explain", "south")
    assert ctl("--complete", "up", "s").split() == ["south"]
    assert ctl("up", "south") == ""
    comes_up(b, there)
    assert ctl("down", "north") == "" and state(a, "north")["state"] == "down"
    assert "there is no supervised association" in ctl("explain", "nosuch", status=1)
    ctl("up", status=2)


# ---- sctpd.conf --------------------------------------------------------------

class Configured:
    """A daemon whose file gets paragraphs."""

    def __init__(self, d):
        self.d, self.conf = d, getattr(d, "conf", None) or os.path.join(d.dir, "conf")
        with open(self.conf) as f:
            self.settings = f.read()

    def write(self, *paragraphs):
        with open(self.conf, "w") as f:
            f.write(self.settings)
            for name, keys in paragraphs:
                f.write(f"association {name} {{\n" + "".join(f"\t{k} = {v}\n" for k, v in keys.items()) + "}\n")

    def reload(self, *paragraphs, line="config: read again"):
        self.write(*paragraphs)
        times = self.d.log_text().count(line) + 1
        self.d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.d.log_text().count(line) >= times)


@contextlib.contextmanager
def configured(kind=Daemon, **config):
    d = kind(**config)
    try:
        yield d, Configured(d)
    finally:
        d.stop()


def paragraph(port, **more):
    return {"local": "127.0.0.1", "peer": "127.0.0.1", "peer_port": port, "backoff_min": 20, "backoff_max": 60, **more}


def test_a_reload_changes_what_changed_and_nothing_else(_):
    with configured() as (d, conf):
        b = d.client("b")
        there, port = listener(b)
        conf.reload(("one", paragraph(port)), ("two", paragraph(port, attach="root, @root", **{"options.sctp_nodelay": "true"})))
        is_up(b, "one"), is_up(b, "two")
        was = {n: state(b, n)["sock"] for n in ("one", "two")}
        conf.reload(("one", paragraph(port, backoff_max=80)), ("two", paragraph(port, streams_out=3)))
        wait_for(lambda: state(b, "two")["sock"] != was["two"] and state(b, "two")["state"] == "up")
        assert state(b, "one")["sock"] == was["one"] and state(b, "one")["state"] == "up"
        assert b.call("attach", name="two")["outbound_streams"] == 3
        conf.reload(("one", paragraph(port, backoff_max=80)), line="removed: it stands in the configuration no more")
        assert b.event("sctp_closed")["reason"].startswith("removed")
        assert [v["name"] for v in b.call("supervised")["supervised"]] == ["one"]
        assert code(b, "unsupervise", name="one") == "einval"
        assert code(b, "supervise", name="one", peer="127.0.0.1", peer_port=9) == "ealready"
        conf.reload(("one", {**paragraph(port), "peer_port": "x"}), line="stays in force")
        assert 'peer_port: got a string' in d.log_text() and state(b, "one")["state"] == "up"
        conf.reload()
        assert not b.call("supervised")["supervised"]


@clean
def test_attach_with_a_wrong_option_changes_nothing(d):
    a, b = d.client("a"), d.client("b")
    there, port = listener(b)
    sock = supervise(a, port)
    is_up(a)
    assert refusal(a, "attach", name="a", options={"active": True, "nosuch": 1}).startswith("einval: options.nosuch: ")
    assert state(a)["owner"] == 0
    b.call("attach", name="a", options={"active": True})
    assert refusal(a, "attach", name="a", take=True, options={"active": False, "nosuch": 1}).startswith("einval: options.nosuch: ")
    assert state(a)["owner"] == b.id
    send(b, there, only(b.call("assocs")["assocs"], sock=there)["assoc_id"], b"1")
    assert b.event("data", sock=sock)["data"] == b"1"


@clean
def test_who_loses_it_to_take_is_told(d):
    a, b, c = d.client("a"), d.client("b"), d.client("c")
    there, port = listener(b)
    sock = supervise(a, port)
    is_up(a)
    a.call("attach", name="a", options={"active": True})
    c.call("attach", name="a", take=True)
    a.event("owner", sock=sock, owner=c.id, was=a.id)


def test_a_change_reaches_what_was_down_and_is_up(_):
    """The paragraph says down, somebody said up, and the paragraph changes."""
    with configured() as (d, conf):
        b = d.client("b")
        (_, one), (_, two) = listener(b), listener(b)
        conf.reload(("a", paragraph(one, down="true")))
        b.call("up", name="a")
        is_up(b)
        was = state(b)["sock"]
        conf.reload(("a", paragraph(two)))
        wait_for(lambda: state(b)["sock"] != was and state(b)["state"] == "up")
        assert [x["peer"]["port"] for x in b.call("assocs")["assocs"] if x["sock"] == state(b)["sock"]] == [two]


def test_a_wrong_paragraph_is_named_with_its_line(d):
    conf = Configured(d)
    path = os.path.join(d.dir, "other")

    def says(text):
        with open(path, "w") as f:
            f.write("# a comment\n" + text)
        done = subprocess.run([os.path.join(BUILD, "sctpd"), "-t", "-c", path], capture_output=True, text=True)
        assert done.returncode != 0, text
        return done.stderr
    assert conf.settings
    for text, what in (
            ("association a {\npeer = 127.0.0.1\n", "other:2: association a: the \"}\" that ends it is missing"),
            ("association a {\n}\n", "other:2: peer: missing"),
            ("association a b {\n}\n", "other:2: name: \"a b\" is no name"),
            ("association a {\npeer = 127.0.0.1\npeer_port = 0\n}\n", "other:4: peer_port: missing"),
            ("association a {\nnosuch = 1\n}\n", "other:3: nosuch: unknown"),
            ("association a {\npeer\n}\n", "other:3: syntax: \"peer\""),
            ("association a {\npeer = x\npeer = y\n}\n", "peer: given twice"),
            ("association a {\npeer = x\npeer_port = 1\noptions.nosuch = 1\n}\n", "other:5: options.nosuch: there is no such option"),
            ("association a {\npeer = x\npeer_port = 1\n}\nassociation a {\n}\n", "other:6: association a: there is one of this name in line 2"),
            ("association {\n}\n", "other:2: name: \"\" is no name")):
        assert what in says(text), (text, says(text))


def test_it_outlives_the_daemon(d):
    """Where the stack keeps associations it stays up; elsewhere it is set up again."""
    there, port = listener(d.client("peer"))
    b = d.clients[-1]
    udp = re.search(r"^udp_port = (\d+)$", Configured(d).settings, re.M)
    with configured(Kept, **({"peer_udp_port": udp[1]} if udp else {})) as (k, conf):
        conf.reload(("one", paragraph(port, local_port=0)))
        c = k.client("c")
        is_up(c, "one")
        up = comes_up(b, there)
        was, pid = state(c, "one")["sock"], k.child()
        send(b, there, up, b"1")
        if STACK == "kernel":
            c.call("supervise", name="two", peer="127.0.0.1", peer_port=9, down=True)
        os.kill(pid, signal.SIGKILL)
        k.next_child(pid)
        if STACK != "kernel":
            b.call("abort", sock=there, assoc_id=up)  # it does not know that its peer is gone
        c = k.client("c")
        is_up(c, "one")
        got = c.call("attach", name="one")
        if STACK == "kernel":
            assert state(c, "two")["state"] == "down" and got["sock"] == was
            recv(c, was, "sctp_assoc_change", state="comm_up")
            assert recv(c, was, "data")["data"] == b"1"
        b.call("abort", sock=there, assoc_id=up if STACK == "kernel" else comes_up(b, there))
        up = comes_up(b, there)
        c.call("detach", name="one")
        pid = k.child()
        os.kill(pid, signal.SIGKILL)
        k.next_child(pid)
        b.call("abort", sock=there, assoc_id=up)  # seen with nobody attached
        comes_up(b, there)


def spoil(pid, word, by):
    """In the journal of this process."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        if "sctpd-journal" not in os.readlink(path):
            continue
        with open(path, "r+b") as f:
            text = f.read()
            for found in re.finditer(re.escape(word), text):
                f.seek(found.start())
                f.write(by)
            return
    raise AssertionError("it has no journal")


def test_what_does_not_read_in_the_next_process_is_closed(d):
    """Its port and its name are free again, and whoever was attached hears why."""
    there, port = listener(d.client("peer"))
    free, own = listener(d.clients[-1])
    d.clients[-1].call("close", sock=free)
    with configured(Kept) as (k, _):
        c = Session(k.path, "c")
        for name, local in (("a", own), ("b", 0)):
            supervise(c, port, name, local_port=local)
            is_up(c, name)
        sock = c.call("attach", name="a")["sock"]
        c.call("status")
        pid = k.child()
        spoil(pid, b"peer_port", b"peer_porx")
        os.kill(pid, signal.SIGKILL)
        k.next_child(pid)
        assert c.event("sctp_closed", sock=sock)["reason"] == \
            "what the daemon before wrote of its supervised association does not read"
        assert not c.call("supervised")["supervised"] and not c.call("sockets")["sockets"]
        assert [x["name"] for x in c.call("clients")["clients"]] == ["c"]
        supervise(c, port, "a", local_port=own)
        is_up(c)
        c.close()


def test_a_peer_that_is_killed_is_associated_again_within_the_pause(d):
    assert len(killed_again_and_again(d, Lksctp, 2)) == 2


def test_associations_that_ended_together_do_not_come_back_together(d):
    ups, noticed, _, _ = thousand(d, 60, backoff=400, jitter=75, before=0.1)
    check_spread(ups, noticed, backoff=400, jitter=75, bins=3)
