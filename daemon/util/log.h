/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines with priorities, to standard error: "<5>..." for the journal,
 * in colours for a terminal, plain otherwise.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <syslog.h>
#include <time.h>

/* Find out what standard error is. */
void log_init(void);

/* The least urgent priority that is written: LOG_ERR ... LOG_DEBUG. */
void log_set_level(int);

/* A priority by its name (err, warning, notice, info, debug), -1 for none. */
int log_level_find(const char *);

#define LOG_LIKE_PRINTF __attribute__((format(printf, 1, 2)))

void log_err(const char *, ...) LOG_LIKE_PRINTF;	/* act now */
void log_warning(const char *, ...) LOG_LIKE_PRINTF;	/* degraded */
void log_notice(const char *, ...) LOG_LIKE_PRINTF;	/* a change of state */
void log_info(const char *, ...) LOG_LIKE_PRINTF;
void log_debug(const char *, ...) LOG_LIKE_PRINTF;

/* An error of the daemon's own: log it and exit. */
void log_fatal(const char *, ...) LOG_LIKE_PRINTF __attribute__((noreturn));

/*
 * For what a peer or a client can provoke: true ten times a second at most;
 * what was kept back is counted and said with the next.
 */
bool log_allowed(void);

/* The same for what goes on as long as a limit is reached: once a minute. */
bool log_seldom(time_t *last);

#endif
