/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the room watch keeps with an association that it watches, and what of it
 * outlives the process: fields of the association's record.
 */
#ifndef WATCHED_H
#define WATCHED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct assoc;

struct watched {
	uint64_t		 stalled;	/* since when nothing is acknowledged, as trace_now
						   says; 0: it has not stalled */
	struct sockaddr_storage	 wanted;	/* the primary that it came up with */
	uint32_t		 penalty;	/* for failures of the wanted path... */
	uint64_t		 penalty_at;	/* ...as it was then */
	bool			 damped;	/* the path is not taken until it is low */
	bool			 wants_sends;	/* assoc_mark is to be called when something is sent */
	void			 (*free)(struct assoc *);
};

#endif
