/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where log lines go, and what they look like there.
 *
 *	text	standard error. Once the daemon runs, with the time; before that, as
 *		any command complains. If standard error is the journal, with the
 *		priority in front, "<5>", instead of name and time. In colours on a
 *		terminal.
 *	json	standard error, one object a line.
 *	journal	the journal's own socket, with fields.
 *
 * The journal's protocol is spoken here, as that of the service manager is in
 * service/notify.c: sd_journal_send would bring libsystemd and six libraries of
 * crypto and compression into a process that holds everybody's associations, and
 * it may block. An entry is one datagram of "NAME=value" lines. A value with a line
 * feed would need another form, and a datagram that is too large a memory file; but
 * texts are cleaned of control characters, and an entry has ENTRY bytes at most, far
 * less than any socket buffer. So neither can happen.
 *
 * Nobody is waited for: what finds no room is lost, and log.c counts it.
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
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/error.h"
#include "util/logout.h"

#define PROGRAM		"sctpd"
#define JOURNAL_SOCKET	"/run/systemd/journal/socket"
#define ENTRY		8192

static enum form { TEXT, COLOUR, PRIORITIES, JSON, JOURNAL } form = TEXT;
static bool stamped;
static const char *prefix = "";

/*
 * Standard error, but without waiting for whoever reads it. That it does not wait is
 * said of a description of our own where there can be one, as others have the same
 * standard error.
 */
static int out = STDERR_FILENO;
static bool is_socket;
static int journal = -1;

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

int
log_level_find(const char *name)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (strcmp(levels[i].name, name) == 0)
			return levels[i].priority;
	}
	return -1;
}

static size_t
level_of(int priority)
{
	size_t	i = 0;

	while (levels[i].priority != priority)
		i++;
	return i;
}

const char *
log_level_name(int priority)
{
	return levels[level_of(priority)].name;
}

/* ---- standard error, and the journal --------------------------------- */

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

/* Move it above what is passed to us. */
static int
above(int fd)
{
	enum { OWN_FD = 32 };
	int	own = fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD);

	if (fd != -1)
		(void)close(fd);
	return own;
}

static void
open_own(void)
{
	struct stat	st;
	int		fd;

	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	is_socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) ||
	    (fd = above(open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC))) == -1)
		return;
	out = fd;
}

static void
close_journal(void)
{
	if (journal != -1)
		(void)close(journal);
	journal = -1;
}

static void
close_own(void)
{
	if (out != STDERR_FILENO)
		(void)close(out);
	out = STDERR_FILENO;
	close_journal();
}

/* The socket is the manager's and outlives the journal, so it is connected once. */
static bool
open_journal(void)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

	if (journal == -1)
		journal = above(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (journal == -1)
		return false;
	if (connect(journal, (struct sockaddr *)&sun, sizeof sun) == 0)
		return true;
	close_journal();
	return false;
}

static enum form
form_of_text(void)
{
	const char	*term = getenv("TERM");

	if (is_journal())
		return PRIORITIES;
	if (isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL && term != NULL &&
	    strcmp(term, "dumb") != 0)
		return COLOUR;
	return TEXT;
}

void
logout_init(const char *fields)
{
	prefix = fields;
	form = form_of_text();
	open_own();
	(void)atexit(close_own);
}

static const char *const words[] = { "auto", "text", "json", "journal", NULL };

bool
logout_form_known(const char *name)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], name) == 0)
			return true;
	}
	return false;
}

void
logout_set_form(const char *name)
{
	stamped = true;
	form = form_of_text();
	if (strcmp(name, "json") == 0)
		form = JSON;
	if ((strcmp(name, "journal") == 0 || (strcmp(name, "auto") == 0 && is_journal())) &&
	    open_journal())
		form = JOURNAL;
}

/* ---- what a line looks like ------------------------------------------ */

/* An entry as it grows; what finds no room is left out, each part whole. */
struct entry {
	char	text[ENTRY];
	size_t	len;
	size_t	part;		/* where the part begins that is being added */
	bool	full;
};

static void
begin(struct entry *e)
{
	e->part = e->len;
	e->full = false;
}

/* n more bytes were written behind those that there are. Some stay free for the end of the line. */
static void
grow(struct entry *e, size_t n)
{
	enum { END = 2 };

	if (e->full || n >= sizeof e->text - e->len - END) {
		e->full = true;
		e->len = e->part;
	} else
		e->len += n;
}

static void
add_char(struct entry *e, char c)
{
	e->text[e->len] = c;
	grow(e, 1);
}

static void add(struct entry *, const char *, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct entry *e, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(e->text + e->len, sizeof e->text - e->len, fmt, ap);
	va_end(ap);
	grow(e, (size_t)n);
}

