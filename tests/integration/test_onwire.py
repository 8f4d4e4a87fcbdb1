# SPDX-License-Identifier: BSD-2-Clause
"""What options make of the packets, decoded by tshark. The peer is a socket of
the kernel's own at the other host."""
import contextlib
import socket
import struct
import time

from capture import AUTH, DATA, FORWARD_TSN, PAD, Capture, inside
from check import option, setopt
from harness import SLOW, wait_for
from hosts import LEFT, RIGHT, Hosts, cut, networks
from rpc import WAIT, RpcError

start = Hosts

SCTP = socket.IPPROTO_SCTP
RTOINFO = 0
AUTH_CHUNK, AUTH_KEY, ACTIVE_KEY, DELETE_KEY, BINDX_ADD, AUTH_SUPPORTED = 21, 23, 24, 25, 100, 129
KEY, OTHER = b"one key", b"another key"
# Timeouts that a test can wait for.
FAST = {"initial": 200, "max": 400, "min": 200}


@contextlib.contextmanager
def peer(h, addrs=RIGHT[:1], keys=(), **options):
    """A plain listener at the right, and what comes to it from the left: gives the
    peer's socket, and our client, socket and association."""
    with inside("right"):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    if keys:
        listener.setsockopt(SCTP, AUTH_SUPPORTED, struct.pack("=iI", 0, 1))
        listener.setsockopt(SCTP, AUTH_CHUNK, bytes([DATA]))
        set_key(listener, 1, KEY)
        set_active(listener, 1)
        listener.setsockopt(SCTP, DELETE_KEY, struct.pack("=iHxx", 0, 0))
    listener.bind((addrs[0], 0))
    port = listener.getsockname()[1]
    for addr in addrs[1:]:
        listener.setsockopt(SCTP, BINDX_ADD, struct.pack("=H", socket.AF_INET) +
                            struct.pack("!H", port) + socket.inet_aton(addr) + bytes(8))
    listener.listen()
    listener.settimeout(WAIT * SLOW)
    c = h.left.client()
    sock = c.call("open", ip=LEFT[:len(addrs)], options=options)["sock"]
    up = c.call("connect", sock=sock, addr=addrs[0], port=port, timeout=WAIT * 1000)["assoc_id"]
    there = listener.accept()[0]
    there.settimeout(WAIT * SLOW)
    try:
        yield there, c, sock, up
    finally:
        there.close()
        listener.close()


def set_key(s, number, key):
    s.setsockopt(SCTP, AUTH_KEY, struct.pack("=iHH", 0, number, len(key)) + key)


def set_active(s, number):
    s.setsockopt(SCTP, ACTIVE_KEY, struct.pack("=iHxx", 0, number))


def send(c, sock, up, data, **info):
    c.call("send", sock=sock, sctp_sndrcvinfo={"assoc_id": up, **info}, data=data)


def test_data_is_behind_an_auth_chunk_with_the_active_key(h):
    with Capture("left") as capture, \
            peer(h, keys=True, sctp_auth_required={"keynumber": 1, "key": KEY}) as (there, c, sock, up):
        send(c, sock, up, b"one")
        assert there.recv(100) == b"one"
        set_key(there, 2, OTHER)
        setopt(c, sock, sctp_auth_key={"assoc_id": up, "keynumber": 2, "key": OTHER})
        setopt(c, sock, sctp_auth_active_key={"assoc_id": up, "keynumber": 2})
        send(c, sock, up, b"two")
        assert there.recv(100) == b"two"
        there.send(b"and back")
        assert c.call("recv", sock=sock, timeout=WAIT * 1000)["data"] == b"and back"
    rows = capture.fields("ip.src", "sctp.chunk_type", "sctp.shared_key_id", "sctp.hmac_id",
                          only=f"sctp.chunk_type == {DATA}")
    assert len(rows) >= 3
    for src, types, keys, hmacs in rows:
        assert types.index(str(AUTH)) < types.index(str(DATA)), rows
        assert len(keys) == len(hmacs) == 1, rows
    number = {"0x0001": 1, "0x0002": 2, "1": 1, "2": 2}
    assert [number[keys[0]] for src, _, keys, _ in rows if src == [LEFT[0]]] == [1, 2], rows


MESSAGES = 5


def way_out(h, **options):
    """Both paths are confirmed, then the first network is cut under traffic: how
    many seconds it takes until that many messages, each sent when the one before
    has arrived, have left on the second."""
    with Capture("left") as capture, peer(h, RIGHT, **options) as (there, c, sock, up):
        while (e := c.call("recv", sock=sock, timeout=WAIT * SLOW * 1000)).get("state") != "addr_confirmed" or \
                e["addr"]["addr"] != RIGHT[1]:
            pass
        for n in range(3):
            send(c, sock, up, b"before")
            assert there.recv(100) == b"before"
        with cut("1"):
            began = time.time()
            for n in range(MESSAGES):
                send(c, sock, up, b"after %d" % n)
                assert there.recv(100) == b"after %d" % n
    times = capture.times(DATA, RIGHT[1])
    assert len([at for at in times if at > began]) >= MESSAGES
    return max(times) - began


