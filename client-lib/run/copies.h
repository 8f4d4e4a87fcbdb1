/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that copy a descriptor, or would move bytes past us. */
#ifndef RUN_COPIES_H
#define RUN_COPIES_H

#include "run/call.h"

void copies_refuse(struct call *);
void copies_dup(struct call *);
void copies_dup2(struct call *);
void copies_fcntl(struct call *);

#endif
