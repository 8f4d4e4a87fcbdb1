// SPDX-License-Identifier: BSD-2-Clause
// Tests of client-lib/node: node cases.mjs CASE [ARGUMENT...]. test_node.py runs them, each beside its daemon.
import assert from "node:assert/strict";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Readable } from "node:stream";
import { connect, PPIDS, SctpdError } from "../../../client-lib/node/src/index.mjs";

const SLOW = Number(process.env.TEST_SLOW ?? 1), WAIT = 20000 * SLOW;

// {there, theirs, here, ours}: a listener and a connector, and what the association is called by each.
async function pair(d, options = {}) {
    const there = await d.open({ ip: "127.0.0.1", ...options });
    await there.listen();
    const here = await d.open({ ip: "127.0.0.1" });
    const { assoc_id: ours } = await here.connect({ addr: "127.0.0.1", port: there.port, timeout: WAIT });
    const { kind, state, assoc_id: theirs } = await there.recv();
    assert.deepEqual([kind, state], ["sctp_assoc_change", "comm_up"]);
    return { there, theirs, here, ours };
}

async function streamPair(d) {
    const listener = await d.open({ ip: "127.0.0.1", type: "stream" });
    await listener.listen();
    const here = await d.open({ type: "stream" });
    await here.connect({ addr: "127.0.0.1", port: listener.port, timeout: WAIT });
    return { listener, here, there: await listener.accept({ timeout: WAIT }) };
}

// The next message.
async function data(s) {
    for await (const event of s) if (event.kind === "data") return event;
    throw new Error("the socket was closed");
}

// The next n.
async function texts(s, n) {
    const got = [];
    while (got.length < n) got.push(String((await data(s)).data));
    return got;
}

function numbers(from, to) {
    return Array.from({ length: to - from }, (_, n) => String(from + n));
}

async function fails(code, promise) {
    await assert.rejects(promise, (why) => {
        assert(why instanceof SctpdError, why.stack);
        assert.equal(why.code, code, why.message);
        return why.message.startsWith(`${code}: `);
    });
}

async function nothing(s) {
    for await (const event of s) assert.fail(`${event.kind} came`);
}

