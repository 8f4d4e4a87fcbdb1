/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept with an association that is watched.
 *
 * The room watch looks after associations whose sockets ask for it: the path
 * manager (the option path_manager) and the stall detector (stall). It may use
 * sockets and associations, and the table of the stack. It must not know any
 * method, nor which stack is in use. Sockets do not know it: they mark an
 * association (assoc_mark, socket/assoc.h), and watch.c is given those.
 *
 * An association that no option is about has nothing here. One that is watched
 * has one timer, which runs only while there is something to wait for.
 */
#ifndef STATE_H
#define STATE_H

#include <event2/event_struct.h>

#include "socket/watched.h"
#include "stack/stack.h"

struct watch {
	struct watched			 kept;		/* the first, as associations know only this */
	struct assoc			*assoc;
	struct user			*user;		/* whom it is charged to */
	struct event			 timer;

	/* The path manager: see primary.c. */
	bool				 fresh;		/* the wanted path is taken without a wait */
	uint64_t			 healthy;	/* since when the wanted path works; 0: it does not */

	/* The stall detector: see stall.c. Times are as trace_now says. */
	uint64_t			 acked_at;	/* when something was acknowledged; 0: nothing waits */
	uint64_t			 queued;	/* at the last look */
	bool				 has_last;
	struct stack_outstanding	 last;		/* then, if it was asked for */
	uint64_t			 asked_at;	/* the last heartbeat */
	unsigned			 asked;		/* how many, since acked_at */
	uint64_t			 answers;	/* that had come before the first */
	uint64_t			 answered;
	uint64_t			 answered_at;
};

/* A look gives the ms after which it is to be repeated; or this. */
#define NO_MORE_LOOKS	UINT64_MAX

#endif
