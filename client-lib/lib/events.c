/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events, as the program takes them: by a callback, one by one, or many at once.
 *
 * Many are given where they were read, in c->in: that buffer then belongs to
 * the program until it asks for more, and if something is to be read before,
 * c->in becomes another one. Two buffers take turns, so nothing is allocated.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/codes.h"
#include "lib/conn.h"
#include "lib/core.h"
#include "lib/fastpath.h"
#include "lib/given.h"
#include "lib/message.h"
#include "lib/numbers.h"
#include "lib/session.h"
#include "lib/wait.h"

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
		numbers_show(c, &m->mark);
		c->on_event(c, &m->event, c->on_event_arg);
		c->session.busy = busy;
		message_free(m);
		if (numbers_are_due(c) && !c->doomed)
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
		if ((*m = core_event(c)) != NULL) {
			numbers_show(c, &(*m)->mark);
			return SCTPD_OK;
		}
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
	if (numbers_are_due(c))
		(void)conn_flush(c);
	code = next_event(c, conn_deadline(timeout), &m);
	c->lent = m;
	if (!conn_leave(c))
		return SCTPD_LOST;
	if (code == SCTPD_TIMEOUT)
		return lib_error(c, code, "no event came within %d ms", timeout);
	if (code == SCTPD_OK)
		*ev = &m->event;
	return code;
}

/* ---- many at once ------------------------------------------------------ */

static void
note_mark(struct sctpd *c, const struct mark *m)
{
	numbers_show(c, m);
	if (c->given.mark.number == 0)
		c->given.mark = *m;
}

/* Not if the event may be another client's, if others stand before it, or if no buffer is left. */
static bool
may_give_in_place(const struct sctpd *c)
{
	return TAILQ_EMPTY(&c->events) && c->session.gives == 0 && !c->session.fresh &&
	    c->session.phase == SESSION_UP && !c->given.is_aside && c->in.off < c->in.len;
}

/* A NUL is to follow the message. It goes over the first byte of the next one, after that was read. */
static void
terminate(struct sctpd *c, char *at)
{
	struct given	*g = &c->given;

	if (g->end != NULL)
		*g->end = '\0';
	g->end = at;
}

/* Give the message that c->in begins with, in place; false if conn_step has to take it. */
static bool
give_in_place(struct sctpd *c, const struct sctpd_event **ev)
{
	struct given		*g = &c->given;
	struct sctpd_event	*to = &g->events[g->n];
	struct mark		 mark = { .number = 0 };
	size_t			 len;

	if (!may_give_in_place(c) ||
	    (len = fastpath_data(c->in.data + c->in.off, c->in.len - c->in.off, to)) == 0)
		return false;
	memset(&c->frame, 0, sizeof c->frame);
	c->in.off += len;
	if (c->session.on && !numbers_count(c, &mark, len, to->seq)) {
		terminate(c, NULL);	/* it came before */
		return true;
	}
	to->seq = mark.number;
	terminate(c, c->in.data + (to->data - c->in.data) + to->len);
	note_mark(c, &mark);
	g->in_place = true;
	ev[g->n++] = to;
	return true;
}

/* Write the last NUL. It goes over the first byte that is not taken yet, which is kept in "cut". */
static void
given_end(struct sctpd *c)
{
	struct given	*g = &c->given;

	if (g->end != NULL && c->in.off < c->in.len && g->end == c->in.data + c->in.off) {
		g->cut = *g->end;
		g->is_cut = true;
	}
	terminate(c, NULL);
	g->giving = false;
}

/* Give what has been read. */
static int
give(struct sctpd *c, const struct sctpd_event **ev, size_t max)
{
	struct message	*m;
	bool		 any = true;
	int		 code = SCTPD_OK;

	c->given.giving = true;
	while (code == SCTPD_OK && any && c->given.n < max && !c->doomed) {
		if ((m = core_event(c)) != NULL) {
			TAILQ_INSERT_TAIL(&c->given.messages, m, entry);
			note_mark(c, &m->mark);
			ev[c->given.n++] = &m->event;
		} else if (!give_in_place(c, ev) && (code = conn_step(c, &any)) == SCTPD_OK && any)
			terminate(c, NULL);
	}
	given_end(c);
	return code;
}

/* Make room first: the events must not move until the program gives them back. */
static int
begin_giving(struct sctpd *c, size_t *max)
{
	struct given		*g = &c->given;
	struct sctpd_event	*events;

	if (g->giving)
		return lib_error(c, SCTPD_BADARG,
		    "sctpd_events: it is running already, and called the callback that calls it");
	if (*max == 0)
		return lib_error(c, SCTPD_BADARG, "sctpd_events: there is no room for an event");
	if (*max > CORE_MAX_EVENTS)
		*max = CORE_MAX_EVENTS;
	given_back(c);
	c->lent = message_free(c->lent);
	if (*max <= g->room)
		return SCTPD_OK;
	if ((events = realloc(g->events, *max * sizeof *events)) == NULL)
		return lib_no_memory(c);
	g->events = events;
	g->room = *max;
	return SCTPD_OK;
}

static int
give_or_wait(struct sctpd *c, const struct sctpd_event **ev, size_t max, int64_t deadline)
{
	int	code = SCTPD_OK;

	while (!c->doomed) {
		if ((code = give(c, ev, max)) != SCTPD_OK || c->given.n > 0)
			return code;
		session_ack(c);
		if ((code = conn_flush(c)) != SCTPD_OK || (code = conn_await(c, deadline)) != SCTPD_OK)
			return code;
	}
	return code;
}

int
sctpd_events(struct sctpd *c, const struct sctpd_event **ev, size_t max, int timeout, size_t *n)
{
	int	code;

	*n = 0;
	if ((code = begin_giving(c, &max)) != SCTPD_OK)
		return code;
	conn_enter(c);
	if (numbers_are_due(c))
		(void)conn_flush(c);
	code = give_or_wait(c, ev, max, conn_deadline(timeout));
	*n = c->doomed ? 0 : c->given.n;
	if (!conn_leave(c))
		return SCTPD_LOST;
	if (*n > 0)
		return SCTPD_OK;	/* the error, if any, is reported by the next call */
	if (code == SCTPD_TIMEOUT)
		return lib_error(c, code, "no event came within %d ms", timeout);
	return code;
}
