/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many associations at once: a program that has them and sends over them in
 * turn, and the two that answer it, one with epoll and one with sctpd.
 */
#ifndef CROWD_H
#define CROWD_H

#include "end.h"

struct crowd {
	struct end	e;
	unsigned	n;
};

struct crowd_run {
	double	us, median, p99, worst;		/* in all; of single trips */
};

/* The answering side; begun with crowd_port, which gives where it listens. */
void crowd_serve_epoll(void *);
void crowd_serve_sctpd(void *path);		/* a message with 's' stalls it */
uint16_t crowd_port(struct end *);

struct crowd crowd_start(uint16_t port);
bool crowd_grow(struct crowd *, unsigned n);
bool crowd_run(struct crowd *, const struct order *, struct crowd_run *);

/* One more association, for mischief: whose peer floods it, or stops reading. */
struct end crowd_flood(uint16_t port);
struct end crowd_stall(uint16_t port);

#endif
