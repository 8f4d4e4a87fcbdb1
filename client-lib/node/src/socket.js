// SPDX-License-Identifier: BSD-2-Clause
// SCTP sockets.
//
// A socket is read in the mode that counts (active: N). The library allows the daemon a few events, and more when the
// program has taken some. A socket that is not read gets none: the daemon stops reading it, and the peer's window closes.
"use strict";

const { LostError, SctpdError } = require("./errors.js");
const { packedOptions, toWire } = require("./events.js");
const { EventQueue } = require("./queue.js");
const { MessageStream, MessageWriter } = require("./streams.js");
const { callsOf } = require("./calls.js");

const SOCKET_BYTES = 128 << 10; // what may wait here of one socket that is not read; two messages in any case
const MOST_EVENTS = 256;
const LONGEST = 2 ** 31 - 1; // ms of a timer
// Events that do not count against the mode of their socket.
const UNCOUNTED = new Set(["sctp_passive", "sctp_closed", "owner", "assigned", "unassigned", "supervised"]);

function bytesOf(data) {
    if (typeof data === "string") return Buffer.from(data);
    if (data instanceof Uint8Array) return data;
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    throw new SctpdError(`badarg: data: got ${data === null ? "null" : typeof data}; it takes a string, a Buffer or other bytes`);
}

// A message as send takes it. What stands beside stream and assoc_id is of sctp_sndrcvinfo.
function messageOf(data, { assoc_id, stream, ...info }) {
    const message = { data: bytesOf(data) }, where = {};
    if (assoc_id !== undefined) where.assoc_id = assoc_id;
    if (stream !== undefined) where.stream = stream;
    for (const name in info)
        if (info[name] !== undefined) return { ...message, sctp_sndrcvinfo: toWire({ ...info, ...where }) };
    return Object.assign(message, where);
}

// What the promise gives, unless the time is over or the signal comes before.
function before(promise, ms, signal) {
    return new Promise((resolve, reject) => {
        const done = (settle, value) => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", aborted);
            settle(value);
        };
        const late = () => done(reject, new SctpdError("timeout: no association came in that time"));
        const timer = ms === undefined ? undefined : setTimeout(late, Math.min(ms, LONGEST));
        const aborted = () => done(reject, signal.reason);
        signal?.addEventListener("abort", aborted);
        promise.then((value) => done(resolve, value));
    });
}

class Socket extends callsOf("socket", EventQueue) {
    _paced = true; // we set the mode
    _credit = 0; // events that the daemon may still send

    #size = SOCKET_BYTES / 4; // of an event, of late
    #accepting = null; // the accept that is asked for, or that nobody took

    constructor(daemon, number) {
        super(daemon);
        this.number = number;
        this.port = 0;
        this.peer = undefined;
        this.assoc_id = 0; // of a socket that has one association
    }

    get daemon() {
        return this._daemon;
    }

    // Any method, on this socket.
    call(method, args) {
        return this._daemon.call(method, { sock: this.number, ...args });
    }

    // ---- messages -----------------------------------------------------

    // Send a message, and wait until the stack has accepted it.
    send(data, info = {}) {
        return new Promise((resolve, reject) => {
            this._send(data, info, (why) => (why ? reject(why) : resolve()));
        });
    }

    // The same without waiting, as a socket of node:net has it: whether there is room for more. If there is none, go on
    // at "drain", which has the number of the association. A failure that no function is told is the event "error".
    write(data, info = {}, done = (why) => why && this.emit("error", why)) {
        if (typeof info === "function") return this.write(data, {}, info);
        return this._send(data, info, (why) => process.nextTick(done, why));
    }

    _send(data, info, done) {
        const message = messageOf(data, info);
        return this._daemon._send(this, info.assoc_id ?? 0, message.data.length, "send", message, done);
    }

    // Send up to 64 messages of one association with one request. The stack takes as many as it has room for, from the
    // first on: see taken and error of the result.
    sendMany(messages, { assoc_id, stream } = {}) {
        return new Promise((resolve, reject) => {
            const packed = Array.from(messages, (m) => {
                const { data, ...info } = m?.data === undefined ? { data: m } : m;
                return messageOf(data, { stream, ...info });
            });
            const size = packed.reduce((sum, m) => sum + m.data.length, 0);
            const args = assoc_id === undefined ? { messages: packed } : { messages: packed, assoc_id };
            this._daemon._send(this, assoc_id ?? 0, size, "send_many", args, (why, result) => (why ? reject(why) : resolve(result)));
        });
    }

    // A stream.Writable: each piece that is written to it is a message.
    writable(info = {}) {
        return new MessageWriter(this, info);
    }

    // A stream.Duplex of a socket that has one association: each piece is a message. It closes the socket.
    duplex(info = {}) {
        return new MessageStream(this, info);
    }

    // ---- associations -------------------------------------------------

    // Set up an association, and wait until it is up.
    async connect({ addr, port, timeout, ...options }) {
        try {
            return await this.call("connect", { addr, port, timeout, options: packedOptions(options) });
        } finally {
            if (this._credit > 0) this._credit--; // its result counted like an event
        }
    }

