# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl tap: what tshark makes of it, without any option; what is selected, dropped and
refused; files; and Wireshark's extcap."""
import json
import mmap
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import msgpack

import outside
from check import code, recv_data, refusal, send
from harness import ROOT, SLOW, Daemon, Skip, associate, wait_for
from hosts import Program
from rpc import WAIT
from test_cli import SCTPCTL, run, spawn
from test_privilege import ALICE, BOB, client

# M3UA ASPUP (RFC 4666 3.5.1); NGSetupRequest and S1SetupRequest (3GPP TS 38.413, 36.413);
# Capabilities-Exchange-Request (RFC 6733 5.3.1).
M3UA = bytes.fromhex("0100030100000008")
NGAP = bytes.fromhex("00150035000004001b00080002f83910454647005240090300667265653567630066001000000000010002f83900"
                     "0010080102030015400140")
S1AP = bytes.fromhex("0011002d000004003b00080000f110000019b0003c400a0380737273656e623031004000070000004000f11000"
                     "89400140")
DIAMETER = bytes.fromhex("0100006c80000101000000000000000100000001000001084000001a636c69656e742e6578616d706c652e636f"
                         "6d000000000128400000136578616d706c652e636f6d00000001014000000e00010a00000100000000010a4000"
                         "000c000000000000010d0000000c74657374")
PROTOCOLS = ((3, M3UA, "m3ua"), (60, NGAP, "ngap"), (18, S1AP, "s1ap"), (46, DIAMETER, "diameter"))
SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6


def start(**config):
    return Daemon(socket_mode="0666", tap_users="1001", **config)


def blocks(data):
    """(type, body) of each block; there is nothing else."""
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert length % 4 == 0 and struct.unpack_from("<I", data, length - 4)[0] == length, data[:64]
        yield kind, data[8:length - 4]
        data = data[length:]


