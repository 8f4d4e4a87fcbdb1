/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that make sockets and associations, and say their addresses. */
#ifndef RUN_NAMES_H
#define RUN_NAMES_H

#include <sys/socket.h>

#include "run/call.h"

void names_socket(struct call *);
void names_bind(struct call *);
void names_connect(struct call *);
void names_listen(struct call *);
void names_accept(struct call *);
void names_local(struct call *);
void names_peer(struct call *);
void names_shutdown(struct call *);

/* bindx and connectx, which are options: the call is answered in the end. */
void names_bindx(struct call *, const struct sockaddr_storage *, size_t n, bool adds);
/* Answered with the number of the association, if wants_id. */
void names_connectx(struct call *, const struct sockaddr_storage *, size_t n, bool wants_id);

/* One of the daemon's sockets becomes a descriptor of the program; false: errno says why not. */
int names_give(struct call *, struct sock *, int flags, bool answers);
/* Options of a socket that the daemon made. */
void names_begin_events(struct sock *);

#endif
