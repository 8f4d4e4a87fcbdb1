# SPDX-License-Identifier: BSD-2-Clause
"""What must raise no alarm, for as long as one likes: the tests of the option
stall take a moment of it, and "make watch" an hour:

	watched.py loss|slow|flap SECONDS

loss: two hosts 50 ms from each other, and 5% of the packets are lost each way.
slow: an echo server, and a client of ours that reads slower than it sends.
flap: a primary path that is cut and mended once a second, see Flow.
Prints what it saw, and exits with 1 if that was wrong."""
import collections
import contextlib
import select
import subprocess
import sys
import threading
import time

from check import WAIT_MS
from harness import Daemon, Skip
from rpc import Client

# The rule of the manual: several retransmission timeouts, which begin at 1 s.
LOSS_TIME = 10000
SLOW_TIME = 2000


DATA = 0    # a chunk's type


@contextlib.contextmanager
def dropped(device, *match, where=()):
    """This device drops such packets of SCTP, which it would send, meanwhile."""
    def tc(*args):
        done = subprocess.run(["tc", *where, *args], capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip(f"no filter here: {done.stderr.strip()}")
    tc("qdisc", "add", "dev", device, "clsact")
    try:
        tc("filter", "add", "dev", device, "egress", "protocol", "ip", "u32",
           "match", "ip", "protocol", "132", "0xff", "match", *match, "action", "drop")
        yield
    finally:
        tc("qdisc", "del", "dev", device, "clsact")


def no_data(device, *where):
    """Those that begin with a DATA chunk, behind an IP header without options."""
    return dropped(device, "u8", str(DATA), "0xff", "at", "32", where=where)


def alarms(c):
    """The events sctpd_stalled that came, which are taken."""
    found = [e for name, e in c.events if name == "sctpd_stalled"]
    c.events.clear()
    return found


def say_as_it_goes(started, seconds, text):
    """One line in ten minutes."""
    if time.monotonic() - say_as_it_goes.last > 600:
        say_as_it_goes.last = time.monotonic()
        print(f"after {time.monotonic() - started:.0f} of {seconds} s: {text()}", flush=True)


say_as_it_goes.last = time.monotonic()


def talk(c, sock, assoc_id, peer, seconds):
    """Send 20 messages a second, as far as there is room, and read what comes at
    the other side; gives (sent, came, alarms)."""
    sent, came, seen, unanswered = 0, 0, [], collections.deque()
    start = time.monotonic()
    while (now := time.monotonic()) - start < seconds:
        if sent < (now - start) * 20 and len(unanswered) < 100:
            unanswered.append(c.request("send", sock=sock, assoc_id=assoc_id, stream=sent % 4, data=bytes(200)))
            sent += 1
        for s in select.select([c.sock, peer.sock], [], [], 0.02)[0]:
            (c if s is c.sock else peer).feed()
        while unanswered and unanswered[0] in c.answers:
            c.answer(unanswered.popleft())
        came += sum(name == "data" for name, _ in peer.events)
        peer.events.clear()
        seen += alarms(c)
        say_as_it_goes(start, seconds, lambda: f"{sent} sent, {came} came, {len(seen)} alarms")
    return sent, came, seen


def loss(h, seconds, time_ms=LOSS_TIME, **options):
    """The alarms of an association whose packets are lost now and then."""
    from hosts import LEFT, RIGHT, networks  # the lab's, and nobody else's

    networks("netem", "1", "delay", "50ms", "loss", "5%")
    try:
        c, peer = h.left.client(), h.right.client()
        there = peer.call("open", ip=RIGHT[0], options={"active": True})
        peer.call("listen", sock=there["sock"])
        sock = c.call("open", ip=LEFT[0], options={"active": True, "stall": {"time": time_ms}, **options})["sock"]
        assoc_id = c.call("connect", sock=sock, addr=RIGHT[0], port=there["port"], timeout=WAIT_MS)["assoc_id"]
        sent, came, seen = talk(c, sock, assoc_id, peer, seconds)
        print(f"        loss: {sent} messages sent, {came} came, in {seconds} s; "
              f"{len(seen)} alarms with a time of {time_ms} ms {seen}", flush=True)
        c.call("abort", sock=sock, assoc_id=assoc_id)
        return seen
    finally:
        networks("netem", "1")


class Echo(threading.Thread):
    """The server in a thread, with a connection of its own; it ends with its socket's connection."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.c = Client(d.path)
        self.there = self.c.call("open", ip="127.0.0.1", options={"recbuf": 65536, "sndbuf": 65536})
        self.c.call("listen", sock=self.there["sock"])
        self.ended = False

    def run(self):
        self.c.sock.settimeout(None)
        while not self.ended:
            try:
                got = self.c.call("recv", sock=self.there["sock"])
                if got["event"] == "data":
                    self.c.call("send", sock=self.there["sock"], stream=0, data=got["data"],
                                assoc_id=got["sctp_sndrcvinfo"]["assoc_id"])
            except Exception:
                return      # its association or its connection is gone

    def end(self):
        self.ended = True
        self.c.close()
        self.join(5)


def slow(d, seconds, time_ms=SLOW_TIME, every=0.1):
    """The alarms of an association whose echoes its own client reads too slowly."""
    server, c = Echo(d), d.client()
    watcher = d.client()
    watcher.call("watch")
    sock = c.call("open", ip="127.0.0.1", options={"recbuf": 65536, "sndbuf": 65536, "stall": {"time": time_ms}})["sock"]
    assoc_id = c.call("connect", sock=sock, addr="127.0.0.1", port=server.there["port"], timeout=WAIT_MS)["assoc_id"]
    server.start()
    sent, came, unanswered, seen = 0, 0, collections.deque(), []
    reads, start, due = None, time.monotonic(), 0
    while (now := time.monotonic()) - start < seconds:
        if len(unanswered) < 50:
            unanswered.append(c.request("send", sock=sock, assoc_id=assoc_id, stream=0, data=bytes(1000)))
            sent += 1
        if reads is None and now >= due:
            reads, due = c.request("recv", sock=sock), now + every
        for s in select.select([c.sock, watcher.sock], [], [], 0.02 if len(unanswered) >= 50 else 0)[0]:
            (c if s is c.sock else watcher).feed()
        if reads in c.answers:
            got = c.answer(reads)
            reads = None
            came += got["event"] == "data"
            seen += [got] if got["event"] == "sctpd_stalled" else []
        while unanswered and unanswered[0] in c.answers:
            c.answer(unanswered.popleft())
        seen += [e for _, e in watcher.events if e.get("event") == "sctpd_stalled"]
        watcher.events.clear()
        say_as_it_goes(start, seconds, lambda: f"{sent} sent, {came} read, {len(unanswered)} wait, {len(seen)} alarms")
    print(f"        slow: {sent} messages sent and {len(unanswered)} of them not taken, {came} echoes read, in "
          f"{seconds} s; {len(seen)} alarms with a time of {time_ms} ms {seen}", flush=True)
    c.call("abort", sock=sock, assoc_id=assoc_id)
    server.end()
    return seen, len(unanswered)


def main():
    what, seconds = sys.argv[1], int(sys.argv[2])
    if what == "slow":
        d = Daemon(log_level="info")
        seen, wait = slow(d, seconds)
        wrong = bool(seen) or wait == 0     # or the window never was closed
        d.stop()
    else:
        from hosts import Hosts
        h = Hosts(log_level="info")
        if what == "loss":
            wrong = bool(loss(h, seconds))
        else:
            import test_pathmanager
            wrong = not test_pathmanager.flaps(h, seconds)
        h.stop()
    print(f"{what}: {'FAILED' if wrong else 'ok'}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
