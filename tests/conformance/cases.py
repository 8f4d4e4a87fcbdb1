# SPDX-License-Identifier: BSD-2-Clause
"""What any client library of sctpd must do: a table of cases, each a script of the
wire. f is the daemon, d the program that uses the library; the text is what must
hold. See README.md, and the section Sessions of proto/README.md."""
import time

from fake import TOKEN, Wrong

CASES = []


def case(text):
    def add(function):
        CASES.append((function.__name__, text, function))
        return function
    return add


def begin(f, d):
    """A session that is up."""
    d.connect()
    c = f.accept()
    f.greet(c)
    d.connected()
    return c


def die(c, f):
    """The daemon dies and is there again: (the new connection, what hello said)."""
    c.die()
    return f.resumed()


def same(got, want, what):
    if got != want:
        raise Wrong(f"{what}: {got}, and not {want}")


# ---- calls ----

@case("A call is answered")
def a_call(f, d):
    c = begin(f, d)
    d.call(1, "error_string", error=12)
    msgid, _, arguments = c.read("error_string")
    same(arguments, {"error": 12}, "arguments")
    f.answer(c, msgid, {"text": "User Initiated Abort"})
    d.ok(1, {"text": "User Initiated Abort"})


@case("An error has its code")
def an_error(f, d):
    c = begin(f, d)
    d.call(1, "close", sock=7)
    f.answer(c, c.read("close")[0], error="badarg: sock: there is none; it takes a handle")
    d.fails(1, "badarg")


@case("A call that is longer than the daemon takes is refused, and is not sent")
def too_long(f, d):
    c = begin(f, d)
    d.call(1, "status", text="x" * (17 << 20))
    d.fails(1, "emsgsize", "badarg")    # badarg: C makes no text so long out of words
    d.call(2, "status")
    f.answer(c, c.read("status")[0], {"pid": 1})
    d.ok(2, {"pid": 1})


@case("Answers may come in another order than the calls")
def out_of_order(f, d):
    c = begin(f, d)
    for n in range(3):
        d.call(n, "error_string", error=n)
    ids = [c.read("error_string")[0] for _ in range(3)]
    for n in (2, 0, 1):
        f.answer(c, ids[n], {"text": str(n)})
    for n in range(3):
        d.ok(n, {"text": str(n)})


@case("An answer that nobody waits for is ignored")
def a_stray_answer(f, d):
    c = begin(f, d)
    f.answer(c, 77777, {"text": "nobody's"})
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {"pid": 1})
    d.ok(1, {"pid": 1})
    d.quiet()


@case("Nothing is said between hello and its answer")
def patience_with_hello(f, d):
    c = begin(f, d)
    d.call(1, "status")
    c.read("status")
    c.die()
    c = f.accept()
    msgid, _, said = c.read("hello")
    d.call(2, "error_string", error=2)
    c.read_nothing()
    f.replay(c, said["seq"])
    c.greeted = True
    c.send(f.hello_bytes(msgid))
    for n, method in ((1, "status"), (2, "error_string")):
        f.answer(c, c.read(method)[0], {})
        d.ok(n, {})


@case("Keys that are not known are ignored: in hello, in answers and in events")
def unknown_keys(f, d):
    d.connect()
    c = f.accept()
    f.greet(c, wonder={"a": [1, None, 2.5]}, features=["survive", "wonder"])
    d.connected()
    d.call(1, "port", sock=7)
    f.answer(c, c.read("port")[0], {"port": 5, "wonder": [{"x": b"\0"}]})
    same(d.ok(1)["port"], 5, "port")
    f.event(c, sock=7, data=b"1", wonder={"y": {}}, sctp_sndrcvinfo={"assoc_id": 1, "wonder": -1})
    d.next(1)


@case("An event whose name is not known ends nothing")
def unknown_event(f, d):
    c = begin(f, d)
    f.event(c, "wonder", sock=8, why="nobody knows")
    f.event(c, "wonder")
    f.message(c, 1)
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {})
    d.ok(1)