const cases = {
    // Says "ready" and waits for the end of the daemon.
    async plain() {
        const d = await connect({ session: false });
        for (const change of ["gone", "back", "over"]) d.on(change, () => assert.fail(change));
        const waits = (await d.open()).recv();
        console.log("ready");
        await fails("lost", waits);
        await fails("lost", d.status());
        await fails("lost", d.notify("status"));
    },

    // Two programs: the first takes three messages, and is killed; the second gets what it had not handled.
    async first() {
        const d = await connect(), other = await connect();
        const s = await d.open({ ip: "127.0.0.1", on_owner_exit: "hold" });
        await s.listen();
        const c = await other.open({ ip: "127.0.0.1", on_owner_exit: "hold" });
        const { assoc_id } = await c.connect({ addr: "127.0.0.1", port: s.port, timeout: WAIT });
        for (const text of numbers(0, 5)) await c.send(text, { assoc_id });
        assert.deepEqual(await texts(s, 3), numbers(0, 3));
        console.log(JSON.stringify([s.number, ...[d, other].map(({ token, seq }) => ({ token, seq }))]));
    },

    async second(said) {
        const [number, ...sessions] = JSON.parse(said);
        const [d, other] = await Promise.all(sessions.map((session) => connect(session))), s = d.socket(number);
        assert.deepEqual(await texts(s, 3), numbers(2, 5));
        for (const { sock } of (await other.sockets()).sockets) await other.socket(sock).close();
        await d.close();
        await other.close();
    },

    // The same by hand, in any order.
    async firstByHand() {
        const d = await connect({ acknowledge: "by hand" }), other = await connect();
        const s = await d.open({ ip: "127.0.0.1", on_owner_exit: "hold" });
        await s.listen();
        const c = await other.open({ ip: "127.0.0.1", on_owner_exit: "hold" });
        const { assoc_id } = await c.connect({ addr: "127.0.0.1", port: s.port, timeout: WAIT });
        d.handled(await s.recv());
        for (const text of numbers(0, 6)) await c.send(text, { assoc_id });
        const got = [];
        while (got.length < 6) got.push(await data(s));
        for (const n of [1, 0, 5, 3]) d.handled(got[n]);
        assert.equal(d.seq, got[1].seq);
        console.log(JSON.stringify([s.number, ...[d, other].map(({ token, seq }) => ({ token, seq }))]));
    },

    async secondByHand(said) {
        const [number, ...sessions] = JSON.parse(said);
        const [d, other] = await Promise.all(sessions.map((session) => connect(session))), s = d.socket(number);
        assert.deepEqual(await texts(s, 4), numbers(2, 6));
        for (const { sock } of (await other.sockets()).sockets) await other.socket(sock).close();
        await d.close();
        await other.close();
    },

    async manyConnect() {
        const them = await Promise.all(Array.from({ length: 200 }, () => connect()));
        assert.equal(new Set(them.map((d) => d.client)).size, 200);
        await Promise.all(them.map((d) => d.close()));
    },

    async superseded() {
        const first = await connect(), changes = [];
        for (const change of ["gone", "back", "over"]) first.on(change, () => changes.push(change));
        const s = await first.open();
        const listener = await first.open(), told = new Promise((resolve) => listener.on("error", resolve));
        listener.on("data", () => assert.fail("data"));
        const waits = fails("superseded", s.recv());
        const { token, seq } = first;
        await first.status();
        const second = await connect({ token, seq });
        await waits;
        assert.equal((await told).code, "superseded");
        await sleep(0);
        assert.deepEqual(changes, ["over"]);
        await second.close();
        await fails("no_session", connect({ token: "0".repeat(32) }));
    },

    async options() {
        const d = await connect({ name: "node" });
        const { there, theirs, here, ours } = await pair(d, { sctp_initmsg: { max_instreams: 5 } });
        const status = await here.getopt("sctp_status", { assoc_id: ours });
        assert.deepEqual([status.outstrms, status.primary.address.port], [5, there.port]);
        await here.setopts({ sctp_rtoinfo: { max: 4000 }, sctp_nodelay: false });
        const { sctp_nodelay, sctp_rtoinfo } = await here.getopts("sctp_nodelay", "sctp_rtoinfo");
        assert.deepEqual([sctp_nodelay, sctp_rtoinfo.max], [false, 4000]);
        await here.send("one", { assoc_id: ours, stream: 4, ppid: PPIDS.m3ua });
        const event = await data(there);
        assert(Buffer.isBuffer(event.data));
        assert.deepEqual([String(event.data), event.stream, event.ppid, event.assoc_id, event.sock], ["one", 4, 3, theirs, there.number]);
        assert.deepEqual([event.sctp_sndrcvinfo.flags, event.from.port], [[], here.port]);
        const { taken, error } = await here.sendMany(numbers(0, 10), { assoc_id: ours, stream: 1 });
        assert.deepEqual([taken, error], [10, undefined]);
        assert.deepEqual(await texts(there, 10), numbers(0, 10));
        await here.sendMany(["a", { data: Buffer.from("b"), ppid: 60, stream: 2 }, { data: "c" }], { assoc_id: ours, stream: 1 });
        for (const want of [["a", 1, 0], ["b", 2, 60], ["c", 1, 0]]) {
            const { data: text, stream, ppid } = await data(there);
            assert.deepEqual([String(text), stream, ppid], want);
        }
        await fails("timeout", there.recv({ timeout: 10 }));
        await assert.rejects(there.recv({ signal: AbortSignal.timeout(10) }), { name: "TimeoutError" });
        assert.equal((await d.errorString({ error: 12 })).text, "User Initiated Abort");
        await here.abort({ assoc_id: ours, reason: "enough" });
        const lost = await there.recv();
        assert.deepEqual([lost.kind, lost.state], ["sctp_assoc_change", "comm_lost"]);
        await d.notify("send", { sock: here.number, assoc_id: 99, data: "x" });
        let failed;
        do failed = await here.recv(); while (failed.kind !== "sctp_send_failed");
        assert.deepEqual([String(failed.data), failed.reason !== ""], ["x", true]);
        await d.notify("listen", { sock: here.number, backlog: -7 });
        for await (const { kind, method, error } of d.events()) {
            assert.deepEqual([kind, method, error.split(":")[0]], ["error", "listen", "badarg"]);
            break;
        }
        await here.close();
        await nothing(here);
        await fails("closed", here.recv());
        await d.close();
        await nothing(there);
        await fails("closed", there.recv());
        await fails("lost", there.send("x"));
    },

    // Nothing of this does anything, and each says why.
    async badInput() {
        const d = await connect(), { there, here, ours } = await pair(d);
        const rows = [
            ["einval", () => here.send("x", { assoc_id: ours, stream: 65000 })],
            ["epipe", () => here.send("x", { assoc_id: 99 })],
            ["badarg", () => here.send("x", { assoc_id: -1 })],
            ["badarg", () => here.send("x", { assoc_id: 1.5 })],
            ["badarg", () => here.send("x", { assoc_id: ours, ppid: 2n ** 64n })],
            ["badarg", () => here.send("x", { assoc_id: ours, wonder: 1 })],
            ["badarg", () => here.send("x", { assoc_id: ours, ppid: () => 1 })],
            ["badarg", () => here.send("x", { assoc_id: ours, ppid: NaN })],
            ["badarg", () => d.notify("send", { sock: Symbol("wonder") })],
            ["badarg", () => here.send(7, { assoc_id: ours })],
            ["badarg", () => here.send(null, { assoc_id: ours })],
            ["badarg", () => here.sendMany([], { assoc_id: ours })],
            ["badarg", () => here.sendMany([null], { assoc_id: ours })],
            ["badarg", () => here.sendMany(numbers(0, 65), { assoc_id: ours })],
            ["eaddrinuse", () => d.open({ ip: "127.0.0.1", port: there.port })],
            ["badarg", () => d.open({ ip: "127.0.0.1", port: 65536 })],
            ["einval", () => d.open({ wonder: 1 })],
            ["einval", () => here.setopts({ wonder: 1 })],
            ["badarg", () => here.setopts({ sctp_rtoinfo: { wonder: 1 } })],
            ["badarg", () => here.setopts({ sctp_nodelay: "perhaps" })],
            ["badarg", () => here.setopts({ sctp_rtoinfo: { max: new Date() } })],
            ["badarg", () => here.setopts({ sctp_rtoinfo: new Map([["wonder", 1]]) })],
            ["einval", () => here.getopt("wonder")],
            ["badarg", () => d.errorString()],
            ["enosys", () => d.call("wonder")],
            ["closed", () => d.socket(4000000000).send("x")],
            ["badarg", () => connect({ acknowledge: "wonder" })],
            ["enoent", () => connect({ path: "/nowhere/sctpd.sock" })],
        ];
        for (const [code, wrong] of rows) await fails(code, wrong()).catch((why) => assert.fail(`${wrong}: ${why.message}`));
        assert.throws(() => here.write({}, { assoc_id: ours }), { code: "badarg" });
        const told = new Promise((resolve) => here.once("error", resolve));
        here.write("x", { assoc_id: 99 });
        assert.equal((await told).code, "epipe");
        await here.send(Buffer.from([0, 255]), { assoc_id: ours, ppid: 60n, timetolive: undefined });
        const { data: bytes, ppid } = await data(there);
        assert.deepEqual([...bytes, ppid], [0, 255, 60]);
        await d.close();
    },

    // Bytes of all sorts and numbers of all sizes go and come as they are.
    async values() {
        const d = await connect(), { there, here, ours } = await pair(d);
        const kinds = [Buffer.from([1, 2]), new Uint8Array([1, 2]), new Uint16Array([0x0201]), new Uint8Array([1, 2]).buffer,
            new DataView(new Uint8Array([0, 1, 2]).buffer, 1), "\u0001\u0002"];
        for (const one of kinds) {
            await here.send(one, { assoc_id: ours });
            assert.deepEqual([...(await data(there)).data], [1, 2]);
        }
        for (const size of [0, 1, 255, 256, 65535, 65536, 200000].slice(1)) {
            const sent = Buffer.alloc(size, Buffer.from(numbers(0, 1000).join()));
            await here.send(sent, { assoc_id: ours, ppid: 0xffffffff, context: 0x80000000 });
            const got = await data(there);
            assert(got.data.equals(sent));
            assert.equal(got.ppid, 0xffffffff);
        }
        await fails("closed", d.call("close", { sock: 2 ** 40 }));
        await fails("closed", d.call("close", { sock: 2n ** 53n - 1n }));
        await d.close();
    },

    async streams() {
        const d = await connect(), { listener, here, there } = await streamPair(d);
        const back = there.duplex(), forth = here.duplex();
        const echo = pipeline(back, back), sent = numbers(0, 2000), got = [];
        const heard = (async () => {
            for await (const piece of forth) got.push(String(piece));
        })();
        await pipeline(Readable.from(sent), forth, { end: false });
        while (got.length < sent.length) await sleep(10);
        forth.end();
        await Promise.all([heard, echo]);
        assert.deepEqual(got, sent);
        await nothing(there);
        // A writable of one association among several, and what becomes of one whose association has ended.
        const { there: many, here: one, ours } = await pair(d);
        await pipeline(Readable.from(numbers(0, 100)), one.writable({ assoc_id: ours, stream: 2 }));
        assert.deepEqual(await texts(many, 100), numbers(0, 100));
        await one.abort({ assoc_id: ours });
        await fails("epipe", pipeline(Readable.from(["x"]), one.writable({ assoc_id: ours })));
        // A peer that aborts is an error to who reads.
        const other = await d.open({ type: "stream" });
        await other.connect({ addr: "127.0.0.1", port: listener.port, timeout: WAIT });
        const end = (await listener.accept()).duplex();
        const wrong = once(end.resume(), "error");
        await other.abort();
        assert.equal((await wrong)[0].code, "comm_lost");
        await d.close();
    },

    // As with a socket of node:net: on, pause, resume, drain and close.
    async listeners() {
        const d = await connect(), { there, here, ours } = await pair(d), got = [], kinds = [];
        const closed = once(there, "close");
        there.on("sctp_shutdown_event", () => kinds.push("listened"));
        await here.send("0", { assoc_id: ours });
        assert.equal((await once(there, "data"))[0].data.toString(), "0");
        await here.send("1", { assoc_id: ours }); // for which nobody listens now
        await d.status();
        await sleep(50);
        assert.equal(String((await there.recv()).data), "1");
        there.on("data", ({ data }) => got.push(String(data)));
        for (const text of numbers(0, 10)) await here.send(text, { assoc_id: ours });
        while (got.length < 10) await sleep(1);
        there.pause();
        assert(there.isPaused());
        for (const text of numbers(10, 20)) await here.send(text, { assoc_id: ours });
        await d.status();
        await sleep(50);
        assert.equal(got.length, 10);
        there.resume();
        while (got.length < 20) await sleep(1);
        assert.deepEqual(got, numbers(0, 20));
        there.on("event", ({ kind }) => kinds.push(kind));
        await here.eof({ assoc_id: ours });
        while (!kinds.includes("sctp_assoc_change")) await sleep(1);
        assert.equal(kinds.indexOf("listened") + 1, kinds.indexOf("sctp_shutdown_event") || -1, String(kinds));
        await there.close();
        await closed;
        // What a listener throws ends the program, if nobody catches it, and nothing here.
        const other = await pair(d), thrown = once(process, "uncaughtException"), after = [];
        other.there.on("data", ({ data }) => {
            after.push(String(data));
            if (after.length === 1) throw new Error("a listener's own");
        });
        for (const text of numbers(0, 3)) await other.here.send(text, { assoc_id: other.ours });
        assert.equal((await thrown)[0].message, "a listener's own");
        while (after.length < 3) await sleep(1);
        // The end of the daemon's connection is an error for who listens; that the program closes it is none.
        const ends = once(other.there, "close");
        await d.close();
        await ends;
    },

    // Two readers of one socket: what each of them has had is acknowledged.
    async twoReaders() {
        const d = await connect(), { there, here, ours } = await pair(d);
        for (let n = 0; n < 100; n += 2) {
            const readers = Promise.all([there.recv(), there.recv()]);
            for (const text of numbers(n, n + 2)) await here.send(text, { assoc_id: ours });
            assert.deepEqual((await readers).map(({ data }) => String(data)), numbers(n, n + 2));
        }
        assert(d._session.open.size <= 1, `${d._session.open.size} events count as not handled`);
        await d.close();
    },

    async give() {
        const one = await connect(), two = await connect();
        const { there, here, ours } = await pair(one), quiet = await pair(one);
        await quiet.here.send("held", { assoc_id: quiet.ours });
        await data(quiet.there); // and it stays in hand, so that what follows is not acknowledged
        for (const text of numbers(0, 6)) await here.send(text, { assoc_id: ours });
        assert.deepEqual(await texts(there, 2), numbers(0, 2));
        await there.give({ client: two.client });
        for await (const { kind } of two.events()) if (kind === "owner") break;
        assert.deepEqual(await texts(two.socket(there.number), 4), numbers(2, 6));
        await nothing(there);
        await one.close();
        await two.close();
    },

    async acceptGivenUp() {
        const d = await connect(), listener = await d.open({ ip: "127.0.0.1", type: "stream" });
        await listener.listen();
        const abort = new AbortController(), waits = assert.rejects(listener.accept({ signal: abort.signal }), { name: "AbortError" });
        await d.status();
        abort.abort();
        await waits;
        const here = await d.open({ type: "stream" });
        await here.connect({ addr: "127.0.0.1", port: listener.port, timeout: WAIT });
        const there = await listener.accept();
        assert.equal(there.peer.addr, "127.0.0.1");
        await here.send("x");
        assert.equal(String((await data(there)).data), "x");
        await d.close();
    },

    async acceptsOfSeveral() {
        const d = await connect(), listener = await d.open({ ip: "127.0.0.1", type: "stream" });
        await listener.listen();
        await assert.rejects(listener.accept({ signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
        await assert.rejects(listener.accept({ timeout: 50 }), { code: "timeout" });
        const abort = new AbortController();
        const given_up = assert.rejects(listener.accept({ signal: abort.signal }), { name: "AbortError" });
        const waiting = [listener.accept(), listener.accept({ timeout: WAIT })];
        await d.status();
        abort.abort();
        await given_up;
        for (const _ of waiting) await (await d.open({ type: "stream" })).connect({ addr: "127.0.0.1", port: listener.port, timeout: WAIT });
        const there = await Promise.all(waiting);
        assert.notEqual(there[0].number, there[1].number);
        const closed = assert.rejects(listener.accept(), { code: "closed" });
        await listener.close();
        await closed;

        // What comes for an accept that was given up ends with the listener.
        const other = await d.open({ ip: "127.0.0.1", type: "stream" }), here = await d.open({ type: "stream" });
        await other.listen();
        await assert.rejects(other.accept({ signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
        await here.connect({ addr: "127.0.0.1", port: other.port, timeout: WAIT });
        await d.status();
        await other.close();
        for await (const event of here) if (event.kind === "sctp_assoc_change" && event.state !== "comm_up") break;
        await d.close();
    },

    // Who does not read stops its peer, costs bounded memory, and holds up no other of the same connection.
    async deafReader() {
        const reader = await connect(), writer = await connect();
        const { there } = await pair(reader), other = await pair(reader);
        const away = await writer.open(), { assoc_id } = await away.connect({ addr: "127.0.0.1", port: there.port, timeout: WAIT });
        assert.equal((await there.recv()).kind, "sctp_assoc_change");
        const message = Buffer.alloc(20000);
        let accepted = 0, before = -1, sent = 0;
        while (before !== accepted) {
            before = accepted;
            while (away.write(Buffer.concat([Buffer.from(String(sent).padStart(6)), message]), { assoc_id }, (why) => accepted += why ? 0 : 1)) sent++;
            sent++; // that one waits for room
            await sleep(300 * SLOW);
        }
        assert(accepted > 0 && accepted * 20000 < 32 << 20, `${accepted} accepted`);
        assert(there._bytes < 512 << 10 && there._waiting.length <= 256, `${there._bytes} bytes kept`);
        const begun = performance.now();
        for (const text of numbers(0, 20)) {
            await other.here.send(text, { assoc_id: other.ours });
            assert.equal(String((await data(other.there)).data), text);
        }
        const took = performance.now() - begun, kept = there._bytes, { rss } = process.memoryUsage();
        assert(took < 2000 * SLOW, `${took} ms`);
        assert(rss < 256 << 20, `${rss >> 20} MiB`);
        const drained = once(away, "drain");
        for (let n = 0; n < sent; n++) assert.equal(Number((await data(there)).data.subarray(0, 6)), n);
        assert.deepEqual(await drained, [assoc_id]);
        console.log(`        ${accepted * 20000 >> 20} MB accepted, ${kept} bytes kept, ${rss >> 20} MiB in all, 20 others in ${took.toFixed(0)} ms`);
        await reader.close();
        await writer.close();
    },

    // An echo, 1,000 clients of it in one program, some of which never read, and 1,500 senders to one that does not.
    async thousand() {
        const c = await connect(), e = await connect(), server = await e.open({ ip: "127.0.0.1" });
        const times = [], alone = [], MANY = 1000;
        let closing = false;
        server.on("data", (event) => // an echo to one that never reads may wait until that one is closed
            server.write(event.data, { assoc_id: event.assoc_id, stream: event.stream }, (why) => assert(!why || closing, why)));
        await server.listen();
        const deaf = await pair(c);
        const stuck = { left: 1500 }, ends = Array.from({ length: stuck.left }, () =>
            deaf.here.send(Buffer.alloc(20000), { assoc_id: deaf.ours }).catch(() => {}).then(() => stuck.left--));
        async function user(n) {
            const s = await c.open({ ip: "127.0.0.1" }), slow = n % 50 === 0;
            const { assoc_id } = await s.connect({ addr: "127.0.0.1", port: server.port });
            for (const text of numbers(0, slow ? 20 : 2)) {
                const begun = performance.now();
                await s.send(text, { assoc_id });
                if (slow) continue;
                assert.equal(String((await data(s)).data), text);
                times.push(performance.now() - begun);
            }
            return s;
        }
        const users = [];
        for (let n = 0; n < MANY; n += 100) // as many at a time as a backlog may have
            users.push(...await Promise.all(Array.from({ length: 100 }, (_, i) => user(i))));
        for (let n = 0; n < 50; n++) { // what one user sees while the senders are stuck
            const begun = performance.now();
            await c.errorString({ error: 1 });
            alone.push(performance.now() - begun);
        }
        assert.equal(new Set(users.map((s) => s.number)).size, MANY);
        assert(stuck.left > 500, "they were to be stuck");
        times.sort((a, b) => a - b);
        const [median, longest, one] = [times[times.length >> 1], times[times.length - 1], Math.max(...alone)];
        console.log(`        round trips: median ${median.toFixed(1)} ms, longest ${longest.toFixed(0)} ms; a call of one: longest ${one.toFixed(1)} ms`);
        assert(longest < 5000 * SLOW && one < 1000 * SLOW);
        await deaf.here.abort({ assoc_id: deaf.ours });
        closing = true;
        for (let n = 0; n < MANY; n += 100) // all at once would take the daemon longer than its watchdog here waits
            await Promise.all(users.slice(n, n + 100).map((s) => s.close()));
        await Promise.all(ends);
        await c.close();
        await e.close();
    },

    async group() {
        const owner = await connect(), member = await connect(), peer = await connect();
        const s = await owner.open({ ip: "127.0.0.1", active: true });
        await s.group({ name: "node", policy: "sticky" });
        await s.listen();
        const group = await member.join({ name: "node" });
        assert.deepEqual([group.number, group.members], [s.number, 1]);
        const c = await peer.open(), { assoc_id } = await c.connect({ addr: "127.0.0.1", port: s.port, timeout: WAIT });
        for (const text of numbers(0, 20)) await c.send(text, { assoc_id });
        const got = [];
        async function take(from, n) {
            for await (const event of from) {
                if (event.kind === "assigned") assert(event.group === "node" && from.has.has(event.sock));
                if (event.kind !== "data") continue;
                await from.send(event.data, { assoc_id: event.assoc_id });
                got.push(String(event.data));
                if (got.length === n) break;
            }
        }
        await take(group, 10);
        const second = await connect(), heir = await second.join({ name: "node" });
        await group.leave();
        await take(heir, 20);
        assert.deepEqual(got, numbers(0, 20));
        assert.deepEqual(await texts(c, 20), numbers(0, 20));
        await nothing(group);
        assert.equal((await heir.drain()).sockets, 1);
        await owner.ungroup({ name: "node" });
        for (const d of [owner, member, peer, second]) await d.close();
    },

    // With spread the messages come on the group's socket itself, and may come right behind the answer to join.
    async spread() {
        const owner = await connect(), member = await connect(), { there, here } = await streamPair(owner);
        await there.setopts({ active: true });
        assert.equal((await there.recv()).state, "comm_up");
        await there.group({ name: "spread", policy: "spread", by: "ppid" });
        for (const text of numbers(0, 20)) await here.send(text);
        const group = await member.join({ name: "spread" }), got = [];
        for await (const event of group) if (event.kind === "data" && got.push(String(event.data)) === 20) break;
        assert.deepEqual(got, numbers(0, 20));
        await owner.ungroup({ name: "spread" });
        await owner.close();
        await member.close();
    },

    async boundLater() {
        const d = await connect(), s = await d.open({ bind: false, sctp_nodelay: false });
        assert.equal(s.port, 0);
        const value = Buffer.from(new Uint32Array([0, 500, 2000, 200]).buffer);
        await s.setsockopt({ level: 132, name: 0, value });
        assert.deepEqual((await s.getsockopt({ level: 132, name: 0, value: Buffer.alloc(16) })).value, value);
        const { port } = await s.bind({ ip: "127.0.0.1" });
        assert(port > 0);
        assert.equal((await s.sockname()).port, port);
        await d.close();
    },

    async supervised() {
        const d = await connect(), s = await d.open({ ip: "127.0.0.1" });
        await s.listen();
        await d.supervise({ name: "node", local: "127.0.0.1", peer: ["127.0.0.1"], peer_port: s.port, sctp_nodelay: true });
        const up = await s.recv(), a = await d.attach({ name: "node" });
        await s.send("one", { assoc_id: up.assoc_id });
        assert.equal(String((await data(a)).data), "one");
        while ((await d.supervised({ name: "node" })).supervised[0].state !== "up");
        const { assocs: [{ assoc_id }] } = await d.assocs({ sock: a.number }); // attach may have been before it was up
        assert([0, assoc_id].includes(a.assoc_id));
        assert.equal(await a.getopt("sctp_nodelay"), true);
        await a.send("two", { assoc_id });
        assert.equal(String((await data(s)).data), "two");
        await a.detach();
        await nothing(a);
        await d.unsupervise({ name: "node" });
        await d.close();
    },
};

const [name, ...given] = process.argv.slice(2);
await cases[name](...given);
