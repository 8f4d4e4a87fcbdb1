/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: busy associations are throttled.
 *
 * An association that always has more to read would take all of the daemon's
 * time. A quiet association beside it would wait for it each time. So a busy
 * association is read for a share, and then left alone for a moment. Its window
 * closes, and its peer waits instead of the others.
 *
 * An association that is alone on its socket is throttled too, if it sends many small
 * messages that nobody answers. If each message were read as soon as it comes,
 * a few at a time, waking up would cost more than reading. The messages wait in
 * the receive buffer, which is far from full by then, and no other association
 * waits.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <time.h>

#include "kernel/kernel.h"
#include "util/log.h"
#include "util/loop.h"

#define THROTTLE_US	1000
#define NO_ROOM_US	50000
#define FLOOD_LOOK	256	/* messages between two looks at the cost */
#define FLOOD_US	100	/* apart: 10,000 a second */
#define FLOOD_BYTES	2048	/* each */
#define FLOOD_SHARE	4	/* throttling is not worth it for less than a quarter of a processor */

static TAILQ_HEAD(, assoc) throttled = TAILQ_HEAD_INITIALIZER(throttled);
static struct event over;

static void
throttle_is_over(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval	 longer = { .tv_usec = NO_ROOM_US };
	struct assoc			*a;

	(void)fd, (void)what, (void)arg;
	while ((a = TAILQ_FIRST(&throttled)) != NULL) {
		/* An association whose socket was closed is read without a set. */
		if (a->sock != NULL && a->stack.fd != -1 &&
		    kernel_watch(a->sock, a->stack.fd, a, a->stack.at_end) != 0) {
			/* There is no room to watch it: it stays throttled. */
			(void)evtimer_add(&over, &longer);
			return;
		}
		kernel_unthrottle(a);
	}
}

void
kernel_throttle(struct assoc *a)
{
	static const struct timeval	moment = { .tv_usec = THROTTLE_US };

	if (a->stack.is_throttled)
		return;
	kernel_unwatch(a->sock, a->stack.fd);
	a->stack.is_throttled = true;
	TAILQ_INSERT_TAIL(&throttled, a, stack.throttled);
	if (!event_initialized(&over))
		(void)evtimer_assign(&over, loop_base(), throttle_is_over, NULL);
	if (!evtimer_pending(&over, NULL))
		(void)evtimer_add(&over, &moment);
}

void
kernel_unthrottle(struct assoc *a)
{
	if (!a->stack.is_throttled)
		return;
	a->stack.is_throttled = false;
	TAILQ_REMOVE(&throttled, a, stack.throttled);
}

/* If there is no room to watch the association, its messages stay with its peer until there is. */
void
kernel_follow(struct assoc *a, bool edge)
{
	int	number = kernel_watch(a->sock, a->stack.fd, a, edge);

	if (number == 0)
		return;
	if (log_allowed(LOG_WARNING, "association cannot be watched"))
		log_warning("assoc %u: cannot be watched: %s; another attempt follows; see LimitNOFILE and fs.epoll.max_user_watches",
		    assoc_id(a), strerror(number));
	kernel_throttle(a);
}

static uint64_t
now_us(clockid_t of)
{
	struct timespec	now;

	(void)clock_gettime(of, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/*
 * Messages come fast and are small. Unless the association is throttled already, they
 * also take much time.
 */
static bool
is_flood(const struct rate *was, const struct rate *is)
{
	uint64_t	n = is->received - was->received, us = is->us - was->us;

	return was->us != 0 && us / n < FLOOD_US && (is->bytes - was->bytes) / n <= FLOOD_BYTES &&
	    (was->on || is->cpu_us - was->cpu_us > us / FLOOD_SHARE);
}

void
kernel_throttle_lone(struct assoc *a)
{
	struct sock	*s = a->sock;
	struct rate	*was = &s->stack.rate;
	struct rate	 is = { .received = s->received.cnt, .sent = s->sent.cnt, .bytes = s->received.oct };
	uint64_t	 n = is.received - was->received;

	if (is.sent == was->sent && n < (was->on ? 1 : FLOOD_LOOK))
		return;
	if (is.sent == was->sent) {
		is.us = now_us(CLOCK_MONOTONIC);
		is.cpu_us = now_us(CLOCK_PROCESS_CPUTIME_ID);
		is.on = is_flood(was, &is);
	}
	*was = is;
	if (is.on)
		kernel_throttle(a);
}
