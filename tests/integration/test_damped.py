# SPDX-License-Identifier: BSD-2-Clause
"""What the path manager knows of a path outlives the daemon."""
import os
import signal
import time

from check import WAIT_MS
from test_keeper import Own
from through import Session
from watched import dropped

WANTED, OTHER = "127.0.0.2", "127.0.0.1"
HALF_LIFE = 2000


def cut():
    """Nothing comes to the wanted address meanwhile."""
    return dropped("lo", "ip", "dst", WANTED)


def test_a_damped_path_stays_so_over_a_kill(d):
    with Own() as k:
        pid = k.ready()
        s = Session(k.path, "s")
        there = s.call("open", ip=[OTHER, WANTED], options={"sctp_delayed_sack": {"freq": 1}})
        s.call("listen", sock=there["sock"])
        here = s.call("open", ip="127.0.0.3", options={
            "active": True, "sctp_rtoinfo": {"initial": 100, "min": 100, "max": 200},
            "sctp_associnfo": {"asocmaxrxt": 100},
            "sctp_peer_addr_params": {"hbinterval": 50, "pathmaxrxt": 50, "flags": ["hb_enable"]},
            "sctp_peer_addr_thlds": {"pathmaxrxt": 50, "pathpfthld": 0},
            "path_manager": {"on": True, "primary": WANTED, "return": 0, "half_life": HALF_LIFE}})["sock"]
        s.call("connect", sock=here, addr=OTHER, port=there["port"], timeout=WAIT_MS)
        s.event("sctpd_primary", sock=here, action="returned")
        while not any(name == "sctpd_primary" and e["action"] == "damped" for name, e in s.events):
            with cut():
                s.event("sctpd_primary", sock=here, action="moved")
                moved = time.monotonic()
            if not any(name == "sctpd_primary" and e["action"] == "damped" for name, e in s.events):
                s.event("sctpd_primary", sock=here, action="returned")
        damped, since = s.event("sctpd_primary", sock=here, action="damped"), time.monotonic()
        os.kill(pid, signal.SIGKILL)
        s.event("sctpd_primary", sock=here, action="returned")
        end = time.monotonic()
        # It was damped as it moved, and we may have looked for that late.
        assert damped["wait"] / 1000 - 0.5 < end - moved and end - since < damped["wait"] / 1000 + 3, (damped, end - moved, end - since)
        assert k.next_child(pid) != pid
        s.close()
