# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl run: programs that know nothing of sctpd get their SCTP from it. The
programs here are those that the check has installed; `make run-programs` has
more."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile


from harness import SCRATCH, SLOW, STACK, WAIT, Daemon, Skip, compiled, wait_for
from hosts import Program
from test_cli import SCTPCTL, run


def ready():
    """Does this sctpctl have it, and does the kernel?"""
    got = subprocess.run([SCTPCTL, "run", "--", "true"], capture_output=True, text=True, check=False,
                         env={**os.environ, "SCTPD_SOCKET": "/nowhere"})
    for why in "built without run", "cannot tell a supervisor":
        if why in got.stderr:
            raise Skip(got.stderr.strip())


def under(d, *command, options=()):
    """The program, run."""
    ready()
    return Program(SCTPCTL, "-s", d.path, *options, "run", "--", *map(str, command))


def child_of(p):
    """The process of the program itself."""
    [pid] = map(int, subprocess.run(["pgrep", "-P", str(p.process.pid)], capture_output=True, text=True, check=True).stdout.split())
    return pid


def ran(d, *command, options=(), text=""):
    """Its exit status, and what it printed."""
    ready()
    got = subprocess.run([SCTPCTL, "-s", d.path, *options, "run", "--", *map(str, command)], input=text,
                         capture_output=True, text=True, check=False, timeout=WAIT * SLOW)
    return got.returncode, got.stdout, got.stderr


def listens(c, port):
    """Wait until a socket of somebody listens there."""
    wait_for(lambda: any(s["port"] == port and s["listening"] for s in c.call("sockets")["sockets"]))


# ---- programs ----------------------------------------------------------

def test_ncat_talks_with_ncat(d):
    c = d.client()
    with under(d, "ncat", "--sctp", "-l", "127.0.0.1", 5300) as server:
        listens(c, 5300)
        with under(d, "ncat", "--sctp", "127.0.0.1", 5300) as client:
            client.write("from the client")
            server.expect("^from the client$")
            server.write("from the server")
            client.expect("^from the server$")
            client.process.stdin.close()
            client.process.stdin = open(os.devnull, "wb")
            assert server.process.wait(WAIT * SLOW) == 0
            assert client.process.wait(WAIT * SLOW) == 0


def test_natural_numbers(d):
    """The same with every call trapped."""
    c = d.client()
    with under(d, "ncat", "--sctp", "-l", "127.0.0.1", 5301, "--exec", "/bin/cat", options=["--fds", "all"]):
        listens(c, 5301)
        with under(d, "ncat", "--sctp", "127.0.0.1", 5301, options=["--fds", "all"]) as client:
            client.write("to a program that reads its standard input")
            client.expect("^to a program that reads its standard input$")


def test_a_standard_input_is_a_stream(d):
    """A program puts the socket in the place of standard input and output of another, which reads and writes bytes."""
    c = d.client()
    with under(d, "ncat", "--sctp", "-l", "127.0.0.1", 5302, "--exec", "/bin/cat"):
        listens(c, 5302)
        with under(d, "ncat", "--sctp", "127.0.0.1", 5302) as client:
            client.write("to cat")
            client.expect("^to cat$")


def test_sctp_test_talks_with_sctp_test(d):
    """One-to-many, with all parameters and events; 100 messages of several lengths."""
    c = d.client()
    with under(d, "sctp_test", "-H", "127.0.0.1", "-P", 5303, "-l") as server:
        listens(c, 5303)
        status, _, err = ran(d, "sctp_test", "-H", "127.0.0.1", "-P", 5304, "-h", "127.0.0.1", "-p", 5303, "-s", "-c", 3)
        assert status == 0, err
        server.expect("SHUTDOWN_COMPLETE")
        assert len(re.findall(r"Data +\d+ bytes", server.output)) == 100, server.output


def test_sctp_darn_talks_with_sctpctl(d):
    c = d.client()
    with under(d, "sctp_darn", "-H", "127.0.0.1", "-P", 5305, "-l") as server:
        listens(c, 5305)
        status, _, err = run(d, "connect", "127.0.0.1", 5305, text="hello\n")
        assert status == 0, err
        server.expect(r"DATA\(5\):  hell")


# ---- what becomes of the program ---------------------------------------

