/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Candidates for a word that is being typed, from the tables.
 */
#include <string.h>

#include "proto/error.h"
#include "proto/event_type.h"
#include "proto/ppid.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"
#include "sctpctl/assocs.h"
#include "sctpctl/complete.h"
#include "sctpctl/groups.h"
#include "sctpctl/options.h"
#include "sctpctl/out.h"
#include "sctpctl/paths.h"
#include "sctpctl/things.h"

static FILE	*to;		/* where candidates go */

static bool	with_text;	/* behind a tab, for shells that show it */

/* The word, and the first sentence about it. */
static void
candidate(const char *prefix, const char *name, const char *end, const char *typed, const char *doc)
{
	char		 text[160];
	const char	*stop = doc != NULL ? strstr(doc, ". ") : NULL;

	(void)snprintf(text, sizeof text, "%s%s%s", prefix, name, end);
	if (strncmp(text, typed, strlen(typed)) != 0)
		return;
	fputs(text, to);
	if (with_text && doc != NULL)
		fprintf(to, "\t%.*s", stop != NULL ? (int)(stop - doc) : (int)strlen(doc), doc);
	putc('\n', to);
}

/* What the daemon lists: the keys or options whose value it may be, where it is, and what is told beside it. */
struct listed {
	const char	*key;
	const char	*option;	/* of the command line, or NULL */
	const char	*method;
	const char	*field;
	const char	*text;
};

static const struct listed	lists[] = {
	{ "sock", "sock", "sockets", "sock", "type" },
	{ "assoc_id", "assoc", "assocs", "assoc_id", "state" },
	{ "client", "client", "clients", "client", "name" },
	{ NULL, NULL, "supervised", "name", "state" },
};
#define SUPERVISED	(&lists[3])

static const char	*path;		/* of the daemon's socket */

static void
complete_entry(const char *prefix, const struct listed *l, const struct sctpd_value *entry, const char *typed)
{
	const struct sctpd_value	*v = sctpd_get(entry, l->field);
	char				 number[24];

	if (l == SUPERVISED) {
		candidate(prefix, sctpd_get_str(entry, l->field), "", typed, sctpd_get_str(entry, l->text));
		return;
	}
	(void)snprintf(number, sizeof number, "%llu", (unsigned long long)sctpd_get_int(entry, l->field));
	if (v != NULL)
		candidate(prefix, number, "", typed, sctpd_get_str(entry, l->text));
}

/* What the daemon knows, if it is there: nothing is said if not. */
static void
complete_listed(const char *prefix, const struct listed *l, const char *typed)
{
	const struct sctpd_value	*v, *list;
	struct sctpd			*c;

	if ((c = sctpd_new()) == NULL)
		return;
	sctpd_set_timeout(c, 500);
	if (sctpd_dial(c, path) == SCTPD_OK && sctpd_callv(c, &v, 1, &l->method) == SCTPD_OK) {
		list = sctpd_get(v, l->method);
		for (size_t i = 0; i < sctpd_count(list); i++)
			complete_entry(prefix, l, sctpd_item(list, i), typed);
	}
	sctpd_free(c);
}

static const struct listed *
find_listed(const char *key, bool is_option)
{
	const char	*name;

	for (const struct listed *l = lists; l < SUPERVISED; l++) {
		name = is_option ? l->option : l->key;
		if (strcmp(name, key) == 0)
			return l;
	}
	return NULL;
}

static void
complete_names(const char *typed, bool all)
{
	for (int m = 0; m < RPC_COUNT; m++)
		candidate("", rpc_table[m].name, "", typed, rpc_table[m].doc);
	for (const struct sockopt *o = sockopt_table; all && o->name != NULL; o++)
		candidate("", o->name, "", typed, o->doc);
	for (const struct event_type *n = event_type_table; all && n->name != NULL; n++)
		candidate("", n->name, "", typed, n->doc);
	for (int e = 1; all && e < ERR_COUNT; e++)
		candidate("", error_table[e].code, "", typed, error_table[e].doc);
}

static void
complete_option(const char *prefix, const struct sockopt *o, const char *typed)
{
	char	inside[96];

	if (o->fields[0].key == NULL || o->fields[0].key[0] == '\0') {
		candidate(prefix, o->name, "=", typed, o->doc);
		return;
	}
	(void)snprintf(inside, sizeof inside, "%s%s.", prefix, o->name);
	if (strncmp(typed, inside, strlen(inside)) != 0) {
		candidate(prefix, o->name, ".", typed, o->doc);
		return;
	}
	for (const struct field *f = o->fields; f->key != NULL; f++)
		candidate(inside, f->key, "=", typed, f->doc);
}

static void
complete_field(const struct field *f, const char *typed)
{
	const struct listed	*l;
	char			 prefix[64];

	if (f->type == FIELD_ANY && strcmp(f->key, "options") == 0) {
		if (strncmp(typed, "options.", 8) != 0) {
			candidate("", "options.", "", typed, f->doc);
			return;
		}
		for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
			complete_option("options.", o, typed);
	} else if (f->type == FIELD_RECORD) {
		(void)snprintf(prefix, sizeof prefix, "%s.", f->key);
		for (const struct field *s = f->sub; s->key != NULL; s++)
			candidate(prefix, s->key, "=", typed, s->doc);
	} else if (f->type == FIELD_WORD) {
		(void)snprintf(prefix, sizeof prefix, "%s=", f->key);
		for (const struct word *w = f->words; w->name != NULL; w++)
			candidate(prefix, w->name, "", typed, NULL);
	} else {
		(void)snprintf(prefix, sizeof prefix, "%s=", f->key);
		if ((l = find_listed(f->key, false)) != NULL && strncmp(typed, prefix, strlen(prefix)) == 0)
			complete_listed(prefix, l, typed);
		else
			candidate("", prefix, "", typed, f->doc);
	}
}

