/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every event, one row each: the broker's own first, then the notifications
 * of the SCTP stack in the order of RFC 6458 section 6.1.
 *
 * The stack's structs are described as the kernel has them, after the stack
 * has put its byte orders right.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <string.h>

#include "notice.h"

static const struct word assoc_state[] = {
	{ SCTP_COMM_UP, "comm_up" },
	{ SCTP_COMM_LOST, "comm_lost" },
	{ SCTP_RESTART, "restart" },
	{ SCTP_SHUTDOWN_COMP, "shutdown_comp" },
	{ SCTP_CANT_STR_ASSOC, "cant_assoc" },
	{ 0, NULL }
};

static const struct word path_state[] = {
	{ SCTP_ADDR_AVAILABLE, "addr_available" },
	{ SCTP_ADDR_UNREACHABLE, "addr_unreachable" },
	{ SCTP_ADDR_REMOVED, "addr_removed" },
	{ SCTP_ADDR_ADDED, "addr_added" },
	{ SCTP_ADDR_MADE_PRIM, "addr_made_prim" },
	{ SCTP_ADDR_CONFIRMED, "addr_confirmed" },
#ifdef SCTP_ADDR_PF
	{ SCTP_ADDR_POTENTIALLY_FAILED, "addr_potentially_failed" },
#endif
	{ 0, NULL }
};

static const struct word pdapi_indication[] = {
	{ SCTP_PARTIAL_DELIVERY_ABORTED, "partial_delivery_aborted" },
	{ 0, NULL }
};

static const struct word auth_indication[] = {
	{ SCTP_AUTH_NEW_KEY, "new_key" },
	{ SCTP_AUTH_FREE_KEY, "free_key" },
	{ SCTP_AUTH_NO_AUTH, "no_auth" },
	{ 0, NULL }
};

static const struct word stream_reset_flags[] = {
	{ SCTP_STREAM_RESET_INCOMING_SSN, "incoming" },
	{ SCTP_STREAM_RESET_OUTGOING_SSN, "outgoing" },
	{ SCTP_STREAM_RESET_DENIED, "denied" },
	{ SCTP_STREAM_RESET_FAILED, "failed" },
	{ 0, NULL }
};

static const struct word change_flags[] = {
	{ SCTP_STREAM_CHANGE_DENIED, "denied" },
	{ SCTP_STREAM_CHANGE_FAILED, "failed" },
	{ 0, NULL }
};

const struct field event_head_fields[] = {
	SPARSE(event_head, seq, U64, "seq", "in a session: the number of this message; see ack"),
	SPARSE(event_head, sock, U64, "sock", "the socket, where it is about one"),
	SPARSE(event_head, from, ENDPOINT, "from", "the peer's address and port, where there is one"),
	{ .key = NULL }
};

_Static_assert(offsetof(struct sctp_event_subscribe, sctp_data_io_event) == SUBSCRIBE_DATA_IO &&
    sizeof(struct sctp_event_subscribe) <= SUBSCRIBE_SIZE, "the kernel changed its subscriptions");

#define SUBSCRIBE(M) (int16_t)offsetof(struct sctp_event_subscribe, M)

enum {
	ROW_DATA, ROW_SEND_FAILED, ROW_ACCEPT, ROW_UNKNOWN, ROW_PASSIVE,
	ROW_CLOSED, ROW_OWNER, ROW_WATCH, ROW_ERROR, ROW_OVERRUN,
	ROW_SUPERSEDED, ROW_FIRST_OF_STACK
};

