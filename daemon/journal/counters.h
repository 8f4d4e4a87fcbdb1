/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters in the journal: one record. Each commit writes the values that have
 * changed.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

/* For changes_at_commit: write what was counted since the last commit. */
void counters_stage(void);

/*
 * Once the journal is open: take over what an earlier process counted, if there was
 * one. The next commit writes the record again.
 */
void counters_restore(void);

#endif
