// SPDX-License-Identifier: BSD-2-Clause
// Printed by client-lib/node/generate.py from the tables of sctpd; do not edit.
import { Arriving, Bytes, Endpoint, Happening } from "./records";

/** Parameters of the message; fields that are zero are absent, and so is the whole record when data_io_event of sctp_events is off. */
export interface SctpSndrcvinfo {
    /** stream, from 0 */
    stream: number;
    /** stream sequence number; received only */
    ssn: number;
    /** unordered; addr_over, which addr implies; sack_immediately: the peer is asked to acknowledge at once (RFC 7053); abort; eof; sendall is refused, because each association takes or refuses a message on its own: send it to each */
    flags: ("unordered" | "addr_over" | "abort" | "eof" | "sack_immediately" | "sendall")[];
    /** payload protocol identifier, host order; one such as 0x3c000000 (60) comes from a peer that did not turn it round for the network */
    ppid: number;
    /** returned with the message if it fails */
    context: number;
    /** ms after which an unsent message is given up; 0: never; not beside pr_policy */
    timetolive: number;
    /** transmission sequence number; received only */
    tsn: number;
    /** cumulative TSN; received only, unordered messages */
    cumtsn: number;
    /** association */
    assoc_id: number;
    /** when the message is given up (PR-SCTP, RFC 7496): none, ttl, rtx, prio; sent only */
    pr_policy: "none" | "ttl" | "rtx" | "prio";
    /** with pr_policy: ms from 1 (ttl), retransmissions (rtx), or priority, where the messages with the largest number are given up first to make room (prio); sent only */
    pr_value: number;
    /** number of the key that authenticates the message (RFC 4895), for a peer that asks for authenticated DATA; absent: the active key; sent only */
    auth_keynumber: number;
    /** address of the peer to send to, instead of the primary path; the kernel's stack takes it on sockets of type stream; sent only */
    addr: string;
}

/** A message from the peer arrived. It is always whole. */
export interface DataEvent extends Arriving {
    readonly kind: "data";
    /** parameters of the message; fields that are zero are absent, and so is the whole record when data_io_event of sctp_events is off */
    sctp_sndrcvinfo: SctpSndrcvinfo;
    /** with the option timestamp: when the last part of the message arrived, in microseconds since 1970 */
    timestamp: number;
    /** the message */
    data: Buffer;
}

/** A message that had been accepted could not be delivered. The event comes once per message and carries all of it that the peer has not acknowledged. */
export interface SctpSendFailedEvent extends Happening {
    readonly kind: "sctp_send_failed";
    /** true if any part of the message was sent to the peer */
    flags: boolean;
    /** SCTP cause code; see error_string */
    error: number;
    /** parameters that the message was sent with */
    info: SctpSndrcvinfo;
    /** association */
    assoc_id: number;
    /** error text of a send that was a notification and that the daemon refused; error is then 0 */
    reason: string;
    /** the message */
    data: Buffer;
}

/** A peer associated with a listening stream socket. The association has a new socket, which is passive. */
export interface AcceptEvent extends Happening {
    readonly kind: "accept";
    /** handle of the new socket */
    accepted: number;
    /** association of the new socket */
    assoc_id: number;
}

/** The stack sent a notification of a type that this daemon does not know. It is passed on as it is. */
export interface UnknownEvent extends Happening {
    readonly kind: "unknown";
    /** type of the notification (sn_type) */
    type: number;
    /** flags of the notification (sn_flags) */
    flags: number;
    /** the bytes after the notification's header */
    data: Buffer;
}

/** The count that was set with active ran out. The socket is now passive. */
export interface SctpPassiveEvent extends Happening {
    readonly kind: "sctp_passive";
}

/** The socket was closed, or the association of a one-to-one socket ended. Nothing more comes from it. */
export interface SctpClosedEvent extends Happening {
    readonly kind: "sctp_closed";
    /** why the socket was closed */
    reason: string;
}

/** An association of a socket with the option stall has stalled, or has not any more. If the association ends, sctp_assoc_change says that, and this event does not come. */
export interface SctpdStalledEvent extends Happening {
    readonly kind: "sctpd_stalled";
    /** stalled or ended */
    state: string;
    /** window: the peer has closed its window, so it does not read; data: heartbeats arrive and data does not; ended: acknowledged, own_window (the peer waits for us) or option */
    reason: string;
    /** for how long nothing has been acknowledged, ms */
    time: number;
    /** memory of what the stack has and the peer has not acknowledged, bytes */
    queued: number;
    /** bytes that wait in sctpd for room behind that */
    waiting: number;
    /** DATA chunks that have not been acknowledged, as sctp_status counts them */
    unackdata: number;
    /** the peer's window, bytes */
    rwnd: number;
    /** heartbeats that were answered meanwhile */
    heartbeats: number;
    /** address of the primary path */
    path: Endpoint;
    /** association */
    assoc_id: number;
}

/** The path manager changed the primary path of an association, or did not. It is on in the option path_manager. */
export interface SctpdPrimaryEvent extends Happening {
    readonly kind: "sctpd_primary";
    /** moved: to another path; returned: to the wanted path; damped: the wanted path fails too often; asked: the peer was asked for its primary; not_asked: it was not */
    action: string;
    /** why, in words */
    reason: string;
    /** the primary now; asked and not_asked: our address that the peer is to send to */
    addr: Endpoint;
    /** the wanted primary */
    wanted: Endpoint;
    /** damped: ms until the wanted path may be taken again, if it does not fail meanwhile */
    wait: number;
    /** association */
    assoc_id: number;
}

/** The socket has a new owner. The event goes to the new owner, before any other event of the socket. */
export interface OwnerEvent extends Happening {
    readonly kind: "owner";
    /** client that owns the socket now */
    owner: number;
    /** client that owned it before */
    was: number;
}

/** The state of a supervised association changed. It is sent to the client that is attached, beside what the stack says, and to those that watch. */
export interface SupervisedEvent extends Happening {
    readonly kind: "supervised";
    /** its name */
    name: string;
    /** its state now, as in the method supervised */
    state: string;
    /** why it is so, if it is not up */
    reason: string;
    /** when the next attempt begins, in ms; 0 if none waits */
    next: number;
}

/** A socket of a group belongs to this client from now on. What happens on it follows, first what another member was sent and had not acknowledged. It is in the mode, active or passive, that the group's socket has. When its association has ended and everything was acknowledged, the daemon closes it. */
export interface AssignedEvent extends Happening {
    readonly kind: "assigned";
    /** name of the group */
    group: string;
    /** its association */
    assoc_id: number;
    /** address and port of the peer */
    peer?: Endpoint;
    /** client that had it before */
    from_member: number;
}

/** A socket of a group went to another member, which gets what comes from now on. This client has acknowledged everything that it was sent of it. */
export interface UnassignedEvent extends Happening {
    readonly kind: "unassigned";
    /** name of the group */
    group: string;
    /** its association */
    assoc_id: number;
    /** client that has it now */
    to_member: number;
}

/** This client is no member of a group any more, and not because it called leave. The sockets that it had belong to other members, unless the group has ended; then it keeps them. */
export interface LeftEvent extends Happening {
    readonly kind: "left";
    /** name of the group */
    group: string;
    /** why, in words */
    reason: string;
    /** true: the group has ended, and the client keeps the sockets that it has. Otherwise discard the events of the group's sockets that came before this one and that you have not handled: other members get them */
    ended: boolean;
}

/** An event happened on a socket that this client may use. It is sent to clients that called watch, as the socket's owner sees it. */
export interface WatchEvent extends Happening {
    readonly kind: "watch";
    /** name of the event, whose fields stand beside it */
    event: string;
}

/** Messages went through sctpd. It is sent to clients that called tap, some milliseconds after the messages. */
export interface TapEvent extends Happening {
    readonly kind: "tap";
    /** whole blocks of the format pcapng; the first that a tap sends begin a file. Empty if the tap has a ring: look there */
    pcapng: Buffer;
    /** number of messages that were left out since the tap began, because this client did not read fast enough */
    dropped: number;
}

/** A method that this client called by a notification failed. A failed send is reported by sctp_send_failed instead. */
export interface ErrorEvent extends Happening {
    readonly kind: "error";
    /** name of the method */
    method: string;
    /** error text, as in the answer to a request */
    error: string;
}

/** This client called watch and does not read fast enough. Events watch were left out. */
export interface OverrunEvent extends Happening {
    readonly kind: "overrun";
    /** number of events that were left out */
    lost: number;
}

/** Another connection resumed this session with its token. The daemon closes this connection. */
export interface SupersededEvent extends Happening {
    readonly kind: "superseded";
    /** process that has the session now */
    pid: number;
}

/** An association came up, was restarted by the peer, ended, or could not be set up (SCTP_ASSOC_CHANGE). */
export interface SctpAssocChangeEvent extends Happening {
    readonly kind: "sctp_assoc_change";
    /** what happened */
    state: "comm_up" | "comm_lost" | "restart" | "shutdown_comp" | "cant_assoc";
    /** SCTP cause code; see error_string */
    error: number;
    /** number of outbound streams */
    outbound_streams: number;
    /** number of inbound streams */
    inbound_streams: number;
    /** association */
    assoc_id: number;
    /** error causes of the peer's ABORT, as they were received; with comm_lost only */
    info?: Buffer;
}

/** An address of the peer was added or removed, or its state changed. */
export interface SctpPaddrChangeEvent extends Happening {
    readonly kind: "sctp_paddr_change";
    /** the address */
    addr: Endpoint;
    /** what happened */
    state: "addr_available" | "addr_unreachable" | "addr_removed" | "addr_added" | "addr_made_prim" | "addr_confirmed" | "addr_potentially_failed";
    /** reason that the kernel gives: 0 too many timeouts, 1 data was acknowledged, 2 a heartbeat was answered */
    error: number;
    /** association */
    assoc_id: number;
}

/** The peer sent an ERROR chunk. */
export interface SctpRemoteErrorEvent extends Happening {
    readonly kind: "sctp_remote_error";
    /** SCTP cause code; see error_string */
    error: number;
    /** association */
    assoc_id: number;
    /** error cause, as it was received */
    data: Buffer;
}

/** The peer began to shut the association down. Nothing more can be sent on it. */
export interface SctpShutdownEvent extends Happening {
    readonly kind: "sctp_shutdown_event";
    /** association */
    assoc_id: number;
}

/** The peer announced its adaptation layer indication. */
export interface SctpAdaptationEvent extends Happening {
    readonly kind: "sctp_adaptation_event";
    /** adaptation layer indication of the peer */
    adaptation_ind: number;
    /** association */
    assoc_id: number;
}

/** The delivery of a partly received message was aborted. The daemon discarded the part that it had received. */
export interface SctpPdapiEvent extends Happening {
    readonly kind: "sctp_pdapi_event";
    /** partial_delivery_aborted */
    indication: "partial_delivery_aborted";
    /** stream of the message */
    stream: number;
    /** association */
    assoc_id: number;
}

