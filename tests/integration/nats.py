# SPDX-License-Identifier: BSD-2-Clause
"""NATS servers, the bridge, and a client of NATS, for tests: nothing but a socket."""
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
import time

from harness import BUILD, SCRATCH, SLOW, Skip, halt, wait_for
from rpc import WAIT

BRIDGE = os.environ.get("TEST_SCTPD_NATS") or os.path.join(BUILD, "sctpd-nats")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One nats-server. It may be killed and started again, with what it stored."""

    def __init__(self, name="s1", port=None, cluster=None, extra="", listen="127.0.0.1"):
        if not shutil.which("nats-server"):
            raise Skip("there is no nats-server; tests/deps.sh check installs it")
        self.name, self.port, self.monitor = name, port or free_port(), free_port()
        self.dir = tempfile.mkdtemp(dir=SCRATCH)
        self.conf = os.path.join(self.dir, "conf")
        with open(self.conf, "w") as f:
            f.write(f'server_name: {name}\nlisten: "{listen}:{self.port}"\nhttp: "127.0.0.1:{self.monitor}"\n'
                    f'jetstream {{ store_dir: "{self.dir}/js", max_mem: 256M, max_file: 4G }}\n{extra}\n')
            if cluster:
                own, routes = cluster
                f.write(f'cluster {{ name: c, listen: "127.0.0.1:{own}", routes: [{", ".join(routes)}] }}\n')
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = None
        self.start()

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(["nats-server", "-c", self.conf], stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT)

    def pause(self, on):
        if on:
            halt(self.process.pid)
        else:
            self.process.send_signal(signal.SIGCONT)

    def copy_of(self, stream):
        """The state of this server's copy of a stream, or None."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/jsz?streams=1", timeout=WAIT) as f:
            accounts = json.load(f).get("account_details", [])
        return next((s["state"] for a in accounts for s in a.get("stream_detail", []) if s["name"] == stream), None)

    def warnings(self, most=20):
        """The last lines of its log that say that something is wrong."""
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return [f"{self.name}: {line.strip()}" for line in f if "[WRN]" in line or "[ERR]" in line][-most:]

    def unread(self):
        """Bytes that clients have sent and it has not read."""
        with open("/proc/net/tcp", encoding="ascii") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        return sum(int(row[4].split(":")[1], 16) for row in rows if int(row[1].split(":")[1], 16) == self.port and row[3] == "01")

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        self.log.close()


def cluster(n):
    """n servers that know each other."""
    ports = [free_port() for _ in range(n)]
    routes = [f'"nats://127.0.0.1:{p}"' for p in ports]
    return [Server(f"s{i + 1}", cluster=(p, routes)) for i, p in enumerate(ports)]


