# SPDX-License-Identifier: BSD-2-Clause
"""Groups in libsctpd: a C program joins, leaves, drains and dies, beside members in Python
and while the daemon dies. What it was given and had not handled is another's, once."""
import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess

from check import WAIT_MS, only
from crew import RECORD, Book, now
from harness import SCRATCH, SLOW, Skip, compiled, wait_for
from rpc import WAIT, Client
from test_group import Outlives, Shop, Spread, ack, assigned, clean, words
from test_keeper import Own
from test_lib_session import connect
from test_refuse import STRANGER
from test_session import start as start_daemon
from test_survive import Faulty
from through import Session

MEMBER = os.path.join(SCRATCH, "lib_member")
PROGRAM = os.path.join(SCRATCH, "lib_group")
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--track-fds=yes"]


def start(**config):
    compiled("lib_group")
    compiled("lib_member")
    return start_daemon(**config)


class Program:
    """It, and what it answers."""

    def __init__(self, path, kind="session", *args, wrap=(), user=None):
        how = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self.more = []
        self.p = subprocess.Popen([*wrap, PROGRAM, path, kind, *map(str, args)], text=True, bufsize=1,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)

    def tell(self, *command):
        self.p.stdin.write(" ".join(map(str, command)) + "\n")

    def line(self):
        with selectors.DefaultSelector() as wait:
            wait.register(self.p.stdout, selectors.EVENT_READ)
            assert self.more or wait.select(WAIT * SLOW), "it says nothing"
        if not self.more:
            *self.more, rest = os.read(self.p.stdout.fileno(), 1 << 16).decode().split("\n")
            assert rest == "" and self.more, rest or "it has ended"
        return self.more.pop(0)

    def do(self, *command):
        self.tell(*command)
        return self.line()

    def next(self):
        return self.do("next", WAIT_MS)

    def skip(self, *names):
        """The next event that is none of these."""
        while (got := self.next()).split()[0] in names:
            pass
        return got

    def words(self, n):
        """The next messages."""
        got = [self.skip("assigned", "sctp_assoc_change", "sctp_paddr_change") for _ in range(n)]
        assert all(g.startswith("data ") for g in got), got
        return [g.split(" ", 2)[2] for g in got]

    def quiet(self):
        assert (got := self.do("next", 50)) == "timeout: no event came within 50 ms", got
        return True

    def kill(self):
        self.p.kill()
        self.p.wait()

    def end(self):
        """In order, and it found nothing wrong."""
        self.p.stdin.close()
        assert self.p.wait(WAIT * SLOW) == 0, self.p.returncode

    def __enter__(self):
        return self

    def __exit__(self, *why):
        if self.p.poll() is None:
            self.kill()
        for f in (self.p.stdin, self.p.stdout):
            with contextlib.suppress(BrokenPipeError):
                f.close()


def member(shop, *args, path=None, **how):
    c = Program(path or shop.d.path, *args, **how)
    assert c.do("hello", "c") == "ok"
    assert c.do("join", "g") == f"joined {shop.sock}"
    return c


def joins_and_leaves(d, wrap=()):
    shop = Shop(d)
    with member(shop, wrap=wrap) as c:
        peer = shop.peer()
        s = int(c.next().split()[1])
        shop.say(peer, b"1", b"2", b"3", b"4")
        assert c.words(2) == ["1", "2"]
        assert c.do("look") == "ok"                 # 3 and 4 wait in the library
        b = shop.member("b")
        assert c.do("leave", "g") == "ok"           # 2 was taken, so it counts as handled
        assert assigned(b) == s and words(b, 2, s) == [b"3", b"4"]
        assert c.quiet()
        assert shop.shares() == {"b": 1}, shop.group()
        assert c.do("leave", "g") == 'einval: name: you are no member of group "g"; join makes you one'
        # and again: it is as any other
        assert c.do("join", "g", 1) == f"joined {shop.sock}"
        assert b.call("drain_member", name="g")["sockets"] == 1
        ack(b)
        assert c.next() == f"assigned {s}"
        shop.say(peer, b"5")
        assert c.words(1) == ["5"]
        c.end()


@clean
def test_it_joins_and_leaves_and_nothing_is_lost_or_doubled(d):
    joins_and_leaves(d)


