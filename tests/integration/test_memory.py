# SPDX-License-Identifier: BSD-2-Clause
"""The memory that associations share: one user's that are not read, or whose
peers do not read, leave enough of it for those of others. It is made small
here, as it is on a small host: of the kernel's SCTP net.sctp.sctp_mem, and of
the userland stack, which is in the daemon, max_memory."""
import contextlib
import os
import re
import signal
import socket
import struct

import rawpeer
from check import WAIT_MS, option, recv, recv_data, refusal, send
from harness import STACK, Daemon, Skip, associate, halt, wait_for
from hosts import networks
from rpc import Client, RpcError
from test_keeper import Own
from test_privilege import ALICE, BOB, MIB, client
from test_udp import free_port

SCTP = 132
SCTP_MEM = "/proc/sys/net/sctp/sctp_mem"
PAGES = 16384
PAGE = os.sysconf("SC_PAGESIZE")
CONFIG = {"socket_mode": "0666", "max_associations": 250}
MEMORY = 64 * MIB   # of the userland stack's daemon
ASIDE = 16 * MIB    # what malloc does not give back
# Messages of each sender. In the userland stack's memory is also what waits for the stack.
SENDS = 40 if STACK == "kernel" else 4


def start(**config):
    if STACK == "userland":
        d = Daemon(max_memory=MEMORY, **config)
        os.chmod(d.dir, 0o755)
        return d
    if STACK == "kernel":
        if os.getuid() != 0 or not os.environ.get("LAB_KERNEL", "").startswith("uml"):
            raise Skip("sctp_mem is the whole machine's; it is changed in a virtual one only")
    return Small(**config)


class Small(Daemon):
    def __init__(self, **config):
        with open(SCTP_MEM) as f:
            self.before = f.read()
        with open(SCTP_MEM, "w") as f:
            f.write(f"{PAGES // 2} {PAGES * 2 // 3} {PAGES}")
        super().__init__(**config)

    def stop(self):
        try:
            return super().stop()
        finally:
            with open(SCTP_MEM, "w") as f:
                f.write(self.before)


def assert_room(d, before):
    """What the associations take leaves room for others."""
    if STACK == "userland":
        assert d.memory() - before < MEMORY + ASIDE, f"{(d.memory() - before) / MIB:.0f} MiB more"
    else:
        assert used() < PAGES * 2 // 3, used()


def used():
    """Pages of it that are in use."""
    with open("/proc/net/protocols") as f:
        return max(int(line.split()[3]) for line in f if line.startswith("SCTP"))


class Pair:
    """An association of a user's with itself."""

    def __init__(self, c):
        self.c = c
        self.there, self.there_id, self.here, self.here_id = associate(c)

    def talk(self, data=b"hello"):
        send(self.c, self.here, self.here_id, data)
        assert recv_data(self.c, self.there) == data


@contextlib.contextmanager
def plain_peers(port, n):
    """Programs that send what is taken of them, in small messages."""
    peers = []
    try:
        for _ in range(n):
            p = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
            peers.append(p)
            p.setsockopt(SCTP, 3, 1)  # SCTP_NODELAY
            p.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
            p.settimeout(WAIT_MS / 1000)
            p.connect(("127.0.0.1", port))
            p.settimeout(0.05)
            with contextlib.suppress(TimeoutError, BlockingIOError):
                while True:
                    p.send(bytes(100))
        yield
    finally:
        for p in peers:
            p.close()


WHERE = {"kernel": "the kernel; see net.sctp.sctp_mem in sctpd(8)",
         "userland": "the userland stack; see max_memory and max_memory_per_user in sctpd.conf(5)"}[STACK]


def test_peers_of_who_does_not_read_stop_nobody_else(d):
    """Before, 34 of them used up all there was."""
    alice, before = client(d, ALICE), Pair(client(d, BOB))
    there = alice.call("open", ip="127.0.0.1")
    alice.call("listen", sock=there["sock"])
    with plain_peers(there["port"], 60):
        assert used() < PAGES * 2 // 3
        before.talk()
        Pair(client(d, BOB)).talk(bytes(100000))
        # Who begins to read has all that was sent.
        got = [recv(alice, there["sock"]) for _ in range(1000)]
        assert sum(e["event"] == "data" for e in got) > 900


