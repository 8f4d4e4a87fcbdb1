# SPDX-License-Identifier: BSD-2-Clause
"""send_many: several messages in one request, with one answer."""
from check import answered, recv_data, refusal
from harness import associate
from rpc import WAIT, RpcError
from test_cli import good


def numbered(n, first=0, size=4):
    return [{"data": i.to_bytes(4, "big") * (size // 4)} for i in range(first, first + n)]


def number_of(data):
    return int.from_bytes(data[:4], "big")


def test_all_are_taken_in_order_with_one_answer(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for n in 1, 2, 64:
        assert c.call("send_many", sock=here, assoc_id=here_id, messages=numbered(n)) == {"taken": n}
        assert [number_of(recv_data(c, there)) for _ in range(n)] == list(range(n))
    assert c.call("getstat", sock=here)["send_cnt"] == 67


def test_each_message_has_its_own_parameters(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    assert c.call("send_many", sock=here, assoc_id=here_id, messages=[
        {"data": b"0"}, {"data": b"1", "stream": 3}, {"data": b"2", "sctp_sndrcvinfo": {"stream": 4, "ppid": 46}},
        {"data": b"3", "sctp_sndrcvinfo": {"assoc_id": here_id, "pr_policy": "rtx", "pr_value": 5}}]) == {"taken": 4}
    got = {}
    for _ in range(4):
        e = c.call("recv", sock=there, timeout=WAIT * 1000)
        got[e["data"]] = e["sctp_sndrcvinfo"].get("stream", 0), e["sctp_sndrcvinfo"].get("ppid", 0)
    assert got == {b"0": (0, 0), b"1": (3, 0), b"2": (4, 46), b"3": (0, 0)}


def test_a_message_may_be_its_bytes_alone(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    assert c.call("send_many", sock=here, assoc_id=here_id, messages=[b"0", "1", {"data": b"2"}]) == {"taken": 3}
    assert [recv_data(c, there) for _ in range(3)] == [b"0", b"1", b"2"]
    text = good(d, "send_many", f"sock={here}", f"assoc_id={here_id}", "messages=a,b")
    assert text == "taken: 2\n", text
    assert [recv_data(c, there) for _ in range(2)] == [b"a", b"b"]


def test_what_comes_before_a_message_that_fails_is_sent(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"sctp_initmsg": {"num_ostreams": 3}})
    messages = numbered(5)
    messages[3]["stream"] = 3
    answer = c.call("send_many", sock=here, assoc_id=here_id, messages=messages)
    assert answer == {"taken": 3, "error": "einval: message [3]: stream 3: the association has streams 0 to 2"}
    assert [number_of(recv_data(c, there)) for _ in range(3)] == [0, 1, 2]
    messages = numbered(3)
    messages[1]["sctp_sndrcvinfo"] = {"auth_keynumber": 1}
    answer = c.call("send_many", sock=here, assoc_id=here_id, messages=messages)
    assert answer["taken"] == 1 and "message [1]: auth_keynumber: " in answer["error"], answer
    # An error says that nothing was taken.
    text = refusal(c, "send_many", sock=here, assoc_id=here_id, messages=messages[1:])
    assert "message [0]: auth_keynumber: " in text, text
    assert number_of(recv_data(c, there)) == 0
    c.call("send", sock=here, assoc_id=here_id, data=b"last")
    assert recv_data(c, there) == b"last"


def test_nothing_of_a_bad_request_is_sent(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for messages, text in [
            ([], "badarg: messages: got a list of another length"),
            (numbered(65), "badarg: messages: got a list of another length"),
            ({}, "badarg: messages: got a map"),
            ([{"data": b"x"}, 5], "badarg: messages[1].got an integer"),
            ([{"data": b"x"}, {}], "badarg: messages[1].data: missing"),
            ([{"data": b"x"}, {"data": b""}], "einval: messages[1].data: it is empty"),
            ([{"data": b"x"}, {"data": b"x", "sock": here}], "badarg: messages[1].sock: unknown"),
            ([{"data": b"x", "stream": 1, "sctp_sndrcvinfo": {}}], "badarg: messages[0].sctp_sndrcvinfo: it contains"),
            ([{"data": b"x", "sctp_sndrcvinfo": {"assoc_id": here_id + 1}}],
             "badarg: messages[0].sctp_sndrcvinfo.assoc_id"),
            ([{"data": b"x", "sctp_sndrcvinfo": {"flags": ["eof"]}}], "einval: messages[0].flags: eof and abort"),
            ([{"data": b"x", "sctp_sndrcvinfo": {"pr_value": 1}}], "badarg: messages[0].pr_value")]:
        got = refusal(c, "send_many", sock=here, assoc_id=here_id, messages=messages)
        assert got.startswith(text), (got, text)
    assert refusal(c, "send_many", sock=here, assoc_id=here_id + 5, messages=numbered(1)).startswith("epipe: ")
    assert refusal(c, "send_many", sock=here, messages=numbered(1)).startswith("badarg: assoc_id: missing")
    c.notify("send_many", sock=here, assoc_id=here_id, messages=numbered(1))
    e = c.event("error")
    assert e["method"] == "send_many" and e["error"].startswith("einval: a notification has no answer"), e
    c.call("send", sock=here, assoc_id=here_id, data=b"only")
    assert recv_data(c, there) == b"only"


def test_without_room_as_many_as_fit_are_taken_and_then_one_waits(d):
    c, other = d.client(), d.client()
    there, _, here, here_id = associate(c, to=other)
    sent = 0
    while True:     # the peer reads nothing
        answer = c.call("send_many", sock=here, assoc_id=here_id, messages=numbered(8, sent, 60000))
        sent += answer["taken"]
        if answer["taken"] < 8:
            assert answer["error"].startswith(f"eagain: message [{answer['taken']}]: "), answer
            break
    # The stack may have made room meanwhile; in the end the first of a request waits.
    while answered(c, msgid := c.request("send_many", sock=here, assoc_id=here_id,
                                         messages=numbered(8, sent, 60000))):
        sent += c.answer(msgid)["taken"]
    behind = c.request("send", sock=here, assoc_id=here_id, data=b"last")
    assert not answered(c, behind)
    got = []
    while not got or got[-1] != b"last":
        got.append(recv_data(other, there))
    answer = c.answer(msgid)
    assert answer["taken"] == 1 and answer["error"].startswith("eagain: message [1]"), answer
    assert c.answer(behind) == {}
    assert [number_of(g) for g in got[:-1]] == list(range(sent + 1))


def test_a_first_message_that_may_not_wait_is_refused(d):
    """send_timeout ends its wait; eof of its association does, too."""
    c = d.client()
    _, _, here, here_id = associate(c, options={"send_timeout": 50})
    try:
        while True:
            c.call("send_many", sock=here, assoc_id=here_id, messages=numbered(4, 0, 60000))
    except RpcError as e:
        assert str(e).startswith("timeout: "), e
    c.call("eof", sock=here, assoc_id=here_id)
    assert refusal(c, "send_many", sock=here, assoc_id=here_id, messages=numbered(1)).startswith("epipe: ")


def test_on_a_one_to_one_socket(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"])
    accepted = c.call("accept", sock=there["sock"], timeout=WAIT * 1000)["accepted"]
    assert c.call("send_many", sock=here, messages=numbered(3)) == {"taken": 3}
    while c.call("recv", sock=accepted, timeout=WAIT * 1000)["event"] != "data":
        pass
    assert [number_of(recv_data(c, accepted)) for _ in range(2)] == [1, 2]
