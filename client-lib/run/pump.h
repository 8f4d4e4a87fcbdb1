/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A descriptor that is no SCTP socket any more, but a stream of bytes: the copy
 * with the number of standard input or output, say, as inetd makes it. What is
 * written there becomes messages, as it comes, and messages become bytes.
 */
#ifndef RUN_PUMP_H
#define RUN_PUMP_H

#include "run/call.h"

/* Put a stream in the place of a descriptor of the call's process; answers the call. */
void pump_begin(struct call *, int to, bool cloexec);

#endif
