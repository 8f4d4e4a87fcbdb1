# SPDX-License-Identifier: BSD-2-Clause
"""The daemon may do what its clients may not do themselves: for whom it does
that is said in sctpd.conf."""
import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile

from check import code, option, refusal, setopt
from harness import BUILD, Daemon, Skip, associate, stack_config
from rpc import WAIT, Client
from test_cli import good
from test_keeper import Own

ALICE, BOB = 1001, 1002
MIB = 1 << 20
IN_OPEN = 0x20

CONFIG = {"socket_mode": "0666"}


def start(**config):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    return Daemon(**config)


def client(d, uid, name=None):
    """A connection of another user's: the daemon sees who connects."""
    os.chmod(d.dir, 0o755)
    os.seteuid(uid)
    try:
        return d.client(name)
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def own(**config):
    """A daemon with other settings than that of this module."""
    d = Daemon(**{**CONFIG, **config})
    try:
        yield d
    finally:
        d.stop()


def test_ports_below_1024_are_for_root(d):
    alice = client(d, ALICE)
    assert refusal(alice, "open", ip="127.0.0.1", port=999) == \
        "eacces: port 999: you are user 1001, and privileged_ports in sctpd.conf does not let you bind ports below 1024"
    assert alice.call("open", ip="127.0.0.1", port=1024)["port"] == 1024
    assert d.client().call("open", ip="127.0.0.1", port=999)["port"] == 999


def test_privileged_ports_names_who_else_may_bind_them(d):
    with own(privileged_ports=f"root, {ALICE}") as d:
        assert client(d, ALICE).call("open", ip="127.0.0.1", port=998)["port"] == 998
        assert code(client(d, BOB), "open", ip="127.0.0.1", port=997) == "eacces"
    with own(privileged_ports="all") as d:
        assert client(d, BOB).call("open", ip="127.0.0.1", port=997)["port"] == 997


def test_large_buffers_are_for_root(d):
    alice, root = client(d, ALICE), d.client()
    for name, setting in ("sndbuf", "max_sndbuf"), ("recbuf", "max_recbuf"):
        for bytes_ in 16 * MIB + 1, 2**31 - 1, 2**31, 2**32 - 1:
            assert refusal(alice, "open", options={name: bytes_}) == (
                f"limit: options.{name}: {bytes_} bytes are more than {16 * MIB}, "
                f"which {setting} in sctpd.conf allows; 0 of 1 were set")
        sock = alice.call("open")["sock"]
        before = option(alice, sock, name)
        assert code(alice, "setopts", sock=sock, options={name: 17 * MIB}) == "limit"
        assert option(alice, sock, name) == before
        setopt(alice, sock, **{name: 3 * MIB})
        setopt(root, sock, **{name: 17 * MIB})
    assert not [s for s in alice.call("sockets")["sockets"] if s["associations"]]


def test_the_most_a_buffer_may_have_is_a_setting(d):
    with own(max_sndbuf="1M", max_recbuf="128K") as d:
        alice = client(d, ALICE)
        sock = alice.call("open", options={"sndbuf": MIB, "recbuf": 131072})["sock"]
        assert refusal(alice, "setopts", sock=sock, options={"recbuf": 131073}) == \
            "limit: options.recbuf: 131073 bytes are more than 131072, which max_recbuf in sctpd.conf allows; 0 of 1 were set"
        assert code(alice, "setopts", sock=sock, options={"sndbuf": MIB + 1}) == "limit"


def test_high_priorities_are_for_root(d):
    alice, root = client(d, ALICE), d.client()
    sock = alice.call("open", options={"priority": 6})["sock"]
    for value in 7, 4000000000:
        assert refusal(alice, "setopts", sock=sock, options={"priority": value}) == \
            f"eperm: options.priority: {value} is for root; others have 0 to 6; 0 of 1 were set"
    assert option(alice, sock, "priority") == 6
    setopt(root, sock, priority=7)
    assert refusal(alice, "setopts", sock=sock, options={"mark": 5}) == \
        "eperm: options.mark: it is for root; 0 of 1 were set"
    setopt(root, sock, mark=5)
    assert option(alice, sock, "mark") == 5


