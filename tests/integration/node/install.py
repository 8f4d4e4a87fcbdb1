#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Installs the package that "make node-dist" made and @msgpack/msgpack, of the copy in
stock/npm, into a folder: install.py PACKAGE FOLDER. npm does that if it is there, and
fetches nothing; without it they are unpacked, which is what npm does."""
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
STOCK = os.path.join(ROOT, "tests", "integration", "stock", "npm")
sys.path.insert(0, os.path.join(ROOT, "client-lib", "node"))
sys.dont_write_bytecode = True

from package import write  # noqa: E402


def msgpack(folder):
    """The package that stock/npm has the main file of."""
    said = {"name": "@msgpack/msgpack", "version": "3.1.3", "main": "msgpack.min.js"}
    files = [("package.json", json.dumps(said).encode())]
    for name in "msgpack.min.js", "msgpack.LICENSE":
        with open(os.path.join(STOCK, name), "rb") as f:
            files.append((name, f.read()))
    path = os.path.join(folder, "msgpack.tgz")
    write(path, files)
    return path


def unpack(package, at):
    os.makedirs(at)
    with tarfile.open(package) as tar:
        for member in tar.getmembers():
            member.name = os.path.relpath(member.name, "package")
            tar.extract(member, at)


def main(package, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with tempfile.TemporaryDirectory(prefix="sctpd-") as there:
        theirs = msgpack(there)
        if not shutil.which("npm"):
            unpack(package, os.path.join(folder, "node_modules", "sctpd"))
            unpack(theirs, os.path.join(folder, "node_modules", "@msgpack", "msgpack"))
            return
        with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as f:
            json.dump({"private": True}, f)
        subprocess.run(["npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error",
                        "--cache", os.path.join(there, "cache"), "--prefix", folder, os.path.abspath(package), theirs],
                       check=True, stdout=subprocess.DEVNULL)


main(*sys.argv[1:])
