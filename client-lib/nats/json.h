/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as JSON, where bytes become a string of hexadecimal digits; and one value out of an object of a NATS server. */
#ifndef NATS_JSON_H
#define NATS_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/sctpd.h"

void json_string(FILE *, const char *, size_t);
void json_value(FILE *, const struct sctpd_value *);

/*
 * The text of the first member of that name, at whatever depth: a string without its
 * quotes, or a number, true, false. False: there is none.
 */
bool json_pick(const char *text, const char *name, char *to, size_t size);

#endif
