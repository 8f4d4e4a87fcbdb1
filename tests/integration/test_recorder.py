# SPDX-License-Identifier: BSD-2-Clause
"""The flight recorder: why an association died, in the file and in the log."""
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import outside
from check import code, recv, recv_data, send
from harness import SLOW, WAIT, Daemon, Skip, associate, stack_config, wait_for
from pcapng import sections, texts
from rawpeer import ABORT, RawPeer, chunk, data
from rpc import Client
from test_cli import SCTPCTL, listen
from test_privilege import ALICE, BOB, client
from test_survive import Faulty
from test_trace import send_as, start as start_trace

DIR = tempfile.TemporaryDirectory(prefix="sctpd-records-")
CONFIG = {"record_dir": DIR.name}
start = start_trace
# An ASP Up of M3UA, RFC 4666 3.5.1.
ASP_UP = struct.pack(">BBBBI", 1, 0, 3, 1, 8)
# Soon lost: 3 times 100 ms, and the path after the first.
SOON = {"sctp_rtoinfo": {"initial": 100, "min": 100, "max": 100}, "sctp_associnfo": {"asocmaxrxt": 3},
        "sctp_peer_addr_params": {"pathmaxrxt": 1}}


def recorded(d, assoc_id, of=0, folder=DIR.name):
    """The sections of this association, when there are more than so many."""
    text = f"assoc {assoc_id}: recorded in {folder}/record.pcapng"
    wait_for(lambda: d.log_text().count(text) > of)
    return all_sections(folder)


def all_sections(folder=DIR.name):
    with open(os.path.join(folder, "record.pcapng"), "rb") as f:
        return sections(f.read())


def listener(c, **options):
    there = c.call("open", ip="127.0.0.1", options={"active": True, **options})
    c.call("listen", sock=there["sock"])
    return there


@contextlib.contextmanager
def peered(d, c, **options):
    """A raw peer, the socket that it is associated with, and that association."""
    there = listener(c, **options)
    with RawPeer(d.udp_port, there["port"]) as peer:
        peer.come()
        up = c.event("sctp_assoc_change", sock=there["sock"], state="comm_up")
        yield peer, there, up["assoc_id"]


def says_why(d, assoc_id, why, before=()):
    """The log has that line; the last section of the association, too, after others and as its comment."""
    line = f"assoc {assoc_id}: {why}"
    section = recorded(d, assoc_id)[-1]
    assert line in d.log_text()
    assert section.comment.startswith(line), section.comment
    got = texts(section)
    at = [next(i for i, text in enumerate(got) if text.startswith(w)) for w in
          (f"assoc {assoc_id}: up, ", *(f"assoc {assoc_id}: {b}" for b in before), line)]
    assert at == sorted(at), got
    return section


def test_the_peer_aborts_and_says_why(d):
    c = d.client()
    with peered(d, c) as (peer, there, up):
        send_as(c, there["sock"], up, 3, ASP_UP)
        peer.send(data(0, b"last words"))
        c.event("data", sock=there["sock"])
        reason = b"going down for maintenance"
        peer.send(chunk(ABORT, struct.pack(">HH", 12, 4 + len(reason)) + reason))
        c.event("sctp_assoc_change", sock=there["sock"], state="comm_lost")
    section = says_why(d, up, 'aborted by the peer: User Initiated Abort: "going down for maintenance" (cause 12)')
    assert [(m.sent, m.ppid, m.data, m.comment) for m in section.messages] == \
        [(True, 3, ASP_UP, ""), (False, 0, b"last words", "")]
    assert section.messages[0].ports == (there["port"], 5000)
    assert section.messages[1].ports == (5000, there["port"])
    assert "received 1 messages, 10 bytes, and sent 1 messages, 8 bytes" in section.comment


def test_the_peer_aborts_and_says_nothing(d):
    c = d.client()
    with peered(d, c) as (peer, there, up):
        peer.send(chunk(ABORT))
        c.event("sctp_assoc_change", sock=there["sock"], state="comm_lost")
    says_why(d, up, "aborted by the peer: its ABORT gives no cause")


