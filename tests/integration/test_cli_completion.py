# SPDX-License-Identifier: BSD-2-Clause
"""The completion of zsh and fish, by the real zsh and fish. The candidates are
those of sctpctl --complete; bash's is tested with them, in test_cli.py."""
import os
import shutil
import subprocess

from harness import BUILD, ROOT, Skip
from test_cli import SCTPCTL
from test_cli_shell import Terminal

LINES = (("sctpctl listen --ech", "--echo"), ("sctpctl connect --ppid m3u", "m3ua"), ("sctpctl undr", "undrain"),
         ("sctpctl setopts options.sctp_rtoinfo.ini", "options.sctp_rtoinfo.initial="))


def need(program):
    if not shutil.which(program):
        raise Skip(f"{program} is not installed: run tests/deps.sh check")


def env(d):
    return {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}", "HOME": d.dir, "TERM": "dumb", "LC_ALL": "C"}


def test_texts_of_candidates(d):
    out = subprocess.run([SCTPCTL, "--complete-text", "listen", "--ech"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert out.startswith("--echo\tSend each message back") and out.count("\n") == 1, out


def test_fish(d):
    need("fish")
    for line, word in LINES:
        out = subprocess.run(["fish", "--no-config", "-c", f"source {ROOT}/client-lib/sctpctl/sctpctl.fish; complete -C '{line}'"],
                             env=env(d), stdout=subprocess.PIPE, text=True, check=True).stdout
        assert [found.split("\t")[0] for found in out.splitlines()] == [word], (line, out)
    out = subprocess.run(["fish", "--no-config", "-c", f"source {ROOT}/client-lib/sctpctl/sctpctl.fish; complete -C 'sctpctl -s {ROOT}/READ'"],
                         env=env(d), stdout=subprocess.PIPE, text=True, check=True).stdout
    assert out.startswith(f"{ROOT}/README.md"), out


def test_zsh(d):
    need("zsh")
    zsh = Terminal(["zsh", "-f", "-i"], env(d))
    # Of zsh's own functions those that completion needs: all would take seconds in the lab.
    zsh.type(f"fpath=({BUILD}/completion ${{(M)fpath:#*Completion(|/Base|/Zsh)}}); autoload -Uz compinit && compinit -u -D; PS1='rea''dy> '\n")
    zsh.expect("ready> ")
    for line, word in LINES:
        zsh.type(f"echo x; {line}\t")
        zsh.expect(word.replace(".", "[.]"))
        zsh.type("\x15")
    zsh.type("exit\n")
    zsh.end()
