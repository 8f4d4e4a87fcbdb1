# SPDX-License-Identifier: BSD-2-Clause
"""A client of sctpd in a session, that may be killed at any instruction.

Why nothing is lost or done twice, whatever dies when:

- One turn is: read and handle messages; decide what to send; write the state
  to its file; send the acknowledgement, then the requests. Handling changes
  nothing but the state.
- Killed before the state is written: the turn has never been. What was read
  was not acknowledged and comes again to the next process, which knows the
  session's token and the number of the last message that it has handled.
- Killed after that, before the daemon has it: the requests stand in the state
  as unanswered. At its return the client is first sent what it has not
  acknowledged, answers too; then the answer to hello comes. What has no answer
  by then was not executed and is sent again, the same msgid, the same order.
- A notification has no answer. It stands in the state until a request of the
  same kind that was sent after it is answered; hello's answer says how many were
  taken, and those after it are sent again, each in its place among the requests.
- What handling told others (the state file is read by others, too) is what the
  next process says as well, because it starts from the same file.
- The daemon's death is the same, seen from here: a new connection, hello.

While a socket is given away (controlling_process), what arrives is put aside:
of that socket the new owner has it if the answer is good, and it is ours if
not. The new owner takes the numbers of that socket from our file, where they
stand still from before the request was sent until we own the socket again."""
import collections
import select
import socket

import msgpack

import state

HELLO = 0  # msgid; there is one on each connection
ACK_EVERY = 32
OUT_MAX = 1 << 18
LOST = (EOFError, ConnectionResetError, BrokenPipeError)  # the daemon is gone


