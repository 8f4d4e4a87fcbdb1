/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reaching the daemon: once, or, in a session, until it is there again.
 *
 * While it is away a timer stands for the connection's descriptor, so that
 * whoever polls that one is woken when it is time to try.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core.h"

#define FIRST_PAUSE	4	/* ms between two tries; */
#define LAST_PAUSE	1000	/* it doubles up to this */

/* A Unix connect waits for room in the listener's queue; this bounds it. */
static int
connect_within(int fd, const struct sockaddr_un *sun, int ms)
{
	struct timeval	tv = { ms / 1000, ms % 1000 * 1000 };

	if (ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) == -1)
		return -1;
	return connect(fd, (const struct sockaddr *)sun, sizeof *sun);
}

static int
dial_error(struct sctpd *c, const char *path, int number)
{
	switch (number) {
	case ENOENT:
		return core_error(c, SCTPD_ENOENT,
		    "cannot reach sctpd at %s: there is no such socket; is sctpd running?", path);
	case ECONNREFUSED:
		return core_error(c, SCTPD_ECONNREFUSED,
		    "cannot reach sctpd at %s: nobody listens there; is sctpd running?", path);
	case EACCES:
		return core_error(c, SCTPD_EACCES,
		    "cannot reach sctpd at %s: permission denied; its group may connect", path);
	case EAGAIN:
		return core_error(c, SCTPD_TIMEOUT,
		    "cannot reach sctpd at %s: it does not take connections", path);
	default:
		return core_error(c, code_of_errno(number),
		    "cannot reach sctpd at %s: %s", path, strerror(number));
	}
}

int
sctpd_dial(struct sctpd *c, const char *path)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd, saved;

	if (path == NULL)
		path = getenv("SCTPD_SOCKET");
	if (path == NULL || path[0] == '\0')
		path = SCTPD_SOCKET;
	if (strlen(path) >= sizeof sun.sun_path)
		return core_error(c, SCTPD_BADARG,
		    "%s is too long for the path of a socket; it takes %zu bytes",
		    path, sizeof sun.sun_path - 1);
	memcpy(sun.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return core_error(c, code_of_errno(errno), "socket: %s", strerror(errno));
	if (connect_within(fd, &sun, c->timeout) == -1) {
		saved = errno;
		close(fd);
		return dial_error(c, path, saved);
	}
	c->session.path = sun;
	return sctpd_use_fd(c, fd);
}

static void
begin(struct sctpd *c, int fd)
{
	c->fd = fd;
	c->lost = 0;
	c->in.off = c->in.len = 0;
	memset(&c->frame, 0, sizeof c->frame);
	core_pass_nothing(c);
}

/* Say hello and wait for the answer. */
static int
greet(struct sctpd *c)
{
	int64_t	deadline = c->timeout < 0 ? -1 : conn_now() + c->timeout;
	int	code = SCTPD_OK;

	if (!session_greet(c))
		code = core_error(c, SCTPD_ENOMEM, "this program has no memory left");
	while (code == SCTPD_OK && c->session.phase != SESSION_UP)
		code = conn_wait(c, deadline);
	if (code == SCTPD_TIMEOUT)
		core_error(c, code, "sctpd did not answer hello within %d ms", c->timeout);
	if (code != SCTPD_OK && c->lost == 0)
		conn_over(c, code);
	return code;
}

int
sctpd_use_fd(struct sctpd *c, int fd)
{
	int	flags, code;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		code = core_error(c, code_of_errno(errno),
		    "descriptor %d: %s", fd, strerror(errno));
		close(fd);
		return code;
	}
	conn_enter(c);
	if (sctpd_fd(c) != -1)
		conn_over(c, core_error(c, SCTPD_LOST, "the connection was dialed again"));
	begin(c, fd);
	code = c->session.on ? greet(c) : SCTPD_OK;
	if (code == SCTPD_OK)
		code = conn_flush(c);
	return conn_leave(c) ? code : SCTPD_LOST;
}

/* ---- again ---------------------------------------------------------- */

bool
dial_may_return(const struct sctpd *c)
{
	const struct session	*s = &c->session;

	return s->on && s->token[0] != '\0' && s->survives && s->path.sun_family == AF_UNIX;
}

void
dial_stop(struct sctpd *c)
{
	if (c->session.timer != -1)
		close(c->session.timer);
	c->session.timer = -1;
}

/* Half of the pause for sure and the rest by chance: many wait for the same. */
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

/* The descriptor that was is closed when the program knows of the new one. */
int
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

static int
give_up(struct sctpd *c)
{
	return conn_over(c, core_error(c, SCTPD_LOST,
	    "the connection to sctpd ended, and it did not come back within %d ms",
	    c->session.max_ms));
}

/* There is a connection: it begins with hello, as the first one did. */
static int
reached(struct sctpd *c, int fd)
{
	int	timer = c->session.timer;

	begin(c, fd);
	if (!session_greet(c))
		return conn_over(c, core_error(c, SCTPD_ENOMEM, "this program has no memory left"));
	c->session.timer = -1;
	session_tell(c, SCTPD_REACHED);
	close(timer);
	return SCTPD_OK;
}

int
dial_again(struct sctpd *c)
{
	struct session	*s = &c->session;
	int		 fd;

	if (s->give_up != 0 && conn_now() >= s->give_up)
		return give_up(c);
	if (s->phase != SESSION_AWAY || conn_now() < s->next_try)
		return SCTPD_OK;
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) != -1) {
		if (connect(fd, (const struct sockaddr *)&s->path, sizeof s->path) == 0)
			return reached(c, fd);
		close(fd);
	}
	return set_timer(s) == -1 ? conn_over(c, SCTPD_LOST) : SCTPD_OK;
}
