/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shares, and who gets them.
 */
#include <stdlib.h>
#include <string.h>

#include "group/share.h"
#include "proto/addr.h"
#include "rpc/call.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/owner.h"
#include "trace/trace.h"
#include "util/counter.h"
#include "util/fault.h"
#include "util/mem.h"

#define COST	(sizeof(struct share) + MALLOC_EXTRA)

/* ---- who gets one ---------------------------------------------------- */

/* The finisher of splitmix64 (public domain, Sebastiano Vigna). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Rendezvous hashing: the member with the largest weight for a peer gets it. */
static uint64_t
weight(const struct member *m, const struct share *h)
{
	const struct assoc	*a = assoc_next(h->sock, NULL);
	const unsigned char	*p = NULL;
	size_t			 n = 0;
	uint64_t		 sum = mix(m->client->node.key);

	if (a == NULL)
		return sum;
	if (a->peer.ss_family == AF_INET) {
		p = (const void *)&((const struct sockaddr_in *)(const void *)&a->peer)->sin_addr;
		n = sizeof(struct in_addr);
	} else if (a->peer.ss_family == AF_INET6) {
		p = (const void *)&((const struct sockaddr_in6 *)(const void *)&a->peer)->sin6_addr;
		n = sizeof(struct in6_addr);
	}
	for (size_t i = 0; i < n; i++)
		sum = mix(sum + p[i] + 1);
	return mix(sum + addr_port(&a->peer));
}

static bool
is_better(const struct member *m, const struct member *than, const struct share *h)
{
	if (than == NULL)
		return true;
	if (h->group->policy == GROUP_ACTIVE_STANDBY)
		return false;		/* the members are in the order of priority */
	if (h->group->by == GROUP_BY_HASH)
		return weight(m, h) > weight(than, h);
	return m->n < than->n;
}

static struct member *
best_of(const struct share *h, bool draining)
{
	struct member	*m, *best = NULL;

	TAILQ_FOREACH(m, &h->group->members, entry) {
		if (member_is_here(m) && m->draining == draining && is_better(m, best, h))
			best = m;
	}
	return best;
}

/* Members that drain keep what they have if there is nobody else. */
static struct member *
choose(const struct share *h)
{
	struct member	*m = best_of(h, false);

	if (m != NULL)
		return m;
	if (h->member != NULL && !h->member->gone)
		return h->member;
	return best_of(h, true);
}

static void
set_member(struct share *h, struct member *m)
{
	if (h->member != NULL)
		h->member->n--;
	h->member = m;
	if (m != NULL)
		m->n++;
}

static void
set_holder(struct share *h, struct member *m)
{
	h->group->nunheld -= h->holder == NULL;
	h->holder = m;
	h->group->nunheld += m == NULL;
}

/* ---- it goes ---------------------------------------------------------- */

static void
rest(struct share *h)
{
	if (h->is_resting)
		return;
	h->is_resting = true;
	TAILQ_INSERT_TAIL(&h->holder->resting, h, resting);
	h->holder->client->starved = true;	/* without acknowledgements: look when it was written to */
}

static void
rest_no_more(struct share *h)
{
	if (!h->is_resting)
		return;
	h->is_resting = false;
	TAILQ_REMOVE(&h->holder->resting, h, resting);
	h->sock->passing = false;
}

static void
tell_assigned(const struct share *h, const struct member *from)
{
	struct event_assigned	 e = {
		.group = { h->group->name, (uint32_t)strlen(h->group->name) },
		.from_member = from != NULL ? from->client->node.key : 0,
	};
	const struct assoc	*a = assoc_next(h->sock, NULL);

	if (a != NULL) {
		e.assoc_id = assoc_id(a);
		e.peer = a->peer;
	}
	client_tell(h->member->client, EVENT_assigned, h->sock->node.key, &e);
}

static void
tell_unassigned(const struct share *h, const struct member *from)
{
	const struct assoc	*a = assoc_next(h->sock, NULL);
	struct event_unassigned	 e = {
		.group = { h->group->name, (uint32_t)strlen(h->group->name) },
		.assoc_id = a != NULL ? assoc_id(a) : (uint32_t)h->node.key,
		.to_member = h->member != NULL ? h->member->client->node.key : 0,
	};

	client_tell(from->client, EVENT_unassigned, h->sock->node.key, &e);
}

static void
end_recv(struct sock *s)
{
	struct call	*call = s->recv;

	if (call == NULL)
		return;
	s->recv = NULL;
	call_finish_error(call, ERR_closed, "sock %llu: it goes to another member of its group",
	    (unsigned long long)s->node.key);
}

/* The socket goes to its member now, with what the holder has not acknowledged. */
static void
give(struct share *h)
{
	struct sock	*s = h->sock, *groups = h->group->sock;
	struct member	*from = h->holder;

	rest_no_more(h);
	if (from == h->member)
		return;
	end_recv(s);
	if (from != NULL && !from->gone)
		tell_unassigned(h, from);
	set_holder(h, h->member);
	if (h->member != NULL && s != groups) {
		s->active = groups->active;
		s->count = groups->count;
	}
	if (h->member != NULL)
		tell_assigned(h, from);
	if (from != NULL) {
		h->group->handovers++;
		COUNT(handovers, 1);
	}
	h->group->again += sock_move(s, h->member != NULL ? h->member->client : h->group->resident);
	if (from != NULL)
		fault_point("handover");
	if (h->holder != NULL && s->over)
		share_over(h);
}

