/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines with priorities.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define PER_SECOND	10
#define SELDOM		60	/* seconds */

static enum { PLAIN, JOURNAL, COLOUR } form = PLAIN;
static int level = LOG_INFO;
static unsigned lost;

/*
 * Where lines go: standard error, but without waiting for whoever reads it.
 * That it does not wait is said of a description of our own where there can
 * be one, as others have the same standard error.
 */
static int out = STDERR_FILENO;
static bool is_socket;

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

/* It is above what is passed to us, and is closed with us. */
#define OWN_FD	32

static void
open_own(void)
{
	struct stat	st;
	int		fd;

	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	is_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) ||
	    (fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) == -1)
		return;
	if ((out = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD)) == -1)
		out = STDERR_FILENO;
	(void)close(fd);
}

static void
close_own(void)
{
	if (out != STDERR_FILENO)
		(void)close(out);
	out = STDERR_FILENO;
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
	open_own();
	(void)atexit(close_own);
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

/* Gives false if there is no room for it: nobody waits for a reader. */
static bool
put(const char *text, size_t len)
{
	struct pollfd	p = { .fd = out, .events = POLLOUT };
	ssize_t		n;

	if (is_socket)
		n = send(out, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (poll(&p, 1, 0) == 0)
		return false;
	else
		n = write(out, text, len);
	return n != -1 || (errno != EAGAIN && errno != EINTR && errno != ENOBUFS && errno != ENOMEM);
}

static void
format_line(int priority, const char *text)
{
	char	 line[1100];
	size_t	 i;
	int	 n = 0;

	for (i = 0; levels[i].priority != priority; i++)
		;
	switch (form) {
	case JOURNAL:
		n = snprintf(line, sizeof line, "<%d>%s\n", priority, text);
		break;
	case COLOUR:
		n = snprintf(line, sizeof line, "sctpd: %s%s\033[0m\n", levels[i].colour, text);
		break;
	case PLAIN:
		n = snprintf(line, sizeof line, "sctpd: %s: %s\n", levels[i].name, text);
		break;
	}
	if (!put(line, (size_t)n))
		lost++;
}

/* The lines that nobody read, first; then this one. */
static void
write_line(int priority, const char *fmt, va_list ap)
{
	char		text[1024];
	unsigned	before = lost;
	int		number = errno;

	if (priority > level)
		return;
	(void)vsnprintf(text, sizeof text, fmt, ap);
	if (before > 0) {
		char	said[64];

		(void)snprintf(said, sizeof said, "%u log lines were lost, nobody read them", before);
		lost = 0;
		format_line(LOG_WARNING, said);
		if (lost > 0)
			lost = before;	/* there is no room even for that */
	}
	if (lost > 0)
		lost++;
	else
		format_line(priority, text);
	errno = number;
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
