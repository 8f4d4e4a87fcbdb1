# SPDX-License-Identifier: BSD-2-Clause
"""Every row of the table of options, on every scope that it has."""
from check import WAIT_MS, allow_interleaving, code, only, option, recv, refusal, setopt
from harness import Daemon, associate


def start(**config):
    allow_interleaving()
    return Daemon(**config)



# What is set, and reads back; a value for each option that can be set.
SAMPLES = {
    "active": 7,
    "sctp_events": {"data_io_event": False, "association_event": False, "address_event": False,
                    "send_failure_event": False, "peer_error_event": False, "shutdown_event": False,
                    "partial_delivery_event": False, "adaptation_layer_event": True,
                    "authentication_event": True, "sender_dry_event": True, "stream_reset_event": True,
                    "assoc_reset_event": True, "stream_change_event": True},
    "mode": "list",
    "buffer": 5000,
    "high_msgq_watermark": 100000,
    "low_msgq_watermark": 50000,
    "send_timeout": 7000,
    "non_block_send": True,
    "bundle": False,
    "bind_to_device": "lo",
    "recvtos": True,
    "recvttl": True,
    "recvtclass": True,
    "timestamp": True,
    "sndbuf": 100000,
    "recbuf": 100000,
    "linger": {"on": True, "seconds": 7},
    "reuseaddr": True,
    "reuseport": True,
    "dontroute": True,
    "priority": 5,
    "tos": 16,
    "ttl": 9,
    "tclass": 32,
    "ipv6_v6only": True,
    "on_owner_exit": "abort",
    "hold_time": 5000,
    "path_manager": {"on": True, "primary": "10.0.0.1", "return": 7000, "half_life": 9000, "failover": "kept",
                     "ask_peer": True},
    "stall": {"time": 7000},
    "sctp_rtoinfo": {"initial": 2000, "max": 20000, "min": 500},
    "sctp_associnfo": {"asocmaxrxt": 7, "cookie_life": 30000},
    "sctp_initmsg": {"num_ostreams": 3, "max_instreams": 4, "max_attempts": 2, "max_init_timeo": 5000},
    "sctp_nodelay": False,
    "sctp_autoclose": 100,
    "sctp_adaptation_layer": {"adaptation_ind": 0x01020304},
    "sctp_disable_fragments": True,
    "sctp_peer_addr_params": {"hbinterval": 7000, "pathmaxrxt": 3, "sackdelay": 100,
                              "flags": ["hb_enable", "pmtud_enable", "sackdelay_enable"]},
    "sctp_default_send_param": {"stream": 3, "flags": ["unordered"], "ppid": 46, "context": 5, "timetolive": 9000},
    "sctp_i_want_mapped_v4_addr": False,
    "sctp_maxseg": {"assoc_value": 700},
    "sctp_delayed_ack_time": {"assoc_value": 100},
    "sctp_delayed_sack": {"delay": 100, "freq": 3},
    "sctp_context": {"assoc_value": 9},
    "sctp_fragment_interleave": 1,
    "sctp_partial_delivery_point": 5000,
    "sctp_max_burst": {"assoc_value": 9},
    "sctp_default_sndinfo": {"sid": 3, "flags": ["unordered"], "ppid": 46, "context": 5},
    "sctp_default_prinfo": {"value": 7, "policy": "rtx"},
    "sctp_auto_asconf": True,
    "sctp_pr_supported": {"assoc_value": 0},
    "sctp_reconfig_supported": {"assoc_value": 1},
    "sctp_enable_stream_reset": {"assoc_value": ["reset_streams", "add_streams"]},
    "sctp_interleaving_supported": {"assoc_value": 1},
    "sctp_stream_scheduler": {"assoc_value": "rr"},
    "sctp_asconf_supported": {"assoc_value": 1},
    "sctp_auth_supported": {"assoc_value": 1},
    "sctp_ecn_supported": {"assoc_value": 0},
    "sctp_expose_potentially_failed_state": {"assoc_value": 1},
    "sctp_remote_udp_encaps_port": {"port": 9899},
    "mark": 7,
    "refuse_without_auth": True,
    "freebind": True,
    "blackhole": True,
    "sctp_hmac_ident": {"idents": ["sha256", "sha1"]},
    "sctp_peer_addr_thlds": {"pathmaxrxt": 3, "pathpfthld": 2},
    "sctp_peer_addr_thlds_v2": {"pathmaxrxt": 3, "pathpfthld": 2, "pathcpthld": 3},
    "sctp_plpmtud_probe_interval": {"interval": 7000},
}
# Those that are about an association and nothing else have tests of their own.
OF_ASSOCIATIONS = {"sctp_set_peer_primary_addr", "sctp_primary_addr", "sctp_add_streams", "sctp_stream_scheduler_value"}
# Those that say how messages are authenticated, too: test_auth.py.
OF_KEYS = {"sctp_auth_chunk": {"chunk": "data"}, "sctp_auth_key": {"keynumber": 1, "key": b"key"},
           "sctp_auth_active_key": {"keynumber": 1}, "sctp_auth_deactivate_key": {"keynumber": 1},
           "sctp_auth_delete_key": {"keynumber": 1}, "sctp_auth_required": {"keynumber": 1, "key": b"key"}}
