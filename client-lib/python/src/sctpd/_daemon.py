# SPDX-License-Identifier: BSD-2-Clause
"""The connection to the daemon, for asyncio.

One connection serves all tasks. Each request has its own answer, each socket its
own queue, and each association its own gate, so no task waits behind another.
"""
from __future__ import annotations

import asyncio
import os
import socket as sockets
from collections import deque
from typing import (TYPE_CHECKING, Any, AsyncIterator, Callable, Deque, Dict, Iterable, List, Mapping, Optional, Tuple,
                    Union)

from ._errors import Error, Lost, Timeout
from ._gate import Gate
from ._group import Group
from ._queue import Queue
from ._records import Endpoint, Event, to_wire
from ._session import OVER, UP, Session
from ._socket import Attached, Socket, packed_options
from ._tables import AttachResult, DaemonCalls

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._tables import Options

DEFAULT_PATH = "/run/sctpd/sctpd.sock"
READ_BYTES = WRITE_BYTES = 256 << 10
KEPT_BYTES = 16 << 20  # requests that are not answered; more wait
ACK_PAUSE = 0.02  # seconds that an acknowledgement may wait for more
FIRST_PAUSE, LAST_PAUSE = 0.005, 0.5  # between two attempts to come back
LOOSE_EVENTS = 1024  # of no socket, which nobody takes
# Events that are of no socket of ours, though they may name one.
UNBOUND = {"watch", "tap", "owner", "left", "error", "overrun"}
Change = Callable[[str], None]


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
        self._others = Queue(self)
        self._gates: Dict[Tuple[int, int], Gate] = {}
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
        was_there = bool(session.hello)  # a daemon that dies before there is a session is waited for as well
        if not session.resumable or was_there and not (session.token and session.survives):
            self._over(Lost(text, "lost"))
            return
        if self._greeted is not None and not self._greeted.done():
            self._greeted.set_result(None)  # _come_back goes on
        if self._returning is None:
            had = was_there or bool(session.token)
            self._returning = self._loop.create_task(self._come_back(had))
            if had:
                self._tell("gone")  # the last, as what the program does then may fail

    async def _come_back(self, had: bool) -> None:
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
            if session.phase == UP and had:
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
                 late: Optional[Callable[[Mapping[str, Any]], None]] = None,
                 made: Optional[Callable[[Mapping[str, Any]], None]] = None) -> "asyncio.Future[Any]":
        """The answer; late gets what came when nobody waited for it any more, made what came before all that
        comes after it."""
        future: "asyncio.Future[Any]" = self._loop.create_future()

        def answered(error: Any, result: Any) -> None:
            if self._room:
                self._make_room()
            if made is not None and error is None:
                made(result)
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
        return await self._call(method, None, arguments)

    async def _call(self, method: str, late: Optional[Callable[[Mapping[str, Any]], None]],
                    arguments: Mapping[str, Any]) -> Dict[str, Any]:
        while self._is_full():
            waiter = self._loop.create_future()
            self._room.append(waiter)
            await waiter
        wire = {key.rstrip("_"): to_wire(value) for key, value in arguments.items()}
        answer: Dict[str, Any] = await self._request(method, wire, late)
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
            gate = self._gates[key] = Gate(self, key)
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
                   type: Optional[str] = None, family: Optional[str] = None, bind: Optional[bool] = None,
                   **options: "Unpack[Options]") -> Socket:
        """Open a socket. Without arguments it is one-to-many, on any address and a free port. type: seqpacket
        (one-to-many) or stream (one-to-one). With bind=False it is unbound; what bind returns has its port. Options
        are keyword arguments: sctp_nodelay=True, sctp_initmsg=sctpd.SctpInitmsg(num_ostreams=5), or a dict."""
        where = ip if ip is None or isinstance(ip, str) else list(ip)
        arguments = {"ip": where, "port": port, "type": type, "family": family, "bind": bind,
                     "options": packed_options(options) or None}
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

    def _abort_late(self, sock: int, result: Mapping[str, Any]) -> None:
        """The same for an association."""
        if self._session.phase != OVER:
            self._ask("abort", {"sock": sock, "assoc_id": result["assoc_id"]}, lambda error, result: None)

    def socket(self, number: int) -> Socket:
        """A socket that exists: of a session that was resumed, of the event owner, or another client's."""
        return self._make(number)

    async def adopt(self, number: int, token: Optional[str] = None) -> Socket:
        """Become the owner of a socket that is held because its owner is gone."""
        await self.call("adopt", sock=number, resume=token)
        return self._make(number)

    async def attach(self, name: str, *, take: Optional[bool] = None, **options: "Unpack[Options]") -> Attached:
        """Become the owner of a supervised association's socket."""
        result = AttachResult._from(await self.call("attach", name=name, take=take, options=packed_options(options) or None))
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

        def joined(result: Mapping[str, Any]) -> None:
            group.number, group.members = int(result["sock"]), int(result.get("members", 0))
            self._members[group.number] = group
        try:
            await self._request("join", {"name": name, "priority": priority}, made=joined)
        except BaseException:
            self._groups.pop(name, None)
            raise
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
