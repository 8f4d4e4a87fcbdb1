/* SPDX-License-Identifier: BSD-2-Clause */
/* The two messages that come by the thousand, read where they lie. */
#ifndef LIB_FASTPATH_H
#define LIB_FASTPATH_H

#include "lib/internal.h"

/*
 * The ordinary message that the n bytes at p begin with: its length, 0 if it
 * is none or not whole. Of a data event: what it says, in place; the byte
 * behind its data is not touched. Of an answer that says no more than done:
 * what it answers.
 */
size_t fastpath_data(char *p, size_t n, struct sctpd_event *);
size_t fastpath_done(char *p, size_t n, uint32_t *id);

#endif
