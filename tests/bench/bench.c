/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon costs, as ratios in one run: bench [ROUNDS].
 *
 * Contestants take turns, round by round, so that whatever else the machine
 * does falls on all of them. The peer is the same in all cases: a child with
 * a plain socket that echoes, or counts. Prints a table, and the same as JSON
 * to build/bench.json.
 */
#include <err.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/sctp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sctpd.h"

#define MAX_ROUNDS	99
#define TRIPS		1000		/* round trips in a round */
#define MESSAGES	5000		/* one way in a round */
#define MAX_BYTES	16000
#define RCVBUF		(1 << 20)
#define PATH		"/tmp/sctpd-bench.sock"

/* One association, driven directly or through the daemon. */
struct link {
	int		 fd;		/* directly */
	struct sctpd	*c;		/* or through the daemon */
	uint64_t	 sock;
	uint32_t	 id;
	char		 buf[MAX_BYTES];
};

static pid_t children[8];
static size_t nchildren;

static pid_t
child(void)
{
	pid_t	pid = fork();

	if (pid == -1)
		err(1, "fork");
	if (pid != 0)
		children[nchildren++] = pid;
	return pid;
}

static void
kill_children(void)
{
	while (nchildren > 0) {
		(void)kill(children[--nchildren], SIGTERM);
		(void)waitpid(children[nchildren], NULL, 0);
	}
}

static double
now(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the peer ------------------------------------------------------- */

static void
tune(int fd, int rcvbuf)
{
	static const int	one = 1;

	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
	rcvbuf = 2 << 20;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &rcvbuf, sizeof rcvbuf) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &rcvbuf, sizeof rcvbuf);
}

/* Echo what begins with 'e'; count the rest, and answer after MESSAGES. */
static void
serve(int fd, bool sctp)
{
	static char	buf[MAX_BYTES];
	unsigned	seen = 0;
	ssize_t		n;

	if (sctp)
		tune(fd, 5 * RCVBUF);	/* large only now: see stack-kernel.c */
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
		if (buf[0] != 'e' && ++seen % MESSAGES != 0)
			continue;
		if (send(fd, buf, buf[0] == 'e' ? (size_t)n : 1, MSG_NOSIGNAL) == -1)
			break;
	}
	_exit(0);
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A child that serves one association on a port of its own choice. */
static uint16_t
sctp_peer(void)
{
	struct sockaddr_in	a = loopback(0);
	socklen_t		len = sizeof a;
	int			l = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	if (l == -1)
		err(1, "no SCTP in this kernel");
	tune(l, RCVBUF);
	if (bind(l, (struct sockaddr *)&a, sizeof a) == -1 || listen(l, 1) == -1 ||
	    getsockname(l, (struct sockaddr *)&a, &len) == -1)
		err(1, "listen");
	if (child() == 0)
		serve(accept(l, NULL, NULL), true);
	(void)close(l);
	return ntohs(a.sin_port);
}

/* ---- the contestants ------------------------------------------------ */

static struct link *
link_unix(void)
{
	struct link	*k = calloc(1, sizeof *k);
	int		 fds[2];

	if (k == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		err(1, "socketpair");
	if (child() == 0) {
		(void)close(fds[0]);
		serve(fds[1], false);
	}
	(void)close(fds[1]);
	k->fd = fds[0];
	return k;
}

static struct link *
link_direct(void)
{
	struct link		*k = calloc(1, sizeof *k);
	struct sockaddr_in	 a = loopback(sctp_peer());

	if (k == NULL || (k->fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP)) == -1)
		err(1, "socket");
	tune(k->fd, RCVBUF);
	if (connect(k->fd, (struct sockaddr *)&a, sizeof a) == -1)
		err(1, "connect");
	tune(k->fd, 5 * RCVBUF);
	return k;
}

static struct sctpd *
dial(void)
{
	struct sctpd	*c = sctpd_new();

	for (int i = 0; c != NULL && sctpd_dial(c, PATH) != SCTPD_OK; i++) {
		if (i == 1000)
			errx(1, "%s", sctpd_error(c));
		(void)usleep(10000);
	}
	return c;
}

