# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: each costs its sender an error or its connection, and nobody else
anything. The rows are data; {sock} and the like are put in, * is what varies."""
import os
import re
import socket
import struct

import msgpack

from check import only, refusal, setopt
from harness import HOARDS, SLOW, associate
from rpc import WAIT, Client, RpcError

CONFIG = {"socket_mode": "0666", "max_message": "64K", "log_level": "info"}
MAX_MESSAGE = 64 << 10
MAX_FRAME = MAX_MESSAGE + (1 << 20)

U16 = "an integer from 0 to 65535"
U32 = "an integer from 0 to 4294967295"
U64 = "an integer from 0 to 2^53"
TIMEOUT = 'milliseconds from 0 to 4294967294, or "infinity"'
OPEN = "ip, port, type, family, options, bind"
INT64_MAX = (1 << 63) - 1
EXT = msgpack.ExtType(0, b"\0")      # msgpackr's undefined

# ---- calls and their whole error strings ------------------------------------

CALLS = (
    ("no_such_method", {}, 'enosys: method "no_such_method": unknown; describe lists them'),
    ("", {}, 'enosys: method "": unknown; describe lists them'),
    ("x" * 1000, {}, f'enosys: method "{"x" * 64}": unknown; describe lists them'),
    ("Open", {}, 'enosys: method "Open": unknown; describe lists them'),
    ("open", {"no_such": 1}, f"badarg: no_such: unknown; there are: {OPEN}"),
    ("open", {"": 1}, f"badarg: params: a key is empty; there are: {OPEN}"),
    ("open", {"port": -1}, f"badarg: port: -1 is out of range; it takes {U16}"),
    ("open", {"port": 65536}, f"badarg: port: 65536 is out of range; it takes {U16}"),
    ("open", {"port": (1 << 64) - 1}, f"badarg: port: {INT64_MAX} is out of range; it takes {U16}"),
    ("open", {"port": -(1 << 63)}, f"badarg: port: -{1 << 63} is out of range; it takes {U16}"),
    ("open", {"port": "http"}, f"badarg: port: got a string; it takes {U16}"),
    ("open", {"port": 1.5}, f"badarg: port: got 1.5; it takes {U16}"),
    ("open", {"port": -0.5}, f"badarg: port: got -0.5; it takes {U16}"),
    ("open", {"port": float("nan")}, f"badarg: port: got *nan; it takes {U16}"),
    ("open", {"port": float("inf")}, f"badarg: port: got inf; it takes {U16}"),
    ("open", {"port": 1e300}, f"badarg: port: got 1e+300; it takes {U16}"),
    ("open", {"port": 65536.0}, f"badarg: port: 65536 is out of range; it takes {U16}"),
    ("open", {"port": float(1 << 63)}, f"badarg: port: {INT64_MAX} is out of range; it takes {U16}"),
    ("open", {"port": -float(1 << 63)}, f"badarg: port: -{1 << 63} is out of range; it takes {U16}"),
    ("open", {"type": 1.5}, "badarg: type: got a floating-point number; its words are: seqpacket, stream"),
    ("open", {"port": EXT}, f"badarg: port: got an extension type; it takes {U16}"),
    ("open", {"ip": EXT}, "badarg: ip: got an extension type; *"),
    ("open", {"type": msgpack.Timestamp(5)}, "badarg: type: got an extension type; its words are: seqpacket, stream"),
    ("open", {"options": EXT}, "badarg: options: got an extension type; it takes a map, or a list of [name, value]"),
    ("open", {"options": {"active": EXT}}, "einval: options.active: it takes true, *"),
    ("open", {"options": {"ttl": EXT}}, "badarg: options.ttl: got an extension type; it takes *"),
    ("open", {"options": [["ttl", None]]}, "badarg: options.ttl: got nil; it takes *"),
    ("recv", {"sock": None}, f"badarg: sock: missing; it takes {U64}"),
    ("open", {"port": True}, f"badarg: port: got a boolean; it takes {U16}"),
    ("open", {"type": "dgram"}, 'badarg: type: "dgram" is not one of its words: seqpacket, stream'),
    ("open", {"type": 1}, "badarg: type: got an integer; its words are: seqpacket, stream"),
    ("open", {"family": "local"}, 'badarg: family: "local" is not one of its words: inet, inet6'),
    ("open", {"ip": "localhost"},
     'badarg: ip: "localhost" does not parse; an address is "10.0.0.1" or "2001:db8::1", any or loopback'),
    ("open", {"ip": "256.0.0.1"}, 'badarg: ip: "256.0.0.1" does not parse; *'),
    ("open", {"ip": ""}, 'badarg: ip: "" does not parse; *'),
    ("open", {"ip": "127.0.0.1\0"}, 'badarg: ip: "127.0.0.1*'),
    ("open", {"ip": "fe80::1%nowhere"}, 'badarg: ip: "fe80::1%nowhere" does not parse; *'),
    ("open", {"ip": 2130706433}, 'badarg: ip: got an integer; it takes an address such as "10.0.0.1", or a list of them'),
    ("open", {"ip": []}, "badarg: ip: a list of 0 addresses; it takes 1 to 32"),
    ("open", {"ip": ["127.0.0.1"] * 33}, "badarg: ip: a list of 33 addresses; it takes 1 to 32"),
    ("open", {"ip": ["127.0.0.1", 5]}, "badarg: ip: got an integer; *"),
    ("open", {"ip": ["127.0.0.1", "::1"]},
     'eafnosupport: ip: "::1" is IPv6, and the socket is inet; open it with family inet6'),
    ("open", {"ip": "127.0.0.1", "port": "{port}"}, "eaddrinuse: port {port}: it is in use on that address"),
    ("open", {"options": 5}, "badarg: options: got an integer; it takes a map, or a list of [name, value]"),
    ("open", {"options": [5]}, "badarg: options: number 1 is not a [name, value] with a string as the name"),
    ("open", {"options": [["ttl", 1, 2]]}, "badarg: options: number 1 is not a [name, value] *"),
    ("open", {"options": {5: 5}}, "badarg: options: number 1 is not a [name, value] *"),
    ("open", {"options": {"no_such": 1}},
     "einval: options.no_such: there is no such option; describe lists them; 0 of 1 were set"),
    ("connect", {"sock": "{sock}", "addr": "::1", "port": 1},
     'eafnosupport: addr: "::1" is IPv6, and the socket is inet; open it with family inet6'),
    ("connect", {"sock": "{sock}", "addr": "10.0.0.256", "port": 1},
     'badarg: addr: "10.0.0.256" does not parse; an address is "10.0.0.1" or "2001:db8::1"'),
    ("connect", {"sock": "{sock}", "addr": "127.0.0.1", "port": 0},
     "einval: port: 0 is not a port of a peer; it takes 1 to 65535"),
    ("connect", {"sock": "{sock}", "addr": "255.255.255.255", "port": 1}, "einval: 255.255.255.255:1: *"),
    ("connect", {"sock": "{sock}", "port": 1}, "badarg: addr: missing; it takes a value"),
    ("connect", {"sock": "{sock}", "addr": "127.0.0.1"}, f"badarg: port: missing; it takes {U16}"),
    ("connect", {"sock": "{sock}", "addr": "127.0.0.1", "port": 1, "timeout": -1},
     f"badarg: timeout: -1 is out of range; it takes {TIMEOUT}"),
    ("connect", {"sock": "{sock}", "addr": "127.0.0.1", "port": 1, "timeout": 4294967295},
     f"badarg: timeout: 4294967295 is out of range; it takes {TIMEOUT}"),
    ("connect", {"sock": "{sock}", "addr": "127.0.0.1", "port": 1, "timeout": "forever"},
     f"badarg: timeout: got a string; it takes {TIMEOUT}"),
    ("connect", {"sock": "{sock}", "addr": "127.0.0.1", "port": 1, "options": {"ttl": 0}},
     "einval: options.ttl: Invalid argument; 0 of 1 were set"),
    ("recv", {}, f"badarg: sock: missing; it takes {U64}"),
    ("recv", {"sock": -1}, f"badarg: sock: -1 is out of range; it takes {U64}"),
    ("recv", {"sock": (1 << 53) + 1}, f"badarg: sock: {(1 << 53) + 1} is out of range; it takes {U64}"),
    ("recv", {"sock": 1 << 53},
     f"closed: sock {1 << 53}: no such socket; it was closed, or never opened"),
    ("recv", {"sock": "{closed}"}, "closed: sock {closed}: no such socket; *"),
    ("recv", {"sock": "{sock}", "timeout": 1.5}, f"badarg: timeout: got 1.5; it takes {TIMEOUT}"),
    ("listen", {"sock": "{sock}", "backlog": -1}, "badarg: backlog: it takes true, false, or a number from 0; a number over 65535 counts as 65535"),
    ("listen", {"sock": "{sock}", "backlog": 1.5}, "badarg: backlog: *"),
    ("listen", {"sock": "{sock}", "backlog": "5"}, "badarg: backlog: *"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}"}, "badarg: data: missing; it takes bytes (bin, or a string)"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "data": 5},
     "badarg: data: got an integer; it takes bytes (bin, or a string)"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "data": b""},
     "einval: data: it is empty; a message has one byte or more"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "data": bytes(MAX_MESSAGE + 1)},
     "emsgsize: data: 65537 bytes are more than max_message, 65536"),
    ("send", {"sock": "{small}", "assoc_id": "{small_id}", "data": bytes(60000)},
     "emsgsize: data: 60000 bytes are more than the send buffer takes; set sndbuf"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "stream": 10, "data": b"x"},
     "einval: stream 10: the association has streams 0 to 9"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "stream": 65535, "data": b"x"},
     "einval: stream 65535: the association has streams 0 to 9"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "stream": 65536, "data": b"x"},
     f"badarg: stream: 65536 is out of range; it takes {U16}"),
    ("send", {"sock": "{sock}", "assoc_id": 4294967296, "data": b"x"},
     f"badarg: assoc_id: 4294967296 is out of range; it takes {U32}"),
    ("send", {"sock": "{sock}", "assoc_id": 4294967295, "data": b"x"},
     "epipe: assoc_id 4294967295: sock {sock} has no such association; it has ended, or never existed"),
    ("send", {"sock": "{sock}", "data": b"x"}, "badarg: assoc_id: missing; a one-to-many socket needs it"),
    ("send", {"sock": "{sock}", "assoc_id": "{id}", "data": b"x", "sctp_sndrcvinfo": {}},
     "badarg: sctp_sndrcvinfo: it contains assoc_id and stream; give it or those two, not both"),
    ("send", {"sock": "{sock}", "data": b"x", "sctp_sndrcvinfo": [5]},
     "badarg: sctp_sndrcvinfo: got a list; it takes a map"),
    ("send", {"sock": "{sock}", "data": EXT}, "badarg: data: got an extension type; it takes bytes (bin, or a string)"),
    ("send", {"sock": "{sock}", "data": b"x", "sctp_sndrcvinfo": {"ppid": 1 << 32}},
     f"badarg: sctp_sndrcvinfo.ppid: 4294967296 is out of range; it takes {U32}"),
    ("send", {"sock": "{sock}", "data": b"x", "sctp_sndrcvinfo": {"flags": ["urgent"]}},
     'badarg: sctp_sndrcvinfo.flags: "urgent" is not one of its words: *'),
    ("send", {"sock": "{sock}", "data": b"x", "sctp_sndrcvinfo": {"assoc_id": "{id}", "flags": ["eof"]}},
     "einval: data: a message cannot be sent with eof; send it before"),
    ("abort", {"sock": "{sock}", "assoc_id": "{id}", "reason": bytes(1025)},
     "emsgsize: reason: 1025 bytes; it takes at most 1024"),
    ("accept", {"sock": "{sock}"}, "einval: sock {sock}: only a listening stream socket accepts"),
    ("peeloff", {"sock": "{sock}", "assoc_id": 0}, "einval: assoc_id 0: sock {sock} has no such association"),
    ("peeloff", {"sock": "{sock}"}, f"badarg: assoc_id: missing; it takes {U32}"),
    ("controlling_process", {"sock": "{sock}", "client": 1 << 40},
     "badarg: client 1099511627776: your user has no such client"),
    ("error_string", {"error": -1}, f"badarg: error: -1 is out of range; it takes {U32}"),
    ("error_string", {"error": 1 << 32}, f"badarg: error: 4294967296 is out of range; it takes {U32}"),
    ("hello", {"name": "x" * 65}, "einval: name: it takes at most 64 bytes"),
    ("hello", {"protocol": 2}, "einval: protocol: this daemon speaks version 1, and you asked for 2"),
    ("hello", {"name": 5}, "badarg: name: got an integer; it takes a string"),
    ("status", {"x": 1}, "badarg: x: unknown; there are no arguments here"),
    ("watch", {"on": "yes"}, "badarg: on: got a string; it takes true or false"),
    ("setopts", {"sock": "{sock}", "options": "ttl"},
     "badarg: options: got a string; it takes a map, or a list of [name, value]"),
    ("setopts", {"sock": "{sock}", "options": {"ttl": 256}},
     "badarg: options.ttl: 256 is out of range; it takes an integer from 0 to 255; 0 of 1 were set"),
    ("setopts", {"sock": "{sock}", "options": {"sctp_nodelay": 1}},
     "badarg: options.sctp_nodelay: got an integer; it takes true or false; 0 of 1 were set"),
    ("setopts", {"sock": "{sock}", "options": {"sctp_rtoinfo": {"maximum": 1}}},
     "badarg: options.sctp_rtoinfo.maximum: unknown; there are: assoc_id, initial, max, min; 0 of 1 were set"),
    ("setopts", {"sock": "{sock}", "options": {"sctp_rtoinfo": {"assoc_id": 999999}}},
     "einval: options.sctp_rtoinfo.assoc_id: the socket has no such association; 0 of 1 were set"),
    ("setopts", {"sock": "{sock}", "options": {"sctp_events": True}},
     "badarg: options.sctp_events: got a boolean; it takes a map; 0 of 1 were set"),
    ("setopts", {"sock": "{sock}", "options": {"sctp_primary_addr": {"addr": {"addr": "127.0.0.1"}}}},
     f"badarg: options.sctp_primary_addr.addr.port: missing; it takes {U16}; 0 of 1 were set"),
    ("getopts", {"sock": "{sock}", "options": {"ttl": 1}}, "badarg: options: got a map; it takes a list of names"),
    ("getopts", {"sock": "{sock}", "options": [5]},
     "badarg: options: number 1 is neither a name nor a [name, record]"),
    ("getopts", {"sock": "{sock}", "options": ["no_such"]},
     "einval: no_such: there is no such option; describe lists them"),
    ("getopts", {"sock": "{sock}", "options": [["ttl", {}]]}, "badarg: ttl: it is read by its name alone"),
    ("getopts", {"sock": "{sock}", "options": [["sctp_rtoinfo", 5]]},
     "badarg: sctp_rtoinfo: got an integer; it takes a map"),
)

# ---- messages whose params are wrong: answered, and the connection goes on ---

PARAMS = (
    ({}, "badarg: params: got a map; it takes a list of one map of named arguments"),
    (None, "badarg: params: got nil; *"),
    ([{}, {}], "badarg: params: got 2 values; it takes one map of named arguments"),
    ([5], "badarg: params: got an integer; it takes a map"),
    ([[5]], "badarg: params: got a list; it takes a map"),
    ([EXT], "badarg: params: got an extension type; it takes a map"),
    (EXT, "badarg: params: got an extension type; it takes a list of one map of named arguments"),
    ([{1: 2}], "badarg: params: a key is an integer; keys are strings"),
    ([{EXT: 2}], "badarg: params: a key is an extension type; keys are strings"),
    ([{b"sock": 2}], f"badarg: sock: unknown; there are: {OPEN}"),
)

# ---- bytes that end the connection -------------------------------------------


def pack(*message):
    return msgpack.packb(message)


def nested(depth):
    return b"\x94\x00\x01\xa4open\x91" + b"\x91" * depth + b"\x01"


BYTES = (
    ("text", b"GET / HTTP/1.1\r\n\r\n"),
    ("zeros", bytes(100)),
    ("a byte that MessagePack never uses", b"\x94\x00\x01\xc1"),
    ("a map", b"\x81\xa1a\x01"),
    ("an array of 2", pack(0, 1)),
    ("an array of 5", pack(0, 1, "status", [], 5)),
    ("a request of 3", pack(0, 1, "status")),
    ("a notification of 4", pack(2, 1, "status", [])),
    ("a response of 3", pack(1, 1, None)),
    ("kind 3", pack(3, 1, "status", [])),
    ("kind 7.0", pack(7.0, 1, "status", [])),
    ("kind -1", pack(-1, 1, "status", [])),
    ("kind as text", pack("0", 1, "status", [])),
    ("method a number", pack(0, 1, 5, [])),
    ("method nil", pack(0, 1, None, [])),
    ("msgid negative", pack(0, -1, "status", [])),
    ("msgid over 32 bits", pack(0, 1 << 32, "status", [])),
    ("msgid text", pack(0, "1", "status", [])),
    ("nesting of 17", nested(15)),
    ("nesting of 100,000", nested(100000)),
    ("array32 of billions", b"\x94\x00\x01\xa4open\xdd\xff\xff\xff\xff"),
    ("map32 of billions", b"\x94\x00\x01\xa4open\x91\xdf\xff\xff\xff\xff"),
    ("bin32 of billions", b"\x94\x00\x01\xa4open\x91\x81\xa2ip\xc6\xff\xff\xff\xff"),
    ("str32 of billions", b"\x94\x00\x01\xdb\xff\xff\xff\xff"),
    ("array16 of 65535 without bytes for them", b"\x94\x00\x01\xa4open" + b"\xdc\xff\xff" * 17),
    ("an extension type as msgid", pack(0, EXT, "status", [])),
    ("an extension type as kind", pack(EXT, 1, "status", [])),
    ("a msgid that is no integer", pack(0, 1.5, "status", [])),
    ("ext32", b"\x94\x00\x01\xa4open\x91\xc9\xff\xff\xff\xff\x01"),
    ("too many items", pack(0, 1, "open", [{"ip": [1] * 65536}])),
    ("a frame declared too long", b"\x94\x00\x01\xa4send\x91\x81\xa4data\xc6" + struct.pack(">I", MAX_FRAME)),
    ("a frame that is too long", b"\x94\x00\x01\xa4open\x91\x81\xa2ip\xdc\x00\x20" +
     (b"\xda\xff\xff" + bytes(65535)) * 18),
)


class World:
    """What the rows name."""

    def __init__(self, d):
        self.d, self.c = d, d.client()
        _, _, sock, assoc_id = associate(self.c)
        _, _, small, small_id = associate(self.c, options={"sndbuf": 2304})
        closed = self.c.call("open")["sock"]
        self.c.call("close", sock=closed)
        port = self.c.call("sockname", sock=sock)["port"]
        self.names = {"sock": sock, "id": assoc_id, "small": small, "small_id": small_id,
                      "closed": closed, "port": port}

    def fill(self, value):
        if isinstance(value, str) and value[1:-1] in self.names and value[0] == "{":
            return self.names[value[1:-1]]
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        return value

    def matches(self, text, got):
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", str(value))
        want = ".*".join(re.escape(part) for part in text.split("*"))
        assert re.fullmatch(want, got, re.S), f"\n  got  {got}\n  want {text}"


def call_rows(w):
    for method, args, text in CALLS:
        w.matches(text, refusal(w.c, method, **w.fill(args)))


def param_rows(w):
    for params, text in PARAMS:
        w.c.msgid += 1
        w.c.sock.sendall(pack(0, w.c.msgid, "open", params))
        try:
            raise AssertionError(w.c.answer(w.c.msgid))
        except RpcError as e:
            w.matches(text, str(e))


def closes(path, data):
    """The daemon ends the connection on these bytes and serves the next."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(WAIT * SLOW)
    s.connect(path)
    try:
        s.sendall(data)
        return s.recv(1) == b""
    except (BrokenPipeError, ConnectionResetError):
        return True
    finally:
        s.close()


