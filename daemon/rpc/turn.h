/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose requests are served now, and how many of them.
 *
 * What a request costs is nothing that its length tells: a few bytes ask for
 * a list of thousands of sockets, and one read brings thousands of requests.
 * So work is counted, in units of about a microsecond, by what is done: each
 * request, the bytes of what it says and of what is answered, the things that
 * it goes through. In each turn of the loop a user has some units. Who has no
 * more is not served on, and what was read stays, until the next turn; in that
 * one all others are served before, each with units of their own.
 *
 * How many units is a choice between the two: many make large batches, and
 * what one user does in a turn is what the others wait. So a user has many as
 * long as nobody else is there, and few beside another.
 *
 *	reading -> hungry	its user has no units left: it is not read, and is
 *				the last in its user's queue
 *	hungry  -> reading	its requests were served, and it is read again
 *
 * A user's connections take turns, so that none of them is left out. A request
 * that cost more than there was leaves a debt, which its user's next turns pay:
 * so a user has one share of the time, whatever it asks for and over however
 * many connections. While anybody is hungry the loop does not sleep.
 *
 * Nothing here asks for the time, which is a system call on some machines.
 */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>
#include <stddef.h>

#include "user.h"

struct client;

/* Another turn of the loop begins. */
void turn_begin(void);

/* Has it units left in this turn? */
bool turn_refill(struct user *);

static inline bool
turn_is(struct user *u)
{
	return u->turn == user_turn ? u->units > 0 : turn_refill(u);
}

/* It has none, or another of its connections waits for them. */
static inline bool
turn_must_wait(struct user *u)
{
	return !TAILQ_EMPTY(&u->hungry) || !turn_is(u);
}

/* The request that is being served costs so many units beside what is seen. */
void turn_cost(size_t units);

/* A request was served, of so many bytes in and out; or a send, by the fast path. */
void turn_spend(struct user *, size_t bytes);

static inline void
turn_spend_send(struct user *u)
{
	u->units--;
}

/* It connected; or its connection ended. */
void turn_spend_connection(struct user *);

/* So many bytes were read from it, whatever is in them. */
void turn_spend_read(struct user *, size_t bytes);

/* So many of them are not served yet, and were put aside. */
void turn_spend_kept(struct user *, size_t bytes);

/* A message was refused, though it was served as one that is sent. */
void turn_spend_refusal(struct user *);

/* So many system calls were made for it alone: to watch it, to write to it. */
void turn_spend_calls(struct user *, unsigned calls);

/* Was another user served lately? */
bool turn_is_shared(void);

/* It is not read until its turn comes again; or it is no more. */
void turn_wait(struct client *);
void turn_leave(struct client *);

/* After all others: those that wait. Is there any? */
void turn_serve(void);
bool turn_any(void);

#endif