/* The time of RFC 3339, of UTC: the zone's file is not read in the loop. */
static void
add_time(struct entry *e)
{
	struct timespec	now;
	struct tm	tm;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	add(e, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000);
}

static void
format_text(struct entry *e, const struct logout_entry *in, const char *text)
{
	begin(e);
	if (form == PRIORITIES)
		add(e, "<%d>", in->priority);
	else if (stamped)
		add_time(e);
	if (form != PRIORITIES)
		add(e, "%s" PROGRAM ": ", stamped ? " " : "");
	if (form == COLOUR)
		add(e, "%s%s\033[0m\n", levels[level_of(in->priority)].colour, text);
	else
		add(e, "%s%s%s\n", form == TEXT ? log_level_name(in->priority) : "",
		    form == TEXT ? ": " : "", text);
}

/* A name with the prefix, in capitals for the journal and in small letters for JSON. */
static void
add_name(struct entry *e, const char *name, bool capitals)
{
	const char	*parts[] = { prefix, name };

	for (size_t i = 0; i < 2; i++) {
		for (const char *p = parts[i]; *p != '\0'; p++) {
			bool	is_letter = (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z';

			add_char(e, !is_letter ? *p : (char)(capitals ? *p & ~0x20 : *p | 0x20));
		}
	}
}

/* The text of a field, clean. */
static const char *
clean(const char *text)
{
	static char	copy[LOGOUT_TEXT];

	(void)snprintf(copy, sizeof copy, "%s", text);
	errtext_clean(copy);
	return copy;
}

static void
add_quoted(struct entry *e, const char *text)
{
	add_char(e, '"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			add_char(e, '\\');
		add_char(e, *p);
	}
	add_char(e, '"');
}

static void
add_member(struct entry *e, const char *name, const char *text)
{
	begin(e);
	add(e, ",\"%s\":", name);
	add_quoted(e, text);
}

static void
format_json(struct entry *e, const struct logout_entry *in, const char *text)
{
	begin(e);
	add(e, "{\"time\":\"");
	add_time(e);
	add(e, "\",\"level\":\"%s\",\"priority\":%d,\"pid\":%ld", log_level_name(in->priority),
	    in->priority, (long)getpid());
	add_member(e, "message", text);
	if (in->line != NULL) {
		add_member(e, "line", in->line->name);
		add_member(e, "message_id", in->line->id);
	}
	for (size_t i = 0; i < in->nfields; i++) {
		begin(e);
		add(e, ",\"");
		add_name(e, in->fields[i].name, false);
		add(e, "\":");
		if (in->fields[i].text != NULL)
			add_quoted(e, clean(in->fields[i].text));
		else
			add(e, "%llu", (unsigned long long)in->fields[i].number);
	}
	memcpy(e->text + e->len, "}\n", 2);
	e->len += 2;
}

static void
format_journal(struct entry *e, const struct logout_entry *in, const char *text)
{
	begin(e);
	add(e, "PRIORITY=%d\nSYSLOG_IDENTIFIER=" PROGRAM "\nMESSAGE=%s\n", in->priority, text);
	begin(e);
	if (in->line != NULL)
		add(e, "MESSAGE_ID=%s\n", in->line->id);
	for (size_t i = 0; i < in->nfields; i++) {
		begin(e);
		add_name(e, in->fields[i].name, true);
		if (in->fields[i].text != NULL)
			add(e, "=%s\n", clean(in->fields[i].text));
		else
			add(e, "=%llu\n", (unsigned long long)in->fields[i].number);
	}
}

/* ---- out ------------------------------------------------------------- */

/* Anything else than a lack of room will not be better for trying again. */
static bool
is_lack(ssize_t n)
{
	return n == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM);
}

static bool
put_stderr(const struct entry *e)
{
	struct pollfd	p = { .fd = out, .events = POLLOUT };

	if (is_socket)
		return !is_lack(send(out, e->text, e->len, MSG_NOSIGNAL | MSG_DONTWAIT));
	if (poll(&p, 1, 0) == 0)
		return false;
	return !is_lack(write(out, e->text, e->len));
}

/* If the socket was made anew, it is at the same path. */
static bool
put_journal(const struct entry *e)
{
	if (journal == -1 && !open_journal())
		return false;
	if (send(journal, e->text, e->len, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
		return true;
	if (errno == ECONNREFUSED || errno == ENOTCONN)
		close_journal();
	return false;
}

bool
logout_put(const struct logout_entry *in)
{
	static struct entry	 e;
	char			 text[LOGOUT_TEXT];

	e.len = 0;
	(void)snprintf(text, sizeof text, "%s", in->text);
	errtext_clean(text);
	if (form == JSON)
		format_json(&e, in, text);
	else if (form == JOURNAL)
		format_journal(&e, in, text);
	else
		format_text(&e, in, text);
	return form == JOURNAL ? put_journal(&e) : put_stderr(&e);
}
