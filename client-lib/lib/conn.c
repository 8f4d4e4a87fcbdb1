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

#include "lib/buf.h"
#include "lib/codes.h"
#include "lib/conn.h"
#include "lib/core.h"
#include "lib/given.h"
#include "lib/groups.h"
#include "lib/message.h"
#include "lib/numbers.h"
#include "lib/sent.h"
#include "lib/session.h"

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
	TAILQ_INIT(&c->groups);
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
	if (c->secret)
		explicit_bzero(c->out.data, c->out.room);
	buf_free(&c->out);
	free(c->requests);
	groups_free(c);
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

void
conn_begin(struct sctpd *c, int fd)
{
	c->fd = fd;
	c->lost = 0;
	c->in.off = c->in.len = 0;
	memset(&c->frame, 0, sizeof c->frame);
	core_pass_nothing(c);
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
	session_stop_timer(c);
	c->lost = code;
	c->in.off = c->in.len;
	session_end(c, code == SCTPD_SUPERSEDED);
	core_fail_all(c, code);
	if (had)
		session_tell(c, SCTPD_OVER);
	return lib_error_text(c, code, why);
}

/* The connection broke. Gives SCTPD_OK if that is no end. */
static int
conn_lose(struct sctpd *c)
{
	return c->redial != NULL ? c->redial->broken(c) : conn_over(c, SCTPD_LOST);
}

int
conn_lose_errno(struct sctpd *c, const char *what)
{
	lib_error(c, SCTPD_LOST, "the connection to sctpd ended (%s: %s)", what, strerror(errno));
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
		return POLLIN;	/* the timer's */
	if (c->fd == -1)
		return 0;
	if (!core_full(c))
		events |= POLLIN;
	(void)sent_unwritten(c, &n);
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
		return lib_error(c, c->lost, "%s", lib_why_lost(c));
	if (c->session.phase == SESSION_AWAY)
		return SCTPD_OK;
	if (c->fd == -1)
		return lib_error(c, SCTPD_NOT_DIALED,
		    "there is no connection to sctpd yet; call sctpd_dial");
	if (numbers_are_due(c))
		session_ack(c);
	while (p = sent_unwritten(c, &left), left > 0) {
		n = send(c->fd, p, left, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return SCTPD_OK;
		/* Do not end here: what the daemon said before it went is still to be read. */
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET))
			n = (ssize_t)left;
		if (n == -1)
			return conn_lose_errno(c, "write");
		sent_wrote(c, (size_t)n);
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

/* Read what there is, at most one buffer. */
static int
conn_read(struct sctpd *c)
{
	ssize_t	n;

	if (core_full(c))
		return SCTPD_OK;
	if (!given_leave(c) || !buf_reserve(&c->in, READ_SIZE))
		return lib_no_memory(c);
	n = receive(c);
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return SCTPD_OK;
	if (n == -1)
		return conn_lose_errno(c, "read");
	if (n == 0) {
		lib_error(c, SCTPD_LOST, "sctpd ended the connection");
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

int
conn_parse(struct sctpd *c)
{
	if (c->given.is_cut && !given_leave(c))
		return lib_no_memory(c);
	return parsed(c, core_parse(c));
}

int
conn_step(struct sctpd *c, bool *any)
{
	return parsed(c, core_step(c, any));
}

int
conn_move(struct sctpd *c)
{
	int	code;

	if (c->session.phase != SESSION_UP && c->redial != NULL &&
	    (code = c->redial->turn(c)) != SCTPD_OK)
		return code;
	if ((code = conn_flush(c)) != SCTPD_OK || c->fd == -1)
		return code;
	return conn_read(c);
}

/* Take what was left in the buffer first, as the end of a connection discards it. */
int
conn_turn(struct sctpd *c)
{
	int	code;

	if (c->in.off < c->in.len && (code = conn_parse(c)) != SCTPD_OK)
		return code;
	if ((code = conn_move(c)) != SCTPD_OK || c->fd == -1)
		return code;
	return conn_parse(c);
}

int64_t
conn_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
conn_deadline(int64_t ms)
{
	return ms < 0 ? -1 : conn_now() + ms;
}
