/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The method table, made from rpc.def.
 */
#include <string.h>

#include "rpc.h"

static const struct word sndrcv_flag_words[] = {
	{ SNDRCV_UNORDERED, "unordered" },
	{ SNDRCV_ADDR_OVER, "addr_over" },
	{ SNDRCV_ABORT, "abort" },
	{ SNDRCV_EOF, "eof" },
	{ 0, NULL }
};

const struct field sndrcvinfo_fields[] = {
	SPARSE(sndrcvinfo, stream, U16, "stream", "stream, from 0"),
	SPARSE(sndrcvinfo, ssn, U16, "ssn", "stream sequence number; received only"),
	{ FIELD_BASE(sndrcvinfo, flags, WORDS, "flags", "unordered, addr_over, abort, eof"),
	  .words = sndrcv_flag_words, .sparse = true },
	SPARSE(sndrcvinfo, ppid, U32, "ppid", "payload protocol identifier, host order; one such as 0x3c000000 (60) comes from a peer that did not turn it round for the network"),
	SPARSE(sndrcvinfo, context, U32, "context", "returned with the message if it fails"),
	SPARSE(sndrcvinfo, timetolive, U32, "timetolive", "ms after which an unsent message is given up; 0: never"),
	SPARSE(sndrcvinfo, tsn, U32, "tsn", "transmission sequence number; received only"),
	SPARSE(sndrcvinfo, cumtsn, U32, "cumtsn", "cumulative TSN; received only, unordered messages"),
	SPARSE(sndrcvinfo, assoc_id, U32, "assoc_id", "association"),
	{ .key = NULL }
};

const struct word socktype_words[] = {
	{ SOCKTYPE_SEQPACKET, "seqpacket" },
	{ SOCKTYPE_STREAM, "stream" },
	{ 0, NULL }
};

const struct word family_words[] = {
	{ AF_INET, "inet" },
	{ AF_INET6, "inet6" },
	{ 0, NULL }
};

/* How an argument's type is described; most are fields of that name. */
#define RPC_FIELD_BOOL		FIELD_BOOL
#define RPC_FIELD_U16		FIELD_U16
#define RPC_FIELD_U32		FIELD_U32
#define RPC_FIELD_U64		FIELD_U64
#define RPC_FIELD_TIMEOUT	FIELD_TIMEOUT
#define RPC_FIELD_STR		FIELD_STR
#define RPC_FIELD_BIN		FIELD_BIN
#define RPC_FIELD_ENDPOINT	FIELD_ENDPOINT
#define RPC_FIELD_ANY		FIELD_ANY
#define RPC_FIELD_SOCKTYPE	FIELD_WORD, .words = socktype_words
#define RPC_FIELD_FAMILY	FIELD_WORD, .words = family_words
#define RPC_FIELD_SNDRCVINFO	FIELD_RECORD, .sub = sndrcvinfo_fields
#define REQ			true
#define OPT			false

#define RPC_FIELD(S, T, F, R, D) {					\
	.key = #F, .type = RPC_FIELD_##T, .required = R, .doc = (D),	\
	.offset = offsetof(struct S, F), .width = FIELD_SIZEOF(S, F) },

#define METHOD(name, from, doc) static const struct field name##_in[] = {
#define IN(name, type, field, need, doc) RPC_FIELD(rpc_##name##_in, type, field, need, doc)
#define END(name) { .key = NULL } };
#include "rpc.def"

#define METHOD(name, from, doc) static const struct field name##_out[] = {
#define OUT(name, type, field, doc) RPC_FIELD(rpc_##name##_out, type, field, OPT, doc)
#define OUT_SPARSE(name, T, F, D) {					\
	.key = #F, .type = RPC_FIELD_##T, .sparse = true, .doc = (D),	\
	.offset = offsetof(struct rpc_##name##_out, F),			\
	.width = FIELD_SIZEOF(rpc_##name##_out, F) },
#define END(name) { .key = NULL } };
#include "rpc.def"

const struct rpc_desc rpc_table[RPC_COUNT] = {
#define METHOD(n, f, d) [RPC_##n] = { .name = #n, .from = (f), .doc = (d), .name_len = sizeof #n - 1, \
	.in = n##_in, .in_size = sizeof(struct rpc_##n##_in),		\
	.out = n##_out, .out_size = sizeof(struct rpc_##n##_out) },
#include "rpc.def"
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
