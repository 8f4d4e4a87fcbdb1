# SPDX-License-Identifier: BSD-2-Clause
"""sctpd-n2(7), the tutorial about an N2 front end: its commands, typed in their order as its reader
types them, print what it says; and its programs keep what it promises.

The page is client-lib/n2/README.md. A block ```sh is typed; a block without a language is what the one
before it prints. Numbers of more than one digit may be others. What only looks is looked at again until
it shows what the page shows, as a reader does."""
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness import BUILD, ROOT, SCTPD, SLOW, STACK, Skip, stack_config, wait_for
from rpc import WAIT, RpcError
from test_tap import INTERFACE, PACKET, SECTION, tshark

N2 = os.path.join(ROOT, "client-lib", "n2")
N2_PORT = 38412
READER = 1001
END = "-- that was it --"
LOOKS = "cat ", "sctpctl clients", "sctpctl groups", "tail "
NUMBER = r"\d[\d.]*[kM]?"


def text(name):
    with open(os.path.join(N2, name), encoding="utf-8") as f:
        return f.read()


def blocks(page):
    """[what is typed, what it prints or None]"""
    found = []
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S):
        if language == "sh":
            found.append([body, None])
        elif language == "" and found and found[-1][1] is None and "[0, 1, " not in body:
            found[-1][1] = body
    return found


def pattern(token):
    if re.fullmatch(r"\d[\d.]+[kM]?", token):
        return NUMBER
    if re.match(r"\d{4}-\d\d-\d\dT", token):
        return r"\d{4}-\d\d-\d\dT\S+Z"
    return re.escape(token)


def expected(shown):
    """What the page shows, as a regular expression of lines with single blanks."""
    lines = [" ".join(pattern(t) for t in line.split()) for line in shown.splitlines()]
    whole = "\n".join(lines).replace("userland: this kernel has no SCTP", "(kernel|userland).*")
    return re.sub(r"^sockets: \d", lambda _: "sockets: " + NUMBER, whole)


