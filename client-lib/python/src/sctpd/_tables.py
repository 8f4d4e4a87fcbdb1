# SPDX-License-Identifier: BSD-2-Clause
"""Records, options and methods of sctpd. Printed by client-lib/python/generate.py
from the tables of sctpd; do not edit."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple, TypedDict, Union

from ._records import Arriving, Caller, Endpoint, Event, Record, Setting

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass
class HelloResult(Record):
    """What hello answers."""
    client: int = 0  # number of this client, as controlling_process takes it
    protocol: int = 0  # version of the protocol that the daemon speaks
    version: str = ""  # version of the daemon
    stack: str = ""  # the SCTP stack: kernel or userland
    features: Any = None  # list of words that say what this daemon and its stack can do; see Features
    limits: Any = None  # map of the limits in force
    resume: str = ""  # token of the session, 32 hexadecimal digits, to be kept secret; only in a session
    seq: int = 0  # number of this answer; only in a session
    notifications: int = 0  # number of notifications of the client, other than ack, that the daemon has accepted in this session; absent if it is 0


@dataclass
class DescribeResult(Record):
    """What describe answers."""
    methods: Any = None  # list of {name, from, doc, in, out}
    options: Any = None  # list of {name, from, doc, here, access, scope, fields}; here: whether the stack in use has the option
    events: Any = None  # list of {name, from, doc, fields}
    errors: Any = None  # list of {code, doc}


@dataclass
class OpenResult(Record):
    """What open answers."""
    sock: int = 0  # handle of the new socket
    port: int = 0  # port that the socket is bound to; 0 with bind false


@dataclass
class BindResult(Record):
    """What bind answers."""
    port: int = 0  # port that the socket is bound to


@dataclass
class ConnectResult(Record):
    """What connect answers."""
    state: str = ""  # comm_up
    error: int = 0  # 0
    outbound_streams: int = 0  # number of outbound streams
    inbound_streams: int = 0  # number of inbound streams
    assoc_id: int = 0  # the association


@dataclass
class ConnectInitResult(Record):
    """What connect_init answers."""
    assoc_id: int = 0  # the new association; messages may be sent on it at once


@dataclass
class ConnectxInitResult(Record):
    """What connectx_init answers."""
    assoc_id: int = 0  # the new association; messages may be sent on it at once


@dataclass
class AcceptResult(Record):
    """What accept answers."""
    accepted: int = 0  # handle of the new socket, which is of type stream and passive
    from_: Optional[Endpoint] = None  # address and port of the peer
    assoc_id: int = 0  # association of the new socket


@dataclass
class PeeloffResult(Record):
    """What peeloff answers."""
    sock: int = 0  # handle of the new socket


@dataclass
class SendManyResult(Record):
    """What send_many answers."""
    taken: int = 0  # number of messages that the stack has accepted, from the first on
    error: str = ""  # error text that says why the next message was not taken; absent if all were


@dataclass
class RecvResult(Record):
    """What recv answers."""
    event: str = ""  # name of the event, whose fields stand beside it


@dataclass
class JoinResult(Record):
    """What join answers."""
    sock: int = 0  # the group's socket, on which members may send by assoc_id
    members: int = 0  # how many members there are now


@dataclass
class DrainMemberResult(Record):
    """What drain_member answers."""
    sockets: int = 0  # sockets that it still has


@dataclass
class UngroupResult(Record):
    """What ungroup answers."""
    sock: int = 0  # the socket, which the caller owns now


@dataclass
class GroupsResult(Record):
    """What groups answers."""
    groups: Any = None  # list of {name, sock, uid, policy, by, offset, length, grace, hand_over_time, users, members, associations, unassigned, waiting, handovers}; associations: those that members have; unassigned: those that wait for a member; waiting: events that wait in the daemon; handovers: how often a socket went from one member to another; members: list of {client, name, pid, uid, priority, state, sockets, going, going_for, queued}, the first by priority first; state: active, draining or away; going: sockets, or with spread slots, that will go to another once what it was sent is acknowledged, and going_for: how long the first of them has waited for that, ms; queued: bytes that it was sent and has not acknowledged


@dataclass
class LendResult(Record):
    """What lend answers."""
    assoc_id: int = 0  # association of the socket


@dataclass
class SuperviseResult(Record):
    """What supervise answers."""
    sock: int = 0  # its socket; 0 while it could not be opened


@dataclass
class SupervisedResult(Record):
    """What supervised answers."""
    supervised: Any = None  # list of {name, role, state, since, attempts, next, reason, sock, associations, owner, uid, config}; state: down (an administrator said so), waiting, connecting, listening or up; since: for how long, ms; attempts: those that failed in a row; next: when the next begins, in ms, 0 if none waits; reason: why it is not up, or why it was not last; sock: its socket, 0 if it could not be opened; owner: the client that is attached, or 0; uid: who supervises it; config: it stands in sctpd.conf


@dataclass
class AttachResult(Record):
    """What attach answers."""
    sock: int = 0  # its socket, which is passive unless options say otherwise
    state: str = ""  # as in supervised
    associations: int = 0  # associations that there are
    assoc_id: int = 0  # that which is up, or one of those; 0 if none is
    outbound_streams: int = 0  # its outbound streams
    inbound_streams: int = 0  # its inbound streams
    waiting: int = 0  # events and messages that wait in the socket


@dataclass
class ExplainResult(Record):
    """What explain answers."""
    local: Any = None  # list of the local addresses that would be offered
    routes: Any = None  # list of {peer, from, problem}; from: the address from which the host's routes lead there; problem: why that will not work, or empty
    problems: Any = None  # list of texts: what will probably go wrong


@dataclass
class ErrorStringResult(Record):
    """What error_string answers."""
    text: str = ""  # its text; ok for 0, and unknown_error for a number that is no cause code


@dataclass
class GetoptsResult(Record):
    """What getopts answers."""
    options: Any = None  # list of [name, value], in the order of the request


@dataclass
class GetsockoptResult(Record):
    """What getsockopt answers."""
    value: bytes = b""  # the struct, as long as Linux would give it


@dataclass
class GetstatResult(Record):
    """What getstat answers."""
    recv_cnt: int = 0  # messages received
    recv_oct: int = 0  # bytes received in messages
    recv_max: int = 0  # length of the longest message received
    recv_avg: int = 0  # average length of the messages received
    send_cnt: int = 0  # messages sent
    send_oct: int = 0  # bytes sent in messages
    send_max: int = 0  # length of the longest message sent
    send_avg: int = 0  # average length of the messages sent
    send_pend: int = 0  # bytes of messages that wait in the daemon for room in the send buffer


@dataclass
class SocknameResult(Record):
    """What sockname answers."""
    addr: str = ""  # address
    port: int = 0  # port


@dataclass
class PortResult(Record):
    """What port answers."""
    port: int = 0  # port


@dataclass
class PeernameResult(Record):
    """What peername answers."""
    addr: str = ""  # address
    port: int = 0  # port


@dataclass
class SocknamesResult(Record):
    """What socknames answers."""
    addresses: Any = None  # list of {addr, port}


@dataclass
class PeernamesResult(Record):
    """What peernames answers."""
    addresses: Any = None  # list of {addr, port}


@dataclass
class PathsResult(Record):
    """What paths answers."""
    paths: Any = None  # list of {sock, assoc_id, address, state, cwnd, srtt, rto, mtu, port, primary, local_addrs}, as in sctp_get_peer_addr_info; port: the local one; primary: messages are sent on this path as long as it works; local_addrs, if addrs is true: list of {addr, port}, those of the association on this side; neither stack tells which of them the path uses
    more: bool = False  # whether there are more; if so, ask again with after_sock and after_assoc, which are sock and assoc_id of the last one


@dataclass
class BindxAddResult(Record):
    """What bindx_add answers."""
    told: int = 0  # number of associations whose peers are told


@dataclass
class BindxRemResult(Record):
    """What bindx_rem answers."""
    told: int = 0  # number of associations whose peers are told


@dataclass
class StatusResult(Record):
    """What status answers."""
    version: str = ""  # version of the daemon
    stack: str = ""  # the SCTP stack: kernel or userland
    system: str = ""  # name and release of the operating system
    pid: int = 0  # process ID of the daemon
    uptime: int = 0  # seconds since the daemon started
    started: int = 0  # when the daemon started: seconds since 1970
    clients: int = 0  # connections to the daemon, including superseded ones that have not been closed yet
    away: int = 0  # clients without a connection, which have held sockets or a session that can be resumed
    sockets: int = 0  # open sockets
    associations: int = 0  # associations of the open sockets
    lingering: int = 0  # associations of closed sockets that are still shutting down
    draining: bool = False  # an administrator drains the daemon: it takes no new associations
    recv_cnt: int = 0  # messages received, including those before a restart that sockets survived
    send_cnt: int = 0  # messages sent, counted in the same way
    recv_oct: int = 0  # bytes of the messages received
    send_oct: int = 0  # bytes of the messages sent
    assocs_up: int = 0  # associations that came up
    assocs_failed: int = 0  # associations that a client began and that could not be set up
    assocs_refused: int = 0  # associations of peers that were aborted as they came up, because of a limit, a setting or an option
    assocs_restarted: int = 0  # associations that a peer set up anew
    assocs_ended: int = 0  # associations that were shut down in order
    assocs_aborted: int = 0  # associations that an ABORT of either side ended
    assocs_lost: int = 0  # associations that ended because the peer did not answer
    supervised_attempts: int = 0  # attempts to set a supervised association up
    supervised_up: int = 0  # supervised associations that came up
    supervised_lost: int = 0  # supervised associations that ended, or that could not be set up
    paths_unreachable: int = 0  # times that an address of a peer did not answer any more
    paths_failing: int = 0  # times that an address of a peer had missed some answers (RFC 7829)
    paths_available: int = 0  # times that an address of a peer answered again, or for the first time
    assocs_stalled: int = 0  # times that an association stalled (option stall)
    primaries_moved: int = 0  # times that the path manager moved data to another path
    primaries_returned: int = 0  # times that the path manager moved data back to the wanted path
    paths_damped: int = 0  # times that a path failed so often that the path manager does not take it again for a while
    handovers: int = 0  # times that a socket of a group, or a slot of its messages, went from one member to another
    watch_lost: int = 0  # events that clients which use watch did not get, as they did not read fast enough
    record_cnt: int = 0  # records of associations that were written to record_dir
    record_lost: int = 0  # records that were not kept or not written, as the file system was slow or full or refused it, or the user had used up its share of the memory or of the files
    memory: int = 0  # bytes that are charged to all users together
    limits: Any = None  # map of the limits in force
    users: Any = None  # what is charged to the caller's user, or, for root, to each user: list of {uid, clients, sockets, associations, lookups, memory}


@dataclass
class SocketsResult(Record):
    """What sockets answers."""
    sockets: Any = None  # list of {sock, type, family, port, owner, active, listening, associations, recv_cnt, send_cnt, held}; held: the owner is gone and the socket waits for it


@dataclass
class AssocsResult(Record):
    """What assocs answers."""
    assocs: Any = None  # list of {sock, assoc_id, state, peer, port, inbound_streams, outbound_streams, send_pend, recv_pend, stalled, owner, name, pid, uid, age, recv_cnt, recv_oct, send_cnt, send_oct, ppids, more_ppids, last_error, last_error_age, status, stats, local_addrs, peer_addrs}; port: the local one; send_pend: bytes that wait for room in the send buffer; recv_pend: bytes of the socket's events, and of whatever else is for its owner, that the owner has not taken yet; stalled: for how long nothing has been acknowledged, ms, if the option stall says that it has stalled, and otherwise 0; owner, name, pid, uid: the client that owns the socket; age: how long it has been up, ms; recv_cnt, recv_oct, send_cnt, send_oct: messages and bytes that came from the peer for the owner, and that the stack took, counted over restarts of the daemon, but not while the socket is lent; ppids: the first 8 PPIDs that were seen either way; more_ppids: whether there were others; last_error: what was wrong last, in words, such as a path that is unreachable, or empty; last_error_age: how long ago that was, ms; status: sctp_status, and stats: sctp_assoc_stats, empty where the stack does not have it or the association is not up; local_addrs, peer_addrs: lists of {addr, port}, empty if it is not up
    more: bool = False  # whether there are more; if so, ask again with after_sock and after_assoc, which are sock and assoc_id of the last one


@dataclass
class RecordResult(Record):
    """What record answers."""
    pcapng: bytes = b""  # a section of a pcapng file. Each message is a packet that was made for the file; what happened is in entries of the systemd journal between them


@dataclass
class ClientsResult(Record):
    """What clients answers."""
    clients: Any = None  # list of {client, name, uid, pid, sockets, queued, calls, memory, away, resident}; queued: bytes that wait for the client or for room to be sent; calls: requests that wait; memory: bytes that are charged to the client; away: it has no connection, but held sockets or a session that can be resumed; resident: it is the daemon itself, and never has one


@dataclass
class DrainResult(Record):
    """What drain answers."""
    on: bool = False  # whether the daemon is drained now
    associations: int = 0  # associations of all users that there are, including those of closed sockets that are still shutting down


@dataclass
class LogLevelResult(Record):
    """What log_level answers."""
    level: str = ""  # the level that holds now


@dataclass
class TapResult(Record):
    """What tap answers."""
    ring: int = 0  # bytes of the ring that begins
    messages: int = 0  # messages that the tap that ends has seen, including those dropped
    dropped: int = 0  # of these, messages that were dropped because the caller did not read fast enough


@dataclass
class SctpSndrcvinfo(Record):
    """Parameters of the message; fields that are zero are absent, and so is the whole record when
    data_io_event of sctp_events is off."""
    stream: int = 0  # stream, from 0
    ssn: int = 0  # stream sequence number; received only
    flags: Tuple[str, ...] = ()  # unordered; addr_over, which addr implies; sack_immediately: the peer is asked to acknowledge at once (RFC 7053); abort; eof; sendall is refused, because each association takes or refuses a message on its own: send it to each
    ppid: int = 0  # payload protocol identifier, host order; one such as 0x3c000000 (60) comes from a peer that did not turn it round for the network
    context: int = 0  # returned with the message if it fails
    timetolive: int = 0  # ms after which an unsent message is given up; 0: never; not beside pr_policy
    tsn: int = 0  # transmission sequence number; received only
    cumtsn: int = 0  # cumulative TSN; received only, unordered messages
    assoc_id: int = 0  # association
    pr_policy: str = ""  # when the message is given up (PR-SCTP, RFC 7496): none, ttl, rtx, prio; sent only
    pr_value: int = 0  # with pr_policy: ms from 1 (ttl), retransmissions (rtx), or priority, where the messages with the largest number are given up first to make room (prio); sent only
    auth_keynumber: int = 0  # number of the key that authenticates the message (RFC 4895), for a peer that asks for authenticated DATA; absent: the active key; sent only
    addr: str = ""  # address of the peer to send to, instead of the primary path; the kernel's stack takes it on sockets of type stream; sent only


@dataclass
class Data(Arriving):
    """A message from the peer arrived. It is always whole."""
    kind = "data"
    sctp_sndrcvinfo: Optional[SctpSndrcvinfo] = None  # parameters of the message; fields that are zero are absent, and so is the whole record when data_io_event of sctp_events is off
    timestamp: int = 0  # with the option timestamp: when the last part of the message arrived, in microseconds since 1970
    data: bytes = b""  # the message


@dataclass
class SctpSendFailed(Event):
    """A message that had been accepted could not be delivered. The event comes once per message and carries
    all of it that the peer has not acknowledged."""
    kind = "sctp_send_failed"
    flags: bool = False  # true if any part of the message was sent to the peer
    error: int = 0  # SCTP cause code; see error_string
    info: Optional[SctpSndrcvinfo] = None  # parameters that the message was sent with
    assoc_id: int = 0  # association
    reason: str = ""  # error text of a send that was a notification and that the daemon refused; error is then 0
    data: bytes = b""  # the message


@dataclass
class Accept(Event):
    """A peer associated with a listening stream socket. The association has a new socket, which is passive."""
    kind = "accept"
    accepted: int = 0  # handle of the new socket
    assoc_id: int = 0  # association of the new socket


@dataclass
class Unknown(Event):
    """The stack sent a notification of a type that this daemon does not know. It is passed on as it is."""
    kind = "unknown"
    type: int = 0  # type of the notification (sn_type)
    flags: int = 0  # flags of the notification (sn_flags)
    data: bytes = b""  # the bytes after the notification's header


@dataclass
class SctpPassive(Event):
    """The count that was set with active ran out. The socket is now passive."""
    kind = "sctp_passive"


@dataclass
class SctpClosed(Event):
    """The socket was closed, or the association of a one-to-one socket ended. Nothing more comes from it."""
    kind = "sctp_closed"
    reason: str = ""  # why the socket was closed


@dataclass
class SctpdStalled(Event):
    """An association of a socket with the option stall has stalled, or has not any more. If the association
    ends, sctp_assoc_change says that, and this event does not come."""
    kind = "sctpd_stalled"
    state: str = ""  # stalled or ended
    reason: str = ""  # window: the peer has closed its window, so it does not read; data: heartbeats arrive and data does not; ended: acknowledged, own_window (the peer waits for us) or option
    time: int = 0  # for how long nothing has been acknowledged, ms
    queued: int = 0  # memory of what the stack has and the peer has not acknowledged, bytes
    waiting: int = 0  # bytes that wait in sctpd for room behind that
    unackdata: int = 0  # DATA chunks that have not been acknowledged, as sctp_status counts them
    rwnd: int = 0  # the peer's window, bytes
    heartbeats: int = 0  # heartbeats that were answered meanwhile
    path: Optional[Endpoint] = None  # address of the primary path
    assoc_id: int = 0  # association


@dataclass
class SctpdPrimary(Event):
    """The path manager changed the primary path of an association, or did not. It is on in the option
    path_manager."""
    kind = "sctpd_primary"
    action: str = ""  # moved: to another path; returned: to the wanted path; damped: the wanted path fails too often; asked: the peer was asked for its primary; not_asked: it was not
    reason: str = ""  # why, in words
    addr: Optional[Endpoint] = None  # the primary now; asked and not_asked: our address that the peer is to send to
    wanted: Optional[Endpoint] = None  # the wanted primary
    wait: int = 0  # damped: ms until the wanted path may be taken again, if it does not fail meanwhile
    assoc_id: int = 0  # association


@dataclass
class Owner(Event):
    """The socket has a new owner. The event goes to the new owner, before any other event of the socket."""
    kind = "owner"
    owner: int = 0  # client that owns the socket now
    was: int = 0  # client that owned it before


@dataclass
class Supervised(Event):
    """The state of a supervised association changed. It is sent to the client that is attached, beside what
    the stack says, and to those that watch."""
    kind = "supervised"
    name: str = ""  # its name
    state: str = ""  # its state now, as in the method supervised
    reason: str = ""  # why it is so, if it is not up
    next: int = 0  # when the next attempt begins, in ms; 0 if none waits


@dataclass
class Assigned(Event):
    """A socket of a group belongs to this client from now on. What happens on it follows, first what
    another member was sent and had not acknowledged. It is in the mode, active or passive, that the
    group's socket has. When its association has ended and everything was acknowledged, the daemon closes
    it."""
    kind = "assigned"
    group: str = ""  # name of the group
    assoc_id: int = 0  # its association
    peer: Optional[Endpoint] = None  # address and port of the peer
    from_member: int = 0  # client that had it before


@dataclass
class Unassigned(Event):
    """A socket of a group went to another member, which gets what comes from now on. This client has
    acknowledged everything that it was sent of it."""
    kind = "unassigned"
    group: str = ""  # name of the group
    assoc_id: int = 0  # its association
    to_member: int = 0  # client that has it now


@dataclass
class Left(Event):
    """This client is no member of a group any more, and not because it called leave. The sockets that it
    had belong to other members, unless the group has ended; then it keeps them."""
    kind = "left"
    group: str = ""  # name of the group
    reason: str = ""  # why, in words
    ended: bool = False  # true: the group has ended, and the client keeps the sockets that it has. Otherwise discard the events of the group's sockets that came before this one and that you have not handled: other members get them


@dataclass
class Watch(Event):
    """An event happened on a socket that this client may use. It is sent to clients that called watch, as
    the socket's owner sees it."""
    kind = "watch"
    event: str = ""  # name of the event, whose fields stand beside it


