/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose requests are served now, and how many of them.
 *
 * The length of a request does not tell what it costs: a few bytes ask for a list
 * of thousands of sockets, and one read brings thousands of requests. Work is
 * therefore counted by what is done, in units of about a microsecond: for each
 * request, for the bytes of the request and of the answer, and for the things that
 * it goes through. In each turn of the loop a user has a number of units. A user
 * who has used them up is not served any more until the next turn, and what was
 * read stays. In the next turn all others are served first, each with units of
 * their own.
 *
 * The number of units is a compromise: many units make large batches, but the
 * other users wait for as long as one user is served. So a user has many units
 * while no other user is served, and few otherwise.
 *
 *	reading -> hungry	its user has no units left: the client is not read,
 *				and goes to the end of its user's queue
 *	hungry  -> reading	its requests were served, and it is read again
 *
 * The connections of a user take turns, so that none is left out. A request that
 * costs more units than there are leaves a debt, which the user's next turns pay.
 * So each user has one share of the time, whatever the requests are and however
 * many connections there are. The loop does not sleep while a client is hungry.
 *
 * Nothing here reads the clock: on some machines that is a system call.
 */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>
#include <stddef.h>

#include "limits/user.h"

struct client;

/* Another turn of the loop begins. */
void turn_begin(void);

/* Begin the user's turn if it has not begun. Has the user units left in it? */
bool turn_refill(struct user *);

static inline bool
turn_is(struct user *u)
{
	return u->turn == user_turn ? u->units > 0 : turn_refill(u);
}

/* The user has no units left, or another of its connections waits for them. */
static inline bool
turn_must_wait(struct user *u)
{
	return !TAILQ_EMPTY(&u->hungry) || !turn_is(u);
}

/* The request that is being served costs so many units beyond its bytes. */
void turn_cost(size_t units);

/* A request of so many bytes, in and out, was served; or a send, by the fast path. */
void turn_spend(struct user *, size_t bytes);

static inline void
turn_spend_send(struct user *u)
{
	u->units--;
}

/* A client of the user connected, or its connection ended. */
void turn_spend_connection(struct user *);

/* So many bytes were read, whatever is in them. */
void turn_spend_read(struct user *, size_t bytes);

/* So many bytes that were read are not served yet, and were put aside. */
void turn_spend_kept(struct user *, size_t bytes);

/* A message was refused after it had been served as a send. */
void turn_spend_refusal(struct user *);

/* So many system calls were made for this user alone, to watch or to write. */
void turn_spend_calls(struct user *, unsigned calls);

/* Was more than one user served lately? */
bool turn_is_shared(void);

/* Stop reading the client until its turn comes; or remove one that is gone. */
void turn_wait(struct client *);
void turn_leave(struct client *);

/* Serve those that wait, after all others, by this function. Does any wait? */
void turn_serve(void (*)(struct client *));
bool turn_any(void);

#endif
