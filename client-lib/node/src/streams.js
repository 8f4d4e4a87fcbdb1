// SPDX-License-Identifier: BSD-2-Clause
// Streams of node:stream: each piece is a message.
"use strict";

const { Duplex, Writable } = require("node:stream");
const { SctpdError } = require("./errors.js");

const AHEAD = 4; // messages that are read before they are asked for

// How a piece is written: the next one comes when there is room for it, and the last one when all were accepted.
class Outgoing {
    #stream;
    #socket;
    #info;
    #under_way = 0;
    #whenDone = null;

    constructor(stream, socket, info) {
        this.#stream = stream;
        this.#socket = socket;
        this.#info = info;
    }

    write(data, next) {
        this.#under_way++;
        let at_once = false;
        at_once = this.#socket.write(data, this.#info, (why) => {
            this.#under_way--;
            if (!at_once) next(why);
            else if (why) this.#stream.destroy(why);
            if (this.#under_way === 0) this.#whenDone?.();
        });
        if (at_once) next();
    }

    whenAccepted(done) {
        if (this.#under_way === 0) done();
        else this.#whenDone = done;
    }
}

class MessageWriter extends Writable {
    #out;

    constructor(socket, info) {
        super({ decodeStrings: true });
        this.#out = new Outgoing(this, socket, info);
    }

    _write(data, encoding, next) {
        this.#out.write(data, next);
    }

    _final(done) {
        this.#out.whenAccepted(done);
    }
}

// The whole of an association that has a socket of its own. What the stream has read ahead counts as handled.
class MessageStream extends Duplex {
    #socket;
    #out;
    #reading = false;

    constructor(socket, info) {
        super({ readableObjectMode: true, readableHighWaterMark: AHEAD, decodeStrings: true });
        this.#socket = socket;
        this.#out = new Outgoing(this, socket, info);
    }

    _write(data, encoding, next) {
        this.#out.write(data, next);
    }

    _final(done) {
        this.#out.whenAccepted(() => {
            this.#socket.eof().then(() => done(), (why) => done(isOver(why) ? null : why));
        });
    }

    _read() {
        if (this.#reading) return;
        this.#reading = true;
        this.#pull().then(() => (this.#reading = false), (why) => {
            if (why.code === "closed") this.push(null);
            else this.destroy(why);
        });
    }

    async #pull() {
        for (;;) {
            const event = await this.#socket.recv();
            if (event.kind === "data" && !this.push(event.data)) return;
            if (event.kind === "sctp_assoc_change" && event.state === "shutdown_comp") return void this.push(null);
            if (event.kind === "sctp_assoc_change" && event.state === "comm_lost")
                throw new SctpdError("closed: the association was lost", "comm_lost");
        }
    }

    _destroy(why, done) {
        this.#socket.close().then(() => done(why), (other) => done(why ?? (isOver(other) ? null : other)));
    }
}

// The other side was faster.
function isOver(why) {
    return why.code === "closed" || why.code === "epipe" || why.code === "lost";
}

module.exports = { MessageStream, MessageWriter };
