/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpctl tells about itself, printed from the protocol's tables.
 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "error.h"
#include "notice.h"
#include "rpc.h"
#include "sctpctl.h"
#include "sockopt.h"

#define TEXT_WIDTH	78

/* Those that are no methods. */
static const char *const commands[] = { "shell", "call", "help" };

static const char usage[] =
"usage: sctpctl [option ...] command ...\n"
"\n"
"Look:\n"
"  status, sockets, assocs, clients   what the daemon has\n"
"  watch                              what happens on all your sockets, as it does\n"
"  describe                           every method, option, event and error (for --json)\n"
"\n"
"Talk, as nc(1) does: a line of input is a message, a message a line of output:\n"
"  listen PORT          wait for a peer\n"
"  connect HOST PORT    call one; HOST may be a name, or addresses with commas\n"
"    --ip A[,B]         local addresses            --stream N     stream to send on\n"
"    -o, --option NAME=VALUE   of the socket, as sndbuf=1000000; sctpctl help lists them\n"
"    --ppid N           payload protocol           --ostreams N   streams to ask for\n"
"    --hex              lines of hexadecimal bytes --raw          blocks, no lines\n"
"    -k, --keep         listen on after a peer     --one-to-one   a stream socket\n"
"    -w, --wait MS      at the end of input wait so long, then shut down\n"
"    -N, --end-at-eof   listen: shut down at the end of input, as connect does\n"
"    -v, --verbose      events on standard error; watch: say when it watches\n"
"\n"
"Do:\n"
"  METHOD key=value ... call a method: sctpctl help METHOD. Lists have commas, records\n"
"                       dots, bytes are text, hex:0A0B, @FILE or - (standard input)\n"
"  shell [FILE]         many commands on one connection: a socket lives only as long\n"
"                       as the connection that opened it\n"
"  help [NAME]          all there is, or about a method, option, event or error\n"
"\n"
"Options:\n"
"  -s, --socket PATH    the daemon's socket; else $SCTPD_SOCKET, else\n"
"                       " SCTPD_SOCKET "\n"
"  -j, --json           JSON: one document, or for what streams one object a line\n"
"  --timeout MS         how long the daemon may take to answer; 30000\n"
"  --color WHEN         auto, always or never\n"
"  -h, --help  -V, --version\n"
"\n"
"Examples:\n"
"  sctpctl listen -k 2905\n"
"  echo hello | sctpctl connect 10.0.0.1 2905\n"
"  sctpctl connect --ip 10.0.0.2,10.0.1.2 --ostreams 5 10.0.0.1,10.0.1.1 2905\n"
"  sctpctl getopts sock=5 options.sctp_status.assoc_id=3\n"
"  sctpctl --json assocs\n"
"\n"
"Exit status: 0 done, 1 failed, 2 usage, 3 no daemon, 4 permission, 5 timeout.\n";

void
help_usage(FILE *f)
{
	fputs(usage, f);
}

/* ---- about one thing ------------------------------------------------ */

/* Text folded at blanks; its first line begins at that column. */
static void
print_folded(const char *s, int column, int indent)
{
	bool	first = true;
	size_t	len;

	for (; *s != '\0'; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		if (!first && column + 1 + (int)len > TEXT_WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)len, s);
		column += (int)len;
		first = false;
	}
	putchar('\n');
}

/* A name, and blanks or a new line up to where its text begins. */
static void
print_name(const char *name, int indent)
{
	if (printf("  %-*s ", indent - 3, name) > indent)
		printf("\n%*s", indent, "");
}

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
		print_name(name, 25);
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
print_head(const char *kind, const char *name, const char *from, const char *doc)
{
	printf("%s %s%s%s%s\n\n", kind, name, from != NULL ? "  (" : "",
	    from != NULL ? from : "", from != NULL ? ")" : "");
	print_folded(doc, 0, 0);
}

static void
print_section(const char *title, const struct field *fields)
{
	if (fields->key == NULL)
		return;
	printf("\n%s:\n", title);
	print_fields(fields, "");
}

static bool
about_method(const char *name)
{
	const struct rpc_desc	*m = rpc_find(name, strlen(name));

	if (m == NULL)
		return false;
	print_head("method", m->name, m->from, m->doc);
	print_section("arguments", m->in);
	print_section("answer", m->out);
	return true;
}

static bool
about_option(const char *name)
{
	const struct sockopt	*o = sockopt_find(name, strlen(name));

	if (o == NULL)
		return false;
	print_head("option", o->name, o->from, o->doc);
	if (o->access != SOCKOPT_RW)
		printf("It can only be %s.\n", o->access == SOCKOPT_GET ? "read" :
		    o->access == SOCKOPT_SET ? "set" : "given at open");
	if (o->fields[0].key != NULL && o->fields[0].key[0] == '\0') {
		printf("\nvalue: ");
		print_folded(o->fields[0].doc, 7, 7);
		return true;
	}
	print_section("fields", o->fields);
	return true;
}

