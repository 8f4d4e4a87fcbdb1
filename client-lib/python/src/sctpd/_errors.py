# SPDX-License-Identifier: BSD-2-Clause
"""Errors: what the daemon answers, and what becomes of the connection."""
from __future__ import annotations


class Error(Exception):
    """A request was refused, or could not be made. code is for programs, one of
    sctpd.ERRORS; the text is for people, and says what would be right."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code or text.split(":", 1)[0].strip()


    def again(self) -> "Error":
        """The same, to be raised once more."""
        return type(self)(str(self), self.code)


class Timeout(Error, TimeoutError):
    """It took longer than the program wanted to wait: code "timeout"."""


class Closed(Error):
    """The socket was closed, or its association ended: code "closed"."""


class Lost(Error, ConnectionError):
    """The connection to the daemon ended for good: code "lost". Its sockets are gone."""


class Superseded(Lost):
    """Another program has taken over the session: code "superseded"."""


class NoSession(Lost):
    """The daemon does not know the session any more: code "no_session"."""


class ProtocolError(Lost):
    """The daemon sent what is no message: code "eproto"."""


_CLASSES = {"timeout": Timeout, "closed": Closed}


def from_text(text: object) -> Error:
    """The error that stands in an answer."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    code = said.split(":", 1)[0].strip()
    return _CLASSES.get(code, Error)(said, code)