/** An authentication key became active or is no longer used, or the peer does not support AUTH. */
export interface SctpAuthkeyEvent extends Happening {
    readonly kind: "sctp_authkey_event";
    /** what happened */
    indication: "new_key" | "free_key" | "no_auth";
    /** number of the key */
    keynumber: number;
    /** association */
    assoc_id: number;
}

/** The peer has acknowledged everything that was sent. */
export interface SctpSenderDryEvent extends Happening {
    readonly kind: "sctp_sender_dry_event";
    /** association */
    assoc_id: number;
}

/** Streams were reset, or the peer refused to reset them. */
export interface SctpStreamResetEvent extends Happening {
    readonly kind: "sctp_stream_reset_event";
    /** direction of the streams, and denied or failed if the reset did not succeed */
    flags: ("incoming" | "outgoing" | "denied" | "failed")[];
    /** association */
    assoc_id: number;
    /** the streams; empty means all */
    streams: number[];
}

/** The TSNs of an association were reset, or the peer refused to reset them. */
export interface SctpAssocResetEvent extends Happening {
    readonly kind: "sctp_assoc_reset_event";
    /** denied or failed if the reset did not succeed */
    flags: ("denied" | "failed")[];
    /** association */
    assoc_id: number;
    /** next TSN of this side */
    local_tsn: number;
    /** next TSN of the peer */
    remote_tsn: number;
}

/** Streams were added, or the peer refused to add them. */
export interface SctpStreamChangeEvent extends Happening {
    readonly kind: "sctp_stream_change_event";
    /** denied or failed if nothing was added */
    flags: ("denied" | "failed")[];
    /** association */
    assoc_id: number;
    /** number of inbound streams that were added */
    instrms: number;
    /** number of outbound streams that were added */
    outstrms: number;
}

/** Something happened. if (event.kind === "data") tells the types apart. */
export type SctpEvent =
    | DataEvent
    | SctpSendFailedEvent
    | AcceptEvent
    | UnknownEvent
    | SctpPassiveEvent
    | SctpClosedEvent
    | SctpdStalledEvent
    | SctpdPrimaryEvent
    | OwnerEvent
    | SupervisedEvent
    | AssignedEvent
    | UnassignedEvent
    | LeftEvent
    | WatchEvent
    | TapEvent
    | ErrorEvent
    | OverrunEvent
    | SupersededEvent
    | SctpAssocChangeEvent
    | SctpPaddrChangeEvent
    | SctpRemoteErrorEvent
    | SctpShutdownEvent
    | SctpAdaptationEvent
    | SctpPdapiEvent
    | SctpAuthkeyEvent
    | SctpSenderDryEvent
    | SctpStreamResetEvent
    | SctpAssocResetEvent
    | SctpStreamChangeEvent;

/** Events by their names: what a listener gets. */
export interface Events {
    data: [DataEvent];
    sctp_send_failed: [SctpSendFailedEvent];
    accept: [AcceptEvent];
    unknown: [UnknownEvent];
    sctp_passive: [SctpPassiveEvent];
    sctp_closed: [SctpClosedEvent];
    sctpd_stalled: [SctpdStalledEvent];
    sctpd_primary: [SctpdPrimaryEvent];
    owner: [OwnerEvent];
    supervised: [SupervisedEvent];
    assigned: [AssignedEvent];
    unassigned: [UnassignedEvent];
    left: [LeftEvent];
    watch: [WatchEvent];
    tap: [TapEvent];
    error: [ErrorEvent];
    overrun: [OverrunEvent];
    superseded: [SupersededEvent];
    sctp_assoc_change: [SctpAssocChangeEvent];
    sctp_paddr_change: [SctpPaddrChangeEvent];
    sctp_remote_error: [SctpRemoteErrorEvent];
    sctp_shutdown_event: [SctpShutdownEvent];
    sctp_adaptation_event: [SctpAdaptationEvent];
    sctp_pdapi_event: [SctpPdapiEvent];
    sctp_authkey_event: [SctpAuthkeyEvent];
    sctp_sender_dry_event: [SctpSenderDryEvent];
    sctp_stream_reset_event: [SctpStreamResetEvent];
    sctp_assoc_reset_event: [SctpAssocResetEvent];
    sctp_stream_change_event: [SctpStreamChangeEvent];
}

/** The events that the socket delivers. The first seven are on by default. */
export interface SctpEvents {
    /** sctp_sndrcvinfo with each message */
    data_io_event?: boolean;
    /** sctp_assoc_change */
    association_event?: boolean;
    /** sctp_paddr_change */
    address_event?: boolean;
    /** sctp_send_failed */
    send_failure_event?: boolean;
    /** sctp_remote_error */
    peer_error_event?: boolean;
    /** sctp_shutdown_event */
    shutdown_event?: boolean;
    /** sctp_pdapi_event */
    partial_delivery_event?: boolean;
    /** sctp_adaptation_event */
    adaptation_layer_event?: boolean;
    /** sctp_authkey_event */
    authentication_event?: boolean;
    /** sctp_sender_dry_event */
    sender_dry_event?: boolean;
    /** sctp_stream_reset_event */
    stream_reset_event?: boolean;
    /** sctp_assoc_reset_event */
    assoc_reset_event?: boolean;
    /** sctp_stream_change_event */
    stream_change_event?: boolean;
}

/** Accept data from peers that have the key, and from nobody else. It does all that this needs, in the right order: sctp_auth_supported, sctp_auth_chunk, sctp_hmac_ident, sctp_auth_key, sctp_auth_active_key, the deletion of the empty key 0, which otherwise stays valid, and refuse_without_auth. Set it before there is an association. A peer that supports AUTH and has another key can set up an association and end it, but no data of it arrives. See "Keys". */
export interface SctpAuthRequired {
    /** number of the key, not 0 */
    keynumber?: number;
    /** the key, 1 to 256 bytes */
    key?: Bytes;
    /** types of chunks; absent: data, i_data, forward_tsn, i_forward_tsn and re_config */
    chunks?: ("data" | "sack" | "heartbeat" | "heartbeat_ack" | "abort" | "shutdown" | "shutdown_ack" | "error" | "cookie_echo" | "cookie_ack" | "ecne" | "cwr" | "i_data" | "asconf_ack" | "re_config" | "pad" | "forward_tsn" | "asconf" | "i_forward_tsn")[];
    /** algorithms, the preferred one first; absent: sha256 where the stack has it, and sha1 */
    hmacs?: ("sha1" | "sha256")[];
}

/** Look after the primary paths of the socket's associations. When the wanted path fails, another one that works becomes the primary; when it has worked again for the time in return, it becomes the primary again. Each failure of it adds 1000 to a penalty, which halves with half_life; from 2500 on the path is damped, and not taken again before the penalty is below 1000. Each change is the event sctpd_primary and a log line. Paths that are potentially failed are shown from then on, as sctp_expose_potentially_failed_state 2 does. See "Watching". */
export interface PathManager {
    /** whether the paths are looked after; the default is false */
    on?: boolean;
    /** the wanted address of the peer; absent, 0.0.0.0, or none of the peer's: the primary that the association came up with */
    primary?: string;
    /** for how long the wanted path works before it is taken again, ms; 0: at once; infinity: not before the other one fails; the default is 5000 */
    return?: number | "infinity";
    /** time in which the penalty for failures halves, ms, at most 3600000; 0: nothing is damped; the default is 15000 */
    half_life?: number | "infinity";
    /** fast sets what moves data to another path within a second: sctp_rtoinfo to initial 500, min 300 and max 600, a heartbeat each 1000 ms, and sctp_peer_addr_thlds to pathmaxrxt 5 and pathpfthld 0; kept, the default, leaves them as they are */
    failover?: "kept" | "fast";
    /** whether the peer is asked to send to our address of that path, too; see sctp_set_peer_primary_addr */
    ask_peer?: boolean;
}

/** Tell by the event sctpd_stalled when an association is up and its peer answers heartbeats, and yet nothing is acknowledged for this time although something waits for it: the peer does not read, or something on the way passes heartbeats only. It is not told while the peer waits for us, as our own window is closed. See "Watching". */
export interface Stall {
    /** ms, 1000 to 86400000; infinity, the default: nobody looks */
    time?: number | "infinity";
    /** whether a stalled association is aborted; it needs time */
    abort?: boolean;
}

/** With on and 0 seconds, close aborts the associations instead of shutting them down. With on and more seconds, close waits until they have ended, for at most that long. */
export interface Linger {
    /** whether close lingers */
    on?: boolean;
    /** longest time to wait, seconds */
    seconds?: number;
}

/** Bounds of the retransmission timeout. */
export interface SctpRtoinfo {
    /** association; 0: new ones */
    assoc_id?: number;
    /** first timeout, ms */
    initial?: number;
    /** upper bound, ms */
    max?: number;
    /** lower bound, ms */
    min?: number;
}

/** Limits of an association. */
export interface SctpAssocinfo {
    /** association; 0: new ones */
    assoc_id?: number;
    /** retransmissions before the association is given up */
    asocmaxrxt?: number;
    /** addresses of the peer; read only */
    number_peer_destinations?: number;
    /** the peer's window, bytes; read only */
    peer_rwnd?: number;
    /** this side's window, bytes; read only */
    local_rwnd?: number;
    /** lifetime of a cookie, ms */
    cookie_life?: number;
}

/** What new associations of the socket ask for. */
export interface SctpInitmsg {
    /** number of outbound streams to ask for */
    num_ostreams?: number;
    /** largest number of inbound streams to accept */
    max_instreams?: number;
    /** INIT retransmissions before the attempt is given up; 0: the stack's default */
    max_attempts?: number;
    /** longest time between INITs, ms; 0: the stack's default */
    max_init_timeo?: number;
}

/** Ask the peer to use this local address as its primary destination. Both sides need sctp_asconf_supported. */
export interface SctpSetPeerPrimaryAddr {
    /** association */
    assoc_id?: number;
    /** local address and port */
    addr?: Endpoint;
}

/** Accept chunks of this type only behind an AUTH chunk, in new associations. Each setting adds one type. It needs sctp_auth_supported. A peer without AUTH is not bound by it; sctp_auth_required refuses such peers. */
export interface SctpAuthChunk {
    /** type of the chunk */
    chunk?: "data" | "sack" | "heartbeat" | "heartbeat_ack" | "abort" | "shutdown" | "shutdown_ack" | "error" | "cookie_echo" | "cookie_ack" | "ecne" | "cwr" | "i_data" | "asconf_ack" | "re_config" | "pad" | "forward_tsn" | "asconf" | "i_forward_tsn";
}

/** Give the stack a shared key. The key of number 0 is empty and valid until it is deleted. Nothing shows a key: see "Keys". */
export interface SctpAuthKey {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** number of the key */
    keynumber?: number;
    /** the key, at most 256 bytes */
    key?: Bytes;
}

/** The key with which chunks are sent. The peer needs it under the same number before it is made active. */
export interface SctpAuthActiveKey {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** number of the key */
    keynumber?: number;
}

/** Send no more with this key, which is not the active one. The event sctp_authkey_event says free_key when nothing that was sent with it is left. Then delete it. */
export interface SctpAuthDeactivateKey {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** number of the key */
    keynumber?: number;
}

