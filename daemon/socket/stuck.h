/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations that take nothing, and what their senders may still do.
 *
 * A message that finds no room waits, and counts against its client: beyond
 * client_queue the client is not read. That is back-pressure, and right for
 * as long as room comes. But a peer that has stopped reading must not stop
 * everything that its sender does over the same connection. So what waits in
 * an association that is stuck counts against that association only, and its
 * senders are read on:
 *
 *	moving		a message was taken lately; what waits counts against
 *			its client
 *	stuck		none was, for STUCK_MS, while a client was not read: what
 *			waits counts against the association, up to
 *			association_queue; beyond that its client is not read
 *	given up	none was for queue_time: what waits counts against the
 *			association only, and a message beyond association_queue
 *			is refused with eagain. It is looked at no more
 *
 * The first message that is taken makes it moving again. The clock runs only
 * while some client is not read.
 */
#ifndef STUCK_H
#define STUCK_H

#include <stdbool.h>

struct assoc;

/* The first message begins to wait in it; the last one is gone. */
void stuck_watch(struct assoc *);
void stuck_unwatch(struct assoc *);

/* One of the waiting messages was taken. */
void stuck_moves(struct assoc *);

/* A client is not read any more: start the clock. */
void stuck_look(void);

/* Must a message that finds no room in it be refused? */
bool stuck_refuses(const struct assoc *);

#endif
