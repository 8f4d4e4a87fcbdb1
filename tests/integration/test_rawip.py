# SPDX-License-Identifier: BSD-2-Clause
"""The userland stack over IP alone (encap none): two hosts without SCTP in their kernels, a kernel with SCTP as the
peer, and where it does not start."""
import contextlib
import ctypes
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess

from check import option, refusal
from harness import BUILD, ROOT, SLOW, Daemon, Skip
from relay import signed
from rpc import WAIT, Client
from test_privilege import AsNobody, rights

RAW = {"stack": "userland", "encap": "none"}
SCTP, ICMP, UNREACHABLE, PROTOCOL = 132, 1, 3, 2
FAMILIES = ("10.9.0.1", "10.9.0.2"), ("fd09::1", "fd09::2")
ABORT, CAP_NET_RAW = 6, 1 << 13
LIBC, CLONE_NEWNET = ctypes.CDLL(None), 0x40000000


def has_sctp():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP):
        return True
    return False


def needs_no_sctp():
    if has_sctp():
        raise Skip("this kernel has SCTP, so the userland stack must not send SCTP over IP")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def hosts():
    """Two network namespaces, left and right, with a network between them."""
    try:
        for name in "left", "right":
            ip("netns", "add", name)
        ip("link", "add", "eth0", "netns", "left", "type", "veth", "peer", "name", "eth0", "netns", "right")
        for i, name in enumerate(("left", "right")):
            ip("-n", name, "addr", "add", FAMILIES[0][i] + "/24", "dev", "eth0")
            ip("-n", name, "addr", "add", FAMILIES[1][i] + "/64", "dev", "eth0", "nodad")
            for device in "lo", "eth0":
                ip("-n", name, "link", "set", device, "up")
        yield
    finally:
        for name in "left", "right":
            subprocess.run(["ip", "netns", "del", name], check=False)


@contextlib.contextmanager
def daemon(**how):
    d = Daemon(**{**RAW, **how})
    try:
        yield d
    finally:
        d.close_clients()
        d.stop()


def fails(*args, prefix=(), **config):
    """What a daemon says that does not start."""
    settings = [f"--{k}={v}" for k, v in {**RAW, **config}.items()]
    path = os.path.join(BUILD, "sctpd")
    done = subprocess.run([*prefix, path, "-c", "/dev/null", "-s", "/tmp/sctpd-rawip", *settings], capture_output=True,
                          text=True, timeout=WAIT * SLOW, check=False)
    assert done.returncode == 1, done
    return done.stderr


def data(c, sock):
    while (got := c.call("recv", sock=sock, timeout=WAIT * SLOW * 500))["event"] != "data":
        pass
    return got


def test_two_hosts(d):
    needs_no_sctp()
    with hosts(), daemon(netns="left") as left, daemon(netns="right") as right:
        a, b = left.client(), right.client()
        assert "udp_encapsulation" not in a.call("hello")["features"]
        for here, there in FAMILIES:
            for type in "seqpacket", "stream":
                listener = b.call("open", ip=there, type=type)
                b.call("listen", sock=listener["sock"])
                sock = a.call("open", ip=here)["sock"]
                assoc_id = a.call("connect", sock=sock, addr=there, port=listener["port"])["assoc_id"]
                at = b.call("accept", sock=listener["sock"])["accepted"] if type == "stream" else listener["sock"]
                for size in 1, 1400, 1452, 1500, 70000:
                    a.call("send", sock=sock, assoc_id=assoc_id, data=b"x" * size)
                    got = data(b, at)
                    assert len(got["data"]) == size and got["from"]["addr"] == here
                    b.call("send", sock=at, assoc_id=got.get("sctp_sndrcvinfo", {}).get("assoc_id", 0), data=b"y" * size)
                    assert len(data(a, sock)["data"]) == size
                # A packet has no UDP header, so there is room for as much more than in UDP.
                path = a.call("paths", sock=sock)["paths"][0]
                assert path["mtu"] == 1500 - (40 if ":" in here else 20) - 12, path
                a.call("eof", sock=sock, assoc_id=assoc_id)
                while (got := a.call("recv", sock=sock, timeout=WAIT * 1000))["event"] != "sctp_assoc_change":
                    pass
                assert got["state"] == "shutdown_comp"


def test_there_is_no_udp_port(d):
    needs_no_sctp()
    with hosts(), daemon(netns="left") as left:
        c = left.client()
        sock = c.call("open")["sock"]
        assert option(c, sock, "sctp_remote_udp_encaps_port")["port"] == 0
        assert refusal(c, "setopts", sock=sock, options={"sctp_remote_udp_encaps_port": {"port": 9899}}).startswith("enoprotoopt:")
        c.call("setopts", sock=sock, options={"sctp_remote_udp_encaps_port": {"port": 0}})


def heard(sockets, ms):
    """The first packet of each of these raw sockets that comes within this time."""
    packets = {}
    while (ready := select.select([s for s in sockets if s not in packets], [], [], ms / 1000)[0]):
        for s in ready:
            packets[s] = s.recv(65536)[20:]
    return [packets.get(s) for s in sockets]


def init_from_right():
    """An INIT for a port that nobody has, sent by hand; what comes of it: of SCTP, and of ICMP."""
    with contextlib.ExitStack() as stack, netns("right"):
        sctp, icmp = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, p)) for p in (SCTP, ICMP))
        init = struct.pack(">BBHIIHHI", 1, 0, 20, 0x1234567, 65536, 10, 10, 1)
        sctp.sendto(signed(struct.pack(">HHII", 5000, 6000, 0, 0) + init), (FAMILIES[0][0], 0))
        while True:
            got = heard((sctp, icmp), 1000)
            if any(got):
                return got


