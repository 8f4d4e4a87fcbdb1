/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a connection: dial, write, read, wait.
 *
 * The descriptor never blocks; what blocks is poll, with a deadline. While a
 * call waits it reads and writes, so the daemon and this program can never
 * both be stuck writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core.h"

#define READ_SIZE	(64u << 10)
#define DEFAULT_TIMEOUT	30000

struct sctpd *
sctpd_new(void)
{
	struct sctpd	*c;

	if ((c = calloc(1, sizeof *c)) == NULL)
		return NULL;
	c->fd = -1;
	c->timeout = DEFAULT_TIMEOUT;
	TAILQ_INIT(&c->events);
	return c;
}

struct sctpd *
sctpd_free(struct sctpd *c)
{
	struct message	*m;

	if (c == NULL)
		return NULL;
	if (c->depth > 0) {
		c->doomed = true;
		return NULL;
	}
	if (c->fd != -1)
		close(c->fd);
	while ((m = core_event(c)) != NULL)
		message_free(m);
	message_free(c->reply);
	message_free(c->lent);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c->requests);
	free(c);
	return NULL;
}

void
conn_enter(struct sctpd *c)
{
	c->depth++;
}

bool
conn_leave(struct sctpd *c)
{
	if (--c->depth > 0 || !c->doomed)
		return !c->doomed;
	sctpd_free(c);
	return false;
}

/* The connection is over; all who wait are told. Gives the code. */
static int
conn_lose(struct sctpd *c, int code)
{
	char	why[sizeof c->error];

	memcpy(why, c->error, sizeof why);
	close(c->fd);
	c->fd = -1;
	c->lost = code;
	c->in.off = c->in.len;
	c->out.off = c->out.len;
	core_fail_all(c, code);
	return core_error_text(c, code, why);
}

static int
conn_lose_errno(struct sctpd *c, const char *what)
{
	return conn_lose(c, core_error(c, SCTPD_LOST, "the connection to sctpd ended (%s: %s)",
	    what, strerror(errno)));
}

static int	conn_flush(struct sctpd *);

/* ---- dialing -------------------------------------------------------- */

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
	return sctpd_use_fd(c, fd);
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
	if (c->fd != -1)
		conn_lose(c, core_error(c, SCTPD_LOST, "the connection was dialed again"));
	c->fd = fd;
	c->lost = 0;
	c->in.off = c->in.len = 0;
	memset(&c->frame, 0, sizeof c->frame);
	code = conn_flush(c);
	return conn_leave(c) ? code : SCTPD_LOST;
}

void
sctpd_set_timeout(struct sctpd *c, int ms)
{
	c->timeout = ms;
}

const char *
sctpd_error(const struct sctpd *c)
{
	return c->error;
}

int
sctpd_fd(const struct sctpd *c)
{
	return c->fd;
}

size_t
sctpd_pending(const struct sctpd *c)
{
	return c->pending;
}

/* ---- bytes in and out ----------------------------------------------- */

short
sctpd_wants(const struct sctpd *c)
{
	short	events = 0;

	if (c->fd == -1)
		return 0;
	if (!core_full(c))
		events |= POLLIN;
	if (c->out.off < c->out.len)
		events |= POLLOUT;
	return events;
}

static int
conn_flush(struct sctpd *c)
{
	ssize_t	n;

	if (c->lost != 0)
		return core_error(c, c->lost, "the connection to sctpd ended");
	if (c->fd == -1)
		return core_error(c, SCTPD_NOT_DIALED,
		    "there is no connection to sctpd yet; call sctpd_dial");
	while (c->out.off < c->out.len) {
		n = send(c->fd, c->out.data + c->out.off, c->out.len - c->out.off, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SCTPD_OK;
		/* What the daemon said before it went is still to be read. */
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET)) {
			c->out.off = c->out.len;
			break;
		}
		if (n == -1)
			return conn_lose_errno(c, "write");
		c->out.off += (size_t)n;
	}
	c->out.off = c->out.len = 0;
	return SCTPD_OK;
}

int
sctpd_flush(struct sctpd *c)
{
	int	code;

	conn_enter(c);
	code = conn_flush(c);
	return conn_leave(c) ? code : SCTPD_LOST;
}

