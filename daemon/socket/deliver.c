/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets what a stack reports, and when.
 */
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdlib.h>
#include <string.h>

#include "journal/fields.h"
#include "journal/journal.h"
#include "proto/codec.h"
#include "rpc/call.h"
#include "rpc/client.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/event.h"
#include "socket/report.h"
#include "socket/sock.h"
#include "socket/supervised.h"
#include "socket/tap.h"
#include "trace/record.h"
#include "util/mem.h"

/* Events that may wait in a socket before the stack is not read any more. */
#define PENDING_MAX	4096
#define PENDING_BYTES	(1u << 20)
/* Messages that one socket may deliver in one turn. */
#define CREDIT_A_TURN	64

/* ---- events that wait ----------------------------------------------- */

size_t
pending_cost(const struct pending *p)
{
	return sizeof *p + MALLOC_EXTRA + p->record->size;
}

void
sock_drop_pending(struct sock *s, struct pending *p)
{
	TAILQ_REMOVE(&s->pending, p, entry);
	if (p->queue != NULL)
		TAILQ_REMOVE(p->queue, p, queued);
	s->npending--;
	s->npending_data -= p->row == EVENT_data;
	s->pending_bytes -= p->len;
	user_discharge(s->user, CHARGE_MEMORY, pending_cost(p));
	journal_drop(p->record);
	free(p);
}

void
sock_add_pending(struct sock *s, struct pending *p)
{
	TAILQ_INSERT_TAIL(&s->pending, p, entry);
	s->npending++;
	s->npending_data += p->row == EVENT_data;
	s->pending_bytes += p->len;
	user_charge(s->user, CHARGE_MEMORY, pending_cost(p));
	if (s->pends)
		sock_ops->waits(s, p);
}

void
sock_move_pending(struct sock *from, struct sock *to, uint32_t id)
{
	struct pending	*p, *next;

	for (p = TAILQ_FIRST(&from->pending); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->assoc_id != id)
			continue;
		TAILQ_REMOVE(&from->pending, p, entry);
		from->npending--;
		from->npending_data -= p->row == EVENT_data;
		from->pending_bytes -= p->len;
		user_discharge(from->user, CHARGE_MEMORY, pending_cost(p));
		sock_add_pending(to, p);
		journal_set(&p->record->word[PENDING_SOCK], to->node.key);
	}
}

/* ---- who gets it ---------------------------------------------------- */

/* May the stack be read for events, which wait if nobody may have them? */
static bool
has_room_for_events(const struct sock *s)
{
	if (s->npending > 0 && !user_may(s->user, CHARGE_MEMORY, 1))
		return false;
	return s->npending < PENDING_MAX && s->pending_bytes < PENDING_BYTES;
}

/* The number of messages that may be delivered now. */
static unsigned
sock_credit(struct sock *s)
{
	if (s->lent || s->passing)
		return 0;
	if (s->pends)
		return has_room_for_events(s) && !s->closing ? CREDIT_A_TURN : 0;
	if (s->recv != NULL)
		return 1;
	if (s->active == ACTIVE_FALSE || s->closing || !client_has_room(s->owner))
		return 0;
	if (s->active == ACTIVE_ONCE)
		return 1;
	if (s->active == ACTIVE_COUNT && s->count < CREDIT_A_TURN)
		return (unsigned)s->count;
	return CREDIT_A_TURN;
}

/* A supervised one is read as far as its first message, whoever takes that: what ends it stands behind. */
static bool
reads_ahead(const struct sock *s)
{
	return s->home != NULL && !s->closing && (s->finish || s->npending_data == 0);
}

/* A message or an event went to the owner: count it against the mode. */
static void
spend(struct sock *s)
{
	if (s->active == ACTIVE_ONCE)
		s->active = ACTIVE_FALSE;
	if (s->active == ACTIVE_COUNT && --s->count == 0) {
		s->active = ACTIVE_FALSE;
		client_tell(s->owner, EVENT_passive, s->node.key, NULL);
	}
	s->last = s->owner->out.seq;
	sock_words_changed(s);
}

/*
 * The packer for the next event: the answer to the recv that waits, or a
 * notification to the owner. The caller packs the rest of a map of n fields and
 * sock.
 */
static msgpack_packer *
begin_delivery(struct sock *s, const struct event_type *row, unsigned n)
{
	struct event_head	 head = { .sock = s->node.key };
	msgpack_packer		*pk;

	if (s->recv == NULL)
		return client_event_begin(s->owner, row, s->node.key, n, true);
	pk = call_reply_begin_as(s->recv, MESSAGE_RECEIVED, s->node.key);
	msgpack_pack_map(pk, n + 2);
	codec_pack_text(pk, "event");
	codec_pack_text(pk, row->name);
	codec_pack_fields(pk, event_head_fields, &head, sizeof head);
	return pk;
}