@clean
def test_valgrind_finds_nothing(d):
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind")
    joins_and_leaves(d, VALGRIND)


def has(shop, name):
    return only(shop.group()["members"], name=name)


@clean
def test_what_is_refused(d):
    """The exact error, and nothing changed."""
    shop = Shop(d)
    with member(shop) as c, Program(d.path, "plain") as plain:
        shop.peer()
        assert c.skip("assigned").startswith("sctp_assoc_change")
        before = shop.stands()
        none = "enoent: name: there is no such group; the method groups lists them"
        stranger = 'einval: name: you are no member of group "g"; join makes you one'
        rows = [
            (c, "join g", 'ealready: name: you are a member of group "g" already'),
            (c, "join g 7", 'ealready: name: you are a member of group "g" already'),
            (c, "join h", none),
            (c, "leave h", none),
            (c, "drain h 1", none),
            (c, "join g 1001", "badarg: priority: 1001 is out of range; it takes 0 to 1000"),
            (c, "leave " + "x" * 65, none),
            (c, f"call leave name=g client={shop.owner.id}", f'badarg: client {shop.owner.id}: it is no member of group "g"'),
            (plain, "join g", "einval: join: this client has not called hello or watch, so it cannot be given a socket"),
            (plain, "leave g", stranger),
            (plain, "drain g 1", stranger),
            (plain, "call recv sock=%d timeout=0" % shop.sock, f"einval: sock {shop.sock}: it is the socket of a group; "
             "what happens comes to its members as events"),
        ]
        for p, command, text in rows:
            assert (got := p.do(command)) == text, (command, got)
        assert shop.stands() == before
        shop.say(shop.peers[0], b"still")
        assert c.words(1) == ["still"]
        c.end(), plain.end()


@clean
def test_a_group_of_another_user(d):
    shop = Shop(d)
    os.chmod(os.path.dirname(d.path), 0o755)
    os.chmod(SCRATCH, 0o755)
    before = shop.stands()
    with Program(d.path, user=STRANGER) as c:
        assert c.do("hello", "s") == "ok"
        assert c.do("join", "g") == f'eacces: name: group "g" belongs to user 0, and users does not name you, user {STRANGER}'
        assert c.do("leave", "g") == 'einval: name: you are no member of group "g"; join makes you one'
        assert c.do("call", "leave", f"name=g client={shop.owner.id}") == \
            f'eacces: name: group "g" belongs to user 0, and you are user {STRANGER}'
        assert shop.stands() == before
        c.end()


@clean
def test_it_leaves_while_it_is_drained(d):
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2", b"3")
        assert c.words(1) == ["1"] and c.do("look") == "ok"
        b = shop.member("b")
        assert c.do("drain", "g", 1) == "has 1"
        shop.say(peer, b"4")
        assert c.do("leave", "g") == "ok" and c.quiet()
        assigned(b)
        assert words(b, 3) == [b"2", b"3", b"4"]
        assert c.do("drain", "g", 0) == 'einval: name: you are no member of group "g"; join makes you one'
        c.end()


@clean
def test_drained_it_works_on_until_it_has_none(d):
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2")
        assert c.words(1) == ["1"]
        b = shop.member("b")
        assert c.do("drain", "g", 1) == "has 1"
        shop.say(peer, b"3")
        assert c.words(1) == ["2"]
        assert c.next().startswith("unassigned ")      # waiting for it acknowledged 2
        assert c.do("drain", "g", 1) == "has 0" and has(shop, "c")["state"] == "draining"
        assigned(b)
        assert words(b, 1) == [b"3"]
        assert c.do("drain", "g", 0) == "has 0" and has(shop, "c")["state"] == "active"
        c.end()


@clean
def test_made_to_leave_it_loses_what_it_had_not_taken(d):
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2", b"3")
        assert c.words(1) == ["1"] and c.do("look") == "ok"
        b = shop.member("b")
        b.call("leave", name="g", client=has(shop, "c")["client"])
        assigned(b)
        assert words(b, 3) == [b"1", b"2", b"3"]        # it had not acknowledged the first, either
        assert c.do("look") == "ok"
        assert c.next() == "left 0 g: another client took it out of the group"
        assert c.quiet()
        c.end()


