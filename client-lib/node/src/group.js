// SPDX-License-Identifier: BSD-2-Clause
// Groups of programs that own a socket together.
"use strict";

const { SctpdError } = require("./errors.js");
const { EventQueue } = require("./queue.js");

// What this program has of a group's socket: the events of all its sockets, and assigned and unassigned, which say what
// comes and goes. event.sock is the socket.
class Group extends EventQueue {
    constructor(daemon, name) {
        super(daemon);
        this.name = name;
        this.number = 0; // the group's socket, on which every member may send by assoc_id
        this.members = 0;
        this.has = new Map(); // sockets that it has, and their associations
        this._socket = null; // the group's socket, to send on
    }

    // Send on an association of the group's socket, whoever has it.
    send(data, info) {
        return this._socket.send(data, info);
    }

    // Be given nothing new, and lose what there is once it is acknowledged. Then leave.
    drain({ on = true } = {}) {
        return this._daemon.drainMember({ name: this.name, on });
    }

    // Leave. Others get what was not handled.
    async leave() {
        this._handled();
        this._daemon._session.ack();
        await this._daemon.call("leave", { name: this.name });
        this._discard();
        this.#gone();
        this.has.clear();
    }

    // ---- for the connection -------------------------------------------

    _push(name, fields, size) {
        if (name === "assigned") {
            this.has.set(fields.sock, fields.assoc_id ?? 0);
            this._daemon._members.set(fields.sock, this);
        } else if (name === "unassigned" || name === "sctp_closed") {
            this.has.delete(fields.sock);
            this._daemon._members.delete(fields.sock);
        }
        if (fields.seq) this._daemon._session.pin(fields.seq);
        if (name === "left" && !fields.ended) {
            this._discard(); // other members get what was not handled
            this.has.clear();
        }
        super._push(name, fields, size);
        if (name === "left") this.#gone();
    }

    // When the group has ended, its sockets are this program's: Daemon.socket gives those in has.
    #gone() {
        for (const number of [...this.has.keys(), this.number]) this._daemon._members.delete(number);
        this._daemon._groups.delete(this.name);
        this._finish(new SctpdError("closed: this program is no member of the group"));
    }
}

module.exports = { Group };
