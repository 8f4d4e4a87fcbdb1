// SPDX-License-Identifier: BSD-2-Clause
// The driver of client-lib/node for tests/conformance: see README.md there.
import { createInterface } from "node:readline";
import { connect } from "../../client-lib/node/src/index.mjs";

const path = process.argv[2], sockets = new Map();
let d;

function say(what) {
    process.stdout.write(JSON.stringify(hexed(what)) + "\n");
}

function hexed(value) {
    if (Buffer.isBuffer(value)) return { bytes: value.toString("hex") };
    if (Array.isArray(value)) return value.map(hexed);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, hexed(inside)]));
}

function args(words) {
    return Object.fromEntries(words.map((word) => {
        const [, key, value] = /^([^=]*)=(.*)$/s.exec(word);
        return [key, /^\d+$/.test(value) ? Number(value) : value];
    }));
}

const does = {
    async connect(kind, patience, token, seq = 0) {
        try {
            d = await connect({ path, session: kind === "session", patience: Number(patience), token, seq: Number(seq) });
            for (const change of ["gone", "back", "over"]) d.on(change, () => say({ change }));
            say({ connected: true, token: d.token });
        } catch (why) {
            say({ connected: false, error: why.code });
        }
    },

    async call(id, method, ...words) {
        try {
            say({ id, ok: await d.call(method, args(words)) });
        } catch (why) {
            say({ id, error: why.code });
        }
    },

    notify(method, ...words) {
        return d.notify(method, args(words));
    },

    async next(sock) {
        if (!sockets.has(sock)) sockets.set(sock, d.socket(Number(sock)));
        try {
            const event = await sockets.get(sock).recv();
            say({ event: event.kind, fields: event.raw });
        } catch (why) {
            say({ event: null, error: why.code });
        }
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const [what, ...words] = line.split(" ");
    const done = does[what](...words);
    if (what === "connect" || what === "notify") await done;
}
