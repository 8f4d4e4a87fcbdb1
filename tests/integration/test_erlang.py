# SPDX-License-Identifier: BSD-2-Clause
"""client-lib/erlang: gen_sctp over sctpd, compared with gen_sctp itself on the
same kernel, and what it does better."""
import glob
import os
import re
import shutil
import socket
import signal
import subprocess
import tarfile
import time

from beams import LIBRARY, SOURCES, erlc, library
from harness import BUILD, SCRATCH, SLOW, Daemon, Skip, round_trip, wait_for
from hosts import Program
from rpc import WAIT
from test_keeper import Kept

BEAMS = os.path.join(SCRATCH, "erlang")
DIAMETER = glob.glob("/usr/lib*/erlang/lib/diameter-*")

# The manual's programs are compiled as they stand there, but for less waiting;
# and ex3 calls what the manual says that it shows (see test_peer_erlang.py).
CHANGES = {
    "sctp_server": (),
    "sctp_client": (("timer:sleep(10000)", "timer:sleep(100)"),),
    "ex3": (("gen_sctp:connect(", "gen_sctp:connect_init("), ("after 5000", "after 1000")),
}


def example(name, module):
    """One of the manual's programs, with module in gen_sctp's place."""
    with open(os.path.join(SOURCES, name + ".erl"), encoding="utf-8") as f:
        text = f.read()
    for old, new in CHANGES[name]:
        assert old in text
        text = text.replace(old, new)
    path = os.path.join(BEAMS, module, name + ".erl")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("gen_sctp:", module + ":"))
    return path


def compile_to(folder, sources):
    erlc(folder, sources, "-Wall", "-Werror", path=BEAMS)


def compile_erlang():
    """All of it: a warning is a failure."""
    for module in "gen_sctp", "sctpd":
        os.makedirs(os.path.join(BEAMS, module))
        compile_to(os.path.join(BEAMS, module), [example(name, module) for name in CHANGES])
    library(BEAMS)
    compile_to(BEAMS, [os.path.join(SOURCES, name + ".erl")
                       for name in ("scenario", "robust", "stuck", "sockaddr", "keys", "parameters", "kills", "pool", "manners")])
    if DIAMETER:
        compile_to(BEAMS, [os.path.join(SOURCES, "diameters.erl")])


def start():
    """Compile first."""
    if not shutil.which("erlc"):
        raise Skip("erlang-base is not installed: run tests/deps.sh check")
    compile_erlang()
    return Daemon()


def command(d, what, *path):
    return ["env", f"SCTPD_SOCKET={d.path}", "erl", "-noshell", "-pa", BEAMS, *path,
            "-eval", f"{what}, halt()."]


def erl(d, what, *path):
    return Program(*command(d, what, *path))


def printed(d, what):
    """What Erlang said in the end: these programs take their time."""
    done = subprocess.run(command(d, what), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=5 * WAIT * SLOW, check=False)
    return done.stdout.decode()


def erl_example(d, module, what):
    return erl(d, what, "-pa", os.path.join(BEAMS, module))


# ---- README's first program -------------------------------------------------------


def compile_first(folder):
    """The program with which the README begins."""
    with open(os.path.join(LIBRARY, "README.md"), encoding="utf-8") as f:
        text = f.read()
    assert text.index("```erlang\n") == text.index("\n") + 2, "it does not begin with a program"
    with open(os.path.join(folder, "first.erl"), "w", encoding="utf-8") as f:
        f.write(re.search(r"```erlang\n(.*?)```", text, re.S)[1])
    erlc(folder, [os.path.join(folder, "first.erl")], "-Wall", "-Werror")


def compile_packed(folder):
    """The library as it is in the package; where its beams are."""
    packages = glob.glob(os.path.join(BUILD, "erlang", "sctpd-*.tar"))
    if len(packages) != 1:
        raise Skip("the package is not built: make erlang-dist")
    there = os.path.join(folder, "sctpd")
    os.mkdir(there)
    with tarfile.open(packages[0]) as package, tarfile.open(fileobj=package.extractfile("contents.tar.gz")) as contents:
        contents.extractall(there)
    ebin = os.path.join(there, "ebin")
    os.mkdir(ebin)
    erlc(ebin, glob.glob(os.path.join(there, "src", "*.erl")), "-Werror", include=os.path.join(there, "include"))
    shutil.copy(os.path.join(there, "src", "sctpd.app.src"), os.path.join(ebin, "sctpd.app"))
    return ebin


