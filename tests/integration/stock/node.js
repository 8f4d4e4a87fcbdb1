// SPDX-License-Identifier: BSD-2-Clause
// Writes node.tsv: what MessagePack libraries of npm make of calls as their users write them first. Debian has none
// of them, so the test sends the bytes. To write them anew:
//     npm install @msgpack/msgpack msgpackr msgpack-lite && node node.js > node.tsv
// The handle 4000000001 and the association 4000000002 stand for those that there are when a test sends them.
const sock = 4000000001, assoc_id = 4000000002;
const calls = [
    ["status", undefined],
    ["status", {}],
    ["hello", {name: "node", resume: undefined, protocol: 1.0}],
    ["open", {ip: "127.0.0.1", port: undefined, options: {}}],
    ["open", {options: {active: undefined, sctp_rtoinfo: {max: 6e4}}}],
    ["open", {options: undefined}],
    ["recv", {sock, timeout: 0}],
    ["recv", {sock: 5000000000, timeout: 0}],
    ["recv", {sock: BigInt(sock), timeout: 0}],
    ["send", {sock, assoc_id, data: Buffer.from("hello"), stream: undefined}],
    ["send", {sock, assoc_id, data: new Uint8Array([1, 2])}],
    ["send", {sock, data: "hello", sctp_sndrcvinfo: {assoc_id, ppid: 46, flags: []}}],
    ["open", {port: new Date(0)}],
    ["open", {port: NaN}],
];

for (const name of ["@msgpack/msgpack", "msgpackr", "msgpack-lite"]) {
    const library = require(name), pack = library.encode ?? library.pack;
    const options = name === "@msgpack/msgpack" ? {useBigInt64: true} : undefined;
    for (const [method, args] of calls) {
        const said = JSON.stringify(args, (_, v) => typeof v === "bigint" ? `${v}n` : v === undefined ? "undefined" : v);
        if (name === "msgpack-lite" && typeof args?.sock === "bigint") continue; // it has no BigInt
        const bytes = Buffer.from(pack([0, 7, method, [args]], options));
        console.log([name, method, said ?? "undefined", bytes.toString("hex")].join("\t"));
    }
}
