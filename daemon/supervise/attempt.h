/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts: the pause before, the names of the peer, the INIT.
 */
#ifndef SUPERVISE_ATTEMPT_H
#define SUPERVISE_ATTEMPT_H

#include "supervise/table.h"

/* Begin one, whatever was before. */
void attempt_begin(struct supervised *);

/* End a look-up of names. Without one this does nothing. */
void attempt_end(struct supervised *);

/* It ended, or could not begin: wait, and try again. */
void attempt_later(struct supervised *, const char *why);

/* It is up: nothing waits any more. */
void attempt_is_up(struct supervised *);

/* min, twice that, and so on up to max; and of that jitter percent less, by chance. */
uint64_t attempt_pause(const struct supervised *);
void attempt_wait(struct supervised *, uint64_t ms);

/* Messages wait that nobody reads: look at it now and then, for its end stands behind them. */
void attempt_look_later(struct supervised *);

/*
 * The timer has run: try again; or an association that is over stands behind
 * messages that nobody reads, and they are read now.
 */
void attempt_on_timer(struct supervised *);

#endif
