# SPDX-License-Identifier: BSD-2-Clause
"""Runs of messages, and after each of them silence until all have arrived, while
the daemon is killed at the places of fault.h. What the kernel keeps back of a
bundle (see daemon/kernel/send.c) would not arrive: nothing follows that sends it.

BURSTS_MESSAGES (1000000), BURSTS_SEED. The peer is a socket of the kernel's own."""
import collections
import os
import random
import select
import sys
import time

import msgpack

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from test_survive import Faulty, plain_peer  # noqa: E402
from through import LOST, Session  # noqa: E402

MESSAGES = int(os.environ.get("BURSTS_MESSAGES") or 1000000)
SEED = int(os.environ.get("BURSTS_SEED") or time.time())
PLACES = ("bundle", "sendmmsg", "uncommitted", "committed", "applied", "written")
SOON = 1  # seconds without a message, while the daemon is there, after which it is stuck
RUN = 64  # messages, at most
KILL_EVERY = 25  # runs
TOLD_EVERY = 5  # seconds


class Bursts(Session):
    def burst(self, calls):
        """Requests and notifications (is it one, arguments), written at once."""
        out = []
        for notification, args in calls:
            if notification:
                self.said += 1
                out.append(msgpack.packb([2, "send", [args]]))
                self.unheard.append((self.said, self.msgid, out[-1]))
            else:
                self.msgid += 1
                out.append(msgpack.packb([0, self.msgid, "send", [args]]))
                self.unanswered[self.msgid] = out[-1]
        try:
            self.sock.sendall(b"".join(out))
        except LOST:
            pass  # feed will see it, too


class Run:
    def __init__(self, k):
        self.k, self.s = k, Bursts(k.path, "bursts")
        self.here, self.here_id, self.peer = plain_peer(self.s)
        self.sent = self.got = self.longest = self.again = 0
        self.armed = collections.Counter()

    def message(self):
        self.sent += 1
        return (self.sent - 1).to_bytes(4, "big") * random.choice((1, 4, 25, 25, 50, 250))

    def burst(self):
        if random.randrange(KILL_EVERY) == 0:
            place = random.choice(PLACES)
            self.armed[place] += 1
            self.k.die_at(place, random.randint(1, 6))
        notify, returns = random.random() < 0.5, self.s.returns
        self.s.burst([(notify, {"sock": self.here, "assoc_id": self.here_id, "data": self.message()})
                      for _ in range(random.randint(1, RUN))])
        self.wait()
        self.heard_again(returns)
        self.s.unheard.clear()  # the peer has them
        self.s.answers.clear()

    def heard_again(self, returns):
        """Answers that it did not wait for: only those that it has had, when it came back."""
        for msgid, error, result in self.s.strangers:
            if self.s.returns == returns or msgid > self.s.msgid or error is not None or result != {}:
                raise SystemExit(f"answered: {msgid}, {error}, {result}, and nobody asked, seed {SEED}")
        self.again += len(self.s.strangers)
        self.s.strangers.clear()

    def wait(self):
        """Until all have arrived: what has not by then is stuck."""
        last = time.monotonic()
        while self.got < self.sent:
            ready = select.select([self.peer, self.s.sock], [], [], SOON)[0]
            now = time.monotonic()
            if self.s.sock in ready:
                returns = self.s.returns
                self.s.feed()
                if self.s.returns != returns:
                    last = now = time.monotonic()
            if self.peer in ready:
                self.take(self.peer.recv(2000))
                self.longest, last = max(self.longest, now - last), now
            if now - last >= SOON:
                raise SystemExit(f"stuck: {self.got} of {self.sent} messages have come, seed {SEED}")

    def take(self, data):
        number = int.from_bytes(data[:4], "big")
        if number != self.got or data != data[:4] * (len(data) // 4):
            what = "doubled" if number < self.got else "lost or out of order"
            raise SystemExit(f"{what}: message {number} came where {self.got} was to come, seed {SEED}")
        self.got += 1


def main():
    random.seed(SEED)
    began = told = time.monotonic()
    with Faulty(log_level="notice") as k:
        k.ready()
        run = Run(k)
        while run.got < MESSAGES:
            run.burst()
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                print(f"    {run.got} messages in bursts, {run.s.returns} deaths", flush=True)
        run.peer.close()
        run.s.close()
    print(f"bursts: {run.got} messages in {time.monotonic() - began:.0f} s, {run.s.returns} deaths of the daemon at "
          f"{', '.join(f'{place} {n}' for place, n in sorted(run.armed.items()))}; lost 0, doubled 0, stuck 0; "
          f"longest wait {1000 * run.longest:.0f} ms, {run.again} answers heard again", flush=True)


main()