# What must be set before.
AUTH = {"sctp_auth_supported": {"assoc_value": 1}}
NEEDS = {"sctp_asconf_supported": AUTH, "sctp_hmac_ident": AUTH,
         "sctp_interleaving_supported": {"sctp_fragment_interleave": 1}}
AT_OPEN = {"netns"}
SIX = {"recvtclass", "tclass", "ipv6_v6only"}
# What is agreed when an association is made cannot be changed afterwards.
AGREED = {"sctp_pr_supported", "sctp_reconfig_supported", "sctp_asconf_supported", "sctp_auth_supported",
          "sctp_ecn_supported", "sctp_interleaving_supported"}


def rows(c):
    return c.call("describe")["options"]


def settable(c):
    return [r for r in rows(c) if "set" in r["access"] and r["name"] not in OF_ASSOCIATIONS | set(OF_KEYS)]


def fresh(c, name, **args):
    """A socket on which this option can be set."""
    return c.call("open", family="inet6" if name in SIX else "inet", options=NEEDS.get(name, {}), **args)["sock"]


def has(got, name, want):
    """What reads back is what was set, as the kernel writes it."""
    if name in ("sndbuf", "recbuf"):
        return got == 2 * want          # the kernel doubles them
    if name in ("tos", "tclass"):      # two bits are the kernel's
        return got & ~3 == want
    if isinstance(want, dict):
        return all(got[k] == v for k, v in want.items())
    return got == want


def on_stream(name):
    return name not in ("sctp_autoclose", "blackhole")


def test_there_is_a_sample_for_every_option(d):
    c = d.client()
    assert {r["name"] for r in rows(c) if "set" in r["access"]} - OF_ASSOCIATIONS - set(OF_KEYS) == set(SAMPLES)


def test_every_option_reads_back_what_was_set(d):
    c = d.client()
    for kind in ("seqpacket", "stream"):
        for row in settable(c):
            name = row["name"]
            if kind == "stream" and not on_stream(name) or name == "ipv6_v6only":
                continue
            sock = fresh(c, name, type=kind)
            before = option(c, sock, name)
            assert not has(before, name, SAMPLES[name]), f"{name} is so anyway"
            setopt(c, sock, **{name: SAMPLES[name]})
            assert has(option(c, sock, name), name, SAMPLES[name]), (name, option(c, sock, name))
            c.call("close", sock=sock)


def test_every_option_can_be_given_at_open(d):
    c = d.client()
    for name, value in SAMPLES.items():
        if name == "sctp_auto_asconf":
            continue                    # of sockets that are bound
        options = [*NEEDS.get(name, {}).items(), [name, value]]
        sock = c.call("open", family="inet6" if name in SIX else "inet", options=options)["sock"]
        assert has(option(c, sock, name), name, value), (name, option(c, sock, name))
        c.call("close", sock=sock)


NONE_YET = {("path_manager", "primary"): "0.0.0.0"}


def test_every_field_alone_changes_no_other(d):
    c = d.client()
    for name, value in SAMPLES.items():
        if not isinstance(value, dict):
            continue
        first = option(c, fresh(c, name), name)
        for field in value:
            if (name, field) == ("sctp_default_prinfo", "policy"):
                continue                # none has no value
            sock = fresh(c, name)
            setopt(c, sock, **{name: value})
            absent = NONE_YET.get((name, field))    # what it is set to where it has no value yet
            setopt(c, sock, **{name: {field: first.get(field, absent)}})
            got = option(c, sock, name)
            if field not in first:
                assert field not in got, (name, field, got)
                continue
            assert has(got, name, {**value, field: first[field]}), (name, field, got)
            c.call("close", sock=sock)