def test_data_takes_the_other_path_after_a_threshold(h):
    """With short timeouts a path is potentially failed at the first one, or never:
    then the other is taken when this one is unreachable."""
    for _ in range(3):      # the machine may be busy with something else for a second
        soon = way_out(h, sctp_rtoinfo=FAST, sctp_peer_addr_thlds={"pathpfthld": 0, "pathmaxrxt": 4})
        if soon < 1 * SLOW:
            break
    late = way_out(h, sctp_rtoinfo=FAST, sctp_peer_addr_thlds={"pathpfthld": 65535, "pathmaxrxt": 4})
    usual = way_out(h)
    print(f"{MESSAGES} messages on the other path: {soon:.2f} s after the cut; {late:.2f} s without the threshold; "
          f"{usual:.2f} s with the kernel's defaults")
    assert soon < 1 * SLOW
    assert soon < late and soon < usual


def test_the_path_mtu_is_probed(h):
    with Capture("left") as capture, \
            peer(h, sctp_plpmtud_probe_interval={"interval": 5000}) as (_, c, sock, up):
        assert option(c, sock, "sctp_plpmtud_probe_interval", assoc_id=up)["interval"] == 5000
        capture.wait(PAD)
    rows = capture.fields("sctp.chunk_type", "ip.len", only=f"sctp.chunk_type == {PAD} && !icmp")
    assert rows and all(types == ["4", str(PAD)] for types, _ in rows), rows
    assert all(int(size[0]) >= 1200 for _, size in rows), rows


def test_what_is_given_up_is_skipped_with_forward_tsn(h):
    with Capture("left") as capture, \
            peer(h, sctp_rtoinfo={"initial": 1000, "max": 1000, "min": 1000},
                 sctp_default_prinfo={"policy": "rtx", "value": 0}) as (there, c, sock, up):
        send(c, sock, up, b"first")
        assert there.recv(100) == b"first"
        networks("netem", "1", "loss", "100%")
        c.call("send", sock=sock, assoc_id=up, stream=0, data=b"given up")
        wait_for(lambda: option(c, sock, "sctp_assoc_stats", assoc_id=up)["oodchunks"] == 2)
        networks("netem", "1")      # in time for the timeout: a FORWARD TSN that is lost does not come again
        capture.wait(FORWARD_TSN)
        setopt(c, sock, sctp_default_prinfo={"assoc_id": up, "policy": "none", "value": 0})
        send(c, sock, up, b"last")
        assert there.recv(100) == b"last"
    rows = capture.fields("ip.src", "sctp.forward_tsn_tsn", only=f"sctp.chunk_type == {FORWARD_TSN}")
    assert rows and all(src == [LEFT[0]] and len(tsn) == 1 for src, tsn in rows), rows


def from_port(port, to, key, auth=True):
    """A socket at the right that connects from this port, with a key or the empty one."""
    with inside("right"):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    s.setsockopt(SCTP, RTOINFO, struct.pack("=iIII", 0, 200, 400, 200))
    if auth:
        s.setsockopt(SCTP, AUTH_SUPPORTED, struct.pack("=iI", 0, 1))
    if key:
        set_key(s, 1, key)
        set_active(s, 1)
    s.bind((RIGHT[0], port))
    s.settimeout(WAIT * SLOW)
    s.connect((LEFT[0], to))
    return s


def vanish(s):
    """It is gone, and nobody hears of it."""
    with cut("1"):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()


def all_events(c, sock):
    """What waits in a passive socket."""
    found = []
    with contextlib.suppress(RpcError):     # timeout
        while True:
            found.append(c.call("recv", sock=sock, timeout=0))
    return found


def test_a_peer_that_restarts_without_the_key_is_not_heard(h):
    c = h.left.client()
    there = c.call("open", ip=LEFT[0], options={"sctp_auth_required": {"keynumber": 1, "key": KEY}})
    c.call("listen", sock=there["sock"])
    s = from_port(4000, there["port"], KEY)
    state = c.call("recv", sock=there["sock"], timeout=WAIT * 1000)
    assert state["state"] == "comm_up"
    for key, auth in ((KEY, True), (None, True), (None, False), (KEY, True)):
        vanish(s)
        s = from_port(4000, there["port"], key, auth)
        s.send(b"after the restart")
        if not auth:
            assert c.call("recv", sock=there["sock"], timeout=WAIT * 1000)["state"] == "comm_lost"
            with contextlib.suppress(ConnectionResetError):
                s.recv(100)
            assert not all_events(c, there["sock"])
        elif not key:
            with Capture("right") as capture:
                capture.wait(DATA, 2)       # it is sent again and again
            assert not [e for e in all_events(c, there["sock"]) if e["event"] == "data"]
        else:
            heard = []
            while "data" not in heard:
                heard.append(c.call("recv", sock=there["sock"], timeout=WAIT * 1000)["event"])
    s.close()
