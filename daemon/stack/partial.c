/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message, or a notification, of which not all has come yet.
 */
#include <string.h>

#include "config.h"
#include "joint.h"

/* The words of its record. */
enum { WORD_OWNER, WORD_KIND, WORD_LEN, WORD_FLAGS };
enum { BEGUN = 1, SKIP = 2, SENT = 4 };

/* So much of one is charged, but never refused. */
#define FREE	65536u

void
joint_init(struct joint *j, enum joint_kind kind, uint64_t owner)
{
	memset(j, 0, sizeof *j);
	j->kind = kind;
	j->owner = owner;
}

/* It costs this user what its record takes; NULL: nobody. */
static void
charge(struct joint *j, struct user *u)
{
	if (j->user != NULL) {
		user_discharge(j->user, CHARGE_MEMORY, j->charged);
		j->user = user_put(j->user);
	}
	if (u == NULL || j->record == NULL)
		return;
	j->user = user_get(user_uid(u));
	j->charged = j->record->size;
	user_charge(u, CHARGE_MEMORY, j->charged);
}

static void
forget(struct joint *j)
{
	if (j->record == NULL)
		return;
	charge(j, NULL);
	if (j->kind != JOINT_LONE)
		journal_drop(j->record);
	else
		journal_forget(j->record);
	j->record = NULL;
}

/* Room for len bytes; what there is moves along. */
static bool
make_room(struct joint *j, struct user *u, size_t len)
{
	struct record	*r;

	if (j->record != NULL && journal_room(j->record) >= len)
		return true;
	if (len > FREE && u != NULL && !user_may(u, CHARGE_MEMORY, len * 2))
		return false;
	r = journal_new(len * 2);
	r->len = journal_room(r);
	r->word[WORD_OWNER] = j->owner;
	r->word[WORD_KIND] = j->kind;
	if (j->len > 0)
		memcpy(r->body, j->record->body, j->len);
	if (j->kind != JOINT_LONE)
		journal_keep(r, RECORD_JOINT);
	forget(j);
	j->record = r;
	charge(j, u);
	return true;
}

static void
save(struct joint *j)
{
	uint64_t	flags = (j->begun ? BEGUN : 0u) | (j->skip ? SKIP : 0u) | (j->sent ? SENT : 0u);

	(void)make_room(j, NULL, j->len);
	if (j->kind == JOINT_LONE)
		return;
	journal_set(&j->record->word[WORD_LEN], j->len);
	journal_set(&j->record->word[WORD_FLAGS], flags);
}

void
joint_clear(struct joint *j)
{
	forget(j);
	j->len = 0;
	j->begun = j->skip = j->sent = false;
}

bool
joint_add(struct joint *j, struct user *u, const char *p, size_t n)
{
	j->begun = true;
	if (j->skip || j->len + n > config.max_message)
		return false;
	if (!make_room(j, u, j->len + n))
		return false;
	memcpy(j->record->body + j->len, p, n);
	j->len += n;
	save(j);
	return true;
}

char *
joint_data(const struct joint *j)
{
	return j->record != NULL ? j->record->body : NULL;
}

void
joint_mark_sent(struct joint *j)
{
	j->sent = true;
	save(j);
}

void
joint_skip(struct joint *j, bool last)
{
	joint_clear(j);
	if (last)
		return;
	j->begun = j->skip = true;
	save(j);
}

uint64_t
joint_owner(const struct record *r, enum joint_kind *kind)
{
	*kind = (enum joint_kind)r->word[WORD_KIND];
	return r->word[WORD_OWNER];
}

bool
joint_restore(struct joint *j, struct record *r)
{
	uint64_t	flags = r->word[WORD_FLAGS];

	if (j->record != NULL || r->word[WORD_LEN] > journal_room(r))
		return false;
	j->record = r;
	j->len = r->word[WORD_LEN];
	j->begun = (flags & BEGUN) != 0;
	j->skip = (flags & SKIP) != 0;
	j->sent = (flags & SENT) != 0;
	return true;
}
