/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service manager wants to hear (sd_notify(3)): who started us, and
 * said where in NOTIFY_SOCKET.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* We serve: after the start, and after a reload. What is shown by systemctl status. */
void notify_ready(const char *status);
void notify_reloading(void);

/* False if nobody listens. */
bool notify_stopping(void);

/*
 * Any "KEY=value" lines, and a descriptor with them if it is not -1. False if
 * nobody listens.
 */
bool notify_send(const char *lines, int fd);

/* How often we have to say WATCHDOG=1, in microseconds; 0: not at all. */
uint64_t notify_watchdog_usec(void);

#endif