class Nats:
    """A client. It connects again, and asks again, until there is an answer."""

    def __init__(self, *servers, login=""):
        self.servers, self.login = itertools.cycle(servers), login
        self.sock, self.file, self.ids = None, None, itertools.count()

    def version(self):
        """Of the server, such as (2, 9, 10)."""
        self.api("INFO")
        return tuple(int(n) for n in self.info["version"].split("-")[0].split("."))

    def close(self):
        if self.sock:
            self.file.close()
            self.sock.close()
        self.sock = None

    def connect(self):
        self.close()
        server = next(self.servers)
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=2)
        self.sock.settimeout(2)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.inbox = "_INBOX." + os.urandom(8).hex()
        self.info = json.loads(self.file.readline().removeprefix(b"INFO "))
        self.sock.sendall(b'CONNECT {"verbose":false,"headers":true,"no_responders":true%s}\r\nSUB %s.* 1\r\n'
                          % (self.login.encode(), self.inbox.encode()))

    def receive(self):
        """(subject, reply, headers, data) of the next message."""
        while True:
            line = self.file.readline()
            words = line.decode().split()
            if not words:
                raise ConnectionError("the server has closed the connection")
            if words[0] == "PING":
                self.sock.sendall(b"PONG\r\n")
            elif words[0] == "-ERR":
                raise ConnectionError(line)
            elif words[0] in ("MSG", "HMSG"):
                body = self.file.read(int(words[-1]) + 2)[:-2]
                head = int(words[-2]) if words[0] == "HMSG" else 0
                reply = words[3] if len(words) - (words[0] == "HMSG") == 5 else None
                return words[1], reply, parse_headers(body[:head]), body[head:]

    def publish(self, subject, data=b"", reply="", headers=None):
        block = b""
        if headers:
            block = b"NATS/1.0\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n"
        verb = f"HPUB {subject} {reply} {len(block)} {len(block) + len(data)}" if headers else f"PUB {subject} {reply} {len(data)}"
        self.sock.sendall(verb.encode() + b"\r\n" + block + data + b"\r\n")

    def ask_once(self, subject, data=b"", headers=None):
        if self.sock is None:
            self.connect()
        name = f"{self.inbox}.{next(self.ids)}"
        self.publish(subject, data, name, headers)
        while True:
            to, reply, head, body = self.receive()
            if to == name:
                return reply, head, body

    def ask(self, subject, data=b"", headers=None, patience=WAIT):
        """(headers, data) of the answer."""
        deadline = time.monotonic() + patience * SLOW
        while True:
            try:
                _, head, body = self.ask_once(subject, data, headers)
                if head.get("Status") != "503":
                    return head, body
                why = "nobody answers"
            except OSError as e:
                why = repr(e)
                self.close()
            assert time.monotonic() < deadline, f"{subject}: {why}"
            time.sleep(0.05)

    def api(self, what, **request):
        """A call of JetStream; gives its answer, and asks again while there is no leader."""
        deadline = time.monotonic() + WAIT * SLOW
        while True:
            _, body = self.ask("$JS.API." + what, json.dumps(request).encode() if request else b"")
            answer = json.loads(body)
            if answer.get("error", {}).get("code") not in (503, 500):
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)

    def put(self, subject, data=b"", headers=None):
        """Publish to a stream; the sequence. It is tried until it is stored, so let it have an id."""
        deadline = time.monotonic() + WAIT * SLOW
        while True:
            _, body = self.ask(subject, data, headers)
            answer = json.loads(body)
            if "error" not in answer and answer["seq"] != 0:    # 0: one with this id is under way, and may come to nothing
                return answer["seq"]
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)

    def state(self, stream):
        answer = self.api(f"STREAM.INFO.{stream}")
        assert "state" in answer, answer
        return answer["state"]

    def message(self, stream, seq):
        """(subject, headers, data) of a message of a stream."""
        m = self.api(f"STREAM.MSG.GET.{stream}", seq=seq)["message"]
        return m["subject"], parse_headers(base64.b64decode(m.get("hdrs", ""))), base64.b64decode(m.get("data", ""))

    def all(self, stream):
        """All messages of a stream, in order, by consumers of our own: one that is silent is not asked again."""
        found, last, deadline = [], self.state(stream)["last_seq"], time.monotonic() + WAIT * SLOW
        while (seen := found[-1][0] if found else 0) < last:
            try:
                more = self.some(stream, seen + 1, last)
            except OSError:
                self.close()
                more = []
            found += more
            if not more and self.state(stream)["messages"] == 0:
                break
            assert more or time.monotonic() < deadline, (stream, seen, last, self.state(stream))
        return found

    def some(self, stream, first, last):
        name = "t" + os.urandom(4).hex()
        answer = self.api(f"CONSUMER.DURABLE.CREATE.{stream}.{name}", stream_name=stream, config={
            "durable_name": name, "ack_policy": "none", "deliver_policy": "by_start_sequence", "opt_start_seq": first,
            "num_replicas": 1, "mem_storage": True, "inactive_threshold": 10 * 10**9})
        assert "config" in answer, answer
        found, seen, quiet = [], first - 1, False
        while seen < last and not quiet:
            inbox = f"{self.inbox}.{next(self.ids)}"
            self.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}", b'{"batch":500,"no_wait":true}', inbox)
            while True:
                to, reply, head, body = self.receive()
                if (to != inbox) if "Status" in head else (reply.split(".")[3] != name):
                    continue        # it is from the consumer before, which had more than it was asked for here
                if "Status" in head:
                    quiet = True
                    break
                seen = int(reply.split(".")[5])
                found.append((seen, to, head, body))
                if seen >= last or len(found) % 500 == 0:
                    break
        self.api(f"CONSUMER.DELETE.{stream}.{name}")
        return found


