/* SPDX-License-Identifier: BSD-2-Clause */
/* The command metrics. */
#ifndef SCTPCTL_METRICS_H
#define SCTPCTL_METRICS_H

#include "sctpctl/ctl.h"

int metrics_run(struct ctl *, int argc, char **argv);

#endif
