/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Users and groups of users that may own a supervised association.
 */
#ifndef SUPERVISE_USERS_H
#define SUPERVISE_USERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/rpc.h"
#include "rpc/client.h"
#include "supervise/wanted.h"

struct supervised_users {
	bool		all;
	uint32_t	nuids, ngids;
	uid_t		uid[WANTED_ITEMS];
	gid_t		gid[WANTED_ITEMS];
};

/* Find those of attach. Who is not on this host is left out, and logged: of is the association's name. */
void users_find(struct supervised_users *, const char *of, const struct rpc_supervise_in *);

/* Is the client one of them, or in one of their groups? */
bool users_have(const struct supervised_users *, const struct client *);

#endif
