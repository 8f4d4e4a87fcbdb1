# SPDX-License-Identifier: BSD-2-Clause
"""A network that loses packets: what is lost and sent again is no stall."""
import watched
from hosts import Hosts

start = Hosts


def test_lost_packets_are_no_stall(h):
    """Some seconds of the hour that "make watch" takes, with shorter times: what is lost is sent again in 0.3 s."""
    assert not watched.loss(h, 3.5, 2500, sctp_rtoinfo={"initial": 300, "min": 300, "max": 600})
