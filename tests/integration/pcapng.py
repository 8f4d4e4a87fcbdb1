# SPDX-License-Identifier: BSD-2-Clause
"""The sections of a pcapng file that sctpd wrote, read without any program."""
import struct
from collections import namedtuple

SECTION, INTERFACE, PACKET, JOURNAL = 0x0a0d0d0a, 1, 6, 9
IPV4, SCTP, CHUNK = 20, 12, 16

Section = namedtuple("Section", "comment messages entries")
Message = namedtuple("Message", "time sent ports stream ppid data comment")
Entry = namedtuple("Entry", "time text")


def options(body):
    got = {}
    while len(body) >= 4:
        code, length = struct.unpack("<HH", body[:4])
        got[code] = body[4:4 + length]
        body = body[4 + length + -length % 4:]
    return got


def message(body):
    _, high, low, length, whole = struct.unpack("<5I", body[:20])
    assert length == whole
    packet, rest = body[20:20 + length], options(body[20 + length + -length % 4:])
    assert packet[0] == 0x45 and packet[9] == 132 and sum(struct.unpack(">10H", packet[:IPV4])) % 0xffff == 0
    sctp = packet[IPV4:]
    kind, flags, size, _, stream, _, ppid = struct.unpack(">BBHIHHI", sctp[SCTP:SCTP + CHUNK])
    assert kind == 0 and flags & 3 == 3
    return Message(high << 32 | low, rest[2] == b"\2\0\0\0", struct.unpack(">HH", sctp[:4]), stream, ppid,
                   sctp[SCTP + CHUNK:SCTP + size], rest.get(1, b"").decode())


def entry(body):
    fields = dict(line.split("=", 1) for line in body.rstrip(b"\0").decode().splitlines())
    assert fields["SYSLOG_IDENTIFIER"] == "sctpd"
    return Entry(int(fields["__REALTIME_TIMESTAMP"]), fields["MESSAGE"])


def sections(data):
    found = []
    while data:
        kind, length = struct.unpack("<II", data[:8])
        assert struct.unpack("<I", data[length - 4:length]) == (length,)
        body, data = data[8:length - 4], data[length:]
        if kind == SECTION:
            found.append(Section(options(body[16:])[1].decode(), [], []))
        elif kind == PACKET:
            found[-1].messages.append(message(body))
        elif kind == JOURNAL:
            found[-1].entries.append(entry(body))
        else:
            assert kind == INTERFACE and struct.unpack("<H", body[:2]) == (101,)
    return found


def texts(section):
    return [e.text for e in section.entries]
