/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock that finds associations which take nothing: see stuck.h.
 */
#include <event2/event.h>
#include <event2/event_struct.h>

#include "assoc.h"
#include "client.h"
#include "config.h"
#include "log.h"
#include "loop.h"
#include "stuck.h"

#define TICK_MS		10
#define STUCK_MS	20

static TAILQ_HEAD(, assoc) full = TAILQ_HEAD_INITIALIZER(full);
static struct event tick;

void
stuck_watch(struct assoc *a)
{
	a->still = 0;
	a->moved = false;
	TAILQ_INSERT_TAIL(&full, a, full_entry);
}

void
stuck_unwatch(struct assoc *a)
{
	TAILQ_REMOVE(&full, a, full_entry);
}

void
stuck_moves(struct assoc *a)
{
	a->moved = true;
	a->still = 0;
}

static bool
is_given_up(const struct assoc *a)
{
	return a->still >= config.queue_time;
}

bool
stuck_refuses(const struct assoc *a)
{
	return is_given_up(a) && a->charged >= config.association_queue;
}

/* One more tick without a message taken. True: it is worth to look again. */
static bool
look_at(struct assoc *a)
{
	if (a->moved || is_given_up(a)) {
		a->moved = false;
		return !is_given_up(a);
	}
	a->still += TICK_MS;
	if (is_given_up(a))
		log_info("assoc %u: its peer takes nothing, %zu bytes wait", assoc_id(a), a->waiting);
	if (is_given_up(a) || (a->still >= STUCK_MS && a->charged < config.association_queue))
		assoc_uncount_sends(a);
	return !is_given_up(a);
}

static void
stuck_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct assoc	*a;
	bool		 again = false;

	(void)fd, (void)what, (void)arg;
	TAILQ_FOREACH(a, &full, full_entry)
		again |= look_at(a);
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
