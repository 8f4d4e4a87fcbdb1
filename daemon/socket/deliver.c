/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: who gets what the stack says, and when.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec.h"
#include "event.h"
#include "journal.h"
#include "keep.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "resolve.h"
#include "sock.h"

/* Events that may wait in a socket before the stack is no longer asked. */
#define PENDING_MAX	4096
#define PENDING_BYTES	(1u << 20)
/* Messages that one socket may deliver in one turn. */
#define CREDIT_A_TURN	64
/* What one is charged with, its record in the journal included. */
#define COST		(sizeof(struct sock) + MALLOC_EXTRA + 1024)

static struct hash socks;
static struct sock_stat closed_received, closed_sent;

struct sock *
sock_find(uint64_t handle)
{
	return HASH_FIND(sock, &socks, handle);
}

struct sock *
sock_next(const struct sock *s)
{
	return (struct sock *)(void *)hash_next(&socks, s != NULL ? &s->node : NULL);
}

size_t
sock_count(void)
{
	return socks.count;
}

static void
sock_on_hold_end(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = arg;

	(void)fd, (void)what;
	if (log_allowed())
		log_notice("sock %llu: closed, nobody came for it within hold_time",
		    (unsigned long long)s->node.key);
	sock_close(s, NULL);
}

const char *
sock_no_room(const struct client *c)
{
	const struct user	*u = c->account.user;

	if (!user_may(u, CHARGE_SOCKETS, 1))
		return user_why_not(u, CHARGE_SOCKETS, 1);
	return budget_no_room(u);
}

struct sock *
sock_new(struct client *owner, bool many, int family)
{
	return sock_make(owner, many, family, journal_handle(client_or_sock));
}

static size_t
pending_cost(const struct pending *p)
{
	return sizeof *p + MALLOC_EXTRA + p->record->size;
}

static void
charge_user(struct sock *s, uid_t uid)
{
	s->uid = uid;
	s->user = user_get(uid);
	user_charge(s->user, CHARGE_SOCKETS, 1);
	user_charge(s->user, CHARGE_MEMORY, COST);
}

static void
discharge_user(struct sock *s)
{
	user_discharge(s->user, CHARGE_SOCKETS, 1);
	user_discharge(s->user, CHARGE_MEMORY, COST);
	s->user = user_put(s->user);
}

void
sock_set_user(struct sock *s, uid_t uid)
{
	struct user	*was = user_get(s->uid);
	struct pending	*p;
	struct assoc	*a = NULL;

	discharge_user(s);
	charge_user(s, uid);
	while ((a = assoc_next(s, a)) != NULL)
		assoc_set_user(a, uid);
	stack_set_user(s);
	TAILQ_FOREACH(p, &s->pending, entry) {
		user_discharge(was, CHARGE_MEMORY, pending_cost(p));
		user_charge(s->user, CHARGE_MEMORY, pending_cost(p));
	}
	user_put(was);
}

struct sock *
sock_make(struct client *owner, bool many, int family, uint64_t handle)
{
	struct sock	*s = xcalloc(1, sizeof *s);

	s->owner = owner;
	charge_user(s, owner->uid);
	s->many = many;
	s->family = family;
	s->own = sockopt_own_defaults;
	s->stack.fd = s->stack.set = s->stack.netns = -1;
	TAILQ_INIT(&s->pending);
	LIST_INIT(&s->lookups);
	hash_add(&socks, &s->node, handle);
	TAILQ_INSERT_TAIL(&owner->socks, s, owned);
	owner->nsocks++;
	(void)evtimer_assign(&s->hold, loop_base(), sock_on_hold_end, s);
	keep_sock(s);
	return s;
}

static void
add_stat(struct sock_stat *to, const struct sock_stat *st)
{
	to->cnt += st->cnt;
	to->oct += st->oct;
	if (st->max > to->max)
		to->max = st->max;
}

void
sock_totals(struct sock_stat *received, struct sock_stat *sent)
{
	struct sock	*s = NULL;

	*received = closed_received;
	*sent = closed_sent;
	while ((s = sock_next(s)) != NULL) {
		add_stat(received, &s->received);
		add_stat(sent, &s->sent);
	}
}

static void
pending_free(struct sock *s, struct pending *p)
{
	TAILQ_REMOVE(&s->pending, p, entry);
	s->npending--;
	s->pending_bytes -= p->len;
	user_discharge(s->user, CHARGE_MEMORY, pending_cost(p));
	journal_drop(p->record);
	free(p);
}

static void
end_recv(struct sock *s, enum error code, const char *why)
{
	struct call	*call = s->recv;

	if (call == NULL)
		return;
	s->recv = NULL;
	call_finish_error(call, code, "sock %llu: %s",
	    (unsigned long long)s->node.key, why);
}

void
lookup_free(struct lookup *l)
{
	(void)resolve_cancel(l->resolve);
	user_discharge(l->user, CHARGE_LOOKUPS, 1);
	user_discharge(l->user, CHARGE_MEMORY, l->cost);
	(void)user_put(l->user);
	LIST_REMOVE(l, entry);
	free(l);
}

