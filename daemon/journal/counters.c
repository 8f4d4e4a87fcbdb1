/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters in the journal.
 *
 * The record holds the values, as words that are set one by one. The names follow
 * in the same order, each with a NUL. So a daemon of another version, which has
 * other counters, finds those that it knows.
 */
#include <stddef.h>
#include <string.h>

#include "journal/counters.h"
#include "journal/journal.h"
#include "util/counter.h"
#include "util/log.h"

/* The record's word: the number of values. */
#define NVALUES	0

static struct record *record;

static const char names[] =
#define COUNTER(name, metric, label, value, doc) #name "\0"
#include "proto/counter.def"
;
#define NAMES_SIZE	(sizeof names - 1)	/* without the literal's own NUL */

_Static_assert(offsetof(struct record, body) % sizeof(uint64_t) == 0, "the values are words");

static uint64_t *
values(struct record *r)
{
	return (uint64_t *)(void *)r->body;
}

void
counters_stage(void)
{
	if (record == NULL) {
		record = journal_new(sizeof counters + NAMES_SIZE);
		memcpy(record->body, counters, sizeof counters);
		memcpy(record->body + sizeof counters, names, NAMES_SIZE);
		record->word[NVALUES] = COUNTERS;
		journal_keep(record, RECORD_COUNTERS);
		return;
	}
	for (unsigned i = 0; i < COUNTERS; i++) {
		if (values(record)[i] != counters[i])
			journal_set(&values(record)[i], counters[i]);
	}
}

/* The value of the counter of this name, if we have one. */
static void
set_named(const char *name, uint64_t value)
{
	const char	*ours = names;

	for (unsigned i = 0; i < COUNTERS; i++) {
		if (strcmp(ours, name) == 0)
			counters[i] = value;
		ours += strlen(ours) + 1;
	}
}

/* The record is not trusted: it may end in the middle of a name. */
static void
read_record(struct record *r)
{
	uint64_t	 n = r->word[NVALUES];
	const char	*end = r->body + r->len, *name, *after;

	if (n > r->len / sizeof n) {
		log_err("journal: left out: the counters");
		return;
	}
	name = r->body + n * sizeof n;
	for (uint64_t i = 0; i < n; i++) {
		if ((after = memchr(name, '\0', (size_t)(end - name))) == NULL)
			return;
		set_named(name, values(r)[i]);
		name = after + 1;
	}
}

void
counters_restore(void)
{
	struct record	*r = NULL;

	record = NULL;
	while ((r = journal_next(r, RECORD_COUNTERS)) != NULL) {
		read_record(r);
		journal_drop(r);
	}
}
