# SPDX-License-Identifier: BSD-2-Clause
"""What is done to associations of the userland stack while they are set up:
their peer sleeps meanwhile, or does not answer at all. On whatever kernel
there is."""
import msgpack
from check import nothing, recv, recv_data, setopt
from harness import Daemon, wait_for
from rawpeer import INIT
from relay import HOST, udp
from rpc import WAIT, RpcError
from test_end import no_association
from test_udp import free_port

KINDS = "seqpacket", "stream"


def start():
    port = free_port()
    return Daemon(stack="userland", udp_port=port, peer_udp_port=port)


class Peer:
    """Another sctpd, with a socket that listens; it sleeps while one connects."""

    def __enter__(self):
        self.port = free_port()
        self.d = Daemon(stack="userland", udp_port=self.port)
        self.c = self.d.client()
        self.there = self.c.call("open", ip=HOST)
        self.c.call("listen", sock=self.there["sock"])
        return self

    def __exit__(self, *_):
        self.d.close_clients()
        self.d.idle()
        self.d.stop()

    def begin(self, c, kind, *requests, **options):
        """A set-up towards it, and requests that come before it goes on; gives
        the socket and the association."""
        here = c.call("open", ip=HOST, type=kind, options=options)["sock"]
        setopt(c, here, sctp_remote_udp_encaps_port={"port": self.port})
        with self.d.asleep():
            up = c.call("connect_init", sock=here, addr=HOST, port=self.there["port"])
            assoc = {"sock": here, "assoc_id": up["assoc_id"]}
            for method, args in requests:
                c.call(method, **({"sock": here} if method == "close" else assoc), **args)
            if not requests:
                c.close()
        return here, up["assoc_id"]

    def recv(self, event, **want):
        return recv(self.c, self.there["sock"], event, **want)


SEND = ("send", {"stream": 0, "data": b"before it was up"})
CLOSE, EOF, ABORT = ("close", {}), ("eof", {}), ("abort", {})


def lingering(c):
    return c.call("status")["lingering"]


def silent(c, kind, **options):
    """A set-up towards a peer that does not answer; gives it, and the socket."""
    peer = udp()
    peer.settimeout(WAIT)
    here = c.call("open", ip=HOST, type=kind, options=options)["sock"]
    setopt(c, here, sctp_remote_udp_encaps_port={"port": peer.getsockname()[1]})
    up = c.call("connect_init", sock=here, addr=HOST, port=4000)
    assert peer.recv(65536)[12] == INIT
    return peer, here, up["assoc_id"]


# ---- close ------------------------------------------------------------------


def test_one_that_nobody_answers_is_gone_with_its_socket(d):
    c = d.client()
    for kind in KINDS:
        peer, here, _ = silent(c, kind)
        c.call("close", sock=here)
        assert lingering(c) == 0 and no_association(c)
        peer.close()


def test_a_socket_may_be_closed_while_it_is_refused(d):
    """As often as it takes until what was freed would have been used again."""
    c = d.client()
    for _ in range(30):
        here = c.call("open", ip=HOST, type="stream")["sock"]
        c.sock.sendall(b"".join(msgpack.packb([0, 1000000 + i, method, [args]]) for i, (method, args) in enumerate((
            ("connect_init", {"sock": here, "addr": HOST, "port": 9}), ("close", {"sock": here})))))
        for i in range(2):
            c.answer(1000000 + i)
    wait_for(lambda: lingering(c) == 0)


def test_the_client_may_go_while_it_connects(d):
    for kind in KINDS:
        for on_owner_exit in "close", "abort":
            c = d.client()
            peer, _, _ = silent(c, kind, on_owner_exit=on_owner_exit)
            c.close()
            d.idle()
            peer.close()


def test_another_may_close_a_socket_under_a_connect_that_waits(d):
    c, other = d.client(), d.client()
    for kind in KINDS:
        peer = udp()
        peer.settimeout(WAIT)
        here = c.call("open", ip=HOST, type=kind)["sock"]
        setopt(c, here, sctp_remote_udp_encaps_port={"port": peer.getsockname()[1]})
        waits = c.request("connect", sock=here, addr=HOST, port=4000)
        peer.recv(65536)
        other.call("close", sock=here)
        try:
            raise AssertionError(c.answer(waits))
        except RpcError as e:
            assert e.code == "closed", e
        assert lingering(c) == 0 and no_association(c)
        peer.close()


def test_what_was_sent_before_it_was_up_arrives_though_the_socket_is_closed(d):
    for kind in KINDS:
        with Peer() as p:
            c = d.client()
            p.begin(c, kind, SEND, CLOSE)
            p.recv("sctp_assoc_change", state="comm_up")
            assert recv_data(p.c, p.there["sock"]) == SEND[1]["data"]
            p.recv("sctp_shutdown_event")
            p.recv("sctp_assoc_change", state="shutdown_comp")
            wait_for(lambda: lingering(c) == 0)


