"""A socket that sends each message back, whatever happens to sctpd."""
import socket
import sys
from contextlib import suppress

from msgpack import Unpacker, packb

numbers = iter(range(1, 1 << 32))
token, seq, unanswered = True, 0, {}  # our requests, by msgid


def connect():
    global sctpd, messages, hello
    sctpd, messages, hello = socket.socket(socket.AF_UNIX), Unpacker(), next(numbers)
    sctpd.connect(sys.argv[1] if len(sys.argv) > 1 else "/run/sctpd/sctpd.sock")
    say(packb([0, hello, "hello", [{"resume": token, "seq": seq}]]))


def say(message):
    with suppress(OSError):  # hear() will see it, too
        sctpd.sendall(message)


def request(method, **arguments):
    msgid = next(numbers)
    unanswered[msgid] = packb([0, msgid, method, [arguments]])
    if hello is None:  # or else it is said when hello is answered
        say(unanswered[msgid])


def hear():  # the next message; those before it have been handled
    global token, seq, hello
    while True:
        for kind, what, *rest in messages:
            assert kind == 2 or rest[0] is None, rest[0]
            fields = rest[0][0] if kind == 2 else rest[1]
            seq = fields["seq"] if kind == 2 else seq + 1
            if kind == 2 or unanswered.pop(what, None):
                return what, fields
            if what == hello:  # all that was missing has come before it
                token, seq, hello = fields["resume"], fields["seq"], None
                say(b"".join(unanswered.values()))
        if hello is None:
            say(packb([2, "ack", [{"seq": seq}]]))
        data = b""
        with suppress(OSError):
            data = sctpd.recv(65536)
        messages.feed(data) if data else connect()


connect()
request("open", ip="127.0.0.1", options={"active": True})
_, server = hear()
request("listen", sock=server["sock"])
hear()
print(server["port"], flush=True)
while True:
    what, fields = hear()
    if what == "data":
        request("send", sock=server["sock"], assoc_id=fields["sctp_sndrcvinfo"]["assoc_id"], data=fields["data"])
