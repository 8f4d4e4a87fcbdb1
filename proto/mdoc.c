/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts of the tables in a manual page.
 */
#include <stdio.h>
#include <string.h>

#include "proto/mdoc.h"

void
mdoc_word(const char *word, size_t n, size_t column, bool *bold)
{
	if (column == 0 && (*word == '.' || *word == '\''))
		printf("\\&");
	for (size_t i = 0; i < n; i++) {
		if (word[i] == '`')
			printf("%s", (*bold = !*bold) ? "\\fB" : "\\fR");
		else if (word[i] == '\\')
			printf("\\e");
		else
			putchar(word[i]);
	}
}

void
mdoc_fill(const char *text)
{
	size_t	column = 0, n;
	bool	bold = false;

	while (*(text += strspn(text, " \n")) != '\0') {
		n = strcspn(text, " \n");
		if (column > 0 && column + n > 64) {
			putchar('\n');
			column = 0;
		}
		if (column > 0)
			putchar(' ');
		mdoc_word(text, n, column, &bold);
		column += n + 1;
		if (memchr(".!?", text[n - 1], 3) != NULL) {
			putchar('\n');
			column = 0;
		}
		text += n;
	}
	if (column > 0)
		putchar('\n');
}
