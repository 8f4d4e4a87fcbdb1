/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space instructions of the daemon for a message, as callgrind counts
 * them: what a run of twice as many messages takes more than one of so many.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "row.h"

static char path[128], log_path[128];

/* What valgrind says at the end: "Collected : 123456". */
static double
collected(void)
{
	char	line[256];
	double	n = -1;
	FILE	*f = fopen(log_path, "r");

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL) {
		const char	*at = strstr(line, "Collected : ");

		if (at != NULL)
			n = strtod(at + strlen("Collected : "), NULL);
	}
	(void)fclose(f);
	return n;
}

static double
count(const struct link_kind *caller, const struct link_kind *server, const struct order *o)
{
	char		wrap[300];
	struct end	daemon;

	(void)snprintf(wrap, sizeof wrap, "valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file=%s", log_path);
	(void)setenv("SCTPD_WRAP", wrap, 1);
	daemon = end_daemon(server == &link_sctpd ? RIGHT : LEFT, place.config, path);
	(void)unsetenv("SCTPD_WRAP");
	track_once(caller, server, path, o);
	end_stop(&daemon);
	return collected();
}

static void
measure(const char *work, const struct link_kind *caller, const struct link_kind *server, struct order o)
{
	uint32_t	n = o.count;
	double		once, twice;

	progress("instructions: %s", work);
	once = count(caller, server, &o);
	o.count = 2 * n;
	twice = count(caller, server, &o);
	if (once < 0 || twice < 0)
		note_add("instructions are left out: valgrind says nothing");
	else
		row_add(row_new("sctpd", work, "instr", o.bytes, o.in_flight), (twice - once) / n, 0);
}

void
instructions_run(void)
{
	uint32_t	n = effort.traffic / 4;

	if (access("/usr/bin/valgrind", X_OK) == -1) {
		note_add("instructions are left out: there is no valgrind");
		return;
	}
	(void)snprintf(path, sizeof path, "%s/counted", place.run);
	(void)snprintf(log_path, sizeof log_path, "%s/log", place.run);
	measure("instr send", &link_sctpd, &link_direct, (struct order){ 'o', 100, n, 0 });
	measure("instr recv", &link_direct, &link_sctpd, (struct order){ 'o', 100, n, 0 });
	measure("instr rtt", &link_sctpd, &link_direct, (struct order){ 'r', 100, n, 1 });
	(void)unlink(log_path);
	(void)unlink(path);
}