@clean
def test_the_group_ends_and_it_keeps_what_it_had(d):
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2")
        assert c.words(1) == ["1"] and c.do("look") == "ok"
        shop.owner.call("ungroup", name="g")
        shop.say(peer, b"3")
        assert c.next().split()[2] == "2"
        assert c.next() == "left 0 g: the group was ended"
        assert c.words(1) == ["3"]
        c.end()


@clean
def test_without_a_session_what_was_sent_to_it_stays_its_own(d):
    shop = Shop(d)
    with member(shop, "plain") as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2")
        assert c.words(1) == ["1"] and c.do("look") == "ok"
        b = shop.member("b")
        assert c.do("leave", "g") == "ok"
        shop.say(peer, b"3")
        assert words(b, 1) == [b"3"] and c.words(1) == ["2"] and c.quiet()
        c.end()


@clean
def test_it_dies_inside_a_callback(d):
    """What the callback had is another's; what it had returned from before is not."""
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        assert c.skip("assigned").startswith("sctp_assoc_change") and c.quiet()
        shop.say(peer, b"1")
        c.tell("take", 1)
        assert [c.line().split()[-1] for _ in range(2)] == ["1", "taken"]
        b = shop.member("b")
        shop.say(peer, b"die", b"2")
        c.tell("take", 2)
        assert c.line().split()[-1] == "die"
        assert c.p.wait(WAIT * SLOW) == -signal.SIGKILL
        assigned(b)
        assert (got := words(b, 2)) == [b"die", b"2"], got


@clean
def test_it_leaves_inside_a_callback(d):
    """What the callback has is handled; until the daemon has answered it gets no more."""
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        assert c.skip("assigned").startswith("sctp_assoc_change")
        shop.say(peer, b"leave", b"1", b"2")
        b = shop.member("b")
        assert c.do("look") == "ok"
        c.tell("take", 1)
        assert c.line().split()[-1] == "leave" and c.line() == "taken"
        assert c.do("async", "status") == "ok, 0 events before it"
        assigned(b)
        assert words(b, 2) == [b"1", b"2"]
        assert c.quiet()
        c.end()


@clean
def test_it_leaves_without_waiting(d):
    shop = Shop(d)
    with member(shop) as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2")
        assert c.words(1) == ["1"] and c.do("look") == "ok"
        b = shop.member("b")
        assert c.do("async", "leave", "name=g") == "ok, 0 events before it"
        assert c.quiet()
        assigned(b)
        assert words(b, 1) == [b"2"]
        c.end()


@clean
def test_a_spread_group(d):
    shop = Spread(d, by="stream")
    with member(shop) as c:
        b = shop.member("b")
        for n in range(4):
            for stream in range(2):
                shop.out.call("send", sock=shop.peers[0][0], assoc_id=shop.peers[0][1], stream=stream, data=b"%d %d" % (stream, n))
        mine = c.words(1)
        theirs = words(b, 4)
        assert c.do("look") == "ok"
        assert c.do("leave", "g") == "ok" and c.quiet()
        rest = words(b, 3)
        assert sorted(mine + [w.decode() for w in theirs + rest]) == sorted("%d %d" % (s, n) for n in range(4) for s in range(2))
        assert rest == sorted(rest) and theirs == sorted(theirs)
        c.end()


@clean
def test_another_process_resumes_the_member(d):
    """Within its grace: it is a member still, and is told what the one before had not handled."""
    shop = Shop(d, grace=20000)
    with member(shop) as c:
        peer = shop.peer()
        shop.say(peer, b"1", b"2")
        assert c.words(1) == ["1"]
        token, seq = c.do("token").split()
        c.kill()
        wait_for(lambda: has(shop, "c")["state"] == "away")
    with Program(d.path, "session", token, seq) as c:
        assert c.do("join", "g") == 'ealready: name: you are a member of group "g" already'
        shop.say(peer, b"3")
        assert c.words(3) == ["1", "2", "3"]
        assert c.do("leave", "g") == "ok"
        c.end()


