# SPDX-License-Identifier: BSD-2-Clause
"""What one user can cost another: limits per connection and per user, what is
counted against them, and that it is all given back."""
import contextlib
import itertools
import os
import select
import socket

import msgpack

from check import code, refusal
from harness import SLOW, STACK, Daemon, Skip, associate, wait_for
from rpc import WAIT, Client

ALICE, BOB = 1001, 1002
MIB = 1 << 20
NO_STACK_MEMORY = ("enobufs: data: there is no memory for 262144 bytes in the userland stack; "
                   "see max_memory and max_memory_per_user in sctpd.conf(5)")


@contextlib.contextmanager
def a_daemon(**config):
    """One that every user may use."""
    d = Daemon(socket_mode="0666", **config)
    os.chmod(d.dir, 0o755)
    try:
        yield d
    except BaseException:
        print("\n".join(d.log_text().splitlines()[-20:]))
        d.close_clients()
        d.process.kill()
        raise
    d.close_clients()
    d.idle()
    d.stop()


@contextlib.contextmanager
def user(uid):
    """What connects here is this user's: SO_PEERCRED says who connected."""
    try:
        os.seteuid(uid)
    except OSError as e:
        raise Skip("there is no other user here") from e
    try:
        yield
    finally:
        os.seteuid(0)


def client_of(d, uid, name=None):
    with user(uid):
        return d.client(name)


def charged(d, uid, what="memory"):
    """What root sees that a user has."""
    with contextlib.closing(Client(d.path)) as c:
        rows = [r for r in c.call("status")["users"] if r["uid"] == uid]
    return rows[0][what] if rows else 0


def is_lost(c):
    """The daemon closed the connection, after what it had to say."""
    try:
        while True:
            c.feed()
    except (EOFError, ConnectionError):
        return True
    except TimeoutError:
        return False


def opens(c, n):
    """Open sockets until it is refused; gives how many, and the error."""
    for i in range(n + 1):
        try:
            c.call("open", ip="127.0.0.1")
        except Exception as e:
            return i, str(e)
    return n + 1, None


# ---- how many -------------------------------------------------------------

def test_one_user_cannot_take_all_sockets(_):
    with a_daemon(max_sockets=64, max_sockets_per_user=8) as d:
        alice, bob, root = client_of(d, ALICE), client_of(d, BOB), d.client()
        n, why = opens(alice, 64)
        assert n == 8 and why == ("limit: max_sockets_per_user: user 1001 has 8 sockets, and may have 8; "
                                  "see sctpd.conf(5)"), (n, why)
        assert opens(client_of(d, ALICE), 64)[0] == 0, "another connection is the same user"
        assert opens(bob, 64)[0] == 8
        assert opens(root, 30) == (31, None), "root has no limit of its own"
        assert charged(d, ALICE, "sockets") == 8


def test_no_user_has_more_than_is_free_for_all(_):
    with a_daemon(max_sockets=64) as d:
        n, why = opens(client_of(d, ALICE), 64)
        assert n == 32 and why.startswith("limit: max_sockets: user 1001 has 32 sockets, all users have 32 of 64"), why
        assert opens(client_of(d, BOB), 64)[0] == 16
        assert opens(client_of(d, 1003), 64)[0] == 8
        assert opens(d.client(), 64)[0] == 8, "the rest is there for root"


def test_sockets_that_are_held_stay_their_users(_):
    with a_daemon(max_sockets_per_user=3) as d:
        for _ in range(3):
            c = client_of(d, ALICE)
            c.call("open", options={"on_owner_exit": "hold", "hold_time": "infinity"})
            c.close()
        wait_for(lambda: charged(d, ALICE, "clients") == 0)
        alice = client_of(d, ALICE)
        assert opens(alice, 3)[0] == 0
        for row in alice.call("sockets")["sockets"]:
            alice.call("close", sock=row["sock"])
        assert opens(alice, 3)[0] == 3


def test_one_user_cannot_take_all_associations(_):
    with a_daemon(max_associations_per_user=4) as d:
        alice, root = client_of(d, ALICE), d.client()
        there = root.call("open", ip="127.0.0.1")
        root.call("listen", sock=there["sock"])
        here = [alice.call("open", ip="127.0.0.1")["sock"] for _ in range(5)]
        to = {"addr": "127.0.0.1", "port": there["port"], "timeout": WAIT * 1000}
        for sock in here[:4]:
            alice.call("connect", sock=sock, **to)
        assert refusal(alice, "connect", sock=here[4], **to).startswith("limit: max_associations_per_user: user 1001 has 4")
        # One that comes from outside cannot be refused by name: it is aborted.
        door = alice.call("open", ip="127.0.0.1")
        alice.call("listen", sock=door["sock"])
        caller = root.call("open", ip="127.0.0.1")["sock"]
        try:
            up = root.call("connect", sock=caller, addr="127.0.0.1", port=door["port"], timeout=WAIT * 1000)
            e = {}
            while e.get("assoc_id") != up["assoc_id"] or e.get("state") != "comm_lost":
                e = root.call("recv", sock=caller, timeout=WAIT * 1000)
        except Exception as e:
            assert str(e).startswith("cant_assoc"), e
        wait_for(lambda: charged(d, ALICE, "associations") == 4)
        assert "max_associations_per_user" in d.log_text()