def test_senders_to_who_does_not_read_stop_nobody_else(d):
    first = d.memory()
    alice, before = client(d, ALICE), Pair(client(d, BOB))
    there = alice.call("open", ip="127.0.0.1")
    alice.call("listen", sock=there["sock"])
    for _ in range(60):
        sender = client(d, ALICE)
        here = sender.call("open", ip="127.0.0.1")["sock"]
        up = sender.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        for _ in range(SENDS):
            sender.notify("send", sock=here, assoc_id=up["assoc_id"], data=bytes(25000))
        sender.call("status")
    assert_room(d, first)
    before.talk()
    Pair(client(d, BOB)).talk(bytes(100000))


def fill(c, sock, assoc_id, data, at_once):
    """Send it until some is refused; gives the requests that were not."""
    ids, refused = [], set()
    while not refused:
        batch = c.requests("send", [{"sock": sock, "assoc_id": assoc_id, "data": data}] * at_once)
        c.call("hello")
        refused = {i for i in batch if i in c.answers and c.answers[i][0] is not None}
        ids += batch
    assert all(c.answers[i][0].startswith(("eagain: ", "limit: ", "enobufs: ")) for i in refused)
    return [i for i in ids if i not in refused]


def memory_of(c, uid):
    return sum(u["memory"] for u in c.call("status")["users"] if u["uid"] == uid)


def test_what_peers_do_not_read_is_bounded_and_arrives(d):
    """Little messages and long ones, accepted until there is no more room: usrsctp has
    400 bytes around each."""
    root, first = d.client(), d.memory()
    alice, peer = client(d, ALICE), client(d, ALICE)
    there = peer.call("open", ip="127.0.0.1", options={"buffer": 16 * MIB})
    peer.call("listen", sock=there["sock"])
    options = {"non_block_send": True, "high_msgq_watermark": 1000, "low_msgq_watermark": 500}
    taken, sent = {}, []
    for n in range(16):
        here = alice.call("open", ip="127.0.0.1", options=options)["sock"]
        up = alice.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        data, at_once = (bytes(1), 500) if n % 2 else (bytes(20000), 20)
        to = recv(peer, there["sock"], state="comm_up")["assoc_id"]
        ids = fill(alice, here, up["assoc_id"], data, at_once)
        taken[to] = len(ids) * len(data)
        sent += ids
    assert_room(d, first)
    assert min(taken.values()) > 0, taken
    peer.call("setopts", sock=there["sock"], options={"active": True})
    got = dict.fromkeys(taken, 0)
    while sum(got.values()) < sum(taken.values()):
        e = peer.event("data")
        got[e["sctp_sndrcvinfo"]["assoc_id"]] += len(e["data"])
    assert got == taken
    for i in sent:
        alice.answer(i)
    alice.close()
    peer.close()
    wait_for(lambda: memory_of(root, ALICE) == 0)


def test_buffers_shrink_with_what_is_left_and_grow_again(d):
    alice = client(d, ALICE)
    first = alice.call("open", ip="127.0.0.1")
    alice.call("listen", sock=first["sock"])
    sizes, socks = [], []
    for _ in range(30):
        sizes.append(option(alice, first["sock"], "recbuf"))
        here = alice.call("open", ip="127.0.0.1")["sock"]
        up = alice.call("connect", sock=here, addr="127.0.0.1", port=first["port"], timeout=WAIT_MS)
        there = recv(alice, first["sock"], state="comm_up")["assoc_id"]
        socks.append((here, up["assoc_id"], there))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] >= 8 * sizes[-1], sizes
    # Each works, with messages that are longer than its window.
    for here, here_id, there in socks:
        data = os.urandom(30000)
        send(alice, here, here_id, data)
        got = recv(alice, first["sock"])
        assert got["sctp_sndrcvinfo"]["assoc_id"] == there and got["data"] == data, len(got["data"])
    # Another user's are as large as the first of this one were, or nearly.
    bob = client(d, BOB)
    assert option(bob, bob.call("open", ip="127.0.0.1")["sock"], "recbuf") >= sizes[0] // 2
    for here, *_ in socks:
        alice.call("close", sock=here)
    for _ in socks:
        while recv(alice, first["sock"])["event"] != "sctp_assoc_change":
            pass
    wait_for(lambda: option(alice, first["sock"], "recbuf") == sizes[0])


