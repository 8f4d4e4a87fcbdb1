# SPDX-License-Identifier: BSD-2-Clause
"""The userland stack's UDP ports: those that it cannot have, peers whose port
changes while they are associated, and many that come at once. On whatever
kernel there is."""
import contextlib
import shutil
import socket
import re
import struct
import subprocess

import rawpeer
from check import answered, nothing, option, recv, recv_data, refusal
from harness import HOARDS, SLOW, WRAP, Daemon, Skip, wait_for
from rawpeer import RawPeer
from relay import HOST, Relay, signed, tagged, udp
from rpc import WAIT
from test_wire import at_once, exchange

SECONDS = 60 * SLOW
MANY = 300 if WRAP else 3000
MEMORY = (48 if not WRAP else 480) << 20


class Two:
    """What the tests get: the right one is the peer whose port changes."""

    def __init__(self):
        self.left, self.right = (Daemon(stack="userland", udp_port=free_port(), udp_segments=64) for _ in "lr")

    def alive(self):
        return self.left.alive() and self.right.alive()

    def close_clients(self):
        self.left.close_clients()
        self.right.close_clients()

    def idle(self):
        self.left.idle()
        self.right.idle()

    def log_text(self):
        return self.left.log_text() + self.right.log_text()

    def stop(self):
        return self.left.stop() + self.right.stop()


start = Two


def free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind(("::", 0))
        return s.getsockname()[1]


# ---- ports that it cannot have ---------------------------------------------


def opens(d):
    return d.client().call("open", ip=HOST)["port"] > 0


def test_a_port_that_is_taken_is_told_until_it_is_free(_):
    with udp() as taken:
        port = taken.getsockname()[1]
        d = Daemon(stack="userland", udp_port=port)
        why = (f"UDP port {port}: Address already in use: another program has it "
               f"(ss -lunp sport = {port}), or choose another with udp_port, see sctpd.conf(5)")
        assert f"no SCTP: {why}\n" in d.log_text(), d.log_text()
        assert refusal(d.client(), "open") == f"eprotonosupport: {why}"
    assert opens(d)
    d.stop()


def test_of_several_ports_the_one_that_is_taken_is_named(_):
    with udp() as taken:
        port = taken.getsockname()[1]
        d = Daemon(stack="userland", udp_port=f"{free_port()} {port}")
        assert f"no SCTP: UDP port {port}: Address already in use" in d.log_text(), d.log_text()
        d.stop()


def test_a_port_without_the_right_to_it_is_told(_):
    if not shutil.which("setpriv"):
        raise Skip("setpriv is not installed: run tests/deps.sh check")
    d = Daemon(stack="userland", udp_port=1000,
               prefix=("setpriv", "--bounding-set", "-net_bind_service"))
    why = ("UDP port 1000: Permission denied: it needs CAP_NET_BIND_SERVICE; "
           "choose one from 1024 on with udp_port, see sctpd.conf(5)")
    assert f"no SCTP: {why}\n" in d.log_text(), d.log_text()
    assert refusal(d.client(), "open") == f"eprotonosupport: {why}"
    d.stop()


# ---- peers whose port changes ----------------------------------------------


@contextlib.contextmanager
def between(h):
    r = Relay(int(h.left.config["udp_port"]))
    try:
        yield r
    finally:
        h.close_clients()
        h.idle()
        r.close()


def come(h, r, **listener):
    """The peer associates through this relay: both ends as (client, sock, id)."""
    c, there = h.right.client(), h.left.client()
    sock = there.call("open", ip=HOST, **listener)
    there.call("listen", sock=sock["sock"])
    if listener.get("type") == "stream":
        waits = there.request("accept", sock=sock["sock"], timeout=WAIT * 1000)
    here = c.call("open", ip=HOST, options={"sctp_remote_udp_encaps_port": {"port": r.front}})["sock"]
    up = c.call("connect", sock=here, addr=HOST, port=sock["port"], timeout=WAIT * 1000)
    if listener.get("type") == "stream":
        got = there.answer(waits)
        recv(there, got["accepted"], "sctp_assoc_change", state="comm_up")
        return (c, here, up["assoc_id"]), (there, got["accepted"], got["assoc_id"])
    peer = there.call("recv", sock=sock["sock"], timeout=WAIT * 1000)
    return (c, here, up["assoc_id"]), (there, sock["sock"], peer["assoc_id"])


def say(end, other, text):
    end[0].call("send", sock=end[1], assoc_id=end[2], data=text)
    got = other[0].call("recv", sock=other[1], timeout=WAIT * 1000)
    assert got.get("data") == text, got


