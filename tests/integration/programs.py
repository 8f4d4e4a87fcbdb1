# SPDX-License-Identifier: BSD-2-Clause
"""The tests' C programs. A compiler and a linker take two seconds of a processor in User-Mode Linux, and a fifth of that on
its host: so what was compiled is kept in the build directory, by what it was made from. Run as a program, this compiles
all of them, for a lab to find them there."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("TEST_BUILD", "build"))
SOURCES = os.path.join(ROOT, "tests", "integration")
LIB = os.path.join(ROOT, "client-lib", "lib")
KEPT = os.path.join(BUILD, "programs")

# Of those that are no users of libsctpd, what they are linked with.
OTHERS = {"lksctp_peer": ["-lsctp"], "standby_peers": ["-lsctp"], "standby_usrsctp": ["-lusrsctp"]}


def can_be_compiled(name):
    """usrsctp is needed by those alone that build the userland stack."""
    return name != "standby_usrsctp" or subprocess.run(["pkg-config", "--exists", "usrsctp"], check=False).returncode == 0


def flags(name):
    """As a user of the static library builds."""
    if name in OTHERS:
        return [], OTHERS[name]
    with open(os.path.join(BUILD, "libsctpd.pc"), encoding="ascii") as f:
        private = re.search(r"^Libs.private: *(.*)$", f.read(), re.M)[1].split()
    return [os.path.join(BUILD, "libsctpd.a"), os.path.join(LIB, "sctpd.h")], private


def made_from(source, uses, libraries):
    """A name for it: the source, its headers, what it uses, this compiler."""
    what = hashlib.sha256(repr((libraries, os.stat(os.path.realpath(shutil.which("cc"))).st_mtime_ns)).encode())
    with open(source, encoding="utf-8") as f:
        own = [os.path.join(SOURCES, name) for name in re.findall(r'^#include "(.*)"$', f.read(), re.M)]
    for path in source, *uses, *(path for path in own if os.path.exists(path)):
        with open(path, "rb") as f:
            what.update(f.read())
    return what.hexdigest()[:32]


def compiled(name, folder):
    """tests/integration/NAME.c as a program in that folder."""
    source = os.path.join(SOURCES, name + ".c")
    uses, libraries = flags(name)
    kept = os.path.join(KEPT, f"{name}-{made_from(source, uses, libraries)}")
    if not os.path.exists(kept):
        os.makedirs(KEPT, exist_ok=True)
        new = tempfile.mkdtemp(dir=KEPT)
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-g", "-I", LIB, "-o", os.path.join(new, name), source,
                        *(path for path in uses if path.endswith(".a")), *libraries], check=True)
        os.rename(os.path.join(new, name), kept)
        os.rmdir(new)
    return shutil.copy(kept, os.path.join(folder, name))


def main():
    with tempfile.TemporaryDirectory() as folder:
        for file in sorted(os.listdir(SOURCES)):
            if file.endswith(".c") and can_be_compiled(file[:-2]):
                compiled(file[:-2], folder)


if __name__ == "__main__":
    main()
