# SPDX-License-Identifier: BSD-2-Clause
"""setopts and getopts, by the table that describe gives."""
from check import option, recv, refusal, setopt
from harness import associate


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
    text = 'einval: sctp_status.assoc_id: the socket has no such association; ask with ["sctp_status", {"assoc_id": ...}]'
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
                           "sctp_auto_asconf", "sctp_stream_scheduler_value"}, unread


def test_what_is_read_can_be_set_again(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for row in rows(c):
        if row["access"] != "get, set" or row["scope"] == "assoc" or row["name"] in (
                "tclass", "recvtclass", "ipv6_v6only", "sctp_auto_asconf"):
            continue
        value = option(c, sock, row["name"])
        setopt(c, sock, **{row["name"]: value})
        if row["name"] not in ("sndbuf", "recbuf"):
            assert option(c, sock, row["name"]) == value, row["name"]


def test_getopts_keeps_the_order_asked_for(d):
    c = d.client()
    sock = c.call("open")["sock"]
    got = c.call("getopts", sock=sock, options=["ttl", "active", "tos", "ttl"])["options"]
    assert [name for name, _ in got] == ["ttl", "active", "tos", "ttl"]
    assert c.call("getopts", sock=sock, options=[])["options"] == []
