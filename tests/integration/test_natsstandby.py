# SPDX-License-Identifier: BSD-2-Clause
"""Two bridges that stand in for each other, and a table of their associations in a bucket of JetStream."""
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import types

from harness import ROOT, SLOW, Skip, halt, wait_for
from hosts import Program
from nats import BRIDGE, Bridge, Nats, Server, close_held
from rpc import WAIT
from standby import MOVING, PEERS, PORT, Crowd, Pair, Plain, announce, lab, move
from test_nats import associations, logged

SERVER = "10.0.1.2"
N2 = {"n2": {"ip": ", ".join(MOVING), "port": PORT}}
N = 10
ALL = 16        # of all kinds

start = Pair


class Member(Bridge):
    """A bridge on one of the hosts."""

    def __init__(self, netns, daemon, server, endpoints=N2, **config):
        there = types.SimpleNamespace(url=f"nats://{SERVER}:{server.port}")
        super().__init__(daemon, [there], endpoints, standby=netns, **config)
        self.daemon, self.netns = daemon, netns
        self.start()

    def start(self):
        self.process = subprocess.Popen(["ip", "netns", "exec", self.netns, BRIDGE, "-c", self.conf],
                                        stdin=subprocess.DEVNULL, stderr=self.log)

    def take_over(self, wants=0):
        """The command, as keepalived calls it; what it says by names, or as text if it fails, for which it need not wait."""
        conf = self.conf
        if wants != 0:
            conf += ".soon"
            with open(self.conf, encoding="utf-8") as long, open(conf, "w", encoding="utf-8") as f:
                f.write("take_over_wait = 300\n" + long.read())
        p = subprocess.run(["ip", "netns", "exec", self.netns, BRIDGE, "-c", conf, "--take-over"],
                           capture_output=True, text=True, timeout=WAIT * SLOW)
        assert p.returncode == wants, (p, self.log_text()[-3000:])
        return dict(re.findall(r"(\w+)=(\w+)", p.stdout)) if wants == 0 else p.stderr


@contextlib.contextmanager
def members(p, endpoints=N2, **config):
    """Both, and a server; east has the addresses, before and after."""
    server = Server(listen="0.0.0.0")
    both = Member("east", p.east, server, endpoints, **config), Member("west", p.west, server, endpoints, **config)
    n = Nats(server)
    try:
        for m in both:
            m.said("stands by; the owner is nobody yet")
        n.server = server
        yield *both, n
    finally:
        n.close()
        for m in both:
            if m.process.poll() is None:
                m.process.send_signal(signal.SIGCONT)
            m.end()
        for d in p.east, p.west:
            close_held(d)
            c = d.client()
            for s in c.call("sockets")["sockets"]:
                for a in c.call("assocs", sock=s["sock"])["assocs"]:
                    c.call("abort", sock=s["sock"], assoc_id=a["assoc_id"])
        p.close_clients()
        lab("mend", "east")
        lab("mend", "west")
        move("east")
        lab("remove", "west")
        server.end()


def rows(n):
    """{name: text} of the associations that are in the bucket."""
    found = {}
    for _, subject, head, body in n.all("KV_sctp-h1-standby"):
        key = subject.split(".", 2)[2]
        if key.startswith("assoc."):
            found[key[6:]] = None if "KV-Operation" in head else body.decode()
    return {k: v for k, v in found.items() if v}


def where(n):
    """{name: what each is called where it is now}: the other words of a row follow when the peer has answered."""
    return {name: re.search(r" at=(\S+) ", text)[1] for name, text in rows(n).items()}


def echoed(n, names, text):
    """Each peer gets it by the name that its association had first, and its answer has that name in the log."""
    for name in names:
        n.put(f"sctp.h1.out.n2.{name}.0", text)

    def is_there():
        got = logged(n)
        return all(text in got.get(name, ()) for name in names)
    wait_for(is_there)


