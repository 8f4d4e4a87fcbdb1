/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handler of each method, declared by the table. A missing handler fails
 * the link; a handler with the wrong structs fails the compilation.
 *
 * A handler has three ways to return. It fills out and returns ERR_OK. It returns
 * an error, and says why with call_fail. Or it answers itself, now or later, and
 * returns CALL_ANSWERED.
 *
 * This room, methods, takes a request to its handler: dispatch.c finds the row,
 * arguments.c finds what the arguments name, policy.c decides who may do what,
 * and each other file holds a group of methods. It may use every room
 * before it (daemon/README.md), and calls a stack only through stack->... It makes no
 * system call on an SCTP socket, and must not know the kernel or userland room.
 */
#ifndef HANDLER_H
#define HANDLER_H

#include "proto/rpc.h"
#include "rpc/call.h"

#define METHOD(name, from, doc) enum error handle_##name(struct call *,	\
	const struct rpc_##name##_in *, struct rpc_##name##_out *);
#include "proto/rpc.def"

/* send, without the parameters that only handle_send checks. */
enum error send_plainly(struct call *, const struct rpc_send_in *);

/* Begin to count the daemon's uptime. */
void handle_start_clock(void);

#endif