def is_a_member_of_the_load(d, wrap=()):
    """What crew.py starts: it writes down what it does, answers, and drains when it is told to."""
    shop, peers, (into, log) = Shop(d), 2, os.pipe()
    book, records, start, n = Book(peers), [], [], 0
    try:
        def join(number):
            start.append(subprocess.Popen([*wrap, MEMBER, d.path, str(number), "g", str(log)], pass_fds=[log]))

        def answered():
            """Each association is sent a message; who answered, when it is handled and acknowledged."""
            nonlocal n
            n += 1
            for i, peer in enumerate(shop.peers):
                shop.say(peer, b"%d %d %d" % (i, n, now()))
            while not book.is_complete([n] * peers):
                data = os.read(into, 1 << 16)
                records.extend(RECORD.iter_unpack(data))
                book.feed(data)
            assert not book.problems, book.problems
            answers = []
            for peer in shop.peers:
                while (got := shop.out.call("recv", sock=peer[0], timeout=WAIT_MS))["event"] != "data":
                    pass
                answers.append([int(w) for w in got["data"].split()])
            assert [a[:2] for a in answers] == [[i, n] for i in range(peers)]
            return sorted(a[3] for a in answers)

        def until(members):
            while (got := answered()) != members:
                assert set(got) <= {1, *members}, got
        join(1)
        for _ in range(peers):
            shop.peer()
        assert answered() == [1, 1]
        join(2)
        until([1, 2])
        start[0].send_signal(signal.SIGTERM)
        until([2, 2])
        assert start[0].wait(WAIT * SLOW) == 0
        kinds = [r[0] for r in records]
        assert kinds.count(b"H") == n * peers and set(kinds) == {b"H", b"A"}
        shop.owner.call("leave", name="g", client=has(shop, "m2")["client"])
        assert answered() == [1026, 1026]
    finally:
        for p in start:
            p.kill()
            p.wait()
        os.close(into), os.close(log)


@clean
def test_the_member_of_the_load(d):
    is_a_member_of_the_load(d)


@clean
def test_valgrind_finds_nothing_in_the_member_of_the_load(d):
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind")
    is_a_member_of_the_load(d, VALGRIND)


# ---- the daemon dies ---------------------------------------------------------

class Dies(Outlives):
    """With what only test_group's Shop has, said by a client that is not there for long."""

    def group(self):
        c = Client(self.k.path)
        try:
            return only(c.call("groups")["groups"], name="g")
        finally:
            c.close()

    def shares(self):
        return {m["name"]: m["sockets"] for m in self.group()["members"]}


def at(k, place, do):
    """The daemon dies at that place while this is done."""
    deaths = k.deaths()
    k.die_at(place)
    got = do()
    wait_for(lambda: k.deaths() == deaths + 1)
    return got


def test_the_daemon_dies_as_it_joins_and_leaves(d):
    """Before the answer and after it: it is a member once, and no message is lost or doubled."""
    with Faulty() as k:
        k.ready()
        shop = Dies(k, grace=10000)
        with member(shop, path=k.path) as c, member(shop, path=k.path) as b:
            assert b.do("leave", "g") == "ok"
            peer = shop.peer()
            n = 0

            def heard(who, count):
                nonlocal n
                for _ in range(count):
                    peer.send(b"%d" % n)
                    n += 1
                assert who.words(count) == [str(i) for i in range(n - count, n)]
            heard(c, 2)
            for place in ("uncommitted", "committed", "applied"):
                assert at(k, place, lambda: b.do("join", "g")) == f"joined {shop.sock}"
                assert len(shop.group()["members"]) == 2
                assert b.do("join", "g") == 'ealready: name: you are a member of group "g" already'
                peer.send(b"%d" % n), peer.send(b"%d" % (n + 1))
                assert c.words(1) == [str(n)] and c.do("look") == "ok"
                assert at(k, place, lambda: c.do("leave", "g")) == "ok"
                assert b.words(1) == [str(n + 1)] and c.quiet()
                n += 2
                heard(b, 2)
                assert at(k, place, lambda: b.do("drain", "g", 1)) == "has 1"
                heard(b, 1)
                assert b.do("drain", "g", 0) == "has 1"
                b, c = c, b
            assert c.do("returns") != "back 0"
            c.end(), b.end()
        peer.close()
        shop.owner.close()