/** Delete a key, which is not the active one. Chunks that come with it are dropped from then on. */
export interface SctpAuthDeleteKey {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** number of the key */
    keynumber?: number;
}

/** The algorithms that peers may use in AUTH chunks to this socket, the preferred one first. The list must have sha1. It needs sctp_auth_supported. */
export interface SctpHmacIdent {
    /** sha1, sha256 */
    idents?: ("sha1" | "sha256")[];
}

/** The types of chunks that the peer accepts only behind an AUTH chunk. */
export interface SctpPeerAuthChunks {
    /** association */
    assoc_id?: number;
    /** types of chunks */
    chunks?: ("data" | "sack" | "heartbeat" | "heartbeat_ack" | "abort" | "shutdown" | "shutdown_ack" | "error" | "cookie_echo" | "cookie_ack" | "ecne" | "cwr" | "i_data" | "asconf_ack" | "re_config" | "pad" | "forward_tsn" | "asconf" | "i_forward_tsn")[];
}

/** The types of chunks that this side accepts only behind an AUTH chunk. */
export interface SctpLocalAuthChunks {
    /** association */
    assoc_id?: number;
    /** types of chunks */
    chunks?: ("data" | "sack" | "heartbeat" | "heartbeat_ack" | "abort" | "shutdown" | "shutdown_ack" | "error" | "cookie_echo" | "cookie_ack" | "ecne" | "cwr" | "i_data" | "asconf_ack" | "re_config" | "pad" | "forward_tsn" | "asconf" | "i_forward_tsn")[];
}

/** The primary address of the peer, to which messages are sent while it is reachable. */
export interface SctpPrimaryAddr {
    /** association */
    assoc_id?: number;
    /** address and port of the peer */
    addr?: Endpoint;
}

/** The adaptation layer indication that new associations announce. */
export interface SctpAdaptationLayer {
    /** the indication */
    adaptation_ind?: number;
}

/** Heartbeat, path MTU and SACK delay of a path. A value takes effect only with its enabling flag. */
export interface SctpPeerAddrParams {
    /** association; 0: new ones */
    assoc_id?: number;
    /** address of the peer; absent: all */
    address?: Endpoint;
    /** heartbeat interval, ms */
    hbinterval?: number;
    /** retransmissions before the path is considered unreachable */
    pathmaxrxt?: number;
    /** path MTU, bytes, when path MTU discovery is off */
    pathmtu?: number;
    /** delay of SACKs, ms */
    sackdelay?: number;
    /** which values to set, and what to enable or disable */
    flags?: ("hb_enable" | "hb_disable" | "hb_demand" | "pmtud_enable" | "pmtud_disable" | "sackdelay_enable" | "sackdelay_disable" | "hb_time_is_zero" | "ipv6_flowlabel" | "dscp")[];
    /** flow label of IPv6 packets; needs its flag */
    ipv6_flowlabel?: number;
    /** DSCP and traffic class of packets; needs its flag; clears the ECN bits */
    dscp?: number;
}

/** Default parameters of send, used when it is given assoc_id and stream. */
export interface SctpDefaultSendParam {
    /** stream */
    stream?: number;
    /** unordered, addr_over */
    flags?: ("unordered" | "addr_over" | "abort" | "eof")[];
    /** payload protocol identifier */
    ppid?: number;
    /** returned with sctp_send_failed */
    context?: number;
    /** how long the message may wait to be sent, ms; 0: without limit */
    timetolive?: number;
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
}

/** Size of the largest fragment of a message. */
export interface SctpMaxseg {
    /** association; 0: new ones */
    assoc_id?: number;
    /** bytes; 0: as large as the path allows */
    assoc_value?: number;
}

/** The primary path, as in sctp_get_peer_addr_info. */
export interface SctpStatusPrimary {
    /** association; 0: the one that has this address */
    assoc_id: number;
    /** address of the peer */
    address?: Endpoint;
    /** state of the path */
    state: "inactive" | "active" | "unconfirmed" | "potentially_failed" | "undefined";
    /** congestion window, bytes */
    cwnd: number;
    /** smoothed round trip time, ms */
    srtt: number;
    /** retransmission timeout, ms */
    rto: number;
    /** path MTU, bytes */
    mtu: number;
}

/** State of an association. */
export interface SctpStatus {
    /** association */
    assoc_id?: number;
    /** state of the association */
    state?: "empty" | "closed" | "cookie_wait" | "cookie_echoed" | "established" | "shutdown_pending" | "shutdown_sent" | "shutdown_received" | "shutdown_ack_sent";
    /** the peer's window, bytes */
    rwnd?: number;
    /** DATA chunks that have not been acknowledged */
    unackdata?: number;
    /** DATA chunks that wait to be received */
    penddata?: number;
    /** number of inbound streams */
    instrms?: number;
    /** number of outbound streams */
    outstrms?: number;
    /** longest message that is not fragmented, bytes */
    fragmentation_point?: number;
    /** the primary path, as in sctp_get_peer_addr_info */
    primary?: SctpStatusPrimary;
}

/** State of a path. */
export interface SctpGetPeerAddrInfo {
    /** association; 0: the one that has this address */
    assoc_id?: number;
    /** address of the peer */
    address?: Endpoint;
    /** state of the path */
    state?: "inactive" | "active" | "unconfirmed" | "potentially_failed" | "undefined";
    /** congestion window, bytes */
    cwnd?: number;
    /** smoothed round trip time, ms */
    srtt?: number;
    /** retransmission timeout, ms */
    rto?: number;
    /** path MTU, bytes */
    mtu?: number;
}

/** How long a SACK may be delayed. */
export interface SctpDelayedAckTime {
    /** association; 0: new ones */
    assoc_id?: number;
    /** ms; 0: no delay; at most 500 */
    assoc_value?: number;
}

/** How long, and for how many packets, a SACK may be delayed. */
export interface SctpDelayedSack {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** ms */
    delay?: number;
    /** packets; 1: no delay */
    freq?: number;
}

/** The context that received messages carry. */
export interface SctpContext {
    /** association; 0: new ones */
    assoc_id?: number;
    /** the context */
    assoc_value?: number;
}

/** Number of packets that may be sent in one burst. */
export interface SctpMaxBurst {
    /** association; 0: new ones */
    assoc_id?: number;
    /** packets; 0: no limit */
    assoc_value?: number;
}

/** Default parameters of send, as in sctp_default_send_param, without timetolive. */
export interface SctpDefaultSndinfo {
    /** stream */
    sid?: number;
    /** unordered, addr_over */
    flags?: ("unordered" | "addr_over" | "abort" | "eof")[];
    /** payload protocol identifier */
    ppid?: number;
    /** returned with sctp_send_failed */
    context?: number;
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
}

/** When the stack abandons messages (PR-SCTP). */
export interface SctpDefaultPrinfo {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** ms (ttl), retransmissions (rtx) or priority (prio) */
    value?: number;
    /** the PR-SCTP policy */
    policy?: "none" | "ttl" | "rtx" | "prio" | "all";
}

/** Offer partial reliability (PR-SCTP). */
export interface SctpPrSupported {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 1 or 0 */
    assoc_value?: number;
}

/** Number of messages of an association that were abandoned (PR-SCTP). */
export interface SctpPrAssocStatus {
    /** association */
    assoc_id?: number;
    /** stream */
    sid?: number;
    /** policy that is asked about */
    policy?: "none" | "ttl" | "rtx" | "prio" | "all";
    /** messages abandoned before they were sent */
    abandoned_unsent?: number;
    /** messages abandoned after they were sent */
    abandoned_sent?: number;
}

/** Number of messages of a stream that were abandoned (PR-SCTP). */
export interface SctpPrStreamStatus {
    /** association */
    assoc_id?: number;
    /** stream */
    sid?: number;
    /** policy that is asked about */
    policy?: "none" | "ttl" | "rtx" | "prio" | "all";
    /** messages abandoned before they were sent */
    abandoned_unsent?: number;
    /** messages abandoned after they were sent */
    abandoned_sent?: number;
}

/** Offer stream reconfiguration (RE-CONFIG): resetting and adding streams. */
export interface SctpReconfigSupported {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 1 or 0 */
    assoc_value?: number;
}

/** The kinds of stream reconfiguration that the peer may request. */
export interface SctpEnableStreamReset {
    /** association; 0: new ones */
    assoc_id?: number;
    /** reset_streams, reset_assoc, add_streams */
    assoc_value?: ("reset_streams" | "reset_assoc" | "add_streams")[];
}

/** Add streams to an association. The event sctp_stream_change_event reports the result. */
export interface SctpAddStreams {
    /** association */
    assoc_id?: number;
    /** number of inbound streams to add */
    instrms?: number;
    /** number of outbound streams to add */
    outstrms?: number;
}

/** Offer I-DATA: fragments of messages on different streams interleave, so that a short message need not wait for a long one. Set sctp_fragment_interleave to 2 before. The kernel's stack also needs the sysctl net.sctp.intl_enable; without either of them it fails with eperm. */
export interface SctpInterleavingSupported {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 1 or 0 */
    assoc_value?: number;
}

/** The scheduler that selects the stream to send from next. The kernel has fc and wfq from Linux 6.4; where a stack does not have one, setting it is einval. */
export interface SctpStreamScheduler {
    /** association; 0: new ones, 1: existing ones, 2: both */
    assoc_id?: number;
    /** fcfs, prio, rr, fc or wfq */
    assoc_value?: "fcfs" | "prio" | "rr" | "fc" | "wfq";
}

/** Priority of a stream for the scheduler. */
export interface SctpStreamSchedulerValue {
    /** association */
    assoc_id?: number;
    /** stream */
    stream_id?: number;
    /** prio: the priority of the stream, 0 is the highest; wfq: its weight */
    stream_value?: number;
}

/** Offer to add and remove addresses while an association is up (ASCONF). It needs sctp_auth_supported. */
export interface SctpAsconfSupported {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 1 or 0 */
    assoc_value?: number;
}

/** Offer authenticated chunks (AUTH). */
export interface SctpAuthSupported {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 1 or 0 */
    assoc_value?: number;
}

/** Offer explicit congestion notification (ECN). */
export interface SctpEcnSupported {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 1 or 0 */
    assoc_value?: number;
}

/** After how many timeouts a path is potentially failed, which means that messages take another path, and after how many it is unreachable. */
export interface SctpPeerAddrThlds {
    /** association; 0: new ones */
    assoc_id?: number;
    /** address of the peer; absent: all */
    address?: Endpoint;
    /** timeouts before the path is unreachable; setting 0 keeps it */
    pathmaxrxt?: number;
    /** timeouts before the path is potentially failed; 0: at the first; more than pathmaxrxt: never */
    pathpfthld?: number;
}

