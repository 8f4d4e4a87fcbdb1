# SPDX-License-Identifier: BSD-2-Clause
"""The same for programs without asyncio:

    with sctpd.blocking.connect_unix() as d:
        s = d.open(port=2905)
        s.listen()
        for event in s:
            ...

A thread of its own keeps the connection, so a session goes on and is
acknowledged whatever the program does meanwhile. Any thread may use any object."""
from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future
from typing import (TYPE_CHECKING, Any, Awaitable, Callable, Coroutine, Dict, Iterable, Iterator, List, Mapping, Optional,
                    Type, TypeVar, Union, overload)

from . import _daemon, _group, _socket
from ._errors import Closed, Lost
from ._records import Endpoint, Event, Setting
from ._tables import AttachResult, BlockingDaemonCalls, BlockingSocketCalls, ConnectResult, SendManyResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._tables import Options

T = TypeVar("T")
S = TypeVar("S", bound=Setting)
Data = Union[bytes, bytearray, memoryview, str]


class _Thread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._process = os.getpid()  # a fork copies no threads
        self._thread = threading.Thread(target=self.loop.run_forever, name="sctpd", daemon=True)
        self._thread.start()

    def is_over(self) -> bool:
        """Is there no such thread any more? Nothing is to be closed then."""
        return self.loop.is_closed() or os.getpid() != self._process

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it there, and wait here. ^C ends it there, too."""
        if self.is_over():
            work.close()
            raise Lost("lost: the program has closed the connection" if self.loop.is_closed() else
                       "lost: a forked process has no part in the connection; let it connect itself", "lost")
        future: "Future[T]" = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _now(call: Callable[..., T], *arguments: Any) -> T:
    """A function of the other thread that does not wait."""
    return call(*arguments)


class Sent:
    """A message that was posted."""

    def __init__(self, thread: _Thread, future: "asyncio.Future[Any]") -> None:
        self._thread, self._future = thread, future

    def wait(self) -> None:
        """Until the stack has accepted it; raises why it has not."""
        async def settle(future: Awaitable[Any]) -> None:
            await future
        self._thread.run(settle(self._future))


class Socket(BlockingSocketCalls):
    """An SCTP socket: see sctpd.Socket. `for event in s` takes its messages and events."""

    def __init__(self, thread: _Thread, inner: _socket.Socket) -> None:
        self._thread, self._inner = thread, inner

    def __repr__(self) -> str:
        return f"<sctpd.blocking.Socket {self.number}>"

    @property
    def number(self) -> int:
        return self._inner.number

    @property
    def port(self) -> int:
        return self._inner.port

    @property
    def peer(self) -> Optional[Endpoint]:
        return self._inner.peer

    @property
    def assoc_id(self) -> int:
        return self._inner.assoc_id

    def call(self, method: str, **arguments: Any) -> Any:
        return self._thread.run(self._inner.call(method, **arguments))

    def recv(self, timeout: Optional[float] = None) -> Event:
        return self._thread.run(self._inner.recv(timeout))

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        try:
            return self.recv()
        except Closed:
            raise StopIteration from None

    def send(self, data: Data, assoc_id: Optional[int] = None, stream: Optional[int] = None, **info: Any) -> None:
        self._thread.run(self._inner.send(data, assoc_id, stream, **info))

    def post(self, data: Data, assoc_id: Optional[int] = None, stream: Optional[int] = None, **info: Any) -> Sent:
        return Sent(self._thread, self._thread.run(self._inner.post(data, assoc_id, stream, **info)))

    def send_many(self, messages: Iterable[Union[bytes, Mapping[str, Any]]], assoc_id: Optional[int] = None,
                  stream: Optional[int] = None) -> SendManyResult:
        return self._thread.run(self._inner.send_many(messages, assoc_id, stream))

    def connect(self, addr: Union[str, Iterable[str]], port: int, timeout: Optional[float] = None,
                **options: "Unpack[Options]") -> ConnectResult:
        return self._thread.run(self._inner.connect(addr, port, timeout, **options))

    def accept(self, timeout: Optional[float] = None) -> "Socket":
        return Socket(self._thread, self._thread.run(self._inner.accept(timeout)))

    def peeloff(self, assoc_id: int) -> "Socket":
        return Socket(self._thread, self._thread.run(self._inner.peeloff(assoc_id)))

    def setopts(self, **options: "Unpack[Options]") -> None:
        self._thread.run(self._inner.setopts(**options))

    @overload
    def getopt(self, option: Type[S], **which: Any) -> S: ...
    @overload
    def getopt(self, option: str, **which: Any) -> Any: ...

    def getopt(self, option: Any, **which: Any) -> Any:
        return self._thread.run(self._inner.getopt(option, **which))

    def getopts(self, *names: str) -> Dict[str, Any]:
        return self._thread.run(self._inner.getopts(*names))

    def close(self) -> None:
        if not self._thread.is_over():
            self._thread.run(self._inner.close())

    def give(self, client: int) -> None:
        self._thread.run(self._inner.give(client))

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *why: Any) -> None:
        if not self._thread.is_over():
            self._thread.run(self._inner.__aexit__(*why))


class Attached(Socket):
    """The socket of a supervised association: see sctpd.Attached."""

    _inner: _socket.Attached

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def state(self) -> AttachResult:
        return self._inner.state

    def detach(self) -> None:
        self._thread.run(self._inner.detach())


class Group:
    """What this program has of a group's socket: see sctpd.Group."""

    def __init__(self, thread: _Thread, inner: _group.Group) -> None:
        self._thread, self._inner = thread, inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def number(self) -> int:
        return self._inner.number

    @property
    def has(self) -> Dict[int, int]:
        return self._inner.has

    def recv(self, timeout: Optional[float] = None) -> Event:
        return self._thread.run(self._inner.recv(timeout))

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        try:
            return self.recv()
        except Closed:
            raise StopIteration from None

    def send(self, data: Union[bytes, str], assoc_id: int, stream: Optional[int] = None, **info: Any) -> None:
        self._thread.run(self._inner.send(data, assoc_id, stream, **info))

    def drain(self, on: bool = True) -> None:
        self._thread.run(self._inner.drain(on))

    def leave(self) -> None:
        self._thread.run(self._inner.leave())


