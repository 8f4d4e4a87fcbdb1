/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpctl run costs. "cost kernel" makes the calls of a program that knows
 * the kernel's SCTP, and is to be run by sctpctl run; "cost sctpd" does the same
 * with libsctpd, and "cost plain" makes a call that is not SCTP's. Each prints microseconds, the smallest mean of some rounds.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sctpd.h"

#define ROUNDS	5
#define SIZE	100

static int	times;		/* that a round makes its call */
static int	fd, unused;		/* an SCTP socket; one end of a pair */
static char	message[SIZE], buf[4096];

static struct sctpd	*daemon_;
static uint64_t		 sock;
static uint32_t		 assoc;

static double
now(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
measure(const char *what, void (*once)(void))
{
	double	best = 1e12, start, mean;

	for (int round = 0; round < ROUNDS; round++) {
		start = now();
		for (int i = 0; i < times; i++)
			once();
		mean = (now() - start) / times;
		best = mean < best ? mean : best;
	}
	printf("%s %.2f\n", what, best);
	fflush(stdout);
}

static void
call_untrapped(void)
{
	if (syscall(SYS_write, unused, "", 0) == -1)	/* a number whose other uses are trapped */
		err(1, "write");
}

static void
call_trapped(void)
{
	int		type;
	socklen_t	len = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		err(1, "getsockopt");
}

static void
round_trip(void)
{
	if (send(fd, message, SIZE, 0) != SIZE || recv(fd, buf, sizeof buf, 0) != SIZE)
		err(1, "round trip");
}

static void
one_way(void)
{
	if (send(fd, message, SIZE, 0) != SIZE)
		err(1, "send");
}

/* Sends back what begins with 'p'. */
static void
serve(int listener)
{
	int	one = 1, a = accept(listener, NULL, NULL);
	ssize_t	n;

	(void)setsockopt(a, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	while ((n = recv(a, buf, sizeof buf, 0)) > 0) {
		if (buf[0] == 'p' && send(a, buf, (size_t)n, 0) != n)
			_exit(1);
	}
	_exit(0);
}

/* A call that is not SCTP's. */
static void
as_it_is(const char *name)
{
	int	pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		err(1, "socketpair");
	unused = pair[0];
	measure(name, call_untrapped);
}

static void
as_kernels(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t		len = sizeof sin;
	int			one = 1, l = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	if (l == -1 || bind(l, (struct sockaddr *)&sin, len) == -1 || listen(l, 5) == -1 ||
	    getsockname(l, (struct sockaddr *)&sin, &len) == -1)
		err(1, "listen");
	as_it_is("write-of-another-file");
	fd = l;
	measure("trapped", call_trapped);
	if (fork() == 0)
		serve(l);
	if ((fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP)) == -1 || connect(fd, (struct sockaddr *)&sin, len) == -1)
		err(1, "connect");
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	memset(message, 'p', SIZE);
	measure("round-trip", round_trip);
	memset(message, 'o', SIZE);
	measure("one-way", one_way);
	(void)close(fd);
	(void)wait(NULL);
}

/* ---- the same with libsctpd ------------------------------------------ */

static void
must(int code)
{
	if (code != SCTPD_OK)
		errx(1, "%s", sctpd_error(daemon_));
}

static const struct sctpd_event *
next_data(void)
{
	const struct sctpd_event	*ev;

	do
		must(sctpd_next_event(daemon_, -1, &ev));
	while (strcmp(ev->name, "data") != 0);
	return ev;
}

static void
serve_sctpd(int port)
{
	uint64_t			 s;
	const struct sctpd_event	*ev;

	daemon_ = sctpd_new();
	must(sctpd_dial(daemon_, NULL));
	must(sctpd_open(daemon_, &s, "ip=127.0.0.1 options.active=true"));
	must(sctpd_listen(daemon_, s, -1));
	{
		uint16_t	number;

		must(sctpd_sockname(daemon_, s, NULL, 0, &number));
		if (write(port, &number, sizeof number) != sizeof number)
			_exit(1);
	}
	for (;;) {
		ev = next_data();
		if (ev->data[0] == 'p')
			must(sctpd_send(daemon_, s, ev->assoc_id, 0, ev->data, ev->len));
	}
}

static void
round_trip_sctpd(void)
{
	must(sctpd_send(daemon_, sock, assoc, 0, message, SIZE));
	(void)next_data();
}

static void
as_sctpds(void)
{
	struct sctpd_assoc	a;
	int			p[2];
	uint16_t		port;
	pid_t			child;

	if (pipe(p) == -1)
		err(1, "pipe");
	if ((child = fork()) == 0)
		serve_sctpd(p[1]);
	if (read(p[0], &port, sizeof port) != sizeof port)
		errx(1, "the server does not listen");
	daemon_ = sctpd_new();
	must(sctpd_dial(daemon_, NULL));
	must(sctpd_open(daemon_, &sock, "ip=127.0.0.1"));
	must(sctpd_connect(daemon_, sock, "127.0.0.1", port, 5000, &a));
	must(sctpd_set_active(daemon_, sock, SCTPD_ACTIVE));
	assoc = a.assoc_id;
	memset(message, 'p', SIZE);
	measure("sctpd-round-trip", round_trip_sctpd);
	(void)kill(child, SIGKILL);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: cost kernel|sctpd|plain TIMES");
	times = atoi(argv[2]);
	if (strcmp(argv[1], "sctpd") == 0)
		as_sctpds();
	else if (strcmp(argv[1], "plain") == 0)
		as_it_is("write-without-run");
	else
		as_kernels();
	return 0;
}
