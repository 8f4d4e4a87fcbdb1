/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same number of requests from ever more clients.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"
#include "row.h"
#include "unixconn.h"

#define IN_FLIGHT	64

static const unsigned steps[] = { 1, 10, 100, 1000 };

struct many {
	struct wire	*wires;
	unsigned	 n;
	int		 set;
};

static void
grow(struct many *m, unsigned n)
{
	if ((m->wires = realloc(m->wires, n * sizeof *m->wires)) == NULL)
		err(1, "realloc");
	for (; m->n < n; m->n++) {
		struct epoll_event	e = { .events = EPOLLIN, .data.u32 = m->n };
		int			fd = unix_connect(path_near);

		wire_init_small(&m->wires[m->n], fd);
		if (epoll_ctl(m->set, EPOLL_CTL_ADD, fd, &e) == -1)
			err(1, "epoll_ctl");
	}
}

static uint32_t
answers(struct wire *w)
{
	struct wire_msg	msg;
	uint32_t	n = 0;

	wire_fill(w, false);
	while (wire_next(w, &msg))
		n += msg.answer;
	return n;
}

/* As many as may be under way, given out in turn; then what came back. */
static void
requests(struct many *m, uint32_t count)
{
	struct epoll_event	events[IN_FLIGHT];
	uint32_t		sent = 0, back = 0;

	while (back < count) {
		uint32_t	from = sent;
		int		n;

		for (; sent < count && sent < back + IN_FLIGHT; sent++)
			wire_noop(&m->wires[sent % m->n]);
		for (; from < sent; from++)
			wire_push(&m->wires[from % m->n]);
		if ((n = epoll_wait(m->set, events, IN_FLIGHT, -1)) == -1)
			err(1, "epoll_wait");
		for (int i = 0; i < n; i++)
			back += answers(&m->wires[events[i].data.u32]);
	}
}

static void
be_clients(void *arg)
{
	struct many	m = { .set = epoll_create1(EPOLL_CLOEXEC) };
	char		line[64];
	unsigned	n;
	uint32_t	count;

	(void)arg;
	while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%u %u", &n, &count) == 2) {
		double	start;

		grow(&m, n);
		start = now_us();
		requests(&m, count);
		(void)printf("%.3f\n", now_us() - start);
		(void)fflush(stdout);
	}
}

static void
step(struct end *e, unsigned n)
{
	struct row	*r = row_new("sctpd", "clients", "us", 0, IN_FLIGHT);
	char		 line[64];
	uint32_t	 count = effort.traffic / 4;

	r->count = n;
	for (int round = -1; round < effort.rounds; round++) {
		double	cpu[] = { end_cpu_us(e), end_cpu_us(&daemon_near) }, us;

		progress("%u clients, round %d of %d", n, round + 1, effort.rounds);
		(void)alarm(180);
		end_say(e, "%u %u\n", n, count);
		if (!end_line(e, line, sizeof line) || sscanf(line, "%lf", &us) != 1)
			errx(1, "%u clients: they ended", n);
		(void)alarm(0);
		if (round < 0)
			continue;
		row_add(r, us / count, 0);
		r->cpu[CALLER] += end_cpu_us(e) - cpu[0];
		r->cpu[NEAR] += end_cpu_us(&daemon_near) - cpu[1];
		r->done += count;
	}
}

void
clients_run(void)
{
	struct end	e = end_start(LEFT, be_clients, NULL);

	for (size_t i = 0; i < sizeof steps / sizeof steps[0] && steps[i] <= effort.clients; i++)
		step(&e, steps[i]);
	end_stop(&e);
}
