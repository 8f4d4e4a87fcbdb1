# SPDX-License-Identifier: BSD-2-Clause
"""A client of one side: it owns some of the sockets, sends numbered messages
on all their associations as fast as they go, and checks those that come.

Of each association the state has the next number of every stream in both
directions, so nothing else needs to be remembered of what was received."""
import json
import os
import time

import message
import state
from plan import (ASSOCIATIONS, CLIENTS, MODES, OPTIONS, PORT, PORTION, SIDES, SMALL, STREAM_SOCKETS,
                  STREAMS, TIGHT, WINDOW, addresses, association, sockets)
from session import Session

RECV_MS = 500  # a recv waits so long; the socket cannot be given away meanwhile
NOTIFY = 3  # one message of so many is sent as a notification
MANY = 1000  # missing numbers of a stream that are kept in mind


def file_of(folder, side, slot):
    return os.path.join(folder, f"{side}-{slot}.state")


class Client(Session):
    def __init__(self, folder, path, side, slot, control, sending):
        self.folder, self.side, self.slot, self.control = folder, side, slot, control
        self.here, self.there = SIDES.index(side), 1 - SIDES.index(side)
        self.sending, self.stopped = sending, False
        self.giving, self.results = None, {}
        self.turns = 0
        super().__init__(path, file_of(folder, side, slot), f"{side}-{slot}")
        self.s.setdefault("socks", {})
        self.s.setdefault("ready", False)
        self.count_unanswered()
        self.now = time.monotonic()

    def tell(self, what, **more):
        self.control.send(json.dumps({"is": what, **more}).encode())

    def count_unanswered(self):
        """How many requests wait for an answer, by socket and association."""
        self.busy, self.flying, self.receiving = {}, {}, set()
        for method, args in self.s["unanswered"].values():
            self.count(method, args, 1)
            if method == "controlling_process":
                self.giving = args["sock"]
        for _, method, args in self.s["unheard"].values():
            self.count_flying(args, 1)

    def count(self, method, args, n):
        sock = args[0] if method == "send" else args.get("sock")
        self.busy[sock] = self.busy.get(sock, 0) + n
        if method == "send":
            self.count_flying(args, n)
        elif method == "recv":
            (self.receiving.add if n > 0 else self.receiving.discard)(sock)

    def count_flying(self, args, n):
        self.flying[args[:2]] = self.flying.get(args[:2], 0) + n

    def ask(self, method, args):
        self.count(method, args, 1)
        return self.request(method, args)

    def mine(self):
        return ((sock, k) for sock, k in self.s["socks"].items() if k["mine"])

    # ---- sending ----

    def pack(self, method, args):
        if method != "send":
            return args
        sock, assoc_id, stream, number = args
        a = self.s["socks"][sock]["assocs"][assoc_id]["a"]
        return {"sock": sock, "data": message.make(a, self.here, stream, number),
                "assoc_id": assoc_id, "stream": stream}

    def produce(self):
        for sock, k in self.mine():
            if sock == self.giving:
                continue
            if k["mode"] == "recv" and sock not in self.receiving:
                self.ask("recv", {"sock": sock, "timeout": RECV_MS})
            if k.get("passive"):
                k["passive"] = False
                self.ask("setopts", {"sock": sock, "options": {"active": PORTION}})
            if self.sending:
                for assoc_id, a in k["assocs"].items():
                    self.fill((sock, assoc_id), a)
        if self.giving and not self.busy.get(self.giving) and self.freeze_for is None:
            self.give()

    def fill(self, where, a):
        for _ in range(WINDOW - self.flying.get(where, 0)):
            stream = self.turns = (self.turns + 1) % STREAMS
            number = a["out"][stream]
            a["out"][stream] += 1
            if number % NOTIFY == 0:
                self.count_flying(where, 1)
                self.notify("send", (*where, stream, number))
            else:
                self.ask("send", (*where, stream, number))

    def follows(self, method, args, before, its):
        if method == "controlling_process":  # nothing of it waits for an answer then
            return args["sock"] == its[0]
        return method == before == "send" and args[:2] == its[:2]

    def on_taken(self, method, args):
        self.count_flying(args, -1)

    # ---- receiving ----

    def on_answer(self, method, args, error, result):
        self.count(method, args, -1)
        if method == "send":
            if error is not None:
                self.fault(f"send {args}: {error}")
        elif method == "recv":
            if error is None:
                self.on_event(result["event"], result)
            elif not error.startswith("timeout"):
                self.fault(f"recv {args}: {error}")
        elif method == "controlling_process":
            self.given(args, error)
        elif error is not None:
            self.fault(f"{method} {args}: {error}")
        self.results[method] = (args, error, result)

    def on_event(self, name, fields):
        handler = getattr(self, "on_" + name, None)
        if handler is None:
            self.fault(f"event {name} {str(fields)[:300]}")
        else:
            handler(fields)

    def on_data(self, e):
        info = e["sctp_sndrcvinfo"]
        k = self.s["socks"].get(e["sock"])
        a = k["assocs"].get(info.get("assoc_id", 0)) if k else None
        if a is None or not k["mine"]:
            self.fault(f"a message of sock {e['sock']} {info}, which is {'not ours' if k else 'unknown'}: "
                       f"{message.describe(e['data'])}")
            return
        stream = info.get("stream", 0)
        number = a["in"][stream]
        if e["data"] != message.make(a["a"], self.there, stream, number):
            self.wrong(a, stream, number, e)
        else:
            a["in"][stream] = number + 1
        a["bytes"] += len(e["data"])
        if a["last"] and self.now - a["last"] > a["gap"]:
            a["gap"], a["gap_end"] = self.now - a["last"], self.now
        a["last"] = self.now

    def wrong(self, a, stream, wanted, e):
        """Not the message that must come: what is it?"""
        missing = a["missing"].setdefault(stream, [])
        number = message.number_of(a["a"], self.there, stream, e["data"], wanted)
        what = ("damaged" if number is None else "lost" if number > wanted else
                "disorder" if number in missing else "doubled")
        if what == "lost":
            gone = number - wanted
            a["lost"] += gone
            missing.extend(range(wanted, min(number, wanted + MANY)))
            a["in"][stream] = number + 1
        elif what == "disorder":
            missing.remove(number)
            a["lost"] -= 1
            a["disorder"] += 1
        else:
            a[what] += 1
        self.fault(f"{what}: association {a['a']}, from the {SIDES[self.there]}, stream {stream}: wanted {wanted}, "
                   f"got {number}, ssn {e['sctp_sndrcvinfo'].get('ssn', 0)}, sock {e['sock']}, seq {e.get('seq')}, "
                   f"returns {self.s['returns']}, at {self.now:.3f}: {message.describe(e['data'])}")

    def on_sctp_assoc_change(self, e):
        k = self.s["socks"][e["sock"]]
        known = k["assocs"].get(e["assoc_id"])
        if e["state"] == "comm_up" and known and not known["up"]:
            known["up"] = True
        elif e["state"] == "comm_up" and not self.s["ready"]:
            self.associated(k, e["assoc_id"], association(e["from"]["port"] - PORT["left"], k["socket"]))
        elif self.stopped and e["state"] == "shutdown_comp":
            known["over"] = True
        else:
            self.fault(f"sctp_assoc_change {e}")

    def on_sctp_paddr_change(self, e):
        pass

    # The other side may hear that all has come before this one does.
    def on_sctp_shutdown_event(self, e):
        if not self.stopped:
            self.fault(f"sctp_shutdown_event {e}")

    def on_sctp_closed(self, e):
        if not self.stopped:
            self.fault(f"sctp_closed {e}")

    def on_sctp_passive(self, e):
        self.s["socks"][e["sock"]]["passive"] = True

    # ---- another owner ----

    def begin_to_give(self, to):
        socks = [sock for sock, k in self.mine() if k["assocs"]]
        if self.giving or self.freeze_for is not None or not socks:
            self.tell("gave", error="nothing to give")
            return
        self.giving, self.to = socks[self.turns % len(socks)], to

    def give(self):
        self.freeze(self.ask("controlling_process", {"sock": self.giving, "client": self.to}))

    def given(self, args, error):
        if error is None:
            self.s["socks"][args["sock"]]["mine"] = False
        elif not error.startswith("badarg: client"):  # it is away
            self.fault(f"controlling_process {args}: {error}")
        self.giving = None
        self.tell("gave", sock=args["sock"], error=error)

    def on_owner(self, e):
        if e["owner"] != self.s["client"]:
            return
        for slot in range(CLIENTS):
            other = state.read(file_of(self.folder, self.side, slot))
            if other and other["client"] == e["was"] and e["sock"] in other["socks"]:
                self.s["socks"][e["sock"]] = {**other["socks"][e["sock"]], "mine": True}
                self.tell("took", sock=e["sock"])
                return
        self.fault(f"the event owner {e}, and nobody knows its numbers")

    # ---- the beginning ----

    def call(self, method, **args):
        self.results.pop(method, None)
        self.ask(method, args)
        while method not in self.results:
            self.turn(None)
        _, error, result = self.results[method]
        if error is not None:
            raise RuntimeError(f"{method} {args}: {error}")
        return result

    def associated(self, k, assoc_id, a, up=True):
        """up: its comm_up has come, in whatever form."""
        zero = [0] * STREAMS
        k["assocs"][assoc_id] = {"a": a, "up": up, "in": zero[:], "out": zero[:], "missing": {}, "bytes": 0, "lost": 0,
                                 "doubled": 0, "disorder": 0, "damaged": 0, "last": 0, "gap": 0, "gap_end": 0}

    def open(self, i):
        mode = MODES.get((self.side, i), "true")
        stream = (self.side, i) in STREAM_SOCKETS
        listener = stream and self.side == "right"
        active = {"true": not listener, "recv": False, "count": PORTION}[mode]
        got = self.call("open", ip=addresses(self.side, i), port=PORT[self.side] + i,
                        type="stream" if stream else "seqpacket",
                        options={"active": active, **OPTIONS, **(SMALL if (self.side, i) in TIGHT else {})})
        self.s["socks"][got["sock"]] = {"mine": True, "socket": i, "mode": mode, "assocs": {}}
        if self.side == "right":
            self.call("listen", sock=got["sock"])
        return got["sock"]

    def accept(self, sock, i):
        got = self.call("accept", sock=sock)
        k = self.s["socks"][got["accepted"]] = {"mine": True, "socket": i, "mode": "true", "assocs": {}}
        self.associated(k, got["assoc_id"], association(got["from"]["port"] - PORT["left"], i), up=False)
        self.call("setopts", sock=got["accepted"], options={
            "active": True, "on_owner_exit": "hold", "hold_time": OPTIONS["hold_time"]})

    def set_up(self):
        """The associations; without faults, so without thought of them."""
        self.call("open", ip="127.0.0.1", options={"on_owner_exit": "hold"})  # the session has one always
        mine = [i for i in sockets(self.side) if i % CLIENTS == self.slot]
        socks = {i: self.open(i) for i in mine}
        wanted = [pair for pair in ASSOCIATIONS if pair[self.here] in mine]
        if self.side == "right":
            self.tell("listening")
            for left, i in wanted:
                if ("right", i) in STREAM_SOCKETS:
                    self.accept(socks[i], i)
            while sum(len(k["assocs"]) for k in self.s["socks"].values()) < len(wanted):
                self.turn(None)
        else:
            for i, right in wanted:
                got = self.call("connect", sock=socks[i], addr=addresses("right", right),
                                port=PORT["right"] + right, timeout=10000)
                self.associated(self.s["socks"][socks[i]], got["assoc_id"], association(i, right))
        self.s["ready"] = self.changed = True
        self.save()
        self.tell("ready", client=self.s["client"])

    # ---- what the orchestrator says ----

    def command(self, c):
        if c["do"] == "set up":
            self.set_up()
        elif c["do"] == "start":
            self.sending = True
        elif c["do"] == "give":
            self.begin_to_give(c["to"])
        elif c["do"] == "stop":
            self.sending = False
            self.stopped = True
        elif c["do"] == "end":
            for sock, k in list(self.mine()):
                for assoc_id in k["assocs"] if self.side == "left" else ():
                    self.ask("eof", {"sock": sock, "assoc_id": assoc_id})

    def hear(self):
        """False when the orchestrator is gone."""
        try:
            data = self.control.recv(4096)
        except ConnectionResetError:
            return False
        if data:
            self.command(json.loads(data))
        return bool(data)

    def run(self):
        told, back = None, False
        while True:
            ready = self.turn(None, self.control)
            self.now = time.monotonic()
            if ready and not self.hear():
                return
            if self.welcome and not back:
                back = True
                self.tell("back", client=self.s["client"])
            if self.stopped and self.writer.number != told and not self.changed:
                told = self.writer.number
                self.tell("news", unanswered=len(self.s["unanswered"]), sends=sum(self.flying.values()))