def test_a_reused_port_is_shared_by_one_users_sockets_only(d):
    alice, bob = client(d, ALICE), client(d, BOB)
    share = {"ip": "127.0.0.1", "options": {"reuseport": True}}
    for kind in "seqpacket", "stream":
        port = alice.call("open", type=kind, **share)["port"]
        alice.call("open", type=kind, port=port, **share)
        assert refusal(bob, "open", type=kind, port=port, **share) == \
            f"eaddrinuse: port {port}: it is in use on that address"
        assert code(bob, "open", type=kind, port=port, **{**share, "ip": "any"}) == "eaddrinuse"
        bob.call("open", type=kind, port=port, **{**share, "ip": "127.0.0.2"})
        assert code(alice, "open", type=kind, port=port, **{**share, "ip": ["127.0.0.3", "127.0.0.2"]}) == "eaddrinuse"


# ---- the daemon's own ----

NOBODY = 65534
NET_BIND_SERVICE, NET_ADMIN = 1 << 10, 1 << 12


class AsNobody(Own):
    """A keeper that root started and that is to be nobody."""

    def __init__(self, *flags, **config):
        self.dir = tempfile.TemporaryDirectory(prefix="sctpd-")
        os.chmod(self.dir.name, 0o755)
        self.path = os.path.join(self.dir.name, "run", "s")
        self.conf = os.path.join(self.dir.name, "conf")
        self.configure(socket_mode="0666", **stack_config(None), **config)
        self.log = open(os.path.join(self.dir.name, "log"), "w+")
        self.process = subprocess.Popen([os.path.join(BUILD, "sctpd"), "-c", self.conf, "-s", self.path, *flags],
                                        stderr=self.log, stdin=subprocess.DEVNULL)


def rights(pid):
    with open(f"/proc/{pid}/status") as f:
        field = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    caps = {int(field[k], 16) for k in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}
    return set(field["Uid"].split() + field["Gid"].split()), field["Groups"].split(), caps, field["NoNewPrivs"]


LIMITS = {"rmem_max": 5 << 19, "wmem_max": 2 << 20}


def system_limit(name):
    with open(f"/proc/sys/net/core/{name}") as f:
        return f.read()


def set_limits(limits):
    for name, value in limits.items():
        with open(f"/proc/sys/net/core/{name}", "w") as f:
            f.write(str(value))


def all_may_have_large_buffers():
    return all(int(system_limit(name)) >= value for name, value in LIMITS.items())


def test_started_by_root_it_becomes_the_user_that_is_set(d):
    """And the keeper, which starts the next one with no more than that."""
    caps = NET_BIND_SERVICE | (0 if all_may_have_large_buffers() else NET_ADMIN)
    want = {str(NOBODY)}, [str(NOBODY)], {caps}, "1"
    for flags, config in (("-u", "nobody"), {}), ((), {"user": "nobody"}):
        with AsNobody("-k", *flags, **config) as k:
            pid = k.ready()
            for _ in range(2):
                assert rights(k.process.pid) == want and rights(pid) == want, (rights(k.process.pid), rights(pid))
                c = Client(k.path)
                sock = c.call("open", ip="127.0.0.1", port=996)["sock"]
                assert option(c, sock, "recbuf") == MIB
                c.close()
                os.kill(pid, signal.SIGKILL)
                pid = k.next_child(pid)
            assert os.stat(k.path).st_uid == NOBODY
            k.process.terminate()
            assert k.ended() == 0 and os.listdir(os.path.dirname(k.path)) == ["s.lock"]


def test_large_buffers_that_all_may_have_take_no_capability(d):
    if not os.environ.get("LAB_KERNEL", "").startswith("uml"):
        raise Skip("these limits are the whole machine's; they are changed in a virtual one only")
    before = {name: system_limit(name) for name in LIMITS}
    set_limits(LIMITS)
    try:
        with AsNobody("-u", "nobody") as k:
            caps = rights(k.ready())[2]
            assert caps == {NET_BIND_SERVICE}, (caps, k.log_text())
            c = Client(k.path)
            there, _, here, here_id = associate(c)
            assert option(c, there, "recbuf") == MIB
            peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
            assert option(c, peeled, "recbuf") == 5 * MIB
            c.close()
    finally:
        set_limits(before)


