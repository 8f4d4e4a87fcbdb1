# SPDX-License-Identifier: BSD-2-Clause
"""connect and its kin by host name: the daemon has a hosts file and a name
server of its own here, which answers when the test wants it to."""
import contextlib
import os
import re
import select
import socket
import tempfile
import time

from check import WAIT_MS, answer_code, blackhole, code, nothing, option, recv, refusal
from harness import SLOW, WRAP, Daemon, Skip, wait_for
from rpc import WAIT

HOSTS = "127.0.0.1 localhost four\n127.0.0.7 seven\n::1 six\n2001:db8::1 far\n127.0.0.1 hundred2\n" + "".join(
    f"127.0.{net}.{n} hundred{net}\n" for net in (2, 3, 4) for n in range(1, 101))
RESOLV = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"
NSSWITCH = "hosts: files dns\n"
MOUNT = 'd=$1; shift; for f in hosts resolv.conf nsswitch.conf; do mount --bind "$d/$f" "/etc/$f"; done; exec "$@"'


def start(**config):
    """A daemon that sees other files in /etc."""
    etc = tempfile.mkdtemp(prefix="etc-")
    for name, text in (("hosts", HOSTS), ("resolv.conf", RESOLV), ("nsswitch.conf", NSSWITCH)):
        with open(os.path.join(etc, name), "w") as f:
            f.write(text)
    return Daemon(prefix=["unshare", "-m", "sh", "-ec", MOUNT, "sh", etc], **config)


class NameServer:
    """Answers what it is told to, and only then."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 53))
        self.asked = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Whoever still waits shall not: a thread of the daemon's is behind it."""
        while self.hear(0):
            pass
        for name in list(self.asked):
            self.answer(name)
        self.sock.close()

    def hear(self, seconds):
        if not select.select([self.sock], [], [], seconds)[0]:
            return False
        query, who = self.sock.recvfrom(512)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = int.from_bytes(query[at + 1:at + 3], "big")
        self.asked.setdefault(".".join(labels), []).append((query[:2], query[12:at + 5], kind, who))
        return True

    def wait(self, *names):
        """Until these were asked for."""
        deadline = time.monotonic() + WAIT * SLOW
        while not set(names) <= set(self.asked):
            assert self.hear(max(deadline - time.monotonic(), 0)), (names, self.asked)

    def answer(self, name, *addrs):
        """These addresses, or that there is no such name."""
        for ident, question, kind, who in self.asked.pop(name):
            rows = b"".join(b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04" + socket.inet_aton(a)
                            for a in addrs if kind == 1)
            head = ident + b"\x81\x80\0\x01" + (len(addrs) if kind == 1 else 0).to_bytes(2, "big") + b"\0\0\0\0"
            if not addrs:
                head = head[:3] + b"\x83" + head[4:]
            self.sock.sendto(head + question + rows, who)


def listener(c, ip="127.0.0.1", **args):
    got = c.call("open", ip=ip, **args)
    c.call("listen", sock=got["sock"])
    return got["sock"], got["port"]


def fresh(c, **args):
    return c.call("open", **{"ip": "127.0.0.1", **args})["sock"]


def no_association(c):
    return c.call("assocs")["assocs"] == []


@contextlib.contextmanager
def looked_up(c, name="slow.test", method="connect", **args):
    """A call whose name is being looked up: (name server, socket, request)."""
    with NameServer() as ns:
        sock = args.pop("sock", None) or fresh(c)
        request = c.request(method, **{"sock": sock, "addr": name, "port": 9, **args})
        ns.wait(name)
        yield ns, sock, request


def test_by_a_name_of_the_hosts_file(d):
    c = d.client()
    there, port = listener(c)
    up = c.call("connect", sock=fresh(c), addr="localhost", port=port, timeout=WAIT_MS)
    assert (up["state"], up["error"]) == ("comm_up", 0)
    recv(c, there, "sctp_assoc_change", state="comm_up")
    for method in ("connect_init", "connectx_init"):
        here = fresh(c)
        got = c.call(method, sock=here, addr="four", port=port)
        recv(c, here, "sctp_assoc_change", state="comm_up", assoc_id=got["assoc_id"])