def test_the_exit_status_is_the_programs(d):
    assert ran(d, "sh", "-c", "exit 7")[0] == 7
    assert ran(d, "sh", "-c", "kill -USR1 $$")[0] == -signal.SIGUSR1
    assert ran(d, "cat", text="its input\n") == (0, "its input\n", "")


def test_signals_are_passed_on(d):
    ready()
    script = "trap 'echo got it; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    with under(d, "sh", "-c", script) as p:
        p.expect("ready")
        p.process.terminate()
        p.expect("got it")
        assert p.process.wait(WAIT * SLOW) == 3


def test_what_is_wrong_has_a_name(d):
    ready()
    status, _, err = ran(d, "/nowhere/program")
    assert status == 127 and "/nowhere/program: No such file or directory" in err, err
    with tempfile.NamedTemporaryFile() as f:
        status, _, err = ran(d, f.name)
        assert status == 126 and "Permission denied" in err, err
    got = subprocess.run([SCTPCTL, "-s", "/nowhere", "run", "--", "true"], capture_output=True, text=True, check=False)
    assert got.returncode == 3 and "/nowhere" in got.stderr, got.stderr
    status, _, err = run(d, "run")
    assert status == 2 and "run takes a program" in err, err
    status, _, err = ran(d, SCTPCTL, "-s", d.path, "run", "--", "true")
    assert status == 1 and "run does not go inside of run" in err, err


def test_with_v_it_says_what_is_called(d):
    status, _, err = ran(d, "ncat", "--sctp", "127.0.0.1", 1, options=["-v"])
    assert status == 1 and re.search(r"ncat: socket: .*600", err) and re.search(r"ncat: connect: descriptor 600", err), err


def test_a_program_that_is_killed_leaves_nothing(d):
    c = d.client()
    with under(d, "sctp_test", "-H", "127.0.0.1", "-P", 5306, "-l") as p:
        listens(c, 5306)
        os.kill(child_of(p), signal.SIGKILL)
        assert p.process.wait(WAIT * SLOW) == -signal.SIGKILL
        assert c.call("sockets")["sockets"] == []


def test_a_program_that_is_killed_amid_calls(d):
    """Their answers still come, and find nobody."""
    c = d.client()
    ready()
    text = """import socket, threading
l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
l.bind(("127.0.0.1", 5308))
l.listen(100)
def calls():
    while True:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
        s.connect_ex(("127.0.0.1", 5308))
        s.close()
threads = [threading.Thread(target=calls) for _ in range(20)]
for t in threads:
    t.start()
print("ready", flush=True)
"""
    for _ in range(10 if STACK == "userland" else 1):
        with under(d, sys.executable, "-c", text) as p:
            p.expect("ready")
            os.kill(child_of(p), signal.SIGKILL)
            assert p.process.wait(WAIT * SLOW) == -signal.SIGKILL
        wait_for(lambda: c.call("sockets")["sockets"] == [])


def test_signals_at_any_time(d):
    """Whatever call they interrupt: nothing is lost, or done twice, or left."""
    program = compiled("run_signals")
    every = 300 if STACK == "userland" else 20000   # us: User-Mode Linux does little in between
    for who in "restart", "eintr":
        status, out, err = ran(d, program, who, every)
        assert status == 0 and out == "well\n", f"{who}: {out}\n{err}"


def test_a_signal_ends_a_call_that_waits(d):
    """The program's handler runs, though nothing comes."""
    out = python(d, """
import signal, threading
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.listen(5)
class Over(Exception):
    pass
def handler(*_):
    raise Over
signal.signal(signal.SIGUSR1, handler)
threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)).start()
try:
    s.recv(100)
except Over:
    print("over")
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
c.sendto(b"after", s.getsockname())
print(s.recv(100).decode())
""")
    assert out == "over\nafter\n", out


def test_a_program_whose_memory_lies(d):
    program = compiled("run_hostile")
    for seed in 1, 2:
        status, out, err = ran(d, program, seed)
        assert status == 0 and out.endswith("well\n"), f"{out}\n{err}"
    status, out, err = ran(d, program, 3, 300, options=["--fds", "all"])
    assert status == 0 and out.endswith("well\n"), f"{out}\n{err}"


