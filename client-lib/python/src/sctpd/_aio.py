# SPDX-License-Identifier: BSD-2-Clause
"""The connection to the daemon, for asyncio.

One connection serves all tasks. Each request has its own answer, and each socket
its own queue, so no task waits behind another:

- A socket is read in the mode that counts (active: N). The library allows the
  daemon a few events, and more when the program has taken some. A socket that
  is not read gets none: the daemon stops reading it, and the peer's window closes.
- Messages to one association wait here, not in the daemon, once a share of what
  it lets one client have waiting is under way. So it goes on to read what
  others send.
"""
from __future__ import annotations

import asyncio
import os
import socket as sockets
from collections import deque
from typing import (TYPE_CHECKING, Any, AsyncIterator, Callable, Deque, Dict, Iterable, List, Mapping, Optional, Tuple,
                    Type, TypeVar, Union, overload)

from ._errors import Closed, Error, Lost, Timeout
from ._records import Endpoint, Event, Setting, event_from, to_wire
from ._session import OVER, UP, Session
from ._tables import (EVENTS, OPTIONS, AcceptResult, AttachResult, ConnectResult, DaemonCalls, SendManyResult,
                      SocketCalls)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._tables import Options

DEFAULT_PATH = "/run/sctpd/sctpd.sock"
READ_BYTES = WRITE_BYTES = 256 << 10
KEPT_BYTES = 16 << 20  # requests that are not answered; more wait
ACK_PAUSE = 0.02  # seconds that an acknowledgement may wait for more
FIRST_PAUSE, LAST_PAUSE = 0.005, 0.5  # between two attempts to come back
SOCKET_BYTES = 128 << 10  # what may wait here of one socket that is not read; two messages in any case
MOST_EVENTS = 256
LOOSE_EVENTS = 1024  # of no socket, which nobody takes
# Events that do not count against the mode of their socket.
UNCOUNTED = {"sctp_passive", "sctp_closed", "owner", "assigned", "unassigned", "supervised"}
# Events that are of no socket of ours, though they may name one.
UNBOUND = {"watch", "tap", "owner", "left", "error", "overrun"}
S = TypeVar("S", bound=Setting)
Change = Callable[[str], None]


