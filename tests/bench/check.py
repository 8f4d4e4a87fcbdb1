#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whether a bench.json has every ratio that is promised, and each a number."""
import json
import math
import shutil
import subprocess
import sys

NAMES = """rpc_vs_unix rtt_100_vs_floor rtt_1000_vs_floor
send_100_vs_direct send_1000_vs_direct recv_100_vs_direct recv_1000_vs_direct
both_100_vs_direct both_1000_vs_direct both_16000_vs_direct
both_100_vs_batched both_1000_vs_batched tap_oneway_100_vs_untapped recorded_100_vs_unrecorded
packets_per_message_100
setup_vs_direct setup_recv_vs_direct setup_in_turn_vs_direct setup_recv_in_turn_vs_direct
cpu_10000_vs_1_assocs isolation_median isolation_worst
idle_client_bytes idle_socket_bytes idle_assoc_bytes""".split()
ERLANG = """both_100_vs_erlang both_1000_vs_erlang rtt_100_vs_erlang
erlang_passive_100_vs_gen_sctp erlang_passive_1000_vs_gen_sctp erlang_passive_16000_vs_gen_sctp
erlang_passive_rtt_100_vs_gen_sctp erlang_passive_8_senders_vs_gen_sctp""".split()
VALGRIND = "instructions_send_100 instructions_recv_100".split()
USERLAND = """userland_rtt_100_vs_floor userland_rtt_1000_vs_floor
userland_send_1000_vs_plain userland_recv_1000_vs_plain userland_both_1000_vs_plain
userland_both_16000_vs_usrsctp""".split()
CONTESTANTS = "usrsctp userland-usrsctp usrsctp-userland userland-userland".split()


def has_userland():
    """Was sctpd built with the stack of its own? Its bench was, then."""
    return subprocess.run(["build/sctpd", "-c", "/dev/null", "--stack", "userland", "-t"],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


with open(sys.argv[1], encoding="utf-8") as f:
    bench = json.load(f)
natively = CONTESTANTS if has_userland() else []
names = NAMES + (ERLANG if shutil.which("erl") else []) + (VALGRIND if shutil.which("valgrind") else [])
names += USERLAND if natively else []
faults = [n for n in names if not math.isfinite(bench["ratios"].get(n, math.nan))]
rows = {(r["contestant"], r["work"]) for r in bench["rows"] if "kernel" in r}
faults += [f"{c} {w}, natively" for c in natively for w in ("rtt", "oneway") if (c, w) not in rows]
faults += [f"{r['contestant']} {r['work']}" for r in bench["rows"]
           if not math.isfinite(r["median"]) or not math.isfinite(r["p99"]) or r["runs"] < 1]
for fault in faults:
    print("no figure:", fault)
print(f"{len(names)} ratios, {len(bench['rows'])} rows")
sys.exit(bool(faults))
