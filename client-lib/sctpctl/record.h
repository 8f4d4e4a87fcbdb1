/* SPDX-License-Identifier: BSD-2-Clause */
/* What the flight recorder has of an association. */
#ifndef SCTPCTL_RECORD_H
#define SCTPCTL_RECORD_H

#include "sctpctl/ctl.h"

int record_run(struct ctl *, int argc, char **argv);

#endif
