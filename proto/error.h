/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error codes, as numbers inside the programs and as words outside.
 *
 * On the wire an error is one string: "code: what was wrong; what would be
 * right". error.def has them all.
 */
#ifndef ERROR_H
#define ERROR_H

#include <errno.h>
#include <stddef.h>

enum error {
	ERR_OK,
#define ERROR(code, number, doc) ERR_##code,
#include "proto/error.def"
	ERR_COUNT
};

struct error_desc {
	const char	*code;
	int		 number;	/* errno, or 0 */
	const char	*doc;
};

extern const struct error_desc error_table[ERR_COUNT];

/* The error of a system call's errno; ERR_eio for one that has no row. */
enum error error_from_errno(int);

/* The error whose code the text begins with; ERR_OK if none does. */
enum error error_from_text(const char *, size_t);

/* gen_sctp:error_string/1: the text of an SCTP cause, NULL for unknown ones. */
const char *error_cause(unsigned);

/*
 * Why a value was refused, made for people: where it is ("options.sctp_rtoinfo.max"),
 * what was wrong and what would be right.
 */
struct errtext {
	char	path[128];
	char	why[320];
};

/* Say why; the path begins empty. */
void errtext_set(struct errtext *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Errors quote what clients sent, and every client reads them as text: what
 * is no UTF-8, a character cut in two and control characters become "?".
 */
void errtext_clean(char *);

/* Copies the beginning of a foreign name, which may hold any bytes, as text. */
void errtext_name(char *to, size_t size, const char *name, size_t len);

/* The value stands under this key: put the key in front of the path. */
void errtext_under(struct errtext *, const char *key, size_t len);

#endif
