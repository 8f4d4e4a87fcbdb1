/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every method's handler, declared by the table: one that is missing fails
 * the link, one with the wrong structs the compilation.
 *
 * A handler fills out and returns ERR_OK; or returns an error, saying why
 * with call_fail; or sees to the answer itself, now or later, and returns
 * CALL_ANSWERED.
 */
#ifndef HANDLER_H
#define HANDLER_H

#include "call.h"
#include "rpc.h"

#define METHOD(name, from, doc) enum error handle_##name(struct call *,	\
	const struct rpc_##name##_in *, struct rpc_##name##_out *);
#include "rpc.def"

/* The daemon's uptime counts from now on. */
void handle_start_clock(void);

#endif
