/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as text, and whether one is what is waited for. */
#ifndef SCTPCTL_SEEN_H
#define SCTPCTL_SEEN_H

#include "sctpctl/ctl.h"

/* "name key=value key=value ", allocated; NULL if there is no memory. */
char *seen_text(const struct sctpd_event *);

/* Does it have the name words[0], and say all of the key=value that follow? "timeout=..." is none. */
bool seen_matches(const char *text, int n, char *const *words);

#endif
