# SPDX-License-Identifier: BSD-2-Clause
"""Groups of programs that own a socket together."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Union

from ._errors import Closed
from ._queue import Readable
from ._socket import Socket

if TYPE_CHECKING:
    from ._daemon import Daemon


class Group(Readable):
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
