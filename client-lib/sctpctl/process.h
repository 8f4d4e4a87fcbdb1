/* SPDX-License-Identifier: BSD-2-Clause */
/* Which programs the daemon's clients are, where that can be told. */
#ifndef SCTPCTL_PROCESS_H
#define SCTPCTL_PROCESS_H

#include <stdint.h>

#include "sctpctl/ctl.h"

/* Ask, once, whether the daemon sees the processes that we see. Gives an exit code. */
int process_look(struct ctl *);

/* The name of the program that the process runs; "" if that cannot be told. */
void process_program(int64_t pid, char *to, size_t size);

#endif