/* Read what there is, one buffer of it at most. */
static int
conn_read(struct sctpd *c)
{
	ssize_t	n;

	if (core_full(c))
		return SCTPD_OK;
	if (!buf_reserve(&c->in, READ_SIZE))
		return core_error(c, SCTPD_ENOMEM, "this program has no memory left");
	do
		n = recv(c->fd, c->in.data + c->in.len, c->in.room - c->in.len, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return SCTPD_OK;
	if (n == -1)
		return conn_lose_errno(c, "read");
	if (n == 0)
		return conn_lose(c, core_error(c, SCTPD_LOST, "sctpd ended the connection"));
	c->in.len += (size_t)n;
	return SCTPD_OK;
}

/* Take what has been read. Bytes that make no sense end the connection. */
static int
conn_parse(struct sctpd *c)
{
	int	code = core_parse(c);

	return code == SCTPD_EPROTO && c->fd != -1 ? conn_lose(c, code) : code;
}

static int
conn_turn(struct sctpd *c)
{
	int	code;

	if ((code = conn_flush(c)) != SCTPD_OK ||
	    (code = conn_read(c)) != SCTPD_OK)
		return code;
	return conn_parse(c);
}

/* ---- waiting -------------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
deadline_in(int64_t ms)
{
	return ms < 0 ? -1 : now_ms() + ms;
}

/* Write and read once, waiting until that can be done. */
static int
conn_wait(struct sctpd *c, int64_t deadline)
{
	struct pollfd	pfd = { .fd = c->fd, .events = sctpd_wants(c) };
	int64_t		left = deadline < 0 ? -1 : deadline - now_ms();
	int		n;

	if (deadline >= 0 && left < 0)
		left = 0;
	n = poll(&pfd, 1, left > 1000000 ? 1000000 : (int)left);
	if (n == 0 && deadline >= 0 && now_ms() >= deadline)
		return SCTPD_TIMEOUT;
	if (n == -1 && errno != EINTR)
		return conn_lose_errno(c, "poll");
	return n > 0 ? conn_turn(c) : SCTPD_OK;
}

/* Wait until the answer is there. Errors are those of waiting, not its. */
static int
wait_for(struct sctpd *c, struct wait *w, int64_t ms)
{
	int64_t	deadline = deadline_in(ms);
	int	code = conn_flush(c);

	while (code == SCTPD_OK && !w->done && !c->doomed) {
		if (core_full(c))
			return core_error(c, SCTPD_LIMIT,
			    "%zu events wait to be taken, and until then no answer can be read; call sctpd_next_event",
			    c->n_events);
		if ((code = conn_wait(c, deadline)) == SCTPD_TIMEOUT)
			core_error(c, code,
			    "sctpd did not answer within %lld ms; it may still do what it was asked",
			    (long long)ms);
	}
	return code;
}

int
conn_finish(struct sctpd *c, int64_t timeout)
{
	struct wait	w = { .done = false };
	int64_t		ms = c->timeout < 0 || timeout < 0 ? -1 : c->timeout + timeout;
	int		code;

	if (core_full(c)) {
		core_cancel(c);
		return core_error(c, SCTPD_LIMIT,
		    "%zu events wait to be taken; call sctpd_next_event first", c->n_events);
	}
	c->reply = message_free(c->reply);
	w.id = c->begun_id;
	if ((code = core_end(c, REQUEST_WAIT, NULL, &w)) != SCTPD_OK)
		return code;
	conn_enter(c);
	code = wait_for(c, &w, ms);
	if (!w.done)
		core_abandon(c, w.id);
	c->reply = w.reply;
	if (!conn_leave(c))
		return SCTPD_LOST;
	if (w.reply == NULL)
		return w.done ? w.code : code;
	if (w.code != SCTPD_OK && w.code != SCTPD_UNKNOWN)
		core_error_text(c, w.code, w.reply->obj.via.array.ptr[2].via.str.ptr);
	return w.code;
}

const msgpack_object *
conn_result(const struct sctpd *c)
{
	return &c->reply->obj.via.array.ptr[3];
}

int
sctpd_sync(struct sctpd *c)
{
	int64_t	deadline = deadline_in(c->timeout);
	int	code;

	conn_enter(c);
	code = conn_flush(c);
	while (code == SCTPD_OK && c->pending > 0 && !c->doomed) {
		if (core_full(c))
			code = core_error(c, SCTPD_LIMIT,
			    "%zu events wait to be taken; call sctpd_next_event", c->n_events);
		else if ((code = conn_wait(c, deadline)) == SCTPD_TIMEOUT)
			core_error(c, code,
			    "sctpd did not answer %zu calls within %d ms", c->pending, c->timeout);
	}
	return conn_leave(c) ? code : SCTPD_LOST;
}

/* ---- events --------------------------------------------------------- */

void
sctpd_on_event(struct sctpd *c, sctpd_event_fn *fn, void *arg)
{
	c->on_event = fn;
	c->on_event_arg = arg;
}

/* Give the queued events to the callback; false if there were none. */
static bool
deliver(struct sctpd *c)
{
	struct message	*m;
	bool		 any = false;

	while (c->on_event != NULL && !c->doomed && (m = core_event(c)) != NULL) {
		c->on_event(c, &m->event, c->on_event_arg);
		message_free(m);
		any = true;
	}
	return any;
}

int
sctpd_process(struct sctpd *c)
{
	int	code;

	conn_enter(c);
	code = conn_turn(c);
	/* A full queue held the rest back; now that it is not, go on. */
	while (deliver(c) && code == SCTPD_OK)
		code = conn_parse(c);
	if (code == SCTPD_OK && !c->doomed)
		code = conn_flush(c);
	return conn_leave(c) ? code : SCTPD_LOST;
}

static int
next_event(struct sctpd *c, int64_t deadline, struct message **m)
{
	int	code = SCTPD_OK;

	for (;;) {
		if ((*m = core_event(c)) != NULL)
			return SCTPD_OK;
		if (code != SCTPD_OK || c->doomed)
			return code;
		if ((code = conn_parse(c)) != SCTPD_OK || !TAILQ_EMPTY(&c->events))
			continue;
		if ((code = conn_flush(c)) == SCTPD_OK)
			code = conn_wait(c, deadline);
	}
}

int
sctpd_next_event(struct sctpd *c, int timeout, const struct sctpd_event **ev)
{
	struct message	*m;
	int		 code;

	*ev = NULL;
	c->lent = message_free(c->lent);
	conn_enter(c);
	code = next_event(c, deadline_in(timeout), &m);
	c->lent = m;
	if (!conn_leave(c))
		return SCTPD_LOST;
	if (code == SCTPD_TIMEOUT)
		return core_error(c, code, "no event came within %d ms", timeout);
	if (code == SCTPD_OK)
		*ev = &m->event;
	return code;
}
