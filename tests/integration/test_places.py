# SPDX-License-Identifier: BSD-2-Clause
"""The daemon dies at each place of daemon/util/fault.h while two sessions do
everything that there is to do. They go on: nothing is lost, doubled or out
of order, and nothing is left over."""
import os
import re
import signal
import socket
import tempfile

from check import send
from harness import wait_for
from rpc import WAIT, RpcError
from test_supervise import Configured
from test_survive import Faulty, SCTP
from through import Session

HERE = os.path.dirname(os.path.abspath(__file__))
TIMES = 3
# Killed there an association ends, or a socket: known.h says why.
ENDS = ("peeled", "accept4")
HELD = {"on_owner_exit": "hold"}
AGREED = {"sctp_auth_supported": {"assoc_value": 1}, "sctp_asconf_supported": {"assoc_value": 1},
          "sctp_reconfig_supported": {"assoc_value": 1},
          "sctp_enable_stream_reset": {"assoc_value": ["reset_streams"]}}


def places():
    with open(os.path.join(HERE, "..", "..", "daemon", "util", "fault.h"), encoding="ascii") as f:
        return re.findall(r'X\("(\w+)"', f.read())


class Story:
    """One round after the other, each a whole life of sockets and associations.
    What an association's end may look like is checked where it is wanted."""

    def __init__(self, path, conf):
        self.a, self.b, self.conf = Session(path, "a"), Session(path, "b"), conf
        self.numbers = 0

    def next(self):
        self.numbers += 1
        return b"%d" % self.numbers

    def round(self):
        self.many()
        self.stream()
        self.grouped()
        self.supervised()
        self.aborted()

    def grouped(self):
        """A member leaves, and what it had goes to the other."""
        a, b = self.a, self.b
        listener = b.call("open", ip="127.0.0.1", options={"active": True, **HELD})
        b.call("listen", sock=listener["sock"])
        b.call("group", sock=listener["sock"], name="story")
        b.call("join", name="story")
        here = a.call("open", ip="127.0.0.1", options=HELD)["sock"]
        here_id = a.call("connect", sock=here, addr="127.0.0.1", port=listener["port"])["assoc_id"]
        there = b.event("assigned")["sock"]
        sent = [self.next() for _ in range(3)]
        for data in sent:
            a.call("send", sock=here, assoc_id=here_id, data=data)
        assert [b.event("data", sock=there)["data"] for _ in sent] == sent
        a.call("join", name="story")
        b.call("leave", name="story")
        a.event("assigned", sock=there)
        a.call("ungroup", name="story")
        for sock in (here, there, listener["sock"]):
            a.call("close", sock=sock)

    def supervised(self):
        """By a method, with an owner that comes and goes; and in the configuration."""
        a, b = self.a, self.b
        listener = b.call("open", ip="127.0.0.1", options={"active": True, **HELD})
        there, port = listener["sock"], listener["port"]
        b.call("listen", sock=there)
        wanted = {"local": "127.0.0.1", "peer": "127.0.0.1", "peer_port": port, "backoff_min": 20, "backoff_max": 50}
        ended(a, "supervise", name="story", **wanted)
        self.attached("story", there)
        ended(a, "down", name="story")
        assert a.call("supervised", name="story")["supervised"][0]["state"] == "down"
        ended(a, "up", name="story")
        self.attached("story", there)
        ended(a, "unsupervise", "enoent", name="story")
        self.reloaded(("one", wanted), ("two", wanted))
        self.attached("one", there)
        was = self.socks()["two"]
        self.reloaded(("one", wanted), ("two", {**wanted, "streams_out": 3}))
        wait_for(lambda: self.socks().get("two") not in (0, was))
        self.attached("one", there)
        self.attached("two", there)
        self.reloaded()
        ended(b, "close", sock=there)

    def attached(self, name, there):
        """Its owner comes, and a message each way; and goes."""
        a, b = self.a, self.b
        wait_for(lambda: a.call("supervised", name=name)["supervised"][0]["state"] == "up")
        own = a.call("attach", name=name, options={"active": True})
        to, back = self.next(), self.next()
        a.call("send", sock=own["sock"], assoc_id=own["assoc_id"], data=to)
        came = b.event("data", sock=there)
        assert came["data"] == to, came
        b.call("send", sock=there, assoc_id=came["sctp_sndrcvinfo"]["assoc_id"], data=back)
        assert a.event("data", sock=own["sock"])["data"] == back
        a.call("ack", seq=a.seq)  # else the next owner gets it once more
        ended(a, "detach", "not_owner", name=name)

    def reloaded(self, *paragraphs):
        self.conf.write(*paragraphs)
        self.conf.d.process.send_signal(signal.SIGHUP)
        wait_for(lambda: set(self.socks()) == set(dict(paragraphs)))

    def socks(self):
        return {v["name"]: v["sock"] for v in self.a.call("supervised")["supervised"]}

    def messages(self, here, here_id, there):
        """Some each way, as requests and as notifications."""
        for _ in range(3):
            sent = [self.next() for _ in range(6)]
            ids = []
            for i, data in enumerate(sent):
                args = {"sock": here, "data": data, **({"assoc_id": here_id} if here_id else {})}
                if i % 2:
                    self.a.taken("send", **args)
                else:
                    ids.append(self.a.request("send", **args))
            for i in ids:
                self.a.answer(i)
            self.a.call("status")  # the last notification, too, is taken: else it would have to be said again
            assert [self.b.event("data", sock=there)["data"] for _ in sent] == sent

    def many(self):
        a, b = self.a, self.b
        listener = b.call("open", ip="127.0.0.1", options={"active": True, **HELD, **AGREED})
        there = listener["sock"]
        b.call("listen", sock=there)
        here = a.call("open", ip="127.0.0.1", options={"active": 1, **HELD, **AGREED})["sock"]
        here_id = a.call("connect", sock=here, addr="127.0.0.1", port=listener["port"])["assoc_id"]
        there_id = b.event("sctp_assoc_change", sock=there, state="comm_up")["assoc_id"]
        self.messages(here, here_id, there)
        self.changed(here, here_id, there)
        peeled = b.call("peeloff", sock=there, assoc_id=there_id)["sock"]
        b.call("setopts", sock=peeled, options={"active": True})
        self.messages(here, here_id, peeled)
        data = self.next()
        b.call("send", sock=peeled, data=data)
        got = a.call("recv", sock=here, timeout=WAIT * 1000)
        while got["event"] != "data":
            got = a.call("recv", sock=here, timeout=WAIT * 1000)
        assert got["data"] == data, got
        ended(a, "eof", sock=here, assoc_id=here_id)
        b.event("sctp_assoc_change", sock=peeled, state="shutdown_comp")
        for c, sock in ((b, peeled), (b, there), (a, here)):
            ended(c, "close", sock=sock)

    def changed(self, here, here_id, there):
        """An address comes and goes, and a stream begins again; the peer is told once each."""
        for method, state in ("bindx_add", "addr_added"), ("bindx_rem", "addr_removed"):
            ended(self.a, method, "einval", sock=here, addrs="127.0.0.8")
            self.b.event("sctp_paddr_change", sock=there, state=state)
        ended(self.a, "reset_streams", "einprogress", sock=here, assoc_id=here_id)

    def stream(self):
        a, b = self.a, self.b
        listener = b.call("open", ip="127.0.0.1", type="stream", options=HELD)
        b.call("listen", sock=listener["sock"])
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP)
        peer.settimeout(WAIT)
        peer.connect(("127.0.0.1", listener["port"]))
        there = b.call("accept", sock=listener["sock"], timeout=WAIT * 1000)["accepted"]
        b.call("setopts", sock=there, options={"active": True})
        sent = [self.next() for _ in range(5)]
        for data in sent:
            peer.send(data)
        assert [b.event("data", sock=there)["data"] for _ in sent] == sent
        data = self.next()
        send(b, there, 0, data)
        assert peer.recv(100) == data
        ended(b, "eof", sock=there)
        assert peer.recv(100) == b""
        peer.close()
        b.event("sctp_closed", sock=there)
        ended(b, "close", sock=there)
        ended(b, "close", sock=listener["sock"])

    def aborted(self):
        a, b = self.a, self.b
        listener = b.call("open", ip="127.0.0.1", options={"active": True, **HELD})
        there = listener["sock"]
        b.call("listen", sock=there)
        here = a.call("open", ip="127.0.0.1", type="stream", options={"active": True, **HELD})["sock"]
        a.call("connect", sock=here, addr="127.0.0.1", port=listener["port"])
        b.event("sctp_assoc_change", sock=there, state="comm_up")
        ended(a, "abort", sock=here)
        b.event("sctp_assoc_change", sock=there, state="comm_lost")
        ended(a, "close", sock=here)
        ended(b, "close", sock=there)

    def forget(self):
        """What nobody looks at."""
        self.a.events.clear()
        self.b.events.clear()

    def over(self):
        self.a.close()
        self.b.close()


