/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions: what makes a connection one that can break without loss. */
#ifndef LIB_SESSION_H
#define LIB_SESSION_H

#include "lib/internal.h"

/* Say what the program has handled, if that is more than was said. */
void session_ack(struct sctpd *);

/* Begin a connection with hello. Its answer makes the phase SESSION_UP. */
bool session_greet(struct sctpd *);

/* Drop all that was to be sent. With forget, drop the session as well. */
void session_end(struct sctpd *, bool forget);
/* Close the timer. */
void session_stop_timer(struct sctpd *);
void session_free(struct sctpd *);

void session_tell(struct sctpd *, enum sctpd_session_change);

#endif
