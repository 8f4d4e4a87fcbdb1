# SPDX-License-Identifier: BSD-2-Clause
"""SCTP over a network that is none too good: mixed sizes in numbers, packets
that fit, loss, and a cable that is cut. On whatever stack there is."""
import functools
import os
import subprocess
import threading
import time
import types

from check import option
from harness import STACK, WRAP, Daemon, Skip
from hosts import LEFT, RIGHT, Hosts, cut, networks
from rpc import WAIT

start = Hosts

MANY = 1000 if WRAP else int(os.environ.get("TEST_MANY", "100000"))
SMALL = (1, 16, 100, 300, 500)
SIZES = (1, 16, 100, 500, 1000, 1452, 1453, 3000, 10000, 65536)
WINDOW = 64  # requests that one sender writes at once


def message(n, sizes=SIZES):
    """The n-th, of a size that its number decides."""
    size = sizes[n * 7 % len(sizes)] if n % 50 else sizes[-1]
    head = b"%d " % n
    return head + bytes([n % 256]) * max(size - len(head), 0)


def small(n):
    return message(n, SMALL)


def pair(h, here_ip=LEFT[0], there_ip=RIGHT[0], **options):
    """An association from the left to the right; both ends as (client, sock, id)."""
    there, here = h.right.client(), h.left.client()
    listener = there.call("open", ip=there_ip, options=options)
    there.call("listen", sock=listener["sock"])
    sock = here.call("open", ip=here_ip, options=options)["sock"]
    up = here.call("connect", sock=sock, addr=there_ip, port=listener["port"], timeout=WAIT * 1000)
    peer = there.call("recv", sock=listener["sock"], timeout=WAIT * 1000)
    return (here, sock, up["assoc_id"]), (there, listener["sock"], peer["assoc_id"])


def send_all(end, count, text=message, numbered=False):
    """Send that many on one stream, a window ahead of the answers; their
    numbers go along as ppid if that is wanted."""
    c, sock, assoc_id = end

    def arguments(n):
        if numbered:
            return {"sock": sock, "data": text(n), "sctp_sndrcvinfo": {"assoc_id": assoc_id, "ppid": n}}
        return {"sock": sock, "assoc_id": assoc_id, "data": text(n)}

    under_way = []
    for first in range(0, count, WINDOW):
        sent = c.requests("send", [arguments(n) for n in range(first, min(first + WINDOW, count))])
        for msgid in under_way:
            c.answer(msgid)
        under_way = sent
    for msgid in under_way:
        c.answer(msgid)


def expect_all(end, count, seconds, text=message):
    """All of them come, in order."""
    c, sock, _ = end
    c.sock.settimeout(seconds)
    for n in range(count):
        assert c.event("data", sock=sock)["data"] == text(n), n


def at_once(seconds, *jobs):
    """Each of these functions in a thread of its own; the first failure of
    one is told."""
    failed = []

    def run(job):
        try:
            job()
        except BaseException as why:  # it is told in the thread that waits
            failed.append(why)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for t in threads:
        t.start()
    deadline = time.monotonic() + seconds
    while not failed and (alive := [t for t in threads if t.is_alive()]):
        assert time.monotonic() < deadline, "not all came in time"
        alive[0].join(1)
    assert not failed, failed[0]


def exchange(daemon, end, count, seconds, text=message):
    """Jobs that send so many from this end of an association and take as many."""
    # What is received has a client of its own, to which the socket is given.
    reader = daemon.client("reader")
    end[0].call("controlling_process", sock=end[1], client=reader.id)
    reader.call("setopts", sock=end[1], options={"active": True})
    return (functools.partial(expect_all, (reader, *end[1:]), count, seconds, text),
            functools.partial(send_all, end, count, text))


def both_ways(h, count, seconds, text=message, **options):
    here, there = pair(h, **options)
    at_once(seconds, *exchange(h.left, here, count, seconds, text),
            *exchange(h.right, there, count, seconds, text))


def test_many_of_mixed_sizes_both_ways(h):
    both_ways(h, MANY, 600)


def test_two_udp_ports(h):
    """The right has another one and connects, so that this is learnt."""
    if STACK != "userland":
        raise Skip("it is about the userland stack: see interop.")
    other = Daemon(netns="right", udp_port=9900)
    try:
        turned = types.SimpleNamespace(left=other, right=h.left)
        both_ways(turned, MANY, 600, here_ip=RIGHT[0], there_ip=LEFT[0])
    finally:
        other.stop()


def test_loss_and_delay(h):
    try:
        networks("netem", "1", "delay", "20ms", "loss", "5%")
    except subprocess.CalledProcessError as why:
        raise Skip("this kernel has no netem") from why
    try:
        both_ways(h, min(MANY, 20000), 600, small, sctp_rtoinfo={"initial": 200, "min": 100, "max": 1000})
    finally:
        networks("netem", "1")


def test_the_cable_is_cut_for_five_seconds(h):
    here, there = pair(h, sctp_rtoinfo={"initial": 200, "min": 100, "max": 500},
                       sctp_associnfo={"asocmaxrxt": 100}, sctp_peer_addr_params={"pathmaxrxt": 50})
    there[0].call("setopts", sock=there[1], options={"active": True})
    send_all(here, 100)
    with cut("1"):
        sent = [here[0].request("send", sock=here[1], assoc_id=here[2], data=message(100 + n))
                for n in range(200)]
        wait(here, 5000)
    for msgid in sent:
        here[0].answer(msgid)
    expect_all(there, 300, 60)


def test_a_peer_that_disappears_is_lost(h):
    quick = {"sctp_rtoinfo": {"initial": 100, "min": 100, "max": 200},
             "sctp_associnfo": {"asocmaxrxt": 3}, "sctp_events": {"address_event": False,
                                                                 "send_failure_event": False}}
    here, there = pair(h, **quick)
    with cut("1"):
        here[0].call("send", sock=here[1], assoc_id=here[2], data=b"nobody hears it")
        lost = here[0].call("recv", sock=here[1], timeout=WAIT * 1000)
        assert (lost["event"], lost.get("state")) == ("sctp_assoc_change", "comm_lost"), lost
    there[0].call("abort", sock=there[1], assoc_id=there[2])


def wait(end, ms):
    """So long nothing comes of the association's end."""
    c, sock, _ = end
    c.call("setopts", sock=sock, options={"sctp_events": {"address_event": False}})
    try:
        got = c.call("recv", sock=sock, timeout=ms)
    except Exception as e:
        assert str(e).startswith("timeout"), e
        return
    raise AssertionError(f"it did not hold: {got}")


def test_packets_fit_a_smaller_mtu(h):
    networks("mtu", "1", "1400")
    try:
        here, there = pair(h)
        there[0].call("setopts", sock=there[1], options={"active": True})
        fits = option(here[0], here[1], "sctp_status", assoc_id=here[2])["fragmentation_point"]
        assert 1000 < fits < 1400
        send_all(here, 200)
        expect_all(there, 200, 60)
        assert networks_oversize("left") == 0
    finally:
        networks("mtu", "1", "1500")


def networks_oversize(netns):
    """How many packets were cut in pieces by IP below SCTP."""
    text = subprocess.run(["ip", "netns", "exec", netns, "cat", "/proc/net/snmp"],
                          check=True, capture_output=True, text=True).stdout
    head, row = [line.split() for line in text.splitlines() if line.startswith("Ip:")]
    return int(dict(zip(head, row))["FragCreates"])
