/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals for threads whose calls wait here.
 *
 * By itself the kernel ends a call that the supervisor has taken as soon as its
 * thread gets a signal, even in the moment in which it is answered: then the
 * answer counts as given, and the program never had it. A message would be lost,
 * or sent twice. So the filter has the kernel wait for the answer whatever comes,
 * but for the death of the thread (WAIT_KILLABLE_RECV, Linux 5.19).
 *
 * A call that waits long must end all the same when its thread gets a signal. So
 * some times a second this looks at the threads that wait. Where a signal is
 * pending the call is answered as the kernel itself would end it: the thread
 * then handles the signal, and gets EINTR, or makes the call again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/signals.h"

#define EVERY_MS	10	/* between looks, */
#define MOST		16	/* each at so many threads at most */

/* The kernel's own, which the program sees only as EINTR; it looks for a signal when the call is answered with it. */
#define ERESTARTSYS	512

static uint64_t
mask(const char *text, const char *name)
{
	const char	*at = strstr(text, name);

	return at != NULL ? strtoull(at + strlen(name), NULL, 16) : 0;
}

/*
 * What ends the call, or 0. A signal of the process goes to its first thread
 * if that one takes it. It may be another one's: if it stays, as nobody takes
 * it, this one is woken, too.
 */
static int
why_end(struct call *c)
{
	char		path[64], text[4096];
	ssize_t		n = -1;
	int		fd;
	uint64_t	blocked;

	(void)snprintf(path, sizeof path, "/proc/%d/status", c->tid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		n = read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	blocked = mask(text, "SigBlk:");
	if ((mask(text, "SigPnd:") & ~blocked) != 0)
		return ERESTARTSYS;
	if ((mask(text, "ShdPnd:") & ~blocked) == 0)
		c->pending = 0;
	else if (mask(text, "Tgid:") == mask(text, "\nPid:"))
		return ERESTARTSYS;
	else if (++c->pending > 2)
		return EINTR;
	return 0;
}

static void
look(struct run *r)
{
	struct call	*c, *next;
	int		 number, n = 0;

	for (unsigned i = 0; i < RUN_BUCKETS && n < MOST; i++) {
		r->looked = (r->looked + 1) % RUN_BUCKETS;
		for (c = TAILQ_FIRST(&r->calls[r->looked]); c != NULL; c = next) {
			next = TAILQ_NEXT(c, entry);
			if (!call_is_pending(c))
				continue;
			n++;
			if ((number = why_end(c)) != 0)
				call_interrupt(c, number);
		}
	}
	if (n > 0)
		signals_watch(r);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct run	*r = arg;

	(void)fd, (void)what;
	r->looks = false;
	look(r);
}

void
signals_watch(struct run *r)
{
	static const struct timeval	every = { .tv_usec = EVERY_MS * 1000 };

	if (!r->wait_killable || r->looks)
		return;
	if (r->look == NULL && (r->look = evtimer_new(r->base, on_time, r)) == NULL)
		return;
	r->looks = evtimer_add(r->look, &every) == 0;
}
