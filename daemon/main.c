/* SPDX-License-Identifier: BSD-2-Clause */
/* sctpd: flags, limits, signals, readiness, running. */
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

#include "config.h"
#include "group/member.h"
#include "journal/changes.h"
#include "journal/counters.h"
#include "journal/journal.h"
#include "kernel/ops.h"
#include "limits/drain.h"
#include "lines.h"
#include "methods/arguments.h"
#include "methods/dispatch.h"
#include "methods/handler.h"
#include "rpc/connection.h"
#include "rpc/listener.h"
#include "service/drop.h"
#include "service/keeper.h"
#ifdef USERLAND
#include "userland/ops.h"
#endif
#include "journal/fdpark.h"
#include "journal/settings.h"
#include "methods/policy.h"
#include "restore.h"
#include "schedule.h"
#include "service/fdclient.h"
#include "service/notify.h"
#include "service/watchdog.h"
#include "socket/assoc.h"
#include "socket/owner.h"
#include "socket/resolve.h"
#include "socket/tap.h"
#include "stack/stack.h"
#include "supervise/supervise.h"
#include "trace/recordfile.h"
#include "util/log.h"
#include "util/loop.h"
#include "util/mem.h"
#include "watch/watch.h"

#define WANTED_FDS	65536

static const char usage[] =
    "usage: sctpd [-k] [-c FILE] [-s SOCKET] [-u USER] [-l LEVEL] [-t | -T] [-h] [-V]\n"
    "             [--log-format FORM] [--stack STACK] [--encap ENCAP]\n"
    "             [--udp-port PORTS] [--peer-udp-port PORT]\n"
    "\n"
    "Own this host's SCTP sockets and serve them over a Unix socket, in the\n"
    "foreground, until SIGTERM or SIGINT. SIGHUP reads the configuration again.\n"
    "\n"
    "  -c FILE    configuration file (default: /etc/sctpd/sctpd.conf, if it exists)\n"
    "  -k         run as the keeper: start the daemon, hold its sockets, and restart\n"
    "             it when it ends; for hosts without systemd\n"
    "  -s SOCKET  path of the Unix socket (default: /run/sctpd/sctpd.sock)\n"
    "  -u USER    become this user; for root only\n"
    "  -l LEVEL   least urgent log lines: err, warning, notice, info, debug\n"
    "  --stack STACK\n"
    "             SCTP stack: auto, kernel or userland (default: auto)\n"
    "  --encap ENCAP\n"
    "             what the userland stack sends SCTP in: udp, or none for IP alone\n"
    "             (default: udp)\n"
    "  --udp-port PORTS, --peer-udp-port PORT\n"
    "             UDP ports of the userland stack, and that of its peers (default: 9899)\n"
    "  --log-format FORM\n"
    "             form of log lines: auto, text, json or journal (default: auto)\n"
    "  -t         test the configuration and exit\n"
    "  -T         print the configuration in force and exit\n"
    "  -h         print this help and exit\n"
    "  -V         print the version and exit\n"
    "\n"
    "The long forms are --config, --keeper, --socket, --user, --log-level, --test,\n"
    "--print, --help and --version.\n"
    "\n"
    "Talk to it with sctpctl(1). See sctpd(8), sctpd.conf(5), sctpd-protocol(7).\n";

