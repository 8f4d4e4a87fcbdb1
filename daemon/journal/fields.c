/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the journal's records. Names stay; a new one may come, and a
 * daemon that does not know it passes over it.
 */
#include "keep-record.h"

const struct field keep_client_fields[] = {
	FIELD(keep_client, number, U64, "number", "its number"),
	FIELD(keep_client, uid, U32, "uid", "its user"),
	FIELD(keep_client, pid, U32, "pid", "its process"),
	FIELD(keep_client, name, CHARS, "name", "what it called itself"),
	FIELD(keep_client, token, CHARS, "token", "of its session; or empty"),
	FIELD(keep_client, events, BOOL, "events", "it asked for some"),
	FIELD(keep_client, watching, BOOL, "watching", "it watches"),
	{ .key = NULL }
};

const struct field keep_sock_fields[] = {
	FIELD(keep_sock, handle, U64, "handle", "its handle"),
	FIELD(keep_sock, owner, U64, "owner", "number of its owner"),
	FIELD(keep_sock, netns_number, U64, "netns_number", "of its network namespace, in the park"),
	FIELD(keep_sock, uid, U32, "uid", "its user"),
	FIELD(keep_sock, want_receive, U32, "want_receive", "the receive buffer that it asked for"),
	FIELD(keep_sock, want_send, U32, "want_send", "and the send buffer"),
	FIELD(keep_sock, subscribed, U32, "subscribed", "a bit for each kind of event"),
	SPARSE(keep_sock, name, ENDPOINT, "name", "the last address of open"),
	FIELD(keep_sock, port, U16, "port", "its port"),
	FIELD(keep_sock, many, BOOL, "many", "one-to-many"),
	FIELD(keep_sock, peeled, BOOL, "peeled", "it was peeled off"),
	FIELD(keep_sock, listening, BOOL, "listening", "it listens"),
	FIELD(keep_sock, over, BOOL, "over", "its association ended"),
	FIELD(keep_sock, plain, BOOL, "plain", "options were set that are not handed on"),
	FIELD(keep_sock, inet6, BOOL, "inet6", "its family"),
	FIELD(keep_sock, lent, BOOL, "lent", "its owner has the descriptor"),
#if JOURNAL_VERSION > 1
	FIELD(keep_sock, from_version_2, U64, "from_version_2", "nothing"),
#endif
	{ .key = NULL }
};

const struct field keep_assoc_fields[] = {
	FIELD(keep_assoc, number, U64, "number", "its number"),
	FIELD(keep_assoc, sock, U64, "sock", "its socket; 0: closed"),
	SPARSE(keep_assoc, peer, ENDPOINT, "peer", "its peer"),
	FIELD(keep_assoc, id, U32, "id", "its assoc_id"),
	FIELD(keep_assoc, uid, U32, "uid", "its user"),
	FIELD(keep_assoc, state, S32, "state", "enum assoc_state"),
	FIELD(keep_assoc, outbound, U16, "outbound", "streams"),
	FIELD(keep_assoc, inbound, U16, "inbound", "streams"),
	FIELD(keep_assoc, unwanted, BOOL, "unwanted", "nobody waits for it"),
	FIELD(keep_assoc, eof_asked, BOOL, "eof_asked", "it is being shut down"),
	FIELD(keep_assoc, asked, BOOL, "asked", "a connect waits for it"),
	FIELD(keep_assoc, stream, BOOL, "stream", "its descriptor is of the one-to-one kind"),
	FIELD(keep_assoc, own_descriptor, BOOL, "own_descriptor", "it has one of its own"),
	{ .key = NULL }
};
