/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many messages with one call.
 *
 * What is sent is written many at a time, and the answers are read meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "lib/codes.h"
#include "lib/conn.h"
#include "lib/core.h"
#include "lib/sent.h"
#include "lib/wait.h"
#include "proto/codec.h"
#include "proto/event_type.h"

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

/* Packs what the codec would, in a tenth of the time. */
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
		return lib_error(c, SCTPD_EMSGSIZE,
		    "the message has %zu bytes; a call takes 16 MiB at most", m->len);
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

/* While too many events are queued, no answer is read. */
static int
check_room(struct sctpd *c)
{
	if (!core_full(c))
		return SCTPD_OK;
	return lib_error(c, SCTPD_LIMIT,
	    "%zu events wait, and no answer can be read until they are taken; call sctpd_events",
	    c->n_events);
}

static int
go_on(struct sctpd *c, int64_t deadline)
{
	int	code = check_room(c);

	if (code == SCTPD_OK && (code = conn_wait(c, deadline)) == SCTPD_TIMEOUT)
		lib_error(c, code,
		    "sctpd did not answer within %d ms; it may still carry out the request", c->timeout);
	return code;
}

/* Wait until at most this many bytes are left to be written. */
static int
write_down_to(struct sctpd *c, size_t most)
{
	int64_t	deadline = conn_deadline(c->timeout);
	size_t	left;
	int	code = conn_flush(c);

	while (code == SCTPD_OK && !c->doomed && (sent_unwritten(c, &left), left > most))
		code = go_on(c, deadline);
	return code;
}

static int
send_one(struct sctpd *c, uint64_t sock, struct sctpd_message *m)
{
	size_t	left;
	int	code;

	while ((code = begin_message(c, sock, m)) == SCTPD_EAGAIN && !c->doomed) {
		if ((code = go_on(c, conn_deadline(c->timeout))) != SCTPD_OK)
			return code;
	}
	if (code == SCTPD_EMSGSIZE) {
		note(c, m, code);
		return SCTPD_OK;
	}
	sent_unwritten(c, &left);
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
		deadline = b->m[i].code == OPEN ? conn_deadline(c->timeout) : 0;
		while (code == SCTPD_OK && b->m[i].code == OPEN && !c->doomed)
			code = go_on(c, deadline);
	}
	return code;
}

/* The call ends: messages without an answer get this code. Gives how many were sent. */
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

/* Put which message it was between the code and the reason. */
static int
say_which(struct sctpd *c, const struct batch *b)
{
	const char	*colon = strstr(b->why, ": ");
	int		 n = colon != NULL ? (int)(colon - b->why) : (int)strlen(b->why);
	char		 text[sizeof c->error];

	(void)snprintf(text, sizeof text, "%.*s: message [%zu] of %zu%s", n, b->why,
	    (size_t)(b->failed - b->m), b->n, colon != NULL ? colon : "");
	return lib_error_text(c, b->failed->code, text);
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

/* ---- one request ----------------------------------------------------- */

static int
begin_many(struct sctpd *c, uint64_t sock, uint32_t assoc_id, const struct sctpd_message *m, size_t n)
{
	size_t	len = 0;
	int	code;

	for (size_t i = 0; i < n && len <= CORE_MAX_MESSAGE; i++)
		len += m[i].len;
	if (len > CORE_MAX_MESSAGE)
		return lib_error(c, SCTPD_EMSGSIZE, "the messages have more than 16 MiB together, which a call takes at most");
	if ((code = core_begin(c, "send_many", true)) != SCTPD_OK)
		return code;
	msgpack_pack_map(&c->pk, 3);
	codec_pack_text(&c->pk, "sock");
	msgpack_pack_uint64(&c->pk, sock);
	codec_pack_text(&c->pk, "assoc_id");
	msgpack_pack_uint32(&c->pk, assoc_id);
	codec_pack_text(&c->pk, "messages");
	msgpack_pack_array(&c->pk, n);
	for (size_t i = 0; i < n; i++) {
		msgpack_pack_map(&c->pk, 2);
		codec_pack_text(&c->pk, "data");
		msgpack_pack_bin(&c->pk, m[i].len);
		msgpack_pack_bin_body(&c->pk, m[i].data, m[i].len);
		codec_pack_text(&c->pk, "sctp_sndrcvinfo");
		pack_info(c, &m[i].info);
	}
	return SCTPD_OK;
}

int
sctpd_sendmmsg(struct sctpd *c, uint64_t sock, uint32_t assoc_id, struct sctpd_message *m, size_t n,
    size_t *taken)
{
	const struct sctpd_value	*v;
	const char			*error;
	size_t				 done = 0;
	int				 code = begin_many(c, sock, assoc_id, m, n);

	if (code == SCTPD_OK && (code = conn_finish(c, 0)) == SCTPD_OK) {
		v = value_of(conn_result(c));
		done = (size_t)sctpd_get_int(v, "taken");
		error = sctpd_get_str(v, "error");
		if (error[0] != '\0')
			code = lib_error_text(c, code_of_text(error, strlen(error)), error);
	}
	for (size_t i = 0; i < n; i++)
		m[i].code = i < done ? SCTPD_OK : code;
	if (taken != NULL)
		*taken = done;
	return code;
}
