/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack, for main: the table of its functions.
 */
#ifndef USERLAND_OPS_H
#define USERLAND_OPS_H

#include "stack/stack.h"

extern const struct stack userland_stack;

#endif
