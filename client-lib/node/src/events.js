// SPDX-License-Identifier: BSD-2-Clause
// Records as they are on the wire and in a program.
"use strict";

const { SctpdError } = require("./errors.js");
const { EVENTS } = require("./tables.js");

// Something happened: its fields are those of the reference, and kind is its name. A field that is absent because it is
// zero is there.
class SctpEvent {
    #raw;

    constructor(kind, raw) {
        this.#raw = withBuffers(raw);
        Object.assign(this, EVENTS[kind]?.absent, raw);
        this.kind = kind;
        const records = EVENTS[kind]?.records;
        for (const name in records) this[name] = { ...records[name], ...raw[name] };
        if (kind === "data") {
            // What one asks for most often may be had directly.
            const { assoc_id, stream, ppid } = this.sctp_sndrcvinfo;
            Object.assign(this, { assoc_id, stream, ppid });
        }
    }

    // All its fields as they came.
    get raw() {
        return this.#raw;
    }

    // A later daemon may have a field of that name; it is in there.
    set raw(value) {}
}

// The same value, in which bytes are Buffers.
function withBuffers(value) {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Uint8Array) return owned(value);
    for (const key in value) if (typeof value[key] === "object") value[key] = withBuffers(value[key]);
    return value;
}

// A Buffer of these bytes, which are a piece of what was read. If it is a small one it is copied, since it would keep
// all of that in memory.
function owned(bytes) {
    if (2 * bytes.length < bytes.buffer.byteLength) return Buffer.from(bytes);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

// A value as it is sent: what is undefined is not given.
function toWire(value) {
    if (typeof value === "bigint") return fromBigInt(value);
    if (value === Infinity) return "infinity"; // a time
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value;
    if (value instanceof Map) return toWire(Object.fromEntries(value));
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (Array.isArray(value) || value instanceof Set) return Array.from(value, toWire);
    const map = {};
    for (const key in value) if (value[key] !== undefined) map[key] = toWire(value[key]);
    return map;
}

function fromBigInt(value) {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
        throw new SctpdError(`badarg: ${value} is out of range; integers are at most 2^53`);
    return Number(value);
}

// Options in the order in which they are given, as setopts takes them.
function packedOptions(options) {
    return Object.entries(options).filter(([, value]) => value !== undefined).map(([name, value]) => [name, toWire(value)]);
}

module.exports = { SctpEvent, packedOptions, toWire, withBuffers };
