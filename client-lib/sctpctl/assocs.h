/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations: what their list says of each, as numbers and as columns.
 */
#ifndef SCTPCTL_ASSOCS_H
#define SCTPCTL_ASSOCS_H

#include <stdint.h>

#include "sctpctl/table.h"

struct assoc_row {
	char		*json;			/* allocated, or NULL; the first member of any row */
	uint64_t	sock;
	uint32_t	assoc_id;
	uint16_t	port;
	uint16_t	inbound, outbound;	/* streams */
	char		state[16];
	char		peer[72];
	char		owner[48];
	char		ppids[48];
	char		error[96];		/* what was wrong last */
	uint64_t	send_pend, recv_pend;
	double		age;			/* s; less than 0: it is not up */
	double		recv_cnt, recv_oct, send_cnt, send_oct;
	bool		has_status;		/* the stack said what follows */
	double		srtt, rto, cwnd, mtu, rwnd, unacked, unread;
	bool		has_stats;
	double		rtx;
	struct {				/* what top makes of two rows, a second */
		double	recv_cnt, recv_oct, send_cnt, send_oct, rtx;
	} rate;
};

extern const struct column assoc_columns[], top_columns[];

/*
 * Add the associations that the options ask for. With status the stack is
 * asked for each, which takes the daemon longer. Gives an exit code.
 */
int assocs_get(struct ctl *, int argc, char **argv, bool status, struct rows *);

/* Ask for the status of these n rows, all at once. */
int assocs_ask_status(struct ctl *, struct rows *, size_t from, size_t n);

/* Is the column made of what only the stack knows? */
bool assocs_needs_status(const char *column);

/* Everything about one, in lines, if it is still there. Gives an exit code. */
int assocs_describe(struct ctl *, FILE *, uint64_t sock, uint32_t assoc_id);

/* Is it a state of an association? */
bool assocs_has_state(const char *);
#define ASSOC_STATES	"coming_up, up, going_down, over"

#endif
