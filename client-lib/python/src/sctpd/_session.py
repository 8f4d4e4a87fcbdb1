# SPDX-License-Identifier: BSD-2-Clause
"""The protocol, without input and output: bytes in, messages out. See the
section Sessions of proto/README.md, which this follows step by step.

Messages of the daemon have numbers in a session: an event carries its own, an
answer has that of the message before it plus one. "at" counts them, and goes
back when the daemon sends something again; "seq" is the highest that ever came,
so what is not above it came before and is left out. "open" has the events that
the program has not handled; what is before the first of them is acknowledged.

Messages of ours are kept until they are certain to have arrived: a request
until it is answered, a notification until a request after it is answered. When
the session has been resumed, all that is kept is written again.

An acknowledgement is written before all requests that wait, as it makes room
for their answers.
"""
from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Callable, Deque, Dict, Mapping, Optional, Tuple

import msgpack

from ._errors import Error, Lost, NoSession, ProtocolError, Superseded, from_text
from ._records import whole

PROTOCOL = 1
HELLO = 0xFFFFFFFF  # the msgid of hello, which no other request has: answers to an earlier program may come before
LAST_ID = 0xFFFFFFF0
LARGEST = 1 << 29  # bytes of a message from sctpd
LONGEST = (16 << 20) + (64 << 10)  # bytes of one to sctpd, with what is beside the data
ACK_MESSAGES = 64
ACK_BYTES = 64 << 10
LOOSE_NOTES = 256  # notifications that may not have arrived
LOOSE_BYTES = 1 << 20
AHEAD_BYTES = 16 << 20  # what the program has not handled; beyond it nothing is acknowledged early

AWAY, GREETING, UP, OVER = "away", "greeting", "up", "over"
Answer = Callable[[Any, Any], None]


