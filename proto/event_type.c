/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every event, one row each: the daemon's own first, from event.def, then the
 * notifications of the SCTP stack in the order of RFC 6458 section 6.1.
 *
 * The stack's structs are described as the kernel has them, after the stack
 * has put its byte orders right.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <string.h>

#include "proto/event_type.h"
#include "proto/event_words.def"

const struct field event_head_fields[] = {
	SPARSE(event_head, seq, U64, "seq", "number of this message, in a session; see ack"),
	SPARSE(event_head, sock, U64, "sock", "the socket that the event is about"),
	SPARSE(event_head, from, ENDPOINT, "from", "address and port of the peer"),
	{ .key = NULL }
};

_Static_assert(offsetof(struct sctp_event_subscribe, sctp_data_io_event) == SUBSCRIBE_DATA_IO &&
    sizeof(struct sctp_event_subscribe) <= SUBSCRIBE_SIZE, "the kernel changed its subscriptions");

#define SUBSCRIBE(M) (int16_t)offsetof(struct sctp_event_subscribe, M)

#define FLAG_NO_FLAG			-1
#define FLAG_sctp_send_failure_event	SUBSCRIBE(sctp_send_failure_event)

#define EVENT(NAME, KEY, FROM, FLAG, DOC) static const struct field NAME##_fields[] = {
#define HAS(NAME, TYPE, FIELD, DOC)	RPC_FIELD(event_##NAME, TYPE, FIELD, false, DOC)
#define HAS_SPARSE(NAME, TYPE, FIELD, DOC)	RPC_FIELD_SPARSE(event_##NAME, TYPE, FIELD, DOC)
#define END(NAME) { .key = NULL } };
#include "proto/event.def"

/* The order of the rows. */
enum {
#define EVENT(NAME, KEY, FROM, FLAG, DOC) ROW_##NAME,
#include "proto/event.def"
	ROW_FIRST_OF_STACK
};

