// SPDX-License-Identifier: BSD-2-Clause
// The protocol, without input and output: bytes in, messages out. See the section Sessions of proto/README.md, which
// this follows step by step.
//
// Messages of the daemon have numbers in a session: an event carries its own, an answer has that of the message before
// it plus one. "at" counts them, and goes back when the daemon sends something again; "seq" is the highest that ever
// came, so what is not above it came before and is left out. "open" has the events that the program has not handled;
// what is before the first of them is acknowledged.
//
// Messages of ours are kept until they are certain to have arrived: a request until it is answered, a notification until
// a request after it is answered. When the session has been resumed, all that is kept is written again.
//
// An acknowledgement is written before all requests that wait, as it makes room for their answers.
//
// Why @msgpack/msgpack: it is MessagePack's own, of plain JavaScript, and needs nothing itself (msgpackr is faster, but
// brings native code, and makes an extension of undefined, which sctpd refuses). Its numbers are doubles: the integers
// of this protocol are at most 2^53, so none loses a digit. Bytes are views of what came; events.js makes Buffers of them.
"use strict";

const { Decoder, Encoder } = require("@msgpack/msgpack");
const { Deque } = require("./deque.js");
const { LostError, SctpdError, errorFrom } = require("./errors.js");
const { Framer } = require("./framer.js");

const PROTOCOL = 1;
const HELLO = 0xffffffff; // the msgid of hello, which no other request has: answers to an earlier program may come before
const LAST_ID = 0xfffffff0;
const LONGEST = (16 << 20) + (64 << 10); // bytes of a message to sctpd, with what is beside the data
const ACK_MESSAGES = 64;
const ACK_BYTES = 64 << 10;
const LOOSE_NOTES = 256; // notifications that may not have arrived
const LOOSE_BYTES = 1 << 20;
const AHEAD_BYTES = 16 << 20; // what the program has not handled; beyond it nothing is acknowledged early
const CLIENT_QUEUE = 1 << 20; // of a daemon that does not say

const AWAY = "away", GREETING = "greeting", UP = "up", OVER = "over";