class Daemon(BlockingDaemonCalls):
    """A connection to sctpd: see sctpd.Daemon."""

    def __init__(self, thread: _Thread, inner: _daemon.Daemon) -> None:
        self._thread, self._inner = thread, inner

    @property
    def client(self) -> int:
        return self._inner.client

    @property
    def features(self) -> List[str]:
        return self._inner.features

    @property
    def limits(self) -> Dict[str, int]:
        return self._inner.limits

    @property
    def token(self) -> str:
        return self._inner.token

    @property
    def seq(self) -> int:
        return self._inner.seq

    def call(self, method: str, **arguments: Any) -> Any:
        return self._thread.run(self._inner.call(method, **arguments))

    def notify(self, method: str, **arguments: Any) -> None:
        self._thread.run(self._inner.notify(method, **arguments))

    def events(self) -> Iterator[Event]:
        while True:
            yield self._thread.run(self._inner._others._next(None))

    def handled(self, event: Event) -> None:
        self._thread.run(_now(self._inner.handled, event))

    def open(self, *, ip: Union[None, str, Iterable[str]] = None, port: Optional[int] = None, type: Optional[str] = None,
             family: Optional[str] = None, bind: Optional[bool] = None, **options: "Unpack[Options]") -> Socket:
        return Socket(self._thread, self._thread.run(self._inner.open(
            ip=ip, port=port, type=type, family=family, bind=bind, **options)))

    def socket(self, number: int) -> Socket:
        return Socket(self._thread, self._thread.run(_now(self._inner.socket, number)))

    def adopt(self, number: int, token: Optional[str] = None) -> Socket:
        return Socket(self._thread, self._thread.run(self._inner.adopt(number, token)))

    def attach(self, name: str, *, take: Optional[bool] = None, **options: "Unpack[Options]") -> Attached:
        return Attached(self._thread, self._thread.run(self._inner.attach(name, take=take, **options)))

    def join(self, name: str, priority: Optional[int] = None) -> Group:
        return Group(self._thread, self._thread.run(self._inner.join(name, priority)))

    def close(self) -> None:
        if self._thread.is_over():
            return
        self._thread.run(self._inner.close())
        self._thread.stop()

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *why: Any) -> None:
        self.close()


def connect_unix(path: Union[None, str, "os.PathLike[str]"] = None, **how: Any) -> Daemon:
    """Connect to the daemon, as sctpd.connect_unix does; on_change is called in another thread."""
    thread = _Thread()
    try:
        return Daemon(thread, thread.run(_daemon.connect_unix(path, **how)))
    except BaseException:
        thread.stop()
        raise
