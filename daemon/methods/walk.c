/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of associations.
 */
#include "methods/policy.h"
#include "methods/walk.h"
#include "rpc/turn.h"

#define SOCKS_A_UNIT	16	/* see rpc/turn.h */

/* Find the next association, from here or from the sockets after this. */
static void
go_on(struct walk *w)
{
	size_t	looked_at = 0;

	while (w->next == NULL && w->sock != NULL && !w->one_sock) {
		w->sock = sock_after(&w->sock->node.key);
		if (w->sock != NULL && policy_may_see(w->client, w->sock->uid))
			w->next = assoc_after(w->sock, NULL);
		looked_at++;
	}
	turn_cost(looked_at / SOCKS_A_UNIT);
}

/* Who may see a socket in the list of all may ask for its associations alone. */
static enum error
find_visible(const struct call *call, uint64_t handle, struct sock **s)
{
	if ((*s = sock_find(handle)) != NULL && policy_may_see(call->client, (*s)->uid))
		return ERR_OK;
	return find_sock(call, handle, s);
}

static enum error
begin_in_sock(struct walk *w, const struct call *call, const struct walk_range *r)
{
	enum error	e;

	w->one_sock = true;
	if ((e = find_visible(call, *r->sock, &w->sock)) != ERR_OK)
		return e;
	if (r->assoc_id != NULL && r->after_assoc != NULL)
		return call_fail(ERR_badarg, "after_assoc: there is nothing after the one that assoc_id names");
	if (r->assoc_id == NULL) {
		w->next = assoc_after(w->sock, r->after_assoc);
		return ERR_OK;
	}
	w->one_assoc = true;
	return find_assoc(w->sock, *r->assoc_id, &w->next);
}

/* The first socket of the walk, whose associations may begin behind one. */
static void
begin_in_all(struct walk *w, const struct walk_range *r)
{
	bool	there;

	w->sock = r->after_sock != NULL ? sock_find(*r->after_sock) : NULL;
	there = w->sock != NULL;
	if (!there)
		w->sock = sock_after(r->after_sock);
	if (w->sock != NULL && policy_may_see(w->client, w->sock->uid))
		w->next = assoc_after(w->sock, there ? r->after_assoc : NULL);
	go_on(w);
}

enum error
walk_begin(struct walk *w, const struct call *call, const struct walk_range *r)
{
	*w = (struct walk){ .client = call->client };
	if ((r->after_sock == NULL) != (r->after_assoc == NULL))
		return call_fail(ERR_badarg, "%s: give %s as well: both are of the last association of the page before",
		    r->after_sock != NULL ? "after_sock" : "after_assoc",
		    r->after_sock != NULL ? "after_assoc" : "after_sock");
	if (r->sock != NULL && r->after_sock != NULL && *r->sock != *r->after_sock)
		return call_fail(ERR_badarg, "after_sock: with sock it must be the same");
	if (r->sock != NULL)
		return begin_in_sock(w, call, r);
	if (r->assoc_id != NULL)
		return call_fail(ERR_badarg, "assoc_id: give its socket in sock as well");
	begin_in_all(w, r);
	return ERR_OK;
}

struct assoc *
walk_next(struct walk *w)
{
	struct assoc	*a = w->next;
	uint32_t	 id;

	if (a == NULL)
		return NULL;
	id = assoc_id(a);
	w->next = w->one_assoc ? NULL : assoc_after(w->sock, &id);
	go_on(w);
	return a;
}

bool
walk_more(const struct walk *w)
{
	return w->next != NULL;
}
