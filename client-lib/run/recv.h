/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that receive. */
#ifndef RUN_RECV_H
#define RUN_RECV_H

#include "run/call.h"

void recv_recvfrom(struct call *);
void recv_recvmsg(struct call *);
void recv_recvmmsg(struct call *);
void recv_read(struct call *);
void recv_readv(struct call *);
void recv_fionread(struct call *);

#endif
