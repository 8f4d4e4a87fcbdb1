# SPDX-License-Identifier: BSD-2-Clause
"""setopts and getopts, by the table that describe gives."""
from check import WAIT_MS, code, option, recv, recv_data, refusal, send, setopt
from harness import STACK, associate
from rpc import RpcError


def rows(c):
    return c.call("describe")["options"]


def test_a_map_and_a_list_of_pairs_are_both_taken(d):
    c = d.client()
    sock = c.call("open")["sock"]
    c.call("setopts", sock=sock, options={"ttl": 5, "tos": 16})
    assert (option(c, sock, "ttl"), option(c, sock, "tos")) == (5, 16)
    c.call("setopts", sock=sock, options=[["ttl", 6], ["ttl", 7]])
    assert option(c, sock, "ttl") == 7
    c.call("setopts", sock=sock, options=[])


def test_from_left_to_right_and_it_says_how_far_it_came(d):
    c = d.client()
    sock = c.call("open")["sock"]
    options = [["ttl", 5], ["tos", 16], ["ttl", 0], ["tos", 32]]
    assert refusal(c, "setopts", sock=sock, options=options) == \
        "einval: options.ttl: Invalid argument; 2 of 4 were set"
    assert (option(c, sock, "ttl"), option(c, sock, "tos")) == (5, 16)


def test_fields_that_are_absent_keep_their_value(d):
    c = d.client()
    sock = c.call("open")["sock"]
    setopt(c, sock, sctp_rtoinfo={"initial": 2000, "max": 20000, "min": 500})
    setopt(c, sock, sctp_rtoinfo={"max": 30000})
    assert option(c, sock, "sctp_rtoinfo") == {"assoc_id": 0, "initial": 2000, "max": 30000, "min": 500}
    setopt(c, sock, sctp_initmsg={"num_ostreams": 3, "max_attempts": 2})
    setopt(c, sock, sctp_initmsg={"max_instreams": 4})
    got = option(c, sock, "sctp_initmsg")
    assert (got["num_ostreams"], got["max_instreams"], got["max_attempts"]) == (3, 4, 2)
    setopt(c, sock, linger={"on": True, "seconds": 7})
    setopt(c, sock, linger={"on": False})
    assert option(c, sock, "linger") == {"on": False, "seconds": 7}


def test_subscriptions_that_are_absent_keep_their_value(d):
    c = d.client()
    sock = c.call("open")["sock"]
    before = option(c, sock, "sctp_events")
    assert [k for k, v in before.items() if v] == [
        "data_io_event", "association_event", "address_event", "send_failure_event",
        "peer_error_event", "shutdown_event", "partial_delivery_event"]
    setopt(c, sock, sctp_events={"sender_dry_event": True})
    assert option(c, sock, "sctp_events") == {**before, "sender_dry_event": True}


