/* SPDX-License-Identifier: BSD-2-Clause */
/* Supervised associations, by their names. */
#ifndef SCTPCTL_SUPERVISED_H
#define SCTPCTL_SUPERVISED_H

#include "sctpctl/ctl.h"

int supervised_up_or_down(struct ctl *, int argc, char **argv);
int supervised_explain(struct ctl *, int argc, char **argv);

#endif
