# SPDX-License-Identifier: BSD-2-Clause
"""How sctpd starts, refuses to start, and ends."""
import contextlib
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

import msgpack

from harness import BUILD, SLOW, WRAP, Daemon, Skip, associate, wait_for
from hosts import networks
from rpc import WAIT, Client, RpcError

PATIENCE = WAIT * SLOW * 1000
NOBODY = "10.0.1.9"     # in the networks of two-hosts.sh: who sends there gets no answer
SCTPD = os.path.join(BUILD, "sctpd")


def run(*args, program=SCTPD, **options):
    """Run it to its end: (exit status, standard output, standard error)."""
    p = subprocess.run([program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
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
    for flag in "-h", "--help":
        status, out, err = run(flag)
        assert (status, err) == (0, "") and out.startswith("usage: sctpd "), (status, out, err)


def test_version(_):
    for flag in "-V", "--version":
        status, out, err = run(flag)
        assert (status, err) == (0, ""), (status, err)
        assert re.fullmatch(r"sctpd \d+\.\d+\.\d+\n", out), out


def test_long_flags(_):
    """Each short one has a long one, with the same effect."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write("max_clients = 99\n")
        f.flush()
        short = run("-T", "-c", f.name, "-s", f"{f.name}.sock", "-l", "debug", "-u", "root")
        long = run("--print", "--config", f.name, f"--socket={f.name}.sock", "--log-level", "debug", "--user", "root")
        assert short == long and short[0] == 0 and "\nuser = root\n" in short[1], (short, long)
        assert run("--test", "--config", f.name) == run("-t", "-c", f.name) == (0, "", "")


def test_unknown_flags(_):
    for args in ["-x"], ["-c"], ["-t", "what"]:
        status, out, err = run(*args)
        assert (status, out) == (2, "") and "sctpd -h" in err, (status, out, err)


def test_good_config(_):
    assert check_config("# a comment\n\nmax_clients = 7\n  log_level=debug  \n"
                        "max_message = 2M\nsocket = /tmp/no-such-directory/x\n") == (0, "")


def test_bad_config(_):
    for text, line, says in (
            ("max_clients = 7\nnonsense = 1\n", 2, "nonsense"),
            ("\n\nmax_clients = many\n", 3, "max_clients"),
            ("max_clients = 0\n", 1, "from 1 to"),
            ("max_message = 1G5\n", 1, "max_message"),
            ("log_level = loud\n", 1, "is none of err, warning, notice, info, debug"),
            ("socket_mode = 0999\n", 1, "octal"),
            ("what is this\n", 1, "key = value"),
            ("max_clients = 10\0abc\n", 1, "there is a NUL byte in the line"),
            ("max_clients = 10\n\nmax_clients = 10\n", 3, "it is set in line 1 already")):
        status, err = check_config(text)
        assert status == 78, (text, status, err)
        assert f"FILE:{line}: " in err and says in err, (text, err)


def test_names_of_what_is_not_there(_):
    """What is found at the start only, -t finds before."""
    for text, says in (("socket_group = nosuchgroup\n", "nosuchgroup: there is no such group; see socket_group"),
                       ("socket =\n", "socket: it is empty; it takes the path of a Unix socket"),
                       ("user = nobody-at-all\n", "user: nobody-at-all: there is no such user"),
                       ("socket = /nowhere/at/all/s\n", "/nowhere/at/all: No such file or directory; make the directory first, "
                        "or serve elsewhere: sctpd -s PATH"),
                       ("socket = /tmp/" + "x" * 200, "the path is too long for a Unix socket")):
        status, err = check_config(text)
        assert status == 78 and err.endswith(says + "\n"), (status, err)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write(text)
            f.flush()
            assert run("-T", "-c", f.name)[::2] == (status, err.replace("FILE", f.name))


def test_a_directory_is_no_config(_):
    status, _, err = run("-t", "-c", "/tmp")
    assert (status, err) == (78, "sctpd: err: /tmp: Is a directory\n"), (status, err)


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


@contextlib.contextmanager
def folder():
    there = tempfile.mkdtemp(prefix="sctpd-")
    yield there
    shutil.rmtree(there)


def refuses(path, *says, **options):
    """It does not start there, and says why; -t finds it as well."""
    status, _, err = run("-s", path, **options)
    assert status == 1 and all(text in err for text in says), (status, err)
    return err


def test_what_is_no_socket_stays(_):
    """A file, a link to one, a directory: they are somebody's."""
    with folder() as there:
        file, link = os.path.join(there, "precious"), os.path.join(there, "link")
        with open(file, "w") as f:
            f.write("precious")
        os.symlink(file, link)
        for path in file, link:
            refuses(path, f"{path}: it exists and is not a socket")
        refuses(there, f"{there}: it is a directory")
        status, _, err = run("-t", "-s", file)
        assert status == 78 and "is not a socket" in err, (status, err)
        with open(link) as f:
            assert f.read() == "precious"
        assert sorted(os.listdir(there)) == ["link", "precious"]     # and nothing beside it


def test_a_lock_that_is_no_file_is_not_opened(_):
    """Neither what a link leads to nor a FIFO is taken for the lock."""
    with folder() as there:
        path, victim = os.path.join(there, "s"), os.path.join(there, "victim")
        os.symlink(victim, path + ".lock")
        refuses(path, f"{path}.lock: it is not a regular file")
        assert not os.path.exists(victim)
        os.unlink(path + ".lock")
        os.mkfifo(path + ".lock")
        refuses(path, f"{path}.lock: it is not a regular file")


def test_another_programs_socket_stays(_):
    """One that somebody listens at is no leftover."""
    with folder() as there, socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(there, "s")
        listener.bind(path)
        listener.listen()
        refuses(path, f"{path}: another program serves there")
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(path)


def test_where_an_ordinary_user_may_not_write(_):
    """It is said what to do. The program is where that user may run it."""
    if os.getuid() != 0:
        raise Skip("only root can be another user")
    with folder() as there:
        os.chmod(there, 0o755)
        program = shutil.copy(SCTPD, there)
        for path in os.path.join(there, "s"), os.path.join(there, "new", "s"):
            refuses(path, "Permission denied; serve at a path where you may write: sctpd -s PATH",
                    "SCTPD_SOCKET", program=program, user=65534)
    refuses("/nowhere/at/all/s", "/nowhere/at/all: No such file or directory; make the directory first")


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
    send = {"sock": stuck[2], "assoc_id": stuck[3], "stream": 0, "data": b"y" * 1000000}
    assert c.push(b"".join(msgpack.packb([0, i, "send", [send]]) for i in range(20)), 0.5)
    a.request("recv", sock=a.call("open")["sock"])
    idle = a.call("open", type="stream")["sock"]
    a.call("listen", sock=idle)
    a.request("accept", sock=idle)
    a.request("connect", sock=a.call("open")["sock"], addr=NOBODY, port=9)
    a.call("connect_init", sock=a.call("open")["sock"], addr=NOBODY, port=9)
    # Half a request; a client that says nothing.
    b.sock.send(b"\x94\x00")
    d.client().call("status")


def test_ends_with_everything_open(_):
    """First all clients go, then the same again and the daemon does."""
    networks("up")
    try:
        d = Daemon(netns="left")
        everything_open(d)
        d.close_clients()
        d.idle()
        everything_open(d)
        d.process.terminate()
        assert "stopping on signal 15" in d.ended()
        assert not os.path.exists(d.path)
        d.close_clients()
    finally:
        networks("down")


def test_ends_on_sigint(_):
    d = Daemon()
    d.process.send_signal(signal.SIGINT)
    assert "stopping on signal 2" in d.ended()


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
    wait_for(lambda: "max_clients is reached" in d.log_text())
    clients[1].close()
    assert late.answer(number)["clients"] == 3
    late.close()
    d.stop()


@contextlib.contextmanager
def descriptors_left(d, n):
    """It can open so many more; and all its limit allows afterwards."""
    limit = resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE)
    used = {int(fd) for fd in os.listdir(f"/proc/{d.process.pid}/fd")}
    free = [fd for fd in range(len(used) + n + 1) if fd not in used]
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (free[n], limit[1]))
    yield
    resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, limit)


