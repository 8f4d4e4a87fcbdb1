# SPDX-License-Identifier: BSD-2-Clause
"""sctpd-nats while everything is killed at random: the servers of a cluster, two bridges, two daemons, the programs that answer,
and the network to the peers of one host. Numbered both ways: each message is in the log once, in order, and each
answer comes to the peer once, in order. NATS_SECONDS makes it longer; where associations do not outlive the daemon, it is
not killed. A server whose copies of a stream outlive that also stands still for longer than the others wait: it is the
first nats-server on the PATH."""
import collections
import contextlib
import ctypes
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import STACK, Daemon, wait_for
from hosts import networks
from nats import Bridge, Nats, Server, close_held, cluster
from rpc import WAIT, Client
from test_keeper import Kept

SECONDS = float(os.environ.get("NATS_SECONDS", "8"))
PEERS = int(os.environ.get("NATS_PEERS", "3"))          # of each host
RATE = float(os.environ.get("NATS_RATE", "20" if STACK != "kernel" else "5"))   # messages a second, of each peer
# "make nats" has three, which take up to ten seconds to choose a leader.
SERVERS = int(os.environ.get("NATS_SERVERS", "1"))
EVERY = float(os.environ.get("NATS_EVERY", "1"))        # seconds between two kills
PARTS, PORT, SCTP = 4, 38412, 132
CONSUMER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nats_consumer.py")
PATIENCE = 60 if STACK != "kernel" else 120             # seconds without an answer


def in_netns(name, make):
    """What make gives in this network namespace. A namespace is a thread's."""
    got = []

    def work():
        with open(f"/run/netns/{name}") as f:
            assert ctypes.CDLL(None, use_errno=True).setns(f.fileno(), 0x40000000) == 0
        got.append(make())
    t = threading.Thread(target=work)
    t.start()
    t.join()
    return got[0]


class PlainPeer:
    """A socket of the kernel's, that says and hears numbers."""

    def __init__(self, addr, netns):
        def make():
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            s.settimeout(WAIT)
            s.connect((addr, PORT))
            s.setblocking(False)
            return s
        self.sock = in_netns(netns, make) if netns else make()
        self.name = self.sock.getsockname()[1]

    def say(self, data):
        try:
            self.sock.send(data)
            return True
        except BlockingIOError:
            return False

    def hear(self, timeout):
        if not select.select([self.sock], [], [], timeout)[0]:
            return None
        data = self.sock.recv(1 << 16)
        assert data, "the association has ended"
        return data

    def close(self):
        self.sock.close()


class OwnPeer:
    """The same of a daemon that is not killed."""

    def __init__(self, addr, daemon):
        self.c = Client(daemon.path)
        self.c.sock.settimeout(WAIT * 3)
        got = self.c.call("open", options={"active": True})
        self.sock, self.name = got["sock"], got["port"]
        self.assoc = self.c.call("connect", sock=self.sock, addr=addr, port=PORT)["assoc_id"]

    def say(self, data):
        try:
            self.c.call("send", sock=self.sock, assoc_id=self.assoc, data=data)
        except TimeoutError:
            raise AssertionError("a message was not taken") from None
        return True

    def hear(self, timeout):
        if not self.c.events and select.select([self.c.sock], [], [], timeout)[0]:
            self.c.feed()
        while self.c.events:
            what, fields = self.c.events.popleft()
            if what == "data":
                return fields["data"]
            assert what != "sctp_assoc_change" or fields["state"] == "comm_up", fields
        return None

    def close(self):
        self.c.close()


class Talk:
    """A peer at work."""

    def __init__(self, peer):
        self.peer, self.said, self.heard, self.again, self.over, self.failed = peer, 0, 0, 0, False, None
        self.last = time.monotonic()    # when an answer came
        self.thread = threading.Thread(target=self.guard)
        self.thread.start()

    def guard(self):
        try:
            self.work()
        except Exception as e:
            self.failed = repr(e)

    def work(self):
        due = time.monotonic()
        while not self.over or self.heard < self.said:
            now = time.monotonic()
            if not self.over and now >= due and self.peer.say(b"%d" % self.said):
                self.said += 1
                due = max(due + 1 / RATE, now - 1)
            data = self.peer.hear(0 if not self.over and now >= due else min(0.05, 1 / RATE))
            if data is not None:
                number = int(data.removeprefix(b"re:"))
                assert number <= self.heard, f"answer {number} came, and not {self.heard}"
                self.again += number < self.heard
                self.heard += number == self.heard
                self.last = time.monotonic()


