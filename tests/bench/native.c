/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What needs no SCTP in the kernel is measured on the machine's own, whatever
 * that has: requests, and the userland stack beside a plain program on usrsctp.
 *
 * The rows are written as text, and a run that measures the rest, in a lab
 * whose processors are not the machine's, reads and reports them with its own.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "row.h"

/* Those that a lab measures as well have another name there. */
static const struct {
	const char	*native, *name;
} names[] = { { "rpc", "native" }, { "unix", "native-unix" } };

static const char *
name_of(const struct row *r)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(r->contestant, names[i].native) == 0)
			return names[i].name;
	return r->contestant;
}

/* ---- writing --------------------------------------------------------- */

static void
write_row(const struct row *r)
{
	(void)printf("row %s %s %s %zu %zu %d %.17g", name_of(r), r->work, r->unit, r->bytes, r->in_flight,
	    r->trips, r->done);
	for (int i = 0; i < NPROCESSES; i++)
		(void)printf(" %.17g", r->cpu[i]);
	(void)printf(" %zu\n", r->runs);
	for (size_t i = 0; i < r->runs; i++)
		(void)printf("%.17g %.17g\n", r->run[i], r->p99[i]);
}

/* Measure, and write it all to the standard output. */
int
native_run(void)
{
	struct utsname	u;

	wire_polls = true;
	tracks_run();
#ifndef USERLAND
	note_add("usrsctp and userland are left out: sctpd was built without the userland stack");
#endif
	(void)uname(&u);
	(void)printf("kernel %s, %ld processors, over %s\n", u.release, sysconf(_SC_NPROCESSORS_ONLN),
	    place.veth ? "veth with MTU 1500" : "lo");
	for (size_t i = 0; row_at(i) != NULL; i++)
		if (row_at(i)->runs > 0)
			write_row(row_at(i));
	for (size_t i = 0; note_at(i) != NULL; i++)
		(void)printf("note %s\n", note_at(i));
	progress("%s", "");
	return 0;
}

/* ---- reading --------------------------------------------------------- */

static void
read_row(FILE *f, const char *text, const char *kernel)
{
	char		 contestant[64], work[64], unit[64];
	struct row	 r = { 0 }, *to;
	size_t		 runs;
	int		 trips;
	double		 value, p99;

	if (sscanf(text, "row %63s %63s %63s %zu %zu %d %lf %lf %lf %lf %lf %zu", contestant, work, unit, &r.bytes,
	    &r.in_flight, &trips, &r.done, &r.cpu[CALLER], &r.cpu[NEAR], &r.cpu[FAR], &r.cpu[SERVER], &runs) != 12)
		errx(1, "native: %s", text);
	to = row_new(strdup(contestant), strdup(work), strdup(unit), r.bytes, r.in_flight);
	to->kernel = kernel;
	to->trips = trips != 0;
	to->done = r.done;
	memcpy(to->cpu, r.cpu, sizeof r.cpu);
	while (runs-- > 0 && fscanf(f, "%lf %lf\n", &value, &p99) == 2)
		row_add(to, value, p99);
}

/* Whatever such a run wrote: nothing, if it could not be. */
void
native_add(const char *file)
{
	FILE	*f = fopen(file, "r");
	char	 line[512], *kernel = NULL;

	if (f == NULL)
		err(1, "%s", file);
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "kernel ", 7) == 0)
			kernel = strdup(line + 7);
		else if (strncmp(line, "note ", 5) == 0)
			note_add("natively: %s", line + 5);
		else
			read_row(f, line, kernel);
	}
	(void)fclose(f);
	if (kernel == NULL)
		note_add("nothing was measured natively");
}