def test_of_one_association_or_of_those_to_come(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    setopt(c, here, sctp_rtoinfo={"assoc_id": here_id, "max": 11000})
    assert option(c, here, "sctp_rtoinfo", assoc_id=here_id)["max"] == 11000
    assert option(c, here, "sctp_rtoinfo")["max"] == 60000
    setopt(c, here, sctp_rtoinfo={"max": 12000})
    assert option(c, here, "sctp_rtoinfo")["max"] == 12000
    assert option(c, here, "sctp_rtoinfo", assoc_id=here_id)["max"] == 11000


def test_current_and_all(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    setopt(c, here, sctp_max_burst={"assoc_id": 1, "assoc_value": 9})
    assert option(c, here, "sctp_max_burst", assoc_id=here_id)["assoc_value"] == 9
    assert option(c, here, "sctp_max_burst")["assoc_value"] == 4
    setopt(c, here, sctp_max_burst={"assoc_id": 2, "assoc_value": 10})
    assert option(c, here, "sctp_max_burst", assoc_id=here_id)["assoc_value"] == 10
    assert option(c, here, "sctp_max_burst")["assoc_value"] == 10


def test_those_to_come_have_what_the_socket_has(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"sctp_rtoinfo": {"max": 13000}, "sctp_maxseg": {"assoc_value": 600}})
    assert option(c, here, "sctp_rtoinfo", assoc_id=here_id)["max"] == 13000
    assert option(c, here, "sctp_maxseg", assoc_id=here_id)["assoc_value"] == 600


def test_a_scalar_is_set_on_associations_that_are(d):
    c = d.client()
    there, there_id, _, _ = associate(c)
    setopt(c, there, sctp_nodelay=False, ttl=9)
    peeled = c.call("peeloff", sock=there, assoc_id=there_id)["sock"]
    assert option(c, peeled, "sctp_nodelay") is False and option(c, peeled, "ttl") == 9


def test_status_is_of_an_association(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    got = option(c, here, "sctp_status", assoc_id=here_id)
    assert (got["assoc_id"], got["state"]) == (here_id, "established")
    assert (got["instrms"], got["outstrms"], got["unackdata"]) == (10, 10, 0)
    port = c.call("sockname", sock=there)["port"]
    assert got["primary"]["address"] == {"addr": "127.0.0.1", "port": port}
    assert got["primary"]["state"] == "active"
    text = "einval: sctp_status.assoc_id: the socket has no such association; " \
           "the field assoc_id of sctp_status selects one (sctpctl: options.sctp_status.assoc_id=N)"
    assert refusal(c, "getopts", sock=here, options=["sctp_status"]) == text
    assert refusal(c, "getopts", sock=here, options=[["sctp_status", {"assoc_id": here_id + 1000}]]) == text


def test_a_path_is_found_by_its_address(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    address = {"addr": "127.0.0.1", "port": c.call("sockname", sock=there)["port"]}
    got = option(c, here, "sctp_get_peer_addr_info", address=address)
    assert (got["assoc_id"], got["state"], got["address"]) == (here_id, "active", address)
    assert got["mtu"] > 500 and got["rto"] > 0 and got["cwnd"] > 0


def test_parameters_of_one_path_and_of_all(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, here, sctp_peer_addr_params={"assoc_id": here_id, "hbinterval": 5000, "flags": ["hb_enable"]})
    got = option(c, here, "sctp_peer_addr_params", assoc_id=here_id)
    assert got["hbinterval"] == 5000 and "hb_enable" in got["flags"]
    assert option(c, here, "sctp_peer_addr_params")["hbinterval"] == 30000
    setopt(c, here, sctp_peer_addr_params={"assoc_id": here_id, "flags": ["hb_disable"]})
    assert "hb_disable" in option(c, here, "sctp_peer_addr_params", assoc_id=here_id)["flags"]


def test_the_primary_path_is_chosen(d):
    c = d.client()
    there = c.call("open", ip=["127.0.0.1", "127.0.0.2"])
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=20000)["assoc_id"]
    second = {"addr": "127.0.0.2", "port": there["port"]}
    assert option(c, here, "sctp_primary_addr", assoc_id=up)["addr"]["addr"] == "127.0.0.1"
    setopt(c, here, sctp_primary_addr={"assoc_id": up, "addr": second})
    assert option(c, here, "sctp_primary_addr", assoc_id=up)["addr"] == second
    recv(c, there["sock"], "sctp_assoc_change")


def test_delayed_ack_works_unlike_gen_sctps(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    setopt(c, here, sctp_delayed_ack_time={"assoc_id": here_id, "assoc_value": 100})
    assert option(c, here, "sctp_delayed_ack_time", assoc_id=here_id)["assoc_value"] == 100


def test_buffers_are_what_was_asked_for_doubled(d):
    c = d.client()
    sock = c.call("open", options={"sndbuf": 100000, "recbuf": 50000})["sock"]
    assert option(c, sock, "sndbuf") == 200000 and option(c, sock, "recbuf") == 100000


def test_autoclose_shuts_idle_associations_down(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"sctp_autoclose": 1})
    recv(c, here, "sctp_assoc_change", state="shutdown_comp", assoc_id=here_id)


def test_six_options_are_for_inet6(d):
    c = d.client()
    sock = c.call("open", family="inet6")["sock"]
    setopt(c, sock, tclass=32)
    assert option(c, sock, "tclass") == 32
    sock = c.call("open")["sock"]
    assert refusal(c, "setopts", sock=sock, options={"tclass": 32}).endswith("; 0 of 1 were set")


def test_read_only_and_write_only(d):
    c = d.client()
    sock = c.call("open")["sock"]
    assert refusal(c, "setopts", sock=sock, options={"sctp_status": {}}) == \
        "einval: options.sctp_status: it can only be read; 0 of 1 were set"
    assert refusal(c, "getopts", sock=sock, options=["sctp_add_streams"]) == \
        "einval: sctp_add_streams: it can only be set"


def test_every_option_that_can_be_read_is_answered_or_says_why_not(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    unread = {}
    for row in rows(c):
        if "get" not in row["access"]:
            continue
        key = {"assoc_id": here_id} if any(f["name"] == "assoc_id" for f in row["fields"]) else {}
        try:
            option(c, here, row["name"], **key)
        except Exception as e:
            unread[row["name"]] = str(e).split(":")[0]
    assert unread.pop("tclass") and unread.pop("recvtclass") and unread.pop("ipv6_v6only")
    assert set(unread) <= {"sctp_get_peer_addr_info", "sctp_pr_stream_status", "sctp_pr_assoc_status",
                           "sctp_auto_asconf", "sctp_stream_scheduler_value",
                           # without AUTH they have none
                           "sctp_auth_active_key", "sctp_hmac_ident", "sctp_peer_auth_chunks",
                           "sctp_local_auth_chunks"}, unread


def test_what_is_read_can_be_set_again(d):
    c = d.client()
    sock = c.call("open", options={"sctp_auth_supported": {"assoc_value": 1}})["sock"]
    for row in rows(c):
        if row["access"] != "get, set" or row["scope"] == "assoc" or row["name"] in (
                "tclass", "recvtclass", "ipv6_v6only", "sctp_auto_asconf",
                "sctp_interleaving_supported"):
            continue
        value = option(c, sock, row["name"])
        setopt(c, sock, **{row["name"]: value})
        if row["name"] not in ("sndbuf", "recbuf"):
            assert option(c, sock, row["name"]) == value, row["name"]


def test_a_socket_binds_an_address_that_is_not_here_yet(d):
    c = d.client()
    assert code(c, "open", ip="192.0.2.7") == "eaddrnotavail"
    assert c.call("open", ip="192.0.2.7", options={"freebind": True})["sock"]


def test_every_scheduler_is_there_or_is_refused(d):
    """Linux has fc and wfq from 6.4 on, usrsctp only fc."""
    c = d.client()
    sock = c.call("open")["sock"]
    taken = set()
    for word in ("fcfs", "prio", "rr", "fc", "wfq"):
        try:
            setopt(c, sock, sctp_stream_scheduler={"assoc_value": word})
        except RpcError as e:
            assert str(e).startswith("einval: options.sctp_stream_scheduler: "), e
            continue
        assert option(c, sock, "sctp_stream_scheduler")["assoc_value"] == word
        taken.add(word)
    assert taken >= {"fcfs", "prio", "rr"}
    assert STACK != "userland" or taken == {"fcfs", "prio", "rr", "fc"}, taken


def test_the_counters_of_an_association(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    before = option(c, here, "sctp_assoc_stats", assoc_id=here_id)
    for n in range(5):
        c.call("send", sock=here, assoc_id=here_id, stream=0, data=b"counted")
    for n in range(5):
        assert c.call("recv", sock=there, timeout=WAIT_MS)["data"] == b"counted"
    after = option(c, here, "sctp_assoc_stats", assoc_id=here_id)
    assert after["oodchunks"] - before["oodchunks"] == 5 and after["rtxchunks"] == 0
    assert after["opackets"] > before["opackets"] and after["maxrto"] > 0


def test_getopts_keeps_the_order_asked_for(d):
    c = d.client()
    sock = c.call("open")["sock"]
    got = c.call("getopts", sock=sock, options=["ttl", "active", "tos", "ttl"])["options"]
    assert [name for name, _ in got] == ["ttl", "active", "tos", "ttl"]
    assert c.call("getopts", sock=sock, options=[])["options"] == []


# ---- the generic ones ------------------------------------------------------


def test_those_that_the_daemon_keeps_have_their_defaults_and_are_set(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for name, default, value in (("mode", "binary", "list"), ("buffer", 1 << 20, 5000),
                                 ("high_msgq_watermark", 8192, 100000), ("low_msgq_watermark", 4096, 1),
                                 ("send_timeout", "infinity", 250), ("send_timeout", 250, "infinity"),
                                 ("non_block_send", False, True)):
        assert option(c, sock, name) == default
        setopt(c, sock, **{name: value})
        assert option(c, sock, name) == value
    for name in ("buffer", "high_msgq_watermark", "low_msgq_watermark"):
        setopt(c, sock, **{name: 0})
        assert option(c, sock, name) == 1
    for name, value in (("mode", "text"), ("buffer", -1), ("high_msgq_watermark", "8k"),
                        ("send_timeout", -1), ("send_timeout", "never"), ("non_block_send", 1)):
        before = option(c, sock, name)
        text = refusal(c, "setopts", sock=sock, options={name: value})
        assert text.startswith(f"badarg: options.{name}: ") and text.endswith("; 0 of 1 were set"), text
        assert option(c, sock, name) == before


def test_mode_changes_nothing_on_the_wire(d):
    c = d.client()
    there, _, here, here_id = associate(c, options={"mode": "list"})
    setopt(c, there, mode="list")
    send(c, here, here_id, b"\0\xff")
    assert recv_data(c, there) == b"\0\xff"


def test_a_small_buffer_gives_messages_whole_and_in_order(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    setopt(c, there, buffer=1, active=True)
    sent = [bytes([i % 256]) * (1 + i * 997 % 50000) for i in range(100)]
    ids = [c.request("send", sock=here, assoc_id=here_id, data=data) for data in sent]
    assert [c.event("data")["data"] for _ in sent] == sent
    for i in ids:
        c.answer(i)


def test_recvtos_and_recvttl_are_taken_and_bring_nothing(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    for name in ("recvtos", "recvttl"):
        assert option(c, there, name) is False
        setopt(c, there, **{name: True})
        assert option(c, there, name) is True
    send(c, here, here_id, b"x")
    got = recv(c, there, "data")
    assert set(got) == {"event", "sock", "from", "sctp_sndrcvinfo", "data"}
    six = c.call("open", family="inet6")["sock"]
    setopt(c, six, recvtclass=True)
    assert option(c, six, "recvtclass") is True
    assert code(c, "setopts", sock=there, options={"recvtclass": True}) != "badarg"


def test_bind_to_device(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", options={"bind_to_device": "lo"})
    c.call("listen", sock=there["sock"])
    assert option(c, there["sock"], "bind_to_device") == "lo"
    here = c.call("open", ip="127.0.0.1")["sock"]
    assert option(c, here, "bind_to_device") == ""
    up = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    send(c, here, up["assoc_id"], b"x")
    assert recv_data(c, there["sock"]) == b"x"
    assert code(c, "open", options={"bind_to_device": "none0"}) == "enodev"
    assert code(c, "open", options={"bind_to_device": "x" * 16}) == "badarg"
    assert len(c.call("sockets")["sockets"]) == 2


def test_netns_is_for_open_alone(d):
    c = d.client()
    assert refusal(c, "open", options={"netns": "/run/netns/none"}) == \
        "enoent: options.netns: /run/netns/none: it is not a network namespace that the daemon can enter"
    assert code(c, "open", options={"netns": "/"}) == "enoent"
    for bad in (1, "x" * 300, 1.5, ["/"], ""):
        assert code(c, "open", options={"netns": bad}) in ("badarg", "enoent"), bad
    assert not c.call("sockets")["sockets"]
    sock = c.call("open")["sock"]
    assert refusal(c, "setopts", sock=sock, options={"netns": "/run/netns/none"}).startswith(
        "einval: options.netns: it can only be given at open")
    assert refusal(c, "getopts", sock=sock, options=["netns"]) == "einval: netns: it can only be given at open"


def test_netns_of_its_own_kind_is_as_none(d):
    """The namespace that the daemon lives in anyway."""
    c = d.client()
    sock = c.call("open", options={"netns": "/proc/self/ns/net", "ttl": 9})["sock"]
    assert option(c, sock, "ttl") == 9
