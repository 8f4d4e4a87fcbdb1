# SPDX-License-Identifier: BSD-2-Clause
"""The option stall: an association whose peer is there and acknowledges nothing."""
import contextlib
import os
import signal
import socket
import time

import watched

from check import WAIT_MS, fill, option, recv, refusal, send, setopt
from harness import STACK, Daemon, associate, stack_config
from relay import Relay
from test_keeper import Own
from test_survive import plain_peer
from through import Session

T = 1000        # ms, the least that stall takes


def start(**config):
    return Daemon(**{**stack_config(None), **config})


def stalled(c, sock, since, **want):
    """The event comes, and no later than a second after the time of the option."""
    got = c.event("sctpd_stalled", sock=sock, state="stalled")
    took = time.monotonic() - since
    assert took < T / 1000 + 1, (took, got)
    assert all(got[k] == v for k, v in want.items()), got
    assert got["time"] >= T and got["heartbeats"] >= 2 and got["path"]["addr"] == "127.0.0.1", got
    print(f"        raised after {took:.2f} s of {T / 1000:.0f}: {got['reason']}, {got['queued']} bytes, "
          f"{got['waiting']} wait, window {got['rwnd']}, {got['heartbeats']} heartbeats answered")
    return got


def watch(c, sock, time_ms=T, **more):
    setopt(c, sock, stall={"time": time_ms, **more}, active=True)


def test_a_peer_that_does_not_read(d):
    """Its window closes, and what is sent waits; when it reads on, that ends."""
    a, b = d.client(), d.client()
    there, there_id, here, here_id = associate(a, to=b)
    watch(a, here)
    before = a.call("status")["assocs_stalled"]
    sent, ids = fill(a, here, here_id)
    since = time.monotonic()
    got = stalled(a, here, since, reason="window", assoc_id=here_id)
    assert got["waiting"] > 0 and got["queued"] > 0, got
    row, = a.call("assocs", sock=here)["assocs"]
    assert row["stalled"] >= T, row
    assert a.call("status")["assocs_stalled"] == before + 1
    for message in sent:
        assert recv(b, there, "data")["data"] == message
    got = a.event("sctpd_stalled", sock=here)
    assert (got["state"], got["reason"]) == ("ended", "acknowledged"), got
    for i in ids:
        a.answer(i)
    row, = a.call("assocs", sock=here)["assocs"]
    assert row["stalled"] == 0, row
    assert a.call("status")["assocs_stalled"] == before + 1


