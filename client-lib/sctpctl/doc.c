/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints sctpctl(1): the page on standard input, with the lists of commands and
 * options made anew from their tables. A program of its own, for "make doc".
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "proto/mdoc.h"
#include "proto/metric.h"
#include "sctpctl/assocs.h"
#include "sctpctl/commands.h"
#include "sctpctl/options.h"
#include "sctpctl/paths.h"
#include "sctpctl/things.h"
#include "sctpctl/top.h"

#define BEGIN	".\\\" Made by \"make doc\": "
#define END	".\\\" End of "

/* "host port", "method [key=value ...]", "address[,address]" in mdoc's macros. */
static void
print_arguments(const char *s)
{
	const char	*sep = " ";
	size_t		 n;

	for (; *s != '\0'; s += n) {
		n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
		if (n > 0) {
			printf("%sAr %.*s", sep, (int)n, s);
		} else {
			n = strncmp(s, "...", 3) == 0 ? 3 : 1;
			if (*s == '[')
				printf("%sOp", sep);
			else if (*s != ' ' && *s != ']')
				printf("%s%.*s", sep, (int)n, s);
		}
		/* What is not apart here is not to be apart there. */
		sep = s[n - 1] == ' ' || s[n - 1] == '[' || s[n] == ' ' ? " " : " Ns ";
	}
	putchar('\n');
}

static void
print_commands(enum section section)
{
	puts(".Bl -tag -width Ds");
	for (const struct command *c = command_table; c->doc != NULL; c++) {
		if (c->section != section)
			continue;
		printf(c->name != NULL ? ".It Cm %s" : ".It%s", c->name != NULL ? c->name : "");
		print_arguments(c->arguments);
		mdoc_fill(c->doc);
	}
	puts(".El");
}

static void
print_options(unsigned goes)
{
	puts(".Bl -tag -width Ds");
	for (const struct option_row *r = option_table; r->name != NULL; r++) {
		if (goes == WITH_ANY ? r->goes != WITH_ANY : ((unsigned)r->goes & goes) == 0)
			continue;
		printf(".It Fl ");
		if (r->letter != 0)
			printf("%c , ", r->letter);
		printf("-%s", r->name);
		print_arguments(r->argument != NULL ? r->argument : "");
		mdoc_fill(r->doc);
	}
	puts(".El");
}

static void
print_columns(const struct column *c)
{
	puts(".Bl -tag -width potentially -compact");
	for (; c->name != NULL; c++) {
		printf(".It Cm %s\n", c->name);
		mdoc_fill(c->doc);
	}
	puts(".El");
}

static void
print_keys(void)
{
	puts(".Bl -tag -width potentially -compact");
	for (const struct top_key *k = top_keys; k->name != NULL; k++) {
		printf(".It Ic %s\n", k->name);
		mdoc_fill(k->doc);
	}
	puts(".El");
}

static void
print_metrics(void)
{
	puts(".Bl -tag -width Ds -compact");
	for (const struct metric *m = metric_table; m < metric_table + METRIC_COUNT; m++) {
		printf(".It Li " METRIC_PREFIX "%s%s\n", m->name, m->type == METRIC_TYPE_COUNTER ? "_total" : "");
		mdoc_fill(m->help);
	}
	puts(".El");
}

#define LISTS	18

static unsigned printed;	/* lists */

static void
print_list(const char *name)
{
	printed++;
	if (strcmp(name, "look\n") == 0)
		print_commands(LOOK);
	else if (strcmp(name, "talk\n") == 0)
		print_commands(TALK);
	else if (strcmp(name, "administer\n") == 0)
		print_commands(ADMINISTER);
	else if (strcmp(name, "do\n") == 0)
		print_commands(DO);
	else if (strcmp(name, "options of talk\n") == 0)
		print_options(WITH_TALK);
	else if (strcmp(name, "options of load\n") == 0)
		print_options(WITH_LOAD);
	else if (strcmp(name, "options of lists\n") == 0)
		print_options(WITH_SORT | WITH_LISTS | WITH_ASSOCS | WITH_TOP | WITH_AGAIN);
	else if (strcmp(name, "options of tap\n") == 0)
		print_options(WITH_TAP);
	else if (strcmp(name, "options of run\n") == 0)
		print_options(WITH_RUN);
	else if (strcmp(name, "columns of assocs\n") == 0)
		print_columns(assoc_columns);
	else if (strcmp(name, "columns of sockets\n") == 0)
		print_columns(sock_columns);
	else if (strcmp(name, "columns of clients\n") == 0)
		print_columns(client_columns);
	else if (strcmp(name, "columns of top\n") == 0)
		print_columns(top_columns);
	else if (strcmp(name, "keys of top\n") == 0)
		print_keys();
	else if (strcmp(name, "columns of paths\n") == 0)
		print_columns(path_columns);
	else if (strcmp(name, "options of metrics\n") == 0)
		print_options(WITH_METRICS);
	else if (strcmp(name, "metrics\n") == 0)
		print_metrics();
	else if (strcmp(name, "options\n") == 0)
		print_options(WITH_ANY);
	else
		exit(ctl_fail(CTL_FAILED, "there is no list %s", name));
}

int
main(void)
{
	char	line[1024];
	bool	skipping = false;

	while (fgets(line, sizeof line, stdin) != NULL) {
		if (strncmp(line, END, strlen(END)) == 0)
			skipping = false;
		if (!skipping)
			fputs(line, stdout);
		if (strncmp(line, BEGIN, strlen(BEGIN)) == 0) {
			print_list(line + strlen(BEGIN));
			skipping = true;
		}
	}
	if (printed != LISTS)
		return ctl_fail(CTL_FAILED, "the page has %u lists of %u", printed, LISTS);
	return fflush(stdout) == 0 && !skipping ? CTL_OK : CTL_FAILED;
}
