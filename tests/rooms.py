#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rooms and their order: an include names the room, and points to the same room
or one before it. So does what a file calls or names of another, as the objects
say that make built. No file needs another in a circle.

foo.c and foo.h are one file. Where the head of a room lists its files, lowest
first, a file calls only into those before it. Prints the order, and how many
arrows there are between rooms; what is against an order is named, and fails."""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
# Lowest first: a room knows those before it. Those of one line know nothing of each other.
ORDER = (
    ("proto",),
    ("daemon/util",),
    ("daemon/config", "daemon/lines"),
    ("daemon/service",),
    ("daemon/journal",),
    ("daemon/limits",),
    ("daemon/rpc",),
    ("daemon/stack",),
    ("daemon/trace",),
    ("daemon/socket",),
    ("daemon/watch", "daemon/group"),
    ("daemon/supervise",),
    ("daemon/methods", "daemon/kernel", "daemon/userland"),
    ("daemon/restore", "daemon/schedule"),
    ("daemon/main", "daemon/config-doc"),
)
LIBRARY = (
    ("proto",),
    ("client-lib/lib",),
    ("client-lib/run",),
    ("client-lib/sctpctl", "client-lib/nats"),
)
# What is built where its library is installed.
OPTIONAL = (("daemon/userland/", "sctpd"), ("client-lib/run/", "sctpctl"))
# Rooms whose files have an order, and where it stands: lines of a name, or several, and what it is.
LISTS = {
    "daemon/kernel": "daemon/kernel/kernel.h",
    "daemon/userland": "daemon/userland/userland.h",
    "daemon/supervise": "daemon/supervise/supervise.h",
    "client-lib/lib": "client-lib/lib/internal.h",
    "client-lib/nats": "client-lib/nats/main.c",
    "client-lib/run": "client-lib/run/run.h",
}
# Programs of their own, and headers that list the others.
NOT_LISTED = {"client-lib/lib/example", "client-lib/lib/internal", "client-lib/lib/sctpd",
              "daemon/kernel/kernel", "daemon/userland/userland", "client-lib/nats/doc"}
# At the top of daemon/, part of one of the files there.
PART_OF = {"daemon/settings.def": "daemon/config", "daemon/lines.def": "daemon/lines"}


def sources():
    for folder in ("proto", "daemon", "client-lib/lib", "client-lib/run", "client-lib/sctpctl", "client-lib/nats"):
        for path in glob.glob(os.path.join(ROOT, folder, "**", "*.[ch]"), recursive=True):
            if "/examples/" not in path:
                yield os.path.relpath(path, ROOT)


def unit(path):
    """foo.c and foo.h are one."""
    return re.sub(r"\.[ch]$", "", path)


def room(path):
    folder = os.path.dirname(path)
    return PART_OF.get(unit(path), unit(path)) if folder == "daemon" else folder


def target(path, text):
    """The file that an include of path means, or None with a complaint."""
    for base in ("", "daemon/", "client-lib/"):
        if "/" in text or base == "daemon/":
            if os.path.exists(os.path.join(ROOT, base + text)):
                return base + text
    print(f"rooms: {path}: \"{text}\" does not say in which room it is")
    return None


def arrows():
    """Of each file, the files that it includes; and whether all includes name a room."""
    to, good = {}, True
    for path in sources():
        to.setdefault(unit(path), set())
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            for text in re.findall(r'^#\s*include "([^"]+)"', f.read(), re.M):
                found = target(path, text)
                good &= found is not None
                if found is not None and unit(found) != unit(path):
                    to[unit(path)].add((found, path))
    return to, good


def calls():
    """Of each file, the files of which it names a function or a variable."""
    defined, wanted, to, missing = {}, {}, {}, []
    objects = os.path.join(ROOT, os.environ.get("B", "build"), "obj")
    for path in sources():
        name = os.path.join(objects, unit(path) + ".o")
        if not path.endswith(".c") or path == "client-lib/lib/example.c":
            continue
        if not os.path.exists(name) or os.path.getmtime(name) < os.path.getmtime(os.path.join(ROOT, path)):
            missing.append(path)
            continue
        out = subprocess.run(["nm", "-A", name], check=True, capture_output=True, text=True).stdout
        for line in out.splitlines():
            kind, symbol = line.split(":", 1)[1].split()[-2:]
            if kind == "U":
                wanted.setdefault(unit(path), set()).add(symbol)
            elif kind.isupper():
                defined.setdefault(symbol, []).append((unit(path), path))
    for file, symbols in wanted.items():
        to[file] = set()
        for symbol in symbols:
            for other, path in defined.get(symbol, ()):
                same_side = other.startswith("proto/") or other.split("/")[0] == file.split("/")[0]
                if other != file and same_side:
                    to[file].add((path, file + ".c"))
    for folder, program in OPTIONAL:
        of = [path for path in missing if path.startswith(folder)]
        if of and not any(file.startswith(folder) for file in wanted):
            print(f"rooms: calls of {folder} are not looked at: {program} was built without it")
            missing = [path for path in missing if path not in of]
    for path in missing:
        print(f"rooms: {path} is not compiled, or was changed since: make it first")
    return to, not missing


def lists(to):
    """Calls that run against the list in a room's head; and files that are not in it."""
    wrong = []
    for where, header in LISTS.items():
        place = {}
        with open(os.path.join(ROOT, header), encoding="utf-8") as f:
            rows = re.findall(r"^ \*\t([a-z-]+\*?(?:, [a-z-]+\*?)*)(?:\.c)?\t+\S", f.read(), re.M)
        for i, row in enumerate(rows):
            for name in row.split(", "):
                for path in glob.glob(os.path.join(ROOT, where, name + ".[ch]")):
                    place[unit(os.path.relpath(path, ROOT))] = i
        for file in {unit(p) for p in sources() if os.path.dirname(p) == where} - NOT_LISTED - set(place):
            wrong.append(f"{file} is not in the list of {header}")
        for file, others in to.items():
            for other in {unit(path) for path, _ in others}:
                if file in place and other in place and place[other] > place[file]:
                    wrong.append(f"{file} calls {other}, which stands after it in {header}")
    return sorted(wrong)


