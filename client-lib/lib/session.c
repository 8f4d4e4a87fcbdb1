/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: what makes a connection one that can break without loss.
 *
 * A session outlives its connections, a daemon that is killed, and, if the
 * program keeps the token, the program. At the break nobody knows which of the
 * last messages arrived. Both sides therefore keep what they sent until the
 * other one has said that it has it.
 *
 * Messages of the daemon have numbers. An event carries its number; an answer
 * has the number after the one before it. The daemon keeps each message until
 * it is acknowledged. numbers.c counts them, and acknowledges what the program
 * has handled, which is less than what has arrived: a queued event, one that a
 * callback has now, or one that the program has not returned yet is not
 * handled (numbers_unhandled). An acknowledgement is written before requests
 * that wait (session.first), because it makes room for their answers.
 *
 * Messages of ours stay in c->out until nobody needs them any more: a request
 * until it is answered, a notification until a later request is answered, as
 * the daemon takes messages in order. c->out.off is where the first kept
 * message begins, and session.sent has an entry for each, in the same order.
 * session.written counts the bytes after c->out.off that are written: "whole"
 * messages and "part" of the next one. These four change together, in sent.c
 * alone. After many notifications without a request we ask for an answer
 * ourselves (confirm), so that they do not pile up.
 *
 * On a new connection, hello says what was handled. The daemon sends again all
 * that came after it, and then answers hello. A kept request that has no answer
 * by then was not carried out. So when hello is answered, everything that is
 * left in c->out is written once more, but for the notifications that the
 * daemon says it took (sent_rewind).
 *
 * A message may come twice. An event is recognized by its number. An answer is
 * recognized by its id, for its number may be too low: the daemon leaves out
 * messages that are another client's by now, and later answers do not know.
 *
 * States, by session.phase and what else tells them apart:
 *
 *	none		!on. The phase is SESSION_UP, and nothing is kept.
 *	greeting	SESSION_GREETING: connected, and hello is not answered.
 *			give_up is 0 if the program waits for it in sctpd_dial.
 *	up		SESSION_UP, c->fd is the connection.
 *	away		SESSION_AWAY: c->fd is -1, and a timer, which sctpd_fd
 *			gives out meanwhile, says when to try again.
 *	over		c->lost says why. The token is kept, so that the program
 *			can dial again: "fresh" then says that what comes before
 *			hello's answer was meant for calls that have failed here.
 *
 *	from		what happens			to		program is told
 *	none, over	sctpd_dial, sctpd_use_fd	greeting
 *	greeting	hello is answered		up		BACK, if it was away
 *	greeting	hello is refused		over		OVER; token forgotten
 *	greeting, up	the connection breaks		away		GONE
 *	  ... with no token yet, a descriptor that the program gave, or a daemon
 *	  that says it does not survive			over		OVER
 *	away		the timer; connect works	greeting	REACHED
 *	away		the timer; connect fails	away
 *	away, greeting	give_up has come		over		OVER
 *	up, greeting	"superseded" comes		over		OVER; token forgotten
 *	up, greeting	bytes that make no sense	over		OVER
 *
 * OVER is told only where there was a token; otherwise sctpd_dial fails, and
 * that is all. If the daemon died before it answered the first hello, sctpd_dial
 * dials again by itself. To dial in any other state makes the session "over" first.
 *
 * give_up is set when the session goes away and cleared when hello is answered,
 * so a daemon that accepts and dies again and again does not extend it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/codes.h"
#include "lib/core.h"
#include "lib/numbers.h"
#include "lib/sent.h"
#include "lib/session.h"
#include "proto/codec.h"
#include "proto/rpc.h"

#define HELD_QUEUES	2		/* client_queue's worth that is not acknowledged */

int
sctpd_resumable(struct sctpd *c, int max_ms, sctpd_session_fn *fn, void *arg)
{
	struct session	*s = &c->session;

	if (c->fd != -1 || c->room > 0 || c->out.len > 0)
		return lib_error(c, SCTPD_BADARG,
		    "call sctpd_resumable before the connection is dialed, and before any other call");
	s->on = true;
	s->max_ms = max_ms;
	s->fn = fn;
	s->arg = arg;
	return SCTPD_OK;
}

int
sctpd_resume(struct sctpd *c, const char *token, uint64_t seq)
{
	struct session	*s = &c->session;

	if (!s->on || c->fd != -1)
		return lib_error(c, SCTPD_BADARG,
		    "call sctpd_resume after sctpd_resumable and before the connection is dialed");
	if (strlen(token) != sizeof s->token - 1)
		return lib_error(c, SCTPD_BADARG, "a session's token has %zu characters, not %zu",
		    sizeof s->token - 1, strlen(token));
	memcpy(s->token, token, sizeof s->token);
	s->seq = s->at = s->acked = s->shown = s->done = seq;
	s->fresh = true;
	return SCTPD_OK;
}