@dataclass
class Tap(Event):
    """Messages went through sctpd. It is sent to clients that called tap, some milliseconds after the
    messages."""
    kind = "tap"
    pcapng: bytes = b""  # whole blocks of the format pcapng; the first that a tap sends begin a file. Empty if the tap has a ring: look there
    dropped: int = 0  # number of messages that were left out since the tap began, because this client did not read fast enough


@dataclass
class ErrorEvent(Event):
    """A method that this client called by a notification failed. A failed send is reported by
    sctp_send_failed instead."""
    kind = "error"
    method: str = ""  # name of the method
    error: str = ""  # error text, as in the answer to a request


@dataclass
class Overrun(Event):
    """This client called watch and does not read fast enough. Events watch were left out."""
    kind = "overrun"
    lost: int = 0  # number of events that were left out


@dataclass
class SupersededEvent(Event):
    """Another connection resumed this session with its token. The daemon closes this connection."""
    kind = "superseded"
    pid: int = 0  # process that has the session now


@dataclass
class SctpAssocChange(Event):
    """An association came up, was restarted by the peer, ended, or could not be set up (SCTP_ASSOC_CHANGE)."""
    kind = "sctp_assoc_change"
    state: str = ""  # what happened
    error: int = 0  # SCTP cause code; see error_string
    outbound_streams: int = 0  # number of outbound streams
    inbound_streams: int = 0  # number of inbound streams
    assoc_id: int = 0  # association
    info: bytes = b""  # error causes of the peer's ABORT, as they were received; with comm_lost only


@dataclass
class SctpPaddrChange(Event):
    """An address of the peer was added or removed, or its state changed."""
    kind = "sctp_paddr_change"
    addr: Optional[Endpoint] = None  # the address
    state: str = ""  # what happened
    error: int = 0  # reason that the kernel gives: 0 too many timeouts, 1 data was acknowledged, 2 a heartbeat was answered
    assoc_id: int = 0  # association


@dataclass
class SctpRemoteError(Event):
    """The peer sent an ERROR chunk."""
    kind = "sctp_remote_error"
    error: int = 0  # SCTP cause code; see error_string
    assoc_id: int = 0  # association
    data: bytes = b""  # error cause, as it was received


@dataclass
class SctpShutdownEvent(Event):
    """The peer began to shut the association down. Nothing more can be sent on it."""
    kind = "sctp_shutdown_event"
    assoc_id: int = 0  # association