def test_a_member_is_there_again_after_the_daemon_died(d):
    """It waits for events meanwhile: it keeps what it has, and what it had not taken comes once."""
    with Faulty() as k:
        k.ready()
        shop = Dies(k, grace=10000)
        with member(shop, path=k.path) as c:
            b = shop.member("b")
            peers = [shop.peer(), shop.peer()]
            wait_for(lambda: shop.shares() == {"c": 1, "b": 1})
            for place in ("uncommitted", "committed", "applied"):
                for peer in peers:
                    peer.send(b"1")
                assert words(b, 1) == [b"1"] and c.words(1) == ["1"]

                def say():
                    for peer in peers:
                        peer.send(b"2")
                        peer.send(b"3")
                at(k, place, say)
                assert words(b, 2) == [b"2", b"3"] and c.words(2) == ["2", "3"]
            assert shop.shares() == {"c": 1, "b": 1}
            b.call("status")
            assert c.quiet() and not [e for e in b.events if e[0] == "data"]
            c.end()
        for peer in peers:
            peer.close()
        b.close()
        shop.owner.close()


def test_who_comes_back_too_late_lost_what_it_had_not_taken(d):
    """The daemon died, and the program did not look for a second."""
    with Faulty() as k:
        k.ready()
        shop = Dies(k)
        with member(shop, path=k.path) as c:
            peer = shop.peer()
            assert c.skip("assigned").startswith("sctp_assoc_change")
            for n in range(3):
                peer.send(b"%d" % n)
            assert c.words(1) == ["0"] and c.do("look") == "ok"
            b = shop.member("b")
            at(k, "uncommitted", lambda: peer.send(b"3"))
            b.call("status")
            wait_for(lambda: shop.shares() == {"b": 1})
            assert words(b, 4) == [b"0", b"1", b"2", b"3"]
            assert c.do("look") == "ok"
            assert c.next() == "left 0 g: it did not come back to a new daemon in time"
            assert c.quiet()
            assert c.do("join", "g") == f"joined {shop.sock}"
            c.end()
        peer.close()
        b.close()
        shop.owner.close()


def test_what_waits_of_a_socket_that_another_adopted_is_the_others(d):
    """The same for a socket of its own, which another client took over while it was away."""
    with Own(resume_time=2000) as k:
        pid = k.ready()
        with Program(k.path) as c, contextlib.closing(Session(k.path, "other")) as other:
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                port = s.getsockname()[1]
            assert c.do("call", "open", f"ip=127.0.0.1 port={port} options.active=true options.on_owner_exit=hold") == "ok"
            assert c.do("call", "open", "ip=127.0.0.1 options.on_owner_exit=hold") == "ok"    # or the session would end
            sock = only(other.call("sockets")["sockets"], port=port)["sock"]
            assert c.do("call", "listen", f"sock={sock}") == "ok"
            peer = connect(port)
            assert c.next() == f"sctp_assoc_change {sock}"
            for n in range(3):
                peer.send(b"%d" % n)
            assert c.words(1) == ["0"] and c.do("look") == "ok"
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: only(other.call("sockets")["sockets"], sock=sock)["held"])
            other.call("adopt", sock=sock)
            other.call("setopts", sock=sock, options={"active": True})
            assert words(other, 3, sock) == [b"0", b"1", b"2"]
            assert c.do("look") == "ok"
            assert c.next() == f"owner {sock}" and c.quiet()
            c.end()
            peer.close()


def test_whose_session_has_ended_does_not_get_what_is_anothers(d):
    with Own(resume_time=2000) as k:
        pid = k.ready()
        shop = Dies(k)
        with member(shop, path=k.path) as c:
            peer = shop.peer()
            assert c.skip("assigned").startswith("sctp_assoc_change")
            for n in range(3):
                peer.send(b"%d" % n)
            assert c.words(1) == ["0"] and c.do("look") == "ok"
            b = shop.member("b")
            os.kill(pid, signal.SIGKILL)
            b.call("status")
            assert words(b, 3) == [b"0", b"1", b"2"]
            wait_for(lambda: not [x for x in b.call("clients")["clients"] if x["name"] == "c"])
            assert (got := c.do("look")).startswith("no_session: sctpd says: eacces: resume: "), got
            assert (got := c.next()).startswith("no_session: "), got
            c.end()
        peer.close()
        b.close()
        shop.owner.close()
