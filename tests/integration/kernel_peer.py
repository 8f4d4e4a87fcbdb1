# SPDX-License-Identifier: BSD-2-Clause
"""A program for the kernel's own SCTP, run in User-Mode Linux (tests/lab/run --tap): it echoes what comes to its
port until a message says where to connect to; there it says hello, and closes after the answer. Then it waits to be
ended: its kernel would go with it, and might not have told the peer yet that the association is over.

kernel_peer.py PORT"""
import signal
import socket
import sys

SCTP = 132
SIZE = 1 << 20


def whole(s):
    """One message, and who sent it: Python's recvfrom does not say where a message ends, so its length comes first."""
    data, peer = s.recvfrom(SIZE)
    length = int(data[:8])
    while len(data) < length:
        data += s.recvfrom(SIZE)[0]
    return data, peer


s = socket.socket(socket.AF_INET6, socket.SOCK_SEQPACKET, SCTP)
s.bind(("::", int(sys.argv[1])))
s.listen(5)
print("listening", flush=True)
while not (got := whole(s))[0][8:].startswith(b"connect "):
    s.sendto(got[0], got[1])
_, addr, port = got[0][8:].split()
for host in addr.decode().split(","):
    c = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, SCTP)
    c.settimeout(20)
    c.connect((host, int(port)))
    c.sendall(b"hello of the kernel")
    print("answered", c.recv(SIZE).decode(), flush=True)
    c.close()
print("over", flush=True)
signal.pause()