class Session:
    def __init__(self, path, file, name):
        self.path, self.name, self.acked = path, name, 0
        self.s = state.read(file) or {
            "number": 0, "client": None, "token": None, "seq": 0, "msgid": 0, "unanswered": {},
            "said": 0, "unheard": {},
            "returns": 0, "faults": []}
        self.writer = state.Writer(file, self.s["number"])
        self.changed, self.aside = False, collections.deque()
        self.sock = None
        self.connect()

    # What the program does with it:

    def on_answer(self, method, args, error, result):
        raise NotImplementedError

    def on_event(self, name, fields):
        raise NotImplementedError

    def follows(self, method, args, before, its):
        """Does the answer to a request say that the stack has taken this notification, too?"""
        raise NotImplementedError

    def on_taken(self, method, args):
        """A notification need not be sent again."""

    def pack(self, method, args):
        """The arguments on the wire: the state has a short form of some."""
        return args

    def fault(self, text):
        if len(self.s["faults"]) < 50:
            self.s["faults"].append(text)
        self.changed = True

    # ---- the connection ----

    def connect(self):
        if self.sock:
            self.sock.close()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)  # to be refused is never right
        self.sock.setblocking(False)
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 28)
        self.welcome = False
        self.strict = False  # on a new connection some numbers are left out, up to hello's
        # To be sent when they are in the state: (request, 0), or (the request
        # before it, notification).
        self.intents = []
        self.aside.clear()
        self.freeze_for = next((m for m, (method, _) in self.s["unanswered"].items()
                                if method == "controlling_process"), None)
        hello = {"name": self.name, "resume": self.s["token"] or True, "seq": self.s["seq"]}
        self.acked = self.s["seq"]
        self.out = bytearray(msgpack.packb([0, HELLO, "hello", [hello]]))

    def come_back(self):
        self.s["returns"] += 1
        self.connect()

    def on_hello(self, error, result):
        if error is not None:
            raise RuntimeError(f"hello: {error}")
        if self.s["token"] not in (None, result["resume"]) or self.s["client"] not in (None, result["client"]):
            raise RuntimeError(f"hello: another session: {result}")
        self.s["token"], self.s["client"] = result["resume"], result["client"]
        if not result["seq"] > self.s["seq"]:
            self.fault(f"hello's number is {result['seq']} after {self.s['seq']}")
        if not self.aside:
            self.catch_up(result)
        self.welcome = True
        self.changed = True
        # Sends that we do not know of cannot be here: intents wait for this.
        there = {m[1] for m in self.aside if m[0] == 1}
        taken = result.get("notifications", 0)
        again = [(m, 0) for m in self.s["unanswered"] if m not in there]
        self.intents = sorted(again + [(u[0], n) for n, u in self.s["unheard"].items() if n > taken])

    def catch_up(self, hello):
        self.s["seq"] = hello["seq"]
        self.strict = True

    # ---- what comes ----

    def read(self):
        data = self.sock.recv(1 << 17)
        if not data:
            raise EOFError
        self.unpacker.feed(data)
        for message in self.unpacker:
            self.take(message)

    def take(self, message):
        if message[0] == 1 and message[1] == HELLO:
            self.on_hello(*message[2:])
            if self.aside:
                self.aside.append(message)
        elif self.freeze_for is None:
            self.handle(message)
        else:
            self.aside.append(message)
            if message[0] == 1 and message[1] == self.freeze_for:
                self.thaw(message[2] is None)

    def thaw(self, given):
        _, args = self.s["unanswered"][self.freeze_for]
        self.freeze_for = None
        while self.aside:
            message = self.aside.popleft()
            if message[0] == 1 and message[1] == HELLO:
                self.catch_up(message[3])
            elif given and message[0] == 2 and message[2][0].get("sock") == args["sock"]:
                self.number(message[1], message[2][0])
            else:
                self.handle(message)

    def number(self, name, fields):
        """An event's number counts, whatever becomes of the event."""
        seq, last = fields.get("seq", 0), self.s["seq"]
        if seq <= last or (seq > last + 1 and self.strict):
            self.fault(f"event {name} has number {seq} after {last}: {str(fields)[:300]}")
        self.s["seq"] = max(seq, last)
        self.changed = True

    def handle(self, message):
        self.changed = True
        if message[0] == 1:
            _, msgid, error, result = message
            self.s["seq"] += 1
            entry = self.s["unanswered"].pop(msgid, None)
            if entry is not None:
                self.hear_of_those_before(msgid, *entry)
                self.on_answer(*entry, error, result)
            elif self.strict:
                self.fault(f"an answer to {msgid}, which waits for none: {error} {str(result)[:300]}")
        else:
            _, name, (fields,) = message
            if name != "superseded":  # the connection's, not the session's
                self.number(name, fields)
            self.on_event(name, fields)

    # ---- what goes ----

    def request(self, method, args):
        self.s["msgid"] += 1
        self.s["unanswered"][self.s["msgid"]] = (method, args)
        self.intents.append((self.s["msgid"], 0))
        self.changed = True
        return self.s["msgid"]

    def notify(self, method, args):
        """Kept by its number, with the request before it."""
        self.s["said"] += 1
        self.s["unheard"][self.s["said"]] = (self.s["msgid"], method, args)
        self.intents.append((self.s["msgid"], self.s["said"]))
        self.changed = True

    def hear_of_those_before(self, msgid, method, args):
        done = [n for n, u in self.s["unheard"].items() if u[0] < msgid and self.follows(method, args, *u[1:])]
        for n in done:
            self.on_taken(*self.s["unheard"].pop(n)[1:])

    def freeze(self, msgid):
        """From now on all is put aside, until this is answered."""
        self.freeze_for = msgid

    def save(self):
        if self.changed:
            self.changed = False
            self.s.pop("number", None)
            self.writer.write(self.s)

    def put_out(self):
        """Only after save."""
        if not self.welcome:
            return
        if self.s["seq"] >= self.acked + ACK_EVERY or (self.freeze_for, 0) in self.intents:
            self.acked = self.s["seq"]
            self.out += msgpack.packb([2, "ack", [{"seq": self.acked}]])
        for msgid, said in self.intents:
            if said in self.s["unheard"]:
                _, method, args = self.s["unheard"][said]
                self.out += msgpack.packb([2, method, [self.pack(method, args)]])
            elif msgid in self.s["unanswered"] and not said:  # an answer may have been quicker
                method, args = self.s["unanswered"][msgid]
                self.out += msgpack.packb([0, msgid, method, [self.pack(method, args)]])
        self.intents = []

    def write(self):
        while self.out:
            try:
                n = self.sock.send(self.out[:OUT_MAX])
            except BlockingIOError:
                return
            del self.out[:n]

    # ---- a turn ----

    def produce(self):
        """Make requests, where there is room for them."""

    def turn(self, timeout, *others):
        """Wait for something and do what is to be done; gives which of the
        others can be read."""
        if self.intents and self.welcome:
            timeout = 0
        ready, _, _ = select.select([self.sock, *others], [self.sock] if self.out else [], [], timeout)
        try:
            if self.sock in ready:
                self.read()
            if self.welcome and len(self.out) < OUT_MAX:
                self.produce()
            self.save()
            self.put_out()
            self.write()
        except LOST:
            self.come_back()
        return [o for o in others if o in ready]