def test_a_user_that_it_cannot_become_ends_it(d):
    for name, why in ("nobody-at-all", "there is no such user"), (str(ALICE), "there is no such user"):
        with AsNobody("-u", name) as k:
            assert k.ended() == 78 and f"user: {name}: {why}" in k.log_text()


def test_users_that_are_not_known_are_told(d):
    """By a test of the file; the daemon starts, as they may be known later."""
    with own(privileged_ports="root, nobody-at-all") as d:
        assert 'privileged_ports: there is no user "nobody-at-all"' in d.log_text()
        assert code(client(d, ALICE), "open", port=995) == "eacces"
        got = subprocess.run([os.path.join(BUILD, "sctpd"), "-t", "-c", os.path.join(d.dir, "conf")],
                             capture_output=True, text=True, timeout=WAIT)
        assert got.returncode == 78 and 'there is no user "nobody-at-all"' in got.stderr


# ---- network namespaces ----

NOT_NAMED = "eacces: options.netns: you are user 1001, and netns_users in sctpd.conf does not name you"


def none_there(path):
    return f"enoent: options.netns: {path}: it is not a network namespace that the daemon can enter"


def test_other_networks_are_for_root(d):
    """And what a path leads to is not told: what is there may be hidden."""
    alice = client(d, ALICE)
    for path in "/proc/1/ns/net", "/proc/self/ns/net", "/root/none", "/root", "/etc/shadow", "/dev/null", "":
        assert refusal(alice, "open", options={"netns": path}) == NOT_NAMED, path
    sock = d.client().call("open", options={"netns": "/proc/1/ns/net"})["sock"]
    assert code(alice, "sockname", sock=sock) == "eacces"


def test_netns_users_names_who_else_may_open_there(d):
    with own(netns_users=ALICE) as d:
        alice = client(d, ALICE)
        alice.call("open", options={"netns": "/proc/self/ns/net"})
        for path in "/root/none", "/root", "/etc/shadow", "/dev/null", "/proc/self/ns/mnt", "/proc/self/mem":
            assert refusal(alice, "open", options={"netns": path}) == none_there(path)
        assert code(client(d, BOB), "open", options={"netns": "/proc/self/ns/net"}) == "eacces"


@contextlib.contextmanager
def opens(path):
    """Says whether anybody has opened the file since."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert fd != -1 and libc.inotify_add_watch(fd, path.encode(), IN_OPEN) != -1

    def opened():
        try:
            return bool(os.read(fd, 4096))
        except BlockingIOError:
            return False
    try:
        yield opened
    finally:
        os.close(fd)


def test_no_file_is_opened_that_is_no_namespace(d):
    """A device or a FIFO does something when it is opened."""
    c = d.client()
    with tempfile.TemporaryDirectory() as there:
        fifo, file = os.path.join(there, "fifo"), os.path.join(there, "file")
        os.mkfifo(fifo)
        with open(file, "w"):
            pass
        for path in fifo, file:
            with opens(path) as opened:
                assert refusal(c, "open", options={"netns": path}) == none_there(path)
                assert not opened(), path
    c.call("status")


def test_netns_is_a_feature_where_it_can_work(d):
    assert "netns" in d.client().call("hello")["features"]
    other = Daemon(prefix=["setpriv", "--bounding-set", "-sys_admin"], **CONFIG)
    try:
        c = other.client()
        assert "netns" not in c.call("hello")["features"]
        assert refusal(c, "open", options={"netns": "/proc/self/ns/net"}).startswith(
            "eperm: options.netns: the daemon lacks CAP_SYS_ADMIN")
    finally:
        other.stop()


def test_sctpctl_opens_in_another_network(d):
    assert good(d, "open", "options.netns=/proc/self/ns/net", "options.ttl=9").startswith("sock")
