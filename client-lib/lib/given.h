/* SPDX-License-Identifier: BSD-2-Clause */
/* What sctpd_events gave. */
#ifndef LIB_GIVEN_H
#define LIB_GIVEN_H

#include "lib/internal.h"

/* Call this before c->in is read into or taken from: it leaves what the program has. False without memory. */
bool given_leave(struct sctpd *);
/* The program asks for more, so it no longer uses what it has. */
void given_back(struct sctpd *);
void given_free(struct sctpd *);

#endif
