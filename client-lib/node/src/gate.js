// SPDX-License-Identifier: BSD-2-Clause
// Messages that wait for others of their association.
//
// They wait here, not in the daemon, once a share of what it lets one client have waiting is under way. So it goes on to
// read what others send.
"use strict";

const { Deque } = require("./deque.js");
const { CLIENT_QUEUE } = require("./session.js");

const MESSAGE = 64; // bytes of a request beside its data

class Gates {
    #session;
    #gates = new Map();

    constructor(session) {
        this.#session = session;
    }

    // That of an association.
    of(sock, assoc_id) {
        const key = `${sock}/${assoc_id}`;
        let gate = this.#gates.get(key);
        if (gate === undefined) this.#gates.set(key, (gate = new Gate(this, key)));
        return gate;
    }

    // Bytes of each that may be under way.
    get share() {
        const queue = this.#session.hello.limits?.client_queue ?? CLIENT_QUEUE;
        return Math.max(1, queue / 2 / this.#gates.size);
    }

    close(key) {
        this.#gates.delete(key);
    }

    // Those that wait find out by themselves that it is over.
    openAll() {
        for (const gate of [...this.#gates.values()]) gate.openAll();
    }
}

class Gate {
    #gates;
    #key;
    #size = 0;
    #waiting = new Deque();

    constructor(gates, key) {
        this.#gates = gates;
        this.#key = key;
    }

    // Calls pass as soon as a message of so many bytes may go. Whether that was at once.
    enter(size, pass) {
        if (this.#waiting.length || !this.#fits(size)) {
            this.#waiting.push({ size, pass });
            return false;
        }
        this.#size += size + MESSAGE;
        pass();
        return true;
    }

    // One that passed is done. Whether nobody waits now who had to.
    leave(size) {
        const waited = this.#waiting.length > 0;
        this.#size -= size + MESSAGE;
        while (this.#waiting.length && this.#fits(this.#waiting.first.size)) this.#admit();
        if (this.#size === 0 && this.#waiting.length === 0) this.#gates.close(this.#key);
        return waited && this.#waiting.length === 0;
    }

    openAll() {
        while (this.#waiting.length) this.#admit();
    }

    #fits(size) {
        return this.#size === 0 || this.#size + size + MESSAGE <= this.#gates.share;
    }

    #admit() {
        const { size, pass } = this.#waiting.shift();
        this.#size += size + MESSAGE;
        pass();
    }
}

module.exports = { Gates };
