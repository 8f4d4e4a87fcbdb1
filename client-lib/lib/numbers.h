/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the daemon's, by their numbers. */
#ifndef LIB_NUMBERS_H
#define LIB_NUMBERS_H

#include "lib/internal.h"

/*
 * Number a message of len bytes; an event says its number itself. False: it
 * came before.
 */
bool numbers_count(struct sctpd *, struct mark *, size_t len, uint64_t seq);

/* The program is given the event with this mark. */
void numbers_show(struct sctpd *, const struct mark *);

/* The first message that the program has not handled; it may be yet to come. */
struct mark numbers_unhandled(const struct sctpd *);
/* What the program has handled: all up to that number. */
uint64_t numbers_handled(const struct sctpd *);

/* Is it time to say so? */
bool numbers_are_due(const struct sctpd *);
/*
 * Say so, if it is more than was said: requests that are not written yet do
 * not hold it up, nor may their answers. False: no session is up.
 */
bool numbers_ack(struct sctpd *);
void numbers_pack_ack(msgpack_packer *, uint64_t seq);

/* What the program holds counts as handled from now on: it gives the socket away. */
void numbers_let_go(struct sctpd *);

#endif
