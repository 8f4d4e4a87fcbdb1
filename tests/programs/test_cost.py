# SPDX-License-Identifier: BSD-2-Clause
"""What sctpctl run costs, printed; see cost.c. Other work on the machine makes
a figure larger and never smaller: so each is the least of some tries, of which
sctpd's own are beside those of sctpctl run."""
import os
import re
import subprocess

from harness import BUILD, ROOT, SCRATCH, STACK
from test_cli import SCTPCTL
from test_run import ready

PROGRAM = os.path.join(SCRATCH, "cost")
MOST = 3        # times sctpd's own round trip
TRAPPED = 25    # us of a call, natively; in User-Mode Linux each trap costs a multiple
TRIES = 6
TIMES = 2000 if STACK == "userland" else 200


def built():
    with open(os.path.join(BUILD, "libsctpd.pc"), encoding="utf-8") as f:
        private = re.search(r"^Libs.private: *(.*)$", f.read(), re.M)[1].split()
    subprocess.run(["cc", "-O2", "-w", "-I", os.path.join(ROOT, "client-lib", "lib"), "-o", PROGRAM,
                    os.path.join(ROOT, "tests", "programs", "cost.c"), os.path.join(BUILD, "libsctpd.a"), *private], check=True)


def figures(d, *command):
    got = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True, timeout=300,
                         env={**os.environ, "SCTPD_SOCKET": d.path})
    return {name: float(us) for name, us in re.findall(r"^(\S+) ([\d.]+)$", got.stdout, re.M)}


def test_cost(d):
    ready()
    built()
    plain = figures(d, PROGRAM, "plain", TIMES)
    for options in [], ["--fds", "all"]:
        us = dict(plain)
        for _ in range(TRIES):
            now = {**figures(d, PROGRAM, "sctpd", TIMES), **figures(d, SCTPCTL, *options, "run", "--", PROGRAM, "kernel", TIMES)}
            us.update({name: min(value, us.get(name, value)) for name, value in now.items()})
            ratio = us["round-trip"] / us["sctpd-round-trip"]
            good = ratio <= MOST and (STACK == "kernel" or us["trapped"] <= TRAPPED)
            if good:
                break
        print("  ".join(["  fds " + (options or ["", "range"])[1], *(f"{k} {v:.1f} us" for k, v in us.items()),
                         f"ratio {ratio:.1f}"]), flush=True)
        assert good, us
