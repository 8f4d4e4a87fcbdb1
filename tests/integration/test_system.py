# SPDX-License-Identifier: BSD-2-Clause
"""Methods about the daemon itself, and watch."""
import glob
import os
import re

from check import only, recv, send
from harness import STACK, ROOT, associate

CONFIG = {"client_queue": "64K"}
QUEUE = 64 << 10


def words(path, macro):
    """The first arguments of a macro in one of the lists."""
    with open(os.path.join(ROOT, "proto", path)) as f:
        return re.findall(rf"^{macro}\((\w+),", f.read(), re.M)


def test_hello_is_optional_and_tells_the_limits(d):
    c = d.client()
    got = c.call("hello", name="me", protocol=1)
    assert set(got) == {"client", "protocol", "version", "stack", "features", "limits"}
    assert (got["protocol"], got["stack"]) == (1, STACK) and "seqpacket" in got["features"]
    assert got["limits"] == c.call("status")["limits"]
    assert got["limits"]["max_message"] == 16 << 20
    row = only(c.call("clients")["clients"], client=got["client"])
    assert (row["name"], row["uid"], row["pid"]) == ("me", os.getuid(), os.getpid())


def test_every_word_of_features_is_documented(d):
    """Those of the daemon at hand, and those that its sources have for others."""
    with open(os.path.join(ROOT, "proto", "README.md"), encoding="utf-8") as f:
        documented = set(re.findall(r"^- `(\w+)`:", re.search(r"## Features\n(.*?)\n## ", f.read(), re.S)[1], re.M))
    known = {"survive"}
    for path in glob.glob(os.path.join(ROOT, "daemon", "**", "*.c"), recursive=True):
        with open(path, encoding="utf-8") as f:
            for words_ in re.findall(r"\*const features\w*\[\] = \{(.*?)\}", f.read(), re.S):
                known |= set(re.findall(r'"(\w+)"', words_))
    assert set(d.client().call("hello")["features"]) <= known == documented, known ^ documented


def test_the_steps_of_a_session_are_numbered_in_the_manual(_):
    with open(os.path.join(ROOT, "proto", "sctpd-protocol.7"), encoding="utf-8") as f:
        steps = re.search(r"^\.Sh SESSIONS$.*?^\.Bl -enum.*?$(.*?)^\.El", f.read(), re.M | re.S)[1]
    with open(os.path.join(ROOT, "proto", "README.md"), encoding="utf-8") as f:
        read = re.search(r"^## Sessions$.*?(?=^## )", f.read(), re.M | re.S)[0]
        assert len(re.findall(r"^\d+\. ", read, re.M)) == len(re.findall(r"^\.It$", steps, re.M)) == 7


def test_hello_again_keeps_the_number(d):
    c = d.client("one")
    assert c.call("hello", name="two")["client"] == c.id
    assert c.call("hello")["client"] == c.id
    assert only(c.call("clients")["clients"], client=c.id)["name"] == "two"


def test_status_counts(d):
    c = d.client()
    before = c.call("status")
    assert (before["pid"], before["clients"], before["sockets"]) == (d.process.pid, 1, 0)
    assert before["system"] == f"{os.uname().sysname} {os.uname().release}"
    there, _, here, here_id = associate(c)
    send(c, here, here_id, b"x")
    recv(c, there, "data")
    after = c.call("status")
    assert (after["sockets"], after["associations"], after["lingering"]) == (2, 2, 0)
    assert after["send_cnt"] == before["send_cnt"] + 1 and after["recv_cnt"] == before["recv_cnt"] + 1
    c.call("close", sock=here)
    assert c.call("status")["send_cnt"] == after["send_cnt"]