def test_the_path_is_lost_until_the_association_dies(d):
    c = d.client()
    with peered(d, c, **SOON) as (_, there, up):
        send_as(c, there["sock"], up, 46, b"never acknowledged")
        c.event("sctp_assoc_change", sock=there["sock"], state="comm_lost")
    section = says_why(d, up, "lost: the peer does not answer: there were too many retransmissions",
                       ["path to 127.0.0.1 unreachable: it did not answer too often"])
    assert [m.data for m in section.messages] == [b"never acknowledged"]


def test_the_peer_restarts(d):
    c = d.client("c")
    with peered(d, c) as (peer, there, up):
        peer.send(data(0, b"before"))
        c.event("data", sock=there["sock"])
        peer.come(tag=0x55667788)
        c.event("sctp_assoc_change", sock=there["sock"], state="restart")
        section = says_why(d, up, "restarted by the peer")
        assert [m.data for m in section.messages] == [b"before"]
        c.call("abort", sock=there["sock"], assoc_id=up)
        c.event("sctp_assoc_change", sock=there["sock"], state="comm_lost")
    assert f"assoc {up}: aborted by client {c.id}" in recorded(d, up, 1)[-1].comment


def test_the_owner_is_killed(d):
    p, port = listen(d)
    with RawPeer(d.udp_port, int(port)) as peer:
        peer.come()
        c = d.client()
        wait_for(lambda: c.call("assocs")["assocs"])
        a = c.call("assocs")["assocs"][0]
        peer.send(data(0, b"to whom?"))
        assert p.stdout.readline() == "to whom?\n"
        p.kill()
        section = says_why(d, a["assoc_id"], f'its owner is gone: client {a["owner"]} '
                           f'(user {os.getuid()}, process {p.pid}), and on_owner_exit is close')
        assert [m.data for m in section.messages] == [b"to whom?"]
        p.communicate()
        peer.send(chunk(ABORT))


def test_whoever_may_use_the_socket_may_have_the_record(d):
    """As a method, and by sctpctl as a file, which tells each event and the kind of each message."""
    c = d.client("c")
    there, there_id, here, here_id = associate(c)
    send_as(c, here, here_id, 3, ASP_UP)
    recv_data(c, there)
    mine, = sections(c.call("record", sock=here, assoc_id=here_id)["pcapng"])
    assert mine.comment.startswith(f"assoc {here_id}: asked for by client {c.id}")
    assert [(m.sent, m.ppid, m.data) for m in mine.messages] == [(True, 3, ASP_UP)]
    assert f'assoc {here_id}: its record was given to client {c.id} "c" (user {os.getuid()}, process {os.getpid()}), sock={here} ' in d.log_text()
    assert code(c, "record", sock=here + 1000) == "closed"
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_shutdown_event")
    got = texts(sections(c.call("record", sock=there, assoc_id=there_id)["pcapng"])[0])
    assert "sctp_shutdown_event" in got and "state up -> going_down" in got, got


def test_tshark_knows_the_protocol_of_a_recorded_message(d):
    if not shutil.which("tshark"):
        raise Skip("tshark is not installed: run tests/deps.sh check")
    c = d.client()
    there, there_id, here, here_id = associate(c)
    send_as(c, here, here_id, 3, ASP_UP)
    recv_data(c, there)
    file = subprocess.run([SCTPCTL, "-s", d.path, "record", str(there), str(there_id)], stdout=subprocess.PIPE, check=True).stdout
    done = outside.run(["tshark", "-n", "-r", "-"], file, 6 * WAIT * SLOW)
    assert done.returncode == 0, done.stderr
    got = done.stdout.decode()
    assert "M3UA (RFC 4666)" in got and "ASPUP" in got and f"assoc {there_id}: up, " in got, got


def test_only_the_last_messages_and_their_beginnings(d):
    c = d.client()
    there, there_id, here, here_id = associate(c)
    for n in range(40):
        send(c, here, here_id, b"%02d" % n + bytes(98))
        recv_data(c, there)
    section, = sections(c.call("record", sock=there, assoc_id=there_id)["pcapng"])
    assert [m.data for m in section.messages] == [b"%02d" % n + bytes(62) for n in range(8, 40)]
    assert {m.comment for m in section.messages} == {"the first 64 of 100 bytes"}


