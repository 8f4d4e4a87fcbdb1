/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctpctl: what its files share.
 *
 * It is the library's first user and may do nothing that another user could
 * not; of proto/ it reads the tables, for names and help, and nothing else.
 */
#ifndef SCTPCTL_H
#define SCTPCTL_H

#include <stdbool.h>
#include <stdio.h>

#include "sctpd.h"

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

#define CTL_OPTIONS	48

struct ctl {
	struct sctpd	*c;
	const char	*path;
	bool		 json;
	bool		 color;
	bool		 verbose;
	int		 timeout;	/* ms; -1: the library's */
	bool		 away;		/* the daemon is, and is waited for */

	/* listen and connect */
	const char	*net_option;	/* the last that was given, or NULL */
	const char	*ip;
	enum ctl_form	 form;
	bool		 keep;
	bool		 one_to_one;
	bool		 end_at_eof;
	int		 linger;	/* ms between the end of input and eof */
	unsigned	 stream;
	unsigned	 ppid;
	unsigned	 ostreams;
	const char	*option[CTL_OPTIONS];	/* NAME=VALUE, of the socket */
	int		 noptions;
};

/* ---- sctpctl.c ------------------------------------------------------ */

/* Say "sctpctl: ..." on standard error; give the exit code. */
int ctl_fail(int exit_code, const char *fmt, ...) SCTPD_PRINTF(2, 3);

/* The exit code that stands for a call's code. */
int ctl_exit(const struct ctl *, int code);

/* Say why a call failed; give its exit code. */
int ctl_fail_call(const struct ctl *, int code);

/* Reach the daemon, once. */
int ctl_dial(struct ctl *);

/* The same with a session, which outlives the daemon. */
int ctl_dial_session(struct ctl *);

/* Run the command of these words. */
int ctl_run(struct ctl *, int argc, char **argv);

/* ---- sctpctl-call.c ------------------------------------------------- */

/* A method and its words: prepared, checked, called, its answer printed. */
int call_run(struct ctl *, int argc, char **argv, const struct sctpd_value **);

/* ---- sctpctl-list.c ------------------------------------------------- */

/* status, sockets, assocs, clients for people. */
bool list_knows(const char *method);
void list_print(const struct ctl *, const char *method, const struct sctpd_value *);

/* ---- sctpctl-net.c -------------------------------------------------- */

int net_listen(struct ctl *, int argc, char **argv);
int net_connect(struct ctl *, int argc, char **argv);

/* ---- sctpctl-shell.c ------------------------------------------------ */

int shell_run(struct ctl *, int argc, char **argv);
int watch_run(struct ctl *, int argc, char **argv);

/* ---- sctpctl-help.c ------------------------------------------------- */

void help_usage(FILE *);
int help_run(int argc, char **argv);
/* Candidates for the last word, for the shell's completion. */
int help_complete(int argc, char **argv);

/* ---- sctpctl-out.c -------------------------------------------------- */

void out_json(FILE *, const struct sctpd_value *);
/* key=value words on one line. */
void out_words(FILE *, const struct sctpd_value *);
/* A result for people, as many lines as it takes. */
void out_result(const struct ctl *, const struct sctpd_value *);
/* An event on one line, with the time. */
void out_event(const struct ctl *, FILE *, const struct sctpd_event *);

/* What a connect was answered, as the event that it would be for others. */
void out_connected(uint64_t sock, const char *addr, const char *port, const struct sctpd_value *);
/* A list of maps as a table, a column for each key of the first. */
void out_table(const struct ctl *, const struct sctpd_value *list);
void out_hex(FILE *, const char *, size_t len);
/* Standard output, flushed; a reader that went away is no error. */
int out_flush(void);

/* ---- sctpctl-in.c --------------------------------------------------- */

/* Standard input, cut into lines or blocks. */
struct in {
	int	 fd;
	bool	 eof;
	bool	 raw;		/* blocks, as they are read */
	char	*buf;
	size_t	 off, len, room;
};

/* Read once; false when the input is at its end or cannot be read. */
bool in_read(struct in *);
/*
 * The next line, without its end, or block; NULL if there is none yet.
 * Borrowed until the next read; a NUL follows it.
 */
char *in_next(struct in *, size_t *len);
void in_free(struct in *);
/* Pairs of hexadecimal digits, blanks between them, to bytes in their place. */
bool in_unhex(char *, size_t *len);

#endif
