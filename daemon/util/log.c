/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines with priorities, and which of them are written.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/log.h"

#define A_SECOND	10
#define MINUTE		60	/* seconds */

static int level = LOG_INFO;
static unsigned lost;
static const struct log_line *held_line;
static void (*on_held)(unsigned);

bool
log_form_known(const char *name)
{
	return logout_form_known(name);
}

void
log_set_form(const char *name)
{
	logout_set_form(name);
}

void
log_set_level(int l)
{
	level = l;
}

int
log_level(void)
{
	return level;
}

/* ---- a line ---------------------------------------------------------- */

/* False: nobody reads still. */
static bool
say_lost(void)
{
	char	text[80];

	if (lost == 0)
		return true;
	(void)snprintf(text, sizeof text, "%u log lines were lost, because nobody read them", lost);
	if (logout_put(&(struct logout_entry){ .priority = LOG_WARNING, .text = text }))
		lost = 0;
	return lost == 0;
}

/* The lines that nobody read, first; then this one. */
static void
write_entry(const struct logout_entry *e)
{
	int	number = errno;

	if ((!say_lost() || !logout_put(e)) && lost++ == 0 && on_held != NULL)
		on_held(1);
	errno = number;
}

static void
write_text(int priority, const char *fmt, va_list ap)
{
	char	text[LOGOUT_TEXT];

	if (priority > level)
		return;
	(void)vsnprintf(text, sizeof text, fmt, ap);
	write_entry(&(struct logout_entry){ .priority = priority, .text = text });
}

#define LOG_FUNCTION(name, priority)					\
void									\
log_##name(const char *fmt, ...)					\
{									\
	va_list	ap;							\
									\
	va_start(ap, fmt);						\
	write_text(priority, fmt, ap);					\
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
	write_text(LOG_ERR, fmt, ap);
	va_end(ap);
	exit(EXIT_FAILURE);
}

/* ---- a row of a table ------------------------------------------------ */

static const struct log_field *
find_field(const struct log_field *f, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(f[i].name) == len && memcmp(f[i].name, name, len) == 0)
			return &f[i];
	}
	return NULL;
}

/* The row's text with the fields in the places that are left for them. */
static void
fill_in(char *to, size_t size, const char *text, const struct log_field *f, size_t n)
{
	const struct log_field	*field;
	char			 number[24];
	size_t			 used = 0, len;

	for (; *text != '\0' && used < size - 1; text += len) {
		const char	*from = text;

		len = *text == '{' ? strcspn(text, "}") + 1 : strcspn(text, "{");
		if (*text != '{') {
			(void)snprintf(to + used, size - used, "%.*s", (int)len, from);
		} else if ((field = find_field(f, n, text + 1, len - 2)) != NULL) {
			(void)snprintf(number, sizeof number, "%llu", (unsigned long long)field->number);
			(void)snprintf(to + used, size - used, "%s", field->text != NULL ? field->text : number);
		}
		used += strlen(to + used);
	}
	to[used] = '\0';
}

void
log_row_text(char to[LOGOUT_TEXT], const struct log_line *l, const struct log_field *f, size_t n)
{
	fill_in(to, LOGOUT_TEXT, l->text, f, n);
}

void
log_row(const struct log_line *l, const struct log_field *f, size_t n)
{
	char	text[LOGOUT_TEXT];

	log_row_text(text, l, f, n);
	write_entry(&(struct logout_entry){ l->priority, text, l, f, n });
}

/* ---- what is held back ----------------------------------------------- */

/*
 * Of each kind, how many lines were written since its second or minute began, and
 * how many were not. Kinds are texts of the program; there are some dozens.
 */
struct limit {
	const char	*kind;
	int		 priority;
	unsigned	 seconds;
	unsigned	 most;
	time_t		 since;
	unsigned	 written;
	unsigned	 held;
};

#define LIMITS	128

static struct limit limits[LIMITS];
static size_t nlimits;

void
log_on_held(void (*fn)(unsigned))
{
	on_held = fn;
}

/* BOOTTIME: a minute of a machine that sleeps is over when it wakes up. */
static time_t
now(void)
{
	struct timespec	t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

/* If there is no room for one more kind, the last one stands for all that follow. */
static struct limit *
find_limit(const char *kind)
{
	struct limit	*l = limits;

	while (l < limits + nlimits && l->kind != kind && strcmp(l->kind, kind) != 0)
		l++;
	if (l < limits + nlimits)
		return l;
	if (nlimits == LIMITS)
		return &limits[LIMITS - 1];
	nlimits++;
	l->kind = kind;
	return l;
}

static void
say_held(struct limit *l)
{
	const struct log_field	f[] = {
		{ .name = "kind", .text = l->kind },
		{ .name = "count", .number = l->held },
		{ .name = "most", .number = l->most },
		{ .name = "seconds", .number = l->seconds },
	};

	struct log_line		 line;

	l->held = 0;
	if (held_line == NULL || l->priority > level)
		return;
	line = *held_line;
	line.priority = l->priority;
	log_row(&line, f, sizeof f / sizeof f[0]);
}

static bool
is_within_limit(int priority, const char *kind, unsigned most, unsigned seconds)
{
	struct limit	*l;
	time_t		 t;

	if (priority > level)
		return false;
	t = now();
	l = find_limit(kind);
	if (l->seconds == 0 || t - l->since >= (time_t)l->seconds) {
		if (l->held > 0)
			say_held(l);
		l->since = t;
		l->written = 0;
	}
	l->priority = priority;
	l->most = most;
	l->seconds = seconds;
	if (l->written < most) {
		l->written++;
		return true;
	}
	if (l->held++ == 0 && on_held != NULL)
		on_held(seconds);
	return false;
}

unsigned
log_say_held(void)
{
	time_t		t = now();
	unsigned	left, next = say_lost() ? 0 : 1;

	for (struct limit *l = limits; l < limits + nlimits; l++) {
		if (l->held == 0)
			continue;
		if (t - l->since >= (time_t)l->seconds) {
			say_held(l);
			continue;
		}
		left = l->seconds - (unsigned)(t - l->since);
		if (next == 0 || left < next)
			next = left;
	}
	return next;
}

static void
say_all_held(void)
{
	for (struct limit *l = limits; l < limits + nlimits; l++) {
		if (l->held > 0)
			say_held(l);
	}
}

/* Functions that run at the end run in the reverse order: what was held back is said first. */
void
log_init(const char *prefix, const struct log_line *held)
{
	held_line = held;
	logout_init(prefix);
	(void)atexit(say_all_held);
}

bool
log_wants(const struct log_line *l)
{
	return is_within_limit(l->priority, l->name, LOG_ROW_A_SECOND, 1);
}

bool
log_allowed(int priority, const char *kind)
{
	return is_within_limit(priority, kind, A_SECOND, 1);
}

bool
log_seldom(int priority, const char *kind)
{
	return is_within_limit(priority, kind, 1, MINUTE);
}
