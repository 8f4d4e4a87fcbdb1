/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: what makes a connection one that can break without loss.
 *
 * The daemon numbers its messages and keeps them until they are acknowledged;
 * here it is counted what came and what the program has handled. Requests stay
 * in c->out until they are answered: c->out.off is where the first of them
 * begins, and session.sent says in order what they are. When the connection is
 * made anew, hello says what was handled. Then the daemon says again what came
 * after that, and, as the last of it, answers hello: what has no answer by
 * then was not carried out and is written once more.
 *
 * A number may be too low: where the daemon leaves messages out because they
 * are another client's now, the answers after them cannot know. So answers
 * that come twice are told by their ids, and only events by their numbers.
 */
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "codec.h"
#include "rpc.h"

#define ACK_MESSAGES	64
#define ACK_BYTES	(64u << 10)
#define HELD_QUEUES	2		/* client_queue's worth that is not acknowledged */
#define LOOSE_NOTES	256		/* notifications of which it is not known if they arrived */
#define LOOSE_BYTES	(1u << 20)
#define COMPACT		(1u << 20)

int
sctpd_resumable(struct sctpd *c, int max_ms, sctpd_session_fn *fn, void *arg)
{
	struct session	*s = &c->session;

	if (c->fd != -1 || c->room > 0 || c->out.len > 0)
		return core_error(c, SCTPD_BADARG,
		    "sctpd_resumable comes before the connection is dialed, and before calls");
	s->on = true;
	s->max_ms = max_ms;
	s->fn = fn;
	s->arg = arg;
	s->compact_at = COMPACT;
	return SCTPD_OK;
}

int
sctpd_resume(struct sctpd *c, const char *token, uint64_t seq)
{
	struct session	*s = &c->session;

	if (!s->on || c->fd != -1)
		return core_error(c, SCTPD_BADARG,
		    "sctpd_resume comes after sctpd_resumable and before the connection is dialed");
	if (strlen(token) != sizeof s->token - 1)
		return core_error(c, SCTPD_BADARG, "a session's token has %zu characters, and not %zu",
		    sizeof s->token - 1, strlen(token));
	memcpy(s->token, token, sizeof s->token);
	s->seq = s->at = s->acked = seq;
	s->fresh = true;
	return SCTPD_OK;
}

const char *
sctpd_session(const struct sctpd *c, uint64_t *seq)
{
	if (seq != NULL)
		*seq = session_handled(c);
	return c->session.token;
}

void
session_tell(struct sctpd *c, enum sctpd_session_change change)
{
	if (c->session.fn != NULL)
		c->session.fn(c, change, c->session.arg);
}

/* ---- messages that are sent, and kept ------------------------------- */

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

/* It need not be sent again. */
static bool
is_done(const struct sctpd *c, const struct sent *e)
{
	if (e->note != 0)
		return e->order < c->session.taken;
	return e->id == NO_ID || !core_is_pending(c, e->id);
}

bool
session_note(struct sctpd *c)
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

/* The daemon takes messages in order: what came before it has arrived, too. */
void
session_answered(struct sctpd *c, const struct request *r)
{
	struct session	*s = &c->session;

	if (!s->on)
		return;
	if (r->order > s->taken)
		s->taken = r->order;
	if (r->state == REQUEST_OWN)
		s->confirming = false;
}

/* What is done and stands first goes. */
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
	c->out.off = c->out.len = 0;
	s->sent.off = s->sent.len = 0;
}

/* What is done and was written goes, wherever it stands. */
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
	s->compact_at = 2 * (len - c->out.off) + COMPACT;
}

/* What is first waits for the end of the message that is being written. */
static bool
is_first(const struct session *s)
{
	return s->phase == SESSION_GREETING || (s->first.off < s->first.len && s->part == 0);
}

const char *
session_unwritten(const struct sctpd *c, size_t *n)
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

static void
count_written(struct session *s, size_t n)
{
	const struct sent	*e = sent_first(s);

	s->written += n;
	for (s->part += n; s->whole < sent_count(s) && s->part >= e[s->whole].len; s->whole++)
		s->part -= e[s->whole].len;
}

