// SPDX-License-Identifier: BSD-2-Clause
// Where messages end. MessagePack-RPC has no framing of its own, and what MessagePack libraries have for streams begins
// a message again, or copies all of it, whenever a piece has come: 16 MiB in pieces of 64 KiB would be copied 128 times.
// So the heads of values are looked at here, once each, and the library is given whole messages.
"use strict";

const LARGEST = 2 ** 29; // bytes of a message

// By the first byte of a value: the bytes of the count behind it, or, where there is none, of what follows it; whether
// that is a number of values, and how many for each; and what a count leaves out.
const COUNT = new Uint8Array(256), BODY = new Uint8Array(256), VALUES = new Uint8Array(256), MORE = new Uint8Array(256);
const WRONG = 0xc1; // no value begins with it

function learn() {
    for (let b = 0x80; b < 0xc0; b++) {
        BODY[b] = b < 0xa0 ? b & 0x0f : b & 0x1f;
        VALUES[b] = b < 0x90 ? 2 : b < 0xa0 ? 1 : 0;
    }
    for (const [b, count, values] of [[0xc4, 1, 0], [0xc5, 2, 0], [0xc6, 4, 0], [0xd9, 1, 0], [0xda, 2, 0], [0xdb, 4, 0],
        [0xdc, 2, 1], [0xdd, 4, 1], [0xde, 2, 2], [0xdf, 4, 2], [0xc7, 1, 0], [0xc8, 2, 0], [0xc9, 4, 0]]) {
        COUNT[b] = count;
        VALUES[b] = values;
    }
    for (const b of [0xc7, 0xc8, 0xc9]) MORE[b] = 1; // the type of an extension
    for (const [b, size] of [[0xca, 4], [0xcb, 8], [0xcc, 1], [0xcd, 2], [0xce, 4], [0xcf, 8], [0xd0, 1], [0xd1, 2],
        [0xd2, 4], [0xd3, 8], [0xd4, 2], [0xd5, 3], [0xd6, 5], [0xd7, 9], [0xd8, 17]]) BODY[b] = size;
}
learn();

class Framer {
    #held = null; // a message that is not whole, in its first #size bytes
    #size = 0;
    #at = 0; // where its next value begins
    #left = 1; // values that are still to come of it

    // Whole messages in these bytes and what was left of those before: [bytes, where each ends]. Throws RangeError.
    feed(chunk) {
        const bytes = this.#append(chunk), ends = [];
        while (this.#whole(bytes)) {
            ends.push(this.#at);
            this.#left = 1;
        }
        if (this.#at > LARGEST) throw new RangeError("a message that is too long");
        this.#keep(bytes, ends.length ? ends[ends.length - 1] : 0);
        return [bytes, ends];
    }

    #whole(bytes) {
        while (this.#left > 0) if (!this.#head(bytes)) return false;
        return this.#at <= bytes.length;
    }

    // Past one head, if it is there.
    #head(bytes) {
        const first = bytes[this.#at], count = COUNT[first];
        if (!(this.#at + count < bytes.length)) return false;
        if (first === WRONG) throw new RangeError("a value that begins with 0xc1");
        const n = (count ? bytes.readUIntBE(this.#at + 1, count) : BODY[first]) + MORE[first];
        this.#at += 1 + count + (VALUES[first] ? 0 : n);
        this.#left += n * VALUES[first] - 1;
        return true;
    }

    #append(chunk) {
        if (this.#size === 0) return chunk;
        const size = this.#size + chunk.length;
        if (size > this.#held.length) {
            const grown = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#size));
            this.#held.copy(grown, 0, 0, this.#size);
            this.#held = grown;
        }
        chunk.copy(this.#held, this.#size);
        this.#size = size;
        return this.#held.subarray(0, size);
    }

    // What is behind the last whole message. What the library has decoded may lie in the same memory: it is not written again.
    #keep(bytes, end) {
        if (end > 0 || this.#held === null) this.#held = bytes.subarray(end);
        this.#size = bytes.length - end;
        this.#at -= end;
        if (this.#size === 0) this.#held = null;
    }
}

module.exports = { Framer };
