# SPDX-License-Identifier: BSD-2-Clause
"""A UDP relay between two userland stacks, as a NAT is one: it may give the
peer behind it another port at any time, and shows what it sends."""
import os
import queue
import select
import socket
import struct
import threading

from rpc import WAIT

HOST = "127.0.0.1"
TABLE = []
for _i in range(256):
    for _ in range(8):
        _i = _i >> 1 ^ (0x82f63b78 if _i & 1 else 0)
    TABLE.append(_i)


def udp(port=0, host=HOST):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    return s


def signed(packet):
    """An SCTP packet with a right checksum."""
    packet = packet[:8] + bytes(4) + packet[12:]
    crc = 0xffffffff
    for byte in packet:
        crc = TABLE[(crc ^ byte) & 0xff] ^ crc >> 8
    return packet[:8] + struct.pack("<I", crc ^ 0xffffffff) + packet[12:]


def tagged(packet, tag):
    """The same packet with another verification tag."""
    return signed(packet[:4] + tag.to_bytes(4, "big") + packet[8:])


class Relay:
    """Between a peer, which sends to .front, and the UDP port `to`, which sees
    the port .back. What the peer sent is in .seen."""

    def __init__(self, to):
        self.to = (HOST, to)
        self.inner, self.outer = udp(), udp()
        self.peer = None
        self.seen = []
        self.came = threading.Condition()
        self.jobs = queue.SimpleQueue()
        self.wake, self.awake = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @property
    def front(self):
        return self.inner.getsockname()[1]

    @property
    def back(self):
        return self.outer.getsockname()[1]

    def run(self):
        while self.thread:
            ready = select.select([self.inner, self.outer, self.wake], [], [])[0]
            if self.inner in ready:
                self.pass_on()
            if self.outer in ready:
                packet = self.outer.recv(65536)
                if self.peer:
                    self.inner.sendto(packet, self.peer)
            if self.wake in ready:
                os.read(self.wake, 1)
                job, done = self.jobs.get()
                job()
                done.set()

    def pass_on(self):
        packet, self.peer = self.inner.recvfrom(65536)
        with self.came:
            self.seen.append(packet)
            self.came.notify_all()
        self.outer.sendto(packet, self.to)

    def do(self, job):
        """Have it done by who uses the sockets."""
        done = threading.Event()
        self.jobs.put((job, done))
        os.write(self.awake, b".")
        done.wait()

    def forge(self, packet):
        """Send this in the peer's name."""
        self.do(lambda: self.outer.sendto(packet, self.to))

    def has_seen(self, number):
        """Wait until the peer has sent so many packets."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.seen) >= number, WAIT)

    def change(self, port=0):
        """From another port from now on: what comes to the old one is lost."""
        def job():
            self.outer.close()
            self.outer = udp(port)
        self.do(job)

    def turn(self):
        """The same, of the port that the peer itself sees."""
        def job():
            self.inner.close()
            self.inner = udp()
        self.do(job)

    def close(self):
        def job():
            self.thread = None
        thread = self.thread
        self.do(job)
        thread.join()
        for s in self.inner, self.outer:
            s.close()
        os.close(self.wake)
        os.close(self.awake)
