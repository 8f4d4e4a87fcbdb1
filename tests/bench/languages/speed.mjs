// SPDX-License-Identifier: BSD-2-Clause
// How fast the Node library is: "speed.mjs server", which prints its port, and "speed.mjs client PORT N". See run.
import { connect } from "../../../client-lib/node/src/index.mjs";

const SIZE = 100;

async function server(d) {
    const s = await d.open({ ip: "127.0.0.1" });
    await s.listen();
    console.log(s.port);
    for await (const { kind, data, assoc_id } of s) {
        const what = kind === "data" ? String.fromCharCode(data[0]) : "";
        if (what === "e" || what === "q") await s.send(data, { assoc_id }); // echo; quit
        if (what === "q") break;
    }
    await s.recv();
}

async function client(d, port, n) {
    const s = await d.open(), times = [];
    const { assoc_id } = await s.connect({ addr: "127.0.0.1", port: Number(port), timeout: 10000 });
    for (let i = 0; i < n / 10; i++) {
        const begun = performance.now();
        await s.send("e".repeat(SIZE), { assoc_id });
        await s.recv();
        times.push(performance.now() - begun);
    }
    const begun = performance.now(), message = "x".repeat(SIZE);
    for (let i = 0; i < n; i++)
        if (!s.write(message, { assoc_id })) await new Promise((resolve) => s.once("drain", resolve));
    await s.send("q".repeat(SIZE), { assoc_id });
    await s.recv(); // it has passed all of them
    const took = (performance.now() - begun) / 1000;
    console.log(n / took, times.sort((a, b) => a - b)[times.length >> 1] * 1000);
}

const [what, ...args] = process.argv.slice(2), d = await connect();
await (what === "server" ? server(d) : client(d, ...args));
await d.close();
