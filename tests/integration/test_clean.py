# SPDX-License-Identifier: BSD-2-Clause
"""How sctpd starts, refuses to start, and ends."""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness import BUILD, SLOW, WRAP, Daemon, associate
from rpc import WAIT, Client, RpcError

SCTPD = os.path.join(BUILD, "sctpd")


def run(*args, **options):
    """Run it to its end: (exit status, standard output, standard error)."""
    p = subprocess.run([SCTPD, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       check=False, stdin=subprocess.DEVNULL, timeout=WAIT, **options)
    return p.returncode, p.stdout, p.stderr


def check_config(text):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write(text)
        f.flush()
        status, out, err = run("-t", "-c", f.name)
        assert out == "", out
        return status, err.replace(f.name, "FILE")


# ---- the command line ------------------------------------------------------


def test_help(_):
    status, out, err = run("-h")
    assert (status, err) == (0, "") and out.startswith("usage: sctpd "), (status, out, err)


def test_version(_):
    status, out, err = run("-V")
    assert (status, err) == (0, "") and re.fullmatch(r"sctpd \d+\.\d+\.\d+\n", out), (status, out, err)


def test_unknown_flags(_):
    for args in ["-x"], ["-c"], ["-t", "what"]:
        status, out, err = run(*args)
        assert (status, out) == (2, "") and "sctpd -h" in err, (status, out, err)


def test_good_config(_):
    assert check_config("# a comment\n\nmax_clients = 7\n  log_level=debug  \n"
                        "max_message = 2M\nsocket = /tmp/x\n") == (0, "")


def test_bad_config(_):
    for text, line, says in (
            ("max_clients = 7\nnonsense = 1\n", 2, "nonsense"),
            ("\n\nmax_clients = many\n", 3, "max_clients"),
            ("max_clients = 0\n", 1, "from 1 to"),
            ("max_message = 1G5\n", 1, "max_message"),
            ("log_level = loud\n", 1, "is none of err, warning, notice, info, debug"),
            ("socket_mode = 0999\n", 1, "octal"),
            ("what is this\n", 1, "key = value")):
        status, err = check_config(text)
        assert status == 78, (text, status, err)
        assert f"FILE:{line}: " in err and says in err, (text, err)


def test_config_that_is_not_there(_):
    status, _, err = run("-t", "-c", "/nowhere/sctpd.conf")
    assert status == 78 and "/nowhere/sctpd.conf: No such file" in err, (status, err)


def test_printed_config_is_a_config(_):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("max_clients = 99\nsocket_mode = 0600\n")
        f.flush()
        status, out, err = run("-T", "-c", f.name)
    assert (status, err) == (0, ""), (status, err)
    assert "\nmax_clients = 99\n" in out and "\nsocket_mode = 0600\n" in out, out
    assert check_config(out) == (0, "")


# ---- the socket ------------------------------------------------------------


def test_second_on_the_same_path(d):
    status, _, err = run("-s", d.path)
    assert status == 1 and f"{d.path}: another sctpd is running there" in err, (status, err)
    d.client().call("status")


def test_path_that_cannot_be(_):
    for path, why in (("/dev/null/s", "Not a directory"), ("/tmp/" + "x" * 200, "too long")):
        status, _, err = run("-s", path)
        assert status == 1 and path in err and why in err, (status, err)


def test_stale_socket(_):
    """One that was killed leaves its socket file, which is no obstacle."""
    first = Daemon()
    first.process.kill()
    first.process.wait(WAIT)
    assert os.path.exists(first.path)
    second = Daemon(path=first.path)
    second.client().call("status")
    second.stop()
    assert not os.path.exists(first.path)
    shutil.rmtree(first.dir)


def test_permissions(_):
    d = Daemon(socket_mode="0600")
    assert os.stat(d.path).st_mode & 0o777 == 0o600
    d.stop()


# What systemd does before it becomes the service.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execvp(sys.argv[2], sys.argv[2:])
"""


def test_socket_activation(_):
    """As systemd does it: the listening socket is descriptor 3."""
    folder = tempfile.mkdtemp(prefix="sctpd-")
    path = os.path.join(folder, "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        early = Client(path)        # before there is a daemon at all
        number = early.request("status")

        p = subprocess.Popen([sys.executable, "-c", ACTIVATE, str(listener.fileno()), *WRAP, SCTPD,
                              "-c", "/dev/null", "-s", "/nowhere/at/all"],
                             pass_fds=[listener.fileno()], stderr=subprocess.PIPE)
    early.sock.settimeout(WAIT * SLOW)
    assert early.answer(number)["pid"] == p.pid
    sock = early.call("open")["sock"]
    assert early.call("sockname", sock=sock)["addr"] == "0.0.0.0"
    p.terminate()
    err = p.communicate(timeout=WAIT * SLOW)[1].decode()
    assert p.returncode == 0, err
    assert os.path.exists(path), "the socket is systemd's to remove"
    shutil.rmtree(folder)


# ---- the end ---------------------------------------------------------------


def everything_open(d):
    """Something of every kind, left as it is."""
    a, b, c = d.client("a"), d.client("b"), d.client("c")
    a.call("watch")
    # An association with data that nobody reads, in each kind of socket.
    there, there_id, here, here_id = associate(a, to=b)
    a.call("send", sock=here, assoc_id=here_id, stream=0, data=b"x" * 100000)
    b.call("setopts", sock=there, options={"active": 5})
    there, there_id, here, here_id = associate(a, to=b)
    a.call("send", sock=here, assoc_id=here_id, stream=0, data=b"x" * 100000)
    b.call("peeloff", sock=there, assoc_id=there_id)
    stream = b.call("open", type="stream", ip="::1")
    b.call("listen", sock=stream["sock"])
    for accept in True, False:
        one = a.call("open", type="stream", ip="::1")["sock"]
        a.call("connect", sock=one, addr="::1", port=stream["port"])
        if accept:
            b.call("accept", sock=stream["sock"])
        a.call("send", sock=one, stream=0, data=b"x" * 100000)
    # Sends without room, and everything else that waits.
    stuck = associate(a, to=c)
    for _ in range(20):
        c.request("send", sock=stuck[2], assoc_id=stuck[3], stream=0, data=b"y" * 1000000)
    a.request("recv", sock=a.call("open")["sock"])
    idle = a.call("open", type="stream")["sock"]
    a.call("listen", sock=idle)
    a.request("accept", sock=idle)
    a.request("connect", sock=a.call("open")["sock"], addr="10.0.9.9", port=9)
    a.call("connect_init", sock=a.call("open")["sock"], addr="10.0.9.9", port=9)
    # Half a request; a client that says nothing.
    b.sock.send(b"\x94\x00")
    d.client().call("status")


def test_ends_with_everything_open(_):
    for number in signal.SIGTERM, signal.SIGINT:
        d = Daemon()
        everything_open(d)
        d.process.send_signal(number)
        text = d.ended()
        assert f"stopping on signal {int(number)}" in text, text
        assert not os.path.exists(d.path)
        d.close_clients()


def test_clients_go_with_everything_open(d):
    everything_open(d)


# ---- limits ----------------------------------------------------------------


def cpu(d):
    """Seconds of processor time it took until now."""
    with open(f"/proc/{d.process.pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_max_clients(_):
    d = Daemon(max_clients=3)
    clients = [d.client(f"{i}") for i in range(3)]
    late = Client(d.path)
    late.sock.settimeout(WAIT * SLOW)
    number = late.request("status")
    while "max_clients is reached" not in d.log_text():
        clients[0].call("status")
    clients[1].close()
    assert late.answer(number)["clients"] == 3
    late.close()
    d.stop()


def test_out_of_descriptors(_):
    """Clients wait for one that leaves; those that are in are served; nothing spins."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    d = Daemon()
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (d.descriptors() + 10, limit[1]))
    first = d.client("first")
    sock = first.call("open")["sock"]
    waiting = [Client(d.path) for _ in range(20)]
    numbers = [c.request("status") for c in waiting]
    while "clients wait" not in d.log_text():
        first.call("status")
    used, start = cpu(d), time.monotonic()
    assert first.call("sockname", sock=sock)["port"] > 0
    for c, number in zip(waiting, numbers):
        c.sock.settimeout(WAIT * SLOW)
        c.answer(number)
        c.close()
    assert cpu(d) - used < (time.monotonic() - start) / 2 + 0.1 * SLOW
    d.stop()


def test_out_of_descriptors_for_associations(_):
    """Whatever needs a descriptor at the worst moment fails by itself."""
    d = Daemon()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    c = d.client("c")
    failed = set()
    for spare in range(12):
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (d.descriptors() + spare, limit[1]))
        for kind in "seqpacket", "stream":
            try:
                there, _, here, here_id = associate(c, type=kind)
            except (RpcError, TimeoutError) as e:
                failed.add(str(e).split(":", 1)[0])
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, limit)
        for row in c.call("sockets")["sockets"]:
            c.call("close", sock=row["sock"])
        while c.call("status")["lingering"]:
            pass
    print(failed)
    d.stop()
