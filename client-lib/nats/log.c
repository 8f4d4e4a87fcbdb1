/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "nats/log.h"

static int	level = LOG_INFO;

static const char *const	names[] = { "", "", "", "err", "warning", "notice", "info", "debug" };

void
log_set_level(int priority)
{
	level = priority;
}

int
log_level_find(const char *name)
{
	for (int i = LOG_ERR; i <= LOG_DEBUG; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

/* One write a line: lines of two processes on one file do not mix. */
static void
write_line(int priority, const char *format, va_list ap)
{
	char		line[2048], when[32] = "";
	size_t		n;
	struct timeval	tv;
	struct tm	tm;

	if (getenv("JOURNAL_STREAM") != NULL) {
		n = (size_t)snprintf(line, sizeof line, "<%d>", priority);
	} else {
		gettimeofday(&tv, NULL);
		(void)strftime(when, sizeof when, "%F %T", localtime_r(&tv.tv_sec, &tm));
		n = (size_t)snprintf(line, sizeof line, "%s.%03ld sctpd-nats[%s]: ", when, (long)tv.tv_usec / 1000, names[priority]);
	}
	(void)vsnprintf(line + n, sizeof line - n - 1, format, ap);
	(void)strcat(line, "\n");
	(void)fputs(line, stderr);
}

void
log_line(int priority, const char *format, ...)
{
	va_list	ap;

	if (priority > level)
		return;
	va_start(ap, format);
	write_line(priority, format, ap);
	va_end(ap);
}

void
log_fatal(const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	write_line(LOG_ERR, format, ap);
	va_end(ap);
	exit(1);
}
