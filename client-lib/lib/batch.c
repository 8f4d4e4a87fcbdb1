/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many messages with one call.
 *
 * What is sent is written many at a time, and the answers are read meanwhile.
 * What comes is given where it was read, in c->in: that buffer then belongs to
 * the program until it asks for more, and if something is to be read before,
 * c->in becomes another one. Two buffers take turns, so nothing is allocated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "core.h"
#include "notice.h"

#define OPEN	(-1)		/* the code of a message that has no answer yet */
#define BURST	(256u << 10)	/* bytes that are written together */

/* One call of sctpd_send_many; callbacks may make others meanwhile. */
struct batch {
	struct batch		*outer;
	struct sctpd_message	*m;
	size_t			 n;
	struct sctpd_message	*failed;	/* the first of m that did */
	char			 why[512];
};

/* ---- sending -------------------------------------------------------- */

static int64_t
deadline_of(const struct sctpd *c)
{
	return c->timeout < 0 ? -1 : conn_now() + c->timeout;
}

static void
note(struct sctpd *c, struct sctpd_message *m, int code)
{
	struct batch	*b = c->batch;

	m->code = code;
	if (code == SCTPD_OK)
		return;
	while (m < b->m || m >= b->m + b->n)
		b = b->outer;
	if (b->failed != NULL && b->failed < m)
		return;
	b->failed = m;
	(void)snprintf(b->why, sizeof b->why, "%s", c->error);
}

static void
on_answer(struct sctpd *c, int code, const struct sctpd_value *v, void *arg)
{
	(void)v;
	note(c, arg, code);
}

static void
pack_number(struct sctpd *c, const char *key, uint32_t v)
{
	if (v == 0)
		return;
	codec_pack_text(&c->pk, key);
	msgpack_pack_uint32(&c->pk, v);
}

/* As the codec has it, which takes ten times as long. */
static void
pack_info(struct sctpd *c, const struct sctpd_sndrcvinfo *i)
{
	struct sndrcvinfo	out = {
		.stream = i->stream, .flags = i->flags, .ppid = i->ppid,
		.context = i->context, .timetolive = i->timetolive, .assoc_id = i->assoc_id,
	};

	if (i->flags != 0) {
		codec_pack(&c->pk, sndrcvinfo_fields, &out, sizeof out);
		return;
	}
	msgpack_pack_map(&c->pk, (size_t)(i->stream != 0) + (i->ppid != 0) + (i->context != 0) +
	    (i->timetolive != 0) + (i->assoc_id != 0));
	pack_number(c, "stream", i->stream);
	pack_number(c, "ppid", i->ppid);
	pack_number(c, "context", i->context);
	pack_number(c, "timetolive", i->timetolive);
	pack_number(c, "assoc_id", i->assoc_id);
}

static int
begin_message(struct sctpd *c, uint64_t sock, struct sctpd_message *m)
{
	int	code;

	if (m->len > CORE_MAX_MESSAGE)
		return core_error(c, SCTPD_EMSGSIZE,
		    "a message of %zu bytes; a call takes 16 MiB at most", m->len);
	if ((code = core_begin(c, "send", true)) != SCTPD_OK)
		return code;
	msgpack_pack_map(&c->pk, 3);
	codec_pack_text(&c->pk, "sock");
	msgpack_pack_uint64(&c->pk, sock);
	codec_pack_text(&c->pk, "data");
	msgpack_pack_bin(&c->pk, m->len);
	msgpack_pack_bin_body(&c->pk, m->data, m->len);
	codec_pack_text(&c->pk, "sctp_sndrcvinfo");
	pack_info(c, &m->info);
	return core_end(c, REQUEST_CALLBACK, on_answer, m);
}

/* While the events are too many no answer is read. */
static int
check_room(struct sctpd *c)
{
	if (!core_full(c))
		return SCTPD_OK;
	return core_error(c, SCTPD_LIMIT,
	    "%zu events wait to be taken, and until then no answer can be read; call sctpd_events",
	    c->n_events);
}

static int
go_on(struct sctpd *c, int64_t deadline)
{
	int	code = check_room(c);

	if (code == SCTPD_OK && (code = conn_wait(c, deadline)) == SCTPD_TIMEOUT)
		core_error(c, code,
		    "sctpd did not answer within %d ms; it may still do what it was asked", c->timeout);
	return code;
}

