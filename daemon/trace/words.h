/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fields of a stack's event say, and the event in words.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "stack/stack.h"

/* The field of that name; NULL: there is none. */
const struct field *words_field(const struct event_type *, const char *key);

/* The number in a field, which is as wide as the stack's struct has it. */
uint32_t words_number(const struct stack_event *, const struct field *);

/* The word of a number; "" if it has none. */
const char *words_name(const struct field *, uint32_t);

/* Its name, and its fields as they are called, without assoc_id and bytes. */
void words_of(char *to, size_t size, const struct stack_event *);

#endif