def test_one_that_has_sent_and_gets_no_answer_is_given_up(d):
    c = d.client()
    for kind in KINDS:
        peer, here, here_id = silent(c, kind, sctp_initmsg={"max_attempts": 1},
                                     sctp_rtoinfo={"initial": 100, "max": 100, "min": 100})
        c.call("send", sock=here, assoc_id=here_id, stream=0, data=b"x")
        c.call("close", sock=here)
        wait_for(lambda: lingering(c) == 0)
        peer.close()


def test_a_daemon_ends_while_one_that_has_sent_is_set_up(_):
    d = start()
    c = d.client()
    peer, here, here_id = silent(c, "stream")
    c.call("send", sock=here, assoc_id=here_id, stream=0, data=b"x")
    c.call("close", sock=here)
    assert lingering(c) == 1
    d.stop()
    peer.close()


# ---- eof and abort ------------------------------------------------------------


def test_eof_while_it_is_set_up_shuts_down_what_comes_up(d):
    for kind in KINDS:
        with Peer() as p:
            c = d.client()
            here, here_id = p.begin(c, kind, EOF)
            recv(c, here, "sctp_assoc_change", state="comm_up", assoc_id=here_id)
            recv(c, here, "sctp_assoc_change", state="shutdown_comp", assoc_id=here_id)
            p.recv("sctp_assoc_change", state="comm_up")
            p.recv("sctp_shutdown_event")
            p.recv("sctp_assoc_change", state="shutdown_comp")


def test_eof_comes_after_what_was_sent_while_it_was_set_up(d):
    for kind in KINDS:
        with Peer() as p:
            c = d.client()
            here, here_id = p.begin(c, kind, SEND, EOF)
            p.recv("sctp_assoc_change", state="comm_up")
            assert recv_data(p.c, p.there["sock"]) == SEND[1]["data"]
            p.recv("sctp_shutdown_event")
            recv(c, here, "sctp_assoc_change", state="comm_up", assoc_id=here_id)
            recv(c, here, "sctp_assoc_change", state="shutdown_comp", assoc_id=here_id)


def test_eof_of_one_that_gets_no_answer_is_cant_assoc(d):
    c = d.client()
    for kind in KINDS:
        peer, here, here_id = silent(c, kind, sctp_initmsg={"max_attempts": 1},
                                     sctp_rtoinfo={"initial": 100, "max": 100, "min": 100})
        c.call("eof", sock=here, assoc_id=here_id)
        recv(c, here, "sctp_assoc_change", state="cant_assoc", assoc_id=here_id)
        assert nothing(c, here) and no_association(c)
        peer.close()


def test_abort_after_eof_takes_it_back(d):
    c = d.client()
    for kind in KINDS:
        peer, here, here_id = silent(c, kind)
        c.call("send", sock=here, assoc_id=here_id, stream=0, data=b"x")
        c.call("eof", sock=here, assoc_id=here_id)
        c.call("abort", sock=here, assoc_id=here_id)
        recv(c, here, "sctp_assoc_change", state="comm_lost", assoc_id=here_id)
        assert no_association(c)
        peer.close()


def test_two_that_connect_to_each_other_may_go_in_any_way(d):
    """Their set-ups meet, with something to send: usrsctp dies of it where one
    has no socket any more."""
    c, other = d.client(), d.client()
    for ends in ((CLOSE,), (EOF, CLOSE), (EOF, ABORT, CLOSE), (ABORT, CLOSE)):
        for first in 0, 1:
            a, b = (k.call("open", ip=HOST, type="stream", options={
                "sctp_remote_udp_encaps_port": {"port": int(d.config["udp_port"])}}) for k in (c, other))
            ups = [(x["sock"], y["port"]) for x, y in ((a, b), (b, a))]
            calls = [("connect_init", {"sock": s, "addr": HOST, "port": port})
                     for s, port in (ups if first else reversed(ups))]
            calls += [("send", {"sock": a["sock"], "stream": 0, "data": b"x"})]
            calls += [(method, {"sock": a["sock"]}) for method, _ in ends]
            ids = range(2000000, 2000000 + len(calls))
            c.sock.sendall(b"".join(msgpack.packb([0, i, *call[:1], [call[1]]])
                                    for i, call in zip(ids, calls)))
            for i, (method, _) in zip(ids, calls):
                try:
                    c.answer(i)
                except RpcError as e:  # one of the two may be over already
                    assert e.code == "epipe" and method in ("send", "eof", "abort"), (method, e)
            other.call("close", sock=b["sock"])
            wait_for(lambda: lingering(c) == 0)