def both_say(here, there, text):
    say(here, there, b"to the left " + text)
    say(there, here, b"to the right " + text)


def peers_port(end):
    """Where its answers go."""
    return option(*end[:2], "sctp_remote_udp_encaps_port", assoc_id=end[2])["port"]


def follows(h, **listener):
    with between(h) as r:
        here, there = come(h, r, **listener)
        for n in range(5):
            both_say(here, there, b"%d" % n)
            assert peers_port(there) == r.back
            r.change()
        both_say(here, there, b"last")


def test_a_peer_may_get_another_port(h):
    follows(h)


def test_a_peer_of_an_accepted_socket_may_get_another_port(h):
    follows(h, type="stream")


def test_a_peer_that_is_connected_to_may_get_another_port(h):
    """Here it is the one that listens: the relay's ports change sides."""
    with between(h) as r:
        here, there = come(h, r)
        both_say(here, there, b"first")
        r.turn()
        for n in range(3):
            both_say(there, here, b"%d" % n)
            assert peers_port(here) == r.front
            r.turn()


def test_the_port_changes_while_many_messages_go(h):
    with between(h) as r:
        here, there = come(h, r)
        left, right = exchange(h.left, there, MANY, SECONDS), exchange(h.right, here, MANY, SECONDS)

        def change():
            for n in range(1, 4):
                r.has_seen(MANY // 50 * n)
                r.change()

        at_once(SECONDS, *left, *right, change)


def forge(r, packet, host=HOST):
    """This packet comes from yet another port; gives the socket."""
    s = udp(host=host)
    s.sendto(packet, r.to)
    return s


def test_who_is_not_the_peer_moves_nothing(h):
    """Neither with a wrong tag, nor with none, nor as INIT, nor from another host."""
    with between(h) as r:
        here, there = come(h, r)
        both_say(here, there, b"first")
        init, data = r.seen[0], r.seen[-1]
        tag = int.from_bytes(data[4:8], "big")
        assert init[12] == 1 and init[4:8] == bytes(4), init
        spoilt = data[:-1] + bytes([data[-1] ^ 1])      # its checksum is not right
        for packet, host in ((tagged(data, tag ^ 1), HOST), (tagged(data, 0), HOST), (init, HOST),
                             (tagged(init, tag ^ 1), HOST), (spoilt, HOST), (data, "127.0.0.2")):
            with forge(r, packet, host) as other:
                both_say(here, there, b"still here")
                assert peers_port(there) == r.back != other.getsockname()[1]


def test_what_has_the_tag_is_the_peers(h):
    """The other way round: it is the tag that counts."""
    with between(h) as r:
        here, there = come(h, r)
        both_say(here, there, b"first")
        with forge(r, r.seen[-1]) as other:
            say(here, there, b"again")      # the relay's comes later, and takes it back
            assert peers_port(there) == r.back
            other.sendto(r.seen[-1], r.to)
            there[0].call("status")
        both_say(here, there, b"last")


def test_an_init_whose_parameter_has_no_length_hangs_nothing(h):
    """usrsctp 0.9.5.0 goes round for ever over one that comes to an association."""
    with between(h) as r:
        here, there = come(h, r)
        both_say(here, there, b"first")
        init = r.seen[0]
        length = int.from_bytes(init[14:16], "big")
        for parameter in b"\x80\x05\x00\x00", b"\x80\x05\x00\x03":
            r.forge(signed(init[:14] + (length + 4).to_bytes(2, "big") + init[16:] + parameter))
            both_say(here, there, b"still here")


def test_a_peer_may_get_a_port_that_another_had(h):
    """That one is not missed yet; both are told apart."""
    with between(h) as r, between(h) as gone:
        here, there = come(h, r)
        there2 = come(h, gone)[1]
        both_say(here, there, b"first")
        port = gone.back
        gone.change()
        r.change(port)
        both_say(here, there, b"again")
        assert peers_port(there) == peers_port(there2) == port
        there2[0].call("abort", sock=there2[1], assoc_id=there2[2])
        both_say(here, there, b"last")
        assert nothing(here[0], here[1])


def test_two_peers_of_one_address_and_port_are_two(h):
    """They have a UDP port each, as behind a NAT."""
    with between(h) as r, between(h) as r2:
        c, there = h.right.client(), h.left.client()
        listener = there.call("open", ip=HOST)
        there.call("listen", sock=listener["sock"])
        ends = []
        for via in r, r2:
            options = {"sctp_remote_udp_encaps_port": {"port": via.front}, "reuseaddr": True}
            sock = c.call("open", ip=HOST, port=5000, options=options)["sock"]
            up = c.call("connect", sock=sock, addr=HOST, port=listener["port"], timeout=WAIT * 1000)
            peer = there.call("recv", sock=listener["sock"], timeout=WAIT * 1000)
            ends.append(((c, sock, up["assoc_id"]), (there, listener["sock"], peer["assoc_id"])))
        for via in r, r2:
            via.change()
        for here, there in ends:
            both_say(here, there, b"each")


# ---- many peers ------------------------------------------------------------


def listener(h, **args):
    """Of the left: its client, handle and port."""
    c = h.left.client()
    sock = c.call("open", ip=HOST, **args)
    c.call("listen", sock=sock["sock"])
    return c, sock["sock"], sock["port"]


def raw(h, port, host=HOST):
    return RawPeer(int(h.left.config["udp_port"]), port, host)


def others_begin(h, port, n=100):
    """So many have their cookies, and do no more."""
    for _ in range(n):
        with raw(h, port) as other:
            other.begin()


def test_a_hundred_handshakes_at_once_all_come_up(h):
    c, sock, port = listener(h)
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(raw(h, port)) for _ in range(100)]
        for step in RawPeer.begin, RawPeer.echo, lambda p: p.recv(rawpeer.COOKIE_ACK):
            for peer in peers:
                step(peer)
        ids = {recv(c, sock, "sctp_assoc_change", state="comm_up")["assoc_id"] for _ in peers}
        assert len(ids) == 100
        for peer in peers:
            peer.send(rawpeer.chunk(rawpeer.ABORT))


