# SPDX-License-Identifier: BSD-2-Clause
"""Messages sent as notifications whose sender leaves while they wait for
room: nobody is told of them, so they are sent."""
import contextlib

from check import recv, setopt
from harness import associate, wait_for
from test_stream_socket import pair as stream_pair

SIZE = 20000


def message(n):
    return n.to_bytes(4, "big") * (SIZE // 4)


def waiting(c, here, here_id):
    """Notifications until many wait for room; gives how many were sent."""
    n = 0
    while c.call("getstat", sock=here)["send_pend"] < 10 * SIZE:
        for _ in range(5):
            c.notify("send", sock=here, assoc_id=here_id, data=message(n))
            n += 1
    return n


def arrive(c, there, n):
    """All of them, in order, and then what is left to come."""
    for i in range(n):
        assert recv(c, there, "data")["data"] == message(i), i
    return recv(c, there)


def leaves(d, *last, options=None):
    """The sender says its last word and leaves; all arrives."""
    other, c = d.client("other"), d.client("sender")
    there, _, here, here_id = associate(c, to=other, options=options)
    n = waiting(c, here, here_id)
    for method in last:
        c.call(method, sock=here, **({"assoc_id": here_id} if method == "eof" else {}))
    c.close()
    wait_for(lambda: len(other.call("clients")["clients"]) == 1)
    assert arrive(other, there, n)["event"] == "sctp_shutdown_event"
    recv(other, there, "sctp_assoc_change", state="shutdown_comp")


def test_all_arrive(d):
    leaves(d)


def test_all_arrive_after_eof(d):
    leaves(d, "eof")


def test_all_arrive_after_close(d):
    leaves(d, "close")


def test_all_arrive_from_a_stream_socket(d):
    other, c = d.client("other"), d.client("sender")
    there, here = stream_pair(other)
    other.call("controlling_process", sock=here, client=c.id)
    n = waiting(c, here, 0)
    c.call("eof", sock=here)
    c.close()
    assert arrive(other, there, n)["event"] == "sctp_shutdown_event"


def test_all_arrive_from_a_socket_that_is_held(d):
    other, c = d.client("other"), d.client("sender")
    there, there_id, here, here_id = associate(c, to=other, options={"on_owner_exit": "hold"})
    n = waiting(c, here, here_id)
    c.close()
    for i in range(n):
        assert recv(other, there, "data")["data"] == message(i), i
    other.call("adopt", sock=here)
    setopt(other, here, on_owner_exit="close")
    other.notify("send", sock=here, assoc_id=here_id, data=b"and on")
    recv(other, there, "data", data=b"and on")


def test_all_arrive_that_another_than_the_owner_sent(d):
    other, c = d.client("other"), d.client("sender")
    there, there_id, here, here_id = associate(other)
    n = waiting(c, here, here_id)
    c.close()
    other.call("eof", sock=here, assoc_id=here_id)
    assert arrive(other, there, n)["event"] == "sctp_shutdown_event"


def test_a_request_that_was_not_answered_is_not_sent(d):
    other, c = d.client("other"), d.client("sender")
    there, _, here, here_id = associate(c, to=other)
    n = waiting(c, here, here_id)
    c.request("send", sock=here, assoc_id=here_id, data=b"nobody was told of this")
    c.call("getstat", sock=here)
    c.close()
    wait_for(lambda: len(other.call("clients")["clients"]) == 1)
    assert arrive(other, there, n)["event"] == "sctp_shutdown_event"


def test_what_cannot_be_sent_is_the_owners(d):
    """The sender is gone; the owner of the socket is told what was lost."""
    owner, c = d.client("owner"), d.client("sender")
    there, there_id, here, here_id = associate(owner)
    n = waiting(c, here, here_id)
    setopt(owner, here, active=True)
    c.close()
    wait_for(lambda: len(owner.call("clients")["clients"]) == 1)
    owner.call("abort", sock=there, assoc_id=there_id)
    owner.event("sctp_assoc_change", sock=here, state="comm_lost")
    while owner.event("sctp_send_failed", sock=here)["data"] != message(n - 1):
        pass


def test_an_abort_ends_them(d):
    c, other = d.client("sender"), d.client("other")
    there, _, here, here_id = associate(c, to=other, options={"on_owner_exit": "abort"})
    waiting(c, here, here_id)
    c.close()
    with contextlib.suppress(AssertionError):
        while recv(other, there, "data"):
            pass
    assert other.call("assocs")["assocs"] == []


def test_a_session_ends_and_all_arrives(d):
    other = d.client("other")
    c = d.client()
    c.call("hello", name="sender", resume=True)
    there, _, here, here_id = associate(c, to=other)
    n = waiting(c, here, here_id)
    c.close()
    assert arrive(other, there, n)["event"] == "sctp_shutdown_event"
