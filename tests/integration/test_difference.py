# SPDX-License-Identifier: BSD-2-Clause
"""The table of defaults in the reference is true."""
import os
import re

from check import option
from harness import ROOT, STACK, associate


def defaults():
    """{option: (gen_sctp's, sctpd's)} as the reference has them."""
    with open(os.path.join(ROOT, "proto", "REFERENCE.md"), encoding="utf-8") as f:
        text = f.read()
    table = text[text.index("Values of the options of a new socket, as they read back:"):]
    rows = re.findall(r"^\| (\w+) \| (.*?) \| (.*?) \|$", table, re.M)
    return {name: (theirs, ours) for name, theirs, ours in rows}


def test_defaults_are_what_the_reference_says(d):
    c = d.client()
    table = defaults()
    assert len(table) >= 10
    for kind in ("seqpacket", "stream"):
        sock = c.call("open", type=kind)["sock"]
        for name, (_, ours) in table.items():
            got = option(c, sock, name)
            if name == "sctp_events":
                got = "the first seven are on" if list(got.values()) == [True] * 7 + [False] * 6 else got
            want = re.split("[,;]", ours)[0]
            assert str(got).lower() == want, (name, got, ours)


def test_the_reference_says_which_stack_has_an_option(d):
    with open(os.path.join(ROOT, "proto", "REFERENCE.md"), encoding="utf-8") as f:
        text = f.read()
    c = d.client()
    for row in c.call("describe")["options"]:
        entry = text[text.index(f"\n### {row['name']}\n"):]
        entry = entry[:entry.index("\n| ")]
        has = "Userland stack: yes" in entry or "with both stacks" in entry
        assert has or "Userland stack: no" in entry or "with the kernel's stack only" in entry, entry
        assert row["here"] == (STACK == "kernel" or has), row["name"]


def test_the_receive_buffer_of_an_association_is_five_times_that(d):
    c = d.client()
    _, _, here, here_id = associate(c)
    before = option(c, here, "recbuf")
    peeled = c.call("peeloff", sock=here, assoc_id=here_id)["sock"]
    assert option(c, peeled, "recbuf") == 5 * before


def test_the_window_is_that_of_the_buffer_it_began_with(d):
    c = d.client()
    there, _, here, here_id = associate(c)
    window = option(c, here, "sctp_status", assoc_id=here_id)["rwnd"]
    assert window * 2 == option(c, there, "recbuf")
