# SPDX-License-Identifier: BSD-2-Clause
"""Two hosts that stand in for each other, and peers of many kinds that know nothing of that: the network namespaces of
tests/lab/standby.sh. What is done here with sctpd's methods, a program that takes over does in the same order."""
import ctypes
import os
import re
import shutil
import socket
import subprocess

import programs
from beams import SOURCES, erlc
from harness import ROOT, SCRATCH, SLOW, STACK, Daemon, Skip, compiled, wait_for
from hosts import Program
from rpc import WAIT

SCRIPT = os.path.join(ROOT, "tests", "lab", "standby.sh")
MOVING = ["10.0.1.10", "10.0.2.10"]
PEERS = ["10.0.1.1", "10.0.2.1"]
PORT = 2905
UDP = 9899
PEERS_UDP = 9900        # of usrsctp's first program, and above: the daemon of the peers has the other
SERVERS = 30000         # the port of the first of them
# The ports of those that the kernel does not know: it gives its own sockets others, as an address and a port are one peer's.
USERLAND, FIRST_USRSCTP = 61000, 62000
MOST_USRSCTP = 32       # in a program
BEAMS = os.path.join(SCRATCH, "standby-erlang")
EVERYBODY = b"\xff" * 6
ETH_P_ARP = 0x0806


def lab(*args):
    subprocess.run(["sh", SCRIPT, *args], check=True)


def announce(host):
    """Tell both networks by a gratuitous ARP, as keepalived does, that this host has the addresses."""
    for device, address in zip(("net1", "net2"), MOVING):
        with packets_of(host, device) as s:
            mac = s.getsockname()[4]
            ip = socket.inet_aton(address)
            request = b"\x00\x01\x08\x00\x06\x04\x00\x01" + mac + ip + EVERYBODY + ip
            s.send(EVERYBODY + mac + ETH_P_ARP.to_bytes(2, "big") + request)