def test_another_member_takes_the_associations_over_and_back_under_their_names(p):
    with members(p) as (east, west, n):
        assert east.take_over()["term"] == "1"
        east.runs()
        plain = [Plain("connect", N, PEERS[0], MOVING[0], PORT),
                 Plain("connect", N, ",".join(PEERS), ",".join(MOVING), PORT)]
        try:
            wait_for(lambda: len(rows(n)) == 2 * N)
            names = list(associations(n))
            assert sorted(rows(n)) == sorted(names)
            echoed(n, names, b"one")
            lab("cut", "east")
            move("west")
            said = west.take_over()
            assert (said["term"], said["restarted"], said["failed"]) == ("2", str(2 * N), "0"), said
            said = west.take_over()         # to call it again does no harm
            assert (said["term"], said["associations"], said["failed"]) == ("3", "0", "0"), said
            west.runs()
            echoed(n, names, b"two")
            wait_for(lambda: all(f" at={name} " not in text for name, text in rows(n).items()))

            # The first comes back, with the addresses, and gives up.
            comes_back(east, west)
            echoed(n, names, b"three")

            # The second is killed, and goes on under the same names.
            west.kill()
            west.start()
            west.runs(2)
            echoed(n, names, b"four")

            # And back.
            lab("cut", "west")
            move("east")
            said = east.take_over()
            assert (said["term"], said["restarted"], said["failed"]) == ("4", str(2 * N), "0"), said
            echoed(n, names, b"five")
            for peer in plain:
                counts = peer.counts()
                assert (counts["open"], counts["closed"]) == (N, 0), counts
            lab("mend", "west")
            west.said("what was left here was ended")
            # It asks for its peers with that address, so they may believe that it has it.
            lab("remove", "west")
            announce("east")
            # What ends, leaves the bucket.
            for peer in plain:
                peer.close()
            wait_for(lambda: not rows(n))
        finally:
            for peer in plain:
                peer.close()


def crowd_of(n, p, bus):
    """Peers of all kinds, which are in the table. The bridge calls nobody, so another client does."""
    crowd = Crowd(n)
    c = p.east.client()
    crowd.call_servers(c, c.call("sockets")["sockets"][0]["sock"])
    wait_for(lambda: len(rows(bus)) == n)
    return crowd


def comes_back(host, other):
    """It has the addresses, until it has given up."""
    lab("mend", host.netns)
    announce(host.netns)
    host.said("what was left here was ended")
    lab("remove", host.netns)
    announce(other.netns)


def test_peers_of_all_kinds_are_taken_over_and_nothing_ends_when_the_first_host_is_back(p):
    with members(p) as (east, west, n):
        east.take_over()
        east.runs()
        with contextlib.closing(crowd_of(ALL, p, n)) as crowd:
            names = list(rows(n))
            lab("cut", "east")
            move("west")
            said = west.take_over()
            assert (said["restarted"], said["failed"]) == (str(ALL), "0"), said
            echoed(n, names, b"one")
            crowd.kept(restarts=1, echoes=1)
            comes_back(east, west)
            echoed(n, names, b"two")
            crowd.kept(restarts=1, echoes=2)
        wait_for(lambda: not rows(n))


def test_associations_that_the_bucket_does_not_take_are_written_once_it_does(p):
    """The server refuses values of their length, and no others."""
    with members(p) as (east, _, n):
        east.take_over()
        east.runs()
        stream = "KV_sctp-h1-standby"
        config = n.api(f"STREAM.INFO.{stream}")["config"]
        n.api(f"STREAM.UPDATE.{stream}", **{**config, "max_msg_size": 64})
        plain = Plain("connect", N, PEERS[0], MOVING[0], PORT)
        east.said("writing associations: ")
        assert not rows(n)
        n.api(f"STREAM.UPDATE.{stream}", **config)
        wait_for(lambda: len(rows(n)) == N)
        plain.close()
        wait_for(lambda: not rows(n))


@contextlib.contextmanager
def lost(host):
    """What this host sends to the peers on network 1 reaches nobody."""
    neighbor = ["ip", "-netns", host, "neighbor"]
    there = [PEERS[0], "dev", "net1"]
    subprocess.run([*neighbor, "replace", *there, "lladdr", "02:00:00:00:00:01", "nud", "permanent"], check=True)
    try:
        yield
    finally:
        subprocess.run([*neighbor, "delete", *there], check=True)


def test_an_init_that_is_lost_is_soon_sent_again(p):
    """With the kernel's initial RTO all were still coming when the command says what it did."""
    with members(p) as (east, west, n):
        east.take_over()
        east.runs()
        plain = Plain("connect", N, PEERS[0], MOVING[0], PORT)
        wait_for(lambda: len(rows(n)) == N)
        lab("cut", "east")
        move("west")
        with concurrent.futures.ThreadPoolExecutor() as aside:
            with lost("west"):
                said = aside.submit(west.take_over)
                wait_for(lambda: len(p.west.kernel("assocs").splitlines()) == 1 + N)
            said = said.result()
        assert (said["restarted"], said["coming"], said["failed"]) == (str(N), "0", "0"), said
        assert plain.counts()["closed"] == 0
        plain.close()
        wait_for(lambda: not rows(n))


