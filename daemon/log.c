/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines with priorities.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define PER_SECOND	10
#define SELDOM		60	/* seconds */

static enum { PLAIN, JOURNAL, COLOUR } form = PLAIN;
static int level = LOG_INFO;

static const struct {
	int		 priority;
	const char	*name;
	const char	*colour;
} levels[] = {
	{ LOG_ERR, "err", "\033[31m" },
	{ LOG_WARNING, "warning", "\033[33m" },
	{ LOG_NOTICE, "notice", "\033[1m" },
	{ LOG_INFO, "info", "" },
	{ LOG_DEBUG, "debug", "\033[2m" },
};

/* systemd tells which device and inode its journal's stream is. */
static bool
is_journal(void)
{
	const char	*env = getenv("JOURNAL_STREAM");
	char		 ours[64];
	struct stat	 st;

	if (env == NULL || fstat(STDERR_FILENO, &st) == -1)
		return false;
	(void)snprintf(ours, sizeof ours, "%lu:%lu", (unsigned long)st.st_dev,
	    (unsigned long)st.st_ino);
	return strcmp(env, ours) == 0;
}

void
log_init(void)
{
	const char	*term = getenv("TERM");

	if (is_journal())
		form = JOURNAL;
	else if (isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL &&
	    term != NULL && strcmp(term, "dumb") != 0)
		form = COLOUR;
}

void
log_set_level(int l)
{
	level = l;
}

int
log_level_find(const char *name)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].priority;
	}
	return -1;
}

static void
write_line(int priority, const char *fmt, va_list ap)
{
	char	 line[1024];
	size_t	 i;

	if (priority > level)
		return;
	(void)vsnprintf(line, sizeof line, fmt, ap);
	for (i = 0; levels[i].priority != priority; i++)
		;
	switch (form) {
	case JOURNAL:
		(void)fprintf(stderr, "<%d>%s\n", priority, line);
		break;
	case COLOUR:
		(void)fprintf(stderr, "sctpd: %s%s\033[0m\n", levels[i].colour, line);
		break;
	case PLAIN:
		(void)fprintf(stderr, "sctpd: %s: %s\n", levels[i].name, line);
		break;
	}
}

#define LOG_FUNCTION(name, priority)					\
void									\
log_##name(const char *fmt, ...)					\
{									\
	va_list	ap;							\
									\
	va_start(ap, fmt);						\
	write_line(priority, fmt, ap);					\
	va_end(ap);							\
}

LOG_FUNCTION(err, LOG_ERR)
LOG_FUNCTION(warning, LOG_WARNING)
LOG_FUNCTION(notice, LOG_NOTICE)
LOG_FUNCTION(info, LOG_INFO)
LOG_FUNCTION(debug, LOG_DEBUG)

void
log_fatal(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	write_line(LOG_ERR, fmt, ap);
	va_end(ap);
	exit(EXIT_FAILURE);
}

bool
log_allowed(void)
{
	static time_t	second;
	static unsigned	said, kept;
	struct timespec	now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		said = 0;
		if (kept > 0)
			log_notice("%u log lines were kept back", kept);
		kept = 0;
	}
	if (said++ < PER_SECOND)
		return true;
	kept++;
	return false;
}

bool
log_seldom(time_t *last)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	if (*last != 0 && now.tv_sec - *last < SELDOM)
		return false;
	*last = now.tv_sec;
	return true;
}
