/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spreading messages: see spread.h.
 */
#include <stdlib.h>
#include <string.h>

#include "group/spread.h"
#include "proto/codec.h"
#include "socket/deliver.h"
#include "socket/event.h"
#include "stack/stack.h"
#include "trace/trace.h"
#include "util/counter.h"
#include "util/mem.h"

#define NOBODY	0xff
#define COST	(GROUP_SLOTS * sizeof(struct slot) + MALLOC_EXTRA)

_Static_assert(GROUP_MEMBERS < NOBODY, "a member's place is a byte");

/* ---- which slot ------------------------------------------------------- */

/* FNV-1a of the key in a message; of a shorter message, of what it has of it. */
static uint32_t
slot_of_bytes(const struct group *g, struct slice data)
{
	uint64_t	sum = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = g->offset; i < data.len && i - g->offset < g->length; i++)
		sum = (sum ^ (unsigned char)data.ptr[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)((sum ^ sum >> 32) % GROUP_SLOTS);
}

static uint32_t
slot_of(const struct group *g, uint32_t ppid, uint32_t stream, struct slice data)
{
	if (g->by == GROUP_BY_PPID)
		return ppid % GROUP_SLOTS;
	if (g->by == GROUP_BY_STREAM)
		return stream % GROUP_SLOTS;
	return slot_of_bytes(g, data);
}

uint32_t
spread_slot(const struct sock *s, const struct stack_event *e)
{
	const struct event_data	*d = e->body;
	const struct group	*g = group_find(s->group);

	if (e->row != EVENT_data || g == NULL || g->slots == NULL)
		return NO_SLOT;
	return slot_of(g, d->sctp_sndrcvinfo.ppid, d->sctp_sndrcvinfo.stream, d->data);
}

static const msgpack_object *
value_of(const msgpack_object *map, const char *key)
{
	for (uint32_t i = 0; map->type == MSGPACK_OBJECT_MAP && i < map->via.map.size; i++) {
		if (codec_is(&map->via.map.ptr[i].key, key))
			return &map->via.map.ptr[i].val;
	}
	return NULL;
}

static uint32_t
number_of(const msgpack_object *map, const char *key)
{
	const msgpack_object	*o = map != NULL ? value_of(map, key) : NULL;

	return o != NULL && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (uint32_t)o->via.u64 : 0;
}

/* The slot of a message that was packed already. Only messages have the field data alone. */
static uint32_t
slot_of_packed(const struct group *g, const msgpack_object *map, const msgpack_object *name)
{
	const msgpack_object	*info = value_of(map, "sctp_sndrcvinfo"), *data = value_of(map, "data");
	struct slice		 bytes;

	if (!codec_is(name, "data") || data == NULL || data->type != MSGPACK_OBJECT_BIN)
		return NO_SLOT;
	bytes = (struct slice){ data->via.bin.ptr, data->via.bin.size };
	return slot_of(g, number_of(info, "ppid"), number_of(info, "stream"), bytes);
}

/* ---- dealing ---------------------------------------------------------- */

/* Members that get slots: those in service or, without any, those that are here. */
static size_t
in_service(const struct group *g, struct member *list[GROUP_MEMBERS])
{
	struct member	*m;
	size_t		 n = 0;

	TAILQ_FOREACH(m, &g->members, entry) {
		if (member_is_here(m) && !m->draining && !m->gone)
			list[n++] = m;
	}
	if (n > 0)
		return n;
	TAILQ_FOREACH(m, &g->members, entry) {
		if (member_is_here(m) && !m->gone)
			list[n++] = m;
	}
	return n;
}

static size_t
place_in(struct member *const *list, size_t n, const struct member *m)
{
	size_t	i = 0;

	while (i < n && list[i] != m)
		i++;
	return i;
}

/*
 * Each gets as many slots as the others, or one more; who has a slot keeps it if it
 * may. What it loses lies evenly among what it has, as keys are often small numbers.
 */
static void
take_excess(struct group *g, struct member *const *list, size_t n, size_t has[])
{
	size_t	owned[GROUP_MEMBERS] = { 0 }, seen[GROUP_MEMBERS] = { 0 }, at, may, i;

	for (i = 0; i < GROUP_SLOTS; i++) {
		if ((at = place_in(list, n, g->slots[i].want)) < n)
			owned[at]++;
	}
	for (i = 0; i < GROUP_SLOTS; i++) {
		at = place_in(list, n, g->slots[i].want);
		may = at < n ? GROUP_SLOTS / n + (at < GROUP_SLOTS % n) : 0;
		if (at < n && seen[at]++ < GROUP_SLOTS && (owned[at] <= may ||
		    seen[at] * may / owned[at] != (seen[at] - 1) * may / owned[at]))
			has[at]++;
		else
			g->slots[i].want = NULL;
	}
}

static void
enqueue(struct pending_queue *q, struct pending *p)
{
	if (p->queue != NULL)
		TAILQ_REMOVE(p->queue, p, queued);
	p->queue = q;
	TAILQ_INSERT_TAIL(q, p, queued);
}

