/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of payload protocol identifiers; the stack carries the numbers and
 * knows no name. ppid.def has them all.
 */
#ifndef PPID_H
#define PPID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ppid {
	uint32_t	 number;
	const char	*name;
	const char	*doc;
};

extern const struct ppid ppid_table[];	/* ends with a row without name */

/* Room for the text of any PPID, with its NUL. */
#define PPID_TEXT	24

/* The name of a PPID, NULL if IANA has not assigned the number. */
const char *ppid_name(uint32_t number);

/* The name or, where there is none, the number. Gives its first argument. */
char *ppid_text(char to[PPID_TEXT], uint32_t number);

/* "m3ua", "M3UA", "3" and "0x3" are PPID 3; false for what is neither name nor number. */
bool ppid_parse(const char *text, uint32_t *number);

#endif
