# SPDX-License-Identifier: BSD-2-Clause
"""Supervised associations in a storm: reloads, up and down, owners that come and go, and
peers that restart, all at once and in no order. In the end each does what it should."""
import os
import random

from harness import wait_for
from rpc import RpcError
from test_supervise import configured, paragraph
from through import LOST

STEPS = 400
NAMES = [f"n{i}" for i in range(8)]
OWN = ["own0", "own1"]


class Storm:
    def __init__(self, d, conf, seed):
        self.d, self.conf, self.random = d, conf, random.Random(seed)
        self.c, self.peer = d.client("storm"), d.client("peer")
        self.there = self.port = None
        self.listen()

    def listen(self):
        got = self.peer.call("open", ip="127.0.0.1", port=self.port or 0, options={"reuseaddr": True})
        self.there, self.port = got["sock"], got["port"]
        self.peer.call("listen", sock=self.there)

    def any(self, method, **args):
        """Whatever comes of it."""
        try:
            self.c.call(method, **args)
        except RpcError:
            pass
        except LOST:
            self.c = self.d.client("storm")

    def a_name(self):
        return self.random.choice(NAMES + OWN)

    def a_paragraph(self):
        r = self.random
        more = {"local": r.choice(("127.0.0.1", "lo", "127.0.0.2", "nosuch0")), "backoff_max": r.choice((60, 80)),
                "attach": r.choice(("all", "root")), "down": r.choice(("true", "false", "false")),
                "streams_out": r.choice((3, 4)), "peer": r.choice(("127.0.0.1", "localhost", "nosuch.invalid"))}
        return paragraph(self.port, **dict(r.sample(sorted(more.items()), r.choice((0, 1, 1, 3)))))

    def do_reload(self):
        self.conf.write(*((n, self.a_paragraph()) for n in NAMES if self.random.random() < 0.8))
        self.d.process.send_signal(1)

    def do_up(self):
        self.any("up", name=self.a_name())

    def do_down(self):
        self.any("down", name=self.a_name())

    def do_attach(self):
        self.any("attach", name=self.a_name(), take=True)

    def do_detach(self):
        self.any("detach", name=self.a_name())

    def do_explain(self):
        self.any("explain", name=self.a_name())

    def do_supervise(self):
        name = self.random.choice(OWN)
        self.any("supervise", name=name, peer="127.0.0.1", peer_port=self.port, local="127.0.0.1", backoff_min=20, backoff_max=60)

    def do_unsupervise(self):
        self.any("unsupervise", name=self.random.choice(OWN))

    def do_leave(self):
        self.c.close()
        self.c = self.d.client("storm")

    def do_peer_aborts(self):
        for a in self.peer.call("assocs", sock=self.there)["assocs"]:
            try:
                self.peer.call(self.random.choice(("abort", "eof")), sock=self.there, assoc_id=a["assoc_id"])
            except RpcError:
                pass  # it is over by now

    def do_peer_restarts(self):
        self.peer.call("close", sock=self.there)
        wait_for(self.try_listen)  # the port is in use as long as associations linger

    def try_listen(self):
        try:
            self.listen()
        except RpcError:
            return False
        return True

    def do_send(self):
        for a in self.peer.call("assocs", sock=self.there)["assocs"]:
            try:
                self.peer.call("send", sock=self.there, assoc_id=a["assoc_id"], data=b"x" * 100)
            except RpcError:
                pass

    def states(self):
        return {v["name"]: v["state"] for v in self.c.call("supervised")["supervised"]}


def test_reloads_ups_and_downs_while_peers_restart(_):
    seed = int(os.environ.get("STORM_SEED") or random.randrange(1 << 32))
    print(f"        seed {seed}", flush=True)
    with configured() as (d, conf):
        s = Storm(d, conf, seed)
        things = [getattr(s, m) for m in dir(s) if m.startswith("do_")]
        for _ in range(STEPS):
            s.random.choice(things)()
        for name in OWN:
            s.any("unsupervise", name=name)
        conf.reload(*((n, paragraph(s.port)) for n in NAMES))
        for name in NAMES:
            s.c.call("up", name=name)
        wait_for(lambda: s.states() == {n: "up" for n in NAMES})
        for name in NAMES:      # one may still learn that its peer ended what was up, and come up again
            wait_for(lambda n=name: s.c.call("attach", name=n, take=True)["state"] == "up")
        conf.reload()
        assert not s.states()
        s.peer.call("close", sock=s.there)
        wait_for(lambda: s.c.call("status")["sockets"] == 0)
        assert s.c.call("status")["users"][0]["lookups"] == 0