/* Its member has changed: it goes there at once or when its holder has handled what it was sent. */
static void
pass(struct share *h)
{
	if (h->member == h->holder) {
		if (!h->sock->over)
			rest_no_more(h);
		h->sock->passing = false;
		sock_pump(h->sock);
		return;
	}
	if (h->holder == NULL || h->holder->gone || member_has_handled(h->holder, h->sock->last)) {
		give(h);
		return;
	}
	end_recv(h->sock);
	rest(h);
	if (!h->sock->passing)		/* whoever is to have it: it has waited since then */
		h->since = trace_now();
	member_is_waited_for(h->holder);
	h->sock->passing = true;
	sock_pump(h->sock);
}

bool
share_go_on(struct member *m)
{
	struct share	*h, *next;
	bool		 ends;

	for (h = TAILQ_FIRST(&m->resting); h != NULL; h = next) {
		next = TAILQ_NEXT(h, resting);
		if (!member_has_handled(m, h->sock->last))
			continue;
		if (h->sock->over && h->sock->npending == 0) {
			ends = h->sock == m->group->sock;	/* that is shared itself */
			sock_close(h->sock, NULL);
			if (ends)
				return false;
		} else if (h->member != h->holder)
			give(h);
	}
	if (!TAILQ_EMPTY(&m->resting))
		m->client->starved = true;
	return true;
}

void
share_over(struct share *h)
{
	if (h->holder == NULL)
		return;
	rest(h);
	group_look_soon(h->group);
}

void
share_assign(struct share *h)
{
	set_member(h, choose(h));
	if (h->member != h->holder)
		give(h);
}

/* ---- sharing anew ----------------------------------------------------- */

/* The member with the fewest shares of those in service; or NULL. */
static struct member *
least_loaded(const struct group *g)
{
	struct member	*m, *least = NULL;

	TAILQ_FOREACH(m, &g->members, entry) {
		if (member_is_here(m) && !m->draining && (least == NULL || m->n < least->n))
			least = m;
	}
	return least;
}

/* Nothing moves without need: only from members that have two more than another. */
static struct member *
want(const struct share *h)
{
	struct member	*least;

	if (h->group->policy != GROUP_STICKY || h->group->by != GROUP_BY_LOAD || h->member == NULL ||
	    h->member->draining)
		return choose(h);
	least = least_loaded(h->group);
	return least != NULL && h->member->n > least->n + 1 ? least : h->member;
}

void
share_balance(struct group *g)
{
	struct share	*h;
	struct member	*m;

	TAILQ_FOREACH(h, &g->shares, entry) {
		/* What one that is over left goes to the first who is there, and stays with that. */
		if ((h->sock->over && h->holder != NULL) || (m = want(h)) == NULL || m == h->member)
			continue;
		set_member(h, m);
		pass(h);
	}
}

void
share_assign_all(struct group *g)
{
	struct share	*h;

	TAILQ_FOREACH(h, &g->shares, entry) {
		if (h->holder == NULL)
			share_assign(h);
	}
}

void
share_take_all(struct member *m)
{
	struct share	*h, *next;

	for (h = TAILQ_FIRST(&m->group->shares); h != NULL; h = next) {
		next = TAILQ_NEXT(h, entry);
		if (h->member == m)
			set_member(h, choose(h));
		else if (h->holder != m)
			continue;
		if (h->member == m)
			set_member(h, NULL);
		if (h->holder == m && h->sock->over && h->sock->npending == 0 &&
		    member_has_handled(m, h->sock->last))
			sock_close(h->sock, NULL);
		else
			pass(h);
	}
}

size_t
share_going(const struct member *m, uint64_t *since)
{
	struct share	*h;
	size_t		 n = 0;

	*since = 0;
	TAILQ_FOREACH(h, &m->resting, resting) {
		if (h->member == m)
			continue;
		if (n++ == 0 || h->since < *since)
			*since = h->since;
	}
	return n;
}

/* ---- life ------------------------------------------------------------- */

struct share *
share_find(const struct group *g, uint32_t id)
{
	return HASH_FIND(share, &g->by_id, id);
}

struct share *
share_new(struct group *g, struct sock *s)
{
	struct share		*h = xcalloc(1, sizeof *h);
	const struct assoc	*a = assoc_next(s, NULL);

	h->group = g;
	g->nunheld++;
	h->sock = s;
	s->share = h;
	s->group = g->node.key;
	sock_changed(s);
	TAILQ_INSERT_TAIL(&g->shares, h, entry);
	hash_add(&g->by_id, &h->node, a != NULL ? assoc_id(a) : 0);
	account_charge(&g->resident->account, COST);
	return h;
}

void
share_was_sent(void *arg, uint64_t seq, uint64_t handle, enum message_kind kind, struct slice packed)
{
	const struct member	*m = arg;
	struct sock		*s = sock_find(handle);

	(void)kind, (void)packed;
	if (s != NULL && s->owner == m->client)
		s->last = seq;
}

void
share_restore(struct group *g, struct sock *s)
{
	struct share	*h = share_new(g, s);

	set_holder(h, group_find_member(g, s->owner));
	set_member(h, h->holder);
	if (s->over)
		share_over(h);
}

void
share_free(struct share *h)
{
	struct group	*g = h->group;

	rest_no_more(h);
	set_member(h, NULL);
	set_holder(h, NULL);
	g->nunheld--;
	h->sock->share = NULL;
	h->sock->group = 0;
	sock_changed(h->sock);
	TAILQ_REMOVE(&g->shares, h, entry);
	hash_remove(&g->by_id, &h->node);
	account_discharge(&g->resident->account, COST);
	free(h);
}
