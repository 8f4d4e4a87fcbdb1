# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl as its users run it: words, exit status, JSON, listen and connect,
the shell, watch."""
import contextlib
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
import threading

from check import recv
from harness import BUILD, ROOT, SLOW, Daemon, Skip, associate, halt, wait_for
from rpc import WAIT as BASE_WAIT
from rpc import Client
from test_keeper import Own

WAIT = BASE_WAIT * SLOW
SCTPCTL = os.path.join(BUILD, "sctpctl")


def spawn(d, *args, **kw):
    return subprocess.Popen([SCTPCTL, "-s", d.path, *map(str, args)], text=True, bufsize=1,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)


def run(d, *args, text=""):
    """Exit status, standard output, standard error."""
    p = spawn(d, *args)
    out, err = p.communicate(text, WAIT)
    return p.returncode, out, err


def good(d, *args, text=""):
    status, out, err = run(d, *args, text=text)
    assert status == 0, (args, status, out, err)
    return out


def as_json(d, *args):
    return json.loads(good(d, "--json", *args))


def listen(d, *args):
    """A listening sctpctl, and the port that it says it has."""
    p = spawn(d, "listen", *args, 0)
    found = re.fullmatch(r"listening on port (\d+)\n", p.stderr.readline())
    return p, found[1]


def bye(p):
    """What it still says, when it ends by itself."""
    out, err = p.communicate(None, WAIT)
    assert p.returncode == 0, (p.returncode, out, err)
    return out


def test_lists(d):
    c = d.client("tester")
    sock, assoc, other, _ = associate(c)
    assert as_json(d, "status")["sockets"] == 2
    assert {s["sock"] for s in as_json(d, "sockets")["sockets"]} == {sock, other}
    assert {a["sock"]: a["state"] for a in as_json(d, "assocs")["assocs"]} == {sock: "up", other: "up"}
    assert "tester" in [x["name"] for x in as_json(d, "clients")["clients"]]
    assert [p["sock"] for p in as_json(d, "paths", f"sock={sock}", f"assoc_id={assoc}")["paths"]] == [sock]
    lines = good(d, "paths").splitlines()
    assert lines[0].split()[:4] == ["sock", "assoc", "local", "peer"] and len(lines) == 3, lines
    lines = good(d, "assocs").splitlines()
    assert lines[0].split()[:3] == ["sock", "assoc", "state"] and len(lines) == 3, lines
    assert "SCTP stack:" in good(d, "status")


def test_one_command_on_anothers_socket(d):
    c = d.client()
    sock, assoc, other, there = associate(c)
    good(d, "send", f"sock={other}", f"assoc_id={there}", "data=-", text="from\nstdin")
    got = as_json(d, "recv", f"sock={sock}", f"timeout={WAIT * 1000}")
    assert (got["event"], bytes.fromhex(got["data"])) == ("data", b"from\nstdin"), got
    good(d, "setopts", f"sock={sock}", "options.sctp_rtoinfo.max=4000", f"options.sctp_rtoinfo.assoc_id={assoc}")
    name, value = as_json(d, "getopts", f"sock={sock}", f"options.sctp_rtoinfo.assoc_id={assoc}")["options"][0]
    assert (name, value["max"]) == ("sctp_rtoinfo", 4000), value


def test_exit_status(d):
    for status, args, says in (
            (2, ["frob"], 'no command or method "frob"'),
            (2, ["open", "prt=1"], "prt: unknown; there are: ip, port"),
            (2, ["open", "port=65536"], "out of range"),
            (2, ["setopts", "sock=1", "options.nope=1"], "no such option"),
            (2, ["--nope"], "unrecognized"),
            (2, ["open", "--hex"], "goes with listen and connect"),
            (2, ["listen", "x"], "takes a port"),
            (2, ["connect", "127.0.0.1", "99999"], "a port, from 1 to 65535"),
            (2, ["connect", "127.0.0.1", "0"], "a port, from 1 to 65535"),
            (1, ["close", "sock=1"], "closed: sock 1"),
            (1, ["connect", "127.0.0.1", "9"], "cant_assoc")):
        code, _, err = run(d, *args)
        assert code == status and says in err, (args, code, err)
    p = subprocess.run([SCTPCTL, "-s", "/nonexistent", "status"], stderr=subprocess.PIPE, text=True)
    assert p.returncode == 3 and "systemctl start sctpd" in p.stderr, p
    # What is wrong with the words is said without a daemon.
    p = subprocess.run([SCTPCTL, "-s", "/nonexistent", "open", "x=1"], stderr=subprocess.PIPE, text=True)
    assert p.returncode == 2, p


def test_lines(d):
    server, port = listen(d)
    good(d, "connect", "127.0.0.1", port, "--ppid", 46, "--stream", 3, text="one\n\ntwo")
    assert bye(server) == "one\ntwo\n"


def test_hex(d):
    server, port = listen(d, "--hex")
    good(d, "connect", "--hex", "127.0.0.1", port, text="00 ff\n4142\n")
    assert bye(server) == "00ff\n4142\n"


def test_hex_says_stream_and_ppid_if_asked(d):
    p, port = listen(d, "--hex", "-v")
    assert run(d, "connect", "--hex", "--ppid", 60, "--stream", 3, "127.0.0.1", port, text="0aff\n")[0] == 0
    out, err = p.communicate(None, WAIT)
    assert out == "0aff\n" and "stream 3, PPID 60 (0x0000003c, ngap), 2 bytes\n" in err, (out, err)


def test_input_that_was_not_sent_is_told_of(d):
    """The peer shuts down before it is read, and sends much or little."""
    c = d.client()
    for lines in 1, 1000:
        there = c.call("open", ip="127.0.0.1")
        c.call("listen", sock=there["sock"])
        p = spawn(d, "connect", "127.0.0.1", there["port"])
        p.stdin.write("one\n")
        p.stdin.flush()
        up = recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
        recv(c, there["sock"], "data", data=b"one")
        halt(p.pid)     # it reads nothing any more
        c.call("eof", sock=there["sock"], assoc_id=up["assoc_id"])
        recv(c, there["sock"], "sctp_assoc_change", state="shutdown_comp")
        p.stdin.write("never sent\n" * lines)
        p.stdin.flush()
        p.send_signal(signal.SIGCONT)
        out, err = p.communicate(None, WAIT)
        assert p.returncode != 0 and 0 < err.count("\n") <= 2, (p.returncode, out, err)


def test_json_events(d):
    server, port = listen(d, "--json")
    good(d, "connect", "127.0.0.1", port, "--ppid", 46, "--stream", 3, "--ostreams", 4, text="x\n")
    events = [json.loads(line) for line in bye(server).splitlines()]
    assert [e["event"] for e in events] == ["sctp_assoc_change", "data", "sctp_shutdown_event", "sctp_assoc_change"]
    assert events[0]["inbound_streams"] == 4
    assert events[1]["data"] == "78" and events[1]["sctp_sndrcvinfo"]["ppid"] == 46, events[1]
    assert events[1]["sctp_sndrcvinfo"]["stream"] == 3


def dialogue(d, *kind):
    server, port = listen(d, *kind)
    client = spawn(d, "connect", *kind, "127.0.0.1", port)
    for here, there in (client, server), (server, client), (client, server):
        here.stdin.write("hello\n")
        assert there.stdout.readline() == "hello\n"
    client.stdin.close()
    client.stdin = None
    bye(client)
    bye(server)


def test_dialogue(d):
    dialogue(d)


def test_dialogue_one_to_one(d):
    dialogue(d, "--one-to-one")


def test_keep_listening(d):
    server, port = listen(d, "-k")
    for text in "a\n", "b\n":
        good(d, "connect", "127.0.0.1", port, text=text)
        assert server.stdout.readline() == text
    server.send_signal(signal.SIGINT)
    assert bye(server) == ""


def test_interrupt_ends_well(d):
    server, port = listen(d)
    client = spawn(d, "connect", "127.0.0.1", port)
    client.stdin.write("x\n")
    assert server.stdout.readline() == "x\n"
    client.send_signal(signal.SIGINT)
    assert client.wait(WAIT) == 0
    bye(server)


def test_a_second_interrupt_does_not_wait_and_fails(d):
    """The peer takes nothing more, so the association does not shut down."""
    there = d.client().call("open", ip="127.0.0.1")
    d.clients[-1].call("listen", sock=there["sock"])
    p = spawn(d, "connect", "-v", "127.0.0.1", there["port"])
    assert p.stderr.readline().startswith("connected to ")
    feeder = threading.Thread(target=feed, args=(p, "x" * 60000 + "\n"))
    feeder.start()
    c = d.client()
    wait_for(lambda: any(a["send_pend"] for a in c.call("assocs")["assocs"]))
    p.send_signal(signal.SIGINT)
    assert p.stderr.readline().startswith("sctpctl: waiting for the peer to take everything")
    p.send_signal(signal.SIGINT)
    assert "interrupted before the association was shut down" in p.stderr.read()
    assert p.wait(WAIT) == 1
    feeder.join()
    for pipe in p.stdout, p.stderr:
        pipe.close()


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_listener_in_the_background_leaves_the_terminal_to_the_foreground(d):
    """It is not stopped by what is typed for somebody else, and goes on."""
    master, slave = os.openpty()
    shell = subprocess.Popen(["bash", "--norc", "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=d.dir,
                             preexec_fn=own_terminal)
    os.close(slave)
    out, err, pid = (os.path.join(d.dir, name) for name in ("out", "err", "pid"))
    os.write(master, f"{SCTPCTL} -s {d.path} listen -k 0 >out 2>err & echo $! >pid; sleep 1000\n".encode())
    wait_for(lambda: os.path.exists(pid) and os.path.exists(err) and "listening on port" in text_of(err))
    os.write(master, b"typed ahead\n")
    port = re.search(r"port (\d+)", text_of(err))[1]
    good(d, "connect", "127.0.0.1", port, text="hello\n")
    wait_for(lambda: text_of(out) == "hello\n")
    os.kill(int(text_of(pid)), signal.SIGTERM)
    wait_for(lambda: not d.client().call("sockets")["sockets"])
    shell.kill()
    shell.wait()
    os.close(master)


def text_of(path):
    with open(path) as f:
        return f.read()


def feed(p, line):
    with contextlib.suppress(BrokenPipeError):
        for _ in range(1000):
            p.stdin.write(line)
        p.stdin.flush()
    with contextlib.suppress(BrokenPipeError):
        p.stdin.close()


def test_interrupts_are_heeded_where_nobody_reads_the_output(d):
    """The pipe is full, and sctpctl writes to it."""
    server, port = listen(d, "-k")
    fcntl.fcntl(server.stdout, fcntl.F_SETPIPE_SZ, 4096)
    client = d.client()
    sock = client.call("open", ip="127.0.0.1")["sock"]
    up = client.call("connect", sock=sock, addr="127.0.0.1", port=int(port))
    for _ in range(10):
        client.call("send", sock=sock, assoc_id=up["assoc_id"], data=b"x" * 20000)

    def waiting():
        return struct.unpack("i", fcntl.ioctl(server.stdout, termios.FIONREAD, b"1234"))[0]
    wait_for(lambda: waiting() == fcntl.fcntl(server.stdout, fcntl.F_GETPIPE_SZ))
    server.send_signal(signal.SIGINT)
    server.send_signal(signal.SIGTERM)
    assert server.wait(WAIT) == 1
    for pipe in server.stdin, server.stdout, server.stderr:
        pipe.close()


def test_socket_options(d):
    server, port = listen(d, "-o", "sctp_initmsg.max_instreams=3", "--ip", "127.0.0.1,::1")
    said = good(d, "-j", "connect", "-o", "sctp_initmsg.num_ostreams=7", "-o", "sndbuf=1", "-o", "sndbuf=50000",
                "127.0.0.1", port, text="x\n")
    first = json.loads(said.splitlines()[0])
    assert first["event"] == "sctp_assoc_change" and first["state"] == "comm_up", first
    assert first["from"] == {"addr": "127.0.0.1", "port": int(port)} and first["outbound_streams"] == 3, first
    assert bye(server) == "x\n"
    for words, status, text in (("-o", "sndbf=1"), 2, "options.sndbf: there is no such option"), \
                               (("-o", "sndbuf"), 2, "--option takes NAME=VALUE"), \
                               (("-o", "sndbuf=much"), 2, "sndbuf"), \
                               (("--ostreams", "3", "-o", "sctp_initmsg.num_ostreams=4"), 2,
                                "--ostreams 3 and -o sctp_initmsg.num_ostreams=4 set the same number; give one of them"):
        got = run(d, "connect", *words, "127.0.0.1", port)
        assert got[0] == status and text in got[2], (words, got)
    assert run(d, "status", "-o", "sndbuf=1")[0] == 2


def test_ip_twice_binds_both(d):
    p, _ = listen(d, "--ip", "127.0.0.1", "--ip", "127.0.0.2")
    sock = as_json(d, "sockets")["sockets"][0]["sock"]
    names = as_json(d, "socknames", f"sock={sock}")
    p.terminate()
    p.communicate(None, WAIT)
    assert {a["addr"] for a in names["addresses"]} == {"127.0.0.1", "127.0.0.2"}, names


def test_json_says_why_a_connect_failed(d):
    status, out, err = run(d, "-j", "connect", "127.0.0.1", 9)
    said = json.loads(out)
    assert status == 1 and "cant_assoc" in err, err
    assert (said["event"], said["method"], said["addr"], said["port"]) == ("error", "connect", "127.0.0.1", 9), said
    assert said["error"].startswith("cant_assoc: "), said


def test_errors_show_what_was_typed(d):
    for args, says in (
            (["open", "port="], 'port: got ""; it takes an integer'),
            (["open", "port=  "], 'port: got "  "; it takes an integer'),
            (["open", "options.nodelay=maybe"], "nodelay"),
            (["setopts", "sock=1", "options.sctp_nodelay=maybe"], 'options.sctp_nodelay: got "maybe"; it takes true or false'),
            (["open", "options.sctp_initmsg.num_ostreams=x"], 'options.sctp_initmsg.num_ostreams: got "x"; it takes an integer'),
            (["listen", "99999"], 'a port, from 0 to 65535, not "99999"'),
            (["listen", ""], 'takes a port, from 0 to 65535, not ""'),
            (["connect", "127.0.0.1", "99999"], 'a port, from 1 to 65535, not "99999"'),
            (["connect", "127.0.0.1", ""], 'a port, from 1 to 65535, not ""'),
            (["connect", "", "5"], '"" is not a host'),
            (["connect", " ", "5"], '" " is not a host'),
            (["--color", "", "status"], '--color takes auto, always or never, not ""'),
            (["--stream", "70000", "listen", "0"], '--stream: "70000" is not a number from 0 to 65535'),
            (["-o", "", "listen", "0"], 'NAME=VALUE, such as sndbuf=1000000, not ""')):
        code, _, err = run(d, *args)
        assert code == 2 and says in err, (args, code, err)
    status, _, err = run(d, "shell", "")
    assert status == 1 and err == 'sctpctl: "": No such file or directory\n', err


def test_bad_stream(d):
    server, port = listen(d)
    status, _, err = run(d, "connect", "127.0.0.1", port, "--stream", 99, text="x\n")
    assert status == 1 and "stream 99" in err, err
    bye(server)


SCRIPT = """
    # Everything on one connection.
    open ip=127.0.0.1 options.active=true
    listen sock=$sock
    to=$port
    open ip=127.0.0.1
    connect sock=$sock addr=127.0.0.1 port=$to
    mine=${assoc_id}
    wait sctp_assoc_change state=comm_up
    -send sock=$sock assoc_id=1234567 data=x  # may fail
    send sock=$sock assoc_id=$mine data="two words"
    wait data
    abort sock=$sock assoc_id=$mine
    wait sctp_assoc_change state=comm_lost error=12
    quit
    never reached