void
session_wrote(struct sctpd *c, size_t n)
{
	struct session	*s = &c->session;

	if (is_first(s)) {
		s->first.off += n;
		return;
	}
	if (!s->on) {
		c->out.off += n;
		if (c->out.off == c->out.len)
			c->out.off = c->out.len = 0;
		return;
	}
	count_written(s, n);
	trim(c);
	if (c->out.len - c->out.off > s->compact_at)
		compact(c);
}

/* ---- messages that come --------------------------------------------- */

bool
session_number(struct sctpd *c, struct mark *mark, size_t len, uint64_t seq)
{
	struct session	*s = &c->session;
	bool		 is_new;

	s->at = seq != 0 ? seq : s->at + 1;
	*mark = (struct mark){ s->at, s->bytes };
	is_new = s->at > s->seq;
	if (is_new) {
		s->seq = s->at;
		s->bytes += len;
	}
	return is_new;
}

static struct mark
earlier(struct mark a, struct mark b)
{
	return b.number != 0 && b.number < a.number ? b : a;
}

/* The first message that the program has not handled; it may be yet to come. */
static struct mark
first_unhandled(const struct sctpd *c)
{
	const struct session	*s = &c->session;
	const struct message	*m = TAILQ_FIRST(&c->events);
	struct mark		 first = { s->seq + 1, s->bytes };

	first = earlier(first, s->busy);
	first = earlier(first, c->given.mark);
	if (m != NULL)
		first = earlier(first, m->mark);
	if (c->lent != NULL)
		first = earlier(first, c->lent->mark);
	/* Else the daemon would not keep so much, and end the connection. */
	if (s->most > 0 && s->bytes - s->acked_bytes > s->most && first.number <= s->acked + 1)
		first = (struct mark){ s->seq + 1, s->bytes };
	return first;
}

uint64_t
session_handled(const struct sctpd *c)
{
	uint64_t	handled = first_unhandled(c).number - 1;

	return handled > c->session.acked ? handled : c->session.acked;
}

static bool
has_many_loose(const struct sctpd *c)
{
	const struct session	*s = &c->session;

	return s->loose > 0 && !s->confirming &&
	    (s->loose >= LOOSE_NOTES || c->out.len - c->out.off >= LOOSE_BYTES);
}

bool
session_is_due(const struct sctpd *c)
{
	const struct session	*s = &c->session;

	if (!s->on || s->phase != SESSION_UP || c->lost != 0)
		return false;
	return s->seq - s->acked >= ACK_MESSAGES ||
	    s->bytes - s->acked_bytes >= ACK_BYTES || has_many_loose(c);
}

static int
write_first(void *arg, const char *bytes, size_t n)
{
	return buf_add(arg, bytes, n) ? 0 : -1;
}

/* Begin a message of that kind that is not kept. */
static bool
begin_first(struct session *s, msgpack_packer *pk, int kind)
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

static void
pack_ack(msgpack_packer *pk, uint64_t seq)
{
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "seq");
	msgpack_pack_uint64(pk, seq);
}

/* Ask for an answer, by which it is known that all before has arrived. */
static void
confirm(struct sctpd *c)
{
	if (core_begin(c, "ack", true) != SCTPD_OK)
		return;
	pack_ack(&c->pk, c->session.acked);
	if (core_end(c, REQUEST_OWN, NULL, NULL) != SCTPD_OK)
		return;
	c->session.confirming = true;
	c->session.loose = 0;
}

/* Requests that are not written yet do not hold it up: nor may their answers. */
void
session_ack(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct mark	 first = first_unhandled(c);
	msgpack_packer	 pk;

	if (!s->on || s->phase != SESSION_UP || c->lost != 0)
		return;
	if (first.number > s->acked + 1 && begin_first(s, &pk, RPC_NOTIFICATION)) {
		codec_pack_text(&pk, "ack");
		msgpack_pack_array(&pk, 1);
		pack_ack(&pk, first.number - 1);
		s->acked = first.number - 1;
		s->acked_bytes = first.bytes;
	}
	if (has_many_loose(c))
		confirm(c);
}

