/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory the buffers of associations may take.
 *
 * An association that is not read fills its receive buffer, one whose peer does
 * not read fills its send buffer, and a peer can have as many of them as it
 * likes. So an association is charged with all that its buffers could hold,
 * from when it begins until nothing of it is left, and how large they are
 * follows from what there is:
 *
 *	- a stack has a budget for all associations;
 *	- no user has more than three quarters of what the others leave of it, and
 *	  what comes into a user's sockets counts for that user;
 *	- the n-th association of a user has a (6 + n)-th of what is left to it at
 *	  most: the first have full buffers, and a hundred still have useful ones;
 *	- but each has the least, whatever is left.
 *
 * What is too large is halved, again and again: so a socket has a level. A
 * receive buffer may be halved at each second level only, where it costs less
 * than a send buffer. A stack begins associations by itself, with the buffers
 * of the socket that they come to: those are always of the size that the next
 * one may have.
 *
 * Where buffers are memory of this process, a user that is not root has no more
 * than three eighths of its memory for them. When it has seven eighths of what
 * the others leave, as the least adds up, its next association is refused. What is charged here is not charged as the user's memory (user.h): it
 * may be filled some time, and mostly is not, and nobody's messages are refused
 * for that.
 *
 * What has come and is not accepted or read of is held: it makes the buffers of
 * those that come later smaller, and is no reason to refuse any. Else peers who
 * come where nobody accepts would keep others out.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stddef.h>
#include <stdio.h>

#include "budget.h"
#include "config.h"
#include "loop.h"
#include "sock.h"
#include "user.h"

#define PART		6	/* of what is left to a user, the first association's */
#define LEVEL_MAX	20	/* halvings */

static const struct budget	*budget;
static uint64_t			 total, held;
static struct event		 regrow;
static bool			 short_of_it;	/* some socket has less than it wants */

/* ---- what there is -------------------------------------------------- */

/* Of all this user's memory, where it is that. */
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

/* May it have the smallest there is? Of what the others leave a user has seven eighths. */
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
	    "max_memory: the buffers of user %u's associations have %llu bytes, those of all %llu of %llu, and what is left is for the others too; sctpd.conf(5) sets it",
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
budget_at_level(const struct sock *s, unsigned level)
{
	struct buffers	want = s->stack.want, smallest = budget->smallest;

	return (struct buffers){
	    halved(want.receive, level / budget->receive_levels, smallest.receive),
	    halved(want.send, level, smallest.send) };
}

unsigned
budget_level(const struct sock *s)
{
	uint64_t	most = budget_left_to(s->user) /
			    (PART + s->user->used[CHARGE_ASSOCIATIONS]);
	unsigned	level = 0;

	if (most < budget->least)
		most = budget->least;
	while (level < LEVEL_MAX && budget->cost(budget_at_level(s, level)) > most)
		level++;
	return level;
}

bool
budget_new_level(struct sock *s)
{
	unsigned	level = budget_level(s);

	short_of_it = short_of_it || level > 0;
	if (level == s->stack.level)
		return false;
	s->stack.level = (uint8_t)level;
	return true;
}

void
budget_inherit(const struct sock *from, struct sock *to)
{
	to->stack.want = from->stack.want;
	to->stack.level = from->stack.level;
}

/* ---- more of it ----------------------------------------------------- */

/* There is more again: sockets that had to do with less have it for their next. */
static void
budget_on_regrow(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = NULL;

	(void)fd, (void)what, (void)arg;
	short_of_it = false;
	while ((s = sock_next(s)) != NULL)
		budget->size(s);
}

void
budget_look_again(void)
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
	budget_look_again();
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

/* ---- what it is charged to ------------------------------------------ */

/* Where this kind of thing is counted: for all, and for its user. */
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
	budget_look_again();
}
