# SPDX-License-Identifier: BSD-2-Clause
"""A member of a group by proto/README.md, with python3-msgpack alone: it sends each message
back with its own name, whatever happens to sctpd, until it has heard "end" and was drained.

member.py SOCKET make GROUP: opens a socket, makes the group, and prints the port
member.py SOCKET work GROUP NAME"""
import socket
import sys
from contextlib import suppress

from msgpack import Unpacker, packb

path, what_to_do, group, *name = sys.argv[1:]
numbers = iter(range(1, 1 << 32))
token, seq, unanswered, mine = True, 0, {}, set()


def connect():
    global sctpd, messages, hello
    sctpd, messages, hello = socket.socket(socket.AF_UNIX), Unpacker(), next(numbers)
    sctpd.connect(path)
    say(packb([0, hello, "hello", [{"resume": token, "seq": seq, "name": "".join(name)}]]))


def say(data):
    with suppress(OSError):  # hear() will see it, too
        sctpd.sendall(data)


def pack(method, **arguments):
    msgid = next(numbers)
    unanswered[msgid] = packb([0, msgid, method, [arguments]])
    return unanswered[msgid]


def ack():
    return packb([2, "ack", [{"seq": seq}]])


def hear():
    """The next message. A request that is not answered yet is said again after a break."""
    global token, seq, hello
    while True:
        for kind, what, *rest in messages:
            if kind == 2:
                seq = rest[0][0]["seq"]
                return what, rest[0][0]
            seq += 1
            if what == hello:
                if rest[0]:  # the session has ended: begin another, and join again
                    token, seq = True, 0
                    unanswered.clear()
                    pack("join", name=group)
                    connect()
                    break
                token, seq, hello = rest[1]["resume"], rest[1]["seq"], None
                say(b"".join(unanswered.values()))
            elif unanswered.pop(what, None):
                return rest[0] or "done", rest[1]
        data = b""
        with suppress(OSError):
            data = sctpd.recv(65536)
        messages.feed(data) if data else connect()


def call(method, **arguments):
    say(pack(method, **arguments))
    while True:
        what, result = hear()
        if result is None or what == "done":
            return result if result is not None else sys.exit(what)


connect()
if what_to_do == "make":
    made = call("open", ip="127.0.0.1", options={"active": True})
    call("group", sock=made["sock"], name=group)
    call("listen", sock=made["sock"])
    print(made["port"])
    sys.exit()

say(pack("join", name=group))
draining = False
while True:
    what, fields = hear()
    if what == "assigned":
        mine.add(fields["sock"])
    elif what == "unassigned":
        mine.discard(fields["sock"])
    elif what == "left":
        mine.clear()
        say(pack("join", name=group))
    elif what == "data":
        answer = fields["data"] + b" " + name[0].encode()
        say(pack("send", sock=fields["sock"], data=answer) + ack())  # in one write: both or neither
        if fields["data"] == b"end":
            draining = True
            say(pack("drain_member", name=group))
        continue
    elif what != "done" and fields is None:
        sys.exit(what)
    say(ack())
    if draining and not mine:
        break
