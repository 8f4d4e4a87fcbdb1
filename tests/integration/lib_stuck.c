/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of libsctpd with an association whose peer takes nothing, and
 * another one.
 *
 *	lib_stuck go_on SOCKET N SIZE	N messages wait: all else is answered
 *	lib_stuck unread SOCKET		more wait than the daemon reads: calls
 *					wait, and no longer than they may
 *
 * Prints what each call took, and done.
 */
#include <err.h>
#include <inttypes.h>
#include <netinet/sctp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sctpd.h>

#define WAIT	20000		/* ms that what must come may take */
#define UNREAD	40
#define LARGE	200000

static struct sctpd	*peer, *c;
static uint64_t		 bad, good, sock;
static struct sctpd_assoc to_bad, to_good;
static size_t		 answered, refused;
static char		 data[1 << 20];

static double
now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
must(struct sctpd *of, int code, const char *what)
{
	if (code != SCTPD_OK)
		errx(1, "%s: %s", what, sctpd_error(of));
}

/* The code is this one; gives what it took. */
static double
took(double start, int code, int wanted, const char *what)
{
	double	ms = now() - start;

	if (code != wanted)
		errx(1, "%s: code %d, not %d: %s", what, code, wanted, sctpd_error(c));
	printf("%s: %.1f ms\n", what, ms);
	return ms;
}

#define TOOK(what, call, wanted) do {					\
	double	start_ = now();						\
									\
	(void)took(start_, (call), (wanted), (what));			\
} while (0)

static void
on_answer(struct sctpd *of, int code, const struct sctpd_value *v, void *arg)
{
	(void)of, (void)v, (void)arg;
	answered++;
	refused += code != SCTPD_OK;
}

static uint64_t
listener(int recbuf, uint16_t *port)
{
	uint64_t	s;

	must(peer, sctpd_open(peer, &s, "ip=127.0.0.1 options.recbuf=%d "
	    "options.linger.on=true options.linger.seconds=0", recbuf), "open");
	must(peer, sctpd_listen(peer, s, -1), "listen");
	must(peer, sctpd_sockname(peer, s, NULL, 0, port), "sockname");
	return s;
}

/* The next event of the good peer's that is called that. */
static const struct sctpd_event *
comes(const char *name)
{
	const struct sctpd_event	*ev;

	do
		must(peer, sctpd_recv(peer, good, WAIT, &ev), name);
	while (strcmp(ev->name, name) != 0);
	return ev;
}

static void
set_up(size_t size)
{
	uint16_t	bad_port, good_port;

	bad = listener(4096, &bad_port);
	good = listener(100000, &good_port);
	must(c, sctpd_open(c, &sock, "ip=127.0.0.1 options.sndbuf=%zu",
	    2 * size > 8192 ? 2 * size : 8192), "open");
	must(c, sctpd_connect(c, sock, "127.0.0.1", bad_port, WAIT, &to_bad), "connect");
	must(c, sctpd_connect(c, sock, "127.0.0.1", good_port, WAIT, &to_good), "connect");
}

static int
send_to_bad(size_t size)
{
	const struct sctpd_sndrcvinfo	info = { .assoc_id = to_bad.assoc_id };

	return sctpd_sendmsg_async(c, sock, &info, data, size, on_answer, NULL);
}

/* Much is written that the peer does not take. */
static void
stall(size_t n, size_t size)
{
	set_up(size);
	for (size_t i = 0; i < n; i++)
		must(c, send_to_bad(size), "sendmsg_async");
	must(c, sctpd_flush(c), "flush");
}

static int
get_nodelay(void)
{
	int	nodelay;

	return sctpd_getopt(c, sock, "sctp_nodelay", &nodelay, sizeof nodelay);
}

static void
go_on(size_t n, size_t size)
{
	stall(n, size);
	TOOK("getopt", get_nodelay(), SCTPD_OK);
	TOOK("send to another", sctpd_send(c, sock, to_good.assoc_id, 0, "on", 2), SCTPD_OK);
	if (comes("data")->len != 2)
		errx(1, "other data came");
	sctpd_set_timeout(c, 100);
	TOOK("send that waits", sctpd_send(c, sock, to_bad.assoc_id, 0, data, size), SCTPD_TIMEOUT);
	sctpd_set_timeout(c, WAIT);
	TOOK("abort", sctpd_abort(c, sock, to_bad.assoc_id), SCTPD_OK);
	TOOK("sync", sctpd_sync(c), SCTPD_OK);
	if (answered != n || refused == 0)
		errx(1, "%zu answers, %zu refused", answered, refused);
	TOOK("close", sctpd_close(c, sock), SCTPD_OK);
	(void)comes("sctp_shutdown_event");
}

/* Of what comes meanwhile nothing is lost. */
static void
hear(void)
{
	const struct sctpd_event	*ev;
	uint32_t			 id;

	id = (uint32_t)sctpd_get_int(comes("sctp_assoc_change")->fields, "assoc_id");
	must(peer, sctpd_send(peer, good, id, 0, "to you", 6), "send");
	do
		must(c, sctpd_next_event(c, WAIT, &ev), "next_event");
	while (strcmp(ev->name, "data") != 0);
}

static void
unread(void)
{
	size_t	n = UNREAD;
	int	code;

	set_up(LARGE);
	must(c, sctpd_set_active(c, sock, SCTPD_ACTIVE), "set_active");
	for (size_t i = 0; i < n; i++)
		must(c, send_to_bad(LARGE), "sendmsg_async");
	sctpd_set_timeout(c, 500);
	TOOK("getopt that waits", get_nodelay(), SCTPD_TIMEOUT);
	TOOK("close that waits", sctpd_close(c, sock), SCTPD_TIMEOUT);
	TOOK("an event that comes", (hear(), SCTPD_OK), SCTPD_OK);
	while ((code = send_to_bad(sizeof data)) == SCTPD_OK)
		n++;
	if (code != SCTPD_EAGAIN || n < UNREAD + 32)
		errx(1, "%zu sends, then %d: %s", n, code, sctpd_error(c));
	printf("%zu calls wait\n", n);
	TOOK("free", (c = sctpd_free(c)) == NULL ? SCTPD_OK : SCTPD_LOST, SCTPD_OK);
	TOOK("the peer sees the end", (comes("sctp_shutdown_event"), SCTPD_OK), SCTPD_OK);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((peer = sctpd_new()) == NULL || (c = sctpd_new()) == NULL)
		errx(1, "no memory");
	must(peer, sctpd_dial(peer, argv[2]), "dial");
	must(c, sctpd_dial(c, argv[2]), "dial");
	sctpd_set_timeout(c, WAIT);
	if (argc == 5 && strcmp(argv[1], "go_on") == 0)
		go_on((size_t)atoi(argv[3]), (size_t)atoi(argv[4]));
	else
		unread();
	puts("done");
	c = sctpd_free(c);
	peer = sctpd_free(peer);
	return 0;
}