def test_the_lists_have_what_there_is(d):
    c = d.client("lister")
    there, there_id, here, here_id = associate(c)
    rows = c.call("sockets")["sockets"]
    assert only(rows, sock=there)["listening"] is True and len(rows) == 2
    assert all(r["owner"] == c.id and r["associations"] == 1 for r in rows)
    rows = c.call("assocs")["assocs"]
    port = c.call("sockname", sock=there)["port"]
    row = only(rows, sock=here)
    assert row.pop("age") < 100
    assert row == {
        "sock": here, "assoc_id": here_id, "state": "up", "inbound_streams": 10, "outbound_streams": 10,
        "send_pend": 0, "recv_pend": 0, "stalled": 0, "peer": {"addr": "127.0.0.1", "port": port},
        "port": c.call("sockname", sock=here)["port"], "owner": c.id, "name": "lister", "pid": os.getpid(), "uid": os.getuid(),
        "recv_cnt": 0, "recv_oct": 0, "send_cnt": 0, "send_oct": 0, "ppids": [], "more_ppids": False,
        "last_error": "", "last_error_age": 0}
    assert only(rows, sock=there)["assoc_id"] == there_id
    assert only(c.call("clients")["clients"], client=c.id)["sockets"] == 2


def test_describe_has_every_row_of_the_lists(d):
    got = d.client().call("describe")
    assert [m["name"] for m in got["methods"]] == words("rpc.def", "METHOD")
    assert [e["code"] for e in got["errors"]] == words("error.def", "ERROR")
    with open(os.path.join(ROOT, "proto", "event.def")) as own, open(os.path.join(ROOT, "proto", "event_type.c")) as stacks:
        assert [e["name"] for e in got["events"]] == re.findall(r'^EVENT\(\w+, "(\w+)"', own.read(), re.M) + \
            re.findall(r'\.name = "(\w+)"', stacks.read())
    with open(os.path.join(ROOT, "proto", "sockopt.c")) as f:
        assert [o["name"] for o in got["options"]] == re.findall(r'\.name = "(\w+)"', f.read())


def test_describe_says_of_each_what_it_is(d):
    got = d.client().call("describe")
    for rows in got.values():
        assert all(r["doc"].endswith(".") for r in rows)
    fields = [f for m in got["methods"] for f in m["in"] + m["out"]]
    fields += [f for kind in ("options", "events") for r in got[kind] for f in r["fields"]]
    assert all({"name", "type", "doc", "required"} <= set(f) for f in fields)


def test_error_string_is_gen_sctps(d):
    c = d.client()
    text = [c.call("error_string", error=i)["text"] for i in range(15)]
    assert text == [
        "ok", "Invalid Stream Identifier", "Missing Mandatory Parameter", "Stale Cookie Error",
        "Out of Resource", "Unresolvable Address", "Unrecognized Chunk Type",
        "Invalid Mandatory Parameter", "Unrecognized Parameters", "No User Data",
        "Cookie Received While Shutting Down", "Restart of an Association with New Addresses",
        "User Initiated Abort", "Protocol Violation", "unknown_error"]
    assert c.call("error_string", error=4294967295)["text"] == "unknown_error"


def test_a_watcher_sees_events_of_others_but_no_data(d):
    w, c = d.client(), d.client()
    w.call("watch")
    there, there_id, here, here_id = associate(c)
    ups = [w.event("watch") for _ in range(2)]
    assert {(e["event"], e["state"]) for e in ups} == {("sctp_assoc_change", "comm_up")}
    assert {e["sock"] for e in ups} == {there, here}
    send(c, here, here_id, b"x")
    recv(c, there, "data")
    assert w.quiet()


def test_watching_ends(d):
    w, c = d.client(), d.client()
    w.call("watch", on=True)
    w.call("watch", on=True)
    w.call("watch", on=False)
    associate(c)
    assert w.quiet()


def test_a_watcher_that_does_not_read_is_told_how_many_it_lost(d):
    w, c = d.client("watcher"), d.client("c")
    w.call("watch")
    sock = c.call("open", options={"active": True})["sock"]
    happened, queued = 0, 0
    while queued < QUEUE:
        for i in [c.request("connect_init", sock=sock, addr="127.0.0.1", port=p) for p in range(1, 501)]:
            c.answer(i)
        happened += sum(c.event("sctp_assoc_change") is not None for _ in range(500))
        queued = only(c.call("clients")["clients"], client=w.id)["queued"]
    lost = w.event("overrun")["lost"]
    seen = sum(name == "watch" for name, _ in w.events)
    assert lost > 0 and seen + lost == happened