def levels():
    level = {}
    for order in (ORDER, LIBRARY):
        for i, rooms in enumerate(order):
            for r in rooms:
                level[r] = i
    return level


def against(to):
    """The arrows that run against the order of the rooms, or to a room beside it."""
    level, wrong, between = levels(), [], set()
    for includes in to.values():
        for found, path in includes:
            a, b = room(path), room(found)
            if a == b:
                continue
            between.add((a, b))
            same_side = b == "proto" or a.split("/")[0] == b.split("/")[0]
            if a not in level or b not in level or level[b] >= level[a] or not same_side:
                wrong.append(f"{path} needs {found}")
    return sorted(wrong), between


def circles(to):
    """Sets of files that include each other (Tarjan)."""
    index, low, stack, out = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for found, _ in to.get(v, ()):
            w = unit(found)
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            at = stack.index(v)
            if len(stack) - at > 1:
                out.append(sorted(stack[at:]))
            del stack[at:]

    for v in sorted(to):
        if v not in index:
            visit(v)
    return out


def main():
    to, good = arrows()
    called, whole = calls()
    for file, others in called.items():
        to.setdefault(file, set()).update(others)
    wrong, between = against(to)
    wrong += lists(called)
    found = circles(to)
    for order in (ORDER, LIBRARY):
        print("rooms: " + " < ".join(" | ".join(r.split("/")[-1] for r in rooms) for rooms in order))
    for line in wrong:
        print(f"rooms: against the order: {line}")
    for files in found:
        print("rooms: a circle: " + " ".join(files))
    print(f"rooms: {len(to)} files, {len(between)} arrows between rooms, "
          f"{len(wrong)} against the order, {len(found)} circles")
    return 0 if good and whole and not wrong and not found else 1


if __name__ == "__main__":
    sys.exit(main())
