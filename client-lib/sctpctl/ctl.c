/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl: SCTP from the shell.
 *
 * Options may stand anywhere; what is left is a command and its words. A
 * command that is none of its own is a method of the daemon.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc.h"
#include "sctpctl.h"

#define PATIENCE	30000	/* ms that sctpd may be away */

enum {
	OPT_COLOR = 256, OPT_TIMEOUT, OPT_COMPLETE,
	OPT_NET, OPT_IP = OPT_NET, OPT_STREAM, OPT_PPID, OPT_OSTREAMS, OPT_HEX,
	OPT_RAW, OPT_ONE, OPT_KEEP = 'k', OPT_END = 'N', OPT_LINGER = 'w',
	OPT_OPTION = 'o',
};

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "ip", required_argument, NULL, OPT_IP },
	{ "stream", required_argument, NULL, OPT_STREAM },
	{ "ppid", required_argument, NULL, OPT_PPID },
	{ "ostreams", required_argument, NULL, OPT_OSTREAMS },
	{ "option", required_argument, NULL, OPT_OPTION },
	{ "hex", no_argument, NULL, OPT_HEX },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "one-to-one", no_argument, NULL, OPT_ONE },
	{ "keep", no_argument, NULL, OPT_KEEP },
	{ "end-at-eof", no_argument, NULL, OPT_END },
	{ "wait", required_argument, NULL, OPT_LINGER },
	{ NULL, 0, NULL, 0 }
};

/* ---- failures ------------------------------------------------------- */

int
ctl_fail(int exit_code, const char *fmt, ...)
{
	va_list	ap;

	fflush(stdout);
	fputs("sctpctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
	return exit_code;
}

int
ctl_exit(const struct ctl *ctl, int code)
{
	switch (code) {
	case SCTPD_OK:
		return CTL_OK;
	case SCTPD_EACCES:
	case SCTPD_EPERM:
	case SCTPD_NOT_OWNER:
		return CTL_PERMISSION;
	case SCTPD_TIMEOUT:
		return CTL_TIMEOUT;
	case SCTPD_BADARG:
		return CTL_USAGE;
	default:
		/* Whatever it was, now there is no daemon. */
		return sctpd_fd(ctl->c) == -1 ? CTL_UNREACHABLE : CTL_FAILED;
	}
}

int
ctl_fail_call(const struct ctl *ctl, int code)
{
	return ctl_fail(ctl_exit(ctl, code), "%s", sctpd_error(ctl->c));
}

/* The text without its code. */
static const char *
sentence(const struct ctl *ctl)
{
	const char	*colon = strstr(sctpd_error(ctl->c), ": ");

	return colon != NULL ? colon + 2 : sctpd_error(ctl->c);
}

int
ctl_dial(struct ctl *ctl)
{
	if (sctpd_fd(ctl->c) != -1)
		return CTL_OK;
	if (ctl->timeout >= 0)
		sctpd_set_timeout(ctl->c, ctl->timeout);
	switch (sctpd_dial(ctl->c, ctl->path)) {
	case SCTPD_OK:
		return CTL_OK;
	case SCTPD_ENOENT:
	case SCTPD_ECONNREFUSED:
		return ctl_fail(CTL_UNREACHABLE,
		    "%s Start it with: systemctl start sctpd, or run: sctpd", sentence(ctl));
	case SCTPD_EACCES:
		return ctl_fail(CTL_PERMISSION,
		    "%s: usermod -a -G sctp USER, then log in again", sentence(ctl));
	case SCTPD_BADARG:
		return ctl_fail(CTL_USAGE, "%s", sentence(ctl));
	default:
		return ctl_fail(CTL_UNREACHABLE, "%s", sentence(ctl));
	}
}

static void
on_session(struct sctpd *c, enum sctpd_session_change change, void *arg)
{
	struct ctl	*ctl = arg;

	(void)c;
	if (change == SCTPD_GONE && !ctl->away)
		fputs("sctpctl: sctpd is gone, waiting\n", stderr);
	if (change == SCTPD_BACK)
		fputs("sctpctl: sctpd is back\n", stderr);
	if (change == SCTPD_GONE || change == SCTPD_BACK)
		ctl->away = change == SCTPD_GONE;
}

int
ctl_dial_session(struct ctl *ctl)
{
	int	code = sctpd_resumable(ctl->c, ctl->timeout >= 0 ? ctl->timeout : PATIENCE,
	    on_session, ctl);

	return code == SCTPD_OK ? ctl_dial(ctl) : ctl_fail_call(ctl, code);
}

/* ---- commands ------------------------------------------------------- */

/* listen and connect are methods too, and those take key=value words. */
static bool
has_words(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strchr(argv[i], '=') != NULL)
			return true;
	}
	return false;
}

static int
run_method(struct ctl *ctl, int argc, char **argv)
{
	const struct sctpd_value	*v;
	int				 fail;

	if (rpc_find(argv[0], strlen(argv[0])) == NULL)
		return ctl_fail(CTL_USAGE,
		    "there is no command or method \"%s\"; sctpctl help lists them", argv[0]);
	fail = call_run(ctl, argc, argv, &v);
	if (fail == CTL_OK && (strcmp(argv[0], "open") == 0 || strcmp(argv[0], "peeloff") == 0))
		fputs("sctpctl: that socket closes now, as sctpctl ends; "
		    "several commands on one connection: sctpctl shell\n", stderr);
	return fail;
}