def test_an_endpoint_may_have_an_initial_rto_of_its_own(p):
    def initial(daemon):
        c = daemon.client()
        sock = c.call("sockets")["sockets"][0]["sock"]
        return c.call("getopts", sock=sock, options=["sctp_rtoinfo"])["options"][0][1]["initial"]

    with members(p):
        assert initial(p.east) == initial(p.west) == 250
    with members(p, {"n2": {**N2["n2"], "options.sctp_rtoinfo.initial": 700}}):
        assert initial(p.east) == 700


def test_what_was_lost_is_counted_and_named_and_a_peer_over_udp_is_taken_over(p):
    """The bridge of the first host hangs, so that what the peer sent is with sctpd there; and the peer, on a network that
    is cut, acknowledges nothing that is sent to it."""
    with members(p) as (east, west, n):
        east.take_over()
        east.runs()
        c = p.peers.client()
        sock = c.call("open", ip=PEERS[0], options={"active": True, "on_owner_exit": "abort"})["sock"]
        assoc = c.call("connect", sock=sock, addr=MOVING[0], port=PORT, timeout=WAIT * SLOW * 1000)["assoc_id"]
        wait_for(lambda: len(rows(n)) == 1)
        (name, text), = rows(n).items()
        assert " udp=9899 " in text, text
        halt(east.process.pid)
        for i in range(3):
            c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"%d" % i)
        wait_for(lambda: c.call("getopts", sock=sock, options=[["sctp_status", {"assoc_id": assoc}]])
                 ["options"][0][1]["unackdata"] == 0)
        lab("cut", "east")
        side = p.east.client()
        at, = (a for a in side.call("assocs")["assocs"])
        side.call("send", sock=at["sock"], assoc_id=at["assoc_id"], stream=0, data=b"to nobody")
        move("west")
        assert west.take_over()["restarted"] == "1"
        assert c.event("sctp_assoc_change", sock=sock)["state"] == "restart"
        echo = b"by west"
        n.put(f"sctp.h1.out.n2.{name}.0", echo)
        assert c.event("data", sock=sock)["data"] == echo
        lab("mend", "east")
        east.process.send_signal(signal.SIGCONT)
        east.said(f"association {name} of endpoint n2: 3 messages of the peer were not in the log, and 1 to the peer were not "
                  "acknowledged")
        wait_for(lambda: b"member=west term=2 in=3 in_bytes=3 out=1" in
                 [body for _, subject, _, body in n.all("KV_sctp-h1-standby") if subject.endswith(".lost.east")])
        lab("remove", "east")       # it asks for its peers with that address, so they may believe that it has it
        announce("west")
        with open(os.path.join(east.dir, "metrics"), encoding="ascii") as f:
            assert "standby_owner" in f.read()
        c.call("send", sock=sock, assoc_id=assoc, stream=0, data=b"on")
        wait_for(lambda: logged(n).get(name) == [b"on"])


def supervised_state(daemon):
    return daemon.client().call("supervised", name="sgw")["supervised"][0]["state"]


def test_a_supervised_association_is_up_at_the_owner_and_down_elsewhere(p):
    """The owner's bridge begins anew, with a session of its own; then it hangs, and has no connection to NATS, until another
    has taken over."""
    peer = Plain("listen", 1, PEERS[0], 30000)
    hosts = p.east, p.west
    for d in hosts:
        d.client().call("supervise", name="sgw", local=MOVING[0], local_port=PORT, peer=PEERS[0], peer_port=30000, down=True,
                        backoff_min=50, backoff_max=100, options={"freebind": True})
    try:
        with members(p, {"sgw": {"attach": "sgw"}}) as (east, west, n):
            east.kill()
            os.unlink(os.path.join(east.dir, "state"))
            n.put("$KV.sctp-h1-standby.owner", b"member=east term=1")
            east.start()
            wait_for(lambda: len(rows(n)) == 1)
            name, = rows(n)
            assert supervised_state(p.west) == "down"
            halt(east.process.pid)
            n.server.kill()
            n.server.start()
            lab("cut", "east")
            move("west")
            west.said("connected to NATS", 2)
            west.take_over()
            wait_for(lambda: f" at={name} " not in rows(n).get(name, f" at={name} "))  # a row that changes meanwhile is not found
            lab("remove", "east")
            lab("mend", "east")
            east.process.send_signal(signal.SIGCONT)
            east.said("what was left here was ended")
            wait_for(lambda: supervised_state(p.east) == "down")
            n.put(f"sctp.h1.out.sgw.{name}.0", b"on")
            wait_for(lambda: b"on" in logged(n).get(name, ()))
            assert peer.counts()["closed"] == 0
    finally:
        for d in hosts:
            d.client().call("unsupervise", name="sgw")
        peer.close()


