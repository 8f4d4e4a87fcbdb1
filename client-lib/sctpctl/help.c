/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpctl tells about itself, printed from its tables and the protocol's.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/error.h"
#include "proto/event_type.h"
#include "proto/ppid.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"
#include "sctpctl/help-json.h"
#include "sctpctl/help.h"
#include "sctpctl/options.h"
#include "sctpctl/out.h"

#define TEXT_WIDTH	78
#define USAGE_COLUMN	27

/* ---- text ----------------------------------------------------------- */

/* Text folded at blanks, without `backquotes`; its first line begins at that column. */
static void
fold(FILE *f, const char *s, int column, int indent)
{
	bool	first = true;
	size_t	len;

	for (; *s != '\0'; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		if (!first && column + 1 + (int)len > TEXT_WIDTH) {
			fprintf(f, "\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			putc(' ', f);
			column++;
		}
		for (size_t i = 0; i < len; i++) {
			if (s[i] != '`')
				column += putc(s[i], f) != EOF;
		}
		first = false;
	}
	putc('\n', f);
}

static void
print_folded(const char *s, int column, int indent)
{
	fold(stdout, s, column, indent);
}

/* A name, and blanks or a new line up to where its text begins. */
static void
print_name(FILE *f, const char *name, int indent)
{
	if ((int)strlen(name) > indent - 3)
		fprintf(f, "  %s\n%*s", name, indent, "");
	else
		fprintf(f, "  %-*s ", indent - 3, name);
}

/* A name and the first sentence about it. */
static void
print_row(FILE *f, const char *name, const char *doc, int indent)
{
	const char	*end = strstr(doc, ". ");
	size_t		 len = end != NULL ? (size_t)(end - doc) + 1 : strlen(doc);
	char		 first[512];

	(void)snprintf(first, sizeof first, "%.*s", (int)len, doc);
	print_name(f, name, indent);
	fold(f, first, indent, indent);
}

void
help_row(const char *name, const char *text)
{
	print_name(stdout, name, 25);
	print_folded(text, 25, 25);
}

/* ---- the summary ---------------------------------------------------- */

static const char *const section_titles[] = {
	[LOOK] = "Look:",
	[TALK] = "Talk, as nc(1) does: a line of input is a message, a message a line of output:",
	[ADMINISTER] = "Administer; for root and admin_users of sctpd.conf(5):",
	[DO] = "Do:",
};

static const char examples[] =
"Examples:\n"
"  sctpctl listen -k 2905\n"
"  echo hello | sctpctl connect 10.0.0.1 2905\n"
"  sctpctl connect --ip 10.0.0.2,10.0.1.2 --ostreams 5 10.0.0.1,10.0.1.1 2905\n"
"  sctpctl getopts sock=5 options.sctp_status.assoc_id=3\n"
"  sctpctl --json assocs\n"
"\n"
"Exit status: 0 done, 1 failed, 2 usage, 3 no daemon, 4 permission, 5 timeout.\n";

/* "connect HOST PORT" */
static const char *
synopsis(const struct command *c, char *to, size_t size)
{
	int	n = snprintf(to, size, "%s%s", c->name != NULL ? c->name : "",
	    c->name != NULL && *c->arguments != '\0' ? " " : "");

	for (const char *s = c->arguments; *s != '\0' && n + 1 < (int)size; s++)
		to[n++] = (char)toupper((unsigned char)*s);
	to[n] = '\0';
	return to;
}

/* "-o, --option NAME=VALUE" */
static const char *
option_synopsis(const struct option_row *r, char *to, size_t size)
{
	int	n = r->letter != 0 ? snprintf(to, size, "-%c, ", r->letter) : 0;

	n += snprintf(to + n, size - (size_t)n, "--%s ", r->name);
	for (const char *s = r->argument; s != NULL && *s != '\0' && n + 1 < (int)size; s++)
		to[n++] = (char)toupper((unsigned char)*s);
	to[n] = '\0';
	return to;
}

static void
usage_options(FILE *f, unsigned goes)
{
	char	name[64];

	for (const struct option_row *r = option_table; r->name != NULL; r++) {
		if (goes == 0 ? r->goes == WITH_ANY : ((unsigned)r->goes & goes) != 0)
			print_row(f, option_synopsis(r, name, sizeof name), r->doc, USAGE_COLUMN);
	}
}

void
help_usage(const struct ctl *ctl, FILE *f)
{
	char	name[64];
	int	section = -1;

	fputs("usage: sctpctl [OPTION ...] COMMAND [WORD ...]\n", f);
	for (const struct command *c = ctl->commands; c->doc != NULL; c++) {
		if ((int)c->section != section)
			fprintf(f, "\n%s\n", section_titles[section = (int)c->section]);
		print_row(f, synopsis(c, name, sizeof name), c->doc, USAGE_COLUMN);
	}
	fputs("\nOptions of listen and connect:\n", f);
	usage_options(f, WITH_TALK);
	fputs("\nOptions of listen and connect, to test and to measure:\n", f);
	usage_options(f, WITH_LOAD);
	fputs("\nOptions of sockets, assocs, paths, top and clients:\n", f);
	usage_options(f, WITH_SORT | WITH_LISTS | WITH_ASSOCS | WITH_TOP | WITH_AGAIN);
	fputs("\nOptions of metrics:\n", f);
	usage_options(f, WITH_METRICS);
	fputs("\nOptions of run:\n", f);
	usage_options(f, WITH_RUN);
	fputs("\nOptions of tap:\n", f);
	usage_options(f, WITH_TAP);
	fputs("\nOptions:\n", f);
	usage_options(f, WITH_ANY);
	fprintf(f, "\n%s", examples);
}

/* ---- about one thing ------------------------------------------------ */

static void
print_words(const struct word *w, int indent)
{
	char	text[512] = "";
	size_t	n = 0;

	for (; w->name != NULL && n < sizeof text; w++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
		    n > 0 ? ", " : "", w->name);
	printf("%*s", indent, "");
	print_folded(text, indent, indent);
}

static const char *
type_name(const struct field *f)
{
	if (f->words == NULL)
		return codec_field_type(f);
	return f->type == FIELD_WORD ? "one of:" : "any of, with commas:";
}

static void
print_fields(const struct field *fields, const char *prefix)
{
	char	name[96];
	int	column;

	for (const struct field *f = fields; f->key != NULL; f++) {
		(void)snprintf(name, sizeof name, "%s%s", prefix, f->key);
		print_name(stdout, name, 25);
		column = 25 + (f->required ? printf("(required) ") : 0);
		print_folded(f->doc != NULL ? f->doc : "", column, 25);
		if (f->type != FIELD_ANY && f->type != FIELD_RECORD) {
			column = printf("%25s", "");
			print_folded(type_name(f), column, 25);
		}
		if (f->words != NULL)
			print_words(f->words, 25);
		if (f->type == FIELD_RECORD) {
			(void)snprintf(name, sizeof name, "%s%s.", prefix, f->key);
			print_fields(f->sub, name);
		}
	}
}

static void
print_section(const char *title, const struct field *fields)
{
	if (fields->key == NULL)
		return;
	printf("\n%s:\n", title);
	print_fields(fields, "");
}

/* What is above the rest if a name is several things, and a line between them. */
static void
print_head(const char *kind, const char *name, const char *from, const char *doc)
{
	static bool	again;

	printf("%s%s %s%s%s%s\n\n", again ? "\n" : "", kind, name, from != NULL ? "  (" : "",
	    from != NULL ? from : "", from != NULL ? ")" : "");
	print_folded(doc, 0, 0);
	again = true;
}

/* Those that are the method of their name are described as methods. */
static void
about_command(const struct ctl *ctl, const char *name)
{
	const struct command	*c = ctl_command(ctl, name);
	char			 words[64];

	if (c == NULL || c->run == ctl_command(ctl, NULL)->run)
		return;
	print_head("command", synopsis(c, words, sizeof words), NULL, c->doc);
	if (c->goes != 0) {
		puts("\noptions:");
		usage_options(stdout, c->goes);
	}
	if (c->more != NULL)
		c->more();
}

static void
about_method(const char *name)
{
	const struct rpc_desc	*m = rpc_find(name, strlen(name));

	if (m == NULL)
		return;
	print_head("method", m->name, m->from, m->doc);
	print_section("arguments", m->in);
	print_section("answer", m->out);
}

static void
about_option(const char *name)
{
	const struct sockopt	*o = sockopt_find(name, strlen(name));

	if (o == NULL)
		return;
	print_head("option", o->name, o->from, o->doc);
	if (o->kernel_only)
		puts("The userland stack does not have it.");
	if (o->access != SOCKOPT_RW)
		printf("It can only be %s.\n", o->access == SOCKOPT_GET ? "read" :
		    o->access == SOCKOPT_SET ? "set" : "given at open");
	if (o->fields[0].key != NULL && o->fields[0].key[0] == '\0') {
		printf("\nvalue: ");
		print_folded(o->fields[0].doc, 7, 7);
		return;
	}
	print_section("fields", o->fields);
}

static void
about_event(const char *name)
{
	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		if (strcmp(n->name, name) != 0)
			continue;
		print_head("event", n->name, n->from, n->doc);
		printf("\nfields:\n");
		print_fields(event_head_fields, "");
		print_fields(n->fields, "");
		return;
	}
}

