/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error codes: the protocol's words and this library's numbers.
 *
 * The numbers are the library's own because they are part of its ABI, while
 * rows of error.def may move. A row that has no number here does not compile.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/codes.h"
#include "proto/error.h"

#define SCTPD_badarg		SCTPD_BADARG
#define SCTPD_closed		SCTPD_CLOSED
#define SCTPD_not_owner		SCTPD_NOT_OWNER
#define SCTPD_timeout		SCTPD_TIMEOUT
#define SCTPD_cant_assoc	SCTPD_CANT_ASSOC
#define SCTPD_limit		SCTPD_LIMIT
#define SCTPD_nxdomain		SCTPD_NXDOMAIN
#define SCTPD_eacces		SCTPD_EACCES
#define SCTPD_eaddrinuse	SCTPD_EADDRINUSE
#define SCTPD_eaddrnotavail	SCTPD_EADDRNOTAVAIL
#define SCTPD_eafnosupport	SCTPD_EAFNOSUPPORT
#define SCTPD_eagain		SCTPD_EAGAIN
#define SCTPD_ealready		SCTPD_EALREADY
#define SCTPD_ebusy		SCTPD_EBUSY
#define SCTPD_econnaborted	SCTPD_ECONNABORTED
#define SCTPD_econnrefused	SCTPD_ECONNREFUSED
#define SCTPD_econnreset	SCTPD_ECONNRESET
#define SCTPD_edestaddrreq	SCTPD_EDESTADDRREQ
#define SCTPD_ehostunreach	SCTPD_EHOSTUNREACH
#define SCTPD_einprogress	SCTPD_EINPROGRESS
#define SCTPD_einval		SCTPD_EINVAL
#define SCTPD_eio		SCTPD_EIO
#define SCTPD_eisconn		SCTPD_EISCONN
#define SCTPD_emfile		SCTPD_EMFILE
#define SCTPD_emsgsize		SCTPD_EMSGSIZE
#define SCTPD_enetdown		SCTPD_ENETDOWN
#define SCTPD_enetunreach	SCTPD_ENETUNREACH
#define SCTPD_enfile		SCTPD_ENFILE
#define SCTPD_enobufs		SCTPD_ENOBUFS
#define SCTPD_enodev		SCTPD_ENODEV
#define SCTPD_enoent		SCTPD_ENOENT
#define SCTPD_enomem		SCTPD_ENOMEM
#define SCTPD_enoprotoopt	SCTPD_ENOPROTOOPT
#define SCTPD_enosys		SCTPD_ENOSYS
#define SCTPD_enotconn		SCTPD_ENOTCONN
#define SCTPD_eopnotsupp	SCTPD_EOPNOTSUPP
#define SCTPD_eperm		SCTPD_EPERM
#define SCTPD_epipe		SCTPD_EPIPE
#define SCTPD_eproto		SCTPD_EPROTO
#define SCTPD_eprotonosupport	SCTPD_EPROTONOSUPPORT
#define SCTPD_esocktnosupport	SCTPD_ESOCKTNOSUPPORT
#define SCTPD_etimedout		SCTPD_ETIMEDOUT

static const int codes[ERR_COUNT] = {
#define ERROR(code, number, doc) [ERR_##code] = SCTPD_##code,
#include "proto/error.def"
};

static const struct {
	int		 code;
	const char	*name;
	const char	*text;
} own[] = {
	{ SCTPD_LOST, "lost", "The connection to sctpd ended." },
	{ SCTPD_NOT_DIALED, "not_dialed", "There is no connection to sctpd yet." },
	{ SCTPD_SUPERSEDED, "superseded", "Another program resumed this session with its token." },
	{ SCTPD_NO_SESSION, "no_session", "sctpd no longer knows the session, and has closed the sockets that it owned." },
	{ SCTPD_UNKNOWN, "unknown", "sctpd has an error code that this library does not know." },
};

int
code_of_text(const char *text, size_t len)
{
	enum error	e = error_from_text(text, len);

	return e == ERR_OK ? SCTPD_UNKNOWN : codes[e];
}

int
code_of_errno(int number)
{
	return codes[error_from_errno(number)];
}

const char *
sctpd_code_name(int code)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		if (codes[e] == code)
			return error_table[e].code;
	}
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		if (own[i].code == code)
			return own[i].name;
	}
	return "unknown";
}

const char *
sctpd_code_text(int code)
{
	for (int e = 0; e < ERR_COUNT; e++) {
		if (codes[e] == code)
			return error_table[e].doc;
	}
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		if (own[i].code == code)
			return own[i].text;
	}
	return "There is no such code.";
}

const char *
sctpd_cause_text(uint32_t cause)
{
	const char	*text = error_cause(cause);

	return text != NULL ? text : "unknown_error";
}

/* ---- the connection's last error --------------------------------------- */

int
lib_error(struct sctpd *c, int code, const char *fmt, ...)
{
	char	why[sizeof c->error];
	va_list	ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	(void)snprintf(c->error, sizeof c->error, "%s: %s", sctpd_code_name(code), why);
	return code;
}

int
lib_error_text(struct sctpd *c, int code, const char *text)
{
	(void)snprintf(c->error, sizeof c->error, "%s", text);
	return code;
}

const char *
lib_why_lost(const struct sctpd *c)
{
	return c->lost == SCTPD_LOST ? "the connection to sctpd ended" : sctpd_code_text(c->lost);
}

int
lib_no_memory(struct sctpd *c)
{
	return lib_error(c, SCTPD_ENOMEM, "this program has no memory left");
}
