/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon has and can do, for people. */
#ifndef SCTPCTL_LIST_H
#define SCTPCTL_LIST_H

#include "sctpctl/ctl.h"

/* status, sockets, assocs, clients for people. */
bool list_knows(const char *method);
void list_print(const struct ctl *, const char *method, const struct sctpd_value *);

#endif