def byte_rows(w):
    for name, data in BYTES:
        assert closes(w.d.path, data), name
        assert w.c.call("status")["sockets"] == 4, name


def raw(d):
    c = Client(d.path)
    d.clients.append(c)
    return c


def test_there_are_rows_enough(d):
    assert d.alive() and len(CALLS) + len(PARAMS) + len(BYTES) >= 70


def test_bad_arguments_are_named(d):
    call_rows(World(d))


def test_bad_params_are_answered(d):
    param_rows(World(d))


def test_bad_bytes_end_the_connection_alone(d):
    byte_rows(World(d))


def test_it_all_costs_no_memory(d):
    w = World(d)
    for i in range(20 if SLOW == 1 else 5):
        if i == 3:
            warm = d.memory()
        call_rows(w)
        param_rows(w)
        byte_rows(w)
    assert HOARDS or d.memory() - warm < 2 << 20


def test_truncated_messages_end_with_their_connection(d):
    whole = pack(0, 1, "open", [{"ip": "127.0.0.1", "options": {"sctp_rtoinfo": {"max": 5000}}}])
    c = d.client()
    for n in range(len(whole)):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(d.path)
        s.sendall(whole[:n])
        s.close()
    while len(c.call("clients")["clients"]) > 1:
        pass
    assert c.call("sockets")["sockets"] == []


