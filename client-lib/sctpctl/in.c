/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard input, cut into lines or blocks.
 *
 * Not stdio: the program polls, and what stdio holds back poll cannot see.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sctpctl/in.h"

#define READ_SIZE	16384

bool
in_read(struct in *in)
{
	char	*buf;
	ssize_t	 n;

	if (in->off > 0) {
		memmove(in->buf, in->buf + in->off, in->len - in->off);
		in->len -= in->off;
		in->off = 0;
	}
	if (in->room - in->len < READ_SIZE + 1) {
		in->room = in->room * 2 + READ_SIZE + 1;
		if ((buf = realloc(in->buf, in->room)) == NULL) {
			in->eof = true;
			return false;
		}
		in->buf = buf;
	}
	n = read(in->fd, in->buf + in->len, READ_SIZE);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		in->eof = true;
		return false;
	}
	in->len += (size_t)n;
	return true;
}

bool
in_has_next(const struct in *in)
{
	return in->off < in->len && (in->raw || in->eof ||
	    memchr(in->buf + in->off, '\n', in->len - in->off) != NULL);
}

char *
in_next(struct in *in, size_t *len)
{
	char	*line, *end;

	if (in->off == in->len)
		return NULL;
	line = in->buf + in->off;
	end = in->raw ? NULL : memchr(line, '\n', in->len - in->off);
	if (end == NULL && !in->raw && !in->eof)
		return NULL;
	*len = end != NULL ? (size_t)(end - line) : in->len - in->off;
	in->off += *len + (end != NULL);
	in->taken += *len + (end != NULL);
	if (!in->raw && *len > 0 && line[*len - 1] == '\r')
		--*len;
	line[*len] = '\0';	/* over the line's end, or the spare byte */
	return line;
}

bool
in_is_ours(const struct in *in)
{
	pid_t	foreground = tcgetpgrp(in->fd);

	return foreground == -1 || foreground == getpgrp();
}

void
in_free(struct in *in)
{
	free(in->buf);
	in->buf = NULL;
}

static int
digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
in_unhex(char *s, size_t *len)
{
	size_t	n = 0;

	for (size_t i = 0; i < *len; i++) {
		if (isspace((unsigned char)s[i]) || s[i] == ':')
			continue;
		if (i + 1 >= *len || digit(s[i]) < 0 || digit(s[i + 1]) < 0)
			return false;
		s[n++] = (char)(digit(s[i]) << 4 | digit(s[i + 1]));
		i++;
	}
	*len = n;
	return true;
}
