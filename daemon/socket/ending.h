/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an association ends, and a close that waits for that.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stddef.h>

#include "rpc/call.h"
#include "socket/assoc.h"

struct closer *closer_new(const struct call *, int seconds);

/* The socket is being closed: CALL_ANSWERED if there is something to wait for. */
enum error closer_begin(struct closer *);

/* It is over, and the stack has handed over what was left. Accepts NULL; returns NULL. */
struct assoc *assoc_free(struct assoc *);

/* Shut down once nothing waits; returns an errno. */
int assoc_eof(struct assoc *);

/* For handlers: shut it down, or abort it, with a reason; who asks is for the log. A failure is said by call_fail. */
enum error assoc_shut(struct assoc *);
enum error assoc_abort(const char *who, struct assoc *, const char *reason, size_t len);

#endif
