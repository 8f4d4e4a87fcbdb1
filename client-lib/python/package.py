#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the wheel and the sdist: package.py FOLDER VERSION, which "make python" calls.
They are the same bytes wherever they are built from the same commit: file modes
and owners are fixed, and SOURCE_DATE_EPOCH gives all times. Needs setuptools and
wheel, and no network."""
import glob
import gzip
import io
import os
import re
import shutil
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = ("pyproject.toml", "README.md", "src/sctpd/*.py", "src/sctpd/py.typed", "examples/*.py")
LATEST_OLD = 315532800  # a zip knows no time before 1980


def copy(there, epoch):
    """What belongs to the package, with a fixed mode and time each."""
    paths = [p for pattern in FILES for p in glob.glob(os.path.join(HERE, pattern))]
    for path in sorted(paths):
        to = os.path.join(there, os.path.relpath(path, HERE))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copyfile(path, to)
    shutil.copyfile(os.path.join(HERE, "..", "..", "LICENSE"), os.path.join(there, "LICENSE"))
    with open(os.path.join(there, "MANIFEST.in"), "w", encoding="utf-8") as f:
        f.write("include LICENSE MANIFEST.in\nrecursive-include examples *.py\n")
    # On the pages of an index there is no tree beside the README.
    readme = os.path.join(there, "README.md")
    with open(readme, encoding="utf-8") as f:
        text = f.read()
    with open(readme, "w", encoding="utf-8") as f:
        f.write(re.sub(r"\[([^]]+)\]\(\.\./\.\./[^)]+\)", r"`\1` of sctpd", text))
    for folder, _, names in os.walk(there):
        for name in names:
            os.chmod(os.path.join(folder, name), 0o644)
            os.utime(os.path.join(folder, name), (epoch, epoch))


def normalise(path, epoch):
    """The sdist with its files in order, and nothing in it of this machine."""
    with tarfile.open(path) as old:
        members = sorted(((m, old.extractfile(m).read() if m.isfile() else None) for m in old.getmembers()),
                         key=lambda pair: pair[0].name)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member, data in members:
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() else 0o644
            member.pax_headers = {}
            new.addfile(member, io.BytesIO(data) if data is not None else None)
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=epoch) as out:
        out.write(tar.getvalue())


def main(folder, version):
    """Gives their paths."""
    from setuptools import build_meta
    epoch = max(LATEST_OLD, int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch)
    os.umask(0o022)
    os.makedirs(folder, exist_ok=True)
    for old in glob.glob(os.path.join(folder, "sctpd-*")):
        os.unlink(old)
    said, folder = folder, os.path.abspath(folder)
    with tempfile.TemporaryDirectory(prefix="sctpd-") as there:
        copy(there, epoch)
        os.chdir(there)
        with open("src/sctpd/__init__.py", encoding="utf-8") as f:
            if f'__version__ = "{version}"' not in f.read():
                sys.exit(f'package.py: VERSION in the Makefile is {version}; set __version__ in src/sctpd/__init__.py to it')
        stdout, sys.stdout = sys.stdout, io.StringIO()
        try:
            sdist = build_meta.build_sdist(folder)
            for path, _, names in os.walk("src"):
                for name in names:
                    os.chmod(os.path.join(path, name), 0o644)
            wheel = build_meta.build_wheel(folder)
        finally:
            sys.stdout = stdout
        os.chdir("/")
    normalise(os.path.join(folder, sdist), epoch)
    return os.path.join(said, sdist), os.path.join(said, wheel)


if __name__ == "__main__":
    for path in main(sys.argv[1], sys.argv[2]):
        print(path)
