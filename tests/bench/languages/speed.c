/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast libsctpd is: "speed server", which prints its port, and "speed client PORT N". See run. */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sctpd.h"

#define SIZE	100

static struct sctpd	*c;

static void
check(int code)
{
	if (code != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
}

static double
now(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct sctpd_event *
next(void)
{
	const struct sctpd_event	*ev;

	check(sctpd_next_event(c, -1, &ev));
	return ev;
}

static void
server(void)
{
	const struct sctpd_event	*ev;
	char				 data[SIZE];
	uint64_t			 sock;
	uint16_t			 port;

	check(sctpd_open(c, &sock, "ip=127.0.0.1 options.active=true"));
	check(sctpd_listen(c, sock, -1));
	check(sctpd_sockname(c, sock, NULL, 0, &port));
	printf("%u\n", port);
	fflush(stdout);
	for (;;) {
		ev = next();
		if (strcmp(ev->name, "data") != 0 || ev->data[0] == 'x')
			continue;
		memcpy(data, ev->data, SIZE);
		check(sctpd_send(c, sock, ev->assoc_id, 0, data, SIZE));
		if (data[0] == 'q')
			break;
	}
	(void)next();
}

static int
by_size(const void *a, const void *b)
{
	double	x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
client(const char *port, int n)
{
	struct sctpd_sndrcvinfo	 info = { 0 };
	struct sctpd_assoc	 a;
	double			 begun, *times = calloc((size_t)n, sizeof *times);
	char			 data[SIZE];
	uint64_t		 sock;
	int			 code;

	check(sctpd_open(c, &sock, "options.active=true"));
	check(sctpd_connect(c, sock, "127.0.0.1", (uint16_t)atoi(port), 10000, &a));
	memset(data, 'e', SIZE);
	for (int i = 0; i < n / 10; i++) {
		begun = now();
		check(sctpd_send(c, sock, a.assoc_id, 0, data, SIZE));
		(void)next();
		times[i] = now() - begun;
	}
	qsort(times, (size_t)n / 10, sizeof *times, by_size);
	memset(data, 'x', SIZE);
	info.assoc_id = a.assoc_id;
	begun = now();
	for (int i = 0; i < n; i++) {
		while ((code = sctpd_sendmsg_async(c, sock, &info, data, SIZE, NULL, NULL)) == SCTPD_EAGAIN)
			check(sctpd_sync(c));
		check(code);
		if (i % 64 == 63)
			check(sctpd_flush(c));
	}
	memset(data, 'q', SIZE);
	check(sctpd_send(c, sock, a.assoc_id, 0, data, SIZE));
	(void)next();
	printf("%f %f\n", n / (now() - begun), times[n / 20] * 1e6);
	free(times);
}

int
main(int argc, char **argv)
{
	if ((c = sctpd_new()) == NULL)
		errx(1, "no memory");
	check(sctpd_resumable(c, 10000, NULL, NULL));
	check(sctpd_dial(c, NULL));
	if (argc > 3)
		client(argv[2], atoi(argv[3]));
	else
		server();
	return sctpd_free(c) != NULL;
}
