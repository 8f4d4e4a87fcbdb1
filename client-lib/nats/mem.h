/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory, or the end of the program: what it has is in the log, or the daemon's still. */
#ifndef NATS_MEM_H
#define NATS_MEM_H

#include <stddef.h>

#include "nats/log.h"

void *xcalloc(size_t n, size_t size);
char *xstrdup(const char *);
char *xprintf(const char *format, ...) PRINTF(1, 2);

#endif
