/* SPDX-License-Identifier: BSD-2-Clause */
/* Reaching the daemon again. */
#ifndef LIB_DIAL_H
#define LIB_DIAL_H

#include "lib/internal.h"

/* From now on, a session whose connection breaks goes on over a new connection to that path. */
void dial_remember(struct sctpd *, const struct sockaddr_un *path);

#endif