def packets_of(host, device):
    """A raw socket in another network namespace: it stays there, and this process does not."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", encoding="ascii") as home, open(f"/run/netns/{host}", encoding="ascii") as there:
        assert libc.setns(there.fileno(), 0) == 0, os.strerror(ctypes.get_errno())
        try:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind((device, ETH_P_ARP))
            return s
        finally:
            assert libc.setns(home.fileno(), 0) == 0


def move(to):
    """The addresses are there from now on; whoever had them is not asked."""
    lab("add", to)
    announce(to)


class Pair:
    """What a module of tests gets: the hosts east, which has the addresses at first, and west."""

    def __init__(self, **config):
        if STACK != "kernel":
            raise Skip("the option blackhole is the kernel's")
        lab("up")
        for host in ("east", "west"):
            subprocess.run(["ip", "netns", "exec", host, "sh", "-c", f"echo {UDP} >/proc/sys/net/sctp/udp_port"], check=True)
        self.east = Daemon(netns="east", **config)
        self.west = Daemon(netns="west", **config)
        self.peers = Daemon(netns="peers", **{**config, "stack": "userland"})

    def daemons(self):
        return [self.east, self.west, self.peers]

    def alive(self):
        return all(d.alive() for d in self.daemons())

    def close_clients(self):
        for d in self.daemons():
            d.close_clients()

    def idle(self):
        for d in self.daemons():
            d.idle()

    def log_text(self):
        return "\n".join(line for d in self.daemons() for line in ["---", *d.log_text().splitlines()[-20:]])

    def stop(self):
        try:
            return "".join(d.stop() for d in self.daemons())
        finally:
            lab("down")


def endpoint(daemon, options=None):
    """A socket on the addresses, wherever they are, that answers nothing that it does not know; (client, socket)."""
    c = daemon.client("bridge")
    sock = c.call("open", ip=MOVING, port=PORT,
                  options={"active": True, "freebind": True, "blackhole": True, "sctp_rtoinfo": {"initial": 250},
                           "on_owner_exit": "abort", **(options or {})})["sock"]
    c.call("listen", sock=sock)
    return c, sock


def answers(c, sock):
    """From now on it is the one that answers: what it does not know does not exist."""
    c.call("setopts", sock=sock, options={"blackhole": False})


def table(c, sock):
    """What the other host needs to know of the associations of a socket."""
    rows = []
    page = {}
    more = True
    while more:
        got = c.call("assocs", sock=sock, addrs=True, limit=64, **page)
        for a in got["assocs"]:
            peers = [p["addr"] for p in a["peer_addrs"]]
            udp = c.call("getopts", sock=sock, options=[["sctp_remote_udp_encaps_port", {
                "assoc_id": a["assoc_id"], "address": a["peer"]}]])["options"][0][1]["port"]
            rows.append({"addr": peers, "port": a["peer"]["port"], "udp": udp, "assoc_id": a["assoc_id"]})
            page = {"after_sock": a["sock"], "after_assoc": a["assoc_id"]}
        more = got.get("more")
    return rows


def calls(sock, rows):
    """What connect_init needs, for each of them. The option stays with the socket, so it is given where it changes, which is
    rarely in this order."""
    udp = 0
    found = []
    for row in sorted(rows, key=lambda row: row["udp"]):
        options = {"options": {"sctp_remote_udp_encaps_port": {"port": row["udp"]}}} if row["udp"] != udp else {}
        found.append({"sock": sock, "addr": row["addr"], "port": row["port"], **options})
        udp = row["udp"]
    return found


def restart(c, sock, rows):
    """Set them all up again, and wait until they are up; gives their ids. The kernel knows every peer once all are asked
    for, so from then on only those are strangers that are none of ours."""
    ids = c.requests("connect_init", calls(sock, rows))
    answers(c, sock)
    started = {c.answer(i)["assoc_id"] for i in ids}
    up = set()
    while started - up:
        e = c.event("sctp_assoc_change", sock=sock)
        assert e["state"] == "comm_up", e
        up.add(e["assoc_id"])
    return started


def echoed(c, sock, ids, text):
    """Each peer sends it back: the same program on the same socket."""
    for i in ids:
        c.request("send", sock=sock, assoc_id=i, stream=0, data=text)
    left = set(ids)
    while left:
        e = c.event("data", sock=sock)
        if e["data"] == text:
            left.remove(e["sctp_sndrcvinfo"]["assoc_id"])


# ---- peers ------------------------------------------------------------------


class Peers:
    """A program with sockets that sends back what comes, and says what became of them."""

    def __init__(self, *command):
        self.program = Program(*map(str, command), netns="peers")
        self.program.expect("^ready$")
        self.asked = 0

    def counts(self):
        """What it says of its sockets, by names."""
        self.asked += 1
        self.program.write("")
        line = self.program.expect(r"(?:^open=[^\n]*\n[^o]*){%d}" % self.asked)[0].splitlines()[-1]
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}

    def close(self):
        self.program.kill()


class Plain(Peers):
    """Programs of lksctp: see standby_peers.c."""

    def __init__(self, *args):
        super().__init__(compiled("standby_peers"), *args)


def compile_erlang():
    os.makedirs(BEAMS, exist_ok=True)
    erlc(BEAMS, [os.path.join(SOURCES, "standby_peers.erl")], "-Wall", "-Werror")


class Erlang(Peers):
    """Sockets of gen_sctp, every other with two paths: see erlang/standby_peers.erl."""

    def __init__(self, n):
        if not shutil.which("erlc"):
            raise Skip("erlang-base is not installed: run tests/deps.sh check")
        compile_erlang()
        super().__init__("erl", "-noshell", "-pa", BEAMS, "-run", "standby_peers", "main",
                         n, ",".join(PEERS), MOVING[0], PORT)


class Usrsctp:
    """Sockets of usrsctp over UDP, every other with two paths: see standby_usrsctp.c. A program has one UDP socket, whose buffer
    does not hold what comes for a hundred of them at once."""

    def __init__(self, n):
        if not programs.can_be_compiled("standby_usrsctp"):
            raise Skip("libusrsctp-dev is not installed: run tests/deps.sh build")
        self.programs = []
        for first in range(0, n, MOST_USRSCTP):
            self.programs.append(Peers(compiled("standby_usrsctp"), min(n - first, MOST_USRSCTP), ",".join(PEERS), MOVING[0], PORT,
                                       PEERS_UDP + len(self.programs), FIRST_USRSCTP + first))

    def counts(self):
        counts = [one.counts() for one in self.programs]
        return {k: sum(c[k] for c in counts) for k in counts[0]}

    def close(self):
        """They end their associations themselves."""
        for one in self.programs:
            if one.program.process.poll() is None:
                one.program.end()
            one.close()


# What they are, how many of 16, and the program. The first has what is left.
KINDS = (
    ("lksctp one-to-one clients", 6, lambda n: Plain("connect", n, PEERS[0], MOVING[0], PORT)),
    ("lksctp one-to-one clients with two paths", 4, lambda n: Plain("connect", n, ",".join(PEERS), ",".join(MOVING), PORT)),
    ("lksctp one-to-many servers with two paths", 2, lambda n: Plain("listen", n, ",".join(PEERS), SERVERS)),
    ("gen_sctp, every other with two paths", 2, Erlang),
    ("usrsctp, every other with two paths", 2, Usrsctp),
)
SILENT = KINDS[:2]      # they are told of no restart


class Crowd:
    """Peers of all kinds, with one association each. The servers wait to be called."""

    def __init__(self, n):
        self.n = n
        self.numbers = {kind: n * share // 16 for kind, share, _ in KINDS}
        self.numbers[KINDS[0][0]] += n - sum(self.numbers.values())
        self.peers = {}
        try:
            for kind, _, program in KINDS:
                self.peers[kind] = program(self.numbers[kind])
        except BaseException:
            self.close()
            raise

    def call_servers(self, c, sock):
        """Ask for the associations with them."""
        c.requests("connect_init", [{"sock": sock, "addr": PEERS, "port": SERVERS + i} for i in range(self.numbers[KINDS[2][0]])])

    def counts(self):
        return {kind: peer.counts() for kind, peer in self.peers.items()}

    def kept(self, restarts, echoes):
        """All still have their sockets, and each has been restarted and has sent something back so often; what they say. That
        it has is counted after it was sent."""
        said = {}

        def counted():
            said.update(self.counts())
            return all(said[kind]["echoes"] == echoes * n for kind, n in self.numbers.items())
        wait_for(counted, lambda: f"{echoes} echoes of each are not there: {said}")
        for kind, n in self.numbers.items():
            told = 0 if kind in [k for k, _, _ in SILENT] else restarts * n
            assert (said[kind]["open"], said[kind]["closed"], said[kind]["restarts"]) == (n, 0, told), said
        return said

    def close(self):
        for peer in self.peers.values():
            peer.close()


class Userland:
    """Sockets over UDP of the userland stack of a third sctpd."""

    def __init__(self, pair, n):
        self.c = pair.peers.client("usrsctp")
        self.ids = {}
        for i in range(n):
            sock = self.c.call("open", ip=PEERS[0], port=USERLAND + i, options={"active": True, "on_owner_exit": "abort"})["sock"]
            self.ids[sock] = self.c.call("connect", sock=sock, addr=MOVING[0], port=PORT, timeout=WAIT * SLOW * 1000)["assoc_id"]
        self.seen = []

    def echo(self, n):
        """Send back the next n messages; other events are noted."""
        while n > 0:
            name, e = self.c.event()
            if name == "data":
                self.c.request("send", sock=e["sock"], assoc_id=e["sctp_sndrcvinfo"]["assoc_id"], stream=0, data=e["data"])
                n -= 1
            elif name == "sctp_assoc_change":
                self.seen.append(e["state"])

    def counts(self):
        self.c.call("status")
        self.seen += [e["state"] for name, e in self.c.events if name == "sctp_assoc_change"]
        self.c.events.clear()
        return {"restart": self.seen.count("restart"), "closed": len([s for s in self.seen if s != "restart"])}
