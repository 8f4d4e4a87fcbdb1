#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the package for npm: package.py FOLDER VERSION, which "make node-dist" calls.
It has what `npm pack` would put into it, in the same places, and is the same bytes
wherever it is built. Needs neither npm nor Node."""
import gzip
import io
import json
import os
import re
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
LICENSE = os.path.join(HERE, "..", "..", "LICENSE")
TIME = 499162500  # of all files in a package that npm makes


def paths(files):
    """What belongs to the package: (name in it, file)."""
    yield "package.json", os.path.join(HERE, "package.json")
    yield "LICENSE", LICENSE
    for name in files:
        at = os.path.join(HERE, name)
        if os.path.isfile(at):
            yield name, at
        elif os.path.isdir(at):
            yield from ((f"{name}/{inside}", os.path.join(at, inside)) for inside in os.listdir(at))


def content(name, path):
    with open(path, "rb") as f:
        data = f.read()
    if name == "README.md":  # on the pages of npm there is no tree beside it
        data = re.sub(rb"\[([^]]+)\]\(\.\./\.\./[^)]+\)", rb"`\1` of sctpd", data)
    return data


def write(path, files):
    """A package with these files: (name, bytes)."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as out:
        for name, data in sorted(files):
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mtime, member.mode = len(data), TIME, 0o644
            out.addfile(member, io.BytesIO(data))
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as out:
        out.write(tar.getvalue())


def main(folder, version):
    """Gives its path."""
    with open(os.path.join(HERE, "package.json"), encoding="utf-8") as f:
        said = json.load(f)
    if said["version"] != version:
        sys.exit(f"package.py: VERSION in the Makefile is {version}; set version in package.json to it")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"sctpd-{version}.tgz")
    write(path, [(name, content(name, at)) for name, at in paths(said["files"])])
    return path


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2]))
