/* SPDX-License-Identifier: BSD-2-Clause */
/* One word's text as a MessagePack value: see words.h. */
#ifndef WORDS_TEXT_H
#define WORDS_TEXT_H

#include <msgpack.h>

#include "proto/error.h"
#include "proto/field.h"
#include "proto/rpc.h"

/* What words are packed into. */
struct words {
	msgpack_packer		*pk;
	const struct rpc_desc	*method;
	struct errtext		 why;		/* they are refused */
	bool			 secret;	/* an option among them is */
	bool			 no_memory;

	/* All that the packer has packed; NULL: there was no memory for it. */
	const char		*(*packed)(const void *arg, size_t *len);
	const void		*arg;
};

/* Say why a word is refused; false. */
bool words_refuse(struct words *, const char *why);
bool words_refuse_record(struct words *, const struct field *parts);

/* Pack a text as the value of that field. */
bool words_pack_text(struct words *, const struct field *, const char *);

#endif
