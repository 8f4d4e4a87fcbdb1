// SPDX-License-Identifier: BSD-2-Clause
// The connection to the daemon.
//
// One connection serves the whole program. Each request has its own answer, each socket its own queue, and each
// association its own gate, so nobody waits behind another.
"use strict";

const { EventEmitter } = require("node:events");
const net = require("node:net");
const { performance } = require("node:perf_hooks");
const { setTimeout: sleep } = require("node:timers/promises");
const { callsOf } = require("./calls.js");
const { Deque } = require("./deque.js");
const { LostError, SctpdError } = require("./errors.js");
const { packedOptions, toWire, withBuffers } = require("./events.js");
const { Gates } = require("./gate.js");
const { Group } = require("./group.js");
const { EventQueue } = require("./queue.js");
const { OVER, Session, UP } = require("./session.js");
const { Attached, Socket } = require("./socket.js");

const DEFAULT_PATH = "/run/sctpd/sctpd.sock";
const WRITE_BYTES = 256 << 10;
const KEPT_BYTES = 16 << 20; // requests that are not answered; more wait
const ACK_PAUSE = 20; // ms that an acknowledgement may wait for more
const FIRST_PAUSE = 5, LAST_PAUSE = 500; // ms between two attempts to come back
const LAST_WORDS = 1000; // ms that close waits for what was not written
const LONGEST = 2 ** 31 - 1; // ms of a timer
const LOOSE_EVENTS = 1024; // of no socket, which nobody takes
// Events that are of no socket of ours, though they may name one.
const UNBOUND = new Set(["watch", "tap", "owner", "left", "error", "overrun"]);
const OF_GROUPS = new Set(["assigned", "unassigned", "left"]);

function dial(path) {
    return new Promise((resolve, reject) => {
        const pipe = net.connect({ path });
        pipe.once("error", reject);
        pipe.once("connect", () => {
            pipe.off("error", reject);
            resolve(pipe);
        });
    });
}

// A promise that somebody else settles.
function promised() {
    let resolve;
    const promise = new Promise((settle) => (resolve = settle));
    return { promise, resolve };
}

// Whether that was settled in time.
async function within(ms, promise) {
    if (ms === Infinity) return promise.then(() => true);
    const timer = new AbortController();
    const late = sleep(Math.min(Math.max(0, ms), LONGEST), false, { signal: timer.signal }).catch(() => false);
    try {
        return await Promise.race([promise.then(() => true), late]);
    } finally {
        timer.abort();
    }
}

// A connection to sctpd: see connect. It emits "gone", "back" and "over".
class Daemon extends callsOf("daemon", EventEmitter) {
    dropped = 0; // events of no socket that nobody took

    _sockets = new Map();
    _groups = new Map();
    _members = new Map(); // sockets of groups

    #patience;
    #pipe = null;
    #why = ""; // the connection broke
    #others = new EventQueue(this);
    #gates;
    #room = new Deque();
    #flushing = false;
    #writing = false;
    #ackTimer = undefined;
    #greeted = null; // hello is answered, or will not be
    #ready = promised(); // the same, the first time
    #refused = null; // why not
    #ended = promised(); // it is over for good
    #returning = false;

    constructor(path, session, patience, byHand) {
        super();
        this.path = path;
        this.#patience = patience;
        this.#gates = new Gates(session);
        this._session = session;
        this._byHand = byHand;
        session.onEvent = (name, fields, size) => this.#event(name, fields, size);
        session.onUp = () => {
            this.#greeted.resolve();
            this.#ready.resolve();
        };
    }

    // ---- what it is ---------------------------------------------------

    // Number of this client, as give of another one takes it.
    get client() {
        return this._session.hello.client ?? 0;
    }

    // What this daemon and its stack can do.
    get features() {
        return [...(this._session.hello.features ?? [])];
    }

    get limits() {
        return { ...this._session.hello.limits };
    }

    get stack() {
        return this._session.hello.stack ?? "";
    }

    // For a later program that takes over the session: connect({ token, seq }). Keep it secret.
    get token() {
        return this._session.token;
    }

    // Number up to which all events are handled.
    get seq() {
        return this._session.mark()[0];
    }

    // ---- the connection -----------------------------------------------

