/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of bytes to a NATS server: TCP, and TLS on it as the settings tls say.
 *
 * It is made and begun with functions that wait, for two seconds at most each, on a
 * thread that may; after link_no_wait nothing waits any more.
 */
#ifndef NATS_LINK_H
#define NATS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct link;

/* Connect to a host and a port. NULL: why says it. */
struct link *link_connect(const char *host, const char *port, char *why, size_t size);

/* From here on with TLS. The host's certificate must be its own, or that of tls_hostname. False: why. */
bool link_tls(struct link *, const char *host, char *why, size_t size);

void link_no_wait(struct link *);
int link_fd(const struct link *);

/* How many bytes were read or written; 0: none without waiting; -1: it ended, why says it. */
ssize_t link_read(struct link *, void *to, size_t size, char *why, size_t len);
ssize_t link_write(struct link *, const void *from, size_t size, char *why, size_t len);

void link_close(struct link *);

#endif
