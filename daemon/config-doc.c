/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints a manual page from its template: the settings of settings.def stand in
 * the place of the line @SETTINGS@, the keys of an association, which are the
 * arguments of the method supervise, in that of @ASSOCIATION@, the log lines and fields of lines.def in those
 * of @LINES@ and @FIELDS@. "config-doc --catalog" prints the journal's catalog of
 * these lines. See "make doc".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "lines.h"
#include "proto/codec.h"
#include "proto/mdoc.h"
#include "proto/rpc.h"

/* What a value of each type is called, as arguments of mdoc's macros. */
static const char *const arguments[] = {
	[TYPE_PATH] = "Ar path",
	[TYPE_GROUP] = "Ar group",
	[TYPE_USER] = "Ar user",
	[TYPE_USERS] = "Cm root | all | Ar user ...",
	[TYPE_STACK] = "Cm auto | kernel | userland",
	[TYPE_ENCAP] = "Cm udp | none",
	[TYPE_FORM] = "Cm auto | text | json | journal",
	[TYPE_PORTS] = "Ar port ...",
	[TYPE_LEVEL] = "Ar level",
	[TYPE_NUMBER] = "Ar number",
	[TYPE_MILLISECONDS] = "Ar milliseconds",
	[TYPE_PORT] = "Ar port",
	[TYPE_BYTES] = "Ar bytes",
	[TYPE_MODE] = "Ar mode",
};

static void
print_bytes(uint64_t n)
{
	if (n % (1 << 20) == 0 && n > 0)
		printf("%" PRIu64 "M", n >> 20);
	else if (n % (1 << 10) == 0 && n > 0)
		printf("%" PRIu64 "K", n >> 10);
	else
		printf("%" PRIu64, n);
}

/* The least and the greatest value, where the type alone does not say them. */
static void
print_bounds(const struct setting *s)
{
	if (s->type < TYPE_NUMBER || s->type == TYPE_MODE)
		return;
	printf("Range: ");
	if (s->type == TYPE_BYTES) {
		print_bytes(s->min);
		printf(" to ");
		print_bytes(s->max);
	} else {
		printf("%" PRIu64 " to %" PRIu64, s->min, s->max);
	}
	puts(".");
}

static void
print_setting(const struct setting *s)
{
	printf(".It Cm %s No = %s\n", s->name, arguments[s->type]);
	mdoc_fill(s->meaning);
	mdoc_fill(s->more);
	if (s->at_start)
		puts("Takes effect when sctpd starts.");
	if (*s->preset == '\0')
		puts("Default: empty.");
	else
		printf(s->type == TYPE_PATH ? "Default:\n.Pa %s .\n" : "Default: %s.\n", s->preset);
	print_bounds(s);
}

static void
print_settings(void)
{
	for (const struct setting *s = setting_table; s->name != NULL; s++)
		print_setting(s);
}

/* ---- a paragraph ----------------------------------------------------- */

static void
print_association(void)
{
	for (const struct field *f = rpc_table[RPC_supervise].in; f->key != NULL; f++) {
		if (strcmp(f->key, "name") == 0)
			continue;
		if (strcmp(f->key, "options") == 0)
			puts(".It Cm options. Ns Ar name No = Ar value");
		else
			printf(".It Cm %s No = Ar %s\n", f->key, f->type == FIELD_ANY ? "item , ..." : "value");
		mdoc_fill(f->doc);
	}
}

/* ---- log lines ------------------------------------------------------- */

static void
print_lines(void)
{
	for (const struct log_line *l = line_table; l < line_table + LINE_COUNT; l++) {
		printf(".It Cm %s , No priority %s\n", l->name, log_level_name(l->priority));
		mdoc_fill(l->doc);
		printf(".br\n.Li %s\n", l->id);
	}
}

static void
print_fields(void)
{
	for (const struct line_field_desc *f = line_field_table; f < line_field_table + LINE_FIELD_COUNT; f++) {
		printf(".It Ev " LINES_PREFIX);
		for (const char *p = f->name; *p != '\0'; p++)
			putchar(*p == '_' ? '_' : *p & ~0x20);
		putchar('\n');
		mdoc_fill(f->doc);
	}
}

/* One entry a line: what journalctl -x prints below it. */
static void
print_catalog(void)
{
	puts("# SPDX-License-Identifier: BSD-2-Clause\n"
	    "# The journal's catalog of sctpd's log lines, printed from daemon/lines.def by \"make doc\".");
	for (const struct log_line *l = line_table; l < line_table + LINE_COUNT; l++) {
		printf("\n-- %s\nSubject: sctpd: %s\nDefined-By: sctpd\nDocumentation: man:sctpd(8)\n\n", l->id, l->name);
		for (const char *p = l->doc; *p != '\0'; p++) {
			if (*p != '`')
				putchar(*p);
		}
		putchar('\n');
	}
}

/* ---- templates ------------------------------------------------------- */

static const struct {
	const char	*line;
	void		(*print)(void);
} places[] = {
	{ "@SETTINGS@\n", print_settings },
	{ "@ASSOCIATION@\n", print_association },
	{ "@LINES@\n", print_lines },
	{ "@FIELDS@\n", print_fields },
};

#define NPLACES	(sizeof places / sizeof *places)

/* How many lines of the template stood for something. */
static unsigned
print_page(FILE *f)
{
	char		line[256];
	unsigned	found = 0;
	size_t		i;

	while (fgets(line, sizeof line, f) != NULL) {
		for (i = 0; i < NPLACES && strcmp(line, places[i].line) != 0; i++)
			continue;
		if (i == NPLACES) {
			(void)fputs(line, stdout);
			continue;
		}
		places[i].print();
		found++;
	}
	return found;
}

int
main(int argc, char **argv)
{
	FILE		*f;
	unsigned	 found;

	if (argc == 2 && strcmp(argv[1], "--catalog") == 0) {
		print_catalog();
		return 0;
	}
	if (argc != 2) {
		(void)fprintf(stderr, "usage: config-doc TEMPLATE | --catalog\n");
		return 2;
	}
	if ((f = fopen(argv[1], "r")) == NULL) {
		perror(argv[1]);
		return 1;
	}
	found = print_page(f);
	(void)fclose(f);
	if (found == 0)
		(void)fprintf(stderr, "%s: nothing of it is printed from the tables\n", argv[1]);
	return found == 0;
}
