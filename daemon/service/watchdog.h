/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signs of life for the service manager, sent from the event loop. If the loop
 * hangs, no sign is sent, and the manager kills and restarts the daemon.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

/* Only if the manager asked for them in WATCHDOG_USEC. */
void watchdog_start(void);
void watchdog_stop(void);

#endif