/** The same as sctp_peer_addr_thlds, and after how many timeouts the primary path changes for good. */
export interface SctpPeerAddrThldsV2 {
    /** association; 0: new ones */
    assoc_id?: number;
    /** address of the peer; absent: all */
    address?: Endpoint;
    /** timeouts before the path is unreachable; setting 0 keeps it */
    pathmaxrxt?: number;
    /** timeouts before the path is potentially failed; 0: at the first; more than pathmaxrxt: never */
    pathpfthld?: number;
    /** timeouts before another path becomes the primary one; 65535: never */
    pathcpthld?: number;
}

/** Whether the path state potentially_failed is shown. */
export interface SctpExposePotentiallyFailedState {
    /** association; 0: new ones */
    assoc_id?: number;
    /** 0: the system's setting; 1: no; 2: yes, also in events */
    assoc_value?: number;
}

/** Send SCTP over UDP, to this port. To receive SCTP over UDP, the kernel's stack needs the sysctl net.sctp.udp_port. */
export interface SctpRemoteUdpEncapsPort {
    /** association; 0: new ones */
    assoc_id?: number;
    /** address of the peer; absent: all */
    address?: Endpoint;
    /** UDP port; 0: SCTP over IP */
    port?: number;
}

/** How often the path MTU is searched with probes of its own, HEARTBEAT chunks with PAD chunks behind them, which needs no ICMP. */
export interface SctpPlpmtudProbeInterval {
    /** association; 0: new ones */
    assoc_id?: number;
    /** address of the peer; absent: all */
    address?: Endpoint;
    /** ms, 5000 at least; 0: no probes */
    interval?: number;
}

/** Counters of an association since it was set up. */
export interface SctpAssocStats {
    /** association */
    assoc_id?: number;
    /** address of the path that maxrto was of */
    obs_rto_ipaddr?: Endpoint;
    /** longest retransmission timeout since this was read last, ms */
    maxrto?: number;
    /** SACKs received */
    isacks?: number;
    /** SACKs sent */
    osacks?: number;
    /** packets sent */
    opackets?: number;
    /** packets received */
    ipackets?: number;
    /** chunks sent again */
    rtxchunks?: number;
    /** chunks received that were ahead of a gap */
    outofseqtsns?: number;
    /** chunks received twice */
    idupchunks?: number;
    /** gaps that SACKs told */
    gapcnt?: number;
    /** unordered DATA chunks sent */
    ouodchunks?: number;
    /** unordered DATA chunks received */
    iuodchunks?: number;
    /** ordered DATA chunks sent */
    oodchunks?: number;
    /** ordered DATA chunks received */
    iodchunks?: number;
    /** control chunks sent */
    octrlchunks?: number;
    /** control chunks received */
    ictrlchunks?: number;
}

/** All options, by their names. */
export interface Options {
    /** How the owner receives messages and events. With true the daemon sends them as they arrive, with flow control; with once it sends one; with a count it sends that many and then sctp_passive; with false recv returns them one at a time. true, false, "once", or an integer from -32768 to 32767 that is added to the count. (get, set; socket) */
    active?: any;
    /** The events that the socket delivers. The first seven are on by default. (get, set; socket) */
    sctp_events?: SctpEvents;
    /** How an Erlang owner represents a message. The protocol carries bytes in either case. binary or list. (get, set; socket) */
    mode?: "binary" | "list";
    /** How many bytes one turn of the daemon's loop delivers from this socket before other sockets have their turn. Messages arrive whole in any case. The default is 1 MiB. bytes; 0 is taken as 1. (get, set; socket) */
    buffer?: number;
    /** With non_block_send, send starts to fail with eagain when more than this many bytes of an association wait. bytes; 0 is taken as 1. (get, set; socket) */
    high_msgq_watermark?: number;
    /** With non_block_send, send stops failing with eagain when no more than this many bytes of an association wait. bytes; 0 is taken as 1. (get, set; socket) */
    low_msgq_watermark?: number;
    /** How long a message may wait for room in the send buffer. After that it is not sent, and send fails with timeout. ms, or "infinity". (get, set; socket) */
    send_timeout?: number | "infinity";
    /** The answer to send never waits for room in the send buffer. A message that finds no room is queued and answered at once; when more than high_msgq_watermark bytes are queued already, send fails with eagain. A queued message that cannot be sent later is reported by sctp_send_failed. true or false. (get, set; socket) */
    non_block_send?: boolean;
    /** Bundle messages that are sent one right after the other into common packets, as many as fit. A single message is never delayed by it. With false each message has a packet of its own, unless it waits for the window. The default is true. true or false. (get, set; socket) */
    bundle?: boolean;
    /** Abort associations whose peer does not support AUTH. Without this, the stack goes on unauthenticated with such a peer, whatever the socket asks for. sctp_auth_required sets it. true or false. (get, set; socket) */
    refuse_without_auth?: boolean;
    /** Accept data from peers that have the key, and from nobody else. It does all that this needs, in the right order: sctp_auth_supported, sctp_auth_chunk, sctp_hmac_ident, sctp_auth_key, sctp_auth_active_key, the deletion of the empty key 0, which otherwise stays valid, and refuse_without_auth. Set it before there is an association. A peer that supports AUTH and has another key can set up an association and end it, but no data of it arrives. See "Keys". (set; socket) */
    sctp_auth_required?: SctpAuthRequired;
    /** What happens to the socket when its owner's connection ends. With close its associations are shut down, with abort they are aborted, and with hold the socket stays as it is, unread, for hold_time. The socket of a supervised association stays in any case: it is nobody's at once, or, with hold, after hold_time. close, abort or hold. (get, set; socket) */
    on_owner_exit?: "close" | "abort" | "hold";
    /** With on_owner_exit hold, how long the socket waits for its owner to come back or for another client to adopt it. After that it is closed; that of a supervised association is nobody's then. ms or infinity. (get, set; socket) */
    hold_time?: number | "infinity";
    /** Look after the primary paths of the socket's associations. When the wanted path fails, another one that works becomes the primary; when it has worked again for the time in return, it becomes the primary again. Each failure of it adds 1000 to a penalty, which halves with half_life; from 2500 on the path is damped, and not taken again before the penalty is below 1000. Each change is the event sctpd_primary and a log line. Paths that are potentially failed are shown from then on, as sctp_expose_potentially_failed_state 2 does. See "Watching". (get, set; socket) */
    path_manager?: PathManager;
    /** Tell by the event sctpd_stalled when an association is up and its peer answers heartbeats, and yet nothing is acknowledged for this time although something waits for it: the peer does not read, or something on the way passes heartbeats only. It is not told while the peer waits for us, as our own window is closed. See "Watching". (get, set; socket) */
    stall?: Stall;
    /** The network namespace of the socket. Only root and the users in netns_users of sctpd.conf may give it, and the daemon needs CAP_SYS_ADMIN. a path, such as "/run/netns/left". (open; socket) */
    netns?: string;
    /** Send and receive through this interface only. The kernel still offers peers the addresses of the other interfaces, so bind the socket to addresses too. name of an interface; "" for none. (get, set; socket) */
    bind_to_device?: string;
    /** The kernel accepts this option, but its SCTP delivers no such value with a message. true or false. (get, set; socket) */
    recvtos?: boolean;
    /** The kernel accepts this option, but its SCTP delivers no such value with a message. true or false. (get, set; socket) */
    recvttl?: boolean;
    /** The kernel accepts this option on inet6 sockets, but its SCTP delivers no such value with a message. true or false. (get, set; socket) */
    recvtclass?: boolean;
    /** Each event data has the field timestamp, which says when the message arrived, in microseconds since 1970. true or false. (get, set; socket) */
    timestamp?: boolean;
    /** Size of the send buffer of each association, which limits the length of a message. The kernel doubles the value. Only root may exceed max_sndbuf of sctpd.conf. The default is 2 MiB, which reads back as 4 MiB. bytes. (get, set; socket) */
    sndbuf?: number;
    /** Size of the receive buffer from which the window of an association is computed. Once the association is up, its buffer is five times as large, because the window counts bytes of data and the buffer counts whole packets. The kernel doubles the value. Only root may exceed max_recbuf of sctpd.conf. The default reads back as 1 MiB. bytes. (get, set; socket) */
    recbuf?: number;
    /** With on and 0 seconds, close aborts the associations instead of shutting them down. With on and more seconds, close waits until they have ended, for at most that long. (get, set; socket) */
    linger?: Linger;
    /** Let two sockets that both have this option bind the same address and port. One of them may listen. true or false. (get, set; socket) */
    reuseaddr?: boolean;
    /** Let several sockets of one user listen on the same port. The kernel distributes the peers among them. Sockets of other users cannot join. true or false. (get, set; socket) */
    reuseport?: boolean;
    /** Send to directly connected hosts only. true or false. (get, set; socket) */
    dontroute?: boolean;
    /** Priority of the packets in this host's queues. 0 to 6; only root may set more. (get, set; socket) */
    priority?: number;
    /** Type of service of IPv4 packets. Set it before the association is set up. the byte; the kernel controls its two low bits. (get, set; socket) */
    tos?: number;
    /** Time to live of IPv4 packets, in hops. 1 to 255. (get, set; socket) */
    ttl?: number;
    /** Mark of the packets, by which routing rules and firewalls tell them apart. The daemon needs CAP_NET_ADMIN. the mark; only root may set it. (get, set; socket) */
    mark?: number;
    /** Let the socket be bound to addresses that this host does not have yet, such as a floating address. Give it at open. true or false. (get, set; socket) */
    freebind?: boolean;
    /** Drop packets of associations that the listening socket does not have, and do not answer them with ABORT. New associations are accepted as usual. It is for a host that is about to take associations over, and for one that has lost them, as an ABORT of theirs would end what another host has; see Standby. One-to-many sockets only. true or false. (get, set; socket) */
    blackhole?: boolean;
    /** Traffic class of IPv6 packets; inet6 sockets only. the byte. (get, set; socket) */
    tclass?: number;
    /** Restrict an inet6 socket to IPv6. A bound socket refuses this option, so give it at open. true or false. (get, set; socket) */
    ipv6_v6only?: boolean;
    /** Bounds of the retransmission timeout. (get, set; future) */
    sctp_rtoinfo?: SctpRtoinfo;
    /** Limits of an association. (get, set; future) */
    sctp_associnfo?: SctpAssocinfo;
    /** What new associations of the socket ask for. (get, set; socket) */
    sctp_initmsg?: SctpInitmsg;
    /** Send small messages at once instead of waiting for more. The default is true, unlike in gen_sctp. true or false. (get, set; socket) */
    sctp_nodelay?: boolean;
    /** Shut down associations that have been idle for this time. The option exists on one-to-many sockets only. seconds; 0: never. (get, set; socket) */
    sctp_autoclose?: number;
    /** Ask the peer to use this local address as its primary destination. Both sides need sctp_asconf_supported. (set; assoc) */
    sctp_set_peer_primary_addr?: SctpSetPeerPrimaryAddr;
    /** Accept chunks of this type only behind an AUTH chunk, in new associations. Each setting adds one type. It needs sctp_auth_supported. A peer without AUTH is not bound by it; sctp_auth_required refuses such peers. (set; socket) */
    sctp_auth_chunk?: SctpAuthChunk;
    /** Give the stack a shared key. The key of number 0 is empty and valid until it is deleted. Nothing shows a key: see "Keys". (set; current) */
    sctp_auth_key?: SctpAuthKey;
    /** The key with which chunks are sent. The peer needs it under the same number before it is made active. (get, set; current) */
    sctp_auth_active_key?: SctpAuthActiveKey;
    /** Send no more with this key, which is not the active one. The event sctp_authkey_event says free_key when nothing that was sent with it is left. Then delete it. (set; current) */
    sctp_auth_deactivate_key?: SctpAuthDeactivateKey;
    /** Delete a key, which is not the active one. Chunks that come with it are dropped from then on. (set; current) */
    sctp_auth_delete_key?: SctpAuthDeleteKey;
    /** The algorithms that peers may use in AUTH chunks to this socket, the preferred one first. The list must have sha1. It needs sctp_auth_supported. (get, set; socket) */
    sctp_hmac_ident?: SctpHmacIdent;
    /** The types of chunks that the peer accepts only behind an AUTH chunk. (get; assoc) */
    sctp_peer_auth_chunks?: SctpPeerAuthChunks;
    /** The types of chunks that this side accepts only behind an AUTH chunk. (get; future) */
    sctp_local_auth_chunks?: SctpLocalAuthChunks;
    /** The primary address of the peer, to which messages are sent while it is reachable. (get, set; assoc) */
    sctp_primary_addr?: SctpPrimaryAddr;
    /** The adaptation layer indication that new associations announce. (get, set; socket) */
    sctp_adaptation_layer?: SctpAdaptationLayer;
    /** Refuse messages that do not fit in one packet. true or false. (get, set; socket) */
    sctp_disable_fragments?: boolean;
    /** Heartbeat, path MTU and SACK delay of a path. A value takes effect only with its enabling flag. (get, set; future) */
    sctp_peer_addr_params?: SctpPeerAddrParams;
    /** Default parameters of send, used when it is given assoc_id and stream. (get, set; current) */
    sctp_default_send_param?: SctpDefaultSendParam;
    /** Show IPv4 peers of an inet6 socket as mapped addresses, ::ffff:a.b.c.d. true or false. (get, set; socket) */
    sctp_i_want_mapped_v4_addr?: boolean;
    /** Size of the largest fragment of a message. (get, set; future) */
    sctp_maxseg?: SctpMaxseg;
    /** State of an association. (get; assoc) */
    sctp_status?: SctpStatus;
    /** State of a path. (get; assoc) */
    sctp_get_peer_addr_info?: SctpGetPeerAddrInfo;
    /** How long a SACK may be delayed. (get, set; current) */
    sctp_delayed_ack_time?: SctpDelayedAckTime;
    /** How long, and for how many packets, a SACK may be delayed. (get, set; current) */
    sctp_delayed_sack?: SctpDelayedSack;
    /** The context that received messages carry. (get, set; current) */
    sctp_context?: SctpContext;
    /** Whether the stack delivers parts of several long messages in turns, which the daemon joins. sctp_interleaving_supported needs 1 or 2. An association without I-DATA has 0 whatever is set, because its messages come one after the other. The default is 0. 0 to 2; the kernel reads 2 back as 1. (get, set; socket) */
    sctp_fragment_interleave?: number;
    /** Size from which the stack delivers a message in parts, which the daemon joins. The default is half the window, because a message longer than the window would wait for a timer. bytes. (get, set; socket) */
    sctp_partial_delivery_point?: number;
    /** Number of packets that may be sent in one burst. (get, set; current) */
    sctp_max_burst?: SctpMaxBurst;
    /** Default parameters of send, as in sctp_default_send_param, without timetolive. (get, set; current) */
    sctp_default_sndinfo?: SctpDefaultSndinfo;
    /** When the stack abandons messages (PR-SCTP). (get, set; current) */
    sctp_default_prinfo?: SctpDefaultPrinfo;
    /** Tell peers about local addresses that are added and removed. The socket must be bound to any address; set the option after open. true or false. (get, set; socket) */
    sctp_auto_asconf?: boolean;
    /** Offer partial reliability (PR-SCTP). (get, set; future) */
    sctp_pr_supported?: SctpPrSupported;
    /** Number of messages of an association that were abandoned (PR-SCTP). (get; assoc) */
    sctp_pr_assoc_status?: SctpPrAssocStatus;
    /** Number of messages of a stream that were abandoned (PR-SCTP). (get; assoc) */
    sctp_pr_stream_status?: SctpPrStreamStatus;
    /** Offer stream reconfiguration (RE-CONFIG): resetting and adding streams. (get, set; future) */
    sctp_reconfig_supported?: SctpReconfigSupported;
    /** The kinds of stream reconfiguration that the peer may request. (get, set; current) */
    sctp_enable_stream_reset?: SctpEnableStreamReset;
    /** Add streams to an association. The event sctp_stream_change_event reports the result. (set; assoc) */
    sctp_add_streams?: SctpAddStreams;
    /** Offer I-DATA: fragments of messages on different streams interleave, so that a short message need not wait for a long one. Set sctp_fragment_interleave to 2 before. The kernel's stack also needs the sysctl net.sctp.intl_enable; without either of them it fails with eperm. (get, set; future) */
    sctp_interleaving_supported?: SctpInterleavingSupported;
    /** The scheduler that selects the stream to send from next. The kernel has fc and wfq from Linux 6.4; where a stack does not have one, setting it is einval. (get, set; current) */
    sctp_stream_scheduler?: SctpStreamScheduler;
    /** Priority of a stream for the scheduler. (get, set; assoc) */
    sctp_stream_scheduler_value?: SctpStreamSchedulerValue;
    /** Offer to add and remove addresses while an association is up (ASCONF). It needs sctp_auth_supported. (get, set; future) */
    sctp_asconf_supported?: SctpAsconfSupported;
    /** Offer authenticated chunks (AUTH). (get, set; future) */
    sctp_auth_supported?: SctpAuthSupported;
    /** Offer explicit congestion notification (ECN). (get, set; future) */
    sctp_ecn_supported?: SctpEcnSupported;
    /** After how many timeouts a path is potentially failed, which means that messages take another path, and after how many it is unreachable. (get, set; future) */
    sctp_peer_addr_thlds?: SctpPeerAddrThlds;
    /** The same as sctp_peer_addr_thlds, and after how many timeouts the primary path changes for good. (get, set; future) */
    sctp_peer_addr_thlds_v2?: SctpPeerAddrThldsV2;
    /** Whether the path state potentially_failed is shown. (get, set; future) */
    sctp_expose_potentially_failed_state?: SctpExposePotentiallyFailedState;
    /** Send SCTP over UDP, to this port. To receive SCTP over UDP, the kernel's stack needs the sysctl net.sctp.udp_port. (get, set; future) */
    sctp_remote_udp_encaps_port?: SctpRemoteUdpEncapsPort;
    /** How often the path MTU is searched with probes of its own, HEARTBEAT chunks with PAD chunks behind them, which needs no ICMP. (get, set; future) */
    sctp_plpmtud_probe_interval?: SctpPlpmtudProbeInterval;
    /** Counters of an association since it was set up. (get; assoc) */
    sctp_assoc_stats?: SctpAssocStats;
}