/* The words of that method. */
static void
complete_method(const char *name, const char *typed)
{
	const struct rpc_desc	*m = rpc_find(name, strlen(name));

	for (const struct field *f = m != NULL ? m->in : NULL; f != NULL && f->key != NULL; f++)
		complete_field(f, typed);
}

/* Commands and methods, or with all whatever has a name. */
static void
complete_commands(const struct ctl *ctl, const char *typed, bool all)
{
	for (const struct command *c = ctl->commands; c->doc != NULL; c++) {
		if (c->name != NULL && rpc_find(c->name, strlen(c->name)) == NULL)
			candidate("", c->name, "", typed, c->doc);
	}
	complete_names(typed, all);
}

/* The columns of all lists, each name once. */
static void
complete_columns(const char *typed)
{
	static const struct column *const	tables[] = { sock_columns, client_columns, assoc_columns, path_columns, member_columns,
		top_columns };
	bool					again;

	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
		for (const struct column *c = tables[t]; c->name != NULL; c++) {
			again = false;
			for (size_t u = 0; u < t; u++)
				again = again || table_find(tables[u], c->name) != NULL;
			if (!again)
				candidate("", c->name, "", typed, c->doc);
		}
	}
}

/* The value of an option: a socket option as open takes it, or one of its words. */
static void
complete_value(const struct option_row *r, const char *typed)
{
	const struct listed	*l = find_listed(r->name, true);
	char			 values[128], *word, *save;

	if (l != NULL) {
		complete_listed("", l, typed);
		return;
	}

	if (strcmp(r->argument, "ppid") == 0) {
		for (const struct ppid *p = ppid_table; p->name != NULL; p++)
			candidate("", p->name, "", typed, p->doc);
		return;
	}
	if (strcmp(r->argument, "column") == 0) {
		complete_columns(typed);
		return;
	}
	if (r->letter == 'o') {
		for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
			complete_option("", o, typed);
		return;
	}
	(void)snprintf(values, sizeof values, "%s", r->values != NULL ? r->values : "");
	for (word = strtok_r(values, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		candidate("", word, "", typed, NULL);
}

/* Complete a word that follows those n, the first of which is the command. */
static void
complete_word(const struct ctl *ctl, char **argv, int n, const char *typed)
{
	const struct command	*c = ctl_command(ctl, argv[0]);

	switch (c != NULL ? c->completes : COMPLETE_WORDS) {
	case COMPLETE_NOTHING:
		break;
	case COMPLETE_WORDS:
		complete_method(argv[0], typed);
		break;
	case COMPLETE_METHOD:
		if (n == 1)
			complete_names(typed, false);
		else
			complete_method(argv[1], typed);
		break;
	case COMPLETE_SUPERVISED:
		if (n == 1)
			complete_listed("", SUPERVISED, typed);
		break;
	case COMPLETE_NAMES:
		complete_commands(ctl, typed, true);
		break;
	}
}

/* The options of that command, or all. */
static void
complete_options(const struct command *c, const char *typed)
{
	for (const struct option_row *o = option_table; o->name != NULL; o++) {
		if (c == NULL || o->goes == WITH_ANY || ((unsigned)o->goes & c->goes) != 0)
			candidate("--", o->name, "", typed, o->doc);
	}
}

/* argv: the words after "sctpctl"; the last is the one being typed. */
int
complete_words(const struct ctl *ctl, int argc, char **argv, bool text)
{
	const char		*typed = argc > 0 ? argv[argc - 1] : "";
	const struct option_row	*r = NULL;	/* whose value is being typed */
	int			 n = 0;

	to = stdout;
	with_text = text;
	path = ctl->path;
	/* Without options and their values, the words of the command. */
	for (int i = 0; i < argc - 1; i++) {
		r = options_find(argv[i]);
		if (r != NULL && r->argument != NULL) {
			i++;
			if (r->letter == 's' && i < argc - 1)
				path = argv[i];
		}
		else if (argv[i][0] != '-')
			argv[n++] = argv[i];
		if (i < argc - 1)
			r = NULL;
	}
	if (r != NULL)
		complete_value(r, typed);
	else if (*typed == '-') {
		complete_options(n > 0 ? ctl_command(ctl, argv[0]) : NULL, typed);
	} else if (n == 0)
		complete_commands(ctl, typed, false);
	else
		complete_word(ctl, argv, n, typed);
	return out_flush();
}

static void
complete_events(const char *typed)
{
	for (const struct event_type *n = event_type_table; n->name != NULL; n++)
		candidate("", n->name, "", typed, n->doc);
}

void
complete_shell(FILE *f, const struct ctl *ctl, int argc, char **argv)
{
	const char	*typed = argv[argc - 1];

	to = f;
	with_text = false;
	path = ctl->path;
	if (argc == 1)
		complete_names(typed, false);
	else if (strcmp(argv[0], "help") == 0)
		complete_commands(ctl, typed, true);
	else if (strcmp(argv[0], "wait") == 0)
		complete_events(typed);
	else if (strcmp(argv[0], "call") == 0 && argc == 2)
		complete_names(typed, false);
	else
		complete_method(argv[strcmp(argv[0], "call") == 0], typed);
}
