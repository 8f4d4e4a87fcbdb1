# SPDX-License-Identifier: BSD-2-Clause
"""libsctpd, when a peer takes nothing of what a C program sends it."""
import os

import test_lib_lend
from harness import SCRATCH, Daemon, compiled

PROGRAM = os.path.join(SCRATCH, "lib_stuck")


def start():
    compiled("lib_stuck")
    return Daemon()


def says(d, *args):
    said = test_lib_lend.says(d, *args, program=PROGRAM)
    print("        " + "; ".join(said))
    assert said[-1] == "done", said


def test_all_else_is_answered_while_many_sends_wait(d):
    says(d, "go_on", 1500, 1000)


def test_and_while_a_few_large_ones_do(d):
    says(d, "go_on", 8, 150000)


def test_where_the_daemon_reads_no_more_nothing_blocks_for_longer_than_it_may(d):
    """A call has its timeout, one that does not wait never blocks, events come, and the end is seen at once."""
    says(d, "unread")
