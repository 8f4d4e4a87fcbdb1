/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as programs give them to setsockopt(2) and getsockopt(2): by level,
 * name and bytes.
 *
 * The fields of a row (proto/sockopt.h) say where they are in Linux's own
 * struct, so the bytes that a program gives are the row's value already. What
 * is left is what Linux accepts: which lengths, which older and shorter forms of
 * a struct, and of a struct that ends in a list, how long the list may be.
 * Nothing here knows a stack.
 */
#ifndef RAWOPT_H
#define RAWOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/sockopt.h"

/*
 * The row of Linux's level and name; NULL: there is none. Of rows that share a
 * name, len chooses.
 */
const struct sockopt *rawopt_find(uint32_t level, uint32_t name, size_t len);

/*
 * The value to set, from len bytes. Gives 0 or EINVAL. Bytes of the value that
 * were not given are zero.
 */
int rawopt_set(const struct sockopt *, const void *bytes, size_t len, char value[SOCKOPT_MAX]);

/*
 * What a value is asked for by: the association, the address and so on, from the
 * program's buffer. Its other bytes are left out. Gives 0 or EINVAL.
 */
int rawopt_ask(const struct sockopt *, const void *bytes, size_t len, char value[SOCKOPT_MAX]);

/*
 * What was asked for, put into the program's buffer, which is given as it was
 * for rawopt_ask. Gives how many of its bytes the program gets, or -1 if it is
 * too short for a list or a name.
 */
int rawopt_answer(const struct sockopt *, const char value[SOCKOPT_MAX], void *bytes, size_t len);

#endif
