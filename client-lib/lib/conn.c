/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a connection: write, read, wait, end.
 *
 * The descriptor never blocks; what blocks is poll, with a deadline. While a
 * call waits it reads and writes, so the daemon and this program can never
 * both be stuck writing.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
	c->session.timer = -1;
	TAILQ_INIT(&c->events);
	TAILQ_INIT(&c->given.messages);
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
	c->session.gives = 0;
	while ((m = core_event(c)) != NULL)
		message_free(m);
	session_free(c);
	message_free(c->reply);
	message_free(c->lent);
	core_pass_nothing(c);
	given_free(c);
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

int
conn_over(struct sctpd *c, int code)
{
	char	why[sizeof c->error];
	bool	had = c->session.token[0] != '\0' || code == SCTPD_NO_SESSION;

	memcpy(why, c->error, sizeof why);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	dial_stop(c);
	c->lost = code;
	c->in.off = c->in.len;
	session_end(c, code == SCTPD_SUPERSEDED);
	core_fail_all(c, code);
	if (had)
		session_tell(c, SCTPD_OVER);
	return core_error_text(c, code, why);
}

/* The connection broke. Gives SCTPD_OK if that is no end. */
static int
conn_lose(struct sctpd *c)
{
	return dial_may_return(c) ? dial_later(c) : conn_over(c, SCTPD_LOST);
}

static int
conn_lose_errno(struct sctpd *c, const char *what)
{
	core_error(c, SCTPD_LOST, "the connection to sctpd ended (%s: %s)", what, strerror(errno));
	return conn_lose(c);
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
	return c->fd != -1 ? c->fd : c->session.timer;
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
	size_t	n;

	if (c->session.phase == SESSION_AWAY)
		return POLLIN;	/* it is the timer's */
	if (c->fd == -1)
		return 0;
	if (!core_full(c))
		events |= POLLIN;
	(void)session_unwritten(c, &n);
	if (n > 0)
		events |= POLLOUT;
	return events;
}

int
conn_flush(struct sctpd *c)
{
	const char	*p;
	size_t		 left;
	ssize_t		 n;

	if (c->lost != 0)
		return core_error(c, c->lost, "%s", core_why_lost(c));
	if (c->session.phase == SESSION_AWAY)
		return SCTPD_OK;
	if (c->fd == -1)
		return core_error(c, SCTPD_NOT_DIALED,
		    "there is no connection to sctpd yet; call sctpd_dial");
	if (session_is_due(c))
		session_ack(c);
	while (p = session_unwritten(c, &left), left > 0) {
		n = send(c->fd, p, left, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SCTPD_OK;
		/* What the daemon said before it went is still to be read. */
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET))
			n = (ssize_t)left;
		if (n == -1)
			return conn_lose_errno(c, "write");
		session_wrote(c, (size_t)n);
	}
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

static void
take_passed(struct sctpd *c, struct msghdr *h)
{
	struct cmsghdr	*m;
	size_t		 n;
	int		 fd;

	for (m = CMSG_FIRSTHDR(h); m != NULL; m = CMSG_NXTHDR(h, m)) {
		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		n = (m->cmsg_len - CMSG_LEN(0)) / sizeof fd;
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(m) + i * sizeof fd, sizeof fd);
			core_pass(c, fd);
		}
	}
}

/* Room stays for a byte behind it: see given_end. */
static ssize_t
receive(struct sctpd *c)
{
	union {
		struct cmsghdr	align;
		char		room[CMSG_SPACE(CORE_MAX_PASSED * sizeof(int))];
	} control;
	struct iovec	iov = { c->in.data + c->in.len, c->in.room - c->in.len - 1 };
	struct msghdr	h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof control,
	};
	ssize_t		n;

	do
		n = recvmsg(c->fd, &h, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n > 0 && h.msg_controllen > 0)
		take_passed(c, &h);
	return n;
}

