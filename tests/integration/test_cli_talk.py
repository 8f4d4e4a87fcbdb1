# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl as the netcat of SCTP: several associations, so many messages at such
a rate, echo, scripts, and the line that says how far it is."""
import os
import pty
import re
import subprocess
import threading
import time

from harness import SLOW, wait_for
from hosts import Program
from test_cli import SCTPCTL, bye, good, listen, run, spawn
from test_cli_say import failure


def ended(p):
    """It is interrupted, and ends well."""
    p.terminate()
    return bye(p)


def listener(c, **options):
    """The daemon's own, to look at what came: its socket, and the port."""
    there = c.call("open", ip="127.0.0.1", options={"active": True, **options})
    c.call("listen", sock=there["sock"])
    return there["sock"], there["port"]


def messages(c, sock, n):
    return [c.event("data", sock=sock) for _ in range(n)]


def test_count_repeats_what_is_read_or_made(d):
    c = d.client()
    sock, port = listener(c)
    good(d, "connect", "127.0.0.1", port, "--count", 3, "--ppid", "s1ap", text="one\ntwo\n")
    got = messages(c, sock, 3)
    assert [m["data"] for m in got] == [b"one"] * 3 and got[2]["sctp_sndrcvinfo"]["ppid"] == 18, got
    good(d, "connect", "127.0.0.1", port, "--size", 30)
    assert [m["data"] for m in messages(c, sock, 1)] == [b"abcdefghijklmnopqrstuvwxyzabcd"]
    good(d, "connect", "127.0.0.1", port, "--size", 1000, "--random", "-c", 2)
    one, two = messages(c, sock, 2)
    assert len(one["data"]) == len(two["data"]) == 1000 and one["data"] != two["data"]


def test_count_of_a_stream_that_is_not_fails_once(d):
    _, port = listener(d.client())
    status, err = failure(d, "connect", "127.0.0.1", port, "--count", 0, "--size", 10, "--rate", 100, "--stream", 99)
    assert status == 1 and err.count("\n") == 1 and "stream 99" in err, err


def used_by(d, port, args, text):
    """Seconds that a connect takes, those of them that it has the processor, and how often it gave the processor up."""
    start = time.monotonic()
    p = spawn(d, "connect", "127.0.0.1", port, "--rate", 100, *args)
    p.stdin.write(text)
    p.stdin.close()
    _, status, used = os.wait4(p.pid, 0)
    took = time.monotonic() - start
    p.returncode = status
    p.stdout.close(), p.stderr.close()
    assert status == 0
    return took, used.ru_utime + used.ru_stime, used.ru_nvcsw


def test_the_rate_is_kept_without_use_of_the_processor(d):
    """The last of 51 messages is due half a second after the first. What a connect needs to start is no matter."""
    c = d.client()
    sock, port = listener(c)
    for args, text in ((["--count", 51, "--size", 10], ""), ([], "x\n" * 51)):
        _, start, _ = used_by(d, port, ["--count", 1, "--size", 10], "")
        messages(c, sock, 1)
        took, used, slept = used_by(d, port, args, text)
        messages(c, sock, 51)
        assert 0.5 <= took < 0.5 + 2 * SLOW, took
        assert slept >= 25, slept       # before each message, or each two where it is late
        if not os.environ.get("LAB_KERNEL", "").startswith("uml"):      # which counts whole ticks, at which it wakes
            assert used - start < 0.2 * SLOW, (used, start)


def test_several_associations_of_one_connect(d):
    """A socket has one association with each peer."""
    c = d.client()
    ports = [listener(c)[1] for _ in range(2)]
    words = [word for port in ports for word in ("127.0.0.1", port)]
    client = spawn(d, "connect", "-v", *words, "--associations", 2)
    for _ in range(4):
        assert client.stderr.readline().startswith("connected to ")
    client.stdin.write("hello\n")
    client.stdin.flush()
    got = {}
    for _ in range(4):
        event = c.event("data")
        got.setdefault(event["sock"], []).append(event["from"]["port"])
    ours, theirs = got.values()
    assert sorted(ours) == sorted(theirs) and len(set(ours)) == 2, got
    client.stdin.close()
    client.stdin = None
    assert bye(client) == ""


def test_the_same_peer_twice_is_two_associations(d):
    c = d.client()
    sock, port = listener(c)
    good(d, "connect", "127.0.0.1", port, "127.0.0.1", port, text="x\n")
    assert len({m["from"]["port"] for m in messages(c, sock, 2)}) == 2


