/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shares: sockets with an association each, which members of a group own.
 *
 *	held by nobody	the resident owns it; what happens waits in it
 *	held		its member owns it
 *	resting		its holder owns it and gets nothing; when the holder has
 *			acknowledged what it was sent, the member gets it. A
 *			share whose association is over rests, too, and is closed
 *			then.
 */
#ifndef SHARE_H
#define SHARE_H

#include "group/group.h"

struct share {
	struct hash_node	 node;		/* key: the assoc_id */
	TAILQ_ENTRY(share)	 entry;
	TAILQ_ENTRY(share)	 resting;	/* of its holder's, if is_resting */
	struct group		*group;
	struct sock		*sock;
	struct member		*holder;	/* who owns the socket; NULL: the resident */
	struct member		*member;	/* who is to own it */
	bool			 is_resting;
	uint64_t		 since;		/* when it began to wait for its holder, as trace_now */
};

/* Make a share of a socket that the resident owns; and give it to a member. */
struct share *share_new(struct group *, struct sock *);
void share_assign(struct share *);

/* A share that an earlier process left: its owner has it. */
void share_restore(struct group *, struct sock *);

/* The same: this event is kept for a member (output_each_event). */
void share_was_sent(void *member, uint64_t seq, uint64_t sock, enum message_kind, struct slice);

/* The socket is closed, or leaves the group. */
void share_free(struct share *);

/* The share whose association has this id. */
struct share *share_find(const struct group *, uint32_t assoc_id);

/* The member has acknowledged messages: what waited for that goes on. False: the group ended by that, and there is no member. */
bool share_go_on(struct member *);

/* The association is over. */
void share_over(struct share *);

/* Members came, or are in service again, or not any more: share anew. */
void share_balance(struct group *);

/* Give what nobody has to members that are here. */
void share_assign_all(struct group *);

/* The member is gone: give all that it has to others. */
void share_take_all(struct member *);

/* How many shares of the member's rest until they go to others; and since when, or 0. */
size_t share_going(const struct member *, uint64_t *since);

#endif
