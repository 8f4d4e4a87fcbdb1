/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations: which there are, in which state, and their records.
 */
#include <event2/event_struct.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/fields.h"
#include "journal/journal.h"
#include "proto/addr.h"
#include "socket/assoc.h"
#include "socket/sock.h"
#include "trace/record.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/mem.h"

/* Bytes that an association is charged with, including its record in the journal. */
#define COST		(sizeof(struct assoc) + MALLOC_EXTRA + 512)

static size_t nassocs, nlingering;

/* ---- its record ------------------------------------------------------ */

static void
write_fields(struct assoc *a)
{
	struct trace		*t = &a->trace;
	struct assoc_record	 k = {
		.number = a->number,
		.id = assoc_id(a),
		.uid = user_uid(a->user),
		.sock = a->sock != NULL ? a->sock->node.key : 0,
		.state = (int32_t)a->state,
		.outbound = a->outbound,
		.inbound = a->inbound,
		.peer = a->peer,
		.unwanted = a->unwanted,
		.eof_asked = a->eof_asked,
		.asked = a->connect != NULL || a->asked,
		.stream = a->stack.one_to_one,
		.own_descriptor = a->stack.owns_fd,
		.up = t->up,
		.error_at = t->error_at,
		.ppids = { (const char *)t->ppid, (uint32_t)(t->nppids * sizeof t->ppid[0]) },
		.more_ppids = t->more_ppids,
	};

	memcpy(k.error, t->error, sizeof k.error);
	if (a->watched != NULL) {
		k.stalled = a->watched->stalled;
		k.wanted = a->watched->wanted;
		k.penalty = a->watched->penalty;
		k.penalty_at = a->watched->penalty_at;
		k.damped = a->watched->damped;
	}
	kept_write(&a->kept, RECORD_ASSOC, assoc_record_fields, &k, sizeof k);
}

static void
write_assoc(struct kept *kept)
{
	struct assoc	*a = (struct assoc *)(void *)((char *)kept - offsetof(struct assoc, kept));

	if (a->fields_changed || kept->record == NULL)
		write_fields(a);
	a->fields_changed = false;
	kept_set_word(kept, ASSOC_RECV_CNT, a->trace.received.messages);
	kept_set_word(kept, ASSOC_RECV_OCT, a->trace.received.bytes);
	kept_set_word(kept, ASSOC_SEND_CNT, a->trace.sent.messages);
	kept_set_word(kept, ASSOC_SEND_OCT, a->trace.sent.bytes);
}

void
assoc_changed(struct assoc *a)
{
	a->fields_changed = true;
	kept_changed(&a->kept);
}

/* ---- its counters ---------------------------------------------------- */

/* How often they go to the journal, and of how many associations at a time. */
#define WRITE_MS	1000
#define WRITE_MORE_MS	10
#define WRITE_MOST	1024

static TAILQ_HEAD(, assoc) counted = TAILQ_HEAD_INITIALIZER(counted);
static struct loop_alarm write_time;

static void
unlist_counted(struct assoc *a)
{
	if (!a->is_counted)
		return;
	TAILQ_REMOVE(&counted, a, counted);
	a->is_counted = false;
	if (TAILQ_EMPTY(&counted))
		loop_alarm_set(&write_time, 0);
}

static void
write_some(unsigned most)
{
	struct assoc	*a;

	for (; most > 0 && (a = TAILQ_FIRST(&counted)) != NULL; most--) {
		unlist_counted(a);
		kept_changed(&a->kept);
	}
}

void
assoc_write_counted(void)
{
	write_some(UINT_MAX);
}

static void
assoc_on_write_time(void)
{
	write_some(WRITE_MOST);
	if (!TAILQ_EMPTY(&counted))
		loop_alarm_set(&write_time, WRITE_MORE_MS);
}

void
assoc_list_counted(struct assoc *a)
{
	if (write_time.fn == NULL)
		loop_alarm_init(&write_time, assoc_on_write_time);
	if (TAILQ_EMPTY(&counted))
		loop_alarm_set(&write_time, WRITE_MS);
	a->is_counted = true;
	TAILQ_INSERT_TAIL(&counted, a, counted);
}

/* ---- for who watches it ---------------------------------------------- */

/* The most that are looked at in one turn. */
#define MARKED_A_TURN	256

static TAILQ_HEAD(, assoc) marked = TAILQ_HEAD_INITIALIZER(marked);
static void (*watch)(struct assoc *);
static struct event look;

static void
look_soon(void)
{
	static const struct timeval	now;

	if (watch != NULL)
		(void)evtimer_add(&look, &now);
}

void
assoc_mark(struct assoc *a)
{
	if (a->is_marked)
		return;
	if (TAILQ_EMPTY(&marked))
		look_soon();
	TAILQ_INSERT_TAIL(&marked, a, marked);
	a->is_marked = true;
}

static void
unmark(struct assoc *a)
{
	if (a->is_marked)
		TAILQ_REMOVE(&marked, a, marked);
	a->is_marked = false;
}

static void
assoc_on_marked(evutil_socket_t fd, short what, void *arg)
{
	struct assoc	*a;

	(void)fd, (void)what, (void)arg;
	for (unsigned i = 0; i < MARKED_A_TURN && (a = TAILQ_FIRST(&marked)) != NULL; i++) {
		unmark(a);
		watch(a);
	}
	if (!TAILQ_EMPTY(&marked))
		look_soon();
}

