/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which client's requests are served now: see turn.h.
 */
#include <event2/event.h>

#include "rpc/client.h"
#include "rpc/turn.h"

/* Units of a user in a turn: alone, and beside another user. */
#define TURN_ALONE	512
#define TURN_SHARED	32
/* A user that was served at most so many turns ago still counts as present. */
#define LATELY		8192
/* What a request costs at least; bytes that are looked at, that are only read. */
#define REQUEST		8
#define CONNECTION	16
#define SYSTEM_CALL	2
#define BYTES_A_UNIT	512
#define READ_A_UNIT	2048
/* That are kept, as the request is not all there: in pages that the kernel clears first. */
#define KEPT_A_UNIT	512

static size_t cost;		/* of the request that is being served */

/* The user served last; the turn in which that last changed; was that lately? */
static const struct user *last;
static uint64_t changed;
static bool shared;

/* Users with connections that wait; the next one to be served comes first. */
static TAILQ_HEAD(, user) hungry = TAILQ_HEAD_INITIALIZER(hungry);

void
turn_begin(void)
{
	user_turn++;
}

bool
turn_refill(struct user *u)
{
	int64_t	turns = (int64_t)(user_turn - u->turn), most;

	if (u == last)
		shared = shared && user_turn - changed < LATELY;
	else {
		shared = last != NULL;
		changed = user_turn;
	}
	last = u;
	most = shared ? TURN_SHARED : TURN_ALONE;
	u->turn = user_turn;
	u->units += turns * most;
	if (u->units > most)
		u->units = most;
	return u->units > 0;
}

bool
turn_is_shared(void)
{
	return shared;
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
turn_spend_connection(struct user *u)
{
	(void)turn_is(u);
	u->units -= CONNECTION;
}

void
turn_spend_read(struct user *u, size_t bytes)
{
	u->units -= (int64_t)(bytes / READ_A_UNIT);
}

void
turn_spend_kept(struct user *u, size_t bytes)
{
	u->units -= (int64_t)(bytes / KEPT_A_UNIT);
}

void
turn_spend_refusal(struct user *u)
{
	u->units -= REQUEST;
}

void
turn_spend_calls(struct user *u, unsigned calls)
{
	u->units -= calls * SYSTEM_CALL;
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

void
turn_serve(void (*serve)(struct client *))
{
	struct user	*u = TAILQ_FIRST(&hungry), *next;
	struct client	*c;

	for (; u != NULL; u = next) {
		next = TAILQ_NEXT(u, hungry_entry);
		while (turn_is(u) && (c = TAILQ_FIRST(&u->hungry)) != NULL) {
			turn_leave(c);
			serve(c);
		}
	}
}

bool
turn_any(void)
{
	return !TAILQ_EMPTY(&hungry);
}
