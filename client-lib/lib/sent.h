/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of ours: what is to be written, and what is kept to be written again. */
#ifndef LIB_SENT_H
#define LIB_SENT_H

#include "lib/internal.h"

/* Where the bytes are that are to be written next, and how many; and that n of them were written. */
const char *sent_unwritten(const struct sctpd *, size_t *n);
void sent_wrote(struct sctpd *, size_t n);

/* Note the message that ends c->out. False without memory. */
bool sent_note(struct sctpd *);

/* All of it is of no use any more. */
void sent_drop(struct sctpd *);

/* A request was answered. */
void sent_answered(struct sctpd *, const struct request *);

/* Have many notifications been sent that may not have arrived? */
bool sent_many_loose(const struct sctpd *);

/* Begin a message of that kind that is written first, and not kept. */
bool sent_begin_first(struct session *, msgpack_packer *, int kind);

/* The daemon has taken this many notifications. Everything else that has no answer is to be written again. */
void sent_rewind(struct sctpd *, uint64_t notes);

#endif