# ---- programs that ask for much ----------------------------------------

def python(d, text, **kw):
    """A program in Python, which knows the kernel's SCTP by its numbers."""
    head = "import errno, os, resource, socket, sys\n"
    status, out, err = ran(d, sys.executable, "-c", head + text, **kw)
    assert status == 0, f"{out}\n{err}"
    return out


def test_a_hundred_children_read_one_socket(d):
    """Each message reaches one of them, and all of them end."""
    out = python(d, """
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.listen(5)
r, w = os.pipe()
for _ in range(100):
    if os.fork() == 0:
        os.write(w, s.recv(100) + b" ")
        os._exit(0)
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
for n in range(100):
    c.sendto(b"%d" % n, s.getsockname())
got = b""
for _ in range(100):
    assert os.wait()[1] == 0
os.close(w)
while more := os.read(r, 65536):
    got += more
print(sorted(map(int, got.split())) == list(range(100)))
""")
    assert out == "True\n", out


def test_what_was_done_has_come(d):
    """As in the kernel: calls that do not wait find what the program did just before with another socket. Where something else
    takes the processor away, the kernel leaves a packet to ksoftirqd, and it is late there as well: that may be so a few times."""
    if STACK != "kernel":
        raise Skip("packets of the userland stack take their time over loopback")
    python(d, """
import select
late = []
def now(s, call):
    try:
        return call()
    except BlockingIOError:
        late.append(call)
        assert select.select([s], [], [], 20)[0], late
        return call()
for _ in range(100):
    l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    l.setblocking(False)
    c.setblocking(False)
    l.bind(("127.0.0.1", 0))
    l.listen(5)
    assert c.connect_ex(l.getsockname()) == errno.EINPROGRESS
    a = now(l, l.accept)[0]
    try:
        sys.exit(f"got {c.recv(10)}")
    except BlockingIOError:
        pass
    a.send(b"x")
    assert now(c, lambda: c.recv(10)) == b"x"
    for s in l, c, a:
        s.close()
assert len(late) <= 5, len(late)
""")


def test_descriptors_run_out(d):
    """The program is told so, as by the kernel, and goes on when some are free again; nothing is left in the daemon."""
    out = python(d, """
resource.setrlimit(resource.RLIMIT_NOFILE, (640, 640))
socks = []
try:
    while True:
        socks.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
except OSError as e:
    print(errno.errorcode[e.errno], len(socks), max(s.fileno() for s in socks))
socks.pop().close()
socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
""")
    assert out == "EMFILE 40 639\n", out


def test_descriptors_of_the_supervisor_run_out(d):
    """It keeps some for itself: the sockets that are there work on."""
    ready()
    text = """import errno, select, socket
socks = []
try:
    while True:
        s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
        socks.append(s)
except OSError as e:
    print(errno.errorcode[e.errno], len(socks) > 20)
s = socks[0]
s.bind(("127.0.0.1", 0))
s.listen(5)
s.setblocking(False)
try:
    s.recv(10)
except OSError as e:
    print(errno.errorcode[e.errno])
socks[1].sendto(b"works", s.getsockname())
s.setblocking(True)
print(s.recv(10).decode())
p = select.poll()
p.register(s, select.POLLIN)
print(p.poll(0))
"""
    got = subprocess.run(["prlimit", "--nofile=64", SCTPCTL, "-s", d.path, "--fds", "all", "run", "--", sys.executable, "-c", text],
                         capture_output=True, text=True, check=False, timeout=WAIT * SLOW)
    assert got.stdout == "EMFILE True\nEAGAIN\nworks\n[]\n", got


def test_the_supervisor_is_killed(d):
    """Its program is told to end, and nobody waits in a call for ever."""
    text = """import errno, os, signal, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 5310))
s.listen(5)
def ends(*_):
    print("told to end", flush=True)
    os.wait()
    sys.exit()
signal.signal(signal.SIGTERM, ends)
if os.fork() == 0:
    print("ready", flush=True)
    try:
        s.recv(100)
    except OSError as e:
        print(errno.errorcode[e.errno], flush=True)
    os._exit(0)
while True:
    signal.pause()
"""
    c = d.client()
    with under(d, sys.executable, "-c", text) as p:
        p.expect("ready")
        p.process.kill()
        p.expect("told to end")
        p.expect("ENOSYS")
    wait_for(lambda: c.call("sockets")["sockets"] == [])


