# SPDX-License-Identifier: BSD-2-Clause
"""lksctp's own tests of the kernel's SCTP under sctpctl run; `func-tests` gets
and builds them. Most of them pass as a whole. REST says of the others why they
do not, which is what a program has to expect of sctpctl run."""
import glob
import os
import re
import subprocess

from harness import BUILD, SLOW, STACK, Skip
from test_cli import SCTPCTL
from test_run import ready

FOLDER = os.path.join(BUILD, "lksctp")
READ_AHEAD = "messages are read ahead, so the peer's window is open where the test wants it closed"
REST = {
    "test_1_to_1_sockopt": "sctpd's receive buffer reads back five times as large (recbuf in proto/REFERENCE.md)",
    "test_sctp_sendrecvmsg": READ_AHEAD,
    "test_timetolive": READ_AHEAD,
}
ONE_PATH = "the userland stack has one path"
TIME = "packets of the userland stack take their time over loopback"
BACKLOG = "usrsctp lets peers wait that find the queue full, and refuses none"
USERLAND = {
    "test_1_to_1_nonblock": TIME,
    "test_1_to_1_send": TIME,
    "test_1_to_1_sendmsg": TIME,
    "test_1_to_1_sendto": TIME,
    "test_assoc_shutdown": TIME,
    "test_connectx": ONE_PATH,
    "test_sctp_sendvrecvv": "a message cannot have a key of its own",
    "test_getname": ONE_PATH,
    "test_sockopt": "the userland stack rounds and bounds some values",
    "test_1_to_1_connect": BACKLOG,
    "test_1_to_1_connectx": BACKLOG,
    "test_tcp_style": BACKLOG,
    "test_1_to_1_accept_close": BACKLOG,
    "test_connect": "connect to a peer whose association was peeled off is refused for another reason",
    "test_1_to_1_sockopt": "the userland stack rounds and bounds some values",
}
LEAST = 30 if STACK == "kernel" else 22


def run_one(d, name):
    """Whether it passed as a whole, how many of its parts did, and what it says if not."""
    try:
        got = subprocess.run([SCTPCTL, "-s", d.path, "run", "--", os.path.join(FOLDER, name)], capture_output=True, text=True,
                             check=False, timeout=15 * SLOW if STACK == "userland" else 60 * SLOW, errors="replace")
    except subprocess.TimeoutExpired:
        return False, 0, "it hangs"
    said = re.search(r".* (?:BROK|FAIL) *:.*", got.stdout + got.stderr)
    return got.returncode == 0 and not said, got.stdout.count(" PASS "), said[0] if said else f"it ended with {got.returncode}"


def test_lksctp(d):
    ready()
    names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(FOLDER, "test_*")) if "_v6" not in path and "." not in os.path.basename(path))
    if not names:
        raise Skip("lksctp's tests are not there; tests/programs/func-tests build/lksctp gets and builds them")
    known = {**REST, **(USERLAND if STACK == "userland" else {})}
    whole, parts = 0, 0
    for name in names:
        d.idle()    # the same ports are bound again
        good, n, why = run_one(d, name)
        if not good and known.get(name) == TIME:
            d.idle()
            good, n, why = run_one(d, name)
        whole += good
        parts += n
        if not good:
            print(f"  {name}: {why}", flush=True)
            assert name in known, f"{name}: {why}"
    print(f"  {whole} of {len(names)} programs as a whole, {parts} parts", flush=True)
    assert whole >= LEAST
