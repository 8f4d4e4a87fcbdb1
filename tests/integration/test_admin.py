# SPDX-License-Identifier: BSD-2-Clause
"""What administrators may do, who they are, what clients see of it, and what the
log says of who it was."""
import os
import pty
import re
import signal
import subprocess

from check import WAIT_MS, code, recv, refusal
from harness import BUILD, SLOW, Daemon, Skip, associate, wait_for
from hosts import LEFT, RIGHT, Hosts
from rpc import WAIT
from test_keeper import Kept
from test_log import says
from test_privilege import ALICE, BOB, client

SCTPCTL = os.path.join(BUILD, "sctpctl")
NOBODY = 65534


def start(**config):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    return Daemon(socket_mode="0666", admin_users="nobody", log_level="info", **config)


def by(name, uid, c, program=r"[^,]+"):
    """Who it was, as a line says it."""
    return rf"{name} \(user {uid}, process {os.getpid()}, {program}, client {c.call('hello')['client']}\)"


def ctl(d, *words, status=0):
    got = subprocess.run([SCTPCTL, "-s", d.path, *words], capture_output=True, text=True, timeout=WAIT * SLOW, check=False)
    assert got.returncode == status, got
    return got


# ---- associations, sockets, clients ----------------------------------------


def test_an_administrator_aborts_what_is_anothers(d):
    alice, admin = client(d, ALICE), client(d, NOBODY)
    there, there_id, here, here_id = associate(alice)
    admin.call("abort", sock=here, assoc_id=here_id)
    recv(alice, here, "sctp_assoc_change", state="comm_lost", error=12)
    assert recv(alice, there, "sctp_assoc_change", state="comm_lost", error=12)["info"].endswith(b"aborted by an administrator")
    says(d, rf"sctpd: notice: assoc {here_id}: aborted by {by('nobody', NOBODY, admin)}: "
         rf'its reason is "aborted by an administrator", peer=.* uid={ALICE}$')
    says(d, rf"assoc {there_id}: aborted by the peer: User Initiated Abort: .aborted by an administrator. ")


def test_an_administrator_closes_what_is_anothers(d):
    alice, admin = client(d, ALICE), client(d, NOBODY)
    alice.call("hello")
    sock = alice.call("open", ip="127.0.0.1")["sock"]
    admin.call("close", sock=sock)
    assert re.fullmatch(f"it was closed by {by('nobody', NOBODY, admin)}", alice.event("sctp_closed", sock=sock)["reason"])
    says(d, rf"sctpd: notice: sock {sock}: closed by {by('nobody', NOBODY, admin)}, client=\d+ uid={ALICE}$")


def test_an_administrator_disconnects_a_client(d):
    alice, admin = client(d, ALICE, "victim"), client(d, NOBODY)
    there, there_id, here, _ = associate(alice, to=admin)
    number = alice.call("hello")["client"]
    admin.call("disconnect", client=number)
    told = alice.event("error")
    assert re.fullmatch(f"eacces: this client was disconnected by {by('nobody', NOBODY, admin)}", told["error"]), told
    recv(admin, there, "sctp_shutdown_event", assoc_id=there_id)
    recv(admin, there, "sctp_assoc_change", state="shutdown_comp")
    says(d, rf"sctpd: notice: client {number}: disconnected by {by('nobody', NOBODY, admin)}, uid={ALICE} pid=\d+$")
    assert refusal(admin, "disconnect", client=number) == \
        f"badarg: client {number}: there is no such client; the method clients lists them"
    me = admin.call("hello")["client"]
    assert refusal(admin, "disconnect", client=me) == f"einval: client {me}: it is you; close the connection instead"
    assert code(client(d, ALICE), "close", sock=here) == "closed"


def test_others_may_not(d):
    alice, bob = client(d, ALICE), client(d, BOB)
    number = alice.call("hello")["client"]
    _, _, here, here_id = associate(alice)
    assert refusal(bob, "abort", sock=here, assoc_id=here_id) == \
        f"eacces: sock {here}: it belongs to user {ALICE}, and you are user {BOB}"
    assert code(bob, "close", sock=here) == "eacces"
    for method, args in (("disconnect", {"client": number}), ("disconnect", {"client": 1}), ("drain", {"on": True}),
                         ("log_level", {"level": "err"})):
        assert refusal(bob, method, **args) == \
            f"eacces: {method}: it is for administrators; you are user {BOB}, and admin_users in sctpd.conf does not name you"
    assert bob.call("drain") == {"on": False, "associations": 2} and bob.call("log_level") == {"level": "info"}
    client(d, ALICE).call("disconnect", client=number)  # one of the same user


def test_an_administrator_sees_all_and_uses_nothing(d):
    alice, admin, bob = client(d, ALICE), client(d, NOBODY), client(d, BOB)
    _, _, here, here_id = associate(alice)
    assert [s["sock"] for s in admin.call("sockets")["sockets"] if s["sock"] == here] == [here]
    assert here in [a["sock"] for a in admin.call("assocs", sock=here)["assocs"]]
    assert alice.call("hello")["client"] in [c["client"] for c in admin.call("clients")["clients"]]
    assert bob.call("sockets")["sockets"] == [] and bob.call("assocs")["assocs"] == []
    assert code(admin, "send", sock=here, assoc_id=here_id, data=b"x") == "eacces"
    assert code(admin, "recv", sock=here) == "eacces" and code(admin, "setopts", sock=here, options={}) == "eacces"


