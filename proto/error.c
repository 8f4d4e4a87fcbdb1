/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error table, and the texts of SCTP's own causes.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proto/error.h"

const struct error_desc error_table[ERR_COUNT] = {
	[ERR_OK] = { "ok", 0, "No error." },
#define ERROR(c, n, d) [ERR_##c] = { .code = #c, .number = (n), .doc = (d) },
#include "proto/error.def"
};

enum error
error_from_errno(int number)
{
	for (int e = 1; e < ERR_COUNT; e++) {
		if (error_table[e].number != 0 && error_table[e].number == number)
			return (enum error)e;
	}
	return ERR_eio;
}

enum error
error_from_text(const char *text, size_t len)
{
	const char	*colon = memchr(text, ':', len);
	size_t		 n = colon != NULL ? (size_t)(colon - text) : len;

	for (int e = 1; e < ERR_COUNT; e++) {
		if (strlen(error_table[e].code) == n &&
		    memcmp(error_table[e].code, text, n) == 0)
			return (enum error)e;
	}
	return ERR_OK;
}

/* RFC 9260 section 3.3.10, in gen_sctp's words. */
const char *
error_cause(unsigned cause)
{
	static const char *const text[] = {
		"ok",
		"Invalid Stream Identifier",
		"Missing Mandatory Parameter",
		"Stale Cookie Error",
		"Out of Resource",
		"Unresolvable Address",
		"Unrecognized Chunk Type",
		"Invalid Mandatory Parameter",
		"Unrecognized Parameters",
		"No User Data",
		"Cookie Received While Shutting Down",
		"Restart of an Association with New Addresses",
		"User Initiated Abort",
		"Protocol Violation",
	};

	/* RFC 5061 section 4.3, RFC 4895 section 4.2. */
	static const struct {
		unsigned	 cause;
		const char	*text;
	} more[] = {
		{ 0x00a0, "Request to Delete Last Remaining IP Address" },
		{ 0x00a1, "Operation Refused Due to Resource Shortage" },
		{ 0x00a2, "Request to Delete Source IP Address" },
		{ 0x00a3, "Association Aborted Due to Illegal ASCONF-ACK" },
		{ 0x00a4, "Request Refused - No Authorization" },
		{ 0x0105, "Unsupported HMAC Identifier" },
	};

	if (cause < sizeof text / sizeof text[0])
		return text[cause];
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		if (more[i].cause == cause)
			return more[i].text;
	}
	return NULL;
}

/* Bytes of the UTF-8 character at s; 0 if there is none, or a control's. */
static size_t
utf8_char(const unsigned char *s)
{
	static const uint32_t	least[] = { 0, 0x20, 0x80, 0x800, 0x10000 };
	size_t			n = *s < 0x80 ? 1 : 0;
	uint32_t		c = *s;

	if (*s >= 0xc0 && *s < 0xf8) {
		n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
		c &= 0x7fu >> n;
	}
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || c == 0x7f || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

void
errtext_clean(char *s)
{
	size_t	n;

	for (; *s != '\0'; s += n) {
		n = 1;
		if (*s >= ' ' && *s < 0x7f)
			continue;	/* nearly all of them */
		if ((n = utf8_char((const unsigned char *)s)) == 0) {
			*s = '?';
			n = 1;
		}
	}
}

void
errtext_name(char *to, size_t size, const char *name, size_t len)
{
	if (len >= size)
		len = size - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = name[i] != '\0' ? name[i] : '?';
	to[len] = '\0';
	errtext_clean(to);
}

void
errtext_set(struct errtext *e, const char *fmt, ...)
{
	va_list	ap;

	e->path[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(e->why, sizeof e->why, fmt, ap);
	va_end(ap);
	errtext_clean(e->why);
}

void
errtext_under(struct errtext *e, const char *key, size_t len)
{
	char	old[sizeof e->path], name[65];

	memcpy(old, e->path, sizeof old);
	errtext_name(name, sizeof name, key, len);
	(void)snprintf(e->path, sizeof e->path, "%s%s%s", name, old[0] != '\0' ? "." : "", old);
}