static struct link *
link_sctpd(void)
{
	struct sctpd_assoc	 a;
	struct link		*k = calloc(1, sizeof *k);

	if (k == NULL || (k->c = dial()) == NULL)
		errx(1, "no memory");
	if (sctpd_open(k->c, &k->sock, "port=0") != SCTPD_OK ||
	    sctpd_connect(k->c, k->sock, "127.0.0.1", sctp_peer(), 5000, &a) != SCTPD_OK ||
	    sctpd_set_active(k->c, k->sock, SCTPD_ACTIVE) != SCTPD_OK)
		errx(1, "%s", sctpd_error(k->c));
	k->id = a.assoc_id;
	return k;
}

static struct link *
link_rpc(void)
{
	struct link	*k = calloc(1, sizeof *k);

	if (k == NULL || (k->c = dial()) == NULL)
		errx(1, "no memory");
	return k;
}

static void
await(struct link *k)
{
	const struct sctpd_event	*ev;

	if (k->c == NULL) {
		if (recv(k->fd, k->buf, sizeof k->buf, 0) <= 0)
			err(1, "recv");
	} else if (sctpd_next_event(k->c, 30000, &ev) != SCTPD_OK)
		errx(1, "%s", sctpd_error(k->c));
}

static void
put(struct link *k, size_t bytes)
{
	struct sctpd_sndrcvinfo	i = { .assoc_id = k->id };

	if (k->c == NULL) {
		if (send(k->fd, k->buf, bytes, MSG_NOSIGNAL) == -1)
			err(1, "send");
		return;
	}
	while (sctpd_sendmsg_async(k->c, k->sock, &i, k->buf, bytes, NULL, NULL) != SCTPD_OK) {
		if (sctpd_flush(k->c) != SCTPD_OK)
			errx(1, "%s", sctpd_error(k->c));
	}
}

/* Microseconds a round trip. */
static double
trips(struct link *k, size_t bytes)
{
	double	start = now();

	memset(k->buf, 'e', bytes);
	for (int i = 0; i < TRIPS; i++) {
		put(k, bytes);
		if (k->c != NULL && sctpd_flush(k->c) != SCTPD_OK)
			errx(1, "%s", sctpd_error(k->c));
		await(k);
	}
	return (now() - start) / TRIPS;
}

/* Microseconds a message, one way. */
static double
one_way(struct link *k, size_t bytes)
{
	double	start = now();

	memset(k->buf, 'c', bytes);
	for (int i = 0; i < MESSAGES; i++)
		put(k, bytes);
	if (k->c != NULL && sctpd_flush(k->c) != SCTPD_OK)
		errx(1, "%s", sctpd_error(k->c));
	await(k);
	return (now() - start) / MESSAGES;
}

/* Microseconds a request that asks nothing of SCTP. */
static double
requests(struct link *k, size_t bytes)
{
	double	start = now();

	(void)bytes;
	for (int i = 0; i < TRIPS; i++) {
		if (sctpd_call(k->c, NULL, "error_string error=12") != SCTPD_OK)
			errx(1, "%s", sctpd_error(k->c));
	}
	return (now() - start) / TRIPS;
}

static struct contest {
	const char	*contestant;
	const char	*work;
	size_t		 bytes;
	struct link	*(*open)(void);
	double		 (*run)(struct link *, size_t);
	struct link	*link;
	double		 us[MAX_ROUNDS];
} contests[] = {
	{ .contestant = "unix", .work = "rtt", .bytes = 100, .open = link_unix, .run = trips },
	{ .contestant = "sctpd", .work = "rpc", .bytes = 0, .open = link_rpc, .run = requests },
	{ .contestant = "direct", .work = "rtt", .bytes = 100, .open = link_direct, .run = trips },
	{ .contestant = "sctpd", .work = "rtt", .bytes = 100, .open = link_sctpd, .run = trips },
	{ .contestant = "direct", .work = "oneway", .bytes = 1000, .open = link_direct, .run = one_way },
	{ .contestant = "sctpd", .work = "oneway", .bytes = 1000, .open = link_sctpd, .run = one_way },
};

