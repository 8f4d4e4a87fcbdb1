# SPDX-License-Identifier: BSD-2-Clause
"""Options by Linux's level, name and bytes, as a program for Linux's own SCTP gives them."""
import ctypes
import socket
import struct

from check import code, option, refusal
from harness import STACK
from rpc import RpcError

SOL_SCTP, SOL_SOCKET, IP, IPV6 = 132, 1, 0, 41
RTOINFO, ASSOCINFO, INITMSG, NODELAY, AUTOCLOSE, PRIMARY, MAPPED, MAXSEG, STATUS = 0, 1, 2, 3, 4, 6, 12, 13, 14
PEER_INFO, SACK, PARAMS, EVENTS, HMACS, ACTIVE_KEY, KEY, EVENT = 15, 16, 9, 11, 22, 24, 23, 127
PEER_ADDRS, LOCAL_ADDRS, NUMBER, IDS, DEFAULT_SEND, PRINFO, SCHEDULER = 108, 109, 28, 29, 10, 114, 123
EVENT_TYPES = 1 << 15
PARAMS_SIZE, OLD_PARAMS = 156, 152


def sset(c, sock, name, value, level=SOL_SCTP):
    c.call("setsockopt", sock=sock, level=level, name=name, value=value)


def sget(c, sock, name, value, level=SOL_SCTP):
    return c.call("getsockopt", sock=sock, level=level, name=name, value=value)["value"]


def bad(c, method, sock, name, value, level=SOL_SCTP):
    return code(c, method, sock=sock, level=level, name=name, value=value)


def addr(ip="0.0.0.0", port=0):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s", port, socket.inet_aton(ip)) + bytes(120)


def up(c):
    """An association between two one-to-many sockets."""
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", type="seqpacket")["sock"]
    a = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"])["assoc_id"]
    return here, a, there


def test_a_struct_is_the_option_of_that_name(d):
    c = d.client()
    sock = c.call("open", bind=False)["sock"]
    sset(c, sock, RTOINFO, struct.pack("=iIII", 0, 500, 2000, 200))
    assert option(c, sock, "sctp_rtoinfo") == {"assoc_id": 0, "initial": 500, "max": 2000, "min": 200}
    c.call("setopts", sock=sock, options={"sctp_initmsg": {"num_ostreams": 3, "max_instreams": 4, "max_attempts": 5}})
    assert sget(c, sock, INITMSG, bytes(8))[:6] == struct.pack("=HHH", 3, 4, 5)
    sset(c, sock, NODELAY, struct.pack("=i", 0))
    assert option(c, sock, "sctp_nodelay") is False and sget(c, sock, NODELAY, b"\xff" * 8) == bytes(4)
    sset(c, sock, DEFAULT_SEND, struct.pack("=HHHxxIIIIIi", 2, 0, 1, socket.htonl(46), 7, 0, 0, 0, 0))
    got = option(c, sock, "sctp_default_send_param")
    assert (got["stream"], got["ppid"], got["context"], got["flags"]) == (2, 46, 7, ["unordered"])
    assert sget(c, sock, DEFAULT_SEND, bytes(32))[8:16] == struct.pack("=II", socket.htonl(46), 7)


def test_numbers_mean_what_they_mean_on_linux(d):
    c = d.client()
    sock = c.call("open", bind=False)["sock"]
    sset(c, sock, PRINFO, struct.pack("=iIH2x", 0, 5, 0x20))
    assert option(c, sock, "sctp_default_prinfo")["policy"] == "rtx"
    assert sget(c, sock, PRINFO, bytes(12)) == struct.pack("=iIH2x", 0, 5, 0x20)
    assert bad(c, "setsockopt", sock, PRINFO, struct.pack("=iIH2x", 0, 5, 2)) == "einval"
    sset(c, sock, PARAMS, struct.pack("=i128sIHIIIIB1x", 0, addr(), 7000, 3, 0, 0, 1, 0, 0))
    got = option(c, sock, "sctp_peer_addr_params")
    assert got["hbinterval"] == 7000 and got["pathmaxrxt"] == 3 and "hb_enable" in got["flags"]
    value = sget(c, sock, PARAMS, bytes(PARAMS_SIZE))
    assert struct.unpack_from("=IH", value, 132) == (7000, 3) and struct.unpack_from("=I", value, 146)[0] & 1


