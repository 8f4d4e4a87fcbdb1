/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: busy associations that rest.
 *
 * One that always has more to read would take all of our time, and one beside
 * it that says a little now and then would wait for it each time. It is read a
 * share, and then left alone for a moment: its window closes, and its peer
 * waits instead of the others.
 */
#include <event2/event.h>
#include <event2/event_struct.h>

#include "kernel.h"
#include "loop.h"

#define REST_US	1000

static TAILQ_HEAD(, assoc) resting = TAILQ_HEAD_INITIALIZER(resting);
static struct event over;

static void
wake(struct assoc *a)
{
	kernel_no_rest(a);
	/* One whose socket was closed is read without a set. */
	if (a->sock != NULL && a->stack.fd != -1)
		kernel_watch(a->sock, a->stack.fd, a, a->stack.at_end);
}

static void
rest_is_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	while (!TAILQ_EMPTY(&resting))
		wake(TAILQ_FIRST(&resting));
}

void
kernel_rest(struct assoc *a)
{
	static const struct timeval	moment = { .tv_usec = REST_US };

	if (a->stack.is_resting)
		return;
	kernel_unwatch(a->sock, a->stack.fd);
	a->stack.is_resting = true;
	TAILQ_INSERT_TAIL(&resting, a, stack.resting);
	if (!event_initialized(&over))
		(void)evtimer_assign(&over, loop_base(), rest_is_over, NULL);
	if (!evtimer_pending(&over, NULL))
		(void)evtimer_add(&over, &moment);
}

void
kernel_no_rest(struct assoc *a)
{
	if (!a->stack.is_resting)
		return;
	a->stack.is_resting = false;
	TAILQ_REMOVE(&resting, a, stack.resting);
}
