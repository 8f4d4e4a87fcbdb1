/* SPDX-License-Identifier: BSD-2-Clause */
/* sctpctl shell and watch. */
#ifndef SCTPCTL_SHELL_H
#define SCTPCTL_SHELL_H

#include "sctpctl/ctl.h"

int shell_run(struct ctl *, int argc, char **argv);
/* Print the commands of the shell: what "help" says in it, and "help shell" elsewhere. */
void shell_commands(void);
int watch_run(struct ctl *, int argc, char **argv);

#endif