static void
end_delivery(struct sock *s)
{
	struct call	*call = s->recv;

	if (call == NULL) {
		spend(s);
		return;
	}
	s->recv = NULL;
	if (call->client == s->owner)
		s->last = s->owner->out.seq;
	call_forget(call);
}

static void
deliver(struct sock *s, const struct stack_event *e)
{
	bool				 io = s->subscribed[SUBSCRIBE_DATA_IO] != 0;
	const struct event_data		*d = e->body;

	if (e->row == EVENT_data && s->recv == NULL) {
		client_data(s->owner, s->node.key, &e->assoc->from, e->from,
		    io ? &d->sctp_sndrcvinfo : NULL, d->timestamp, d->data);
		spend(s);
		return;
	}
	event_pack(begin_delivery(s, e->row, event_count(e, io)), e, io);
	end_delivery(s);
}

static int
pack_to_buf(void *arg, const char *p, size_t n)
{
	buf_add(arg, p, n);
	return 0;
}

static void
write_pending(struct sock *s, struct pending *p, const char *packed)
{
	size_t		 name = strlen(p->row->name);
	struct record	*r = journal_new(p->len + name);

	memcpy(r->body, packed, p->len);
	memcpy(r->body + p->len, p->row->name, name);
	r->word[PENDING_SOCK] = s->node.key;
	r->word[PENDING_ORDER] = journal_number();
	r->word[PENDING_ASSOC] = p->assoc_id;
	r->word[PENDING_FIELDS] = p->fields;
	r->word[PENDING_LEN] = p->len;
	r->word[PENDING_SLOT] = p->slot;
	journal_keep(r, RECORD_PENDING);
	p->record = r;
}

/* Nobody may have the event now: pack it and let it wait. */
static void
pend(struct sock *s, const struct stack_event *e)
{
	bool		 io = s->subscribed[SUBSCRIBE_DATA_IO] != 0;
	struct buf	 b = { .mem = NULL };
	msgpack_packer	 pk;
	struct pending	*p;

	msgpack_packer_init(&pk, &b, pack_to_buf);
	event_pack(&pk, e, io);
	p = xcalloc(1, sizeof *p);
	p->row = e->row;
	p->assoc_id = e->assoc_id;
	p->fields = event_count(e, io);
	p->len = (uint32_t)buf_len(&b);
	p->slot = s->pends ? sock_ops->slot(s, e) : NO_SLOT;
	write_pending(s, p, buf_data(&b));
	buf_free(&b);
	sock_add_pending(s, p);
}

void
sock_pump(struct sock *s)
{
	unsigned	 credit;
	struct pending	*p;
	msgpack_packer	*pk;

	if (s->pends && s->npending > 0)
		sock_ops->hand_out(s);
	while ((credit = sock_credit(s)) > 0 && s->npending > 0 && !s->pends) {
		p = TAILQ_FIRST(&s->pending);
		pk = begin_delivery(s, p->row, p->fields);
		(void)pk->callback(pk->data, p->record->body, p->len);
		sock_drop_pending(s, p);
		end_delivery(s);
	}
	/* A connect that waits needs the socket's events, even if nobody else may have any. */
	stack->read(s, credit > 0 || (s->connecting > 0 && !s->many) || (reads_ahead(s) && has_room_for_events(s)),
	    s->connecting > 0 || has_room_for_events(s));
}

void
sock_readable(struct sock *s)
{
	unsigned	credit = sock_credit(s);

	if (credit == 0 && (s->connecting > 0 || reads_ahead(s)))
		credit = 1;
	if (credit > 0)
		stack->receive(s, credit);
	sock_pump(s);
}

/* ---- connect -------------------------------------------------------- */

/* A connect waits for this association: the new state is its answer. */
static void
answer_connect(struct sock *s, const struct stack_event *e)
{
	struct rpc_connect_out	 out = {
		.state = { "comm_up", 7 },
		.outbound_streams = e->assoc->outbound,
		.inbound_streams = e->assoc->inbound,
		.assoc_id = e->assoc_id,
	};
	struct call		*call = e->assoc->connect;
	bool			 passive = s->active == ACTIVE_FALSE;

	e->assoc->connect = NULL;
	assoc_changed(e->assoc);
	s->connecting--;
	/* It counts like a message, but the mode once stays armed (gen_sctp). */
	if (!passive && s->active == ACTIVE_COUNT)
		spend(s);
	event_watch(s, e->row, e->from, e->body, e->len);
	if (e->what == ASSOC_EVENT_UP)
		call_finish(call, &out);
	else
		call_finish_error(call, ERR_cant_assoc,
		    "%s; assoc_id %u, error %u", e->what == ASSOC_EVENT_CANT ?
		    (s->own.refuse_without_auth ?
		    "the peer refused, did not answer, or does not support AUTH, which the socket requires" :
		    "the peer refused or did not answer") :
		    "the association ended before it was up",
		    e->assoc_id, e->error);
}