def test_every_option_of_one_association_is_of_that_alone(d):
    c = d.client()
    for row in settable(c):
        name = row["name"]
        if row["scope"] == "socket" or name in AGREED:
            continue
        _, _, here, here_id = associate(c)
        before = option(c, here, name)
        setopt(c, here, **{name: {"assoc_id": here_id, **SAMPLES[name]}})
        assert has(option(c, here, name, assoc_id=here_id), name, SAMPLES[name]), name
        assert option(c, here, name) == before, name


def test_every_option_of_those_to_come_is_not_of_those_that_are(d):
    c = d.client()
    for row in settable(c):
        name = row["name"]
        if row["scope"] == "socket" or name in AGREED:
            continue
        _, _, here, here_id = associate(c)
        before = option(c, here, name, assoc_id=here_id)
        setopt(c, here, **{name: SAMPLES[name]})
        assert option(c, here, name, assoc_id=here_id) == before, name
        there = c.call("open", ip="127.0.0.1")
        c.call("listen", sock=there["sock"])
        new = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
        if name == "sctp_remote_udp_encaps_port":
            continue                    # it becomes what the peer's packets came by
        assert has(option(c, here, name, assoc_id=new), name, SAMPLES[name]), name


def test_every_option_that_can_be_of_all_takes_1_and_2(d):
    c = d.client()
    done = 0
    for row in settable(c):
        name = row["name"]
        if row["scope"] != "current":
            continue
        done += 1
        _, _, here, here_id = associate(c)
        before = option(c, here, name)
        setopt(c, here, **{name: {"assoc_id": 1, **SAMPLES[name]}})
        assert has(option(c, here, name, assoc_id=here_id), name, SAMPLES[name]), name
        assert option(c, here, name) == before, name
        _, _, here, here_id = associate(c)
        setopt(c, here, **{name: {"assoc_id": 2, **SAMPLES[name]}})
        assert has(option(c, here, name, assoc_id=here_id), name, SAMPLES[name]), name
        assert has(option(c, here, name), name, SAMPLES[name]), name
    assert done >= 8


