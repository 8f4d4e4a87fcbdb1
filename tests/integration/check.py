# SPDX-License-Identifier: BSD-2-Clause
"""What the stories share: refusals, options, waiting messages, dead ends."""
import contextlib
import functools
import os
import subprocess

from rpc import WAIT, RpcError

WAIT_MS = WAIT * 500  # so that its end is an answer
MORE = 8  # that wait for certain, after fill
CPU_TICKS = os.sysconf("SC_CLK_TCK")


def refusal(c, method, **args):
    """The error string with which this call fails."""
    try:
        result = c.call(method, **args)
    except RpcError as e:
        return str(e)
    raise AssertionError(f"{method} {str(args)[:300]} succeeded: {result}")


def code(c, method, **args):
    """The same, but its code alone."""
    return refusal(c, method, **args).split(":", 1)[0]


def answer_code(c, msgid):
    """The code with which an earlier request fails."""
    try:
        result = c.answer(msgid)
    except RpcError as e:
        return e.code
    raise AssertionError(f"request {msgid} succeeded: {result}")


def option(c, sock, name, **key):
    """The value of one option."""
    got = c.call("getopts", sock=sock, options=[[name, key] if key else name])["options"]
    assert len(got) == 1 and got[0][0] == name, got
    return got[0][1]


def setopt(c, sock, **options):
    c.call("setopts", sock=sock, options=options)


def send(c, sock, assoc_id, data, stream=0):
    c.call("send", sock=sock, assoc_id=assoc_id, stream=stream, data=data)


def recv(c, of, event=None, **want):
    """The next message or event of a passive socket, which must be this one."""
    got = c.call("recv", sock=of, timeout=WAIT_MS)
    assert event is None or got["event"] == event, got
    assert all(got.get(k) == v for k, v in want.items()), got
    return got


def recv_data(c, sock):
    return recv(c, sock, "data")["data"]


def nothing(c, sock):
    """No message and no event waits."""
    return code(c, "recv", sock=sock, timeout=0) == "timeout"


def answered(c, msgid):
    """Has this request been answered by now?"""
    c.call("status")
    return msgid in c.answers


def fill(c, here, here_id, size=100000):
    """Send until one finds no room, and some more; gives the messages, and the
    requests. The stack takes some of those that wait now and then."""
    sent, ids = [], []
    while len(ids) < MORE or answered(c, ids[-MORE]):
        sent.append(len(sent).to_bytes(4, "big") * (size // 4))
        ids.append(c.request("send", sock=here, assoc_id=here_id, data=sent[-1]))
    return sent, ids


def only(events, **want):
    """The one of a list of maps that has these fields."""
    found = [e for e in events if all(e.get(k) == v for k, v in want.items())]
    assert len(found) == 1, (want, events)
    return found[0]


def cpu_seconds(daemon):
    """What the daemon has used of the processor."""
    with open(f"/proc/{daemon.process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CPU_TICKS


def allow_interleaving(value="1"):
    """The sysctl that sctp_interleaving_supported needs, where the kernel has it."""
    with contextlib.suppress(FileNotFoundError), open("/proc/sys/net/sctp/intl_enable", "w", encoding="ascii") as f:
        f.write(value)


HOLE = """\
link add hole type veth peer name hole1
addr add 198.51.100.2/24 dev hole
link set hole up
link set hole1 up
neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev hole
"""


@functools.cache
def blackhole():
    """An address that never answers; for sockets bound to any address."""
    subprocess.run(["ip", "-batch", "-"], input=HOLE, text=True, check=True)
    return "198.51.100.1"
