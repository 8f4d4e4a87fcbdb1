/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The method table, made from rpc.def.
 */
#include <string.h>
#include <syslog.h>

#include "proto/rpc.h"

static const struct word sndrcv_flag_words[] = {
	{ SNDRCV_UNORDERED, "unordered" },
	{ SNDRCV_ADDR_OVER, "addr_over" },
	{ SNDRCV_ABORT, "abort" },
	{ SNDRCV_EOF, "eof" },
	{ SNDRCV_SACK_IMMEDIATELY, "sack_immediately" },
	{ SNDRCV_SENDALL, "sendall" },
	{ 0, NULL }
};

static const struct word pr_policy_words[] = {
	{ PR_NONE, "none" },
	{ PR_TTL, "ttl" },
	{ PR_RTX, "rtx" },
	{ PR_PRIO, "prio" },
	{ 0, NULL }
};

const struct field sndrcvinfo_fields[] = {
	SPARSE(sndrcvinfo, stream, U16, "stream", "stream, from 0"),
	SPARSE(sndrcvinfo, ssn, U16, "ssn", "stream sequence number; received only"),
	{ FIELD_BASE(sndrcvinfo, flags, WORDS, "flags", "unordered; addr_over, which addr implies; sack_immediately: the peer is asked to acknowledge at once (RFC 7053); abort; eof; sendall is refused, because each association takes or refuses a message on its own: send it to each"),
	  .words = sndrcv_flag_words, .sparse = true },
	SPARSE(sndrcvinfo, ppid, U32, "ppid", "payload protocol identifier, host order; one such as 0x3c000000 (60) comes from a peer that did not turn it round for the network"),
	SPARSE(sndrcvinfo, context, U32, "context", "returned with the message if it fails"),
	SPARSE(sndrcvinfo, timetolive, U32, "timetolive", "ms after which an unsent message is given up; 0: never; not beside pr_policy"),
	SPARSE(sndrcvinfo, tsn, U32, "tsn", "transmission sequence number; received only"),
	SPARSE(sndrcvinfo, cumtsn, U32, "cumtsn", "cumulative TSN; received only, unordered messages"),
	SPARSE(sndrcvinfo, assoc_id, U32, "assoc_id", "association"),
	{ FIELD_BASE(sndrcvinfo, pr_policy, WORD, "pr_policy", "when the message is given up (PR-SCTP, RFC 7496): none, ttl, rtx, prio; sent only"),
	  .words = pr_policy_words, .sparse = true },
	SPARSE(sndrcvinfo, pr_value, U32, "pr_value", "with pr_policy: ms from 1 (ttl), retransmissions (rtx), or priority, where the messages with the largest number are given up first to make room (prio); sent only"),
	SPARSE(sndrcvinfo, auth_keynumber, MAYBE16, "auth_keynumber", "number of the key that authenticates the message (RFC 4895), for a peer that asks for authenticated DATA; absent: the active key; sent only"),
	SPARSE(sndrcvinfo, addr, IP, "addr", "address of the peer to send to, instead of the primary path; the kernel's stack takes it on sockets of type stream; sent only"),
	{ .key = NULL }
};

const struct field one_of_many_fields[] = {
	{ FIELD_BASE(one_of_many, data, BIN, "data", "the message"), .required = true },
	FIELD(one_of_many, stream, U16, "stream", "stream"),
	RECORD(one_of_many, sctp_sndrcvinfo, sndrcvinfo_fields, "sctp_sndrcvinfo", "all parameters"),
	{ .key = NULL }
};

const struct word socktype_words[] = {
	{ SOCKTYPE_SEQPACKET, "seqpacket" },
	{ SOCKTYPE_STREAM, "stream" },
	{ 0, NULL }
};

const struct word supervise_role_words[] = {
	{ ROLE_CONNECT, "connect" },
	{ ROLE_LISTEN, "listen" },
	{ 0, NULL }
};

const struct word family_words[] = {
	{ AF_INET, "inet" },
	{ AF_INET6, "inet6" },
	{ 0, NULL }
};

const struct word direction_words[] = {
	{ RESET_INCOMING, "incoming" },
	{ RESET_OUTGOING, "outgoing" },
	{ 0, NULL }
};

const struct word group_policy_words[] = {
	{ GROUP_STICKY, "sticky" },
	{ GROUP_ACTIVE_STANDBY, "active_standby" },
	{ GROUP_SPREAD, "spread" },
	{ 0, NULL }
};

const struct word group_by_words[] = {
	{ GROUP_BY_LOAD, "load" },
	{ GROUP_BY_HASH, "hash" },
	{ GROUP_BY_PPID, "ppid" },
	{ GROUP_BY_STREAM, "stream" },
	{ GROUP_BY_BYTES, "bytes" },
	{ 0, NULL }
};

const struct word level_words[] = {
	{ LOG_ERR, "err" },
	{ LOG_WARNING, "warning" },
	{ LOG_NOTICE, "notice" },
	{ LOG_INFO, "info" },
	{ LOG_DEBUG, "debug" },
	{ 0, NULL }
};

#define REQ			true
#define OPT			false

#define METHOD(name, from, doc) static const struct field name##_in[] = {
#define IN(name, type, field, need, doc) RPC_FIELD(rpc_##name##_in, type, field, need, doc)
#define END(name) { .key = NULL } };
#include "proto/rpc.def"

#define METHOD(name, from, doc) static const struct field name##_out[] = {
#define OUT(name, type, field, doc) RPC_FIELD(rpc_##name##_out, type, field, OPT, doc)
#define OUT_SPARSE(name, type, field, doc) RPC_FIELD_SPARSE(rpc_##name##_out, type, field, doc)
#define END(name) { .key = NULL } };
#include "proto/rpc.def"

const struct rpc_desc rpc_table[RPC_COUNT] = {
#define METHOD(n, f, d) [RPC_##n] = { .name = #n, .from = (f), .doc = (d), .name_len = sizeof #n - 1, \
	.in = n##_in, .in_size = sizeof(struct rpc_##n##_in),		\
	.out = n##_out, .out_size = sizeof(struct rpc_##n##_out) },
#include "proto/rpc.def"
};

const struct rpc_desc *
rpc_find(const char *name, size_t len)
{
	for (int m = 0; m < RPC_COUNT; m++) {
		if (rpc_table[m].name_len == len &&
		    memcmp(rpc_table[m].name, name, len) == 0)
			return &rpc_table[m];
	}
	return NULL;
}
