#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes src/tables.js and src/tables.d.ts: `build/proto-doc json | generate.py FOLDER`. "make
doc" does that, and "check.sh reference" compares. So an option, an event or a method that is
added to the tables of sctpd is in the package as well."""
import json
import os
import re
import sys

SAID = """\
// SPDX-License-Identifier: BSD-2-Clause
// Printed by client-lib/node/generate.py from the tables of sctpd; do not edit.
"""

# Type of the table: type in TypeScript, and the value of a field that is absent because it is zero.
TYPES = {
    "bool": ("boolean", "false"),
    "string": ("string", '""'),
    "word": ("string", '""'),
    "words": ("string[]", "NONE"),
    "list of u16": ("number[]", "NONE"),
    "address": ("string", '""'),
    "endpoint": ("Endpoint", None),
    "bytes": ("Buffer", None),
    "any": ("any", None),
    "timeout": ("number", "0"),
}
NUMBER = ("number", "0")
# Methods that the package writes by itself, since they make objects, or that it calls by itself.
BY_HAND = {"hello", "ack", "describe", "open", "accept", "peeloff", "attach", "adopt", "join", "recv", "send",
           "send_many", "close", "setopts", "getopts", "connect", "controlling_process", "lend", "give_back", "port",
           "detach"}
# Those of them whose arguments are the table's.
GIVEN = {"open", "connect"}
# Fields that every event has here.
OWN = {"kind", "raw"}


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def lower_camel(name):
    return re.sub("_(.)", lambda letter: letter[1].upper(), name)


def event_type(name):
    """An event may have the name of an option, so each says what it is."""
    return camel(name) if name.endswith("_event") else camel(name) + "Event"


def default(f):
    return TYPES.get(f["type"], NUMBER)[1]


def absent(fields):
    """Fields that are absent because they are zero, with what they are then."""
    values = [(f["name"], default(f)) for f in fields if f["sparse"] and f["type"] != "map" and default(f)]
    return "{ " + ", ".join(f"{name}: {value}" for name, value in values) + " }" if values else "{}"


def of_socket(method):
    return any(f["name"] == "sock" and f["required"] for f in method["in"])


def generated(tables):
    return [m for m in tables["methods"] if m["name"] not in BY_HAND]


def program(tables):
    """What is needed to run."""
    out = [SAID + '"use strict";\n', "const NONE = Object.freeze([]);\n", "// Methods that are called with an object of arguments; args: options may stand among them.",
           "exports.METHODS = ["]
    for m in generated(tables):
        names = [f["name"] for f in m["in"]]
        args = f", args: {json.dumps([n for n in names if n not in ('options', 'sock')])}" if "options" in names else ""
        out.append(f'    {{ name: "{m["name"]}", of: "{"socket" if of_socket(m) else "daemon"}"{args} }},')
    out += ["];\n", "// Events: what is absent because it is zero, and the records that they contain.", "exports.EVENTS = {"]
    for e in tables["events"]:
        records = [f"{f['name']}: {absent(f['fields'])}" for f in e["fields"] if f["type"] == "map"]
        out.append(f"    {e['name']}: {{")
        out.append(f"        absent: {absent(tables['head'] + e['fields'])},")
        out.append(f"        records: {{{' ' if records else ''}{', '.join(records)}{' ' if records else ''}}},")
        out.append("    },")
    out += ["};\n", "// What each code of an error says.", "exports.ERRORS = {"]
    out += [f"    {e['code']}: {json.dumps(e['doc'])}," for e in tables["errors"]]
    out += ["};\n", "// Payload protocol identifiers by name.", "exports.PPIDS = {"]
    out += [f"    {json.dumps(p['name'])}: {p['number']}," for p in tables["ppids"]]
    return "\n".join([*out, "};"]) + "\n"


class Types:
    def __init__(self, tables):
        self.tables, self.records, self.out = tables, {}, []

    def line(self, text=""):
        self.out.append(text)

    def doc(self, text, indent=""):
        text = text.replace("*/", "* /")
        self.line(f"{indent}/** {text} */")

    def type_of(self, f, owner, given=False):
        """The type of a field; given: by the program."""
        if f["type"] == "map":
            return self.record(f, owner)
        if f.get("words") and f["type"] in ("word", "words"):
            union = " | ".join(f'"{word}"' for word in f["words"])
            return union if f["type"] == "word" else f"({union})[]"
        if given and f["type"] in ("bytes", "timeout"):
            return {"bytes": "Bytes", "timeout": 'number | "infinity"'}[f["type"]]
        return TYPES.get(f["type"], NUMBER)[0]

    def record(self, f, owner):
        """The interface of a record inside another; the same fields are the same."""
        key = tuple(sub["name"] for sub in f["fields"])
        if key not in self.records:
            name = camel(f["name"]) if f["name"].startswith("sctp_") else owner + camel(f["name"])
            self.records[key] = name
            self.interface(name, f["doc"][0].upper() + f["doc"][1:] + ".", f["fields"], lambda sub: default(sub) is None)
        return self.records[key]

    def interface(self, name, text, fields, may_be_absent, head=(), base="", given=False):
        rows = [(f, self.type_of(f, name, given)) for f in fields]
        self.line()
        self.doc(text)
        self.line(f"export interface {name}{f' extends {base}' if base else ''} {{")
        for row in head:
            self.line(f"    {row}")
        for f, kind in rows:
            self.doc(f["doc"], "    ")
            self.line(f"    {f['name']}{'?' if may_be_absent(f) else ''}: {kind};")
        self.line("}")

    def events(self):
        for e in self.tables["events"]:
            names = {f["name"] for f in e["fields"]}
            assert not names & OWN, f"event {e['name']} has a field {names & OWN}: call it something else in SctpEvent"
            base = "Arriving" if e["name"] == "data" else "Happening"
            self.interface(event_type(e["name"]), e["doc"], e["fields"], lambda f: f["sparse"] and default(f) is None,
                           [f'readonly kind: "{e["name"]}";'], base)
        self.line("\n/** Something happened. if (event.kind === \"data\") tells the types apart. */")
        self.line("export type SctpEvent =")
        self.line("    | " + "\n    | ".join(event_type(e["name"]) for e in self.tables["events"]) + ";")
        self.line("\n/** Events by their names: what a listener gets. */\nexport interface Events {")
        for e in self.tables["events"]:
            self.line(f"    {e['name']}: [{event_type(e['name'])}];")
        self.line("}")

    def options(self):
        kinds = []
        for o in self.tables["options"]:
            first = o["fields"][0]
            if first["name"] == "":
                kinds.append((o, self.type_of(first, camel(o["name"]), True)))
            else:
                self.interface(camel(o["name"]), o["doc"], o["fields"], lambda f: True, given=True)
                kinds.append((o, camel(o["name"])))
        self.line("\n/** All options, by their names. */\nexport interface Options {")
        for o, kind in kinds:
            text = o["fields"][0]["doc"] + ". " if o["fields"][0]["name"] == "" else ""
            self.doc(f"{o['doc']} {text}({o['access']}; {o['scope']})", "    ")
            self.line(f"    {o['name']}?: {kind};")
        self.line("}")

    def arguments(self, m, bound):
        """The interface of its arguments, if it has any; options may stand among them."""
        given = [f for f in m["in"] if f["name"] != "options" and not (bound and f["name"] == "sock")]
        takes_options = any(f["name"] == "options" for f in m["in"])
        names = {f["name"] for f in given}
        assert not takes_options or not names & {o["name"] for o in self.tables["options"]}, f"{m['name']}: {names}"
        if not given and not takes_options:
            return None
        self.interface(camel(m["name"]) + "Arguments", f"What {m['name']} takes.", given, lambda f: not f["required"],
                       base="Options" if takes_options else "", given=True)
        return camel(m["name"]) + "Arguments", any(f["required"] for f in given)

    def methods(self):
        calls = {False: [], True: []}
        for m in self.tables["methods"]:
            if m["out"]:
                self.interface(camel(m["name"]) + "Result", f"What {m['name']} answers.", m["out"],
                               lambda f: f["sparse"])
            bound = of_socket(m)
            if m["name"] in BY_HAND and m["name"] not in GIVEN:
                continue
            args = self.arguments(m, bound)
            if m["name"] in BY_HAND:
                continue
            said = "" if args is None else f"args{'' if args[1] else '?'}: {args[0]}"
            result = camel(m["name"]) + "Result" if m["out"] else "void"
            calls[bound].append((m["doc"], f"{lower_camel(m['name'])}({said}): Promise<{result}>;"))
        for bound, rows in calls.items():
            self.line(f"\n/** Methods of {'a socket' if bound else 'the daemon'}; times are ms. */")
            self.line(f"export interface {'Socket' if bound else 'Daemon'}Calls {{")
            for text, call in rows:
                self.doc(text, "    ")
                self.line(f"    {call}")
            self.line("}")

    def rest(self):
        codes = " | ".join(f'"{e["code"]}"' for e in self.tables["errors"])
        self.line(f"\n/** Codes of errors. */\nexport type ErrorCode = {codes};")
        self.line("\n/** What each code of an error says. */\nexport const ERRORS: Readonly<Record<ErrorCode, string>>;")
        self.line("\n/** Payload protocol identifiers by name. */\nexport const PPIDS: {")
        for p in self.tables["ppids"]:
            self.line(f"    readonly {json.dumps(p['name'])}: {p['number']};")
        self.line("};")

    def all(self):
        self.line(SAID + 'import { Arriving, Bytes, Endpoint, Happening } from "./records";')
        self.events()
        self.options()
        self.methods()
        self.rest()
        return "\n".join(self.out) + "\n"


def main(folder):
    tables = json.load(sys.stdin)
    for name, text in ("tables.js", program(tables)), ("tables.d.ts", Types(tables).all()):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)


main(*sys.argv[1:])
