/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that are sent, and in a session kept: see session.c.
 */
#include <string.h>

#include "lib/buf.h"
#include "lib/requests.h"
#include "lib/sent.h"
#include "proto/rpc.h"

#define LOOSE_NOTES	256		/* notifications that may not have arrived */
#define LOOSE_BYTES	(1u << 20)
#define COMPACT		(1u << 20)

static struct sent *
sent_first(const struct session *s)
{
	return s->sent.data != NULL ? (struct sent *)(void *)(s->sent.data + s->sent.off) : NULL;
}

static size_t
sent_count(const struct session *s)
{
	return (s->sent.len - s->sent.off) / sizeof(struct sent);
}

/* Is it certain that it need not be sent again? */
static bool
is_done(const struct sctpd *c, const struct sent *e)
{
	if (e->note != 0)
		return e->order < c->session.taken;
	return e->id == NO_ID || request_find(c, e->id) == NULL;
}

void
sent_drop(struct sctpd *c)
{
	struct session	*s = &c->session;

	c->out.off = c->out.len;
	s->sent.off = s->sent.len = 0;
	s->written = s->whole = s->part = 0;
}

bool
sent_note(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct sent	 e = {
		.order = s->order + 1, .id = c->begun_id,
		.len = (uint32_t)(c->out.len - c->begun),
	};

	if (c->begun_id == NO_ID)
		e.note = s->notes + 1;
	if (!buf_add(&s->sent, &e, sizeof e))
		return false;
	s->order++;
	if (e.note != 0) {
		s->notes++;
		s->loose++;
	}
	return true;
}

/* The daemon takes messages in order, so all that was sent before has arrived as well. */
void
sent_answered(struct sctpd *c, const struct request *r)
{
	struct session	*s = &c->session;

	if (!s->on)
		return;
	if (r->order > s->taken)
		s->taken = r->order;
	if (r->state == REQUEST_OWN)
		s->confirming = false;
}

/* Nothing in the buffer is needed any more. */
static void
sent_all(struct sctpd *c)
{
	c->out.off = c->out.len = 0;
	if (c->secret)
		explicit_bzero(c->out.data, c->out.room);
	c->secret = false;
}

/* Drop the messages at the front that are done. */
static void
trim(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct sent	*e;

	while (sent_count(s) > 0) {
		e = sent_first(s);
		if (e->len > s->written || !is_done(c, e))
			return;
		c->out.off += e->len;
		s->written -= e->len;
		s->sent.off += sizeof *e;
		s->whole--;
	}
	sent_all(c);
	s->sent.off = s->sent.len = 0;
}

/* Drop all messages that are done and written, wherever they stand. */
static void
compact(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct sent	*e = sent_first(s), *to = e;
	size_t		 n = sent_count(s), from = c->out.off, len = from, written = s->written;

	for (; n > 0; n--, e++) {
		if (from + e->len - c->out.off <= s->written && is_done(c, e)) {
			written -= e->len;
			s->whole--;
		} else {
			memmove(c->out.data + len, c->out.data + from, e->len);
			len += e->len;
			*to++ = *e;
		}
		from += e->len;
	}
	s->sent.len = (size_t)((char *)to - s->sent.data);
	s->written = written;
	c->out.len = len;
	s->kept = len - c->out.off;
}

/* Is session.first to be written now? It waits for the end of a message that is half written. */
static bool
is_first(const struct session *s)
{
	return s->phase == SESSION_GREETING || (s->first.off < s->first.len && s->part == 0);
}

const char *
sent_unwritten(const struct sctpd *c, size_t *n)
{
	const struct session	*s = &c->session;

	if (is_first(s)) {
		*n = s->first.len - s->first.off;
		return s->first.data + s->first.off;
	}
	*n = c->out.len - c->out.off - s->written;
	if (s->first.off < s->first.len)
		*n = sent_first(s)[s->whole].len - s->part;
	return *n > 0 ? c->out.data + c->out.off + s->written : NULL;
}

void
sent_wrote(struct sctpd *c, size_t n)
{
	struct session		*s = &c->session;
	const struct sent	*e;

	if (is_first(s)) {
		s->first.off += n;
		return;
	}
	if (!s->on) {
		c->out.off += n;
		if (c->out.off == c->out.len)
			sent_all(c);
		return;
	}
	e = sent_first(s);
	s->written += n;
	for (s->part += n; s->whole < sent_count(s) && s->part >= e[s->whole].len; s->whole++)
		s->part -= e[s->whole].len;
	trim(c);
	if (c->out.len - c->out.off > 2 * s->kept + COMPACT)
		compact(c);
}

bool
sent_many_loose(const struct sctpd *c)
{
	const struct session	*s = &c->session;

	return s->loose > 0 && !s->confirming &&
	    (s->loose >= LOOSE_NOTES || c->out.len - c->out.off >= LOOSE_BYTES);
}

static int
write_first(void *arg, const char *bytes, size_t n)
{
	return buf_add(arg, bytes, n) ? 0 : -1;
}

/* Begin a message of that kind that is not kept. */
bool
sent_begin_first(struct session *s, msgpack_packer *pk, int kind)
{
	if (s->first.off == s->first.len)
		s->first.off = s->first.len = 0;
	if (!buf_reserve(&s->first, 256))
		return false;
	msgpack_packer_init(pk, &s->first, write_first);
	msgpack_pack_array(pk, kind == RPC_REQUEST ? 4 : 3);
	msgpack_pack_int(pk, kind);
	return true;
}

/*
 * What is to be written again: all that is not answered, but for
 * notifications that the daemon has taken. The others get their numbers anew.
 */
void
sent_rewind(struct sctpd *c, uint64_t notes)
{
	struct session	*s = &c->session;
	struct sent	*e = sent_first(s);
	bool		 fresh = s->fresh;

	s->notes = notes;
	s->loose = 0;
	s->written = c->out.len - c->out.off;
	for (size_t n = sent_count(s); n > 0; n--, e++) {
		if (e->note == 0)
			continue;
		if (!fresh && e->note <= notes)
			e->note = 0;	/* and with NO_ID: it is done */
		else {
			e->note = ++s->notes;
			s->loose++;
		}
	}
	s->whole = sent_count(s);
	compact(c);
	s->written = s->whole = s->part = 0;
}
