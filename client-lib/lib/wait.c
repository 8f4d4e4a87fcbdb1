/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for the daemon, with a deadline.
 */
#include <errno.h>
#include <poll.h>

#include "lib/codes.h"
#include "lib/conn.h"
#include "lib/core.h"
#include "lib/message.h"
#include "lib/wait.h"

/* ms after the deadline during which input that is there already is still read */
#define LATE	100

/* ms until the deadline, or until the session gives up, whichever comes first. */
static int
patience(const struct sctpd *c, int64_t deadline, int64_t now)
{
	int64_t	end = deadline, give_up = c->session.give_up, left;

	if (give_up != 0 && (end < 0 || give_up < end))
		end = give_up;
	if (end < 0)
		return -1;
	left = end - now;
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

/* Wait, and then take that turn. The deadline holds even if the daemon never stops talking. */
static int
wait_for_turn(struct sctpd *c, int64_t deadline, int (*turn)(struct sctpd *))
{
	struct pollfd	pfd = { .fd = sctpd_fd(c), .events = sctpd_wants(c) };
	int64_t		now = conn_now();
	bool		late = deadline >= 0 && now > deadline + LATE;
	int		n = late ? 0 : poll(&pfd, 1, patience(c, deadline, now));

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

/* Wait until the answer is there. Gives an error of the waiting, not the answer's. */
static int
wait_for(struct sctpd *c, struct wait *w, int64_t ms)
{
	int64_t	deadline = conn_deadline(ms);
	int	code = conn_flush(c);

	while (code == SCTPD_OK && !w->done && !c->doomed) {
		if (core_full(c))
			return lib_error(c, SCTPD_LIMIT,
			    "%zu events wait, and no answer can be read until they are taken; call sctpd_next_event",
			    c->n_events);
		if ((code = conn_wait(c, deadline)) == SCTPD_TIMEOUT)
			lib_error(c, code,
			    "sctpd did not answer within %lld ms; it may still carry out the request",
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
		return lib_error(c, SCTPD_LIMIT,
		    "%zu events wait, and no answer can be read until they are taken; call sctpd_next_event first", c->n_events);
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
		lib_error_text(c, w.code, w.reply->obj.via.array.ptr[2].via.str.ptr);
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
	int64_t	deadline = conn_deadline(c->timeout);
	int	code;

	conn_enter(c);
	code = conn_flush(c);
	while (code == SCTPD_OK && (c->pending > 0 || c->session.confirming) && !c->doomed) {
		if (core_full(c))
			code = lib_error(c, SCTPD_LIMIT,
			    "%zu events wait, and no answer can be read until they are taken; call sctpd_next_event", c->n_events);
		else if ((code = conn_wait(c, deadline)) == SCTPD_TIMEOUT)
			lib_error(c, code,
			    "sctpd did not answer %zu calls within %d ms", c->pending, c->timeout);
	}
	return conn_leave(c) ? code : SCTPD_LOST;
}