"""


def test_shell(d):
    out = good(d, "--json", "shell", text=SCRIPT)
    events = [json.loads(line) for line in out.splitlines() if '"event"' in line]
    assert [e["event"] for e in events] == ["sctp_assoc_change", "data", "sctp_assoc_change"], out
    assert bytes.fromhex(events[1]["data"]) == b"two words"


def test_shell_stops_at_a_failure(d):
    for script, status in (("close sock=1\nstatus", 1), ("-close sock=1\nstatus", 0), ("echo $nope", 2),
                           ("wait data timeout=10", 5), ('open "ip=', 2), ("nonsense", 2)):
        code, out, err = run(d, "shell", text=script)
        assert code == status and (status == 0) == ("SCTP stack" in out), (script, code, out, err)


def test_watch(d):
    watcher = spawn(d, "--json", "-v", "watch")
    assert watcher.stderr.readline() == "watching\n"
    sock, _, other, _ = associate(d.client())
    seen = set()
    while len(seen) < 2:
        event = json.loads(watcher.stdout.readline())
        if event["event"] == "sctp_assoc_change":
            seen.add(event["sock"])
    assert seen == {sock, other}, seen
    watcher.send_signal(signal.SIGINT)
    watcher.communicate(None, WAIT)


def says(p, text):
    assert (got := p.stderr.readline()) == text, got


def test_talk_goes_on_when_the_daemon_dies(d):
    with Own() as k:
        pid = k.ready()
        c = Client(k.path)
        features = c.call("hello")["features"]
        c.close()
        if "survive" not in features:
            raise Skip("no association survives this daemon")
        server, port = listen(k)
        client = spawn(k, "connect", "127.0.0.1", port)
        watcher = spawn(k, "--json", "-v", "watch")
        says(watcher, "watching\n")
        for here, there in (client, server), (server, client):
            here.stdin.write("before\n")
            assert there.stdout.readline() == "before\n"
            os.kill(pid, signal.SIGKILL)
            pid = k.next_child(pid)
            for p in client, server, watcher:
                says(p, "sctpctl: sctpd is gone, waiting\n")
                says(p, "sctpctl: sctpd is back\n")
            here.stdin.write("after\n")
            assert there.stdout.readline() == "after\n"
        client.stdin.close()
        client.stdin = None
        assert bye(client) == bye(server) == ""
        events = iter(lambda: json.loads(watcher.stdout.readline()), None)
        assert next(e for e in events if e.get("state") == "shutdown_comp")["event"] == "sctp_assoc_change"
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(None, WAIT)


def test_without_a_keeper_the_end_of_the_daemon_is_the_end(d):
    own = Daemon()
    server, _ = listen(own)
    own.kill()
    out, err = server.communicate(None, WAIT)
    assert (server.returncode, out) == (3, "") and "sctpd ended the connection" in err, err


def test_help(d):
    for word in "send", "sctp_rtoinfo", "sctp_assoc_change", "eaddrinuse":
        assert word in good(d, "help", word)
    for shown in d.client().call("describe")["methods"]:
        good(d, "help", shown["name"])
    for command, says in (("connect", "command connect HOST PORT"), ("connect", "method connect"), ("connect", "--ostreams N"),
                          ("shell", "wait EVENT"), ("call", "command call METHOD"), ("status", "method status")):
        assert says in good(d, "help", command), command
    assert run(d, "help", "")[2] == 'sctpctl: there is no command, method, option, event, error or PPID ""; sctpctl help lists them\n'


def manual():
    """sctpctl(1) as mandoc's source: what each list has."""
    with open(os.path.join(ROOT, "client-lib/sctpctl/sctpctl.1"), encoding="ascii") as f:
        return re.findall(r"^\.It (?:Cm|Fl) (.*)$", f.read(), re.M)


