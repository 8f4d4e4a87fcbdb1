# SPDX-License-Identifier: BSD-2-Clause
"""What a peer without a stack, over UDP, does to the kernel's SCTP."""
from harness import Daemon, wait_for
from rawpeer import SACK, SHUTDOWN, SHUTDOWN_ACK, RawPeer, chunk, piece
from relay import udp


SETTINGS = [f"/proc/sys/net/sctp/{name}" for name in ("udp_port", "encap_port")]


def in_udp(port):
    """The kernel's SCTP hears and speaks in UDP at this port; 0: not."""
    for path in SETTINGS:
        with open(path, "w") as f:
            f.write(str(port))


class Encapsulated(Daemon):
    def __init__(self, **config):
        with udp() as s:
            self.udp_port = s.getsockname()[1]
        in_udp(self.udp_port)
        super().__init__(**config)

    def stop(self):
        try:
            return super().stop()
        finally:
            in_udp(0)   # the other tests' peers are in the same kernel


start = Encapsulated


def begin_a_long_message(peer):
    """More of it than half of the window, which is when it is delivered in part."""
    for i in range(400):
        peer.send(piece(i, b"L" * 1300))
        if i % 10 == 9:
            peer.until(SACK)


def test_a_peer_restarts_in_the_middle_of_a_long_message(d):
    """The kernel does not say so, and delivers nothing of that association any
    more, not even its end. When it was shut down, its place is free again."""
    c = d.client()
    there = c.call("open", ip="127.0.0.1", options={"active": True})
    c.call("listen", sock=there["sock"])
    with RawPeer(d.udp_port, there["port"]) as peer:
        peer.come()
        up = c.event("sctp_assoc_change", sock=there["sock"])
        begin_a_long_message(peer)
        peer.come(tag=0x55667788)
        c.call("eof", sock=there["sock"], assoc_id=up["assoc_id"])
        peer.until(SHUTDOWN)
        peer.send(chunk(SHUTDOWN_ACK))
        c.event("sctp_assoc_change", sock=there["sock"], state="shutdown_comp")
    wait_for(lambda: c.call("status")["associations"] == 0)
    assert c.call("status")["lingering"] == 0
