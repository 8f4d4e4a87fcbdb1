# SPDX-License-Identifier: BSD-2-Clause
"""Authenticated chunks (RFC 4895): keys, and peers that have none or others."""
import os
import socket
import struct

from check import WAIT_MS, code, option, recv, refusal, send, setopt
from harness import STACK, wait_for
from test_cli import good, run, spawn

SCTP = socket.IPPROTO_SCTP
RTOINFO, STATUS, AUTH_CHUNK, AUTH_KEY, ACTIVE_KEY, DELETE_KEY = 0, 14, 21, 23, 24, 25
ASSOC_STATS, AUTH_SUPPORTED = 112, 129
DATA = 0
KEY, OTHER = b"the first key, which is secret", b"quite another key"
FAST = {"initial": 100, "max": 100, "min": 100}
EVENTS = {"sctp_events": {"authentication_event": True}}


def required(key=KEY, keynumber=1):
    return {"sctp_auth_required": {"keynumber": keynumber, "key": key}}


def set_key(peer, number, key):
    peer.setsockopt(SCTP, AUTH_KEY, struct.pack("=iHH", 0, number, len(key)) + key)


def plain_peer(port, number=1, key=KEY, auth=True, delete=True):
    """A program without sctpd that connects; it sends again soon what is not acknowledged."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
    peer.setsockopt(SCTP, RTOINFO, struct.pack("=iIII", 0, 100, 100, 100))
    if auth:
        peer.setsockopt(SCTP, AUTH_SUPPORTED, struct.pack("=iI", 0, 1))
        peer.setsockopt(SCTP, AUTH_CHUNK, bytes([DATA]))
    if auth and number:
        set_key(peer, number, key)
        peer.setsockopt(SCTP, ACTIVE_KEY, struct.pack("=iHxx", 0, number))
        peer.setsockopt(SCTP, DELETE_KEY, struct.pack("=iHxx", 0, 0))
    peer.connect(("127.0.0.1", port))
    return peer


def sent_again(peer):
    """How many chunks the kernel sent again: maxrto, SACKs, packets, and then those."""
    stats = peer.getsockopt(SCTP, ASSOC_STATS, 256)
    return struct.unpack_from("=6Q", stats, len(stats) - 15 * 8)[5]


def listen(c, **options):
    there = c.call("open", ip="127.0.0.1", options={**EVENTS, **options})
    c.call("listen", sock=there["sock"])
    return there["sock"], there["port"]


def data_of(c, sock):
    """The next message; events about keys are passed over."""
    while (e := recv(c, sock))["event"] == "sctp_authkey_event":
        pass
    assert e["event"] == "data", e
    return e["data"]


def nothing_waits(c, sock):
    assert code(c, "recv", sock=sock, timeout=0) == "timeout"


def associated(c, theirs, ours):
    """Both ends are sctpd's: (there, its assoc_id, here, its assoc_id)."""
    there = c.call("open", ip="127.0.0.1", options=theirs)
    c.call("listen", sock=there["sock"])
    here = c.call("open", ip="127.0.0.1", options={"sctp_rtoinfo": FAST, **ours})["sock"]
    here_id = c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)["assoc_id"]
    up = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    return there["sock"], up["assoc_id"], here, here_id


def test_with_the_same_key_messages_go_both_ways(d):
    c = d.client()
    there, there_id, here, here_id = associated(c, required(), required())
    send(c, here, here_id, b"there")
    assert data_of(c, there) == b"there"
    send(c, there, there_id, b"and back")
    assert data_of(c, here) == b"and back"
    assert option(c, here, "sctp_auth_active_key", assoc_id=here_id)["keynumber"] == 1
    for name in ("sctp_local_auth_chunks", "sctp_peer_auth_chunks"):
        assert set(option(c, here, name, assoc_id=here_id)["chunks"]) >= \
            {"data", "i_data", "forward_tsn", "i_forward_tsn", "re_config"}, name


