# SPDX-License-Identifier: BSD-2-Clause
"""Libraries of other languages spell the same call in other ways: their users
are served all the same, also where a message is read by hand."""
import struct

import msgpack
from msgpack import ExtType

from check import option, refusal
from harness import SLOW, associate
from rpc import WAIT

PATIENCE = WAIT * SLOW * 1000
EXTENSIONS = [b"\xd4\x00\x00", b"\xd5\x01ab", b"\xd6\xff" + bytes(4), b"\xd7\xff" + bytes(8), b"\xd8\x7f" + bytes(16),
              b"\xc7\x00\x05", b"\xc7\x0c\xff" + bytes(12), b"\xc8\x00\x03\x05abc", b"\xc9\x00\x01\x00\x00\x09" + bytes(65536)]


def as_bin(value):
    """As libraries write it that have no strings, Perl's Data::MessagePack for one."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return {as_bin(k): as_bin(v) for k, v in value.items()}
    return [as_bin(v) for v in value] if isinstance(value, list) else value


def as_float(value):
    """As languages do whose numbers are all floating-point."""
    if isinstance(value, dict):
        return {k: as_float(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_float(v) for v in value]
    return float(value) if type(value) is int else value


def with_nil(value):
    """As undefined, None and null pointers are written."""
    return {"stream": None, "assoc_id": None, **value} if "sock" in value else {"port": None, **value}


def say(c, method, args, spell=lambda value: value):
    """The answer to a request that is spelt so."""
    c.msgid += 1
    c.sock.sendall(msgpack.packb([0, c.msgid, spell(method), [spell(args)]]))
    return c.answer(c.msgid)


def test_bin_is_a_string_too(d):
    c = d.client()
    got = say(c, "open", {"ip": "127.0.0.1", "type": "stream", "options": {"active": "once", "sctp_rtoinfo": {"max": 5000}}},
              as_bin)
    assert option(c, got["sock"], "active") == "once" and option(c, got["sock"], "sctp_rtoinfo")["max"] == 5000
    assert say(c, "getopts", {"sock": got["sock"], "options": ["active", ["sctp_rtoinfo", {"assoc_id": 0}]]}, as_bin)
    assert say(c, "hello", {"name": "perl"}, as_bin)["client"]
    assert [r["name"] for r in c.call("clients")["clients"] if r["client"] == c.call("hello")["client"]] == ["perl"]
    assert say(c, "setopts", {"sock": got["sock"], "options": [["active", False]]}, as_bin) == {}


def test_a_float_that_is_an_integer_is_one(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    assert say(c, "open", {"port": 0, "options": {"ttl": 99}}, as_float)["port"] > 0
    assert say(c, "setopts", {"sock": here, "options": {"sctp_rtoinfo": {"assoc_id": here_id, "max": 7000}}}, as_float) == {}
    assert option(c, here, "sctp_rtoinfo", assoc_id=here_id)["max"] == 7000
    assert say(c, "setopts", {"sock": there, "options": {"active": 3}}, as_float) == {}
    assert option(c, there, "active") == 3
    assert say(c, "listen", {"sock": there, "backlog": 5}, as_float) == {}
    for number, packed in ((-0.0, None), (0.0, b"\xca" + struct.pack(">f", 0))):
        c.sock.sendall((b"\x94\x00\x63\xacerror_string\x91\x81\xa5error" + (packed or msgpack.packb(number))))
        assert c.answer(99) == {"text": "ok"}


def test_kind_and_msgid_may_be_floats(d):
    c = d.client()
    c.sock.sendall(msgpack.packb([0.0, 4294967295.0, "status", []]))
    assert c.answer(4294967295)["pid"] == d.process.pid
    c.sock.sendall(msgpack.packb([2.0, "no_such", [{}]]))
    assert c.event("error")["method"] == "no_such"


def test_nil_is_as_good_as_absent(d):
    c = d.client()
    got = say(c, "open", {"ip": None, "port": None, "type": None, "family": None, "options": None})
    sock = got["sock"]
    assert c.call("sockname", sock=sock)["addr"] == "0.0.0.0" and option(c, sock, "active") is False
    before = option(c, sock, "sctp_rtoinfo")
    assert say(c, "setopts", {"sock": sock, "options": {"active": None, "netns": None, "no_such": None,
                                                        "sctp_rtoinfo": {"max": None, "min": before["min"]}}}) == {}
    assert option(c, sock, "sctp_rtoinfo") == before
    assert say(c, "open", {"options": {"netns": None}})["sock"] > sock
    for params in [None], []:
        c.msgid += 1
        c.sock.sendall(msgpack.packb([0, c.msgid, "status", params]))
        assert c.answer(c.msgid)["pid"] == d.process.pid


def test_an_empty_list_is_an_empty_map(d):
    c = d.client()
    assert say(c, "status", [])["pid"] == d.process.pid
    sock = say(c, "open", {"options": []})["sock"]
    assert say(c, "setopts", {"sock": sock, "options": {"sctp_events": [], "sctp_rtoinfo": []}}) == {}
    assert say(c, "getopts", {"sock": sock, "options": [["sctp_rtoinfo", []]]})["options"][0][0] == "sctp_rtoinfo"
    said = [refusal(c, "send", sock=sock, data=b"x", sctp_sndrcvinfo=empty) for empty in ([], {})]
    assert said[0] == said[1] and "assoc_id" in said[0], said


def test_a_nul_in_a_name_is_shown(d):
    c = d.client()
    assert refusal(c, "status\0x").startswith('enosys: method "status?x": unknown')
    assert refusal(c, "getstat", **{"sock\0": 1}).startswith("badarg: sock?: unknown; there are: sock")


def test_an_extension_type_costs_an_answer_only(d):
    """It is refused by name, whatever its form; sockets and calls stay."""
    c = d.client()
    sock = c.call("open", ip="127.0.0.1")["sock"]
    waits = c.request("recv", sock=sock)
    for i, extension in enumerate(EXTENSIONS):
        c.sock.sendall(b"\x94\x00\x64\xa4open\x91\x81\xa4port" + extension + b"\x94\x00\x65\xa6status\x90")
        try:
            raise AssertionError(c.answer(100))
        except Exception as e:
            assert str(e).startswith("badarg: port: got an extension type; it takes "), (i, e)
        assert c.answer(101)["pid"] == d.process.pid
    for method in ExtType(1, b"open"), msgpack.Timestamp(5):
        c.msgid += 1
        c.sock.sendall(msgpack.packb([0, c.msgid, method, []]))
        try:
            raise AssertionError(c.answer(c.msgid))
        except Exception as e:
            assert str(e) == "badarg: method: got an extension type; it takes a string", e
    c.call("setopts", sock=sock, options={"active": False})
    assert c.call("sockname", sock=sock)["addr"] == "127.0.0.1" and waits not in c.answers


def test_a_message_arrives_however_it_is_spelt(d):
    """Also what is ordinarily read by hand."""
    c = d.client()
    there, _, here, here_id = associate(c)
    spellings = {"plain": lambda v: v, "bin": as_bin, "float": as_float, "all": lambda v: as_bin(as_float(v))}
    for name, spell in spellings.items():
        for args in ({"assoc_id": here_id, "stream": 3}, {"assoc_id": here_id, "stream": 3, "sctp_sndrcvinfo": None},
                     {"stream": None, "assoc_id": None, "sctp_sndrcvinfo": {"assoc_id": here_id, "stream": 3, "ppid": 46,
                                                                            "timetolive": None, "flags": []}}):
            args = {"sock": here, "data": name.encode(), **args}
            assert say(c, "send", args, spell) == {}
            c.sock.sendall(msgpack.packb([2, spell("send"), [spell(args)]]))
            for _ in range(2):
                got = c.call("recv", sock=there, timeout=PATIENCE)
                info = got["sctp_sndrcvinfo"]
                assert (got["data"], info["stream"], info.get("ppid", 0)) == \
                    (name.encode(), 3, 46 if args.get("sctp_sndrcvinfo") else 0), (name, got)
