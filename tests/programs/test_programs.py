# SPDX-License-Identifier: BSD-2-Clause
"""Programs of the field as their packages have them, each with its own exchange,
under sctpctl run. With the userland stack both sides are: they need no SCTP in
the kernel. With the kernel's, each is tried against the same program without
sctpd, in both directions. `make run-programs` runs this."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from harness import ROOT, SCRATCH, SLOW, STACK, Skip, wait_for
from hosts import Program
from rpc import Client
from test_cli import SCTPCTL
from test_run import ready

WAIT = 180 * SLOW
PROGRAMS = os.path.join(ROOT, "tests", "programs")
# Who is run, the server and the client.
SIDES = [(True, True)] if STACK == "userland" else [(True, False), (False, True)]


def line(d, is_run, command, options=()):
    command = [str(word) for word in command]
    return [SCTPCTL, "-s", d.path, *options, "run", "--", *command] if is_run else command


def begin(d, is_run, *command, options=()):
    ready()
    if not shutil.which(command[0]) and not os.path.exists(command[0]):
        raise Skip(f"{command[0]} is not installed: run tests/deps.sh programs")
    return Program(*line(d, is_run, command, options))


def ended(d, is_run, *command, options=(), status=0):
    """Run it to its end; what it printed."""
    with begin(d, is_run, *command, options=options) as p:
        p.process.stdin.close()
        deadline = time.monotonic() + WAIT
        while p.read(deadline):
            pass
        assert p.process.wait(WAIT) == status, f"{command} ended with {p.process.returncode}:\n{p.output}"
        return p.output


def is_open(d, port):
    """Does somebody listen there? The daemon may be killed meanwhile."""
    try:
        c = Client(d.path)
    except OSError:
        return False
    try:
        return any(s["port"] == port and s["listening"] for s in c.call("sockets")["sockets"])
    except OSError:
        return False
    finally:
        c.close()


def listens(d, is_run, port):
    if not is_run:
        wait_for(lambda: re.search(rf" {port} ", d.kernel("eps")))
        return
    wait_for(lambda: is_open(d, port))


def written(name, text):
    path = os.path.join(SCRATCH, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


@contextlib.contextmanager
def address(ip):
    """One that programs do not take for the loopback interface's."""
    subprocess.run(["ip", "address", "add", f"{ip}/32", "dev", "lo"], check=True)
    try:
        yield ip
    finally:
        subprocess.run(["ip", "address", "del", f"{ip}/32", "dev", "lo"], check=True)


# ---- tools -------------------------------------------------------------

def test_ncat(d):
    for server, client in SIDES:
        with begin(d, server, "ncat", "--sctp", "-l", "127.0.0.1", 5400) as one:
            listens(d, server, 5400)
            with begin(d, client, "ncat", "--sctp", "127.0.0.1", 5400) as other:
                other.write("hello")
                one.expect("^hello$")
                one.write("back")
                other.expect("^back$")


def test_socat_forks(d):
    for server, client in SIDES:
        with begin(d, server, "socat", "SCTP-LISTEN:5401,bind=127.0.0.1,reuseaddr,fork", "EXEC:cat") as one:
            listens(d, server, 5401)
            for n in range(3):
                with begin(d, client, "socat", "-", "SCTP:127.0.0.1:5401") as other:
                    other.write(f"hello {n}")
                    other.expect(f"^hello {n}$")
            assert one.process.poll() is None


def test_iperf3_with_two_streams(d):
    for server, client in SIDES:
        with begin(d, server, "iperf3", "-s", "-1", "-B", "127.0.0.1", "-p", 5402, options=["--fds", "all"]) as one:
            one.expect("Server listening")
            text = ended(d, client, "iperf3", "-c", "127.0.0.1", "-p", 5402, "--sctp", "-t", 2, "-P", 2, options=["--fds", "all"])
            assert re.search(r"\[SUM\].* sender", text) and "iperf Done." in text, text
            print("  " + re.search(r"\[SUM\] .* receiver", text)[0], flush=True)
            assert one.process.wait(WAIT) == 0


