# SPDX-License-Identifier: BSD-2-Clause
"""A gNB that counts: gnb.py NUMBER RATE sends NG Setup, then so many InitialUEMessages a second until it is
told to end (SIGTERM). Each has a RAN-UE-NGAP-ID of its own, and must be answered once, in order."""
import os
import select
import signal
import socket
import sys
import time

from msgpack import Unpacker, packb

import ngap

gnb, rate = int(sys.argv[1]), float(sys.argv[2])
sctpd = socket.socket(socket.AF_UNIX)
sctpd.connect(os.environ.get("SCTPD_SOCKET", "/run/sctpd/sctpd.sock"))
messages = Unpacker()
waiting = []  # answers that came, in order


def tell(*words):
    print(f"gnb-{gnb}:", *words, flush=True)


def call(method, **arguments):
    sctpd.sendall(packb([0, 1, method, [arguments]]))
    while True:
        for message in messages:
            if message[0] == 1:
                return message[3] if message[2] is None else sys.exit(message[2])
            waiting.append(message)
        messages.feed(sctpd.recv(65536) or sys.exit("sctpd is gone"))


def send(message, stream):
    info = {"assoc_id": assoc_id, "stream": stream, "ppid": ngap.PPID}
    sctpd.sendall(packb([2, "send", [{"sock": sock, "sctp_sndrcvinfo": info, "data": message}]]))


def hear(seconds):  # the messages that come meanwhile
    if not waiting and select.select([sctpd], [], [], max(0, seconds))[0]:
        messages.feed(sctpd.recv(65536) or sys.exit("sctpd is gone"))
    waiting.extend(messages)
    while waiting:
        _, event, [fields] = waiting.pop(0)
        if event == "data":
            yield fields["data"]
        elif event != "sctp_assoc_change" or fields["state"] != "comm_up":
            sys.exit(f"gnb-{gnb}: {event}: {fields}")


call("hello", name=f"gnb-{gnb}")
sock = call("open", ip="127.0.0.1", options={"active": True})["sock"]
assoc_id = call("connect", sock=sock, addr="127.0.0.1", port=ngap.PORT, timeout=5000)["assoc_id"]
send(ngap.ng_setup_request(gnb), 0)
while not any(message[1] == ngap.NG_SETUP for message in hear(1)):
    pass
tell("NG Setup is done")

ending = []
for number in signal.SIGTERM, signal.SIGINT:
    signal.signal(number, lambda *_: ending.append(time.monotonic()))
sent, answered, amf, last, longest, disorder = {}, {}, None, 0, 0, 0
due = time.monotonic()
while not ending or (len(answered) < len(sent) and time.monotonic() < max(ending) + 5):
    if not ending and time.monotonic() >= due:
        ue = len(sent) + 1
        sent[ue] = time.monotonic()
        send(ngap.initial_ue_message(ue), 1)
        due += 1 / rate
    for message in hear(0.1 if ending else due - time.monotonic()):
        ies = ngap.ies(message)
        ue, by = ngap.number(ies[ngap.RAN_UE_NGAP_ID]), ngap.number(ies[ngap.AMF_UE_NGAP_ID])
        answered[ue] = answered.get(ue, 0) + 1
        if ending:
            ending.append(time.monotonic())  # as long as answers come, more may
        disorder += ue <= last
        last, longest = ue, max(longest, time.monotonic() - sent[ue])
        if (by >> 32, by >> 24 & 255) != amf:
            amf = by >> 32, by >> 24 & 255
            tell("UE %d is answered by amf-%d version %d" % (ue, *amf))
tell("%d sent, %d lost, %d doubled, %d out of order, longest wait %d ms" %
     (len(sent), len(sent) - len(answered), sum(answered.values()) - len(answered), disorder, longest * 1000))