@dataclass
class SctpAdaptationEvent(Event):
    """The peer announced its adaptation layer indication."""
    kind = "sctp_adaptation_event"
    adaptation_ind: int = 0  # adaptation layer indication of the peer
    assoc_id: int = 0  # association


@dataclass
class SctpPdapiEvent(Event):
    """The delivery of a partly received message was aborted. The daemon discarded the part that it had
    received."""
    kind = "sctp_pdapi_event"
    indication: str = ""  # partial_delivery_aborted
    stream: int = 0  # stream of the message
    assoc_id: int = 0  # association


@dataclass
class SctpAuthkeyEvent(Event):
    """An authentication key became active or is no longer used, or the peer does not support AUTH."""
    kind = "sctp_authkey_event"
    indication: str = ""  # what happened
    keynumber: int = 0  # number of the key
    assoc_id: int = 0  # association


@dataclass
class SctpSenderDryEvent(Event):
    """The peer has acknowledged everything that was sent."""
    kind = "sctp_sender_dry_event"
    assoc_id: int = 0  # association


@dataclass
class SctpStreamResetEvent(Event):
    """Streams were reset, or the peer refused to reset them."""
    kind = "sctp_stream_reset_event"
    flags: Tuple[str, ...] = ()  # direction of the streams, and denied or failed if the reset did not succeed
    assoc_id: int = 0  # association
    streams: Tuple[int, ...] = ()  # the streams; empty means all


@dataclass
class SctpAssocResetEvent(Event):
    """The TSNs of an association were reset, or the peer refused to reset them."""
    kind = "sctp_assoc_reset_event"
    flags: Tuple[str, ...] = ()  # denied or failed if the reset did not succeed
    assoc_id: int = 0  # association
    local_tsn: int = 0  # next TSN of this side
    remote_tsn: int = 0  # next TSN of the peer


@dataclass
class SctpStreamChangeEvent(Event):
    """Streams were added, or the peer refused to add them."""
    kind = "sctp_stream_change_event"
    flags: Tuple[str, ...] = ()  # denied or failed if nothing was added
    assoc_id: int = 0  # association
    instrms: int = 0  # number of inbound streams that were added
    outstrms: int = 0  # number of outbound streams that were added


EVENTS: Dict[str, type] = {
    "data": Data,
    "sctp_send_failed": SctpSendFailed,
    "accept": Accept,
    "unknown": Unknown,
    "sctp_passive": SctpPassive,
    "sctp_closed": SctpClosed,
    "sctpd_stalled": SctpdStalled,
    "sctpd_primary": SctpdPrimary,
    "owner": Owner,
    "supervised": Supervised,
    "assigned": Assigned,
    "unassigned": Unassigned,
    "left": Left,
    "watch": Watch,
    "tap": Tap,
    "error": ErrorEvent,
    "overrun": Overrun,
    "superseded": SupersededEvent,
    "sctp_assoc_change": SctpAssocChange,
    "sctp_paddr_change": SctpPaddrChange,
    "sctp_remote_error": SctpRemoteError,
    "sctp_shutdown_event": SctpShutdownEvent,
    "sctp_adaptation_event": SctpAdaptationEvent,
    "sctp_pdapi_event": SctpPdapiEvent,
    "sctp_authkey_event": SctpAuthkeyEvent,
    "sctp_sender_dry_event": SctpSenderDryEvent,
    "sctp_stream_reset_event": SctpStreamResetEvent,
    "sctp_assoc_reset_event": SctpAssocResetEvent,
    "sctp_stream_change_event": SctpStreamChangeEvent,
}


@dataclass
class SctpEvents(Setting):
    """The events that the socket delivers. The first seven are on by default."""
    option = "sctp_events"
    data_io_event: Optional[bool] = None  # sctp_sndrcvinfo with each message
    association_event: Optional[bool] = None  # sctp_assoc_change
    address_event: Optional[bool] = None  # sctp_paddr_change
    send_failure_event: Optional[bool] = None  # sctp_send_failed
    peer_error_event: Optional[bool] = None  # sctp_remote_error
    shutdown_event: Optional[bool] = None  # sctp_shutdown_event
    partial_delivery_event: Optional[bool] = None  # sctp_pdapi_event
    adaptation_layer_event: Optional[bool] = None  # sctp_adaptation_event
    authentication_event: Optional[bool] = None  # sctp_authkey_event
    sender_dry_event: Optional[bool] = None  # sctp_sender_dry_event
    stream_reset_event: Optional[bool] = None  # sctp_stream_reset_event
    assoc_reset_event: Optional[bool] = None  # sctp_assoc_reset_event
    stream_change_event: Optional[bool] = None  # sctp_stream_change_event


@dataclass
class SctpAuthRequired(Setting):
    """Accept data from peers that have the key, and from nobody else. It does all that this needs, in the
    right order: sctp_auth_supported, sctp_auth_chunk, sctp_hmac_ident, sctp_auth_key,
    sctp_auth_active_key, the deletion of the empty key 0, which otherwise stays valid, and
    refuse_without_auth. Set it before there is an association. A peer that supports AUTH and has another
    key can set up an association and end it, but no data of it arrives. See "Keys"."""
    option = "sctp_auth_required"
    keynumber: Optional[int] = None  # number of the key, not 0
    key: Optional[bytes] = None  # the key, 1 to 256 bytes
    chunks: Optional[Tuple[str, ...]] = None  # types of chunks; absent: data, i_data, forward_tsn, i_forward_tsn and re_config
    hmacs: Optional[Tuple[str, ...]] = None  # algorithms, the preferred one first; absent: sha256 where the stack has it, and sha1


@dataclass
class PathManager(Setting):
    """Look after the primary paths of the socket's associations. When the wanted path fails, another one
    that works becomes the primary; when it has worked again for the time in return, it becomes the
    primary again. Each failure of it adds 1000 to a penalty, which halves with half_life; from 2500 on
    the path is damped, and not taken again before the penalty is below 1000. Each change is the event
    sctpd_primary and a log line. Paths that are potentially failed are shown from then on, as
    sctp_expose_potentially_failed_state 2 does. See "Watching"."""
    option = "path_manager"
    on: Optional[bool] = None  # whether the paths are looked after; the default is false
    primary: Optional[str] = None  # the wanted address of the peer; absent, 0.0.0.0, or none of the peer's: the primary that the association came up with
    return_: Any = None  # for how long the wanted path works before it is taken again, ms; 0: at once; infinity: not before the other one fails; the default is 5000
    half_life: Any = None  # time in which the penalty for failures halves, ms, at most 3600000; 0: nothing is damped; the default is 15000
    failover: Optional[str] = None  # fast sets what moves data to another path within a second: sctp_rtoinfo to initial 500, min 300 and max 600, a heartbeat each 1000 ms, and sctp_peer_addr_thlds to pathmaxrxt 5 and pathpfthld 0; kept, the default, leaves them as they are
    ask_peer: Optional[bool] = None  # whether the peer is asked to send to our address of that path, too; see sctp_set_peer_primary_addr


@dataclass
class Stall(Setting):
    """Tell by the event sctpd_stalled when an association is up and its peer answers heartbeats, and yet
    nothing is acknowledged for this time although something waits for it: the peer does not read, or
    something on the way passes heartbeats only. It is not told while the peer waits for us, as our own
    window is closed. See "Watching"."""
    option = "stall"
    time: Any = None  # ms, 1000 to 86400000; infinity, the default: nobody looks
    abort: Optional[bool] = None  # whether a stalled association is aborted; it needs time


@dataclass
class Linger(Setting):
    """With on and 0 seconds, close aborts the associations instead of shutting them down. With on and more
    seconds, close waits until they have ended, for at most that long."""
    option = "linger"
    on: Optional[bool] = None  # whether close lingers
    seconds: Optional[int] = None  # longest time to wait, seconds


@dataclass
class SctpRtoinfo(Setting):
    """Bounds of the retransmission timeout."""
    option = "sctp_rtoinfo"
    assoc_id: Optional[int] = None  # association; 0: new ones
    initial: Optional[int] = None  # first timeout, ms
    max: Optional[int] = None  # upper bound, ms
    min: Optional[int] = None  # lower bound, ms


@dataclass
class SctpAssocinfo(Setting):
    """Limits of an association."""
    option = "sctp_associnfo"
    assoc_id: Optional[int] = None  # association; 0: new ones
    asocmaxrxt: Optional[int] = None  # retransmissions before the association is given up
    number_peer_destinations: Optional[int] = None  # addresses of the peer; read only
    peer_rwnd: Optional[int] = None  # the peer's window, bytes; read only
    local_rwnd: Optional[int] = None  # this side's window, bytes; read only
    cookie_life: Optional[int] = None  # lifetime of a cookie, ms


@dataclass
class SctpInitmsg(Setting):
    """What new associations of the socket ask for."""
    option = "sctp_initmsg"
    num_ostreams: Optional[int] = None  # number of outbound streams to ask for
    max_instreams: Optional[int] = None  # largest number of inbound streams to accept
    max_attempts: Optional[int] = None  # INIT retransmissions before the attempt is given up; 0: the stack's default
    max_init_timeo: Optional[int] = None  # longest time between INITs, ms; 0: the stack's default


@dataclass
class SctpSetPeerPrimaryAddr(Setting):
    """Ask the peer to use this local address as its primary destination. Both sides need
    sctp_asconf_supported."""
    option = "sctp_set_peer_primary_addr"
    assoc_id: Optional[int] = None  # association
    addr: Optional[Endpoint] = None  # local address and port


@dataclass
class SctpAuthChunk(Setting):
    """Accept chunks of this type only behind an AUTH chunk, in new associations. Each setting adds one
    type. It needs sctp_auth_supported. A peer without AUTH is not bound by it; sctp_auth_required
    refuses such peers."""
    option = "sctp_auth_chunk"
    chunk: Optional[str] = None  # type of the chunk


@dataclass
class SctpAuthKey(Setting):
    """Give the stack a shared key. The key of number 0 is empty and valid until it is deleted. Nothing
    shows a key: see "Keys"."""
    option = "sctp_auth_key"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    keynumber: Optional[int] = None  # number of the key
    key: Optional[bytes] = None  # the key, at most 256 bytes


@dataclass
class SctpAuthActiveKey(Setting):
    """The key with which chunks are sent. The peer needs it under the same number before it is made active."""
    option = "sctp_auth_active_key"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    keynumber: Optional[int] = None  # number of the key


@dataclass
class SctpAuthDeactivateKey(Setting):
    """Send no more with this key, which is not the active one. The event sctp_authkey_event says free_key
    when nothing that was sent with it is left. Then delete it."""
    option = "sctp_auth_deactivate_key"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    keynumber: Optional[int] = None  # number of the key


@dataclass
class SctpAuthDeleteKey(Setting):
    """Delete a key, which is not the active one. Chunks that come with it are dropped from then on."""
    option = "sctp_auth_delete_key"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    keynumber: Optional[int] = None  # number of the key


@dataclass
class SctpHmacIdent(Setting):
    """The algorithms that peers may use in AUTH chunks to this socket, the preferred one first. The list
    must have sha1. It needs sctp_auth_supported."""
    option = "sctp_hmac_ident"
    idents: Optional[Tuple[str, ...]] = None  # sha1, sha256


@dataclass
class SctpPeerAuthChunks(Setting):
    """The types of chunks that the peer accepts only behind an AUTH chunk."""
    option = "sctp_peer_auth_chunks"
    assoc_id: Optional[int] = None  # association
    chunks: Optional[Tuple[str, ...]] = None  # types of chunks


