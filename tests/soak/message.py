# SPDX-License-Identifier: BSD-2-Clause
"""Numbered messages. All of one follows from who sends it, on which
association and stream, and from its number there: length and content. So the
receiver compares what came with what must come, also where it is so short
that no number fits into it."""
import random
import struct
import zlib

LONGEST = 20000
HEAD = struct.Struct(">BBHI")  # association, side, stream, number
BLOCK = random.Random(4).randbytes(1 << 16)
NEAR = 2000  # how far off a short message's number is looked for


def make(association, side, stream, number):
    head = HEAD.pack(association, side, stream, number)
    h = zlib.crc32(head)
    kind, rest, at = h & 7, h >> 3, (h >> 7) % (len(BLOCK) - LONGEST)
    if kind == 0:
        return BLOCK[at:at + 1 + rest % (HEAD.size - 1)]
    most = 200 if kind < 4 else 2000 if kind < 7 else LONGEST
    return head + BLOCK[at:at + rest % (most - HEAD.size + 1)]


def number_of(association, side, stream, data, near):
    """Which one this is, or None: no message of this stream."""
    if len(data) >= HEAD.size:
        *who, number = HEAD.unpack_from(data)
        numbers = [number] if who == [association, side, stream] else []
    else:  # the nearest that looks like it
        numbers = sorted(range(max(0, near - NEAR), near + NEAR), key=lambda n: abs(n - near))
    return next((n for n in numbers if make(association, side, stream, n) == data), None)


def describe(data):
    """What a message that does not belong where it came says of itself."""
    if len(data) < HEAD.size:
        return f"{len(data)} bytes: {data.hex()}"
    association, side, stream, number = HEAD.unpack_from(data)
    return (f"{len(data)} bytes: association {association}, of the {'left' if side == 0 else 'right'}, "
            f"stream {stream}, number {number}, content "
            f"{'right' if data == make(association, side, stream, number) else 'WRONG'}")
