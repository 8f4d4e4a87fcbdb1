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
#include "drop.h"
#include "handler.h"
#include "journal.h"
#include "keeper.h"
#include "listener.h"
#include "keep.h"
#include "log.h"
#include "mem.h"
#include "loop.h"
#include "notify.h"
#include "park.h"
#include "policy.h"
#include "resolve.h"
#include "sock.h"
#include "stack.h"
#include "store.h"
#include "watchdog.h"

#define WANTED_FDS	65536

static const char usage[] =
    "usage: sctpd [-k] [-c FILE] [-s SOCKET] [-u USER] [-l LEVEL] [-t | -T] [-h] [-V]\n"
    "             [--stack STACK] [--udp-port PORTS] [--peer-udp-port PORT]\n"
    "\n"
    "Own this host's SCTP sockets and serve them over a Unix socket, in the\n"
    "foreground, until SIGTERM or SIGINT. SIGHUP reads the configuration again.\n"
    "\n"
    "  -c FILE    configuration; /etc/sctpd/sctpd.conf, if it is there\n"
    "  -k         be a keeper: run the daemon, hold its sockets, and start it\n"
    "             again should it die (without systemd, which does the same)\n"
    "  -s SOCKET  path of the Unix socket; /run/sctpd/sctpd.sock\n"
    "  -u USER    become this user; for root\n"
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
    "The long forms are --config, --keeper, --socket, --user, --log-level, --test,\n"
    "--print, --help and --version.\n"
    "\n"
    "Talk to it with sctpctl(1). See sctpd(8), sctpd.conf(5), sctpd-protocol(7).\n";

