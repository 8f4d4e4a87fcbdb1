#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks tests/acceptance.tsv, which says of each statement about sctpd's
behaviour what test proves it: the part of gen_sctp that it is about, the
statement, and the test, or tests with commas between them.

Every test must be there; and every method, option, event, and field of their
records must be in a statement, in `backquotes`. `rtoinfo.*` stands for all
fields of one, `options.*` and `events.*` for those of all. The tables are read
from proto/REFERENCE.md, which is printed from them."""
import collections
import glob
import os
import re
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
REFERENCE = os.path.join(TESTS, "..", "proto", "REFERENCE.md")
LEAST = 250


def tests():
    """Their names as run.py prints them; those of C are in the module unit."""
    found = collections.Counter()
    for path in glob.glob(os.path.join(TESTS, "integration", "test_*.py")):
        module = os.path.basename(path)[len("test_"):-len(".py")]
        with open(path, encoding="utf-8") as f:
            found.update(f"{module}.{name}" for name in re.findall(r"^def test_(\w+)\(", f.read(), re.M))
    for path in glob.glob(os.path.join(TESTS, "unit", "test_*.c")):
        with open(path, encoding="utf-8") as f:
            found.update(f"unit.{name}" for name in re.findall(r"^START_TEST\((\w+)\)", f.read(), re.M))
    return found


def tables():
    """{section: {name: fields of its records}} of methods, options and events."""
    with open(REFERENCE, encoding="utf-8") as f:
        text = f.read()
    found = {}
    for section in "Methods", "Options", "Events":
        part = re.search(rf"^## {section}\n(.*?)(?=^## )", text, re.M | re.S)[1]
        rows = re.split(r"^### (\w+)$", part, flags=re.M)[1:]
        found[section] = {name: re.findall(r"^\| `([\w.]+)` \|", body, re.M) if section != "Methods" else []
                          for name, body in zip(rows[::2], rows[1::2])}
    return found


def read(path):
    """The rows, and what is wrong with them."""
    rows, wrong, known, seen = [], [], tests(), set()
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            row = line.rstrip("\n").split("\t")
            if len(row) != 3 or not all(row):
                wrong.append(f"{number}: it has {len(row)} columns, not 3")
                continue
            rows.append(row)
            wrong += [f"{number}: there is no test {name}" for name in row[2].split(", ") if not known[name]]
            if (row[0], row[1]) in seen:
                wrong.append(f"{number}: it is there twice")
            seen.add((row[0], row[1]))
    return rows, wrong


def missing(rows):
    """What the tables have and no row speaks of."""
    said = {word for _, statement, _ in rows for word in re.findall(r"`([\w.*]+)`", statement)}
    for section, names in tables().items():
        whole = f"{section.lower()}.*"
        for name, fields in names.items():
            if name not in said and f"{name}.*" not in said:
                yield f"{section.lower()}: no row for {name}"
            for field in fields:
                if not said & {f"{name}.{field}", f"{name}.*", whole}:
                    yield f"{section.lower()}: no row for {name}.{field}"


def main():
    rows, wrong = read(os.path.join(TESTS, "acceptance.tsv"))
    wrong += missing(rows)
    if len(rows) < LEAST:
        wrong.append(f"it has {len(rows)} rows, and {LEAST} are wanted")
    for line in wrong:
        print(f"acceptance.tsv: {line}")
    print(f"{len(rows)} rows")
    return 1 if wrong else 0


sys.exit(main())
