/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables as JSON, for programs that write code in other languages from
 * them: `proto-doc json`. The method describe has the same for clients, but
 * needs a daemon, and says types in words for people.
 *
 * {"methods": [{"name", "from", "doc", "in", "out"}],
 *  "options": [{"name", "from", "doc", "access", "scope", "fields"}],
 *  "events": [{"name", "from", "doc", "fields"}], "head": fields of every event,
 *  "errors": [{"code", "doc"}], "ppids": [{"name", "number", "doc"}]}
 *
 * A field is {"name", "type", "doc", "required", "sparse"}, and has "words" and
 * "fields" where it has such. Its name is empty if it is the whole value.
 */
#include <inttypes.h>
#include <stdio.h>

#include "proto/error.h"
#include "proto/event_type.h"
#include "proto/json.h"
#include "proto/ppid.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"

static const char	*(*type_name)(const struct field *);

static void
print_string(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s);
	}
	putchar('"');
}

static void
print_pair(const char *before, const char *key, const char *value)
{
	printf("%s\"%s\": ", before, key);
	print_string(value);
}

static void
print_words(const struct word *w)
{
	const char	*sep = "";

	printf(", \"words\": [");
	for (; w->name != NULL; w++, sep = ", ") {
		fputs(sep, stdout);
		print_string(w->name);
	}
	putchar(']');
}

static void
print_fields(const char *key, const struct field *f)
{
	const char	*sep = "\n   ";

	printf(", \"%s\": [", key);
	for (; f->key != NULL; f++, sep = ",\n   ") {
		printf("%s{", sep);
		print_pair("", "name", f->key);
		print_pair(", ", "type", type_name(f));
		print_pair(", ", "doc", f->doc);
		printf(", \"required\": %s, \"sparse\": %s", f->required ? "true" : "false",
		    f->sparse ? "true" : "false");
		if (f->words != NULL)
			print_words(f->words);
		if (f->type == FIELD_RECORD)
			print_fields("fields", f->sub);
		putchar('}');
	}
	putchar(']');
}

/* The beginning of an entry; the first one of a list has no comma before it. */
static void
print_head(const char *sep, const char *name, const char *from, const char *doc)
{
	printf("%s\n {", sep);
	print_pair("", "name", name);
	print_pair(", ", "from", from);
	print_pair(", ", "doc", doc);
}

static void
print_methods(void)
{
	printf("{\"methods\": [");
	for (int m = 0; m < RPC_COUNT; m++) {
		print_head(m > 0 ? "," : "", rpc_table[m].name, rpc_table[m].from, rpc_table[m].doc);
		print_fields("in", rpc_table[m].in);
		print_fields("out", rpc_table[m].out);
		putchar('}');
	}
	printf("]");
}

static void
print_options(void)
{
	static const char *const	access[] = {
		[SOCKOPT_GET] = "get", [SOCKOPT_SET] = "set", [SOCKOPT_RW] = "get, set", [SOCKOPT_OPEN] = "open"
	};
	static const char *const	scope[] = {
		[SCOPE_SOCKET] = "socket", [SCOPE_FUTURE] = "future", [SCOPE_CURRENT] = "current", [SCOPE_ASSOC] = "assoc"
	};

	printf(",\n\"options\": [");
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		print_head(o > sockopt_table ? "," : "", o->name, o->from, o->doc);
		print_pair(", ", "access", access[o->access]);
		print_pair(", ", "scope", scope[o->scope]);
		print_fields("fields", o->fields);
		putchar('}');
	}
	printf("]");
}

static void
print_events(void)
{
	printf(",\n\"events\": [");
	for (const struct event_type *e = event_type_table; e->name != NULL; e++) {
		print_head(e > event_type_table ? "," : "", e->name, e->from, e->doc);
		print_fields("fields", e->fields);
		putchar('}');
	}
	printf("]");
	print_fields("head", event_head_fields);
}

static void
print_errors(void)
{
	printf(",\n\"errors\": [");
	for (int e = ERR_OK + 1; e < ERR_COUNT; e++) {
		print_pair(e > ERR_OK + 1 ? ",\n {" : "\n {", "code", error_table[e].code);
		print_pair(", ", "doc", error_table[e].doc);
		putchar('}');
	}
	printf("]");
}

static void
print_ppids(void)
{
	printf(",\n\"ppids\": [");
	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		print_pair(p > ppid_table ? ",\n {" : "\n {", "name", p->name);
		printf(", \"number\": %" PRIu32, p->number);
		print_pair(", ", "doc", p->doc);
		putchar('}');
	}
	puts("]}");
}

void
json_tables(const char *(*type)(const struct field *))
{
	type_name = type;
	print_methods();
	print_options();
	print_events();
	print_errors();
	print_ppids();
}