# ---- drain -----------------------------------------------------------------


def test_a_drained_daemon_takes_no_new_associations(d):
    for kind in "seqpacket", "stream":
        c, admin = client(d, ALICE), client(d, NOBODY)
        there, _, here, here_id = associate(c)
        listener = c.call("open", ip="127.0.0.1", type=kind)
        c.call("listen", sock=listener["sock"])
        assert admin.call("drain", on=True) == {"on": True, "associations": 2}
        assert c.call("status")["draining"] is True
        sock = c.call("open", ip="127.0.0.1")["sock"]
        assert refusal(c, "connect", sock=sock, addr="127.0.0.1", port=listener["port"]) == \
            "eagain: an administrator drains sctpd: it takes no new associations; the method drain with on: false ends that"
        c.call("send", sock=here, assoc_id=here_id, data=b"goes on")
        assert recv(c, there, "data")["data"] == b"goes on"
        assert admin.call("drain", on=False) == {"on": False, "associations": 2}
        assert c.call("connect", sock=sock, addr="127.0.0.1", port=listener["port"], timeout=WAIT_MS)["state"] == "comm_up"
        for s in (there, here, listener["sock"], sock):
            c.call("close", sock=s)
    says(d, rf"sctpd: notice: draining: no new associations, by {by('nobody', NOBODY, admin)}, associations=2$")
    says(d, rf"sctpd: notice: draining ended: new associations are taken again, by {by('nobody', NOBODY, admin)}, associations=2$")


def test_peers_are_refused_while_it_is_drained(_):
    """With an ABORT, so that they look for another host at once."""
    h = Hosts(log_level="info")
    for times, kind in (1, "seqpacket"), (2, "stream"):
        c, far = h.right.client(), h.left.client()
        there = c.call("open", ip=RIGHT[0], type=kind, options={"active": True})
        c.call("listen", sock=there["sock"])
        c.call("drain", on=True)
        here = far.call("open", ip=LEFT[0], options={"active": True})["sock"]
        far.call("connect_init", sock=here, addr=RIGHT[0], port=there["port"])
        says(h.right, r"sctpd: notice: assoc \d+: refused: an administrator drains sctpd: it takes no new associations, ", times)
        assert far.event("sctp_assoc_change", sock=here)["state"] in ("comm_up", "cant_assoc")
        wait_for(lambda: far.call("assocs")["assocs"] == [])
        assert c.call("drain", on=False) == {"on": False, "associations": 0}
        h.close_clients()
    h.stop()


def test_sctpctl_drains_waits_and_ends_it(d):
    c = client(d, ALICE)
    _, _, here, here_id = associate(c)
    got = ctl(d, "drain", "0", status=5)
    assert "2 associations are left; sctpctl assocs lists them" in got.stderr
    assert "drained: no new ones are taken" in ctl(d, "status").stdout
    master, slave = pty.openpty()
    p = subprocess.Popen([SCTPCTL, "-s", d.path, "drain", "600"], stdout=subprocess.PIPE, stderr=slave, text=True)
    os.close(slave)
    shown = b""
    while b"draining: 2 of 2 associations left" not in shown:
        shown += os.read(master, 4096)
    c.call("abort", sock=here, assoc_id=here_id)
    c.close()
    assert p.stdout.read() == "drained: no association is left; sctpctl undrain takes new ones again\n" and p.wait(WAIT) == 0
    p.stdout.close()
    os.close(master)
    ctl(d, "undrain")
    assert "drained" not in ctl(d, "status").stdout
    assert ctl(d, "drain", "soon", status=2).stderr.startswith("sctpctl: drain takes the longest time to wait")
    assert ctl(d, "--json", "drain").stdout.strip() == '{"on": true, "associations": 0}'
    ctl(d, "undrain")


def test_a_drained_daemon_stays_so_over_a_kill(_):
    d = Kept()
    admin = d.client()
    admin.call("drain", on=True)
    pid = d.child()
    os.kill(pid, signal.SIGKILL)
    d.next_child(pid)
    assert d.client().call("drain") == {"on": True, "associations": 0}
    assert d.client().call("drain", on=False)["on"] is False
    pid = d.child()
    os.kill(pid, signal.SIGKILL)
    d.next_child(pid)
    assert d.client().call("drain")["on"] is False
    d.stop()


# ---- the log level ---------------------------------------------------------


def test_the_log_level_can_be_changed(d):
    c = d.client()
    assert ctl(d, "log-level").stdout == "info\n"
    assert ctl(d, "log-level", "debug").stdout == "debug\n"
    says(d, r"sctpd: notice: log level: debug, it was info, by root \(user 0, process \d+, sctpctl, client \d+\)$")
    client(d, ALICE)
    says(d, rf"sctpd: debug: client \d+: connected, pid={os.getpid()} uid={ALICE}$")
    assert ctl(d, "log-level", "err").stdout == "err\n"
    says(d, r"sctpd: notice: log level: err, it was debug, by root ")
    _, _, here, _ = associate(c)
    assert f" sock={here} " not in d.log_text()
    assert '"loud" is not one of its words: err, warning, notice, info, debug' in ctl(d, "log-level", "loud", status=2).stderr
    d.process.send_signal(signal.SIGHUP)
    says(d, r"sctpd: notice: config: read again$")
    assert c.call("log_level") == {"level": "info"}
