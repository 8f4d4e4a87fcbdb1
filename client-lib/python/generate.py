#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes src/sctpd/_tables.py: `build/proto-doc json | generate.py`. "make doc"
does that, and "check.sh reference" compares. So an option, an event or a
method that is added to the tables of sctpd is in the package as well."""
import json
import keyword
import sys

HEAD = '''\
# SPDX-License-Identifier: BSD-2-Clause
"""Records, options and methods of sctpd. Printed by client-lib/python/generate.py
from the tables of sctpd; do not edit."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple, TypedDict, Union

from ._records import Arriving, Caller, Endpoint, Event, Record, Setting

if TYPE_CHECKING:
    from typing_extensions import Unpack
'''

# Type of the table: type in Python, value of a field that is absent.
TYPES = {
    "bool": ("bool", "False"),
    "string": ("str", '""'),
    "word": ("str", '""'),
    "words": ("Tuple[str, ...]", "()"),
    "list of u16": ("Tuple[int, ...]", "()"),
    "address": ("str", '""'),
    "endpoint": ("Optional[Endpoint]", "None"),
    "bytes": ("bytes", 'b""'),
    "any": ("Any", "None"),
    "timeout": ("Any", "None"),
}
# Methods that the package writes by itself, since they make objects, or that it calls by itself.
BY_HAND = {"hello", "ack", "describe", "open", "accept", "peeloff", "attach", "adopt", "join", "recv", "send",
           "send_many", "close", "setopts", "getopts", "connect", "controlling_process", "lend", "give_back", "port"}
# Events whose class would have the name of an error.
RENAMED = {"error": "ErrorEvent", "superseded": "SupersededEvent"}


def identifier(name):
    return name + "_" if keyword.iskeyword(name) else name


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def event_class(name):
    return RENAMED.get(name) or camel(name)


def doc(text, indent):
    """A docstring; the texts of the tables are short."""
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > 100:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    lines.append(line)
    quotes = '"""' if not lines[-1].endswith('"') else ' """'
    return '"""' + ("\n" + indent).join(lines) + quotes


class Writer:
    def __init__(self, tables):
        self.tables, self.records, self.out = tables, {}, []

    def line(self, text=""):
        self.out.append(text)

    def type_of(self, f, owner):
        """(type, default) of a field; its record is written if it has one."""
        if f["type"] == "map":
            return f"Optional[{self.record(f, owner)}]", "None"
        return TYPES.get(f["type"], ("int", "0"))

    def record(self, f, owner):
        """The class of a record inside another; the same fields are the same class."""
        key = tuple(sub["name"] for sub in f["fields"])
        if key not in self.records:
            name = camel(f["name"]) if f["name"].startswith("sctp_") else owner + camel(f["name"])
            self.records[key] = name
            self.dataclass(name, "Record", f"{f['doc'][0].upper()}{f['doc'][1:]}.", f["fields"])
        return self.records[key]

    def dataclass(self, name, base, text, fields, optional=False, head=()):
        """Fields of a setting are None where nothing was said."""
        rows = [(f, *self.type_of(f, name)) for f in fields]
        if optional:
            rows = [(f, t if t.startswith("Optional") or t == "Any" else f"Optional[{t}]", "None") for f, t, _ in rows]
        self.line("\n\n@dataclass")
        self.line(f"class {name}({base}):")
        self.line(f"    {doc(text, '    ')}")
        for extra in head:
            self.line(f"    {extra}")
        for f, kind, default in rows:
            self.line(f"    {identifier(f['name'])}: {kind} = {default}  # {f['doc']}")

    def events(self):
        for e in self.tables["events"]:
            base = "Arriving" if e["name"] == "data" else "Event"
            self.dataclass(event_class(e["name"]), base, e["doc"], e["fields"], head=[f'kind = "{e["name"]}"'])
        self.line("\n\nEVENTS: Dict[str, type] = {")
        for e in self.tables["events"]:
            self.line(f'    "{e["name"]}": {event_class(e["name"])},')
        self.line("}")

    def options(self):
        kinds = []
        for o in self.tables["options"]:
            scalar = o["fields"][0]["name"] == ""
            if scalar:
                kind = self.type_of(o["fields"][0], camel(o["name"]))[0]
            else:
                self.dataclass(camel(o["name"]), "Setting", o["doc"], o["fields"], True, [f'option = "{o["name"]}"'])
                kind = f"Union[{camel(o['name'])}, Mapping[str, Any]]"
            kinds.append((o, kind))
        self.line("\n\nclass Options(TypedDict, total=False):")
        self.line('    """All options, as keyword arguments of open and setopts."""')
        for o, kind in kinds:
            self.line(f"    {identifier(o['name'])}: {kind}  # {o['access']}; {o['scope']}")
        self.line("\n\nOPTIONS: Dict[str, Optional[type]] = {")
        for o, kind in kinds:
            self.line(f'    "{o["name"]}": {camel(o["name"]) if kind.startswith("Union") else "None"},')
        self.line("}")

    def results(self):
        for m in self.tables["methods"]:
            if m["out"]:
                self.dataclass(camel(m["name"]) + "Result", "Record", f"What {m['name']} answers.", m["out"])

    def method(self, m, bound, sync):
        """One that calls the daemon; bound: to a socket."""
        given = [f for f in m["in"] if f["name"] != "options" and not (bound and f["name"] == "sock")]
        needed, rest = [f for f in given if f["required"]], [f for f in given if not f["required"]]
        words = ["self"] + [f"{identifier(f['name'])}: {self.argument(f)}" for f in needed]
        if rest and (bound and rest[0]["name"] == "assoc_id" or len(rest) == 1):
            words.append(f"{identifier(rest[0]['name'])}: Optional[{self.argument(rest[0])}] = None")
            del rest[0]
        if rest:
            words += ["*"] + [f"{identifier(f['name'])}: Optional[{self.argument(f)}] = None" for f in rest]
        takes_options = any(f["name"] == "options" for f in m["in"])
        if takes_options:
            words.append("**options: Unpack[Options]")
        result = camel(m["name"]) + "Result" if m["out"] else "None"
        call = f'self.call("{m["name"]}"' + "".join(f", {identifier(f['name'])}={self.passed(f)}" for f in given)
        call += ", options=dict(options) or None)" if takes_options else ")"
        call = call if sync else "await " + call
        self.line(f"    {'' if sync else 'async '}def {m['name']}({', '.join(words)}) -> {result}:")
        self.line(f"        {doc(m['doc'], '        ')}")
        self.line(f"        return {result}._from({call})" if m["out"] else f"        {call}")
        self.line()

    @staticmethod
    def argument(f):
        if f["type"] == "timeout":
            return "float"
        if f["type"] in ("any", "map", "words"):
            return "Any"
        return TYPES.get(f["type"], ("int",))[0]

    @staticmethod
    def passed(f):
        name = identifier(f["name"])
        return f"self._ms({name})" if f["type"] == "timeout" else name

    def methods(self):
        for sync in False, True:
            for bound in False, True:
                name = f"{'Blocking' if sync else ''}{'Socket' if bound else 'Daemon'}Calls"
                self.line(f"\n\nclass {name}(Caller):")
                self.line(f'    """Methods of {"a socket" if bound else "the daemon"}; timeouts are seconds."""\n')
                for m in self.tables["methods"]:
                    of_socket = any(f["name"] == "sock" and f["required"] for f in m["in"])
                    if m["name"] not in BY_HAND and of_socket == bound:
                        self.method(m, bound, sync)
                while self.out[-1] == "":
                    self.out.pop()

    def rest(self):
        self.line("\n\n# What each code of an error says.\nERRORS: Dict[str, str] = {")
        for e in self.tables["errors"]:
            self.line(f'    "{e["code"]}": {json.dumps(e["doc"])},')
        self.line("}\n\n# Payload protocol identifiers by name.\nPPIDS: Dict[str, int] = {")
        for p in self.tables["ppids"]:
            self.line(f'    "{p["name"]}": {p["number"]},')
        self.line("}")

    def all(self):
        self.results()
        self.events()
        self.options()
        self.methods()
        self.rest()
        return HEAD + "\n".join(self.out) + "\n"


def main():
    sys.stdout.write(Writer(json.load(sys.stdin)).all())


main()
