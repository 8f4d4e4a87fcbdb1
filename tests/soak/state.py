# SPDX-License-Identifier: BSD-2-Clause
"""What a client must not forget, in a file, so that a SIGKILL at any
instruction leaves the last state or the one before it, whole.

One pwrite of some thousand bytes is not enough for that: the kernel looks
between two pages whether the writer was killed. So the file has two places,
written in turn, each with a number and a checksum; the reader takes the newer
one of those that are whole. Nothing is synced: processes die here, not hosts."""
import marshal
import os
import struct
import zlib

PLACE = 1 << 18
HEAD = struct.Struct(">QII")  # number, length, checksum


def read(path):
    """The state, or None if there was none yet. Others may read it while its
    owner writes: what was whole when the reading began is whole or newer."""
    try:
        with open(path, "rb", buffering=0) as f:
            return _newest(f.fileno())
    except FileNotFoundError:
        return None


def _newest(fd):
    for _ in range(100):
        best = max(_place(fd, 0), _place(fd, 1), key=lambda p: p[0])
        if best[0]:
            return {"number": best[0], **marshal.loads(best[1])}
        if os.fstat(fd).st_size == 0:
            return None
    raise ValueError("no state in it is whole")


def _place(fd, which):
    data = os.pread(fd, PLACE, which * PLACE)
    if len(data) < HEAD.size:
        return 0, None
    number, length, check = HEAD.unpack_from(data)
    body = data[HEAD.size:HEAD.size + length]
    return (number, body) if zlib.crc32(body, number & 0xffffffff) == check else (0, None)


class Writer:
    def __init__(self, path, number=0):
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.number = number

    def write(self, state):
        self.number += 1
        body = marshal.dumps(state)
        assert len(body) <= PLACE - HEAD.size, len(body)
        head = HEAD.pack(self.number, len(body), zlib.crc32(body, self.number & 0xffffffff))
        assert os.pwrite(self.fd, head + body, self.number % 2 * PLACE) == len(head) + len(body)