@dataclass
class SctpLocalAuthChunks(Setting):
    """The types of chunks that this side accepts only behind an AUTH chunk."""
    option = "sctp_local_auth_chunks"
    assoc_id: Optional[int] = None  # association
    chunks: Optional[Tuple[str, ...]] = None  # types of chunks


@dataclass
class SctpPrimaryAddr(Setting):
    """The primary address of the peer, to which messages are sent while it is reachable."""
    option = "sctp_primary_addr"
    assoc_id: Optional[int] = None  # association
    addr: Optional[Endpoint] = None  # address and port of the peer


@dataclass
class SctpAdaptationLayer(Setting):
    """The adaptation layer indication that new associations announce."""
    option = "sctp_adaptation_layer"
    adaptation_ind: Optional[int] = None  # the indication


@dataclass
class SctpPeerAddrParams(Setting):
    """Heartbeat, path MTU and SACK delay of a path. A value takes effect only with its enabling flag."""
    option = "sctp_peer_addr_params"
    assoc_id: Optional[int] = None  # association; 0: new ones
    address: Optional[Endpoint] = None  # address of the peer; absent: all
    hbinterval: Optional[int] = None  # heartbeat interval, ms
    pathmaxrxt: Optional[int] = None  # retransmissions before the path is considered unreachable
    pathmtu: Optional[int] = None  # path MTU, bytes, when path MTU discovery is off
    sackdelay: Optional[int] = None  # delay of SACKs, ms
    flags: Optional[Tuple[str, ...]] = None  # which values to set, and what to enable or disable
    ipv6_flowlabel: Optional[int] = None  # flow label of IPv6 packets; needs its flag
    dscp: Optional[int] = None  # DSCP and traffic class of packets; needs its flag; clears the ECN bits


@dataclass
class SctpDefaultSendParam(Setting):
    """Default parameters of send, used when it is given assoc_id and stream."""
    option = "sctp_default_send_param"
    stream: Optional[int] = None  # stream
    flags: Optional[Tuple[str, ...]] = None  # unordered, addr_over
    ppid: Optional[int] = None  # payload protocol identifier
    context: Optional[int] = None  # returned with sctp_send_failed
    timetolive: Optional[int] = None  # how long the message may wait to be sent, ms; 0: without limit
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both


@dataclass
class SctpMaxseg(Setting):
    """Size of the largest fragment of a message."""
    option = "sctp_maxseg"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # bytes; 0: as large as the path allows


@dataclass
class SctpStatusPrimary(Record):
    """The primary path, as in sctp_get_peer_addr_info."""
    assoc_id: int = 0  # association; 0: the one that has this address
    address: Optional[Endpoint] = None  # address of the peer
    state: str = ""  # state of the path
    cwnd: int = 0  # congestion window, bytes
    srtt: int = 0  # smoothed round trip time, ms
    rto: int = 0  # retransmission timeout, ms
    mtu: int = 0  # path MTU, bytes


@dataclass
class SctpStatus(Setting):
    """State of an association."""
    option = "sctp_status"
    assoc_id: Optional[int] = None  # association
    state: Optional[str] = None  # state of the association
    rwnd: Optional[int] = None  # the peer's window, bytes
    unackdata: Optional[int] = None  # DATA chunks that have not been acknowledged
    penddata: Optional[int] = None  # DATA chunks that wait to be received
    instrms: Optional[int] = None  # number of inbound streams
    outstrms: Optional[int] = None  # number of outbound streams
    fragmentation_point: Optional[int] = None  # longest message that is not fragmented, bytes
    primary: Optional[SctpStatusPrimary] = None  # the primary path, as in sctp_get_peer_addr_info


@dataclass
class SctpGetPeerAddrInfo(Setting):
    """State of a path."""
    option = "sctp_get_peer_addr_info"
    assoc_id: Optional[int] = None  # association; 0: the one that has this address
    address: Optional[Endpoint] = None  # address of the peer
    state: Optional[str] = None  # state of the path
    cwnd: Optional[int] = None  # congestion window, bytes
    srtt: Optional[int] = None  # smoothed round trip time, ms
    rto: Optional[int] = None  # retransmission timeout, ms
    mtu: Optional[int] = None  # path MTU, bytes


@dataclass
class SctpDelayedAckTime(Setting):
    """How long a SACK may be delayed."""
    option = "sctp_delayed_ack_time"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # ms; 0: no delay; at most 500


@dataclass
class SctpDelayedSack(Setting):
    """How long, and for how many packets, a SACK may be delayed."""
    option = "sctp_delayed_sack"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    delay: Optional[int] = None  # ms
    freq: Optional[int] = None  # packets; 1: no delay


@dataclass
class SctpContext(Setting):
    """The context that received messages carry."""
    option = "sctp_context"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # the context


@dataclass
class SctpMaxBurst(Setting):
    """Number of packets that may be sent in one burst."""
    option = "sctp_max_burst"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # packets; 0: no limit


@dataclass
class SctpDefaultSndinfo(Setting):
    """Default parameters of send, as in sctp_default_send_param, without timetolive."""
    option = "sctp_default_sndinfo"
    sid: Optional[int] = None  # stream
    flags: Optional[Tuple[str, ...]] = None  # unordered, addr_over
    ppid: Optional[int] = None  # payload protocol identifier
    context: Optional[int] = None  # returned with sctp_send_failed
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both


@dataclass
class SctpDefaultPrinfo(Setting):
    """When the stack abandons messages (PR-SCTP)."""
    option = "sctp_default_prinfo"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    value: Optional[int] = None  # ms (ttl), retransmissions (rtx) or priority (prio)
    policy: Optional[str] = None  # the PR-SCTP policy


@dataclass
class SctpPrSupported(Setting):
    """Offer partial reliability (PR-SCTP)."""
    option = "sctp_pr_supported"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 1 or 0


@dataclass
class SctpPrAssocStatus(Setting):
    """Number of messages of an association that were abandoned (PR-SCTP)."""
    option = "sctp_pr_assoc_status"
    assoc_id: Optional[int] = None  # association
    sid: Optional[int] = None  # stream
    policy: Optional[str] = None  # policy that is asked about
    abandoned_unsent: Optional[int] = None  # messages abandoned before they were sent
    abandoned_sent: Optional[int] = None  # messages abandoned after they were sent


@dataclass
class SctpPrStreamStatus(Setting):
    """Number of messages of a stream that were abandoned (PR-SCTP)."""
    option = "sctp_pr_stream_status"
    assoc_id: Optional[int] = None  # association
    sid: Optional[int] = None  # stream
    policy: Optional[str] = None  # policy that is asked about
    abandoned_unsent: Optional[int] = None  # messages abandoned before they were sent
    abandoned_sent: Optional[int] = None  # messages abandoned after they were sent


@dataclass
class SctpReconfigSupported(Setting):
    """Offer stream reconfiguration (RE-CONFIG): resetting and adding streams."""
    option = "sctp_reconfig_supported"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 1 or 0


@dataclass
class SctpEnableStreamReset(Setting):
    """The kinds of stream reconfiguration that the peer may request."""
    option = "sctp_enable_stream_reset"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[Tuple[str, ...]] = None  # reset_streams, reset_assoc, add_streams


@dataclass
class SctpAddStreams(Setting):
    """Add streams to an association. The event sctp_stream_change_event reports the result."""
    option = "sctp_add_streams"
    assoc_id: Optional[int] = None  # association
    instrms: Optional[int] = None  # number of inbound streams to add
    outstrms: Optional[int] = None  # number of outbound streams to add


@dataclass
class SctpInterleavingSupported(Setting):
    """Offer I-DATA: fragments of messages on different streams interleave, so that a short message need not
    wait for a long one. Set sctp_fragment_interleave to 2 before. The kernel's stack also needs the
    sysctl net.sctp.intl_enable; without either of them it fails with eperm."""
    option = "sctp_interleaving_supported"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 1 or 0


@dataclass
class SctpStreamScheduler(Setting):
    """The scheduler that selects the stream to send from next. The kernel has fc and wfq from Linux 6.4;
    where a stack does not have one, setting it is einval."""
    option = "sctp_stream_scheduler"
    assoc_id: Optional[int] = None  # association; 0: new ones, 1: existing ones, 2: both
    assoc_value: Optional[str] = None  # fcfs, prio, rr, fc or wfq


@dataclass
class SctpStreamSchedulerValue(Setting):
    """Priority of a stream for the scheduler."""
    option = "sctp_stream_scheduler_value"
    assoc_id: Optional[int] = None  # association
    stream_id: Optional[int] = None  # stream
    stream_value: Optional[int] = None  # prio: the priority of the stream, 0 is the highest; wfq: its weight


@dataclass
class SctpAsconfSupported(Setting):
    """Offer to add and remove addresses while an association is up (ASCONF). It needs sctp_auth_supported."""
    option = "sctp_asconf_supported"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 1 or 0


@dataclass
class SctpAuthSupported(Setting):
    """Offer authenticated chunks (AUTH)."""
    option = "sctp_auth_supported"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 1 or 0


@dataclass
class SctpEcnSupported(Setting):
    """Offer explicit congestion notification (ECN)."""
    option = "sctp_ecn_supported"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 1 or 0


@dataclass
class SctpPeerAddrThlds(Setting):
    """After how many timeouts a path is potentially failed, which means that messages take another path,
    and after how many it is unreachable."""
    option = "sctp_peer_addr_thlds"
    assoc_id: Optional[int] = None  # association; 0: new ones
    address: Optional[Endpoint] = None  # address of the peer; absent: all
    pathmaxrxt: Optional[int] = None  # timeouts before the path is unreachable; setting 0 keeps it
    pathpfthld: Optional[int] = None  # timeouts before the path is potentially failed; 0: at the first; more than pathmaxrxt: never


@dataclass
class SctpPeerAddrThldsV2(Setting):
    """The same as sctp_peer_addr_thlds, and after how many timeouts the primary path changes for good."""
    option = "sctp_peer_addr_thlds_v2"
    assoc_id: Optional[int] = None  # association; 0: new ones
    address: Optional[Endpoint] = None  # address of the peer; absent: all
    pathmaxrxt: Optional[int] = None  # timeouts before the path is unreachable; setting 0 keeps it
    pathpfthld: Optional[int] = None  # timeouts before the path is potentially failed; 0: at the first; more than pathmaxrxt: never
    pathcpthld: Optional[int] = None  # timeouts before another path becomes the primary one; 65535: never


@dataclass
class SctpExposePotentiallyFailedState(Setting):
    """Whether the path state potentially_failed is shown."""
    option = "sctp_expose_potentially_failed_state"
    assoc_id: Optional[int] = None  # association; 0: new ones
    assoc_value: Optional[int] = None  # 0: the system's setting; 1: no; 2: yes, also in events


@dataclass
class SctpRemoteUdpEncapsPort(Setting):
    """Send SCTP over UDP, to this port. To receive SCTP over UDP, the kernel's stack needs the sysctl
    net.sctp.udp_port."""
    option = "sctp_remote_udp_encaps_port"
    assoc_id: Optional[int] = None  # association; 0: new ones
    address: Optional[Endpoint] = None  # address of the peer; absent: all
    port: Optional[int] = None  # UDP port; 0: SCTP over IP