def test_a_long_message_has_room_made_for_it_or_is_refused(d):
    alice, root = client(d, ALICE), d.client()
    there = alice.call("open", ip="127.0.0.1")
    alice.call("listen", sock=there["sock"])
    socks = []
    for _ in range(30):
        here = alice.call("open", ip="127.0.0.1")["sock"]
        socks.append((here, alice.call("connect", sock=here, addr="127.0.0.1", port=there["port"],
                                       timeout=WAIT_MS)["assoc_id"]))
        recv(alice, there["sock"], state="comm_up")
    refused = 0
    for here, here_id in socks:
        assert option(alice, here, "sndbuf") <= 4 * MIB
        request = alice.request("send", sock=here, assoc_id=here_id, data=bytes(MIB))
        try:
            alice.answer(request)
        except RpcError as why:
            assert str(why) == f"enobufs: data: there is no memory for 1048576 bytes in {WHERE}"
            refused += 1
    assert 0 < refused < 30, refused
    assert refusal(alice, "send", sock=socks[0][0], assoc_id=socks[0][1], data=bytes(4 * MIB + 1)).startswith(
        "emsgsize:")
    pair = Pair(root)
    pair.talk(bytes(MIB))


def test_too_little_memory_for_max_associations_is_logged(d):
    assert "sctp_mem allows" not in d.log_text()
    other = Daemon(max_associations=16384)
    assert "net.sctp.sctp_mem allows 64 MiB: 303 associations that nobody reads can use that up" in other.stop()


def test_in_another_network_namespace_the_kernels_limit_is_estimated(d):
    """It is one for the whole host, and its file is in the first namespace only."""
    networks("up")
    try:
        said = Daemon(netns="left", max_associations=1000000).stop()
    finally:
        networks("down")
    probably = re.search(r"net.sctp.sctp_mem cannot be read in this network namespace; it probably allows (\d+) MiB: ", said)
    assert probably, said
    memory = PAGE * os.sysconf("SC_PHYS_PAGES") // MIB
    assert memory // 6 <= int(probably[1]) <= memory // 5


def connect_as(uid, path):
    os.seteuid(uid)
    try:
        return Client(path)
    finally:
        os.seteuid(0)


def test_what_survives_a_restart_is_charged_to_its_user_again(d):
    with Own(socket_mode="0666", max_associations=250, stack="kernel") as k:
        pid = k.ready()
        os.chmod(k.dir.name, 0o755)
        alice = connect_as(ALICE, k.path)
        held = {"on_owner_exit": "hold", "recbuf": 300000}
        there = alice.call("open", ip="127.0.0.1", options=held)
        alice.call("listen", sock=there["sock"])
        full = option(alice, there["sock"], "recbuf")
        for _ in range(30):
            here = alice.call("open", ip="127.0.0.1", options=held)["sock"]
            alice.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        less = option(alice, there["sock"], "recbuf")
        assert less <= full // 4
        os.kill(pid, signal.SIGKILL)
        k.next_child(pid)
        later = connect_as(ALICE, k.path)
        assert option(later, there["sock"], "recbuf") == less
        assert option(later, later.call("open", ip="127.0.0.1", options=held)["sock"], "recbuf") <= 2 * less
        for s in later.call("sockets")["sockets"]:
            later.call("close", sock=s["sock"])
        there = later.call("open", ip="127.0.0.1", options={"recbuf": 300000})["sock"]
        wait_for(lambda: option(later, there, "recbuf") == full)
        alice.close()
        later.close()


# ---- what came to the userland stack and was not taken yet ------------