def test_one_user_cannot_take_all_connections(_):
    """What it has too many of is told why, by an event, and is closed."""
    with a_daemon(max_clients=16, max_clients_per_user=4) as d:
        four = [client_of(d, ALICE, "alice") for _ in range(4)]
        for _ in range(50):
            fifth = client_of(d, ALICE)
            assert is_lost(fifth)
            assert fifth.event("error")["error"] == ("limit: max_clients_per_user: user 1001 has 4 connections, "
                                                     "and may have 4; see sctpd.conf(5)")
        client_of(d, BOB).call("status")
        said = [line for line in d.log_text().splitlines() if "client: refused" in line]
        assert len(said) == 1, ("once a minute is enough", said)
        four[0].close()
        wait_for(lambda: charged(d, ALICE, "clients") == 3)
        client_of(d, ALICE).call("status")


def test_idle_connections_of_many_users_leave_a_place_for_root(_):
    with a_daemon(max_clients=64) as d:
        for uid in range(2000, 2100):
            for _ in range(40):
                if is_lost_at_once(client_of(d, uid)):
                    break
        assert d.client().call("status")["clients"] == 64


def is_lost_at_once(c):
    try:
        c.sock.sendall(msgpack.packb([0, 1, "getstat", [{"sock": 1}]]))
        c.feed()
    except (EOFError, ConnectionError):
        return True
    return 1 not in c.answers


def test_clients_without_a_connection_take_no_place(_):
    """They count as the sockets that they are there for."""
    with a_daemon(max_clients=4) as d:
        for _ in range(12):
            c = d.client()
            c.call("open", options={"on_owner_exit": "hold", "hold_time": "infinity"})
            c.close()
        c = d.client()
        wait_for(lambda: c.call("status")["clients"] == 1)
        s = c.call("status")
        assert (s["away"], s["sockets"]) == (12, 12), s
        for row in c.call("sockets")["sockets"]:
            c.call("close", sock=row["sock"])


def supersede(d, token, uid=0):
    with user(uid):
        c = d.client()
    return c, c.call("hello", resume=token)["resume"]


def test_connections_that_were_superseded_are_bounded_and_counted(_):
    """Those that do not read hear it late: a few are kept, and the oldest go."""
    with a_daemon() as d:
        before = d.descriptors()
        token = True
        for _ in range(100):
            _, token = supersede(d, token)
        assert d.descriptors() - before <= 1 + 16, d.descriptors()
        assert 2 <= d.client().call("status")["clients"] <= 2 + 16
        d.close_clients()
        d.idle()
        wait_for(lambda: d.descriptors() <= before)


# ---- memory ---------------------------------------------------------------

def tiny(sock, assoc_id, n=1):
    return b"".join(msgpack.packb([0, i, "send", [{"sock": sock, "assoc_id": assoc_id, "data": b"x"}]])
                    for i in range(n))


def stalled(d, c, **options):
    """A socket of the client's whose peer, root's, does not read."""
    _, _, here, here_id = associate(c, to=d.client(), options=options)
    return here, here_id


def test_messages_that_wait_cost_what_they_take(_):
    """A message of a byte takes hundreds where it waits."""
    with a_daemon() as d:
        c = client_of(d, ALICE)
        here, here_id = stalled(d, c, sndbuf=5000)
        before = d.memory()
        flood = tiny(here, here_id, 2000)
        for _ in range(100):
            if c.push(flood, 0.3 * SLOW):
                break
        else:
            raise AssertionError("200,000 were taken")
        grown = d.memory() - before
        assert grown < 16 * MIB, f"{grown / MIB:.0f} MiB for 1 MiB of client_queue"
        rows = d.client().call("clients")["clients"]
        row = [r for r in rows if r["uid"] == ALICE][0]
        assert row["memory"] > 200 * row["calls"] > 0, row
        assert charged(d, ALICE) >= row["memory"]
        d.close_clients()
        wait_for(lambda: charged(d, ALICE) == 0)


