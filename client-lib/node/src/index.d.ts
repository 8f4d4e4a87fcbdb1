// SPDX-License-Identifier: BSD-2-Clause
/// <reference types="node" />
import { EventEmitter } from "events";
import { Duplex, Writable } from "stream";
import { Arriving, Bytes, Endpoint, Happening } from "./records";
import {
    AttachResult, ConnectArguments, ConnectResult, DaemonCalls, DrainMemberResult, Events, OpenArguments, Options, SctpEvent,
    SctpSndrcvinfo, SendManyResult, SocketCalls,
} from "./tables";

export * from "./tables";
export { Arriving, Bytes, Endpoint, Happening };

/**
 * A request was refused, or could not be made. code is for programs, a key of ERRORS, "timeout", or what the system says
 * of the Unix socket; the message is for people, and says what would be right.
 */
export class SctpdError extends Error {
    constructor(text: string, code?: string);
    code: string;
}

/** The connection to the daemon ended for good, and its sockets are gone. */
export class LostError extends SctpdError {
    /** "superseded": another program has taken over the session; "no_session": the daemon does not know it any more */
    code: "lost" | "superseded" | "no_session" | "eproto";
}

export interface ConnectOptions {
    /** of the daemon's Unix socket (default: SCTPD_SOCKET, or the service's own) */
    path?: string;
    /** stands in the daemon's logs */
    name?: string;
    /** continue when the daemon is restarted, or dies where systemd or "sctpd -k" starts it again (default: true) */
    session?: boolean;
    /** ms to wait for the daemon when it is gone; Infinity: for ever (default: 30000) */
    patience?: number;
    /** of the session of an earlier program, to be continued: the events after seq come again */
    token?: string;
    seq?: number;
    /** an event is handled when the next one is asked for, or when the program calls Daemon.handled (default: "in order") */
    acknowledge?: "in order" | "by hand";
    /** ms that connecting may take (default: 30000) */
    timeout?: number;
}

/** Connect to the daemon. */
export function connect(options?: ConnectOptions): Promise<Daemon>;

export interface Waiting {
    /** ms; then it fails with "timeout" */
    timeout?: number;
    signal?: AbortSignal;
}

/** Which association, on which stream, and the rest of sctp_sndrcvinfo. */
export type SendInfo = Partial<SctpSndrcvinfo>;

type Listener<Name extends keyof Events> = (...args: Events[Name]) => void;

/** Events that wait for their reader: recv, for await, or on. The latter begins to take them, as with a socket of node:net. */
export class EventQueue extends EventEmitter implements AsyncIterable<SctpEvent> {
    /** The next event. Rejects with "closed" after the last one. */
    recv(waiting?: Waiting): Promise<SctpEvent>;
    /** Until the socket is closed. It is not closed by leaving the loop. */
    [Symbol.asyncIterator](): AsyncIterator<SctpEvent, undefined>;
    /** Give listeners no events until resume: the peer's window closes. */
    pause(): this;
    resume(): this;
    isPaused(): boolean;

    on<Name extends keyof Events>(name: Name, listener: Listener<Name>): this;
    on(name: "event", listener: (event: SctpEvent) => void): this;
    on(name: "close", listener: () => void): this;
    on(name: "drain", listener: (assoc_id: number) => void): this;
    on(name: "error", listener: (why: Error) => void): this;
    on(name: string | symbol, listener: (...args: any[]) => void): this;
    once<Name extends keyof Events>(name: Name, listener: Listener<Name>): this;
    once(name: "event", listener: (event: SctpEvent) => void): this;
    once(name: "close", listener: () => void): this;
    once(name: "drain", listener: (assoc_id: number) => void): this;
    once(name: "error", listener: (why: Error) => void): this;
    once(name: string | symbol, listener: (...args: any[]) => void): this;
}

export interface Socket extends SocketCalls {}
/** An SCTP socket. */
export class Socket extends EventQueue {
    readonly daemon: Daemon;
    readonly number: number;
    readonly port: number;
    /** of a socket that was accepted */
    readonly peer?: Endpoint;
    /** of a socket that was accepted or peeled off */
    readonly assoc_id: number;

    /** Any method, on this socket. */
    call(method: string, args?: Record<string, unknown>): Promise<any>;

