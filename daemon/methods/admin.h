/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What administrators do to what belongs to others. Each leaves a log line that
 * says who did it.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "rpc/call.h"
#include "socket/assoc.h"
#include "socket/sock.h"

/* The socket with this handle, if the caller may use it or is an administrator. */
enum error admin_find_sock(const struct call *, uint64_t handle, struct sock **);

/* Abort an association of somebody else's socket; close somebody else's socket. */
enum error admin_abort(const struct client *, struct assoc *, const char *reason, size_t len);
void admin_close(const struct client *, struct sock *);

#endif