def readmes_first(d, ebin):
    compile_first(d.dir)
    said = subprocess.run(["env", f"SCTPD_SOCKET={d.path}", "erl", "-noshell", "-pa", ebin, "-pa", d.dir, "-eval", "first:main(), halt()."],
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=2 * WAIT * SLOW, check=True).stdout.decode()
    assert re.fullmatch(r"hello on stream 4 from port \d+\n", said), said


def test_the_readme_begins_with_a_program_that_runs(d):
    readmes_first(d, BEAMS)


def test_so_does_it_from_what_is_packed(d):
    readmes_first(d, compile_packed(d.dir))


# ---- the manual's programs ------------------------------------------------------


def plain(text, *ports):
    """What Erlang printed without what differs from run to run."""
    text = re.sub(r",\s+", ",", re.sub(r"\s+", " ", text))
    for port in ports:
        text = text.replace(f",{port},", ",PORT,")
    text = re.sub(r"(any:2006\.) (#Port<[\d.]+>|\{'\$sctpd'.*?\})", r"\1 SOCKET", text)
    text = re.sub(r"(sctp_assoc_change,\w+,\d+,\d+,\d+),\d+", r"\1,ID", text)
    text = re.sub(r"(\{\{127,0,0,1\}, ?)\d+", r"\1PORT", text)
    text = re.sub(r"(sctp_sndrcvinfo,\d+,\d+,\[\],\d+,\d+,\d+),\d+,\d+,\d+", r"\1,TSN,TSN,ID", text)
    text = re.sub(r"AssocId: \d+", "AssocId: ID", text)
    return text.replace("comm_lost,3072,", "comm_lost,12,")  # gen_sctp does not swap it


def server_and_client(d, module):
    """The manual's server and client against each other."""
    with erl_example(d, module, "sctp_server:server()") as server:
        server.expect(r"Listening on any:2006")
        server.listening(2006) if module == "gen_sctp" else listening(d, 2006)
        with erl_example(d, module, 'sctp_client:client("localhost", 2006)') as client:
            said = client.end()
        server.expect(r"comm_lost.*?$")
        return plain(server.output), plain(said)


def listening(d, port):
    c = d.client()
    wait_for(lambda: any(s["port"] == port and s["listening"] for s in c.call("sockets")["sockets"]))
    c.close()


def test_server_and_client(d):
    """They print over sctpd what they print over gen_sctp."""
    over_gen_sctp, over_sctpd = (server_and_client(d, m) for m in ("gen_sctp", "sctpd"))
    assert over_gen_sctp == over_sctpd, (over_gen_sctp, over_sctpd)
    server, client = over_sctpd
    assert "Listening on any:2006. SOCKET" in server and '<<"Test 0">>' in server, server
    assert "comm_up,0,5," in client and "ok {error,einval} ok" in client, client


def two_associations(d, module):
    """ex3, active with two associations at once, against two sockets."""
    c = d.client()
    ports = 2006, 2007
    socks = [c.call("open", port=port, options={"active": True})["sock"] for port in ports]
    for sock in socks:
        c.call("listen", sock=sock)
    with erl_example(d, module, "ex3:client({127,0,0,1},2006,{127,0,0,1},2007)") as client:
        for i, sock in enumerate(socks, 1):
            up = c.event("sctp_assoc_change", sock=sock)
            client.expect(rf"Association {i} connect result")
            c.call("send", sock=sock, assoc_id=up["assoc_id"], stream=0, data=b"hello %d" % i)
            client.expect(rf'Association {i}: received .*"hello {i}"')
        said = plain(client.end())
    c.close()
    return sorted(said.replace("Association", "\nAssociation").splitlines())


def test_two_associations(d):
    over_gen_sctp = two_associations(d, "gen_sctp")
    d.idle()
    over_sctpd = two_associations(d, "sctpd")
    assert over_gen_sctp == over_sctpd, (over_gen_sctp, over_sctpd)
    assert len(over_sctpd) == 5, over_sctpd


