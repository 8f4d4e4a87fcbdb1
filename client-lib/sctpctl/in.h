/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard input, cut into lines or blocks. */
#ifndef SCTPCTL_IN_H
#define SCTPCTL_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Standard input, cut into lines or blocks. */
struct in {
	int	 fd;
	bool	 eof;
	bool	 raw;		/* blocks, as they are read */
	char	*buf;
	size_t	 off, len, room;
	uint64_t taken;		/* bytes of lines or blocks that were asked for */
};

/* Read once; false when the input is at its end or cannot be read. */
bool in_read(struct in *);
/*
 * The next line, without its end, or block; NULL if there is none yet.
 * Borrowed until the next read; a NUL follows it.
 */
char *in_next(struct in *, size_t *len);
bool in_has_next(const struct in *);
void in_free(struct in *);
/* May it be read? A terminal is for the job in its foreground; another that reads is stopped. */
bool in_is_ours(const struct in *);
/* Pairs of hexadecimal digits, blanks between them, to bytes in their place. */
bool in_unhex(char *, size_t *len);

#endif