/* Flags that set a setting, in the order of long_settings; then the other long forms. */
static const struct option long_flags[] = {
	{ "stack", required_argument, NULL, 0 },
	{ "udp-port", required_argument, NULL, 1 },
	{ "peer-udp-port", required_argument, NULL, 2 },
	{ "log-format", required_argument, NULL, 3 },
	{ "encap", required_argument, NULL, 4 },
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
	"stack", "udp_port", "peer_udp_port", "log_format", "encap", NULL
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
		case 0: case 1: case 2: case 3: case 4:
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

/* Read the file first, then what the command line says. */
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

/* Put all of the new configuration in force, or nothing if there is a mistake in it. */
static void
reload(const struct flags *f)
{
	struct config	new;
	char		error[512], status[600];

	notify_reloading();
	if (read_config(&new, f, error, sizeof error)) {
		config_change(&new);
		settings_keep(&config);
		(void)policy_init();
		supervise_configure(&config);
		tap_end_unless(policy_may_tap);
		stack->reload();
		log_set_level((int)config.log_level);
		log_notice("config: read again");
		(void)snprintf(status, sizeof status, "Serving at %s", listener_path());
	} else {
		config_free(&new);
		log_err("%s; the old configuration stays in force", error);
		(void)snprintf(status, sizeof status, "Configuration refused: %s", error);
	}
	notify_ready(status);
}

/* Take as many descriptors as are allowed: each association needs one. */
static void
raise_limits(void)
{
	struct rlimit	r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	if (r.rlim_max < WANTED_FDS) {
		r.rlim_cur = r.rlim_max = WANTED_FDS;
		if (setrlimit(RLIMIT_NOFILE, &r) == 0)
			return;	/* root may raise the hard limit */
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

/* There is no next process, or nobody hears the daemon any more. Close everything properly. */
static void
stop_everything(void)
{
	(void)event_del(&on_term);
	(void)event_del(&on_int);
	(void)event_del(&on_hangup);
	watchdog_stop();
	listener_close();
	supervise_free();
	owner_free_all();
	connection_free();
	stack->free();
	dispatch_free();
	resolve_free();
	recordfile_free();
	loop_free();
	journal_close();
	fdpark_free();
	config_free(&config);
	buf_free_spare();
	libevent_global_shutdown();
}

/*
 * What is in the descriptor store belongs to the next process. So nothing is
 * closed, and nobody is told anything. The manager decides whether there is a
 * next process. If there is none, the last descriptors are closed with the
 * store.
 */
static void
leave_everything(void)
{
	assoc_write_counted();
	connection_write_all();	/* commits, and writes what can be written still */
	recordfile_free();
	log_notice("everything is left for the next sctpd");
}

/* All stacks that there are. */
static const struct stack *const stacks[] = {
	&kernel_stack,
#ifdef USERLAND
	&userland_stack,
#endif
};

/* What the previous process left, or new memory for the next process. */
static struct {
	bool	open;
	bool	passed;		/* the previous process left a journal */
	bool	old;		/* and this version understands it */
} journal;

static void
open_journal(void)
{
	int	left;

	if (journal.open)
		return;
	left = fdclient_take("journal");
	journal.open = true;
	journal.passed = left != -1;
	/* If the stack does not survive, everything in the journal is over. */
	if (left != -1 && !stack->survives) {
		(void)close(left);
		left = -1;
	}
	journal.old = journal_open(left);
	counters_restore();
	drain_restore();
	changes_at_commit(counters_stage);
}

/*
 * The file is wrong, but there are associations to keep. Go on with the
 * configuration that was in force when the previous process ended.
 */
static bool
use_last_config(void)
{
	char	why[512] = "";

	open_journal();
	config_free(&config);
	config_init(&config);
	if (!journal.old || !settings_last(&config, why, sizeof why)) {
		if (why[0] != '\0')
			log_err("%s", why);
		return false;
	}
	log_err("the present configuration stays in force until the file is corrected");
	return true;
}

static void
take_over(void)
{
	bool	old;

	stack_choose();
	open_journal();
	/* The journal may have been opened for a stack that survives, before this one was chosen. */
	old = journal.old && stack->survives;
	stack->init();
	fdpark_init();
	if (journal.passed && !old)
		fdclient_remove("journal");
	if (!old && fdclient_present() && stack->survives)
		(void)fdclient_put("journal", journal_fd());
	if (old) {
		journal_begin_restore();
		restore();
		journal_end_restore();
	} else
		(void)fdpark_finish();
	settings_keep(&config);
}

static void
serve_until_stopped(struct flags *f)
{
	const char	*missing = stack->probe();
	char		 status[256];

	(void)evsignal_assign(&on_term, loop_base(), SIGTERM, main_on_signal, NULL);
	(void)evsignal_assign(&on_int, loop_base(), SIGINT, main_on_signal, NULL);
	(void)evsignal_assign(&on_hangup, loop_base(), SIGHUP, main_on_hangup, f);
	loop_need(&on_term);
	loop_need(&on_int);
	loop_need(&on_hangup);
	if (missing != NULL && strcmp(config.encap, "none") == 0)
		log_fatal("no SCTP: %s", missing);
	if (missing != NULL)
		log_err("no SCTP: %s", missing);
	supervise_configure(&config);
	changes_commit();	/* the first turn reads its sockets, and commits only at its end */
	log_notice("sctpd " SCTPD_VERSION " ready at %s, stack %s: %s", listener_path(),
	    stack->name, stack_why());
	(void)snprintf(status, sizeof status, "Serving at %s", listener_path());
	notify_ready(status);
	watchdog_start();
	loop_run();
	if (notify_stopping() && fdclient_present() && stack->survives)
		leave_everything();
	else
		stop_everything();
}

/* The keeper starts the daemon with the same flags, except -k and -u. */
static int
be_keeper(char *name, const struct flags *f)
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

/* Does what the configuration names exist? */
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
	log_init(LINES_PREFIX, &line_table[LINE_held]);
	stack_give(stacks, sizeof stacks / sizeof *stacks);
	supervise_init(find_and_set_options);
	read_flags(argc, argv, &f);
	fdclient_init();
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
	log_set_form(config.log_format);
	raise_limits();
	if (!drop_to_user(config.user, config.socket, error, sizeof error)) {
		log_err("%s", error);
		return EXIT_CONFIG;
	}
	if (f.keeper)
		return be_keeper(argv[0], &f);
	(void)policy_init();
	(void)signal(SIGPIPE, SIG_IGN);
	handle_start_clock();
	loop_init();
	watch_init();
	group_init();
	connection_init(&dispatch_ops);
	dispatch_init();
	schedule_init();
	resolve_init();
	if (!listener_open(error, sizeof error)) {
		log_err("%s", error);
		return EXIT_FAILURE;
	}
	take_over();
	fdclient_finish();
	serve_until_stopped(&f);
	return EXIT_SUCCESS;
}
