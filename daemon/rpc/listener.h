/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Unix socket that clients connect to.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Listen on the socket that was passed as "rpc", or else at config.socket.
 * False with a reason, if another sctpd has it, for one.
 */
bool listener_open(char *error, size_t size);

/* Is there what the settings name? For a test of the configuration. */
bool listener_check(char *error, size_t size);

/*
 * Stop listening. Our own socket file is removed, unless the socket is in the
 * store: it outlives us, and clients wait in it for the next of us.
 */
void listener_close(void);

#endif