class _Queue:
    """Events for whoever waits for the next one; the first come is the first served."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon
        self._events: Deque[Tuple[str, Mapping[str, Any], int]] = deque()
        self._bytes = 0
        self._waiters: Deque["asyncio.Future[None]"] = deque()
        self._end: Optional[Error] = None  # what comes after the last event
        self._in_hand: Optional[int] = None  # the number of the event that was given last

    def _push(self, name: str, fields: Mapping[str, Any], size: int) -> None:
        self._events.append((name, fields, size))
        self._bytes += size
        self._wake()

    def _finish(self, why: Error) -> None:
        if self._end is None:
            self._end = why
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _wanted(self) -> None:
        """Somebody takes events."""

    async def _wait(self, deadline: Optional[float]) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.append(waiter)
        timer = None
        if deadline is not None:
            def expire() -> None:
                if not waiter.done():
                    waiter.set_exception(Timeout("timeout: no event came in that time", "timeout"))
            timer = loop.call_at(deadline, expire)
        try:
            await waiter
        except BaseException:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            if self._events:
                self._wake()  # it may have been woken for them
            raise
        finally:
            if timer is not None:
                timer.cancel()

    async def _next(self, timeout: Optional[float]) -> Event:
        self._handled()
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while not self._events:
            if self._end is not None:
                raise self._end.again()
            self._wanted()
            await self._wait(deadline)
        name, fields, size = self._events.popleft()
        self._bytes -= size
        event = event_from(name, fields, EVENTS)
        if not self._daemon._by_hand:
            self._in_hand = event.seq
        self._wanted()
        return event

    def _handled(self) -> None:
        """What was given last is handled: its receiver asks for more."""
        if self._in_hand is not None:
            self._daemon._session.handled(self._in_hand)
            self._in_hand = None
            self._daemon._ack_soon()

    def _discard(self) -> None:
        """What waits is somebody else's by now, or nobody's."""
        self._handled()
        for _, fields, _ in self._events:
            self._daemon._session.handled(fields.get("seq", 0))
        self._events.clear()
        self._bytes = 0
        self._daemon._ack_soon()


class Socket(SocketCalls, _Queue):
    """An SCTP socket. `async for event in s` takes its messages and events, until
    the socket is closed; an event is handled when the next one is asked for."""

    def __init__(self, daemon: "Daemon", number: int, port: int = 0, peer: Optional[Endpoint] = None,
                 assoc_id: int = 0) -> None:
        _Queue.__init__(self, daemon)
        self.number = number
        self.port = port
        self.peer = peer
        self.assoc_id = assoc_id  # of a one-to-one socket that was accepted
        self._paced = True  # we set the mode
        self._credit = 0  # events that the daemon may still send
        self._size = SOCKET_BYTES // 4  # of an event, of late
        self._read = False
        self._put_back: Deque[AcceptResult] = deque()

    def __repr__(self) -> str:
        return f"<sctpd.Socket {self.number}>"

    @property
    def daemon(self) -> "Daemon":
        return self._daemon

    async def call(self, method: str, **arguments: Any) -> Any:
        """Any method, on this socket."""
        return await self._daemon.call(method, sock=self.number, **arguments)

    # ---- events --------------------------------------------------------

    def _push(self, name: str, fields: Mapping[str, Any], size: int) -> None:
        if name == "sctp_passive" and self._paced:
            self._daemon._session.handled(fields.get("seq", 0))
            return
        if name == "sctp_closed":
            self._daemon._session.handled(fields.get("seq", 0))
            self._ended(str(fields.get("reason") or "closed: the socket was closed"))
            return
        if name not in UNCOUNTED and not (name == "sctp_send_failed" and fields.get("reason")):
            self._credit -= 1
        self._size = max(size, self._size - self._size // 8)
        super()._push(name, fields, size)

    def _ended(self, text: str) -> None:
        self._daemon._sockets.pop(self.number, None)
        self._finish(Closed(text if text.startswith("closed") else f"closed: {text}", "closed"))

    def _wanted(self) -> None:
        if not self._paced or self._end is not None:
            return
        self._read = True
        window = min(MOST_EVENTS, max(2, SOCKET_BYTES // self._size))
        have = max(0, self._credit) + len(self._events)
        if have * 2 > window:
            return
        more = window - have
        self._credit += more

        def granted(error: Any, result: Any) -> None:
            if error is not None and not isinstance(error, Lost):
                self._finish(error)
        try:
            self._daemon._ask("setopts", {"sock": self.number, "options": {"active": more}}, granted)
        except Lost as why:
            self._finish(why)

    async def recv(self, timeout: Optional[float] = None) -> Event:
        """The next event, a Data or another. Fails with Closed after the last one, and with
        Timeout after so many seconds."""
        return await self._next(timeout)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._next(None)
        except Closed:
            raise StopAsyncIteration from None

    # ---- messages ------------------------------------------------------

    @staticmethod
    def _message(data: Any, assoc_id: Optional[int], stream: Optional[int], info: Mapping[str, Any]) -> Dict[str, Any]:
        if isinstance(data, str):
            data = data.encode()
        message: Dict[str, Any] = {"data": data}
        given = {key: to_wire(value) for key, value in info.items() if value is not None}
        if given:
            if stream:
                given["stream"] = stream
            if assoc_id:
                given["assoc_id"] = assoc_id
            message["sctp_sndrcvinfo"] = given
            return message
        if stream is not None:
            message["stream"] = stream
        if assoc_id is not None:
            message["assoc_id"] = assoc_id
        return message

    async def send(self, data: Union[bytes, bytearray, memoryview, str], assoc_id: Optional[int] = None,
                   stream: Optional[int] = None, **info: Any) -> None:
        """Send a message, and wait until the stack has accepted it. info: ppid, flags, context,
        timetolive and the other fields of SctpSndrcvinfo."""
        await (await self.post(data, assoc_id, stream, **info))

    async def post(self, data: Union[bytes, bytearray, memoryview, str], assoc_id: Optional[int] = None,
                   stream: Optional[int] = None, **info: Any) -> "asyncio.Future[Any]":
        """Send a message, and wait only until there is room for it. The future that is returned says
        whether the stack has accepted the message. A failure that nobody asks it for is logged by asyncio."""
        message = self._message(data, assoc_id, stream, info)
        return await self._daemon._send(self.number, assoc_id or 0, len(message["data"]), "send", message)

    async def send_many(self, messages: Iterable[Union[bytes, Mapping[str, Any]]], assoc_id: Optional[int] = None,
                        stream: Optional[int] = None) -> SendManyResult:
        """Send up to 64 messages of one association with one request. The stack takes as many as it has
        room for, from the first on: see taken and error in what is returned."""
        packed = [dict(m) if isinstance(m, Mapping) else self._message(m, None, stream, {}) for m in messages]
        arguments = {"messages": packed}
        if assoc_id is not None:
            arguments["assoc_id"] = assoc_id  # type: ignore[assignment]
        size = sum(len(m["data"]) for m in packed)
        return SendManyResult._from(await (await self._daemon._send(self.number, assoc_id or 0, size, "send_many",
                                                                    arguments)))

    # ---- associations --------------------------------------------------

    async def connect(self, addr: Union[str, Iterable[str]], port: int, timeout: Optional[float] = None,
                      **options: "Unpack[Options]") -> ConnectResult:
        """Set up an association, and wait until it is up."""
        where = addr if isinstance(addr, str) else list(addr)
        try:
            return ConnectResult._from(await self.call("connect", addr=where, port=port, timeout=self._ms(timeout),
                                                       options=_options(options) or None))
        finally:
            if self._credit > 0:  # its result counted like an event
                self._credit -= 1

    async def accept(self, timeout: Optional[float] = None) -> "Socket":
        """The next association of a listening socket of type stream, as a socket of its own."""
        if not self._put_back:
            future = self._daemon._request("accept", {"sock": self.number, "timeout": self._ms(timeout)},
                                           late=lambda result: self._put_back.append(AcceptResult._from(result)))
            result = AcceptResult._from(await future)
        else:
            result = self._put_back.popleft()
        return self._daemon._make(result.accepted, peer=result.from_, assoc_id=result.assoc_id)

    async def peeloff(self, assoc_id: int) -> "Socket":
        """Make an association a socket of its own."""
        number = (await self.call("peeloff", assoc_id=assoc_id))["sock"]
        return self._daemon._make(int(number), assoc_id=assoc_id)

    # ---- options -------------------------------------------------------

    async def setopts(self, **options: "Unpack[Options]") -> None:
        """Set options, in the order in which they are given."""
        if "active" in options:
            self._paced = False
        await self.call("setopts", options=_options(options))

    @overload
    async def getopt(self, option: Type[S], **which: Any) -> S: ...
    @overload
    async def getopt(self, option: str, **which: Any) -> Any: ...

    async def getopt(self, option: Any, **which: Any) -> Any:
        """Read an option, by its class (sctpd.SctpStatus) or name ("sctp_nodelay"). which: assoc_id or address,
        where the option is that of an association or a path."""
        name = option if isinstance(option, str) else option.option
        answer = await self.call("getopts", options=[[name, to_wire(which)] if which else name])
        return _option(*answer["options"][0])

    async def getopts(self, *names: str) -> Dict[str, Any]:
        """Read several."""
        answer = await self.call("getopts", options=list(names))
        return {name: _option(name, value) for name, value in answer["options"]}

    # ---- the end -------------------------------------------------------

    async def close(self) -> None:
        """Close the socket. Messages that were sent still arrive."""
        if self._end is None:
            try:
                await self.call("close")
            except Closed:
                pass
        self._discard()
        self._ended("closed: the program closed the socket")

    async def give(self, client: int) -> None:
        """Give the socket to another client, with everything that was not handled."""
        self._handled()
        session = self._daemon._session
        handled = [f["seq"] for _, f, _ in self._events if "seq" in f]
        before = handled[0] - 1 if handled else session.seq
        for seq in [n for n in session.open if n <= before]:
            session.handled(seq)  # an acknowledgement goes up to a number, or this one would come twice
        session.ack()
        await self.call("controlling_process", client=client)
        self._discard()
        self._ended("closed: the socket was given away")

    async def __aenter__(self) -> "Socket":
        return self

    async def __aexit__(self, *why: Any) -> None:
        if self._daemon._session.phase != OVER:
            await self.close()


class Attached(Socket):
    """The socket of a supervised association that this program is attached to."""

    name: str = ""
    state: AttachResult = AttachResult()

    async def detach(self) -> None:
        """Give it back. The association stays."""
        self._handled()
        await self._daemon.call("detach", name=self.name)
        self._discard()
        self._ended("closed: detached")

    async def close(self) -> None:
        """The same: the socket itself is the daemon's."""
        if self._end is None:
            await self.detach()


