// SPDX-License-Identifier: BSD-2-Clause
// gen_sctp's example: "node example.mjs server", and then "node example.mjs 127.0.0.1".
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "sctpd";

// Print whatever comes.
async function server(d) {
    const s = await d.open({ port: 2006, recbuf: 65536 });
    await s.listen();
    for await (const event of s) {
        const what = event.kind === "data" ? `on stream ${event.stream}: ${event.data}` : event.state ?? "";
        console.log(`${event.from.addr}:${event.from.port} ${event.kind} ${what}`);
    }
}

// Five streams, numbered from 0: the second message is refused.
async function client(d, addr) {
    const s = await d.open({ sctp_initmsg: { num_ostreams: 5 } });
    const { assoc_id, outbound_streams } = await s.connect({ addr, port: 2006, timeout: 5000 });
    console.log(`connected, ${outbound_streams} outbound streams`);
    await s.send("Test 0", { assoc_id, stream: 0 });
    console.log('sent "Test 0" on stream 0');
    await s.send("Test 5", { assoc_id, stream: 5 }).catch((why) => console.log("refused:", why.message));
    await sleep(1000); // an abort does not wait for what is under way
    await s.abort({ assoc_id });
    console.log("aborted");
}

const [what = "127.0.0.1"] = process.argv.slice(2);
const d = await connect();
await (what === "server" ? server(d) : client(d, what));
await d.close();
