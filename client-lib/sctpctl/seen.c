/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as text, and whether one is what is waited for.
 */
#include <stdlib.h>
#include <string.h>

#include "sctpctl/out.h"
#include "sctpctl/seen.h"

char *
seen_text(const struct sctpd_event *ev)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	fprintf(f, "%s ", ev->name);
	out_words(f, ev->fields);
	fputs(" ", f);
	fclose(f);
	return text;
}

bool
seen_matches(const char *text, int n, char *const *words)
{
	char	word[256];

	(void)snprintf(word, sizeof word, "%s ", words[0]);
	if (strncmp(text, word, strlen(word)) != 0)
		return false;
	for (int i = 1; i < n; i++) {
		(void)snprintf(word, sizeof word, " %s ", words[i]);
		if (strncmp(words[i], "timeout=", 8) != 0 && strstr(text, word) == NULL)
			return false;
	}
	return true;
}
