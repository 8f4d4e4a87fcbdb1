/* SPDX-License-Identifier: BSD-2-Clause */
/* A list that is printed again and again: --delay, --frames. */
#ifndef SCTPCTL_AGAIN_H
#define SCTPCTL_AGAIN_H

#include "sctpctl/ctl.h"

/*
 * Run what prints it, on the same connection. On a terminal each list takes the place of the
 * last, as far as it fits; else they follow each other. Gives the exit code of the last.
 */
int again_run(struct ctl *, int (*run)(struct ctl *, int argc, char **argv), int argc, char **argv);

#endif
