/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same traffic over ever more associations, and from ever more clients;
 * and one association that floods, one that stalls, and what the others have
 * of it.
 */
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "crowd.h"
#include "row.h"

static const unsigned steps[] = { 1, 100, 1000, 10000 };

struct side_by_side {
	struct end	epoll, sctpd;		/* the servers */
	uint16_t	epoll_port, sctpd_port;
	struct crowd	to_epoll, to_sctpd;
};

static void
start(struct side_by_side *s)
{
	s->epoll = end_start(RIGHT, crowd_serve_epoll, NULL);
	s->epoll_port = crowd_port(&s->epoll);
	s->sctpd = end_start(RIGHT, crowd_serve_sctpd, path_far);
	s->sctpd_port = crowd_port(&s->sctpd);
	s->to_epoll = crowd_start(s->epoll_port);
	s->to_sctpd = crowd_start(s->sctpd_port);
}

static void
stop(struct side_by_side *s)
{
	end_stop(&s->to_epoll.e);
	end_stop(&s->to_sctpd.e);
	end_stop(&s->epoll);
	end_stop(&s->sctpd);
}

static void
turn(struct row *r, struct crowd *c, const struct end *server, const struct end *daemon, const struct order *o)
{
	const struct end	*of[NPROCESSES] = { [CALLER] = &c->e, [FAR] = daemon, [SERVER] = server };
	double			 before[NPROCESSES] = { 0 };
	struct crowd_run	 run;

	for (int i = 0; i < NPROCESSES; i++)
		before[i] = of[i] == NULL ? 0 : end_cpu_us(of[i]);
	if (!crowd_run(c, o, &run))
		errx(1, "%s ended in the middle of %u associations", r->contestant, c->n);
	for (int i = 0; i < NPROCESSES; i++)
		r->cpu[i] += of[i] == NULL ? 0 : end_cpu_us(of[i]) - before[i];
	row_add(r, run.us / o->count, run.p99);
	r->done += o->count;
}

static void
step(struct side_by_side *s, unsigned n)
{
	struct order	 o = { .work = 'r', .bytes = 100, .in_flight = 64, .count = effort.traffic };
	struct row	*epoll = row_new("epoll", "assocs", "us", o.bytes, o.in_flight);
	struct row	*sctpd = row_new("sctpd", "assocs", "us", o.bytes, o.in_flight);

	epoll->count = sctpd->count = n;
	epoll->trips = sctpd->trips = true;
	progress("%u associations come up", n);
	(void)alarm(180);
	if (!crowd_grow(&s->to_epoll, n) || !crowd_grow(&s->to_sctpd, n))
		errx(1, "no %u associations", n);
	for (int round = 0; round < effort.rounds; round++) {
		progress("%u associations, round %d of %d", n, round + 1, effort.rounds);
		turn(epoll, &s->to_epoll, &s->epoll, NULL, &o);
		turn(sctpd, &s->to_sctpd, &s->sctpd, &daemon_far, &o);
	}
	(void)alarm(0);
}

void
assocs_run(void)
{
	struct side_by_side	s;

	start(&s);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		step(&s, steps[i] < effort.assocs ? steps[i] : effort.assocs);
		if (steps[i] >= effort.assocs)
			break;
	}
	stop(&s);
}

/* ---- isolation ------------------------------------------------------ */

#define NORMAL	98

struct calm {
	struct row	*median, *worst;
};

static void
trips(struct crowd *c, const struct calm *to, uint32_t count)
{
	struct order		o = { .work = 'r', .bytes = 100, .in_flight = 1, .count = count };
	struct crowd_run	r;

	(void)alarm(180);
	if (!crowd_run(c, &o, &r))
		errx(1, "isolation: an association ended");
	(void)alarm(0);
	row_add(to->median, r.median, r.p99);
	row_add(to->worst, r.worst, r.worst);
}

static struct calm
calm_new(const char *contestant, const char *median, const char *worst)
{
	return (struct calm){ row_new(contestant, median, "us", 100, 1), row_new(contestant, worst, "us", 100, 1) };
}

/* Alone and beset in turn, with sctpd and, to compare, with plain epoll. */
void
isolation_run(void)
{
	struct side_by_side	s;
	struct calm		alone[2] = { calm_new("epoll", "alone", "alone worst"), calm_new("sctpd", "alone", "alone worst") };
	struct calm		beset[2] = { calm_new("epoll", "beset", "beset worst"), calm_new("sctpd", "beset", "beset worst") };
	struct end		stalled[2] = { 0 };
	uint32_t		count = effort.traffic / 10;

	start(&s);
	if (!crowd_grow(&s.to_epoll, NORMAL) || !crowd_grow(&s.to_sctpd, NORMAL))
		errx(1, "isolation: no associations");
	for (int round = 0; round < effort.rounds; round++) {
		for (int i = 0; i < 2; i++) {
			struct crowd	*c = i == 0 ? &s.to_epoll : &s.to_sctpd;
			uint16_t	 port = i == 0 ? s.epoll_port : s.sctpd_port;
			struct end	 flood;

			progress("isolation, round %d of %d", round + 1, effort.rounds);
			trips(c, &alone[i], count);
			if (round == 0)
				stalled[i] = crowd_stall(port);
			flood = crowd_flood(port);
			trips(c, &beset[i], count);
			end_stop(&flood);
		}
	}
	stop(&s);
	end_stop(&stalled[0]);
	end_stop(&stalled[1]);
}
