# SPDX-License-Identifier: BSD-2-Clause
"""What assocs says of each association: messages and bytes each way, age, PPIDs, what was wrong last."""
import os
import signal

from check import fill, recv_data, send
from harness import STACK, Daemon, associate, stack_config, wait_for
from rawpeer import RawPeer
from test_deaf import Encapsulated
from test_keeper import Own
from through import Session


def start(**config):
    """A daemon whose stack peers reach over UDP at d.udp_port."""
    if STACK == "kernel":
        return Encapsulated(**config)
    config = {**stack_config(None), **config}
    d = Daemon(**config)
    d.udp_port = config["udp_port"]
    return d


FRESH = {"recv_cnt": 0, "recv_oct": 0, "send_cnt": 0, "send_oct": 0, "ppids": [], "more_ppids": False,
         "last_error": "", "last_error_age": 0}


def of(c, sock, assoc_id):
    return next(a for a in c.call("assocs")["assocs"] if (a["sock"], a["assoc_id"]) == (sock, assoc_id))


def counts(c, sock, assoc_id):
    a = of(c, sock, assoc_id)
    return tuple(a[k] for k in ("recv_cnt", "recv_oct", "send_cnt", "send_oct"))


def send_as(c, sock, assoc_id, ppid, data=b"x"):
    c.call("send", sock=sock, data=data, sctp_sndrcvinfo={"assoc_id": assoc_id, "ppid": ppid})


def test_a_new_association_has_counted_nothing(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    for one in ((there, there_id), (here, here_id)):
        a = of(c, *one)
        assert {k: a[k] for k in FRESH} == FRESH and a["age"] < 60000


def test_each_association_counts_for_itself(d):
    c = d.client()
    ids = associate(c, 3)
    there = ids[0][0]
    for n, (_, there_id, here, here_id) in enumerate(ids, 1):
        send(c, here, here_id, bytes(n * 10))
        send(c, there, there_id, bytes(n))
        recv_data(c, there)
        recv_data(c, here)
    for n, (_, there_id, here, here_id) in enumerate(ids, 1):
        assert counts(c, there, there_id) == (1, n * 10, 1, n)
        assert counts(c, here, here_id) == (1, n, 1, n * 10)


def test_what_waited_counts_once_it_is_sent(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    sent, ids = fill(c, here, here_id)
    assert counts(c, here, here_id)[2] < len(sent)
    for _ in sent:
        recv_data(c, there)
    for i in ids:
        c.answer(i)
    assert counts(c, here, here_id)[2:] == counts(c, there, there_id)[:2] == (len(sent), sum(map(len, sent)))


def test_a_peeled_off_association_goes_on_counting(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    send(c, here, here_id, b"before")
    recv_data(c, there)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert counts(c, peeled, there_id) == (1, 6, 0, 0)


def test_eight_ppids_are_kept_of_those_seen_either_way(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    ppids = [46, 0, 18, 46, 60, 1, 2, 3]
    for ppid in ppids:
        send_as(c, here, here_id, ppid)
        recv_data(c, there)
    send_as(c, there, there_id, 4294967295)
    recv_data(c, here)
    seen = [46, 0, 18, 60, 1, 2, 3, 4294967295]
    assert (of(c, here, here_id)["ppids"], of(c, here, here_id)["more_ppids"]) == (seen, False)
    assert of(c, there, there_id)["ppids"] == [*seen[:-1], 4294967295]
    send_as(c, here, here_id, 47)
    assert (of(c, here, here_id)["ppids"], of(c, here, here_id)["more_ppids"]) == (seen, True)


def test_messages_of_one_run_may_have_different_ppids(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    c.call("send_many", sock=here, assoc_id=here_id,
           messages=[{"data": b"x", "sctp_sndrcvinfo": {"ppid": n}} for n in (5, 6, 5, 7)])
    for _ in range(4):
        recv_data(c, there)
    assert of(c, here, here_id)["ppids"] == of(c, there, there_id)["ppids"] == [5, 6, 7]


def test_what_was_wrong_last(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", options={"active": True})
    c.call("listen", sock=there["sock"])
    with RawPeer(d.udp_port, there["port"]) as peer:
        peer.come()
        up = c.event("sctp_assoc_change", sock=there["sock"], state="comm_up")["assoc_id"]
        assert of(c, there["sock"], up)["last_error"] == ""
        peer.come(tag=0x55667788)
        c.event("sctp_assoc_change", sock=there["sock"], state="restart")
        a = of(c, there["sock"], up)
        assert a["last_error"] == "restarted by the peer" and a["age"] == a["last_error_age"] < 60000
        c.call("abort", sock=there["sock"], assoc_id=up)
        c.event("sctp_assoc_change", sock=there["sock"], state="comm_lost")


def test_the_counters_outlive_the_daemon(d):
    """Those of a daemon that is killed lack what it counted in its last second; this one is asked to end."""
    with Own() as k:
        k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip="127.0.0.1", options={"active": True})
        s.call("listen", sock=there["sock"])
        here = s.call("open", ip="127.0.0.1")
        here_id = s.call("connect", sock=here["sock"], addr="127.0.0.1", port=there["port"])["assoc_id"]
        for data in (b"12345", b"678"):
            send_as(s, here["sock"], here_id, 46, data)
            there_id = s.event("data")["sctp_sndrcvinfo"]["assoc_id"]
        before = of(s, here["sock"], here_id), of(s, there["sock"], there_id)
        pid = s.call("status")["pid"]
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: s.call("status")["pid"] != pid)
        after = of(s, here["sock"], here_id), of(s, there["sock"], there_id)
        for old, new in zip(before, after):
            assert new["age"] >= old["age"] > 0
            assert {n: new[n] for n in FRESH} == {n: old[n] for n in FRESH}
        assert after[1]["recv_oct"] == after[0]["send_oct"] == 8
        s.close()