function isMap(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstKey(map) {
    return map.keys().next().value;
}

// One connection after the other, with a session or without.
class Session {
    phase = AWAY;
    error = null;
    hello = {}; // what the daemon said of itself
    bytes = 0;
    kept_bytes = 0;
    out_bytes = 0;
    open = new Map(); // number of an event: bytes before it
    pinned = new Map(); // those of them that are never acknowledged early
    onEvent = () => {}; // (name, fields, size)
    onUp = () => {};
    loose = new Deque(); // {number, order, size} of notifications that are kept

    #acked_bytes = 0;
    #early = 0; // bytes that may be unacknowledged before events that are not handled are
    #waiting = new Map(); // by msgid: {order, answer}
    #kept = new Map(); // by msgid; notifications by their number, negated
    #loose_bytes = 0;
    #notes = 0;
    #order = 0;
    #msgid = 0;
    #confirming = false;
    #out = new Deque();
    #off = 0; // bytes of the first of them that are written
    #urgent = null; // an acknowledgement, to be written before what is not begun
    #leads = false; // #out begins with one of which nothing is written
    #encoder = new Encoder();
    #decoder = new Decoder();
    #framer = new Framer();

    constructor(resumable, name, token = "", seq = 0) {
        this.resumable = resumable;
        this.name = name;
        this.token = token;
        this.at = this.seq = this.acked = seq;
    }

    // ---- out ----------------------------------------------------------

    #write(packed) {
        this.#out.push(packed);
        this.out_bytes += packed.length;
    }

    #keep(key, packed) {
        this.#order++;
        if (this.resumable) {
            this.#kept.set(key, packed);
            this.kept_bytes += packed.length;
        }
        if (this.phase === UP) this.#write(packed);
    }

    #forget(key) {
        const packed = this.#kept.get(key);
        if (packed === undefined) return;
        this.#kept.delete(key);
        this.kept_bytes -= packed.length;
    }

    // One that sctpd takes: it would end the connection, and a session would say it again and again.
    #checked(message) {
        const packed = this.#encoder.encode(message);
        if (packed.length <= LONGEST) return packed;
        throw new SctpdError(`emsgsize: the request has ${packed.length} bytes; sctpd takes messages of up to 16 MiB`);
    }

    #nextId() {
        do this.#msgid = this.#msgid < LAST_ID ? this.#msgid + 1 : 1;
        while (this.#waiting.has(this.#msgid));
        return this.#msgid;
    }

    // Ask for something. answer is called with (error, result), once.
    request(method, args, answer) {
        if (this.error) throw this.error.again();
        const msgid = this.#nextId();
        const packed = this.#checked([0, msgid, method, [args]]);
        this.#waiting.set(msgid, { order: this.#order, answer });
        this.#keep(msgid, packed);
    }

    // Ask for something without an answer.
    notify(method, args) {
        if (this.error) throw this.error.again();
        const packed = this.#checked([2, method, [args]]);
        if (this.resumable) {
            this.#notes++;
            this.loose.push({ number: this.#notes, order: this.#order, size: packed.length });
            this.#loose_bytes += packed.length;
        }
        this.#keep(-this.#notes, packed);
        if ((this.loose.length >= LOOSE_NOTES || this.#loose_bytes >= LOOSE_BYTES) && !this.#confirming) this.confirm();
    }

    // Ask for an answer, by which it is known that all before has arrived.
    confirm(then = () => {}) {
        this.#confirming = true;
        const confirmed = () => {
            this.#confirming = false;
            then();
        };
        if (this.resumable) this.request("ack", { seq: this.acked }, confirmed);
        else this.request("error_string", { error: 0 }, confirmed);
    }

    // Is there anything to write?
    get writes() {
        return this.#out.length > 0 || this.#urgent !== null;
    }

    // What to write now.
    nextBytes(most) {
        if (this.#urgent && this.#off === 0) this.#lead();
        const first = this.#out.first;
        if (first === undefined) return null;
        if (this.#off || first.length >= most) return first.subarray(this.#off, this.#off + most);
        if (this.#out.length === 1) return first;
        const parts = [];
        let size = 0;
        for (const packed of this.#out) {
            parts.push(packed);
            size += packed.length;
            if (size >= most) break;
        }
        return Buffer.concat(parts, size);
    }

    #lead() {
        if (this.#leads) this.out_bytes -= this.#out.shift().length; // it says less than the later one
        this.#out.unshift(this.#urgent);
        this.out_bytes += this.#urgent.length;
        this.#urgent = null;
        this.#leads = true;
    }

    // So many bytes of that were written.
    written(n) {
        this.#leads = this.#leads && n === 0;
        this.out_bytes -= n;
        n += this.#off;
        while (this.#out.length && n >= this.#out.first.length) n -= this.#out.shift().length;
        this.#off = n;
    }

    // ---- numbers ------------------------------------------------------

    // The program has handled this event.
    handled(seq) {
        this.open.delete(seq);
        this.pinned.delete(seq);
    }

    // This event belongs to us alone only until we acknowledge it: never do so early.
    pin(seq) {
        if (this.open.has(seq)) this.pinned.set(seq, this.open.get(seq));
    }

    // What is before the first of these events: its number, and the bytes up to it.
    #before(events) {
        if (events.size === 0) return [this.seq, this.bytes];
        const number = firstKey(events);
        return [number - 1, events.get(number)];
    }

    // The number up to which all is handled, and the bytes up to it.
    mark() {
        const first = this.#before(this.open);
        const mark = first[0] > this.acked ? first : [this.acked, this.#acked_bytes];
        // The daemon sends nothing more while too much is not acknowledged. So that who reads slowly does not stop
        // the others, what is in our hands is acknowledged early.
        if (!this.#early || this.#early >= this.bytes - mark[1] || this.bytes - first[1] >= AHEAD_BYTES) return mark;
        const early = this.#before(this.pinned);
        return early[0] > mark[0] ? early : mark;
    }

    get ackIsDue() {
        if (!this.resumable || this.phase !== UP) return false;
        const [seq, bytes] = this.mark();
        return seq - this.acked >= ACK_MESSAGES || bytes - this.#acked_bytes >= ACK_BYTES;
    }

    // Say what is handled, if that is more than was said.
    ack() {
        if (!this.resumable || this.phase !== UP) return;
        const [seq, bytes] = this.mark();
        if (seq <= this.acked) return;
        this.acked = seq;
        this.#acked_bytes = bytes;
        this.#urgent = this.#encoder.encode([2, "ack", [{ seq }]]);
    }

    // ---- connections --------------------------------------------------

    // There is a connection: begin with hello, and say nothing else until it is answered.
    greet() {
        this.#framer = new Framer();
        this.#dropOut();
        this.phase = GREETING;
        const args = { protocol: PROTOCOL };
        if (this.name) args.name = this.name;
        if (this.token) {
            [this.acked, this.#acked_bytes] = this.mark();
            this.at = this.acked;
            Object.assign(args, { resume: this.token, seq: this.at });
        } else if (this.resumable) {
            args.resume = true;
        }
        this.#write(this.#encoder.encode([0, HELLO, "hello", [args]]));
    }

    #dropOut() {
        this.#out.clear();
        this.#off = this.out_bytes = 0;
        this.#urgent = null;
        this.#leads = false;
    }

    // Hello is answered.
    #welcome(error, result) {
        if (error !== null) {
            const why = errorFrom(error);
            throw this.token ? new LostError(`no_session: sctpd says: ${why.message}`) : why;
        }
        this.hello = result;
        if (this.resumable) this.#resumed(result);
        this.phase = UP;
        for (const packed of this.#kept.values()) this.#write(packed);
        this.onUp();
    }

    #resumed(result) {
        if (typeof result.resume !== "string" || !result.resume)
            throw new LostError("eproto: the answer of sctpd to hello has no token");
        this.token = result.resume;
        this.at = result.seq ?? this.at;
        this.seq = Math.max(this.seq, this.at);
        this.#early = (result.limits?.client_queue ?? CLIENT_QUEUE) / 2;
        while (this.loose.length && this.loose.first.number <= (result.notifications ?? 0)) this.#dropNote();
    }

    #dropNote() {
        const { number, size } = this.loose.shift();
        this.#loose_bytes -= size;
        this.#forget(-number);
    }

    get survives() {
        return (this.hello.features ?? []).includes("survive");
    }

    // The connection is gone; another one may follow.
    breakOff() {
        this.#dropOut();
        if (this.phase !== OVER) this.phase = AWAY;
    }

    // It is over: whoever waits for an answer gets this error.
    end(error) {
        this.phase = OVER;
        this.error = error;
        if (error.code === "superseded" || error.code === "no_session") this.token = "";
        this.#dropOut();
        this.#kept.clear();
        this.kept_bytes = 0;
        const waiting = [...this.#waiting.values()];
        this.#waiting.clear();
        for (const { answer } of waiting) answer(error.again(), null);
    }

    // ---- in -----------------------------------------------------------

    // Bytes came. Throws what ends the session, a LostError; or, before there is one, an SctpdError.
    feed(chunk) {
        for (const [message, size] of this.#messages(chunk)) {
            this.#message(message, size);
            if (this.phase === OVER) return;
        }
    }

    *#messages(chunk) {
        try {
            const [bytes, ends] = this.#framer.feed(chunk);
            let start = 0, i = 0;
            if (ends.length === 0) return;
            for (const message of this.#decoder.decodeMulti(bytes.subarray(0, ends[ends.length - 1]))) {
                yield [message, ends[i] - start];
                start = ends[i++];
            }
        } catch (why) {
            throw new LostError(`eproto: sctpd sent what is no message: ${why.message}`);
        }
    }

    #message(message, size) {
        const kind = Array.isArray(message) ? message[0] : null;
        if (kind === 2 && message.length === 3) {
            const fields = Array.isArray(message[2]) ? message[2][0] : undefined;
            this.#event(String(message[1]), isMap(fields) ? fields : {}, size);
        } else if (kind === 1 && message.length === 4) {
            this.#answer(message[1], message[2], isMap(message[3]) ? message[3] : {}, size);
        } else {
            throw new LostError("eproto: sctpd sent a message that is neither an answer nor an event");
        }
    }

    // Is this number a new one?
    #count(at, size) {
        this.at = at;
        if (at <= this.seq) return false;
        this.seq = at;
        this.bytes += size;
        return true;
    }

    #answer(msgid, error, result, size) {
        if (this.resumable) this.#count(this.at + 1, size);
        if (msgid === HELLO) {
            if (this.phase === GREETING) this.#welcome(error, result);
            return;
        }
        const asked = this.#waiting.get(msgid);
        if (asked === undefined) return; // it came once more, or nobody asked here
        this.#waiting.delete(msgid);
        this.#forget(msgid);
        while (this.loose.length && this.loose.first.order < asked.order) this.#dropNote();
        asked.answer(error === null ? null : errorFrom(error), result);
    }

    #event(name, fields, size) {
        if (name === "superseded") throw new LostError("superseded: another program has taken over the session");
        if (this.resumable) {
            const at = fields.seq ?? this.at + 1;
            if (!this.#count(at, size)) return; // it came before
            this.open.set(at, this.bytes - size);
        }
        this.onEvent(name, fields, size);
    }
}

module.exports = { Session, CLIENT_QUEUE, OVER, UP };