@contextlib.contextmanager
def sleeping(d):
    """It does not spin meanwhile."""
    used, began = cpu(d), time.monotonic()
    yield
    used, took = cpu(d) - used, time.monotonic() - began
    assert used < took / 2 + 0.1 * SLOW, f"{used} s of {took}"


def test_clients_without_descriptors(_):
    """They wait until others leave; those that are in are served."""
    d = Daemon()
    first = d.client("first")
    sock = first.call("open")["sock"]
    with descriptors_left(d, 10):
        waiting = [Client(d.path) for _ in range(20)]
        numbers = [c.request("status") for c in waiting]
        wait_for(lambda: "clients wait" in d.log_text())
        with sleeping(d):
            assert first.call("sockname", sock=sock)["port"] > 0
            for c, number in zip(waiting, numbers):
                c.sock.settimeout(WAIT * SLOW)
                c.answer(number)
                c.close()
    d.stop()


def try_to_associate(c):
    """A listener and a peer to it, as far as they come: how it ended."""
    try:
        there = c.call("open", ip="127.0.0.1")
        c.call("listen", sock=there["sock"])
        here = c.call("open")["sock"]
        c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=PATIENCE)
        up = c.call("recv", sock=there["sock"], timeout=PATIENCE)
        assert up["state"] == "comm_up", up
        c.call("send", sock=there["sock"], assoc_id=up["assoc_id"], stream=0, data=b"x")
        got = c.call("recv", sock=here, timeout=PATIENCE)
        return got.get("state", got["event"])
    except RpcError as e:
        return e.code