def test_a_program_that_cannot_be_looked_into(d):
    """It made itself undumpable, as programs with secrets do; where the supervisor is not root, it has no SCTP."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skip("only root can become somebody else, and only with setpriv")
    one = Daemon(path=os.path.join(SCRATCH, "undumpable"), socket_mode="0666")
    for path in SCRATCH, one.dir:
        os.chmod(path, 0o711)
    shutil.copy(SCTPCTL, os.path.join(SCRATCH, "sctpctl"))
    text = """import ctypes, errno, socket
def call(fn, *args):
    try:
        return fn(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
print(call(socket.socket, socket.AF_INET, socket.SOCK_SEQPACKET, 132), call(s.recv, 10), call(s.send, b"x"))
"""
    got = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", os.path.join(SCRATCH, "sctpctl"), "-s", one.path, "run",
                          "--", sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=WAIT * SLOW)
    assert got.stdout == "EACCES EACCES EACCES\n" and got.stderr.count("cannot be looked into") == 1, got
    one.stop()


def test_one_to_many_as_standard_input(d):
    """It has no stream of bytes, and nothing is left of the attempt."""
    out = python(d, """
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
for _ in range(3):
    try:
        os.dup2(s.fileno(), 0)
    except OSError as e:
        print(errno.errorcode[e.errno])
print(len(os.listdir(f"/proc/{os.getppid()}/fd")) < 20)
s.bind(("127.0.0.1", 0))
s.listen(5)
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
c.sendto(b"works", s.getsockname())
print(s.recv(10).decode())
""")
    assert out.split() == ["EINVAL", "EINVAL", "EINVAL", "True", "works"], out


# ---- programs of another kind ------------------------------------------

def test_a_set_user_id_program_has_no_privileges(d):
    """It runs, as who started it, and has its SCTP all the same."""
    assert ran(d, "grep", "NoNewPrivs", "/proc/self/status")[1].split() == ["NoNewPrivs:", "1"]
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skip("only root can make one of root's, and be somebody else")
    one = Daemon(path=os.path.join(SCRATCH, "setuid"), socket_mode="0666")
    program = os.path.join(SCRATCH, "of-root")
    for path in SCRATCH, one.dir:
        os.chmod(path, 0o711)
    shutil.copy(SCTPCTL, os.path.join(SCRATCH, "sctpctl"))
    shutil.copy(os.path.realpath(sys.executable), program)
    os.chmod(program, 0o4755)
    text = "import os, socket; s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132); print(os.geteuid(), s.fileno())"
    got = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", os.path.join(SCRATCH, "sctpctl"), "-s", one.path, "run",
                          "--", program, "-c", text], capture_output=True, text=True, check=False)
    assert got.stdout == "65534 600\n", got
    one.stop()


def of_the_kernel(d, program, *words):
    """What the program prints, run, is what the kernel says."""
    status, out, err = ran(d, program, *words)
    assert status == 0 and out == subprocess.check_output([program, *words], text=True) and out != "600\n", f"{out}\n{err}"


def test_programs_of_another_architecture_have_the_kernels(d):
    """Their calls have other numbers, and are not trapped."""
    if STACK == "kernel" or os.uname().machine != "x86_64":
        raise Skip("this kernel has no other architecture")
    program = compiled("run_cases")
    for word in "i386", "x32":
        of_the_kernel(d, program, word)


def test_a_process_that_is_spawned_has_the_socket(d):
    """subprocess uses vfork; the child's calls are its own."""
    out = python(d, """
import subprocess
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.listen(5)
child = subprocess.Popen([sys.executable, "-c",
    "import socket, sys; print(socket.socket(fileno=int(sys.argv[1])).recv(100).decode())", str(s.fileno())],
    pass_fds=[s.fileno()], stdout=subprocess.PIPE)
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
c.sendto(b"to the child", s.getsockname())
print(child.communicate()[0].decode(), end="")
""")
    assert out == "to the child\n", out


def test_a_descriptor_is_passed_on(d):
    """By SCM_RIGHTS, with natural numbers; what was passed on is the same socket."""
    out = python(d, """
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.listen(5)
a, b = socket.socketpair()
if os.fork() == 0:
    s.close()
    got = socket.socket(fileno=socket.recv_fds(b, 1, 1)[1][0])
    print(got.recv(100).decode(), got.type == socket.SOCK_SEQPACKET, flush=True)
    os._exit(0)
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
name = s.getsockname()
socket.send_fds(a, [b"x"], [s.fileno()])
s.close()
c.sendto(b"passed on", name)
assert os.wait()[1] == 0
""", options=["--fds", "all"])
    assert out == "passed on True\n", out


def test_a_message_has_its_time(d):
    """SO_TIMESTAMP."""
    out = python(d, """
import struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.setsockopt(socket.SOL_SOCKET, 29, 1)
s.listen(5)
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
before = time.time()
c.sendto(b"now", s.getsockname())
data, [(level, kind, value)], flags, _ = s.recvmsg(100, 100)
seconds, us = struct.unpack("@ll", value)
print(data.decode(), level, kind, before - 0.001 <= seconds + us / 1e6 <= time.time() + 0.001)
""")
    assert out == "now 1 29 True\n", out


# Each end of an association, as a program finds it: what poll says, reads, names, and a send.
ENDS = """
import select, struct
def pair():
    l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    l.bind(("127.0.0.1", 0))
    l.listen(5)
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
    c.connect(l.getsockname())
    return c, l.accept()[0]
def call(fn, *args):
    try:
        return fn(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
def wait(s):
    p = select.poll()
    p.register(s, select.POLLIN)
    assert p.poll(5000)
def look(text, s):
    p = select.poll()
    p.register(s, select.POLLIN | select.POLLOUT | select.POLLRDHUP)
    found = [what for what, bit in (("in", select.POLLIN), ("end", select.POLLRDHUP)) if p.poll(0)[0][1] & bit]
    names = [socket.inet_aton(n[0])[0] if isinstance(n, tuple) else n for n in (call(s.getsockname), call(s.getpeername))]
    print(text, found, call(s.recv, 10, socket.MSG_DONTWAIT), call(s.recv, 10), names, call(s.send, b"x"))
c, a = pair()
c.close()
wait(a)
look("closed by the peer", a)
c, a = pair()
c.shutdown(socket.SHUT_WR)
call(c.recv, 10)
wait(a)
look("shut", c)
look("shut by the peer", a)
c, a = pair()
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
c.close()
wait(a)
print(call(a.recv, 10))
look("aborted by the peer", a)
"""
ENDS_OF_THE_KERNEL = """closed by the peer ['in', 'end'] b'' b'' [127, 127] EPIPE
shut [] EAGAIN ENOTCONN [127, 127] EPIPE
shut by the peer ['in', 'end'] b'' b'' [127, 127] EPIPE
ECONNRESET
aborted by the peer [] EAGAIN ENOTCONN [127, 127] EPIPE
"""


def test_ends_are_as_the_kernels(d):
    if STACK == "kernel":
        out = subprocess.check_output([sys.executable, "-c", "import errno, socket\n" + ENDS], text=True)
        assert out == ENDS_OF_THE_KERNEL, out
    out = python(d, ENDS)
    assert out == ENDS_OF_THE_KERNEL, out


def test_one_to_many_sends_to_nobody(d):
    """As in the kernel: the message is lost, which a notification says, and no signal ends the program."""
    out = python(d, """
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.setsockopt(132, 11, bytes([0, 1]))    # SCTP_EVENTS: association changes
for _ in range(20):
    assert s.sendto(b"lost", ("127.0.0.1", 9)) == 4
    data, _, flags, _ = s.recvmsg(1000)
    assert flags & 0x8000 and data[:2] == (0x8001).to_bytes(2, sys.byteorder), data    # SCTP_ASSOC_CHANGE
try:
    s.shutdown(socket.SHUT_WR)
except OSError as e:
    print(errno.errorcode[e.errno])
""")
    assert out == "ENOTCONN\n", out


def test_what_is_not_there_has_a_name(d):
    """Options and flags that sctpd does not have; the socket works on."""
    out = python(d, """
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.listen(5)
def name(call, *args):
    try:
        call(*args)
        return "well"
    except OSError as e:
        return errno.errorcode[e.errno]
print(name(s.setsockopt, socket.SOL_SOCKET, 35, 1))    # SO_TIMESTAMPNS
print(name(s.setsockopt, 132, 99, 1))
info = bytes(4) + (1 << 6).to_bytes(2, sys.byteorder) + bytes(26)    # SCTP_SENDALL
print(name(s.sendmsg, [b"x"], [(132, 1, info)]))
print(name(s.recv, 10, socket.MSG_OOB))
c = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
print(name(os.sendfile, c.fileno(), 0, 0, 10))
c.sendto(b"works", s.getsockname())
print(s.recv(100).decode())
""")
    assert out.split() == ["ENOPROTOOPT", "ENOPROTOOPT", "ENOTSUP", "ENOTSUP", "EINVAL", "works"], out


# ---- the daemon --------------------------------------------------------

def test_a_daemon_that_comes_back_without_the_sockets(d):
    """The program's calls fail, by name, and a new socket is one of the new daemon."""
    text = """
s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
s.bind(("127.0.0.1", 0))
s.listen(5)
print("waits", flush=True)
try:
    s.recv(100)
except OSError as e:
    print(errno.errorcode[e.errno], flush=True)
s.close()
while True:
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
        break
    except OSError as e:
        assert e.errno == errno.ENETDOWN, e
s.bind(("127.0.0.1", 0))
print("well", flush=True)
"""
    one = Daemon(path=os.path.join(SCRATCH, "replaced"))
    with under(one, sys.executable, "-c", "import errno, socket\n" + text) as p:
        p.expect("waits")
        one.kill()
        other = Daemon(path=one.path)
        p.expect("^ENETDOWN$")
        p.expect("^well$")
        assert p.process.wait(WAIT * SLOW) == 0
    other.stop()


def test_nothing_but_the_daemons_socket(d):
    """As in a pod: another user, without capabilities, and in a network without an interface."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skip("only root can become somebody else, and only with setpriv")
    one = Daemon(path=os.path.join(SCRATCH, "pod"), socket_mode="0666")
    for path in SCRATCH, one.dir:
        os.chmod(path, 0o711)
    shutil.copy(SCTPCTL, os.path.join(SCRATCH, "sctpctl"))
    pod = ["unshare", "-n", "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all",
           "--bounding-set=-all", "--no-new-privs", os.path.join(SCRATCH, "sctpctl"), "-s", one.path, "run", "--"]
    with Program(*pod, "ncat", "--sctp", "-l", "127.0.0.1", "5307") as server:
        listens(one.client(), 5307)
        with Program(*pod, "ncat", "--sctp", "127.0.0.1", "5307") as client:
            client.write("from a pod")
            server.expect("^from a pod$")
    one.stop()


def test_in_a_container(d):
    """A file system, users, processes and a network of its own: of the host it has the daemon's socket."""
    if not shutil.which("bwrap"):
        raise Skip("bubblewrap is not installed: run tests/deps.sh check")
    one = Daemon(path=os.path.join(SCRATCH, "container"))
    links = [word for name in ("lib", "lib64", "bin", "sbin") if os.path.islink("/" + name)
             for word in ("--symlink", os.readlink("/" + name), "/" + name)]
    box = ["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr", *links,
           "--proc", "/proc", "--dev", "/dev", "--bind", one.path, "/run/sctpd/sctpd.sock", "--ro-bind", SCTPCTL, "/sctpctl",
           "/sctpctl", "run", "--"]
    if subprocess.run([*box, "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("bwrap can make no container here")
    with Program(*box, "ncat", "--sctp", "-l", "127.0.0.1", "5309") as server:
        listens(one.client(), 5309)
        with Program(*box, "ncat", "--sctp", "127.0.0.1", "5309") as client:
            client.write("from one container to another")
            server.expect("^from one container to another$")
    one.stop()


def test_a_container_that_refuses_is_named(d):
    """pidfd_getfd, which Docker's own profile allows with a capability only."""
    got = subprocess.run([compiled("run_cases"), "refused", SCTPCTL, "-s", d.path, "run", "--", "true"],
                         capture_output=True, text=True, check=False)
    assert got.returncode == 1 and "pidfd_getfd: Operation not permitted" in got.stderr and "CONTAINERS" in got.stderr, got