def ended(c, method, code=None, **args):
    """What was done, and could not be answered, finds its work done."""
    try:
        c.call(method, **args)
    except RpcError as e:
        assert c.returns and e.code in ("epipe", "closed", code), (method, e)


def dies_at(k, story, place):
    before = k.deaths()
    for n in range(1, TIMES + 1):
        k.die_at(place, 2 * n - 1)
        for _ in range(12):
            if k.deaths() == before + n:
                break
            story.round()
            story.forget()
        else:
            raise AssertionError(f"it never came to {place} {2 * n - 1} times")

    def left():
        s = story.a.call("status")
        return s["associations"] + s["lingering"]
    wait_for(lambda: not left())        # the last of a group's is closed in order
    assert "not in the journal" not in k.log_text()
    assert k.deaths() == before + TIMES, k.deaths()


def die_at_all(wanted):
    """One after the other, in the same two sessions."""
    with tempfile.TemporaryDirectory(prefix="sctpd-", ignore_cleanup_errors=True) as records, Faulty(record_dir=records) as k:
        k.ready()
        story = Story(k.path, Configured(k))
        story.round()
        for place in wanted:
            dies_at(k, story, place)
            print(f"        {place}", flush=True)
        story.over()


def test_each_place_but_those_where_an_association_ends(d):
    wanted = [place for place in places() if place not in ENDS + ("stored",)]
    for first in range(0, len(wanted), 5):
        die_at_all(wanted[first:first + 5])