/** What hello answers. */
export interface HelloResult {
    /** number of this client, as controlling_process takes it */
    client: number;
    /** version of the protocol that the daemon speaks */
    protocol: number;
    /** version of the daemon */
    version: string;
    /** the SCTP stack: kernel or userland */
    stack: string;
    /** list of words that say what this daemon and its stack can do; see Features */
    features: any;
    /** map of the limits in force */
    limits: any;
    /** token of the session, 32 hexadecimal digits, to be kept secret; only in a session */
    resume?: string;
    /** number of this answer; only in a session */
    seq?: number;
    /** number of notifications of the client, other than ack, that the daemon has accepted in this session; absent if it is 0 */
    notifications?: number;
}

/** What describe answers. */
export interface DescribeResult {
    /** list of {name, from, doc, in, out} */
    methods: any;
    /** list of {name, from, doc, here, access, scope, fields}; here: whether the stack in use has the option */
    options: any;
    /** list of {name, from, doc, fields} */
    events: any;
    /** list of {code, doc} */
    errors: any;
}

/** What open answers. */
export interface OpenResult {
    /** handle of the new socket */
    sock: number;
    /** port that the socket is bound to; 0 with bind false */
    port: number;
}

/** What open takes. */
export interface OpenArguments extends Options {
    /** local address, or a list of up to 32 for multi-homing; each is an address, "any" or "loopback" (default: any) */
    ip?: any;
    /** local port; 0 selects a free one (default: 0) */
    port?: number;
    /** seqpacket (one-to-many) or stream (one-to-one) (default: seqpacket) */
    type?: "seqpacket" | "stream";
    /** inet or inet6 (default: the family of the first ip, or inet) */
    family?: "inet" | "inet6";
    /** false leaves the socket unbound: options can be set and read, and the method bind binds it, or the first listen or connect does, to any address and a free port; ip and port must be absent (default: true) */
    bind?: boolean;
}

/** What bind answers. */
export interface BindResult {
    /** port that the socket is bound to */
    port: number;
}

/** What bind takes. */
export interface BindArguments {
    /** local address, or a list of up to 32 for multi-homing; each is an address, "any" or "loopback" (default: any) */
    ip?: any;
    /** local port; 0 selects a free one (default: 0) */
    port?: number;
}

/** What connect answers. */
export interface ConnectResult {
    /** comm_up */
    state: string;
    /** 0 */
    error: number;
    /** number of outbound streams */
    outbound_streams: number;
    /** number of inbound streams */
    inbound_streams: number;
    /** the association */
    assoc_id: number;
}

/** What connect takes. */
export interface ConnectArguments extends Options {
    /** address of the peer, list of its addresses, or host name, of which the first address is used */
    addr: any;
    /** port of the peer */
    port: number;
    /** longest time to wait, including the lookup of a host name, ms (default: infinity; the retransmission limits of SCTP then end the attempt) */
    timeout?: number | "infinity";
}

/** What connect_init answers. */
export interface ConnectInitResult {
    /** the new association; messages may be sent on it at once */
    assoc_id: number;
}

/** What connect_init takes. */
export interface ConnectInitArguments extends Options {
    /** address of the peer, list of its addresses, or host name, of which the first address is used */
    addr: any;
    /** port of the peer */
    port: number;
    /** longest time for the lookup of a host name, ms (default: infinity) */
    timeout?: number | "infinity";
}

/** What connectx_init answers. */
export interface ConnectxInitResult {
    /** the new association; messages may be sent on it at once */
    assoc_id: number;
}

/** What connectx_init takes. */
export interface ConnectxInitArguments extends Options {
    /** list of addresses of the peer, or host name, of which the first address is used */
    addr: any;
    /** port of the peer */
    port: number;
    /** longest time for the lookup of a host name, ms (default: infinity) */
    timeout?: number | "infinity";
}

/** What listen takes. */
export interface ListenArguments {
    /** true; false or 0 to stop; or, for stream, the length of the queue, at most 65535, where a larger number counts as 65535 (default: true, which is 5 for seqpacket and 128 for stream) */
    backlog?: any;
}