@dataclass
class SctpPlpmtudProbeInterval(Setting):
    """How often the path MTU is searched with probes of its own, HEARTBEAT chunks with PAD chunks behind
    them, which needs no ICMP."""
    option = "sctp_plpmtud_probe_interval"
    assoc_id: Optional[int] = None  # association; 0: new ones
    address: Optional[Endpoint] = None  # address of the peer; absent: all
    interval: Optional[int] = None  # ms, 5000 at least; 0: no probes


@dataclass
class SctpAssocStats(Setting):
    """Counters of an association since it was set up."""
    option = "sctp_assoc_stats"
    assoc_id: Optional[int] = None  # association
    obs_rto_ipaddr: Optional[Endpoint] = None  # address of the path that maxrto was of
    maxrto: Optional[int] = None  # longest retransmission timeout since this was read last, ms
    isacks: Optional[int] = None  # SACKs received
    osacks: Optional[int] = None  # SACKs sent
    opackets: Optional[int] = None  # packets sent
    ipackets: Optional[int] = None  # packets received
    rtxchunks: Optional[int] = None  # chunks sent again
    outofseqtsns: Optional[int] = None  # chunks received that were ahead of a gap
    idupchunks: Optional[int] = None  # chunks received twice
    gapcnt: Optional[int] = None  # gaps that SACKs told
    ouodchunks: Optional[int] = None  # unordered DATA chunks sent
    iuodchunks: Optional[int] = None  # unordered DATA chunks received
    oodchunks: Optional[int] = None  # ordered DATA chunks sent
    iodchunks: Optional[int] = None  # ordered DATA chunks received
    octrlchunks: Optional[int] = None  # control chunks sent
    ictrlchunks: Optional[int] = None  # control chunks received


class Options(TypedDict, total=False):
    """All options, as keyword arguments of open and setopts."""
    active: Any  # get, set; socket
    sctp_events: Union[SctpEvents, Mapping[str, Any]]  # get, set; socket
    mode: str  # get, set; socket
    buffer: int  # get, set; socket
    high_msgq_watermark: int  # get, set; socket
    low_msgq_watermark: int  # get, set; socket
    send_timeout: Any  # get, set; socket
    non_block_send: bool  # get, set; socket
    bundle: bool  # get, set; socket
    refuse_without_auth: bool  # get, set; socket
    sctp_auth_required: Union[SctpAuthRequired, Mapping[str, Any]]  # set; socket
    on_owner_exit: str  # get, set; socket
    hold_time: Any  # get, set; socket
    path_manager: Union[PathManager, Mapping[str, Any]]  # get, set; socket
    stall: Union[Stall, Mapping[str, Any]]  # get, set; socket
    netns: str  # open; socket
    bind_to_device: str  # get, set; socket
    recvtos: bool  # get, set; socket
    recvttl: bool  # get, set; socket
    recvtclass: bool  # get, set; socket
    timestamp: bool  # get, set; socket
    sndbuf: int  # get, set; socket
    recbuf: int  # get, set; socket
    linger: Union[Linger, Mapping[str, Any]]  # get, set; socket
    reuseaddr: bool  # get, set; socket
    reuseport: bool  # get, set; socket
    dontroute: bool  # get, set; socket
    priority: int  # get, set; socket
    tos: int  # get, set; socket
    ttl: int  # get, set; socket
    mark: int  # get, set; socket
    freebind: bool  # get, set; socket
    blackhole: bool  # get, set; socket
    tclass: int  # get, set; socket
    ipv6_v6only: bool  # get, set; socket
    sctp_rtoinfo: Union[SctpRtoinfo, Mapping[str, Any]]  # get, set; future
    sctp_associnfo: Union[SctpAssocinfo, Mapping[str, Any]]  # get, set; future
    sctp_initmsg: Union[SctpInitmsg, Mapping[str, Any]]  # get, set; socket
    sctp_nodelay: bool  # get, set; socket
    sctp_autoclose: int  # get, set; socket
    sctp_set_peer_primary_addr: Union[SctpSetPeerPrimaryAddr, Mapping[str, Any]]  # set; assoc
    sctp_auth_chunk: Union[SctpAuthChunk, Mapping[str, Any]]  # set; socket
    sctp_auth_key: Union[SctpAuthKey, Mapping[str, Any]]  # set; current
    sctp_auth_active_key: Union[SctpAuthActiveKey, Mapping[str, Any]]  # get, set; current
    sctp_auth_deactivate_key: Union[SctpAuthDeactivateKey, Mapping[str, Any]]  # set; current
    sctp_auth_delete_key: Union[SctpAuthDeleteKey, Mapping[str, Any]]  # set; current
    sctp_hmac_ident: Union[SctpHmacIdent, Mapping[str, Any]]  # get, set; socket
    sctp_peer_auth_chunks: Union[SctpPeerAuthChunks, Mapping[str, Any]]  # get; assoc
    sctp_local_auth_chunks: Union[SctpLocalAuthChunks, Mapping[str, Any]]  # get; future
    sctp_primary_addr: Union[SctpPrimaryAddr, Mapping[str, Any]]  # get, set; assoc
    sctp_adaptation_layer: Union[SctpAdaptationLayer, Mapping[str, Any]]  # get, set; socket
    sctp_disable_fragments: bool  # get, set; socket
    sctp_peer_addr_params: Union[SctpPeerAddrParams, Mapping[str, Any]]  # get, set; future
    sctp_default_send_param: Union[SctpDefaultSendParam, Mapping[str, Any]]  # get, set; current
    sctp_i_want_mapped_v4_addr: bool  # get, set; socket
    sctp_maxseg: Union[SctpMaxseg, Mapping[str, Any]]  # get, set; future
    sctp_status: Union[SctpStatus, Mapping[str, Any]]  # get; assoc
    sctp_get_peer_addr_info: Union[SctpGetPeerAddrInfo, Mapping[str, Any]]  # get; assoc
    sctp_delayed_ack_time: Union[SctpDelayedAckTime, Mapping[str, Any]]  # get, set; current
    sctp_delayed_sack: Union[SctpDelayedSack, Mapping[str, Any]]  # get, set; current
    sctp_context: Union[SctpContext, Mapping[str, Any]]  # get, set; current
    sctp_fragment_interleave: int  # get, set; socket
    sctp_partial_delivery_point: int  # get, set; socket
    sctp_max_burst: Union[SctpMaxBurst, Mapping[str, Any]]  # get, set; current
    sctp_default_sndinfo: Union[SctpDefaultSndinfo, Mapping[str, Any]]  # get, set; current
    sctp_default_prinfo: Union[SctpDefaultPrinfo, Mapping[str, Any]]  # get, set; current
    sctp_auto_asconf: bool  # get, set; socket
    sctp_pr_supported: Union[SctpPrSupported, Mapping[str, Any]]  # get, set; future
    sctp_pr_assoc_status: Union[SctpPrAssocStatus, Mapping[str, Any]]  # get; assoc
    sctp_pr_stream_status: Union[SctpPrStreamStatus, Mapping[str, Any]]  # get; assoc
    sctp_reconfig_supported: Union[SctpReconfigSupported, Mapping[str, Any]]  # get, set; future
    sctp_enable_stream_reset: Union[SctpEnableStreamReset, Mapping[str, Any]]  # get, set; current
    sctp_add_streams: Union[SctpAddStreams, Mapping[str, Any]]  # set; assoc
    sctp_interleaving_supported: Union[SctpInterleavingSupported, Mapping[str, Any]]  # get, set; future
    sctp_stream_scheduler: Union[SctpStreamScheduler, Mapping[str, Any]]  # get, set; current
    sctp_stream_scheduler_value: Union[SctpStreamSchedulerValue, Mapping[str, Any]]  # get, set; assoc
    sctp_asconf_supported: Union[SctpAsconfSupported, Mapping[str, Any]]  # get, set; future
    sctp_auth_supported: Union[SctpAuthSupported, Mapping[str, Any]]  # get, set; future
    sctp_ecn_supported: Union[SctpEcnSupported, Mapping[str, Any]]  # get, set; future
    sctp_peer_addr_thlds: Union[SctpPeerAddrThlds, Mapping[str, Any]]  # get, set; future
    sctp_peer_addr_thlds_v2: Union[SctpPeerAddrThldsV2, Mapping[str, Any]]  # get, set; future
    sctp_expose_potentially_failed_state: Union[SctpExposePotentiallyFailedState, Mapping[str, Any]]  # get, set; future
    sctp_remote_udp_encaps_port: Union[SctpRemoteUdpEncapsPort, Mapping[str, Any]]  # get, set; future
    sctp_plpmtud_probe_interval: Union[SctpPlpmtudProbeInterval, Mapping[str, Any]]  # get, set; future
    sctp_assoc_stats: Union[SctpAssocStats, Mapping[str, Any]]  # get; assoc


OPTIONS: Dict[str, Optional[type]] = {
    "active": None,
    "sctp_events": SctpEvents,
    "mode": None,
    "buffer": None,
    "high_msgq_watermark": None,
    "low_msgq_watermark": None,
    "send_timeout": None,
    "non_block_send": None,
    "bundle": None,
    "refuse_without_auth": None,
    "sctp_auth_required": SctpAuthRequired,
    "on_owner_exit": None,
    "hold_time": None,
    "path_manager": PathManager,
    "stall": Stall,
    "netns": None,
    "bind_to_device": None,
    "recvtos": None,
    "recvttl": None,
    "recvtclass": None,
    "timestamp": None,
    "sndbuf": None,
    "recbuf": None,
    "linger": Linger,
    "reuseaddr": None,
    "reuseport": None,
    "dontroute": None,
    "priority": None,
    "tos": None,
    "ttl": None,
    "mark": None,
    "freebind": None,
    "blackhole": None,
    "tclass": None,
    "ipv6_v6only": None,
    "sctp_rtoinfo": SctpRtoinfo,
    "sctp_associnfo": SctpAssocinfo,
    "sctp_initmsg": SctpInitmsg,
    "sctp_nodelay": None,
    "sctp_autoclose": None,
    "sctp_set_peer_primary_addr": SctpSetPeerPrimaryAddr,
    "sctp_auth_chunk": SctpAuthChunk,
    "sctp_auth_key": SctpAuthKey,
    "sctp_auth_active_key": SctpAuthActiveKey,
    "sctp_auth_deactivate_key": SctpAuthDeactivateKey,
    "sctp_auth_delete_key": SctpAuthDeleteKey,
    "sctp_hmac_ident": SctpHmacIdent,
    "sctp_peer_auth_chunks": SctpPeerAuthChunks,
    "sctp_local_auth_chunks": SctpLocalAuthChunks,
    "sctp_primary_addr": SctpPrimaryAddr,
    "sctp_adaptation_layer": SctpAdaptationLayer,
    "sctp_disable_fragments": None,
    "sctp_peer_addr_params": SctpPeerAddrParams,
    "sctp_default_send_param": SctpDefaultSendParam,
    "sctp_i_want_mapped_v4_addr": None,
    "sctp_maxseg": SctpMaxseg,
    "sctp_status": SctpStatus,
    "sctp_get_peer_addr_info": SctpGetPeerAddrInfo,
    "sctp_delayed_ack_time": SctpDelayedAckTime,
    "sctp_delayed_sack": SctpDelayedSack,
    "sctp_context": SctpContext,
    "sctp_fragment_interleave": None,
    "sctp_partial_delivery_point": None,
    "sctp_max_burst": SctpMaxBurst,
    "sctp_default_sndinfo": SctpDefaultSndinfo,
    "sctp_default_prinfo": SctpDefaultPrinfo,
    "sctp_auto_asconf": None,
    "sctp_pr_supported": SctpPrSupported,
    "sctp_pr_assoc_status": SctpPrAssocStatus,
    "sctp_pr_stream_status": SctpPrStreamStatus,
    "sctp_reconfig_supported": SctpReconfigSupported,
    "sctp_enable_stream_reset": SctpEnableStreamReset,
    "sctp_add_streams": SctpAddStreams,
    "sctp_interleaving_supported": SctpInterleavingSupported,
    "sctp_stream_scheduler": SctpStreamScheduler,
    "sctp_stream_scheduler_value": SctpStreamSchedulerValue,
    "sctp_asconf_supported": SctpAsconfSupported,
    "sctp_auth_supported": SctpAuthSupported,
    "sctp_ecn_supported": SctpEcnSupported,
    "sctp_peer_addr_thlds": SctpPeerAddrThlds,
    "sctp_peer_addr_thlds_v2": SctpPeerAddrThldsV2,
    "sctp_expose_potentially_failed_state": SctpExposePotentiallyFailedState,
    "sctp_remote_udp_encaps_port": SctpRemoteUdpEncapsPort,
    "sctp_plpmtud_probe_interval": SctpPlpmtudProbeInterval,
    "sctp_assoc_stats": SctpAssocStats,
}


