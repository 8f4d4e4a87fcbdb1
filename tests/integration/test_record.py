# SPDX-License-Identifier: BSD-2-Clause
"""Every event has the fields that the table says, whichever way it comes. Where
sctpd has no method that makes its peer send one, a socket of Python's does."""
import contextlib
import socket
import struct

from check import WAIT_MS, fill, only, option, recv, send, setopt
from harness import associate, wait_for

SCTP = 132
RECONFIG_SUPPORTED, ENABLE_STREAM_RESET, RESET_STREAMS, RESET_ASSOC = 117, 118, 119, 120
IN, OUT = 1, 2


class Events:
    """Whether events are what the table says."""

    def __init__(self, c):
        table = c.call("describe")["events"]
        self.fields = {e["name"]: [f["name"] for f in e["fields"]] for e in table}
        self.seen = set()

    def check(self, name, e):
        """All of its fields and no other but sock, from, and recv's event."""
        fields = self.fields[name]
        extra = set(e) - set(fields) - {"sock", "from", "event"}
        missing = set(fields) - set(e) - {{"sctp_assoc_change": "info", "sctp_send_failed": "reason", "data": "timestamp"}.get(name)}
        assert not extra and not missing, (name, e)
        assert "sock" in e and ("from" in e or name in ("sctp_passive", "sctp_closed", "owner")), (name, e)
        self.seen.add(name)
        return e

    def recv(self, c, sock, name, **want):
        return self.check(name, recv(c, sock, name, **want))

    def event(self, c, name, **want):
        return self.check(name, c.event(name, **want))


def reconfiguring():
    return {"sctp_reconfig_supported": {"assoc_value": 1},
            "sctp_enable_stream_reset": {"assoc_value": ["reset_streams", "reset_assoc", "add_streams"]}}


def wanting(*names):
    return {"sctp_events": dict.fromkeys(names, True)}


def by_python(c, options):
    """An association with a socket of Python's, which may reset streams:
    (its socket, ours, our assoc_id)."""
    there = c.call("open", ip="127.0.0.1", options={**reconfiguring(), **options})
    c.call("listen", sock=there["sock"])
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    s.setsockopt(SCTP, RECONFIG_SUPPORTED, struct.pack("iI", 0, 1))
    s.setsockopt(SCTP, ENABLE_STREAM_RESET, struct.pack("iI", 0, 7))
    s.connect(("127.0.0.1", there["port"]))
    up = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    return s, there["sock"], up["assoc_id"]


def reset(s, flags, *streams):
    """One that comes before the last was answered is EINPROGRESS."""
    def done():
        with contextlib.suppress(BlockingIOError):
            s.setsockopt(SCTP, RESET_STREAMS, struct.pack(f"iHH{len(streams)}H", 0, flags, len(streams), *streams))
            return True
    wait_for(done)


def test_of_an_association_that_comes_and_goes(d):
    c = d.client()
    events = Events(c)
    there = c.call("open", ip="127.0.0.1", options=wanting("adaptation_layer_event"))
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options={"sctp_adaptation_layer": {"adaptation_ind": 5}})["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    got = events.recv(c, there["sock"], "sctp_assoc_change", state="comm_up", error=0)
    assert "info" not in got
    events.recv(c, there["sock"], "sctp_adaptation_event", adaptation_ind=5)
    setopt(c, there["sock"], **wanting("sender_dry_event"))
    events.recv(c, there["sock"], "sctp_sender_dry_event")
    send(c, here, up["assoc_id"], b"x")
    got = events.recv(c, there["sock"], "data")
    info = {f["name"] for f in only(c.call("describe")["events"], name="data")["fields"][0]["fields"]}
    assert set(got["sctp_sndrcvinfo"]) <= info, (got, info)
    c.call("eof", sock=here, assoc_id=up["assoc_id"])
    events.recv(c, there["sock"], "sctp_shutdown_event")
    events.recv(c, there["sock"], "sctp_assoc_change", state="shutdown_comp")


def test_of_an_abort_and_what_it_gives_back(d):
    c = d.client()
    events = Events(c)
    there, there_id, here, here_id = associate(c)
    fill(c, here, here_id)
    c.call("abort", sock=there, assoc_id=there_id, reason=b"enough")
    lost = events.recv(c, here, "sctp_assoc_change", state="comm_lost", error=12)
    assert lost["info"].endswith(b"enough")
    failed = events.recv(c, here, "sctp_send_failed")
    assert failed["assoc_id"] == failed["info"]["assoc_id"] == here_id and failed["from"]["addr"] == "127.0.0.1"


def test_of_the_brokers_own(d):
    c, other, watcher = d.client("c"), d.client("other"), d.client()
    events = Events(c)
    watcher.call("watch")
    there = c.call("open", ip="127.0.0.1", type="stream", options={"active": 1})
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="stream")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    accepted = events.event(c, "accept")["accepted"]
    events.event(c, "sctp_passive", sock=there["sock"])
    c.call("controlling_process", sock=accepted, client=other.id)
    events.event(other, "owner", sock=accepted, was=c.id, owner=other.id)
    c.call("close", sock=accepted)
    events.event(other, "sctp_closed", sock=accepted, reason="another client closed it")
    c.notify("close", sock=accepted)
    assert set(c.event("error")) == {"method", "error"} == set(events.fields["error"])
    seen = watcher.event("watch")
    assert {"event", "sock"} <= set(seen)


