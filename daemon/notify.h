/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What systemd passes and wants to hear: sockets and readiness.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

/* The listening socket that was passed to this process, or -1. */
int notify_listen_fd(void);

/* Say something, such as "READY=1", to who started us, if that listens. */
void notify_send(const char *state);

#endif
