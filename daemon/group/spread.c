/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spreading messages: see spread.h.
 */
#include <string.h>

#include "group/spread.h"
#include "proto/codec.h"
#include "socket/deliver.h"
#include "socket/event.h"
#include "stack/stack.h"
#include "util/counter.h"
#include "util/mem.h"

#define NOBODY	0xff

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
	group_changed(g);
}

/* The slot may go to the member that is to have it: the one before has nothing of it any more. */
static void
settle(struct group *g, struct slot *slot)
{
	if (slot->has == slot->want || (slot->has != NULL && !slot->has->gone &&
	    !member_has_handled(slot->has, slot->last)))
		return;
	if (slot->has != NULL) {
		g->handovers++;
		COUNT(handovers, 1);
	}
	slot->has = slot->want;
	slot->last = 0;
	group_changed(g);
}

/* ---- handing out ------------------------------------------------------ */

static struct member *
member_for(struct group *g, uint32_t i)
{
	struct slot	*slot = &g->slots[i % GROUP_SLOTS];

	settle(g, slot);
	return slot->has == slot->want ? slot->has : NULL;
}

void
spread_pump(struct sock *s)
{
	struct group	*g = group_find(s->group);
	struct pending	*p, *next;
	struct member	*m;
	msgpack_packer	*pk;

	for (p = TAILQ_FIRST(&s->pending); p != NULL && g != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		m = p->slot == NO_SLOT ? group_first(g) : member_for(g, p->slot);
		if (m == NULL || !client_has_room(m->client))
			continue;
		pk = client_event_begin(m->client, p->row, s->node.key, p->fields, true);
		(void)pk->callback(pk->data, p->record->body, p->len);
		if (p->slot != NO_SLOT)
			g->slots[p->slot % GROUP_SLOTS].last = m->client->out.seq;
		sock_drop_pending(s, p);
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
	settle(g, slot);
	return slot->has != NULL ? slot->has->client : g->resident;
}

static void
give_message(void *arg, enum message_kind kind, const char *p, size_t len)
{
	const msgpack_object	*map;
	struct group		*g = arg;
	msgpack_unpacked	 u;
	uint32_t		 slot;
	struct client		*to;
	size_t			 off = 0;

	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, p, len, &off) == MSGPACK_UNPACK_SUCCESS &&
	    (map = event_map(&u.data, kind)) != NULL) {
		slot = g->slots != NULL ? slot_of_packed(g, map, &u.data.via.array.ptr[1]) : NO_SLOT;
		to = next_for(g, slot);
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

/* ---- life ------------------------------------------------------------- */

void
spread_begin(struct group *g)
{
	g->slots = xcalloc(GROUP_SLOTS, sizeof *g->slots);
	g->sock->pends = true;
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

void
spread_restore(struct group *g, const unsigned char *from, size_t len)
{
	for (size_t i = 0; i < GROUP_SLOTS && 2 * i + 1 < len; i++) {
		g->slots[i].has = member_at(g, from[2 * i]);
		g->slots[i].want = member_at(g, from[2 * i + 1]);
		if (g->slots[i].has != NULL)	/* which was the last is not known: all that it was sent */
			g->slots[i].last = g->slots[i].has->client->out.seq;
	}
}