def test_lengths_are_those_that_linux_accepts(d):
    c = d.client()
    sock = c.call("open", bind=False)["sock"]
    for name, value in ((RTOINFO, bytes(15)), (RTOINFO, bytes(17)), (RTOINFO, b""), (NODELAY, bytes(3)), (AUTOCLOSE, bytes(5)),
                        (MAXSEG, bytes(5)), (SACK, bytes(9)), (PARAMS, bytes(153)), (EVENTS, bytes(15)), (EVENT, bytes(7)),
                        (HMACS, bytes(3)), (HMACS, struct.pack("=IH", 2, 1)), (KEY, struct.pack("=iHH", 0, 1, 9) + bytes(8))):
        assert bad(c, "setsockopt", sock, name, value) == "einval", (name, value)
    for name, size in (RTOINFO, 15), (NODELAY, 3), (NODELAY, 0), (STATUS, 175), (MAXSEG, 7), (PARAMS, 151), (EVENTS, 0), (HMACS, 3):
        assert bad(c, "getsockopt", sock, name, bytes(size)) == "einval", (name, size)
    sset(c, sock, NODELAY, struct.pack("=i", 1) + bytes(60))
    sset(c, sock, MAXSEG, struct.pack("=i", 1000))
    assert sget(c, sock, MAXSEG, bytes(4)) == struct.pack("=i", 1000)
    assert sget(c, sock, MAXSEG, bytes(100)) == struct.pack("=iI", 0, 1000)
    sset(c, sock, SACK, struct.pack("=iI", 0, 300))
    assert sget(c, sock, SACK, bytes(8)) == struct.pack("=iI", 0, 300)
    assert sget(c, sock, SACK, bytes(12))[:8] == struct.pack("=iI", 0, 300)
    sset(c, sock, PARAMS, struct.pack("=i128sIHIII2x", 0, bytes(128), 9000, 0, 0, 0, 1))
    assert len(sget(c, sock, PARAMS, bytes(OLD_PARAMS))) == len(sget(c, sock, PARAMS, bytes(155))) == OLD_PARAMS
    assert sget(c, sock, RTOINFO, bytes(100)) == sget(c, sock, RTOINFO, bytes(16))
    assert bad(c, "setsockopt", sock, 18, struct.pack("=i", 1)[:3]) == "einval"


def test_options_of_the_other_levels(d):
    c = d.client()
    sock = c.call("open", bind=False, type="stream", family="inet6")["sock"]
    sset(c, sock, 13, struct.pack("=ii", 1, 0), SOL_SOCKET)
    assert option(c, sock, "linger") == {"on": True, "seconds": 0}
    sset(c, sock, 8, struct.pack("=i", 100000), SOL_SOCKET)
    assert sget(c, sock, 8, bytes(8), SOL_SOCKET) == struct.pack("=i", 200000)
    assert sget(c, sock, 8, bytes(2), SOL_SOCKET) == struct.pack("=i", 200000)[:2]
    assert bad(c, "setsockopt", sock, 8, bytes(3), SOL_SOCKET) == "einval"
    sset(c, sock, 1, b"\x28", IP)
    assert sget(c, sock, 1, bytes(1), IP) == b"\x28" and sget(c, sock, 1, bytes(4), IP) == struct.pack("=i", 0x28)
    sset(c, sock, 26, struct.pack("=i", 1), IPV6)
    assert option(c, sock, "ipv6_v6only") is True
    for name, value in (3, 1), (38, 132), (39, 10), (30, 0):
        assert sget(c, sock, name, bytes(4), SOL_SOCKET) == struct.pack("=i", value), name
    c.call("listen", sock=sock)
    assert sget(c, sock, 30, bytes(4), SOL_SOCKET) == struct.pack("=i", 1)
    assert bad(c, "setsockopt", sock, 3, bytes(4), SOL_SOCKET) == "enoprotoopt"


def test_subscriptions(d):
    c = d.client()
    sock = c.call("open", bind=False)["sock"]
    assert sget(c, sock, EVENTS, bytes(256)) == bytes([1] * 7 + [0] * 7)
    sset(c, sock, EVENTS, bytes(14))
    assert not any(option(c, sock, "sctp_events").values())
    sset(c, sock, EVENTS, b"\1\1\1")
    assert [k for k, v in option(c, sock, "sctp_events").items() if v] == ["data_io_event", "association_event", "address_event"]
    for n, flag in (5, "shutdown_event"), (13, "send_failure_event"), (3, "send_failure_event"), (9, "sender_dry_event"):
        for on in 1, 0:
            sset(c, sock, EVENT, struct.pack("=iHBx", 0, EVENT_TYPES + n, on))
            assert option(c, sock, "sctp_events")[flag] is bool(on)
            assert sget(c, sock, EVENT, struct.pack("=iHBx", 0, EVENT_TYPES + n, 9))[6] == on
    assert bad(c, "setsockopt", sock, EVENT, struct.pack("=iHBx", 0, EVENT_TYPES + 14, 1)) == "einval"
    assert bad(c, "setsockopt", sock, EVENT, struct.pack("=iHBx", 7, EVENT_TYPES + 1, 1)) == "eopnotsupp"


