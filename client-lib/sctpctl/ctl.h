/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every command of sctpctl needs; the lowest of its files.
 *
 * This room is the command line tool. It is the library's first user, and may
 * do nothing that another user could not: it includes lib/sctpd.h and nothing
 * else of the library. Of proto/ it reads the tables, for names and help. What
 * another program would want as well belongs into the library.
 *
 *	ctl, in, out	failures and reaching the daemon; standard input; output
 *	options		the table of options
 *	help, complete	what it says about itself; the completion
 *	list, call	what the daemon has; any method
 *	table, pages	rows and columns; lists that come in pages
 *	process		programs of processes
 *	assocs, paths	those rows and columns
 *	things		those of sockets and clients
 *	groups		clients that share a socket
 *	view, again	the commands that print them; and that print them again and again
 *	admin		commands for administrators
 *	supervised	associations that the daemon looks after
 *	packets, tap	blocks that the daemon copied; the command that asks for them
 *	screen, top	a terminal, or none; what happens on the associations
 *	scrape, expose	the daemon's answers as numbers with labels; those as text
 *	http, metrics	that text over HTTP; the command
 *	seen, pace	events that are waited for; messages a second
 *	progress	the line that says how far it is
 *	script		--script
 *	talk, net	messages in and out; listen and connect
 *	edit, shell	lines at a terminal; shell and watch
 *	commands	the table of commands, above all that it names
 *	main		the command line
 *	doc		a program of its own: prints the lists of sctpctl(1)
 */
#ifndef SCTPCTL_CTL_H
#define SCTPCTL_CTL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/sctpd.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3,
	CTL_PERMISSION = 4,
	CTL_TIMEOUT = 5,
};

/* How standard input and output carry messages. */
enum ctl_form { FORM_LINES, FORM_HEX, FORM_RAW };

#define CTL_DELAY	2000	/* ms between two frames, where nothing else is said */
#define CTL_OPTIONS	48
#define CTL_GIVEN	128

struct ctl;

/*
 * A command: a row of command_table in commands.c. What runs it, --help, help,
 * the completion and sctpctl(1) all read the row.
 */
enum section { LOOK, TALK, ADMINISTER, DO };

/* What an option goes with: any command, or those that have the bit. */
enum goes { WITH_ANY = 0, WITH_TALK = 1, WITH_LISTS = 2, WITH_ASSOCS = 4, WITH_TOP = 8, WITH_SORT = 16, WITH_LOAD = 32,
    WITH_METRICS = 64, WITH_TAP = 128, WITH_RUN = 256, WITH_AGAIN = 512 };

enum completes {
	COMPLETE_NOTHING,
	COMPLETE_WORDS,		/* of the method of that name */
	COMPLETE_METHOD,	/* a method, and its words */
	COMPLETE_NAMES,		/* of all that help describes */
	COMPLETE_SUPERVISED,	/* names that the daemon knows */
};

struct command {
	const char	*name;		/* NULL: a method of the daemon */
	enum section	 section;
	const char	*arguments;	/* [what may be left out] comes last */
	const char	*doc;		/* --help says its first sentence */
	int		(*run)(struct ctl *, int argc, char **argv);
	void		(*more)(void);	/* prints what "help NAME" says after doc, or NULL */
	enum completes	 completes;	/* its words */
	unsigned	 goes;		/* options that go with it: bits of enum goes */
};

/* An option of the command line, as it was given. */
struct given_option {
	const char	*name;		/* or NULL: by its letter */
	int		 letter;
	const char	*value;
};

#define NICE_MOST	19

struct ctl {
	const struct command *commands;
	struct sctpd	*c;
	const char	*path;
	bool		 json;
	bool		 color;
	bool		 verbose;
	int		 timeout;	/* ms; -1: the library's */
	bool		 away;		/* the daemon is, and is waited for */

	struct given_option given[CTL_GIVEN];	/* options, until the command is known */
	int		 ngiven;

	/* assocs, paths and top */
	const char	*sort;		/* a column, perhaps with a minus; or NULL */
	const char	*by_state;	/* or NULL */
	uint64_t	 by_sock;	/* or 0 */
	bool		 by_ppid;	/* which is ppid */
	bool		 by_peer;
	struct sockaddr_storage peer;	/* AF_UNSPEC: any */
	uint16_t	 peer_port;	/* 0: any */
	bool		 batch;
	unsigned	 frames;	/* of top, and lists; 0: without end */
	unsigned	 delay;		/* ms between two; 0: it was not given */

	/* metrics */
	const char	*output;	/* path, or NULL */
	bool		 openmetrics;
	bool		 http;		/* on the sockets of systemd */
	const char	*listen;	/* ADDRESS:PORT or unix:PATH, or NULL */
	unsigned	 idle;		/* s; 0: it serves for ever */
	unsigned	 series;	/* associations and users that are listed one by one */

	/* tap, beside sock, peer, ppid and count */
	const char	*file;		/* "-": standard output; NULL: text */
	unsigned	 by_assoc;	/* or 0 */
	unsigned	 by_client;	/* or 0 */
	unsigned	 snap;		/* bytes of each message; 0: all */
	unsigned	 file_size;	/* MB; 0: one file */
	unsigned	 files;		/* 0: without end */
	unsigned	 nice;		/* 0 to NICE_MOST, as of nice(2) */
	bool		 nice_given;

	/* run */
	bool		 all_fds;

	/* listen and connect */
	char		*ip;		/* all of --ip, with commas; allocated */
	enum ctl_form	 form;
	bool		 keep;
	bool		 one_to_one;
	bool		 end_at_eof;
	int		 linger;	/* ms between the end of input and eof */
	unsigned	 stream;
	unsigned	 ppid;
	unsigned	 ostreams;
	bool		 has_count;	/* --count or --size */
	bool		 count_given;
	bool		 random;
	bool		 echo;
	bool		 progress;
	uint64_t	 count;		/* messages to each peer, or from a tap; 0: without end */
	size_t		 size;		/* bytes of each, or 0: the input's */
	double		 rate;		/* messages a second; 0: no limit */
	unsigned	 associations;	/* with each peer, or 0 */
	const char	*script;	/* path, or NULL */
	const char	*option[CTL_OPTIONS];	/* NAME=VALUE, of the socket */
	int		 noptions;
};

/* Say "sctpctl: ..." on standard error, or an object of JSON; give the exit code. */
int ctl_fail(int exit_code, const char *fmt, ...) SCTPD_PRINTF(2, 3);

/* From now on errors are objects, {"error": ..., "exit_status": ...}. */
void ctl_errors_are_json(void);
bool ctl_wants_json(void);

/* Say a line on standard error that is no error. */
void ctl_note(const char *fmt, ...) SCTPD_PRINTF(1, 2);

/* What is done before anything is said on standard error: clearing a line that moves. NULL: nothing. */
void ctl_before_text(void (*)(void));

/* A string of JSON. */
void ctl_json_text(FILE *, const char *, size_t len);

/* The exit code that stands for a call's code. */
int ctl_exit(const struct ctl *, int code);

/* Say why a call failed; give its exit code. */
int ctl_fail_call(const struct ctl *, int code);

/* The command of that name, or NULL; without a name the row of all methods. */
const struct command *ctl_command(const struct ctl *, const char *name);

/* Reach the daemon, once. */
int ctl_dial(struct ctl *);

/* The same with a session, which outlives the daemon. */
int ctl_dial_session(struct ctl *);

#endif
