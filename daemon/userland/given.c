/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: how many messages usrsctp has of an association's.
 *
 * Its send buffer counts their bytes and nothing of the 400 that it has around
 * each: messages of a byte to a peer that reads nothing took 1.6 GB. So there
 * is a limit to their number too, by the size of that buffer
 * (userland-budget.c). usrsctp does not say how many it has, only how many
 * bytes, and does so for the asking: it is asked where as many were given as
 * it may have. Messages go in the order in which they were given, so those
 * that were given before the bytes that it has left are gone.
 *
 * That holds for messages that nothing is left out of: those that may be given
 * up count as messages and not as bytes, and where a scheduler changes the
 * order, or the count stays too high for another reason, all are gone only
 * when there are no bytes any more.
 */
#include "userland.h"

/* The library has it, though its header has not. */
#define GET_SNDBUF_USE	0x00001101
#define DATA_CHUNK	16

struct sndbuf_use {
	sctp_assoc_t	assoc_id;
	uint32_t	sending;
	uint32_t	receiving;
};

/* The bytes that it has at most, or -1. Of chunks it counts the heads too. */
static int64_t
bytes_left(const struct assoc *a)
{
	struct sndbuf_use	use = { .assoc_id = userland_id(a) };
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	socklen_t		len = sizeof use;
	int64_t			heads;

	if (usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, GET_SNDBUF_USE, &use, &len) == -1)
		return -1;
	len = sizeof st;
	if (use.sending == 0 || usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_STATUS, &st,
	    &len) == -1)
		return use.sending;
	heads = (int64_t)DATA_CHUNK * st.sstat_unackdata;
	return use.sending > heads ? use.sending - heads : 1;
}

static bool
is_in_order(const struct assoc *a)
{
	struct sctp_assoc_value	v = { .assoc_id = userland_id(a) };
	socklen_t		len = sizeof v;

	return usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_PLUGGABLE_SS, &v, &len) == 0 &&
	    v.assoc_value == SCTP_SS_FIRST_COME;
}

static void
look_what_is_gone(struct assoc *a)
{
	struct given	*g = &a->stack.userland->given;
	int64_t		 left = bytes_left(a);

	if (left <= 0)
		g->gone = g->messages;		/* or all of it is over */
	if (left <= 0 || (uint64_t)left > g->bytes || !is_in_order(a))
		return;
	for (size_t i = 0; i < GIVEN_MARKS; i++) {
		if (g->mark[i].bytes <= g->bytes - (uint64_t)left &&
		    g->mark[i].messages > g->gone)
			g->gone = g->mark[i].messages;
	}
}

bool
given_may_be_more(struct assoc *a)
{
	struct given	*g = &a->stack.userland->given;

	if (g->messages - g->gone < a->stack.userland->messages)
		return true;
	look_what_is_gone(a);
	return g->messages - g->gone < a->stack.userland->messages;
}

void
given_more(struct assoc *a, size_t len, bool may_be_given_up)
{
	struct given	*g = &a->stack.userland->given;
	unsigned	 step = a->stack.userland->messages / GIVEN_MARKS;	/* between two marks */

	g->messages++;
	g->bytes += may_be_given_up ? 0 : len;
	if (g->messages % step == 0)
		g->mark[g->messages / step % GIVEN_MARKS] =
		    (struct given_mark){ g->messages, g->bytes };
}
