/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose requests are served now: see turn.h.
 */
#include "client.h"
#include "turn.h"

/* Units of a user's in a turn, and what a request costs at least. */
#define TURN		512
#define REQUEST		8
#define BYTES_A_UNIT	512

static size_t cost;		/* of the request that is being served */

/* Users with connections that wait; whose turn is next comes first. */
static TAILQ_HEAD(, user) hungry = TAILQ_HEAD_INITIALIZER(hungry);

void
turn_begin(void)
{
	user_turn++;
}

bool
turn_refill(struct user *u)
{
	int64_t	turns = (int64_t)(user_turn - u->turn);

	u->turn = user_turn;
	u->units += turns * TURN;
	if (u->units > TURN)
		u->units = TURN;
	return u->units > 0;
}

void
turn_cost(size_t units)
{
	cost += units;
}

void
turn_spend(struct user *u, size_t bytes)
{
	u->units -= (int64_t)(REQUEST + bytes / BYTES_A_UNIT + cost);
	cost = 0;
}

void
turn_wait(struct client *c)
{
	struct user	*u = c->account.user;

	if (c->hungry)
		return;
	c->hungry = true;
	(void)event_del(&c->readable);
	if (TAILQ_EMPTY(&u->hungry))
		TAILQ_INSERT_TAIL(&hungry, u, hungry_entry);
	TAILQ_INSERT_TAIL(&u->hungry, c, hungry_entry);
}

void
turn_leave(struct client *c)
{
	struct user	*u = c->account.user;

	if (!c->hungry)
		return;
	c->hungry = false;
	TAILQ_REMOVE(&u->hungry, c, hungry_entry);
	if (TAILQ_EMPTY(&u->hungry))
		TAILQ_REMOVE(&hungry, u, hungry_entry);
}

/* One of its connections after the other, while it has units. */
static void
serve_user(struct user *u)
{
	struct client	*c;

	while (turn_is(u) && (c = TAILQ_FIRST(&u->hungry)) != NULL) {
		turn_leave(c);
		client_serve_turn(c);
	}
}

void
turn_serve(void)
{
	struct user	*u = TAILQ_FIRST(&hungry), *next;

	for (; u != NULL; u = next) {
		next = TAILQ_NEXT(u, hungry_entry);
		serve_user(u);
	}
}

bool
turn_any(void)
{
	return !TAILQ_EMPTY(&hungry);
}
