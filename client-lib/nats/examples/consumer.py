#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Takes a partition and sends each message back, on its stream and with its PPID.
It needs nothing but Python: NATS is lines of text on a socket.

consumer.py 127.0.0.1:4222 HOST PARTITION"""
import itertools
import json
import os
import socket
import sys
import time


EXPIRES = 10  # seconds after which JetStream says that nothing came


class Nats:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        # The server that would say so may have died, and the one that we are connected to lives: so it is not waited for any longer.
        self.sock = socket.create_connection((host, int(port)), timeout=2 * EXPIRES)
        self.lines, self.ids = self.sock.makefile("rb"), itertools.count()
        self.inbox = "_INBOX." + os.urandom(8).hex()
        self.sock.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB %s.* 1\r\n' % self.inbox.encode())

    def publish(self, subject, data=b"", reply="", headers=()):
        block = b"".join([b"NATS/1.0\r\n", *(f"{k}: {v}\r\n".encode() for k, v in headers), b"\r\n"]) if headers else b""
        sizes = f"{len(block)} {len(block + data)}" if block else len(data)
        self.sock.sendall(f"{'H' * bool(block)}PUB {subject} {reply} {sizes}\r\n".encode() + block + data + b"\r\n")

    def receive(self):
        """(subject, reply, first line of the headers, headers, data) of the next message."""
        while True:
            words = self.lines.readline().decode().split()
            if not words:
                sys.exit("the server closed the connection")
            if words[0] == "PING":
                self.sock.sendall(b"PONG\r\n")
            elif words[0] == "-ERR":
                sys.exit(" ".join(words))
            elif words[0] in ("MSG", "HMSG"):
                body = self.lines.read(int(words[-1]) + 2)[:-2]
                size = int(words[-2]) if words[0] == "HMSG" else 0
                first, *rest = body[:size].decode().split("\r\n")
                reply = words[3] if len(words) == (6 if size else 5) else None
                return words[1], reply, first, dict(line.split(": ", 1) for line in rest if line), body[size:]

    def ask(self, subject, data=b"", headers=()):
        """The message that answers; what else comes meanwhile is not ours to wait for."""
        reply = f"{self.inbox}.{next(self.ids)}"
        self.publish(subject, data, reply, headers)
        while True:
            got = self.receive()
            if got[0] == reply or got[1] and got[1].startswith("$JS.ACK."):
                return got


def store(nats, subject, data, headers):
    """Publish to a stream; when this returns the message is in it, or was already."""
    while True:
        answer = json.loads(nats.ask(subject, data, headers)[4])
        if "error" in answer:
            sys.exit(f"{subject}: {answer['error']['description']}")
        if answer["seq"] != 0:
            return
        time.sleep(0.1)  # one with this id is under way, and may come to nothing


def work(nats, host, part):
    # JetStream answers nothing to who pulls from a consumer that is not there.
    answer = json.loads(nats.ask(f"$JS.API.CONSUMER.INFO.sctp-{host}-in.part-{part}")[4] or b"{}")
    if answer.get("error", {}).get("code") == 404:
        sys.exit(f"consumer part-{part} of the stream sctp-{host}-in: {answer['error']['description']}; "
                 "are host, partition and part_consumers = yes in the configuration of sctpd-nats?")
    while True:
        subject, ack, first, headers, data = nats.ask(
            f"$JS.API.CONSUMER.MSG.NEXT.sctp-{host}-in.part-{part}", b'{"batch":1,"expires":%d}' % (EXPIRES * 10**9))
        if ack is None:  # nothing came, or the consumer was removed meanwhile: first says which
            if "408" not in first:
                sys.exit(first)
            continue
        words = subject.split(".")  # sctp.HOST.in.ENDPOINT.PART.ASSOC.STREAM
        if len(words) == 7:
            # The answer's id follows from the message's: if this dies before the acknowledgement, the second answer is refused.
            store(nats, f"sctp.{host}.out.{words[3]}.{words[5]}.{words[6]}", data,
                  [("Nats-Msg-Id", "answer-" + headers["Nats-Msg-Id"]), ("Sctp-Ppid", headers["Sctp-Ppid"])])
        nats.publish(ack, b"+ACK")


def main():
    if len(sys.argv) != 4 or "//" in sys.argv[1] or ":" not in sys.argv[1]:
        sys.exit("usage: consumer.py ADDRESS:PORT HOST PARTITION")
    address, host, part = sys.argv[1:]
    while True:
        try:
            work(Nats(address), host, part)
        except TimeoutError:
            print("no answer; connecting again", file=sys.stderr)
        except OSError as e:
            sys.exit(f"{address}: {e}")


if __name__ == "__main__":
    main()
