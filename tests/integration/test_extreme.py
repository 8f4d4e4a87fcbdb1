# SPDX-License-Identifier: BSD-2-Clause
"""Options of the userland stack with the least and the largest values that
they take: whatever an association is like with them, the daemon goes on. On
whatever kernel there is."""
from check import refusal
from harness import Daemon
from relay import HOST
from rpc import RpcError
from test_udp import free_port

NUMBERS = 0, 1, 65535, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1
KINDS = "seqpacket", "stream"
ABORT = {"on_owner_exit": "abort"}      # a shutdown may take as long as a time that is set
SIZES = 1, 1000, 100000, 50000

# What makes a value of a number.
OPTIONS = {
    "linger": lambda n: {"on": True, "seconds": n},
    "recbuf": lambda n: n,
    "sctp_adaptation_layer": lambda n: n,
    "sctp_associnfo": lambda n: {"asocmaxrxt": min(n, 65535), "cookie_life": n, "local_rwnd": n, "peer_rwnd": n},
    "sctp_autoclose": lambda n: n,
    "sctp_context": lambda n: {"assoc_value": n},
    "sctp_default_prinfo": lambda n: {"policy": ("ttl", "rtx", "prio")[n % 3], "value": n},
    "sctp_default_send_param": lambda n: {"timetolive": n, "context": n, "ppid": n},
    "sctp_delayed_sack": lambda n: {"delay": min(n, 500), "freq": n},
    "sctp_initmsg": lambda n: {"num_ostreams": min(n, 65535), "max_instreams": min(n, 65535),
                               "max_attempts": min(n, 65535), "max_init_timeo": min(n, 65535)},
    "sctp_max_burst": lambda n: {"assoc_value": n},
    "sctp_maxseg": lambda n: {"assoc_value": n},
    "sctp_partial_delivery_point": lambda n: n,
    "sctp_peer_addr_params": lambda n: {"hbinterval": n, "pathmaxrxt": min(n, 65535), "flags": ["hb_enable"]},
    "sctp_rtoinfo": lambda n: {"initial": n, "max": n},
    "sndbuf": lambda n: n,
    "tos": lambda n: min(n, 255),
    "ttl": lambda n: min(n, 255),
}


def start():
    port = free_port()
    return Daemon(stack="userland", udp_port=port, peer_udp_port=port)


def exchange(c, kind, before, later):
    """An association between two sockets that are set some options, before
    and while it is up, and messages both ways; as far as it comes."""
    there = c.call("open", ip=HOST, options=ABORT)["sock"]
    port = c.call("sockname", sock=there)["port"]
    c.call("listen", sock=there)
    here = c.call("open", ip=HOST, type=kind, options=ABORT)["sock"]
    c.call("setopts", sock=there, options=before)
    c.call("setopts", sock=here, options=before if kind == "seqpacket" else
           {k: v for k, v in before.items() if k != "sctp_autoclose"})
    up = c.call("connect_init", sock=here, addr=HOST, port=port)["assoc_id"]
    c.requests("send", [{"sock": here, "assoc_id": up, "stream": 0, "data": bytes(n)} for n in SIZES])
    peer = c.call("recv", sock=there, timeout=200)
    if "assoc_id" in peer:
        c.requests("send", [{"sock": there, "assoc_id": peer["assoc_id"], "stream": 0, "data": bytes(n)} for n in SIZES])
    if later:
        c.call("setopts", sock=here, options=later)
    while True:         # until nothing comes for longer than usrsctp's clock ticks
        c.call("recv", sock=there, timeout=15)


def test_every_option_with_extreme_values_hangs_nothing(d):
    for name, of in OPTIONS.items():
        for n in NUMBERS:
            for kind in KINDS:
                for options in ({name: of(n)}, {}), ({}, {name: of(n)}):
                    c = d.client()
                    try:
                        exchange(c, kind, *options)
                    except RpcError:
                        pass        # it is refused, or makes the association useless
                    c.close()
        d.client().call("status")


def test_values_that_usrsctp_cannot_count_are_refused_with_the_largest(d):
    c = d.client()
    here = c.call("open", ip=HOST)["sock"]
    for name, key, most, more in (
            ("sctp_autoclose", None, 2147483, {}), ("sctp_max_burst", "assoc_value", 65535, {}),
            ("sctp_peer_addr_params", "pathmtu", 65492, {"flags": ["pmtud_disable"]}),
            ("sctp_rtoinfo", "max", 429496729, {}), ("sctp_rtoinfo", "initial", 429496729, {"max": 429496729})):
        def value(n):
            return n if key is None else {**more, key: n}
        for n in most + 1, (1 << 32) - 1:
            where = name if key is None else f"{name}.{key}"
            assert refusal(c, "setopts", sock=here, options={name: value(n)}).startswith(
                f"einval: options.{where}: {n} is more than this SCTP stack takes, which is {most} at most")
        c.call("setopts", sock=here, options={name: value(most)})