/* Read what there is, one buffer of it at most. */
static int
conn_read(struct sctpd *c)
{
	ssize_t	n;

	if (core_full(c))
		return SCTPD_OK;
	if (!given_leave(c) || !buf_reserve(&c->in, READ_SIZE))
		return core_error(c, SCTPD_ENOMEM, "this program has no memory left");
	n = receive(c);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return SCTPD_OK;
	if (n == -1)
		return conn_lose_errno(c, "read");
	if (n == 0) {
		core_error(c, SCTPD_LOST, "sctpd ended the connection");
		return conn_lose(c);
	}
	c->in.len += (size_t)n;
	return SCTPD_OK;
}

/* Bytes that make no sense end the connection. */
static int
parsed(struct sctpd *c, int code)
{
	if (code == SCTPD_OK || code == SCTPD_ENOMEM || c->fd == -1)
		return code;
	return conn_over(c, code);
}

/* Take what has been read. */
static int
conn_parse(struct sctpd *c)
{
	return parsed(c, core_parse(c));
}

int
conn_step(struct sctpd *c, bool *any)
{
	return parsed(c, core_step(c, any));
}

/* Write and read. */
static int
conn_move(struct sctpd *c)
{
	int	code;

	if (c->session.phase != SESSION_UP && (code = dial_again(c)) != SCTPD_OK)
		return code;
	if ((code = conn_flush(c)) != SCTPD_OK || c->fd == -1)
		return code;
	return conn_read(c);
}

/* What was left in the buffer is taken first: it would not outlive the connection. */
static int
conn_turn(struct sctpd *c)
{
	int	code;

	if (c->in.off < c->in.len && (code = conn_parse(c)) != SCTPD_OK)
		return code;
	if ((code = conn_move(c)) != SCTPD_OK || c->fd == -1)
		return code;
	return conn_parse(c);
}

/* ---- waiting -------------------------------------------------------- */

/* How long what is there already may be read for after the deadline, ms. */
#define LATE	100

int64_t
conn_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
deadline_in(int64_t ms)
{
	return ms < 0 ? -1 : conn_now() + ms;
}

/* ms until the deadline, or until it is over that the daemon is away. */
static int
patience(const struct sctpd *c, int64_t deadline)
{
	int64_t	end = deadline, give_up = c->session.give_up, left;

	if (give_up != 0 && (end < 0 || give_up < end))
		end = give_up;
	if (end < 0)
		return -1;
	left = end - conn_now();
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

/* Wait, and then take that turn. A daemon that never stops talking is no reason to wait on. */
static int
wait_for_turn(struct sctpd *c, int64_t deadline, int (*turn)(struct sctpd *))
{
	struct pollfd	pfd = { .fd = sctpd_fd(c), .events = sctpd_wants(c) };
	bool		late = deadline >= 0 && conn_now() > deadline + LATE;
	int		n = late ? 0 : poll(&pfd, 1, patience(c, deadline));

	if (n == 0 && deadline >= 0 && conn_now() >= deadline)
		return SCTPD_TIMEOUT;
	if (n == -1 && errno != EINTR)
		return conn_lose_errno(c, "poll");
	return n > 0 || c->session.phase != SESSION_UP ? turn(c) : SCTPD_OK;
}

int
conn_wait(struct sctpd *c, int64_t deadline)
{
	return wait_for_turn(c, deadline, conn_turn);
}

int
conn_await(struct sctpd *c, int64_t deadline)
{
	return wait_for_turn(c, deadline, conn_move);
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
	while (code == SCTPD_OK && (c->pending > 0 || c->session.confirming) && !c->doomed) {
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
	struct mark	 busy = c->session.busy;
	struct message	*m;
	bool		 any = false;

	while (c->on_event != NULL && !c->doomed && (m = core_event(c)) != NULL) {
		if (busy.number == 0)
			c->session.busy = m->mark;
		c->on_event(c, &m->event, c->on_event_arg);
		c->session.busy = busy;
		message_free(m);
		if (session_is_due(c) && !c->doomed)
			(void)conn_flush(c);
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
	if (code == SCTPD_OK && !c->doomed) {
		session_ack(c);
		code = conn_flush(c);
	}
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
		if ((code = conn_parse(c)) != SCTPD_OK || core_has_event(c))
			continue;
		session_ack(c);
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
	given_back(c);
	conn_enter(c);
	if (session_is_due(c))
		(void)conn_flush(c);
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