int
ctl_run(struct ctl *ctl, int argc, char **argv)
{
	bool	words = has_words(argc, argv);

	if (!words && strcmp(argv[0], "listen") == 0)
		return net_listen(ctl, argc, argv);
	if (!words && strcmp(argv[0], "connect") == 0)
		return net_connect(ctl, argc, argv);
	if (ctl->net_option != NULL)
		return ctl_fail(CTL_USAGE,
		    "--%s goes with listen and connect only", ctl->net_option);
	if (strcmp(argv[0], "help") == 0)
		return help_run(argc, argv);
	if (strcmp(argv[0], "shell") == 0)
		return shell_run(ctl, argc, argv);
	if (!words && strcmp(argv[0], "watch") == 0)
		return watch_run(ctl, argc, argv);
	if (strcmp(argv[0], "call") == 0 && argc > 1)
		return run_method(ctl, argc - 1, argv + 1);
	return run_method(ctl, argc, argv);
}

/* ---- the command line ----------------------------------------------- */

static bool
wants_color(const char *when)
{
	const char	*term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    term != NULL && strcmp(term, "dumb") != 0;
}

static unsigned
number(const char *option, const char *s, unsigned long max)
{
	char		*end;
	unsigned long	 v = strtoul(s, &end, 0);

	if (*s < '0' || *s > '9' || *end != '\0' || v > max)
		exit(ctl_fail(CTL_USAGE,
		    "--%s: \"%s\" is no number from 0 to %lu", option, s, max));
	return (unsigned)v;
}

/* What it is called, and whether its value fits, open says. The last of a name counts. */
static void
socket_option(struct ctl *ctl)
{
	size_t	len = strcspn(optarg, "=") + 1;

	if (strchr(optarg, '=') == NULL || *optarg == '=')
		exit(ctl_fail(CTL_USAGE,
		    "--option takes NAME=VALUE, as sndbuf=1000000; \"%s\" is none", optarg));
	for (int i = 0; i < ctl->noptions; i++) {
		if (strncmp(ctl->option[i], optarg, len) == 0) {
			ctl->option[i] = optarg;
			return;
		}
	}
	if (ctl->noptions == CTL_OPTIONS)
		exit(ctl_fail(CTL_USAGE, "--option: %d are all that it takes", CTL_OPTIONS));
	ctl->option[ctl->noptions++] = optarg;
}

static void
net_option(struct ctl *ctl, int opt)
{
	for (const struct option *o = options; o->name != NULL; o++) {
		if (o->val == opt)
			ctl->net_option = o->name;
	}
	switch (opt) {
	case OPT_IP:
		ctl->ip = optarg;
		break;
	case OPT_STREAM:
		ctl->stream = number("stream", optarg, UINT16_MAX);
		break;
	case OPT_PPID:
		ctl->ppid = number("ppid", optarg, UINT32_MAX);
		break;
	case OPT_OSTREAMS:
		ctl->ostreams = number("ostreams", optarg, UINT16_MAX);
		break;
	case OPT_OPTION:
		socket_option(ctl);
		break;
	case OPT_HEX:
		ctl->form = FORM_HEX;
		break;
	case OPT_RAW:
		ctl->form = FORM_RAW;
		break;
	case OPT_ONE:
		ctl->one_to_one = true;
		break;
	case OPT_KEEP:
		ctl->keep = true;
		break;
	case OPT_END:
		ctl->end_at_eof = true;
		break;
	case OPT_LINGER:
		ctl->linger = (int)number("wait", optarg, 86400000);
		break;
	}
}

static void
color_option(struct ctl *ctl)
{
	if (strcmp(optarg, "auto") != 0 && strcmp(optarg, "always") != 0 &&
	    strcmp(optarg, "never") != 0)
		exit(ctl_fail(CTL_USAGE, "--color takes auto, always or never"));
	ctl->color = wants_color(optarg);
}

static void
read_options(struct ctl *ctl, int argc, char **argv)
{
	int	opt;

	while ((opt = getopt_long(argc, argv, "s:jvhVkNw:o:", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			ctl->path = optarg;
			break;
		case 'j':
			ctl->json = true;
			break;
		case 'v':
			ctl->verbose = true;
			break;
		case OPT_COLOR:
			color_option(ctl);
			break;
		case OPT_TIMEOUT:
			ctl->timeout = (int)number("timeout", optarg, INT32_MAX);
			break;
		case 'h':
			help_usage(stdout);
			exit(out_flush());
		case 'V':
			puts("sctpctl " SCTPD_VERSION);
			exit(out_flush());
		case '?':
			fputs("see: sctpctl --help\n", stderr);
			exit(CTL_USAGE);
		default:
			net_option(ctl, opt);
		}
	}
}

/* Without them the daemon's socket could become standard input. */
static void
open_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) == -1)
			_exit(CTL_FAILED);
	}
}

int
main(int argc, char **argv)
{
	struct ctl	ctl = { .timeout = -1 };
	int		fail;

	open_standard_files();
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && strcmp(argv[1], "--complete") == 0)
		return help_complete(argc - 2, argv + 2);
	ctl.color = wants_color("auto");
	read_options(&ctl, argc, argv);
	if (optind == argc) {
		help_usage(stderr);
		return CTL_USAGE;
	}
	if ((ctl.c = sctpd_new()) == NULL)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	fail = ctl_run(&ctl, argc - optind, argv + optind);
	sctpd_free(ctl.c);
	return fail;
}