def supervised(c, name, port, *peer):
    c.call("supervise", name=name, local="127.0.0.1", peer=list(peer), peer_port=port, backoff_min=20, backoff_max=50)
    return lambda: c.call("supervised", name=name)["supervised"][0]


def test_a_supervised_peer_of_hundreds_of_addresses(d):
    c = d.client()
    there, port = listener(c)
    state = supervised(c, "many", port, "hundred2", "hundred3", "hundred4")
    recv(c, there, "sctp_assoc_change", state="comm_up")
    wait_for(lambda: state()["state"] == "up")
    assert "supervised many: its peer has more than 32 addresses: the others are left out" in d.log_text()
    c.call("unsupervise", name="many")


def test_a_supervised_peer_whose_name_is_not_there_yet(d):
    c = d.client()
    there, port = listener(c)
    with NameServer() as ns:
        def asked(name):
            while len(ns.asked.get(name, ())) < 2:  # A and AAAA
                assert ns.hear(WAIT * SLOW)
        state = supervised(c, "later", port, "later.test")
        for _ in range(2):
            asked("later.test")
            ns.answer("later.test")
            wait_for(lambda: "later.test: " in state()["reason"])
        asked("later.test")
        ns.answer("later.test", "127.0.0.1")
        recv(c, there, "sctp_assoc_change", state="comm_up")
        wait_for(lambda: state()["state"] == "up")
        c.call("unsupervise", name="later")
        supervised(c, "slow", port, "slow.test")
        asked("slow.test")
        c.call("unsupervise", name="slow")  # while the name is looked up
        ns.answer("slow.test", "127.0.0.1")
        assert code(c, "explain", name="slow") == "enoent"
        supervised(c, "slow", port, "slow.test")
        asked("slow.test")
        c.call("down", name="slow")
        ns.answer("slow.test", "127.0.0.1")
        assert c.call("supervised", name="slow")["supervised"][0]["state"] == "down"
        c.call("up", name="slow")
        asked("slow.test")
        ns.answer("slow.test", "127.0.0.1")
        wait_for(lambda: c.call("supervised", name="slow")["supervised"][0]["state"] == "up")
        c.call("unsupervise", name="slow")


def test_of_the_sockets_family(d):
    c = d.client()
    _, port = listener(c, ip="::1")
    up = c.call("connect", sock=fresh(c, ip="::1"), addr="six", port=port, timeout=WAIT_MS)
    assert up["state"] == "comm_up"
    text = refusal(c, "connect", sock=fresh(c), addr="far", port=port)
    assert text.startswith("nxdomain: addr: the name was not resolved: "), text
    _, port = listener(c)
    here = c.call("open", ip="127.0.0.2", family="inet6")["sock"]
    up = c.call("connect", sock=here, addr="four", port=port, timeout=WAIT_MS)
    assert c.call("peernames", sock=here, assoc_id=up["assoc_id"])["addresses"][0]["addr"] == "::ffff:127.0.0.1"


def test_by_a_name_of_the_name_server(d):
    c = d.client()
    there, port = listener(c)
    with looked_up(c, port=port, timeout=WAIT_MS) as (ns, sock, request):
        assert no_association(c)
        ns.answer("slow.test", "127.0.0.1")
        up = c.answer(request)
    assert up["state"] == "comm_up"
    recv(c, there, "sctp_assoc_change", state="comm_up")
    assert nothing(c, sock)


def test_a_name_that_is_not_is_nxdomain(d):
    c = d.client()
    for method in ("connect", "connect_init", "connectx_init"):
        with looked_up(c, "no.test", method) as (ns, sock, request):
            ns.answer("no.test")
            assert answer_code(c, request) == "nxdomain"
            assert nothing(c, sock) and no_association(c)
    assert code(c, "connect", sock=sock, addr="127.0.0.1", port=9) == "cant_assoc"


def test_what_cannot_be_a_name_is_badarg(d):
    c = d.client()
    sock = fresh(c)
    for addr in ("", "10.0.0.256", "1.2.3", "a b", "a/b", "a\0b", "a:b", "x" * 254, "é", ["localhost"], "127.0.0.1\n"):
        assert code(c, "connect", sock=sock, addr=addr, port=9) == "badarg", addr