@contextlib.contextmanager
def plain_listener():
    """A program of the kernel's SCTP that takes associations and reads nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132) as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        yield s


def test_a_plain_program_that_stops_reading(d):
    c = d.client()
    with plain_listener() as s:
        here = c.call("open", ip="127.0.0.1", type="stream", options={"sndbuf": 100000, "stall": {"time": T, "abort": True},
                                                             "active": True})["sock"]
        here_id = c.call("connect", sock=here, addr="127.0.0.1", port=s.getsockname()[1], timeout=WAIT_MS)["assoc_id"]
        peer, _ = s.accept()
        with peer:
            since = time.monotonic()
            ids = [c.request("send", sock=here, assoc_id=here_id, stream=0, data=bytes(100000)) for _ in range(10)]
            stalled(c, here, since, reason="window")
            assert c.event("sctp_assoc_change", sock=here)["state"] == "comm_lost"
            assert "it has stalled, and the option stall says abort" in d.log_text()
            for i in ids:
                with contextlib.suppress(Exception):
                    c.answer(i)


class Middlebox(Relay):
    """One that may pass all but DATA, in the direction of the peer that listens."""
    passes_data = True

    def pass_on(self):
        packet, self.peer = self.inner.recvfrom(65536)
        if self.passes_data or packet[12] != watched.DATA:
            self.outer.sendto(packet, self.to)


@contextlib.contextmanager
def middlebox(c, d):
    """An association through something: (listener, its id, connector, its id, what stops DATA)."""
    if STACK == "kernel":
        yield (*associate(c), lambda: watched.no_data("lo"))
        return
    box = Middlebox(int(d.config["udp_port"]))

    @contextlib.contextmanager
    def stop():
        box.passes_data = False
        yield
        box.passes_data = True
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options={"sctp_remote_udp_encaps_port": {"port": box.front}})["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    yield there["sock"], recv(c, there["sock"], "sctp_assoc_change")["assoc_id"], here, up, stop
    d.close_clients()
    d.idle()
    box.close()


def test_a_middlebox_that_passes_heartbeats_only(d):
    c = d.client()
    with middlebox(c, d) as (there, _, here, here_id, stop):
        watch(c, here)
        with stop():
            since = time.monotonic()
            send(c, here, here_id, b"lost on the way")
            send(c, here, here_id, b"this one, too")
            stalled(c, here, since, reason="data")
        got = c.event("sctpd_stalled", sock=here)
        assert got["state"] == "ended" and got["reason"] == "acknowledged", got
        assert recv(c, there, "data")["data"] == b"lost on the way"
        assert recv(c, there, "data")["data"] == b"this one, too"


def test_who_reads_slowly_is_no_stall(d):
    """An echo server waits for us, as we do not read: it is not the one that stalls."""
    seen, wait = watched.slow(d, 3, T)
    assert wait > 0 and not seen, (wait, seen)


def test_what_does_not_fit_is_refused(d):
    c = d.client()
    sock = c.call("open", ip="127.0.0.1")["sock"]
    was = option(c, sock, "stall")
    assert was == {"time": "infinity", "abort": False}, was
    for value, error in REFUSED:
        got = refusal(c, "setopts", sock=sock, options={"stall": value})
        assert got == f"{error}; 0 of 1 were set", (value, got)
        assert option(c, sock, "stall") == was, value
    if STACK == "userland":
        assert refusal(c, "setopts", sock=sock, options={"path_manager": {"on": True}}) == \
            "enoprotoopt: options.path_manager: this SCTP stack does not have it; 0 of 1 were set"
    setopt(c, sock, stall={"time": 1000, "abort": True})
    assert refusal(c, "setopts", sock=sock, options={"stall": {"time": "infinity"}}) == \
        "einval: options.stall.abort: nothing is aborted without a time; give time, too; 0 of 1 were set"
    assert option(c, sock, "stall") == {"time": 1000, "abort": True}


REFUSED = [
    (1000, "badarg: options.stall: got an integer; it takes a map"),
    ({"time": 999}, "einval: options.stall.time: 999 ms; it takes 1000 to 86400000, or infinity"),
    ({"time": 0}, "einval: options.stall.time: 0 ms; it takes 1000 to 86400000, or infinity"),
    ({"time": 86400001}, "einval: options.stall.time: 86400001 ms; it takes 1000 to 86400000, or infinity"),
    ({"time": -1}, 'badarg: options.stall.time: -1 is out of range; it takes milliseconds from 0 to 4294967294, or "infinity"'),
    ({"time": "soon"}, 'badarg: options.stall.time: got a string; it takes milliseconds from 0 to 4294967294, or "infinity"'),
    ({"time": [1000]}, 'badarg: options.stall.time: got a list; it takes milliseconds from 0 to 4294967294, or "infinity"'),
    ({"abort": True}, "einval: options.stall.abort: nothing is aborted without a time; give time, too"),
    ({"abort": 1, "time": 1000}, "badarg: options.stall.abort: got an integer; it takes true or false"),
    ({"times": 1000}, "badarg: options.stall.times: unknown; there are: time, abort"),
]


def test_it_is_known_over_a_kill_and_found_again(d):
    """The daemon dies; the next one still knows that it has stalled, and says when that ends."""
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s, stall={"time": T}, active=True, sndbuf=100000)
        with peer:
            n = 0
            while not s.call("getstat", sock=here)["send_pend"]:
                for _ in range(20):
                    s.taken("send", sock=here, assoc_id=here_id, data=bytes(10000))
                    n += 1
            s.event("sctpd_stalled", sock=here, state="stalled")
            os.kill(pid, signal.SIGKILL)
            row, = s.call("assocs", sock=here)["assocs"]
            assert row["stalled"] >= T, row
            left = n * 10000
            while left:
                left -= len(peer.recv(min(left, 1 << 20)))
            got = s.event("sctpd_stalled", sock=here)
            assert got["state"] == "ended" and got["time"] >= T, got
            assert s.call("assocs", sock=here)["assocs"][0]["stalled"] == 0
        s.close()
