# SPDX-License-Identifier: BSD-2-Clause
"""What sctpctl says: errors that name what is wrong and what to do, in the
words of the command line, and as JSON where that is asked for; names of PPIDs."""
import json
import re

from harness import associate
from test_cli import bye, good, listen, run


def failure(d, *args, text=""):
    status, out, err = run(d, *args, text=text)
    assert status != 0, (args, out, err)
    return status, err


def test_errors_are_objects_with_json(d):
    for args, status, says in ((["close", "sock=1"], 1, "closed: sock 1"), (["nope"], 2, "no command or method"),
                               (["--nope", "status"], 2, "unrecognized option --nope"),
                               (["status", "--ppid"], 2, "--ppid takes an argument"),
                               (["help", "nope"], 2, 'PPID "nope"'),
                               (["open", "x=1"], 2, "x: unknown"),
                               (["connect", "127.0.0.1", "x"], 2, "takes a host and a port")):
        got, err = failure(d, "-j", *args)
        said = json.loads(err)
        assert got == status == said["exit_status"] and says in said["error"], (args, got, err)


def test_help_is_json_with_json(d):
    commands = {c["name"]: c for c in json.loads(good(d, "-j", "help"))["commands"]}
    assert commands["connect"]["arguments"].startswith("host port"), commands["connect"]
    assert "ppid" in [o["name"] for o in commands["connect"]["options"]]
    assert json.loads(good(d, "--json", "--help")) == json.loads(good(d, "-j", "help"))
    got = json.loads(good(d, "-j", "help", "connect", "mark", "closed", "data", "m3ua"))
    assert [(g["kind"], g["name"]) for g in got] == [
        ("command", "connect"), ("method", "connect"), ("option", "mark"), ("error", "closed"), ("event", "data"),
        ("ppid", "m3ua")], got
    assert got[1]["arguments"][0] == {"name": "sock", "type": "an integer from 0 to 2^53", "required": True,
                                      "doc": "socket"}, got[1]
    assert got[5]["number"] == 3


def test_help_says_which_stack_lacks_an_option(d):
    assert "The userland stack does not have it." in good(d, "help", "mark")
    assert "userland" not in good(d, "help", "sctp_nodelay")


def test_ppids_have_names(d):
    server, port = listen(d, "-v")
    good(d, "connect", "127.0.0.1", port, "--ppid", "M3UA", text="one\n")
    out, err = server.communicate()
    assert out == "one\n" and re.search(r"^\S+ data .*ppid=3 \(m3ua\)", err, re.M), err
    _, err = failure(d, "connect", "--ppid", "m9ua", "127.0.0.1", port)
    assert '"m9ua" is neither a name, such as m3ua, nor a number' in err, err
    assert "ngap" in good(d, "help", "ppid").split() and "PPID 60" in good(d, "help", "ngap")


def test_a_wrong_socket_option_is_not_the_peers_fault(d):
    status, err = failure(d, "connect", "-o", "wrong=1", "127.0.0.1", 9)
    assert (status, err) == (2, "sctpctl: badarg: open: options.wrong: there is no such option\n")


def test_bounds_that_contradict_are_named(d):
    status, err = failure(d, "connect", "-o", "sctp_rtoinfo.min=9000", "-o", "sctp_rtoinfo.max=100", "127.0.0.1", 9)
    assert status == 1 and err.startswith("sctpctl: einval: options.sctp_rtoinfo: it takes min <= initial <= max"), err


def test_getopts_says_how_sctpctl_asks_for_an_association(d):
    sock, assoc, _, _ = associate(d.client())
    _, err = failure(d, "getopts", f"sock={sock}", "options=sctp_status")
    asked = re.search(r"\(sctpctl: (\S+)=N\)", err)[1]
    assert "state:" in good(d, "getopts", f"sock={sock}", f"{asked}={assoc}")


def test_the_shell_calls_and_waits_for_what_there_is(d):
    assert "no sockets" in good(d, "shell", text="call sockets\n")
    status, err = failure(d, "shell", text="wait nosuch\n")
    assert status == 2 and 'there is no event "nosuch"' in err, err
    status, err = failure(d, "shell", text="call\n")
    assert status == 2 and "call takes a method" in err, err
