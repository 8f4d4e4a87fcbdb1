/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory the buffers of associations may take.
 *
 * An association that is not read fills its receive buffer. An association
 * whose peer does not read fills its send buffer. A peer can have as many
 * associations as it likes. So an association is charged for all that its
 * buffers could hold, from its beginning until nothing of it is left. How large
 * the buffers are follows from the memory that there is:
 *
 *	- a stack has a budget for all associations;
 *	- no user has more than three quarters of what the others leave of the
 *	  budget, and what comes into a user's sockets counts for that user;
 *	- the n-th association of a user has at most a (6 + n)-th of what is left to
 *	  the user: the first have full buffers, and a hundred still have useful ones;
 *	- but each has the least, whatever is left.
 *
 * Buffers that are too large are halved, again and again. A socket's level says
 * how often. Where a receive buffer costs less than a send buffer, it may be
 * halved at each second level only. A stack begins associations by itself, with
 * the buffers of the socket that they come to. So the buffers of a socket
 * always have the size that its next association may have.
 *
 * Where buffers are memory of this process, a user that is not root has no more
 * than three eighths of its own memory (max_memory_per_user) for them. As each
 * association has the least in any case, a user may exceed its share. When the
 * user has seven eighths of what the others leave, its next association is
 * refused. What is charged here is not charged as the user's memory
 * (limits/user.h): buffers may be filled some time, but mostly are not, and
 * nobody's messages are to be refused for that.
 *
 * An association that has come and is not accepted yet, or whose notification
 * is not read yet, is held. It makes the buffers of later associations smaller,
 * and is no reason to refuse any. Otherwise peers that come where nobody
 * accepts would keep others out.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stddef.h>
#include <stdio.h>

#include "limits/budget.h"
#include "limits/user.h"
#include "config.h"
#include "util/loop.h"

#define PART		6	/* a user's first gets a PART-th of what is left */
#define LEVEL_MAX	20	/* the most halvings */

static const struct budget	*budget;
static uint64_t			 total, held;
static struct event		 regrow;
static bool			 short_of_it;	/* some socket has less than it wants */

/* ---- what there is -------------------------------------------------- */

/* A user's share of its own memory, if buffers are memory of this process. */
static uint64_t
own_share(const struct user *u)
{
	return !budget->is_ours || user_uid(u) == 0 ? UINT64_MAX :
	    config.max_memory_per_user / 2 / 4 * 3;
}

uint64_t
budget_left_to(const struct user *u)
{
	uint64_t	has = u->buffers + u->held, others = total + held - has, share;

	if (others >= budget->all)
		return 0;
	share = (budget->all - others) / 4 * 3;
	if (share > own_share(u))
		share = own_share(u);
	return share > has ? share - has : 0;
}

/*
 * Whether a user may have the smallest buffers once more. A user has seven
 * eighths of what the others leave, root has all of that.
 */
static bool
has_room(const struct user *u, uint64_t smallest)
{
	uint64_t	others = total - u->buffers;
	uint64_t	most = others < budget->all ? budget->all - others : 0;

	return u->buffers + smallest <= (user_uid(u) == 0 ? most : most / 8 * 7);
}

const char *
budget_no_room(const struct user *u)
{
	static char	why[200];

	if (!user_may(u, CHARGE_ASSOCIATIONS, 1))
		return user_why_not(u, CHARGE_ASSOCIATIONS, 1);
	if (budget == NULL || !budget->is_ours || has_room(u, budget->cost(budget->smallest)))
		return NULL;
	(void)snprintf(why, sizeof why,
	    "max_memory: the buffers of user %u's associations have %llu bytes, those of all %llu of %llu, and must leave some for the others; see sctpd.conf(5)",
	    (unsigned)user_uid(u), (unsigned long long)u->buffers, (unsigned long long)total,
	    (unsigned long long)budget->all);
	return why;
}

static int
halved(int want, unsigned level, int at_least)
{
	int	size = level <= LEVEL_MAX ? want >> level : 0;

	if (at_least > want)
		at_least = want;
	return size > at_least ? size : at_least;
}

struct buffers
budget_at_level(const struct sizes *z, unsigned level)
{
	struct buffers	want = z->want, smallest = budget->smallest;

	return (struct buffers){
	    halved(want.receive, level / budget->receive_levels, smallest.receive),
	    halved(want.send, level, smallest.send) };
}

struct buffers
budget_buffers(const struct sizes *z)
{
	return budget_at_level(z, z->level);
}

unsigned
budget_level(const struct sizes *z, const struct user *u)
{
	uint64_t	most = budget_left_to(u) / (PART + u->used[CHARGE_ASSOCIATIONS]);
	unsigned	level = 0;

	if (most < budget->least)
		most = budget->least;
	while (level < LEVEL_MAX && budget->cost(budget_at_level(z, level)) > most)
		level++;
	return level;
}

bool
budget_new_level(struct sizes *z, const struct user *u)
{
	unsigned	level = budget_level(z, u);

	short_of_it = short_of_it || level > 0;
	if (level == z->level)
		return false;
	z->level = (uint8_t)level;
	return true;
}

/* ---- when there is more memory -------------------------------------- */

/*
 * There is more memory again: sockets that had less than they wanted size their
 * next association anew.
 */
static void
budget_on_regrow(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	short_of_it = false;
	budget->size_all();
}

/* If some socket has less than it wants, size it again in a moment. */
static void
look_again(void)
{
	static const struct timeval	wait = { .tv_usec = 100000 };

	if (!short_of_it)
		return;
	if (!event_initialized(&regrow))
		(void)evtimer_assign(&regrow, loop_base(), budget_on_regrow, NULL);
	if (!evtimer_pending(&regrow, NULL))
		(void)evtimer_add(&regrow, &wait);
}

void
budget_is_short(void)
{
	short_of_it = true;
	look_again();
}

void
budget_set(const struct budget *b)
{
	budget = b;
	budget_is_short();
}

void
budget_free(void)
{
	if (event_initialized(&regrow))
		(void)evtimer_del(&regrow);
}

/* ---- charging ------------------------------------------------------- */

/* Count bytes for all and for the user, apart for what is held. */
static void
count(const struct charged *c, uint64_t bytes)
{
	uint64_t	*all = c->held ? &held : &total;
	uint64_t	*of_user = c->held ? &c->user->held : &c->user->buffers;

	*all += bytes;
	*of_user += bytes;
}

void
budget_add(struct charged *c, uint64_t bytes)
{
	c->bytes += bytes;
	count(c, bytes);
}

static void
charge(struct charged *c, struct user *u, uint64_t bytes, bool is_held)
{
	budget_uncharge(c);
	c->user = user_get(user_uid(u));
	c->held = is_held;
	budget_add(c, bytes);
}

void
budget_charge(struct charged *c, struct user *u, uint64_t bytes)
{
	charge(c, u, bytes, false);
}

void
budget_hold(struct charged *c, struct user *u, uint64_t bytes)
{
	charge(c, u, bytes, true);
}

void
budget_move(struct charged *c, struct user *u)
{
	if (c->user != NULL && c->user != u)
		charge(c, u, c->bytes, c->held);
}

void
budget_uncharge(struct charged *c)
{
	if (c->user == NULL)
		return;
	count(c, -c->bytes);
	c->bytes = 0;
	c->user = user_put(c->user);
	look_again();
}
