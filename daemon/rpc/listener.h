/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Unix socket that clients connect to.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Listen on the socket that was passed as "rpc", otherwise at config.socket.
 * False with a reason, for example that another sctpd serves it.
 */
bool listener_open(char *error, size_t size);

/* Where clients find the socket, once it is open. */
const char *listener_path(void);

/* Could the socket be made as the settings say? For a test of the configuration. */
bool listener_check(char *error, size_t size);

/*
 * Stop listening. Removes our own socket file, unless the socket is in the
 * store: then it outlives us, and clients wait in it for the next daemon.
 */
void listener_close(void);

#endif
