# SPDX-License-Identifier: BSD-2-Clause
"""Messages that are sent one right after the other share packets; none is kept
back for longer than that, whatever becomes of those that should have followed."""
import contextlib
import os
import signal
import subprocess

from check import option, setopt
from harness import DELAY, SLOW, Skip, delay_loopback, halt, wait_for
from rpc import WAIT, Client
from test_survive import Faulty, plain_peer
from through import Session

FEW = 0.15  # packets a message
MANY = 400  # messages; more than what a small window takes would be lost, and sent again after a second
SOON = 1  # seconds, within which what was kept back must have arrived


def counted(name="SctpOutSCTPPacks"):
    """What this host's SCTP has sent so far, in packets."""
    with open("/proc/net/sctp/snmp") as f:
        return int(dict(line.split() for line in f)[name])


def packets_of(c, here, here_id, peer, n):
    """How many packets n messages take that are asked for at once."""
    before = counted()
    c.requests("send", [{"sock": here, "assoc_id": here_id, "data": i.to_bytes(4, "big") * 25} for i in range(n)])
    for i in range(n):
        assert peer.recv(200) == i.to_bytes(4, "big") * 25
    return counted() - before


def pause_and_send(s, pid, here, here_id):
    """Eight requests, of which the daemon reads all at once."""
    halt(pid)
    for i in range(8):
        s.request("send", sock=here, assoc_id=here_id, data=i.to_bytes(4, "big") * 25)
    os.kill(pid, signal.SIGCONT)


def window(c, here, here_id):
    return option(c, here, "sctp_status", assoc_id=here_id)["rwnd"]


def test_a_run_shares_packets(d):
    c = d.client()
    here, here_id, peer = plain_peer(c, on_owner_exit="close")
    together = packets_of(c, here, here_id, peer, MANY)
    assert together < MANY * FEW, together
    setopt(c, here, bundle=False)
    alone = packets_of(c, here, here_id, peer, MANY)
    assert alone > 4 * together, (alone, together)  # where the window is full the kernel bundles, too
    peer.close()


def test_a_small_send_buffer_keeps_nothing_back(d):
    """The messages of a packet would fill it: then nothing would ever be sent."""
    c = d.client()
    for sndbuf in (1, 3000, 10000, 40000, 100000):
        here, here_id, peer = plain_peer(c, on_owner_exit="close", sndbuf=sndbuf)
        for size in (1, 100, 1000):
            n = 300
            c.requests("send", [{"sock": here, "assoc_id": here_id, "data": bytes(size)} for _ in range(n)])
            for _ in range(n):
                assert peer.recv(2000) == bytes(size), (sndbuf, size)
        c.call("abort", sock=here, assoc_id=here_id)
        c.call("close", sock=here)
        peer.close()


def test_what_was_kept_back_when_a_window_was_closed_is_sent_when_it_opens(d):
    """The peer reads nothing, the daemon dies between the two calls, and nobody sends more."""
    with Faulty() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s)
        n = 0
        while window(s, here, here_id) > 100:
            s.call("send", sock=here, assoc_id=here_id, data=bytes(1000))
            n += 1
        k.die_at("bundle")
        pause_and_send(s, pid, here, here_id)
        wait_for(lambda: k.deaths() == 1)
        k.ready()
        peer.settimeout(WAIT * SLOW)  # a closed window is probed with a timer of the kernel's
        for i in range(n + 7):
            assert peer.recv(2000) == (bytes(1000) if i < n else (i - n).to_bytes(4, "big") * 25)
        peer.close()
        s.close()


def test_a_death_between_the_two_calls_keeps_nothing_back(d):
    """All messages of a run but the last are the kernel's, and nobody sends more."""
    for kind in (Session, Client):
        with Faulty() as k:
            pid = k.ready()
            s = kind(k.path, "s")
            here, here_id, peer = plain_peer(s)
            s.call("send", sock=here, assoc_id=here_id, data=b"now it is stored")     # until then messages wait
            assert peer.recv(2000) == b"now it is stored"
            k.die_at("bundle")
            pause_and_send(s, pid, here, here_id)
            wait_for(lambda k=k: k.log_text().count("ready at") == 2)
            assert k.deaths() == 1
            peer.settimeout(SOON * SLOW)
            for i in range(7):
                assert peer.recv(2000) == i.to_bytes(4, "big") * 25
            peer.close()
            s.close()


@contextlib.contextmanager
def nothing_arrives():
    """On the loopback device, meanwhile."""
    done = subprocess.run(["tc", "qdisc", "replace", "dev", "lo", "root", "netem", "loss", "100%"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"no netem here: {done.stderr.strip()}")
    try:
        yield
    finally:
        delay_loopback(DELAY)


def test_who_cannot_be_reached_is_not_asked_for_heartbeats_again_and_again(d):
    """Each that has no answer counts as a failure of the path, and the association would soon be over."""
    with Faulty() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        here, here_id, peer = plain_peer(s, sctp_rtoinfo={"initial": 200, "min": 200, "max": 200},
                                         sctp_associnfo={"asocmaxrxt": 100})
        with nothing_arrives():
            s.call("send", sock=here, assoc_id=here_id, data=b"lost")
            os.kill(pid, signal.SIGKILL)
            k.next_child(pid)
            asked, expired = counted("SctpOutCtrlChunks"), counted("SctpT3RtxExpireds")
            wait_for(lambda: counted("SctpT3RtxExpireds") >= expired + 12)
            assert counted("SctpOutCtrlChunks") - asked <= 2
        peer.settimeout(WAIT * SLOW)
        assert peer.recv(100) == b"lost"
        peer.close()
        s.close()
