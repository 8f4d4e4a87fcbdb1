# SPDX-License-Identifier: BSD-2-Clause
"""What sctpctl run costs, printed; see cost.c. The bound is that of a round
trip against sctpd's own, as both have the same machine at the same time."""
import os
import re
import subprocess

from harness import BUILD, ROOT, SCRATCH
from test_cli import SCTPCTL
from test_run import ready

PROGRAM = os.path.join(SCRATCH, "cost")
MOST = 3    # times sctpd's own round trip; twice that where others use the machine


def built():
    with open(os.path.join(BUILD, "libsctpd.pc"), encoding="utf-8") as f:
        private = re.search(r"^Libs.private: *(.*)$", f.read(), re.M)[1].split()
    subprocess.run(["cc", "-O2", "-w", "-I", os.path.join(ROOT, "client-lib", "lib"), "-o", PROGRAM,
                    os.path.join(ROOT, "tests", "programs", "cost.c"), os.path.join(BUILD, "libsctpd.a"), *private], check=True)


def figures(d, *command):
    got = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300,
                         env={**os.environ, "SCTPD_SOCKET": d.path})
    return {name: float(us) for name, us in re.findall(r"^(\S+) ([\d.]+)$", got.stdout, re.M)}


def test_cost(d):
    ready()
    built()
    own = {**figures(d, PROGRAM, "plain"), **figures(d, PROGRAM, "sctpd")}
    for options in [], ["--fds", "all"]:
        us = {**own, **figures(d, SCTPCTL, *options, "run", "--", PROGRAM, "kernel")}
        ratio = us["round-trip"] / us["sctpd-round-trip"]
        print("  ".join(["  fds " + (options or ["", "range"])[1], *(f"{k} {v:.1f} us" for k, v in us.items()),
                         f"ratio {ratio:.1f}"]), flush=True)
        assert ratio < 2 * MOST, us
