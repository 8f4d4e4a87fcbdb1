/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each user has of the daemon, and how much more it may have.
 *
 * One daemon serves all users of a host, so whatever one of them can make it
 * keep must be bounded, or one user's mistake is everybody's outage. Limits of
 * a single connection do not do that: a user may have thousands. So what is
 * kept for a connection, a socket or an association is charged to a user, by
 * the uid that SO_PEERCRED said, when it is made, and discharged when it is
 * given up: here and nowhere else.
 *
 *	clients		connections, those included that were superseded and
 *			are still to be told so. A client without a connection
 *			takes none: it is there for its sockets, which count.
 *	sockets		whoever opened or accepted them; held ones too
 *	associations	of those sockets, and of the sockets that were closed
 *	lookups		host names that connects wait for
 *	memory		bytes: the structs of all of these, messages and calls
 *			that wait, requests of which not all has come, output
 *			that was not read or not acknowledged, events that
 *			wait, and what the userland stack may take (budget.c)
 *
 * Memory is counted as it is taken: a message of one byte that waits costs a
 * few hundred, and is charged with them. Blocks in the journal count in full.
 *
 * Who may have more is decided by two rules, the same for all kinds of thing:
 *
 *	1. No user has more than max_..._per_user.
 *	2. No user has more than what is still free for all. So the first to be
 *	   greedy gets half, two get a third each, and there is always something
 *	   left for the next.
 *
 * The second holds for memory once more inside of a user, between its
 * connections: one that hoards does not stop the others of its user. A
 * sixty-fourth of each kind is root's alone; and for root neither rule holds,
 * only the limit for all, so that sctpctl always gets in.
 *
 * Who asks for more than that gets the error limit, which names the setting.
 * What cannot be refused is charged all the same: an event of the stack's, or
 * what a process before us left. Then the user is short of memory, and until
 * that is over it is served in the smallest portions: one answer at a time, one
 * event at a time, no message that would have to wait. That bounds what it can
 * add, needs nobody to be woken when memory comes back, and ends nothing.
 */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "hash.h"

enum charge {
	CHARGE_CLIENTS,
	CHARGE_SOCKETS,
	CHARGE_ASSOCIATIONS,
	CHARGE_LOOKUPS,
	CHARGE_MEMORY,
	CHARGES
};

/* What malloc takes beside what it is asked for. */
#define MALLOC_EXTRA	16

struct user {
	struct hash_node	 node;		/* key: the uid */
	size_t			 refs;		/* things that point here */
	size_t			 used[CHARGES];

	/* Its share of the loop's time: see turn.h. */
	uint64_t		 turn;		/* of which the units are */
	int64_t			 units;
	TAILQ_HEAD(, client)	 hungry;	/* connections that wait for theirs */
	TAILQ_ENTRY(user)	 hungry_entry;

	uint64_t		 held;		/* of what has come to its sockets: budget.c */
	uint64_t		 buffers;	/* of its associations: budget.c */
};

/* A connection's part in what its user has. */
struct account {
	struct user	*user;
	size_t		 memory;
	size_t		 calls;		/* that wait */
	uint64_t	 looked;	/* the turn in which is_short was found out */
	bool		 is_short;
};

/* The turn of the loop, counted: see turn.h. */
extern uint64_t user_turn;

/* The user with this uid, for as long as it is not given back. Takes NULL. */
struct user *user_get(uid_t);
struct user *user_put(struct user *);
struct user *user_next(const struct user *);
uid_t user_uid(const struct user *);

/* May it have n more? */
bool user_may(const struct user *, enum charge, size_t n);

/* Why not, in words: which limit, whose, and where it is set. */
const char *user_why_not(const struct user *, enum charge, size_t n);

/* It has n more, or fewer, whether it may or not. */
void user_charge(struct user *, enum charge, size_t n);
void user_discharge(struct user *, enum charge, size_t n);

/* What all have; what there is for all. */
size_t user_total(enum charge);
size_t user_limit(enum charge);

/* The same for the memory of a connection. */
void account_open(struct account *, uid_t);
void account_close(struct account *);
void account_charge(struct account *, size_t n);
void account_discharge(struct account *, size_t n);
bool account_may(const struct account *, size_t n);
const char *account_why_not(const struct account *, size_t n);

/* What was charged as *was is of this size now. */
void account_change(struct account *, size_t *was, size_t now);

/*
 * It has its share already: it is to be served in the smallest portions. Asked
 * for each message, so it is found out once a turn.
 */
bool account_look(struct account *);

static inline bool
account_is_short(struct account *a)
{
	return a->looked == user_turn ? a->is_short : account_look(a);
}

/* At the end of a turn: give memory back to the system after a peak. */
void user_trim(void);

#endif
