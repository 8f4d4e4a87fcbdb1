/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the program must know to go on after it was killed: the file "state".
 *
 * It is on this host and not on the bus, as all that it says ends with sctpd's
 * session, which is on this host. So it need not outlive the machine either, and a
 * mark is one write without a sync, which a kill cannot tear.
 */
#ifndef NATS_STATE_H
#define NATS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "nats/config.h"

struct state {
	uint32_t	epoch;		/* names the session in subjects and ids; 0: there is none */
	char		token[33];	/* of the session, secret */
	uint64_t	in_event;	/* all events up to this one are in the log, */
	uint64_t	in_seq;		/* up to this sequence of it: that of the event's last piece. They change together */
	uint64_t	out_seq;	/* all messages of the queue up to this one are in the stack, */
	uint64_t	out_note;	/* which were so many notifications of the session */
	uint64_t	term;		/* of the standby in which we last began to write the log */
	uint64_t	socks[CONFIG_ENDPOINTS];	/* of the endpoints; 0: not open */
};

extern struct state state;

/* Take the folder for this process alone, and read what is there. Ends the program on errors. */
void state_open(void);

/* Write all of it: after the session or a socket changed. */
void state_save(void);

/* Write the four numbers: after they changed, and before anybody is told. */
void state_mark(void);

#endif
