/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of the messages of all sockets. */
#ifndef SCTPCTL_TAP_H
#define SCTPCTL_TAP_H

#include "sctpctl/ctl.h"

int tap_run(struct ctl *, int argc, char **argv);

#endif
