/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the queue into the stack: once.
 *
 * Each message of the queue becomes one notification of the session, in order; one
 * that the bridge refuses, too (refused.h). sctpd counts them. From time to time the
 * bridge asks sctpd something, and with the answer knows that all before was carried
 * out. It notes how far that is (state.out_seq and out_note), and then acknowledges
 * them to JetStream, so that another member of a standby knows, too.
 *
 * A bridge that begins reads the queue behind out_seq. There it skips as many messages
 * as sctpd has counted notifications behind out_note: those are in the stack.
 *
 * What was sent stays in the queue for out_duplicates more, and is removed by the
 * bridge. JetStream must be able to see that an id was there: a server that was
 * restarted knows only those of the messages that it has. Each server decides by
 * itself whether a message is a double, so one that had forgotten would take what the
 * others refuse, and all behind that would have other numbers there. That is why the
 * stream is no work queue.
 *
 * Messages are fetched by the FETCH thread, as many as there is room for. The consumer
 * of JetStream is made anew each time; its own numbers say if a delivery was lost on
 * the way, and then it is made anew again. If nothing comes, it is asked whether it
 * has something.
 */
#ifndef NATS_OUT_H
#define NATS_OUT_H

#include <stdbool.h>

#include "lib/sctpd.h"
#include "nats/bus.h"

/* That is the last message of the queue: what is behind it is not there any more, or not yet. */
void out_ends(uint64_t last);

/* Begin, in that life and with that session. */
void out_start(struct life *, struct sctpd *);
void out_stop(void);

/* Give sctpd what came, and fetch more. */
void out_turn(void);

/* Why it does not go on, or NULL. */
const char *out_broken(void);

#endif
