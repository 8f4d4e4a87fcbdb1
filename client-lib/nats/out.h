/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the queue into the stack: once.
 *
 * Each message of the queue becomes one notification of the session, in order; one
 * that the bridge refuses, too (refused.h). sctpd counts them. From time to time the
 * bridge asks sctpd something, and with the answer knows that all before was carried
 * out. It notes how far that is (state.out_seq and out_note), and then acknowledges
 * those messages to JetStream, which removes them.
 *
 * A bridge that begins reads the queue from its front. Behind out_seq it skips as many
 * messages as sctpd has counted notifications behind out_note: those are in the stack.
 * Nothing can be missing between them, because what JetStream removes was
 * acknowledged, and nothing is acknowledged before it is noted.
 *
 * Messages are fetched by the FETCH thread, as many as there is room for. The consumer
 * of JetStream is made anew each time, so it begins at the front; its own numbers say
 * if a delivery was lost on the way, and then it is made anew again.
 */
#ifndef NATS_OUT_H
#define NATS_OUT_H

#include <stdbool.h>

#include "lib/sctpd.h"
#include "nats/bus.h"

/* Begin, in that life and with that session. */
void out_start(struct life *, struct sctpd *);
void out_stop(void);

/* Give sctpd what came, and fetch more. */
void out_turn(void);

/* Why it does not go on, or NULL. */
const char *out_broken(void);

#endif
