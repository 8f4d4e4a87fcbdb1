// SPDX-License-Identifier: BSD-2-Clause
// Events that wait for their reader.
//
// A program takes them one by one (recv, for await), or listens (on), as it would with a socket of node:net. An event
// is handled, and may be acknowledged, when the next one is given out or asked for; with a listener, when that returns.
// A message for which nobody listens is not taken: it waits for who does, or for a reader.
"use strict";

const { EventEmitter } = require("node:events");
const { Deque } = require("./deque.js");
const { LostError, SctpdError } = require("./errors.js");
const { SctpEvent } = require("./events.js");

// Who listens to these only does not take events.
const NOT_EVENTS = new Set(["close", "drain", "error", "newListener", "removeListener"]);
// What is not left out because nobody listens for it.
const MATTERS = new Set(["accept", "data"]);
const LONGEST = 2 ** 31 - 1; // ms of a timer

class EventQueue extends EventEmitter {
    _waiting = new Deque(); // {name, fields, size}; EventEmitter has an _events
    _bytes = 0;
    _end = null; // what comes after the last event
    _inHand = 0; // the number of the event that was given last

    #readers = new Deque(); // {resolve, reject}
    #paused = false;
    #pumping = false;
    #closed = false;

    constructor(daemon) {
        super();
        this._daemon = daemon;
        this.on("newListener", () => this.#pumpSoon());
    }

    // The next event. Rejects with "closed" after the last one, with "timeout" after so many ms, and with an AbortError.
    recv({ timeout, signal } = {}) {
        return new Promise((resolve, reject) => {
            signal?.throwIfAborted();
            this._handled();
            if (this.#readers.length === 0 && this._waiting.length) resolve(this.#take());
            else if (this._end) reject(this._end.again());
            else this.#wait({ resolve, reject }, timeout, signal);
        });
    }

    // Until the socket is closed. It is not closed by leaving the loop.
    [Symbol.asyncIterator]() {
        return { next: () => this.recv().then((value) => ({ value, done: false }), whyItEnds) };
    }

    // Give listeners no events until resume: the peer's window closes.
    pause() {
        this.#paused = true;
        return this;
    }

    resume() {
        this.#paused = false;
        this.#pumpSoon();
        return this;
    }

    isPaused() {
        return this.#paused;
    }

    // ---- for the connection -------------------------------------------

    _push(name, fields, size) {
        this._waiting.push({ name, fields, size });
        this._bytes += size;
        this.#serve();
    }

    _finish(why) {
        this._end ??= why;
        this.#serve();
        this.#pumpSoon();
    }

    // Somebody takes events.
    _wanted() {}

    // What was given last is handled.
    _handled() {
        if (!this._inHand) return;
        this._daemon._session.handled(this._inHand);
        this._inHand = 0;
        this._daemon._ackSoon();
    }

    // What waits is somebody else's by now, or nobody's.
    _discard() {
        this._handled();
        for (const { fields } of this._waiting) this._daemon._session.handled(fields.seq ?? 0);
        this._waiting.clear();
        this._bytes = 0;
        this._daemon._ackSoon();
    }

    // The oldest one, unread.
    _drop() {
        const { fields, size } = this._waiting.shift();
        this._bytes -= size;
        this._daemon._session.handled(fields.seq ?? 0);
    }

    // ---- readers ------------------------------------------------------

    #take() {
        this._handled();
        const { name, fields, size } = this._waiting.shift();
        this._bytes -= size;
        const event = new SctpEvent(name, fields);
        if (!this._daemon._byHand) this._inHand = event.seq ?? 0;
        this._wanted();
        if (this._end && this._waiting.length === 0) this.#pumpSoon();
        return event;
    }

    #wait(reader, timeout, signal) {
        const timer = timeout === undefined || timeout === Infinity ? undefined : setTimeout(() => {
            this.#readers.remove(reader);
            reader.done(new SctpdError("timeout: no event came in that time"));
        }, Math.min(timeout, LONGEST));
        const aborted = () => {
            this.#readers.remove(reader);
            reader.done(signal.reason);
        };
        reader.done = (why, event) => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", aborted);
            if (why) reader.reject(why);
            else reader.resolve(event);
        };
        signal?.addEventListener("abort", aborted);
        this.#readers.push(reader);
        this._wanted();
    }

    #serve() {
        while (this.#readers.length && this._waiting.length) this.#readers.shift().done(null, this.#take());
        while (this.#readers.length && this._end) this.#readers.shift().done(this._end.again());
        if (this._waiting.length && this.#listens) this.#pumpSoon();
    }

    // ---- listeners ----------------------------------------------------

    get #listens() {
        return this.eventNames().some((name) => !NOT_EVENTS.has(name));
    }

    #pumpSoon() {
        if (this.#pumping) return;
        this.#pumping = true;
        process.nextTick(() => {
            this.#pumping = false;
            this.#pump();
        });
    }

    #pump() {
        try {
            if (!this.#paused && this.#listens) this._wanted();
            while (!this.#paused && this.#isListenedFor(this._waiting.first?.name)) this.#tell(this.#take());
        } finally {
            if (!this.#paused && this.#isListenedFor(this._waiting.first?.name)) this.#pumpSoon(); // a listener threw
        }
        if (this._end && this._waiting.length === 0) this.#close();
    }

    // Or may be left out, as this program listens for others.
    #isListenedFor(name) {
        if (name === undefined) return false;
        if ((name !== "error" && this.listenerCount(name)) || this.listenerCount("event")) return true;
        return !MATTERS.has(name) && (this.listenerCount("data") > 0 || this.listenerCount("accept") > 0);
    }

    // The event error, that a notification failed, has not the name of what goes wrong here.
    #tell(event) {
        if (event.kind !== "error") this.emit(event.kind, event);
        this.emit("event", event);
        this._handled();
    }

    #close() {
        if (this.#closed) return;
        this.#closed = true;
        // A program that takes events one by one is told by that.
        if (this._end instanceof LostError && this.#listens) this.emit("error", this._end);
        this.emit("close");
    }
}

function whyItEnds(why) {
    if (why.code !== "closed") throw why;
    return { value: undefined, done: true };
}

module.exports = { EventQueue };