def test_of_an_association(d):
    c = d.client()
    here, a, there = up(c)
    # What is in the buffer beside what it is asked by does not matter.
    value = sget(c, here, STATUS, struct.pack("=I", a) + b"\xee" * 172)
    assert len(value) == 176 and struct.unpack_from("=Ii", value) == (a, 4)
    assert value[28:36] == addr("127.0.0.1", there["port"])[:8]
    assert bad(c, "getsockopt", here, STATUS, bytes(176)) == "einval"
    assert bad(c, "getsockopt", here, STATUS, struct.pack("=I", 99999) + bytes(172)) == "einval"
    value = sget(c, here, PEER_INFO, struct.pack("=I", a) + addr("127.0.0.1", there["port"]) + bytes(20))
    assert len(value) == 152 and struct.unpack_from("=i", value, 132) == (2,)
    assert bad(c, "getsockopt", here, PEER_INFO, struct.pack("=IH", a, 77) + bytes(146)) == "einval"
    assert sget(c, here, PRIMARY, struct.pack("=I", a) + b"\xee" * 128)[4:12] == addr("127.0.0.1", there["port"])[:8]
    sset(c, here, RTOINFO, struct.pack("=IIII", a, 700, 2000, 300))
    assert option(c, here, "sctp_rtoinfo", assoc_id=a)["initial"] == 700 and option(c, here, "sctp_rtoinfo")["initial"] == 3000
    assert sget(c, here, NUMBER, bytes(4)) == struct.pack("=I", 1)
    assert sget(c, here, IDS, bytes(100)) == struct.pack("=II", 1, a)
    assert bad(c, "getsockopt", here, IDS, bytes(4)) == "einval"
    value = sget(c, here, PEER_ADDRS, struct.pack("=II", a, 0) + bytes(200))
    assert value == struct.pack("=II", a, 1) + addr("127.0.0.1", there["port"])[:16]
    assert sget(c, there["sock"], LOCAL_ADDRS, bytes(300)) == struct.pack("=II", 0, 1) + addr("127.0.0.1", there["port"])[:16]
    assert bad(c, "getsockopt", here, PEER_ADDRS, struct.pack("=II", a, 0) + bytes(15)) == "enomem"
    assert bad(c, "getsockopt", here, PEER_ADDRS, struct.pack("=II", 99999, 0) + bytes(200)) == "einval"


def test_keys_and_lists(d):
    c = d.client()
    sock = c.call("open", bind=False, options={"sctp_auth_supported": {"assoc_value": 1}})["sock"]
    sset(c, sock, HMACS, struct.pack("=IH", 1, 1))
    assert sget(c, sock, HMACS, bytes(100)) == struct.pack("=IH", 1, 1)
    assert bad(c, "getsockopt", sock, HMACS, bytes(5)) == "einval"
    sset(c, sock, KEY, struct.pack("=iHH", 0, 7, 8) + b"a secret")
    sset(c, sock, ACTIVE_KEY, struct.pack("=iH2x", 0, 7))
    assert option(c, sock, "sctp_auth_active_key")["keynumber"] == 7
    assert bad(c, "setsockopt", sock, KEY, struct.pack("=iHH", 0, 7, 300) + bytes(300)) == "einval"
    assert bad(c, "getsockopt", sock, KEY, bytes(100)) == "enoprotoopt"


