# SPDX-License-Identifier: BSD-2-Clause
"""sctp_remote_error: an ERROR chunk, put on the wire by hand as the peer would."""
import socket
import struct

from check import nothing, recv, recv_data, send, setopt
from harness import SLOW, associate
from rpc import WAIT

SCTP = 132
UNRECOGNIZED_PARAMETERS = 8


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


class Wire:
    """What goes over the loopback between two ports."""

    def __init__(self):
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, SCTP)
        self.raw.settimeout(WAIT * SLOW)

    def tag(self, source, target):
        """The verification tag of the packets from one port to another."""
        while True:
            packet = self.raw.recv(65536)
            header = packet[(packet[0] & 15) * 4:]
            ports = struct.unpack(">HH", header[:4])
            if ports == (source, target) and header[12] == 0:   # DATA
                return header[4:8]

    def put(self, source, target, tag, chunk):
        head = struct.pack(">HH4s", source, target, tag)
        crc = struct.pack("<I", crc32c(head + bytes(4) + chunk))
        self.raw.sendto(head + crc + chunk, ("127.0.0.1", 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


def error_chunk(cause, info):
    body = struct.pack(">HH", cause, 4 + len(info)) + info
    return struct.pack(">BBH", 9, 0, 4 + len(body)) + body + bytes(-len(body) % 4)


def from_the_peer(c, wire, there, here, here_id, chunk):
    """A chunk for there, as its peer would send it."""
    ports = c.call("port", sock=here)["port"], c.call("port", sock=there)["port"]
    send(c, here, here_id, b"x")
    wire.put(*ports, wire.tag(*ports), chunk)


def test_it_has_the_cause_in_host_order_and_its_bytes(d):
    c = d.client()
    with Wire() as wire:
        there, there_id, here, here_id = associate(c)
        from_the_peer(c, wire, there, here, here_id, error_chunk(UNRECOGNIZED_PARAMETERS, b"what\x01"))
        assert recv_data(c, there) == b"x"
        got = recv(c, there, "sctp_remote_error", error=UNRECOGNIZED_PARAMETERS, assoc_id=there_id)
        assert set(got) == {"event", "sock", "from", "error", "assoc_id", "data"}
        assert got["data"].rstrip(b"\0").endswith(b"what\x01"), got
        assert got["from"] == {"addr": "127.0.0.1", "port": c.call("port", sock=here)["port"]}
        assert c.call("error_string", error=got["error"])["text"] == "Unrecognized Parameters"
        send(c, here, here_id, b"it goes on")
        assert recv_data(c, there) == b"it goes on"


def test_it_comes_not_when_it_is_not_wanted(d):
    c = d.client()
    with Wire() as wire:
        there, there_id, here, here_id = associate(c)
        setopt(c, there, sctp_events={"peer_error_event": False})
        from_the_peer(c, wire, there, here, here_id, error_chunk(UNRECOGNIZED_PARAMETERS, b"what"))
        send(c, here, here_id, b"y")
        assert [recv_data(c, there) for _ in range(2)] == [b"x", b"y"] and nothing(c, there)


def test_an_active_socket_is_sent_it(d):
    c = d.client()
    with Wire() as wire:
        there, there_id, here, here_id = associate(c)
        setopt(c, there, active=2)
        from_the_peer(c, wire, there, here, here_id, error_chunk(1, struct.pack(">HH", 9, 0)))
        assert c.event("data")["data"] == b"x"
        assert c.event("sctp_remote_error")["error"] == 1
        assert c.event() == ("sctp_passive", {"sock": there})
