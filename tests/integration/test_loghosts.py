# SPDX-License-Identifier: BSD-2-Clause
"""What the log says, in words, when a path or a peer of another host is lost, comes
again, or is not the same as before."""
from hosts import Hosts
from test_log import says
from test_order import LEFT, PATIENT, QUICK, RIGHT, apart, over, pair, restart_right

start = Hosts

TAIL = rf"peer={RIGHT[0]}:2010 sock=\d+ client=\d+ uid=\d+$"


def test_a_peer_that_does_not_answer(h):
    here, there = pair(h, QUICK, PATIENT)
    with apart():
        here.send("in vain")
        for ip in RIGHT:
            assert says(h.left, rf"sctpd: (\w+): assoc {here.id}: path to {ip} unreachable: "
                        rf"it did not answer too often, {TAIL}") == "notice"
        assert says(h.left, rf"sctpd: (\w+): assoc {here.id}: lost: the peer does not answer: "
                    rf"there were too many retransmissions, {TAIL}") == "notice"
    # It hears of that when it asks.
    says(h.right, rf"assoc {there.id}: aborted by the peer: .*peer={LEFT[0]}:2011 ")
    here.is_told_of_all("addr_unreachable", RIGHT, 0)
    here.is_told("comm_lost 0", "failed in vain sent 0")
    there.is_told("comm_lost 0")
    over(here, there)


def test_a_path_comes_again(h):
    """A client that does not want to hear of paths does not; the log does all the same."""
    here, there = pair(h, {**QUICK, "sctp_associnfo": {"asocmaxrxt": 3000}}, PATIENT)
    here.call("setopts", options={"sctp_events": {"address_event": False}})
    with apart():
        here.send("late")
        says(h.left, rf"assoc {here.id}: path to {RIGHT[0]} unreachable: ")
    assert says(h.left, rf"sctpd: (\w+): assoc {here.id}: path to {RIGHT[0]} available: it answers again, {TAIL}") == "info"
    there.is_told("data late")
    here.call("abort", assoc_id=here.id)
    here.is_told("comm_lost 12")


def test_the_primary_path_changes(h):
    here, _ = pair(h)
    here.call("setopts", options={"sctp_primary_addr": {"assoc_id": here.id, "addr": {"addr": RIGHT[1], "port": 2010}}})
    assert says(h.left, rf"sctpd: (\w+): assoc {here.id}: path to {RIGHT[1]} is the primary now, {TAIL}") == "info"
    here.call("abort", assoc_id=here.id)


def test_a_peer_that_restarts(h):
    here, there = pair(h)
    there = restart_right(h, here, there, RIGHT)
    assert says(h.left, rf"sctpd: (\w+): assoc {here.id}: restarted by the peer, {TAIL}") == "notice"
    there.call("eof", assoc_id=there.id)
