/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets and clients: what their lists say of each, as numbers and as columns. */
#ifndef SCTPCTL_THINGS_H
#define SCTPCTL_THINGS_H

#include "sctpctl/table.h"

extern const struct column sock_columns[], client_columns[];

/* Add them. Gives an exit code. */
int things_get_socks(struct ctl *, int argc, char **argv, struct rows *);
int things_get_clients(struct ctl *, int argc, char **argv, struct rows *);

#endif
