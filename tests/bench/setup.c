/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Associations that come up and go again: socket, connect and close, by system
 * calls and through the daemon. Once one after the other, where a program waits
 * for each step, and once AT_ONCE of them together, as after an outage.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "crowd.h"
#include "row.h"
#include "lib/sctpd.h"

#define AT_ONCE	SETUPS_AT_ONCE

static uint16_t port;

/* ---- a plain program ------------------------------------------------- */

static void
direct_one(void)
{
	(void)close(direct_connect(place.addr[RIGHT], port));
}

static void
wait_until_up(int fd)
{
	struct pollfd	p = { .fd = fd, .events = POLLOUT };
	int		number = 0;
	socklen_t	len = sizeof number;

	if (poll(&p, 1, -1) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == -1 || number != 0)
		errx(1, "a plain association did not come up");
}

static void
direct_many(void)
{
	int	fd[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++)
		fd[i] = direct_begin(place.addr[RIGHT], port);
	for (int i = 0; i < AT_ONCE; i++) {
		wait_until_up(fd[i]);
		link_tune(fd[i], true);
	}
	for (int i = 0; i < AT_ONCE; i++)
		(void)close(fd[i]);
}

/* ---- through the daemon ---------------------------------------------- */

static struct sctpd *through;

static void
must(int code)
{
	if (code != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(through));
}

/* As close(2) waits for nothing, the close goes with the next request. */
static void
sctpd_one(void)
{
	uint64_t	sock;

	must(sctpd_open(through, &sock, "type=stream port=0"));
	must(sctpd_connect(through, sock, place.addr[RIGHT], port, -1, NULL));
	must(sctpd_call_async(through, NULL, NULL, "close sock=%llu", (unsigned long long)sock));
}

static void
answered(struct sctpd *c, int code, const struct sctpd_value *v, void *to)
{
	if (code != SCTPD_OK)
		errx(1, "sctpd: %s", sctpd_error(c));
	if (to != NULL)
		*(uint64_t *)to = (uint64_t)sctpd_get_int(v, "sock");
}

static void
sctpd_many(void)
{
	uint64_t	sock[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++)
		must(sctpd_call_async(through, answered, &sock[i], "open type=stream"));
	must(sctpd_sync(through));
	for (int i = 0; i < AT_ONCE; i++)
		must(sctpd_call_async(through, answered, NULL, "connect sock=%llu addr=%s port=%u",
		    (unsigned long long)sock[i], place.addr[RIGHT], port));
	must(sctpd_sync(through));
	for (int i = 0; i < AT_ONCE; i++)
		must(sctpd_call_async(through, answered, NULL, "close sock=%llu", (unsigned long long)sock[i]));
	must(sctpd_sync(through));
}

/* ---- turns ----------------------------------------------------------- */

/* Who sets associations up, and with whom. */
struct setter {
	const char	*contestant;
	unsigned	 at_once;
	void		(*set_up)(void);	/* so many, and end them */
	const char	*path;			/* of the daemon that it uses; NULL: none */
	struct end	*near, *far;		/* the daemons that are in it; NULL: none */
	struct end	*server;
	uint16_t	 port;
	struct end	 e;
	struct row	*row;
};

/* Told how many, say how long they took. */
static void
set_up(void *arg)
{
	const struct setter	*s = arg;
	char			 line[32];
	unsigned		 n;

	port = s->port;
	if (s->path != NULL)
		through = link_dial(s->path);
	while (fgets(line, sizeof line, stdin) != NULL && sscanf(line, "%u", &n) == 1) {
		double	start = now_us();

		for (unsigned i = 0; i < n; i += s->at_once)
			s->set_up();
		(void)printf("%.3f\n", now_us() - start);
		(void)fflush(stdout);
	}
}

static double
cpu_of(const struct end *e)
{
	return e != NULL ? end_cpu_us(e) : 0;
}

static void
turn(struct setter *s, unsigned n)
{
	struct end	*of[NPROCESSES] = { [CALLER] = &s->e, [NEAR] = s->near, [FAR] = s->far, [SERVER] = s->server };
	double		 before[NPROCESSES], us;
	char		 line[32];

	(void)alarm(180);
	for (int i = 0; i < NPROCESSES; i++)
		before[i] = cpu_of(of[i]);
	end_say(&s->e, "%u\n", n);
	if (!end_line(&s->e, line, sizeof line) || sscanf(line, "%lf", &us) != 1)
		errx(1, "%s ended in the middle of set-ups", s->contestant);
	(void)alarm(0);
	for (int i = 0; i < NPROCESSES; i++)
		s->row->cpu[i] += cpu_of(of[i]) - before[i];
	s->row->done += n;
	row_add(s->row, us / n, 0);
}

void
setups_run(void)
{
	struct end	epoll = end_start(RIGHT, crowd_serve_epoll, NULL);
	struct end	sctpd = end_start(RIGHT, crowd_serve_sctpd, path_far);
	uint16_t	epoll_port = crowd_port(&epoll), sctpd_port = crowd_port(&sctpd);
	struct setter	setters[] = {
		{ "direct", 1, direct_one, NULL, NULL, NULL, &epoll, epoll_port, { 0 }, NULL },
		{ "sctpd-direct", 1, sctpd_one, path_near, &daemon_near, NULL, &epoll, epoll_port, { 0 }, NULL },
		{ "direct-sctpd", 1, direct_one, NULL, NULL, &daemon_far, &sctpd, sctpd_port, { 0 }, NULL },
		{ "direct", AT_ONCE, direct_many, NULL, NULL, NULL, &epoll, epoll_port, { 0 }, NULL },
		{ "sctpd-direct", AT_ONCE, sctpd_many, path_near, &daemon_near, NULL, &epoll, epoll_port, { 0 }, NULL },
		{ "direct-sctpd", AT_ONCE, direct_many, NULL, NULL, &daemon_far, &sctpd, sctpd_port, { 0 }, NULL },
	};
	const size_t	n = sizeof setters / sizeof setters[0];

	for (size_t i = 0; i < n; i++) {
		setters[i].row = row_new(setters[i].contestant, "setup", "us", 0, setters[i].at_once);
		setters[i].e = end_start(LEFT, set_up, &setters[i]);
	}
	for (int round = 0; round < effort.rounds; round++) {
		progress("set-ups, round %d of %d", round + 1, effort.rounds);
		for (size_t i = 0; i < n; i++)
			turn(&setters[i], effort.quick ? AT_ONCE : 4 * AT_ONCE);
	}
	for (size_t i = 0; i < n; i++)
		end_stop(&setters[i].e);
	end_stop(&epoll);
	end_stop(&sctpd);
}
