/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message, or a notification, of which not all has come yet.
 */
#ifndef JOINT_H
#define JOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

struct joint {
	struct buf	part;
	bool		begun;
	bool		skip;		/* too long: the rest is thrown away */
	bool		sent;		/* of it something was on the wire */
};

/* Add a piece; false when it would be longer than is allowed. */
bool joint_add(struct joint *, const char *, size_t);

/* Begin anew; or end. */
void joint_clear(struct joint *);
void joint_free(struct joint *);

#endif
