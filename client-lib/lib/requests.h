/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that wait for an answer. */
#ifndef LIB_REQUESTS_H
#define LIB_REQUESTS_H

#include "lib/internal.h"

#define SLOT_BITS	20
#define SLOT_MASK	((1u << SLOT_BITS) - 1)

/* The request of an id that is known to be in use. */
static inline struct request *
request_at(const struct sctpd *c, uint32_t id)
{
	return &c->requests[id & SLOT_MASK];
}

/* The one of that id that is not answered, or NULL. */
static inline struct request *
request_find(const struct sctpd *c, uint64_t id)
{
	struct request	*r;

	if ((id & SLOT_MASK) >= c->room)
		return NULL;
	r = request_at(c, (uint32_t)id);
	return r->state != REQUEST_FREE && r->id == id ? r : NULL;
}

/* A free one, with a new id. NULL without memory. */
struct request *request_take(struct sctpd *);
void request_free(struct sctpd *, struct request *);

#endif
