# SPDX-License-Identifier: BSD-2-Clause
"""Who is there: sockets, associations, and how each is used. Sockets have
numbers on each side, and so have the associations."""

STREAMS = 4
SIDES = ("left", "right")
CLIENTS = 2  # processes at each side
WINDOW = 32  # sends of an association that are not answered yet

# Number of the socket at the left and of the one at the right.
ASSOCIATIONS = [(0, 0), (0, 1), (1, 2), (2, 2), (3, 3), (4, 4), (5, 5), (6, 5)]
STREAM_SOCKETS = {("left", 5), ("left", 6), ("right", 5)}  # the others are one-to-many
IPV6 = {("left", 4), ("right", 4)}
# How messages are taken: as they come, in portions, or one by one with recv.
MODES = {("left", 1): "count", ("left", 3): "recv", ("right", 0): "count", ("right", 4): "recv"}
PORTION = 100

# Where messages wait for room all the time: little fits in. Not a small recbuf:
# in partial delivery Linux 6.1 hands a message in fragments over before one that
# came before it and is none (sctp_ulpq_tail_event; that waits in its "lobby").
TIGHT = {("left", 1), ("right", 2), ("left", 3), ("right", 3), ("left", 6)}
SMALL = {"sndbuf": 32768}

PORT = {"left": 6000, "right": 5000}  # and the number of the socket

OPTIONS = {
    "on_owner_exit": "hold",
    "hold_time": 120000,
    # A path that is down is found out soon, and forgiven.
    "sctp_rtoinfo": {"initial": 300, "min": 100, "max": 1000},
    "sctp_associnfo": {"asocmaxrxt": 100},
    "sctp_peer_addr_params": {"hbinterval": 500, "pathmaxrxt": 2, "flags": ["hb_enable"]},
    "sctp_initmsg": {"num_ostreams": STREAMS, "max_instreams": STREAMS},
}


def addresses(side, socket):
    host = SIDES.index(side) + 1
    return [f"fd00:{n}::{host}" if (side, socket) in IPV6 else f"10.0.{n}.{host}" for n in (1, 2)]


def sockets(side):
    return sorted({pair[SIDES.index(side)] for pair in ASSOCIATIONS})


def association(left, right):
    return ASSOCIATIONS.index((left, right))