def test_one_of_several_that_cannot_be_reached_fails(d):
    _, port = listener(d.client())
    status, err = failure(d, "connect", "127.0.0.1", port, "127.0.0.1", 9)
    assert status == 1 and err.startswith("sctpctl: 127.0.0.1 port 9: cant_assoc"), err
    status, err = failure(d, "connect", "127.0.0.1", port, "127.0.0.1")
    assert status == 2 and "HOST PORT [HOST PORT ...]" in err, err
    assert failure(d, "listen", 0, "--associations", 2)[0] == 2


def echoes(d, *kind):
    server, port = listen(d, "--echo", "-k", *kind)
    c = d.client()
    sock = c.call("open", ip="127.0.0.1", options={"active": True})["sock"]
    assoc = c.call("connect", sock=sock, addr="127.0.0.1", port=int(port))["assoc_id"]
    c.call("send", sock=sock, data=b"\x00\xff\n", sctp_sndrcvinfo={"assoc_id": assoc, "stream": 3, "ppid": 46})
    back = c.event("data", sock=sock)
    assert back["data"] == b"\x00\xff\n", back
    assert (back["sctp_sndrcvinfo"]["stream"], back["sctp_sndrcvinfo"]["ppid"]) == (3, 46), back
    assert ended(server) == ""


def test_echo(d):
    echoes(d)


def test_echo_one_to_one(d):
    echoes(d, "--one-to-one")


def test_echo_of_more_than_may_wait(d):
    """A peer that sends and does not read is not read any more; when it reads, all of it comes."""
    server, port = listen(d, "--echo")
    sender, c = d.client(), d.client()
    here = c.call("open", ip="127.0.0.1")["sock"]
    assoc = c.call("connect", sock=here, addr="127.0.0.1", port=int(port))["assoc_id"]
    sent = [bytes([i % 251]) * 50000 for i in range(400)]

    def send():
        for data in sent:
            sender.call("send", sock=here, assoc_id=assoc, data=data)
    thread = threading.Thread(target=send)
    thread.start()
    looker = d.client()
    wait_for(lambda: not [s for s in looker.call("sockets")["sockets"] if s["active"]])
    c.call("setopts", sock=here, options={"active": True})
    assert [m["data"] for m in messages(c, here, len(sent))] == sent
    thread.join()
    c.call("eof", sock=here, assoc_id=assoc)
    assert bye(server) == ""


# ---- scripts ----------------------------------------------------------

def script(d, text):
    path = os.path.join(d.dir, "script")
    with open(path, "w", encoding="utf8") as f:
        f.write(text)
    return path


def test_scripts_of_both_sides(d):
    server, port = listen(d, "--hex", "-k", "--script", script(d, r"""
        # What the other side does, the other way round.
        timeout 20000
        expect hex:01000301 ... ppid=m3ua stream=1
        send hex:01000304 hex:00000008 "\x00\n\"" ppid=m3ua stream=1
        expect "unordered"
        expect event sctp_shutdown_event
    """))
    path = script(d, r"""
        send hex:0100030100000008 ppid=m3ua stream=1
        expect hex:010003??00000008 "\x00\n\"" timeout=20000
        expect nothing
        send "unordered" unordered
        end
        expect event sctp_assoc_change state=shutdown_comp timeout=20000
    """)
    good(d, "connect", "--hex", "127.0.0.1", port, "--script", path)
    good(d, "connect", "--hex", "127.0.0.1", port, "--script", path, "--associations", 3)
    ended(server)


def test_a_script_says_what_was_not_met_and_where(d):
    c = d.client()
    server, port = listen(d, "-ke")
    for text, status, says in (
            ('send "one" ppid=ngap\n\nexpect "two" stream=1', 1,
             '3: expected "two" on stream 1, got "one" on stream 0 with PPID ngap'),
            ('send hex:00\nexpect hex:??01', 1, "2: expected hex:??01, got hex:00 on stream 0 with PPID unspecified"),
            ("expect ppid=m3ua timeout=10", 5, "1: it did not come within 10 ms; expected a message with PPID m3ua"),
            ('send "x"\nexpect nothing timeout=9999', 1, '2: expected nothing, but a message came: "x"'),
            ('end\nexpect "x" timeout=20000', 1, '2: the association is over; expected "x"'),
            ('send "x" stream=99', 1, "1: send: einval: stream 99"),
            ("send", 2, "1: send takes bytes"),
            ("\nfoo", 2, '2: "foo" is not a command; there are: send, expect, timeout, sleep, end, abort'),
            ('send "x" y', 2, '1: "y" is not understood; send takes stream=N'),
            ("expect hex:1", 2, '1: "hex:1" is not pairs'), ('send "x', 2, '1: a " is not closed'),
            ('expect ... "x"', 2, '1: "..." must be the last word'), ("sleep 1 2", 2, '1: "sleep" takes milliseconds'),
            ("send ppid=no", 2, '1: "ppid=no" is neither the name of a PPID'), (r'send "\q"', 2, r'1: "\q" has a \ that'),
            ("expect event nosuch", 2, '1: "nosuch" is no event'), ("expect event data x", 2, '1: "x" is not understood')):
        path = script(d, text)
        got, err = failure(d, "connect", "127.0.0.1", port, "--script", path)
        assert got == status and err.startswith(f"sctpctl: {path}:{says}"), (text, got, err)
    assert failure(d, "connect", "127.0.0.1", port, "--script", "/nonexistent")[0] == 1
    got, err = failure(d, "connect", "127.0.0.1", port, "--script", "/dev/zero")
    assert got == 2 and "/dev/zero:1: there is a byte 0: this is no text" in err, err
    got, err = failure(d, "connect", "127.0.0.1", port, "--script", script(d, "send @/dev/zero\n"))
    assert got == 2 and '"/dev/zero" File too large' in err, err
    good(d, "connect", "127.0.0.1", port, "--script",
         script(d, "abort\nexpect event sctp_assoc_change state=comm_lost timeout=20000"))
    ended(server)
    wait_for(lambda: not c.call("sockets")["sockets"])