def test_help_completion_and_manual_have_all_commands_and_options(d):
    usage = good(d, "--help")
    commands = re.findall(r"^  ([a-z]+)(?: [\[A-Z].*?)?(?:  .*)?$", usage.split("Options of")[0], re.M)
    options = re.findall(r"^  (?:-., )?(--[a-z-]+)", usage, re.M)
    assert {"status", "listen", "connect", "watch", "call", "shell", "help"} <= set(commands), commands
    assert {"--ip", "--option", "--json", "--version"} <= set(options), options
    assert set(commands) <= set(candidates("")), candidates("")
    assert options == candidates("--"), options
    rows = manual()
    for name in commands:
        assert any(r.split()[0] == name for r in rows), name
    for name in options:
        assert any(name[1:] in r.split() for r in rows), name


def test_completion_of_what_the_daemon_has(d):
    c = d.client("tester")
    there, up, here, _ = associate(c)
    assert sorted(candidates("-s", d.path, "close", "sock=")) == sorted(f"sock={n}" for n in (there, here))
    assert candidates("-s", d.path, "tap", "--sock", str(here)) == [str(here)]
    assert f"assoc_id={up}" in candidates("-s", d.path, "abort", f"sock={there}", "assoc_id=")
    assert f"client={c.id}" in candidates("-s", d.path, "disconnect", "client=")
    assert candidates("-s", d.path + "x", "close", "sock=") == [], "no daemon is there"


