/* SPDX-License-Identifier: BSD-2-Clause */
/* What sctpctl tells about itself, as JSON. */
#ifndef SCTPCTL_HELP_JSON_H
#define SCTPCTL_HELP_JSON_H

#include "sctpctl/ctl.h"

/* All commands and options, or all that has these names, which are known. */
void help_json(const struct ctl *, int argc, char **argv);

#endif
