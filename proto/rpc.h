/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods of rpc.def as C: an enum, a struct for each one's arguments and
 * one for its results, and the table that describes them.
 */
#ifndef RPC_H
#define RPC_H

#include <netinet/in.h>

#include "proto/field.h"

#define RPC_PROTOCOL	1

/* The first element of a MessagePack-RPC message. */
enum rpc_kind { RPC_REQUEST = 0, RPC_RESPONSE = 1, RPC_NOTIFICATION = 2 };

/* What goes with a message; gen_sctp's #sctp_sndrcvinfo{}. Host order. */
struct sndrcvinfo {
	uint16_t	stream;
	uint16_t	ssn;
	uint16_t	flags;		/* enum sndrcv_flag */
	uint8_t		pr_policy;	/* enum pr_policy */
	uint32_t	ppid;
	uint32_t	context;
	uint32_t	timetolive;
	uint32_t	tsn;
	uint32_t	cumtsn;
	uint32_t	assoc_id;
	uint32_t	pr_value;
	uint32_t	auth_keynumber;	/* plus 1; 0: the active key */
	struct in6_addr	addr;		/* :: is the primary path; IPv4 is mapped */
};

enum sndrcv_flag {
	SNDRCV_UNORDERED = 1,
	SNDRCV_ADDR_OVER = 2,
	SNDRCV_ABORT = 4,
	SNDRCV_EOF = 8,
	SNDRCV_SACK_IMMEDIATELY = 16,
	SNDRCV_SENDALL = 32,		/* refused, with the reason */
};

/* When a message is given up: RFC 7496. With none, timetolive says it. */
enum pr_policy { PR_NONE, PR_TTL, PR_RTX, PR_PRIO };

extern const struct field sndrcvinfo_fields[];

/* One message of send_many. The bits of has are those of the fields. */
struct one_of_many {
	struct slice		data;
	uint16_t		stream;
	struct sndrcvinfo	sctp_sndrcvinfo;
};
extern const struct field one_of_many_fields[];
#define ONE_HAS_STREAM	2
#define ONE_HAS_INFO	4

/* Which streams of both directions reset_streams means. */
enum reset_direction { RESET_INCOMING = 1, RESET_OUTGOING = 2 };

extern const struct word direction_words[];

enum supervise_role { ROLE_CONNECT, ROLE_LISTEN };
extern const struct word supervise_role_words[];

enum socktype { SOCKTYPE_SEQPACKET, SOCKTYPE_STREAM };
extern const struct word socktype_words[];

/* How the members of a group share its socket, and by what it is decided who gets what. */
enum group_policy { GROUP_STICKY, GROUP_ACTIVE_STANDBY, GROUP_SPREAD };
enum group_by { GROUP_BY_LOAD, GROUP_BY_HASH, GROUP_BY_PPID, GROUP_BY_STREAM, GROUP_BY_BYTES };
extern const struct word group_policy_words[];
extern const struct word group_by_words[];

extern const struct word level_words[];		/* LOG_ERR and so on */
extern const struct word family_words[];	/* AF_INET, AF_INET6 */

/* The C type of each type of argument, result, or field of an event. */
#define RPC_BOOL	bool
#define RPC_U16		uint16_t
#define RPC_U32		uint32_t
#define RPC_U64		uint64_t
#define RPC_TIMEOUT	int64_t
#define RPC_STR		struct slice
#define RPC_BIN		struct slice
#define RPC_ENDPOINT	struct sockaddr_storage
#define RPC_ANY		struct any
#define RPC_SOCKTYPE	int32_t
#define RPC_FAMILY	int32_t
#define RPC_SNDRCVINFO	struct sndrcvinfo
#define RPC_DIRECTIONS	uint32_t
#define RPC_LEVEL	int32_t
#define RPC_SUPERVISE_ROLE	int32_t
#define RPC_POLICY	int32_t
#define RPC_BY		int32_t

/* The field of each of these types; most are fields of that name. */
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
#define RPC_FIELD_DIRECTIONS	FIELD_WORDS, .words = direction_words
#define RPC_FIELD_LEVEL		FIELD_WORD, .words = level_words
#define RPC_FIELD_SUPERVISE_ROLE FIELD_WORD, .words = supervise_role_words
#define RPC_FIELD_POLICY	FIELD_WORD, .words = group_policy_words
#define RPC_FIELD_BY		FIELD_WORD, .words = group_by_words
#define RPC_FIELD_SNDRCVINFO	FIELD_RECORD, .sub = sndrcvinfo_fields

#define RPC_FIELD(S, T, F, R, D) {					\
	.key = #F, .type = RPC_FIELD_##T, .required = R, .doc = (D),	\
	.offset = offsetof(struct S, F), .width = FIELD_SIZEOF(S, F) },

/* One that a map leaves out when it is zero or empty. */
#define RPC_FIELD_SPARSE(S, T, F, D) {					\
	.key = #F, .type = RPC_FIELD_##T, .sparse = true, .doc = (D),	\
	.offset = offsetof(struct S, F), .width = FIELD_SIZEOF(S, F) },

enum rpc_method {
#define METHOD(name, from, doc) RPC_##name,
#include "proto/rpc.def"
	RPC_COUNT
};

/* has: a bit for each argument that was there; see RPC_HAS. */
#define METHOD(name, from, doc) struct rpc_##name##_in { uint64_t has;
#define IN(name, type, field, need, doc) RPC_##type field;
#define END(name) };
#include "proto/rpc.def"

#define METHOD(name, from, doc) struct rpc_##name##_out { uint64_t has;
#define OUT(name, type, field, doc) RPC_##type field;
#define END(name) };
#include "proto/rpc.def"

/* The bit numbers behind RPC_HAS. */
#define METHOD(name, from, doc) enum {
#define IN(name, type, field, need, doc) RPC_BIT_##name##_##field,
#define END(name) RPC_BIT_COUNT_##name };
#include "proto/rpc.def"

/* Was the argument given? */
#define RPC_HAS(in, method, field)					\
	(((in)->has >> RPC_BIT_##method##_##field & 1) != 0)

struct rpc_desc {
	const char		*name;
	const char		*from;
	const char		*doc;
	size_t			 name_len;
	const struct field	*in;
	const struct field	*out;
	uint16_t		 in_size;
	uint16_t		 out_size;
};

extern const struct rpc_desc rpc_table[RPC_COUNT];

/* The method of that name, NULL if there is none. */
const struct rpc_desc *rpc_find(const char *name, size_t len);

#endif
