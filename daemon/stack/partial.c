/* SPDX-License-Identifier: BSD-2-Clause */
/* A message or a notification of which not all has come yet. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "stack/partial.h"
#include "util/mem.h"

/* The words of a partial message's record. */
enum { WORD_OWNER, WORD_KIND, WORD_LEN, WORD_FLAGS, WORD_KEY, WORD_PPID };
enum { BEGUN = 1, SKIP = 2, SENT = 4, KEYED = 8 };

/* Of a message that a daemon without keys left: the next piece belongs to it. */
#define KEY_ANY	UINT32_MAX

/* So many bytes of a message are charged, but never refused. */
#define FREE	65536u

void
partial_init(struct partial *j, enum partial_kind kind, uint64_t owner)
{
	memset(j, 0, sizeof *j);
	j->kind = kind;
	j->owner = owner;
}

/* Charge this user for the size of the record. NULL: charge nobody. */
static void
charge(struct partial *j, struct user *u)
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
forget(struct partial *j)
{
	if (j->record == NULL)
		return;
	charge(j, NULL);
	if (j->kind != PARTIAL_LONE)
		journal_drop(j->record);
	else
		journal_forget(j->record);
	j->record = NULL;
}

/* Make room for len bytes. What has come moves along. */
static bool
make_room(struct partial *j, struct user *u, size_t len)
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
	r->word[WORD_KEY] = j->key;
	r->word[WORD_PPID] = j->ppid;
	if (j->len > 0)
		memcpy(r->body, j->record->body, j->len);
	if (j->kind != PARTIAL_LONE)
		journal_keep(r, RECORD_PARTIAL);
	forget(j);
	j->record = r;
	charge(j, u);
	return true;
}

static void
save(struct partial *j)
{
	uint64_t	flags = (j->begun ? BEGUN : 0u) | (j->skip ? SKIP : 0u) | (j->sent ? SENT : 0u) |
			    (j->kind == PARTIAL_DATA && j->key != KEY_ANY ? KEYED : 0u);

	(void)make_room(j, NULL, j->len);
	if (j->kind == PARTIAL_LONE)
		return;
	journal_set(&j->record->word[WORD_LEN], j->len);
	journal_set(&j->record->word[WORD_FLAGS], flags);
}

void
partial_clear(struct partial *j)
{
	forget(j);
	j->len = 0;
	j->begun = j->skip = j->sent = false;
}

bool
partial_add(struct partial *j, struct user *u, const char *p, size_t n)
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

bool
partial_join(struct partial *j, struct user *u, bool last, char **p, size_t *n, bool *too_long)
{
	if (last && !j->begun)
		return true;
	if (!partial_add(j, u, *p, *n)) {
		*too_long = !j->skip;
		partial_clear(j);
		if (!last) {	/* throw the rest away, too, up to the last piece */
			j->begun = j->skip = true;
			save(j);
		}
		return false;
	}
	*p = partial_data(j);
	*n = j->len;
	return last;
}

char *
partial_data(const struct partial *j)
{
	return j->record != NULL ? j->record->body : NULL;
}

void
partial_mark_sent(struct partial *j)
{
	j->sent = true;
	save(j);
}

uint64_t
partial_owner(const struct record *r, enum partial_kind *kind)
{
	*kind = (enum partial_kind)r->word[WORD_KIND];
	return r->word[WORD_OWNER];
}

bool
partial_restore(struct partial *j, struct record *r)
{
	uint64_t	flags = r->word[WORD_FLAGS];

	if (j->record != NULL || r->word[WORD_LEN] > journal_room(r))
		return false;
	j->record = r;
	j->len = r->word[WORD_LEN];
	j->begun = (flags & BEGUN) != 0;
	j->skip = (flags & SKIP) != 0;
	j->sent = (flags & SENT) != 0;
	j->key = flags & KEYED ? (uint32_t)r->word[WORD_KEY] : KEY_ANY;
	j->ppid = (uint32_t)r->word[WORD_PPID];
	return true;
}

/* ---- the messages of an association --------------------------------- */

void
partials_init(struct partials *l, uint64_t owner)
{
	LIST_INIT(&l->list);
	l->n = 0;
	l->refused = false;
	l->owner = owner;
}

struct partial *
partials_find(struct partials *l, uint32_t key, uint32_t ppid)
{
	struct partial	*j;

	LIST_FOREACH(j, &l->list, entry) {
		if (j->key == key)
			return j;
		if (j->key != KEY_ANY)
			continue;
		j->key = key;
		j->ppid = ppid;
		return j;
	}
	return NULL;
}

static struct partial *
add(struct partials *l)
{
	struct partial	*j = xmalloc(sizeof *j);

	partial_init(j, PARTIAL_DATA, l->owner);
	LIST_INSERT_HEAD(&l->list, j, entry);
	l->n++;
	return j;
}

struct partial *
partials_begin(struct partials *l, uint32_t key, uint32_t ppid, bool *too_many)
{
	struct partial	*j;

	if (l->n == PARTIALS) {
		*too_many = !l->refused;
		l->refused = true;
		return NULL;
	}
	j = add(l);
	j->key = key;
	j->ppid = ppid;
	return j;
}

void
partials_take(struct partials *l, struct partial *j)
{
	LIST_REMOVE(j, entry);
	l->n--;
}

void
partial_free(struct partial *j)
{
	partial_clear(j);
	free(j);
}

void
partials_clear(struct partials *l)
{
	struct partial	*j;

	while ((j = LIST_FIRST(&l->list)) != NULL) {
		partials_take(l, j);
		partial_free(j);
	}
}

void
partials_forget(struct partials *l, uint32_t key)
{
	struct partial	*j = partials_find(l, key, 0);

	if (j == NULL) {
		partials_clear(l);
		return;
	}
	partials_take(l, j);
	partial_free(j);
}

bool
partials_restore(struct partials *l, struct record *r)
{
	struct partial	*j;

	if (l->n == PARTIALS)
		return false;
	j = add(l);
	if (partial_restore(j, r))
		return true;
	partials_take(l, j);
	free(j);
	return false;
}
