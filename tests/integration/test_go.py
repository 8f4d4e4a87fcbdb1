# SPDX-License-Identifier: BSD-2-Clause
"""client-lib/go: what go/*_test.go says, its examples, and a daemon that dies
under a program. All of it was built by "make go-built", and is run with Go's
detector of races where that works."""
import os
import re
import subprocess

from harness import BUILD, ROOT, SLOW, Skip, wait_for
from rpc import WAIT
from test_keeper import Kept
from test_lib_session import echoes_of

with open("/proc/cpuinfo", encoding="utf-8") as f:
    UML = "User Mode Linux" in f.read()  # the detector of races needs more addresses than there are
SECONDS = int(os.environ.get("GO_SECONDS", "3"))  # how long a daemon is killed every second


def built(name):
    for how in ("plain",) if UML else ("race", "plain"):
        path = os.path.join(BUILD, "go", how, name)
        if os.path.exists(path):
            return path
    raise Skip("the programs of Go are not built: make go-built, which says what is missing")


def start(**config):
    built("library")
    return Kept(resume_time=WAIT * SLOW * 1000 // 2, **config)


def environment(d):
    return {**os.environ, "SCTPD_SOCKET": d.path, "GORACE": "halt_on_error=1"}


def scenario(d, name, program="library"):
    """A function of go/*_test.go."""
    got = subprocess.run([built(program), f"-test.run=^{name}$", "-test.v", f"-test.timeout={3 * WAIT * SLOW}s"],
                         env=environment(d), capture_output=True, text=True, check=False)
    assert got.returncode == 0, got.stdout[-5000:] + got.stderr[-5000:]
    assert f"--- PASS: {name} " in got.stdout, got.stdout
    for line in re.findall(r"^ +\S+_test.go:\d+: (.*)$", got.stdout, re.M):
        print(f"        {line}")


class Program:
    """A program of the library's; it must have said nothing of errors when it ended."""

    def __init__(self, d, *command):
        self.process = subprocess.Popen(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment(d))

    def line(self):
        return self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, kind, why, trace):
        p = self.process
        try:
            if kind is None:
                out, wrong = p.communicate(timeout=WAIT * SLOW)
                assert p.returncode == 0 and not wrong, (p.returncode, out, wrong)
        finally:
            if p.poll() is None:
                p.kill()
                p.communicate()


# ---- the daemon dies ----

def test_an_echo_survives_kills(d):
    with Program(d, built("echo")) as p:
        echoes_of(d, p.process, SECONDS)


def test_without_a_session_it_is_over_with_the_daemon(d):
    scenario(d, "TestWithoutASessionItIsOverWithTheDaemon")
    wait_for(lambda: d.child())


def test_a_later_program_continues(d):
    scenario(d, "TestALaterProgramContinues")


def test_events_are_acknowledged_by_hand_in_any_order(d):
    scenario(d, "TestEventsAreAcknowledgedByHandInAnyOrder")


def test_many_connect_at_a_time(d):
    scenario(d, "TestManyConnectAtATime")


def test_who_is_superseded_is_told(d):
    scenario(d, "TestWhoIsSupersededIsTold")


def test_nobody_listens(d):
    scenario(d, "TestNobodyListens")


# ---- what it has ----

def test_the_readme_begins_with_a_program_that_runs(d):
    with open(os.path.join(ROOT, "client-lib", "go", "README.md"), encoding="utf-8") as f:
        text = f.read()
    assert text.index("```go\n") == text.index("\n") + 2, "it does not begin with a program"
    with Program(d, built("first")) as p:
        assert re.fullmatch(r'"hello" on stream 4 from port \d+\n', p.line())


def test_so_does_it_in_a_fresh_module_from_what_is_packed(d):
    with Program(d, built("fresh")) as p:
        assert re.fullmatch(r'"hello" on stream 4 from port \d+\n', p.line())


def test_the_example_server_and_client(d):
    with Program(d, built("example"), "server") as server:
        wait_for(lambda: any(s["port"] == 2006 and s["listening"] for s in d.client().call("sockets")["sockets"]))
        with Program(d, built("example"), "127.0.0.1") as client:
            assert client.line() == "connected, 5 outbound streams\n"
            assert client.line() == 'sent "Test 0" on stream 0\n'
            assert client.line().startswith("refused: einval: stream 5: ")
            assert client.line() == "aborted\n"
        said = [server.line() for _ in range(3)]
        assert re.fullmatch(r"127.0.0.1:\d+ sctp_assoc_change comm_up\n", said[0]), said
        assert re.fullmatch(r"127.0.0.1:\d+ data on stream 0: Test 0\n", said[1]), said
        assert re.fullmatch(r"127.0.0.1:\d+ sctp_assoc_change comm_lost\n", said[2]), said
        server.process.kill()
        server.process.wait()
        server.process.returncode = 0  # it has no end of its own


def test_options_events_and_errors(d):
    scenario(d, "TestOptionsEventsAndErrors")


def test_a_socket_is_bound_later_and_its_options_are_set_by_number(d):
    scenario(d, "TestABoundLaterSocket")


def test_bad_input_is_refused_by_name_and_changes_nothing(d):
    scenario(d, "TestBadInput")


def test_connections_and_listeners_are_those_of_net(d):
    scenario(d, "TestConnections")


def test_deadlines_and_contexts_end_what_waits_and_lose_nothing(d):
    scenario(d, "TestDeadlinesAndContexts")


def test_accepts_of_several(d):
    """Goroutines, of which one gives up before an association comes: each of the others gets one."""
    scenario(d, "TestGoroutinesAccept")


def test_a_socket_is_given_away_with_what_was_not_handled(d):
    scenario(d, "TestASocketIsGivenAwayWithWhatWasNotHandled")


# ---- readers, groups, and supervised associations ----

def test_a_reader_that_does_not_read_stops_its_peer(d):
    scenario(d, "TestAReaderThatDoesNotReadStopsItsPeer")


def test_many_goroutines_wait_for_nobody(d):
    scenario(d, "TestManyGoroutinesWaitForNobody")


def test_goroutines_share_a_socket(d):
    scenario(d, "TestGoroutinesShareASocket")


def test_a_member_of_a_group(d):
    scenario(d, "TestAMemberOfAGroup")


def test_a_supervised_association_is_attached(d):
    scenario(d, "TestASupervisedAssociationIsAttached")


def test_an_association_is_peeled_off(d):
    scenario(d, "TestAnAssociationIsPeeledOff")


# ---- the interface of free5GC ----

def test_an_amf_and_a_gnb_of_free5gc(d):
    scenario(d, "TestProgramsOfFree5GC")


def test_addresses_of_free5gc(d):
    scenario(d, "TestAddressesOfFree5GC")
