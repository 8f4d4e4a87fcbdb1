# SPDX-License-Identifier: BSD-2-Clause
"""An AMF-like worker, one of several behind one N2 endpoint: amf.py WORKER VERSION"""
import os
import socket
import sys

from msgpack import Unpacker, packb

import ngap

worker, version = int(sys.argv[1]), int(sys.argv[2])
sctpd = socket.socket(socket.AF_UNIX)
sctpd.connect(os.environ.get("SCTPD_SOCKET", "/run/sctpd/sctpd.sock"))
messages = Unpacker()


def say(*frames):  # in one write: if this process is killed, sctpd has all of them or none
    sctpd.sendall(b"".join(map(packb, frames)))


def hear():
    while True:
        for message in messages:
            return message
        messages.feed(sctpd.recv(65536) or sys.exit("sctpd is gone"))


def answers(message):  # what a gNB gets for an NGAP message
    if message[1] == ngap.NG_SETUP:
        yield ngap.ng_setup_response()
    if message[1] == ngap.INITIAL_UE_MESSAGE:
        ue = ngap.number(ngap.ies(message)[ngap.RAN_UE_NGAP_ID])
        # An AMF-UE-NGAP-ID tells who gave it: 8 bits of worker, 8 of version, 24 of UE.
        yield ngap.downlink_nas_transport(worker << 32 | version << 24 | ue, ue)


say([0, 1, "hello", [{"name": f"amf-{worker}", "resume": True}]])  # a session: it can acknowledge
assert hear()[2] is None
print("joining", flush=True)
say([0, 2, "join", [{"name": "n2"}]])
while True:
    kind, what, *rest = hear()
    if kind == 1:  # the answer to join; events may come before it
        if rest[0] is not None:
            sys.exit(rest[0])
        continue
    [event], replies = rest[0], []
    if what == "data":
        info = event["sctp_sndrcvinfo"]
        info = {"assoc_id": info["assoc_id"], "stream": info.get("stream", 0), "ppid": ngap.PPID}
        replies = [[2, "send", [{"sock": event["sock"], "sctp_sndrcvinfo": info, "data": data}]]
                   for data in answers(event["data"])]
    elif what in ("assigned", "unassigned"):
        print(what, "socket", event["sock"], flush=True)
    elif what == "error":
        print(event["error"], flush=True)
    say(*replies, [2, "ack", [{"seq": event["seq"]}]])