def test_sctp_test(d):
    for server, client in SIDES:
        with begin(d, server, "sctp_test", "-H", "127.0.0.1", "-P", 5403, "-l") as one:
            listens(d, server, 5403)
            ended(d, client, "sctp_test", "-H", "127.0.0.1", "-P", 5404, "-h", "127.0.0.1", "-p", 5403, "-s", "-c", 3)
            one.expect("SHUTDOWN_COMPLETE")
            assert len(re.findall(r"Data +\d+ bytes", one.output)) == 100, one.output


def test_sctp_darn(d):
    for server, client in SIDES:
        with begin(d, server, "sctp_darn", "-H", "127.0.0.1", "-P", 5406, "-l") as one:
            listens(d, server, 5406)
            with begin(d, client, "sctp_darn", "-H", "127.0.0.1", "-P", 5407, "-h", "127.0.0.1", "-p", 5406, "-s") as other:
                other.write("hello")
                one.expect(r"DATA\(\d+\): +hello")


def test_netperfmeter(d):
    for server, client in SIDES:
        with begin(d, server, "netperfmeter", 5405, "-local=127.0.0.1",
                   options=["--fds", "all"]) as one:
            listens(d, server, 5405)
            text = ended(d, client, "netperfmeter", "127.0.0.1:5405", "-local=127.0.0.1", "-runtime=2",
                         "-sctp", "const10:const1000:const10:const1000", options=["--fds", "all"])
            sent = re.search(r"Transmission:.*?Bytes:\s+(\d+)", text, re.S)
            got = re.search(r"Reception:.*?Bytes:\s+(\d+)", text, re.S)
            assert int(sent[1]) > 0 and int(got[1]) > 0, text
            assert one.process.poll() is None


# ---- signalling --------------------------------------------------------

def calls(d, server, client, n=1500):
    """At most 20 at a time: how fast that goes is the machine's."""
    with begin(d, server, "sipp", "-sn", "uas", "-t", "s1", "-i", "127.0.0.1", "-p", 5410, "-nostdin"):
        listens(d, server, 5410)
        text = ended(d, client, "sipp", "-sn", "uac", "-t", "s1", "-i", "127.0.0.1", "-p", 5411, "127.0.0.1:5410",
                     "-m", n, "-r", 2000, "-l", 20, "-nostdin")
        last = text.rindex("Successful call")
        assert re.match(rf"Successful call +\| +\d+ +\| +{n} ", text[last:]), text[last:]
        assert re.search(r"Failed call +\| +\d+ +\| +0 ", text[last:]), text[last:]


def test_sipp_makes_calls(d):
    for server, client in SIDES:
        calls(d, server, client)


SG = """log stderr
 logging filter all 1
 logging color 0
 logging level set-all info
line vty
 no login
 bind 127.0.0.1 {vty}
cs7 instance 0
 point-code 0.0.1
 listen m3ua {port}
  local-ip 127.0.0.1
 asp asp1 {peer} {port} m3ua
  remote-ip 127.0.0.1
  role sg
  sctp-role server
 as as1 m3ua
  routing-key 5 0.0.2
  asp asp1
  traffic-mode override
"""
ASP = """log stderr
 logging filter all 1
 logging color 0
 logging level set-all info
line vty
 no login
 bind 127.0.0.2 {vty}
cs7 instance 0
 point-code 0.0.2
 asp asp1 {port} {peer} m3ua
  remote-ip 127.0.0.1
  local-ip 127.0.0.1
  role asp
  sctp-role client
 as as1 m3ua
  routing-key 5 0.0.2
  asp asp1
  traffic-mode override
"""