def test_what_waits_to_be_accepted_keeps_its_peer(h):
    c, sock, port = listener(h, type="stream")
    with raw(h, port) as peer, raw(h, port) as gone:
        for p in peer, gone:
            p.come()
        gone.send(rawpeer.chunk(rawpeer.ABORT))
        others_begin(h, port)
        for p in peer, gone:
            got = c.call("accept", sock=sock, timeout=WAIT * 1000)
            assert peers_port((c, got["accepted"], got["assoc_id"])) == p.udp_port
            recv(c, got["accepted"], "sctp_assoc_change", state="comm_up")
            if p is peer:
                c.call("send", sock=got["accepted"], assoc_id=got["assoc_id"], data=b"for it alone")
                assert peer.recv(rawpeer.DATA).endswith(b"for it alone")
            else:
                recv(c, got["accepted"], "sctp_assoc_change", state="comm_lost")
        peer.send(rawpeer.chunk(rawpeer.ABORT))


def test_what_waits_to_be_accepted_is_aborted_with_the_listener(h):
    c, sock, port = listener(h, type="stream")
    with raw(h, port) as peer:
        peer.come()
        c.call("close", sock=sock)
        peer.recv(rawpeer.ABORT)


def nobody_has_its_cookie(h, peer):
    """Another host's is not taken: what is answered is that one's INIT."""
    for _ in range(100):
        with raw(h, peer.port, "127.0.0.2") as other:
            other.tag, other.cookie = peer.tag, peer.cookie
            other.echo()
            other.begin()


def test_a_cookie_is_not_valid_from_another_address(h):
    _, _, port = listener(h)
    with raw(h, port) as peer:
        peer.begin()
        others_begin(h, port)
        nobody_has_its_cookie(h, peer)
        peer.echo()
        peer.recv(rawpeer.COOKIE_ACK)
        peer.send(rawpeer.chunk(rawpeer.ABORT))


def test_nor_is_that_of_an_association_that_is_over(h):
    c, sock, port = listener(h)
    with raw(h, port) as peer:
        peer.come()
        recv(c, sock, "sctp_assoc_change", state="comm_up")
        peer.send(rawpeer.chunk(rawpeer.ABORT))
        recv(c, sock, "sctp_assoc_change", state="comm_lost")
        wait_for(lambda: not c.call("assocs")["assocs"])
        nobody_has_its_cookie(h, peer)


def test_too_many_that_begin_are_told_and_our_own_go_on(_):
    d = Daemon(stack="userland", udp_port=(udp_port := free_port()), peer_udp_port=udp_port)
    c = d.client()
    there = c.call("open", ip=HOST)
    c.call("listen", sock=there["sock"])
    why = "packets of new peers are lost: "
    with contextlib.ExitStack() as peers:   # none is closed before it is answered
        for n in range(2 ** 13):
            peer = peers.enter_context(RawPeer(udp_port, there["port"], f"127.2.{n >> 8}.{n & 255}"))
            peer.send(rawpeer.init(), 0)
            if n % 32 == 0 and c.call("status") and why in d.log_text():
                break
        wait_for(lambda: why in d.log_text())
    assert d.log_text().count(why) <= 10, d.log_text()      # what the log allows in a second
    here = c.call("open", ip=HOST)["sock"]
    c.call("connect", sock=here, addr=HOST, port=there["port"], timeout=WAIT * 1000)
    d.stop()