/* Wait until no more than that is left to be written. */
static int
write_down_to(struct sctpd *c, size_t most)
{
	int64_t	deadline = deadline_of(c);
	size_t	left;
	int	code = conn_flush(c);

	while (code == SCTPD_OK && !c->doomed && (session_unwritten(c, &left), left > most))
		code = go_on(c, deadline);
	return code;
}

static int
send_one(struct sctpd *c, uint64_t sock, struct sctpd_message *m)
{
	size_t	left;
	int	code;

	while ((code = begin_message(c, sock, m)) == SCTPD_EAGAIN && !c->doomed) {
		if ((code = go_on(c, deadline_of(c))) != SCTPD_OK)
			return code;
	}
	if (code == SCTPD_EMSGSIZE) {
		note(c, m, code);
		return SCTPD_OK;
	}
	session_unwritten(c, &left);
	return code == SCTPD_OK && left > BURST ? write_down_to(c, BURST) : code;
}

static int
send_all(struct sctpd *c, uint64_t sock, const struct batch *b)
{
	int64_t	deadline;
	int	code = check_room(c);

	if (code == SCTPD_OK)
		code = conn_flush(c);
	for (size_t i = 0; i < b->n && code == SCTPD_OK && !c->doomed; i++)
		code = send_one(c, sock, &b->m[i]);
	if (code == SCTPD_OK)
		code = conn_flush(c);
	for (size_t i = 0; i < b->n && code == SCTPD_OK; i++) {
		deadline = b->m[i].code == OPEN ? deadline_of(c) : 0;
		while (code == SCTPD_OK && b->m[i].code == OPEN && !c->doomed)
			code = go_on(c, deadline);
	}
	return code;
}

/* Nobody waits any more: what has no answer has this code. Gives how many are sent. */
static size_t
settle(struct sctpd *c, const struct batch *b, int code)
{
	struct sctpd_message	*m;
	struct request		*r;
	size_t			 sent = 0, open = 0;

	for (size_t i = 0; i < b->n; i++) {
		open += b->m[i].code == OPEN;
		if (b->m[i].code == OPEN)
			b->m[i].code = code;
		sent += b->m[i].code == SCTPD_OK;
	}
	for (uint32_t i = 0; i < c->room && open > 0; i++) {
		r = &c->requests[i];
		m = r->arg;
		if (r->state == REQUEST_CALLBACK && r->fn == on_answer && m >= b->m && m < b->m + b->n)
			core_abandon(c, r->id);
	}
	return sent;
}

/* Which one it was comes between the code and the reason. */
static int
say_which(struct sctpd *c, const struct batch *b)
{
	const char	*colon = strstr(b->why, ": ");
	int		 n = colon != NULL ? (int)(colon - b->why) : (int)strlen(b->why);
	char		 text[sizeof c->error];

	(void)snprintf(text, sizeof text, "%.*s: message [%zu] of %zu%s", n, b->why,
	    (size_t)(b->failed - b->m), b->n, colon != NULL ? colon : "");
	return core_error_text(c, b->failed->code, text);
}

int
sctpd_send_many(struct sctpd *c, uint64_t sock, struct sctpd_message *m, size_t n, size_t *sent)
{
	struct batch	b = { .outer = c->batch, .m = m, .n = n };
	size_t		taken;
	int		code;

	for (size_t i = 0; i < n; i++)
		m[i].code = OPEN;
	c->batch = &b;
	conn_enter(c);
	code = send_all(c, sock, &b);
	taken = settle(c, &b, c->doomed ? SCTPD_LOST : code);
	c->batch = b.outer;
	if (sent != NULL)
		*sent = taken;
	if (!conn_leave(c))
		return SCTPD_LOST;
	return code == SCTPD_OK && b.failed != NULL ? say_which(c, &b) : code;
}

/* ---- what was given ------------------------------------------------- */

bool
given_leave(struct sctpd *c)
{
	struct given	*g = &c->given;
	struct buf	 was = c->in;
	size_t		 rest = was.len - was.off;

	if (!g->in_place)
		return true;
	/* One more: see given_end. */
	if (!buf_reserve(&g->aside, rest + 1))
		return false;
	(void)buf_add(&g->aside, was.data + was.off, rest);
	if (g->is_cut && rest > 0)
		g->aside.data[0] = g->cut;
	c->in = g->aside;
	g->aside = was;
	g->is_aside = true;
	g->in_place = g->is_cut = false;
	return true;
}

