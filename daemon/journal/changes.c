/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Committing what has changed.
 */
#include <string.h>

#include "journal/changes.h"
#include "proto/codec.h"
#include "util/log.h"

#define HOOKS_MAX	4

static TAILQ_HEAD(, kept) changed = TAILQ_HEAD_INITIALIZER(changed);
static void (*hook[HOOKS_MAX])(void);
static unsigned nhooks;
static uint64_t ncommits;

void
kept_init(struct kept *k, void (*write)(struct kept *))
{
	*k = (struct kept){ .write = write };
}

void
kept_list(struct kept *k)
{
	k->changed = true;
	TAILQ_INSERT_TAIL(&changed, k, entry);
}

static void
unchanged(struct kept *k)
{
	if (k->changed)
		TAILQ_REMOVE(&changed, k, entry);
	k->changed = false;
}

void
kept_drop(struct kept *k)
{
	unchanged(k);
	if (k->record != NULL)
		journal_drop(k->record);
	k->record = NULL;
}

void
kept_write_packed(struct kept *k, enum record_kind kind, const char *p, size_t n)
{
	struct record	*new = journal_new(n);

	memcpy(new->body, p, n);
	if (k->record != NULL)
		memcpy(new->word, k->record->word, sizeof new->word);
	journal_keep(new, kind);
	if (k->record != NULL)
		journal_drop(k->record);
	k->record = new;
}

void
kept_write(struct kept *k, enum record_kind kind, const struct field *fields, const void *from,
    size_t size)
{
	msgpack_sbuffer	 b;
	msgpack_packer	 pk;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	codec_pack(&pk, fields, from, size);
	kept_write_packed(k, kind, b.data, b.size);
	msgpack_sbuffer_destroy(&b);
}

void
changes_at_commit(void (*fn)(void))
{
	for (unsigned i = 0; i < nhooks; i++) {
		if (hook[i] == fn)
			return;
	}
	if (nhooks == HOOKS_MAX)
		log_fatal("commits have no room for one more hook");
	hook[nhooks++] = fn;
}

void
changes_commit(void)
{
	struct kept	*k;

	while ((k = TAILQ_FIRST(&changed)) != NULL) {
		unchanged(k);
		k->write(k);
	}
	for (unsigned i = 0; i < nhooks; i++)
		hook[i]();
	journal_commit();
	ncommits++;
}

uint64_t
changes_commits(void)
{
	return ncommits;
}
