/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside words*.c: the request that words are packed into.
 */
#ifndef WORDS_H
#define WORDS_H

#include "core.h"
#include "error.h"
#include "field.h"
#include "rpc.h"

#define MAX_WORDS	64

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
