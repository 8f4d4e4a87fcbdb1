/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats/config.h"
#include "nats/log.h"
#include "nats/mem.h"
#include "nats/metrics.h"

struct metrics	metrics;

#define X(NAME, TYPE, TEXT)	{ #NAME, TYPE, TEXT, &metrics.NAME },
static const struct {
	const char	*name, *type, *text;
	const uint64_t	*value;
} rows[] = {
	METRICS(X)
};
#undef X

static void
print(FILE *f)
{
	const char	*end;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		end = strcmp(rows[i].type, "counter") == 0 ? "_total" : "";
		(void)fprintf(f, "# HELP sctpd_nats_%s%s %s\n# TYPE sctpd_nats_%s%s %s\nsctpd_nats_%s%s{host=\"%s\"} %" PRIu64 "\n",
		    rows[i].name, end, rows[i].text, rows[i].name, end, rows[i].type, rows[i].name, end, config.host, *rows[i].value);
	}
}

/* The collector must see whole files only. */
void
metrics_write(void)
{
	static bool	 told;
	char		*new;
	FILE		*f;
	bool		 ok;

	if (*config.metrics_file == '\0')
		return;
	new = xprintf("%s.new", config.metrics_file);
	if ((ok = (f = fopen(new, "we")) != NULL)) {
		print(f);
		ok = !ferror(f);
		ok = fclose(f) == 0 && ok && rename(new, config.metrics_file) == 0;
	}
	if (!ok && !told)
		log_warning("metrics_file: %s: %s", new, strerror(errno));
	told = !ok;
	free(new);
}