@case("Whole numbers may be floats, in answers and in events")
def floats(f, d):
    c = begin(f, d)
    d.call(1, "open", port=0)
    f.answer(c, c.read("open")[0], {"sock": 7.0, "port": 2905.0})
    same(d.ok(1), {"sock": 7, "port": 2905}, "answer")
    f.event(c, sock=7.0, data=b"1", sctp_sndrcvinfo={"assoc_id": 4.0, "stream": 2.0})
    got = d.next(1)["fields"]
    same((got["sock"], got["sctp_sndrcvinfo"]), (7, {"assoc_id": 4, "stream": 2}), "event")


# ---- bytes ----

@case("An event comes byte by byte")
def byte_by_byte(f, d):
    c = begin(f, d)
    c.bytewise(f.event_bytes("data", sock=7, data=b"1", sctp_sndrcvinfo={"assoc_id": 1}))
    d.next(1)


@case("The answer to hello comes byte by byte, and the next message with its last byte")
def hello_byte_by_byte(f, d):
    d.connect()
    c = f.accept()
    msgid, _, _ = c.read("hello")
    packed = f.hello_bytes(msgid)
    c.bytewise(packed[:-1])
    c.greeted = True
    c.send(packed[-1:] + f.event_bytes("data", sock=7, data=b"1"))
    d.connected()
    d.next(1)


@case("A thousand messages come in one piece")
def in_one_piece(f, d):
    c = begin(f, d)
    c.send(b"".join(f.event_bytes("data", sock=7, data=b"%d" % n) for n in range(1000)))
    for n in range(1000):
        d.next(n)


@case("A message of 16 MiB comes, the last part of it byte by byte")
def huge(f, d):
    c = begin(f, d)
    c.bytewise(f.event_bytes("data", sock=7, data=bytes(16 << 20)))
    same(len(d.next()["fields"]["data"]["bytes"]), 2 * (16 << 20), "hexadecimal digits")
    f.message(c, 2)
    d.next(2)


@case("Bytes that are no message end the session")
def garbage(f, d):
    c = begin(f, d)
    d.call(1, "status")
    c.read("status")
    c.send(b"\xc1\xc1\xc1")
    d.fails(1, "eproto")
    f.nobody_comes()


@case("A message that is neither answer nor event ends the session")
def neither(f, d):
    c = begin(f, d)
    d.call(1, "status")
    c.read("status")
    c.send(b"\x93\x05\x01\x90")
    d.fails(1, "eproto")
    f.nobody_comes()


# ---- the daemon dies ----

@case("It dies before the answer: the call comes again with its msgid")
def before_the_answer(f, d):
    c = begin(f, d)
    d.call(1, "error_string", error=5)
    msgid, _, arguments = c.read("error_string")
    c, _ = die(c, f)
    same(c.read("error_string"), (msgid, "error_string", arguments), "the call")
    f.answer(c, msgid, {"text": "5"})
    d.ok(1, {"text": "5"})
    d.quiet()


