/* SPDX-License-Identifier: BSD-2-Clause */
/* getsockopt(2) and setsockopt(2). */
#ifndef RUN_OPTION_H
#define RUN_OPTION_H

#include "run/call.h"

void option_set(struct call *);
void option_get(struct call *);

#endif
