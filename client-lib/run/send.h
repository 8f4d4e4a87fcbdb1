/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that send. */
#ifndef RUN_SEND_H
#define RUN_SEND_H

#include "run/call.h"

void send_sendto(struct call *);
void send_sendmsg(struct call *);
void send_sendmmsg(struct call *);
void send_write(struct call *);
void send_writev(struct call *);

#endif