#define NCONTESTS	(sizeof contests / sizeof contests[0])

static int
compare(const void *a, const void *b)
{
	double	x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(const struct contest *c, int rounds)
{
	return c->us[rounds / 2];
}

static void
print_json(int rounds, const char *system)
{
	FILE	*f = fopen("build/bench.json", "w");

	if (f == NULL)
		err(1, "build/bench.json");
	(void)fprintf(f, "{\"system\": \"%s\", \"rows\": [", system);
	for (size_t i = 0; i < NCONTESTS; i++)
		(void)fprintf(f, "%s\n  {\"contestant\": \"%s\", \"work\": \"%s\", \"bytes\": %zu, "
		    "\"median\": %.2f, \"min\": %.2f, \"max\": %.2f, \"unit\": \"us\", \"runs\": %d}",
		    i > 0 ? "," : "", contests[i].contestant, contests[i].work, contests[i].bytes,
		    median(&contests[i], rounds), contests[i].us[0], contests[i].us[rounds - 1], rounds);
	(void)fprintf(f, "],\n \"ratios\": {\"rpc_vs_unix\": %.3f, \"rtt_100_vs_floor\": %.3f, \"oneway_1000_vs_direct\": %.3f}}\n",
	    median(&contests[1], rounds) / median(&contests[0], rounds),
	    median(&contests[3], rounds) / (median(&contests[2], rounds) + median(&contests[0], rounds)),
	    median(&contests[5], rounds) / median(&contests[4], rounds));
	(void)fclose(f);
}

static void
report(int rounds)
{
	struct utsname	u;
	const char	*lab = getenv("LAB_KERNEL");

	(void)uname(&u);
	(void)printf("kernel: %s; %d rounds, microseconds\n", lab != NULL ? lab : u.release, rounds);
	(void)printf("%-10s %-8s %6s %10s %10s %10s\n", "contestant", "work", "bytes", "median", "min", "max");
	for (size_t i = 0; i < NCONTESTS; i++) {
		qsort(contests[i].us, (size_t)rounds, sizeof contests[i].us[0], compare);
		(void)printf("%-10s %-8s %6zu %10.1f %10.1f %10.1f\n", contests[i].contestant,
		    contests[i].work, contests[i].bytes, median(&contests[i], rounds),
		    contests[i].us[0], contests[i].us[rounds - 1]);
	}
	(void)printf("rpc / unix round trip:                    %.2f\n",
	    median(&contests[1], rounds) / median(&contests[0], rounds));
	(void)printf("sctpd / (direct + unix) round trip:       %.2f\n",
	    median(&contests[3], rounds) / (median(&contests[2], rounds) + median(&contests[0], rounds)));
	(void)printf("sctpd / direct one way, 1000 bytes:       %.2f\n",
	    median(&contests[5], rounds) / median(&contests[4], rounds));
	print_json(rounds, lab != NULL ? lab : u.release);
}

int
main(int argc, char **argv)
{
	int	rounds = argc > 1 ? atoi(argv[1]) : 7;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: bench [ROUNDS], 1 to %d", MAX_ROUNDS);
	(void)atexit(kill_children);
	if (child() == 0) {
		(void)execl("build/sctpd", "sctpd", "-c", "/dev/null", "-l", "warning", "-s", PATH, (char *)NULL);
		err(1, "build/sctpd");
	}
	for (size_t i = 0; i < NCONTESTS; i++)
		contests[i].link = contests[i].open();
	for (int r = -1; r < rounds; r++) {	/* one round to warm up */
		for (size_t i = 0; i < NCONTESTS; i++) {
			double	us = contests[i].run(contests[i].link, contests[i].bytes);

			if (r >= 0)
				contests[i].us[r] = us;
		}
		if (isatty(STDERR_FILENO))
			(void)fprintf(stderr, "\rround %d of %d", r + 1, rounds);
	}
	if (isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
	report(rounds);
	return 0;
}
