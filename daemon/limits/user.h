/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each user has of the daemon, and how much more it may have.
 *
 * The room limits: this file, and budget.h for the buffers of associations. It
 * knows util, config and the size of the journal. It must not know what a
 * connection, a socket or an association is. The rooms of those charge here
 * what they take, and ask here before they take more.
 *
 * One daemon serves all users of a host. So whatever one of them can make the
 * daemon keep must be bounded, or one user's mistake is everybody's outage.
 * Limits of a single connection do not do that, as a user may have thousands.
 * So what is kept for a connection, a socket or an association is charged to a
 * user, by the uid that SO_PEERCRED said. It is charged when it is made, and
 * discharged when it is given up: here and nowhere else.
 *
 *	clients		connections, including those that were superseded and
 *			are still to be told so. A client without a connection
 *			counts as none: it is there for its sockets, which count.
 *	sockets		of whoever opened or accepted them; held sockets count
 *	associations	of those sockets, and of the sockets that were closed
 *	lookups		host names that connects wait for
 *	memory		bytes: the structs of all of these, messages and calls
 *			that wait, requests that have come in part, output
 *			that was not read or not acknowledged, events that
 *			wait, and what the userland stack may take (budget.c)
 *	records		bytes of the flight recorder; rule 2 alone holds
 *
 * Memory is counted as it is taken: a message of one byte that waits costs a
 * few hundred bytes, and is charged for them. Blocks in the journal count in
 * full.
 *
 * Two rules decide whether a user may have more. They hold for each kind:
 *
 *	1. No user has more than max_..._per_user.
 *	2. No user has more than what is still free for all. So the first greedy
 *	   user gets half, two get a third each, and there is always something
 *	   left for the next.
 *
 * For memory, the second rule also holds inside of a user, between its
 * connections: a connection that hoards does not stop the others of its user. A
 * sixty-fourth of each kind is root's alone. For root neither rule holds, only
 * the limit for all, so that sctpctl always gets in.
 *
 * A request for more than that fails with the error limit, which names the
 * setting. What cannot be refused is charged nevertheless: an event of the
 * stack, or what a previous process left. The user is then short of memory.
 * Until that is over, the user is served in the smallest portions: one answer
 * at a time, one event at a time, no message that would have to wait. That
 * bounds what the user can add, requires no wake-up when memory is free again,
 * and ends nothing.
 */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "util/hash.h"

enum charge {
	CHARGE_CLIENTS,
	CHARGE_SOCKETS,
	CHARGE_ASSOCIATIONS,
	CHARGE_LOOKUPS,
	CHARGE_MEMORY,
	CHARGE_RECORDS,
	CHARGES
};

/* What malloc takes in addition to what it is asked for. */
#define MALLOC_EXTRA	16

struct user {
	struct hash_node	 node;		/* key: the uid */
	size_t			 refs;		/* pointers to this */
	size_t			 used[CHARGES];

	/* The user's share of the loop's time: see rpc/turn.h. */
	uint64_t		 turn;		/* the turn that units is for */
	int64_t			 units;
	TAILQ_HEAD(, client)	 hungry;	/* connections that wait for their share */
	TAILQ_ENTRY(user)	 hungry_entry;

	uint64_t		 held;		/* associations that have come: budget.c */
	uint64_t		 buffers;	/* of the user's associations: budget.c */
};

/* A connection's part of what its user has. */
struct account {
	struct user	*user;
	size_t		 memory;
	size_t		 calls;		/* calls that wait */
	uint64_t	 looked;	/* the turn in which is_short was found out */
	bool		 is_short;
};

/* The number of the loop's turn: see rpc/turn.h. */
extern uint64_t user_turn;

/* The user with this uid, until user_put gives it back. user_put takes NULL, too. */
struct user *user_get(uid_t);
struct user *user_put(struct user *);
struct user *user_next(const struct user *);
uid_t user_uid(const struct user *);

/* Whether a user may have n more. */
bool user_may(const struct user *, enum charge, size_t n);

/* Why not, in words: which limit, whose, and where it is set. */
const char *user_why_not(const struct user *, enum charge, size_t n);

/* The user has n more, or fewer, whether it may or not. */
void user_charge(struct user *, enum charge, size_t n);
void user_discharge(struct user *, enum charge, size_t n);

/* What all users have; what there is for all users. */
size_t user_total(enum charge);
size_t user_limit(enum charge);

/* The same for the memory of a connection. */
void account_open(struct account *, uid_t);
void account_close(struct account *);
void account_charge(struct account *, size_t n);
void account_discharge(struct account *, size_t n);
bool account_may(const struct account *, size_t n);
const char *account_why_not(const struct account *, size_t n);

/* Memory that was charged as *was has this size now. */
void account_change(struct account *, size_t *was, size_t now);

/*
 * Whether a connection has its share already, so that it is served in the
 * smallest portions. This is asked for each message, so it is found out once a
 * turn.
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
