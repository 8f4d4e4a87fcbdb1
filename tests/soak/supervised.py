# SPDX-License-Identifier: BSD-2-Clause
"""Beside the load an association that both daemons look after: the left calls, the
right listens. One process owns both ends for a moment, sends through it, and gives
them back; now and then it takes it down and up, or has it made anew. Where an
association stays, its messages come once and in order, whoever died."""
import os
import random
import signal
import sys
import time
import traceback

from harness import SLOW
from plan import addresses
from rpc import WAIT, RpcError
from through import Session

NAME, PORT = "soak", 7000
MESSAGES = 20
FAST = {"backoff_min": 20, "backoff_max": 200}
PATIENT = {"sctp_associnfo": {"asocmaxrxt": 100}}  # a network may be down for seconds


class Pair:
    def __init__(self, paths, seed):
        self.random, self.sent, self.rounds, self.broken = random.Random(seed), 0, 0, 0
        self.ends = {side: Session(paths[side], f"supervised {side}") for side in paths}
        self.wanted = {
            "left": {"peer": addresses("right", 0), "peer_port": PORT, "local": addresses("left", 0), "options": PATIENT},
            "right": {"role": "listen", "local_port": PORT, "local": addresses("right", 0), "options": PATIENT}}

    def state(self, side):
        try:
            return self.ends[side].call("supervised", name=NAME)["supervised"][0]
        except RpcError:
            return {"state": "none"}

    def wait(self, side, what):
        deadline = time.monotonic() + 3 * WAIT * SLOW
        while self.state(side)["state"] != what:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{side}: it is not {what}: {self.state(side)}")
            time.sleep(0.01)

    def may_fail(self, side, method, *codes, **args):
        """What was done, and could not be answered, is done."""
        try:
            return self.ends[side].call(method, name=NAME, **args)
        except RpcError as e:
            if e.code not in codes:
                raise
            return None

    def attach(self, side):
        return self.may_fail(side, "attach", "eagain", "enotconn", options={"active": True})

    def pass_messages(self, here, there):
        """Some to the right. False: the association ended meanwhile."""
        left, right = self.ends["left"], self.ends["right"]
        sent = [f"{self.sent + i}".encode() for i in range(MESSAGES)]
        self.sent += MESSAGES
        try:
            for data in sent:
                left.call("send", sock=here["sock"], assoc_id=here["assoc_id"], data=data)
        except RpcError:
            return False
        got, first, deadline = [], int(sent[0]), time.monotonic() + 3 * WAIT * SLOW
        while len(got) < len(sent):
            name, fields = self.next(right)
            if name == "data" and (int(fields["data"]) >= first or not self.broken):
                got.append(fields["data"])  # those of a round that was broken off may come late
            if name == "sctp_assoc_change" and fields["state"] != "comm_up" or name == "sctp_closed":
                return False
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(got)} of {len(sent)} have come")
        if got != sent:
            raise RuntimeError(f"sent {sent}, and there came {got}")
        right.call("ack", seq=right.seq)
        return True

    def next(self, session):
        while not session.events:
            session.feed()
        return session.events.popleft()

    def round(self):
        self.may_fail("right", "supervise", **self.wanted["right"], **FAST)
        self.may_fail("left", "supervise", **self.wanted["left"], **FAST)
        if self.random.random() < 0.2:
            self.may_fail("left", "up")
        self.wait("left", "up")
        self.wait("right", "up")
        here, there = self.attach("left"), self.attach("right")
        if here is None or there is None or not here["assoc_id"]:
            return
        self.ends["right"].call("status")   # what waited is in its events now
        self.ends["right"].events.clear()
        if self.pass_messages(here, there):
            self.rounds += 1
        else:
            self.broken += 1
        for side in "left", "right":
            self.may_fail(side, "detach", "not_owner", "enoent")
            self.ends[side].call("ack", seq=self.ends[side].seq)
            self.ends[side].events.clear()
        if self.random.random() < 0.1:
            self.may_fail("left", "down")
            self.may_fail("left", "up")
        if self.random.random() < 0.05:
            self.may_fail(self.random.choice(("left", "right")), "unsupervise", "enoent")

    def run(self, control):
        while not control.poll():
            self.round()
        for side in self.ends:
            self.may_fail(side, "unsupervise", "enoent")
            self.ends[side].close()


class Control:
    """Has the parent said that it is enough?"""

    def __init__(self):
        self.over = False
        signal.signal(signal.SIGUSR1, self.end)

    def end(self, *_):
        self.over = True

    def poll(self):
        return self.over


class Supervised:
    """The process of it."""

    def __init__(self, paths, seed):
        ours, theirs = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            os.close(ours)
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                control = Control()
                pair = Pair(paths, seed)
                pair.run(control)
                os.write(theirs, f"{pair.rounds} rounds, {pair.sent} messages, {pair.broken} rounds broken off by an end".encode())
                code = 0
            except BaseException:
                os.write(theirs, traceback.format_exc().encode()[-4000:])
            os._exit(code)
        os.close(theirs)
        self.pipe = ours

    def end(self):
        """What it says at its end, and whether all was well."""
        os.kill(self.pid, signal.SIGUSR1)
        said = b""
        while data := os.read(self.pipe, 4096):
            said += data
        _, status = os.waitpid(self.pid, 0)
        return said.decode(), status == 0
