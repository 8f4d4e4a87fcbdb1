# SPDX-License-Identifier: BSD-2-Clause
"""sctpctl metrics: what it prints, the file, HTTP with good and hostile clients,
and that Prometheus takes it."""
import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from check import code, recv
from harness import BUILD, ROOT, SLOW, Daemon, Skip, associate, wait_for
from rpc import WAIT
from test_privilege import ALICE, BOB, client

SCTPCTL = os.path.join(BUILD, "sctpctl")
RULES = os.path.join(ROOT, "systemd", "metrics", "sctpd.rules.yml")
BOARD = os.path.join(ROOT, "systemd", "metrics", "sctpd-board.json")
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SAMPLE = re.compile(r'^(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$')


def ctl(path, *words, status=0):
    got = subprocess.run([SCTPCTL, "-s", path, "metrics", *words], capture_output=True, text=True,
                         timeout=WAIT * SLOW, check=False)
    assert got.returncode == status, got
    return got


def parse(text):
    """{(name, labels as a frozenset of pairs): value}; every line is well-formed, no series is there twice."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        key = name, frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
        assert key not in found, line
        found[key] = float(value)
    return found


def metrics(d, *words):
    return parse(ctl(d.path, *words).stdout)


def value(found, name, /, **labels):
    """The one series that has these labels, and perhaps more."""
    want = {(k, str(v)) for k, v in labels.items()}
    got = [v for (n, have), v in found.items() if n == "sctpd_" + name and want <= have]
    assert len(got) == 1, (name, labels, got)
    return got[0]


def transfer(c, n, size):
    """n messages over a new association; gives what associate gives."""
    there, there_id, here, here_id = associate(c)
    for _ in range(n):
        c.call("send", sock=here, assoc_id=here_id, data=b"x" * size)
    for _ in range(n):
        recv(c, there, "data")
    return there, there_id, here, here_id


@contextlib.contextmanager
def serving(path, *words, listen="127.0.0.1:0"):
    """The HTTP server of a daemon; gives its port and the process."""
    p = subprocess.Popen([SCTPCTL, "-s", path, "-v", "metrics", "--listen", listen, *words], stderr=subprocess.PIPE, text=True)
    try:
        yield int(re.search(r"listening on port (\d+)", p.stderr.readline())[1]), p
        p.send_signal(signal.SIGTERM)
        assert p.wait(WAIT * SLOW) == 0, p.stderr.read()
    finally:
        p.kill()
        p.wait()
        p.stderr.close()


def get(port, path="/metrics", method="GET", **headers):
    h = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT * SLOW)
    h.request(method, path, headers=headers)
    answer = h.getresponse()
    body = answer.read().decode()
    h.close()
    return answer.status, answer.getheader("Content-Type"), body


# ---- what is printed --------------------------------------------------------


def test_promtool_has_nothing_to_say(d):
    c = d.client('a "name" with \\')
    transfer(c, 3, 10)
    text = ctl(d.path).stdout
    got = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                         timeout=WAIT * SLOW, check=False)
    assert (got.returncode, got.stdout, got.stderr) == (0, "", ""), got
    assert 'owner="a \\"name\\" with \\\\"' in text, text
    # A series for each direction, and nothing that is not in the text of help.
    help_text = subprocess.run([SCTPCTL, "help", "metrics"], capture_output=True, text=True, check=True).stdout
    assert {n for n, _ in parse(text)} <= set(re.findall(r"\bsctpd_\w+", help_text))


def test_they_count_what_happens(d):
    c = d.client("tester")
    before = metrics(d)
    there, there_id, here, here_id = transfer(c, 5, 100)
    after = metrics(d)

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)
    for direction in "in", "out":
        assert more("messages_total", direction=direction) == 5
        assert more("message_bytes_total", direction=direction) == 500
    assert more("association_events_total", event="up") == 2
    assert value(after, "associations") == 2 and value(after, "associations_visible", state="up") == 2
    assert value(after, "association_messages_total", assoc_id=here_id, sock=here, direction="out") == 5
    assert value(after, "association_message_bytes_total", assoc_id=there_id, sock=there, direction="in") == 500
    assert value(after, "association_up", assoc_id=here_id, sock=here) == 1
    assert value(after, "association_info", assoc_id=here_id, sock=here, owner="tester") == 1
    assert value(after, "path_active", assoc_id=here_id, sock=here) == 1
    assert 0 < value(after, "path_rto_seconds", assoc_id=here_id, sock=here) < 60
    assert value(after, "up") == value(after, "scrape_success") == 1
    assert value(after, "start_time_seconds") == c.call("status")["started"]
    c.call("abort", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_assoc_change", state="comm_lost")
    before, after = after, metrics(d)
    assert more("association_events_total", event="aborted") == 2
    there, _, here, here_id = associate(c)
    c.call("eof", sock=here, assoc_id=here_id)
    recv(c, there, "sctp_shutdown_event")
    recv(c, there, "sctp_assoc_change", state="shutdown_comp")
    recv(c, here, "sctp_assoc_change", state="shutdown_comp")
    assert code(c, "connect", sock=c.call("open")["sock"], addr="127.0.0.1", port=9, timeout=WAIT * 1000) == "cant_assoc"
    before, after = after, metrics(d)
    for event, n in (("up", 2), ("ended", 2), ("failed", 1), ("aborted", 0), ("lost", 0)):
        assert more("association_events_total", event=event) == n, event


def test_groups_have_theirs(d):
    c = d.client("member")
    sock = c.call("open", ip="127.0.0.1", options={"active": True})
    c.call("listen", sock=sock["sock"])
    c.call("group", sock=sock["sock"], name="g")
    assert value(metrics(d), "group_members", name="g") == 0
    peer = c.call("open", ip="127.0.0.1")["sock"]
    c.call("connect", sock=peer, addr="127.0.0.1", port=sock["port"], timeout=WAIT * 500)
    wait_for(lambda: value(metrics(d), "group_associations", name="g", state="unassigned") == 1)
    assert value(metrics(d), "group_events_waiting", name="g") == 1     # it came up
    c.call("join", name="g")
    c.event("assigned")
    got = metrics(d)
    assert value(got, "group_members", name="g") == value(got, "group_associations", name="g", state="assigned") == 1
    assert value(got, "group_associations", name="g", state="unassigned") == value(got, "group_events_waiting", name="g") == 0
    c.call("close", sock=sock["sock"])


def test_supervised_associations_have_theirs(d):
    c = d.client()
    there = c.call("open", ip="127.0.0.1")
    c.call("listen", sock=there["sock"])
    c.call("supervise", name="north", peer="127.0.0.1", peer_port=there["port"], local="127.0.0.1")
    c.call("supervise", name="south", peer="127.0.0.1", peer_port=9, local="127.0.0.1", down=True)
    recv(c, there["sock"], "sctp_assoc_change", state="comm_up")
    wait_for(lambda: c.call("supervised", name="north")["supervised"][0]["state"] == "up")
    got = metrics(d)
    for name, state in ("north", "up"), ("south", "down"):
        for other in "up", "connecting", "waiting", "listening", "down":
            assert value(got, "supervised_state", name=name, state=other) == (other == state), (name, other)
        assert 0 <= value(got, "supervised_state_seconds", name=name) < 600
        assert value(got, "supervised_failed_attempts", name=name) == 0
    for name in "north", "south":
        c.call("unsupervise", name=name)


def test_those_beyond_are_added_up(d):
    c = d.client()
    associate(c, n=3)
    found = metrics(d, "--series", "2")
    assert value(found, "associations_not_listed") == 4
    assert value(found, "associations_visible", state="up") == 6
    listed = [labels for (name, labels) in found if name == "sctpd_association_up"]
    assert len(listed) == 2 and len([1 for name, _ in found if name == "sctpd_path_active"]) == 2
    assert value(found, "association_send_queue_bytes", sock="other", assoc_id="other", peer="other") == 0
    others = {name for name, labels in found if ("sock", "other") in labels}
    assert others == {"sctpd_association_send_queue_bytes"}
    found = metrics(d, "--series", "0")
    assert value(found, "associations_not_listed") == 6 and not [1 for name, _ in found if name.startswith("sctpd_path_a")]


def test_who_sees_what(d):
    if os.getuid() != 0:
        raise Skip("only root can be other users")
    own = Daemon(socket_mode="0666", monitor_users=str(BOB))
    try:
        alice, bob, nobody = client(own, ALICE), client(own, BOB), client(own, 65534)
        _, _, here, here_id = associate(alice)
        assert here in [a["sock"] for a in bob.call("assocs")["assocs"]] and len(bob.call("paths")["paths"]) == 2
        for method in "assocs", "paths":
            assert len(bob.call(method, sock=here, assoc_id=here_id)[method]) == 1
        assert nobody.call("assocs")["assocs"] == []
        for method in "abort", "eof":
            try:
                bob.call(method, sock=here, assoc_id=here_id)
                raise AssertionError("it was let")
            except Exception as e:
                assert str(e).startswith("eacces"), e
    finally:
        own.stop()


# ---- a file ------------------------------------------------------------------


def test_a_file_is_replaced_as_a_whole(d):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "sctpd.prom")
        with open(path, "w+", encoding="ascii") as old:
            old.write("old")
            old.flush()
            ctl(d.path, "-o", path)
            old.seek(0)
            assert old.read() == "old"      # the file that was there is as it was
        with open(path, encoding="utf-8") as f:
            assert value(parse(f.read()), "up") == 1
        assert os.listdir(directory) == ["sctpd.prom"] and os.stat(path).st_mode & 0o777 == 0o644
        got = ctl(d.path, "-o", os.path.join(directory, "none", "x.prom"), status=1)
        assert "No such file or directory" in got.stderr
        got = ctl(d.path, "-o", directory, status=1)
        assert "Is a directory" in got.stderr and os.listdir(directory) == ["sctpd.prom"]
        # That the daemon is away is in the file, and is the exit status.
        got = ctl("/nonexistent", "-o", path, status=3)
        with open(path, encoding="utf-8") as f:
            found = parse(f.read())
        assert value(found, "up") == value(found, "scrape_success") == 0 and len(found) == 3, found


# ---- HTTP --------------------------------------------------------------------


def test_http_gives_the_format_that_is_asked_for(d):
    with serving(d.path) as (port, _):
        status, kind, text = get(port)
        assert (status, kind) == (200, TEXT) and value(parse(text), "up") == 1 and "# EOF" not in text
        status, kind, text = get(port, Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        assert (status, kind) == (200, OPENMETRICS) and text.endswith("\n# EOF\n")
        assert "# TYPE sctpd_messages counter\n" in text and "# UNIT sctpd_message_bytes bytes\n" in text
        assert {n for n, _ in parse(text)} == {n for n, _ in metrics(d)}
        heads = [[line for line in t.splitlines() if line.startswith("#")] for t in (text, ctl(d.path, "--openmetrics").stdout)]
        assert heads[0] == heads[1]
        assert get(port, "/")[0] == 200 and get(port, "/nothing")[0] == 404
        status, _, text = get(port, method="HEAD")
        assert (status, text) == (200, "")
        assert get(port, method="POST")[0] >= 400


def test_http_says_that_the_daemon_is_away(d):
    own = Daemon()
    with serving(own.path, "--timeout", "300") as (port, p):
        assert value(parse(get(port)[2]), "up") == 1
        with own.asleep():
            found = parse(get(port)[2])
            assert value(found, "up") == value(found, "scrape_success") == 0
            assert "timeout" in p.stderr.readline()
        found = parse(get(port)[2])
        assert value(found, "up") == 1 and "answers again" in p.stderr.readline()
        own.stop()
        status, _, text = get(port)
        assert status == 200 and value(parse(text), "up") == 0


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=WAIT * SLOW)
    s.settimeout(WAIT * SLOW)
    return s


def answer_to(port, data):
    """What comes until the server closes, and that it does."""
    with connect(port) as s:
        with contextlib.suppress(OSError):
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while more := s.recv(65536):
                got += more
    return got


def test_http_bears_hostile_clients(d):
    with serving(d.path) as (port, p):
        for data in (b"", b"\0" * 5000, b"GET /" + b"a" * 100000, b"GET /metrics HTTP/1.1\r\nX: " + b"y" * 100000,
                     b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 20000, b"GET\r\n\r\n", b"\r\n\r\n\r\n",
                     b"GET /metrics HTTP/9.9\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n", b"GET /%zz%00 HTTP/1.1\r\n\r\n",
                     b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
                     b"POST /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\nx",
                     b"GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                     b"GET /metrics HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n" + b"z" * 100000):
            got = answer_to(port, data)
            assert b" 200 " not in got.split(b"\r\n")[0] or data.startswith(b"GET /metrics HTTP/9"), (data[:60], got[:200])
            assert p.poll() is None
        assert get(port)[0] == 200
        rng = random.Random(9899)
        for _ in range(200):
            data = bytearray(rng.choice((b"GET", b"HEAD", b"PUT")) + b" /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/openmetrics-text\r\n\r\n")
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(len(data))
                data[at:at + rng.randrange(3)] = rng.choice((b"", b"\0", b"\r", b"\n", b":", b"%", b"/", bytes([rng.randrange(256)]) * rng.randrange(300)))
            answer_to(port, bytes(data))
        assert p.poll() is None and get(port)[0] == 200
        # Half requests hold connections until there are too many.
        half = [connect(port) for _ in range(200)]
        for s in half:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                s.sendall(b"GET /metrics HTT")

        def is_served():
            try:
                return get(port)[0] == 200
            except (ConnectionError, http.client.HTTPException):
                return False
        wait_for(is_served)
        assert len(os.listdir(f"/proc/{p.pid}/fd")) <= 64
        for s in half:
            s.close()
        # Many that ask at once, and do not wait for the answer.
        for _ in range(100):
            with connect(port) as s, contextlib.suppress(ConnectionError):
                s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 3)
        wait_for(is_served)
        assert p.poll() is None


def test_http_closes_those_that_do_not_read(d):
    associate(d.client(), 400)
    path = os.path.join(d.dir, "metrics")

    def ask():
        s = stack.enter_context(socket.socket(socket.AF_UNIX))
        s.settimeout(WAIT * SLOW)
        wait_for(lambda: s.connect_ex(path) == 0)
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        return s

    def read(s):
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while more := s.recv(1 << 20):
                got += len(more)
        return got

    p = subprocess.Popen([SCTPCTL, "-s", d.path, "metrics", "--series", "10000", "--listen", f"unix:{path}"])
    try:
        with contextlib.ExitStack() as stack:
            whole = read(ask())
            slow = [ask() for _ in range((16 << 20) // whole + 1)]
            assert len(slow) < 50, whole    # it is not that they are too many
            for s in slow:
                s.recv(1)                   # it is answered
            assert all(read(s) < whole * 9 // 10 for s in slow)
            assert read(ask()) > whole * 9 // 10
    finally:
        p.terminate()
        assert p.wait(WAIT * SLOW) == 0


def test_http_on_the_sockets_of_systemd_ends_when_nobody_asks(d):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run = 'LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; eval "exec 3<&$0"; exec "$@"'
        p = subprocess.Popen(["sh", "-c", run, str(listener.fileno()), SCTPCTL, "-s", d.path, "metrics", "--http", "--idle", "1"],
                             pass_fds=[listener.fileno()])
        assert value(parse(get(listener.getsockname()[1])[2]), "up") == 1
        assert p.wait(WAIT * SLOW) == 0
    got = ctl(d.path, "--http", status=2)
    assert "use --listen" in got.stderr
    for words in (["--http", "--listen", "[::1]:0"], ["--idle", "3"], ["--http", "-o", "x"], ["--listen", "nowhere"], ["word"]):
        assert ctl(d.path, *words, status=2).stderr.startswith("sctpctl: "), words
    assert "formats of its own" in ctl(d.path, "--json", status=2).stderr


def test_http_on_a_unix_socket(d):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "metrics")
        left = socket.socket(socket.AF_UNIX)    # what a server that was killed leaves
        left.bind(path)
        left.close()
        p = subprocess.Popen([SCTPCTL, "-s", d.path, "metrics", "--listen", f"unix:{path}"])
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(WAIT * SLOW)
        wait_for(lambda: s.connect_ex(path) == 0)
        assert "in use" in ctl(d.path, "--listen", f"unix:{path}", status=1).stderr
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        with s.makefile("rb") as f:
            assert f.readline().startswith(b"HTTP/1.0 200 ")
        s.close()
        p.terminate()
        assert p.wait(WAIT * SLOW) == 0 and os.listdir(directory) == []


# ---- Prometheus ---------------------------------------------------------------


def names_in(text):
    return set(re.findall(r"\bsctpd_\w+", text))


def board_exprs():
    with open(BOARD, encoding="utf-8") as f:
        board = json.load(f)
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["expr"]


def test_rules_and_board_name_what_exists(d):
    text = subprocess.run([SCTPCTL, "help", "metrics"], capture_output=True, text=True, check=True).stdout
    there = names_in(text)
    with open(RULES, encoding="utf-8") as f:
        rules = names_in(f.read())
    board = names_in(" ".join(board_exprs()))
    assert len(rules) > 15 and len(board) > 15
    assert rules | board <= there, (rules | board) - there


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


@contextlib.contextmanager
def prometheus(target):
    """A Prometheus with the alert rules, which scrapes the target; gives a function that asks it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w", encoding="ascii") as f:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "rule_files": [RULES],
                       "scrape_configs": [{"job_name": "sctpd", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}]}, f)
        with open(os.path.join(directory, "log"), "w+", encoding="utf-8") as log:
            p = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                                  f"--web.listen-address=127.0.0.1:{port}"], stderr=log)

            def ask(query):
                url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
                try:
                    with urllib.request.urlopen(url, timeout=WAIT * SLOW) as answer:
                        got = json.load(answer)
                except urllib.error.HTTPError as e:
                    assert e.code == 503, (query, e.read())     # it is not ready yet
                    return []
                except OSError:
                    assert p.poll() is None, open(log.name, encoding="utf-8").read()
                    return []
                return got["data"]["result"]
            try:
                yield ask
            finally:
                p.kill()
                p.wait()


def test_prometheus_scrapes_it(d):
    transfer(d.client(), 7, 100)
    sent = d.client().call("status")["send_cnt"]
    assert sent >= 7
    with serving(d.path) as (port, _), prometheus(port) as ask:
        wait_for(lambda: ask("sctpd_up"))
        got = ask('sctpd_messages_total{direction="out"}')
        assert [float(series["value"][1]) for series in got] == [sent], got
        assert ask("up")[0]["value"][1] == "1"
        got = ask("sum by (owner) (sctpd_association_up * on (sock, assoc_id, peer) group_left (owner) sctpd_association_info)")
        assert [series["value"][1] for series in got] == ["2"], got
        # Prometheus takes every expression of the board.
        for expr in board_exprs():
            ask(expr.replace("$__rate_interval", "1m").replace("$instance", ".*"))