@contextlib.contextmanager
def a_burst(n, **listener):
    """Peers that come all at once to a listener of Alice's, in a daemon of its own."""
    port = free_port()
    d = Daemon(stack="userland", udp_port=port, peer_udp_port=port, max_memory=64 * MIB, **CONFIG)
    os.chmod(d.dir, 0o755)
    try:
        with contextlib.ExitStack() as peers:
            alice = client(d, ALICE)
            there = alice.call("open", ip="127.0.0.1", **listener)
            alice.call("listen", sock=there["sock"])
            came = [peers.enter_context(rawpeer.RawPeer(port, there["port"])) for _ in range(n)]
            for p in came:
                p.begin()
            halt(d.process.pid)
            for p in came:
                p.echo()
            os.kill(d.process.pid, signal.SIGCONT)
            for p in came:
                p.until(rawpeer.COOKIE_ACK)
            yield d, alice, there["sock"], came
    finally:
        d.stop()


def room(c):
    """The size of the next association's send buffer, which follows from what is left."""
    sock = c.call("open", ip="127.0.0.1")["sock"]
    size = option(c, sock, "sndbuf")
    c.call("close", sock=sock)
    return size


def test_a_burst_that_is_not_accepted_costs_nobody_a_refusal(d):
    """It makes what comes later smaller. Before, each counted as 13 MiB of memory."""
    with a_burst(40, type="stream") as (own, alice, sock, _):
        root = own.client()
        assert memory_of(root, ALICE) < MIB
        assert room(alice) < room(root)
        for uid in BOB, ALICE:
            Pair(client(own, uid)).talk(bytes(300000))
        for _ in range(40):
            alice.call("accept", sock=sock, timeout=WAIT_MS)


def test_a_burst_to_a_one_to_many_socket_is_taken_whole(d):
    """Before, most of it was aborted, as those that were still to be read had all the memory."""
    with a_burst(40) as (_, alice, sock, _):
        for _ in range(40):
            assert recv(alice, sock)["state"] == "comm_up"
        assert len(alice.call("assocs")["assocs"]) == 40


def test_peers_that_go_before_they_are_accepted_give_room_back(d):
    with a_burst(40, type="stream") as (own, alice, _, peers):
        bob = client(own, BOB)
        assert room(alice) < room(bob)
        for p in peers:
            p.send(rawpeer.chunk(rawpeer.ABORT))
        wait_for(lambda: room(alice) == room(bob))


def test_what_peers_sent_that_are_gone_counts_until_it_is_accepted(d):
    """usrsctp keeps it as long."""
    with a_burst(40, type="stream") as (own, alice, sock, peers):
        bob, less = client(own, BOB), room(alice)
        for p in peers:
            p.send(rawpeer.data(0, bytes(1000)))
            p.until(rawpeer.SACK)
            p.send(rawpeer.chunk(rawpeer.ABORT))
            p.send(rawpeer.chunk(rawpeer.HEARTBEAT, struct.pack(">HH", 1, 4)))
            p.until(rawpeer.ABORT)
        assert room(alice) == less < room(bob)
        for _ in peers:
            accepted = alice.call("accept", sock=sock, timeout=WAIT_MS)["accepted"]
            recv(alice, accepted, state="comm_up")
            assert recv_data(alice, accepted) == bytes(1000)
            alice.call("close", sock=accepted)
        wait_for(lambda: room(alice) == room(bob))


def test_buffers_are_charged_to_who_adopts_them(d):
    root, alice, other, bob = d.client("root"), client(d, ALICE), client(d, ALICE), client(d, BOB)
    held = {"on_owner_exit": "hold"}
    there = alice.call("open", ip="127.0.0.1", options=held)
    alice.call("listen", sock=there["sock"])
    socks = [there["sock"]]
    for _ in range(30):
        here = alice.call("open", ip="127.0.0.1", options=held)["sock"]
        alice.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
        recv(alice, there["sock"], state="comm_up")
        socks.append(here)
    assert room(other) < room(bob)
    alice.close()
    wait_for(lambda: sum(s["held"] for s in root.call("sockets")["sockets"]) == len(socks))
    for sock in socks:
        root.call("adopt", sock=sock)
    assert room(other) == room(bob)
    for sock in socks:
        root.call("close", sock=sock)
