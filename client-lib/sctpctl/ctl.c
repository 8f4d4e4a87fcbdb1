/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every command needs: saying why it failed, and reaching the daemon.
 */
#include <stdarg.h>
#include <string.h>

#include "sctpctl/ctl.h"

#define ABSENCE_MS	30000	/* ms that sctpd may be away */

void
ctl_json_text(FILE *f, const char *s, size_t len)
{
	putc('"', f);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\')
			fprintf(f, "\\%c", s[i]);
		else if (s[i] == '\n')
			fputs("\\n", f);
		else if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			fprintf(f, "\\u%04x", (unsigned char)s[i]);
		else
			putc(s[i], f);
	}
	putc('"', f);
}

static bool	json_errors;
static void	(*before_text)(void);

void
ctl_errors_are_json(void)
{
	json_errors = true;
}

bool
ctl_wants_json(void)
{
	return json_errors;
}

void
ctl_before_text(void (*fn)(void))
{
	before_text = fn;
}

void
ctl_note(const char *fmt, ...)
{
	va_list	ap;

	if (before_text != NULL)
		before_text();
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

int
ctl_fail(int exit_code, const char *fmt, ...)
{
	va_list	ap;
	char	text[4096];

	fflush(stdout);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!json_errors) {
		ctl_note("sctpctl: %s", text);
		return exit_code;
	}
	if (before_text != NULL)
		before_text();
	fputs("{\"error\": ", stderr);
	ctl_json_text(stderr, text, strlen(text));
	fprintf(stderr, ", \"exit_status\": %d}\n", exit_code);
	return exit_code;
}

int
ctl_exit(const struct ctl *ctl, int code)
{
	switch (code) {
	case SCTPD_OK:
		return CTL_OK;
	case SCTPD_EACCES:
	case SCTPD_EPERM:
	case SCTPD_NOT_OWNER:
		return CTL_PERMISSION;
	case SCTPD_TIMEOUT:
		return CTL_TIMEOUT;
	case SCTPD_BADARG:
		return CTL_USAGE;
	default:
		/* Whatever it was, now there is no daemon. */
		return sctpd_fd(ctl->c) == -1 ? CTL_UNREACHABLE : CTL_FAILED;
	}
}

int
ctl_fail_call(const struct ctl *ctl, int code)
{
	return ctl_fail(ctl_exit(ctl, code), "%s", sctpd_error(ctl->c));
}

const struct command *
ctl_command(const struct ctl *ctl, const char *name)
{
	for (const struct command *c = ctl->commands; c->doc != NULL; c++) {
		if (name == NULL ? c->name == NULL : c->name != NULL && strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

/* The text without its code. */
static const char *
sentence(const struct ctl *ctl)
{
	const char	*colon = strstr(sctpd_error(ctl->c), ": ");

	return colon != NULL ? colon + 2 : sctpd_error(ctl->c);
}

int
ctl_dial(struct ctl *ctl)
{
	if (sctpd_fd(ctl->c) != -1)
		return CTL_OK;
	if (ctl->timeout >= 0)
		sctpd_set_timeout(ctl->c, ctl->timeout);
	switch (sctpd_dial(ctl->c, ctl->path)) {
	case SCTPD_OK:
		return CTL_OK;
	case SCTPD_ENOENT:
	case SCTPD_ECONNREFUSED:
		return ctl_fail(CTL_UNREACHABLE,
		    "%s Start it with \"systemctl start sctpd\", or run sctpd", sentence(ctl));
	case SCTPD_EACCES:
		return ctl_fail(CTL_PERMISSION,
		    "%s: usermod -a -G sctp USER, then log in again", sentence(ctl));
	case SCTPD_BADARG:
		return ctl_fail(CTL_USAGE, "%s", sentence(ctl));
	default:
		return ctl_fail(CTL_UNREACHABLE, "%s", sentence(ctl));
	}
}

static void
on_session(struct sctpd *c, enum sctpd_session_change change, void *arg)
{
	struct ctl	*ctl = arg;

	(void)c;
	if (change == SCTPD_GONE && !ctl->away)
		ctl_note("sctpctl: sctpd is gone, waiting");
	if (change == SCTPD_BACK)
		ctl_note("sctpctl: sctpd is back");
	if (change == SCTPD_GONE || change == SCTPD_BACK)
		ctl->away = change == SCTPD_GONE;
}

int
ctl_dial_session(struct ctl *ctl)
{
	int	code = sctpd_resumable(ctl->c, ctl->timeout >= 0 ? ctl->timeout : ABSENCE_MS,
	    on_session, ctl);

	return code == SCTPD_OK ? ctl_dial(ctl) : ctl_fail_call(ctl, code);
}
