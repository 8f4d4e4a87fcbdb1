/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups, in a session: which of the events that wait become other members'.
 *
 * When this client leaves a group, what it has not handled goes to the other
 * members, and so it does when its session has ended. Events of the group's sockets
 * that are queued here must then be thrown away, or they would be handled twice. So
 * the library notes which sockets the client has: "assigned" adds one, "unassigned"
 * takes one away, as by then all of it was handled. A socket whose association ended
 * goes when the event that says so leaves the queue, because what stands before that
 * belongs to the socket, too.
 *
 * A group is known from the first request or event that names it until the client
 * is no member and no request about it is unanswered. Without a session nothing is
 * noted: what was written to such a client is its own.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/groups.h"

#define FIRST_SOCKS	16u

/* The place of the socket among those of the group, which are sorted, or where it would be. */
static size_t
place(const struct group *g, uint64_t sock)
{
	size_t	low = 0, high = g->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (g->socks[middle] < sock)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct group *g, size_t i, uint64_t sock)
{
	return i < g->n && g->socks[i] == sock;
}

static void
add(struct group *g, uint64_t sock)
{
	size_t	i = place(g, sock);

	if (is_at(g, i, sock) || g->n == g->room)
		return;
	memmove(&g->socks[i + 1], &g->socks[i], (g->n - i) * sizeof sock);
	g->socks[i] = sock;
	g->n++;
}

static void
take_away(struct group *g, uint64_t sock)
{
	size_t	i = place(g, sock);

	if (!is_at(g, i, sock))
		return;
	g->n--;
	memmove(&g->socks[i], &g->socks[i + 1], (g->n - i) * sizeof sock);
}

static bool
has_room(struct group *g)
{
	size_t		 room = g->room > 0 ? g->room * 2 : FIRST_SOCKS;
	uint64_t	*socks;

	if (g->n < g->room)
		return true;
	if ((socks = realloc(g->socks, room * sizeof *socks)) == NULL)
		return false;
	g->socks = socks;
	g->room = room;
	return true;
}

/* ---- groups ----------------------------------------------------------- */

static struct group *
find(const struct sctpd *c, const char *name, size_t len)
{
	struct group	*g;

	TAILQ_FOREACH(g, &c->groups, entry) {
		if (g->len == len && memcmp(g->name, name, len) == 0)
			return g;
	}
	return NULL;
}

struct group *
group_get(struct sctpd *c, const char *name, size_t len)
{
	struct group	*g = find(c, name, len);

	if (g != NULL || (g = calloc(1, sizeof *g + len)) == NULL)
		return g;
	memcpy(g->name, name, len);
	g->len = len;
	TAILQ_INSERT_TAIL(&c->groups, g, entry);
	return g;
}

/* Forget it if nothing is known of it. */
static void
tidy(struct sctpd *c, struct group *g)
{
	if (g->requests > 0 || g->n > 0 || g->sock != 0)
		return;
	TAILQ_REMOVE(&c->groups, g, entry);
	free(g->socks);
	free(g);
}

void
group_hold(struct group *g)
{
	g->requests++;
}

void
group_release(struct sctpd *c, struct group *g)
{
	g->requests--;
	tidy(c, g);
}

bool
group_has(const struct group *g, uint64_t sock)
{
	return sock == g->sock || is_at(g, place(g, sock), sock);
}

void
group_left(struct sctpd *c, struct group *g)
{
	g->sock = 0;
	g->n = 0;
	tidy(c, g);
}

void
groups_forget(struct sctpd *c)
{
	struct group	*g, *next;

	for (g = TAILQ_FIRST(&c->groups); g != NULL; g = next) {
		next = TAILQ_NEXT(g, entry);
		group_left(c, g);
	}
}

void
groups_free(struct sctpd *c)
{
	struct group	*g;

	TAILQ_FOREACH(g, &c->groups, entry)
		g->requests = 0;
	groups_forget(c);
}

/* ---- events ----------------------------------------------------------- */

/* The group that the event names, or NULL. */
static struct group *
named(const struct sctpd *c, const struct sctpd_value *fields)
{
	size_t		 len;
	const char	*name = sctpd_str(sctpd_get(fields, "group"), &len);

	return find(c, name, len);
}

bool
groups_reserve(struct sctpd *c, const char *event, const struct sctpd_value *fields)
{
	struct group	*g;
	const char	*name;
	size_t		 len;

	if (strcmp(event, "assigned") != 0)
		return true;
	name = sctpd_str(sctpd_get(fields, "group"), &len);
	return (g = group_get(c, name, len)) != NULL && has_room(g);
}

struct group *
groups_note(struct sctpd *c, const char *event, const struct sctpd_value *fields)
{
	struct group	*g;

	if (TAILQ_EMPTY(&c->groups))
		return NULL;		/* as for almost all programs, with each event */
	if (strcmp(event, "assigned") == 0 && (g = named(c, fields)) != NULL)
		add(g, (uint64_t)sctpd_get_int(fields, "sock"));
	else if (strcmp(event, "unassigned") == 0 && (g = named(c, fields)) != NULL)
		take_away(g, (uint64_t)sctpd_get_int(fields, "sock"));
	else if (strcmp(event, "left") == 0 && (g = named(c, fields)) != NULL) {
		if (!sctpd_int(sctpd_get(fields, "ended")))
			return g;
		group_left(c, g);
	}
	return NULL;
}

void
groups_closed(struct sctpd *c, uint64_t sock)
{
	struct group	*g;

	TAILQ_FOREACH(g, &c->groups, entry)
		take_away(g, sock);
}