def options(data):
    found = {}
    while data:
        number, length = struct.unpack_from("<HH", data)
        found[number] = data[4:4 + length]
        data = data[4 + (length + 3) // 4 * 4:]
    return found


def messages(data):
    """(is it sent, PPID, stream, bytes) of each message, of its packets together."""
    found, parts = [], b""
    for kind, body in blocks(data):
        if kind != PACKET:
            continue
        there, all_of_it = struct.unpack_from("<II", body, 12)
        packet, flags = body[20:20 + there], options(body[20 + (there + 3) // 4 * 4:])[2]
        at = 40 if packet[0] >> 4 == 6 else 20
        chunk = packet[at + 12:]
        bits, length, _, stream, _, ppid = struct.unpack_from(">xBHIHHI", chunk)
        assert chunk[0] == 0 and (there == all_of_it) == (len(chunk) >= length), packet[:80]
        parts = (b"" if bits & 2 else parts) + chunk[16:length]
        if bits & 1:
            found.append((flags[0] & 3 == 2, ppid, stream, parts))
    return found


def tshark(data, *fields):
    """The fields of each packet, by a tshark that gets no other option."""
    if not shutil.which("tshark"):
        raise Skip("tshark is not installed: run tests/deps.sh check")
    done = outside.run(["tshark", "-r", "-", "-T", "fields", *(w for f in fields for w in ("-e", f))], data, 6 * WAIT * SLOW)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


class Tap:
    """sctpctl tap that has begun, and what it wrote."""

    def __init__(self, d, *args):
        self.dir = tempfile.mkdtemp()
        self.path = os.path.join(self.dir, "tap")
        self.process = spawn(d, "tap", "-w", self.path, *args)
        assert "tapping" in self.process.stderr.readline()

    def wrote(self, byte):
        """How often it is in the files."""
        n = 0
        for name in os.listdir(self.dir):
            with open(os.path.join(self.dir, name), "rb") as f:
                n += f.read().count(byte)
        return n

    def end(self, interrupt=True):
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        err = self.process.communicate(None, WAIT * SLOW)[1]
        assert self.process.returncode == 0, (self.process.returncode, err)
        files = {}
        for name in sorted(os.listdir(self.dir)):
            with open(os.path.join(self.dir, name), "rb") as f:
                files[name] = f.read()
        shutil.rmtree(self.dir)
        return files


def say(c, sock, assoc_id, data, ppid=0, stream=0):
    c.call("send", sock=sock, data=data, sctp_sndrcvinfo={"assoc_id": assoc_id, "ppid": ppid, "stream": stream})


def test_tshark_knows_the_protocols(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    tap = Tap(d)
    for ppid, data, _ in PROTOCOLS:
        say(c, here, here_up, data, ppid, 1)
        assert recv_data(c, there) == data
        say(c, there, up, data, ppid, 2)
        assert recv_data(c, here) == data
    data = tap.end()["tap"]
    want = [(sent, ppid, stream, m) for ppid, m, _ in PROTOCOLS
            for sent, stream in ((True, 1), (False, 1), (True, 2), (False, 2))]
    assert messages(data) == want, (messages(data), want)
    rows = tshark(data, "frame.protocols", "ip.src", "sctp.srcport", "sctp.data_sid", "frame.comment")
    port = next(s["port"] for s in c.call("sockets")["sockets"] if s["sock"] == there)
    assert [r[0].split(":")[3] for r in rows] == [name for *_, name in PROTOCOLS for _ in range(4)], rows
    assert {r[1] for r in rows} == {"127.0.0.1"} and {int(r[2]) for r in rows[2::4] + rows[3::4]} == {port}, rows
    assert rows[0][4].startswith(f"sock={here} assoc_id={here_up} client=") and rows[0][4].endswith("name=tester"), rows


def test_tshark_joins_long_messages(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    tap = Tap(d)
    long = (b"\1" + (200020).to_bytes(3, "big") + DIAMETER[4:20] + (263).to_bytes(4, "big") + b"\0" +
            (200000).to_bytes(3, "big") + bytes(199992))
    sent = [long, M3UA, bytes(range(256)) * 1000]
    for data in sent:
        say(c, here, here_up, data, 46 if data is long else 3)
        assert recv_data(c, there) == data
    data = tap.end()["tap"]
    assert [m for *_, m in messages(data)] == [m for m in sent for _ in range(2)]
    last = tshark(data, "frame.protocols", "diameter.length")[3]
    assert last[0].endswith("diameter") and last[1] == "200020", last


def test_as_text_and_json(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    text, js = spawn(d, "tap", "-v", "-c", 2), spawn(d, "tap", "--json", "-v", "--count", 2)
    for p in text, js:
        p.stderr.readline()
    say(c, here, here_up, bytes(100000), 3, 5)
    recv_data(c, there)
    out = text.communicate(None, WAIT * SLOW)[0].splitlines()
    one, two = map(json.loads, js.communicate(None, WAIT * SLOW)[0].splitlines())
    assert f"sock {here} assoc {here_up} client " in out[0] and " out 127.0.0.1:" in out[0], out
    assert " in  127.0.0.1:" in out[1] and out[1].endswith(" (tester) stream 5 ppid m3ua length 100000"), out
    assert (one["direction"], one["sock"], one["assoc_id"]) == ("sent", here, here_up), one
    assert (two["direction"], two["sock"], two["assoc_id"]) == ("received", there, up), two
    for m in one, two:
        assert (m["stream"], m["ppid"], m["length"], bytes.fromhex(m["data"])) == (5, 3, 100000, bytes(100000)), m
        assert m["name"] == "tester" and m["from"]["addr"] == "127.0.0.1", m


def test_a_name_does_not_stand_for_what_sctpd_says(d):
    c = d.client("a length=4000000000 sock=1")
    there, _, here, here_up = associate(c)
    p = spawn(d, "tap", "-v", "-c", 2)
    p.stderr.readline()
    say(c, here, here_up, b"seen", 3, 5)
    recv_data(c, there)
    for line in p.communicate(None, WAIT * SLOW)[0].splitlines():
        assert line.endswith(" (a length=4000000000 sock=1) stream 5 ppid m3ua length 4"), line


def test_what_is_selected(d):
    c, other = d.client("tester"), d.client("other")
    there, up, here, here_up = associate(c, to=other)
    _, _, here2, here2_up = associate(c)
    port = next(s["port"] for s in c.call("sockets")["sockets"] if s["sock"] == there)
    taps = {"sock": Tap(d, "--sock", here2), "assoc": Tap(d, "--assoc", up), "client": Tap(d, "--client", other.id),
            "peer": Tap(d, "--peer", f"127.0.0.1:{port}"), "nobody": Tap(d, "--peer", "10.9.8.7"),
            "ppid": Tap(d, "--ppid", "m3ua"), "snap": Tap(d, "--snap", 3, "--ppid", 7)}
    say(c, here, here_up, b"first", 3)
    recv_data(other, there)
    say(c, here2, here2_up, b"second", 7)
    recv_data(c, associate_listener(c, here, here2))
    got = {name: tap.end()["tap"] for name, tap in taps.items()}
    assert [m for *_, m in messages(got["sock"])] == [b"second"]
    assert messages(got["assoc"]) == messages(got["client"]) == [(False, 3, 0, b"first")]
    assert messages(got["peer"]) == [(True, 3, 0, b"first")] and messages(got["nobody"]) == []
    assert [m for *_, m in messages(got["ppid"])] == [b"first"] * 2
    assert [m for *_, m in messages(got["snap"])] == [b"sec"] * 2
    assert {tuple(r) for r in tshark(got["snap"], "frame.cap_len", "frame.len")} == {("51", "56")}


def associate_listener(c, *others):
    """The caller's socket that is none of these."""
    mine = c.call("hello")["client"]
    return next(s["sock"] for s in c.call("sockets")["sockets"] if s["owner"] == mine and s["sock"] not in others)


def test_files_in_turn(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    tap = Tap(d, "-C", 1, "-W", 2, "--client", c.id)
    for n in range(200, 207):
        say(c, here, here_up, bytes([n]) * 200000, 3)
        recv_data(c, there)
        wait_for(lambda: tap.wrote(bytes([n])) >= 2 * 200000)       # a tap that nobody reads leaves messages out
    files = tap.end()
    assert sorted(files) == ["tap0", "tap1"], sorted(files)
    for data in files.values():
        assert [kind for kind, _ in blocks(data)][:2] == [SECTION, INTERFACE] and len(data) < 1300000
    numbers = [m[3][0] for name in ("tap1", "tap0") for m in messages(files[name])]
    assert numbers == sorted(numbers) and numbers[-1] == 206, numbers
    assert run(d, "tap", "-W", 2, "-w", "x")[0] == 2 and run(d, "tap", "-C", 1)[0] == 2


def test_a_file_is_written_when_nobody_else_needs_the_processor(d):
    for args, priority in ((), 19), (("--nice", 3), 3):
        tap = Tap(d, *args)
        assert os.getpriority(os.PRIO_PROCESS, tap.process.pid) == priority
        tap.end()
    code, _, err = run(d, "tap", "--nice", 3)
    assert code == 2 and "--nice goes with -w FILE" in err, err
    code, _, err = run(d, "tap", "-w", "x", "--nice", 20)
    assert code == 2 and "from 0 to 19" in err, err


def test_no_page_of_the_ring_is_new_to_a_message(d):
    c = d.client("tester")
    there, _, here, here_up = associate(c)
    tap = Tap(d)

    def faults():
        with open(f"/proc/{d.process.pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[7])
    before = faults()
    for _ in range(300):
        say(c, here, here_up, bytes([77]) * 4000, 3)
        recv_data(c, there)
    assert faults() - before < 300, "a fault for each page of 2.4 MB"
    wait_for(lambda: tap.wrote(bytes([77])) >= 2 * 300 * 4000)
    tap.end()


def test_a_tap_that_is_not_read_stops_nobody(d):
    c, t = d.client("tester"), d.client("tap")
    there, up, here, here_up = associate(c)
    assert t.call("tap") == {}
    data = bytes(60000)
    sent = 0
    while sent < 200:       # 24 MB both ways, of which 1.3 MB and what the Unix socket takes find room
        send(c, here, here_up, data)
        assert recv_data(c, there) == data
        sent += 1
    t.answers.clear()
    last = t.request("tap", on=False)
    end = t.answer(last)
    events = [e for _, e in t.events]
    assert 0 < end["dropped"] < end["messages"] == 2 * sent, end
    written = b"".join(e["pcapng"] for e in events)
    assert len(messages(written)) == end["messages"] - end["dropped"], end
    assert max(e.get("dropped", 0) for e in events) == end["dropped"]
    said = [options(body[12:]) for kind, body in blocks(written) if kind == STATISTICS]
    assert struct.unpack("<Q", said[-1][5])[0] == end["dropped"], said
    assert sum(int(s[1].split()[0]) for s in said) == end["dropped"] and b"messages are missing here" in said[0][1], said
    assert tshark(written, "frame.number")[-1] == [str(sum(kind == PACKET for kind, _ in blocks(written)))]


def test_who_may_tap(d):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    alice, bob = client(d, ALICE), client(d, BOB)
    assert alice.call("tap") == {} and alice.call("tap", on=False) == {}
    assert refusal(bob, "tap").startswith("eacces: tap: you are user 1002, and tap_users in sctpd.conf does not name you")
    assert bob.call("tap", on=False) == {}


def test_the_log_says_who_taps(d):
    c = d.client("curious")
    who = f'client {c.id} "curious" (user {os.getuid()}, process {os.getpid()})'
    c.call("tap", addr="127.0.0.1", port=2905, ppid=3, snap=64)
    wait_for(lambda: f"tap: {who} taps all messages with 127.0.0.1 with port 2905 with PPID 3, 64 bytes of each\n" in d.log_text())
    c.call("tap")
    wait_for(lambda: f"tap: {who} taps all messages\n" in d.log_text())
    ended = f"tap: {who} taps no more, messages=0 dropped=0\n"
    assert d.log_text().count(ended) == 1
    c.close()               # the end of the connection says so, too
    wait_for(lambda: d.log_text().count(ended) == 2)


def test_some_taps_are_for_root(_):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    d = Daemon(socket_mode="0666", tap_users="all")
    try:
        mine = [client(d, ALICE) for _ in range(4)]
        assert [c.call("tap") for c in mine] == [{}] * 4
        assert refusal(client(d, ALICE), "tap").startswith(
            f"limit: tap: user {ALICE} has 4 taps already, and that is the most of one user")
        assert mine[0].call("tap", ppid=3) == {}        # another one instead
        others = [client(d, BOB + n % 2) for n in range(8)]
        assert [c.call("tap") for c in others] == [{}] * 8
        assert refusal(client(d, BOB + 2), "tap").startswith(
            "limit: tap: there are 12 taps already, and that is the most for users other than root")
        assert [d.client().call("tap") for _ in range(4)] == [{}] * 4
        assert refusal(d.client(), "tap").startswith("limit: tap: there are 16 taps already, and that is the most;")
    finally:
        d.stop()


def test_a_user_who_may_not_tap_any_more_has_no_tap(_):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    d = start()
    try:
        alice = client(d, ALICE)
        alice.call("tap")
        p = spawn(d, "tap", "-v", "-c", 1)      # root may always
        p.stderr.readline()
        with open(os.path.join(d.dir, "conf"), "r+", encoding="ascii") as f:
            text = f.read().replace("tap_users = 1001", "tap_users = 1002")
            f.seek(0)
            f.write(text)
        d.process.send_signal(signal.SIGHUP)
        assert alice.event("error", method="tap")["error"].startswith("eacces: the tap was ended: tap_users")
        c = d.client()
        there, _, here, here_up = associate(c)
        say(c, here, here_up, b"for root", 3, 5)
        recv_data(c, there)
        assert p.communicate(None, WAIT * SLOW)[0].endswith(" length 8\n")
        assert alice.call("tap", on=False) == {}
        alice.quiet(0)
        assert all(b"for root" not in fields["pcapng"] for name, fields in alice.events if name == "tap")
    finally:
        d.stop()


class Ring:
    """A reader of proto/tapring.h, without libsctpd."""

    def __init__(self, d, size):
        self.sock, self.size = socket.socket(socket.AF_UNIX), size
        self.sock.settimeout(WAIT * SLOW)
        self.sock.connect(d.path)
        self.sock.sendall(msgpack.packb([0, 1, "tap", [{"ring": size}]]))
        data, (self.fd,), _, _ = socket.recv_fds(self.sock, 65536, 1)
        self.unpacker = msgpack.Unpacker()
        self.unpacker.feed(data)
        self.mem = mmap.mmap(self.fd, 4096 + size)
        self.tail, self.read = 0, b""

    def next(self):
        for message in self.unpacker:
            return message
        self.unpacker.feed(self.sock.recv(65536))
        return self.next()

    def drain(self):
        """Everything that is there, to the last head."""
        while (head := struct.unpack_from("Q", self.mem, 0)[0]) != self.tail:
            at, n = self.tail % self.size, head - self.tail
            piece = self.mem[4096 + at:4096 + min(self.size, at + n)]
            self.read += piece
            self.tail += len(piece)
            struct.pack_into("Q", self.mem, 64, self.tail)

    def close(self):
        self.mem.close()
        os.close(self.fd)
        self.sock.close()


def test_a_ring_of_ones_own(d):
    c = d.client("tester")
    there, _, here, here_up = associate(c)
    ring = Ring(d, 65536)
    assert ring.next() == [1, 1, None, {"ring": 65536}]
    try:
        os.ftruncate(ring.fd, 0)            # under the daemon
        raise AssertionError("the ring can be made shorter")
    except PermissionError:
        pass
    for n in range(150):                    # more than the ring holds, and around its end
        say(c, here, here_up, bytes([n]) * 333, 3)
        recv_data(c, there)
        ring.drain()
        while len(messages(ring.read)) < 2 * n + 2:
            assert ring.next()[:2] == [2, "tap"]
            ring.drain()
    assert [m for *_, m in messages(ring.read)] == [bytes([n]) * 333 for n in range(150) for _ in range(2)]
    assert tshark(ring.read, "frame.number")[-1] == ["300"]
    for tail in 1 << 63, 0:                 # a lie makes it full, and no more
        struct.pack_into("Q", ring.mem, 64, tail)
        for _ in range(200):
            say(c, here, here_up, bytes(1000), 3)
            recv_data(c, there)
    ring.sock.sendall(msgpack.packb([0, 2, "tap", [{"on": False}]]))
    while (answer := ring.next())[:2] != [1, 2]:
        assert answer[:2] == [2, "tap"], answer
    assert answer[3]["messages"] == 1100 and answer[3]["dropped"] >= 700, answer
    assert struct.unpack_from("QQ", ring.mem, 8) == (answer[3]["messages"], answer[3]["dropped"])
    ring.close()


def test_what_a_ring_refuses(d):
    c = d.client("tester")
    for size in 0, 1, 65535, 65537, 3 << 16, 1 << 23:
        assert refusal(c, "tap", ring=size).startswith(f"badarg: ring: {size} is no power of two from 65536 to 4194304")
    c.notify("tap", ring=65536)
    assert c.event("error", method="tap")["error"].startswith("einval: ring: a notification has no answer")
    assert c.call("tap", on=False) == {}


def test_what_a_tap_refuses(d):
    c = d.client("tester")
    assert refusal(c, "tap", addr="nonsense").startswith("badarg: addr: ")
    session = d.client()
    session.call("hello", resume=True)
    assert code(session, "tap") == "einval"
    c.call("tap")
    assert code(c, "hello", resume=True) == "einval"
    more = [d.client() for _ in range(15)]
    for m in more:
        m.call("tap", snap=1)
    assert code(d.client(), "tap") == "limit"
    c.call("tap", on=False)
    last = d.client()
    last.call("tap")
    last.close()            # the end of a connection ends its tap
    wait_for(lambda: d.client().call("tap", sock=1) == {})


def test_extcap_as_wireshark_calls_it(d):
    c = d.client("tester")
    there, up, here, here_up = associate(c)
    extcap = os.path.join(ROOT, "client-lib", "sctpctl", "sctpd-extcap")
    env = {**os.environ, "SCTPD_SOCKET": d.path, "SCTPCTL": SCTPCTL}

    def ask(*args):
        return subprocess.run([extcap, *args], env=env, text=True, capture_output=True, timeout=WAIT * SLOW, check=True).stdout

    assert "interface {value=sctpd}" in ask("--extcap-interfaces")
    assert "dlt {number=101}" in ask("--extcap-dlts", "--extcap-interface", "sctpd")
    assert "{call=--peer}" in ask("--extcap-config", "--extcap-interface", "sctpd")
    with tempfile.TemporaryDirectory() as where:
        fifo = os.path.join(where, "fifo")
        os.mkfifo(fifo)
        p = subprocess.Popen([extcap, "--capture", "--extcap-interface", "sctpd", "--fifo", fifo, "--ppid", "ngap"],
                             env=env, stderr=subprocess.PIPE, text=True)
        with open(fifo, "rb") as f:
            assert "tapping" in p.stderr.readline()
            assert select.select([f], [], [], WAIT * SLOW)[0], "the head of the file waits for a message"
            for ppid, data in (3, M3UA), (60, NGAP):
                say(c, here, here_up, data, ppid)
                recv_data(c, there)
            got = b""
            while len(messages(got)) < 2:
                assert select.select([f], [], [], WAIT * SLOW)[0], "nothing comes"
                got += os.read(f.fileno(), 65536)
        assert p.wait(WAIT * SLOW) == 0     # as nobody reads any more
    assert [m for *_, m in messages(got)] == [NGAP] * 2


BEAT = bytes.fromhex("0100030300000010000900086c6f6c21")
ASPUP_ACK, BEAT_ACK, ERROR = b"\3\4", b"\3\6", b"\0\0"
STP = """
log stderr
cs7 instance 0
 xua rkm routing-key-allocation dynamic-permitted
 listen m3ua 2905
  accept-asp-connections dynamic-permitted
  local-ip 127.0.0.1
"""


def test_osmo_stp_is_the_peer(d):
    """It answers ASPUP and BEAT, and says ERROR to what is not M3UA of version 1."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as f:
        f.write(STP)
        f.flush()
        stp = Program("osmo-stp", "-c", f.name)
        c = d.client("asp")
        sock = c.call("open", ip="127.0.0.1")["sock"]
        wait_for(lambda: " 2905 " in d.kernel("eps"))
        assoc = c.call("connect", sock=sock, addr="127.0.0.1", port=2905, timeout=WAIT * 1000)["assoc_id"]
        tap = Tap(d)
        sent, got = [M3UA, BEAT, b"\2" + BEAT[1:]], []
        for data, answer in zip(sent, (ASPUP_ACK, BEAT_ACK, ERROR)):
            say(c, sock, assoc, data, 3)
            while not got or got[-1][2:4] != answer:
                got.append(recv_data(c, sock))
        data = tap.end()["tap"]
        stp.process.kill()
        stp.process.wait()
    assert [m for out, *_, m in messages(data) if out] == sent
    assert [m for out, *_, m in messages(data) if not out] == got
    rows = tshark(data, "frame.protocols", "m3ua.message_class", "m3ua.message_type")
    assert len(rows) == len(sent) + len(got) and {r[0].split(":")[3] for r in rows} == {"m3ua"}, rows
