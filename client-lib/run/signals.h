/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

#include "run/call.h"

/* Calls were taken: while any of them wait, signals for their threads are looked for. */
void signals_watch(struct run *);

#endif
