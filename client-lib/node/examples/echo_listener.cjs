// SPDX-License-Identifier: BSD-2-Clause
// echo.mjs with require, listeners and write.
const { connect } = require("sctpd");

async function main(port = 0) {
    const d = await connect(), times = { gone: 0, back: 0 };
    for (const change of ["gone", "back"]) d.on(change, () => times[change]++);
    const s = await d.open({ port: Number(port) });
    s.on("data", (event) => {
        const ends = event.data.toString() === "end";
        const room = s.write(event.data, { assoc_id: event.assoc_id, stream: event.stream }, (why) => {
            if (why) throw why;
            if (ends) d.close();
        });
        if (!room) {
            s.pause();
            s.once("drain", () => s.resume());
        }
    });
    s.on("close", () => console.log(`the daemon was gone ${times.gone} times, and came back ${times.back} times`));
    await s.listen();
    console.log(s.port);
}

main(...process.argv.slice(2));
