/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each user has of the daemon, and how much more it may have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "journal/journal.h"
#include "util/mem.h"
#include "limits/user.h"

/* One part in so many of each kind is for root alone. */
#define RESERVE_PART	64
/* The least peak after which malloc is told to give memory back. */
#define TRIM_FROM	((size_t)16 << 20)

static struct hash users;
static size_t total[CHARGES];

uint64_t user_turn = 1;

static const struct {
	const char	*limit;		/* the limit for all users; NULL: none */
	const char	*per_user;	/* that of each user; NULL: none */
	const char	*what;
	uint64_t	*max;
	uint64_t	*max_per_user;
} kinds[CHARGES] = {
	[CHARGE_CLIENTS] = { "max_clients", "max_clients_per_user", "connections",
	    &config.max_clients, &config.max_clients_per_user },
	[CHARGE_SOCKETS] = { "max_sockets", "max_sockets_per_user", "sockets",
	    &config.max_sockets, &config.max_sockets_per_user },
	[CHARGE_ASSOCIATIONS] = { "max_associations", "max_associations_per_user", "associations",
	    &config.max_associations, &config.max_associations_per_user },
	[CHARGE_LOOKUPS] = { NULL, "max_lookups_per_user", "host names being looked up",
	    NULL, &config.max_lookups_per_user },
	[CHARGE_MEMORY] = { "max_memory", "max_memory_per_user", "bytes of memory",
	    &config.max_memory, &config.max_memory_per_user },
	[CHARGE_RECORDS] = { "record_memory", NULL, "bytes of records",
	    &config.record_memory, NULL },
};

/* ---- users ---------------------------------------------------------- */

struct user *
user_get(uid_t uid)
{
	struct user	*u = HASH_FIND(user, &users, uid);

	if (u == NULL) {
		u = xcalloc(1, sizeof *u);
		TAILQ_INIT(&u->hungry);
		hash_add(&users, &u->node, uid);
	}
	u->refs++;
	return u;
}

struct user *
user_put(struct user *u)
{
	if (u == NULL || --u->refs > 0)
		return NULL;
	hash_remove(&users, &u->node);
	free(u);
	if (users.count == 0)
		hash_free(&users);
	return NULL;
}

struct user *
user_next(const struct user *u)
{
	return (struct user *)(void *)hash_next(&users, u != NULL ? &u->node : NULL);
}

uid_t
user_uid(const struct user *u)
{
	return (uid_t)u->node.key;
}

/* ---- limits --------------------------------------------------------- */

static size_t
less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* Half of the host's memory, or half of the room for the journal, which lies in that memory. */
static size_t
most_memory(void)
{
	static size_t	most;
	long		pages, size;

	if (most > 0)
		return most;
	pages = sysconf(_SC_PHYS_PAGES);	/* a system call */
	size = sysconf(_SC_PAGESIZE);
	most = journal_room_for_all() / 2;
	if (pages > 0 && size > 0 && (size_t)pages / 2 * (size_t)size < most)
		most = (size_t)pages / 2 * (size_t)size;
	return most;
}

size_t
user_limit(enum charge kind)
{
	if (kinds[kind].max == NULL)
		return SIZE_MAX;
	if (kind == CHARGE_MEMORY && *kinds[kind].max > most_memory())
		return most_memory();
	return *kinds[kind].max;
}

size_t
user_total(enum charge kind)
{
	return total[kind];
}

static bool
is_within_its_own(const struct user *u, enum charge kind, size_t n)
{
	return user_uid(u) == 0 || kinds[kind].max_per_user == NULL ||
	    u->used[kind] + n <= *kinds[kind].max_per_user;
}

static bool
is_within_all(const struct user *u, enum charge kind, size_t n)
{
	size_t	limit = user_limit(kind), left = less(limit, total[kind]);

	if (user_uid(u) == 0)
		return n <= left;
	return n <= less(left, limit / RESERVE_PART) && u->used[kind] + n <= left;
}

