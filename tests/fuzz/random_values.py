# SPDX-License-Identifier: BSD-2-Clause
"""Random arguments, right and wrong, for whatever methods and options a daemon
describes. A field that nothing here knows by name has values of its type."""
import re
import struct

import msgpack

INTEGER = re.compile(r"an integer from (-?\d+) to (2\^53|-?\d+)")
WRONG = 0.04            # of all values are of a wrong type, or out of range
SILENT = "10.255.0.9"   # a network without another host: no packet is answered there
HOSTS = ["127.0.0.1"] * 12 + ["::1", "127.0.0.2", "localhost", ["127.0.0.1", "127.0.0.2"], ["::1", "127.0.0.1"],
                              SILENT, "192.0.2.1", "no.such.host.invalid", "", "1.2.3", [], [5], "fe80::1%lo"]
LOCAL = ["127.0.0.1"] * 8 + ["any", "loopback", "::1", "::", "127.0.0.2", ["127.0.0.1", "127.0.0.2"], "192.0.2.1",
                             ["::1", "127.0.0.1"], "nowhere", [], [[]]]
NEARBY = [f"127.0.0.{n}" for n in range(1, 6)] + ["::1"]
JUNK = [None, None, 5.0, -0.0, float("nan"), float("inf"), 1e300, 4294967296.0, msgpack.ExtType(0, b"\0"),
        msgpack.Timestamp(5), msgpack.ExtType(127, b"x" * 300), True, -1, 1 << 32, (1 << 53) + 1, -(1 << 63), (1 << 64) - 1, 1.5, "", "x", "x" * 5000, b"\xff" * 9, [], {},
        [[[[]]]], {"a": 1}, {1: 2}, [None] * 20, {"x" * 300: "y"}]
SIZES = [1] * 4 + [10, 100, 100, 1000, 1452, 5000, 70000, 300000]
PATHS = ["/proc/self/ns/net", "/proc/1/ns/net", "/dev/null", "/nonexistent", "/tmp", "", "ns"]

# What both sides of an association must have said before much else can happen to it.
AGREED = [("sctp_auth_supported", {"assoc_value": 1}), ("sctp_asconf_supported", {"assoc_value": 1}),
          ("sctp_reconfig_supported", {"assoc_value": 1}),
          ("sctp_enable_stream_reset", {"assoc_value": ["reset_streams", "reset_assoc", "add_streams"]}),
          ("sctp_interleaving_supported", {"assoc_value": 1}), ("sctp_partial_delivery_point", 3000),
          ("sctp_stream_scheduler", {"assoc_value": "rr"})]

# Values that are legal and would only make a run wait: for the peer that is
# gone, for a socket that is held, for a network that is lent all its memory.
# Larger ones are left to the junk, which is refused.
TAME = {
    "initial": 300, "max": 500, "min": 200, "hold_time": 1500, "send_timeout": 1000, "seconds": 2, "timeout": 1000,
    "max_attempts": 3, "max_init_timeo": 300, "asocmaxrxt": 4, "pathmaxrxt": 3, "hbinterval": 500, "sackdelay": 200,
    "delay": 200, "timetolive": 300, "cookie_life": 5000, "sctp_autoclose": 4, "sndbuf": 1 << 18, "recbuf": 1 << 18,
    "sctp_delayed_ack_time": 200, "instrms": 50, "outstrms": 50, "number_peer_destinations": 8,
    "time": 1000, "return": 100, "half_life": 1000, "backoff_min": 200, "backoff_max": 500, "jitter": 100, "streams_out": 20, "streams_in": 20,
}


SUPERVISED = ("north", "south", "east", "west", "a.b-c_d")
SUPERVISING = ("supervise", "unsupervise", "supervised", "attach", "detach", "up", "down", "explain")


GROUPS = ("red", "green", "blue")
GROUPING = ("group", "join", "leave", "drain_member", "ungroup", "groups")


def respelt(value, rng):
    """The same, as a library of another language might write it: bin for a
    string, a float for an integer, an empty list for an empty map."""
    if isinstance(value, dict):
        return {respelt(k, rng): respelt(v, rng) for k, v in value.items()} or rng.choice(({}, []))
    if isinstance(value, list):
        return [respelt(v, rng) for v in value]
    if isinstance(value, str) and rng.random() < 0.7:
        return value.encode()
    if type(value) is int and abs(value) <= 1 << 53 and rng.random() < 0.7:
        return float(value)
    return value


