/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's SCTP, for main: the table of functions. */
#ifndef KERNEL_OPS_H
#define KERNEL_OPS_H

#include "stack/stack.h"

extern const struct stack kernel_stack;

#endif
