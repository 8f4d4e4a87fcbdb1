/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: one turn serves what is ready, then writes to each client
 * once, then frees what was lost in the turn.
 */
#ifndef LOOP_H
#define LOOP_H

#include <event2/event.h>

void loop_init(void);
struct event_base *loop_base(void);

/* Serve until loop_stop. */
void loop_run(void);
void loop_stop(void);
void loop_free(void);

#endif
