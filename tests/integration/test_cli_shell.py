# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl shell at a terminal: editing, history, completion, and ^C, which ends
what is waited for and not the shell."""
import os
import pty
import re
import select
import subprocess
import termios
import time

from harness import SLOW, Skip, wait_for
from rpc import WAIT
from test_cli import SCTPCTL, own_terminal

PROMPT = r"sctpctl> "
CONTROL = "\x1b\\[[0-9;]*[A-Za-z]|\r|\0|\x07"


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, command, env):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, preexec_fn=own_terminal)
        os.close(slave)
        self.output = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, pattern):
        """Wait until what it says now matches; what is matched is not looked at again."""
        deadline = time.monotonic() + WAIT * SLOW
        while not (found := re.search(pattern, seen := re.sub(CONTROL, "", self.output), re.S)):
            assert select.select([self.master], [], [], max(deadline - time.monotonic(), 0))[0], (pattern, seen)
            self.output += os.read(self.master, 4096).decode()
        self.output = seen[found.end():]
        return found

    def end(self):
        assert self.process.wait(WAIT * SLOW) == 0
        os.close(self.master)


class Shell(Terminal):
    def __init__(self, d):
        super().__init__([SCTPCTL, "-s", d.path, "shell"], {
            **os.environ, "TERM": "vt100", "XDG_STATE_HOME": d.dir, "LC_ALL": "C", "HOME": d.dir})

    def in_command(self):
        """libedit has the terminal in a mode of its own only while it reads a line."""
        return bool(termios.tcgetattr(self.master)[3] & termios.ICANON)

    def interrupt(self):
        """^C, once the command runs that was typed."""
        wait_for(self.in_command)
        self.type("\x03")

    def expect(self, pattern):
        """After a prompt, libedit reads: what is typed before it does is lost at an interrupt."""
        found = super().expect(pattern)
        if pattern.endswith(PROMPT):
            wait_for(lambda: not self.in_command())
        return found

    def end(self):
        self.type("quit\n")
        super().end()


def with_libedit():
    if "libedit" not in subprocess.run([SCTPCTL, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout:
        raise Skip("sctpctl was built without libedit: run tests/deps.sh build")


def test_words_are_completed(d):
    with_libedit()
    sh = Shell(d)
    sh.expect(PROMPT)
    sh.type("stat\t")
    sh.expect("status ")
    sh.type("\n")
    sh.expect(r"SCTP stack:.*" + PROMPT)
    sh.type("open ip=127.0.0.1 opt\tsctp_rto\tini\t3000\n")
    sh.expect(r"sock: +\d+.*" + PROMPT)
    sh.type("getopts sock=$sock options.sctp_rtoinfo.assoc_id=0\n")
    sh.expect(r"initial: +3000.*" + PROMPT)
    sh.type("soc\t")
    sh.expect(r"sock")
    sh.type("\t")
    sh.expect(r"sockname\nsocknames\nsockets\n.*" + PROMPT + "sock")
    sh.type("\x15wait sctp_ass\t")
    sh.expect("sctp_assoc")
    sh.type("\x15")
    sh.end()


def test_lines_are_edited_and_remembered(d):
    with_libedit()
    sh = Shell(d)
    sh.expect(PROMPT)
    sh.type("elp closed\x01h\n")      # ^A: to the beginning
    sh.expect(r"error closed.*" + PROMPT)
    sh.type(" secret=1\n")
    sh.expect(PROMPT)
    sh.type("help sctp_auth_key\n")
    sh.expect(r"option sctp_auth_key.*" + PROMPT)
    sh.end()
    with open(os.path.join(d.dir, "sctpctl/history"), encoding="ascii") as f:
        kept = f.read()
    assert "closed" in kept and "secret" not in kept and "auth_key" not in kept, kept
    assert os.stat(os.path.join(d.dir, "sctpctl/history")).st_mode & 0o77 == 0
    sh = Shell(d)
    sh.expect(PROMPT)
    sh.type("\x10\x10\n")             # ^P: the line before quit
    sh.expect(r"error closed.*" + PROMPT)
    sh.end()


def test_an_interrupt_ends_what_is_waited_for(d):
    """An answer that nobody waited for is printed when it comes."""
    with_libedit()
    sh = Shell(d)
    sh.expect(PROMPT)
    sh.type("nonsense\x03")
    sh.expect(PROMPT)
    sh.type("wait data\n")
    sh.interrupt()
    sh.expect(r"interrupted; no data came\n.*" + PROMPT)
    sh.type("open ip=127.0.0.1 options.active=true\n")
    sh.expect(r"sock: +\d+.*" + PROMPT)
    sh.type("listen sock=$sock\n")
    sh.expect(PROMPT)
    sh.type("there=$port\n")
    sh.expect(PROMPT)
    sh.type("open ip=127.0.0.1\n")
    sh.expect(r"sock: +\d+.*" + PROMPT)
    sh.type("recv sock=$sock\n")
    sh.interrupt()
    sh.expect(r"interrupted; the daemon goes on with recv.*" + PROMPT)
    sh.type("connect_init sock=$sock addr=127.0.0.1 port=$there\n")
    sh.expect(r"the answer to recv:.*comm_up")
    sh.type("sleep 60000\n")
    sh.interrupt()
    sh.expect(PROMPT)
    sh.type("help closed\n")
    sh.expect(r"error closed.*" + PROMPT)
    sh.end()