    // Connect for the first time.
    async _begin(timeout) {
        const end = performance.now() + timeout;
        for (;;) {
            try {
                this.#adopt(await dial(this.path));
                break;
            } catch (why) {
                // Where many connect at a time the system says EAGAIN.
                if (why.code !== "EAGAIN" || performance.now() >= end) throw unreachable(this.path, why);
                await sleep(FIRST_PAUSE);
            }
        }
        const in_time = await within(end - performance.now(), this.#ready.promise);
        if (this._session.phase === UP) return this;
        const why = in_time ? this.#refused ?? this._session.error
            : new SctpdError(`timeout: sctpd at ${this.path} did not answer within ${timeout} ms`);
        this.#over(new LostError("lost: the connection was not made"));
        throw why;
    }

    // There is a connection.
    #adopt(pipe) {
        this.#greeted = promised();
        this.#pipe = pipe;
        this.#writing = false;
        this.#why = "the connection to sctpd ended";
        pipe.on("data", (bytes) => pipe === this.#pipe && this.#readable(bytes));
        pipe.on("error", (why) => (this.#why = `the connection to sctpd ended: ${why.message}`));
        pipe.on("close", () => pipe === this.#pipe && this.#broken());
        this._session.greet();
        this.#flush();
    }

    #hangUp() {
        const pipe = this.#pipe;
        this.#pipe = null;
        pipe?.destroy();
    }

    #readable(bytes) {
        try {
            this._session.feed(bytes);
        } catch (why) {
            if (!(why instanceof SctpdError)) throw why;
            if (!(why instanceof LostError)) this.#refused = why;
            this.#over(why instanceof LostError ? why : new LostError(`lost: ${why.message}`));
        }
        if (this._session.ackIsDue) this._session.ack();
        this.#flushSoon();
    }

    // The connection is gone. It comes back if there is a session that may.
    #broken() {
        const session = this._session;
        this.#hangUp();
        session.breakOff();
        const greeted = this.#greeted;
        const wasThere = Boolean(session.hello.features); // a daemon that dies before there is a session is waited for as well
        if (!session.resumable || (wasThere && !(session.token && session.survives))) {
            this.#over(new LostError(`lost: ${this.#why}`));
        } else if (!this.#returning) {
            this.#returning = true;
            const had = wasThere || Boolean(session.token);
            if (had) this.#tell("gone");
            this.#comeBack(had);
        }
        greeted.resolve(); // who waits for that goes on
    }

    async #comeBack(had) {
        const end = performance.now() + this.#patience;
        for (let pause = FIRST_PAUSE; this._session.phase !== OVER; pause = Math.min(2 * pause, LAST_PAUSE)) {
            if (await this.#isBack(end)) break;
            if (performance.now() >= end)
                this.#over(new LostError(`lost: ${this.#why}, and it did not come back within ${this.#patience} ms`));
            else await within(pause, this.#ended.promise);
        }
        this.#returning = false;
        if (this._session.phase === UP && had) this.#tell("back");
    }

    // Try to connect again. Whether that is settled.
    async #isBack(end) {
        const pipe = await dial(this.path).catch(() => null);
        if (this._session.phase === OVER) pipe?.destroy();
        if (pipe === null || this._session.phase === OVER) return this._session.phase === OVER;
        this.#adopt(pipe);
        await within(end - performance.now(), this.#greeted.promise);
        if (this._session.phase === UP || this._session.phase === OVER) return true;
        this.#hangUp();
        this._session.breakOff();
        return false;
    }

    // It is over for good; end is what readers get.
    #over(why, end = why) {
        const session = this._session;
        if (session.phase === OVER) return;
        const had = session.resumable && session.token;
        this.#hangUp();
        session.end(why);
        this.#greeted?.resolve();
        this.#ready.resolve();
        this.#ended.resolve();
        for (const group of this._groups.values()) group._discard(); // other members get what was not handled
        for (const queue of this.#queues()) queue._finish(end);
        this.#gates.openAll();
        this.#makeRoom();
        clearTimeout(this.#ackTimer);
        if (had) this.#tell("over");
    }

    #queues() {
        return [...this._sockets.values(), ...this._groups.values(), this.#others];
    }

    // What a listener throws must not end what we do.
    #tell(change) {
        process.nextTick(() => this.emit(change));
    }

    // ---- out ----------------------------------------------------------

    #flushSoon() {
        if (this.#flushing || this.#writing || this.#pipe === null || !this._session.writes) return;
        this.#flushing = true;
        process.nextTick(() => {
            this.#flushing = false;
            this.#flush();
        });
    }

    // One piece at a time, so that an acknowledgement waits for that only.
    #flush() {
        const pipe = this.#pipe;
        if (pipe === null || this.#writing) return;
        const bytes = this._session.nextBytes(WRITE_BYTES);
        if (bytes === null) return;
        this.#writing = true;
        pipe.write(bytes, (why) => {
            if (why || pipe !== this.#pipe) return; // "close" says the same, after what came before
            this.#writing = false;
            this._session.written(bytes.length);
            this.#makeRoom();
            this.#flush();
        });
    }

    get #isFull() {
        return this._session.kept_bytes > KEPT_BYTES || this._session.out_bytes > KEPT_BYTES;
    }

    #makeRoom() {
        while (this.#room.length && !this.#isFull) this.#room.shift()();
    }

    async #hasRoom() {
        while (this.#isFull) await new Promise((resolve) => this.#room.push(resolve));
    }

    // answer is called with (error, result), once, and not before this is over: an answer may let others ask.
    _ask(method, args, answer) {
        try {
            this._session.request(method, args, (why, result) => {
                this.#makeRoom();
                answer(why, result);
            });
            this.#flushSoon();
        } catch (why) {
            process.nextTick(answer, refusal(why), null);
        }
    }

    // Any method of the daemon, by its name in the reference. What is undefined is not given.
    async call(method, args = {}) {
        return this.#call(method, args, () => {});
    }

    // made sees the answer before any message that came after it.
    async #call(method, args, made) {
        if (this.#isFull) await this.#hasRoom();
        return new Promise((resolve, reject) => {
            this._ask(method, toWire(args), (why, result) => {
                if (why) {
                    reject(why);
                } else {
                    made(withBuffers(result));
                    resolve(result);
                }
            });
        });
    }

    // The same without an answer. If it fails, an event says so: error of events(), or sctp_send_failed of the socket.
    async notify(method, args = {}) {
        if (this.#isFull) await this.#hasRoom();
        try {
            this._session.notify(method, toWire(args));
        } catch (why) {
            throw refusal(why);
        }
        this.#flushSoon();
    }

    // A message, when there is room for it among those of its association. Whether that is now.
    _send(socket, assoc_id, size, method, message, done) {
        const gate = this.#gates.of(socket.number, assoc_id);
        message.sock = socket.number;
        return gate.enter(size, () => {
            this._ask(method, message, (why, result) => {
                if (gate.leave(size)) process.nextTick(() => socket.emit("drain", assoc_id));
                done(why, result);
            });
        });
    }

    // ---- in -----------------------------------------------------------

    #event(name, fields, size) {
        const number = fields.sock ?? 0;
        let group = this._members.get(number);
        if (group === undefined && OF_GROUPS.has(name)) group = this.#group(fields.group ?? "");
        if (group !== undefined) {
            group._push(name, fields, size);
        } else if (UNBOUND.has(name) || number === 0 || (name === "supervised" && !this._sockets.has(number))) {
            if (name === "owner") this.#owner(number, fields.owner);
            this.#loose(name, fields, size);
        } else {
            this._make(number)._push(name, fields, size);
        }
    }

    // A socket is ours now; or, while the session was away, another client took it over with all that was not handled.
    #owner(number, owner) {
        if (owner === this.client) {
            this._make(number);
            return;
        }
        const gone = this._sockets.get(number);
        gone?._discard();
        gone?._ended("another client has taken over the socket");
    }

    #loose(name, fields, size) {
        this.#others._push(name, fields, size);
        if (this.#others._waiting.length <= LOOSE_EVENTS) return;
        this.#others._drop();
        this.dropped++;
    }

    // Events of no socket: owner (a socket was given to this program), error (a notification failed), watch. If nobody
    // takes them, the oldest are dropped, and dropped counts them.
    events() {
        return this.#others;
    }

    // With acknowledge: "by hand": the program has handled this event, in whatever order.
    handled(event) {
        this._session.handled(event.seq);
        this._ackSoon();
    }

    _ackSoon() {
        if (!this._session.resumable || this._session.phase === OVER) return;
        if (this._session.ackIsDue) {
            this._session.ack();
            this.#flushSoon();
            return;
        }
        this.#ackTimer ??= setTimeout(() => {
            this.#ackTimer = undefined;
            this._session.ack();
            this.#flushSoon();
        }, ACK_PAUSE);
    }

    // ---- sockets ------------------------------------------------------

    _make(number) {
        let socket = this._sockets.get(number);
        if (socket === undefined) this._sockets.set(number, (socket = new Socket(this, number)));
        return socket;
    }

    // Open a socket. Without arguments it is one-to-many, on any address and a free port. type: "seqpacket" (one-to-many)
    // or "stream" (one-to-one). With bind: false it is unbound; the answer of bind has its port. What is no argument is
    // an option.
    async open({ ip, port, type, family, bind, ...options } = {}) {
        let made;
        await this.#call("open", { ip, port, type, family, bind, options: packedOptions(options) }, (result) => {
            made = this._make(result.sock);
            made.port = result.port ?? 0;
            made._paced = options.active === undefined;
        });
        return made;
    }

    // A socket that exists: of a session that was resumed, of the event owner, or another client's.
    socket(number) {
        return this._make(number);
    }

    // Become the owner of a socket that is held because its owner is gone.
    async adopt({ sock, resume }) {
        await this.call("adopt", { sock, resume });
        return this._make(sock);
    }

    // Become the owner of a supervised association's socket.
    async attach({ name, take, ...options }) {
        let attached;
        await this.#call("attach", { name, take, options: packedOptions(options) }, (state) => {
            attached = new Attached(this, state.sock);
            Object.assign(attached, { name, state, assoc_id: state.assoc_id ?? 0, _paced: options.active === undefined });
            attached._inherit(this._sockets.get(state.sock)); // events may have come before the answer
            this._sockets.set(state.sock, attached);
        });
        return attached;
    }

    // Become a member of a group.
    async join({ name, priority }) {
        const group = this.#group(name); // it may be given sockets before the answer
        try {
            await this.#call("join", { name, priority }, ({ sock, members }) => {
                Object.assign(group, { number: sock, members, _socket: new Socket(this, sock) });
                this._members.set(sock, group);
            });
        } catch (why) {
            this._groups.delete(name);
            throw why;
        }
        return group;
    }

    #group(name) {
        let group = this._groups.get(name);
        if (group === undefined) this._groups.set(name, (group = new Group(this, name)));
        return group;
    }

    // ---- the end ------------------------------------------------------

    // End the connection, and with it the sockets that on_owner_exit does not hold.
    async close() {
        for (const queue of this.#queues()) queue._handled();
        if (this._session.phase === UP) await this.#lastWords();
        this._session.resumable = false; // nobody need be told
        const text = "the program has closed the connection";
        this.#over(new LostError(`lost: ${text}`), new SctpdError(`closed: ${text}`));
    }

    // What was not written yet arrives, if the daemon reads.
    async #lastWords() {
        const session = this._session;
        session.ack();
        if (!session.writes && !session.loose.length) return;
        const said = new Promise((resolve) => session.confirm(resolve));
        this.#flushSoon();
        await within(LAST_WORDS, said);
    }
}

// Connect to the daemon: const d = await connect(). See index.d.ts for the options.
async function connect({ path, name, session = true, patience = 30000, token = "", seq = 0, acknowledge = "in order",
    timeout = 30000 } = {}) {
    if (acknowledge !== "in order" && acknowledge !== "by hand")
        throw new SctpdError('badarg: acknowledge is "in order" or "by hand"');
    const where = path ?? (process.env.SCTPD_SOCKET || DEFAULT_PATH);
    return new Daemon(where, new Session(session, name, token, seq), patience, acknowledge === "by hand")._begin(timeout);
}

// What cannot be packed is the program's mistake.
function refusal(why) {
    return why instanceof SctpdError ? why : new SctpdError(`badarg: ${why.message}`);
}

function unreachable(path, why) {
    const code = (why.code ?? "eio").toLowerCase();
    if (code === "enoent" || code === "econnrefused")
        return new SctpdError(`${code}: no sctpd listens at ${path}; start it, or set SCTPD_SOCKET to the path of its socket`);
    if (code === "eacces")
        return new SctpdError(`eacces: the permissions of ${path} do not admit this program; add its user to the group sctp`);
    return new SctpdError(`${code}: cannot connect to ${path}: ${why.message}`);
}

module.exports = { Daemon, connect };