/** What accept answers. */
export interface AcceptResult {
    /** handle of the new socket, which is of type stream and passive */
    accepted: number;
    /** address and port of the peer */
    from: Endpoint;
    /** association of the new socket */
    assoc_id: number;
}

/** What peeloff answers. */
export interface PeeloffResult {
    /** handle of the new socket */
    sock: number;
}

/** What send_many answers. */
export interface SendManyResult {
    /** number of messages that the stack has accepted, from the first on */
    taken: number;
    /** error text that says why the next message was not taken; absent if all were */
    error?: string;
}

/** What recv answers. */
export interface RecvResult {
    /** name of the event, whose fields stand beside it */
    event: string;
}

/** What eof takes. */
export interface EofArguments {
    /** association; not needed on a one-to-one socket */
    assoc_id?: number;
}

/** What abort takes. */
export interface AbortArguments {
    /** association; not needed on a one-to-one socket */
    assoc_id?: number;
    /** bytes that the peer receives in its comm_lost, at most 1024; not on stream sockets, except those from peeloff */
    reason?: Bytes;
}

/** What group takes. */
export interface GroupArguments {
    /** name of the group, 1 to 64 bytes of UTF-8, which no other group of this host has */
    name: string;
    /** sticky: each association belongs to one member; active_standby: all belong to the first member by priority; spread: the messages of a single association go to different members (default: sticky) */
    policy?: "sticky" | "active_standby" | "spread";
    /** with sticky: load, so that all have as many, or hash, so that the same peer comes to the same member as long as that is there (default: load); with spread: ppid, stream or bytes, which is the key that messages have in common that one member gets */
    by?: "load" | "hash" | "ppid" | "stream" | "bytes";
    /** with bytes: where the key begins in a message (default: 0) */
    offset?: number;
    /** with bytes: length of the key, 1 to 64 */
    length?: number;
    /** how long a member with a session may be without a connection before its share goes to others, ms, at most 60000 (default: 0); after the daemon has died it is one second at least, or 250 ms if the member's process is gone */
    grace?: number;
    /** how long what is to go to another member may wait for the acknowledgement of the one that has it, ms, at most 3600000; that one is taken out of the group then, as by leave (default: 0, without end) */
    hand_over_time?: number;
    /** list of up to 16 numbers of users who may join beside the owner's (default: none) */
    users?: any;
}

/** What join answers. */
export interface JoinResult {
    /** the group's socket, on which members may send by assoc_id */
    sock: number;
    /** how many members there are now */
    members: number;
}

/** What leave takes. */
export interface LeaveArguments {
    /** name of the group */
    name: string;
    /** another member, for clients of the group's user and administrators (default: the caller) */
    client?: number;
}

/** What drain_member answers. */
export interface DrainMemberResult {
    /** sockets that it still has */
    sockets: number;
}

/** What drain_member takes. */
export interface DrainMemberArguments {
    /** name of the group */
    name: string;
    /** another member, for clients of the group's user and administrators (default: the caller) */
    client?: number;
    /** false puts it back into service (default: true) */
    on?: boolean;
}

/** What ungroup answers. */
export interface UngroupResult {
    /** the socket, which the caller owns now */
    sock: number;
}

/** What ungroup takes. */
export interface UngroupArguments {
    /** name of the group */
    name: string;
}

/** What groups answers. */
export interface GroupsResult {
    /** list of {name, sock, uid, policy, by, offset, length, grace, hand_over_time, users, members, associations, unassigned, waiting, handovers}; associations: those that members have; unassigned: those that wait for a member; waiting: events that wait in the daemon; handovers: how often a socket went from one member to another; members: list of {client, name, pid, uid, priority, state, sockets, going, going_for, queued}, the first by priority first; state: active, draining or away; going: sockets, or with spread slots, that will go to another once what it was sent is acknowledged, and going_for: how long the first of them has waited for that, ms; queued: bytes that it was sent and has not acknowledged */
    groups: any;
}

/** What groups takes. */
export interface GroupsArguments {
    /** only the group of this name */
    name?: string;
}

/** What lend answers. */
export interface LendResult {
    /** association of the socket */
    assoc_id: number;
}

/** What supervise answers. */
export interface SuperviseResult {
    /** its socket; 0 while it could not be opened */
    sock: number;
}

/** What supervise takes. */
export interface SuperviseArguments extends Options {
    /** its name: 1 to 64 letters, digits, and characters of . _ - */
    name: string;
    /** connect: to the peer; listen: for peers, of which there may be several (default: connect) */
    role?: "connect" | "listen";
    /** local addresses, at most 16 items: an address, taken as it is; an interface, which stands for its addresses; or a network such as 10.0.0.0/8, which stands for the host's addresses in it, those of loopback and of bridges excepted. They are looked at again before each attempt. Without it connect takes the address from which the host's routes lead to the peer, and listen all addresses that 0.0.0.0/0 stands for */
    local?: any;
    /** local port; 0 selects a free one (default: 0) */
    local_port?: number;
    /** addresses and names of the peer, at most 16, for role connect; a name is looked up again before each attempt, and stands for its addresses, at most 16; 32 addresses in all are used */
    peer?: any;
    /** port of the peer, for role connect */
    peer_port?: number;
    /** address of the peer that is to be the primary one (default: the first) */
    primary?: string;
    /** outbound streams to ask for (default: the stack's) */
    streams_out?: number;
    /** inbound streams to accept (default: the stack's) */
    streams_in?: number;
    /** pause before the first attempt after an end, ms, 10 to 86400000 (default: 250) */
    backoff_min?: number;
    /** longest pause, ms; each is twice the one before (default: 5000) */
    backoff_max?: number;
    /** how much of a pause is left out by chance, in percent, 0 to 100 (default: 20) */
    jitter?: number;
    /** who may own the socket, at most 16: user numbers, group numbers as @100, or all; sctpd.conf takes names as well. Who supervises it may do so anyway (default: nobody else) */
    attach?: any;
    /** true: nothing is sent until the method up is called (default: false) */
    down?: boolean;
}

/** What unsupervise takes. */
export interface UnsuperviseArguments {
    /** its name */
    name: string;
}

/** What supervised answers. */
export interface SupervisedResult {
    /** list of {name, role, state, since, attempts, next, reason, sock, associations, owner, uid, config}; state: down (an administrator said so), waiting, connecting, listening or up; since: for how long, ms; attempts: those that failed in a row; next: when the next begins, in ms, 0 if none waits; reason: why it is not up, or why it was not last; sock: its socket, 0 if it could not be opened; owner: the client that is attached, or 0; uid: who supervises it; config: it stands in sctpd.conf */
    supervised: any;
}

/** What supervised takes. */
export interface SupervisedArguments {
    /** only the one of this name (default: all) */
    name?: string;
}

/** What attach answers. */
export interface AttachResult {
    /** its socket, which is passive unless options say otherwise */
    sock: number;
    /** as in supervised */
    state: string;
    /** associations that there are */
    associations: number;
    /** that which is up, or one of those; 0 if none is */
    assoc_id: number;
    /** its outbound streams */
    outbound_streams: number;
    /** its inbound streams */
    inbound_streams: number;
    /** events and messages that wait in the socket */
    waiting: number;
}

/** What up takes. */
export interface UpArguments {
    /** its name */
    name: string;
}

/** What down takes. */
export interface DownArguments {
    /** its name */
    name: string;
}

/** What explain answers. */
export interface ExplainResult {
    /** list of the local addresses that would be offered */
    local: any;
    /** list of {peer, from, problem}; from: the address from which the host's routes lead there; problem: why that will not work, or empty */
    routes: any;
    /** list of texts: what will probably go wrong */
    problems: any;
}

/** What explain takes. */
export interface ExplainArguments {
    /** its name */
    name: string;
}

/** What error_string answers. */
export interface ErrorStringResult {
    /** its text; ok for 0, and unknown_error for a number that is no cause code */
    text: string;
}

/** What error_string takes. */
export interface ErrorStringArguments {
    /** cause code */
    error: number;
}

/** What getopts answers. */
export interface GetoptsResult {
    /** list of [name, value], in the order of the request */
    options: any;
}

/** What setsockopt takes. */
export interface SetsockoptArguments {
    /** 132 (SOL_SCTP), 1 (SOL_SOCKET), 0 (IPPROTO_IP) or 41 (IPPROTO_IPV6) */
    level: number;
    /** number of the option; one that sctpd does not have is enoprotoopt */
    name: number;
    /** the struct */
    value: Bytes;
}

/** What getsockopt answers. */
export interface GetsockoptResult {
    /** the struct, as long as Linux would give it */
    value: Buffer;
}

/** What getsockopt takes. */
export interface GetsockoptArguments {
    /** as in setsockopt */
    level: number;
    /** number of the option */
    name: number;
    /** the buffer as the program gives it: its length is the most that the answer may have, and an option that is asked for by association or address has these in it */
    value: Bytes;
}

/** What getstat answers. */
export interface GetstatResult {
    /** messages received */
    recv_cnt: number;
    /** bytes received in messages */
    recv_oct: number;
    /** length of the longest message received */
    recv_max: number;
    /** average length of the messages received */
    recv_avg: number;
    /** messages sent */
    send_cnt: number;
    /** bytes sent in messages */
    send_oct: number;
    /** length of the longest message sent */
    send_max: number;
    /** average length of the messages sent */
    send_avg: number;
    /** bytes of messages that wait in the daemon for room in the send buffer */
    send_pend: number;
}

/** What sockname answers. */
export interface SocknameResult {
    /** address */
    addr: string;
    /** port */
    port: number;
}

/** What port answers. */
export interface PortResult {
    /** port */
    port: number;
}

/** What peername answers. */
export interface PeernameResult {
    /** address */
    addr: string;
    /** port */
    port: number;
}

/** What socknames answers. */
export interface SocknamesResult {
    /** list of {addr, port} */
    addresses: any;
}

/** What socknames takes. */
export interface SocknamesArguments {
    /** association (default: the socket) */
    assoc_id?: number;
}

/** What peernames answers. */
export interface PeernamesResult {
    /** list of {addr, port} */
    addresses: any;
}

/** What peernames takes. */
export interface PeernamesArguments {
    /** association; not needed on a one-to-one socket */
    assoc_id?: number;
}

/** What paths answers. */
export interface PathsResult {
    /** list of {sock, assoc_id, address, state, cwnd, srtt, rto, mtu, port, primary, local_addrs}, as in sctp_get_peer_addr_info; port: the local one; primary: messages are sent on this path as long as it works; local_addrs, if addrs is true: list of {addr, port}, those of the association on this side; neither stack tells which of them the path uses */
    paths: any;
    /** whether there are more; if so, ask again with after_sock and after_assoc, which are sock and assoc_id of the last one */
    more: boolean;
}

