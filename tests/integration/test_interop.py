# SPDX-License-Identifier: BSD-2-Clause
"""The userland stack on one host and the kernel's, with UDP, on the other:
driven by sctpd on both, by lksctp's sctp_test, and by Erlang's gen_sctp."""
import os
import re
import shutil
import subprocess

from harness import STACK, Skip, wait_for
from hosts import LEFT, RIGHT, Hosts, Program
from rpc import WAIT
from test_wire import MANY, both_ways

UDP = "9899"
SIZES = [1, 1000, 2000, 3000, 5000, 10000, 15000, 20000, 25000, 32768]  # of sctp_test -c 4


class Mixed(Hosts):
    """The userland stack at the left."""

    def __init__(self):
        if STACK != "kernel":
            raise Skip("both stacks are needed")
        super().__init__()
        for setting in ("udp_port", "encap_port"):
            subprocess.run(["ip", "netns", "exec", "right", "sh", "-c",
                            f"echo {UDP} >/proc/sys/net/sctp/{setting}"], check=True)
        # The kernel would leave packets of several to devices that are none.
        for dev in ("net1", "net2"):
            subprocess.run(["ip", "-netns", "right", "link", "set", dev, "gso_max_size", "1500"],
                           check=True)
        self.left.stop()
        self.left = type(self.left)(netns="left", stack="userland")


start = Mixed


def test_both_daemons(h):
    assert h.left.client().call("status")["stack"] == "userland"
    assert h.right.client().call("status")["stack"] == "kernel"
    both_ways(h, MANY, 900)


def test_sctp_test_sends(h):
    c = h.left.client()
    sock = c.call("open", ip=LEFT[0], port=2006, options={"active": True})["sock"]
    c.call("listen", sock=sock)
    turns = MANY // len(SIZES) // 10
    with Program("sh", "-c", f"exec sctp_test -H {RIGHT[0]} -P 2005 -h {LEFT[0]} -p 2006 -s "
                 f"-c 4 -x {turns} >/dev/null 2>&1", netns="right"):
        got = [len(c.event("data", sock=sock)["data"]) for _ in range(10 * turns)]
        assert got == SIZES * turns


def printed(path):
    """How many bytes it says that it was given."""
    with open(path, encoding="utf-8") as f:
        return sum(int(n) for n in re.findall(r"Data (\d+) bytes", f.read()))


def test_sctp_test_receives(h):
    """It prints the length of each message that it was given."""
    c = h.left.client()
    said = os.path.join(h.left.dir, "sctp_test")
    with Program("sh", "-c", f"exec sctp_test -H {RIGHT[0]} -P 2007 -l >{said} 2>&1",
                 netns="right") as peer:
        peer.listening(2007)
        sock = c.call("open", ip=LEFT[0])["sock"]
        up = c.call("connect", sock=sock, addr=RIGHT[0], port=2007, timeout=WAIT * 1000)
        for n in range(1000):
            c.call("send", sock=sock, assoc_id=up["assoc_id"], data=bytes(SIZES[n % 10]))
        c.call("eof", sock=sock, assoc_id=up["assoc_id"])
        while c.call("recv", sock=sock, timeout=WAIT * 1000).get("state") != "shutdown_comp":
            pass
        wait_for(lambda: printed(said) == sum(SIZES) * 100)


ECHO = """
{ok, S} = gen_sctp:open([{ip, {10,0,1,2}}, {port, 2008}, {recbuf, 65536}, {active, true}]),
ok = gen_sctp:listen(S, true),
io:format("listening~n"),
F = fun(F) -> receive
    {sctp, S, _, _, {[I], B}} when is_binary(B) ->
        ok = gen_sctp:send(S, element(10, I), 0, B), F(F);
    {sctp, S, _, _, {_, {sctp_shutdown_event, _}}} -> io:format("over~n");
    _ -> F(F) end end,
F(F), halt().
"""


def test_gen_sctp_echoes(h):
    if not shutil.which("erl"):
        raise Skip("erlang-base is not installed: run tests/deps.sh check")
    c = h.left.client()
    program = re.sub(r"\s+", " ", ECHO)
    with Program("erl", "-noshell", "-eval", program, netns="right") as peer:
        peer.expect("listening")
        sock = c.call("open", ip=LEFT[0])["sock"]
        up = c.call("connect", sock=sock, addr=RIGHT[0], port=2008, timeout=WAIT * 1000)
        c.call("setopts", sock=sock, options={"active": True})
        for n in range(2000):
            data = n.to_bytes(4, "big") * (1 + n * 37 % 500)
            c.call("send", sock=sock, assoc_id=up["assoc_id"], data=data)
            assert c.event("data", sock=sock)["data"] == data
        c.call("eof", sock=sock, assoc_id=up["assoc_id"])
        peer.expect("over")
