/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spreading the messages of one association over the members of a group.
 *
 * Messages that have a key in common keep their order. A key falls into one of
 * GROUP_SLOTS slots: PPIDs and streams by their number, other bytes by a hash. A slot
 * has a member, and the slots are dealt so that all have as many. A message of a slot
 * waits in the socket until its member has room for it; so a slow member holds up only
 * what is its own, until as much waits as may (socket/deliver.c). Then the
 * association is not read any more. What waits is also in a queue: the member's or,
 * if its slot is just going to another, the slot's. So nobody looks at what waits for
 * somebody else.
 *
 * When a slot is to go to another member, that gets nothing of it until the one
 * before has acknowledged what it was sent of it, or is gone; then it is
 * given that first.
 *
 * What is no message goes to the first member by priority.
 */
#ifndef SPREAD_H
#define SPREAD_H

#include "group/group.h"

struct stack_event;

struct slot {
	struct member	*has;		/* who was sent its last message */
	struct member	*want;		/* who gets the next one */
	uint64_t	 last;		/* number of that message in the output of has */
	struct pending_queue queue;	/* what waits until has is want */
};

void spread_begin(struct group *);

/* The slot of a message; NO_SLOT: it is none. */
uint32_t spread_slot(const struct sock *, const struct stack_event *);

/* An event waits now. */
void spread_waits(struct sock *, struct pending *);

/* The group ends: what waits is in no queue any more. */
void spread_end(struct group *);

/* Hand out what waits to those who have room. */
void spread_pump(struct sock *);

/* The member has acknowledged messages: slots that waited for that go on; and all that may. */
void spread_go_on(struct member *);
void spread_settle(struct group *);

/* Members came or went, or are in service or not: deal the slots anew. */
void spread_deal(struct group *);

/*
 * What this client was sent and has not acknowledged goes to those who have its
 * slots now, or to the first member.
 */
void spread_take(struct group *, struct client *);

/* The member is gone. */
void spread_forget(struct member *);

/* How many slots it has. */
size_t spread_count(const struct member *);

/* It is back: were slots dealt while it was away, so that it or nobody has them? */
bool spread_lacks(const struct member *);

/* The slots as two bytes each, places of members in the group's list; and back. */
void spread_write(const struct group *, unsigned char [2 * GROUP_SLOTS]);
void spread_restore(struct group *, const unsigned char *, size_t len);

#endif
