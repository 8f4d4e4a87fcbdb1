/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of a run: daemons, and the ends of associations, each told
 * what to do in lines.
 */
#ifndef END_H
#define END_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "link.h"

enum side { LEFT, RIGHT };	/* of the network */

struct end {
	pid_t	 pid;
	FILE	*to, *from;
};

/* Where things are. */
extern struct place {
	char		 build[512];	/* the folder of sctpd and of this program */
	char		 run[64];	/* for sockets */
	const char	*config;	/* the daemons' file */
	bool		 veth;		/* the sides are two namespaces with a veth between them */
	const char	*addr[2];
	uint16_t	 udp[2];	/* of the daemons' userland stacks; 0: they use the kernel's */
} place;

void place_init(const char *argv0, bool veth);
void place_userland(void);

/* Run fn in a process of its own; it talks on its standard input and output. */
struct end end_start(enum side, void (*fn)(void *), void *arg);
struct end end_exec(enum side, char *const argv[]);
struct end end_daemon(enum side, const char *config, const char *socket);
bool end_line(struct end *, char *line, size_t size);
void end_say(const struct end *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void end_stop(struct end *);
double end_cpu_us(const struct end *);

#endif
