# SPDX-License-Identifier: BSD-2-Clause
"""Runs the integration tests on the kernel that this runs on:
run.py [-s] [WORD...] runs those whose module.name has one of the words;
with -s it also says which ten took the longest.
Says which kernel, a line a test, and last "N passed, N failed, N skipped".
TEST_PART=1/2 runs the first of each two modules only, and so on.
TEST_DIR is another folder of modules. TEST_ELSEWHERE names tests that another step of make check runs where they
cannot run here, as WORD:STEP; they do not count as skipped. TEST_NOT_HERE names
those that could, and are run there alone, since here they take long."""
import glob
import importlib
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
MODULES = os.path.abspath(os.environ.get("TEST_DIR", HERE))
sys.path.insert(0, MODULES)

import left_out  # noqa: E402
from harness import DELAY, SLOW, STACK, WRAP, Daemon, Skip, delay_loopback  # noqa: E402

ELSEWHERE = [pair.split(":") for pair in os.environ.get("TEST_ELSEWHERE", "").split()]
NOT_HERE = [pair.split(":") for pair in os.environ.get("TEST_NOT_HERE", "").split()]
LIMIT = int(os.environ.get("TEST_LIMIT", "900")) * SLOW  # seconds that a test may take


class Run:
    def __init__(self, words):
        self.words = words
        self.passed, self.failed, self.skipped, self.left_out, self.elsewhere = 0, [], [], 0, 0
        self.seconds = {}
        self.shared = None  # the daemon of those that want none of their own, under valgrind, which takes 2 s to start

    def wanted(self, name):
        return not self.words or any(w in name for w in self.words)

    def leaves_out(self, name):
        """Does the stack under test differ so that it cannot apply?"""
        key = left_out.why(name)
        if key:
            self.left_out += 1
            print(f"left out {name}: {key}", flush=True)
        step = next((step for word, step in NOT_HERE if name.startswith(word)), None)
        if step and not key:
            self.elsewhere += 1
            print(f"elsewhere {name}: in step {step}", flush=True)
        return bool(key or step)

    def one(self, name, test, daemon):
        start = time.monotonic()
        signal.alarm(LIMIT)
        try:
            test(daemon)
            daemon.close_clients()
            daemon.idle()
            self.passed += 1
            self.seconds[name] = time.monotonic() - start
            print(f"ok      {name} ({self.seconds[name]:.1f} s)", flush=True)
        except Skip as why:
            self.skip(name, why)
            self.clean_up(daemon)
        except BaseException as why:  # a test's failure never ends the run
            if isinstance(why, KeyboardInterrupt):
                raise
            self.failed.append(name)
            print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
            for folder, lines in Daemon.logs().items():
                print(f"log of the daemon in {folder}:", *lines, sep="\n", flush=True)
            self.clean_up(daemon)
        finally:
            signal.alarm(0)

    def skip(self, name, why):
        step = next((step for word, step in ELSEWHERE if name.startswith(word)), None)
        if step:
            self.elsewhere += 1
            print(f"elsewhere {name}: in step {step}: {why}", flush=True)
        else:
            self.skipped.append(f"{name}: {why}")
            print(f"skipped {name}: {why}", flush=True)

    def clean_up(self, daemon):
        """The next test shall not suffer from how this one ended."""
        daemon.close_clients()
        try:
            daemon.idle()
        except (AssertionError, OSError, EOFError) as why:
            print(f"        and something of it is left: {why}", flush=True)

    def module(self, path):
        try:
            module = importlib.import_module(os.path.basename(path)[:-3])
        except Exception as why:
            self.failed.append(f"{os.path.basename(path)}: {why}")
            return
        tests = [(f"{module.__name__[5:]}.{n[5:]}", f) for n, f in vars(module).items()
                 if n.startswith("test_") and callable(f)]
        tests = [(n, f) for n, f in tests if self.wanted(n) and not self.leaves_out(n)]
        if not tests:
            return
        shares = WRAP and not hasattr(module, "start") and not hasattr(module, "CONFIG")
        try:
            daemon = self.shared or Daemon() if shares else getattr(module, "start", Daemon)(**getattr(module, "CONFIG", {}))
        except Skip as why:
            self.skip(module.__name__[5:], why)
            return
        self.shared = daemon if shares else self.shared
        for name, test in tests:
            if not daemon.alive():
                self.failed.append(f"{name}: sctpd had died")
                continue
            self.one(name, test, daemon)
        if not shares or not daemon.alive():
            self.stop(module.__name__[5:], daemon)

    def stop(self, name, daemon):
        if daemon is self.shared:
            self.shared = None
        try:
            daemon.stop()
        except AssertionError as why:
            self.failed.append(f"{name}: {why}")
            print(f"FAILED  {why}", flush=True)


def too_long(*_):
    raise AssertionError(f"it took longer than {LIMIT} s")


def main():
    signal.signal(signal.SIGALRM, too_long)
    # Whoever runs this may ignore it, and what is ignored the programs under test would ignore as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = Run([a for a in sys.argv[1:] if not a.startswith("-")])
    if DELAY:
        delay_loopback(DELAY)
        print(f"delay: {DELAY} ms on lo")
    print(f"stack: {STACK}")
    print(f"kernel: {os.environ.get('LAB_KERNEL', 'host ' + os.uname().release)}", flush=True)
    part, parts = map(int, os.environ.get("TEST_PART", "1/1").split("/"))
    for path in sorted(glob.glob(os.path.join(MODULES, "test_*.py")))[part - 1::parts]:
        run.module(path)
    if run.shared:
        run.stop("the daemon that modules share", run.shared)
    for line in run.skipped:
        print(f"skipped {line}")
    for line in run.failed:
        print(f"FAILED  {line.splitlines()[0]}")
    if "-s" in sys.argv[1:]:
        for name in sorted(run.seconds, key=run.seconds.get)[:-11:-1]:
            print(f"slow    {name} ({run.seconds[name]:.1f} s)")
    if run.left_out:
        print(f"{run.left_out} left out: see \"Differences between the stacks\" in proto/REFERENCE.md")
    if run.elsewhere:
        print(f"{run.elsewhere} run in another step")
    print(f"{run.passed} passed, {len(run.failed)} failed, {len(run.skipped)} skipped")
    sys.exit(1 if run.failed or not run.passed else 0)


main()
