/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands. A new one is a row here and the function that it names; then
 * "make doc" adds it to sctpctl(1).
 */
#include <string.h>

#include "proto/rpc.h"
#ifdef SECCOMP
#include "run/start.h"
#endif
#include "sctpctl/admin.h"
#include "sctpctl/again.h"
#include "sctpctl/call.h"
#include "sctpctl/commands.h"
#include "sctpctl/expose.h"
#include "sctpctl/groups.h"
#include "sctpctl/help.h"
#include "sctpctl/metrics.h"
#include "sctpctl/net.h"
#include "sctpctl/options.h"
#include "sctpctl/record.h"
#include "sctpctl/shell.h"
#include "sctpctl/supervised.h"
#include "sctpctl/tap.h"
#include "sctpctl/top.h"
#include "sctpctl/view.h"

/* Does the socket that these arguments open stay without its owner? */
static bool
is_held(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "options.on_owner_exit=hold") == 0)
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
	if (fail == CTL_OK && (strcmp(argv[0], "open") == 0 || strcmp(argv[0], "peeloff") == 0) && !is_held(argc, argv))
		fputs("sctpctl: the new socket is closed now, as sctpctl exits; "
		    "to run several commands on one connection, use sctpctl shell\n", stderr);
	return fail;
}

static int
run_call(struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2)
		return ctl_fail(CTL_USAGE, "call takes a method: sctpctl call METHOD [KEY=VALUE ...]");
	return run_method(ctl, argc - 1, argv + 1);
}

static int
run_program(struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2)
		return ctl_fail(CTL_USAGE, "run takes a program: sctpctl run -- PROGRAM [ARGUMENT ...]");
#ifdef SECCOMP
	return run_start(ctl->c, ctl->path, ctl->verbose, ctl->all_fds, argv + 1);
#else
	(void)ctl, (void)argv;
	return ctl_fail(CTL_FAILED, "this sctpctl was built without run: it needs libseccomp (libseccomp-dev)");
#endif
}

