# SPDX-License-Identifier: BSD-2-Clause
"""client-lib/node: its examples, and the programs of node/cases.mjs, which assert by
themselves; a daemon that dies under them, and programs that do."""
import contextlib
import os
import re
import shutil
import signal
import subprocess

from harness import BUILD, ROOT, SLOW, Skip, wait_for
from rpc import WAIT
from test_keeper import Kept
from test_lib_session import echoes_of

LIBRARY = os.path.join(ROOT, "client-lib", "node")
HERE = os.path.join(ROOT, "tests", "integration")
# Where require finds @msgpack/msgpack.
MSGPACK = os.path.join(HERE, "stock", "npm")
SECONDS = int(os.environ.get("NODE_SECONDS", "3"))  # how long a daemon is killed every second


def start(**config):
    if not shutil.which("node"):
        raise Skip("there is no node; tests/deps.sh check installs it")
    return Kept(resume_time=WAIT * SLOW * 1000 // 2, **config)


@contextlib.contextmanager
def program(d, path, *args, killed=False, **environment):
    """A program of the library's; it must have said nothing of errors when it ended."""
    p = subprocess.Popen(["node", path, *map(str, args)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env={**os.environ, "SCTPD_SOCKET": d.path, "NODE_PATH": MSGPACK, "TEST_SLOW": str(SLOW), **environment})
    try:
        yield p
        if killed:
            p.kill()
        out, wrong = p.communicate(timeout=3 * WAIT * SLOW)
        assert p.returncode == (-signal.SIGKILL if killed else 0) and not wrong, (p.returncode, out, wrong)
        p.out = out
    finally:
        if p.poll() is None:
            p.kill()
            p.communicate()


def case(d, name, *args, **how):
    return program(d, os.path.join(HERE, "node", "cases.mjs"), name, *args, **how)


def passes(d, name, *args):
    with case(d, name, *args) as p:
        pass
    print(p.out, end="")


def example(name):
    return os.path.join(LIBRARY, "examples", name)


# ---- the daemon dies, or the program does ----

def echoes(d, name):
    with program(d, example(name)) as p:
        echoes_of(d, p, SECONDS)


def test_an_echo_survives_kills(d):
    echoes(d, "echo.mjs")


def test_an_echo_that_listens_survives_kills(d):
    echoes(d, "echo_listener.cjs")


def test_without_a_session_it_is_over(d):
    with case(d, "plain") as p:
        assert p.stdout.readline() == "ready\n"
        os.kill(d.child(), signal.SIGKILL)
    wait_for(lambda: d.child())


def continues(d, first, second):
    with case(d, first, killed=True) as p:
        said = p.stdout.readline()
    passes(d, second, said)


def test_a_later_program_continues(d):
    continues(d, "first", "second")


def test_events_are_acknowledged_by_hand_in_any_order(d):
    continues(d, "firstByHand", "secondByHand")


def test_many_connect_at_a_time(d):
    passes(d, "manyConnect")


def test_who_is_superseded_is_told(d):
    passes(d, "superseded")


# ---- what it has ----

def readmes_first(d, folder, **environment):
    """README's first program in a folder with node_modules."""
    with open(os.path.join(LIBRARY, "README.md"), encoding="utf-8") as f:
        text = f.read()
    first = re.search(r"```js\n(.*?)```", text, re.S)[1]
    assert text.index("```js") == text.index("\n") + 2, "it does not begin with a program"
    path = os.path.join(folder, "first.mjs")
    with open(path, "w", encoding="utf-8") as f:
        f.write(first)
    with program(d, path, **environment) as p:
        assert re.fullmatch(r"hello on stream 4 from port \d+\n", p.stdout.readline())


def test_the_readme_begins_with_a_program_that_runs(d):
    os.makedirs(os.path.join(d.dir, "tree", "node_modules"))
    os.symlink(LIBRARY, os.path.join(d.dir, "tree", "node_modules", "sctpd"))
    readmes_first(d, os.path.join(d.dir, "tree"))


def test_so_does_it_where_the_package_is_installed(d):
    folder = os.path.join(BUILD, "node", "installed")
    if not os.path.exists(folder):
        raise Skip("the package is not installed: make node-built")
    shutil.copytree(folder, os.path.join(d.dir, "installed"), symlinks=True)
    readmes_first(d, os.path.join(d.dir, "installed"), NODE_PATH="")


def test_the_example_server_and_client(d):
    with program(d, example("example.mjs"), "server", killed=True) as server:
        wait_for(lambda: any(s["port"] == 2006 and s["listening"] for s in d.client().call("sockets")["sockets"]))
        with program(d, example("example.mjs"), "127.0.0.1") as client:
            assert client.stdout.readline() == "connected, 5 outbound streams\n"
            assert client.stdout.readline() == 'sent "Test 0" on stream 0\n'
            assert client.stdout.readline().startswith("refused: einval: stream 5: ")
            assert client.stdout.readline() == "aborted\n"
        said = [server.stdout.readline() for _ in range(3)]
        assert re.fullmatch(r"127.0.0.1:\d+ sctp_assoc_change comm_up\n", said[0]), said
        assert re.fullmatch(r"127.0.0.1:\d+ data on stream 0: Test 0\n", said[1]), said
        assert re.fullmatch(r"127.0.0.1:\d+ sctp_assoc_change comm_lost\n", said[2]), said


def test_options_events_and_errors(d):
    passes(d, "options")


def test_bad_input_is_refused_with_its_code(d):
    passes(d, "badInput")


def test_bytes_and_numbers_of_all_sizes(d):
    passes(d, "values")


def test_streams(d):
    passes(d, "streams")


def test_listeners(d):
    passes(d, "listeners")


def test_two_readers_of_one_socket(d):
    passes(d, "twoReaders")


def test_a_socket_is_given_away_with_what_was_not_handled(d):
    passes(d, "give")


def test_an_accept_that_was_given_up_loses_no_association(d):
    passes(d, "acceptGivenUp")


def test_accepts_of_several(d):
    """Of which some are aborted before an association comes: each of the others gets one."""
    passes(d, "acceptsOfSeveral")


def test_a_reader_that_does_not_read_stops_its_peer(d):
    passes(d, "deafReader")


def test_a_thousand_sockets_wait_for_nobody(d):
    passes(d, "thousand")


# ---- groups, and supervised associations ----

def test_a_member_of_a_group(d):
    passes(d, "group")


def test_a_member_of_a_group_that_spreads(d):
    passes(d, "spread")


def test_a_supervised_association_is_attached(d):
    passes(d, "supervised")


def test_a_socket_is_bound_later_and_its_options_are_set_by_number(d):
    passes(d, "boundLater")
