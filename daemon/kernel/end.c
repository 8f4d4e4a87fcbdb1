/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: associations that are going down, and those that go on
 * alone after their socket was closed.
 *
 * Their end comes as a notification, or as "end" on a one-to-one descriptor:
 * mostly. The kernel throws notifications away that follow the peer's SHUTDOWN
 * where shutdown(2) was called too, which happens whenever both sides shut
 * down at once. And it keeps them back for ever behind a message that was
 * delivered in part and whose rest will not come, as its peer has restarted.
 * Then the association is gone, and its descriptor never says so. So whoever
 * is going down is asked after, once a second, until the kernel does not know
 * it any more and nothing is left to read.
 *
 * One that goes on alone has a limit as well. A peer that keeps its window
 * closed is one that the kernel gives up after five minutes when it shuts
 * down; but as long as messages wait here it is not shutting down yet. So we
 * do the same.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include "kernel.h"
#include "log.h"
#include "loop.h"

#define LOOK_AT		1024	/* in a second */
#define PATIENCE	300	/* seconds: T5 of RFC 9260, five times RTO.Max */

static TAILQ_HEAD(, assoc) lingering = TAILQ_HEAD_INITIALIZER(lingering);
static TAILQ_HEAD(goers, assoc) going = TAILQ_HEAD_INITIALIZER(going);
static struct event tick;

time_t
kernel_seconds(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* It is over, and nobody was told. */
static void
end(struct assoc *a)
{
	if (a->sock == NULL) {
		(void)assoc_free(a);
		return;
	}
	log_debug("assoc %u: the kernel does not know it any more", assoc_id(a));
	kernel_say_end(a, SCTP_SHUTDOWN_COMP, 0);
	assoc_fail_sends(a, ERR_epipe, "the association is over");
	kernel_finish(a);
}

/*
 * It still connects, and has something to send when it is up. Those of older
 * daemons without were forgotten by the kernel.
 */
static bool
still_connects(const struct assoc *a)
{
	return a->state == ASSOC_COMING_UP && !(a->stack.is_lingering && a->stack.stream &&
	    TAILQ_EMPTY(&a->sends));
}

/* It came to its end without a word? Then say so; it may be freed by that. */
bool
kernel_look_for_end(struct assoc *a)
{
	if (a->stack.fd == -1 || (a->sock != NULL && a->sock->lent) || still_connects(a) ||
	    kernel_knows(a) || !kernel_is_drained(a->stack.fd))
		return false;
	end(a);
	return true;
}

/* It goes on alone, and has done nothing for too long. */
static void
give_up(struct assoc *a)
{
	log_notice("assoc %u: aborted, its socket is closed, and its peer took nothing for %d s, %zu bytes wait",
	    assoc_id(a), PATIENCE, a->waiting);
	kernel_take_back(a);
	(void)assoc_free(a);
}

static void
look_at(struct assoc *a)
{
	if (kernel_look_for_end(a))
		return;
	if (a->stack.is_lingering && a->state < ASSOC_GOING_DOWN &&
	    kernel_seconds() - a->stack.moved > PATIENCE)
		give_up(a);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct assoc	*a, *last = TAILQ_LAST(&going, goers);
	bool		 more = true;

	(void)fd, (void)what, (void)arg;
	for (int i = 0; i < LOOK_AT && more && (a = TAILQ_FIRST(&going)) != NULL; i++) {
		more = a != last;
		TAILQ_REMOVE(&going, a, stack.going);
		TAILQ_INSERT_TAIL(&going, a, stack.going);
		look_at(a);
	}
	if (TAILQ_EMPTY(&going))
		(void)event_del(&tick);
}

void
kernel_going(struct assoc *a)
{
	static const struct timeval	second = { .tv_sec = 1 };

	if (a->stack.is_going)
		return;
	a->stack.is_going = true;
	TAILQ_INSERT_TAIL(&going, a, stack.going);
	if (!event_initialized(&tick))
		(void)event_assign(&tick, loop_base(), -1, EV_PERSIST, on_tick, NULL);
	if (!evtimer_pending(&tick, NULL))
		(void)event_add(&tick, &second);
}

/* ---- alone ---------------------------------------------------------- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	if (!kernel_discard(arg))
		(void)assoc_free(arg);
}

void
kernel_linger(struct assoc *a)
{
	a->stack.owns_fd = a->stack.is_lingering = true;
	a->stack.moved = kernel_seconds();
	TAILQ_INSERT_TAIL(&lingering, a, stack.lingering);
	(void)event_assign(&a->stack.linger, loop_base(), -1, 0, on_readable, a);
	loop_watch(&a->stack.linger, a->stack.fd, EV_READ | EV_PERSIST);
	kernel_going(a);
}

void
kernel_linger_no_more(struct assoc *a)
{
	if (a->stack.is_lingering)
		TAILQ_REMOVE(&lingering, a, stack.lingering);
	if (a->stack.is_going)
		TAILQ_REMOVE(&going, a, stack.going);
	a->stack.is_lingering = a->stack.is_going = false;
}

void
kernel_end_lingering(void)
{
	struct assoc	*a;

	while ((a = TAILQ_FIRST(&lingering)) != NULL)
		(void)assoc_free(a);
	if (event_initialized(&tick))
		(void)event_del(&tick);
}
