# SPDX-License-Identifier: BSD-2-Clause
"""The tests' Erlang programs. erlc takes three seconds of a processor in User-Mode
Linux, and half a second on its host: so what was compiled is kept in the build
directory, by what it was made from. Run as a program, this compiles all, for a lab
to find it there."""
import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

from harness import BUILD, ROOT

LIBRARY = os.path.join(ROOT, "client-lib", "erlang")
SOURCES = os.path.join(ROOT, "tests", "integration", "erlang")
KEPT = os.path.join(BUILD, "erlang", "tests")
# Who waits does not keep a processor from the others meanwhile: a lab has one. The tables of processes and ports are
# written to at each start, and their usual sizes are a seventh of its page faults.
os.environ.setdefault("ERL_FLAGS", "+sbwt none +sbwtdcpu none +sbwtdio none +P 16384 +Q 8192")


def made_from(sources, options, include):
    """A name for it: these sources and options, the library's headers and behaviours, this compiler."""
    what = hashlib.sha256(repr((options, os.stat(os.path.realpath(shutil.which("erlc"))).st_mtime_ns)).encode())
    headers = [path for folder in (os.path.join(LIBRARY, "*"), include) for path in sorted(glob.glob(os.path.join(folder, "*.[eh]rl")))]
    for path in [*sources, *headers]:
        what.update(os.path.basename(path).encode())
        with open(path, "rb") as f:
            what.update(f.read())
    return what.hexdigest()[:32]


def erlc(folder, sources, *options, path=None, include=os.path.join(LIBRARY, "include")):
    """Compile these into that folder; path has the modules whose behaviours they have."""
    sources = sorted(sources)
    kept = os.path.join(KEPT, made_from(sources, options, include))
    if not os.path.isdir(kept):
        os.makedirs(KEPT, exist_ok=True)
        new = tempfile.mkdtemp(dir=KEPT)
        subprocess.run(["erlc", *options, "-I", include, "-pa", path or folder, "-pa", new, "-o", new, *sources],
                       check=True)
        try:
            os.rename(new, kept)
        except OSError:     # another has made the same meanwhile
            shutil.rmtree(new)
    for beam in glob.glob(os.path.join(kept, "*.beam")):
        shutil.copy(beam, folder)


def library(folder):
    erlc(folder, glob.glob(os.path.join(LIBRARY, "src", "*.erl")), "-Wall", "-Werror")


def main():
    import crew
    import standby
    import test_erlang
    import test_interop
    import test_peer_erlang
    for module in crew, standby, test_erlang, test_interop, test_peer_erlang:
        module.compile_erlang()
    for compile_there in test_erlang.compile_first, test_erlang.compile_packed:
        with tempfile.TemporaryDirectory() as folder:
            compile_there(folder)


if __name__ == "__main__" and shutil.which("erlc"):
    main()
