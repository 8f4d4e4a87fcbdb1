/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the bench, in the order in which they run.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "end.h"

/* How much of everything; bench.c has the presets. */
struct effort {
	int		 rounds;	/* that each contestant has, in turn */
	double		 run_us;	/* how long a run is to take */
	unsigned	 assocs;	/* the most of them */
	unsigned	 clients;
	uint32_t	 traffic;	/* messages in a run of many associations */
	bool		 quick;		/* only what the ratios need */
	bool		 slow;		/* the processor is QEMU's */
	bool		 native;	/* what needs no SCTP in the kernel */
	const char	*only;		/* names of parts; NULL: all */
	const char	*tracks;	/* names of contestants, with commas between; NULL: all */
};

extern struct effort effort;
extern struct end daemon_near, daemon_far;
extern char path_near[128], path_far[128];

void daemons_start(void);
void daemons_stop(void);

void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Losses that the kernel counted; the sum of what must stay 0. */
struct losses {
	unsigned long	data_discards, packet_discards, t3_expired;
	unsigned long	packets;	/* that were sent, to compare with messages */
};

extern unsigned long losses_bulk;	/* in sctpd's one-way runs */

void losses_read(struct losses *);
void losses_report(void);

void tracks_run(void);		/* track.c: round trips, one way, RPC */
void track_once(const struct link_kind *caller, const struct link_kind *server, const char *path, const struct order *);
void instructions_run(void);	/* instr.c */
#define SETUPS_AT_ONCE	64
void setups_run(void);		/* setup.c */
void assocs_run(void);		/* scale.c */
void isolation_run(void);
void clients_run(void);		/* clients.c */
void idle_run(void);		/* idle.c: memory, and wake-ups */
void ratios_compute(void);	/* ratio.c */

int native_run(void);		/* native.c */
void native_add(const char *file);

#endif