def test_a_wrong_key_lets_nothing_through(d):
    c = d.client()
    there, _, here, here_id = associated(c, required(), {"sctp_rtoinfo": FAST,
                                                         "sctp_associnfo": {"asocmaxrxt": 3},
                                                         **required(OTHER)})
    send(c, here, here_id, b"forged")
    # The peer gives it up in the end, as nothing is acknowledged.
    lost = recv(c, here, "sctp_assoc_change")
    assert lost["state"] == "comm_lost"
    recv(c, there, "sctp_assoc_change", state="comm_lost")
    nothing_waits(c, there)


def test_a_peer_without_auth_is_refused(d):
    c = d.client()
    there, port = listen(c, **required())
    here = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    assert recv(c, here, "sctp_assoc_change")["state"] == "comm_lost"
    wait_for(lambda: c.call("status")["associations"] == 0)
    nothing_waits(c, there)


def test_connecting_to_a_peer_without_auth_fails(d):
    c = d.client()
    for kind in ("seqpacket", "stream"):
        there, port = listen(c)
        here = c.call("open", ip="127.0.0.1", type=kind, options=required())["sock"]
        text = refusal(c, "connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)
        assert text.startswith("cant_assoc: ") and "AUTH, which the socket requires" in text, text
        assert recv(c, there, "sctp_assoc_change")["state"] == "comm_up"
        gone = recv(c, there)
        while gone["event"] != "sctp_assoc_change":
            gone = recv(c, there)
        assert gone["state"] == "comm_lost", gone


def test_connect_init_to_a_peer_without_auth_says_so(d):
    c = d.client()
    _, port = listen(c)
    here = c.call("open", ip="127.0.0.1", options=required())["sock"]
    c.call("connect_init", sock=here, addr="127.0.0.1", port=port)
    recv(c, here, "sctp_assoc_change", state="cant_assoc")
    nothing_waits(c, here)


def test_a_stream_listener_accepts_no_peer_without_auth(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1", type="stream", options=required())
    c.call("listen", sock=there["sock"])
    waits = c.request("accept", sock=there["sock"], timeout=WAIT_MS)
    without = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=without, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    assert recv(c, without, "sctp_assoc_change")["state"] == "comm_lost"
    here = c.call("open", ip="127.0.0.1", options=required())["sock"]
    c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=WAIT_MS)
    accepted = c.answer(waits)["accepted"]
    assert recv(c, accepted, "sctp_assoc_change")["state"] == "comm_up"


def test_what_is_wrong_with_a_key_is_said(d):
    c = d.client()
    sock = c.call("open")["sock"]
    for value, why in (
            ({"keynumber": 1}, "badarg: options.sctp_auth_required.key: missing; it takes bytes (bin, or a string)"),
            ({"key": KEY}, "badarg: options.sctp_auth_required.keynumber: missing; it takes an integer from 0 to 65535"),
            ({"keynumber": 0, "key": KEY}, "einval: options.sctp_auth_required.keynumber: 0 is the number of the empty key"),
            ({"keynumber": 1, "key": b""}, "einval: options.sctp_auth_required.key: it is empty"),
            ({"keynumber": 1, "key": bytes(257)}, "badarg: options.sctp_auth_required.key: 257 bytes are too long; it takes at most 256"),
            ({"keynumber": 1, "key": KEY, "chunks": ["init"]}, "badarg: options.sctp_auth_required.chunks: \"init\" is not one of its words"),
            ({"keynumber": 1, "key": KEY, "chunks": ["data"] * 17}, "badarg: options.sctp_auth_required.chunks: 17 are too many; it takes at most 16")):
        text = refusal(c, "setopts", sock=sock, options={"sctp_auth_required": value})
        assert text.startswith(why), text
    there, port = listen(c)
    c.call("connect", sock=sock, addr="127.0.0.1", port=port, timeout=WAIT_MS)
    assert refusal(c, "setopts", sock=sock, options=required()).startswith("eisconn: ")


def test_without_auth_the_options_about_keys_are_eacces(d):
    c = d.client()
    sock = c.call("open")["sock"]
    setopt(c, sock, sctp_auth_supported={"assoc_value": 0})
    assert code(c, "getopts", sock=sock, options=["sctp_auth_active_key"]) in ("eacces", "eopnotsupp")


def test_a_key_is_in_no_log_and_no_memory_of_the_daemon(d):
    c = d.client()
    secret = os.urandom(24).hex().encode()
    watcher = d.client()
    watcher.call("watch")
    sock = c.call("open", options=required(secret))["sock"]
    given_first = copies_of(d.process.pid, secret)
    setopt(c, sock, sctp_auth_key={"keynumber": 2, "key": secret})
    given_then = copies_of(d.process.pid, secret)
    assert code(c, "setopts", sock=sock, options={"sctp_auth_key": {"keynumber": 1 << 16, "key": secret}}) == "badarg"
    refused = copies_of(d.process.pid, secret)
    assert code(c, "setopts", sock=1, options={"sctp_auth_key": {"keynumber": 1, "key": secret}}) == "closed"
    assert copies_of(d.process.pid, secret) == refused
    by_number = {"level": 132, "name": 23, "value": struct.pack("=iHH", 0, 2, len(secret)) + secret}
    c.call("setsockopt", sock=sock, **by_number)
    assert code(c, "setsockopt", sock=1, **by_number) == "closed"
    assert code(c, "setsockopt", sock=sock, **by_number, more=1) == "badarg"
    assert copies_of(d.process.pid, secret) == refused
    # What is deleted is gone there, too, where the stack has its keys in this process.
    setopt(c, sock, sctp_auth_delete_key={"keynumber": 2})
    assert copies_of(d.process.pid, secret) == given_first
    assert (given_first, given_then, refused) == ((1, 2, 2) if STACK == "userland" else (0, 0, 0))
    for name in [row["name"] for row in c.call("describe")["options"]]:
        try:
            assert secret not in str(option(c, sock, name)).encode(), name
        except Exception as e:
            assert secret not in str(e).encode(), name
    assert secret not in d.log_text().encode()


def copies_of(pid, secret):
    """How often these bytes are in the process's memory, its shared memory (the journal) with it. Their second half will do: malloc
    writes over the beginning of what is freed."""
    found, secret = 0, secret[len(secret) // 2:]
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            area, access, *_ = line.split()
            if not access.startswith("rw"):
                continue
            at, end = (int(x, 16) for x in area.split("-"))
            while at < end:
                n = min(end - at, 1 << 22)
                mem.seek(at)
                try:
                    found += mem.read(n).count(secret)
                except OSError:
                    pass
                at += n
    return found


def test_sctpctl_reads_a_key_from_a_file(d):
    """So it is no part of its command line."""
    key = os.path.join(d.dir, "key")
    with open(key, "wb") as f:
        f.write(KEY)
    words = ["-o", f"sctp_auth_required.key=@{key}", "-o", "sctp_auth_required.keynumber=1"]
    p = spawn(d, "listen", *words, 0)
    port = int(p.stderr.readline().split()[-1])
    c = d.client()
    here = c.call("open", ip="127.0.0.1", options=required())["sock"]
    up = c.call("connect", sock=here, addr="127.0.0.1", port=port, timeout=WAIT_MS)["assoc_id"]
    send(c, here, up, b"from one with the key\n")
    assert "from one with the key" in p.stdout.readline()
    c.call("abort", sock=here, assoc_id=up)
    p.terminate()
    p.communicate()
    sock = c.call("open")["sock"]
    good(d, "setopts", f"sock={sock}", f"options.sctp_auth_required.key=@{key}",
         "options.sctp_auth_required.keynumber=1")
    assert option(c, sock, "refuse_without_auth") is True
    status, _, err = run(d, "setopts", f"sock={sock}", "options.sctp_auth_required.key=@/nowhere")
    assert status != 0 and "/nowhere" in err, err


# ---- peers that are not sctpd, of which the kernel is told the keys ------------------

def test_a_plain_peer_with_the_key_is_heard(d):
    c = d.client()
    there, port = listen(c, **required())
    with plain_peer(port) as peer:
        up = recv(c, there, "sctp_assoc_change", state="comm_up")
        peer.sendall(b"authentic")
        assert data_of(c, there) == b"authentic"
        send(c, there, up["assoc_id"], b"as well")
        assert peer.recv(100) == b"as well"


def test_a_plain_peer_with_the_empty_key_or_a_wrong_one_is_not_heard(d):
    c = d.client()
    there, port = listen(c, **required())
    for number, key in ((0, b""), (1, OTHER), (2, KEY)):
        with plain_peer(port, number, key) as peer:
            recv(c, there, "sctp_assoc_change", state="comm_up")
            peer.sendall(b"not authentic")
            wait_for(lambda: sent_again(peer) >= 3)
            nothing_waits(c, there)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        recv(c, there, "sctp_assoc_change", state="comm_lost")


def test_a_plain_peer_without_auth_is_aborted(d):
    c = d.client()
    there, port = listen(c, **required())
    try:
        with plain_peer(port, auth=False) as peer:
            while True:
                peer.send(b"unauthenticated")
    except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError, ProcessLookupError):  # the kernel has all of them
        pass
    wait_for(lambda: c.call("status")["associations"] == 0)
    nothing_waits(c, there)


def test_without_the_requirement_the_empty_key_is_valid(d):
    """The trap that sctp_auth_required is for: a socket with a key of its own hears who has none."""
    c = d.client()
    there, port = listen(c, sctp_auth_supported={"assoc_value": 1}, sctp_auth_chunk={"chunk": "data"},
                         sctp_auth_key={"keynumber": 1, "key": KEY}, sctp_auth_active_key={"keynumber": 1})
    with plain_peer(port, 0) as peer:
        recv(c, there, "sctp_assoc_change", state="comm_up")
        peer.sendall(b"from whoever")
        assert data_of(c, there) == b"from whoever"


def test_keys_change_under_traffic(d):
    c = d.client()
    there, port = listen(c, **required())
    with plain_peer(port) as peer:
        up = recv(c, there, "sctp_assoc_change", state="comm_up")
        for n in range(60):
            if n == 20:
                setopt(c, there, sctp_auth_key={"assoc_id": 2, "keynumber": 2, "key": OTHER})
                set_key(peer, 2, OTHER)
            if n == 30:
                peer.setsockopt(SCTP, ACTIVE_KEY, struct.pack("=iHxx", 0, 2))
            if n == 40:
                setopt(c, there, sctp_auth_active_key={"assoc_id": 2, "keynumber": 2})
            peer.sendall(b"%d" % n)
            send(c, there, up["assoc_id"], b"%d" % n)
        got, seen, back = [], set(), []
        while len(got) < 60:
            e = recv(c, there)
            if e["event"] == "sctp_authkey_event":
                seen.add((e["indication"], e["keynumber"]))
            else:
                got.append(e["data"])
        while len(back) < 60:
            back.append(peer.recv(100))
        assert got == back == [b"%d" % n for n in range(60)]
        setopt(c, there, sctp_auth_deactivate_key={"assoc_id": 2, "keynumber": 1})
        while ("auth_free_key", 1) not in seen and ("free_key", 1) not in seen:
            e = recv(c, there, "sctp_authkey_event")
            seen.add((e["indication"], e["keynumber"]))
        setopt(c, there, sctp_auth_delete_key={"assoc_id": 2, "keynumber": 1})
        peer.setsockopt(SCTP, ACTIVE_KEY, struct.pack("=iHxx", 0, 1))
        peer.sendall(b"with the deleted key")
        wait_for(lambda: sent_again(peer) >= 3)
        nothing_waits(c, there)
        assert any(number == 2 for _, number in seen), seen
