/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taking over what a process before us wrote.
 */
#ifndef RESTORE_H
#define RESTORE_H

/* After journal_open said that there is something. */
void restore(void);

#endif
