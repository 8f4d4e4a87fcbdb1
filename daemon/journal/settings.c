/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration as a record: the text of an equivalent configuration file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "journal/settings.h"
#include "util/log.h"

void
settings_keep(const struct config *c)
{
	struct record	*before = journal_next(NULL, RECORD_CONFIG), *r;
	char		*text = NULL;
	size_t		 len = 0;
	FILE		*f = open_memstream(&text, &len);

	if (f == NULL)
		log_fatal("out of memory");
	config_print(c, f);
	(void)fclose(f);
	r = journal_new(len);
	memcpy(r->body, text, len);
	journal_keep(r, RECORD_CONFIG);
	if (before != NULL)
		journal_drop(before);
	free(text);
}

bool
settings_last(struct config *c, char *error, size_t size)
{
	struct record	*r = journal_next(NULL, RECORD_CONFIG);
	FILE		*f;
	bool		 ok;

	if (r == NULL || (f = fmemopen(r->body, r->len, "r")) == NULL)
		return false;
	ok = config_parse(c, f, "journal", error, size);
	(void)fclose(f);
	return ok;
}
