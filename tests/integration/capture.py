# SPDX-License-Identifier: BSD-2-Clause
"""What is on the wire, decoded by tshark.

    with Capture("left") as capture:
        ...
    rows = capture.fields("sctp.chunk_type", "sctp.data_i_bit", only="sctp.chunk_type == 0")

A packet socket is bound to all devices of a network namespace, so the kernel
captures from the moment at which __enter__ returns, and what was sent before
__exit__ is in the socket's queue: nothing has to be waited for at either end.
For an event that comes later there is wait(), and for the times of packets times(): these read chunk types by
themselves, since tshark takes a while to start; everything else is tshark's word. A capture that lost a packet fails."""
import contextlib
import ctypes
import json
import select
import shutil
import socket
import struct
import time

import outside
from harness import SLOW, Skip
from rpc import WAIT

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 0x0003, 0x0800, 0x86dd
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
ROOM = 64 << 20
LINKTYPE_RAW = 101
LIBC = ctypes.CDLL(None, use_errno=True)

# Chunk types, RFC 9260 and the RFCs after it.
DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = range(8)
ERROR, COOKIE_ECHO, COOKIE_ACK = 9, 10, 11
AUTH, I_DATA, ASCONF_ACK, RE_CONFIG, PAD, FORWARD_TSN, ASCONF, I_FORWARD_TSN = \
    15, 64, 128, 130, 132, 192, 193, 194


@contextlib.contextmanager
def inside(netns):
    """This thread is in that network namespace meanwhile."""
    def enter(path):
        with open(path, encoding="ascii") as f:
            if LIBC.setns(f.fileno(), CLONE_NEWNET) == -1:
                raise OSError(ctypes.get_errno(), "setns", path)
    with open("/proc/thread-self/ns/net", encoding="ascii") as home:
        enter(f"/run/netns/{netns}")
        try:
            yield
        finally:
            if LIBC.setns(home.fileno(), CLONE_NEWNET) == -1:
                raise OSError(ctypes.get_errno(), "setns back")


def packet_socket(netns):
    with inside(netns) if netns else contextlib.nullcontext():
        return socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))


def sctp_of(packet, udp):
    """The SCTP packet in an IP packet, b"" if there is none; udp is the port for SCTP over UDP."""
    four = packet[0] >> 4 == 4
    protocol, head = (packet[9], (packet[0] & 15) * 4) if four else (packet[6], 40)
    if protocol == 17 and udp in struct.unpack_from("!HH", packet, head):
        return packet[head + 8:]
    return packet[head:] if protocol == socket.IPPROTO_SCTP else b""


def chunk_types(sctp):
    at = 12
    while at + 4 <= len(sctp):
        kind, _, size = struct.unpack_from("!BBH", sctp, at)
        yield kind
        at += max(size + 3 & ~3, 4)


class Capture:
    """All IP packets of a namespace (None: the one that this process is in).
    With udp, that UDP port carries SCTP: the userland stack's, for instance."""

    def __init__(self, netns=None, udp=None):
        if not shutil.which("tshark"):
            raise Skip("tshark is not installed: run tests/deps.sh check")
        self.udp = udp
        self.packets = []  # (seconds, bytes from the IP header on), in order
        try:
            self.socket = packet_socket(netns)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        except PermissionError as e:
            raise Skip(f"no packet socket here: {e}") from e
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drain()
        lost = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        self.socket.close()
        self.socket = None
        assert lost == 0, f"the capture lost {lost} packets"

    def drain(self):
        """Take what there is now."""
        while self.socket:
            try:
                packet, control, _, where = self.socket.recvmsg(1 << 17, 64)
            except BlockingIOError:
                return
            # On the loopback device each packet goes out and comes in: take it once.
            once = where[2] != socket.PACKET_OUTGOING or where[0] != "lo"
            if once and where[1] in (ETH_P_IP, ETH_P_IPV6):
                seconds, ns = struct.unpack("qq", control[0][2])
                self.packets.append((seconds + ns / 1e9, packet))

    def count(self, kind):
        """How many chunks of this type there were so far."""
        self.drain()
        return sum(list(chunk_types(sctp_of(packet, self.udp))).count(kind)
                   for _, packet in self.packets)

    def times(self, kind, to):
        """When each packet with such a chunk was sent to that IPv4 address."""
        return [at for at, packet in self.packets
                if packet[16:20] == socket.inet_aton(to) and kind in chunk_types(sctp_of(packet, self.udp))]

    def wait(self, kind, n=1):
        """Until there were n chunks of this type."""
        deadline = time.monotonic() + WAIT * SLOW
        while self.count(kind) < n:
            left = deadline - time.monotonic()
            assert left > 0, f"{self.count(kind)} chunks of type {kind}, not {n}"
            select.select([self.socket], [], [], left)

    def file(self):
        """The packets as a file that tshark reads."""
        packets = (struct.pack("=IIII", int(at), int(at % 1 * 1e9), len(packet), len(packet)) + packet for at, packet in self.packets)
        return struct.pack("=IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 1 << 17, LINKTYPE_RAW) + b"".join(packets)

    def tshark(self, *args):
        ports = ["-d", f"udp.port=={self.udp},sctp"] if self.udp else []
        done = outside.run(["tshark", "-n", "-r", "-", *ports, *args], self.file(), WAIT * SLOW)
        assert done.returncode == 0, f"tshark: {done.stderr}"
        return done.stdout.decode()

    def fields(self, *names, only="sctp"):
        """One row for each packet that the display filter lets through: of each
        field a list of its values, in order, because a packet has several chunks.
        tshark -G fields lists them; frame.time_epoch is when."""
        args = [arg for name in names for arg in ("-e", name)]
        text = self.tshark("-Y", only, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", *args)
        return [[value.split("|") if value else [] for value in line.split("\t")]
                for line in text.split("\n")[:-1]]

    def decode(self, only="sctp"):
        """The packets that the display filter lets through: of each the layers, as tshark -T json has them."""
        text = self.tshark("-Y", only, "-T", "json", "--no-duplicate-keys")
        return [packet["_source"]["layers"] for packet in json.loads(text or "[]")]
