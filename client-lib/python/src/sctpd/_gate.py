# SPDX-License-Identifier: BSD-2-Clause
"""Messages that wait for others of their association.

They wait here, not in the daemon, once a share of what it lets one client have
waiting is under way. So it goes on to read what others send."""
from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Deque, Tuple

if TYPE_CHECKING:
    from ._daemon import Daemon


class Gate:
    """How much of one association is under way; what is more waits in its order."""

    def __init__(self, daemon: "Daemon", key: Tuple[int, int]) -> None:
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
