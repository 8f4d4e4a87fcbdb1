/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of clients that share a socket, and their members. */
#ifndef SCTPCTL_GROUPS_H
#define SCTPCTL_GROUPS_H

#include "sctpctl/ctl.h"
#include "sctpctl/table.h"

extern const struct column member_columns[];

int groups_run(struct ctl *, int argc, char **argv);

/* For help: the columns. */
void groups_columns(void);

#endif
