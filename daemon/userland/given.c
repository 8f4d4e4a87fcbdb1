/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: how many messages of an association usrsctp has.
 *
 * The send buffer of usrsctp counts the bytes of messages, and none of the 400
 * bytes that usrsctp takes around each message. Messages of one byte to a peer
 * that reads nothing took 1.6 GB. So the number of messages is limited, too, by
 * the size of the send buffer (userland/budget.c). usrsctp does not say how
 * many messages it has, only how many bytes, and only when asked. It is asked
 * once as many messages were given as it may have. Messages leave in the order
 * in which they were given. So of all the bytes that were given usrsctp has the
 * last ones, and the messages before those are gone.
 *
 * That holds only if no message is left out. So messages that may be given up
 * (RFC 3758) count as messages and not as bytes. If a scheduler changes the
 * order, or if the count stays too high for another reason, all messages count
 * as gone only when no bytes are left.
 */
#include "userland/userland.h"

/* The library has this option, though its header does not. */
#define GET_SNDBUF_USE	0x00001101
#define DATA_CHUNK	16

struct sndbuf_use {
	sctp_assoc_t	assoc_id;
	uint32_t	sending;
	uint32_t	receiving;
};

/*
 * The most bytes of messages that usrsctp can have, or -1. usrsctp counts the
 * heads of chunks, too.
 */
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
		g->gone = g->messages;		/* -1: the association is over */
	if (left <= 0 || (uint64_t)left > g->bytes || !is_in_order(a))
		return;
	for (size_t i = 0; i < GIVEN_MARKS; i++) {
		if (g->mark[i].bytes <= g->bytes - (uint64_t)left &&
		    g->mark[i].messages > g->gone)
			g->gone = g->mark[i].messages;
	}
}

uint64_t
userland_queued(struct assoc *a)
{
	struct sndbuf_use	use = { .assoc_id = userland_id(a) };
	socklen_t		len = sizeof use;

	return usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, GET_SNDBUF_USE, &use, &len) == 0 ?
	    use.sending : 0;
}

bool
userland_outstanding(struct assoc *a, struct stack_outstanding *o)
{
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	struct sctp_assocparams	own = { .sasoc_assoc_id = st.sstat_assoc_id };
	socklen_t		len = sizeof st;

	if (usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
		return false;
	len = sizeof own;
	if (usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_ASSOCINFO, &own, &len) == -1)
		return false;
	*o = (struct stack_outstanding){
		.acked = a->trace.sent.bytes + (uint64_t)DATA_CHUNK * st.sstat_unackdata - userland_queued(a),
		.answers = a->stack.userland->path->beats,
		.unacked = st.sstat_unackdata,
		.window = st.sstat_rwnd,
		.own_closed = own.sasoc_local_rwnd < st.sstat_fragmentation_point,
		.path = a->peer,
	};
	o->sacks = o->acked;
	return true;
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
	unsigned	 step = a->stack.userland->messages / GIVEN_MARKS;	/* between marks */

	g->messages++;
	g->bytes += may_be_given_up ? 0 : len;
	if (g->messages % step == 0)
		g->mark[g->messages / step % GIVEN_MARKS] =
		    (struct given_mark){ g->messages, g->bytes };
}
