#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Packs the Go module: package.py FOLDER VERSION, which "make go-dist" calls. FOLDER
gets a tarball, and below proxy/ what GOPROXY=file://FOLDER/proxy takes. They
are the same bytes wherever they are made from the same commit: file modes and
owners are fixed, and SOURCE_DATE_EPOCH gives all times. Needs no Go."""
import glob
import gzip
import io
import json
import os
import re
import shutil
import sys
import tarfile
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = ("*.go", "go.mod", "go.sum", "debian.mod", "README.md", "sctp/*.go", "examples/*/*.go")
LATEST_OLD = 315532800  # a zip knows no time before 1980


def read(*path):
    with open(os.path.join(HERE, *path), "rb") as f:
        return f.read()


def files():
    """What belongs to the module: {path in it: bytes}."""
    found = {os.path.relpath(path, HERE): read(path) for pattern in FILES for path in glob.glob(os.path.join(HERE, pattern))}
    found["LICENSE"] = read("..", "..", "LICENSE")
    # Elsewhere there is no tree beside the README.
    text = re.sub(r"\[([^]]+)\]\(\.\./\.\./[^)]+\)", r"`\1` of sctpd", found["README.md"].decode())
    found["README.md"] = text.encode()
    return sorted(found.items())


def tarball(path, top, members, epoch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mtime, info.mode = len(data), epoch, 0o644
            tar.addfile(info, io.BytesIO(data))
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=epoch) as out:
        out.write(packed.getvalue())


def module(path, top, members, epoch):
    """A module's zip: see "Module zip files" of Go's reference."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members:
            info = zipfile.ZipInfo(f"{top}/{name}", time.gmtime(epoch)[:6])
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            z.writestr(info, data)


def main(folder, version):
    """Gives the paths of the tarball and of the proxy's folder."""
    epoch = max(LATEST_OLD, int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    members = files()
    name = re.search(r"^module (\S+)$", read("go.mod").decode(), re.M)[1]
    ball, proxy = os.path.join(folder, f"sctpd-go-{version}.tar.gz"), os.path.join(folder, "proxy")
    there = os.path.join(proxy, name, "@v")
    os.umask(0o022)
    shutil.rmtree(proxy, ignore_errors=True)
    os.makedirs(there)
    tarball(ball, f"sctpd-go-{version}", members, epoch)
    module(os.path.join(there, f"v{version}.zip"), f"{name}@v{version}", members, epoch)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))
    for suffix, text in ((".mod", read("go.mod").decode()), (".info", json.dumps({"Version": f"v{version}", "Time": stamp}))):
        with open(os.path.join(there, f"v{version}{suffix}"), "w", encoding="utf-8") as f:
            f.write(text)
    with open(os.path.join(there, "list"), "w", encoding="utf-8") as f:
        f.write(f"v{version}\n")
    return ball, proxy


if __name__ == "__main__":
    for path in main(sys.argv[1], sys.argv[2]):
        print(path)
