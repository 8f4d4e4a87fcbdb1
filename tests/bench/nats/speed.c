/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a measurement for tests/bench/nats/speed.py. Each prints how many messages a second there were.
 *
 *	speed publish URL STREAM COUNT SIZE	a bare publisher of JetStream, with as many under way as the bridge has
 *	speed receive SOCKET PORT COUNT		a client of sctpd that listens, and only counts
 *	speed send SOCKET PORT COUNT SIZE	one that sends
 */
#include <err.h>
#include <nats/nats.h>
#include <sctpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW	1024	/* the bridge's default */
#define BATCH	64

static double
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
publish(char **argv)
{
	natsConnection	*nc;
	jsCtx		*js;
	jsOptions	 o;
	int		 n = atoi(argv[2]), size = atoi(argv[3]);
	char		*data = calloc(1, (size_t)size);
	double		 start;

	jsOptions_Init(&o);
	o.PublishAsync.MaxPending = WINDOW;
	o.PublishAsync.StallWait = 10000;
	if (natsConnection_ConnectTo(&nc, argv[0]) != NATS_OK || natsConnection_JetStream(&js, nc, &o) != NATS_OK)
		errx(1, "%s: no connection", argv[0]);
	start = now();
	for (int i = 0; i < n; i++) {
		if (js_PublishAsync(js, argv[1], data, size, NULL) != NATS_OK)
			errx(1, "publish: %s", nats_GetLastError(NULL));
	}
	if (js_PublishAsyncComplete(js, NULL) != NATS_OK)
		errx(1, "not all were stored");
	printf("%.0f\n", n / (now() - start));
}

static struct sctpd *
dial(const char *path)
{
	struct sctpd	*c = sctpd_new();

	if (sctpd_resumable(c, 0, NULL, NULL) != SCTPD_OK || sctpd_dial(c, path) != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
	return c;
}

static void
receive(char **argv)
{
	struct sctpd			*c = dial(argv[0]);
	const struct sctpd_event	*ev[BATCH];
	uint64_t			 sock;
	size_t				 n, left = (size_t)atoi(argv[2]), all = left;
	double				 start = 0;

	if (sctpd_open(c, &sock, "ip=127.0.0.1 port=%s options.active=true", argv[1]) != SCTPD_OK || sctpd_listen(c, sock, -1) != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
	puts("listens");
	fflush(stdout);
	while (left > 0) {
		if (sctpd_events(c, ev, BATCH, -1, &n) != SCTPD_OK)
			errx(1, "%s", sctpd_error(c));
		for (size_t i = 0; i < n; i++) {
			if (strcmp(ev[i]->name, "data") != 0)
				continue;
			if (start == 0)
				start = now();
			left--;
		}
	}
	printf("%.0f\n", (double)all / (now() - start));
	fflush(stdout);
	(void)getchar();	/* until the sender has ended */
}

static void
send_all(char **argv)
{
	struct sctpd		*c = dial(argv[0]);
	struct sctpd_message	 m[BATCH];
	struct sctpd_assoc	 a;
	uint64_t		 sock;
	int			 left = atoi(argv[2]), n;
	char			*data = calloc(1, (size_t)atoi(argv[3]));

	sctpd_set_timeout(c, -1);
	if (sctpd_open(c, &sock, "ip=127.0.0.1") != SCTPD_OK || sctpd_connect(c, sock, "127.0.0.1", (uint16_t)atoi(argv[1]), 5000, &a) != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
	memset(m, 0, sizeof m);
	for (int i = 0; i < BATCH; i++) {
		m[i].data = data;
		m[i].len = (size_t)atoi(argv[3]);
		m[i].info.assoc_id = a.assoc_id;
	}
	for (; left > 0; left -= n) {
		n = left < BATCH ? left : BATCH;
		if (sctpd_send_many(c, sock, m, (size_t)n, NULL) != SCTPD_OK)
			errx(1, "%s", sctpd_error(c));
	}
	if (sctpd_eof(c, sock, a.assoc_id) != SCTPD_OK)
		errx(1, "%s", sctpd_error(c));
	(void)getchar();	/* until what was sent has arrived */
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "publish") == 0)
		publish(argv + 2);
	else if (argc == 5 && strcmp(argv[1], "receive") == 0)
		receive(argv + 2);
	else if (argc == 6 && strcmp(argv[1], "send") == 0)
		send_all(argv + 2);
	else
		errx(2, "usage: see the head of the source");
	return 0;
}
