"""A socket that listens and one that connects to it, through sctpd."""
import itertools
import os
import socket
import sys

import msgpack

sctpd = socket.socket(socket.AF_UNIX)
sctpd.connect(os.environ.get("SCTPD_SOCKET", "/run/sctpd/sctpd.sock"))
messages = msgpack.Unpacker()
number = itertools.count()


def read(kind):  # the next message: 1 is a response, 2 an event
    while True:
        for message in messages:
            if message[0] == kind:
                return message
        messages.feed(sctpd.recv(65536))


def call(method, **arguments):
    sctpd.sendall(msgpack.packb([0, next(number), method, [arguments]]))
    _, _, error, result = read(1)
    return result if error is None else sys.exit(error)


server = call("open", ip="127.0.0.1")
call("listen", sock=server["sock"])
client = call("open", options={"sctp_initmsg": {"num_ostreams": 5}})
assoc = call("connect", sock=client["sock"], addr="127.0.0.1", port=server["port"])
print("connected, streams:", assoc["outbound_streams"])
call("send", sock=client["sock"], assoc_id=assoc["assoc_id"], stream=4, data=b"hello")
print("passive:", call("recv", sock=server["sock"])["state"])
print("passive:", call("recv", sock=server["sock"], timeout=5000)["data"])
call("setopts", sock=server["sock"], options={"active": "once"})
call("send", sock=client["sock"], assoc_id=assoc["assoc_id"], stream=0, data=b"world")
_, event, [fields] = read(2)
print("active once:", event, fields["data"], "from port", fields["from"]["port"])
