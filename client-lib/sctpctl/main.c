/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl: SCTP from the shell.
 *
 * Options may stand anywhere; what is left is a command and its words. A
 * word that is no command is a method of the daemon.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sctpctl/commands.h"
#include "sctpctl/complete.h"
#include "sctpctl/help-json.h"
#include "sctpctl/help.h"
#include "sctpctl/options.h"
#include "sctpctl/out.h"

#ifdef EDIT
#define WITH_EDIT	", with libedit"
#else
#define WITH_EDIT	""
#endif
#ifdef SECCOMP
#define WITH_SECCOMP	", with libseccomp"
#else
#define WITH_SECCOMP	""
#endif
#ifdef CURSES
#define WITH_CURSES	", with ncurses"
#else
#define WITH_CURSES	""
#endif

static int
run(struct ctl *ctl, int argc, char **argv)
{
	switch (options_read(ctl, argc, argv)) {
	case 0:
		break;
	case 'h':
		if (ctl_wants_json())
			help_json(ctl, 1, argv);
		else
			help_usage(ctl, stdout);
		return out_flush();
	case 'V':
		puts("sctpctl " SCTPD_VERSION WITH_CURSES WITH_EDIT WITH_SECCOMP);
		return out_flush();
	default:
		return CTL_USAGE;
	}
	if (optind == argc) {
		help_usage(ctl, stderr);
		return CTL_USAGE;
	}
	if ((ctl->c = sctpd_new()) == NULL)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	return command_run(ctl, argc - optind, argv + optind);
}

int
main(int argc, char **argv)
{
	struct ctl	ctl = { .commands = command_table, .timeout = -1, .series = 100,
	    .nice = NICE_MOST };
	int		fail;

	/* Without standard files the daemon's socket could become standard input. */
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) == -1)
			_exit(CTL_FAILED);
	}
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && (strcmp(argv[1], "--complete") == 0 || strcmp(argv[1], "--complete-text") == 0))
		return complete_words(&ctl, argc - 2, argv + 2, strcmp(argv[1], "--complete-text") == 0);
	ctl.color = options_wants_color("auto");
	fail = run(&ctl, argc, argv);
	sctpd_free(ctl.c);
	free(ctl.ip);
	return fail;
}
