/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpd-nats: a bridge between sctpd and NATS JetStream. sctpd-nats(8) says what it
 * is for, and bridge.h how it goes on whatever dies.
 *
 * This room is a client of sctpd, by libsctpd. A file calls those above it only:
 *
 *	log, mem, clock, config	what everything uses
 *	metrics			what is counted
 *	subject			names: of subjects, streams and ids
 *	refused, json		what was refused, and values in text
 *	state			the file that says where to go on
 *	bus			the connection to NATS, and threads for what blocks
 *	streams			the streams, and where the log ends
 *	endpoint		the sockets in sctpd
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
#include "nats/config.h"
#include "nats/log.h"

static void
usage(FILE *f)
{
	(void)fputs("usage: sctpd-nats [-htV] [-c FILE]\n"
	    "  -c, --config FILE  read the configuration from FILE instead of " CONFIG_FILE "\n"
	    "  -h, --help         print this and exit\n"
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

int
main(int argc, char **argv)
{
	static const struct option	options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char	*file = CONFIG_FILE;
	char		 why[1024];
	bool		 test = false;
	int		 o;

	while ((o = getopt_long(argc, argv, "c:htV", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			file = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
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
	if (!config_read(file, why, sizeof why)) {
		(void)fprintf(stderr, "sctpd-nats: %s\n", why);
		return 1;
	}
	if (test) {
		printf("%s: the configuration is right\n", file);
		return 0;
	}
	log_set_level((int)config.log_level);
	serve();
	return 0;
}