# ---- step by step ------------------------------------------------------------


def trace(d, module, inet):
    """What scenario.erl printed, by step."""
    said = printed(d, f"scenario:run({module},{inet})")
    steps = dict(line.split("\t", 1) for line in said.splitlines() if "\t" in line)
    assert "error_string_bad" in steps, said[-3000:]
    return steps


def listed_differences():
    with open(os.path.join(SOURCES, "differences"), encoding="utf-8") as f:
        lines = [line.split(None, 1) for line in f if line.strip() and not line.startswith("#")]
    return {step: row.strip() for step, row in lines}


def test_same_as_gen_sctp(d):
    """Every step has the same result, or the difference is a listed one."""
    over_sctpd = trace(d, "sctpd", "sctpd")
    if SLOW > 1:    # what the daemon makes of it is seen; gen_sctp is not under valgrind
        assert len(over_sctpd) > 250, len(over_sctpd)
        return
    over_gen_sctp = trace(d, "gen_sctp", "inet")
    assert list(over_gen_sctp) == list(over_sctpd), set(over_gen_sctp) ^ set(over_sctpd)
    assert len(over_sctpd) > 250, len(over_sctpd)
    different = {s for s in over_sctpd if over_gen_sctp[s] != over_sctpd[s]}
    listed = listed_differences()
    new = different - set(listed)
    assert not new, "\n".join(f"{s}: {over_gen_sctp[s]} != {over_sctpd[s]}" for s in new)
    assert not set(listed) - different, f"no different: {set(listed) - different}"


def test_differences_are_told(d):
    """The README has a row for each."""
    with open(os.path.join(LIBRARY, "README.md"), encoding="utf-8") as f:
        rows = {line.split("|")[1].strip() for line in f if line.startswith("|")}
    assert set(listed_differences().values()) <= rows


# ---- better than gen_sctp -----------------------------------------------------


def test_better(d):
    said = printed(d, "robust:run()")
    assert said.endswith("done\n") and said.count("ok ") == 25, said


def test_sends_wait_for_what_may_be_refused(d):
    """And for a place in the window; what is refused later comes back."""
    said = printed(d, "robust:sends()")
    assert said.endswith("done\n") and said.count("ok ") == 6, said


def test_modes_change(d):
    """Faster than the daemon answers, and in a flood: each message comes once, in order."""
    said = printed(d, "robust:modes()")
    assert said.endswith("done\n") and said.count("ok ") == 2, said


def test_stopped_node_has_sent(d):
    """What send took is written when the application is stopped."""
    c = d.client()
    server = c.call("open", ip="127.0.0.1", options={"active": True})
    c.call("listen", sock=server["sock"])
    with erl(d, f"robust:sends_and_stops({server['port']})") as program:
        for n in range(1, 101):
            assert c.event("data")["data"] == n.to_bytes(4, "big")
        program.end()
    c.close()


def test_daemon_dies(d):
    """Whoever waits is told, and what comes later too."""
    other = Daemon()
    with erl(other, "robust:daemon_dies()") as program:
        program.expect("ready")
        other.process.kill()
        other.process.wait(WAIT * SLOW)
        said = program.end()
    shutil.rmtree(other.dir)
    assert said == "ready\ndone\n", said


def test_addresses_as_maps(d):
    """Their family counts, and the interface of a link-local one."""
    here = ["dev", "lo"]
    subprocess.run(["ip", "address", "add", "fe80::5d/64", *here, "nodad"], check=True)
    try:
        said = printed(d, f"sockaddr:run({socket.if_nametoindex('lo')})")
    finally:
        subprocess.run(["ip", "address", "delete", "fe80::5d/64", *here], check=True)
    assert said == "done\n", said


def test_keys_are_given_as_maps(d):
    assert printed(d, "keys:run()") == "done\n"


def test_messages_have_parameters_and_times(d):
    said = printed(d, "parameters:run()")
    assert said == "done\n", said


def test_connect_whose_caller_is_killed(d):
    with round_trip(600):
        said = printed(d, "robust:connecting_caller_is_killed()")
    assert said == "done\n", said