/* The slot goes to the member that is to have it, if the one before has nothing of it any more. */
static bool
settle(struct group *g, struct slot *slot)
{
	struct pending	*p;

	if (slot->has == slot->want)
		return slot->has != NULL;
	if (slot->has != NULL && !slot->has->gone && !member_has_handled(slot->has, slot->last)) {
		slot->has->client->starved = true;	/* without acknowledgements: look when it was written to */
		return false;
	}
	if (slot->has != NULL) {
		if (--slot->has->going == 0)
			slot->has->going_since = 0;
		g->handovers++;
		COUNT(handovers, 1);
	}
	slot->has = slot->want;
	slot->last = 0;
	while (slot->has != NULL && (p = TAILQ_FIRST(&slot->queue)) != NULL)
		enqueue(&slot->has->queue, p);
	group_changed(g);
	return slot->has != NULL;
}

static void
put(struct group *g, struct pending *p)
{
	struct slot	*slot;
	struct member	*first;

	if (p->slot == NO_SLOT) {
		first = group_first(g);
		enqueue(first != NULL ? &first->queue : &g->nobodys, p);
		return;
	}
	slot = &g->slots[p->slot % GROUP_SLOTS];
	enqueue(settle(g, slot) ? &slot->has->queue : &slot->queue, p);
}

void
spread_waits(struct sock *s, struct pending *p)
{
	struct group	*g = group_find(s->group);

	if (g != NULL && g->slots != NULL)
		put(g, p);
}

/* Of those who have slots that others are to have, count them. */
static void
count_going(struct group *g)
{
	struct member	*m;
	struct slot	*slot;

	TAILQ_FOREACH(m, &g->members, entry)
		m->going = 0;
	for (slot = g->slots; slot < g->slots + GROUP_SLOTS; slot++) {
		if (slot->has != NULL && slot->has != slot->want)
			slot->has->going++;
	}
	TAILQ_FOREACH(m, &g->members, entry) {
		if (m->going == 0)
			m->going_since = 0;
		else if (m->going_since == 0)
			m->going_since = trace_now();
		if (m->going > 0)
			member_is_waited_for(m);
	}
}

static void
unqueue(struct group *g)
{
	struct pending	*p;

	TAILQ_FOREACH(p, &g->sock->pending, entry) {
		if (p->queue != NULL)
			TAILQ_REMOVE(p->queue, p, queued);
		p->queue = NULL;
	}
}

/* Slots have other members: put all that waits where it belongs now. */
static void
put_anew(struct group *g)
{
	struct pending	*p;

	count_going(g);
	unqueue(g);
	for (size_t i = 0; i < GROUP_SLOTS; i++)
		(void)settle(g, &g->slots[i]);
	TAILQ_FOREACH(p, &g->sock->pending, entry)
		put(g, p);
}

void
spread_deal(struct group *g)
{
	struct member	*list[GROUP_MEMBERS];
	size_t		 has[GROUP_MEMBERS] = { 0 };
	size_t		 n = in_service(g, list), at = 0;

	take_excess(g, list, n, has);
	for (size_t i = 0; i < GROUP_SLOTS && n > 0; i++) {
		if (g->slots[i].want != NULL)
			continue;
		while (has[at] >= GROUP_SLOTS / n + (at < GROUP_SLOTS % n))
			at = (at + 1) % n;
		g->slots[i].want = list[at];
		has[at]++;
		at = (at + 1) % n;
	}
	put_anew(g);
	group_changed(g);
}

/* ---- handing out ------------------------------------------------------ */

static void
hand_out_to(struct member *m)
{
	struct group	*g = m->group;
	struct sock	*s = g->sock;
	struct pending	*p;
	msgpack_packer	*pk;

	while ((p = TAILQ_FIRST(&m->queue)) != NULL && client_has_room(m->client)) {
		pk = client_event_begin(m->client, p->row, s->node.key, p->fields, true);
		(void)pk->callback(pk->data, p->record->body, p->len);
		if (p->slot != NO_SLOT)
			g->slots[p->slot % GROUP_SLOTS].last = m->client->out.seq;
		sock_drop_pending(s, p);
	}
}

void
spread_pump(struct sock *s)
{
	struct group	*g = group_find(s->group);
	struct member	*m;

	if (g == NULL)
		return;
	TAILQ_FOREACH(m, &g->members, entry)
		hand_out_to(m);
}

void
spread_go_on(struct member *m)
{
	struct slot	*slots = m->group->slots;

	for (size_t i = 0; i < GROUP_SLOTS && m->going > 0; i++) {
		if (slots[i].has == m)
			(void)settle(m->group, &slots[i]);
	}
}

void
spread_settle(struct group *g)
{
	struct pending	*p, *next;
	struct member	*m;

	TAILQ_FOREACH(m, &g->members, entry)
		spread_go_on(m);
	for (p = TAILQ_FIRST(&g->nobodys); p != NULL && group_first(g) != NULL; p = next) {
		next = TAILQ_NEXT(p, queued);
		put(g, p);
	}
}

/* ---- what somebody had ------------------------------------------------ */