void
session_let_go(struct sctpd *c)
{
	c->session.busy.number = 0;
	c->given.mark.number = 0;
	if (c->lent != NULL)
		c->lent->mark.number = 0;
}

/* ---- hello ---------------------------------------------------------- */

bool
session_greet(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct mark	 first = first_unhandled(c);
	bool		 again = s->token[0] != '\0';
	msgpack_packer	 pk;

	s->phase = SESSION_GREETING;
	s->confirming = false;
	if (first.number > s->acked) {
		s->acked = first.number - 1;
		s->acked_bytes = first.bytes;
	}
	s->at = s->acked;
	s->first.off = s->first.len;
	if (!begin_first(s, &pk, RPC_REQUEST))
		return false;
	msgpack_pack_uint32(&pk, HELLO_ID);
	codec_pack_text(&pk, "hello");
	msgpack_pack_array(&pk, 1);
	msgpack_pack_map(&pk, again ? 3 : 2);
	codec_pack_text(&pk, "protocol");
	msgpack_pack_int(&pk, RPC_PROTOCOL);
	codec_pack_text(&pk, "resume");
	if (!again) {
		msgpack_pack_true(&pk);
		return true;
	}
	codec_pack_text(&pk, s->token);
	codec_pack_text(&pk, "seq");
	msgpack_pack_uint64(&pk, s->at);
	return true;
}

/*
 * What is to be written again: all that is not answered, but for
 * notifications that the daemon has taken. The others get their numbers anew.
 */
static void
rewind_sent(struct sctpd *c, uint64_t notes)
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

static bool
has_feature(const struct sctpd_value *list, const char *name)
{
	for (size_t i = 0; i < sctpd_count(list); i++) {
		if (strcmp(sctpd_str(sctpd_item(list, i), NULL), name) == 0)
			return true;
	}
	return false;
}

int
session_welcome(struct sctpd *c, const struct message *m)
{
	struct session			*s = &c->session;
	const msgpack_object		*part = m->obj.via.array.ptr;
	const struct sctpd_value	*v = value_of(&part[3]);
	bool				 was_away = s->give_up != 0;
	int				 code;

	if ((code = core_take_error(c, &part[2])) != SCTPD_OK) {
		if (s->token[0] == '\0')
			return code;
		session_end(c, true);
		return core_error(c, SCTPD_NO_SESSION, "sctpd says: %s", c->error);
	}
	(void)snprintf(s->token, sizeof s->token, "%s", sctpd_get_str(v, "resume"));
	if (strlen(s->token) != sizeof s->token - 1)
		return core_error(c, SCTPD_EPROTO, "the answer of sctpd to hello has no token");
	s->at = (uint64_t)sctpd_get_int(v, "seq");
	if (s->at > s->seq)
		s->seq = s->at;
	s->most = HELD_QUEUES * (uint64_t)sctpd_get_int(v, "limits.client_queue");
	s->client = (uint64_t)sctpd_get_int(v, "client");
	s->survives = has_feature(sctpd_get(v, "features"), "survive");
	rewind_sent(c, (uint64_t)sctpd_get_int(v, "notifications"));
	s->fresh = false;
	s->phase = SESSION_UP;
	s->give_up = 0;
	if (was_away)
		session_tell(c, SCTPD_BACK);
	return SCTPD_OK;
}

/* ---- the end -------------------------------------------------------- */

void
session_end(struct sctpd *c, bool forget)
{
	struct session	*s = &c->session;
	struct message	*m;

	c->out.off = c->out.len;
	s->sent.off = s->sent.len = 0;
	s->first.off = s->first.len;
	s->written = s->whole = s->part = 0;
	s->confirming = false;
	s->phase = SESSION_UP;
	s->give_up = 0;
	s->fresh = s->token[0] != '\0';
	if (!forget)
		return;
	/* What is queued has no number in the next session. */
	TAILQ_FOREACH(m, &c->events, entry)
		m->mark.number = 0;
	session_let_go(c);
	s->token[0] = '\0';
	s->seq = s->at = s->acked = 0;
	s->fresh = false;
}

void
session_free(struct sctpd *c)
{
	dial_stop(c);
	buf_free(&c->session.first);
	buf_free(&c->session.sent);
}
