/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signs of life for the service manager, from the loop that serves: one that
 * hangs gives none, and is killed and started again.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/* If the manager asked for them, which it does in WATCHDOG_USEC. */
void watchdog_start(void);
void watchdog_stop(void);

#endif
