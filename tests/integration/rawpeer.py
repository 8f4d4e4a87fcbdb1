# SPDX-License-Identifier: BSD-2-Clause
"""A peer of a userland stack that sends what it is told to, chunk by chunk:
SCTP in UDP without a stack."""
import struct

from relay import HOST, signed, udp
from rpc import WAIT

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK = range(9)
ERROR, COOKIE_ECHO, COOKIE_ACK = 9, 10, 11
COOKIE = 7          # of INIT ACK, a parameter
TAG, TSN = 0x11223344, 1000


def chunk(kind, body=b"", flags=0):
    return struct.pack(">BBH", kind, flags, 4 + len(body)) + body + bytes(-len(body) % 4)


def init(tag=TAG):
    return chunk(INIT, struct.pack(">IIHHI", tag, 65536, 10, 10, TSN))


def data(number, payload=b"x", tsn=None):
    """The number-th message of stream 0, in a chunk of its own."""
    tsn = TSN + number if tsn is None else tsn
    return chunk(DATA, struct.pack(">IHHI", tsn, 0, number, 0) + payload, 3)


def piece(number, payload):
    """The number-th piece of the first message of stream 0, which has no last one."""
    return chunk(DATA, struct.pack(">IHHI", TSN + number, 0, 0, 0) + payload, 2 if number == 0 else 0)


class Sack:
    def __init__(self, packet):
        self.cumulative, _, self.gaps, self.duplicates = struct.unpack(">IIHH", packet[16:28])


class RawPeer:
    """One at a UDP port of its own; `to` is the stack's, and port a listener's."""

    def __init__(self, to, port, host=HOST):
        self.s = udp(host=host)
        self.s.settimeout(WAIT)
        self.to, self.port = (HOST, to), port
        self.tag, self.tsn, self.cookie = 0, 0, b""     # the other's

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    @property
    def udp_port(self):
        return self.s.getsockname()[1]

    def send(self, what, tag=None):
        head = struct.pack(">HHII", 5000, self.port, self.tag if tag is None else tag, 0)
        self.s.sendto(signed(head + what), self.to)

    def recv(self, *kinds):
        """The next packet, whose first chunk must be one of these."""
        packet = self.s.recv(65536)
        assert packet[12] in kinds, (packet[12], kinds)
        return packet

    def until(self, kind):
        """Take what comes, up to a packet that begins with such a chunk."""
        while (packet := self.s.recv(65536))[12] != kind:
            pass
        return packet

    def begin(self, tag=TAG):
        """INIT, and the cookie that answers it."""
        self.send(init(tag), 0)
        packet = self.until(INIT_ACK)
        self.tag = int.from_bytes(packet[16:20], "big")
        self.tsn = int.from_bytes(packet[28:32], "big")
        at, end = 32, len(packet)
        while at < end:
            kind, length = struct.unpack(">HH", packet[at:at + 4])
            if kind == COOKIE:
                self.cookie = packet[at + 4:at + length]
            at += length + -length % 4

    def echo(self):
        self.send(chunk(COOKIE_ECHO, self.cookie))

    def come(self, tag=TAG):
        """Associate."""
        self.begin(tag)
        self.echo()
        self.until(COOKIE_ACK)

    def sacks(self, between):
        """What this makes the stack send before it answers a heartbeat."""
        between()
        self.send(chunk(HEARTBEAT, struct.pack(">HH", 1, 4)))
        found = []
        while (packet := self.recv(SACK, HEARTBEAT_ACK))[12] == SACK:
            found.append(Sack(packet))
        return found
