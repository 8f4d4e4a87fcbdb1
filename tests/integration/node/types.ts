// SPDX-License-Identifier: BSD-2-Clause
// A program whose types are right, but where it says that an error is expected: tsc says if one of them is not found.
import sctpd, { connect, LostError, PPIDS, SctpdError, type DataEvent, type Options, type SctpEvent, type Socket } from "sctpd";

function text(event: SctpEvent): string {
    switch (event.kind) {
    case "data":
        return `${event.data.toString("utf8")} on ${event.stream}, ${event.sctp_sndrcvinfo.flags.includes("unordered")}`;
    case "sctp_assoc_change":
        // @ts-expect-error there is no such state
        return event.state === "up" ? "" : `${event.state} ${event.outbound_streams}`;
    case "sctp_paddr_change":
        return `${event.addr.addr}:${event.addr.port}`;
    default:
        // @ts-expect-error only messages have data
        return `${event.kind} ${event.data}`;
    }
}

function listen(s: Socket): void {
    s.on("data", (event) => event.data.readUInt8(0))
        .on("sctp_shutdown_event", (event) => event.assoc_id.toFixed())
        .on("event", (event) => text(event))
        .on("drain", (assoc_id) => assoc_id.toFixed())
        .once("close", () => s.pause());
    const room: boolean = s.write(new Uint8Array(2), { assoc_id: 1, flags: ["unordered"] }, (why) => why?.message);
    // @ts-expect-error there is no such flag
    s.write("x", { flags: ["wonder"] });
    // @ts-expect-error a number is no message
    void (room && s.write(7));
}

async function main(): Promise<void> {
    const d = await connect({ name: "types", patience: Infinity, acknowledge: "by hand" });
    const options: Options = { sctp_rtoinfo: { max: 4000 }, sctp_nodelay: true };
    const s = await d.open({ ip: ["127.0.0.1"], port: 2905, ...options });
    // @ts-expect-error there is no such option
    await d.open({ wonder: 1 });
    // @ts-expect-error this option takes no number
    await s.setopts({ sctp_rtoinfo: 7 });
    await s.listen({ backlog: 5 });
    const { assoc_id, outbound_streams }: { assoc_id: number; outbound_streams: number } =
        await s.connect({ addr: "127.0.0.1", port: 2905, timeout: 5000, sctp_initmsg: { num_ostreams: 5 } });
    await s.send("hello", { assoc_id, stream: outbound_streams - 1, ppid: PPIDS.m3ua });
    const status = await s.getopt("sctp_status", { assoc_id });
    const { sctp_nodelay, sctp_rtoinfo } = await s.getopts("sctp_nodelay", "sctp_rtoinfo");
    const said: [number | undefined, boolean, number | undefined] = [status.outstrms, sctp_nodelay, sctp_rtoinfo.max];
    for await (const event of s) {
        d.handled(event);
        if (event.kind === "data") await reply(s, event);
    }
    const { taken }: { taken: number } = await s.sendMany(["a", { data: Buffer.from("b"), ppid: 3 }], { assoc_id });
    const group = await d.join({ name: "types" });
    const first: IteratorResult<SctpEvent, undefined> = await group[Symbol.asyncIterator]().next();
    const stp = await d.attach({ name: "stp", take: true, sctp_nodelay: true });
    await stp.detach();
    s.duplex({ stream: 1 }).pipe(s.writable({ assoc_id }));
    await d.supervise({ name: "x", peer: ["10.0.0.1"], peer_port: 2905, sctp_nodelay: true });
    // @ts-expect-error it needs a name
    await d.unsupervise({});
    try {
        await d.call("anything", { at: ["all"] });
    } catch (why) {
        if (why instanceof LostError && why.code === "superseded") return;
        if (why instanceof SctpdError) console.log(why.code, sctpd.ERRORS.badarg, said, taken, first);
    }
    await d.close();
}

async function reply(s: Socket, event: DataEvent): Promise<void> {
    await s.send(event.data, { assoc_id: event.assoc_id });
}

main().then(() => listen);
