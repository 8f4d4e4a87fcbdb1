/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods of rpc.def as C: an enum, a struct for each one's arguments and
 * one for its results, and the table that describes them.
 */
#ifndef RPC_H
#define RPC_H

#include "field.h"

#define RPC_PROTOCOL	1

/* The first element of a MessagePack-RPC message. */
enum rpc_kind { RPC_REQUEST = 0, RPC_RESPONSE = 1, RPC_NOTIFICATION = 2 };

/* What goes with a message; gen_sctp's #sctp_sndrcvinfo{}. Host order. */
struct sndrcvinfo {
	uint16_t	stream;
	uint16_t	ssn;
	uint16_t	flags;		/* enum sndrcv_flag */
	uint32_t	ppid;
	uint32_t	context;
	uint32_t	timetolive;
	uint32_t	tsn;
	uint32_t	cumtsn;
	uint32_t	assoc_id;
};

enum sndrcv_flag {
	SNDRCV_UNORDERED = 1,
	SNDRCV_ADDR_OVER = 2,
	SNDRCV_ABORT = 4,
	SNDRCV_EOF = 8,
	/* No words: the policy of sctp_default_prinfo, which goes with defaults. */
	SNDRCV_PR_TTL = 0x1000,
	SNDRCV_PR_RTX = 0x2000,		/* both: by priority */
};

extern const struct field sndrcvinfo_fields[];

enum socktype { SOCKTYPE_SEQPACKET, SOCKTYPE_STREAM };
extern const struct word socktype_words[];
extern const struct word family_words[];	/* AF_INET, AF_INET6 */

/* The C type of each type of argument. */
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

enum rpc_method {
#define METHOD(name, from, doc) RPC_##name,
#include "rpc.def"
	RPC_COUNT
};

/* has: a bit for each argument that was there; see RPC_HAS. */
#define METHOD(name, from, doc) struct rpc_##name##_in { uint64_t has;
#define IN(name, type, field, need, doc) RPC_##type field;
#define END(name) };
#include "rpc.def"

#define METHOD(name, from, doc) struct rpc_##name##_out { uint64_t has;
#define OUT(name, type, field, doc) RPC_##type field;
#define END(name) };
#include "rpc.def"

/* The bit numbers behind RPC_HAS. */
#define METHOD(name, from, doc) enum {
#define IN(name, type, field, need, doc) RPC_BIT_##name##_##field,
#define END(name) RPC_BIT_COUNT_##name };
#include "rpc.def"

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
