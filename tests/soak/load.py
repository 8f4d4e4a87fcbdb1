# SPDX-License-Identifier: BSD-2-Clause
"""The clients of both sides, as processes that may be killed and come back,
and what they have counted. How the daemons are run is others' business:
Load takes their sockets' paths."""
import json
import os
import signal
import socket
import sys
import time
import traceback

import state
from client import Client, file_of
from plan import ASSOCIATIONS, CLIENTS, SIDES, STREAMS

COUNTS = ("lost", "doubled", "disorder", "damaged")


class Failed(Exception):
    """The text says why the run has failed."""


class Process:
    """One client in its present process."""

    def __init__(self, load, side, slot):
        self.load, self.side, self.slot = load, side, slot
        self.pid, self.client, self.back, self.sending = None, None, False, False

    def __str__(self):
        return f"client {self.side}-{self.slot}"

    def start(self):
        self.back = False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.dup2(theirs.fileno(), 3)
                os.closerange(4, 4096)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                control = socket.socket(fileno=3)
                Client(self.load.folder, self.load.paths[self.side], self.side, self.slot, control,
                       self.sending).run()
                code = 0
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(code)
        theirs.close()
        self.control = ours
        self.pidfd = os.pidfd_open(self.pid)

    def say(self, do, **more):
        try:
            self.control.send(json.dumps({"do": do, **more}).encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # hear sees it, too

    def hear(self):
        """The next thing it says, or None if it has died."""
        try:
            data = self.control.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            return None
        said = json.loads(data)
        if said["is"] in ("back", "ready"):
            self.client, self.back = said["client"], True
        return said

    def ended(self):
        """Its exit status; and it is no more."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.control.close()
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def kill(self):
        signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        return self.ended()


class Load:
    """paths: of the daemons' sockets, by side."""

    def __init__(self, folder, paths):
        self.folder, self.paths = folder, paths
        self.clients = [Process(self, side, slot) for side in SIDES for slot in range(CLIENTS)]

    def of(self, side):
        return [c for c in self.clients if c.side == side]

    def set_up(self):
        """The right listens, the left connects; all are ready then."""
        for side in reversed(SIDES):
            for c in self.of(side):
                c.start()
                c.say("set up")
                self.wait(c, "listening" if side == "right" else "ready")
        for c in self.of("right"):
            self.wait(c, "ready")

    def wait(self, c, what):
        while True:
            said = c.hear()
            if said is None:
                raise Failed(f"{c} exited with {c.ended()}")
            if said["is"] == what:
                return said

    def start(self):
        for c in self.clients:
            c.sending = True
            c.say("start")

    def counts(self):
        """What is known of each association now, by number and receiving
        side; and all faults."""
        rows, faults, sent = {}, [], {}
        for c in self.clients:
            s = state.read(file_of(self.folder, c.side, c.slot))
            if s is None:
                continue
            faults += [f"{c}: {f}" for f in s["faults"]]
            for k in s.get("socks", {}).values():
                for a in k["assocs"].values():
                    row = {**a, "by": str(c), "mine": k["mine"]}
                    other = rows.get((a["a"], c.side), row)
                    # On its way from one to the other it is nobody's.
                    rows[a["a"], c.side] = max(row, other, key=lambda r: (r["mine"], r["last"]))
        for (a, side), row in rows.items():
            sent[a, SIDES[1 - SIDES.index(side)]] = row["out"]
        for where, row in rows.items():
            row["sent"] = sent.get(where, [0] * STREAMS)
            row["got"] = sum(row["in"])
        return rows, faults

    def totals(self):
        rows, faults = self.counts()
        total = {"messages": sum(r["got"] for r in rows.values()), "bytes": sum(r["bytes"] for r in rows.values()),
                 **{w: sum(r[w] for r in rows.values()) for w in COUNTS}, "faults": faults,
                 "associations": len(rows)}
        worst = max(rows.items(), key=lambda r: r[1]["gap"], default=None)
        if worst:
            (total["gap_of"], total["gap_side"]), row = worst
            total["gap"], total["gap_end"] = 1000 * row["gap"], row["gap_end"]
        return total

    def behind(self):
        """What was sent and has not come: text, or nothing."""
        rows, _ = self.counts()
        if len(rows) < 2 * len(ASSOCIATIONS):
            return [f"only {len(rows)} of {2 * len(ASSOCIATIONS)} directions are known"]
        return [f"association {a}, to the {side}: {row['in']} of {row['sent']} came, {row['by']}, "
                f"the last {time.monotonic() - row['last']:.1f} s ago"
                for (a, side), row in sorted(rows.items()) if row["in"] != row["sent"]]
