/* SPDX-License-Identifier: BSD-2-Clause */
/* One word's text as a MessagePack value. */
#ifndef LIB_WORDS_TEXT_H
#define LIB_WORDS_TEXT_H

#include "lib/internal.h"
#include "proto/error.h"
#include "proto/field.h"
#include "proto/rpc.h"

/* The request that words are packed into. */
struct pack {
	struct sctpd		*c;
	const struct rpc_desc	*method;
	struct errtext		 why;
};

/* Say why a word is refused; false. */
bool words_refuse(struct pack *, const char *why);
bool words_refuse_record(struct pack *, const struct field *parts);

/* Pack a text as the value of that field. */
bool words_pack_text(struct pack *, const struct field *, const char *);

#endif
