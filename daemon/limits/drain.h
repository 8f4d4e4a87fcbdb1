/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the daemon being drained? Then it makes and accepts no new association. An
 * administrator says so, and it is in the journal: a daemon that is killed and
 * started again must not accept what was to go elsewhere.
 */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>

bool drain_is_on(void);

/* True: it was not so before. The next commit writes it. */
bool drain_set(bool on);

/* Once the journal is open: as the earlier process left it. */
void drain_restore(void);

#endif