def parse_headers(block):
    lines = block.decode().split("\r\n")
    head = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    if len(lines[0].split()) > 1:
        head["Status"] = lines[0].split()[1]
    return head


class Bridge:
    """sctpd-nats. It may be killed and started again."""

    def __init__(self, daemon, servers, endpoints, host="h1", **config):
        if not os.path.exists(BRIDGE):
            raise Skip("sctpd-nats was not built: libnats-dev is missing")
        self.host = host
        self.dir = tempfile.mkdtemp(dir=SCRATCH)
        self.conf = os.path.join(self.dir, "conf")
        settings = {"host": host, "socket": daemon.path, "state_dir": self.dir, "log_level": "debug",
                    "metrics_file": os.path.join(self.dir, "metrics"),
                    "servers": " ".join(s.url for s in servers), "replicas": min(len(servers), 3), **config}
        with open(self.conf, "w") as f:
            f.writelines(f"{k} = {v}\n" for k, v in settings.items())
            for name, words in endpoints.items():
                f.write(f"endpoint {name} {{\n" + "".join(f"\t{k} = {v}\n" for k, v in words.items()) + "}\n")
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([BRIDGE, "-c", self.conf], stdin=subprocess.DEVNULL, stderr=self.log)

    def test(self):
        """What -t says, and its exit status."""
        p = subprocess.run([BRIDGE, "-c", self.conf, "-t"], capture_output=True, text=True, timeout=WAIT * SLOW)
        return p.returncode, p.stdout + p.stderr

    def pause(self, on):
        if on:
            halt(self.process.pid)
        else:
            self.process.send_signal(signal.SIGCONT)

    def log_text(self):
        with open(self.log.name) as f:
            return f.read()

    def said(self, text, times=1):
        """Wait until the log has it."""
        def is_there():
            assert self.process.poll() is None, self.log_text()
            return self.log_text().count(text) >= times
        try:
            wait_for(is_there)
        except AssertionError:
            raise AssertionError(f"it never said {text!r}:\n{self.log_text()[-3000:]}") from None

    def runs(self, times=1):
        self.said("the bridge runs", times)

    def state_in(self):
        """(event, sequence): all events up to that one are in the log, up to that sequence, as the file state says."""
        with open(os.path.join(self.dir, "state"), encoding="ascii") as f:
            return tuple(map(int, f.read().split("\nin ")[1].split()[:2]))

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT)

    def end(self):
        """End it properly."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            assert self.process.wait(WAIT * SLOW) in (0, -signal.SIGTERM), self.log_text()[-3000:]
        self.log.close()


def close_held(daemon):
    """Close the sockets that wait for a bridge."""
    if not daemon.alive():
        return
    c = daemon.client("cleaner")
    supervised = {v["sock"] for v in c.call("supervised")["supervised"]}
    for s in c.call("sockets")["sockets"]:
        if s["held"] and s["sock"] not in supervised:
            c.call("adopt", sock=s["sock"])
            c.call("close", sock=s["sock"])
    c.close()
    daemon.clients.remove(c)


@contextlib.contextmanager
def bus(n=1, **how):
    servers = cluster(n) if n > 1 else [Server(**how)]
    try:
        yield servers
    finally:
        for s in servers:
            s.end()


@contextlib.contextmanager
def bridge(daemon, servers, endpoints, **config):
    b = Bridge(daemon, servers, endpoints, **config)
    b.start()
    try:
        b.runs()
        yield b
    finally:
        b.end()
        close_held(daemon)
