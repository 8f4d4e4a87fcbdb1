/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the daemon, with a deadline. */
#ifndef LIB_WAIT_H
#define LIB_WAIT_H

#include "lib/internal.h"

/*
 * Write and read once, waiting until that can be done or the deadline comes:
 * then SCTPD_TIMEOUT.
 */
int conn_wait(struct sctpd *, int64_t deadline);
/* The same, but what was read is not taken yet. */
int conn_await(struct sctpd *, int64_t deadline);

/*
 * End the request, send it, and wait for its answer, timeout ms (-1: for
 * ever) on top of the connection's own. The answer is c->reply.
 */
int conn_finish(struct sctpd *, int64_t timeout);
const msgpack_object *conn_result(const struct sctpd *);

#endif