class Host:
    """A daemon, its bridge, its peers, and the programs that answer them."""

    def __init__(self, name, servers, addr, daemon, peer):
        self.name, self.servers, self.daemon = name, servers, daemon
        self.bridge = Bridge(daemon, servers, {"n2": {"ip": addr, "port": PORT}}, host=name, partitions=PARTS, part_consumers="yes",
                             part_wait=2000, window=64)
        self.bridge.start()
        deadline = time.monotonic() + PATIENCE
        while "the bridge runs" not in self.bridge.log_text():
            assert time.monotonic() < deadline, self.bridge.log_text()
            time.sleep(0.1)
        self.talks = [Talk(peer()) for _ in range(PEERS)]
        self.consumers = [self.consumer(), self.consumer()]

    def consumer(self):
        return subprocess.Popen([sys.executable, CONSUMER, self.name, str(PARTS), *[str(s.port) for s in self.servers]],
                                stdin=subprocess.DEVNULL)

    def kill_bridge(self):
        self.bridge.kill()
        self.bridge.start()

    def kill_consumer(self):
        i = random.randrange(len(self.consumers))
        self.consumers[i].kill()
        self.consumers[i].wait(WAIT)
        self.consumers[i] = self.consumer()

    def kill_daemon(self):
        old = self.daemon.next_child(None)      # its watchdog may kill it in this very moment
        os.kill(old, signal.SIGKILL)
        self.daemon.next_child(old)

    def said(self):
        """What its daemon and its bridge wrote last."""
        lines = [line for line in self.daemon.log_text().splitlines() if " debug: client" not in line]
        return "\n".join([*lines[-60:], self.bridge.log_text()[-3000:]])

    def failed(self):
        return [f"{self.name}: {t.failed}" for t in self.talks if t.failed]

    def end(self):
        for t in self.talks:
            t.over, t.said = True, min(t.said, t.heard) if t.thread.is_alive() else t.said
        for c in self.consumers:
            c.kill()
            c.wait(WAIT)
        for t in self.talks:
            t.thread.join()
            t.peer.close()
        self.bridge.end()
        close_held(self.daemon)


@contextlib.contextmanager
def all_there():
    """Servers and hosts; the peers of the first are behind a network of their own."""
    with contextlib.ExitStack() as stack:
        networks("up")
        stack.callback(networks, "down")
        servers = cluster(SERVERS) if SERVERS > 1 else [Server()]
        for s in servers:
            stack.callback(s.end)
        kept = Kept if STACK == "kernel" else Daemon
        hosts = []
        right, own = kept(netns="right"), kept()
        for d in (right, own):
            stack.callback(d.stop)
        if STACK == "kernel":
            def first(): return PlainPeer("10.0.1.2", "left")
            def second(): return PlainPeer("127.0.0.1", None)
        else:
            left = Daemon(netns="left")
            stack.callback(left.stop)
            def first(): return OwnPeer("10.0.1.2", left)
            def second(): return OwnPeer("127.0.0.1", own)
        for name, addr, d, peer in (("h1", "10.0.1.2", right, first), ("h2", "127.0.0.1", own, second)):
            hosts.append(Host(name, servers, addr, d, peer))
            stack.callback(hosts[-1].end)
        yield servers, hosts


def kill_server(servers):
    s = random.choice(servers)
    s.kill()
    time.sleep(random.uniform(0, 1))
    s.start()


def stall_server(servers):
    """For longer than the others wait before they choose another leader, which is four to nine seconds."""
    s = random.choice(servers)
    s.pause(True)
    time.sleep(random.uniform(6, 11))
    s.pause(False)


def cut_path():
    networks("cut", "1")
    time.sleep(random.uniform(0.1, 1.5))
    networks("mend", "1")


def kill_for(seconds, servers, hosts):
    """At random; a server more seldom, as the others choose a leader for some seconds. Counts by kind."""
    counts, end = collections.Counter(), time.monotonic() + seconds
    kinds = {"bridge": 4, "consumer": 3, "path": 2, "server": 1}
    if STACK == "kernel":
        kinds["daemon"] = 3
    if SERVERS > 1 and Nats(*servers).version() >= (2, 10, 27):     # see "WHICH NATS-SERVER" in sctpd-nats(8)
        kinds["stall"] = 1
    next_server = time.monotonic() + 3
    # Each kind once in any case, then at random.
    queue = list(kinds)
    while time.monotonic() < end or queue:
        kind = queue.pop() if queue else random.choices(list(kinds), kinds.values())[0]
        if kind in ("server", "stall"):
            if time.monotonic() < next_server and not queue:
                continue
            (kill_server if kind == "server" else stall_server)(servers)
            next_server = time.monotonic() + 12
        elif kind == "path":
            cut_path()
        else:
            getattr(random.choice(hosts), f"kill_{kind}")()
        counts[kind] += 1
        wrong = [f"{f}; {dict(counts)}, last a {kind}\n{how_it_is(servers, h)}\n{h.said()}" for h in hosts for f in h.failed()]
        assert not wrong, "\n".join(wrong)
        time.sleep(EVERY * random.uniform(0.5, 1.5))
    return counts


