# SPDX-License-Identifier: BSD-2-Clause
"""Records as they are on the wire and in Python: what the generated classes share.

A field that is absent keeps the value of its class, and a key that is not
known is left out: a later daemon may send more. A whole number may come as a
float."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, ClassVar, Dict, Mapping, Optional, Tuple, Type, TypeVar

R = TypeVar("R", bound="Record")
Convert = Optional[Callable[[Any], Any]]


def whole(value: Any) -> Any:
    """The same, as an int if it is a float without a fraction."""
    return int(value) if value.__class__ is float and value.is_integer() else value


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


def _str(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _tuple(value: Any) -> Tuple[Any, ...]:
    return tuple(whole(v) for v in value)


class Record:
    """A record that the daemon sends."""

    _known: ClassVar[Optional[Dict[str, Tuple[str, Convert]]]] = None

    @classmethod
    def _learn(cls) -> Dict[str, Tuple[str, Convert]]:
        """Key on the wire: attribute, and what makes the one of the other."""
        known: Dict[str, Tuple[str, Convert]] = {}
        for f in dataclasses.fields(cls):
            known[f.name.rstrip("_")] = f.name, _converter(str(f.type), cls)
        cls._known = known
        return known

    @classmethod
    def _from(cls: Type[R], wire: Mapping[str, Any]) -> R:
        known = cls.__dict__.get("_known") or cls._learn()
        new = cls.__new__(cls)
        values = new.__dict__
        for key, value in wire.items():
            how = known.get(key)
            if how is None or value is None:
                continue
            name, convert = how
            if convert is not None:
                values[name] = convert(value)
            elif value.__class__ is float and value.is_integer():
                values[name] = int(value)
            else:
                values[name] = value
        return new

    def _wire(self) -> Dict[str, Any]:
        """What to send: zero and absent are the same in a record."""
        return {f.name.rstrip("_"): to_wire(value) for f in dataclasses.fields(self)
                if (value := getattr(self, f.name)) not in (None, 0, "", (), b"")}


class Setting(Record):
    """The value of an option: a field that is None is not given, and keeps its value."""

    option: ClassVar[str] = ""

    def _wire(self) -> Dict[str, Any]:
        return {f.name.rstrip("_"): to_wire(value) for f in dataclasses.fields(self)
                if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True)
class Endpoint:
    """An address and a port."""

    addr: str = ""
    port: int = 0


def _endpoint(value: Any) -> Endpoint:
    return value if isinstance(value, Endpoint) else Endpoint(value.get("addr", ""), whole(value.get("port", 0)))


def _converter(kind: str, cls: type) -> Convert:
    """By the type as it stands in the class, which is text."""
    kind = kind.replace("Optional[", "").rstrip("]")
    if kind.startswith("Tuple["):
        return _tuple
    simple: Dict[str, Convert] = {"bytes": _bytes, "str": _str, "Endpoint": _endpoint, "int": None, "bool": bool, "Any": None}
    if kind in simple:
        return simple[kind]
    import sys
    record = getattr(sys.modules[cls.__module__], kind)
    return record._from  # type: ignore[no-any-return]


def to_wire(value: Any) -> Any:
    """A value as it is sent."""
    if isinstance(value, Record):
        return value._wire()
    if isinstance(value, Endpoint):
        return {"addr": value.addr, "port": value.port}
    if isinstance(value, Mapping):
        return {str(k).rstrip("_"): to_wire(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_wire(v) for v in value]
    return value


@dataclass
class Event(Record):
    """Something happened. An event of a later daemon, which has no class of its
    own here, is of this class. raw has all its fields as they came."""

    kind: ClassVar[str] = ""  # its name, such as "sctp_assoc_change"
    seq: int = 0  # its number, in a session
    sock: int = 0  # the socket that it is about
    from_: Optional[Endpoint] = None  # address and port of the peer

    @property
    def raw(self) -> Mapping[str, Any]:
        return self.__dict__.get("_raw", {})


@dataclass
class Arriving(Event):
    """A message. What stands in sctp_sndrcvinfo may be had directly."""

    def _info(self, key: str) -> Any:
        info = getattr(self, "sctp_sndrcvinfo", None)
        return getattr(info, key) if info is not None else 0

    @property
    def assoc_id(self) -> int:
        return int(self._info("assoc_id"))

    @property
    def stream(self) -> int:
        return int(self._info("stream"))

    @property
    def ppid(self) -> int:
        return int(self._info("ppid"))


class Caller:
    """What generated methods need of a class."""

    def call(self, method: str, **arguments: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def _ms(seconds: Optional[float]) -> Optional[int]:
        """A timeout as the daemon takes it; None: as long as it takes."""
        return None if seconds is None else max(0, round(seconds * 1000))


def event_from(name: str, wire: Mapping[str, Any], classes: Mapping[str, type]) -> Event:
    """The event of that name."""
    cls = classes.get(name, Event)
    event: Event = cls._from(wire)  # type: ignore[attr-defined]
    event.__dict__["_raw"] = wire
    if cls is Event:
        event.__dict__["kind"] = name
    return event