/* The events that only a connect gets. */
static bool
is_connects(struct sock *s, const struct stack_event *e)
{
	if (e->assoc == NULL || e->what == ASSOC_EVENT_NONE)
		return false;
	if (e->assoc->connect != NULL) {
		answer_connect(s, e);
		return true;
	}
	return e->assoc->unwanted;
}

/* ---- what happens ---------------------------------------------------- */

static void
count_received(struct sock *s, const struct stack_event *e)
{
	const struct event_data	*d = e->body;
	struct assoc		*a = e->assoc;

	sock_words_changed(s);
	s->received.cnt++;
	s->received.oct += d->data.len;
	if (d->data.len > s->received.max)
		s->received.max = d->data.len;
	assoc_counted(a);
	trace_count(&a->trace.received, 1, d->data.len);
	if (trace_ppid(&a->trace, d->sctp_sndrcvinfo.ppid))
		assoc_changed(a);
	record_message(&a->trace, false, &d->sctp_sndrcvinfo, d->data.ptr, d->data.len);
	if (tap_is_on)
		tap_received(a, e->from, d);
}

void
sock_event(struct sock *s, const struct stack_event *e)
{
	if (e->row != EVENT_data)
		report_event(s, e);
	if (e->row != EVENT_data && e->assoc != NULL && trace_event(&e->assoc->trace, e))
		assoc_changed(e->assoc);
	if (e->row->sn_type == SCTP_PEER_ADDR_CHANGE && e->assoc != NULL)
		assoc_mark(e->assoc);
	if (s->supervised != NULL && !s->closing)
		supervise_ops->happened(s, e);
	if (s->group == s->node.key)
		sock_ops->happened(s);
	if (s->closing || is_connects(s, e))
		return;
	if (e->row == EVENT_data)
		count_received(s, e);
	else
		event_watch(s, e->row, e->from, e->body, e->len);
	if (e->row->subscribe >= 0 && !s->subscribed[e->row->subscribe])
		return;
	if (s->npending == 0 && !s->pends && sock_credit(s) > 0)
		deliver(s, e);
	else
		pend(s, e);
}

void
sock_tell(struct sock *s, const struct event_type *row, struct assoc *a, const void *body)
{
	struct stack_event	e = {
		.row = row,
		.assoc = a,
		.assoc_id = a != NULL ? assoc_id(a) : 0,
		.from = a != NULL ? &a->peer : NULL,
		.body = body,
		.len = row->size,
	};

	sock_event(s, &e);
}

/* ---- the mode -------------------------------------------------------- */

/* gen_sctp's arithmetic: N is added to the count, which is 0 outside of it. */
static bool
add_to_count(struct sock *s, int32_t n)
{
	int32_t	sum = n + (s->active == ACTIVE_COUNT ? s->count : 0);

	if (sum > ACTIVE_MAX)
		return false;
	s->count = sum > 0 ? sum : 0;
	s->active = sum > 0 ? ACTIVE_COUNT : ACTIVE_FALSE;
	if (sum <= 0)
		client_tell(s->owner, EVENT_passive, s->node.key, NULL);
	return true;
}

bool
sock_set_active(struct sock *s, enum active_mode mode, int32_t n)
{
	if (mode != ACTIVE_FALSE)
		s->owner->events = true;
	if (mode == ACTIVE_COUNT) {
		if (!add_to_count(s, n))
			return false;
	} else {
		s->active = mode;
		s->count = 0;
	}
	sock_words_changed(s);
	sock_pump(s);
	return true;
}

void
sock_pack_active(msgpack_packer *pk, const struct sock *s)
{
	switch (s->active) {
	case ACTIVE_FALSE:
		msgpack_pack_false(pk);
		break;
	case ACTIVE_TRUE:
		msgpack_pack_true(pk);
		break;
	case ACTIVE_ONCE:
		codec_pack_text(pk, "once");
		break;
	case ACTIVE_COUNT:
		msgpack_pack_int32(pk, s->count);
		break;
	}
}