class DaemonCalls(Caller):
    """Methods of the daemon; timeouts are seconds."""

    async def leave(self, name: str, client: Optional[int] = None) -> None:
        """Leave a group. The client's share goes to the other members at once, with everything that it has not
        acknowledged. Acknowledge what you have handled before, and discard what you have not handled of
        these sockets when this is answered."""
        await self.call("leave", name=name, client=client)

    async def drain_member(self, name: str, *, client: Optional[int] = None, on: Optional[bool] = None) -> DrainMemberResult:
        """Take a member out of service, or put it back. It gets nothing new. Each of its sockets goes to
        another member as soon as it has acknowledged everything that it was sent of that socket, and the
        event unassigned says so. It stays a member, to which nothing is given while there are others."""
        return DrainMemberResult._from(await self.call("drain_member", name=name, client=client, on=on))

    async def ungroup(self, name: str) -> UngroupResult:
        """End a group. Its socket goes to the caller, and each member keeps the sockets that it has. Clients of
        the group's user may do this."""
        return UngroupResult._from(await self.call("ungroup", name=name))

    async def groups(self, name: Optional[str] = None) -> GroupsResult:
        """List the groups of the caller's user, and those that the caller has joined; for root and
        administrators, those of all users."""
        return GroupsResult._from(await self.call("groups", name=name))

    async def supervise(self, name: str, *, role: Optional[str] = None, local: Optional[Any] = None, local_port: Optional[int] = None, peer: Optional[Any] = None, peer_port: Optional[int] = None, primary: Optional[str] = None, streams_out: Optional[int] = None, streams_in: Optional[int] = None, backoff_min: Optional[int] = None, backoff_max: Optional[int] = None, jitter: Optional[int] = None, attach: Optional[Any] = None, down: Optional[bool] = None, **options: Unpack[Options]) -> SuperviseResult:
        """Have the daemon look after an association: it sets it up, and again whenever it ended, with pauses
        that grow. The association has a name and a socket, which exist before any client and outlive all.
        Its socket is nobody's until a client calls attach; until then messages are not read. The same can be
        written in sctpd.conf(5). A call that says the same again changes nothing."""
        return SuperviseResult._from(await self.call("supervise", name=name, role=role, local=local, local_port=local_port, peer=peer, peer_port=peer_port, primary=primary, streams_out=streams_out, streams_in=streams_in, backoff_min=backoff_min, backoff_max=backoff_max, jitter=jitter, attach=attach, down=down, options=dict(options) or None))

    async def unsupervise(self, name: str) -> None:
        """Look after an association no more: its socket is closed, and its associations are shut down in order."""
        await self.call("unsupervise", name=name)

    async def supervised(self, name: Optional[str] = None) -> SupervisedResult:
        """List the supervised associations that the caller may attach or see."""
        return SupervisedResult._from(await self.call("supervised", name=name))

    async def detach(self, name: str) -> None:
        """Give the socket of a supervised association back. Its associations stay."""
        await self.call("detach", name=name)

    async def up(self, name: str) -> None:
        """Set a supervised association up now, whatever its pause, or if it is down."""
        await self.call("up", name=name)

    async def down(self, name: str) -> None:
        """Shut a supervised association down in order, and do not set it up again until up is called. Its
        socket is closed; who was attached is told."""
        await self.call("down", name=name)

    async def explain(self, name: str) -> ExplainResult:
        """Say what a supervised association would do now, without sending anything of SCTP: the addresses that
        its INIT would offer, the routes to the peer, and what will probably go wrong. It cannot tell what a
        firewall does to SCTP."""
        return ExplainResult._from(await self.call("explain", name=name))

    async def error_string(self, error: int) -> ErrorStringResult:
        """Return the text of an SCTP cause code."""
        return ErrorStringResult._from(await self.call("error_string", error=error))

    async def paths(self, *, sock: Optional[int] = None, assoc_id: Optional[int] = None, addrs: Optional[bool] = None, limit: Optional[int] = None, after_sock: Optional[int] = None, after_assoc: Optional[int] = None) -> PathsResult:
        """List the paths of an association, of all associations of a socket, or of all sockets that the caller
        may use. Neither stack tells how many errors a path has had in a row; the state says what it makes of
        them."""
        return PathsResult._from(await self.call("paths", sock=sock, assoc_id=assoc_id, addrs=addrs, limit=limit, after_sock=after_sock, after_assoc=after_assoc))

    async def status(self) -> StatusResult:
        """Return the state of the daemon."""
        return StatusResult._from(await self.call("status"))

    async def sockets(self) -> SocketsResult:
        """List the sockets that the caller may use."""
        return SocketsResult._from(await self.call("sockets"))

    async def assocs(self, *, sock: Optional[int] = None, assoc_id: Optional[int] = None, status: Optional[bool] = None, addrs: Optional[bool] = None, limit: Optional[int] = None, after_sock: Optional[int] = None, after_assoc: Optional[int] = None) -> AssocsResult:
        """List an association, those of a socket, or those of all sockets that the caller may use."""
        return AssocsResult._from(await self.call("assocs", sock=sock, assoc_id=assoc_id, status=status, addrs=addrs, limit=limit, after_sock=after_sock, after_assoc=after_assoc))

    async def clients(self) -> ClientsResult:
        """List the clients of the caller's user, or, for root, of all users."""
        return ClientsResult._from(await self.call("clients"))

    async def disconnect(self, client: int) -> None:
        """End the connection of another client, as if it had closed it: its sockets do what their option
        on_owner_exit says. It may be a client of the caller's user; administrators (admin_users in
        sctpd.conf) may disconnect any. The client is told why by the event error, if it has asked for
        events."""
        await self.call("disconnect", client=client)

    async def drain(self, on: Optional[bool] = None) -> DrainResult:
        """Drain the daemon, or end that, or ask. While it is drained, connect fails with eagain, and
        associations of peers are aborted as soon as they come up; those that exist go on. That outlives the
        daemon where sockets do. Only administrators (admin_users in sctpd.conf) may change it."""
        return DrainResult._from(await self.call("drain", on=on))

    async def log_level(self, level: Optional[str] = None) -> LogLevelResult:
        """Change the least urgent priority of the messages that are logged, or ask for it. It holds until the
        daemon starts or reads its configuration again. Only administrators (admin_users in sctpd.conf) may
        change it."""
        return LogLevelResult._from(await self.call("log_level", level=level))

    async def tap(self, *, on: Optional[bool] = None, sock: Optional[int] = None, assoc_id: Optional[int] = None, client: Optional[int] = None, addr: Optional[str] = None, port: Optional[int] = None, ppid: Optional[int] = None, snap: Optional[int] = None, ring: Optional[int] = None) -> TapResult:
        """Tap the messages of all sockets, of all users: copies of them come as events tap, in the format
        pcapng, one packet of raw IP and SCTP for each message or, if it is long, several. Only users named
        by tap_users in sctpd.conf may do this. Messages that the caller does not read fast enough are left
        out and counted; the tap delays no message. Where asking the clock is a system call, as under some
        clock sources of Linux, the messages of 10 ms have one time. The tap ends with the connection, and a
        session cannot have one. There are 16 at most; a user other than root may have 4, and 4 are for root
        alone. The log says who begins and ends one. A second call replaces the first."""
        return TapResult._from(await self.call("tap", on=on, sock=sock, assoc_id=assoc_id, client=client, addr=addr, port=port, ppid=ppid, snap=snap, ring=ring))

    async def watch(self, on: Optional[bool] = None) -> None:
        """Watch all sockets that the caller may use. Every event of them except data is sent to the caller as
        an event watch as well. A caller that does not read fast enough loses events, and the event overrun
        says how many."""
        await self.call("watch", on=on)


