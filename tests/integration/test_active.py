# SPDX-License-Identifier: BSD-2-Clause
"""The active modes, to the letter of gen_sctp."""
from check import code, nothing, option, recv, recv_data, refusal, send, setopt
from harness import associate


def active(c, sock):
    return option(c, sock, "active")


def pair(c):
    """A socket that gets messages and a function that sends it some."""
    there, _, here, here_id = associate(c)

    def feed(*messages):
        for data in messages:
            send(c, here, here_id, data)
    return there, feed



def test_false_is_the_default_and_sends_nothing(d):
    c = d.client()
    there, feed = pair(c)
    feed(b"1")
    assert active(c, there) is False and c.quiet()
    assert recv_data(c, there) == b"1"


def test_true_sends_all(d):
    c = d.client()
    there, feed = pair(c)
    setopt(c, there, active=True)
    feed(*[b"%d" % i for i in range(300)])
    assert [c.event("data")["data"] for _ in range(300)] == [b"%d" % i for i in range(300)]
    assert active(c, there) is True


def test_once_sends_one_without_sctp_passive(d):
    c = d.client()
    there, feed = pair(c)
    setopt(c, there, active="once")
    assert active(c, there) == "once"
    feed(b"1", b"2")
    assert c.event("data")["data"] == b"1"
    assert active(c, there) is False and c.quiet() and recv_data(c, there) == b"2"


def test_a_count_sends_so_many_and_sctp_passive_right_after(d):
    c = d.client()
    there, feed = pair(c)
    setopt(c, there, active=3)
    feed(b"1", b"2", b"3", b"4")
    assert [c.event("data")["data"] for _ in range(3)] == [b"1", b"2", b"3"]
    assert c.event() == ("sctp_passive", {"sock": there})
    assert active(c, there) is False and c.quiet() and recv_data(c, there) == b"4"


def test_a_count_shows_what_is_left(d):
    c = d.client()
    there, feed = pair(c)
    setopt(c, there, active=10)
    feed(b"1", b"2")
    c.event("data"), c.event("data")
    assert active(c, there) == 8


def test_counts_add_up(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for n, sum_ in ((2, 2), (3, 5), (-1, 4), (32763, 32767)):
        setopt(c, sock, active=n)
        assert active(c, sock) == sum_
    c.call("setopts", sock=sock, options=[["active", False], ["active", 2], ["active", 3]])
    assert active(c, sock) == 5 and c.quiet()


def test_over_32767_is_einval_and_changes_nothing(d):
    c = d.client()
    sock = c.call("open", options={"active": 32767})["sock"]
    assert refusal(c, "setopts", sock=sock, options={"active": 1}) == \
        "einval: options.active: the count would be over 32767; it is 32767 now; 0 of 1 were set"
    assert active(c, sock) == 32767
    for n in (32768, -32769, "twice", 1.5, []):
        assert code(c, "setopts", sock=sock, options={"active": n}) == "einval"
        assert active(c, sock) == 32767


def test_a_sum_of_zero_or_less_is_passive_and_says_so(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for before, n in ((5, -5), (5, -32768), (False, 0), (False, -1), (True, 0), (True, -1), ("once", 0)):
        setopt(c, sock, active=False)
        setopt(c, sock, active=before)
        assert c.quiet()
        setopt(c, sock, active=n)
        assert c.event() == ("sctp_passive", {"sock": sock}), (before, n)
        assert active(c, sock) is False


def test_outside_of_a_count_n_counts_from_zero(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for before in (True, "once", False):
        setopt(c, sock, active=before)
        setopt(c, sock, active=7)
        assert active(c, sock) == 7
        setopt(c, sock, active=False)


def test_false_true_and_once_discard_the_count_silently(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for after in (False, True, "once"):
        setopt(c, sock, active=9)
        setopt(c, sock, active=after)
        assert active(c, sock) == after and c.quiet()
        setopt(c, sock, active=4)
        assert active(c, sock) == 4
        setopt(c, sock, active=False)


def test_events_count_like_data(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    setopt(c, there, active=3)
    send(c, here, here_id, b"1")
    c.call("eof", sock=here, assoc_id=here_id)
    names = [c.event()[0] for _ in range(4)]
    assert names == ["data", "sctp_shutdown_event", "sctp_assoc_change", "sctp_passive"]


def test_an_event_spends_once(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, there, active="once")
    c.call("abort", sock=here, assoc_id=here_id)
    assert c.event("sctp_assoc_change")["state"] == "comm_lost"
    assert active(c, there) is False and c.quiet()


def test_what_queued_while_passive_comes_when_active_is_set(d):
    c = d.client()
    for mode, comes in ((True, 5), ("once", 1), (3, 3)):
        there, feed = pair(c)
        feed(*[b"%d" % i for i in range(5)])
        setopt(c, there, active=mode)
        assert [c.event("data", sock=there)["data"] for _ in range(comes)] == [b"%d" % i for i in range(comes)]
        setopt(c, there, active=False)
        assert [recv_data(c, there) for _ in range(5 - comes)] == [b"%d" % i for i in range(comes, 5)]
        assert nothing(c, there)


def test_active_while_no_one_reads_loses_nothing(d):
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(c)
    setopt(c, there, active=True)
    ids = [other.request("send", sock=here, assoc_id=here_id, data=b"%04d" % i * 5000) for i in range(150)]
    for i in range(150):
        assert c.event("data")["data"] == b"%04d" % i * 5000
    for i in ids:
        other.answer(i)


def test_at_open(d):
    c = d.client()
    for n in (True, "once", 5, False):
        assert active(c, c.call("open", options={"active": n})["sock"]) == n
    for n in (0, -5):
        sock = c.call("open", options={"active": n})["sock"]
        assert c.event() == ("sctp_passive", {"sock": sock}) and active(c, sock) is False


def test_set_by_another_the_owner_is_sent_it(d):
    owner, other = d.client("owner"), d.client()
    there, _, here, here_id = associate(owner)
    setopt(other, there, active=1)
    send(owner, here, here_id, b"1")
    assert owner.event("data")["data"] == b"1"
    assert owner.event() == ("sctp_passive", {"sock": there}) and other.quiet()


def test_who_never_asked_for_events_gets_none(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_shutdown_event")
    c.call("close", sock=there)
    assert c.quiet()
