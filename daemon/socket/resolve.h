/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names to addresses, without the loop waiting for it.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stddef.h>
#include <sys/socket.h>

#include "limits/user.h"

/* The most addresses of one name. */
#define RESOLVE_MAX	16

struct resolve;

/* Called from the loop: the addresses, without ports; or n is 0, with the reason. */
typedef void resolve_fn(void *arg, const struct sockaddr_storage *, size_t n,
    const char *why);

/*
 * Look a name up for this user and for sockets of this family. done is called
 * once, later.
 */
struct resolve *resolve_start(struct user *, const char *name, size_t len, int family,
    resolve_fn *done, void *arg);

/* Bytes that a look-up of a name of this length takes. */
size_t resolve_size(size_t len);

/* Nobody waits for it any more: done will not be called. Accepts NULL. */
struct resolve *resolve_cancel(struct resolve *);

void resolve_init(void);
void resolve_free(void);

#endif