def blackholes(daemon):
    c = daemon.client()
    return [c.call("getopts", sock=s["sock"], options=["blackhole"])["options"][0][1] for s in c.call("sockets")["sockets"]]


def test_the_owner_answers_what_it_does_not_know_and_without_nats_it_does_not(p):
    """A socket that was opened later, too; and also if what is under way was missed before the connection was."""
    with members(p, ack_wait=100) as (east, west, n):
        east.take_over()
        east.runs()
        wait_for(lambda: blackholes(p.east) == [False])
        c = p.east.client()
        c.call("close", sock=c.call("sockets")["sockets"][0]["sock"])
        east.said("endpoint n2: listens", 2)
        wait_for(lambda: blackholes(p.east) == [False])
        n.server.pause(True)
        plain = Plain("connect", 1, PEERS[0], MOVING[0], PORT)
        east.said("within ack_wait")
        wait_for(lambda: blackholes(p.east) == [True])
        n.server.pause(False)
        wait_for(lambda: blackholes(p.east) == [False])
        plain.close()


def test_what_cannot_be_taken_over_is_said(p):
    with members(p) as (east, west, n):
        east.take_over()
        west.kill()
        assert "its bridge has not said within" in west.take_over(1)
        n.put("$KV.sctp-h1-standby.form", b"sctpd-nats standby 7")
        said = east.take_over(1)
        assert "of another version" in said and "standby 7" in said, said
        n.put("$KV.sctp-h1-standby.form", b"sctpd-nats standby 1")
        n.put("$KV.sctp-h1-standby.owner", b"me")
        assert "its key owner is" in east.take_over(1)
    nowhere = types.SimpleNamespace(url="nats://127.0.0.1:1")
    alone = Bridge(p.east, [nowhere], N2)
    command = [BRIDGE, "-c", alone.conf, "--take-over"]
    assert "has no standby" in subprocess.run(command, capture_output=True, text=True, timeout=WAIT).stderr
    alone.end()
    for words in {"port": PORT}, {"ip": MOVING[0]}, {"ip": "any", "port": PORT}:
        wrong = Bridge(p.east, [nowhere], {"n2": words}, standby="east")
        code, said = wrong.test()
        assert code == 1 and "must name the addresses that move" in said, said
        wrong.end()