/** What paths takes. */
export interface PathsArguments {
    /** socket (default: all that the caller may use) */
    sock?: number;
    /** association (default: all of the socket) */
    assoc_id?: number;
    /** true adds local_addrs (default: false) */
    addrs?: boolean;
    /** paths to list, 1 to 1024 (default: 1024); of the last association all are listed */
    limit?: number;
    /** list those that follow this association: sock of the last one of the page before */
    after_sock?: number;
    /** its assoc_id; the association itself may have ended */
    after_assoc?: number;
}

/** What bindx_add answers. */
export interface BindxAddResult {
    /** number of associations whose peers are told */
    told: number;
}

/** What bindx_add takes. */
export interface BindxAddArguments {
    /** address of this host, or list of up to 32; they get the socket's port */
    addrs: any;
    /** 0: the socket, for its new associations; 1: its existing ones; 2: both; or one association (default: 2); ignored on a one-to-one socket */
    assoc_id?: number;
}

/** What bindx_rem answers. */
export interface BindxRemResult {
    /** number of associations whose peers are told */
    told: number;
}

/** What bindx_rem takes. */
export interface BindxRemArguments {
    /** address of the socket, or list of up to 32 */
    addrs: any;
    /** 0: the socket, for its new associations; 1: its existing ones; 2: both; or one association (default: 2); ignored on a one-to-one socket */
    assoc_id?: number;
}

/** What reset_streams takes. */
export interface ResetStreamsArguments {
    /** association; not needed on a one-to-one socket */
    assoc_id?: number;
    /** incoming, outgoing, or both; seen from this side (default: outgoing) */
    flags?: ("incoming" | "outgoing")[];
    /** stream, or list of up to 200 (default: all) */
    streams?: any;
}

/** What reset_assoc takes. */
export interface ResetAssocArguments {
    /** association; not needed on a one-to-one socket */
    assoc_id?: number;
}

/** What status answers. */
export interface StatusResult {
    /** version of the daemon */
    version: string;
    /** the SCTP stack: kernel or userland */
    stack: string;
    /** name and release of the operating system */
    system: string;
    /** process ID of the daemon */
    pid: number;
    /** seconds since the daemon started */
    uptime: number;
    /** when the daemon started: seconds since 1970 */
    started: number;
    /** connections to the daemon, including superseded ones that have not been closed yet */
    clients: number;
    /** clients without a connection, which have held sockets or a session that can be resumed */
    away: number;
    /** open sockets */
    sockets: number;
    /** associations of the open sockets */
    associations: number;
    /** associations of closed sockets that are still shutting down */
    lingering: number;
    /** an administrator drains the daemon: it takes no new associations */
    draining: boolean;
    /** messages received, including those before a restart that sockets survived */
    recv_cnt: number;
    /** messages sent, counted in the same way */
    send_cnt: number;
    /** bytes of the messages received */
    recv_oct: number;
    /** bytes of the messages sent */
    send_oct: number;
    /** associations that came up */
    assocs_up: number;
    /** associations that a client began and that could not be set up */
    assocs_failed: number;
    /** associations of peers that were aborted as they came up, because of a limit, a setting or an option */
    assocs_refused: number;
    /** associations that a peer set up anew */
    assocs_restarted: number;
    /** associations that were shut down in order */
    assocs_ended: number;
    /** associations that an ABORT of either side ended */
    assocs_aborted: number;
    /** associations that ended because the peer did not answer */
    assocs_lost: number;
    /** attempts to set a supervised association up */
    supervised_attempts: number;
    /** supervised associations that came up */
    supervised_up: number;
    /** supervised associations that ended, or that could not be set up */
    supervised_lost: number;
    /** times that an address of a peer did not answer any more */
    paths_unreachable: number;
    /** times that an address of a peer had missed some answers (RFC 7829) */
    paths_failing: number;
    /** times that an address of a peer answered again, or for the first time */
    paths_available: number;
    /** times that an association stalled (option stall) */
    assocs_stalled: number;
    /** times that the path manager moved data to another path */
    primaries_moved: number;
    /** times that the path manager moved data back to the wanted path */
    primaries_returned: number;
    /** times that a path failed so often that the path manager does not take it again for a while */
    paths_damped: number;
    /** times that a socket of a group, or a slot of its messages, went from one member to another */
    handovers: number;
    /** events that clients which use watch did not get, as they did not read fast enough */
    watch_lost: number;
    /** records of associations that were written to record_dir */
    record_cnt: number;
    /** records that were not kept or not written, as the file system was slow or full or refused it, or the user had used up its share of the memory or of the files */
    record_lost: number;
    /** bytes that are charged to all users together */
    memory: number;
    /** map of the limits in force */
    limits: any;
    /** what is charged to the caller's user, or, for root, to each user: list of {uid, clients, sockets, associations, lookups, memory} */
    users: any;
}

/** What sockets answers. */
export interface SocketsResult {
    /** list of {sock, type, family, port, owner, active, listening, associations, recv_cnt, send_cnt, held}; held: the owner is gone and the socket waits for it */
    sockets: any;
}

/** What assocs answers. */
export interface AssocsResult {
    /** list of {sock, assoc_id, state, peer, port, inbound_streams, outbound_streams, send_pend, recv_pend, stalled, owner, name, pid, uid, age, recv_cnt, recv_oct, send_cnt, send_oct, ppids, more_ppids, last_error, last_error_age, status, stats, local_addrs, peer_addrs}; port: the local one; send_pend: bytes that wait for room in the send buffer; recv_pend: bytes of the socket's events, and of whatever else is for its owner, that the owner has not taken yet; stalled: for how long nothing has been acknowledged, ms, if the option stall says that it has stalled, and otherwise 0; owner, name, pid, uid: the client that owns the socket; age: how long it has been up, ms; recv_cnt, recv_oct, send_cnt, send_oct: messages and bytes that came from the peer for the owner, and that the stack took, counted over restarts of the daemon, but not while the socket is lent; ppids: the first 8 PPIDs that were seen either way; more_ppids: whether there were others; last_error: what was wrong last, in words, such as a path that is unreachable, or empty; last_error_age: how long ago that was, ms; status: sctp_status, and stats: sctp_assoc_stats, empty where the stack does not have it or the association is not up; local_addrs, peer_addrs: lists of {addr, port}, empty if it is not up */
    assocs: any;
    /** whether there are more; if so, ask again with after_sock and after_assoc, which are sock and assoc_id of the last one */
    more: boolean;
}

/** What assocs takes. */
export interface AssocsArguments {
    /** socket (default: all that the caller may use) */
    sock?: number;
    /** association (default: all of the socket) */
    assoc_id?: number;
    /** true adds status and stats, for which the stack is asked; that begins a new maxrto of sctp_assoc_stats (default: false) */
    status?: boolean;
    /** true adds local_addrs and peer_addrs (default: false) */
    addrs?: boolean;
    /** associations to list, 1 to 1024, or with status or addrs 1 to 64 (default: as many as may be) */
    limit?: number;
    /** list those that follow this association: sock of the last one of the page before */
    after_sock?: number;
    /** its assoc_id; the association itself may have ended */
    after_assoc?: number;
}

/** What record answers. */
export interface RecordResult {
    /** a section of a pcapng file. Each message is a packet that was made for the file; what happened is in entries of the systemd journal between them */
    pcapng: Buffer;
}

/** What record takes. */
export interface RecordArguments {
    /** association; not needed on a one-to-one socket */
    assoc_id?: number;
}

/** What clients answers. */
export interface ClientsResult {
    /** list of {client, name, uid, pid, sockets, queued, calls, memory, away, resident}; queued: bytes that wait for the client or for room to be sent; calls: requests that wait; memory: bytes that are charged to the client; away: it has no connection, but held sockets or a session that can be resumed; resident: it is the daemon itself, and never has one */
    clients: any;
}

/** What disconnect takes. */
export interface DisconnectArguments {
    /** client, as the method clients lists it */
    client: number;
}

/** What drain answers. */
export interface DrainResult {
    /** whether the daemon is drained now */
    on: boolean;
    /** associations of all users that there are, including those of closed sockets that are still shutting down */
    associations: number;
}

/** What drain takes. */
export interface DrainArguments {
    /** true: drain; false: end that (default: only ask) */
    on?: boolean;
}

/** What log_level answers. */
export interface LogLevelResult {
    /** the level that holds now */
    level: "err" | "warning" | "notice" | "info" | "debug";
}

/** What log_level takes. */
export interface LogLevelArguments {
    /** err, warning, notice, info or debug (default: only ask) */
    level?: "err" | "warning" | "notice" | "info" | "debug";
}

/** What tap answers. */
export interface TapResult {
    /** bytes of the ring that begins */
    ring?: number;
    /** messages that the tap that ends has seen, including those dropped */
    messages?: number;
    /** of these, messages that were dropped because the caller did not read fast enough */
    dropped?: number;
}

/** What tap takes. */
export interface TapArguments {
    /** false ends the tap: what is left comes before the answer (default: true) */
    on?: boolean;
    /** only messages of this socket */
    sock?: number;
    /** only messages of the association of this number */
    assoc_id?: number;
    /** only messages of sockets that this client owns */
    client?: number;
    /** only messages from or to this address of a peer */
    addr?: string;
    /** only messages from or to this port of a peer */
    port?: number;
    /** only messages with this payload protocol identifier */
    ppid?: number;
    /** only so many of the first bytes of each message; 0 is all (default). With a ring, it is at most half of that */
    snap?: number;
    /** share so many bytes of memory, a power of two from 65536 to 4194304, and write messages there, which costs the daemon much less. Its descriptor comes as SCM_RIGHTS with the first byte of the answer, and proto/tapring.h says what is in it. The event tap then has no blocks: it says that there is more than was read */
    ring?: number;
}

/** What watch takes. */
export interface WatchArguments {
    /** false stops watching (default: true) */
    on?: boolean;
}

