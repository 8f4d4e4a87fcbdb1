/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables for programs that write code from them. */
#ifndef JSON_H
#define JSON_H

#include "proto/field.h"

/* Print all tables as one JSON object; type gives a field's type as the reference has it. */
void json_tables(const char *(*type)(const struct field *));

#endif
