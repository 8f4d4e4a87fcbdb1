// SPDX-License-Identifier: BSD-2-Clause
"use strict";

// A queue. An array's shift() moves all that is behind it once there are many.
class Deque {
    #items = [];
    #head = 0;

    get length() {
        return this.#items.length - this.#head;
    }

    get first() {
        return this.#items[this.#head];
    }

    push(item) {
        this.#items.push(item);
    }

    unshift(item) {
        if (this.#head === 0) this.#items.unshift(item);
        else this.#items[--this.#head] = item;
    }

    shift() {
        const item = this.first;
        if (this.length === 0) return undefined;
        this.#items[this.#head++] = undefined;
        if (this.#head * 2 > this.#items.length) {
            this.#items.splice(0, this.#head);
            this.#head = 0;
        }
        return item;
    }

    remove(item) {
        const at = this.#items.indexOf(item, this.#head);
        if (at >= 0) this.#items.splice(at, 1);
    }

    clear() {
        this.#items = [];
        this.#head = 0;
    }

    *[Symbol.iterator]() {
        for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i];
    }
}

module.exports = { Deque };
