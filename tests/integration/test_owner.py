# SPDX-License-Identifier: BSD-2-Clause
"""controlling_process: who is sent what."""
from check import code, nothing, only, option, recv, recv_data, refusal, send, setopt
from harness import associate


def give(c, sock, to):
    c.call("controlling_process", sock=sock, client=to.id)


def owner_of(c, sock):
    return only(c.call("sockets")["sockets"], sock=sock)["owner"]


def test_the_new_owner_is_told_first_and_sent_the_events(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, here_id = associate(a)
    setopt(a, there, active=True)
    give(a, there, b)
    send(a, here, here_id, b"x")
    assert b.event() == ("owner", {"sock": there, "owner": b.id, "was": a.id})
    assert b.event("data")["data"] == b"x" and a.quiet()
    assert owner_of(a, there) == b.id


def test_what_waits_goes_along(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, here_id = associate(a)
    for i in range(10):
        send(a, here, here_id, b"%d" % i)
    give(a, there, b)
    setopt(b, there, active=True)
    assert [b.event("data")["data"] for _ in range(10)] == [b"%d" % i for i in range(10)]


def test_events_that_wait_go_along(d):
    a, b = d.client("a"), d.client("b")
    there, there_id, here, here_id = associate(a)
    a.call("eof", sock=here, assoc_id=here_id)
    recv(a, here, "sctp_assoc_change", state="shutdown_comp")
    give(a, there, b)
    setopt(b, there, active=True)
    assert b.event("sctp_shutdown_event")["assoc_id"] == there_id
    assert b.event("sctp_assoc_change")["state"] == "shutdown_comp"


def test_the_count_of_active_goes_along(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, here_id = associate(a)
    setopt(a, there, active=2)
    give(a, there, b)
    for data in (b"1", b"2", b"3"):
        send(a, here, here_id, data)
    assert [b.event("data")["data"] for _ in range(2)] == [b"1", b"2"]
    assert b.event("sctp_passive") == {"sock": there}
    assert a.quiet() and recv_data(b, there) == b"3"


def test_back_and_forth_loses_and_doubles_nothing(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, here_id = associate(a)
    setopt(a, there, active=True)
    owners, ids = [a, b], []
    for i in range(200):
        ids.append(a.request("send", sock=here, assoc_id=here_id, data=b"%d" % i))
        if i % 10 == 9:
            give(owners[0], there, owners[1])
            owners.reverse()
    for i in ids:
        a.answer(i)
    setopt(a, there, active=False)
    a.call("status"), b.call("status")
    got = [int(e["data"]) for c in (a, b) for n, e in c.events if n == "data"]
    while len(got) < 200:
        got.append(int(recv_data(a, there)))
    assert sorted(got) == list(range(200)) and nothing(a, there)
    for c in (a, b):
        mine = [int(e["data"]) for n, e in c.events if n == "data"]
        assert mine == sorted(mine)


def test_only_the_owner_may(d):
    a, b = d.client("a"), d.client("b")
    sock = a.call("open")["sock"]
    c = d.client("c")
    assert refusal(b, "controlling_process", sock=sock, client=c.id) == \
        f"not_owner: sock {sock}: client {a.id} owns it, and only the owner may give it away"
    assert owner_of(a, sock) == a.id


def test_to_the_owner_itself_is_ok_from_anybody(d):
    a, b = d.client("a"), d.client("b")
    sock = a.call("open")["sock"]
    give(b, sock, a)
    give(a, sock, a)
    assert a.quiet() and owner_of(a, sock) == a.id


def test_a_failed_hand_over_changes_nothing(d):
    a, b = d.client("a"), d.client()
    sock = a.call("open", options={"active": True})["sock"]
    assert refusal(a, "controlling_process", sock=sock, client=999999) == \
        "badarg: client 999999: your user has no such client"
    number = max(row["client"] for row in b.call("clients")["clients"])
    assert refusal(a, "controlling_process", sock=sock, client=number) == \
        f"badarg: client {number}: it has not called hello or watch, so it cannot be given a socket"
    assert option(a, sock, "active") is True and owner_of(a, sock) == a.id


def test_the_old_owner_may_still_use_it_but_not_give_it(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, here_id = associate(a)
    give(a, here, b)
    send(a, here, here_id, b"x")
    assert recv_data(a, there) == b"x"
    assert code(a, "controlling_process", sock=here, client=a.id) == "not_owner"


def test_the_old_owners_end_does_not_end_it(d):
    a, b = d.client("a"), d.client("b")
    sock = a.call("open")["sock"]
    give(a, sock, b)
    a.close()
    while len(b.call("clients")["clients"]) > 1:
        pass
    assert owner_of(b, sock) == b.id


def test_a_recv_that_waits_survives(d):
    a, b = d.client("a"), d.client("b")
    there, _, here, here_id = associate(a)
    waiting = a.request("recv", sock=there)
    give(a, there, b)
    send(a, here, here_id, b"x")
    assert a.answer(waiting)["data"] == b"x"
