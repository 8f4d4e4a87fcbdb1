/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock that finds associations which take nothing: see stuck.h.
 */
#include <event2/event.h>
#include <event2/event_struct.h>

#include "config.h"
#include "rpc/connection.h"
#include "socket/assoc.h"
#include "socket/sendcount.h"
#include "socket/stuck.h"
#include "util/log.h"
#include "util/loop.h"

#define TICK_MS		10
#define STUCK_MS	20

/* Associations in which messages wait, without those given up. */
static TAILQ_HEAD(, assoc) full = TAILQ_HEAD_INITIALIZER(full);
static struct event tick;

void
stuck_watch(struct assoc *a)
{
	a->still = 0;
	a->moved = false;
	a->given_up = false;
	TAILQ_INSERT_TAIL(&full, a, full_entry);
}

void
stuck_unwatch(struct assoc *a)
{
	if (!a->given_up)
		TAILQ_REMOVE(&full, a, full_entry);
}

void
stuck_moves(struct assoc *a)
{
	if (a->given_up)
		TAILQ_INSERT_TAIL(&full, a, full_entry);
	a->given_up = false;
	a->moved = true;
	a->still = 0;
}

bool
stuck_refuses(const struct assoc *a)
{
	return a->given_up && a->charged >= config.association_queue;
}

/* One more tick without a message taken. True: look again at the next tick. */
static bool
look_at(struct assoc *a)
{
	if (a->moved) {
		a->moved = false;
		return true;
	}
	a->still += TICK_MS;
	if (a->still >= config.queue_time) {
		stuck_unwatch(a);
		a->given_up = true;
		log_info("assoc %u: its peer accepts nothing, %zu bytes wait", assoc_id(a), a->waiting);
	}
	if (a->given_up || (a->still >= STUCK_MS && a->charged < config.association_queue))
		sendcount_clear(a);
	return !a->given_up;
}

static void
stuck_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct assoc	*a, *next;
	bool		 again = false;

	(void)fd, (void)what, (void)arg;
	for (a = TAILQ_FIRST(&full); a != NULL; a = next) {
		next = TAILQ_NEXT(a, full_entry);
		again |= look_at(a);
	}
	if (again && client_any_paused())
		stuck_look();
}

void
stuck_look(void)
{
	static const struct timeval	in = { .tv_usec = TICK_MS * 1000 };

	if (!event_initialized(&tick))
		(void)evtimer_assign(&tick, loop_base(), stuck_on_tick, NULL);
	if (!TAILQ_EMPTY(&full) && !evtimer_pending(&tick, NULL))
		(void)evtimer_add(&tick, &in);
}