def keepalived(netns, folder):
    """The example as it stands, but for the program's path and configuration, for a script that asks systemd, and for words
    that may come late on a machine that is busy with other tests."""
    if not shutil.which("keepalived"):
        raise Skip("there is no keepalived; tests/deps.sh check installs it")
    with open(os.path.join(ROOT, "client-lib", "nats", "keepalived.conf"), encoding="utf-8") as f:
        text = f.read()
    for old, new in (("/usr/sbin/sctpd-nats --take-over", f"{BRIDGE} -c {folder}/conf --take-over"),
                     ("/usr/bin/systemctl is-active -q sctpd-nats", "/usr/bin/true"),
                     ("eth0", "net1"), ("eth1", "net2"), ("advert_int 0.2", "advert_int 1"), ("priority 100", f"priority {100 if netns == 'east' else 99}")):
        assert old in text, old
        text = text.replace(old, new)
    conf = os.path.join(folder, "keepalived.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text)
    return Program("keepalived", "-n", "-l", "-f", conf, "-p", f"{folder}/pid", "-r", f"{folder}/vrrp", "-P", netns=netns)


def keep_addresses(ends, east, west):
    """keepalived on both hosts, until the end; east begins, and has the addresses."""
    lab("remove", "east")
    ends.callback(lab, "remove", "east")
    ends.enter_context(keepalived("east", east.dir))
    east.said("east is the owner")
    east.runs()
    ends.enter_context(keepalived("west", west.dir))


def test_keepalived_moves_the_addresses_and_calls_the_command(p):
    """The link of the host that has them is cut; nobody else does anything. Then it comes back, and stands by."""
    with members(p) as (east, west, n), contextlib.ExitStack() as ends:
        keep_addresses(ends, east, west)
        plain = Plain("connect", N, ",".join(PEERS), ",".join(MOVING), PORT)
        ends.callback(plain.close)
        wait_for(lambda: len(rows(n)) == N)
        names = list(rows(n))
        lab("cut", "east")
        west.said("west is the owner")
        west.runs()
        echoed(n, names, b"one")
        lab("mend", "east")
        east.said("what was left here was ended")
        echoed(n, names, b"two")
        counts = plain.counts()
        assert (counts["open"], counts["closed"]) == (N, 0), counts
        plain.close()
        wait_for(lambda: not rows(n))       # what ends after its address went would be closed by nobody but timers


@contextlib.contextmanager
def steered(host):
    """What the peers send to the address on network 2 goes to this host, whoever says that it has the address."""
    link = subprocess.run(["ip", "-j", "-netns", host, "link", "show", "net2"], check=True, capture_output=True)
    neighbor = ["ip", "-netns", "peers", "neighbor"]
    there = [MOVING[1], "dev", "net2"]
    subprocess.run([*neighbor, "replace", *there, "lladdr", json.loads(link.stdout)[0]["address"], "nud", "permanent"], check=True)
    try:
        yield
    finally:
        subprocess.run([*neighbor, "delete", *there], check=True)


def test_split_brain_ends_when_the_hosts_see_each_other_again(p):
    """East loses the network on which it sees west and the bus, and keeps the addresses; west takes them as well, and the
    associations. When they see each other again, keepalived leaves the addresses to east, which takes the associations back."""
    with members(p, lease=4000) as (east, west, n), contextlib.ExitStack() as ends:
        keep_addresses(ends, east, west)
        plain = [Plain("connect", N, ",".join(PEERS), ",".join(MOVING), PORT), Plain("connect", N, PEERS[0], MOVING[0], PORT)]
        for peer in plain:
            ends.callback(peer.close)
        wait_for(lambda: len(rows(n)) == 2 * N)
        names = list(rows(n))
        lab("part", "east")
        ends.callback(lab, "join", "east")
        west.said("west is the owner, term 2: of 20 associations 20 were restarted")
        west.runs()
        echoed(n, names, b"west")       # whether keepalived was first, or the lease: both may be
        # East does not know, and a peer that reaches it comes up there.
        with steered("east"):
            other = Plain("connect", 1, PEERS[1], MOVING[1], PORT)
            ends.callback(other.close)
        assert len(p.east.client().call("assocs")["assocs"]) == 2 * N + 1
        lab("join", "east")
        wait_for(lambda: re.search(r"east is the owner, term (?!1:)", east.log_text()))
        east.runs(2)
        west.said("what was left here was ended")
        echoed(n, names, b"east")
        for peer in plain:
            counts = peer.counts()
            assert (counts["open"], counts["closed"]) == (N, 0), counts
        # It is in the table, unless east gave up what it had before it got the addresses back: then it was told.
        wait_for(lambda: len(rows(n)) == 2 * N + other.counts()["open"])
        for peer in [*plain, other]:
            peer.close()
        wait_for(lambda: not rows(n))


def test_what_a_member_that_has_lost_writes_late_is_put_right(p):
    """It did not know yet, or the network had it."""
    with members(p) as (east, west, n):
        east.take_over()
        east.runs()
        plain = Plain("connect", 2, PEERS[0], MOVING[0], PORT)
        wait_for(lambda: len(rows(n)) == 2)
        first, second = names = sorted(rows(n))
        before = rows(n)
        lab("cut", "east")
        move("west")
        west.take_over()
        west.runs()
        after = {}

        def moved():
            """A row that is replaced while they are read is in neither place."""
            after.update(where(n))
            return len(after) == 2 and all(at != name for name, at in after.items())
        wait_for(moved)
        n.put(f"$KV.sctp-h1-standby.assoc.{first}", before[first].encode())
        n.put(f"$KV.sctp-h1-standby.assoc.{second}", b"", {"KV-Operation": "DEL"})
        n.put("$KV.sctp-h1-standby.assoc.7-12345678", before[first].encode())
        wait_for(lambda: where(n) == after, lambda: f"{before}, {after}, {rows(n)}, {west.log_text()[-2000:]}")
        echoed(n, names, b"on")
        plain.close()
        lab("mend", "east")
        east.said("what was left here was ended")
