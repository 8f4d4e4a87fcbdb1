/* SPDX-License-Identifier: BSD-2-Clause */
/* A value of sctpd's as JSON. Bytes become a string of hexadecimal digits. */
#ifndef NATS_JSON_H
#define NATS_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/sctpd.h"

void json_string(FILE *, const char *, size_t);
void json_value(FILE *, const struct sctpd_value *);

#endif
