/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, and what runs them. */
#ifndef SCTPCTL_COMMANDS_H
#define SCTPCTL_COMMANDS_H

#include "sctpctl/ctl.h"

extern const struct command command_table[];	/* ends with a row without doc */

/* Run the command of these words. */
int command_run(struct ctl *, int argc, char **argv);

#endif