    // The next association of a listening socket of type stream, as a socket of its own.
    async accept({ timeout, signal } = {}) {
        signal?.throwIfAborted();
        // The daemon has one accept of a socket at a time. Callers share it, and it outlives one that gives up.
        const until = timeout === undefined ? Infinity : performance.now() + timeout;
        for (let left = timeout; ; left = until === Infinity ? undefined : Math.max(0, Math.ceil(until - performance.now()))) {
            const mine = this.#accepting === null;
            const asked = (this.#accepting ??= this.#askToAccept(left));
            const { why, result } = await before(asked, mine ? undefined : left, signal);
            const isFirst = this.#accepting === asked;
            if (isFirst) this.#accepting = null;
            if (why && mine) throw why;
            if (why || !isFirst) continue;
            const made = this._daemon._make(result.accepted);
            made.peer = result.from;
            made.assoc_id = result.assoc_id;
            return made;
        }
    }

    #askToAccept(timeout) {
        return new Promise((resolve) => {
            const args = timeout === undefined ? { sock: this.number } : { sock: this.number, timeout };
            this._daemon._ask("accept", args, (why, result) => resolve({ why, result }));
        });
    }

    // Make an association a socket of its own.
    async peeloff({ assoc_id }) {
        const { sock } = await this.call("peeloff", { assoc_id });
        const made = this._daemon._make(sock);
        made.assoc_id = assoc_id;
        return made;
    }

    // Make the socket that of a group, which takes what was not handled.
    group(args) {
        this._handled();
        this._daemon._session.ack();
        return super.group(args);
    }

    // ---- options ------------------------------------------------------

    // Set options, in the order in which they are given.
    async setopts(options) {
        if (options.active !== undefined) this._paced = false;
        await this.call("setopts", { options: packedOptions(options) });
    }

    // Read an option. which: assoc_id or address, where it is that of an association or a path.
    async getopt(name, which) {
        const answer = await this.call("getopts", { options: [which ? [name, toWire(which)] : name] });
        return answer.options[0][1];
    }

    // Read several.
    async getopts(...names) {
        return Object.fromEntries((await this.call("getopts", { options: names })).options);
    }

    // ---- the end ------------------------------------------------------

    // Close the socket. Messages that were sent still arrive.
    async close() {
        if (this._end === null) {
            await this.call("close").catch((why) => {
                if (why.code !== "closed") throw why;
            });
        }
        // Nobody takes what an accept that was given up brought.
        this.#accepting?.then(({ why, result }) => {
            if (!why) this._daemon._ask("close", { sock: result.accepted }, () => {});
        });
        this._discard();
        this._ended("the program closed the socket");
    }

    // Give the socket to another client, with everything that was not handled.
    async give({ client }) {
        this._handled();
        const session = this._daemon._session;
        const first = this._waiting.length ? this._waiting.first.fields.seq : undefined;
        const before = first === undefined ? session.seq : first - 1;
        // An acknowledgement goes up to a number, or what was handled would come twice.
        for (const seq of [...session.open.keys()]) if (seq <= before) session.handled(seq);
        session.ack();
        await this.call("controlling_process", { client });
        this._discard();
        this._ended("the socket was given away");
    }

    // ---- for the connection -------------------------------------------

    _push(name, fields, size) {
        if (name === "sctp_passive" && this._paced) {
            this._daemon._session.handled(fields.seq ?? 0);
            return;
        }
        if (name === "sctp_closed") {
            this._daemon._session.handled(fields.seq ?? 0);
            this._ended(fields.reason || "the socket was closed");
            return;
        }
        if (!UNCOUNTED.has(name) && !(name === "sctp_send_failed" && fields.reason)) this._credit--;
        this.#size = Math.max(size, this.#size - (this.#size >> 3));
        super._push(name, fields, size);
    }

    // What came of the same socket before it was known to be this one's.
    _inherit(early) {
        if (early === undefined) return;
        this._waiting = early._waiting;
        this._bytes = early._bytes;
        this._credit = early._credit;
    }

    _ended(text) {
        this._daemon._sockets.delete(this.number);
        this._finish(new SctpdError(text.startsWith("closed") ? text : `closed: ${text}`, "closed"));
    }

    _wanted() {
        if (!this._paced || this._end) return;
        const window = Math.min(MOST_EVENTS, Math.max(2, Math.floor(SOCKET_BYTES / this.#size)));
        const have = Math.max(0, this._credit) + this._waiting.length;
        if (have * 2 > window) return;
        this._credit += window - have;
        this._daemon._ask("setopts", { sock: this.number, options: { active: window - have } }, (why) => {
            if (why && !(why instanceof LostError)) this._finish(why);
        });
    }
}

// The socket of a supervised association that this program is attached to.
class Attached extends Socket {
    name = "";
    state = {}; // what attach answered

    // Give it back. The association stays.
    async detach() {
        this._handled();
        await this._daemon.call("detach", { name: this.name });
        this._discard();
        this._ended("detached");
    }

    // The same: the socket itself is the daemon's.
    async close() {
        if (this._end === null) await this.detach();
    }
}

module.exports = { Attached, Socket };