def test_of_a_path(d):
    c = d.client()
    events = Events(c)
    there = c.call("open", ip=["127.0.0.1", "127.0.0.2"])
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip=["127.0.0.3", "127.0.0.4"])["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    got = events.recv(c, here, "sctp_paddr_change", state="addr_confirmed")
    assert got["error"] == 2 and set(got["addr"]) == {"addr", "port"}


def test_of_a_key(d):
    c = d.client()
    events = Events(c)
    options = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_events": {"authentication_event": True}}
    there = c.call("open", ip="127.0.0.1", options=options)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    got = {(e := c.call("recv", sock=there["sock"], timeout=WAIT_MS))["event"]: e for _ in range(2)}
    events.check("sctp_authkey_event", got["sctp_authkey_event"])


def test_of_streams_that_are_added(d):
    c = d.client()
    events = Events(c)
    options = {**reconfiguring(), **wanting("stream_change_event")}
    there = c.call("open", ip="127.0.0.1", options=options)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options=options)["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    setopt(c, here, sctp_add_streams={"assoc_id": up, "outstrms": 2})
    events.recv(c, here, "sctp_stream_change_event", assoc_id=up, outstrms=2, flags=[])


def test_of_streams_that_the_peer_resets(d):
    c = d.client()
    events = Events(c)
    s, there, there_id = by_python(c, wanting("stream_reset_event"))
    with s:
        reset(s, OUT, 1, 3)
        got = events.recv(c, there, "sctp_stream_reset_event", assoc_id=there_id)
        assert (got["flags"], got["streams"]) == (["incoming"], [1, 3])
        reset(s, OUT)
        got = events.recv(c, there, "sctp_stream_reset_event", assoc_id=there_id)
        assert got["streams"] == [] and got["flags"] == ["incoming"]


def test_of_an_association_that_the_peer_resets(d):
    c = d.client()
    events = Events(c)
    s, there, there_id = by_python(c, wanting("assoc_reset_event"))
    with s:
        s.setsockopt(SCTP, RESET_ASSOC, struct.pack("i", 0))
        got = events.recv(c, there, "sctp_assoc_reset_event", assoc_id=there_id)
        assert got["flags"] == [] and got["local_tsn"] > 0 and got["remote_tsn"] > 0


def test_of_resets_that_are_not_wanted(d):
    c = d.client()
    s, there, there_id = by_python(c, {})
    with s:
        reset(s, OUT, 1)
        s.sendall(b"x")
        assert recv(c, there, "data")["data"] == b"x"


def test_an_active_socket_is_sent_the_very_map_that_recv_gives(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    maps = []
    for active in (False, True):
        setopt(c, there, active=active)
        c.call("send", sock=here, data=b"x", sctp_sndrcvinfo={"assoc_id": here_id, "stream": 3, "ppid": 46})
        e = c.event("data") if active else recv(c, there, "data")
        assert e.pop("event", None) == (None if active else "data")
        assert e["sctp_sndrcvinfo"].pop("tsn") and e["sctp_sndrcvinfo"].pop("ssn", 0) == active
        maps.append(e)
    assert maps[0] == maps[1]
    assert option(c, there, "active") is True


def test_what_python_sends_comes_and_what_is_sent_arrives(d):
    """The kernel's own sockets are peers like any other."""
    c = d.client()
    s, there, there_id = by_python(c, {})
    with s:
        s.sendall(b"hello")
        assert recv(c, there, "data")["sctp_sndrcvinfo"]["assoc_id"] == there_id
        send(c, there, there_id, b"world")
        assert s.recv(100) == b"world"
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")
