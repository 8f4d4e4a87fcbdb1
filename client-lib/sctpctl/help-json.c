/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sctpctl tells about itself, as JSON.
 */
#include <inttypes.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/error.h"
#include "proto/event_type.h"
#include "proto/ppid.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"
#include "sctpctl/help-json.h"
#include "sctpctl/options.h"

/* "KEY": "text", with a comma in front if it is not the first. */
static void
json_pair(const char *before, const char *key, const char *text)
{
	printf("%s\"%s\": ", before, key);
	if (text == NULL)
		fputs("null", stdout);
	else
		ctl_json_text(stdout, text, strlen(text));
}

static void
json_fields(const char *key, const struct field *fields)
{
	const char	*sep = "";

	printf(", \"%s\": [", key);
	for (const struct field *f = fields; f->key != NULL; f++, sep = ", ") {
		printf("%s{", sep);
		json_pair("", "name", f->key);
		json_pair(", ", "type", codec_field_type(f));
		printf(", \"required\": %s", f->required ? "true" : "false");
		json_pair(", ", "doc", f->doc);
		if (f->words != NULL) {
			printf(", \"words\": [");
			for (const struct word *w = f->words; w->name != NULL; w++)
				json_pair(w == f->words ? "{" : "}, {", "name", w->name);
			printf("}]");
		}
		if (f->type == FIELD_RECORD)
			json_fields("fields", f->sub);
		putchar('}');
	}
	putchar(']');
}

static void
json_head(const char *kind, const char *name, const char *from, const char *doc)
{
	json_pair("{", "kind", kind);
	json_pair(", ", "name", name);
	json_pair(", ", "from", from);
	json_pair(", ", "doc", doc);
}

static void
json_options(unsigned goes)
{
	const char	*sep = "";
	char		 letter[2] = "";

	printf(", \"options\": [");
	for (const struct option_row *r = option_table; r->name != NULL; r++) {
		if (goes == 0 ? r->goes != WITH_ANY : ((unsigned)r->goes & goes) == 0)
			continue;
		letter[0] = (char)r->letter;
		printf("%s{", sep);
		json_pair("", "name", r->name);
		json_pair(", ", "letter", r->letter != 0 ? letter : NULL);
		json_pair(", ", "argument", r->argument);
		json_pair(", ", "doc", r->doc);
		putchar('}');
		sep = ", ";
	}
	putchar(']');
}

static void
json_command(const struct command *c)
{
	json_head("command", c->name, NULL, c->doc);
	json_pair(", ", "arguments", c->arguments);
	if (c->goes != 0)
		json_options(c->goes);
	putchar('}');
}

/* All that has this name, as objects with commas between them; gives how many. */
static int
json_about(const struct ctl *ctl, const char *name, const char *sep)
{
	const struct command	*c = ctl_command(ctl, name);
	const struct rpc_desc	*m = rpc_find(name, strlen(name));
	const struct sockopt	*o = sockopt_find(name, strlen(name));
	const struct event_type	*t = event_type_named(name, strlen(name));
	enum error		 e = error_from_text(name, strlen(name));
	int			 n = 0;

	if (c != NULL) {
		fputs(sep, stdout);
		json_command(c);
		n++;
	}
	if (m != NULL) {
		fputs(n++ > 0 ? ", " : sep, stdout);
		json_head("method", m->name, m->from, m->doc);
		json_fields("arguments", m->in);
		json_fields("answer", m->out);
		putchar('}');
	}
	if (o != NULL) {
		fputs(n++ > 0 ? ", " : sep, stdout);
		json_head("option", o->name, o->from, o->doc);
		json_fields("fields", o->fields);
		printf(", \"kernel_only\": %s}", o->kernel_only ? "true" : "false");
	}
	if (t != NULL) {
		fputs(n++ > 0 ? ", " : sep, stdout);
		json_head("event", t->name, t->from, t->doc);
		json_fields("fields", t->fields);
		putchar('}');
	}
	if (e != ERR_OK && strcmp(error_table[e].code, name) == 0) {
		fputs(n++ > 0 ? ", " : sep, stdout);
		json_head("error", name, NULL, error_table[e].doc);
		putchar('}');
	}
	for (const struct ppid *p = ppid_table; p->name != NULL; p++) {
		if (strcmp(p->name, name) != 0 && strcmp(name, "ppid") != 0)
			continue;
		fputs(n++ > 0 ? ", " : sep, stdout);
		json_head("ppid", p->name, NULL, p->doc);
		printf(", \"number\": %" PRIu32 "}", p->number);
	}
	return n;
}

static void
json_all(const struct ctl *ctl)
{
	const char	*sep = "";

	printf("{\"commands\": [");
	for (const struct command *c = ctl->commands; c->doc != NULL; c++, sep = ", ") {
		fputs(sep, stdout);
		json_command(c);
	}
	putchar(']');
	json_options(0);
	puts("}");
}

void
help_json(const struct ctl *ctl, int argc, char **argv)
{
	int	n = 0;

	if (argc < 2) {
		json_all(ctl);
		return;
	}
	putchar('[');
	for (int i = 1; i < argc; i++)
		n += json_about(ctl, argv[i], n > 0 ? ", " : "");
	puts("]");
}