@contextlib.contextmanager
def netns(name):
    """This thread is in that namespace meanwhile."""
    with open("/proc/self/ns/net", "rb") as home, open("/run/netns/" + name, "rb") as there:
        assert LIBC.setns(there.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert LIBC.setns(home.fileno(), CLONE_NEWNET) == 0


def test_the_host_answers_no_protocol_unreachable_while_it_runs(d):
    needs_no_sctp()
    with hosts():
        sctp, icmp = init_from_right()
        assert sctp is None and icmp[:2] == bytes([UNREACHABLE, PROTOCOL])
        with daemon(netns="left") as left:
            left.client().call("open")
            sctp, icmp = init_from_right()
            assert icmp is None and sctp[12] == ABORT


def test_it_does_not_start_where_the_kernel_has_sctp(d):
    if not has_sctp():
        raise Skip("this kernel has no SCTP")
    assert "no SCTP: encap none: this kernel has SCTP, and would abort the associations of the userland stack; " \
        "set stack to kernel, or encap to udp" in fails()


def test_it_does_not_start_beside_another(d):
    needs_no_sctp()
    with daemon():
        assert "no SCTP: encap none: another program receives SCTP by raw sockets" in fails()


def test_it_does_not_start_without_the_capability(d):
    needs_no_sctp()
    assert "no SCTP: encap none: raw sockets: Operation not permitted; the daemon needs CAP_NET_RAW" in \
        fails(prefix=("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"))


def test_another_user_keeps_the_capability(d):
    needs_no_sctp()
    with AsNobody("-k", "-u", "nobody", "--encap", "none") as k:
        pid = k.ready()
        for _ in range(2):          # the keeper's next child has it too
            assert rights(pid)[2].pop() & CAP_NET_RAW
            c = Client(k.path)
            c.call("open")
            c.close()
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)


# ---- a kernel with SCTP as the peer ------------------------------------------

class Guest:
    """User-Mode Linux behind a tap device of this network, and the program in it."""

    def __init__(self):
        if not shutil.which("linux.uml"):
            raise Skip("there is no User-Mode Linux, whose kernel has SCTP: run tests/deps.sh lab")
        made = subprocess.run(["ip", "tuntap", "add", "tap0", "mode", "tap"], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Skip(f"no tap device can be made here: {made.stderr.strip()}")
        ip("addr", "add", FAMILIES[0][0] + "/24", "dev", "tap0")
        ip("addr", "add", FAMILIES[1][0] + "/64", "dev", "tap0", "nodad")
        ip("link", "set", "tap0", "up")
        inside = f"ip addr add {FAMILIES[0][1]}/24 dev eth0; ip addr add {FAMILIES[1][1]}/64 dev eth0 nodad; " \
            "ip link set eth0 up; exec /usr/bin/python3 tests/integration/kernel_peer.py 5000"
        self.output = ""
        self.process = subprocess.Popen([os.path.join(ROOT, "tests", "lab", "run"), "--tap", "tap0", "--timeout", "120", "--",
                                         "sh", "-c", inside], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def says(self, pattern):
        while not re.search(pattern, self.output):
            assert select.select([self.process.stdout], [], [], 100)[0], f"it said only: {self.output}"
            more = os.read(self.process.stdout.fileno(), 4096).decode()
            assert more, f"it ended with: {self.output}"
            self.output += more

    def __exit__(self, *why):
        self.process.terminate()
        self.process.wait()
        if why[0] is not None:
            print(f"the guest said: {self.output}{self.process.stdout.read().decode(errors='replace')}", flush=True)
        self.process.stdout.close()
        ip("link", "del", "tap0")


def message(text, size=0):
    """As the program in the guest wants it: its length first."""
    length = max(8 + len(text), size)
    return b"%08d" % length + text + b"." * (length - 8 - len(text))


def test_a_kernel_with_sctp_is_a_peer_like_any_other(d):
    needs_no_sctp()
    with Guest() as guest, daemon() as one:
        guest.says("listening")
        c = one.client()
        listener = c.call("open", family="inet6", type="stream")
        c.call("listen", sock=listener["sock"])
        for here, there in FAMILIES:
            sock = c.call("open", ip=here)["sock"]
            assoc_id = c.call("connect", sock=sock, addr=there, port=5000, timeout=20000)["assoc_id"]
            for size in 10, 1400, 5000, 200000:
                c.call("send", sock=sock, assoc_id=assoc_id, data=message(b"", size))
                assert data(c, sock)["data"] == message(b"", size)
        c.call("send", sock=sock, assoc_id=assoc_id, data=message(f"connect {FAMILIES[0][0]},{FAMILIES[1][0]} {listener['port']}".encode()))
        for _, there in FAMILIES:
            accepted = c.call("accept", sock=listener["sock"])
            assert accepted["from"]["addr"] in (there, "::ffff:" + there)
            assert data(c, accepted["accepted"])["data"] == b"hello of the kernel"
            c.call("send", sock=accepted["accepted"], data=b"and of sctpd")
            while (got := c.call("recv", sock=accepted["accepted"], timeout=20000))["event"] != "sctp_assoc_change":
                pass
            assert got["state"] == "shutdown_comp", got
        guest.says("(answered and of sctpd\\s+){2}over")
