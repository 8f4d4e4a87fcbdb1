#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Answers what peers send: nats_consumer.py HOST PARTITIONS PORT...: for tests that kill it.

It pulls from all partitions, with a connection each, and others like it may do so as well. The
answer has an id that follows from that of the message, so JetStream refuses it if it has it."""
import os
import sys
import threading
import types

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from nats import Nats  # noqa: E402


def take(n, stream, part):
    """(subject, reply, headers, data) of the next message of a partition, or None."""
    inbox = f"{n.inbox}.{next(n.ids)}"
    n.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.part-{part}", b'{"batch":1,"expires":1000000000}', inbox)
    while True:
        subject, reply, head, body = n.receive()
        if subject == inbox or reply and reply.startswith("$JS.ACK."):
            return None if "Status" in head else (subject, reply, head, body)


def work(host, part, servers):
    n = Nats(*servers)
    while True:
        try:
            if n.sock is None:
                n.connect()
            got = take(n, f"sctp-{host}-in", part)
            if got is None:
                continue
            subject, reply, head, body = got
            words = subject.split(".")
            if len(words) == 7:
                n.put(f"sctp.{host}.out.{words[3]}.{words[5]}.{words[6]}", b"re:" + body,
                      {"Nats-Msg-Id": "re-" + head["Nats-Msg-Id"], "Sctp-Ppid": head["Sctp-Ppid"]})
            n.publish(reply, b"+ACK")
        except (OSError, AssertionError):
            n.close()


def main():
    host, parts, *ports = sys.argv[1:]
    servers = [types.SimpleNamespace(port=int(p)) for p in ports]
    for part in range(int(parts)):
        threading.Thread(target=work, args=(host, part, servers[part % len(servers):] + servers[:part % len(servers)])).start()


if __name__ == "__main__":
    main()
