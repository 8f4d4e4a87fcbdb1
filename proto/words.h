/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key=value words to the arguments of a method: those of sctpctl's command line
 * and of a paragraph of sctpd.conf.
 *
 * A word's text becomes the MessagePack value that its field's type suggests;
 * then the daemon's own reader, codec_unpack, says whether it fits. So both
 * ends refuse the same things in the same words.
 */
#ifndef WORDS_H
#define WORDS_H

#include "proto/words-text.h"

#define MAX_WORDS	64	/* of one request, the method aside */

/* A word, or what is left of it inside its record. */
struct word_arg {
	const char	*key;
	size_t		 len;
	const char	*value;
};

/* Pack the words as the method's map of arguments. */
bool words_pack(struct words *, const struct word_arg *, size_t n);

/* Would the daemon take the map or value that was packed since then? has is codec_unpack's. */
bool words_check(struct words *, size_t from, const struct field *, void *to, uint64_t *has);

#endif
