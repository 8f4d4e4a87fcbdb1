/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: busy associations that rest.
 *
 * One that always has more to read would take all of our time, and one beside
 * it that says a little now and then would wait for it each time. It is read a
 * share, and then left alone for a moment: its window closes, and its peer
 * waits instead of the others.
 *
 * Also one that is alone on its socket, and says a lot of little messages that
 * nobody answers: were it read as soon as it has said something, a few at a
 * time, the waking would cost more than the reading. It waits in its buffer,
 * which is far from full by then, and only it does.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <time.h>

#include "kernel.h"
#include "loop.h"

#define REST_US		1000
#define NO_ROOM_US	50000
#define STREAM		256	/* messages after which it is seen what they cost */
#define STREAM_US	100	/* apart: 10,000 a second */
#define STREAM_BYTES	2048	/* each */
#define STREAM_SHARE	4	/* it is not worth it for less than a quarter of a processor */

static TAILQ_HEAD(, assoc) resting = TAILQ_HEAD_INITIALIZER(resting);
static struct event over;

/* Gives false if there is no room to watch it: it rests on. */
static bool
wake(struct assoc *a)
{
	/* One whose socket was closed is read without a set. */
	if (a->sock != NULL && a->stack.fd != -1 &&
	    kernel_watch(a->sock, a->stack.fd, a, a->stack.at_end) != 0)
		return false;
	kernel_no_rest(a);
	return true;
}

static void
rest_is_over(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval	longer = { .tv_usec = NO_ROOM_US };

	(void)fd, (void)what, (void)arg;
	while (!TAILQ_EMPTY(&resting)) {
		if (!wake(TAILQ_FIRST(&resting))) {
			(void)evtimer_add(&over, &longer);
			return;
		}
	}
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

static uint64_t
now_us(clockid_t of)
{
	struct timespec	now;

	(void)clock_gettime(of, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Messages come fast, are small, and, unless we rest already, take a lot of our time. */
static bool
is_stream(const struct stream *was, const struct stream *is)
{
	uint64_t	n = is->received - was->received, us = is->us - was->us;

	return was->us != 0 && us / n < STREAM_US && (is->bytes - was->bytes) / n <= STREAM_BYTES &&
	    (was->on || is->cpu_us - was->cpu_us > us / STREAM_SHARE);
}

void
kernel_rest_in_stream(struct assoc *a)
{
	struct sock	*s = a->sock;
	struct stream	*was = &s->stack.stream;
	struct stream	 is = { .received = s->received.cnt, .sent = s->sent.cnt, .bytes = s->received.oct };
	uint64_t	 n = is.received - was->received;

	if (is.sent == was->sent && n < (was->on ? 1 : STREAM))
		return;
	if (is.sent == was->sent) {
		is.us = now_us(CLOCK_MONOTONIC);
		is.cpu_us = now_us(CLOCK_PROCESS_CPUTIME_ID);
		is.on = is_stream(was, &is);
	}
	*was = is;
	if (is.on)
		kernel_rest(a);
}
