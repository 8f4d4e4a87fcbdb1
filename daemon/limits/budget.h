/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory the buffers of associations may take: see budget.c.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct sock;
struct user;

/* The buffers of an association, in the stack's own bytes. */
struct buffers {
	int	receive, send;
};

/* What the buffers of one association are charged to a user with. */
struct charged {
	struct user	*user;		/* NULL: nobody */
	uint64_t	 bytes;
	bool		 held;		/* it has come, and nobody has it yet */
};

/* A stack's rules. */
struct budget {
	uint64_t	 all;		/* what there is for all associations */
	uint64_t	 least;		/* and for each of them, whatever is left */
	struct buffers	 smallest;	/* that one works with */
	unsigned	 receive_levels;	/* in which a receive buffer is halved */
	bool		 is_ours;	/* it is this process's memory: no more is to be had */
	uint64_t	 (*cost)(struct buffers);	/* bytes that they can hold */
	void		 (*size)(struct sock *);	/* for its next association */
};

#define BUDGET_LEVEL_UNKNOWN	255

/* These are the rules from now on; they stay the caller's. */
void budget_set(const struct budget *);
void budget_free(void);

/* What this user may have more. */
uint64_t budget_left_to(const struct user *);

/* Why it may have no other association; or NULL. */
const char *budget_no_room(const struct user *);

/* How often the buffers that a socket wants are to be halved for its next association. */
unsigned budget_level(const struct sock *);
struct buffers budget_at_level(const struct sock *, unsigned level);

/* Does it have to be sized anew? If so it is of that level from now on. */
bool budget_new_level(struct sock *);

void budget_charge(struct charged *, struct user *, uint64_t bytes);
void budget_hold(struct charged *, struct user *, uint64_t bytes);
/* It is another user's now. */
void budget_move(struct charged *, struct user *);
void budget_add(struct charged *, uint64_t bytes);
void budget_uncharge(struct charged *);

/* Some socket has less than it wants: it is sized again when there is more. */
void budget_is_short(void);
void budget_look_again(void);

/* A socket has what another wants. */
void budget_inherit(const struct sock *from, struct sock *to);

#endif