def test_the_timeout_covers_the_name(d):
    c = d.client()
    for method in ("connect", "connect_init", "connectx_init"):
        with looked_up(c, method=method, timeout=100) as (ns, sock, request):
            try:
                c.answer(request)
                raise AssertionError("it was answered")
            except Exception as e:
                assert str(e) == "timeout: addr: the name was not resolved in time"
            ns.answer("slow.test", "127.0.0.1")
            assert nothing(c, sock) and no_association(c)


def test_and_the_time_left_is_for_the_peer(d):
    c = d.client()
    begun = time.monotonic()
    with looked_up(c, sock=c.call("open")["sock"], timeout=300) as (ns, sock, request):
        ns.answer("slow.test", blackhole())
        assert answer_code(c, request) == "timeout"
        assert 0.28 <= time.monotonic() - begun < 0.3 + 2 * SLOW
        assert nothing(c, sock) and no_association(c)


def test_others_are_served_meanwhile(d):
    c, other = d.client(), d.client()
    _, port = listener(other)
    with looked_up(c) as (_, sock, request):
        assert other.call("connect", sock=sock, addr="127.0.0.1", port=port, timeout=WAIT_MS)["state"] == "comm_up"
        assert c.call("connect", sock=fresh(c), addr="localhost", port=port, timeout=WAIT_MS)["state"] == "comm_up"
        assert request not in c.answers


def test_many_names_wait_their_turn(d):
    """Eight are looked up at once; those behind them end in time all the same."""
    c = d.client()
    there, port = listener(c)
    names = [f"n{i}.test" for i in range(8)]
    with NameServer() as ns:
        waiting = [c.request("connect", sock=fresh(c), addr=n, port=port) for n in names]
        ns.wait(*names)
        assert code(c, "connect", sock=fresh(c), addr="localhost", port=port, timeout=50) == "timeout"
        sock = fresh(c)
        last = c.request("connect", sock=sock, addr="localhost", port=port)
        other = d.client()
        other.request("connect", sock=sock, addr="localhost", port=port)
        other.call("status")
        other.close()
        ns.answer(names[0], "127.0.0.1")
        assert c.answer(last)["state"] == "comm_up"
        for n in names[1:]:
            ns.answer(n, "127.0.0.1")
        for i in waiting:
            assert c.answer(i)["state"] == "comm_up"


def test_closing_the_socket_ends_it(d):
    c, other = d.client(), d.client()
    for closes in (c, other):
        with looked_up(c) as (ns, sock, request):
            closes.call("close", sock=sock)
            assert answer_code(c, request) == "closed"
            ns.answer("slow.test", "127.0.0.1")
            assert no_association(c)


def test_the_end_of_the_owner_ends_it(d):
    owner, c = d.client(), d.client()
    sock = fresh(owner)
    with looked_up(c, sock=sock) as (ns, sock, request):
        owner.close()
        assert answer_code(c, request) == "closed"


def test_the_end_of_the_caller_ends_it(d):
    c, other = d.client(), d.client()
    sock = fresh(c)
    with looked_up(other, sock=sock) as (ns, sock, request):
        other.close()
        while len(c.call("clients")["clients"]) > 1:
            pass
        ns.answer("slow.test", "127.0.0.1")
    assert nothing(c, sock) and no_association(c)
    assert code(c, "connect", sock=sock, addr="127.0.0.1", port=9) == "cant_assoc"


def test_what_happened_meanwhile_counts(d):
    """The socket has an association with that peer when the name is known."""
    c = d.client()
    _, port = listener(c)
    with looked_up(c, port=port) as (ns, sock, request):
        assert c.call("connect", sock=sock, addr="127.0.0.1", port=port, timeout=WAIT_MS)["state"] == "comm_up"
        ns.answer("slow.test", "127.0.0.1")
        assert answer_code(c, request) == "eisconn"
        assert nothing(c, sock)


def test_a_stream_socket_too(d):
    c = d.client()
    there, port = listener(c)
    with looked_up(c, sock=fresh(c, type="stream"), port=port) as (ns, sock, request):
        ns.answer("slow.test", "127.0.0.1")
        assert c.answer(request)["state"] == "comm_up"
    with looked_up(c, sock=fresh(c, type="stream"), port=port) as (ns, sock, request):
        c.call("listen", sock=sock)
        ns.answer("slow.test", "127.0.0.1")
        assert answer_code(c, request) == "einval"