/** Methods of the daemon; times are ms. */
export interface DaemonCalls {
    /** Leave a group. The client's share goes to the other members at once, with everything that it has not acknowledged. Acknowledge what you have handled before, and discard what you have not handled of these sockets when this is answered. */
    leave(args: LeaveArguments): Promise<void>;
    /** Take a member out of service, or put it back. It gets nothing new. Each of its sockets goes to another member as soon as it has acknowledged everything that it was sent of that socket, and the event unassigned says so. It stays a member, to which nothing is given while there are others. */
    drainMember(args: DrainMemberArguments): Promise<DrainMemberResult>;
    /** End a group. Its socket goes to the caller, and each member keeps the sockets that it has. Clients of the group's user may do this. */
    ungroup(args: UngroupArguments): Promise<UngroupResult>;
    /** List the groups of the caller's user, and those that the caller has joined; for root and administrators, those of all users. */
    groups(args?: GroupsArguments): Promise<GroupsResult>;
    /** Have the daemon look after an association: it sets it up, and again whenever it ended, with pauses that grow. The association has a name and a socket, which exist before any client and outlive all. Its socket is nobody's until a client calls attach; until then messages are not read. The same can be written in sctpd.conf(5). A call that says the same again changes nothing. */
    supervise(args: SuperviseArguments): Promise<SuperviseResult>;
    /** Look after an association no more: its socket is closed, and its associations are shut down in order. */
    unsupervise(args: UnsuperviseArguments): Promise<void>;
    /** List the supervised associations that the caller may attach or see. */
    supervised(args?: SupervisedArguments): Promise<SupervisedResult>;
    /** Set a supervised association up now, whatever its pause, or if it is down. */
    up(args: UpArguments): Promise<void>;
    /** Shut a supervised association down in order, and do not set it up again until up is called. Its socket is closed; who was attached is told. */
    down(args: DownArguments): Promise<void>;
    /** Say what a supervised association would do now, without sending anything of SCTP: the addresses that its INIT would offer, the routes to the peer, and what will probably go wrong. It cannot tell what a firewall does to SCTP. */
    explain(args: ExplainArguments): Promise<ExplainResult>;
    /** Return the text of an SCTP cause code. */
    errorString(args: ErrorStringArguments): Promise<ErrorStringResult>;
    /** List the paths of an association, of all associations of a socket, or of all sockets that the caller may use. Neither stack tells how many errors a path has had in a row; the state says what it makes of them. */
    paths(args?: PathsArguments): Promise<PathsResult>;
    /** Return the state of the daemon. */
    status(): Promise<StatusResult>;
    /** List the sockets that the caller may use. */
    sockets(): Promise<SocketsResult>;
    /** List an association, those of a socket, or those of all sockets that the caller may use. */
    assocs(args?: AssocsArguments): Promise<AssocsResult>;
    /** List the clients of the caller's user, or, for root, of all users. */
    clients(): Promise<ClientsResult>;
    /** End the connection of another client, as if it had closed it: its sockets do what their option on_owner_exit says. It may be a client of the caller's user; administrators (admin_users in sctpd.conf) may disconnect any. The client is told why by the event error, if it has asked for events. */
    disconnect(args: DisconnectArguments): Promise<void>;
    /** Drain the daemon, or end that, or ask. While it is drained, connect fails with eagain, and associations of peers are aborted as soon as they come up; those that exist go on. That outlives the daemon where sockets do. Only administrators (admin_users in sctpd.conf) may change it. */
    drain(args?: DrainArguments): Promise<DrainResult>;
    /** Change the least urgent priority of the messages that are logged, or ask for it. It holds until the daemon starts or reads its configuration again. Only administrators (admin_users in sctpd.conf) may change it. */
    logLevel(args?: LogLevelArguments): Promise<LogLevelResult>;
    /** Tap the messages of all sockets, of all users: copies of them come as events tap, in the format pcapng, one packet of raw IP and SCTP for each message or, if it is long, several. Only users named by tap_users in sctpd.conf may do this. Messages that the caller does not read fast enough are left out and counted; the tap delays no message. Where asking the clock is a system call, as under some clock sources of Linux, the messages of 10 ms have one time. The tap ends with the connection, and a session cannot have one. There are 16 at most; a user other than root may have 4, and 4 are for root alone. The log says who begins and ends one. A second call replaces the first. */
    tap(args?: TapArguments): Promise<TapResult>;
    /** Watch all sockets that the caller may use. Every event of them except data is sent to the caller as an event watch as well. A caller that does not read fast enough loses events, and the event overrun says how many. */
    watch(args?: WatchArguments): Promise<void>;
}

/** Methods of a socket; times are ms. */
export interface SocketCalls {
    /** Bind a socket that open left unbound. If one of the addresses cannot be bound, the socket stays unbound. A socket is bound once: bindx_add and bindx_rem change its addresses later. */
    bind(args?: BindArguments): Promise<BindResult>;
    /** Start to set up an association and return at once. The event sctp_assoc_change with this assoc_id reports the result. */
    connectInit(args: ConnectInitArguments): Promise<ConnectInitResult>;
    /** Do the same as connect_init. gen_sctp has this name for a peer with several addresses. */
    connectxInit(args: ConnectxInitArguments): Promise<ConnectxInitResult>;
    /** Accept associations from peers, or stop accepting them. On a stream socket accept returns the associations. */
    listen(args?: ListenArguments): Promise<void>;
    /** Shut one association down after everything that was sent has arrived. An association that is being set up is shut down once it is up. If the peer is already shutting it down, nothing changes. The socket stays open. */
    eof(args?: EofArguments): Promise<void>;
    /** Abort one association at once. Messages that have not arrived are lost. The socket stays open. */
    abort(args?: AbortArguments): Promise<void>;
    /** Make a group of clients that own a socket together, each a share of it. The daemon owns the socket from now on, and the clients call join; see Groups. Only the owner of the socket may do this, and it must have acknowledged what it was sent of it. */
    group(args: GroupArguments): Promise<void>;
    /** Set an option by the level and name that it has on Linux, to the bytes of Linux's struct, in this host's byte order. It is the option of the same meaning that setopts has, so what is said of that holds here. Beside these there are SCTP_EVENTS and SCTP_EVENT, which are sctp_events. Lengths are checked as Linux does, with the older and shorter forms that it accepts. For programs that are written for Linux's own SCTP; others use setopts. */
    setsockopt(args: SetsockoptArguments): Promise<void>;
    /** Read an option by the level and name that it has on Linux. Beside the options of setsockopt there are SO_TYPE, SO_DOMAIN, SO_PROTOCOL and SO_ACCEPTCONN, and SCTP_GET_PEER_ADDRS, SCTP_GET_LOCAL_ADDRS, SCTP_GET_ASSOC_NUMBER and SCTP_GET_ASSOC_ID_LIST. */
    getsockopt(args: GetsockoptArguments): Promise<GetsockoptResult>;
    /** Return the counters of a socket. */
    getstat(): Promise<GetstatResult>;
    /** Return the local address, which is the last one that was given to open unless bindx_rem removed that, and the local port. */
    sockname(): Promise<SocknameResult>;
    /** Return the address of a one-to-one socket's peer that was primary when the association came up, and the port. */
    peername(): Promise<PeernameResult>;
    /** Return all local addresses of a socket or of an association. */
    socknames(args?: SocknamesArguments): Promise<SocknamesResult>;
    /** Return all addresses of a peer. */
    peernames(args?: PeernamesArguments): Promise<PeernamesResult>;
    /** Add addresses to a socket and to its associations. The peer of an association is told (ASCONF) if both sides had sctp_auth_supported and sctp_asconf_supported when the association was set up; then the peer receives the event sctp_paddr_change with addr_added. An association of another peer, or that is still being set up, keeps its addresses. The stack does not tell what the peer answers. An address that is there already is passed over. The kernel's stack only. */
    bindxAdd(args: BindxAddArguments): Promise<BindxAddResult>;
    /** Remove addresses from a socket and from its associations, under the same conditions as bindx_add adds them; the peer receives addr_removed. One address must remain. An address that is not there is passed over. */
    bindxRem(args: BindxRemArguments): Promise<BindxRemResult>;
    /** Ask the peer to reset streams, so that their sequence numbers begin at 0 again. Both sides need sctp_reconfig_supported before the association is set up, and reset_streams in sctp_enable_stream_reset. The event sctp_stream_reset_event reports the result to both sides. There is one request at a time. */
    resetStreams(args?: ResetStreamsArguments): Promise<void>;
    /** Ask the peer to reset the association: its TSNs, and the sequence numbers of all streams. Both sides need sctp_reconfig_supported before the association is set up, and reset_assoc in sctp_enable_stream_reset. The event sctp_assoc_reset_event reports the result to both sides. */
    resetAssoc(args?: ResetAssocArguments): Promise<void>;
    /** Return what the flight recorder has of an association: its last messages, or the beginning of each, and what happened. See record_messages in sctpd.conf(5). */
    record(args?: RecordArguments): Promise<RecordResult>;
}

/** Codes of errors. */
export type ErrorCode = "badarg" | "closed" | "not_owner" | "timeout" | "cant_assoc" | "nxdomain" | "limit" | "eacces" | "eaddrinuse" | "eaddrnotavail" | "eafnosupport" | "eagain" | "ealready" | "ebusy" | "econnaborted" | "econnrefused" | "econnreset" | "edestaddrreq" | "ehostunreach" | "einprogress" | "einval" | "eio" | "eisconn" | "emfile" | "emsgsize" | "enetdown" | "enetunreach" | "enfile" | "enobufs" | "enodev" | "enoent" | "enomem" | "enoprotoopt" | "enosys" | "enotconn" | "eopnotsupp" | "eperm" | "epipe" | "eproto" | "eprotonosupport" | "esocktnosupport" | "etimedout";

/** What each code of an error says. */
export const ERRORS: Readonly<Record<ErrorCode, string>>;

/** Payload protocol identifiers by name. */
export const PPIDS: {
    readonly "unspecified": 0;
    readonly "iua": 1;
    readonly "m2ua": 2;
    readonly "m3ua": 3;
    readonly "sua": 4;
    readonly "m2pa": 5;
    readonly "v5ua": 6;
    readonly "h248": 7;
    readonly "bicc": 8;
    readonly "tali": 9;
    readonly "dua": 10;
    readonly "asap": 11;
    readonly "enrp": 12;
    readonly "h323": 13;
    readonly "qipc": 14;
    readonly "simco": 15;
    readonly "ddp-segment": 16;
    readonly "ddp-stream": 17;
    readonly "s1ap": 18;
    readonly "rua": 19;
    readonly "hnbap": 20;
    readonly "forces-hp": 21;
    readonly "forces-mp": 22;
    readonly "forces-lp": 23;
    readonly "sbcap": 24;
    readonly "nbap": 25;
    readonly "x2ap": 27;
    readonly "ircp": 28;
    readonly "lcsap": 29;
    readonly "mpich2": 30;
    readonly "sabp": 31;
    readonly "fgp": 32;
    readonly "ppp": 33;
    readonly "calcapp": 34;
    readonly "ssp": 35;
    readonly "npmp-control": 36;
    readonly "npmp-data": 37;
    readonly "echo": 38;
    readonly "discard": 39;
    readonly "daytime": 40;
    readonly "chargen": 41;
    readonly "rna": 42;
    readonly "m2ap": 43;
    readonly "m3ap": 44;
    readonly "ssh": 45;
    readonly "diameter": 46;
    readonly "diameter-dtls": 47;
    readonly "r14p": 48;
    readonly "gdt": 49;
    readonly "webrtc-dcep": 50;
    readonly "webrtc-string": 51;
    readonly "webrtc-binary-partial": 52;
    readonly "webrtc-binary": 53;
    readonly "webrtc-string-partial": 54;
    readonly "pua": 55;
    readonly "webrtc-string-empty": 56;
    readonly "webrtc-binary-empty": 57;
    readonly "xwap": 58;
    readonly "xw-control": 59;
    readonly "ngap": 60;
    readonly "xnap": 61;
    readonly "f1ap": 62;
    readonly "http": 63;
    readonly "e1ap": 64;
    readonly "ele2": 65;
    readonly "ngap-dtls": 66;
    readonly "xnap-dtls": 67;
    readonly "f1ap-dtls": 68;
    readonly "e1ap-dtls": 69;
    readonly "e2-cp": 70;
    readonly "e2-up": 71;
    readonly "e2-du": 72;
    readonly "w1ap": 73;
};
