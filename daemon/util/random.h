/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that nobody can guess.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>

void random_fill(void *, size_t);

#endif
