// SPDX-License-Identifier: BSD-2-Clause
// A first program with a MessagePack library of npm: node client.js LIBRARY. Numbers are doubles there, and what is
// not given is undefined, which msgpackr makes an extension type of: with it, what is not given is left out.
const net = require("net"), path = require("path");
const name = process.argv[2];
const library = require(path.join(__dirname, "npm", `${name}.min.js`));
const pack = library.pack ?? library.encode, unpack = library.unpack ?? library.decode;
const sctpd = net.connect(process.env.SCTPD_SOCKET ?? "/run/sctpd/sctpd.sock");
const missing = name === "msgpackr" ? {} : { port: undefined };

let id = 0, input = Buffer.alloc(0), answered;

sctpd.on("data", (bytes) => {
    input = Buffer.concat([input, bytes]);
    let message;
    try {
        message = unpack(input);
    } catch {
        return; // it is not all there
    }
    input = Buffer.alloc(0);
    answered(message);
});

async function call(method, args) {
    id += 1;
    sctpd.write(pack([0, id, method, [args]]));
    const [kind, of, error, result] = await new Promise((resolve) => (answered = resolve));
    if (kind !== 1 || of !== id) throw new Error(`answered ${of} instead of ${id}`);
    if (error !== null) throw new Error(error);
    return result;
}

async function main() {
    if (!((await call("status", {})).pid > 0)) throw new Error("no pid");
    const server = await call("open", { ip: "127.0.0.1", ...missing, options: {} });
    await call("listen", { sock: server.sock, backlog: 10 / 2 });
    const client = await call("open", {});
    const up = await call("connect", { sock: client.sock, addr: "127.0.0.1", port: server.port, options: {}, timeout: 2e4 });
    console.log((await call("recv", { sock: server.sock, timeout: 2e4 })).state);
    await call("send", { sock: client.sock, assoc_id: up.assoc_id, stream: 2, data: Buffer.from("hello") });
    console.log(Buffer.from((await call("recv", { sock: server.sock, timeout: 2e4 })).data).toString());
    await call("open", { port: 80.5 }).catch((e) => console.log(e.message));
    sctpd.end();
}

main();
