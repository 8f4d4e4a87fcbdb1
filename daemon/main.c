/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpd: flags, limits, signals, readiness, run.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "config.h"
#include "dispatch.h"
#include "handler.h"
#include "listener.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "resolve.h"
#include "sock.h"
#include "stack.h"

/* What systemd does not restart after: a mistake that stays one (EX_CONFIG). */
#define EXIT_CONFIG	78

static const char usage[] =
    "usage: sctpd [-c FILE] [-s SOCKET] [-l LEVEL] [--stack STACK]\n"
    "             [--udp-port PORTS] [--peer-udp-port PORT] [-t | -T] [-h] [-V]\n"
    "\n"
    "Own this host's SCTP sockets and serve them over a Unix socket, in the\n"
    "foreground, until SIGTERM or SIGINT.\n"
    "\n"
    "  -c FILE    configuration; /etc/sctpd/sctpd.conf, if it is there\n"
    "  -s SOCKET  path of the Unix socket; /run/sctpd/sctpd.sock\n"
    "  -l LEVEL   least urgent log lines: err, warning, notice, info, debug\n"
    "  --stack STACK\n"
    "             whose SCTP: auto, kernel, userland\n"
    "  --udp-port PORTS, --peer-udp-port PORT\n"
    "             the userland stack's UDP ports here, and that of its peers; 9899\n"
    "  -t         test the configuration and exit\n"
    "  -T         print the configuration in force and exit\n"
    "  -h         print this and exit\n"
    "  -V         print the version and exit\n"
    "\n"
    "Talk to it with sctpctl(1). See sctpd(8), sctpd.conf(5), sctpd-protocol(7).\n";

/* Flags that are settings, by the settings' names. */
static const struct option long_flags[] = {
	{ "stack", required_argument, NULL, 0 },
	{ "udp-port", required_argument, NULL, 1 },
	{ "peer-udp-port", required_argument, NULL, 2 },
	{ NULL, 0, NULL, 0 }
};
static const char *const long_settings[] = { "stack", "udp_port", "peer_udp_port" };

#define NLONG	(sizeof long_settings / sizeof *long_settings)

struct flags {
	const char	*file;
	const char	*socket;
	const char	*level;
	bool		 test;
	bool		 print;
	const char	*setting[NLONG];
};

static void
read_flags(int argc, char **argv, struct flags *f)
{
	int	c;

	while ((c = getopt_long(argc, argv, "c:s:l:tThV", long_flags, NULL)) != -1) {
		switch (c) {
		case 'c':
			f->file = optarg;
			break;
		case 's':
			f->socket = optarg;
			break;
		case 'l':
			f->level = optarg;
			break;
		case 't':
			f->test = true;
			break;
		case 'T':
			f->print = true;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			(void)puts("sctpd " SCTPD_VERSION);
			exit(EXIT_SUCCESS);
		case 0:
		case 1:
		case 2:
			f->setting[c] = optarg;
			break;
		default:
			(void)fputs("Try sctpd -h.\n", stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "sctpd: \"%s\" is not understood; try sctpd -h\n", argv[optind]);
		exit(2);
	}
}

/* The file first, then what the command line says. */
static bool
configure(const struct flags *f, char *error, size_t size)
{
	config_init();
	if (!config_read(f->file != NULL ? f->file : CONFIG_FILE, f->file != NULL, error, size))
		return false;
	if (f->socket != NULL && !config_set("socket", f->socket, error, size))
		return false;
	if (f->level != NULL && !config_set("log_level", f->level, error, size))
		return false;
	for (size_t i = 0; i < NLONG; i++) {
		if (f->setting[i] != NULL &&
		    !config_set(long_settings[i], f->setting[i], error, size))
			return false;
	}
	log_set_level((int)config.log_level);
	return true;
}

/* As many descriptors as we may have: each association takes one. */
static void
raise_limits(void)
{
	struct rlimit	r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static void
main_on_signal(evutil_socket_t number, short what, void *arg)
{
	(void)what, (void)arg;
	log_notice("stopping on signal %d", (int)number);
	loop_stop();
}

static void
stop_everything(struct event *on_term, struct event *on_int)
{
	notify_send("STOPPING=1");
	(void)event_del(on_term);
	(void)event_del(on_int);
	listener_close();
	sock_free_all();
	client_free_all();
	stack_free();
	dispatch_free();
	resolve_free();
	loop_free();
	config_free();
	libevent_global_shutdown();
}

static void
serve(void)
{
	struct event	on_term, on_int;
	const char	*missing;

	stack_choose();
	missing = stack_probe();

	(void)evsignal_assign(&on_term, loop_base(), SIGTERM, main_on_signal, NULL);
	(void)evsignal_assign(&on_int, loop_base(), SIGINT, main_on_signal, NULL);
	(void)event_add(&on_term, NULL);
	(void)event_add(&on_int, NULL);
	if (missing != NULL)
		log_err("no SCTP: %s", missing);
	log_notice("sctpd " SCTPD_VERSION " ready at %s, stack %s: %s", config.socket,
	    stack_name(), stack_why());
	notify_send("READY=1");
	loop_run();
	stop_everything(&on_term, &on_int);
}

int
main(int argc, char **argv)
{
	struct flags	f = { .file = NULL };
	char		error[512];

	log_init();
	read_flags(argc, argv, &f);
	if (!configure(&f, error, sizeof error)) {
		log_err("%s", error);
		return EXIT_CONFIG;
	}
	if (f.print)
		config_print(stdout);
	if (f.test || f.print)
		return EXIT_SUCCESS;
	(void)signal(SIGPIPE, SIG_IGN);
	raise_limits();
	handle_start_clock();
	loop_init();
	client_init();
	dispatch_init();
	resolve_init();
	if (!listener_open(notify_listen_fd(), error, sizeof error)) {
		log_err("%s", error);
		return EXIT_FAILURE;
	}
	serve();
	return EXIT_SUCCESS;
}