@contextlib.contextmanager
def osmo(d, server, client):
    """A signalling gateway and an ASP, which becomes active."""
    names = {"port": 2905, "peer": 2906, "vty": 4239}
    with begin(d, server, "osmo-stp", "-c", written("sg.cfg", SG.format(**names))) as sg:
        listens(d, server, 2905)
        with begin(d, client, "osmo-stp", "-c", written("asp.cfg", ASP.format(**names))) as asp:
            asp.expect("State Change:AS Active")
            yield sg, asp


def test_osmo_stp_becomes_active(d):
    for server, client in SIDES:
        with osmo(d, server, client):
            pass


DIAMETER = """Identity = "{me}.example.org";
Realm = "example.org";
Port = {port};
SecPort = 0;
No_TCP;
No_IPv6;
ListenOn = "{ip}";
TLS_Cred = "{dir}/{me}.pem", "{dir}/{me}.key";
TLS_CA = "{dir}/ca.pem";
ConnectPeer = "{peer}.example.org" {{ ConnectTo = "{ip}"; Port = {peer_port}; No_TLS; }};
"""


def certificates(folder, *names):
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    for name in names:
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}.example.org")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9",
                "-out", f"{name}.pem")


def test_free_diameter_opens(d):
    """Each connects to the other; both come to STATE_OPEN."""
    certificates(SCRATCH, "a", "b")
    with address("10.99.0.1") as ip:
        for server, client in SIDES:
            names = {"dir": SCRATCH, "ip": ip}
            a = written("a.conf", DIAMETER.format(me="a", peer="b", port=3868, peer_port=3869, **names))
            b = written("b.conf", DIAMETER.format(me="b", peer="a", port=3869, peer_port=3868, **names))
            with begin(d, server, "freeDiameterd", "-c", a) as one:
                listens(d, server, 3868)
                with begin(d, client, "freeDiameterd", "-c", b) as other:
                    one.expect(r"-> 'STATE_OPEN'")
                    other.expect(r"-> 'STATE_OPEN'")
                    other.process.send_signal(signal.SIGTERM)
                    one.expect("'STATE_OPEN'.*-> ")


KAMAILIO = """children=4
log_stderror=yes
listen=sctp:127.0.0.1:5412
enable_sctp=yes
loadmodule "sctp.so"
loadmodule "sl.so"
request_route {
	sl_send_reply("200", "served");
}
"""
OPTIONS = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="options">
<send><![CDATA[
OPTIONS sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/SCTP [local_ip]:[local_port];branch=[branch]
From: <sip:a@[local_ip]>;tag=[call_number]
To: <sip:b@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Content-Length: 0

]]></send>
<recv response="200" />
</scenario>
"""


def test_kamailio_with_forked_workers(d):
    """All of its workers wait for messages on one socket that they inherited."""
    if not os.path.exists("/usr/sbin/kamailio"):
        raise Skip("kamailio is not installed: run tests/deps.sh programs")
    for server, client in SIDES:
        with begin(d, server, "/usr/sbin/kamailio", "-DD", "-E", "-f", written("kamailio.cfg", KAMAILIO), "-Y", SCRATCH) as one:
            listens(d, server, 5412)
            text = ended(d, client, "sipp", "-sf", written("options.xml", OPTIONS), "-t", "s1", "-i", "127.0.0.1", "-p", 5413,
                         "127.0.0.1:5412", "-m", 200, "-r", 100, "-nostdin")
            assert re.search(r"Successful call +\| +\d+ +\| +200 ", text[text.rindex("Successful call"):]), text[-3000:]
            one.process.terminate()
            one.process.wait(WAIT)


MME = """logger:
    file: {dir}/mme.log
mme:
    freeDiameter: {dir}/mme.conf
    s1ap:
      addr: 127.0.0.1
    gtpc:
      addr: 127.0.0.1
    gummei:
      plmn_id:
        mcc: 001
        mnc: 01
      mme_gid: 2
      mme_code: 1
    tai:
      plmn_id:
        mcc: 001
        mnc: 01
      tac: 12345
    security:
        integrity_order : [ EIA1, EIA2, EIA0 ]
        ciphering_order : [ EEA0, EEA1, EEA2 ]
