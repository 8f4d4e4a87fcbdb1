/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room util: log, memory, hash tables, the event loop, random numbers,
 * counters, fault points. Each would serve another daemon as well. Nothing here
 * may know of SCTP, of a client, or of any room above; of proto it knows the
 * table of counters, and how foreign text is cleaned.
 *
 * This file: log lines with priorities, and which of them are written.
 *
 * There are two kinds of lines. One is a text like printf's. The other is a row
 * of a table (struct log_line) with fields: it has a number by which programs
 * know it, and its fields reach the journal and JSON as they are. Where lines go,
 * and what they look like there, is in logout.h.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include "util/logout.h"

/*
 * Find out what standard error is. prefix is put in front of the names of fields
 * in the journal and in JSON. held is the row of the line that says what was held
 * back; its fields are kind, count, most and seconds.
 */
void log_init(const char *prefix, const struct log_line *held);

/*
 * What lines look like: text, json or journal, or auto, which is the journal's
 * form if standard error is the journal and text otherwise. From here on lines
 * have the time. log_form_known: is this one of these words?
 */
bool log_form_known(const char *);
void log_set_form(const char *);

/* The least urgent priority that is written: LOG_ERR ... LOG_DEBUG. */
void log_set_level(int);
int log_level(void);

#define LOG_LIKE_PRINTF __attribute__((format(printf, 1, 2)))

void log_err(const char *, ...) LOG_LIKE_PRINTF;	/* act now */
void log_warning(const char *, ...) LOG_LIKE_PRINTF;	/* degraded */
void log_notice(const char *, ...) LOG_LIKE_PRINTF;	/* a change of state */
void log_info(const char *, ...) LOG_LIKE_PRINTF;
void log_debug(const char *, ...) LOG_LIKE_PRINTF;

/* An error of the daemon's own: log it and exit. */
void log_fatal(const char *, ...) LOG_LIKE_PRINTF __attribute__((noreturn));

/*
 * Would a line of this row be written? Ask before its fields are put together:
 * there may be thousands a second, of which LOG_ROW_A_SECOND are written. One
 * that is not written as there are too many is counted.
 */
#define LOG_ROW_A_SECOND	100
bool log_wants(const struct log_line *);

/* Write it. */
void log_row(const struct log_line *, const struct log_field *, size_t n);

/* The text of the line that would be written. */
void log_row_text(char to[LOGOUT_TEXT], const struct log_line *, const struct log_field *, size_t n);

/*
 * For what a peer or a client can provoke: may a line of this priority and kind be
 * written? At most ten a second of each kind; or, with log_seldom, one a minute, for
 * what goes on as long as a limit is reached. The kind says in a few words what the
 * line is about.
 */
bool log_allowed(int priority, const char *kind);
bool log_seldom(int priority, const char *kind);

/*
 * What was held back is said once its second, or minute, is over, and what was lost
 * once somebody reads again, even if nothing follows: the function is called when there
 * is something to say later. log_say_held says what is due, and gives the seconds until
 * it wants to be called again; 0: never.
 */
void log_on_held(void (*)(unsigned seconds));
unsigned log_say_held(void);

#endif