def port_is_free():
    """An association of a process that was killed ends in the kernel, and keeps its port until then."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP) as s:
        try:
            s.bind(("127.0.0.1", N2_PORT))
        except OSError:
            return False
    return True


class Terminal:
    """A shell of an ordinary user who stands in the sources, and has built them."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="sctpd-n2-")
        self.there, programs = os.path.join(self.dir, "n2"), os.path.join(self.dir, "bin")
        shutil.copytree(N2, os.path.join(self.dir, "client-lib", "n2"), ignore=shutil.ignore_patterns("__pycache__"))
        os.mkdir(programs)
        shutil.copy(os.path.join(BUILD, "sctpctl"), programs)
        shutil.copy(SCTPD, os.path.join(programs, "sctpd.real"))
        # The stack under test, and the UDP port of this test alone; else the reader's own daemon.
        words = " ".join(f"--{k.replace('_', '-')} {v}" for k, v in stack_config(None).items())
        self.program("sctpd", f'{programs}/sctpd.real -c /dev/null {words} "$@"')
        self.program("python3", f'{sys.executable} "$@"')
        os.chmod(self.dir, 0o777)
        user = ["setpriv", f"--reuid={READER}", f"--regid={READER}", "--clear-groups"]
        if os.getuid() != 0 or subprocess.run([*user, "true"], capture_output=True, check=False).returncode != 0:
            user = []
        self.left = ""
        self.shell = subprocess.Popen(
            [*user, "bash", "--norc"], cwd=self.dir, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": self.dir, "LC_ALL": "C.UTF-8", "COLUMNS": "120"})

    def program(self, name, command):
        path = os.path.join(self.dir, "bin", name)
        with open(path, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\nexec {command}\n")
        os.chmod(path, 0o755)

    def type(self, commands):
        """What they print, but for what a shell says of jobs that were killed, and tshark of root."""
        self.shell.stdin.write(f"{commands.replace('/tmp/n2', self.there)}\necho '{END}'\n".encode())
        self.shell.stdin.flush()
        deadline = time.monotonic() + 6 * WAIT * SLOW  # tshark takes its time to begin
        while END not in self.left:
            assert select.select([self.shell.stdout], [], [], max(0, deadline - time.monotonic()))[0], \
                f"{commands}does not end; it said: {self.left}"
            data = os.read(self.shell.stdout.fileno(), 65536)
            assert data, f"{commands}ended the shell; it said: {self.left}"
            self.left += data.decode()
        said, self.left = self.left.split(END + "\n", 1)
        lines = [" ".join(line.split()) for line in said.replace(self.there, "/tmp/n2").splitlines()]
        return "\n".join(line for line in lines if not re.match(r'bash: line \d+: \d+ |Running as user "root"', line))

    def read(self, commands, shown):
        said = self.type(commands)
        if shown is None:
            assert said == "", (commands, said)
            return said
        want = expected(shown)
        deadline = time.monotonic() + WAIT * SLOW
        while not re.fullmatch(want, said):
            again = all(line.startswith(LOOKS) for line in commands.splitlines()) and time.monotonic() < deadline
            assert again, f"{commands}printed\n{said}\nand the page says\n{shown}"
            time.sleep(0.1)  # what is looked at is written meanwhile: a look takes a processor as long
            said = self.type(commands)
        return said

    def close(self):
        """End what is still there of it: all has the session of the shell."""
        self.shell.stdin.close()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                    session = int(f.read().rsplit(")", 1)[1].split()[3])
                if session == self.shell.pid:
                    os.kill(int(pid), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                continue
        self.shell.wait(WAIT)
        self.shell.stdout.close()
        shutil.rmtree(self.dir)
        if STACK == "kernel":
            wait_for(port_is_free, lambda: f"port {N2_PORT} is still in use")


def test_the_page_prints_what_it_says(_):
    if not shutil.which("tshark"):
        raise Skip("tshark is not installed: run tests/deps.sh check")
    todo = blocks(text("README.md"))
    assert len(todo) >= 20 and sum(shown is not None for _, shown in todo) >= 15, todo
    terminal = Terminal()
    try:
        said = "\n".join(terminal.read(*block) for block in todo)
    finally:
        terminal.close()
    counted = re.findall(r"^gnb-(\d): (\d+) sent, 0 lost, 0 doubled, 0 out of order, longest wait \d+ ms$", said, re.M)
    assert [n for n, _ in counted] == ["1", "2"] and all(int(sent) > 3 for _, sent in counted), said


class Worker:
    """One of the page's programs."""

    def __init__(self, d, name, *args):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(N2, name), *map(str, args)], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.STDOUT, env={**os.environ, "SCTPD_SOCKET": d.path})

    def says(self, words):
        assert words in (line := self.process.stdout.readline()), line

    def end(self, number):
        self.process.send_signal(number)
        said = self.process.communicate(None, 6 * WAIT * SLOW)[0]
        return said.splitlines()


def test_workers_are_killed_again_and_again(d):
    """No message of the gNBs is lost, answered twice or out of order."""
    c = d.client()
    sock = c.call("open", ip="127.0.0.1", port=N2_PORT, options={"active": True})["sock"]
    c.call("group", sock=sock, name="n2")
    c.call("listen", sock=sock)
    workers, gnbs = {}, []
    try:
        for n in 1, 2:
            workers[n] = Worker(d, "amf.py", n, 1)
            workers[n].says("joining")
        gnbs = [Worker(d, "gnb.py", n, 100) for n in (1, 2)]
        for gnb in gnbs:
            gnb.says("NG Setup is done")
            gnb.says("UE 1 is answered")
        for version in range(2, 8):
            n = version % 2 + 1
            workers[n].end(signal.SIGKILL)
            workers[n] = Worker(d, "amf.py", n, version)
            workers[n].says("joining")
            workers[n].says("assigned")
        for n, gnb in enumerate(gnbs, 1):
            said = gnb.end(signal.SIGTERM)
            assert re.fullmatch(rf"gnb-{n}: \d+ sent, 0 lost, 0 doubled, 0 out of order, longest wait \d+ ms", said[-1]), said
            assert len(said) > 3, said
    finally:
        for p in [*workers.values(), *gnbs]:
            p.end(signal.SIGKILL)
        # The daemon closes those of associations that ended by itself.
        for s in c.call("sockets")["sockets"]:
            with contextlib.suppress(RpcError):
                c.call("close", sock=s["sock"])


def test_the_worker_stands_in_the_page(_):
    page = text("README.md")
    assert f"```python\n{text('amf.py')}```\n" in page
    assert max(map(len, page.splitlines())) <= 160


def test_the_programs_need_nothing_but_msgpack(_):
    for name in "amf.py", "gnb.py", "ngap.py":
        imports = set(re.findall(r"^(?:import|from) (\S+)", text(name), re.M))
        assert imports <= {"msgpack", "ngap", "os", "select", "signal", "socket", "sys", "time"}, imports


def test_each_message_is_ngap(_):
    """tshark finds in it what it is to be, and no fault."""
    sys.path.insert(0, N2)
    sys.dont_write_bytecode = True
    import ngap

    def block(kind, body):
        body += bytes(-len(body) % 4)
        n = (len(body) + 12).to_bytes(4, "little")
        return kind.to_bytes(4, "little") + n + body + n

    def packet(m):
        ports = (38412).to_bytes(2, "big") * 2
        chunk = bytes([0, 3]) + (16 + len(m)).to_bytes(2, "big") + bytes(8) + (60).to_bytes(4, "big") + m
        sctp = ports + bytes(8) + chunk + bytes(-len(m) % 4)
        ip = bytes([0x45, 0]) + (20 + len(sctp)).to_bytes(2, "big") + bytes([0, 0, 0, 0, 64, 132, 0, 0]) + bytes([127, 0, 0, 1]) * 2
        n = (20 + len(sctp)).to_bytes(4, "little")
        return block(PACKET, bytes(12) + n + n + ip + sctp)

    sent = [ngap.ng_setup_request(2), ngap.ng_setup_response(), ngap.initial_ue_message(1), ngap.initial_ue_message(1 << 31),
            ngap.downlink_nas_transport(2 << 32 | 3 << 24 | 70000, 70000)]
    data = block(SECTION, bytes.fromhex("4d3c2b1a01000000") + b"\xff" * 8) + block(INTERFACE, bytes.fromhex("6500000000000000"))
    rows = tshark(data + b"".join(map(packet, sent)), "ngap.procedureCode", "ngap.RAN_UE_NGAP_ID", "ngap.AMF_UE_NGAP_ID",
                  "ngap.RANNodeName", "ngap.AMFName", "_ws.malformed", "_ws.expert.severity")
    assert [r[:5] for r in rows] == [
        ["21", "", "", "gnb-2", ""], ["21", "", "", "", "amf"], ["15", "1", "", "", ""], ["15", str(1 << 31), "", "", ""],
        ["4", "70000", str(2 << 32 | 3 << 24 | 70000), "", ""]], rows
    assert all(r[5] == "" for r in rows), rows
    assert [ngap.number(ngap.ies(m)[ngap.RAN_UE_NGAP_ID]) for m in sent[2:]] == [1, 1 << 31, 70000]