def test_what_waits_for_a_user_is_bounded(_):
    """Each association may have one message that waits, and there are many."""
    with a_daemon(max_memory_per_user="4M", client_queue="64M") as d:
        c = client_of(d, ALICE)
        there, errors = d.client(), []
        ids = associate(c, n=8, to=there, options={"sndbuf": 400000})
        for _, _, here, here_id in ids:
            for _ in range(24):
                c.request("send", sock=here, assoc_id=here_id, data=bytes(MIB // 4))
                take_errors(c, errors)  # one that reads none of 150 is read no more
        c.sock.settimeout(WAIT * SLOW)
        wait_for(lambda: take_errors(c, errors) or len(errors) > 3)
        # Or usrsctp is to have it: it waits in our own memory, too.
        assert all("max_memory_per_user: " in e and "cannot wait" in e or
                   STACK == "userland" and e == NO_STACK_MEMORY for e in errors), errors
        assert charged(d, ALICE) <= 4 * MIB
        bob = client_of(d, BOB)
        here, here_id = stalled(d, bob, sndbuf=400000)
        for _ in range(7):
            bob.request("send", sock=here, assoc_id=here_id, data=bytes(MIB // 4))
        assert bob.call("clients")["clients"][0]["calls"] > 0, "those of another user wait"
        assert not any(a[0] for a in bob.answers.values()), bob.answers


def take_errors(c, errors):
    while select.select([c.sock], [], [], 0)[0]:
        c.feed()
    errors += [a[0] for a in c.answers.values() if a[0] is not None]
    c.answers.clear()
    return False


HALF = b"\x94\x00\x01\xa4send\x91\x82\xa4sock\x01\xa4data\xc6" + (8 * MIB).to_bytes(4, "big")


def test_requests_of_which_not_all_comes_are_bounded(_):
    with a_daemon(max_memory_per_user="8M") as d:
        before = d.memory()
        lost, cs = 0, [client_of(d, ALICE, "alice") for _ in range(20)]
        for c in cs:
            c.sock.settimeout(WAIT * SLOW)
            try:
                c.sock.sendall(HALF + bytes(2 * MIB))
            except ConnectionError:
                pass
        wait_for(lambda: charged(d, ALICE, "clients") < 10)
        for c in cs:
            if select.select([c.sock], [], [], 0)[0]:
                lost += 1
                with contextlib.suppress(EOFError, ConnectionError):
                    while True:
                        c.feed()
                if c.events:
                    assert c.event("error")["error"].startswith("limit: max_memory_per_user: ")
        assert lost > 10 and d.memory() - before < 24 * MIB, (lost, d.memory() - before)
        assert charged(d, ALICE) <= 8 * MIB
        bob = client_of(d, BOB)
        assert code(bob, "send", sock=1, data=bytes(3 * MIB)) == "closed", "a whole one of another user is served"
        for c in cs:
            c.close()
        wait_for(lambda: charged(d, ALICE) == 0)


# ---- sessions -------------------------------------------------------------

def journal(d):
    """Bytes of memory that the journal has."""
    for fd in os.listdir(f"/proc/{d.process.pid}/fd"):
        path = f"/proc/{d.process.pid}/fd/{fd}"
        with contextlib.suppress(OSError):
            if "sctpd-journal" in os.readlink(path):
                return os.stat(path).st_blocks * 512
    raise AssertionError("it has no journal")


def hoard(c, n):
    """n descriptions are read, and not acknowledged."""
    numbers = c.requests("describe", [{}] * n)
    for i in numbers:
        c.answer(i)


def test_a_session_that_reads_nothing_is_not_read_either(_):
    """Like a client without one, however few requests it sends at a time."""
    with a_daemon() as d:
        most = {}
        for session in False, True:
            c = client_of(d, ALICE)
            c.call("hello", **({"resume": True} if session else {}))
            one = msgpack.packb([0, 1, "describe", []])
            for _ in range(400):
                if c.push(one, 0) or is_lost_soon(c):
                    break
                with contextlib.closing(Client(d.path)) as other:
                    other.call("status")    # so a turn is over
            rows = d.client().call("clients")["clients"]
            most[session] = [r["queued"] for r in rows if r["uid"] == ALICE]
            c.close()
            wait_for(lambda: charged(d, ALICE, "clients") == 0)
        assert most[True] and most[True][0] < 2 * most[False][0], most


def is_lost_soon(c):
    try:
        return c.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def test_sessions_that_acknowledge_nothing_are_bounded_for_their_user(_):
    """The one that holds the most ends; the daemon and the others do not."""
    with a_daemon(max_memory_per_user="16M") as d:
        bob = client_of(d, BOB)
        bob.call("hello", resume=True)
        lost = 0
        for _ in range(8):
            c = client_of(d, ALICE)
            c.call("hello", resume=True)
            try:
                for _ in range(12):
                    hoard(c, 16)
            except (EOFError, ConnectionError):
                lost += 1
            assert charged(d, ALICE) < 20 * MIB
            bob.call("status")
        assert "max_memory_per_user: user 1001 has" in d.log_text()
        assert d.process.poll() is None


def test_memory_of_the_journal_is_given_back(_):
    with a_daemon() as d:
        before = journal(d)
        for _ in range(4):
            c = d.client()
            c.call("hello", resume=True)
            for _ in range(20):
                hoard(c, 16)
        assert journal(d) - before > 48 * MIB, journal(d) - before
        d.close_clients()
        d.idle()
        wait_for(lambda: journal(d) - before < 20 * MIB)


# ---- turns ----------------------------------------------------------------

def block(c, sock, what, size=100000):
    """So many bytes of a request, and then one that can be seen: written at once."""
    one = msgpack.packb(what)
    return one * (size // len(one)) + msgpack.packb([0, 1, "setopts", [{"sock": sock, "options": MARK}]])


MARK = {"high_msgq_watermark": 4242}


def is_served_between(d, flooder, others):
    """While the flooder's last request was not served yet, others are."""
    for what in ([2, "describe", []], [2, "getopts", [{"sock": 1, "options": ["sctp_events"]}]],
                 [0, 2, "getstat", [{"sock": 1}]], [2, "hello", [{"resume": "0" * 32}]]):
        sock = flooder.call("open", ip="127.0.0.1")["sock"]
        with d.asleep():
            flooder.sock.sendall(block(flooder, sock, what))
            numbers = [c.request("getopts", sock=sock, options=list(MARK)) for c in others]
        for c, number in zip(others, numbers):
            (_, value), = c.answer(number)["options"]
            assert value != 4242, what
        flooder.answer(1)
        flooder.answers.clear()


def test_a_flood_of_requests_is_interrupted_for_other_users(_):
    with a_daemon(client_queue="64M") as d:
        is_served_between(d, client_of(d, ALICE), [d.client()])


def test_connections_of_one_user_take_turns(_):
    with a_daemon(client_queue="64M") as d:
        is_served_between(d, client_of(d, ALICE), [client_of(d, ALICE) for _ in range(3)])


def test_what_is_left_of_a_flood_is_served_without_another_event(_):
    """However many turns it takes, and whoever else is there."""
    with a_daemon() as d:
        cs = [client_of(d, ALICE) for _ in range(4)]
        for _ in range(3):
            ids = [(c, c.requests("error_string", [{"error": i % 14} for i in range(5000)])) for c in cs]
            for c, numbers in ids:
                for i, number in enumerate(numbers):
                    assert c.answer(number)["text"], i


def test_who_is_flooded_by_peers_is_served_on(_):
    """Bob sends to many sockets of Alice's, who takes what comes: her requests have their turns all the same."""
    with a_daemon() as d:
        bob, asks = client_of(d, BOB), client_of(d, ALICE)
        here, flood, readers = bob.call("open", ip="127.0.0.1")["sock"], b"", []
        for _ in range(24):
            c = client_of(d, ALICE)
            there = c.call("open", ip="127.0.0.1", options={"active": True})
            c.call("listen", sock=there["sock"])
            up = bob.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT * 1000 * SLOW)
            flood += msgpack.packb([2, "send", [{"sock": here, "assoc_id": up["assoc_id"], "data": b"x"}]])
            readers.append(c)
        came, left, answered = 0, b"", 0
        number, asked = asks.request("status"), 0
        while came < 4 * MIB:
            left = bob.push(left or flood * 50, 0)
            for c in select.select([c.sock for c in (*readers, asks)], [], [], WAIT)[0]:
                came += len(c.recv(1 << 16)) if c is not asks.sock else 0
            if asks.sock in select.select([asks.sock], [], [], 0)[0]:
                asks.answer(number)
                answered += 1
                number, asked = asks.request("status"), came
            assert came - asked < MIB, f"{came - asked} bytes of events came, and no answer; {answered} answers before"
        asks.answer(number)
        assert answered > 4, answered


def test_options_of_one_request_are_bounded(_):
    with a_daemon() as d:
        c = d.client()
        ids = associate(c, n=140)
        there = ids[0][0]
        events = ["sctp_events", {"peer_error_event": True}]
        for method, one in ("setopts", events), ("getopts", "sctp_events"):
            assert refusal(c, method, sock=there, options=[one] * 1025) == (
                "limit: options: 1025 in one request; it takes at most 1024")
        assert refusal(c, "setopts", sock=there, options=[events] * 1000) == (
            "limit: options: 1000 in one request, each for 140 associations; that makes more than 131072, "
            "so give them in several requests")
        c.call("setopts", sock=there, options=[events] * 900)
        assert len(c.call("getopts", sock=there, options=["sctp_events"] * 1024)["options"]) == 1024
        for _, _, here, _ in ids:
            c.call("close", sock=here)
