/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that have changed, and the commit of all of them.
 *
 * Each socket and association has a record in the journal, and so has a client
 * that messages are kept for. It consists of MessagePack maps, in which a daemon of
 * another version finds the fields that it knows, and of some words for what
 * changes too often for that. Whoever changes a
 * thing calls kept_changed. At the end of a turn or a batch each changed thing
 * writes its record again, once. All of that is one transaction, together with the
 * messages that were received and sent in that turn.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "journal/journal.h"
#include "proto/field.h"

/* The part of a client, socket or association that the journal deals with. */
struct kept {
	TAILQ_ENTRY(kept)	 entry;
	struct record		*record;	/* NULL: there is none yet */
	void			(*write)(struct kept *);
	bool			 changed;
};

/* write is called at a commit, if the thing has changed. */
void kept_init(struct kept *, void (*write)(struct kept *));
void kept_list(struct kept *);

/* Here because each message that comes changes its socket's counters. */
static inline void
kept_changed(struct kept *k)
{
	if (!k->changed)
		kept_list(k);
}

/* The thing is gone: drop its record. */
void kept_drop(struct kept *);

/* For write: make a record with these fields, and the words of the previous one. */
void kept_write(struct kept *, enum record_kind, const struct field *, const void *, size_t);

/* The same, from fields that are packed already. */
void kept_write_packed(struct kept *, enum record_kind, const char *, size_t);

static inline void
kept_set_word(struct kept *k, unsigned i, uint64_t value)
{
	if (k->record->word[i] != value)
		journal_set(&k->record->word[i], value);
}

/* Have a function called at each commit, after all changed records are written. */
void changes_at_commit(void (*)(void));

/* Commit everything that changed, as one transaction. */
void changes_commit(void);

/* The number of commits so far. */
uint64_t changes_commits(void);

#endif