def test_associations_without_descriptors(_):
    """Whatever finds none fails by itself, whenever that is."""
    d = Daemon()
    c = d.client("first")  # whose answer says that its own connection has a descriptor
    ends = []
    while ends[-1:] != ["data"]:
        with descriptors_left(d, len(ends)):
            ends.append(try_to_associate(c))
        for row in c.call("sockets")["sockets"]:
            c.call("close", sock=row["sock"])
        wait_for(lambda: c.call("status")["lingering"] == 0)
    assert ends[0] == "emfile" and set(ends[:-1]) <= {"emfile", "epipe", "cant_assoc", "comm_lost"}, ends
    d.stop()


def test_accept_without_room(_):
    """What cannot be accepted waits, for a descriptor or a socket."""
    d = Daemon(max_sockets=4)
    c = d.client()
    there = c.call("open", type="stream", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    for kind in "descriptor", "socket":
        here = c.call("open", type="stream")["sock"]
        c.call("connect", sock=here, addr="127.0.0.1", port=there["port"], timeout=PATIENCE)
        blocks = [c.call("open")["sock"] for _ in range(2 if kind == "socket" else 0)]
        with descriptors_left(d, 100 if blocks else 0), sleeping(d):
            try:
                c.call("accept", sock=there["sock"], timeout=300 * SLOW)
                raise AssertionError("it was accepted")
            except RpcError as e:
                assert e.code == "timeout", e
        number = c.request("accept", sock=there["sock"])
        for sock in blocks:
            c.call("close", sock=sock)
        accepted = c.answer(number)["accepted"]
        c.call("send", sock=here, stream=0, data=b"patience")
        assert c.call("recv", sock=accepted)["event"] == "sctp_assoc_change"
        assert c.call("recv", sock=accepted)["data"] == b"patience"
        c.call("close", sock=here)
        c.call("close", sock=accepted)
    d.stop()