def test_messages_have_their_times(d):
    """To 10 ms at least, also where asking the clock is a system call."""
    c = d.client()
    there, there_id, here, here_id = associate(c)
    begun = time.time()
    for n in range(3):
        send(c, here, here_id, b"%d" % n)
        recv_data(c, there)
        assert code(c, "recv", sock=there, timeout=40) == "timeout"
    section, = sections(c.call("record", sock=there, assoc_id=there_id)["pcapng"])
    at = [m.time / 1e6 for m in section.messages]
    assert begun - 0.02 <= at[0] and at[-1] <= time.time(), (begun, at)
    assert all(b - a >= 0.025 for a, b in zip(at, at[1:])), at


def test_no_payload_if_the_settings_say_so(d):
    config = {**stack_config(None), "record_payload": 0}
    with one(**config) as k:
        c = k.client()
        there, there_id, here, here_id = associate(c)
        send_as(c, here, here_id, 3, ASP_UP)
        recv_data(c, there)
        section, = sections(c.call("record", sock=there, assoc_id=there_id)["pcapng"])
        assert [(m.ppid, m.data, m.comment) for m in section.messages] == [(3, b"", "the first 0 of 8 bytes")]


@contextlib.contextmanager
def one(**config):
    k = Daemon(**config)
    try:
        yield k
    finally:
        k.close_clients()
        k.stop()


def test_off_it_keeps_nothing(d):
    with one(**{**stack_config(None), "record_messages": 0}) as k:
        c = k.client()
        _, _, here, here_id = associate(c)
        assert code(c, "record", sock=here, assoc_id=here_id) == "einval"


def test_without_memory_there_is_a_section_with_nothing_in_it(d):
    with one(**{**stack_config(None), "record_memory": 0}) as k:
        c = k.client()
        there, there_id, here, here_id = associate(c)
        send(c, here, here_id, b"x")
        recv_data(c, there)
        section, = sections(c.call("record", sock=there, assoc_id=there_id)["pcapng"])
        assert (section.messages, section.entries) == ([], [])
        assert "received 1 messages, 1 bytes" in section.comment
        assert c.call("status")["record_lost"] == 2     # once for each, and not for each message
        assert "an association is not recorded, or not all of it: record_memory: user " in k.log_text()


def recorded_messages(c):
    """Of a new association, after a message."""
    there, there_id, here, here_id = associate(c)
    send(c, here, here_id, b"mine")
    recv_data(c, there)
    section, = sections(c.call("record", sock=there, assoc_id=there_id)["pcapng"])
    return [m.data for m in section.messages]


def test_one_user_cannot_take_the_memory_of_all(_):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    with one(**{**stack_config(None), "record_memory": 32 << 10, "socket_mode": "0666"}) as k:
        alice, bob = client(k, ALICE), client(k, BOB)
        got = [recorded_messages(alice) for _ in range(4)]
        assert (got[0], got[-1]) == ([b"mine"], []), got
        assert alice.call("status")["record_lost"] >= 1
        assert f"record_memory: user {ALICE} has " in k.log_text()
        assert recorded_messages(bob) == [b"mine"]
        for s in alice.call("sockets")["sockets"]:
            alice.call("close", sock=s["sock"])
        wait_for(lambda: bob.call("status")["associations"] == 2)
        assert recorded_messages(alice) == [b"mine"]


def fill_up(c, n, there, there_id, here, here_id):
    for _ in range(n):
        ids = [c.request("send", sock=here, assoc_id=here_id, data=bytes(1024)) for _ in range(64)]
        for _ in ids:
            recv_data(c, there)
        for i in ids:
            c.answer(i)
    c.call("abort", sock=there, assoc_id=there_id)
    recv(c, here, "sctp_assoc_change", state="comm_lost")


def test_the_files_are_rotated_and_no_longer_than_they_may_be(d):
    with tempfile.TemporaryDirectory(prefix="sctpd-") as folder:
        config = {"record_dir": folder, "record_messages": 1024, "record_payload": 1024, "record_size": "2M",
                  "record_files": 2}
        with one(**{**stack_config(None), **config}) as k:
            c = k.client()
            for n in range(3):
                there, there_id, here, here_id = associate(c)
                fill_up(c, 16, there, there_id, here, here_id)
                wait_for(lambda n=n: c.call("status")["record_cnt"] == 2 * n + 2)
            sizes = {n: os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder)}
            assert set(sizes) == {"record.pcapng", "record.1.pcapng"}
            assert all(1 << 20 < size <= 2 << 20 for size in sizes.values()), sizes