class Values:
    """described: what describe answers; world: see random_client.py."""

    def __init__(self, described, rng, world):
        self.random, self.world = rng, world
        self.methods = {m["name"]: m for m in described["methods"]}
        self.options = {o["name"]: o for o in described["options"]}
        self.names = list(self.options)

    def arguments(self, method, client):
        """Of a call: those that are needed, and some of the others."""
        r, args = self.random, {}
        sock = self.world.sock(client)
        for field in self.methods[method]["in"]:
            if r.random() < (0.99 if field["required"] else 0.45):
                args[field["name"]] = self.value(field, method, client, sock)
        # A one-to-many socket needs to be told which; most of them are.
        if any(f["name"] == "assoc_id" for f in self.methods[method]["in"]) and r.random() < 0.8:
            args["assoc_id"] = self.world.assoc(sock)
        if method in ("assocs", "paths") and r.random() < 0.8:
            self.make_page(args, sock)
        if method in ("connect", "accept", "recv") and r.random() < 0.9:
            args["timeout"] = r.choice((0, 1, 20, 200, 1000))
        if method == "connect_init" and r.random() < 0.9:
            args.pop("timeout", None)
        if r.random() < 0.03:
            for field in self.methods[method]["in"]:
                if not field["required"]:
                    args.setdefault(field["name"], None)
        if r.random() < 0.01:
            args[r.choice(("bogus", "", "sock\0"))] = r.choice(JUNK)
        return args

    def make_page(self, args, sock):
        """A range of a list that there may be: of all sockets or of one, from the beginning or behind an association."""
        for key in "assoc_id", "after_sock", "after_assoc":
            args.pop(key, None)
        if self.random.random() < 0.5:
            args["after_sock"] = args.get("sock", sock)
            args["after_assoc"] = self.world.assoc(sock)
        elif "sock" in args:
            args["assoc_id"] = self.world.assoc(args["sock"])

    def value(self, field, method="", client=None, sock=0, owner=""):
        """One for this field; owner: the option that it is of."""
        r, name = self.random, field["name"] or owner
        if r.random() < WRONG:
            return r.choice(JUNK)
        known = getattr(self, "a_" + name, None)
        if known and not owner:
            return known(method, client, sock)
        if name == "assoc_id":
            return self.world.assoc(sock)
        return self.of_type(field, name, method, client, sock, owner)

    def of_type(self, field, name, method, client, sock, owner):
        r, kind = self.random, field["type"]
        if integer := INTEGER.match(kind):
            return self.integer(name, owner, int(integer[1]), 1 << 53 if integer[2] == "2^53" else int(integer[2]))
        if kind.startswith("milliseconds"):
            return r.choice(("infinity", self.integer(name, owner, 0, 1 << 32)))
        if kind == "true or false":
            return r.random() < 0.5
        if kind == "one of its words":
            return r.choice(field["words"])
        if kind == "a list of its words":
            return r.sample(field["words"], r.randrange(min(3, len(field["words"]) + 1)))
        if kind == "a map of its fields":
            return {f["name"]: self.value(f, method, client, sock, owner or name)
                    for f in field["fields"] if r.random() < 0.4}
        if kind.startswith("an address"):
            return r.choice(HOSTS[:14])
        if kind.startswith("an endpoint"):
            return {"addr": r.choice(HOSTS[:14]), "port": self.world.port()}
        if kind.startswith("bytes"):
            return b"r" * r.choice((0, 1, 50, 1024, 1025))
        return {"active": self.active, "netns": self.path, "bind_to_device": self.device}.get(name, self.text)()

    def integer(self, name, owner, low, high):
        r = self.random
        tame = TAME.get(owner if name == "assoc_value" else name, TAME.get(name))
        if tame is not None:
            return r.choice((low, 1, r.randint(low, tame), tame))
        return r.choice((low, 1, 2, r.randint(low, min(high, 300)), 1 << r.randrange(high.bit_length()), high,
                         r.randint(low, high)))

    # ---- what has no better type than "a value" ----

    def active(self):
        return self.random.choice((True, True, True, False, "once", 1, 5, 100, -3, 32767))

    def path(self):
        return self.random.choice((*PATHS, self.world.fifo))

    def device(self):
        return self.random.choice(("lo", "", "nosuch0", "x" * 40))

    def text(self):
        return self.random.choice(("", "a", "random", "\0", "é" * 30, b"is no \xff UTF-8", "x" * 200))

    # ---- arguments that are known by name ----

    def a_sock(self, method, client, sock):
        return sock

    def a_client(self, method, client, sock):
        return self.world.client_number()

    def a_resume(self, method, client, sock):
        return self.random.choice((True, True, self.world.token(), self.world.token(), "0" * 32, False))

    def a_seq(self, method, client, sock):
        return self.random.choice((client.seq, client.seq, max(client.seq - 3, 0), client.seq + 1, 0))

    def a_addr(self, method, client, sock):
        return self.random.choice(HOSTS)

    def a_ip(self, method, client, sock):
        return self.random.choice(LOCAL)

    def a_limit(self, method, client, sock):
        return self.random.choice((1, 2, 10, 64, 64, 65, 1024, 1025, 0))

    def a_name(self, method, client, sock):
        """Of a supervised association or a group: one of a few, so that others know it."""
        if method.endswith("sockopt"):
            return self.random.randrange(140)
        if method in GROUPING:
            return self.random.choice(GROUPS)
        return self.random.choice(SUPERVISED) if method in SUPERVISING else self.text()

    def a_local(self, method, client, sock):
        r = self.random
        return r.choice(("127.0.0.1", "127.0.0.1", "lo", ["127.0.0.1", "127.0.0.2"], "127.0.0.0/8", "::1", "0.0.0.0/0",
                         "192.0.2.1", "nosuch0", "10.0.0.0/33", ["lo"] * 2, [], ["127.0.0.1"] * 40))

    def a_peer(self, method, client, sock):
        return self.random.choice(["127.0.0.1"] * 6 + HOSTS)

    def a_peer_port(self, method, client, sock):
        return self.world.port() or 9

    def a_local_port(self, method, client, sock):
        return self.a_port("open", client, sock)

    def a_primary(self, method, client, sock):
        return self.random.choice(HOSTS[:14])

    def a_attach(self, method, client, sock):
        return self.random.choice(("all", "all", [1, "@1", "2"], "@0", 65534, "@all", [], "root"))

    def a_addrs(self, method, client, sock):
        if method in ("assocs", "paths"):
            return self.random.random() < 0.5
        return self.random.choice((*NEARBY, self.random.sample(NEARBY, 2), self.random.choice(LOCAL)))

    def a_streams(self, method, client, sock):
        r = self.random
        return r.choice((r.randrange(12), [r.randrange(12) for _ in range(r.choice((1, 3, 200)))], [], "1"))

    def a_port(self, method, client, sock):
        if method in ("open", "bind"):
            taken = self.world.port()   # by another of these; not one of the well-behaved, who need it again
            return self.random.choice((0, 0, 0, 0, 0, 0 if taken in self.world.fixed else taken, 79))
        return self.world.port()

    def a_bind(self, method, client, sock):
        return self.random.random() < 0.7

    def a_level(self, method, client, sock):
        words = ("err", "warning", "notice", "info", "debug")
        return self.random.choice((132, 132, 132, 1, 0, 41, 6) if method.endswith("sockopt") else words)

    def a_value(self, method, client, sock):
        """Of an option by number: often of a length that there is, with an association in front."""
        r = self.random
        head = struct.pack("=I", self.world.assoc(sock) if r.random() < 0.5 else r.choice((0, 1, 2)))
        more = r.choice((0, 4, 4, 8, 12, 16, 128, 148, 152, 172, r.randrange(300)))
        return head[:r.choice((4, 4, 4, 0, 1))] + (bytes(more) if r.random() < 0.7 else r.randbytes(more))

    def a_backlog(self, method, client, sock):
        return self.random.choice((True, True, True, 1, 5, 128, False, 0))

    def a_data(self, method, client, sock):
        return b"z" * self.random.choice(SIZES)

    def a_messages(self, method, client, sock):
        """As send has them, most of them right; a few more than there may be."""
        r = self.random
        fields = [f for f in self.methods["send"]["in"] if f["name"] not in ("sock", "assoc_id")]
        messages = []
        for _ in range(r.choice((1, 2, 5, 20, 64, r.choice((0, 65))))):
            one = {"data": b"m" * r.choice(SIZES[:3])}
            if r.random() < 0.2:
                one.update({f["name"]: self.value(f, "send", client, sock) for f in fields if r.random() < 0.4})
            messages.append(one if r.random() < 0.999 else r.choice(JUNK))
        return messages

    def a_on(self, method, client, sock):
        return self.random.random() < (0.1 if method == "drain" else 0.7)    # little would happen else

    def a_options(self, method, client, sock):
        r = self.random
        if method == "getopts":
            return [self.asked(r.choice(self.names), client, sock) for _ in range(r.choice((0, 1, 1, 3, 20)))]
        names = r.sample(self.names, r.choice((0, 1, 1, 2, 5)))
        if r.random() < 0.6:
            names.append("active")
        if r.random() < 0.3:
            names.append("on_owner_exit")
        if r.random() < 0.2:
            names += ["stall", "path_manager"]
        pairs = [(n, self.option(n, client, sock)) for n in names]
        if method == "open" and r.random() < 0.3:
            pairs += [("sctp_fragment_interleave", 2)] if self.options["sctp_interleaving_supported"]["here"] else []
            pairs += [(n, v) for n, v in AGREED if self.options[n]["here"]]
        if r.random() < 0.02:
            pairs.append((r.choice(("no_such", "", 5)), r.choice(JUNK)))
        return dict(pairs) if r.random() < 0.7 else [list(p) for p in pairs]

    def option(self, name, client, sock):
        fields = self.options[name]["fields"]
        if len(fields) == 1 and fields[0]["name"] == "":
            return self.value(fields[0], "", client, sock, name)
        record = {f["name"]: self.value(f, "", client, sock, name) for f in fields if self.random.random() < 0.5}
        if any(f["name"] == "assoc_id" for f in fields) and self.random.random() < 0.7:
            record["assoc_id"] = self.world.assoc(sock)
        return record

    def asked(self, name, client, sock):
        """As getopts wants it: a name, or with a record that says of what."""
        if self.random.random() < 0.5:
            return name
        return [name, self.option(name, client, sock)]
