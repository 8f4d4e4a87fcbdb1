/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints sctpd-nats(8) from its template on standard input: the settings of
 * settings.def stand in the place of the line @SETTINGS@, the metrics in that of
 * @METRICS@. See "make doc".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nats/config.h"
#include "nats/metrics.h"
#include "proto/mdoc.h"

/* What a value of each type is called, as arguments of mdoc's macros. */
static const char *const	arguments[] = {
	[TYPE_TEXT] = "Ar text",
	[TYPE_TOKEN] = "Ar name",
	[TYPE_STORAGE] = "Cm file | memory",
	[TYPE_NUMBER] = "Ar number",
	[TYPE_BYTES] = "Ar bytes",
	[TYPE_MILLISECONDS] = "Ar milliseconds",
	[TYPE_BOOL] = "Cm yes | no",
	[TYPE_LEVEL] = "Ar level",
};

static void
print_settings(void)
{
	for (const struct setting *s = setting_table; s->name != NULL; s++) {
		printf(".It Cm %s No = %s\n", s->name, arguments[s->type]);
		mdoc_fill(s->meaning);
		if (*s->preset == '\0')
			puts("Default: empty.");
		else
			printf("Default: %s.\n", s->preset);
		if (s->type >= TYPE_NUMBER && s->type <= TYPE_MILLISECONDS)
			printf("Range: %" PRIu64 " to %" PRIu64 ".\n", s->min, s->max);
	}
}

static void
print_metrics(void)
{
#define X(NAME, TYPE, TEXT)	printf(".It Li sctpd_nats_%s%s\n%s: %s.\n", #NAME, TYPE[0] == 'c' ? "_total" : "", TYPE, TEXT);
	METRICS(X)
#undef X
}

int
main(void)
{
	char	line[512];

	while (fgets(line, sizeof line, stdin) != NULL) {
		if (strcmp(line, "@SETTINGS@\n") == 0)
			print_settings();
		else if (strcmp(line, "@METRICS@\n") == 0)
			print_metrics();
		else
			(void)fputs(line, stdout);
	}
	return 0;
}
