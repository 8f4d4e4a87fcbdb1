# SPDX-License-Identifier: BSD-2-Clause
"""A group under load whose members are killed, drained and joined: none of the numbered
messages is lost, acknowledged twice, or out of order within an association. GROUPS_SECONDS
and GROUPS_ASSOCIATIONS make it longer and larger."""
import os
import random
import signal
import time
import traceback

from check import WAIT_MS, only
from harness import wait_for
from test_group import clean
from test_session import session, start  # noqa: F401
from through import Session

SECONDS = float(os.environ.get("GROUPS_SECONDS", "1.5"))
ASSOCIATIONS = int(os.environ.get("GROUPS_ASSOCIATIONS", "20"))
MEMBERS = 4


def note(log, kind, lines):
    """A pipe takes so many whole, whoever else writes."""
    for i in range(0, len(lines), 100):
        os.write(log, "".join(kind + line for line in lines[i:i + 100]).encode())


def member(path, name, log):
    """A process that notes what it handled, and what the daemon knows to be acknowledged."""
    pid = os.fork()
    if pid:
        return pid
    try:
        c = Session(path, name)
        c.call("join", name="g")
        c.sock.settimeout(None)
        while True:
            while not c.events:
                c.feed()
            lines = [f"{name} {e['data'].decode()}\n" for what, e in c.events if what == "data"]
            c.events.clear()
            note(log, "H ", lines)
            c.call("ack", seq=c.seq)
            c.acked = c.seq
            note(log, "A ", lines)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def check(text, sent):
    """Of each association: who takes over begins behind what was acknowledged, and leaves no gap."""
    handled, acked, last_of = {}, {}, {}
    for line in text.splitlines():
        kind, name, peer, n = line.split()
        n = int(n)
        if kind == "A":
            acked[peer] = max(acked.get(peer, 0), n)
            continue
        assert n > acked.get(peer, 0), f"{line}: it was acknowledged before"
        if last_of.get(peer, (name, 0))[0] == name:
            assert n == handled.get(peer, 0) + 1, f"{line}: after {handled.get(peer, 0)}"
        else:
            assert n <= handled[peer] + 1, f"{line}: after {handled[peer]}, by {last_of[peer]}"
        handled[peer], last_of[peer] = n, (name, n)
    for peer, n in sent.items():
        assert handled.get(peer) == acked.get(peer) == n, (peer, n, handled.get(peer), acked.get(peer))


def is_acknowledged(text, sent):
    last = {line.split(" ", 2)[2] for line in text.splitlines() if line.startswith("A ")}
    return {f"{peer} {n}" for peer, n in sent.items()} <= last


def events(d, c, alive, log, names):
    """Once: a member is killed, or drained and ended, and another joins."""
    wait_for(lambda: alive.keys() <= {m["name"] for m in only(c.call("groups")["groups"], name="g")["members"]})
    name = random.choice(list(alive))
    if random.random() < 0.5:
        os.kill(alive[name], signal.SIGKILL)
    else:
        who = only(only(c.call("groups")["groups"], name="g")["members"], name=name)["client"]
        c.call("drain_member", name="g", client=who)
        deadline = time.monotonic() + 60
        while only(only(c.call("groups")["groups"], name="g")["members"], name=name)["sockets"]:
            assert time.monotonic() < deadline, "a drained member keeps what it has"
        os.kill(alive[name], signal.SIGKILL)
    os.waitpid(alive.pop(name), 0)
    new = next(names)
    alive[new] = member(d.path, new, log)


@clean
def test_members_come_and_go_under_load(d):
    owner, out, c = session(d, "owner"), session(d, "peers"), d.client("look")
    got = owner.call("open", ip="127.0.0.1", options={"active": True})
    owner.call("listen", sock=got["sock"])
    owner.call("group", sock=got["sock"], name="g")
    names = (f"m{i}" for i in range(1, 1 << 30))
    into, log = os.pipe()
    alive = {}
    for _ in range(MEMBERS):
        name = next(names)
        alive[name] = member(d.path, name, log)
    peers = []
    for _ in range(ASSOCIATIONS):
        sock = out.call("open", ip="127.0.0.1")["sock"]
        peers.append((sock, out.call("connect", sock=sock, addr="127.0.0.1", port=got["port"], timeout=WAIT_MS)["assoc_id"]))
    text, sent, n, turn = [], {str(p[0]): 0 for p in peers}, 0, 0
    os.set_blocking(into, False)

    def hear():
        try:
            text.append(os.read(into, 1 << 20).decode())
        except BlockingIOError:
            pass

    def say():
        for sock, assoc_id in peers:
            out.call("send", sock=sock, assoc_id=assoc_id, data=b"%d %d" % (sock, n))
            sent[str(sock)] = n
        hear()

    end, due = time.monotonic() + SECONDS, time.monotonic()
    try:
        while time.monotonic() < end:
            n += 1
            say()
            if time.monotonic() > due:
                due += 0.3
                turn += 1
                events(d, c, alive, log, names)
        n += 1
        say()       # who was killed last may have acknowledged and not have told us
        wait_for(lambda: hear() or is_acknowledged("".join(text), sent))
        check("".join(text), sent)
        print(f"        {n * len(peers)} messages, {turn} members came and went", flush=True)
    finally:
        for pid in alive.values():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(into)
        os.close(log)