def test_addresses_that_packets_come_to_leave_nothing_behind(h):
    nobodys = signed(b"\0\1\0\2\0\0\0\3\0\0\0\0\4\0\0\4")
    to = int(h.left.config["udp_port"])
    with udp(host="0.0.0.0") as s:
        s.settimeout(WAIT)

        def answered(first, last):
            for n in range(first, last):
                s.sendto(nobodys, (f"127.0.{n >> 8}.{n & 255}", to))
                assert s.recv(100)[12] == rawpeer.ABORT

        answered(0x1002, 0x1102)
        before = h.left.memory()
        answered(0x0002, 0x0900)
        grown = h.left.memory() - before
    assert grown < 128 << 10 or HOARDS, grown


def test_gaps_and_duplicates_are_told_each(h):
    c, sock, port = listener(h)
    with raw(h, port) as peer:
        peer.come()
        recv(c, sock, "sctp_assoc_change", state="comm_up")

        def at_once(*packets):
            def burst():
                with h.left.asleep():
                    for packet in packets:
                        peer.send(packet)
            return peer.sacks(burst)

        at_once(rawpeer.data(0))
        told = at_once(*(rawpeer.data(n) for n in range(2, 22)))
        assert len(told) == 20 and all(s.gaps for s in told), len(told)
        told = at_once(*[rawpeer.data(3)] * 5)
        assert sum(s.duplicates for s in told) == 5, len(told)
        peer.send(rawpeer.chunk(rawpeer.ABORT))


def test_a_path_mtu_counts_that_was_set_before_connect(h):
    """And messages sent at once share no longer packet than usrsctp makes."""
    with between(h) as r:
        c, there = h.right.client(), h.left.client()
        sock = there.call("open", ip=HOST)
        there.call("listen", sock=sock["sock"])
        here = c.call("open", ip=HOST, options={
            "sctp_remote_udp_encaps_port": {"port": r.front},
            "sctp_peer_addr_params": {"pathmtu": 600, "flags": ["pmtud_disable"]}})["sock"]
        up = c.call("connect", sock=here, addr=HOST, port=sock["port"], timeout=WAIT * 1000)
        peer = there.call("recv", sock=sock["sock"], timeout=WAIT * 1000)
        key = {"assoc_id": up["assoc_id"]}
        assert option(c, here, "sctp_peer_addr_params", **key)["pathmtu"] == 600
        seen = len(r.seen)
        end, other = (c, here, up["assoc_id"]), (there, sock["sock"], peer["assoc_id"])
        say(end, other, b"x" * 5000)
        at_once(SECONDS, *exchange(h.right, end, 100, SECONDS), *exchange(h.left, other, 100, SECONDS))
        assert max(map(len, r.seen[seen:])) <= 600 + 12


def test_a_peer_has_the_port_of_another_that_is_over(h):
    """Also for what has not the tag: an ABORT without the association's own."""
    c, sock, port = listener(h)
    with raw(h, port) as peer, raw(h, port) as gone:
        for p in peer, gone:
            p.come()
        ids = [recv(c, sock, "sctp_assoc_change", state="comm_up")["assoc_id"] for _ in "12"]
        peer.s, gone.s = gone.s, peer.s
        peer.send(rawpeer.data(0))
        peer.recv(rawpeer.SACK)
        recv(c, sock, "data", data=b"x")
        c.call("abort", sock=sock, assoc_id=ids[1])
        recv(c, sock, "sctp_assoc_change", state="comm_lost", assoc_id=ids[1])
        wait_for(lambda: len(c.call("assocs")["assocs"]) == 1)
        peer.send(rawpeer.chunk(rawpeer.ABORT, flags=1), rawpeer.TAG)
        recv(c, sock, "sctp_assoc_change", state="comm_lost", assoc_id=ids[0])


# ---- peers that break the protocol -----------------------------------------