void
assoc_give_marked(void (*fn)(struct assoc *))
{
	watch = fn;
	(void)evtimer_assign(&look, loop_base(), assoc_on_marked, NULL);
}

/* ---- life ----------------------------------------------------------- */

struct assoc *
assoc_new(struct sock *s, uint32_t id, const struct sockaddr_storage *peer)
{
	struct assoc	*a = assoc_make(s, id, peer, journal_number(), s->uid);

	assoc_changed(a);
	return a;
}

static void
charge_user(struct assoc *a, uid_t uid)
{
	a->user = user_get(uid);
	user_charge(a->user, CHARGE_ASSOCIATIONS, 1);
	user_charge(a->user, CHARGE_MEMORY, COST + a->left);
	record_set_user(&a->trace, a->user);
}

static void
discharge_user(struct assoc *a)
{
	user_discharge(a->user, CHARGE_ASSOCIATIONS, 1);
	user_discharge(a->user, CHARGE_MEMORY, COST + a->left);
	record_set_user(&a->trace, NULL);
	a->user = user_put(a->user);
}

void
assoc_set_user(struct assoc *a, uid_t uid)
{
	discharge_user(a);
	charge_user(a, uid);
	budget_move(&a->stack.charged, a->user);
	assoc_changed(a);
}

struct assoc *
assoc_make(struct sock *s, uint32_t id, const struct sockaddr_storage *peer, uint64_t number,
    uid_t uid)
{
	struct assoc	*a = xcalloc(1, sizeof *a);

	kept_init(&a->kept, write_assoc);
	a->sock = s;
	a->number = number;
	charge_user(a, uid);
	if (peer != NULL)
		a->peer = *peer;
	TAILQ_INIT(&a->sends);
	TAILQ_INIT(&a->counts);
	stack->assoc_init(a);
	a->node.key = id;
	if (s != NULL)
		hash_add(&s->assocs, &a->node, id);
	else
		nlingering++;
	nassocs++;
	return a;
}

struct assoc *
assoc_find(struct sock *s, uint32_t id)
{
	if (!s->many)
		return assoc_next(s, NULL);
	return HASH_FIND(assoc, &s->assocs, id);
}

struct assoc *
assoc_next(struct sock *s, const struct assoc *a)
{
	return (struct assoc *)(void *)hash_next(&s->assocs, a != NULL ? &a->node : NULL);
}

struct assoc *
assoc_after(struct sock *s, const uint32_t *id)
{
	uint64_t	key = id != NULL ? *id : 0;

	return (struct assoc *)(void *)hash_after(&s->assocs, id != NULL ? &key : NULL);
}

size_t
assoc_count(void)
{
	return nassocs;
}

size_t
assoc_lingering(void)
{
	return nlingering;
}

uint32_t
assoc_id(const struct assoc *a)
{
	return (uint32_t)a->node.key;
}

void
assoc_set_id(struct assoc *a, uint32_t id)
{
	hash_remove(&a->sock->assocs, &a->node);
	hash_add(&a->sock->assocs, &a->node, id);
	assoc_changed(a);
}

static const char *const state_names[] = {
	[ASSOC_COMING_UP] = "coming_up",
	[ASSOC_UP] = "up",
	[ASSOC_GOING_DOWN] = "going_down",
	[ASSOC_OVER] = "over",
};

const char *
assoc_state_name(const struct assoc *a)
{
	return state_names[a->state];
}

static void
record_state(struct assoc *a, enum assoc_state state)
{
	char	text[64];

	if (!record_is_on())
		return;
	(void)snprintf(text, sizeof text, "state %s -> %s", state_names[a->state], state_names[state]);
	record_event(&a->trace, LOG_DEBUG, text);
}

void
assoc_enter(struct assoc *a, enum assoc_state state)
{
	char	text[ADDR_TEXT];

	log_debug("assoc %u: %s -> %s, sock=%llu peer=%s:%u", assoc_id(a),
	    state_names[a->state], state_names[state],
	    a->sock != NULL ? (unsigned long long)a->sock->node.key : 0,
	    addr_text(&a->peer, text), addr_port(&a->peer));
	if (state != a->state)
		record_state(a, state);
	a->state = state;
	if (a->sock != NULL)
		a->port = a->sock->port;
	if (state == ASSOC_UP)
		trace_up(&a->trace);
	assoc_mark(a);
	assoc_changed(a);
}

void
assoc_move(struct assoc *a, struct sock *to)
{
	if (to == NULL && (a->closer = a->sock->closer) != NULL)
		a->closer->left++;
	if (a->sock != NULL) {
		a->sock->waiting -= a->waiting;
		hash_remove(&a->sock->assocs, &a->node);
	}
	a->sock = to;
	assoc_mark(a);
	if (to != NULL)
		assoc_set_user(a, to->uid);
	assoc_changed(a);
	if (to != NULL) {
		to->waiting += a->waiting;
		hash_add(&to->assocs, &a->node, a->node.key);
	} else
		nlingering++;
}

void
assoc_forget(struct assoc *a)
{
	unlist_counted(a);
	if (a->watched != NULL)
		a->watched->free(a);
	unmark(a);
	record_free(&a->trace);
	free(a->tapped);
	kept_drop(&a->kept);
	if (a->sock != NULL)
		hash_remove(&a->sock->assocs, &a->node);
	else
		nlingering--;
	nassocs--;
	discharge_user(a);
	free(a);
}
