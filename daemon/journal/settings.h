/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration in force, kept for the next process. If the file is wrong when
 * that one starts, it still has associations to serve.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

void settings_keep(const struct config *);

/* The configuration of the earlier process. False: none, or a bad one, with a reason in error. */
bool settings_last(struct config *, char *error, size_t size);

#endif