class Group(_Queue):
    """What this program has of a group's socket. `async for event in group` takes the events of all its
    sockets, and Assigned and Unassigned, which say what comes and goes; event.sock is the socket."""

    def __init__(self, daemon: "Daemon", name: str) -> None:
        super().__init__(daemon)
        self.name = name
        self.number = 0  # the group's socket, on which every member may send by assoc_id
        self.members = 0
        self.has: Dict[int, int] = {}  # sockets that it has, and their associations

    def _push(self, name: str, fields: Mapping[str, Any], size: int) -> None:
        number = int(fields.get("sock", 0))
        if name == "assigned":
            self.has[number] = int(fields.get("assoc_id", 0))
            self._daemon._members[number] = self
        elif name == "unassigned":
            self.has.pop(number, None)
            self._daemon._members.pop(number, None)
        elif name == "sctp_closed":
            self.has.pop(number, None)
            self._daemon._members.pop(number, None)
        if "seq" in fields:
            self._daemon._session.pin(int(fields["seq"]))
        if name == "left" and not fields.get("ended"):
            self._discard()  # other members get what was not handled
            self.has.clear()
        super()._push(name, fields, size)
        if name == "left":
            self._gone()

    def _gone(self) -> None:
        """When the group has ended, its sockets are this program's: Daemon.socket gives those in has."""
        for number in [*self.has, self.number]:
            self._daemon._members.pop(number, None)
        self._daemon._groups.pop(self.name, None)
        self._finish(Closed("closed: this program is no member of the group", "closed"))

    async def recv(self, timeout: Optional[float] = None) -> Event:
        """The next event of any of its sockets."""
        return await self._next(timeout)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._next(None)
        except Closed:
            raise StopAsyncIteration from None

    async def send(self, data: Union[bytes, str], assoc_id: int, stream: Optional[int] = None, **info: Any) -> None:
        """Send on an association of the group's socket, whoever has it."""
        await Socket(self._daemon, self.number).send(data, assoc_id, stream, **info)

    async def drain(self, on: bool = True) -> None:
        """Be given nothing new, and lose what there is once it is acknowledged. Then leave."""
        await self._daemon.drain_member(self.name, on=on)

    async def leave(self) -> None:
        """Leave. Others get what was not handled."""
        self._handled()
        self._daemon._session.ack()
        await self._daemon.call("leave", name=self.name)
        self._discard()
        self._gone()
        self.has.clear()


