/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens on the associations, again and again. */
#ifndef SCTPCTL_TOP_H
#define SCTPCTL_TOP_H

#include "sctpctl/ctl.h"

struct top;

/* A key, or several that do the same. */
struct top_key {
	const char	*name;
	int		 keys[2];
	const char	*doc;
	void		(*press)(struct top *);
};

extern const struct top_key top_keys[];	/* ends with a row without name */

int top_run(struct ctl *, int argc, char **argv);

/* For help: the keys, and the columns and what is in them. */
void top_help(void);

#endif
