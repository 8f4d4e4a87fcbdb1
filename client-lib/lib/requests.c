/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that wait for an answer.
 *
 * Ids of requests are slot numbers with a count of the slot's uses above, so
 * an answer is found without a search and a wrong one is known as such.
 */
#include <stdlib.h>

#include "lib/groups.h"
#include "lib/requests.h"

#define FIRST_SLOTS	16u
/*
 * A session's slots take turns, so that no id comes again before 16 million
 * others: an answer that is given twice is known by its id.
 */
#define SESSION_SLOTS	4096u

static bool
slots_grow(struct sctpd *c)
{
	uint32_t	 room = c->room > 0 ? c->room * 2 :
	    c->session.on ? SESSION_SLOTS : FIRST_SLOTS;
	struct request	*r;

	if (room > SLOT_MASK || (r = realloc(c->requests, room * sizeof *r)) == NULL)
		return false;
	for (uint32_t i = c->room; i < room; i++)
		r[i] = (struct request){ .id = i, .next_free = i + 1 };
	c->requests = r;
	c->room = room;
	c->last_free = room - 1;
	return true;
}

struct request *
request_take(struct sctpd *c)
{
	struct request	*r;

	if (c->free == c->room && !slots_grow(c))
		return NULL;
	r = &c->requests[c->free];
	c->free = r->next_free;
	c->pending++;
	r->id += 1u << SLOT_BITS;
	r->gives = false;
	r->group = NULL;
	return r;
}

void
request_free(struct sctpd *c, struct request *r)
{
	uint32_t	 slot = r->id & SLOT_MASK;

	c->pending -= r->state != REQUEST_OWN;
	c->session.gives -= r->gives;
	if (r->group != NULL)
		group_release(c, r->group);
	r->group = NULL;
	r->state = REQUEST_FREE;
	if (c->session.on && c->free != c->room) {
		r->next_free = c->room;
		c->requests[c->last_free].next_free = slot;
		c->last_free = slot;
		return;
	}
	if (c->free == c->room)
		c->last_free = slot;
	r->next_free = c->free;
	c->free = slot;
}