def test_the_associations_of_one_user_do_not_push_out_what_others_left(_):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    with tempfile.TemporaryDirectory(prefix="sctpd-") as folder:
        config = {"record_dir": folder, "record_messages": 1024, "record_payload": 1024, "record_size": "2M",
                  "record_files": 2, "socket_mode": "0666"}
        with one(**{**stack_config(None), **config}) as k:
            alice, bob = client(k, ALICE), client(k, BOB)
            there, there_id, here, here_id = associate(alice)
            send(alice, here, here_id, b"alice's")
            recv_data(alice, there)
            fill_up(alice, 0, there, there_id, here, here_id)
            wait_for(lambda: alice.call("status")["record_cnt"] == 2)
            for n in range(4):
                fill_up(bob, 8, *associate(bob))
                wait_for(lambda n=n: bob.call("status")["record_cnt"] + bob.call("status")["record_lost"] == 2 * n + 4)
            assert bob.call("status")["record_lost"] >= 6       # the first section is larger than the share
            assert f"the associations of user {BOB} have written an eighth of all records" in k.log_text()
            assert any(m.data == b"alice's" for section in all_sections(folder) for m in section.messages)
            before = alice.call("status")["record_cnt"]
            fill_up(alice, 0, *associate(alice))
            wait_for(lambda: alice.call("status")["record_cnt"] == before + 2)


def test_a_file_is_for_the_daemons_user_and_has_no_control_characters(d):
    c = d.client()
    there, there_id, here, _ = associate(c)
    c.call("abort", sock=there, assoc_id=there_id, reason=b"\x1b[2J\nPRIORITY=0\xff")
    recv(c, here, "sctp_assoc_change", state="comm_lost")
    section = next(s for s in recorded(d, there_id) if s.comment.startswith(f"assoc {there_id}: aborted by client"))
    clean = 'its reason is "?[2J?PRIORITY=0?"'
    assert clean in section.comment and clean in texts(section)[-1], (section.comment, texts(section))
    assert os.stat(os.path.join(DIR.name, "record.pcapng")).st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_counted_and_said(d):
    with one(**{**stack_config(None), "record_dir": "/proc/sctpd"}) as k:
        c = k.client()
        there, there_id, here, _ = associate(c)
        c.call("abort", sock=there, assoc_id=there_id)
        recv(c, here, "sctp_assoc_change", state="comm_lost")
        wait_for(lambda: c.call("status")["record_lost"] == 2)
        assert "its record is not written: /proc/sctpd/record.pcapng: No such file or directory; see record_dir" in k.log_text()


def test_a_file_of_another_program_is_not_touched(_):
    with tempfile.TemporaryDirectory(prefix="sctpd-") as folder, one(**{**stack_config(None), "record_dir": folder}) as k:
        name = os.path.join(folder, "record.pcapng")
        theirs = b"\x0a\x0d\x0d\x0a" + bytes(3 << 20)
        with open(name, "wb") as f:
            f.write(theirs)
        c = k.client()
        there, there_id, here, _ = associate(c)
        c.call("abort", sock=there, assoc_id=there_id)
        recv(c, here, "sctp_assoc_change", state="comm_lost")
        wait_for(lambda: c.call("status")["record_lost"] == 2)
        assert f"its record is not written: {name}: File exists; see record_dir" in k.log_text()
        with open(name, "rb") as f:
            assert f.read() == theirs and os.listdir(folder) == ["record.pcapng"]


def test_half_a_section_is_cut_off_by_the_next_daemon(d):
    with tempfile.TemporaryDirectory(prefix="sctpd-", ignore_cleanup_errors=True) as folder, Faulty(record_dir=folder) as k:
        k.ready()
        for n in (1, 2):
            c = Client(k.path)
            c.sock.settimeout(WAIT * SLOW)
            there, there_id, _, _ = associate(c)
            if n == 1:
                k.die_at("recorded", 1)
            c.request("abort", sock=there, assoc_id=there_id)
            wait_for(lambda: k.deaths() == 1)
            if n == 1:
                k.says("ready at", 2)
                torn = f"assoc {there_id}: aborted by client "
                c.close()
                continue
            got = recorded(k, there_id, folder=folder)
            assert got[0].comment.startswith(torn)
            assert not any(t.startswith(torn) for t in texts(got[0]))   # it is the last of a section
            assert texts(got[-1])[-1].startswith(f"assoc {there_id}: aborted by client ")
            c.close()