int
sctpd_own_acks(struct sctpd *c)
{
	struct session	*s = &c->session;

	if (!s->on || c->fd != -1)
		return lib_error(c, SCTPD_BADARG,
		    "call sctpd_own_acks after sctpd_resumable and before the connection is dialed");
	s->own_acks = true;
	return SCTPD_OK;
}

int
sctpd_ack(struct sctpd *c, uint64_t seq)
{
	struct session	*s = &c->session;

	if (!s->own_acks || seq > s->shown)
		return lib_error(c, SCTPD_BADARG, "sctpd_ack: %s", !s->own_acks ?
		    "call sctpd_own_acks before the connection is dialed" : "no event of that number has been delivered yet");
	if (seq > s->done)
		s->done = seq;
	return SCTPD_OK;
}

uint64_t
sctpd_notifications(const struct sctpd *c)
{
	return c->session.notes;
}

const char *
sctpd_session(const struct sctpd *c, uint64_t *seq)
{
	if (seq != NULL)
		*seq = numbers_handled(c);
	return c->session.token;
}

void
session_tell(struct sctpd *c, enum sctpd_session_change change)
{
	if (c->session.fn != NULL)
		c->session.fn(c, change, c->session.arg);
}

/* Ask for an answer, by which it is known that all before has arrived. */
static void
confirm(struct sctpd *c)
{
	if (core_begin(c, "ack", true) != SCTPD_OK)
		return;
	numbers_pack_ack(&c->pk, c->session.acked);
	if (core_end(c, REQUEST_OWN, NULL, NULL) != SCTPD_OK)
		return;
	c->session.confirming = true;
	c->session.loose = 0;
}

void
session_ack(struct sctpd *c)
{
	if (numbers_ack(c) && sent_many_loose(c))
		confirm(c);
}

/* ---- hello ---------------------------------------------------------- */

static bool
has_feature(const struct sctpd_value *list, const char *name)
{
	for (size_t i = 0; i < sctpd_count(list); i++) {
		if (strcmp(sctpd_str(sctpd_item(list, i), NULL), name) == 0)
			return true;
	}
	return false;
}

/* The answer to hello. Gives SCTPD_OK, or why the session is over. */
static int
welcome(struct sctpd *c, const struct message *m)
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
		return lib_error(c, SCTPD_NO_SESSION, "sctpd says: %s", c->error);
	}
	(void)snprintf(s->token, sizeof s->token, "%s", sctpd_get_str(v, "resume"));
	if (strlen(s->token) != sizeof s->token - 1)
		return lib_error(c, SCTPD_EPROTO, "the answer of sctpd to hello has no token");
	s->at = (uint64_t)sctpd_get_int(v, "seq");
	if (s->at > s->seq)
		s->seq = s->at;
	s->most = HELD_QUEUES * (uint64_t)sctpd_get_int(v, "limits.client_queue");
	s->client = (uint64_t)sctpd_get_int(v, "client");
	s->survives = has_feature(sctpd_get(v, "features"), "survive");
	sent_rewind(c, (uint64_t)sctpd_get_int(v, "notifications"));
	s->fresh = false;
	s->phase = SESSION_UP;
	s->give_up = 0;
	if (was_away)
		session_tell(c, SCTPD_BACK);
	return SCTPD_OK;
}

bool
session_greet(struct sctpd *c)
{
	struct session	*s = &c->session;
	struct mark	 first = numbers_unhandled(c);
	bool		 again = s->token[0] != '\0';
	msgpack_packer	 pk;

	s->phase = SESSION_GREETING;
	s->on_hello = welcome;
	s->confirming = false;
	if (first.number > s->acked) {
		s->acked = first.number - 1;
		s->acked_bytes = first.bytes;
	}
	s->at = s->acked;
	s->first.off = s->first.len;
	if (!sent_begin_first(s, &pk, RPC_REQUEST))
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

/* ---- the end -------------------------------------------------------- */

void
session_end(struct sctpd *c, bool forget)
{
	struct session	*s = &c->session;
	struct message	*m;

	sent_drop(c);
	s->first.off = s->first.len;
	s->confirming = false;
	s->phase = SESSION_UP;
	s->give_up = 0;
	s->fresh = s->token[0] != '\0';
	if (!forget)
		return;
	core_leave_all(c);
	/* What is queued has no number in the next session. */
	TAILQ_FOREACH(m, &c->events, entry)
		m->mark.number = 0;
	numbers_let_go(c);
	s->token[0] = '\0';
	s->seq = s->at = s->acked = s->shown = s->done = 0;
	s->fresh = false;
}

void
session_stop_timer(struct sctpd *c)
{
	if (c->session.timer != -1)
		close(c->session.timer);
	c->session.timer = -1;
}

void
session_free(struct sctpd *c)
{
	session_stop_timer(c);
	buf_free(&c->session.first);
	buf_free(&c->session.sent);
}
