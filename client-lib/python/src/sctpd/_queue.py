# SPDX-License-Identifier: BSD-2-Clause
"""Events that wait for their reader."""
from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, AsyncIterator, Deque, Mapping, Optional, Tuple

from ._errors import Closed, Error, Timeout
from ._records import Event, event_from
from ._tables import EVENTS

if TYPE_CHECKING:
    from ._daemon import Daemon


class Queue:
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
        self._handled()  # another reader was given one while this one waited
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


class Readable(Queue):
    """One that programs read: until it is closed."""

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