/* Flags that are settings, by the settings' names; then the long forms of the others. */
static const struct option long_flags[] = {
	{ "stack", required_argument, NULL, 0 },
	{ "udp-port", required_argument, NULL, 1 },
	{ "peer-udp-port", required_argument, NULL, 2 },
	{ "config", required_argument, NULL, 'c' },
	{ "keeper", no_argument, NULL, 'k' },
	{ "socket", required_argument, NULL, 's' },
	{ "user", required_argument, NULL, 'u' },
	{ "log-level", required_argument, NULL, 'l' },
	{ "test", no_argument, NULL, 't' },
	{ "print", no_argument, NULL, 'T' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};
static const char *const long_settings[] = {
	"stack", "udp_port", "peer_udp_port", NULL
};

#define NLONG	(sizeof long_settings / sizeof *long_settings)

struct flags {
	const char	*file;
	const char	*socket;
	const char	*user;
	const char	*level;
	bool		 keeper;
	bool		 test;
	bool		 print;
	const char	*setting[NLONG];
};

static void
read_flags(int argc, char **argv, struct flags *f)
{
	int	c;

	while ((c = getopt_long(argc, argv, "c:ks:u:l:tThV", long_flags, NULL)) != -1) {
		switch (c) {
		case 'c':
			f->file = optarg;
			break;
		case 'k':
			f->keeper = true;
			break;
		case 's':
			f->socket = optarg;
			break;
		case 'u':
			f->user = optarg;
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
		case 0: case 1: case 2:
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
read_config(struct config *c, const struct flags *f, char *error, size_t size)
{
	config_init(c);
	if (!config_read(c, f->file != NULL ? f->file : CONFIG_FILE, f->file != NULL, error, size))
		return false;
	for (size_t i = 0; long_settings[i] != NULL; i++) {
		if (f->setting[i] != NULL &&
		    !config_set(c, long_settings[i], f->setting[i], error, size))
			return false;
	}
	return (f->socket == NULL || config_set(c, "socket", f->socket, error, size)) &&
	    (f->user == NULL || config_set(c, "user", f->user, error, size)) &&
	    (f->level == NULL || config_set(c, "log_level", f->level, error, size));
}

/* All of the new configuration, or, if there is a mistake in it, nothing. */
static void
reload(const struct flags *f)
{
	struct config	new;
	char		error[512], status[600];

	notify_reloading();
	if (read_config(&new, f, error, sizeof error)) {
		config_change(&new);
		keep_config(&config);
		(void)policy_init();
		stack_reload();
		log_set_level((int)config.log_level);
		log_notice("config: read again");
		(void)snprintf(status, sizeof status, "Serving at %s", config.socket);
	} else {
		config_free(&new);
		log_err("%s; the old configuration stays in force", error);
		(void)snprintf(status, sizeof status, "Configuration refused: %s", error);
	}
	notify_ready(status);
}

/* As many descriptors as we may have: each association takes one. */
static void
raise_limits(void)
{
	struct rlimit	r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	if (r.rlim_max < WANTED_FDS) {
		r.rlim_cur = r.rlim_max = WANTED_FDS;
		if (setrlimit(RLIMIT_NOFILE, &r) == 0)
			return;	/* root may */
		(void)getrlimit(RLIMIT_NOFILE, &r);
	}
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
main_on_hangup(evutil_socket_t number, short what, void *arg)
{
	(void)number, (void)what;
	reload(arg);
}

static struct event on_term, on_int, on_hangup;

static void
catch_signals(struct flags *f)
{
	(void)evsignal_assign(&on_term, loop_base(), SIGTERM, main_on_signal, NULL);
	(void)evsignal_assign(&on_int, loop_base(), SIGINT, main_on_signal, NULL);
	(void)evsignal_assign(&on_hangup, loop_base(), SIGHUP, main_on_hangup, f);
	loop_need(&on_term);
	loop_need(&on_int);
	loop_need(&on_hangup);
}

/* Nobody comes after us, or nobody hears us any more: close everything properly. */
static void
stop_everything(void)
{
	(void)event_del(&on_term);
	(void)event_del(&on_int);
	(void)event_del(&on_hangup);
	watchdog_stop();
	listener_close();
	sock_free_all();
	client_free_all();
	stack_free();
	dispatch_free();
	resolve_free();
	loop_free();
	journal_close();
	park_free();
	config_free(&config);
	buf_free_spare();
	libevent_global_shutdown();
}

/*
 * What is in the store is the next daemon's: nothing is closed, nobody is told
 * anything. Whether there is a next one is the manager's business, and if not,
 * the last descriptors are closed with its store.
 */
static void
leave_everything(void)
{
	client_end_turn();	/* the last commit, and what can be written still */
	log_notice("everything is left to the next");
}

/* What a process before us left, or new memory for who comes after us. */
static struct {
	bool	open;
	bool	passed;		/* one was passed to us */
	bool	old;		/* and we understand it */
} journal;

static void
open_journal(void)
{
	int	left;

	if (journal.open)
		return;
	left = store_take("journal");
	journal.open = true;
	journal.passed = left != -1;
	/* What a stack without survival had is over. */
	if (left != -1 && !stack_survives()) {
		(void)close(left);
		left = -1;
	}
	journal.old = journal_open(left);
}

/*
 * The file is wrong, but there are associations to be kept: with the
 * configuration that was in force when the process before us ended.
 */
static bool
use_last_config(void)
{
	char	why[512] = "";

	open_journal();
	config_free(&config);
	config_init(&config);
	if (!journal.old || !keep_last_config(&config, why, sizeof why)) {
		if (why[0] != '\0')
			log_err("%s", why);
		return false;
	}
	log_err("the configuration that was in force stays so, until the file is put right");
	return true;
}

static void
take_over(void)
{
	bool	old;

	stack_choose();
	open_journal();
	old = journal.old;
	stack_init();
	park_init();
	if (journal.passed && !old)
		store_remove("journal");
	if (!old && store_present() && stack_survives())
		(void)store_put("journal", journal_fd());
	if (old) {
		journal_begin_restore();
		keep_restore();
		journal_end_restore();
	} else
		(void)park_finish();
	keep_config(&config);
}

static void
serve(struct flags *f)
{
	const char	*missing = stack_probe();
	char		 status[256];

	catch_signals(f);
	if (missing != NULL)
		log_err("no SCTP: %s", missing);
	log_notice("sctpd " SCTPD_VERSION " ready at %s, stack %s: %s", config.socket,
	    stack_name(), stack_why());
	(void)snprintf(status, sizeof status, "Serving at %s", config.socket);
	notify_ready(status);
	watchdog_start();
	loop_run();
	if (notify_stopping() && store_present() && stack_survives())
		leave_everything();
	else
		stop_everything();
}

/* The keeper starts the daemon with the same flags, but -k. */
static int
keep(char *name, const struct flags *f)
{
	const char	*argv[8 + 2 * NLONG];
	char		 flag[NLONG][32];
	size_t		 n = 0;

	argv[n++] = name;
	if (f->file != NULL) {
		argv[n++] = "-c";
		argv[n++] = f->file;
	}
	if (f->socket != NULL) {
		argv[n++] = "-s";
		argv[n++] = f->socket;
	}
	if (f->level != NULL) {
		argv[n++] = "-l";
		argv[n++] = f->level;
	}
	for (size_t i = 0; i < NLONG; i++) {
		if (f->setting[i] == NULL)
			continue;
		(void)snprintf(flag[i], sizeof flag[i], "--%s", long_flags[i].name);
		argv[n++] = flag[i];
		argv[n++] = f->setting[i];
	}
	argv[n] = NULL;
	return keeper_run(argv);
}

/* Is there what the configuration names? */
static bool
is_right(void)
{
	char	error[512];

	if (listener_check(error, sizeof error) && drop_check(config.user, error, sizeof error))
		return policy_init();
	log_err("%s", error);
	return false;
}

int
main(int argc, char **argv)
{
	struct flags	f = { .file = NULL };
	char		error[512];

	mem_init();
	log_init();
	read_flags(argc, argv, &f);
	store_init();
	if (!read_config(&config, &f, error, sizeof error)) {
		log_err("%s", error);
		if (f.test || f.print || f.keeper || !use_last_config())
			return EXIT_CONFIG;
	}
	log_set_level((int)config.log_level);
	if (f.print)
		config_print(&config, stdout);
	if (f.test || f.print)
		return is_right() ? EXIT_SUCCESS : EXIT_CONFIG;
	raise_limits();
	if (!drop_to_user(config.user, config.socket, error, sizeof error)) {
		log_err("%s", error);
		return EXIT_CONFIG;
	}
	if (f.keeper)
		return keep(argv[0], &f);
	(void)policy_init();
	(void)signal(SIGPIPE, SIG_IGN);
	handle_start_clock();
	loop_init();
	client_init();
	dispatch_init();
	resolve_init();
	if (!listener_open(error, sizeof error)) {
		log_err("%s", error);
		return EXIT_FAILURE;
	}
	take_over();
	store_finish();
	serve(&f);
	return EXIT_SUCCESS;
}