def test_every_option_refuses_an_association_that_is_not(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for row in rows(c):
        name = row["name"]
        if row["scope"] == "socket":
            continue
        if "get" in row["access"]:
            text = refusal(c, "getopts", sock=sock, options=[[name, {"assoc_id": 999999}]])
            assert text.startswith(f"einval: {name}.assoc_id: the socket has no such association"), text
        if "set" in row["access"]:
            value = {"assoc_id": 999999, **{**SAMPLES, **OF_KEYS}.get(name, {})}
            if name in ("sctp_primary_addr", "sctp_set_peer_primary_addr"):
                value["addr"] = {"addr": "127.0.0.1", "port": 1}
            assert code(c, "setopts", sock=sock, options={name: value}) == "einval", name


def test_every_option_refuses_values_of_other_types(d):
    c = d.client()
    sock = c.call("open", options=AUTH)["sock"]
    for name, value in SAMPLES.items():
        if name in SIX:
            continue
        before = option(c, sock, name)
        for wrong in (1.5, [1, 2], "no such word", {"no_such": 1}):
            if isinstance(value, str) and isinstance(wrong, str):
                continue
            want = ("einval",) if name == "active" else ("badarg",)
            got = code(c, "setopts", sock=sock, options={name: wrong})
            assert got in want, (name, wrong, got)
        assert option(c, sock, name) == before, name


def test_every_field_refuses_values_of_other_types(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for row in rows(c):
        if "set" not in row["access"] or row["fields"][0]["name"] == "":
            continue
        for field in row["fields"]:
            for wrong in (1.5, {"x": 1}, "no such word", -1 << 40):
                text = refusal(c, "setopts", sock=sock, options={row["name"]: {field["name"]: wrong}})
                assert text.startswith(f"badarg: options.{row['name']}."), (field["name"], wrong, text)


def test_what_can_only_be_read_or_only_be_set(d):
    c = d.client()
    sock = c.call("open")["sock"]
    seen = set()
    for row in rows(c):
        name = row["name"]
        if "set" not in row["access"] and name not in AT_OPEN:
            assert refusal(c, "setopts", sock=sock, options={name: {}}) == \
                f"einval: options.{name}: it can only be read; 0 of 1 were set"
            seen.add(name)
        if "get" not in row["access"] and name not in AT_OPEN:
            assert refusal(c, "getopts", sock=sock, options=[name]) == f"einval: {name}: it can only be set"
            seen.add(name)
    assert seen == {"sctp_status", "sctp_get_peer_addr_info", "sctp_pr_assoc_status",
                    "sctp_pr_stream_status", "sctp_set_peer_primary_addr", "sctp_add_streams", "sctp_peer_auth_chunks",
                    "sctp_local_auth_chunks", "sctp_assoc_stats", *OF_KEYS} - {"sctp_auth_active_key"}


def test_autoclose_is_not_for_stream_sockets(d):
    c = d.client()
    sock = c.call("open", type="stream")["sock"]
    assert code(c, "getopts", sock=sock, options=["sctp_autoclose"]) == "eopnotsupp"
    assert code(c, "setopts", sock=sock, options={"sctp_autoclose": 1}) == "eopnotsupp"


def test_six_options_are_refused_by_four(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for name in SIX:
        for method, args in (("getopts", [name]), ("setopts", {name: SAMPLES[name]})):
            assert code(c, method, sock=sock, options=args) in ("enoprotoopt", "eopnotsupp"), name


def test_values_that_the_kernel_refuses(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for name, value in (("ttl", 0), ("sctp_maxseg", {"assoc_value": 3}),
                        ("sctp_rtoinfo", {"min": 50000, "max": 100}),
                        ("sctp_peer_addr_params", {"flags": ["hb_enable", "hb_disable"]}),
                        ("sctp_delayed_ack_time", {"assoc_value": 501}), ("sctp_delayed_sack", {"delay": 501})):
        before = option(c, sock, name)
        text = refusal(c, "setopts", sock=sock, options={name: value})
        why = "it takes min <= initial <= max; what is not given keeps its value, which getopts shows" \
            if name == "sctp_rtoinfo" else "Invalid argument"
        assert text == f"einval: options.{name}: {why}; 0 of 1 were set", text
        assert option(c, sock, name) == before


def test_tos_and_priority_do_not_change_each_other(d):
    c = d.client()
    sock = c.call("open")["sock"]
    setopt(c, sock, priority=3)
    setopt(c, sock, tos=16)
    assert (option(c, sock, "priority"), option(c, sock, "tos")) == (3, 16)
    setopt(c, sock, priority=5)
    assert (option(c, sock, "priority"), option(c, sock, "tos")) == (5, 16)


INHERITED = ("mode", "buffer", "high_msgq_watermark", "low_msgq_watermark", "send_timeout", "non_block_send", "linger",
             "priority", "tos", "ttl", "dontroute", "recvtos", "recvttl", "reuseaddr", "bind_to_device", "sndbuf",
             "sctp_nodelay", "sctp_autoclose", "sctp_disable_fragments", "sctp_partial_delivery_point",
             "sctp_i_want_mapped_v4_addr", "sctp_initmsg", "sctp_adaptation_layer", "sctp_rtoinfo", "sctp_maxseg",
             "sctp_context", "sctp_max_burst", "sctp_default_send_param", "sctp_events", "sctp_associnfo",
             "sctp_delayed_sack", "sctp_stream_scheduler", "sctp_peer_addr_params", "mark",
             "sctp_peer_addr_thlds")


def inherited(kind):
    return {n: SAMPLES[n] for n in INHERITED if kind == "many" or on_stream(n)}


def test_a_peeled_socket_has_the_options_that_were_given_at_open(d):
    c = d.client()
    options = {**inherited("many"), "linger": {"on": True, "seconds": 7}}
    options["sctp_events"] = {**options["sctp_events"], "association_event": True}
    _, _, here, here_id = associate(c, options=options)
    peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
    for name, value in options.items():
        assert has(option(c, peeled, name), name, value), (name, option(c, peeled, name))
    assert option(c, peeled, "active") is False


def test_so_has_an_accepted_one(d):
    c = d.client()
    options = inherited("stream")
    there = c.call("open", ip="127.0.0.1", type="stream", options=options)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    accepted = c.call("accept", sock=there["sock"], timeout=WAIT_MS)["accepted"]
    for name, value in options.items():
        assert has(option(c, accepted, name), name, value), (name, option(c, accepted, name))


def test_six_options_are_inherited_too(d):
    c = d.client()
    options = {"tclass": 32, "recvtclass": True}
    _, _, here, here_id = associate(c, ip="::1", options=options)
    peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
    for name, value in options.items():
        assert has(option(c, peeled, name), name, value), (name, option(c, peeled, name))


def test_a_primary_address_of_somebody_else_is_refused(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    value = {"assoc_id": here_id, "addr": {"addr": "127.0.0.9", "port": 9}}
    assert code(c, "setopts", sock=here, options={"sctp_primary_addr": value}) == "einval"
    assert code(c, "getopts", sock=here, options=[["sctp_get_peer_addr_info", {
        "assoc_id": here_id, "address": value["addr"]}]]) == "einval"


def asconf():
    return {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1}}


def test_the_peer_is_asked_for_its_primary_address(d):
    """By sctp_set_peer_primary_addr; it is that of ours that the peer sends to."""
    c = d.client()
    there = c.call("open", ip=["127.0.0.1"], options=[*asconf().items()])
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip=["127.0.0.3", "127.0.0.4"], options=[*asconf().items()])
    up = c.call("connect", sock=here["sock"], addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    peer = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")["assoc_id"]
    was = option(c, there["sock"], "sctp_primary_addr", assoc_id=peer)["addr"]["addr"]
    other = {"127.0.0.3": "127.0.0.4", "127.0.0.4": "127.0.0.3"}[was]
    setopt(c, here["sock"], sctp_set_peer_primary_addr={
        "assoc_id": up, "addr": {"addr": other, "port": here["port"]}})
    while option(c, there["sock"], "sctp_primary_addr", assoc_id=peer)["addr"]["addr"] != other:
        pass
    assert code(c, "setopts", sock=here["sock"], options={"sctp_set_peer_primary_addr": {
        "assoc_id": up, "addr": {"addr": "127.0.0.9", "port": here["port"]}}}) != "ok"


def test_the_priority_of_a_stream(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    setopt(c, here, sctp_stream_scheduler={"assoc_id": here_id, "assoc_value": "prio"})
    setopt(c, here, sctp_stream_scheduler_value={"assoc_id": here_id, "stream_id": 2, "stream_value": 7})
    got = option(c, here, "sctp_stream_scheduler_value", assoc_id=here_id, stream_id=2)
    assert got == {"assoc_id": here_id, "stream_id": 2, "stream_value": 7}


def test_messages_that_were_given_up_are_counted(d):
    c = d.client()
    _, _, here, here_id = associate(c, options={"sctp_default_prinfo": {"value": 10, "policy": "ttl"}})
    while not c.call("getstat", sock=here)["send_pend"]:
        c.request("send", sock=here, assoc_id=here_id, data=bytes(100000))
    recv(c, here, "sctp_send_failed")
    for name in ("sctp_pr_assoc_status", "sctp_pr_stream_status"):
        got = option(c, here, name, assoc_id=here_id, sid=0, policy="ttl")
        assert (got["assoc_id"], got["sid"], got["policy"]) == (here_id, 0, "ttl")
        assert got["abandoned_unsent"] + got["abandoned_sent"] > 0, got
    c.call("abort", sock=here, assoc_id=here_id)


def test_every_field_of_a_status(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    fields = {r["name"]: [f["name"] for f in r["fields"]] for r in rows(c)}
    address = {"addr": "127.0.0.1", "port": c.call("port", sock=there)["port"]}
    got = option(c, here, "sctp_status", assoc_id=here_id)
    assert list(got) == fields["sctp_status"]
    path = option(c, here, "sctp_get_peer_addr_info", assoc_id=here_id, address=address)
    assert list(path) == fields["sctp_get_peer_addr_info"] == list(got["primary"])
    assert got["rwnd"] > 0 and got["penddata"] == 0 and got["fragmentation_point"] > 500
    got = option(c, here, "sctp_associnfo", assoc_id=here_id)
    assert got["number_peer_destinations"] == 1 and got["peer_rwnd"] > 0 and got["local_rwnd"] > 0


def test_every_readable_option_has_the_fields_of_the_table(d):
    c = d.client()
    _, _, here, here_id = associate(c, options=AUTH)
    for row in rows(c):
        names = [f["name"] for f in row["fields"] if not f.get("sparse")]
        if "get" not in row["access"] or names == [""] or row["scope"] == "assoc":
            continue
        got = option(c, here, row["name"])
        assert set(names) - {"address", "primary"} <= set(got) <= {f["name"] for f in row["fields"]}, (row["name"], got)


def test_another_client_may_set_and_read(d):
    c, other = d.client(), d.client()
    sock = c.call("open")["sock"]
    setopt(other, sock, ttl=9)
    assert option(other, sock, "ttl") == option(c, sock, "ttl") == 9
    assert only(other.call("sockets")["sockets"], sock=sock)["sock"] == sock


def test_an_unknown_option_stops_the_list(d):
    c = d.client()
    sock = c.call("open")["sock"]
    assert refusal(c, "setopts", sock=sock, options=[["ttl", 9], ["no_such", 1], ["ttl", 10]]) == \
        "einval: options.no_such: there is no such option; describe lists them; 1 of 3 were set"
    assert option(c, sock, "ttl") == 9
    assert code(c, "getopts", sock=sock, options=["ttl", "no_such"]) == "einval"
