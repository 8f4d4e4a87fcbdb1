/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The streams of this host: make them, and look where the log ends. It waits for
 * answers of JetStream, so it is a job of the control thread.
 */
#ifndef NATS_STREAMS_H
#define NATS_STREAMS_H

#include "nats/bus.h"
#include "nats/subject.h"

/* Give life (with a reference), epoch and from; the job gives the rest. */
struct look {
	struct life	*life;
	uint32_t	 epoch;		/* of our session; 0: there is none */
	uint64_t	 from;		/* the sequence up to which the log is known */

	char		 why[512];	/* if this is not empty, it failed */
	uint64_t	 last;		/* the last sequence of the log */
	uint64_t	 out_last;	/* and of the queue */
	bool		 found;		/* is there a message of ours behind "from"? */
	struct log_id	 id;		/* then this is the last one */
	uint64_t	 unreadable;	/* behind "from": messages that were removed */
	uint64_t	 bytes;		/* size of the log */
	int64_t		 made;		/* when its stream was made: another time, another stream */
	bool		 alone;		/* one server keeps the log, and no other has a copy */
};

/* Give it to bus_job: its argument is a struct look. */
void streams_look(void *);

/* How large the log is; UINT64_MAX if that is not known. It waits for an answer of JetStream. */
uint64_t streams_log_size(struct life *);

#endif
