/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that come, by their numbers: see session.c.
 */
#include "lib/numbers.h"
#include "lib/sent.h"
#include "proto/codec.h"
#include "proto/rpc.h"

#define ACK_MESSAGES	64
#define ACK_BYTES	(64u << 10)

bool
numbers_count(struct sctpd *c, struct mark *mark, size_t len, uint64_t seq)
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

void
numbers_show(struct sctpd *c, const struct mark *mark)
{
	if (mark->number > c->session.shown)
		c->session.shown = mark->number;
}

/*
 * The same, where the program acknowledges events itself: an answer behind events that it has not acknowledged waits
 * with them. Nothing is acknowledged early.
 */
static struct mark
unacknowledged(const struct sctpd *c)
{
	const struct session	*s = &c->session;
	const struct message	*m = TAILQ_FIRST(&c->events);
	struct mark		 first = { s->seq + 1, s->bytes };

	if (m != NULL)
		first = earlier(first, m->mark);
	if (s->done < s->shown)
		first = earlier(first, (struct mark){ s->done + 1, s->acked_bytes });
	return first;
}

/* The first message that the program has not handled; it may be yet to come. */
struct mark
numbers_unhandled(const struct sctpd *c)
{
	const struct session	*s = &c->session;
	const struct message	*m = TAILQ_FIRST(&c->events);
	struct mark		 first = { s->seq + 1, s->bytes };

	if (s->own_acks)
		return unacknowledged(c);
	first = earlier(first, s->busy);
	first = earlier(first, c->given.mark);
	if (m != NULL)
		first = earlier(first, m->mark);
	if (c->lent != NULL)
		first = earlier(first, c->lent->mark);
	/*
	 * The daemon keeps no more than this, and would end the connection: acknowledge early. But
	 * not what may be another client's in a moment.
	 */
	if (s->most > 0 && s->gives == 0 && s->bytes - s->acked_bytes > s->most && first.number <= s->acked + 1)
		first = (struct mark){ s->seq + 1, s->bytes };
	return first;
}

uint64_t
numbers_handled(const struct sctpd *c)
{
	uint64_t	handled = numbers_unhandled(c).number - 1;

	return handled > c->session.acked ? handled : c->session.acked;
}

bool
numbers_are_due(const struct sctpd *c)
{
	const struct session	*s = &c->session;
	struct mark		 first;

	if (!s->on || s->phase != SESSION_UP || c->lost != 0)
		return false;
	first = numbers_unhandled(c);	/* what has come and is not handled is not to be acknowledged */
	if (sent_many_loose(c))
		return true;
	return first.number > s->acked + 1 &&
	    (first.number > s->acked + ACK_MESSAGES || first.bytes - s->acked_bytes >= ACK_BYTES ||
	    (s->most > 0 && s->bytes - s->acked_bytes > s->most));
}

void
numbers_pack_ack(msgpack_packer *pk, uint64_t seq)
{
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "seq");
	msgpack_pack_uint64(pk, seq);
}

bool
numbers_ack(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct mark	 first = numbers_unhandled(c);
	msgpack_packer	 pk;

	if (!s->on || s->phase != SESSION_UP || c->lost != 0)
		return false;
	if (first.number > s->acked + 1 && sent_begin_first(s, &pk, RPC_NOTIFICATION)) {
		codec_pack_text(&pk, "ack");
		msgpack_pack_array(&pk, 1);
		numbers_pack_ack(&pk, first.number - 1);
		s->acked = first.number - 1;
		s->acked_bytes = first.bytes;
	}
	return true;
}

void
numbers_let_go(struct sctpd *c)
{
	c->session.busy.number = 0;
	c->given.mark.number = 0;
	if (c->lent != NULL)
		c->lent->mark.number = 0;
}
