/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpd_events gave: see events.c.
 */
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/given.h"
#include "lib/message.h"

bool
given_leave(struct sctpd *c)
{
	struct given	*g = &c->given;
	struct buf	 was = c->in;
	size_t		 rest = was.len - was.off;

	if (!g->in_place)
		return true;
	/* One more: see given_end. */
	if (!buf_reserve(&g->aside, rest + 1))
		return false;
	(void)buf_add(&g->aside, was.data + was.off, rest);
	if (g->is_cut && rest > 0)
		g->aside.data[0] = g->cut;
	c->in = g->aside;
	g->aside = was;
	g->is_aside = true;
	g->in_place = g->is_cut = false;
	return true;
}

void
given_back(struct sctpd *c)
{
	struct given	*g = &c->given;
	struct message	*m;

	if (g->giving)
		return;
	while ((m = TAILQ_FIRST(&g->messages)) != NULL) {
		TAILQ_REMOVE(&g->messages, m, entry);
		message_free(m);
	}
	g->mark.number = 0;
	g->n = 0;
	if (g->is_cut && c->in.off < c->in.len)
		c->in.data[c->in.off] = g->cut;
	g->aside.off = g->aside.len = 0;
	g->in_place = g->is_cut = g->is_aside = false;
}

void
given_free(struct sctpd *c)
{
	c->given.giving = false;
	given_back(c);
	buf_free(&c->given.aside);
	free(c->given.events);
}