def test_manners(d):
    """Who is told of an end and who is not, and owners that are slow."""
    said = printed(d, "manners:run()")
    assert said.endswith("done\n") and said.count("ok ") == 10, said


def test_adopt(d):
    """A node is killed, and another one takes its socket over, with what came meanwhile."""
    peer = d.client()
    sock = peer.call("open", ip="127.0.0.1")["sock"]
    with erl(d, "manners:holds()") as program:
        handle, port = map(int, program.expect(r"(\d+) (\d+)\n").groups())
        up = peer.call("connect", sock=sock, addr="127.0.0.1", port=port)
        peer.call("send", sock=sock, assoc_id=up["assoc_id"], stream=2, data=b"first")
        program.expect("first")
        assert "it can give the socket away" in printed(d, f"manners:not_adopted({handle})")
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait(WAIT * SLOW)
    peer.call("send", sock=sock, assoc_id=up["assoc_id"], stream=2, data=b"second")
    with erl(d, f"manners:adopts({handle})") as heir:
        heir.expect("answered")
        got = peer.call("recv", sock=sock, timeout=10000)
        while got["event"] != "data":
            got = peer.call("recv", sock=sock, timeout=10000)
        assert (got["data"], got["sctp_sndrcvinfo"]["stream"]) == (b"third", 2), got
        peer.call("eof", sock=sock, assoc_id=up["assoc_id"])
        said = heir.end()
        assert said == "answered\ndone\n", said
    peer.close()


# ---- a peer that takes nothing -----------------------------------------------------


def test_stuck(d):
    """It stops what is sent to it, and no other call, nor the end of the socket."""
    said = printed(d, "stuck:run()")
    print("        " + said.replace("\n", "; "))
    assert said.endswith("done\n") and said.count("ok ") == 16, said


def test_daemon_dies_while_sends_wait(d):
    """Each sender is told."""
    other = Daemon()
    with erl(other, "stuck:daemon_dies()") as program:
        program.expect("ready")
        other.process.kill()
        other.process.wait(WAIT * SLOW)
        said = program.end()
    shutil.rmtree(other.dir)
    assert said == "ready\ndone\n", said


# ---- what was written for gen_sctp ------------------------------------------------


def test_diameter(d):
    """OTP's Diameter, whose transport has its calls of gen_sctp renamed: capabilities are exchanged,
    requests are answered, and the end of a peer is seen."""
    if not DIAMETER:
        raise Skip("erlang-diameter is not installed: run tests/deps.sh check")
    there = os.path.join(BEAMS, "diameter")
    os.makedirs(there)
    assert printed(d, f'diameters:over("{there}")') == ""
    with erl(d, "diameters:run()", "-pa", there) as program:
        said = program.end()
    assert said == "up\nanswered 400\ndone\n", said


# ---- groups ---------------------------------------------------------------------


def test_groups(d):
    """Members that acknowledge, leave, drain and die, and pools of workers that do."""
    said = printed(d, "pool:run()")
    assert said.endswith("done\n") and said.count("ok ") == 8, said


# ---- the daemon is killed, and started again ---------------------------------------


def kill_every_second(d, seconds):
    """Gives how often."""
    end, kills = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        old = d.child()
        os.kill(old, signal.SIGKILL)
        kills += 1
        d.next_child(old)
        time.sleep(1)
    return kills


def test_daemon_is_killed_every_second(_):
    """Echoes of numbered messages in every mode notice nothing but a pause. ERLANG_KILLS has
    the seconds that it takes."""
    seconds = int(os.environ.get("ERLANG_KILLS", "6"))
    other = Kept(log_level="notice")
    with erl(other, f"kills:run({seconds})") as program:
        program.expect("ready")
        kills = kill_every_second(other, seconds)
        for n in range(1, 6):
            program.expect(rf"(?:over \d+\n.*?){{{n}}}")
        said = program.end()
    other.stop()
    counts = re.search(r"\[([\d,]+)\]\s+done\n$", said)
    assert counts and all(int(n) > 0 for n in counts[1].split(",")), said
    print(f"        killed {kills} times; echoes, and associations that came and went: {counts[1]}", flush=True)