def candidates(*words):
    return subprocess.run([SCTPCTL, "--complete", *words], stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def test_completion(d):
    for words, want in ((("setopts", "options.sctp_rtoinfo.i"), ["options.sctp_rtoinfo.initial="]),
                        (("-j", "-s", "listen", "setopts", "--timeout", "5", "soc"), ["sock="]),
                        (("call", "setopts", "soc"), ["sock="]), (("--color", "a"), ["auto", "always"]), (("listen", "--one"), ["--one-to-one"]),
                        (("assocs", "--sort", "out"), ["out", "out-bytes", "out/s", "outB/s"]), (("top", "--sort", "se"), ["sendq"]),
                        (("paths", "--state", "u"), ["up", "unconfirmed"]), (("help", "she"), ["shell"]), (("-s", ""), []), (("shell", ""), [])):
        assert candidates(*words) == want, words
    for line, want in ("sctpctl connect -o sctp_rtoinfo.i", ["sctp_rtoinfo.initial="]), \
                      ("sctpctl connect --option sndb", ["sndbuf="]), ("sctpctl conn", ["connect", "connect_init", "connectx_init"]):
        p = subprocess.run(["bash", "-c", f". {ROOT}/client-lib/sctpctl/sctpctl.bash; compopt() {{ :; }}; COMP_LINE=$1 COMP_POINT=${{#1}}"
                            f" COMP_WORDS=({SCTPCTL}); _sctpctl; printf '%s\\n' \"${{COMPREPLY[@]}}\"", "bash", line],
                           stdout=subprocess.PIPE, text=True, check=True)
        assert [w for w in p.stdout.split("\n") if w] == want, (line, p.stdout)