class Daemon(DaemonCalls):
    """A connection to sctpd: see connect_unix."""

    def __init__(self, path: str, session: Session, patience: Optional[float], on_change: Optional[Change],
                 by_hand: bool) -> None:
        self.path = path
        self.dropped = 0  # events of no socket that nobody took
        self._session, self._patience, self._on_change, self._by_hand = session, patience, on_change, by_hand
        self._loop = asyncio.get_running_loop()
        self._sock: Optional[sockets.socket] = None
        self._sockets: Dict[int, Socket] = {}
        self._groups: Dict[str, Group] = {}
        self._members: Dict[int, Group] = {}
        self._others = _Queue(self)
        self._gates: Dict[Tuple[int, int], _Gate] = {}
        self._room: Deque["asyncio.Future[None]"] = deque()
        self._flushing = self._writing = False
        self._ack_timer: Optional[asyncio.TimerHandle] = None
        self._greeted: Optional["asyncio.Future[None]"] = None  # hello is answered, or will not be
        self._ready: "asyncio.Future[None]" = self._loop.create_future()  # the same, the first time
        self._returning: Optional["asyncio.Task[None]"] = None
        session.on_event = self._event
        session.on_up = self._up

    # ---- what it is ----------------------------------------------------

    @property
    def client(self) -> int:
        """Number of this client, as Socket.give of another one takes it."""
        return int(self._session.hello.get("client", 0))

    @property
    def features(self) -> List[str]:
        """What this daemon and its stack can do."""
        return list(self._session.hello.get("features") or [])

    @property
    def limits(self) -> Dict[str, int]:
        return dict(self._session.hello.get("limits") or {})

    @property
    def stack(self) -> str:
        return str(self._session.hello.get("stack", ""))

    @property
    def token(self) -> str:
        """For a later program that takes over the session: connect_unix(token=..., seq=...). Keep it secret."""
        return self._session.token

    @property
    def seq(self) -> int:
        """Number up to which all events are handled."""
        return self._session.mark()[0]

    # ---- the connection ------------------------------------------------

    def _dial(self) -> None:
        """Connect. Raises OSError."""
        sock = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_CLOEXEC)
        try:
            sock.setblocking(False)
            sock.connect(self.path)
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self._greeted = self._loop.create_future()
        self._session.greet()
        self._loop.add_reader(sock, self._readable)
        self._flush_soon()

    def _hang_up(self) -> None:
        sock, self._sock = self._sock, None
        if sock is None:
            return
        self._loop.remove_reader(sock)
        if self._writing:
            self._loop.remove_writer(sock)
            self._writing = False
        sock.close()

    def _up(self) -> None:
        self._settle(None)
        self._flush_soon()

    def _settle(self, why: Optional[Error]) -> None:
        """Hello is answered, or it is over."""
        if self._greeted is not None and not self._greeted.done():
            self._greeted.set_result(None)
        if self._ready.done():
            return
        if why is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(why.again())

    def _readable(self) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as why:
            self._broken(why)
            return
        if not data:
            self._broken(None)
            return
        try:
            self._session.feed(data)
        except Lost as why:
            self._over(why)
        except Error as why:  # hello was refused
            self._settle(why)
            self._over(Lost(f"lost: {why}", "lost"))
        if self._session.ack_is_due():
            self._session.ack()
            self._flush_soon()

    def _broken(self, why: Optional[OSError]) -> None:
        """The connection is gone. It comes back if there is a session that may."""
        self._hang_up()
        session = self._session
        text = "lost: the connection to sctpd ended" + (f": {why.strerror}" if why is not None else "")
        session.break_off()
        if not session.resumable or not session.token or session.hello and not session.survives:
            self._over(Lost(text, "lost"))
            return
        if self._greeted is not None and not self._greeted.done():
            self._greeted.set_result(None)  # _come_back goes on
        if self._returning is None:
            self._tell("gone")
            self._returning = self._loop.create_task(self._come_back())

    async def _come_back(self) -> None:
        pause, session = FIRST_PAUSE, self._session
        give_up = None if self._patience is None else self._loop.time() + self._patience
        try:
            while session.phase != OVER:
                try:
                    self._dial()
                    assert self._greeted is not None
                    left = None if give_up is None else max(0.0, give_up - self._loop.time())
                    await asyncio.wait([self._greeted], timeout=left)
                    if session.phase == UP:
                        return
                    if session.phase == OVER:
                        break
                except OSError:
                    pass
                self._hang_up()
                if give_up is not None and self._loop.time() >= give_up:
                    self._over(Lost("lost: the connection to sctpd ended, and it did not come back within "
                                    f"{self._patience:g} s", "lost"))
                    break
                await asyncio.sleep(pause)
                pause = min(2 * pause, LAST_PAUSE)
        finally:
            self._returning = None
            if session.phase == UP:
                self._tell("back")

    def _over(self, why: Lost) -> None:
        """It is over for good."""
        if self._session.phase == OVER:
            return
        had = bool(self._session.token)
        self._hang_up()
        self._session.end(why)
        self._settle(why)
        for group in self._groups.values():
            group._discard()  # other members get what was not handled
        for queue in [*self._sockets.values(), *self._groups.values(), self._others]:
            queue._finish(why)
        for gate in list(self._gates.values()):
            gate.open_all()
        self._make_room()
        if self._ack_timer is not None:
            self._ack_timer.cancel()
        if had and self._session.resumable:
            self._tell("over")

    def _tell(self, change: str) -> None:
        if self._on_change is not None:
            self._on_change(change)

    # ---- out -----------------------------------------------------------

    def _flush_soon(self) -> None:
        if not self._flushing and self._session.writes and self._sock is not None:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        sock, session = self._sock, self._session
        if sock is None:
            return
        try:
            while session.writes:
                data = session.next_bytes(WRITE_BYTES)
                n = sock.send(data)
                session.written(n)
                if n < len(data):
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            pass  # the reader sees it, after what came before
        else:
            if not session.writes:
                if self._writing:
                    self._loop.remove_writer(sock)
                    self._writing = False
                self._make_room()
                return
        if not self._writing:
            self._loop.add_writer(sock, self._flush)
            self._writing = True

    def _is_full(self) -> bool:
        return self._session.kept_bytes > KEPT_BYTES or self._session.out_bytes > KEPT_BYTES

    def _make_room(self) -> None:
        while self._room and not self._is_full():
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _ask(self, method: str, arguments: Mapping[str, Any], answer: Callable[[Any, Any], None]) -> None:
        self._session.request(method, arguments, answer)
        self._flush_soon()

    def _request(self, method: str, arguments: Mapping[str, Any],
                 late: Optional[Callable[[Mapping[str, Any]], None]] = None) -> "asyncio.Future[Any]":
        """The answer; late gets what came when nobody waited for it any more."""
        future: "asyncio.Future[Any]" = self._loop.create_future()

        def answered(error: Any, result: Any) -> None:
            if self._room:
                self._make_room()
            if future.done():
                if late is not None and error is None:
                    late(result)
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
        self._ask(method, {k: v for k, v in arguments.items() if v is not None}, answered)
        return future

    async def call(self, method: str, **arguments: Any) -> Dict[str, Any]:
        """Any method of the daemon, by its name: see proto/REFERENCE.md. What is None is not given."""
        while self._is_full():
            waiter = self._loop.create_future()
            self._room.append(waiter)
            await waiter
        wire = {key.rstrip("_"): to_wire(value) for key, value in arguments.items()}
        answer: Dict[str, Any] = await self._request(method, wire)
        return answer

    async def notify(self, method: str, **arguments: Any) -> None:
        """The same without an answer: if it fails, an event says so (Error, or SctpSendFailed of the socket)."""
        self._session.notify(method, {key.rstrip("_"): to_wire(value) for key, value in arguments.items()
                                      if value is not None})
        self._flush_soon()

    async def _send(self, sock: int, assoc_id: int, size: int, method: str,
                    message: Dict[str, Any]) -> "asyncio.Future[Any]":
        """A message, when there is room for it among those of its association."""
        key = sock, assoc_id
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = _Gate(self, key)
        size += 64
        await gate.enter(size)
        message["sock"] = sock
        try:
            future = self._request(method, message)
        except BaseException:
            gate.leave(size)
            raise
        future.add_done_callback(lambda done: gate.leave(size) if gate is not None else None)
        return future

    # ---- in ------------------------------------------------------------

    def _event(self, name: str, fields: Mapping[str, Any], size: int) -> None:
        number = int(fields.get("sock", 0))
        group = self._members.get(number)
        if name in ("assigned", "unassigned", "left"):
            title = str(fields.get("group", ""))
            group = group or self._groups.get(title)
            if group is None:
                group = self._groups[title] = Group(self, title)
        if group is not None:
            group._push(name, fields, size)
        elif name in UNBOUND or number == 0 or name == "supervised" and number not in self._sockets:
            if name == "owner" and fields.get("owner") == self.client:
                self._make(number)
            elif name == "owner" and number in self._sockets:
                # While the session was away, another client took it over, with all that was not handled.
                gone = self._sockets[number]
                gone._discard()
                gone._ended("closed: another client has taken over the socket")
            self._loose(name, fields, size)
        else:
            self._make(number)._push(name, fields, size)

    def _loose(self, name: str, fields: Mapping[str, Any], size: int) -> None:
        self._others._push(name, fields, size)
        if len(self._others._events) > LOOSE_EVENTS:
            _, old, old_size = self._others._events.popleft()
            self._others._bytes -= old_size
            self._session.handled(old.get("seq", 0))
            self.dropped += 1

    async def events(self) -> AsyncIterator[Event]:
        """Events of no socket: owner (a socket was given to this program), error (a notification failed),
        watch. If nobody takes them, the oldest are dropped, and dropped counts them."""
        while True:
            yield await self._others._next(None)

    def handled(self, event: Event) -> None:
        """With acknowledge="by hand": the program has handled this event, in whatever order."""
        self._session.handled(event.seq)
        self._ack_soon()

    def _ack_soon(self) -> None:
        if not self._session.resumable:
            return
        if self._session.ack_is_due():
            self._session.ack()
            self._flush_soon()
        elif self._ack_timer is None:
            self._ack_timer = self._loop.call_later(ACK_PAUSE, self._ack_now)

    def _ack_now(self) -> None:
        self._ack_timer = None
        self._session.ack()
        self._flush_soon()

    # ---- sockets -------------------------------------------------------

    def _make(self, number: int, port: int = 0, peer: Optional[Endpoint] = None, assoc_id: int = 0) -> Socket:
        found = self._sockets.get(number)
        if found is None:
            found = self._sockets[number] = Socket(self, number, port, peer, assoc_id)
        else:
            found.port, found.peer = port or found.port, peer or found.peer
            found.assoc_id = assoc_id or found.assoc_id
        return found

    async def open(self, *, ip: Union[None, str, Iterable[str]] = None, port: Optional[int] = None,
                   type: Optional[str] = None, family: Optional[str] = None, **options: "Unpack[Options]") -> Socket:
        """Open a socket. Without arguments it is one-to-many, on any address and a free port. type: seqpacket
        (one-to-many) or stream (one-to-one). Options are keyword arguments: sctp_nodelay=True,
        sctp_initmsg=sctpd.SctpInitmsg(num_ostreams=5), or a dict."""
        where = ip if ip is None or isinstance(ip, str) else list(ip)
        arguments = {"ip": where, "port": port, "type": type, "family": family, "options": _options(options) or None}
        while self._is_full():
            await asyncio.sleep(0.01)
        result = await self._request("open", arguments, late=self._close_late)
        made = self._make(int(result["sock"]), int(result.get("port", 0)))
        made._paced = "active" not in options
        return made

    def _close_late(self, result: Mapping[str, Any]) -> None:
        """A socket was opened for a task that does not wait for it any more."""
        if self._session.phase != OVER:
            self._ask("close", {"sock": result["sock"]}, lambda error, result: None)

    def socket(self, number: int) -> Socket:
        """A socket that exists: of a session that was resumed, of the event owner, or another client's."""
        return self._make(number)

    async def adopt(self, number: int, token: Optional[str] = None) -> Socket:
        """Become the owner of a socket that is held because its owner is gone."""
        await self.call("adopt", sock=number, resume=token)
        return self._make(number)

    async def attach(self, name: str, *, take: Optional[bool] = None, **options: "Unpack[Options]") -> Attached:
        """Become the owner of a supervised association's socket."""
        result = AttachResult._from(await self.call("attach", name=name, take=take, options=_options(options) or None))
        old = self._sockets.get(result.sock)
        attached = Attached(self, result.sock, assoc_id=result.assoc_id)
        attached.name, attached.state = name, result
        attached._paced = "active" not in options
        self._sockets[result.sock] = attached
        if old is not None:  # events came before the answer
            attached._events, attached._bytes, attached._credit = old._events, old._bytes, old._credit
        return attached

    async def join(self, name: str, priority: Optional[int] = None) -> Group:
        """Become a member of a group."""
        group = self._groups.setdefault(name, Group(self, name))
        try:
            result = await self.call("join", name=name, priority=priority)
        except BaseException:
            self._groups.pop(name, None)
            raise
        group.number, group.members = int(result["sock"]), int(result.get("members", 0))
        self._members[group.number] = group
        return group

    # ---- the end -------------------------------------------------------

    async def close(self) -> None:
        """End the connection, and with it the sockets that on_owner_exit does not hold."""
        for queue in [*self._sockets.values(), *self._groups.values(), self._others]:
            queue._handled()
        session = self._session
        if session.phase == UP:
            session.ack()
            said: "asyncio.Future[None]" = self._loop.create_future()

            def confirmed(error: Any, result: Any) -> None:
                if not said.done():
                    said.set_result(None)
            if session.writes or session.loose:
                session.confirm(confirmed)
                self._flush_soon()
                await asyncio.wait([said], timeout=1)
        if self._returning is not None:
            self._returning.cancel()
        session.resumable = False  # nobody need be told
        self._over(Lost("lost: the program has closed the connection", "lost"))

    async def __aenter__(self) -> "Daemon":
        return self

    async def __aexit__(self, *why: Any) -> None:
        await self.close()