def test_a_message_may_come_byte_by_byte(d):
    c = raw(d)
    for b in pack(0, 1, "error_string", [{"error": 12}]):
        c.sock.sendall(bytes([b]))
    assert c.answer(1)["text"] == "User Initiated Abort"


def test_half_a_request_holds_nobody_up(d):
    held, c = raw(d), d.client()
    message = pack(0, 1, "error_string", [{"error": 12}])
    held.sock.sendall(message[:9])
    associate(c)
    held.sock.sendall(message[9:])
    assert held.answer(1)["text"] == "User Initiated Abort"


def test_nesting_of_16_and_65536_items_are_taken(d):
    c = raw(d)
    c.sock.sendall(nested(14))
    c.msgid = 1
    assert "badarg" in refusal(c, "open", ip=[1] * 65000)
    try:
        c.answer(1)
    except RpcError as e:
        assert e.code == "badarg"


def test_responses_are_ignored(d):
    c = raw(d)
    c.sock.sendall(pack(1, 7, None, {"x": 1}) + pack(1, 8, "error", None))
    assert c.call("status") and not c.answers and not c.events


def test_error_texts_are_utf8_whatever_was_sent(d):
    c = raw(d)
    c.sock.sendall(b"\x94\x00\x01\xa4\xff\xfe\x80x\x90")
    c.sock.sendall(b"\x94\x00\x02\xa4open\x91\x81\xa2ip\xa3\xff\xfe\xfd")
    c.sock.sendall(b"\x94\x00\x03\xa5hello\x91\x81\xa4name\xa2\xff\xfe")
    for i, code in ((1, "enosys"), (2, "badarg")):
        try:
            c.answer(i)
        except RpcError as e:
            assert e.code == code
    c.answer(3)
    assert len(c.call("clients")["clients"]) == 1


