// SPDX-License-Identifier: BSD-2-Clause
// What the types of tables.d.ts are made of.

/** An address and a port. */
export interface Endpoint {
    addr: string;
    port: number;
}

/** A message to send; a string is sent as UTF-8. */
export type Bytes = string | NodeJS.ArrayBufferView | ArrayBuffer;

/** What all events have. A field that is absent on the wire because it is zero is there. */
export interface Happening {
    /** its name, such as "sctp_assoc_change" */
    readonly kind: string;
    /** all its fields as they came, also those of a later daemon */
    readonly raw: Readonly<Record<string, any>>;
    /** its number, in a session */
    seq: number;
    /** the socket that it is about */
    sock: number;
    /** address and port of the peer */
    from?: Endpoint;
}

/** What a message has beside that: what stands in sctp_sndrcvinfo may be had directly. */
export interface Arriving extends Happening {
    assoc_id: number;
    stream: number;
    ppid: number;
}