static void
about_error(const char *name)
{
	for (int e = 1; e < ERR_COUNT; e++) {
		if (strcmp(error_table[e].code, name) != 0)
			continue;
		print_head("error", name, NULL, error_table[e].doc);
	}
}

/* "m3ua" is what is known of that PPID, "ppid" of all. */
static void
about_ppid(const char *name)
{
	char	number[16];

	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		if (strcmp(name, p->name) != 0)
			continue;
		(void)snprintf(number, sizeof number, "PPID %" PRIu32, p->number);
		print_head("ppid", name, number, p->doc);
		return;
	}
	if (strcmp(name, "ppid") != 0)
		return;
	puts("PPIDs that have names:");
	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		(void)snprintf(number, sizeof number, "%5" PRIu32, p->number);
		printf("  %s  %-22s %s\n", number, p->name, p->doc);
	}
}

/* ---- all there is --------------------------------------------------- */

static void
print_all(const struct ctl *ctl)
{
	char	name[64];

	puts("commands:");
	for (const struct command *c = ctl->commands; c->doc != NULL; c++)
		print_row(stdout, synopsis(c, name, sizeof name), c->doc, 33);
	puts("\nmethods:");
	for (int m = 0; m < RPC_COUNT; m++)
		print_row(stdout, rpc_table[m].name, rpc_table[m].doc, 33);
	puts("\noptions:");
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
		print_row(stdout, o->name, o->doc, 33);
	puts("\nevents:");
	for (const struct event_type *n = event_type_table; n->name != NULL; n++)
		print_row(stdout, n->name, n->doc, 33);
	puts("\nerrors:");
	for (int e = 1; e < ERR_COUNT; e++)
		print_row(stdout, error_table[e].code, error_table[e].doc, 33);
	puts("\nMore: sctpctl help NAME; sctpctl help ppid; sctpctl --help");
}

/* Does anything have this name? */
bool
help_knows(const struct ctl *ctl, const char *name)
{
	size_t	len = strlen(name);

	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		if (strcmp(name, p->name) == 0)
			return true;
	}
	return strcmp(name, "ppid") == 0 || ctl_command(ctl, name) != NULL || rpc_find(name, len) != NULL ||
	    sockopt_find(name, len) != NULL || event_type_named(name, len) != NULL || error_from_text(name, len) != ERR_OK;
}

int
help_run(struct ctl *ctl, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!help_knows(ctl, argv[i]))
			return ctl_fail(CTL_USAGE, "there is no command, method, option, event, error or PPID \"%s\"; "
			    "sctpctl help lists them", argv[i]);
	}
	if (ctl->json) {
		help_json(ctl, argc, argv);
		return out_flush();
	}
	if (argc < 2)
		print_all(ctl);
	for (int i = 1; i < argc; i++) {
		/* A name may be several things: connect is a command and a method. */
		about_command(ctl, argv[i]);
		about_method(argv[i]);
		about_option(argv[i]);
		about_event(argv[i]);
		about_error(argv[i]);
		about_ppid(argv[i]);
	}
	return out_flush();
}
