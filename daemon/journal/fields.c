/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of the journal's records. A name never changes its meaning. A field
 * may be added; a daemon that does not know it skips it.
 */
#include "journal/fields.h"

const struct field client_record_fields[] = {
	FIELD(client_record, number, U64, "number", "its number"),
	FIELD(client_record, uid, U32, "uid", "its user"),
	FIELD(client_record, pid, U32, "pid", "its process"),
	FIELD(client_record, name, CHARS, "name", "what it called itself"),
	FIELD(client_record, token, CHARS, "token", "of its session; or empty"),
	FIELD(client_record, events, BOOL, "events", "it asked for some"),
	FIELD(client_record, watching, BOOL, "watching", "it watches"),
	SPARSE(client_record, resident, BOOL, "resident", "it never has a connection"),
	{ .key = NULL }
};

const struct field sock_record_fields[] = {
	FIELD(sock_record, handle, U64, "handle", "its handle"),
	FIELD(sock_record, owner, U64, "owner", "number of its owner"),
	FIELD(sock_record, netns_number, U64, "netns_number", "of its network namespace, in the park"),
	FIELD(sock_record, uid, U32, "uid", "its user"),
	FIELD(sock_record, want_receive, U32, "want_receive", "the receive buffer that it asked for"),
	FIELD(sock_record, want_send, U32, "want_send", "and the send buffer"),
	FIELD(sock_record, subscribed, U32, "subscribed", "a bit for each kind of event"),
	SPARSE(sock_record, name, ENDPOINT, "name", "the last address of open"),
	FIELD(sock_record, port, U16, "port", "its port"),
	FIELD(sock_record, many, BOOL, "many", "one-to-many"),
	FIELD(sock_record, peeled, BOOL, "peeled", "it was peeled off"),
	FIELD(sock_record, listening, BOOL, "listening", "it listens"),
	FIELD(sock_record, over, BOOL, "over", "its association ended"),
	FIELD(sock_record, plain, BOOL, "plain", "options were set that are not handed on"),
	FIELD(sock_record, own_point, BOOL, "own_point", "its delivery point does not follow its window"),
	FIELD(sock_record, own_port, BOOL, "own_port", "nobody asked to share its port"),
	FIELD(sock_record, inet6, BOOL, "inet6", "its family"),
	FIELD(sock_record, lent, BOOL, "lent", "its owner has the descriptor"),
	SPARSE(sock_record, home, U64, "home", "the resident that owns it when nobody does"),
	SPARSE(sock_record, group, U64, "group", "handle of its group's socket"),
#if JOURNAL_VERSION > JOURNAL_WRITTEN
	FIELD(sock_record, from_later_version, U64, "from_later_version", "nothing"),
#endif
	{ .key = NULL }
};

const struct field assoc_record_fields[] = {
	FIELD(assoc_record, number, U64, "number", "its number"),
	FIELD(assoc_record, sock, U64, "sock", "its socket; 0: closed"),
	SPARSE(assoc_record, peer, ENDPOINT, "peer", "its peer"),
	FIELD(assoc_record, id, U32, "id", "its assoc_id"),
	FIELD(assoc_record, uid, U32, "uid", "its user"),
	FIELD(assoc_record, state, S32, "state", "enum assoc_state"),
	FIELD(assoc_record, outbound, U16, "outbound", "streams"),
	FIELD(assoc_record, inbound, U16, "inbound", "streams"),
	FIELD(assoc_record, unwanted, BOOL, "unwanted", "nobody waits for it"),
	FIELD(assoc_record, eof_asked, BOOL, "eof_asked", "it is being shut down"),
	FIELD(assoc_record, asked, BOOL, "asked", "a connect waits for it"),
	FIELD(assoc_record, stream, BOOL, "stream", "its descriptor is of the one-to-one kind"),
	FIELD(assoc_record, own_descriptor, BOOL, "own_descriptor", "it has one of its own"),
	SPARSE(assoc_record, up, U64, "up", "when it came up, in ms since the host was booted"),
	SPARSE(assoc_record, error_at, U64, "error_at", "when something was wrong last"),
	SPARSE(assoc_record, error, CHARS, "error", "and what"),
	SPARSE(assoc_record, ppids, BIN, "ppids", "PPIDs that were seen, 32 bits each"),
	SPARSE(assoc_record, more_ppids, BOOL, "more_ppids", "there were others"),
	SPARSE(assoc_record, stalled, U64, "stalled", "since when it has stalled, in ms since the host was booted"),
	SPARSE(assoc_record, wanted, ENDPOINT, "wanted", "its first primary, for the path manager"),
	SPARSE(assoc_record, penalty, U32, "penalty", "for failures of the wanted path"),
	SPARSE(assoc_record, penalty_at, U64, "penalty_at", "and when it was that"),
	SPARSE(assoc_record, damped, BOOL, "damped", "the wanted path is not taken until it is low"),
	{ .key = NULL }
};

const struct field group_record_fields[] = {
	FIELD(group_record, sock, U64, "sock", "its socket"),
	FIELD(group_record, resident, U64, "resident", "number of the client that owns what nobody has"),
	FIELD(group_record, name, CHARS, "name", "its name"),
	FIELD(group_record, policy, S32, "policy", "enum group_policy"),
	FIELD(group_record, by, S32, "by", "enum group_by"),
	FIELD(group_record, offset, U32, "offset", "where the key begins in a message"),
	FIELD(group_record, length, U32, "length", "and how long it is"),
	FIELD(group_record, grace, U32, "grace", "how long a member may be away, in ms"),
	SPARSE(group_record, hand_over_time, U32, "hand_over_time", "how long a share may wait for who has it, in ms"),
	FIELD(group_record, users, BIN, "users", "who may join, 32 bits each"),
	FIELD(group_record, members, BIN, "members", "of struct member_record"),
	SPARSE(group_record, slots, BIN, "slots", "places of members, two bytes a slot"),
	{ .key = NULL }
};
