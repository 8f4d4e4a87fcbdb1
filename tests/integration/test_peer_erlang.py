# SPDX-License-Identifier: BSD-2-Clause
"""Erlang's own gen_sctp as the peer: the programs of its manual's example,
each in turn with sctpd in the other's place."""
import os
import re
import shutil

from beams import SOURCES, erlc
from harness import SCRATCH, SLOW, Daemon, Skip
from hosts import Program
from rpc import WAIT, RpcError

BEAMS = os.path.join(SCRATCH, "peer-erlang")

# The programs are compiled as they stand in the manual, but for this: the
# client need not wait ten seconds twice, and ex3 calls what the manual says
# that it shows. (With connect, which does not answer ok, it fails at once.)
CHANGES = {
    "sctp_server": (),
    "sctp_client": (("timer:sleep(10000)", "timer:sleep(100)"),),
    "ex3": (("gen_sctp:connect(", "gen_sctp:connect_init("),),
}


def compile_erlang():
    os.makedirs(BEAMS)
    for name, changes in CHANGES.items():
        with open(os.path.join(SOURCES, name + ".erl"), encoding="utf-8") as f:
            text = f.read()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        with open(os.path.join(BEAMS, name + ".erl"), "w", encoding="utf-8") as f:
            f.write(text)
    erlc(BEAMS, [os.path.join(BEAMS, name + ".erl") for name in CHANGES])


def start():
    """Compile the programs first."""
    if not shutil.which("erlc"):
        raise Skip("erlang-base is not installed: run tests/deps.sh check")
    compile_erlang()
    return Daemon()


def erl(*args):
    return Program("erl", "-noshell", "-pa", BEAMS, *args)


def refused(c, **send):
    try:
        c.call("send", **send)
    except RpcError as e:
        return str(e)
    raise AssertionError("it was sent")


def test_server(d):
    """The manual's client, played by sctpd, and its server by Erlang."""
    c = d.client()
    with erl("-run", "sctp_server", "server") as server:
        server.expect(r"Listening on any:2006")
        server.listening(2006)
        here = c.call("open")
        up = c.call("connect", sock=here["sock"], addr="127.0.0.1", port=2006,
                    options={"sctp_initmsg": {"num_ostreams": 5}}, timeout=WAIT * SLOW * 1000)
        assert (up["state"], up["error"], up["outbound_streams"]) == ("comm_up", 0, 5), up
        to = {"sock": here["sock"], "assoc_id": up["assoc_id"]}
        c.call("send", **to, stream=0, data=b"Test 0")
        assert refused(c, **to, stream=5, data=b"Test 5") == \
            "einval: stream 5: the association has streams 0 to 4"
        c.call("send", sock=here["sock"], data=b"last", sctp_sndrcvinfo={
            "assoc_id": up["assoc_id"], "stream": 4, "ppid": 99, "flags": ["unordered"]})
        server.expect(r'<<"last">>')
        c.call("abort", **to)
        said = server.expect(r"Received.*comm_lost.*?$")[0]
    said = re.sub(r"\s", "", said).replace(f"{{127,0,0,1}},{here['port']}", "PEER")
    for got, want in zip(said.split("Received:")[1:], (
            r"{ok,{PEER,\[],{sctp_assoc_change,comm_up,0,\d+,5,\d+}}}",
            r"{ok,{PEER,\[{sctp_sndrcvinfo,0,0,\[],0,0,0,\d+,0,\d+}],<<\"Test0\">>}}",
            r"{ok,{PEER,\[{sctp_sndrcvinfo,4,0,\[unordered],99,0,0,\d+,\d+,\d+}],<<\"last\">>}}",
            r"{ok,{PEER,\[],{sctp_assoc_change,comm_lost,\d+,0,0,\d+}}}"), strict=True):
        assert re.fullmatch(want, got), (want, got)


def test_client(d):
    """The manual's server, played by sctpd, and its client by Erlang."""
    c = d.client()
    sock = c.call("open", port=2006, options={"recbuf": 65536})["sock"]
    c.call("listen", sock=sock)
    with erl("-run", "sctp_client", "client", "127.0.0.1", "2006") as client:
        up, data, lost = (c.call("recv", sock=sock, timeout=WAIT * SLOW * 1000) for _ in range(3))
        said = client.end()
    assert re.fullmatch(r"Connection Successful, Assoc={sctp_assoc_change,comm_up,0,5,\d+,\d+}\n"
                        r"ok\n{error,einval}\nok\n*", said), said
    assert (up["event"], up["state"], up["error"]) == ("sctp_assoc_change", "comm_up", 0), up
    assert up["inbound_streams"] == 5, up
    assert (data["event"], data["data"], data["from"]) == ("data", b"Test 0", up["from"]), data
    assert data["sctp_sndrcvinfo"]["assoc_id"] == up["assoc_id"], data
    assert "stream" not in data["sctp_sndrcvinfo"], data    # zero is left out
    assert (lost["event"], lost["state"]) == ("sctp_assoc_change", "comm_lost"), lost
    assert lost["assoc_id"] == up["assoc_id"], lost
    assert c.call("error_string", error=lost["error"])["text"] == "User Initiated Abort", lost


def test_connect_init(d):
    """ex3, Erlang in active mode with two associations at once."""
    c = d.client()
    ports = 2006, 2007
    socks = [c.call("open", port=port, options={"active": True})["sock"] for port in ports]
    for sock in socks:
        c.call("listen", sock=sock)
    with erl("-eval", "ex3:client({127,0,0,1},2006,{127,0,0,1},2007)") as client:
        client.expect(r"Connections initiated")
        for i, sock in enumerate(socks, 1):
            up = c.event("sctp_assoc_change", sock=sock)
            assert (up["state"], up["inbound_streams"]) == ("comm_up", 5), up
            client.expect(rf"Association {i} connect result: comm_up. AssocId: \d+$")
            c.call("send", sock=sock, assoc_id=up["assoc_id"], stream=0, data=b"hello %d" % i)
            client.expect(rf'Association {i}: received .*<<"hello {i}">>')
