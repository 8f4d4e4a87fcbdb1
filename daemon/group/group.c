/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups: which there are.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "group/group.h"
#include "util/mem.h"

/* Bytes that a group is charged with, including its record in the journal. */
#define COST	(sizeof(struct group) + MALLOC_EXTRA + 4096)

static struct hash groups;

struct group *
group_next(const struct group *g)
{
	return (struct group *)(void *)hash_next(&groups, g != NULL ? &g->node : NULL);
}

struct group *
group_find(uint64_t sock)
{
	return HASH_FIND(group, &groups, sock);
}

struct group *
group_named(const char *name, size_t len)
{
	struct group	*g = NULL;

	while ((g = group_next(g)) != NULL) {
		if (strlen(g->name) == len && memcmp(g->name, name, len) == 0)
			return g;
	}
	return NULL;
}

struct member *
group_first(const struct group *g)
{
	struct member	*m, *draining = NULL;

	TAILQ_FOREACH(m, &g->members, entry) {
		if (!member_is_here(m))
			continue;
		if (!m->draining)
			return m;
		if (draining == NULL)
			draining = m;
	}
	return draining;
}

struct client *
group_lead(const struct group *g)
{
	struct member	*m = group_first(g);

	return m != NULL ? m->client : g->resident;
}

struct member *
group_find_member(const struct group *g, const struct client *c)
{
	struct member	*m;

	LIST_FOREACH(m, &c->memberships, of_client) {
		if (m->group == g)
			return m;
	}
	return NULL;
}

void
group_changed(struct group *g)
{
	kept_changed(&g->kept);
}

void
member_is_waited_for(struct member *m)
{
	uint32_t	ms = m->group->hand_over_time;
	struct timeval	tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (ms > 0 && !event_pending(&m->overdue, EV_TIMEOUT, NULL))
		(void)evtimer_add(&m->overdue, &tv);
}

/* ---- what is said ---------------------------------------------------- */

void
group_say(const struct group *g, enum line which, const char *cause)
{
	struct log_field	f[] = {
		LINE_TEXT(name, g->name),
		LINE_TEXT(cause, cause),
		LINE_TEXT(policy, group_policy_words[g->policy].name),
		LINE_NUMBER(members, g->nmembers),
		LINE_NUMBER(sock, g->node.key),
		LINE_NUMBER(uid, g->sock->uid),
	};

	if (log_wants(&line_table[which]))
		log_row(&line_table[which], f, sizeof f / sizeof *f);
}

void
member_say(const struct member *m, enum line which, const char *cause, size_t shares, uint64_t messages)
{
	const struct client	*c = m->client;
	struct log_field	 f[] = {
		LINE_TEXT(name, m->group->name),
		LINE_TEXT(cause, cause),
		LINE_TEXT(client_name, c->name != NULL ? c->name : ""),
		LINE_NUMBER(client, c->node.key),
		LINE_NUMBER(shares, shares),
		LINE_NUMBER(messages, messages),
		LINE_NUMBER(members, m->group->nmembers),
		LINE_NUMBER(uid, c->uid),
		LINE_NUMBER(pid, (uint64_t)c->pid),
	};

	if (log_wants(&line_table[which]))
		log_row(&line_table[which], f, sizeof f / sizeof *f);
}

/* ---- what happened --------------------------------------------------- */

void
group_look_soon(struct group *g)
{
	event_active(&g->look, EV_TIMEOUT, 0);
}

/* ---- life ------------------------------------------------------------ */

struct group *
group_new(struct sock *s, struct client *resident, const char *name, void (*write)(struct kept *))
{
	struct group	*g = xcalloc(1, sizeof *g);

	g->sock = s;
	g->resident = resident;
	strncpy(g->name, name, sizeof g->name - 1);
	TAILQ_INIT(&g->members);
	TAILQ_INIT(&g->shares);
	TAILQ_INIT(&g->nobodys);
	kept_init(&g->kept, write);
	hash_add(&groups, &g->node, s->node.key);
	account_charge(&resident->account, COST);
	return g;
}

void
group_free(struct group *g)
{
	account_discharge(&g->resident->account, COST);
	(void)event_del(&g->look);
	(void)event_del(&g->wait);
	hash_remove(&groups, &g->node);
	hash_free(&g->by_id);
	if (groups.count == 0)
		hash_free(&groups);
	kept_drop(&g->kept);
	free(g);
}
