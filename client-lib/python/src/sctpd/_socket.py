# SPDX-License-Identifier: BSD-2-Clause
"""SCTP sockets, for asyncio.

A socket is read in the mode that counts (active: N). The library allows the
daemon a few events, and more when the program has taken some. A socket that is
not read gets none: the daemon stops reading it, and the peer's window closes.
"""
from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Type, TypeVar, Union, overload

from ._errors import Closed, Lost, Timeout
from ._queue import Readable
from ._records import Endpoint, Setting, to_wire
from ._session import OVER
from ._tables import OPTIONS, AcceptResult, AttachResult, ConnectResult, SendManyResult, SocketCalls

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._daemon import Daemon
    from ._tables import Options

SOCKET_BYTES = 128 << 10  # what may wait here of one socket that is not read; two messages in any case
MOST_EVENTS = 256
# Events that do not count against the mode of their socket.
UNCOUNTED = {"sctp_passive", "sctp_closed", "owner", "assigned", "unassigned", "supervised"}
S = TypeVar("S", bound=Setting)


def packed_options(options: Mapping[str, Any]) -> List[List[Any]]:
    return [[name.rstrip("_"), to_wire(value)] for name, value in options.items() if value is not None]


def read_option(name: str, value: Any) -> Any:
    cls = OPTIONS.get(name)
    return cls._from(value) if cls is not None and isinstance(value, Mapping) else value  # type: ignore[attr-defined]


class Socket(SocketCalls, Readable):
    """An SCTP socket. `async for event in s` takes its messages and events, until
    the socket is closed; an event is handled when the next one is asked for."""

    def __init__(self, daemon: "Daemon", number: int, port: int = 0, peer: Optional[Endpoint] = None,
                 assoc_id: int = 0) -> None:
        Readable.__init__(self, daemon)
        self.number = number
        self.port = port
        self.peer = peer
        self.assoc_id = assoc_id  # of a one-to-one socket that was accepted
        self._paced = True  # we set the mode
        self._credit = 0  # events that the daemon may still send
        self._size = SOCKET_BYTES // 4  # of an event, of late
        self._read = False
        self._accepting: Optional["asyncio.Future[Any]"] = None  # the accept that is asked for, or that nobody took

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
        """Set up an association, and wait until it is up. If the task is cancelled, it is aborted when it comes up."""
        where = addr if isinstance(addr, str) else list(addr)
        arguments = {"sock": self.number, "addr": where, "port": port, "timeout": self._ms(timeout),
                     "options": packed_options(options) or None}
        try:
            return ConnectResult._from(await self._daemon._call("connect", partial(self._daemon._abort_late, self.number), arguments))
        finally:
            if self._credit > 0:  # its result counted like an event
                self._credit -= 1

    async def accept(self, timeout: Optional[float] = None) -> "Socket":
        """The next association of a listening socket of type stream, as a socket of its own."""
        # The daemon has one accept of a socket at a time. Tasks share it, and it outlives one that is cancelled.
        loop, left = self._daemon._loop, timeout
        give_up = None if timeout is None else loop.time() + timeout
        while True:
            mine, future = False, self._accepting
            if future is None:
                mine, future = True, self._daemon._request("accept", {"sock": self.number, "timeout": self._ms(left)})
                future.add_done_callback(lambda done: done.exception())  # perhaps nobody asks for it
                self._accepting = future
            await asyncio.wait([future], timeout=None if mine else left)
            if not future.done():
                raise Timeout("timeout: no association came in that time", "timeout")
            is_first = self._accepting is future
            if is_first:
                self._accepting = None
            if is_first and future.exception() is None or mine and future.exception() is not None:
                result = AcceptResult._from(future.result())
                return self._daemon._make(result.accepted, peer=result.from_, assoc_id=result.assoc_id)
            left = None if give_up is None else max(0.0, give_up - loop.time())

    async def peeloff(self, assoc_id: int) -> "Socket":
        """Make an association a socket of its own."""
        number = (await self.call("peeloff", assoc_id=assoc_id))["sock"]
        return self._daemon._make(int(number), assoc_id=assoc_id)

    # ---- options -------------------------------------------------------

    async def setopts(self, **options: "Unpack[Options]") -> None:
        """Set options, in the order in which they are given."""
        if "active" in options:
            self._paced = False
        await self.call("setopts", options=packed_options(options))

    @overload
    async def getopt(self, option: Type[S], **which: Any) -> S: ...
    @overload
    async def getopt(self, option: str, **which: Any) -> Any: ...

    async def getopt(self, option: Any, **which: Any) -> Any:
        """Read an option, by its class (sctpd.SctpStatus) or name ("sctp_nodelay"). which: assoc_id or address,
        where the option is that of an association or a path."""
        name = option if isinstance(option, str) else option.option
        answer = await self.call("getopts", options=[[name, to_wire(which)] if which else name])
        return read_option(*answer["options"][0])

    async def getopts(self, *names: str) -> Dict[str, Any]:
        """Read several."""
        answer = await self.call("getopts", options=list(names))
        return {name: read_option(name, value) for name, value in answer["options"]}

    # ---- the end -------------------------------------------------------

    async def close(self) -> None:
        """Close the socket. Messages that were sent still arrive."""
        if self._end is None:
            try:
                await self.call("close")
            except Closed:
                pass
        if self._accepting is not None:
            self._accepting.add_done_callback(self._close_untaken)
        self._discard()
        self._ended("closed: the program closed the socket")

    def _close_untaken(self, accepted: "asyncio.Future[Any]") -> None:
        if not accepted.cancelled() and accepted.exception() is None:
            self._daemon._close_late({"sock": accepted.result()["accepted"]})

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