void
given_back(struct sctpd *c)
{
	struct given	*g = &c->given;
	struct message	*m;

	if (g->giving)
		return;
	while ((m = TAILQ_FIRST(&g->messages)) != NULL) {
		TAILQ_REMOVE(&g->messages, m, entry);
		message_free(m);
	}
	g->mark.number = 0;
	g->n = 0;
	if (g->is_cut && c->in.off < c->in.len)
		c->in.data[c->in.off] = g->cut;
	g->aside.off = g->aside.len = 0;
	g->in_place = g->is_cut = g->is_aside = false;
}

void
given_free(struct sctpd *c)
{
	c->given.giving = false;
	given_back(c);
	buf_free(&c->given.aside);
	free(c->given.events);
}

static void
note_mark(struct given *g, const struct mark *m)
{
	if (g->mark.number == 0)
		g->mark = *m;
}

static void
give_message(struct sctpd *c, struct message *m, const struct sctpd_event **ev)
{
	TAILQ_INSERT_TAIL(&c->given.messages, m, entry);
	note_mark(&c->given, &m->mark);
	ev[c->given.n++] = &m->event;
}

/* Not while it may be another's, or has to stand behind others, or no buffer is left. */
static bool
may_give_in_place(const struct sctpd *c)
{
	return TAILQ_EMPTY(&c->events) && c->session.gives == 0 && !c->session.fresh &&
	    c->session.phase == SESSION_UP && !c->given.is_aside && c->in.off < c->in.len;
}

/* A NUL is to follow the message: where the next one begins, when that was read. */
static void
terminate(struct sctpd *c, char *at)
{
	struct given	*g = &c->given;

	if (g->end != NULL)
		*g->end = '\0';
	g->end = at;
}

/* Give the message that c->in begins with; false if it is to be had otherwise. */
static bool
give_in_place(struct sctpd *c, const struct sctpd_event **ev)
{
	struct given		*g = &c->given;
	struct sctpd_event	*to = &g->events[g->n];
	struct mark		 mark = { .number = 0 };
	size_t			 len;

	if (!may_give_in_place(c) ||
	    (len = fast_read_data(c->in.data + c->in.off, c->in.len - c->in.off, to)) == 0)
		return false;
	memset(&c->frame, 0, sizeof c->frame);
	c->in.off += len;
	if (c->session.on && !session_number(c, &mark, len, to->seq)) {
		terminate(c, NULL);	/* it came before */
		return true;
	}
	to->seq = mark.number;
	terminate(c, c->in.data + (to->data - c->in.data) + to->len);
	note_mark(g, &mark);
	g->in_place = true;
	ev[g->n++] = to;
	return true;
}

/* The last NUL: over the first byte of what is not taken yet, which is kept. */
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
		if ((m = core_event(c)) != NULL)
			give_message(c, m, ev);
		else if (!give_in_place(c, ev) && (code = conn_step(c, &any)) == SCTPD_OK && any)
			terminate(c, NULL);
	}
	given_end(c);
	return code;
}

/* The events stand where they are until they are given back: room is made before. */
static int
begin_giving(struct sctpd *c, size_t *max)
{
	struct given		*g = &c->given;
	struct sctpd_event	*events;

	if (g->giving)
		return core_error(c, SCTPD_BADARG,
		    "sctpd_events: it was called by a callback that it has called");
	if (*max == 0)
		return core_error(c, SCTPD_BADARG, "sctpd_events: there is no room for an event");
	if (*max > CORE_MAX_EVENTS)
		*max = CORE_MAX_EVENTS;
	given_back(c);
	c->lent = message_free(c->lent);
	if (*max <= g->room)
		return SCTPD_OK;
	if ((events = realloc(g->events, *max * sizeof *events)) == NULL)
		return core_error(c, SCTPD_ENOMEM, "this program has no memory left");
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
	if (session_is_due(c))
		(void)conn_flush(c);
	code = give_or_wait(c, ev, max, timeout < 0 ? -1 : conn_now() + timeout);
	*n = c->doomed ? 0 : c->given.n;
	if (!conn_leave(c))
		return SCTPD_LOST;
	if (*n > 0)
		return SCTPD_OK;	/* an error comes again */
	if (code == SCTPD_TIMEOUT)
		return core_error(c, code, "no event came within %d ms", timeout);
	return code;
}