static bool
about_event(const char *name)
{
	for (const struct notice *n = notice_table; n->name != NULL; n++) {
		if (strcmp(n->name, name) != 0)
			continue;
		print_head("event", n->name, n->from, n->doc);
		printf("\nfields:\n");
		print_fields(event_head_fields, "");
		print_fields(n->fields, "");
		return true;
	}
	return false;
}

static bool
about_error(const char *name)
{
	for (int e = 1; e < ERR_COUNT; e++) {
		if (strcmp(error_table[e].code, name) != 0)
			continue;
		print_head("error", name, NULL, error_table[e].doc);
		return true;
	}
	return false;
}

/* ---- all there is --------------------------------------------------- */

static void
print_row(const char *name, const char *doc)
{
	const char	*end = strstr(doc, ". ");
	size_t		 len = end != NULL ? (size_t)(end - doc) + 1 : strlen(doc);
	char		 first[512];

	(void)snprintf(first, sizeof first, "%.*s", (int)len, doc);
	print_name(name, 33);
	print_folded(first, 33, 33);
}

static void
print_all(void)
{
	puts("methods:");
	for (int m = 0; m < RPC_COUNT; m++)
		print_row(rpc_table[m].name, rpc_table[m].doc);
	puts("\noptions:");
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
		print_row(o->name, o->doc);
	puts("\nevents:");
	for (const struct notice *n = notice_table; n->name != NULL; n++)
		print_row(n->name, n->doc);
	puts("\nerrors:");
	for (int e = 1; e < ERR_COUNT; e++)
		print_row(error_table[e].code, error_table[e].doc);
	puts("\nMore: sctpctl help NAME; sctpctl --help");
}

int
help_run(int argc, char **argv)
{
	bool	any = false;

	if (argc < 2) {
		print_all();
		return out_flush();
	}
	for (int i = 1; i < argc; i++) {
		/* A name may be two things: abort is a method, accept an event too. */
		any = about_method(argv[i]);
		if (about_option(argv[i]) || about_event(argv[i]) || about_error(argv[i]))
			any = true;
		if (!any)
			return ctl_fail(CTL_USAGE,
			    "there is no method, option, event or error \"%s\"; sctpctl help lists them",
			    argv[i]);
	}
	return out_flush();
}

/* ---- completion ----------------------------------------------------- */

static void
candidate(const char *prefix, const char *name, const char *end, const char *typed)
{
	char	text[160];

	(void)snprintf(text, sizeof text, "%s%s%s", prefix, name, end);
	if (strncmp(text, typed, strlen(typed)) == 0)
		puts(text);
}

static void
complete_names(const char *typed, bool all)
{
	for (int m = 0; m < RPC_COUNT; m++)
		candidate("", rpc_table[m].name, "", typed);
	for (const struct sockopt *o = sockopt_table; all && o->name != NULL; o++)
		candidate("", o->name, "", typed);
	for (const struct notice *n = notice_table; all && n->name != NULL; n++)
		candidate("", n->name, "", typed);
	for (int e = 1; all && e < ERR_COUNT; e++)
		candidate("", error_table[e].code, "", typed);
}

static void
complete_option(const char *prefix, const struct sockopt *o, const char *typed)
{
	char	inside[96];

	if (o->fields[0].key == NULL || o->fields[0].key[0] == '\0') {
		candidate(prefix, o->name, "=", typed);
		return;
	}
	(void)snprintf(inside, sizeof inside, "%s%s.", prefix, o->name);
	if (strncmp(typed, inside, strlen(inside)) != 0) {
		candidate(prefix, o->name, ".", typed);
		return;
	}
	for (const struct field *f = o->fields; f->key != NULL; f++)
		candidate(inside, f->key, "=", typed);
}

static void
complete_field(const struct field *f, const char *typed)
{
	char	prefix[64];

	if (f->type == FIELD_ANY && strcmp(f->key, "options") == 0) {
		if (strncmp(typed, "options.", 8) != 0) {
			candidate("", "options.", "", typed);
			return;
		}
		for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
			complete_option("options.", o, typed);
	} else if (f->type == FIELD_RECORD) {
		(void)snprintf(prefix, sizeof prefix, "%s.", f->key);
		for (const struct field *s = f->sub; s->key != NULL; s++)
			candidate(prefix, s->key, "=", typed);
	} else if (f->type == FIELD_WORD) {
		(void)snprintf(prefix, sizeof prefix, "%s=", f->key);
		for (const struct word *w = f->words; w->name != NULL; w++)
			candidate(prefix, w->name, "", typed);
	} else {
		candidate("", f->key, "=", typed);
	}
}

/* argv: the words after "sctpctl"; the last is the one being typed. */
int
help_complete(int argc, char **argv)
{
	const char		*typed = argc > 0 ? argv[argc - 1] : "";
	const struct rpc_desc	*m = argc > 1 ? rpc_find(argv[0], strlen(argv[0])) : NULL;

	if (argc <= 1) {
		for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
			candidate("", commands[i], "", typed);
		complete_names(typed, false);
	} else if (strcmp(argv[0], "help") == 0) {
		complete_names(typed, true);
	} else if (m != NULL) {
		for (const struct field *f = m->in; f->key != NULL; f++)
			complete_field(f, typed);
	}
	return out_flush();
}