sgw:
    gtpc:
      addr: 127.0.0.2
pgw:
    gtpc:
      addr: 127.0.0.3
"""
MME_DIAMETER = """Identity = "a.example.org";
Realm = "example.org";
No_SCTP;
ListenOn = "127.0.0.1";
TLS_Cred = "{dir}/a.pem", "{dir}/a.key";
TLS_CA = "{dir}/ca.pem";
LoadExtension = "dict_rfc5777.so";
LoadExtension = "dict_mip6i.so";
LoadExtension = "dict_nasreq.so";
LoadExtension = "dict_nas_mipv6.so";
LoadExtension = "dict_dcca.so";
LoadExtension = "dict_dcca_3gpp.so";
LoadExtension = "dict_s6a.so";
ConnectPeer = "b.example.org" {{ ConnectTo = "127.0.0.4"; No_TLS; }};
"""
# S1SetupRequest: an eNB of the network 001/01 in the tracking area 12345 (3GPP TS 36.413 9.1.8.4).
ENB = """import socket, struct
request = bytes.fromhex("0011001f000003003b00080000f110000019b00040000700" "0c0e4000f1100089400140")
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
s.setsockopt(132, 11, bytes([1]))    # SCTP_EVENTS: sctp_data_io_event
s.connect(("127.0.0.1", 36412))
info = struct.pack("=HHHxxIIIIII", 0, 0, 0, socket.htonl(18), 0, 0, 0, 0, 0)
s.sendmsg([request], [(132, 1, info)])
answer, control, flags, _ = s.recvmsg(1000, 1000)
ppid = socket.ntohl(struct.unpack_from("=I", control[0][2], 8)[0])
print(answer[:2].hex(), ppid)
"""


def test_nextepc_mme_sets_up_s1(d):
    """Its answer is an S1SetupResponse, with S1AP's PPID."""
    certificates(SCRATCH, "a")
    written("mme.conf", MME_DIAMETER.format(dir=SCRATCH))
    for server, client in SIDES:
        with begin(d, server, "nextepc-mmed", "-f", written("mme.yaml", MME.format(dir=SCRATCH)), "-p", os.path.join(SCRATCH, "mme.pid")):
            listens(d, server, 36412)
            assert ended(d, client, sys.executable, "-c", ENB) == "2011 18\n"


# ---- languages ---------------------------------------------------------

def well(d, *command, options=()):
    """With itself as one program, and as two: `serve PORT` and `talk PORT`."""
    assert "well" in ended(d, True, *command, options=options).splitlines()
    for server, client in SIDES:
        with begin(d, server, *command, "serve", 5420, options=options):
            listens(d, server, 5420)
            assert "well" in ended(d, client, *command, "talk", 5420, options=options).splitlines()


def test_erlang(d):
    subprocess.run(["erlc", "-o", SCRATCH, os.path.join(PROGRAMS, "exchange.erl")], check=True)
    well(d, "erl", "-noinput", "-pa", SCRATCH, "-run", "exchange")


def test_go(d):
    program = os.path.join(SCRATCH, "exchange-go")
    if not shutil.which("go"):
        raise Skip("go is not installed: run tests/deps.sh programs")
    subprocess.run(["go", "build", "-o", program, os.path.join(PROGRAMS, "exchange.go")], check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off", "GOCACHE": os.path.join(SCRATCH, "go")})
    well(d, program)


def test_java(d):
    if not shutil.which("javac"):
        raise Skip("javac is not installed: run tests/deps.sh programs")
    subprocess.run(["javac", "-d", SCRATCH, os.path.join(PROGRAMS, "Exchange.java")], check=True, capture_output=True)
    well(d, "java", "-Xmx256m", "-cp", SCRATCH, "Exchange")