@case("It dies after half of the answer")
def half_of_the_answer(f, d):
    c = begin(f, d)
    d.call(1, "status")
    msgid, _, _ = c.read("status")
    packed = f.answer_bytes(msgid, {"pid": 1})
    c.send(packed[:len(packed) // 2])
    c, said = die(c, f)
    d.ok(1, {"pid": 1})  # it came before that to hello
    c.read_nothing()
    d.quiet()


@case("It dies with half of a request: that comes whole")
def half_of_a_request(f, d):
    c = begin(f, d)
    d.call(1, "send", sock=7, assoc_id=1, data="x" * 500000)
    c.sock.settimeout(5)
    c.sock.recv(1000)
    c, _ = die(c, f)
    msgid, _, arguments = c.read("send")
    same(len(arguments["data"]), 500000, "bytes")
    f.answer(c, msgid)
    d.ok(1)


@case("It dies after the answer: the call does not come again")
def after_the_answer(f, d):
    c = begin(f, d)
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {"pid": 1})
    d.ok(1)
    c, _ = die(c, f)
    c.read_nothing()
    d.quiet()


@case("An answer that comes before that of hello is taken, once, and its call does not come again")
def before_hello(f, d):
    c = begin(f, d)
    d.call(1, "status")
    d.call(2, "error_string", error=2)
    first, second = c.read("status")[0], c.read("error_string")[0]
    c.die()
    f.answer_bytes(first, {"pid": 1})  # it was written down and never arrived
    c, _ = f.resumed()
    d.ok(1, {"pid": 1})
    same(c.read("error_string")[0], second, "msgid")
    c.read_nothing()
    f.answer(c, second, {"text": "2"})
    d.ok(2, {"text": "2"})
    d.quiet()


@case("An answer that comes once more, as numbers have gaps, is ignored")
def an_answer_again(f, d):
    c = begin(f, d)
    d.call(1, "status")
    msgid = c.read("status")[0]
    f.answer(c, msgid, {"pid": 1})
    d.ok(1)
    c.die()
    c = f.accept()
    hello, _, _ = c.read("hello")
    f.replay(c, 0)
    c.greeted = True
    c.send(f.hello_bytes(hello))
    d.call(2, "error_string", error=2)
    f.answer(c, c.read("error_string")[0], {"text": "2"})
    d.ok(2, {"text": "2"})
    d.quiet()


@case("It dies between an event and its acknowledgement: the event is delivered once")
def between_event_and_ack(f, d):
    c = begin(f, d)
    for n in range(1, 4):
        f.message(c, n)
    d.next(1)
    d.next(2)
    c, said = die(c, f)
    if said["seq"] > f.log[1][0]:
        raise Wrong(f"hello says that {said['seq']} is handled")
    f.message(c, 4)
    d.next(3)
    d.next(4)
    d.quiet()


@case("It dies after half of an event")
def half_of_an_event(f, d):
    c = begin(f, d)
    packed = f.event_bytes("data", sock=7, data=b"1")
    c.send(packed[:-1])
    c, _ = die(c, f)
    d.next(1)
    f.message(c, 2)
    d.next(2)
    d.quiet()


@case("It dies before it answers hello, after half of that answer, and amid what it sends again")
def amid_hello(f, d):
    c = begin(f, d)
    f.message(c, 1)
    f.message(c, 2)
    d.call(1, "status")
    msgid = c.read("status")[0]
    c.die()
    c = f.accept()
    seq = c.read("hello")[2]["seq"]
    c, said = f.accept() if c.die() else f.accept(), None  # before the answer
    hello, _, said = c.read("hello")
    same((said["resume"], said["seq"]), (TOKEN, seq), "hello")
    for _, packed in f.log[:1]:
        c.send(packed)  # amid what it sends again
    c.die()
    c = f.accept()
    hello, _, said = c.read("hello")
    f.replay(c, said["seq"])
    packed = f.hello_bytes(hello)
    f.number -= 1
    c.send(packed[:len(packed) // 2])
    c, said = die(c, f)
    same(c.read("status")[0], msgid, "msgid")
    f.answer(c, msgid, {"pid": 1})
    d.ok(1, {"pid": 1})
    d.next(1)
    d.next(2)
    f.message(c, 3)
    d.next(3)
    d.quiet()


@case("Calls that are not answered come again in their order")
def in_their_order(f, d):
    c = begin(f, d)
    for n in range(10):
        d.call(n, "error_string", error=n)
    ids = [c.read("error_string")[0] for _ in range(10)]
    for n in (3, 4):
        f.answer(c, ids[n], {"text": str(n)})
        d.ok(n)
    left = ids[:3] + ids[5:]
    c, _ = die(c, f)
    got = [c.read("error_string") for _ in left]
    same([g[0] for g in got], left, "msgids")
    c, _ = die(c, f)  # and once more
    for msgid in left:
        same(c.read("error_string")[0], msgid, "msgid")
        f.answer(c, msgid, {"text": "x"})
    for n in (0, 1, 2, 5, 6, 7, 8, 9):
        d.ok(n, {"text": "x"})


@case("A call that is made while the daemon is away is sent when it is back")
def while_it_is_away(f, d):
    c = begin(f, d)
    f.leave()
    c.die()
    time.sleep(0.1)  # the library finds nobody for a while
    d.call(1, "status")
    f.listen()
    c, _ = f.resumed()
    f.answer(c, c.read("status")[0], {"pid": 2})
    d.ok(1, {"pid": 2})


@case("Notifications that were not taken come again, each in its place")
def notifications(f, d):
    c = begin(f, d)
    d.say("notify", "eof", "sock=1")
    d.call(1, "error_string", error=1)
    d.say("notify", "eof", "sock=2")
    d.say("notify", "eof", "sock=3")
    d.call(2, "error_string", error=2)
    said = [c.read() for _ in range(5)]
    same([(m, a.get("sock", a.get("error"))) for _, m, a in said],
         [("eof", 1), ("error_string", 1), ("eof", 2), ("eof", 3), ("error_string", 2)], "what was said")
    f.notifications = 2  # the third was not taken any more
    c, _ = die(c, f)
    again = [c.read() for _ in range(3)]
    same([(i, m, a.get("sock", a.get("error"))) for i, m, a in again],
         [(said[1][0], "error_string", 1), (None, "eof", 3), (said[4][0], "error_string", 2)], "what was said again")
    for n, i in ((1, said[1][0]), (2, said[4][0])):
        f.answer(c, i, {})
        d.ok(n)


@case("Notifications before a call that was answered do not come again")
def notifications_that_arrived(f, d):
    c = begin(f, d)
    d.say("notify", "eof", "sock=1")
    d.call(1, "status")
    c.read("eof")
    f.answer(c, c.read("status")[0], {})
    d.ok(1)
    f.notifications = 0  # a daemon that says so is wrong: it has answered what came after
    c, _ = die(c, f)
    c.read_nothing()


# ---- numbers ----

@case("What is handled is acknowledged from time to time, and nothing before it is handled")
def acknowledgements(f, d):
    c = begin(f, d)
    first = f.number + 1
    for n in range(300):
        f.message(c, n)
    for n in range(200):
        d.next(n)
        if f.acked >= first + n:
            raise Wrong(f"ack {f.acked}, and {first + n - 1} were handled")
        if n % 50 == 49:
            c.read_nothing(0.05)
    if f.acked < first + 64:
        raise Wrong(f"200 messages were handled, and ack says {f.acked - first + 1}")
    if f.acked >= first + 199:
        raise Wrong("what was taken last is not handled yet")


@case("An acknowledgement does not wait behind requests that are not written")
def an_urgent_ack(f, d):
    c = begin(f, d)
    for n in range(30):
        d.call(n, "send", sock=7, assoc_id=1, data="x" * 100000)
    for n in range(200):
        f.message(c, n)
    for n in range(200):
        d.next(n)
    sent = 0
    while not f.ack_log:
        if c.read(None, 5) is None:
            raise Wrong("no ack came")
        sent += 1
    if sent > 25:
        raise Wrong(f"{sent} requests of 100 kB came before it")


@case("After a gap the number in hello's answer is the one that counts")
def a_gap(f, d):
    c = begin(f, d)
    f.message(c, 1)
    d.next(1)
    c.die()
    f.number += 50  # of sockets that others own now
    c, _ = f.resumed()
    f.message(c, 2)
    d.next(2)
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {})
    d.ok(1)
    f.message(c, 3)
    d.next(3)  # 2 is handled, and so is the answer after it
    c, said = die(c, f)
    if said["seq"] < f.log[-3][0]:
        raise Wrong(f"hello says {said['seq']}, and {f.log[-3][0]} was handled")
    d.quiet()


@case("A later program with the token gets what is missing, and takes no answer of the earlier one for its own")
def a_later_program(f, d):
    f.number = 20
    packed = [f.answer_bytes(n, {"pid": n}) for n in range(1, 6)] + [f.event_bytes("data", sock=7, data=b"1")]
    d.connect("session", 5000, TOKEN, 20)
    c = f.accept()
    hello, _, said = c.read("hello")
    same((said["resume"], said["seq"]), (TOKEN, 20), "hello")
    c.send(b"".join(packed))
    c.greeted = True
    c.send(f.hello_bytes(hello))
    d.connected()
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {"pid": 99})
    d.ok(1, {"pid": 99})
    d.next(1)
    d.quiet()


@case("What waits of a socket that another client took over meanwhile is not given to the program")
def taken_over(f, d):
    c = begin(f, d)
    for n in range(1, 5):
        f.message(c, n)
    d.next(1)
    d.next(2)
    f.log.clear()  # what was not handled is the other one's
    c, _ = die(c, f)
    f.event(c, "owner", sock=7, owner=99, was=3)
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {})
    d.ok(1)
    d.say("next", 7)
    got = d.result("event")
    if got["event"] == "data":
        raise Wrong(f"it is given {got}")


