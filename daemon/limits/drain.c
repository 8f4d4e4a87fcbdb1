/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the daemon being drained? It is if there is a record that says so.
 */
#include <stddef.h>

#include "journal/journal.h"
#include "limits/drain.h"

static struct record *record;

bool
drain_is_on(void)
{
	return record != NULL;
}

bool
drain_set(bool on)
{
	if (on == drain_is_on())
		return false;
	if (on) {
		record = journal_new(0);
		journal_keep(record, RECORD_DRAIN);
	} else {
		journal_drop(record);
		record = NULL;
	}
	return true;
}

void
drain_restore(void)
{
	record = journal_next(NULL, RECORD_DRAIN);
}
