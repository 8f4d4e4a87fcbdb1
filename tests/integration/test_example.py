# SPDX-License-Identifier: BSD-2-Clause
"""The README's example: nothing but python3-msgpack, and short."""
import os
import re
import subprocess
import sys

from harness import ROOT, SLOW
from rpc import WAIT

EXAMPLE = os.path.join(ROOT, "tests", "integration", "example.py")
README = os.path.join(ROOT, "README.md")


def text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_runs(d):
    said = subprocess.run([sys.executable, EXAMPLE], env={**os.environ, "SCTPD_SOCKET": d.path},
                          stdout=subprocess.PIPE, text=True, check=True, timeout=WAIT * SLOW).stdout
    assert re.fullmatch(r"connected, streams: 5\n"
                        r"passive: comm_up\n"
                        r"passive: b'hello'\n"
                        r"active once: data b'world' from port \d+\n", said), said


def test_is_short(_):
    assert text(EXAMPLE).count("\n") <= 40


def test_needs_nothing_of_ours(_):
    imports = re.findall(r"^(?:import|from) (\S+)", text(EXAMPLE), re.M)
    assert set(imports) == {"itertools", "msgpack", "os", "socket", "sys"}, imports


def test_is_in_the_readme(_):
    if os.path.exists(README):
        assert text(EXAMPLE) in text(README)