const struct command command_table[] = {
	{ "status", LOOK, "",
	  "Print the state of the daemon: its version, stack, users and limits.",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "sockets", LOOK, "", "List the sockets.", view_sockets, view_sock_columns, COMPLETE_WORDS, WITH_SORT | WITH_AGAIN },
	{ "assocs", LOOK, "[sock=N [assoc_id=N]]",
	  "List all associations, those of a socket, or one. "
	  "As many columns are shown as the terminal is wide; if it is none, $COLUMNS or 80 characters. "
	  "With `-v` everything about each association is printed.",
	  view_assocs, view_assoc_columns, COMPLETE_WORDS, WITH_SORT | WITH_LISTS | WITH_ASSOCS | WITH_AGAIN },
	{ "paths", LOOK, "[sock=N [assoc_id=N]]",
	  "List the paths of all associations, of a socket's, or of one. "
	  "With `-v` all columns are shown.",
	  view_paths, view_path_columns, COMPLETE_WORDS, WITH_SORT | WITH_LISTS | WITH_AGAIN },
	{ "top", LOOK, "",
	  "Show what happens on the associations, by rate, again and again. "
	  "The first rates are averages since each association came up. "
	  "The key `h` describes the keys. "
	  "A daemon that is gone is waited for, as by `watch`. "
	  "With `-b` tables are printed as text.",
	  top_run, top_help, COMPLETE_NOTHING, WITH_SORT | WITH_LISTS | WITH_ASSOCS | WITH_TOP },
	{ "record", LOOK, "sock [assoc_id]",
	  "Write what the flight recorder has of an association to standard output, as a pcapng file. "
	  "Those are its last messages, or the beginning of each, and what happened. "
	  "`sctpctl record 1 3 | tshark -r -` shows those of association 3 of socket 1.",
	  record_run, NULL, COMPLETE_NOTHING, 0 },
	{ "clients", LOOK, "", "List the daemon's clients.", view_clients, view_client_columns, COMPLETE_WORDS, WITH_SORT | WITH_AGAIN },
	{ "supervised", LOOK, "[name=text]",
	  "List the associations that the daemon looks after, and how they are. "
	  "See ASSOCIATIONS in sctpd.conf(5).",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "groups", LOOK, "[name=text]",
	  "List the groups of clients that share a socket, a line for each member: what it has, what goes to another, and what waits. "
	  "With `-v` it prints all columns.",
	  groups_run, groups_columns, COMPLETE_WORDS, WITH_SORT | WITH_AGAIN },
	{ "explain", LOOK, "name",
	  "Say what a supervised association would do, before anything is sent: the addresses that its INIT would offer, the routes to the peer, and what will probably go wrong.",
	  supervised_explain, NULL, COMPLETE_SUPERVISED, 0 },
	{ "watch", LOOK, "",
	  "Print the events of all your sockets as they happen. "
	  "With `-v` it says on standard error when watching has begun.",
	  watch_run, NULL, COMPLETE_WORDS, 0 },
	{ "metrics", LOOK, "",
	  "Print metrics for Prometheus: once, into a file, or over HTTP. "
	  "The section METRICS of sctpctl(1) tells more.",
	  metrics_run, expose_help, COMPLETE_NOTHING, WITH_METRICS },
	{ "tap", LOOK, "",
	  "Print the messages of all sockets as programs send and receive them, or write them to a file for Wireshark. "
	  "Only root and the users named by `tap_users` in sctpd.conf(5) may do this. "
	  "A tap delays no message: what `sctpctl` is too slow for is left out, and counted. "
	  "The tap ends with the daemon.",
	  tap_run, NULL, COMPLETE_NOTHING, WITH_TAP },
	{ "describe", LOOK, "",
	  "List every method, option, event and error of the daemon. "
	  "With `--json` the answer has all fields and descriptions.",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "listen", TALK, "port",
	  "Wait for a peer and talk with it until the association ends. "
	  "Port 0 takes a free port and prints it on standard error. "
	  "The end of standard input does not end the association unless `-N` is given.",
	  net_listen, NULL, COMPLETE_WORDS, WITH_TALK | WITH_LOAD },
	{ "connect", TALK, "host port [host port ...]",
	  "Set up an association with a peer, or with each of several, and talk with it. "
	  "Input goes to all of them. "
	  "The host is a name, an address, or several addresses of one peer separated by commas. "
	  "At the end of standard input the association is shut down, after everything that was sent has arrived.",
	  net_connect, NULL, COMPLETE_WORDS, WITH_TALK | WITH_LOAD },
	{ "run", TALK, "program [argument ...]",
	  "Run a program that was written for the kernel's SCTP: it gets its SCTP from the daemon, unchanged. "
	  "Write `sctpctl run -- PROGRAM ARGUMENT ...`, so that the program has its options. "
	  "The exit status is the program's. "
	  "With `-v` each call that concerns SCTP is printed on standard error. "
	  "sctpctl-run(1) says what works and what does not.",
	  run_program, NULL, COMPLETE_NOTHING, WITH_RUN },
	{ "abort", ADMINISTER, "sock=n assoc_id=n [reason=text]",
	  "Abort an association of any socket that you may use, or, as an administrator, of any.",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "close", ADMINISTER, "sock=n",
	  "Close a socket that you may use, or, as an administrator, any. "
	  "Its owner is told who closed it.",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "disconnect", ADMINISTER, "client=n",
	  "End the connection of a client. "
	  "Its sockets do what their option `on_owner_exit` says.",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "drain", ADMINISTER, "[seconds]",
	  "Let the daemon take no new associations, and wait until none is left, or for so many seconds. "
	  "With 0 it does not wait. "
	  "Associations that exist go on. "
	  "The daemon stays so until `undrain`, also when it is restarted. "
	  "If associations are left when the time is over, the exit status is 5.",
	  admin_drain, NULL, COMPLETE_NOTHING, 0 },
	{ "undrain", ADMINISTER, "", "Let the daemon take new associations again.",
	  admin_undrain, NULL, COMPLETE_NOTHING, 0 },
	{ "up", ADMINISTER, "name",
	  "Set a supervised association up now, whatever its pause, or if it is down.",
	  supervised_up_or_down, NULL, COMPLETE_SUPERVISED, 0 },
	{ "down", ADMINISTER, "name",
	  "Shut a supervised association down in order, and keep it down until `up`.",
	  supervised_up_or_down, NULL, COMPLETE_SUPERVISED, 0 },
	{ "log-level", ADMINISTER, "[level]",
	  "Print the least urgent priority of the messages that the daemon logs, or change it to `err`, `warning`, `notice`, `info` or `debug`. "
	  "The change holds until the daemon starts again or reads its configuration again.",
	  admin_log_level, NULL, COMPLETE_NOTHING, 0 },
	{ NULL, DO, "method [key=value ...]",
	  "Call a method of the daemon and print its answer; `help` METHOD describes it and its words. "
	  "The words are checked before the daemon is asked. "
	  "Commas separate the items of a list. "
	  "Dots name the parts of a record, as in `options.sctp_rtoinfo.max=4000`. "
	  "Bytes are text, `hex:0A0B`, `@FILE`, `-` for standard input, or `text:TEXT`, which is TEXT taken as it stands.",
	  run_method, NULL, COMPLETE_WORDS, 0 },
	{ "call", DO, "method [key=value ...]",
	  "Call a method that has the name of a command.",
	  run_call, NULL, COMPLETE_METHOD, 0 },
	{ "shell", DO, "[file]",
	  "Run many commands on one connection. "
	  "A socket lives only as long as the connection that opened it. "
	  "Without a file the commands are read from standard input.",
	  shell_run, shell_commands, COMPLETE_NOTHING, 0 },
	{ "help", DO, "[name ...]",
	  "List everything, or describe commands, methods, options, events and errors.",
	  help_run, NULL, COMPLETE_NAMES, 0 },
	{ NULL, DO, NULL, NULL, NULL, NULL, COMPLETE_NOTHING, 0 }
};

/* With key=value words, listen, connect and watch are methods; lists take them. */
static const struct command *
find(int argc, char **argv)
{
	const struct command	*c, *method = NULL;
	bool			 is_method = false;

	for (int i = 1; i < argc; i++)
		is_method |= strchr(argv[i], '=') != NULL;
	is_method = is_method && rpc_find(argv[0], strlen(argv[0])) != NULL;
	for (c = command_table; c->doc != NULL; c++) {
		if (c->name == NULL)
			method = c;
		else if ((!is_method || (c->goes & WITH_SORT) != 0) && strcmp(c->name, argv[0]) == 0)
			return c;
	}
	return method;
}

int
command_run(struct ctl *ctl, int argc, char **argv)
{
	const struct command	*c = find(argc, argv);
	int			 fail = options_take(ctl, c);

	if (fail != CTL_OK)
		return fail;
	if ((c->goes & WITH_AGAIN) != 0 && (ctl->delay > 0 || ctl->frames > 0))
		return again_run(ctl, c->run, argc, argv);
	return c->run(ctl, argc, argv);
}
