/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room service: the process and its service manager, which is systemd or
 * our own keeper (keeper.h). notify tells the manager how we are, watchdog that
 * we live, fdclient gives it descriptors to hold, drop gives up root. It knows
 * util and config. What a descriptor is good for must not enter, nor anything
 * of SCTP: the keeper has to outlive every mistake of the rooms above.
 *
 * This file: messages to the manager as sd_notify(3) defines them, to the socket
 * that the manager named in NOTIFY_SOCKET.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* We serve, after the start or after a reload. systemctl status shows the text. */
void notify_ready(const char *status);
void notify_reloading(void);

/* False if there is no manager. */
bool notify_stopping(void);

/*
 * Send "KEY=value" lines, and a descriptor with them if it is not -1. False if
 * there is no manager.
 */
bool notify_send(const char *lines, int fd);

/* Interval at which the manager expects WATCHDOG=1, in microseconds; 0: it does not. */
uint64_t notify_watchdog_usec(void);

#endif