# ---- the end ----

@case("Who is superseded is told, and does not come back")
def superseded(f, d):
    import msgpack
    c = begin(f, d)
    d.call(1, "status")
    c.read("status")
    c.send(msgpack.packb([2, "superseded", [{"pid": 1}]]))
    c.die()
    d.fails(1, "superseded")
    f.nobody_comes()


@case("A session that the daemon does not know is over")
def no_session(f, d):
    import msgpack
    c = begin(f, d)
    d.call(1, "status")
    c.read("status")
    c.die()
    c = f.accept()
    c.send(msgpack.packb([1, c.read("hello")[0], "eacces: resume: there is no such session", None]))
    d.fails(1, "no_session")
    f.nobody_comes()


@case("A daemon that does not survive is not waited for")
def does_not_survive(f, d):
    d.connect()
    c = f.accept()
    f.greet(c, features=["seqpacket", "resume"])
    d.connected()
    d.call(1, "status")
    c.read("status")
    c.die()
    d.fails(1, "lost")
    f.nobody_comes()


@case("Patience has an end")
def patience(f, d):
    d.connect("session", 300)
    c = f.accept()
    f.greet(c)
    d.connected()
    d.call(1, "status")
    c.read("status")
    f.leave()
    begun = time.monotonic()
    c.die()
    d.fails(1, "lost")
    if not 0.2 < time.monotonic() - begun < 5:
        raise Wrong(f"it took {time.monotonic() - begun:.1f} s")
    f.listen()


@case("Without a session a dead daemon is the end")
def without_a_session(f, d):
    d.connect("plain")
    c = f.accept()
    c.greeted = True
    d.call(1, "status")
    msgid, method, _ = c.read()
    if method == "hello":
        f.number = 0
        c.send(f.hello_bytes(msgid, resume=None))
        c.read("status")
    d.connected()
    c.die()
    d.fails(1, "lost")
    f.nobody_comes()


@case("It dies before it answers the first hello: it is greeted again")
def before_there_is_a_session(f, d):
    d.connect()
    for _ in range(2):
        c = f.accept()
        same("resume" in c.read("hello")[2], True, "resume")
        c.die()
    c = f.accept()
    f.greet(c)
    d.connected()
    d.call(1, "status")
    f.answer(c, c.read("status")[0], {"pid": 1})
    d.ok(1, {"pid": 1})


@case("Where nobody listens, it says so")
def nobody_listens(f, d):
    f.leave()
    d.connect()
    same(d.result("connected").get("error"), "enoent", "error")
    f.listen()