    /** Send a message, and wait until the stack has accepted it. */
    send(data: Bytes, info?: SendInfo): Promise<void>;
    /**
     * The same without waiting: whether there is room for more. If there is none, go on at "drain". A failure that no
     * function is told is the event "error".
     */
    write(data: Bytes, info?: SendInfo, done?: (why: Error | null) => void): boolean;
    write(data: Bytes, done: (why: Error | null) => void): boolean;
    /** Send up to 64 messages of one association with one request; taken of the result says how many were accepted. */
    sendMany(messages: (Bytes | ({ data: Bytes } & SendInfo))[],
             where?: Pick<SendInfo, "assoc_id" | "stream">): Promise<SendManyResult>;
    /** Each piece that is written to it is a message. */
    writable(info?: SendInfo): Writable;
    /** A socket that has one association as a stream: each piece is a message. It closes the socket. */
    duplex(info?: SendInfo): Duplex;

    /** Set up an association, and wait until it is up. */
    connect(args: ConnectArguments): Promise<ConnectResult>;
    /** The next association of a listening socket of type stream, as a socket of its own. */
    accept(waiting?: Waiting): Promise<Socket>;
    /** Make an association a socket of its own. */
    peeloff(args: { assoc_id: number }): Promise<Socket>;

    /** Set options, in the order in which they are given. */
    setopts(options: Options): Promise<void>;
    /** Read an option. which: assoc_id or address, where it is that of an association or a path. */
    getopt<Name extends keyof Options>(name: Name, which?: Options[Name]): Promise<Required<Options>[Name]>;
    /** Read several. */
    getopts<Name extends keyof Options>(...names: Name[]): Promise<Required<Pick<Options, Name>>>;

    /** Close the socket. Messages that were sent still arrive. */
    close(): Promise<void>;
    /** Give the socket to another client, with everything that was not handled. */
    give(args: { client: number }): Promise<void>;
}

/** The socket of a supervised association that this program is attached to. */
export class Attached extends Socket {
    readonly name: string;
    /** what attach answered */
    readonly state: AttachResult;
    /** Give it back. The association stays. close does the same. */
    detach(): Promise<void>;
}

/** What this program has of a group's socket: the events of all its sockets. event.sock is the socket. */
export class Group extends EventQueue {
    readonly name: string;
    /** the group's socket, on which every member may send by assoc_id */
    readonly number: number;
    readonly members: number;
    /** sockets that it has, and their associations */
    readonly has: ReadonlyMap<number, number>;
    /** Send on an association of the group's socket, whoever has it. */
    send(data: Bytes, info: SendInfo & { assoc_id: number }): Promise<void>;
    /** Be given nothing new, and lose what there is once it is acknowledged. Then leave. */
    drain(args?: { on?: boolean }): Promise<DrainMemberResult>;
    /** Leave. Others get what was not handled. */
    leave(): Promise<void>;
}

export interface Daemon extends DaemonCalls {}
/** A connection to sctpd: see connect. It emits "gone", "back" and "over". */
export class Daemon extends EventEmitter {
    readonly path: string;
    /** number of this client, as give of another one takes it */
    readonly client: number;
    /** what this daemon and its stack can do */
    readonly features: string[];
    readonly limits: Record<string, number>;
    readonly stack: string;
    /** for a later program that takes over the session; to be kept secret */
    readonly token: string;
    /** number up to which all events are handled */
    readonly seq: number;
    /** events of no socket that nobody took */
    readonly dropped: number;

    /** Any method of the daemon, by its name in the reference. What is undefined is not given. */
    call(method: string, args?: Record<string, unknown>): Promise<any>;
    /** The same without an answer. If it fails, an event says so: error of events(), or sctp_send_failed of the socket. */
    notify(method: string, args?: Record<string, unknown>): Promise<void>;
    /** Events of no socket: owner, error (a notification failed), watch. If nobody takes them, the oldest are dropped. */
    events(): EventQueue;
    /** With acknowledge: "by hand": the program has handled this event, in whatever order. */
    handled(event: SctpEvent): void;

    /** Open a socket: one-to-many, on any address and a free port, unless the arguments say otherwise. */
    open(args?: OpenArguments): Promise<Socket>;
    /** A socket that exists: of a session that was resumed, of the event owner, or another client's. */
    socket(number: number): Socket;
    /** Become the owner of a socket that is held because its owner is gone. */
    adopt(args: { sock: number; resume?: string }): Promise<Socket>;
    /** Become the owner of a supervised association's socket. */
    attach(args: { name: string; take?: boolean } & Options): Promise<Attached>;
    /** Become a member of a group. */
    join(args: { name: string; priority?: number }): Promise<Group>;
    /** End the connection, and with it the sockets that on_owner_exit does not hold. */
    close(): Promise<void>;
}
