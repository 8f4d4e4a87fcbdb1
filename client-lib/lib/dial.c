/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reaching the daemon: once, or, in a session, until it is there again.
 *
 * While it is away a timer stands for the connection's descriptor, so that
 * whoever polls that one is woken when it is time to try.
 */
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/codes.h"
#include "lib/conn.h"
#include "lib/dial.h"
#include "lib/session.h"

#define FIRST_PAUSE	4	/* ms between two tries; */
#define LAST_PAUSE	1000	/* it doubles up to this */

/* Wait half of the pause, and a random part of the other half: many clients may wait for the daemon. */
static int
set_timer(struct session *s)
{
	struct itimerspec	its = { .it_value = { .tv_sec = 0 } };
	struct timespec		ts;
	int64_t			ms;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ms = s->pause / 2 + (ts.tv_nsec ^ getpid()) % (s->pause / 2 + 1);
	s->next_try = conn_now() + ms;
	if (s->max_ms >= 0 && s->next_try > s->give_up)
		s->next_try = s->give_up;
	s->pause = s->pause * 2 > LAST_PAUSE ? LAST_PAUSE : s->pause * 2;
	ms = s->next_try - conn_now();
	its.it_value.tv_sec = ms > 0 ? ms / 1000 : 0;
	its.it_value.tv_nsec = ms > 0 ? ms % 1000 * 1000000 : 1;
	return timerfd_settime(s->timer, 0, &its, NULL);
}

/* The old descriptor is closed after the program was told of the new one. */
static int
dial_later(struct sctpd *c)
{
	struct session	*s = &c->session;
	int		 fd = c->fd;
	bool		 first = s->give_up == 0;

	if ((s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) == -1)
		return conn_over(c, SCTPD_LOST);
	if (first) {
		s->pause = FIRST_PAUSE;
		s->give_up = s->max_ms < 0 ? INT64_MAX : conn_now() + s->max_ms;
	}
	if (set_timer(s) == -1)
		return conn_over(c, SCTPD_LOST);
	c->fd = -1;
	c->in.off = c->in.len;
	s->phase = SESSION_AWAY;
	session_tell(c, SCTPD_GONE);
	close(fd);
	return SCTPD_OK;
}

/* A connection is there. It begins with hello, as the first one did. */
static int
reached(struct sctpd *c, int fd)
{
	int	timer = c->session.timer;

	conn_begin(c, fd);
	if (!session_greet(c))
		return conn_over(c, lib_no_memory(c));
	c->session.timer = -1;
	session_tell(c, SCTPD_REACHED);
	close(timer);
	return SCTPD_OK;
}

static int
dial_again(struct sctpd *c)
{
	struct session	*s = &c->session;
	int		 fd;

	if (s->give_up != 0 && conn_now() >= s->give_up)
		return conn_over(c, lib_error(c, SCTPD_LOST,
		    "the connection to sctpd ended, and it did not come back within %d ms",
		    s->max_ms));
	if (s->phase != SESSION_AWAY || conn_now() < s->next_try)
		return SCTPD_OK;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) != -1) {
		if (connect(fd, (const struct sockaddr *)&s->path, sizeof s->path) == 0)
			return reached(c, fd);
		close(fd);
	}
	return set_timer(s) == -1 ? conn_over(c, SCTPD_LOST) : SCTPD_OK;
}

/* The connection broke: begin to dial again, if the session may go on. */
static int
broken(struct sctpd *c)
{
	const struct session	*s = &c->session;

	if (s->on && s->token[0] != '\0' && s->survives && s->path.sun_family == AF_UNIX)
		return dial_later(c);
	return conn_over(c, SCTPD_LOST);
}

void
dial_remember(struct sctpd *c, const struct sockaddr_un *path)
{
	static const struct redial	redial = { .broken = broken, .turn = dial_again };

	c->session.path = *path;
	c->redial = &redial;
}