const struct event_type event_type_table[] = {
#define EVENT(NAME, KEY, FROM, FLAG, DOC)				\
	{ .name = KEY, .from = FROM, .subscribe = FLAG_##FLAG, .doc = DOC,	\
	  .fields = NAME##_fields },
#include "proto/event.def"
	{ .name = "sctp_assoc_change",
	  .from = "gen_sctp; RFC 6458 6.1.1",
	  .sn_type = SCTP_ASSOC_CHANGE,
	  .size = sizeof(struct sctp_assoc_change),
	  .subscribe = SUBSCRIBE(sctp_association_event),
	  .doc = "An association came up, was restarted by the peer, ended, or could not be set up (SCTP_ASSOC_CHANGE).",
	  .fields = FIELDS(
		WORDED(sctp_assoc_change, sac_state, WORD, assoc_state, "state", "what happened"),
		FIELD(sctp_assoc_change, sac_error, U16, "error", "SCTP cause code; see error_string"),
		FIELD(sctp_assoc_change, sac_outbound_streams, U16, "outbound_streams", "number of outbound streams"),
		FIELD(sctp_assoc_change, sac_inbound_streams, U16, "inbound_streams", "number of inbound streams"),
		FIELD(sctp_assoc_change, sac_assoc_id, U32, "assoc_id", "association"),
		{ .key = "info", .type = FIELD_TAIL, .sparse = true,
		  .offset = offsetof(struct sctp_assoc_change, sac_info),
		  .doc = "error causes of the peer's ABORT, as they were received; with comm_lost only" }),
	},
	{ .name = "sctp_paddr_change",
	  .from = "gen_sctp; RFC 6458 6.1.2",
	  .sn_type = SCTP_PEER_ADDR_CHANGE,
	  .size = sizeof(struct sctp_paddr_change),
	  .subscribe = SUBSCRIBE(sctp_address_event),
	  .doc = "An address of the peer was added or removed, or its state changed.",
	  .fields = FIELDS(
		FIELD(sctp_paddr_change, spc_aaddr, ENDPOINT, "addr", "the address"),
		WORDED(sctp_paddr_change, spc_state, WORD, path_state, "state", "what happened"),
		FIELD(sctp_paddr_change, spc_error, S32, "error", "reason that the kernel gives: 0 too many timeouts, 1 data was acknowledged, 2 a heartbeat was answered"),
		FIELD(sctp_paddr_change, spc_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_remote_error",
	  .from = "gen_sctp; RFC 6458 6.1.3",
	  .sn_type = SCTP_REMOTE_ERROR,
	  .size = sizeof(struct sctp_remote_error),
	  .subscribe = SUBSCRIBE(sctp_peer_error_event),
	  .doc = "The peer sent an ERROR chunk.",
	  .fields = FIELDS(
		FIELD(sctp_remote_error, sre_error, U16, "error", "SCTP cause code; see error_string"),
		FIELD(sctp_remote_error, sre_assoc_id, U32, "assoc_id", "association"),
		TAIL(sctp_remote_error, sre_data, TAIL, "data", "error cause, as it was received")),
	},
	{ .name = "sctp_shutdown_event",
	  .from = "gen_sctp; RFC 6458 6.1.5",
	  .sn_type = SCTP_SHUTDOWN_EVENT,
	  .size = sizeof(struct sctp_shutdown_event),
	  .subscribe = SUBSCRIBE(sctp_shutdown_event),
	  .doc = "The peer began to shut the association down. Nothing more can be sent on it.",
	  .fields = FIELDS(
		FIELD(sctp_shutdown_event, sse_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_adaptation_event",
	  .from = "gen_sctp; RFC 6458 6.1.6",
	  .sn_type = SCTP_ADAPTATION_INDICATION,
	  .size = sizeof(struct sctp_adaptation_event),
	  .subscribe = SUBSCRIBE(sctp_adaptation_layer_event),
	  .doc = "The peer announced its adaptation layer indication.",
	  .fields = FIELDS(
		FIELD(sctp_adaptation_event, sai_adaptation_ind, U32, "adaptation_ind", "adaptation layer indication of the peer"),
		FIELD(sctp_adaptation_event, sai_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_pdapi_event",
	  .from = "gen_sctp; RFC 6458 6.1.7",
	  .sn_type = SCTP_PARTIAL_DELIVERY_EVENT,
	  .size = sizeof(struct sctp_pdapi_event),
	  .subscribe = SUBSCRIBE(sctp_partial_delivery_event),
	  .doc = "The delivery of a partly received message was aborted. The daemon discarded the part that it had received.",
	  .fields = FIELDS(
		WORDED(sctp_pdapi_event, pdapi_indication, WORD, pdapi_indication, "indication", "partial_delivery_aborted"),
		FIELD(sctp_pdapi_event, pdapi_stream, U32, "stream", "stream of the message"),
		FIELD(sctp_pdapi_event, pdapi_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_authkey_event",
	  .from = "RFC 6458 6.1.8",
	  .sn_type = SCTP_AUTHENTICATION_EVENT,
	  .size = sizeof(struct sctp_authkey_event),
	  .subscribe = SUBSCRIBE(sctp_authentication_event),
	  .doc = "An authentication key became active or is no longer used, or the peer does not support AUTH.",
	  .fields = FIELDS(
		WORDED(sctp_authkey_event, auth_indication, WORD, auth_indication, "indication", "what happened"),
		FIELD(sctp_authkey_event, auth_keynumber, U16, "keynumber", "number of the key"),
		FIELD(sctp_authkey_event, auth_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_sender_dry_event",
	  .from = "RFC 6458 6.1.9",
	  .sn_type = SCTP_SENDER_DRY_EVENT,
	  .size = sizeof(struct sctp_sender_dry_event),
	  .subscribe = SUBSCRIBE(sctp_sender_dry_event),
	  .doc = "The peer has acknowledged everything that was sent.",
	  .fields = FIELDS(
		FIELD(sctp_sender_dry_event, sender_dry_assoc_id, U32, "assoc_id", "association")),
	},
	{ .name = "sctp_stream_reset_event",
	  .from = "RFC 6525 6.1.1",
	  .sn_type = SCTP_STREAM_RESET_EVENT,
	  .size = sizeof(struct sctp_stream_reset_event),
	  .subscribe = SUBSCRIBE(sctp_stream_reset_event),
	  .doc = "Streams were reset, or the peer refused to reset them.",
	  .fields = FIELDS(
		WORDED(sctp_stream_reset_event, strreset_flags, WORDS, stream_reset_flags, "flags", "direction of the streams, and denied or failed if the reset did not succeed"),
		FIELD(sctp_stream_reset_event, strreset_assoc_id, U32, "assoc_id", "association"),
		TAIL(sctp_stream_reset_event, strreset_stream_list, TAIL16, "streams", "the streams; empty means all")),
	},
	{ .name = "sctp_assoc_reset_event",
	  .from = "RFC 6525 6.1.2",
	  .sn_type = SCTP_ASSOC_RESET_EVENT,
	  .size = sizeof(struct sctp_assoc_reset_event),
	  .subscribe = SUBSCRIBE(sctp_assoc_reset_event),
	  .doc = "The TSNs of an association were reset, or the peer refused to reset them.",
	  .fields = FIELDS(
		WORDED(sctp_assoc_reset_event, assocreset_flags, WORDS, change_flags, "flags", "denied or failed if the reset did not succeed"),
		FIELD(sctp_assoc_reset_event, assocreset_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_assoc_reset_event, assocreset_local_tsn, U32, "local_tsn", "next TSN of this side"),
		FIELD(sctp_assoc_reset_event, assocreset_remote_tsn, U32, "remote_tsn", "next TSN of the peer")),
	},
	{ .name = "sctp_stream_change_event",
	  .from = "RFC 6525 6.1.3",
	  .sn_type = SCTP_STREAM_CHANGE_EVENT,
	  .size = sizeof(struct sctp_stream_change_event),
	  .subscribe = SUBSCRIBE(sctp_stream_change_event),
	  .doc = "Streams were added, or the peer refused to add them.",
	  .fields = FIELDS(
		WORDED(sctp_stream_change_event, strchange_flags, WORDS, change_flags, "flags", "denied or failed if nothing was added"),
		FIELD(sctp_stream_change_event, strchange_assoc_id, U32, "assoc_id", "association"),
		FIELD(sctp_stream_change_event, strchange_instrms, U16, "instrms", "number of inbound streams that were added"),
		FIELD(sctp_stream_change_event, strchange_outstrms, U16, "outstrms", "number of outbound streams that were added")),
	},
	{ .name = NULL }
};

#define EVENT(NAME, KEY, FROM, FLAG, DOC)				\
	const struct event_type *const EVENT_##NAME = &event_type_table[ROW_##NAME];
#include "proto/event.def"

const struct event_type *
event_type_named(const char *name, size_t len)
{
	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		if (strlen(n->name) == len && memcmp(n->name, name, len) == 0)
			return n;
	}
	return NULL;
}

const struct event_type *
event_type_find(uint16_t sn_type)
{
	for (const struct event_type *n = &event_type_table[ROW_FIRST_OF_STACK]; n->name != NULL; n++) {
		if (n->sn_type == sn_type)
			return n;
	}
	return NULL;
}
