# SPDX-License-Identifier: BSD-2-Clause
"""Random programs of three clients, and a model beside them that knows what
each call and each socket must come to. TEST_SEED=N runs the one of that seed."""
import os

from harness import WRAP
from model import Program

PROGRAMS = 15 if WRAP else 200
STEPS = 120
SEED = os.environ.get("TEST_SEED")


def run(d, seed):
    program = Program(d, seed)
    try:
        program.run(STEPS)
    except BaseException as why:
        print(f"TEST_SEED={seed} repeats this:", *program.log, sep="\n", flush=True)
        raise AssertionError(f"seed {seed}: {why!r}") from why
    d.close_clients()
    return d.idle()


def test_no_program_finds_the_daemon_elsewhere_than_the_model(d):
    if SEED:
        run(d, int(SEED))
        return
    run(d, 0)
    descriptors = run(d, 1)[0]
    for seed in range(2, PROGRAMS):
        assert run(d, seed)[0] == descriptors, f"seed {seed} left descriptors"
