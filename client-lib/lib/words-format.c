/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words from a format. It is cut at its own blanks, never at those of what is
 * filled in: no argument can become two.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codes.h"
#include "lib/words.h"

#define SEPARATOR	'\x1f'

static int
count_separators(const char *s)
{
	int	n = 0;

	for (; *s != '\0'; s++)
		n += *s == SEPARATOR;
	return n;
}

/* The filled-in format, its own blanks made separators. NULL without memory. */
static char *
fill_in(const char *format, va_list ap, int *separators)
{
	size_t	 len = strlen(format);
	char	*marked = malloc(len + 1), *text = NULL;
	int	 n;

	if (marked == NULL)
		return NULL;
	for (size_t i = 0; i <= len; i++)
		marked[i] = isspace((unsigned char)format[i]) ? SEPARATOR : format[i];
	*separators = count_separators(marked);
	n = vasprintf(&text, marked, ap);
	free(marked);
	return n < 0 ? NULL : text;
}

int
words_beginf(struct sctpd *c, bool answered, const char *method, const char *format,
    va_list ap, int64_t *timeout)
{
	const char	*argv[MAX_WORDS + 2];
	int		 argc = 0, separators, code;
	char		*text, *rest, *word;
	size_t		 len;

	if ((text = rest = fill_in(format, ap, &separators)) == NULL)
		return lib_no_memory(c);
	len = strlen(text);
	if (method != NULL)
		argv[argc++] = method;
	if (count_separators(text) != separators) {
		code = lib_error(c, SCTPD_BADARG, "the byte 0x1f cannot be part of a word");
		goto out;
	}
	while ((word = strsep(&rest, "\x1f")) != NULL && argc <= MAX_WORDS + 1) {
		if (*word != '\0')
			argv[argc++] = word;
	}
	code = words_begin(c, answered, argc, argv, timeout);
out:
	if (c->secret)
		explicit_bzero(text, len);
	free(text);
	return code;
}