/* A slot whose member is gone goes to the next at once. */
static struct client *
next_for(struct group *g, uint32_t i)
{
	struct slot	*slot;

	if (i == NO_SLOT)
		return group_lead(g);
	slot = &g->slots[i];
	(void)settle(g, slot);
	return slot->has != NULL ? slot->has->client : g->resident;
}

/* Unpack an event. Gives its map, or NULL, and its slot. */
static const msgpack_object *
unpack(const struct group *g, msgpack_unpacked *u, enum message_kind kind, struct slice packed,
    uint32_t *slot)
{
	const msgpack_object	*map;
	size_t			 off = 0;

	if (msgpack_unpack_next(u, packed.ptr, packed.len, &off) != MSGPACK_UNPACK_SUCCESS ||
	    (map = event_map(&u->data, kind)) == NULL)
		return NULL;
	*slot = g->slots != NULL ? slot_of_packed(g, map, &u->data.via.array.ptr[1]) : NO_SLOT;
	return map;
}

static void
give_message(void *arg, enum message_kind kind, const char *p, size_t len)
{
	const msgpack_object	*map;
	struct group		*g = arg;
	msgpack_unpacked	 u;
	uint32_t		 slot;
	struct client		*to;

	msgpack_unpacked_init(&u);
	if ((map = unpack(g, &u, kind, (struct slice){ p, (uint32_t)len }, &slot)) != NULL) {
		to = next_for(g, slot);
		g->again++;
		event_repack(to, g->node.key, map, &u.data);
		if (slot != NO_SLOT)
			g->slots[slot].last = to->out.seq;
	}
	msgpack_unpacked_destroy(&u);
}

void
spread_take(struct group *g, struct client *c)
{
	if (c->away || !c->out.self_acking)
		output_take(&c->out, g->node.key, give_message, g);
}

void
spread_forget(struct member *m)
{
	struct group	*g = m->group;

	for (size_t i = 0; i < GROUP_SLOTS; i++) {
		if (g->slots[i].has == m)
			g->slots[i].has = NULL;
		if (g->slots[i].want == m)
			g->slots[i].want = NULL;
	}
}

size_t
spread_count(const struct member *m)
{
	size_t	n = 0;

	for (size_t i = 0; i < GROUP_SLOTS; i++)
		n += m->group->slots[i].want == m;
	return n;
}

bool
spread_lacks(const struct member *m)
{
	size_t	has = 0;

	for (size_t i = 0; i < GROUP_SLOTS; i++) {
		if (m->group->slots[i].want == NULL)
			return true;
		has += m->group->slots[i].want == m;
	}
	return has == 0 && !m->draining;
}

/* ---- life ------------------------------------------------------------- */

void
spread_begin(struct group *g)
{
	g->slots = xcalloc(GROUP_SLOTS, sizeof *g->slots);
	account_charge(&g->resident->account, COST);
	for (size_t i = 0; i < GROUP_SLOTS; i++)
		TAILQ_INIT(&g->slots[i].queue);
	g->sock->pends = true;
}

void
spread_end(struct group *g)
{
	if (g->slots == NULL)
		return;
	unqueue(g);
	free(g->slots);
	g->slots = NULL;
	account_discharge(&g->resident->account, COST);
}

static unsigned char
place_of(const struct group *g, const struct member *wanted)
{
	const struct member	*m;
	unsigned char		 at = 0;

	TAILQ_FOREACH(m, &g->members, entry) {
		if (m == wanted)
			return at;
		at++;
	}
	return NOBODY;
}

void
spread_write(const struct group *g, unsigned char to[2 * GROUP_SLOTS])
{
	for (size_t i = 0; i < GROUP_SLOTS; i++) {
		to[2 * i] = place_of(g, g->slots[i].has);
		to[2 * i + 1] = place_of(g, g->slots[i].want);
	}
}

static struct member *
member_at(const struct group *g, unsigned char at)
{
	struct member	*m;

	TAILQ_FOREACH(m, &g->members, entry) {
		if (at-- == 0)
			return m;
	}
	return NULL;
}

/* A member has this event: the last of its slot. */
static void
was_sent(void *arg, uint64_t seq, uint64_t sock, enum message_kind kind, struct slice packed)
{
	const struct member	*m = arg;
	struct group		*g = m->group;
	msgpack_unpacked	 u;
	uint32_t		 slot;

	if (sock != g->node.key)
		return;
	msgpack_unpacked_init(&u);
	if (unpack(g, &u, kind, packed, &slot) != NULL && slot != NO_SLOT && g->slots[slot].has == m)
		g->slots[slot].last = seq;
	msgpack_unpacked_destroy(&u);
}

void
spread_restore(struct group *g, const unsigned char *from, size_t len)
{
	struct member	*m;

	for (size_t i = 0; i < GROUP_SLOTS && 2 * i + 1 < len; i++) {
		g->slots[i].has = member_at(g, from[2 * i]);
		g->slots[i].want = member_at(g, from[2 * i + 1]);
	}
	TAILQ_FOREACH(m, &g->members, entry)
		output_each_event(&m->client->out, was_sent, m);
	count_going(g);
}