class SocketCalls(Caller):
    """Methods of a socket; timeouts are seconds."""

    async def bind(self, *, ip: Optional[Any] = None, port: Optional[int] = None) -> BindResult:
        """Bind a socket that open left unbound. If one of the addresses cannot be bound, the socket stays
        unbound. A socket is bound once: bindx_add and bindx_rem change its addresses later."""
        return BindResult._from(await self.call("bind", ip=ip, port=port))

    async def connect_init(self, addr: Any, port: int, timeout: Optional[float] = None, **options: Unpack[Options]) -> ConnectInitResult:
        """Start to set up an association and return at once. The event sctp_assoc_change with this assoc_id
        reports the result."""
        return ConnectInitResult._from(await self.call("connect_init", addr=addr, port=port, timeout=self._ms(timeout), options=dict(options) or None))

    async def connectx_init(self, addr: Any, port: int, timeout: Optional[float] = None, **options: Unpack[Options]) -> ConnectxInitResult:
        """Do the same as connect_init. gen_sctp has this name for a peer with several addresses."""
        return ConnectxInitResult._from(await self.call("connectx_init", addr=addr, port=port, timeout=self._ms(timeout), options=dict(options) or None))

    async def listen(self, backlog: Optional[Any] = None) -> None:
        """Accept associations from peers, or stop accepting them. On a stream socket accept returns the
        associations."""
        await self.call("listen", backlog=backlog)

    async def eof(self, assoc_id: Optional[int] = None) -> None:
        """Shut one association down after everything that was sent has arrived. An association that is being
        set up is shut down once it is up. If the peer is already shutting it down, nothing changes. The
        socket stays open."""
        await self.call("eof", assoc_id=assoc_id)

    async def abort(self, assoc_id: Optional[int] = None, *, reason: Optional[bytes] = None) -> None:
        """Abort one association at once. Messages that have not arrived are lost. The socket stays open."""
        await self.call("abort", assoc_id=assoc_id, reason=reason)

    async def group(self, name: str, *, policy: Optional[str] = None, by: Optional[str] = None, offset: Optional[int] = None, length: Optional[int] = None, grace: Optional[int] = None, hand_over_time: Optional[int] = None, users: Optional[Any] = None) -> None:
        """Make a group of clients that own a socket together, each a share of it. The daemon owns the socket
        from now on, and the clients call join; see Groups. Only the owner of the socket may do this, and it
        must have acknowledged what it was sent of it."""
        await self.call("group", name=name, policy=policy, by=by, offset=offset, length=length, grace=grace, hand_over_time=hand_over_time, users=users)

    async def setsockopt(self, level: int, name: int, value: bytes) -> None:
        """Set an option by the level and name that it has on Linux, to the bytes of Linux's struct, in this
        host's byte order. It is the option of the same meaning that setopts has, so what is said of that
        holds here. Beside these there are SCTP_EVENTS and SCTP_EVENT, which are sctp_events. Lengths are
        checked as Linux does, with the older and shorter forms that it accepts. For programs that are
        written for Linux's own SCTP; others use setopts."""
        await self.call("setsockopt", level=level, name=name, value=value)

    async def getsockopt(self, level: int, name: int, value: bytes) -> GetsockoptResult:
        """Read an option by the level and name that it has on Linux. Beside the options of setsockopt there are
        SO_TYPE, SO_DOMAIN, SO_PROTOCOL and SO_ACCEPTCONN, and SCTP_GET_PEER_ADDRS, SCTP_GET_LOCAL_ADDRS,
        SCTP_GET_ASSOC_NUMBER and SCTP_GET_ASSOC_ID_LIST."""
        return GetsockoptResult._from(await self.call("getsockopt", level=level, name=name, value=value))

    async def getstat(self) -> GetstatResult:
        """Return the counters of a socket."""
        return GetstatResult._from(await self.call("getstat"))

    async def sockname(self) -> SocknameResult:
        """Return the local address, which is the last one that was given to open unless bindx_rem removed that,
        and the local port."""
        return SocknameResult._from(await self.call("sockname"))

    async def peername(self) -> PeernameResult:
        """Return the address of a one-to-one socket's peer that was primary when the association came up, and
        the port."""
        return PeernameResult._from(await self.call("peername"))

    async def socknames(self, assoc_id: Optional[int] = None) -> SocknamesResult:
        """Return all local addresses of a socket or of an association."""
        return SocknamesResult._from(await self.call("socknames", assoc_id=assoc_id))

    async def peernames(self, assoc_id: Optional[int] = None) -> PeernamesResult:
        """Return all addresses of a peer."""
        return PeernamesResult._from(await self.call("peernames", assoc_id=assoc_id))

    async def bindx_add(self, addrs: Any, assoc_id: Optional[int] = None) -> BindxAddResult:
        """Add addresses to a socket and to its associations. The peer of an association is told (ASCONF) if
        both sides had sctp_auth_supported and sctp_asconf_supported when the association was set up; then
        the peer receives the event sctp_paddr_change with addr_added. An association of another peer, or
        that is still being set up, keeps its addresses. The stack does not tell what the peer answers. An
        address that is there already is passed over. The kernel's stack only."""
        return BindxAddResult._from(await self.call("bindx_add", addrs=addrs, assoc_id=assoc_id))

    async def bindx_rem(self, addrs: Any, assoc_id: Optional[int] = None) -> BindxRemResult:
        """Remove addresses from a socket and from its associations, under the same conditions as bindx_add adds
        them; the peer receives addr_removed. One address must remain. An address that is not there is passed
        over."""
        return BindxRemResult._from(await self.call("bindx_rem", addrs=addrs, assoc_id=assoc_id))

    async def reset_streams(self, assoc_id: Optional[int] = None, *, flags: Optional[Any] = None, streams: Optional[Any] = None) -> None:
        """Ask the peer to reset streams, so that their sequence numbers begin at 0 again. Both sides need
        sctp_reconfig_supported before the association is set up, and reset_streams in
        sctp_enable_stream_reset. The event sctp_stream_reset_event reports the result to both sides. There
        is one request at a time."""
        await self.call("reset_streams", assoc_id=assoc_id, flags=flags, streams=streams)

    async def reset_assoc(self, assoc_id: Optional[int] = None) -> None:
        """Ask the peer to reset the association: its TSNs, and the sequence numbers of all streams. Both sides
        need sctp_reconfig_supported before the association is set up, and reset_assoc in
        sctp_enable_stream_reset. The event sctp_assoc_reset_event reports the result to both sides."""
        await self.call("reset_assoc", assoc_id=assoc_id)

    async def record(self, assoc_id: Optional[int] = None) -> RecordResult:
        """Return what the flight recorder has of an association: its last messages, or the beginning of each,
        and what happened. See record_messages in sctpd.conf(5)."""
        return RecordResult._from(await self.call("record", assoc_id=assoc_id))


class BlockingDaemonCalls(Caller):
    """Methods of the daemon; timeouts are seconds."""

    def leave(self, name: str, client: Optional[int] = None) -> None:
        """Leave a group. The client's share goes to the other members at once, with everything that it has not
        acknowledged. Acknowledge what you have handled before, and discard what you have not handled of
        these sockets when this is answered."""
        self.call("leave", name=name, client=client)

    def drain_member(self, name: str, *, client: Optional[int] = None, on: Optional[bool] = None) -> DrainMemberResult:
        """Take a member out of service, or put it back. It gets nothing new. Each of its sockets goes to
        another member as soon as it has acknowledged everything that it was sent of that socket, and the
        event unassigned says so. It stays a member, to which nothing is given while there are others."""
        return DrainMemberResult._from(self.call("drain_member", name=name, client=client, on=on))

    def ungroup(self, name: str) -> UngroupResult:
        """End a group. Its socket goes to the caller, and each member keeps the sockets that it has. Clients of
        the group's user may do this."""
        return UngroupResult._from(self.call("ungroup", name=name))

    def groups(self, name: Optional[str] = None) -> GroupsResult:
        """List the groups of the caller's user, and those that the caller has joined; for root and
        administrators, those of all users."""
        return GroupsResult._from(self.call("groups", name=name))

    def supervise(self, name: str, *, role: Optional[str] = None, local: Optional[Any] = None, local_port: Optional[int] = None, peer: Optional[Any] = None, peer_port: Optional[int] = None, primary: Optional[str] = None, streams_out: Optional[int] = None, streams_in: Optional[int] = None, backoff_min: Optional[int] = None, backoff_max: Optional[int] = None, jitter: Optional[int] = None, attach: Optional[Any] = None, down: Optional[bool] = None, **options: Unpack[Options]) -> SuperviseResult:
        """Have the daemon look after an association: it sets it up, and again whenever it ended, with pauses
        that grow. The association has a name and a socket, which exist before any client and outlive all.
        Its socket is nobody's until a client calls attach; until then messages are not read. The same can be
        written in sctpd.conf(5). A call that says the same again changes nothing."""
        return SuperviseResult._from(self.call("supervise", name=name, role=role, local=local, local_port=local_port, peer=peer, peer_port=peer_port, primary=primary, streams_out=streams_out, streams_in=streams_in, backoff_min=backoff_min, backoff_max=backoff_max, jitter=jitter, attach=attach, down=down, options=dict(options) or None))

    def unsupervise(self, name: str) -> None:
        """Look after an association no more: its socket is closed, and its associations are shut down in order."""
        self.call("unsupervise", name=name)

    def supervised(self, name: Optional[str] = None) -> SupervisedResult:
        """List the supervised associations that the caller may attach or see."""
        return SupervisedResult._from(self.call("supervised", name=name))

    def detach(self, name: str) -> None:
        """Give the socket of a supervised association back. Its associations stay."""
        self.call("detach", name=name)

    def up(self, name: str) -> None:
        """Set a supervised association up now, whatever its pause, or if it is down."""
        self.call("up", name=name)

    def down(self, name: str) -> None:
        """Shut a supervised association down in order, and do not set it up again until up is called. Its
        socket is closed; who was attached is told."""
        self.call("down", name=name)

    def explain(self, name: str) -> ExplainResult:
        """Say what a supervised association would do now, without sending anything of SCTP: the addresses that
        its INIT would offer, the routes to the peer, and what will probably go wrong. It cannot tell what a
        firewall does to SCTP."""
        return ExplainResult._from(self.call("explain", name=name))

    def error_string(self, error: int) -> ErrorStringResult:
        """Return the text of an SCTP cause code."""
        return ErrorStringResult._from(self.call("error_string", error=error))

    def paths(self, *, sock: Optional[int] = None, assoc_id: Optional[int] = None, addrs: Optional[bool] = None, limit: Optional[int] = None, after_sock: Optional[int] = None, after_assoc: Optional[int] = None) -> PathsResult:
        """List the paths of an association, of all associations of a socket, or of all sockets that the caller
        may use. Neither stack tells how many errors a path has had in a row; the state says what it makes of
        them."""
        return PathsResult._from(self.call("paths", sock=sock, assoc_id=assoc_id, addrs=addrs, limit=limit, after_sock=after_sock, after_assoc=after_assoc))

    def status(self) -> StatusResult:
        """Return the state of the daemon."""
        return StatusResult._from(self.call("status"))

    def sockets(self) -> SocketsResult:
        """List the sockets that the caller may use."""
        return SocketsResult._from(self.call("sockets"))

    def assocs(self, *, sock: Optional[int] = None, assoc_id: Optional[int] = None, status: Optional[bool] = None, addrs: Optional[bool] = None, limit: Optional[int] = None, after_sock: Optional[int] = None, after_assoc: Optional[int] = None) -> AssocsResult:
        """List an association, those of a socket, or those of all sockets that the caller may use."""
        return AssocsResult._from(self.call("assocs", sock=sock, assoc_id=assoc_id, status=status, addrs=addrs, limit=limit, after_sock=after_sock, after_assoc=after_assoc))

    def clients(self) -> ClientsResult:
        """List the clients of the caller's user, or, for root, of all users."""
        return ClientsResult._from(self.call("clients"))

    def disconnect(self, client: int) -> None:
        """End the connection of another client, as if it had closed it: its sockets do what their option
        on_owner_exit says. It may be a client of the caller's user; administrators (admin_users in
        sctpd.conf) may disconnect any. The client is told why by the event error, if it has asked for
        events."""
        self.call("disconnect", client=client)

    def drain(self, on: Optional[bool] = None) -> DrainResult:
        """Drain the daemon, or end that, or ask. While it is drained, connect fails with eagain, and
        associations of peers are aborted as soon as they come up; those that exist go on. That outlives the
        daemon where sockets do. Only administrators (admin_users in sctpd.conf) may change it."""
        return DrainResult._from(self.call("drain", on=on))

    def log_level(self, level: Optional[str] = None) -> LogLevelResult:
        """Change the least urgent priority of the messages that are logged, or ask for it. It holds until the
        daemon starts or reads its configuration again. Only administrators (admin_users in sctpd.conf) may
        change it."""
        return LogLevelResult._from(self.call("log_level", level=level))

    def tap(self, *, on: Optional[bool] = None, sock: Optional[int] = None, assoc_id: Optional[int] = None, client: Optional[int] = None, addr: Optional[str] = None, port: Optional[int] = None, ppid: Optional[int] = None, snap: Optional[int] = None, ring: Optional[int] = None) -> TapResult:
        """Tap the messages of all sockets, of all users: copies of them come as events tap, in the format
        pcapng, one packet of raw IP and SCTP for each message or, if it is long, several. Only users named
        by tap_users in sctpd.conf may do this. Messages that the caller does not read fast enough are left
        out and counted; the tap delays no message. Where asking the clock is a system call, as under some
        clock sources of Linux, the messages of 10 ms have one time. The tap ends with the connection, and a
        session cannot have one. There are 16 at most; a user other than root may have 4, and 4 are for root
        alone. The log says who begins and ends one. A second call replaces the first."""
        return TapResult._from(self.call("tap", on=on, sock=sock, assoc_id=assoc_id, client=client, addr=addr, port=port, ppid=ppid, snap=snap, ring=ring))

    def watch(self, on: Optional[bool] = None) -> None:
        """Watch all sockets that the caller may use. Every event of them except data is sent to the caller as
        an event watch as well. A caller that does not read fast enough loses events, and the event overrun
        says how many."""
        self.call("watch", on=on)


