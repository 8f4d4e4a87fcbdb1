# SPDX-License-Identifier: BSD-2-Clause
"""SCTP through the daemon sctpd, for asyncio; sctpd.blocking has the same for programs without it.

    async with await sctpd.connect_unix() as d:
        s = await d.open(port=2905)
        await s.listen()
        async for event in s:
            if isinstance(event, sctpd.Data):
                await s.send(event.data, event.assoc_id, event.stream)
"""
from . import _tables
from ._daemon import Daemon, connect_unix
from ._errors import Closed, Error, Lost, NoSession, ProtocolError, Superseded, Timeout
from ._group import Group
from ._records import Endpoint, Event, Record, Setting
from ._socket import Attached, Socket
from ._tables import *  # noqa: F401,F403
from ._tables import ERRORS, PPIDS, Data

__version__ = "0.1.0"

__all__ = ["Attached", "Closed", "Daemon", "Data", "ERRORS", "Endpoint", "Error", "Event", "Group", "Lost",
           "NoSession", "PPIDS", "ProtocolError", "Record", "Setting", "Socket", "Superseded", "Timeout", "connect_unix"]
__all__ += [name for name, value in vars(_tables).items()
            if isinstance(value, type) and issubclass(value, Record) and name not in __all__]
