# SPDX-License-Identifier: BSD-2-Clause
"""How the kernel schedules the daemon."""
import contextlib
import os

from harness import Daemon, associate, wait_for


@contextlib.contextmanager
def daemon(**how):
    d = Daemon(**how)
    try:
        yield d, lambda: os.sched_getscheduler(d.process.pid)
    finally:
        d.close_clients()
        d.stop()


def test_with_many_associations_it_waits_for_its_turn(d):
    with daemon(batch_associations=4) as (own, policy):
        c = own.client()
        associate(c)
        assert policy() == os.SCHED_OTHER
        there, _, here, _ = associate(c)
        wait_for(lambda: policy() == os.SCHED_BATCH)
        c.call("close", sock=there)
        c.call("close", sock=here)
        wait_for(lambda: c.call("status")["associations"] == 2)
        c.call("status")    # another turn has ended
        assert policy() == os.SCHED_BATCH
        own.close_clients()
        wait_for(lambda: policy() == os.SCHED_OTHER)


def test_never_if_told_so(d):
    with daemon(batch_associations=0) as (own, policy):
        associate(own.client(), 3)
        own.client().call("status")
        assert policy() == os.SCHED_OTHER


def test_what_was_chosen_at_its_start_stays(d):
    with daemon(prefix=("chrt", "-b", "0"), batch_associations=4) as (own, policy):
        c = own.client()
        associate(c, 2)
        c.call("status")
        own.close_clients()
        own.idle()
        assert policy() == os.SCHED_BATCH