class BlockingSocketCalls(Caller):
    """Methods of a socket; timeouts are seconds."""

    def bind(self, *, ip: Optional[Any] = None, port: Optional[int] = None) -> BindResult:
        """Bind a socket that open left unbound. If one of the addresses cannot be bound, the socket stays
        unbound. A socket is bound once: bindx_add and bindx_rem change its addresses later."""
        return BindResult._from(self.call("bind", ip=ip, port=port))

    def connect_init(self, addr: Any, port: int, timeout: Optional[float] = None, **options: Unpack[Options]) -> ConnectInitResult:
        """Start to set up an association and return at once. The event sctp_assoc_change with this assoc_id
        reports the result."""
        return ConnectInitResult._from(self.call("connect_init", addr=addr, port=port, timeout=self._ms(timeout), options=dict(options) or None))

    def connectx_init(self, addr: Any, port: int, timeout: Optional[float] = None, **options: Unpack[Options]) -> ConnectxInitResult:
        """Do the same as connect_init. gen_sctp has this name for a peer with several addresses."""
        return ConnectxInitResult._from(self.call("connectx_init", addr=addr, port=port, timeout=self._ms(timeout), options=dict(options) or None))

    def listen(self, backlog: Optional[Any] = None) -> None:
        """Accept associations from peers, or stop accepting them. On a stream socket accept returns the
        associations."""
        self.call("listen", backlog=backlog)

    def eof(self, assoc_id: Optional[int] = None) -> None:
        """Shut one association down after everything that was sent has arrived. An association that is being
        set up is shut down once it is up. If the peer is already shutting it down, nothing changes. The
        socket stays open."""
        self.call("eof", assoc_id=assoc_id)

    def abort(self, assoc_id: Optional[int] = None, *, reason: Optional[bytes] = None) -> None:
        """Abort one association at once. Messages that have not arrived are lost. The socket stays open."""
        self.call("abort", assoc_id=assoc_id, reason=reason)

    def group(self, name: str, *, policy: Optional[str] = None, by: Optional[str] = None, offset: Optional[int] = None, length: Optional[int] = None, grace: Optional[int] = None, hand_over_time: Optional[int] = None, users: Optional[Any] = None) -> None:
        """Make a group of clients that own a socket together, each a share of it. The daemon owns the socket
        from now on, and the clients call join; see Groups. Only the owner of the socket may do this, and it
        must have acknowledged what it was sent of it."""
        self.call("group", name=name, policy=policy, by=by, offset=offset, length=length, grace=grace, hand_over_time=hand_over_time, users=users)

    def setsockopt(self, level: int, name: int, value: bytes) -> None:
        """Set an option by the level and name that it has on Linux, to the bytes of Linux's struct, in this
        host's byte order. It is the option of the same meaning that setopts has, so what is said of that
        holds here. Beside these there are SCTP_EVENTS and SCTP_EVENT, which are sctp_events. Lengths are
        checked as Linux does, with the older and shorter forms that it accepts. For programs that are
        written for Linux's own SCTP; others use setopts."""
        self.call("setsockopt", level=level, name=name, value=value)

    def getsockopt(self, level: int, name: int, value: bytes) -> GetsockoptResult:
        """Read an option by the level and name that it has on Linux. Beside the options of setsockopt there are
        SO_TYPE, SO_DOMAIN, SO_PROTOCOL and SO_ACCEPTCONN, and SCTP_GET_PEER_ADDRS, SCTP_GET_LOCAL_ADDRS,
        SCTP_GET_ASSOC_NUMBER and SCTP_GET_ASSOC_ID_LIST."""
        return GetsockoptResult._from(self.call("getsockopt", level=level, name=name, value=value))

    def getstat(self) -> GetstatResult:
        """Return the counters of a socket."""
        return GetstatResult._from(self.call("getstat"))

    def sockname(self) -> SocknameResult:
        """Return the local address, which is the last one that was given to open unless bindx_rem removed that,
        and the local port."""
        return SocknameResult._from(self.call("sockname"))

    def peername(self) -> PeernameResult:
        """Return the address of a one-to-one socket's peer that was primary when the association came up, and
        the port."""
        return PeernameResult._from(self.call("peername"))

    def socknames(self, assoc_id: Optional[int] = None) -> SocknamesResult:
        """Return all local addresses of a socket or of an association."""
        return SocknamesResult._from(self.call("socknames", assoc_id=assoc_id))

    def peernames(self, assoc_id: Optional[int] = None) -> PeernamesResult:
        """Return all addresses of a peer."""
        return PeernamesResult._from(self.call("peernames", assoc_id=assoc_id))

    def bindx_add(self, addrs: Any, assoc_id: Optional[int] = None) -> BindxAddResult:
        """Add addresses to a socket and to its associations. The peer of an association is told (ASCONF) if
        both sides had sctp_auth_supported and sctp_asconf_supported when the association was set up; then
        the peer receives the event sctp_paddr_change with addr_added. An association of another peer, or
        that is still being set up, keeps its addresses. The stack does not tell what the peer answers. An
        address that is there already is passed over. The kernel's stack only."""
        return BindxAddResult._from(self.call("bindx_add", addrs=addrs, assoc_id=assoc_id))

    def bindx_rem(self, addrs: Any, assoc_id: Optional[int] = None) -> BindxRemResult:
        """Remove addresses from a socket and from its associations, under the same conditions as bindx_add adds
        them; the peer receives addr_removed. One address must remain. An address that is not there is passed
        over."""
        return BindxRemResult._from(self.call("bindx_rem", addrs=addrs, assoc_id=assoc_id))

    def reset_streams(self, assoc_id: Optional[int] = None, *, flags: Optional[Any] = None, streams: Optional[Any] = None) -> None:
        """Ask the peer to reset streams, so that their sequence numbers begin at 0 again. Both sides need
        sctp_reconfig_supported before the association is set up, and reset_streams in
        sctp_enable_stream_reset. The event sctp_stream_reset_event reports the result to both sides. There
        is one request at a time."""
        self.call("reset_streams", assoc_id=assoc_id, flags=flags, streams=streams)

    def reset_assoc(self, assoc_id: Optional[int] = None) -> None:
        """Ask the peer to reset the association: its TSNs, and the sequence numbers of all streams. Both sides
        need sctp_reconfig_supported before the association is set up, and reset_assoc in
        sctp_enable_stream_reset. The event sctp_assoc_reset_event reports the result to both sides."""
        self.call("reset_assoc", assoc_id=assoc_id)

    def record(self, assoc_id: Optional[int] = None) -> RecordResult:
        """Return what the flight recorder has of an association: its last messages, or the beginning of each,
        and what happened. See record_messages in sctpd.conf(5)."""
        return RecordResult._from(self.call("record", assoc_id=assoc_id))


# What each code of an error says.
ERRORS: Dict[str, str] = {
    "badarg": "An argument is missing, unknown, of the wrong type or out of range.",
    "closed": "The socket was closed, or never existed.",
    "not_owner": "Only the controlling process may do this.",
    "timeout": "The operation did not finish within the given time.",
    "cant_assoc": "The association could not be set up. Neither stack says whether the peer refused it or did not answer. A refusal takes one round trip; without an answer the attempt lasts as long as sctp_initmsg and sctp_rtoinfo allow.",
    "nxdomain": "The host name has no address, or its lookup failed.",
    "limit": "A limit of the daemon's configuration has been reached.",
    "eacces": "Permission denied. The socket or session belongs to somebody else, or the configuration does not allow the operation.",
    "eaddrinuse": "The address or port is in use.",
    "eaddrnotavail": "The address is not an address of this host.",
    "eafnosupport": "The address family does not fit the socket.",
    "eagain": "There is no room now; try again later.",
    "ealready": "The same operation is already in progress.",
    "ebusy": "The resource is in use.",
    "econnaborted": "The association was aborted.",
    "econnrefused": "The peer refused the association.",
    "econnreset": "The peer aborted the association.",
    "edestaddrreq": "A peer address is needed.",
    "ehostunreach": "There is no route to the peer.",
    "einprogress": "An earlier request of this kind has not been answered yet.",
    "einval": "The value is not valid, or not valid in the present state of the socket.",
    "eio": "The system reported an error that has no code of its own here; the text describes it.",
    "eisconn": "The socket already has an association with this peer.",
    "emfile": "The daemon has no descriptors left.",
    "emsgsize": "The message is too long.",
    "enetdown": "The network is down.",
    "enetunreach": "There is no route to the peer's network.",
    "enfile": "The system has no descriptors left.",
    "enobufs": "The system has no buffers left.",
    "enodev": "The network device does not exist.",
    "enoent": "The named object, such as a network namespace, does not exist.",
    "enomem": "The system has no memory left.",
    "enoprotoopt": "This SCTP stack does not have the option.",
    "enosys": "The method does not exist, or the system lacks the function.",
    "enotconn": "There is no association.",
    "eopnotsupp": "A socket of this type does not support the operation.",
    "eperm": "The daemon lacks the privilege.",
    "epipe": "The association has ended, or is being shut down.",
    "eproto": "The protocol was violated.",
    "eprotonosupport": "This kernel has no SCTP.",
    "esocktnosupport": "This kernel has no SCTP.",
    "etimedout": "The peer did not answer.",
}

# Payload protocol identifiers by name.
PPIDS: Dict[str, int] = {
    "unspecified": 0,
    "iua": 1,
    "m2ua": 2,
    "m3ua": 3,
    "sua": 4,
    "m2pa": 5,
    "v5ua": 6,
    "h248": 7,
    "bicc": 8,
    "tali": 9,
    "dua": 10,
    "asap": 11,
    "enrp": 12,
    "h323": 13,
    "qipc": 14,
    "simco": 15,
    "ddp-segment": 16,
    "ddp-stream": 17,
    "s1ap": 18,
    "rua": 19,
    "hnbap": 20,
    "forces-hp": 21,
    "forces-mp": 22,
    "forces-lp": 23,
    "sbcap": 24,
    "nbap": 25,
    "x2ap": 27,
    "ircp": 28,
    "lcsap": 29,
    "mpich2": 30,
    "sabp": 31,
    "fgp": 32,
    "ppp": 33,
    "calcapp": 34,
    "ssp": 35,
    "npmp-control": 36,
    "npmp-data": 37,
    "echo": 38,
    "discard": 39,
    "daytime": 40,
    "chargen": 41,
    "rna": 42,
    "m2ap": 43,
    "m3ap": 44,
    "ssh": 45,
    "diameter": 46,
    "diameter-dtls": 47,
    "r14p": 48,
    "gdt": 49,
    "webrtc-dcep": 50,
    "webrtc-string": 51,
    "webrtc-binary-partial": 52,
    "webrtc-binary": 53,
    "webrtc-string-partial": 54,
    "pua": 55,
    "webrtc-string-empty": 56,
    "webrtc-binary-empty": 57,
    "xwap": 58,
    "xw-control": 59,
    "ngap": 60,
    "xnap": 61,
    "f1ap": 62,
    "http": 63,
    "e1ap": 64,
    "ele2": 65,
    "ngap-dtls": 66,
    "xnap-dtls": 67,
    "f1ap-dtls": 68,
    "e1ap-dtls": 69,
    "e2-cp": 70,
    "e2-up": 71,
    "e2-du": 72,
    "w1ap": 73,
}
