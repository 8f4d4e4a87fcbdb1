/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands for administrators of the daemon. */
#ifndef SCTPCTL_ADMIN_H
#define SCTPCTL_ADMIN_H

#include "sctpctl/ctl.h"

int admin_drain(struct ctl *, int argc, char **argv);
int admin_undrain(struct ctl *, int argc, char **argv);
int admin_log_level(struct ctl *, int argc, char **argv);

#endif
