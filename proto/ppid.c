/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of PPIDs, made from ppid.def.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/ppid.h"

const struct ppid ppid_table[] = {
#define PPID(number, name, doc) { number, name, doc },
#include "proto/ppid.def"
	{ 0, NULL, NULL }
};

const char *
ppid_name(uint32_t number)
{
	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		if (p->number == number)
			return p->name;
	}
	return NULL;
}

char *
ppid_text(char to[PPID_TEXT], uint32_t number)
{
	const char	*name = ppid_name(number);

	if (name != NULL)
		(void)snprintf(to, PPID_TEXT, "%s", name);
	else
		(void)snprintf(to, PPID_TEXT, "%" PRIu32, number);
	return to;
}

bool
ppid_parse(const char *text, uint32_t *number)
{
	unsigned long	 v;
	char		*end;

	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		if (strcasecmp(p->name, text) == 0) {
			*number = p->number;
			return true;
		}
	}
	v = strtoul(text, &end, 0);
	if (*text < '0' || *text > '9' || *end != '\0' || v > UINT32_MAX)
		return false;
	*number = (uint32_t)v;
	return true;
}