def test_why_usrsctp_aborts_an_association_is_told(h):
    """A message without a byte, and an answer to what was never sent: the
    error is the cause that the peer sees, and the log has it too."""
    left = h.left.client()
    sock = left.call("open", ip=HOST)
    left.call("listen", sock=sock["sock"])
    for error, says in (9, ""), (13, "Cum ack "):
        with RawPeer(int(h.left.config["udp_port"]), sock["port"]) as p:
            p.come()
            up = recv(left, sock["sock"], "sctp_assoc_change", state="comm_up")
            p.send(rawpeer.data(0, b"") if error == 9 else rawpeer.chunk(
                rawpeer.SACK, struct.pack(">IIHH", (p.tsn + 1000) % (1 << 32), 65536, 0, 0)))
            p.recv(rawpeer.ABORT)
            recv(left, sock["sock"], "sctp_assoc_change", state="comm_lost", error=error, assoc_id=up["assoc_id"])
            log = h.left.log_text()
            assert f"assoc {up['assoc_id']}: usrsctp aborts it, cause {error}, \"{says}" in log, log
            assert re.search(rf"assoc {up['assoc_id']}: aborted by this side: .* \(cause {error}\)", log), log


# ---- memory ----------------------------------------------------------------


def test_little_messages_to_a_peer_that_reads_nothing_take_little_memory(h):
    """usrsctp's send buffer counts their bytes alone: it is not given so many.
    When the peer reads all of them come."""
    with between(h) as r:
        here, there = come(h, r)
        before, ids = h.right.memory(), []
        while not ids or answered(here[0], ids[-1]):
            ids += here[0].requests("send", [{"sock": here[1], "assoc_id": here[2], "stream": 0, "data": b"x"}] * 1000)
            assert h.right.memory() - before < MEMORY, (len(ids), h.right.memory() - before)
        for _ in ids:
            assert recv_data(*there[:2]) == b"x"
        for i in ids:
            here[0].answer(i)


# ---- packets that the kernel joins and takes apart --------------------------

UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104


def test_packets_that_came_joined_are_dealt_with_each(h):
    """Each has the same length but for the last, whatever that does to how they lie in memory."""
    c, sock, port = listener(h)
    with raw(h, port) as peer:
        peer.come()
        recv(c, sock, "sctp_assoc_change", state="comm_up")
        sent = [bytes([n]) * 104 for n in range(9)] + [b"last"]
        head = struct.pack(">HHII", 5000, port, peer.tag, 0)
        packets = [signed(head + rawpeer.data(n, text)) for n, text in enumerate(sent)]
        assert len(packets[0]) % 8 == 4
        size = struct.pack("H", len(packets[0]))
        try:
            peer.s.sendmsg([b"".join(packets)], [(UDP, UDP_SEGMENT, size)], 0, peer.to)
        except OSError as e:
            raise Skip(f"this kernel takes no UDP message apart: {e}") from e
        assert [recv_data(c, sock) for _ in sent] == sent
        peer.send(rawpeer.chunk(rawpeer.ABORT))


def pieces(peer, c, sock, assoc_id):
    """Send a message that takes many packets of one length; gives how many packets came
    in each UDP message, until all but the last of those that may be under way have come."""
    c.notify("send", sock=sock, assoc_id=assoc_id, data=b"x" * 20000)
    found = []
    while sum(found) < 3:
        data, control, *_ = peer.s.recvmsg(65536, 64)
        each = [struct.unpack("i", value)[0] for level, kind, value in control if (level, kind) == (UDP, UDP_GRO)]
        size = each[0] if each else len(data)
        if data[12] == rawpeer.DATA:
            found.append(-(-len(data) // size))
    return found


def joins(h, mtu):
    """How sctpd sends where packets have at most 1400 bytes, and the loopback device that MTU."""
    c = h.left.client()
    got = c.call("open", ip=HOST, options={
        "sctp_peer_addr_params": {"pathmtu": 1400, "flags": ["pmtud_disable"]}})
    c.call("listen", sock=got["sock"])
    with raw(h, got["port"]) as peer, loopback(mtu):
        try:
            peer.s.setsockopt(UDP, UDP_GRO, 1)
        except OSError as e:
            raise Skip(f"this kernel joins no UDP packets: {e}") from e
        peer.come()
        up = recv(c, got["sock"], "sctp_assoc_change", state="comm_up")
        found = pieces(peer, c, got["sock"], up["assoc_id"])
        peer.send(rawpeer.chunk(rawpeer.ABORT))
        recv(c, got["sock"], "sctp_assoc_change", state="comm_lost")
    return found


@contextlib.contextmanager
def loopback(mtu):
    with open("/sys/class/net/lo/mtu", encoding="ascii") as f:
        before = f.read().strip()
    subprocess.run(["ip", "link", "set", "lo", "mtu", str(mtu)], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "link", "set", "lo", "mtu", before], check=True)


def test_packets_of_one_length_go_out_joined(h):
    assert max(joins(h, 65536)) > 1


def test_where_the_kernel_refuses_to_take_them_apart_they_go_one_by_one(h):
    """The packets are longer than the MTU: the kernel takes them as fragments only."""
    assert max(joins(h, 1300)) == 1
