/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations that come up and go again, one after the other: socket,
 * connect and close, by system calls and through the daemon.
 */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "crowd.h"
#include "row.h"
#include "sctpd.h"

static uint16_t port;

static void
direct_setup(void)
{
	(void)close(direct_connect(place.addr[RIGHT], port));
}

static struct sctpd *through;

static void
sctpd_setup(void)
{
	uint64_t	sock;

	if (through == NULL)
		through = link_dial(path_near);
	if (sctpd_open(through, &sock, "port=0") != SCTPD_OK ||
	    sctpd_connect(through, sock, place.addr[RIGHT], port, 10000, NULL) != SCTPD_OK ||
	    sctpd_close(through, sock) != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(through));
}

/* Told how many, say how long they took. */
static void
set_up(void *arg)
{
	void		(*const one)(void) = arg == NULL ? direct_setup : sctpd_setup;
	char		line[32];
	unsigned	n;

	while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%u", &n) == 1) {
		double	start = now_us();

		for (unsigned i = 0; i < n; i++)
			one();
		(void)printf("%.3f\n", now_us() - start);
		(void)fflush(stdout);
	}
}

static void
turn(struct row *r, struct end *e, const struct end *server, unsigned n)
{
	double	before[NPROCESSES] = { end_cpu_us(e), end_cpu_us(&daemon_near), 0, end_cpu_us(server) }, us;
	char	line[32];

	(void)alarm(180);
	end_say(e, "%u\n", n);
	if (!end_line(e, line, sizeof line) || sscanf(line, "%lf", &us) != 1)
		errx(1, "%s ended in the middle of set-ups", r->contestant);
	(void)alarm(0);
	r->cpu[CALLER] += end_cpu_us(e) - before[CALLER];
	r->cpu[NEAR] += end_cpu_us(&daemon_near) - before[NEAR];
	r->cpu[SERVER] += end_cpu_us(server) - before[SERVER];
	r->done += n;
	row_add(r, us / n, 0);
}

void
setups_run(void)
{
	struct end	server = end_start(RIGHT, crowd_serve_epoll, NULL), direct, sctpd;
	struct row	*rows[] = { row_new("direct", "setup", "us", 0, 1), row_new("sctpd-direct", "setup", "us", 0, 1) };
	unsigned	n = effort.traffic / 100;

	port = crowd_port(&server);
	direct = end_start(LEFT, set_up, NULL);
	sctpd = end_start(LEFT, set_up, path_near);
	for (int round = 0; round < effort.rounds; round++) {
		progress("set-ups, round %d of %d", round + 1, effort.rounds);
		turn(rows[0], &direct, &server, n);
		turn(rows[1], &sctpd, &server, n);
	}
	end_stop(&direct);
	end_stop(&sctpd);
	end_stop(&server);
}