class Session:
    """One connection after the other, with a session or without."""

    def __init__(self, resumable: bool, name: Optional[str], token: str = "", seq: int = 0) -> None:
        self.resumable, self.name, self.token = resumable, name, token
        self.phase = AWAY
        self.error: Optional[Lost] = None
        self.at = self.seq = self.acked = seq
        self.bytes = self.acked_bytes = 0
        self.early = 0  # bytes that may be unacknowledged before events that are not handled are
        self.open: "OrderedDict[int, int]" = OrderedDict()  # number of an event: bytes before it
        self.pinned: "OrderedDict[int, int]" = OrderedDict()  # those of them that are never acknowledged early
        self.waiting: Dict[int, Tuple[int, Answer]] = {}
        self.kept: Dict[int, bytes] = {}  # by msgid; notifications by their number, negated
        self.kept_bytes = 0
        self.loose: Deque[Tuple[int, int]] = deque()  # (number, order) of notifications that are kept
        self.loose_bytes = 0
        self.notes = self.order = self.msgid = 0
        self.confirming = False
        self.out: Deque[bytes] = deque()
        self.off = 0  # bytes of out[0] that are written
        self.out_bytes = 0
        self.urgent = b""  # an acknowledgement, to be written before what is not begun
        self.leads = False  # out begins with one of which nothing is written
        self.hello: Dict[str, Any] = {}
        self.on_event: Callable[[str, Mapping[str, Any], int], None] = lambda name, fields, size: None
        self.on_up: Callable[[], None] = lambda: None
        self._packer = msgpack.Packer(autoreset=True)
        self._unpacker = self._fresh()

    @staticmethod
    def _fresh() -> Any:
        return msgpack.Unpacker(raw=False, strict_map_key=False, unicode_errors="surrogateescape",
                                max_buffer_size=LARGEST, use_list=True)

    # ---- out -----------------------------------------------------------

    def _pack(self, message: Any) -> bytes:
        packed: bytes = self._packer.pack(message)
        return packed

    def _checked(self, message: Any) -> bytes:
        """One that sctpd takes: it would end the connection, and a session would say it again and again."""
        packed = self._pack(message)
        if len(packed) > LONGEST:
            raise Error(f"emsgsize: the request has {len(packed)} bytes; sctpd takes messages of up to 16 MiB", "emsgsize")
        return packed

    def _write(self, packed: bytes) -> None:
        self.out.append(packed)
        self.out_bytes += len(packed)

    def _keep(self, key: int, packed: bytes) -> None:
        self.order += 1
        if self.resumable:
            self.kept[key] = packed
            self.kept_bytes += len(packed)
        if self.phase == UP:
            self._write(packed)

    def _forget(self, key: int) -> None:
        packed = self.kept.pop(key, None)
        if packed is not None:
            self.kept_bytes -= len(packed)

    def request(self, method: str, arguments: Mapping[str, Any], answer: Answer) -> int:
        """Ask for something. answer is called with (error, result), once."""
        if self.error is not None:
            raise self.error.again()
        while True:
            self.msgid = self.msgid + 1 if self.msgid < LAST_ID else 1
            if self.msgid not in self.waiting:
                break
        packed = self._checked([0, self.msgid, method, [arguments]])
        self.waiting[self.msgid] = self.order, answer
        self._keep(self.msgid, packed)
        return self.msgid

    def notify(self, method: str, arguments: Mapping[str, Any]) -> None:
        """Ask for something without an answer."""
        if self.error is not None:
            raise self.error.again()
        packed = self._checked([2, method, [arguments]])
        if self.resumable:
            self.notes += 1
            self.loose.append((self.notes, self.order))
            self.loose_bytes += len(packed)
        self._keep(-self.notes, packed)
        if (len(self.loose) >= LOOSE_NOTES or self.loose_bytes >= LOOSE_BYTES) and not self.confirming:
            self.confirm()

    def confirm(self, then: Answer = lambda error, result: None) -> None:
        """Ask for an answer, by which it is known that all before has arrived."""
        def confirmed(error: Any, result: Any) -> None:
            self.confirming = False
            then(error, result)
        self.confirming = True
        if self.resumable:
            self.request("ack", {"seq": self.acked}, confirmed)
        else:
            self.request("error_string", {"error": 0}, confirmed)

    @property
    def writes(self) -> bool:
        """Is there anything to write?"""
        return bool(self.out or self.urgent)

    def next_bytes(self, most: int) -> bytes:
        """What to write now."""
        if self.urgent and not self.off:
            if self.leads:  # it says less than the later one
                self.out_bytes -= len(self.out.popleft())
            self.out.appendleft(self.urgent)
            self.out_bytes += len(self.urgent)
            self.urgent, self.leads = b"", True
        if not self.out:
            return b""
        if self.off or len(self.out[0]) >= most:
            return bytes(memoryview(self.out[0])[self.off:self.off + most])
        parts, size = [], 0
        for packed in self.out:
            parts.append(packed)
            size += len(packed)
            if size >= most:
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def written(self, n: int) -> None:
        """So many bytes of that were written."""
        self.leads = self.leads and n == 0
        self.out_bytes -= n
        n += self.off
        while self.out and n >= len(self.out[0]):
            n -= len(self.out.popleft())
        self.off = n

    # ---- numbers -------------------------------------------------------

    def handled(self, seq: int) -> None:
        """The program has handled this event."""
        self.open.pop(seq, None)
        if self.pinned:
            self.pinned.pop(seq, None)

    def pin(self, seq: int) -> None:
        """This event belongs to us alone only until we acknowledge it: never do so early."""
        if seq in self.open:
            self.pinned[seq] = self.open[seq]

    @staticmethod
    def _before(first: "OrderedDict[int, int]", seq: int, count: int) -> Tuple[int, int]:
        if not first:
            return seq, count
        number = next(iter(first))
        return number - 1, first[number]

    def mark(self) -> Tuple[int, int]:
        """The number up to which all is handled, and the bytes up to it."""
        first = self._before(self.open, self.seq, self.bytes)
        mark = first if first[0] > self.acked else (self.acked, self.acked_bytes)
        # The daemon sends nothing more while too much is not acknowledged. So that who reads
        # slowly does not stop the others, what is in our hands is acknowledged early.
        if self.early and self.early < self.bytes - mark[1] and self.bytes - first[1] < AHEAD_BYTES:
            mark = max(mark, self._before(self.pinned, self.seq, self.bytes))
        return mark

    def ack_is_due(self) -> bool:
        if not self.resumable or self.phase != UP:
            return False
        seq, count = self.mark()
        return seq - self.acked >= ACK_MESSAGES or count - self.acked_bytes >= ACK_BYTES

    def ack(self) -> None:
        """Say what is handled, if that is more than was said."""
        if not self.resumable or self.phase != UP:
            return
        seq, count = self.mark()
        if seq <= self.acked:
            return
        self.acked, self.acked_bytes = seq, count
        self.urgent = self._pack([2, "ack", [{"seq": seq}]])

    # ---- connections ---------------------------------------------------

    def greet(self) -> None:
        """There is a connection: begin with hello, and say nothing else until it is answered."""
        self._unpacker = self._fresh()
        self._drop_out()
        self.phase = GREETING
        arguments: Dict[str, Any] = {"protocol": PROTOCOL}
        if self.name:
            arguments["name"] = self.name
        if self.token:
            self.acked, self.acked_bytes = self.mark()
            self.at = self.acked
            arguments.update(resume=self.token, seq=self.at)
        elif self.resumable:
            arguments["resume"] = True
        self._write(self._pack([0, HELLO, "hello", [arguments]]))

    def _drop_out(self) -> None:
        self.out.clear()
        self.off = self.out_bytes = 0
        self.urgent, self.leads = b"", False

    def _welcome(self, error: Any, result: Any) -> None:
        """Hello is answered."""
        if error is not None:
            raise NoSession(f"no_session: sctpd says: {from_text(error)}", "no_session") if self.token else from_text(error)
        self.hello = result
        if self.resumable:
            token = result.get("resume")
            if not isinstance(token, str) or not token:
                raise ProtocolError("eproto: the answer of sctpd to hello has no token", "eproto")
            self.token = token
            self.at = int(whole(result.get("seq", self.at)))
            self.seq = max(self.seq, self.at)
            limits = result.get("limits") or {}
            self.early = int(limits.get("client_queue", 1 << 20)) // 2
            self._drop_notes(int(whole(result.get("notifications", 0))))
        self.phase = UP
        for packed in self.kept.values():
            self._write(packed)
        self.on_up()

    def _drop_notes(self, upto: int) -> None:
        while self.loose and self.loose[0][0] <= upto:
            self._drop_note()

    def _drop_note(self) -> None:
        number, _ = self.loose.popleft()
        self.loose_bytes -= len(self.kept.get(-number, b""))
        self._forget(-number)

    @property
    def survives(self) -> bool:
        return "survive" in (self.hello.get("features") or [])

    def break_off(self) -> None:
        """The connection is gone; another one may follow."""
        self._drop_out()
        if self.phase != OVER:
            self.phase = AWAY

    def end(self, error: Lost) -> None:
        """It is over: whoever waits for an answer gets this error."""
        self.phase, self.error = OVER, error
        if isinstance(error, (Superseded, NoSession)):
            self.token = ""
        self._drop_out()
        self.kept.clear()
        self.kept_bytes = 0
        waiting, self.waiting = self.waiting, {}
        for _, answer in waiting.values():
            answer(error.again(), None)

    # ---- in ------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Bytes came. Raises what ends the session: Lost or one of its kind; or, before there is one, Error."""
        unpacker = self._unpacker
        try:
            unpacker.feed(data)
            start = unpacker.tell()
            for message in unpacker:
                end = unpacker.tell()
                self._message(message, end - start)
                start = end
                if self.phase == OVER:
                    return
        except (ValueError, msgpack.UnpackException) as why:
            raise ProtocolError(f"eproto: sctpd sent what is no message: {why!r}", "eproto") from why

    def _message(self, message: Any, size: int) -> None:
        kind = message[0] if isinstance(message, list) and message else None
        if kind == 2 and len(message) == 3:
            params = message[2]
            fields = params[0] if isinstance(params, list) and params else {}
            self._event(message[1], fields if isinstance(fields, dict) else {}, size)
        elif kind == 1 and len(message) == 4:
            self._answer(message[1], message[2], message[3], size)
        else:
            raise ProtocolError("eproto: sctpd sent a message that is neither an answer nor an event", "eproto")

    def _count(self, at: int, size: int) -> bool:
        """Is this number a new one?"""
        self.at = at
        if at <= self.seq:
            return False
        self.seq = at
        self.bytes += size
        return True

    def _answer(self, msgid: Any, error: Any, result: Any, size: int) -> None:
        if self.resumable:
            self._count(self.at + 1, size)
        if msgid == HELLO:
            if self.phase == GREETING:
                self._welcome(error, result if isinstance(result, dict) else {})
            return
        entry = self.waiting.pop(whole(msgid), None) if isinstance(msgid, (int, float)) else None
        if entry is None:
            return  # it came once more, or nobody asked here
        order, answer = entry
        self._forget(int(msgid))
        while self.loose and self.loose[0][1] < order:
            self._drop_note()
        answer(None if error is None else from_text(error), result if isinstance(result, dict) else {})

    def _event(self, name: Any, fields: Mapping[str, Any], size: int) -> None:
        if name == "superseded":
            raise Superseded("superseded: another program has taken over the session", "superseded")
        if self.resumable:
            at = int(whole(fields.get("seq", self.at + 1)))
            if not self._count(at, size):
                return  # it came before
            self.open[at] = self.bytes - size
        self.on_event(name if isinstance(name, str) else str(name), fields, size)