def test_its_options_are_set_first(d):
    c = d.client()
    with looked_up(c, options={"sctp_initmsg": {"num_ostreams": 4}}) as (ns, sock, request):
        assert option(c, sock, "sctp_initmsg")["num_ostreams"] == 4
        ns.answer("slow.test")
        assert answer_code(c, request) == "nxdomain"
        assert option(c, sock, "sctp_initmsg")["num_ostreams"] == 4
    assert code(c, "connect", sock=sock, addr="slow.test", port=9, options={"ttl": 0}) == "einval"


def only_threads_are_left(log):
    """Valgrind complains of nothing but what libc keeps for a thread that runs."""
    left = re.findall(r"in loss record.*\n((?:==\d+==    .*\n)+)", log)
    return left and all("allocate_stack" in where for where in left) and \
        not re.search("Invalid|uninitialised|definitely", log)


def test_sctpd_ends_while_names_are_looked_up(_):
    """It does not wait for them, so their threads end with it."""
    own = start()
    c = own.client()
    names = [f"n{i}.test" for i in range(8)]
    with NameServer() as ns:
        for n in names + ["behind.test"]:
            c.request("connect", sock=fresh(c), addr=n, port=9)
        ns.wait(*names)
        own.process.terminate()
        status = own.process.wait(WAIT * SLOW)
    assert status == 0 or WRAP and status == 99 and only_threads_are_left(own.log_text())
    own.kill()


@contextlib.contextmanager
def of_two_users(**config):
    """A daemon that all may use, and clients of two users."""
    own = start(socket_mode="0666", **config)
    os.chmod(own.dir, 0o755)
    clients = []
    for uid in 1001, 1002:
        try:
            os.seteuid(uid)
        except OSError as e:
            raise Skip("there is no other user here") from e
        try:
            clients.append(own.client())
        finally:
            os.seteuid(0)
    yield own, *clients
    own.close_clients()
    own.stop()


def test_slow_names_of_one_user_hold_up_no_other(_):
    """However many there are, of a name server that says nothing."""
    with of_two_users() as (_, alice, bob), NameServer() as ns:
        there, port = listener(bob)
        sock = fresh(alice)
        names = [f"slow{i}.test" for i in range(500)]
        waiting = alice.requests("connect", [{"sock": sock, "addr": n, "port": 9} for n in names])
        ns.wait(*names[:8])
        for _ in range(3):
            up = bob.call("connect", sock=fresh(bob), addr="localhost", port=port, timeout=WAIT_MS)
            assert up["state"] == "comm_up"
            recv(bob, there, "sctp_assoc_change", state="comm_up")
        assert not set(waiting) & set(alice.answers)
        alice.close()       # those that nobody waits for are not looked up any more


def test_names_of_one_user_that_are_looked_up_are_bounded(_):
    with of_two_users(max_lookups_per_user=20) as (own, alice, bob), NameServer() as ns:
        sock = fresh(alice)
        waiting = alice.requests("connect", [{"sock": sock, "addr": f"n{i}.test", "port": 9} for i in range(20)])
        ns.wait(*[f"n{i}.test" for i in range(8)])
        text = refusal(alice, "connect", sock=sock, addr="n20.test", port=9)
        assert text == ("limit: max_lookups_per_user: user 1001 has 20 host names being looked up, and may have 20; "
                        "see sctpd.conf(5)"), text
        users = {r["uid"]: r for r in own.client().call("status")["users"]}
        assert users[1001]["lookups"] == 20 and users[1001]["memory"] > 20 * 300, users
        assert alice.call("clients")["clients"][0]["calls"] == 20
        other = bob.request("connect", sock=fresh(bob), addr="n21.test", port=9)
        ns.wait("n21.test")
        # With the socket they end, and their places are free.
        alice.call("close", sock=sock)
        for number in waiting:
            assert answer_code(alice, number) == "closed"
        users = {r["uid"]: r for r in own.client().call("status")["users"]}
        assert users[1001]["lookups"] == 0, users
        assert other not in bob.answers