def check_log(n, host):
    """Each association's messages, once and in order; gives how many there are."""
    found = collections.defaultdict(list)
    for _, subject, head, body in n.all(f"sctp-{host.name}-in"):
        words = subject.split(".")
        assert words[-2] != "failed", (subject, head)
        if len(words) == 7:
            found[int(head["Sctp-From"].split(":")[1]), words[5]].append(int(body))
    said = {t.peer.name: t.said for t in host.talks}
    assert sorted(name for name, _ in found) == sorted(name for name in said if said[name]), (found.keys(), said)
    for (name, _), numbers in found.items():
        wrong = [(i, k) for i, k in enumerate(numbers) if i != k]
        assert not wrong and len(numbers) == said[name], f"{host.name}, peer {name}: {len(numbers)} of {said[name]}, first {wrong[:1]}"
    return sum(said.values())


def how_it_is(servers, host):
    """Where what is missing might be."""
    n, lines = Nats(*servers), []
    for stream in (f"sctp-{host.name}-in", f"sctp-{host.name}-out"):
        info = n.api(f"STREAM.INFO.{stream}")
        lines.append(f"{stream}: {info.get('state', info)} {info.get('cluster')}")
        lines += [f"its copy at {s.name}: {s.copy_of(stream)}" for s in servers]
        for name in [f"part-{i}" for i in range(PARTS)] if stream.endswith("-in") else ["bridge"]:
            info = n.api(f"CONSUMER.INFO.{stream}.{name}")
            lines.append(f"{name}: " + " ".join(f"{k}={info.get(k)}" for k in (
                "delivered", "ack_floor", "num_ack_pending", "num_redelivered", "num_waiting", "num_pending", "cluster", "error")))
    n.close()
    lines += [f"peer {t.peer.name}: {t.heard} of {t.said}" for t in host.talks]
    lines += [line for s in servers for line in s.warnings()]
    return "\n".join(lines + [host.bridge.log_text()[-3000:]])


def finish(servers, hosts):
    """Until all that was said is answered, as long as answers come."""
    talks = [(h, t) for h in hosts for t in h.talks]
    begin = time.monotonic()
    for _, t in talks:
        t.over = True
    for h, t in talks:
        while t.thread.is_alive() and time.monotonic() < max(begin, *(other.last for _, other in talks)) + PATIENCE:
            t.thread.join(1)
        assert not t.thread.is_alive() and not t.failed, f"{h.name}: {t.failed}: {t.heard} of {t.said}\n{how_it_is(servers, h)}"


def test_whatever_is_killed_nothing_is_lost_or_doubled_or_out_of_order(d):
    with all_there() as (servers, hosts):
        counts = kill_for(SECONDS, servers, hosts)
        finish(servers, hosts)
        n = Nats(*servers)
        total = sum(check_log(n, h) for h in hosts)
        heard = sum(t.heard for h in hosts for t in h.talks)
        sessions = sum(h.bridge.log_text().count("with sctpd begins") for h in hosts)
        assert sessions == len(hosts), "a session was lost"
        wrong = [h.name for h in hosts if "are not sent: they were removed" in h.bridge.log_text()]
        assert not wrong, f"nobody removed anything from the queue of {wrong}"
        # What the queue had, the peers got, no more and no less. It may have had an answer twice: a server that is killed and was
        # the only one forgets what was acknowledged last, and the ids of what is not in the queue any more.
        again = sum(t.again for h in hosts for t in h.talks)
        assert heard + again == sum(n.state(f"sctp-{h.name}-out")["last_seq"] for h in hosts), (heard, again)
        assert SERVERS == 1 or not again, f"{again} answers came twice"
        n.close()
        print(f"killed: {', '.join(f'{k} {v}' for k, v in sorted(counts.items()))}; {total} messages in the logs and "
              f"{heard} answers at the peers, 0 lost, 0 doubled, in order", flush=True)