def test_options_that_contradict_are_refused(d):
    for words, says in ((["--count", 1, "--echo"], "give one of them"), (["--size", 1, "--script", "x"], "give one of them"),
                        (["--random"], "--random goes with --size"), (["--size", 0], "no empty messages"),
                        (["--rate", 0], "not a number of messages a second"), (["--rate", "1x"], "not a number"),
                        (["--associations", 0], "from 1 to 65535"), (["--count", "x"], "not a number")):
        status, err = failure(d, "connect", "127.0.0.1", 9, *words)
        assert status == 2 and says in err, (words, err)
    assert failure(d, "status", "--echo")[1] == "sctpctl: --echo goes with listen and connect only\n"


# ---- progress ---------------------------------------------------------

def on_terminal(d, *args, **files):
    """sctpctl with standard error at a terminal; gives the process and the terminal."""
    master, slave = pty.openpty()
    p = subprocess.Popen([SCTPCTL, "-s", d.path, *map(str, args)], stdin=subprocess.DEVNULL, stderr=slave, **files)
    os.close(slave)
    return p, master


def all_of(master):
    said = b""
    try:
        while got := os.read(master, 4096):
            said += got
    except OSError:     # the other side is closed
        pass
    os.close(master)
    return said.decode()


LINE = (r"out \S+B \d+ msgs \[\S+B/s [\d.]+/s\]  in 0B 0 msgs  0:00:\d\d")


def test_progress_on_a_terminal(d):
    """After a second there is a line, which goes when something is to be said, and stays at the end."""
    _, port = listener(d.client())
    p, master = on_terminal(d, "connect", "127.0.0.1", port, "--count", 121, "--size", 1000, "--rate", 100,
                            stdout=subprocess.DEVNULL)
    said = all_of(master)
    assert p.wait() == 0
    assert re.fullmatch(rf"{LINE} \d+% ETA 0:00:0\d\r\x1b\[K{LINE}\r\n", said), said
    assert re.search(r"121 msgs .*\r\n$", said), said


def test_no_progress_where_it_is_short_or_nobody_looks(d):
    c = d.client()
    sock, port = listener(c)
    p, master = on_terminal(d, "connect", "127.0.0.1", port, "--count", 3, "--size", 1000, stdout=subprocess.DEVNULL)
    assert (all_of(master), p.wait()) == ("", 0)
    assert run(d, "connect", "127.0.0.1", port, "--count", 3, "--size", 9)[1:] == ("", "")
    _, _, err = run(d, "connect", "127.0.0.1", port, "--count", 3, "--size", 9, "--progress")
    assert re.fullmatch(r"out 27B 3 msgs \[\S+B/s [\d.]+/s\]  in 0B 0 msgs  0:00:00\n", err), err
    messages(c, sock, 9)


# ---- peers that nobody here wrote -------------------------------------

def test_ncat_is_echoed(d):
    server, port = listen(d, "--echo")
    with Program("ncat", "--sctp", "127.0.0.1", port) as peer:
        for text in "hello", "again":
            peer.write(text)
            peer.expect(f"^{text}$")
        peer.end()
    assert bye(server) == ""


def test_sctp_darn_takes_several_associations(d):
    with Program("sctp_darn", "-H", "127.0.0.1", "-P", "5017", "-l") as peer:
        peer.listening(5017)
        good(d, "connect", "127.0.0.1", 5017, "--associations", 5, text="hello\n")
        peer.expect(r"(DATA\(5\):  hell.*){5}")
