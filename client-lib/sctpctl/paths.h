/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths: what their list says of each, as numbers and as columns. */
#ifndef SCTPCTL_PATHS_H
#define SCTPCTL_PATHS_H

#include <stdint.h>

#include "sctpctl/table.h"

struct path_row {
	char		*json;			/* allocated, or NULL; the first member of any row */
	uint64_t	sock;
	uint32_t	assoc_id;
	bool		primary;
	uint8_t		peer, state;		/* where they begin in text */
	double		cwnd, srtt, rto, mtu;
	char		text[192];		/* this side, the peer, and the state; the last member, as the rest is not kept */
};

extern const struct column path_columns[];

/* Add the paths that the options ask for. Gives an exit code. */
int paths_get(struct ctl *, int argc, char **argv, struct rows *);

/* Is it a state of a path? */
bool paths_has_state(const char *);
#define PATH_STATES	"active, inactive, potentially_failed, unconfirmed"

#endif
