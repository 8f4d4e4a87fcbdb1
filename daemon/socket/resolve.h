/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names to addresses, without the loop waiting for it.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stddef.h>
#include <sys/socket.h>

#include "user.h"

/* At most as many addresses of one name. */
#define RESOLVE_MAX	16

struct resolve;

/* From the loop: the addresses, without ports; or n 0 and why there are none. */
typedef void resolve_fn(void *arg, const struct sockaddr_storage *, size_t n,
    const char *why);

/*
 * Look a name up for this user, and sockets of this family. done is called
 * once, later.
 */
struct resolve *resolve_start(struct user *, const char *name, size_t len, int family,
    resolve_fn *done, void *arg);

/* What one of a name so long takes. */
size_t resolve_size(size_t len);

/* Nobody waits for it any more: done will not be called. Takes NULL. */
struct resolve *resolve_cancel(struct resolve *);

void resolve_init(void);
void resolve_free(void);

#endif
