/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields: how one C struct looks on the wire.
 *
 * A table of fields is read in both directions: codec-pack.c goes from
 * struct to MessagePack map, codec-unpack.c back. The kernel's own structs
 * are described as they are, so there is no second copy of any of them.
 */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum field_type {
	FIELD_BOOL,		/* true or false; any width */
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_S32,
	FIELD_MAYBE16,		/* uint32_t: the number plus 1; 0 is none */
	FIELD_U64,
	FIELD_BE16,		/* network order in the struct, host order outside */
	FIELD_BE32,
	FIELD_TIMEOUT,		/* int64_t ms; -1 is "infinity" */
	FIELD_WORD,		/* an integer, named by a word of a list */
	FIELD_WORDS,		/* bits, each named by a word of a list */
	FIELD_ADDR,		/* struct sockaddr_storage as "10.0.0.1" */
	FIELD_IP,		/* struct in6_addr as "10.0.0.1", mapped inside; :: is none */
	FIELD_ENDPOINT,		/* the same as {addr, port} */
	FIELD_CHARS,		/* text in an array of characters, NUL at its end */
	FIELD_STR,		/* struct slice of text */
	FIELD_BIN,		/* struct slice of bytes */
	FIELD_RECORD,		/* a struct with fields of its own */
	FIELD_ANY,		/* struct any: whatever the method's text says */
	FIELD_TAIL,		/* bytes up to the end of the struct */
	FIELD_TAIL16,		/* uint16_t's up to the end of the struct */
	FIELD_LIST,		/* items whose number stands in the struct: words or, without a list of words, bytes */
};

/* Bytes that somebody else owns. */
struct slice {
	const char	*ptr;
	uint32_t	 len;
};

/* A value of no fixed type: an object when read, its bytes when written. */
struct any {
	const struct msgpack_object	*obj;
	struct slice			 packed;
};

struct word {
	int64_t		 value;
	const char	*name;
};

struct field {
	const char		*key;	/* "" is the whole value: a scalar */
	enum field_type		 type;
	uint16_t		 offset;
	uint16_t		 width;
	bool			 required;
	bool			 sparse;	/* left out of a map when zero */
	uint16_t		 count;		/* of a list: where its number of items is, */
	uint8_t			 count_width;	/* how wide that is, */
	uint8_t			 item;		/* and how wide an item is; width is the room for all */
	const struct word	*words;
	const struct field	*sub;
	const char		*doc;
};

/* What the compiler checks: a field is as wide as its type says. */
#define FIELD_WIDTH_BOOL(w)	((w) == 1 || (w) == 4)
#define FIELD_WIDTH_U8(w)	((w) == 1)
#define FIELD_WIDTH_U16(w)	((w) == 2)
#define FIELD_WIDTH_U32(w)	((w) == 4)
#define FIELD_WIDTH_S32(w)	((w) == 4)
#define FIELD_WIDTH_MAYBE16(w)	((w) == 4)
#define FIELD_WIDTH_U64(w)	((w) == 8)
#define FIELD_WIDTH_BE16(w)	((w) == 2)
#define FIELD_WIDTH_BE32(w)	((w) == 4)
#define FIELD_WIDTH_TIMEOUT(w)	((w) == 8)
#define FIELD_WIDTH_WORD(w)	((w) <= 4)
#define FIELD_WIDTH_WORDS(w)	((w) <= 4)
#define FIELD_WIDTH_ADDR(w)	((w) == sizeof(struct sockaddr_storage))
#define FIELD_WIDTH_IP(w)	((w) == 16)
#define FIELD_WIDTH_ENDPOINT(w)	((w) == sizeof(struct sockaddr_storage))
#define FIELD_WIDTH_CHARS(w)	((w) > 1)
#define FIELD_WIDTH_STR(w)	((w) == sizeof(struct slice))
#define FIELD_WIDTH_BIN(w)	((w) == sizeof(struct slice))
#define FIELD_WIDTH_ANY(w)	((w) == sizeof(struct any))

#define FIELD_SIZEOF(S, M)	sizeof(((struct S *)0)->M)
#define FIELD_CHECK(S, M, T)						\
	(0 * sizeof(struct { int ok;					\
	    _Static_assert(FIELD_WIDTH_##T(FIELD_SIZEOF(S, M)),		\
	    #S "." #M " is not a " #T); }))

#define FIELD_BASE(S, M, T, KEY, DOC)					\
	.key = (KEY), .type = FIELD_##T, .doc = (DOC),			\
	.offset = offsetof(struct S, M),				\
	.width = FIELD_SIZEOF(S, M) + FIELD_CHECK(S, M, T)

#define FIELD(S, M, T, KEY, DOC)   { FIELD_BASE(S, M, T, KEY, DOC) }
/* One that a map leaves out when it is zero or empty. */
#define SPARSE(S, M, T, KEY, DOC)  { FIELD_BASE(S, M, T, KEY, DOC), .sparse = true }
/* One whose values are words of a list (WORD), or sets of them (WORDS). */
#define WORDED(S, M, T, LIST, KEY, DOC)					\
	{ FIELD_BASE(S, M, T, KEY, DOC), .words = (LIST) }
/* A struct inside the struct. */
#define RECORD(S, M, FLDS, KEY, DOC) {					\
	.key = (KEY), .type = FIELD_RECORD, .doc = (DOC),		\
	.offset = offsetof(struct S, M), .width = FIELD_SIZEOF(S, M),	\
	.sub = (FLDS) }
/* What follows the fixed part of a struct, up to its end. */
#define TAIL(S, M, T, KEY, DOC) {					\
	.key = (KEY), .type = FIELD_##T, .doc = (DOC),			\
	.offset = offsetof(struct S, M) }
/* A list in the room behind the fixed part of a struct, which has its number of items in C. */
#define LIST(S, M, C, ROOM, WORDS, KEY, DOC)				\
	{ LIST_BASE(S, M, C, ROOM, WORDS, KEY, DOC) }
#define LIST_BASE(S, M, C, ROOM, WORDS, KEY, DOC)			\
	.key = (KEY), .type = FIELD_LIST, .doc = (DOC), .words = (WORDS), \
	.offset = offsetof(struct S, M), .item = FIELD_SIZEOF(S, M[0]),	\
	.width = (ROOM) * FIELD_SIZEOF(S, M[0]),			\
	.count = offsetof(struct S, C), .count_width = FIELD_SIZEOF(S, C)
/* A value that is no record at all. */
#define SCALAR(T, CTYPE, DOC) FIELDS({					\
	.key = "", .type = FIELD_##T, .doc = (DOC),			\
	.width = sizeof(CTYPE) })
#define FIELDS(...) (const struct field[]){ __VA_ARGS__, { .key = NULL } }

#endif
