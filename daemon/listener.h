/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Unix socket that clients connect to.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Listen at config.socket, or on a socket that was passed (fd, or -1). False
 * with a reason, if another sctpd has it, for one.
 */
bool listener_open(int fd, char *error, size_t size);

/* Stop listening; our own socket file is removed. */
void listener_close(void);

#endif