class _Gate:
    """How much of one association is under way; what is more waits in its order."""

    def __init__(self, daemon: Daemon, key: Tuple[int, int]) -> None:
        self._daemon, self._key = daemon, key
        self._size = 0
        self._waiters: Deque[Tuple["asyncio.Future[None]", int]] = deque()

    def _fits(self, size: int) -> bool:
        if self._size == 0:
            return True
        queue = int(self._daemon._session.hello.get("limits", {}).get("client_queue", 1 << 20))
        return self._size + size <= max(1, queue // 2 // len(self._daemon._gates))

    async def enter(self, size: int) -> None:
        if not self._waiters and self._fits(size):
            self._size += size
            return
        waiter = self._daemon._loop.create_future()
        self._waiters.append((waiter, size))
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self.leave(size)
            else:
                self._waiters.remove((waiter, size))
                self._admit()
            raise

    def leave(self, size: int) -> None:
        self._size -= size
        self._admit()
        if self._size == 0 and not self._waiters:
            self._daemon._gates.pop(self._key, None)

    def _admit(self) -> None:
        while self._waiters:
            waiter, size = self._waiters[0]
            if not waiter.done():
                if not self._fits(size):
                    return
                self._size += size
                waiter.set_result(None)
            self._waiters.popleft()

    def open_all(self) -> None:
        """Those that wait find out by themselves that it is over."""
        while self._waiters:
            waiter, size = self._waiters.popleft()
            if not waiter.done():
                self._size += size
                waiter.set_result(None)


def _options(options: Mapping[str, Any]) -> List[List[Any]]:
    return [[name.rstrip("_"), to_wire(value)] for name, value in options.items() if value is not None]


def _option(name: str, value: Any) -> Any:
    cls = OPTIONS.get(name)
    return cls._from(value) if cls is not None and isinstance(value, Mapping) else value  # type: ignore[attr-defined]


async def connect_unix(path: Union[None, str, "os.PathLike[str]"] = None, *, name: Optional[str] = None,
                       session: bool = True, patience: Optional[float] = 30.0, token: str = "", seq: int = 0,
                       on_change: Optional[Change] = None, acknowledge: str = "in order",
                       timeout: float = 30.0) -> Daemon:
    """Connect to the daemon: `async with await sctpd.connect_unix() as d:`.

    path is that of its Unix socket; without it SCTPD_SOCKET says it, or it is the
    service's own. name stands in the daemon's logs.

    With session, which is so unless you say otherwise, the program continues when
    the daemon is restarted or dies where systemd or `sctpd -k` starts it again: the
    library waits for it for patience seconds (None: for ever), every request is
    carried out once, and no event is lost or comes twice. on_change is called with
    "gone", "back" and "over".

    An event is handled, and then acknowledged, when the next one is asked for.
    acknowledge="by hand": when the program calls Daemon.handled(event). token and
    seq, which an earlier program read from Daemon.token and Daemon.seq, continue its
    session: the events after seq come again."""
    if acknowledge not in ("in order", "by hand"):
        raise ValueError('acknowledge is "in order" or "by hand"')
    if path is None:
        path = os.environ.get("SCTPD_SOCKET") or DEFAULT_PATH
    where = os.fspath(path)
    daemon = Daemon(where, Session(session, name, token, seq), patience, on_change, acknowledge == "by hand")
    give_up = daemon._loop.time() + timeout
    while True:
        try:
            daemon._dial()
            break
        except BlockingIOError as why:  # many connect at a time
            if daemon._loop.time() >= give_up:
                raise _unreachable(where, why) from None
            await asyncio.sleep(FIRST_PAUSE)
        except OSError as why:
            raise _unreachable(where, why) from None
    try:
        await asyncio.wait_for(daemon._ready, timeout)
    except asyncio.TimeoutError:
        if daemon._session.error is not None:
            raise
        raise Timeout(f"timeout: sctpd at {where} did not answer within {timeout:g} s", "timeout") from None
    finally:
        if daemon._session.phase != UP:
            daemon._over(Lost("lost: the connection was not made", "lost"))
    return daemon


def _unreachable(path: str, why: OSError) -> Error:
    import errno
    code = errno.errorcode.get(why.errno or 0, "eio").lower()
    if code in ("enoent", "econnrefused"):
        return Error(f"{code}: no sctpd listens at {path}; start it, or set SCTPD_SOCKET to the path of its socket", code)
    if code == "eacces":
        return Error(f"eacces: the permissions of {path} do not admit this program; add its user to the group sctp", code)
    return Error(f"{code}: cannot connect to {path}: {why.strerror}", code)


__all__ = ["Attached", "Daemon", "Group", "Socket", "connect_unix"]
