// SPDX-License-Identifier: BSD-2-Clause
// A socket that sends each message back, whatever happens to sctpd: node echo.mjs [PORT]. It ends when a message says so.
import { connect } from "sctpd";

const d = await connect(), times = { gone: 0, back: 0 };
for (const change of ["gone", "back"]) d.on(change, () => times[change]++);
const s = await d.open({ port: Number(process.argv[2] ?? 0) });
await s.listen();
console.log(s.port);
for await (const event of s) {
    if (event.kind !== "data") continue;
    await s.send(event.data, { assoc_id: event.assoc_id, stream: event.stream });
    if (event.data.equals(Buffer.from("end"))) break;
}
await d.close();
console.log(`the daemon was gone ${times.gone} times, and came back ${times.back} times`);
