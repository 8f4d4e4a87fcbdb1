/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory the buffers of associations may take: see budget.c.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct user;

/* The sizes of an association's buffers, in bytes as the stack counts them. */
struct buffers {
	int	receive, send;
};

/* The buffers that a socket's next association is to have. */
struct sizes {
	struct buffers	want;		/* the client asked for these */
	uint8_t		level;		/* how often they were halved */
};

/* What a user is charged for the buffers of one association. */
struct charged {
	struct user	*user;		/* NULL: nobody */
	uint64_t	 bytes;
	bool		 held;		/* the association has come, and nobody has it yet */
};

/* A stack's rules. */
struct budget {
	uint64_t	 all;		/* what there is for all associations */
	uint64_t	 least;		/* for each association, whatever is left */
	struct buffers	 smallest;	/* an association works with these */
	unsigned	 receive_levels;	/* so many levels halve a receive buffer once */
	bool		 is_ours;	/* buffers are memory of this process */
	uint64_t	 (*cost)(struct buffers);	/* memory that they can take */
	void		 (*size_all)(void);		/* size all sockets anew */
};

#define BUDGET_LEVEL_UNKNOWN	255

/* Use these rules from now on; they stay the caller's. */
void budget_set(const struct budget *);
void budget_free(void);

/* How much more this user may have. */
uint64_t budget_left_to(const struct user *);

/* Why this user may have no other association; or NULL. */
const char *budget_no_room(const struct user *);

/* How often the buffers that a socket wants are to be halved for its next association. */
unsigned budget_level(const struct sizes *, const struct user *);
struct buffers budget_at_level(const struct sizes *, unsigned level);

/* The buffers at the socket's own level. */
struct buffers budget_buffers(const struct sizes *);

/* Whether the socket has to be sized anew. If so, it has its new level from now on. */
bool budget_new_level(struct sizes *, const struct user *);

void budget_charge(struct charged *, struct user *, uint64_t bytes);
void budget_hold(struct charged *, struct user *, uint64_t bytes);
/* Charge another user from now on. */
void budget_move(struct charged *, struct user *);
void budget_add(struct charged *, uint64_t bytes);
void budget_uncharge(struct charged *);

/* Some socket has less than it wants: size it again when there is more memory. */
void budget_is_short(void);

#endif