def test_what_there_is_not_is_enoprotoopt(d):
    c = d.client()
    sock = c.call("open")["sock"]
    # 26 is SO_ATTACH_FILTER, and SO_GET_FILTER: a program's own filter, which is not the option blackhole.
    for level, name in ((SOL_SCTP, 9999), (SOL_SOCKET, 20), (SOL_SOCKET, 4), (SOL_SOCKET, 26), (6, 1), (255, 0), (2**32 - 1, 2**32 - 1)):
        for method in "setsockopt", "getsockopt":
            assert refusal(c, method, sock=sock, level=level, name=name, value=bytes(16)) == \
                f"enoprotoopt: level {level}, name {name}: sctpd has no such option; describe lists those that it has, by their names"
    assert refusal(c, "setsockopt", sock=sock, level=SOL_SCTP, name=100, value=bytes(16)) == \
        "enoprotoopt: name 100: the method bind or bindx_add does that"
    assert bad(c, "setsockopt", sock, STATUS, bytes(176)) == "enoprotoopt"
    assert code(c, "setsockopt", sock=10**9, level=0, name=0, value=b"") == "closed"
    if STACK == "userland":
        assert bad(c, "setsockopt", sock, 15, bytes(4), SOL_SOCKET) == "enoprotoopt"


def test_every_row_that_is_read_by_name_is_read_by_number(d):
    """The table has no level and name for people; so the numbers stand here, of all rows that need no association."""
    c = d.client()
    sock = c.call("open", ip="127.0.0.1")["sock"]
    sizes = {RTOINFO: 16, ASSOCINFO: 20, INITMSG: 8, NODELAY: 4, AUTOCLOSE: 4, 7: 4, 8: 4, PARAMS: PARAMS_SIZE,
             DEFAULT_SEND: 32, MAPPED: 4, MAXSEG: 8, SACK: 12, 17: 8, 18: 4, 20: 8, 19: 4, 34: 16, PRINFO: 12}
    for name, size in sizes.items():
        value = sget(c, sock, name, bytes(300))
        assert len(value) == size, (name, len(value))
        if name != 20 or STACK == "kernel":
            sset(c, sock, name, value)
            assert sget(c, sock, name, bytes(300)) == value, name


LIBC = ctypes.CDLL(None, use_errno=True)


def kernels(s, level, name, size):
    """How many bytes the kernel gives into a buffer of zeros; None: it refuses."""
    value, length = ctypes.create_string_buffer(size), ctypes.c_uint(size)
    refused = LIBC.getsockopt(s.fileno(), level, name, value, ctypes.byref(length)) == -1
    return None if refused else length.value


def ours(c, sock, level, name, size):
    try:
        return len(sget(c, sock, name, bytes(size), level))
    except RpcError as e:
        assert e.code in ("einval", "eacces", "eopnotsupp"), e
        return None


def kernel_sets(s, level, name, value):
    return LIBC.setsockopt(s.fileno(), level, name, value, len(value)) == 0


def we_set(c, sock, level, name, value):
    try:
        sset(c, sock, name, value, level)
        return True
    except RpcError as e:
        assert e.code in ("einval", "eacces", "eopnotsupp", "eperm", "enodev", "enoprotoopt"), e
        return False


LENGTHS = (*range(1, 14), 16, 17, 20, 21, 32, 33, 144, 147, 148, 151, 152, 153, 155, 156, 157, 176, 300)


def test_lengths_are_those_of_the_kernel(d):
    """Each length of each option, asked of the kernel's own socket and of sctpd's; and then set."""
    c, wrong = d.client(), []
    names = [(SOL_SCTP, n) for n in (*range(20), 22, 23, 24, 25, 26, 27, 34, *range(112, 135)) if n not in (119, 120)]
    names += [(SOL_SOCKET, n) for n in (2, 3, 5, 7, 8, 12, 13, 15, 25, 29, 30, 36, 38, 39)]
    names += [(IP, n) for n in (1, 2, 12, 13, 15)] + [(IPV6, n) for n in (26, 67)]
    for level, name in names:
        sock = c.call("open", bind=False, family="inet6", type="stream")["sock"]
        if code_of(c, sock, level, name) == "enoprotoopt":
            continue
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM, SOL_SCTP) as s:
            for size in LENGTHS:
                if (got := ours(c, sock, level, name, size)) != (want := kernels(s, level, name, size)):
                    wrong.append(("get", level, name, size, got, want))
            # Without an association the kernel takes a scheduler's value and does nothing.
            for size in LENGTHS if (level, name) != (SOL_SCTP, SCHEDULER + 1) else ():
                if (got := we_set(c, sock, level, name, bytes(size))) != (want := kernel_sets(s, level, name, bytes(size))):
                    wrong.append(("set", level, name, size, got, want))
    assert not wrong, "(level, name, length, sctpd's, the kernel's): " + ", ".join(map(str, wrong))


def code_of(c, sock, level, name):
    try:
        sget(c, sock, name, bytes(300), level)
    except RpcError as e:
        return e.code
    return None