/* The connects that wait on it end with it. */
static void
end_connects(struct sock *s)
{
	struct assoc	*a = NULL;
	struct lookup	*l;
	struct call	*call;

	while ((l = LIST_FIRST(&s->lookups)) != NULL) {
		call_finish_error(l->call, ERR_closed, "sock %llu: it was closed",
		    (unsigned long long)s->node.key);
		lookup_free(l);
	}
	while ((a = assoc_next(s, a)) != NULL) {
		if ((call = a->connect) == NULL)
			continue;
		a->connect = NULL;
		s->connecting--;
		call_finish_error(call, ERR_closed, "sock %llu: it was closed",
		    (unsigned long long)s->node.key);
	}
}

void
sock_close(struct sock *s, const char *why)
{
	struct client		*owner = s->owner;
	struct pending		*p;
	struct event_closed	 e;

	if (why != NULL) {
		e.reason = (struct slice){ why, (uint32_t)strlen(why) };
		client_tell(s->owner, notice_closed, s->node.key, &e);
		event_watch(s, notice_closed, NULL, &e, sizeof e);
	}
	log_debug("sock %llu: closed, %zu associations",
	    (unsigned long long)s->node.key, s->assocs.count);
	s->closing = true;
	end_recv(s, ERR_closed, "it was closed");
	end_connects(s);
	stack_close(s);
	while ((p = TAILQ_FIRST(&s->pending)) != NULL)
		pending_free(s, p);
	add_stat(&closed_received, &s->received);
	add_stat(&closed_sent, &s->sent);
	(void)evtimer_del(&s->hold);
	keep_drop_sock(s);
	TAILQ_REMOVE(&owner->socks, s, owned);
	owner->nsocks--;
	hash_remove(&socks, &s->node);
	hash_free(&s->assocs);
	discharge_user(s);
	free(s);
	client_less(owner);
}

/*
 * An event that the old owner was sent and did not handle: as it is, but with
 * the new owner's number. An answer to recv is the event that it brought.
 */
static void
give_message(void *arg, enum message_kind kind, const char *p, size_t n)
{
	const msgpack_object	*map;
	struct sock		*s = arg;
	msgpack_unpacked	 u;
	size_t			 off = 0;

	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, p, n, &off) == MSGPACK_UNPACK_SUCCESS &&
	    (map = event_map(&u.data, kind)) != NULL)
		event_repack(s->owner, s->node.key, map, &u.data);
	msgpack_unpacked_destroy(&u);
}

void
sock_give(struct sock *s, struct client *to)
{
	struct client		*was = s->owner;
	struct event_owner	 e = { .owner = to->node.key, .was = was->node.key };

	if (was == to)
		return;
	TAILQ_REMOVE(&was->socks, s, owned);
	was->nsocks--;
	TAILQ_INSERT_TAIL(&to->socks, s, owned);
	to->nsocks++;
	s->owner = to;
	sock_unhold(s);
	keep_sock(s);
	client_tell(to, notice_owner, s->node.key, &e);
	event_watch(s, notice_owner, NULL, &e, sizeof e);
	/* What is written as it is acknowledged has gone to who is still there. */
	if (was->away || !was->out.self_acking)
		output_take(&was->out, s->node.key, give_message, s);
	sock_pump(s);
	if (was->away)
		client_tell(was, notice_owner, s->node.key, &e);
	client_less(was);
}

/* ---- owners go ------------------------------------------------------ */

void
sock_keeps_output(struct sock *s)
{
	struct client	*c = s->owner;

	if (s->own.on_owner_exit == EXIT_HOLD && !c->out.session) {
		output_keep(&c->out, c->node.key, true);
		keep_client(c);
	}
}

static void
hold(struct sock *s)
{
	struct timeval	tv = {
		.tv_sec = (time_t)(s->own.hold_time / 1000),
		.tv_usec = (suseconds_t)(s->own.hold_time % 1000 * 1000),
	};

	s->held = true;
	if (s->own.hold_time >= 0)
		(void)evtimer_add(&s->hold, &tv);
	if (log_allowed())
		log_info("sock %llu: held, its owner is gone", (unsigned long long)s->node.key);
	sock_pump(s);
}

void
sock_unhold(struct sock *s)
{
	s->held = false;
	(void)evtimer_del(&s->hold);
}

void
sock_lend(struct sock *s)
{
	s->lent = true;
	keep_sock(s);
	sock_pump(s);
}

void
sock_take_back(struct sock *s)
{
	if (!s->lent)
		return;
	s->lent = false;
	keep_sock(s);
	stack_take_back(s);
	sock_pump(s);
}

void
sock_owner_gone(struct sock *s)
{
	struct assoc	*a = NULL;

	sock_take_back(s);

	if (s->own.on_owner_exit == EXIT_HOLD) {
		hold(s);
		return;
	}
	while (s->own.on_owner_exit == EXIT_ABORT && (a = assoc_next(s, a)) != NULL)
		(void)stack_abort(a, NULL, 0);
	sock_close(s, "its owner is gone");
}

