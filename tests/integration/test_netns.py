# SPDX-License-Identifier: BSD-2-Clause
"""Sockets in other network namespaces than the daemon's: one daemon on both
hosts at once."""
from check import WAIT_MS, code, nothing, option, recv, recv_data, send, setopt
from harness import Daemon
from hosts import LEFT, RIGHT, networks


def start(**config):
    networks("up")
    return Both(**config)


class Both(Daemon):
    def stop(self):
        try:
            return super().stop()
        finally:
            networks("down")


def host(c, side, ip, **args):
    options = {"netns": f"/run/netns/{side}", **args.pop("options", {})}
    return c.call("open", ip=ip, options=options, **args)


def pair(c, kind="seqpacket", **args):
    """(listener, its assoc_id, connector, its assoc_id) across the networks."""
    there = host(c, "right", RIGHT)
    c.call("listen", sock=there["sock"])
    here = host(c, "left", LEFT, type=kind, **args)["sock"]
    up = c.call("connect", sock=here, addr=RIGHT[0], port=there["port"], timeout=WAIT_MS)
    peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    return there["sock"], peer["assoc_id"], here, up["assoc_id"]


def test_the_other_host_is_reached_and_this_one_is_not(d):
    c = d.client()
    there, there_id, here, here_id = pair(c)
    send(c, here, here_id, b"over")
    assert recv(c, there, "data")["data"] == b"over"
    send(c, there, there_id, b"and back")
    assert recv_data(c, here) == b"and back"
    addrs = c.call("peernames", sock=here, assoc_id=here_id)["addresses"]
    assert sorted(a["addr"] for a in addrs) == RIGHT
    assert code(c, "open", ip=LEFT[0]) == "eaddrnotavail"
    assert code(c, "open", ip=LEFT[0], options={"netns": "/run/netns/right"}) == "eaddrnotavail"


def test_a_full_association_there_holds_up_no_other(d):
    """They are kept apart as at home."""
    c = d.client()
    there, there_id, here, here_id = pair(c)
    other = host(c, "right", RIGHT)
    c.call("listen", sock=other["sock"])
    other_id = c.call("connect", sock=here, addr=RIGHT[0], port=other["port"], timeout=WAIT_MS)["assoc_id"]
    recv(c, other["sock"], "sctp_assoc_change", state="comm_up")
    waiting = []
    while not c.call("getstat", sock=here)["send_pend"]:
        waiting.append(c.request("send", sock=here, assoc_id=here_id, data=bytes(100000)))
    send(c, here, other_id, b"through")
    assert recv_data(c, other["sock"]) == b"through"
    for _ in waiting:
        recv_data(c, there)
    for i in waiting:
        c.answer(i)


def test_peeloff(d):
    c = d.client()
    there, there_id, here, here_id = pair(c)
    send(c, here, here_id, b"before")
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    send(c, here, here_id, b"after")
    assert [recv_data(c, peeled) for _ in range(2)] == [b"before", b"after"]
    assert nothing(c, there)


def test_stream_sockets(d):
    c = d.client()
    listener = host(c, "right", RIGHT, type="stream")
    c.call("listen", sock=listener["sock"])
    here = host(c, "left", LEFT, type="stream")["sock"]
    c.call("connect", sock=here, addr=RIGHT[0], port=listener["port"], timeout=WAIT_MS)
    there = c.call("accept", sock=listener["sock"], timeout=WAIT_MS)["accepted"]
    recv(c, there, "sctp_assoc_change", state="comm_up")
    c.call("send", sock=here, data=b"x")
    assert recv_data(c, there) == b"x"


def test_close_with_unread_data_shuts_down_there_too(d):
    c = d.client()
    there, there_id, here, here_id = pair(c)
    for _ in range(10):
        send(c, here, here_id, bytes(1000))
    setopt(c, there, linger={"on": False})
    c.call("close", sock=there)
    recv(c, here, "sctp_shutdown_event")
    recv(c, here, "sctp_assoc_change", state="shutdown_comp")


def test_bind_to_device_there(d):
    c = d.client()
    here = host(c, "left", LEFT[0], options={"bind_to_device": "net1"})["sock"]
    assert option(c, here, "bind_to_device") == "net1"
    assert code(c, "open", options={"bind_to_device": "net1"}) == "enodev"
    there = host(c, "right", RIGHT[0])
    c.call("listen", sock=there["sock"])
    up = c.call("connect", sock=here, addr=RIGHT[0], port=there["port"], timeout=WAIT_MS)
    recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    send(c, here, up["assoc_id"], b"x")
    assert recv_data(c, there["sock"]) == b"x"


def test_the_daemon_stays_where_it_was(d):
    c = d.client()
    pair(c)
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    send(c, here, up["assoc_id"], b"x")
    assert recv_data(c, there["sock"]) == b"x"
