/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message, or a notification, of which not all has come yet. What has come
 * was taken from the kernel, and so it lies in the journal.
 */
#ifndef JOINT_H
#define JOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"
#include "user.h"

enum joint_kind { JOINT_LONE, JOINT_DATA, JOINT_NOTICE, JOINT_FAILED, JOINT_SOCKET };

struct joint {
	enum joint_kind	 kind;		/* JOINT_LONE: it does not outlive us */
	uint64_t	 owner;		/* number of the association, or handle */
	struct user	*user;		/* whom that much is charged to, or NULL */
	size_t		 charged;
	struct record	*record;
	size_t		 len;
	bool		 begun;
	bool		 skip;		/* too long: the rest is thrown away */
	bool		 sent;		/* of it something was on the wire */
};

void joint_init(struct joint *, enum joint_kind, uint64_t owner);

/*
 * Add a piece, at the cost of a user, or NULL. False: it would be longer than
 * is allowed, or than that user has memory for.
 */
bool joint_add(struct joint *, struct user *, const char *, size_t);

/* What there is of it. */
char *joint_data(const struct joint *);

/* Of it something was on the wire. */
void joint_mark_sent(struct joint *);

/* Throw away what there is, and the rest too, until the last piece. */
void joint_skip(struct joint *, bool last);

/* Begin anew, or end. */
void joint_clear(struct joint *);

/* What a process before us left of one, which is taken unless it is damaged; whose it is. */
bool joint_restore(struct joint *, struct record *);
uint64_t joint_owner(const struct record *, enum joint_kind *);

#endif