def test_an_unknown_notification_comes_back_as_error(d):
    c = d.client()
    c.notify("no_such")
    assert c.event("error") == {
        "method": "no_such", "error": 'enosys: method "no_such": unknown; describe lists them'}
    c.notify("open", port=-1)
    assert c.event("error") == {
        "method": "open", "error": f"badarg: port: -1 is out of range; it takes {U16}"}


def test_a_send_that_fails_as_a_notification_comes_back_with_its_data(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    c.notify("send", sock=here, assoc_id=here_id, stream=77, data=b"lost")
    e = c.event("sctp_send_failed")
    assert (e["sock"], e["assoc_id"], e["data"], e["flags"]) == (here, here_id, b"lost", False)
    assert e["info"]["stream"] == 77
    c.notify("send", sock=here, data=b"lost too",
             sctp_sndrcvinfo={"assoc_id": here_id + 1000, "stream": 3, "context": 5, "ppid": 46})
    e = c.event("sctp_send_failed")
    assert e["data"] == b"lost too" and e["assoc_id"] == here_id + 1000
    assert (e["info"]["stream"], e["info"]["context"], e["info"]["ppid"]) == (3, 5, 46)


def test_a_notification_is_never_answered(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    methods = [m["name"] for m in c.call("describe")["methods"]]
    for method in methods:
        if method not in ("close", "abort", "eof", "open", "watch"):
            c.notify(method, **({"sock": there} if method in (
                "socknames", "peernames", "sockname", "getstat", "recv") else {}))
    c.notify("peernames", sock=here, assoc_id=here_id)
    c.notify("getopts", sock=here, options=["ttl"])
    assert c.call("status") and not c.answers


def test_a_recv_as_a_notification_swallows_nothing(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    c.notify("recv", sock=there)
    c.call("send", sock=here, assoc_id=here_id, data=b"x")
    assert c.call("recv", sock=there, timeout=5000)["data"] == b"x"
    assert c.event("error")["method"] == "recv"


STRANGER = 65534


def as_stranger(path, requests):
    """The error strings, or results, that another user gets."""
    os.chmod(os.path.dirname(path), 0o755)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([]), os.setgid(STRANGER), os.setuid(STRANGER)
            c, got = Client(path), []
            for method, args in requests:
                try:
                    got.append(c.call(method, **args))
                except RpcError as e:
                    got.append(str(e))
            os.write(into, msgpack.packb(got))
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as f:
        got = f.read()
    os.waitpid(pid, 0)
    return msgpack.unpackb(got)


def test_a_handle_of_another_user_is_of_no_use(d):
    c = d.client()
    there, there_id, _, _ = associate(c)
    args = {"sock": there}
    requests = [(m, args) for m in ("close", "listen", "recv", "sockname", "socknames", "getstat", "paths",
                                    "reset_streams", "reset_assoc")]
    requests += [(m, {**args, "addrs": "127.0.0.2"}) for m in ("bindx_add", "bindx_rem")]
    requests += [("send", {**args, "assoc_id": there_id, "data": b"x"}), ("abort", {**args, "assoc_id": there_id}),
                 ("setopts", {**args, "options": {}}), ("getopts", {**args, "options": []}),
                 ("controlling_process", {**args, "client": 1})]
    got = as_stranger(d.path, requests)
    assert got == [f"eacces: sock {there}: it belongs to user {os.getuid()}, and you are user {STRANGER}"] * len(requests)
    assert only(c.call("sockets")["sockets"], sock=there)["associations"] == 1


def test_another_user_sees_its_own_only(d):
    c = d.client()
    associate(c)
    setopt(c, c.call("open")["sock"], active=True)
    sockets, assocs, paths, clients, status = as_stranger(d.path, [
        ("sockets", {}), ("assocs", {}), ("paths", {}), ("clients", {}), ("status", {})])
    assert sockets["sockets"] == [] and assocs["assocs"] == [] and paths["paths"] == []
    assert [row["uid"] for row in clients["clients"]] == [STRANGER] and status["sockets"] == 3
