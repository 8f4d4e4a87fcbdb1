/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpd-nats: a bridge between sctpd and NATS JetStream. sctpd-nats(8) says what it
 * is for, and bridge.h how it goes on whatever dies.
 *
 * This room is a client of sctpd, by libsctpd. A file calls those above it only:
 *
 *	log, mem, clock, text, config	what everything uses
 *	metrics			what is counted
 *	subject			names: of subjects, streams and ids
 *	refused, json		what was refused, and values in text
 *	state			the file that says where to go on
 *	link, login, wire	the connection that the log is written over
 *	bus			the connection to NATS, and threads for what blocks
 *	streams			the streams, and where the log ends
 *	parts			the consumers of the partitions
 *	row, bucket		the table of a standby, on the bus
 *	endpoint		the sockets in sctpd
 *	lease			the owner is there, and who has the addresses
 *	standby			associations that outlive their host
 *	in, out			the two directions
 *	bridge			when it reads, stands still and goes on
 *	main			options and signals
 */
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "nats/bridge.h"
#include "nats/bucket.h"
#include "nats/bus.h"
#include "nats/clock.h"
#include "nats/config.h"
#include "nats/endpoint.h"
#include "nats/log.h"

/* --take-over has no connection yet. A server that does not answer may be on the host that is gone: then another is tried soon. */
#define CONNECT_MIN	250	/* ms */
#define CONNECT_MAX	2000
#define AGAIN		100

static void
usage(FILE *f)
{
	(void)fputs("usage: sctpd-nats [-hTtV] [-c FILE]\n"
	    "  -c, --config FILE  read the configuration from FILE instead of " CONFIG_FILE "\n"
	    "  -h, --help         print this and exit\n"
	    "  -T, --take-over    have the bridge of this machine take the associations over (standby), wait until it has, and exit\n"
	    "  -t, --test         read the configuration, say whether it is right, and exit\n"
	    "  -V, --version      print the version and exit\n"
	    "The manual page is sctpd-nats(8).\n", f);
}

static void
on_signal(evutil_socket_t sig, short what, void *base)
{
	(void)what;
	log_notice("signal %d: it ends; sctpd holds the sockets for hold_time", (int)sig);
	(void)event_base_loopbreak(base);
}

static struct event_base *
make_loop(void)
{
	struct event_config	*c = event_config_new();
	struct event_base	*base = NULL;

	/* epoll tells that the other side has closed without a read. */
	if (c != NULL && event_config_require_features(c, EV_FEATURE_EARLY_CLOSE) == 0)
		base = event_base_new_with_config(c);
	event_config_free(c);
	if (base == NULL)
		log_fatal("libevent has no way to wait that tells of an early close (epoll)");
	return base;
}

static void
serve(void)
{
	static const int	 signals[] = { SIGTERM, SIGINT };
	struct event_base	*base = make_loop();
	struct event		*ev;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		if ((ev = evsignal_new(base, signals[i], on_signal, base)) == NULL || event_add(ev, NULL) == -1)
			log_fatal("the event loop cannot be used");
	}
	bridge_start(base);
	(void)event_base_dispatch(base);
	bridge_stop();
}

/* One attempt, on a connection of its own. */
static enum bucket_try
try_take_over(int64_t connect_ms, int64_t deadline, uint64_t *term, char *text, size_t size)
{
	struct life	life = { .refs = 1 };
	enum bucket_try	t = BUCKET_AGAIN;

	if (bus_connect(&life, connect_ms, text, size))
		t = bucket_take_over(&life, deadline, term, text, size);
	jsCtx_Destroy(life.js);
	natsConnection_Destroy(life.nc);
	return t;
}

/*
 * Tell the bridge, by the bucket, and wait for what it says. When a host has just been lost, the servers may have to choose a
 * leader first, so it is tried for a while.
 */
static bool
take_over(void)
{
	int64_t		deadline = clock_ms() + (int64_t)config.take_over_wait, connect_ms = CONNECT_MIN;
	char		text[1024] = "the configuration has no standby: give this member a name";
	enum bucket_try	t = BUCKET_REFUSED;
	uint64_t	term = 0;

	if (*config.standby != '\0') {
		if (nats_Open(-1) != NATS_OK)
			log_fatal("libnats cannot be used");
		while ((t = try_take_over(connect_ms, deadline, &term, text, sizeof text)) == BUCKET_AGAIN && clock_ms() < deadline) {
			nats_Sleep(AGAIN);
			connect_ms = connect_ms * 2 < CONNECT_MAX ? connect_ms * 2 : CONNECT_MAX;
		}
	}
	(void)fprintf(t == BUCKET_DONE ? stdout : stderr, "%s%s\n", t == BUCKET_DONE ? "" : "sctpd-nats: ", text);
	return t == BUCKET_DONE;
}

int
main(int argc, char **argv)
{
	static const struct option	options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "take-over", no_argument, NULL, 'T' },
		{ "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char	*file = CONFIG_FILE;
	char		 why[1024];
	bool		 test = false, over = false;
	int		 o;

	while ((o = getopt_long(argc, argv, "c:hTtV", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			file = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'T':
			over = true;
			break;
		case 't':
			test = true;
			break;
		case 'V':
			puts("sctpd-nats " SCTPD_VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	if (!config_read(file, why, sizeof why) || !endpoints_check(file, why, sizeof why)) {
		(void)fprintf(stderr, "sctpd-nats: %s\n", why);
		return 1;
	}
	if (test) {
		printf("%s: the configuration is right\n", file);
		return 0;
	}
	if (over)
		return take_over() ? 0 : 1;
	log_set_level((int)config.log_level);
	serve();
	return 0;
}