const struct notice notice_table[] = {
	[ROW_DATA] = {
	  .name = "data",
	  .from = "gen_sctp {sctp, S, IP, Port, {Anc, Data}}; RFC 6458 5.3",
	  .subscribe = -1,
	  .doc = "A message of the peer's, whole.",
	  .fields = FIELDS(
		RECORD(event_data, sctp_sndrcvinfo, sndrcvinfo_fields, "sctp_sndrcvinfo", "what it came with; what is zero is left out; absent without data_io_event"),
		FIELD(event_data, data, BIN, "data", "the message")),
	},
	[ROW_SEND_FAILED] = {
	  .name = "sctp_send_failed",
	  .from = "gen_sctp; RFC 6458 6.1.11",
	  .subscribe = SUBSCRIBE(sctp_send_failure_event),
	  .doc = "A message that was taken could not be delivered. Once per message, with all of it that was not acknowledged.",
	  .fields = FIELDS(
		FIELD(event_send_failed, flags, BOOL, "flags", "whether it was on the wire"),
		FIELD(event_send_failed, error, U32, "error", "cause code; see error_string"),
		RECORD(event_send_failed, info, sndrcvinfo_fields, "info", "what it was sent with"),
		FIELD(event_send_failed, assoc_id, U32, "assoc_id", "association"),
		SPARSE(event_send_failed, reason, STR, "reason", "of a notification that was not taken, where error is 0: what the answer of a request would have said"),
		FIELD(event_send_failed, data, BIN, "data", "the message")),
	},
	[ROW_ACCEPT] = {
	  .name = "accept",
	  .from = "RFC 6458 4.1.4",
	  .subscribe = -1,
	  .doc = "A listening stream socket has a new association, as a socket of its own. It is passive.",
	  .fields = FIELDS(
		FIELD(event_accept, accepted, U64, "accepted", "handle of the new socket"),
		FIELD(event_accept, assoc_id, U32, "assoc_id", "its association")),
	},
	[ROW_UNKNOWN] = {
	  .name = "unknown",
	  .from = "sctpd",
	  .subscribe = -1,
	  .doc = "A notification that this daemon does not know, as the stack gave it.",
	  .fields = FIELDS(
		FIELD(event_unknown, type, U16, "type", "the stack's number for it"),
		FIELD(event_unknown, flags, U16, "flags", "its flags"),
		FIELD(event_unknown, data, BIN, "data", "what follows its header")),
	},
	[ROW_PASSIVE] = {
	  .name = "sctp_passive",
	  .from = "gen_sctp {sctp_passive, S}",
	  .subscribe = -1,
	  .doc = "The count of active ran out, and the socket is passive.",
	  .fields = FIELDS({ .key = NULL }),
	},
	[ROW_CLOSED] = {
	  .name = "sctp_closed",
	  .from = "sctpd",
	  .subscribe = -1,
	  .doc = "The socket is gone, or the association of a one-to-one socket is over, and nothing more will come.",
	  .fields = FIELDS(
		FIELD(event_closed, reason, STR, "reason", "why")),
	},
	[ROW_OWNER] = {
	  .name = "owner",
	  .from = "gen_sctp:controlling_process/2",
	  .subscribe = -1,
	  .doc = "The socket has a new owner. The new one is told, before anything else of the socket.",
	  .fields = FIELDS(
		FIELD(event_owner, owner, U64, "owner", "the client that has it now"),
		FIELD(event_owner, was, U64, "was", "the client that had it")),
	},
	[ROW_WATCH] = {
	  .name = "watch",
	  .from = "sctpd",
	  .subscribe = -1,
	  .doc = "Something happened on a socket of this user, as its owner is told it. Sent to those that called watch.",
	  .fields = FIELDS(
		FIELD(event_watch, event, STR, "event", "name of the event; its fields follow")),
	},
	[ROW_ERROR] = {
	  .name = "error",
	  .from = "sctpd",
	  .subscribe = -1,
	  .doc = "A request that you sent as a notification failed. A send that failed comes back as sctp_send_failed instead.",
	  .fields = FIELDS(
		FIELD(event_error, method, STR, "method", "the method"),
		FIELD(event_error, error, STR, "error", "what its answer would have said")),
	},
	[ROW_OVERRUN] = {
	  .name = "overrun",
	  .from = "sctpd",
	  .subscribe = -1,
	  .doc = "This watcher did not read, and events of other clients' sockets were left out.",
	  .fields = FIELDS(
		FIELD(event_overrun, lost, U64, "lost", "how many")),
	},
	[ROW_SUPERSEDED] = {
	  .name = "superseded",
	  .from = "sctpd",
	  .subscribe = -1,
	  .doc = "Another connection came with this session's token and is the client now; this one is closed.",
	  .fields = FIELDS(
		FIELD(event_superseded, pid, U64, "pid", "the process at its other end")),
	},
	{ .name = "sctp_assoc_change",
	  .from = "gen_sctp; RFC 6458 6.1.1",
	  .sn_type = SCTP_ASSOC_CHANGE,
	  .size = sizeof(struct sctp_assoc_change),
	  .subscribe = SUBSCRIBE(sctp_association_event),
	  .doc = "An association came up, was restarted by the peer, ended, or could not be set up.",
	  .fields = FIELDS(
		WORDED(sctp_assoc_change, sac_state, WORD, assoc_state, "state", "what happened"),
		FIELD(sctp_assoc_change, sac_error, U16, "error", "cause code; see error_string"),
		FIELD(sctp_assoc_change, sac_outbound_streams, U16, "outbound_streams", "streams to the peer"),
		FIELD(sctp_assoc_change, sac_inbound_streams, U16, "inbound_streams", "streams from the peer"),
		FIELD(sctp_assoc_change, sac_assoc_id, U32, "assoc_id", "association"),
		{ .key = "info", .type = FIELD_TAIL, .sparse = true,
		  .offset = offsetof(struct sctp_assoc_change, sac_info),
		  .doc = "of a comm_lost by the peer's ABORT: its error causes as they came" }),
	},
	{ .name = "sctp_paddr_change",
	  .from = "gen_sctp; RFC 6458 6.1.2",
	  .sn_type = SCTP_PEER_ADDR_CHANGE,
	  .size = sizeof(struct sctp_paddr_change),
	  .subscribe = SUBSCRIBE(sctp_address_event),
	  .doc = "One address of the peer's came, went, or changed its state.",
	  .fields = FIELDS(
		FIELD(sctp_paddr_change, spc_aaddr, ENDPOINT, "addr", "the address"),
		WORDED(sctp_paddr_change, spc_state, WORD, path_state, "state", "what happened"),
		FIELD(sctp_paddr_change, spc_error, S32, "error", "the kernel's reason: 0 too many timeouts, 1 data acknowledged, 2 heartbeat answered"),
		FIELD(sctp_paddr_change, spc_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_remote_error",
	  .from = "gen_sctp; RFC 6458 6.1.3",
	  .sn_type = SCTP_REMOTE_ERROR,
	  .size = sizeof(struct sctp_remote_error),
	  .subscribe = SUBSCRIBE(sctp_peer_error_event),
	  .doc = "The peer reported an error.",
	  .fields = FIELDS(
		FIELD(sctp_remote_error, sre_error, U16, "error", "cause code; see error_string"),
		FIELD(sctp_remote_error, sre_assoc_id, U32, "assoc_id", "association"),
		TAIL(sctp_remote_error, sre_data, TAIL, "data", "the cause as it came")),
	},
	{ .name = "sctp_shutdown_event",
	  .from = "gen_sctp; RFC 6458 6.1.5",
	  .sn_type = SCTP_SHUTDOWN_EVENT,
	  .size = sizeof(struct sctp_shutdown_event),
	  .subscribe = SUBSCRIBE(sctp_shutdown_event),
	  .doc = "The peer began to shut the association down; nothing more can be sent.",
	  .fields = FIELDS(
		FIELD(sctp_shutdown_event, sse_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_adaptation_event",
	  .from = "gen_sctp; RFC 6458 6.1.6",
	  .sn_type = SCTP_ADAPTATION_INDICATION,
	  .size = sizeof(struct sctp_adaptation_event),
	  .subscribe = SUBSCRIBE(sctp_adaptation_layer_event),
	  .doc = "The peer announced its adaptation layer.",
	  .fields = FIELDS(
		FIELD(sctp_adaptation_event, sai_adaptation_ind, U32, "adaptation_ind", "its indication"),
		FIELD(sctp_adaptation_event, sai_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_pdapi_event",
	  .from = "gen_sctp; RFC 6458 6.1.7",
	  .sn_type = SCTP_PARTIAL_DELIVERY_EVENT,
	  .size = sizeof(struct sctp_pdapi_event),
	  .subscribe = SUBSCRIBE(sctp_partial_delivery_event),
	  .doc = "A message of which the beginning had come was aborted; the beginning was thrown away.",
	  .fields = FIELDS(
		WORDED(sctp_pdapi_event, pdapi_indication, WORD, pdapi_indication, "indication", "partial_delivery_aborted"),
		FIELD(sctp_pdapi_event, pdapi_stream, U32, "stream", "its stream"),
		FIELD(sctp_pdapi_event, pdapi_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_authkey_event",
	  .from = "RFC 6458 6.1.8",
	  .sn_type = SCTP_AUTHENTICATION_EVENT,
	  .size = sizeof(struct sctp_authkey_event),
	  .subscribe = SUBSCRIBE(sctp_authentication_event),
	  .doc = "A key came into use or went out of it, or the peer has no AUTH.",
	  .fields = FIELDS(
		WORDED(sctp_authkey_event, auth_indication, WORD, auth_indication, "indication", "what happened"),
		FIELD(sctp_authkey_event, auth_keynumber, U16, "keynumber", "the key"),
		FIELD(sctp_authkey_event, auth_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_sender_dry_event",
	  .from = "RFC 6458 6.1.9",
	  .sn_type = SCTP_SENDER_DRY_EVENT,
	  .size = sizeof(struct sctp_sender_dry_event),
	  .subscribe = SUBSCRIBE(sctp_sender_dry_event),
	  .doc = "All that was sent is acknowledged.",
	  .fields = FIELDS(
		FIELD(sctp_sender_dry_event, sender_dry_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_stream_reset_event",
	  .from = "RFC 6525 6.1.1",
	  .sn_type = SCTP_STREAM_RESET_EVENT,
	  .size = sizeof(struct sctp_stream_reset_event),
	  .subscribe = SUBSCRIBE(sctp_stream_reset_event),
	  .doc = "Streams were reset, or the peer refused to.",
	  .fields = FIELDS(
		WORDED(sctp_stream_reset_event, strreset_flags, WORDS, stream_reset_flags, "flags", "which side's, and how it went"),
		FIELD(sctp_stream_reset_event, strreset_assoc_id, U32, "assoc_id", "association"),
		TAIL(sctp_stream_reset_event, strreset_stream_list, TAIL16, "streams", "the streams; none: all")),
	},
	{ .name = "sctp_assoc_reset_event",
	  .from = "RFC 6525 6.1.2",
	  .sn_type = SCTP_ASSOC_RESET_EVENT,
	  .size = sizeof(struct sctp_assoc_reset_event),
	  .subscribe = SUBSCRIBE(sctp_assoc_reset_event),
	  .doc = "The numbers of an association were reset, or the peer refused to.",
	  .fields = FIELDS(
		WORDED(sctp_assoc_reset_event, assocreset_flags, WORDS, change_flags, "flags", "how it went"),
		FIELD(sctp_assoc_reset_event, assocreset_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_assoc_reset_event, assocreset_local_tsn, U32, "local_tsn", "our next TSN"),
		FIELD(sctp_assoc_reset_event, assocreset_remote_tsn, U32, "remote_tsn", "the peer's next TSN")),
	},
	{ .name = "sctp_stream_change_event",
	  .from = "RFC 6525 6.1.3",
	  .sn_type = SCTP_STREAM_CHANGE_EVENT,
	  .size = sizeof(struct sctp_stream_change_event),
	  .subscribe = SUBSCRIBE(sctp_stream_change_event),
	  .doc = "Streams were added, or the peer refused to.",
	  .fields = FIELDS(
		WORDED(sctp_stream_change_event, strchange_flags, WORDS, change_flags, "flags", "how it went"),
		FIELD(sctp_stream_change_event, strchange_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_stream_change_event, strchange_instrms, U16, "instrms", "streams from the peer that were added"),
		FIELD(sctp_stream_change_event, strchange_outstrms, U16, "outstrms", "streams to the peer that were added")),
	},
	{ .name = NULL }
};

const struct notice *const notice_data = &notice_table[ROW_DATA];
const struct notice *const notice_send_failed = &notice_table[ROW_SEND_FAILED];
const struct notice *const notice_accept = &notice_table[ROW_ACCEPT];
const struct notice *const notice_unknown = &notice_table[ROW_UNKNOWN];
const struct notice *const notice_passive = &notice_table[ROW_PASSIVE];
const struct notice *const notice_closed = &notice_table[ROW_CLOSED];
const struct notice *const notice_owner = &notice_table[ROW_OWNER];
const struct notice *const notice_watch = &notice_table[ROW_WATCH];
const struct notice *const notice_error = &notice_table[ROW_ERROR];
const struct notice *const notice_overrun = &notice_table[ROW_OVERRUN];
const struct notice *const notice_superseded = &notice_table[ROW_SUPERSEDED];

const struct notice *
notice_named(const char *name, size_t len)
{
	for (const struct notice *n = notice_table; n->name != NULL; n++) {
		if (strlen(n->name) == len && memcmp(n->name, name, len) == 0)
			return n;
	}
	return NULL;
}

const struct notice *
notice_find(uint16_t sn_type)
{
	for (const struct notice *n = &notice_table[ROW_FIRST_OF_STACK]; n->name != NULL; n++) {
		if (n->sn_type == sn_type)
			return n;
	}
	return NULL;
}
