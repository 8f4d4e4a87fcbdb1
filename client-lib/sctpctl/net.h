/* SPDX-License-Identifier: BSD-2-Clause */
/* sctpctl listen and connect. */
#ifndef SCTPCTL_NET_H
#define SCTPCTL_NET_H

#include "sctpctl/ctl.h"

int net_listen(struct ctl *, int argc, char **argv);
int net_connect(struct ctl *, int argc, char **argv);

#endif