bool
user_may(const struct user *u, enum charge kind, size_t n)
{
	return is_within_its_own(u, kind, n) && is_within_all(u, kind, n);
}

const char *
user_why_not(const struct user *u, enum charge kind, size_t n)
{
	static char	why[256];

	if (!is_within_its_own(u, kind, n))
		(void)snprintf(why, sizeof why, "%s: user %u has %zu %s, and may have %llu; see sctpd.conf(5)",
		    kinds[kind].per_user, (unsigned)user_uid(u), u->used[kind], kinds[kind].what,
		    (unsigned long long)*kinds[kind].max_per_user);
	else
		(void)snprintf(why, sizeof why, "%s: user %u has %zu %s, all users have %zu of %zu, and must leave some for others; see sctpd.conf(5)",
		    kinds[kind].limit, (unsigned)user_uid(u), u->used[kind], kinds[kind].what,
		    total[kind], user_limit(kind));
	return why;
}

void
user_charge(struct user *u, enum charge kind, size_t n)
{
	u->used[kind] += n;
	total[kind] += n;
}

void
user_discharge(struct user *u, enum charge kind, size_t n)
{
	u->used[kind] -= n;
	total[kind] -= n;
}

/* ---- connections ---------------------------------------------------- */

void
account_open(struct account *a, uid_t uid)
{
	*a = (struct account){ .user = user_get(uid) };
}

void
account_close(struct account *a)
{
	account_discharge(a, a->memory);
	a->user = user_put(a->user);
}

void
account_charge(struct account *a, size_t n)
{
	a->memory += n;
	user_charge(a->user, CHARGE_MEMORY, n);
}

void
account_discharge(struct account *a, size_t n)
{
	a->memory -= n;
	user_discharge(a->user, CHARGE_MEMORY, n);
}

void
account_change(struct account *a, size_t *was, size_t now)
{
	account_discharge(a, *was);
	account_charge(a, now);
	*was = now;
}

/* The memory that is free for the connections of a user. */
static size_t
free_memory(const struct user *u)
{
	size_t	left = less(user_limit(CHARGE_MEMORY), total[CHARGE_MEMORY]), own;

	if (user_uid(u) == 0)
		return left;
	own = less(config.max_memory_per_user, u->used[CHARGE_MEMORY]);
	return own < left ? own : left;
}

bool
account_may(const struct account *a, size_t n)
{
	return user_may(a->user, CHARGE_MEMORY, n) && a->memory + n <= free_memory(a->user);
}

const char *
account_why_not(const struct account *a, size_t n)
{
	static char	why[256];

	if (!user_may(a->user, CHARGE_MEMORY, n))
		return user_why_not(a->user, CHARGE_MEMORY, n);
	(void)snprintf(why, sizeof why, "%s: this connection has %zu bytes of memory, all of user %u have %zu of %zu, and must leave some for the others; see sctpd.conf(5)",
	    user_uid(a->user) == 0 ? "max_memory" : "max_memory_per_user", a->memory,
	    (unsigned)user_uid(a->user), a->user->used[CHARGE_MEMORY],
	    a->user->used[CHARGE_MEMORY] + free_memory(a->user));
	return why;
}

bool
account_look(struct account *a)
{
	a->looked = user_turn;
	a->is_short = !account_may(a, 1);
	return a->is_short;
}

/* ---- giving back ---------------------------------------------------- */

/*
 * Freed memory lies in malloc's heap, between memory that is still in use. It
 * is given back when most of a peak is over. That takes milliseconds, so it is
 * done at most once a second.
 */
void
user_trim(void)
{
	static size_t	peak;
	static time_t	last;
	struct timespec	now;

	if (total[CHARGE_MEMORY] > peak)
		peak = total[CHARGE_MEMORY];
	if (peak < TRIM_FROM || total[CHARGE_MEMORY] > peak / 4)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == last)
		return;
	last = now.tv_sec;
	peak = total[CHARGE_MEMORY];
	mem_trim();
}