/* ---- who gets it ---------------------------------------------------- */

unsigned
sock_credit(struct sock *s)
{
	if (s->lent)
		return 0;
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

/* One message or event went to the owner. */
static void
spend(struct sock *s)
{
	if (s->active == ACTIVE_ONCE)
		s->active = ACTIVE_FALSE;
	if (s->active == ACTIVE_COUNT && --s->count == 0) {
		s->active = ACTIVE_FALSE;
		client_tell(s->owner, notice_passive, s->node.key, NULL);
	}
	keep_sock_words(s);
}

/*
 * Where the next event goes: the answer of the recv that waits, or a
 * notification to the owner. The caller packs a map of n fields and sock.
 */
static msgpack_packer *
begin_delivery(struct sock *s, const struct notice *row, unsigned n)
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
	call_forget(call);
}

static void
deliver_pending(struct sock *s, struct pending *p)
{
	msgpack_packer	*pk = begin_delivery(s, p->row, p->fields);

	(void)pk->callback(pk->data, p->record->body, p->len);
	pending_free(s, p);
	end_delivery(s);
}

static void
deliver(struct sock *s, const struct stack_event *e)
{
	bool				 io = s->subscribed[SUBSCRIBE_DATA_IO] != 0;
	const struct event_data		*d = e->body;

	if (e->row == notice_data && s->recv == NULL) {
		client_data(s->owner, s->node.key, &e->assoc->from, e->from,
		    io ? &d->sctp_sndrcvinfo : NULL, d->data);
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

/* Nobody may have it now: pack it and let it wait. */
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
	keep_pending(s, p, buf_data(&b));
	buf_free(&b);
	sock_add_pending(s, p);
}

void
sock_add_pending(struct sock *s, struct pending *p)
{
	TAILQ_INSERT_TAIL(&s->pending, p, entry);
	s->npending++;
	s->pending_bytes += p->len;
	user_charge(s->user, CHARGE_MEMORY, pending_cost(p));
}

/* May the stack be asked for events, which wait if nobody may have them? */
static bool
has_room_for_events(const struct sock *s)
{
	if (s->npending > 0 && !user_may(s->user, CHARGE_MEMORY, 1))
		return false;
	return s->npending < PENDING_MAX && s->pending_bytes < PENDING_BYTES;
}

void
sock_pump(struct sock *s)
{
	unsigned	credit;

	while ((credit = sock_credit(s)) > 0 && s->npending > 0)
		deliver_pending(s, TAILQ_FIRST(&s->pending));
	/* A connect that waits needs what the socket says, whoever else may not. */
	stack_read(s, credit > 0 || (s->connecting > 0 && !s->many),
	    s->connecting > 0 || has_room_for_events(s));
}

void
sock_readable(struct sock *s)
{
	unsigned	credit = sock_credit(s);

	if (credit == 0 && s->connecting > 0)
		credit = 1;
	if (credit > 0)
		stack_receive(s, credit);
	sock_pump(s);
}

/* ---- connect -------------------------------------------------------- */

/* A connect waits for this association: what it became is its answer. */
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
	keep_assoc(e->assoc);
	s->connecting--;
	/* It counts like a message, but once is armed again (gen_sctp). */
	if (!passive && s->active == ACTIVE_COUNT)
		spend(s);
	event_watch(s, e->row, e->from, e->body, e->len);
	if (e->what == ASSOC_EVENT_UP)
		call_finish(call, &out);
	else
		call_finish_error(call, ERR_cant_assoc,
		    "%s; assoc_id %u, error %u", e->what == ASSOC_EVENT_CANT ?
		    "the peer refused or did not answer" :
		    "the association ended before it was up",
		    e->assoc_id, e->error);
}

/* The events that are nobody's but a connect's. */
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

static void
count_received(struct sock *s, const struct stack_event *e)
{
	const struct event_data	*d = e->body;

	keep_sock_words(s);
	s->received.cnt++;
	s->received.oct += d->data.len;
	if (d->data.len > s->received.max)
		s->received.max = d->data.len;
}

void
sock_event(struct sock *s, const struct stack_event *e)
{
	if (s->closing || is_connects(s, e))
		return;
	if (e->row == notice_data)
		count_received(s, e);
	else
		event_watch(s, e->row, e->from, e->body, e->len);
	if (e->row->subscribe >= 0 && !s->subscribed[e->row->subscribe])
		return;
	if (s->npending == 0 && sock_credit(s) > 0)
		deliver(s, e);
	else
		pend(s, e);
}

void
sock_tell(struct sock *s, const struct notice *row, struct assoc *a, const void *body)
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
		from->pending_bytes -= p->len;
		user_discharge(from->user, CHARGE_MEMORY, pending_cost(p));
		sock_add_pending(to, p);
		keep_pending_moved(to, p);
	}
}

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
		client_tell(s->owner, notice_passive, s->node.key, NULL);
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
	keep_sock_words(s);
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

void
sock_free_all(void)
{
	struct sock	*s;

	while ((s = sock_next(NULL)) != NULL)
		sock_close(s, NULL);
	hash_free(&socks);
}
