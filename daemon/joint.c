/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message, or a notification, of which not all has come yet.
 */
#include "config.h"
#include "joint.h"

void
joint_clear(struct joint *j)
{
	buf_drop(&j->part, buf_len(&j->part));
	j->begun = j->skip = j->sent = false;
}

bool
joint_add(struct joint *j, const char *p, size_t n)
{
	j->begun = true;
	if (j->skip || buf_len(&j->part) + n > config.max_message)
		return false;
	buf_add(&j->part, p, n);
	return true;
}

void
joint_free(struct joint *j)
{
	buf_free(&j->part);
	j->begun = j->skip = j->sent = false;
}
