/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the tables for people: `proto-doc markdown` is proto/REFERENCE.md,
 * `proto-doc man` is sctpd-protocol(7), and `proto-doc page FILE` is a page of
 * prose alone, such as sctpd-n2(7). For programs it prints JSON: see json.c.
 *
 * One walk over the tables; a struct style says how what it meets is written
 * down. The manual page opens with the prose of proto/README.md, so that the
 * wire is described once.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/difference.h"
#include "proto/error.h"
#include "proto/field.h"
#include "proto/json.h"
#include "proto/mdoc.h"
#include "proto/event_type.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"

#define README	"proto/README.md"

struct style {
	void	(*section)(const char *title);
	void	(*entry)(const char *name, const char *from);
	void	(*text)(const char *);
	void	(*list)(const char *title, bool typed);
	void	(*item)(const char *name, const char *type, const char *text);
	void	(*end)(void);
	void	(*compare)(const struct difference *);
	void	(*compare_stacks)(const struct stack_difference *);
};

/* ---- Markdown ------------------------------------------------------- */

static void
md_section(const char *title)
{
	printf("\n## %s\n", title);
}

static void
md_entry(const char *name, const char *from)
{
	printf("\n### %s\n\nFrom %s.\n", name, from);
}

static void
md_text(const char *text)
{
	printf("\n%s\n", text);
}

static void
md_list(const char *title, bool typed)
{
	printf("\n| %s | %s|\n| --- | --- |%s\n", title, typed ? "type | " : "",
	    typed ? " --- |" : "");
}

static void
md_item(const char *name, const char *type, const char *text)
{
	printf("| `%s` | %s%s%s |\n", name, type, *type != '\0' ? " | " : "",
	    text);
}

static void
md_end(void)
{
}

static void
md_compare(const struct difference *d)
{
	puts("\n| | gen_sctp | sctpd |\n| --- | --- | --- |");
	for (; d->what != NULL; d++)
		printf("| %s | %s | %s |\n", d->what, d->otp, d->sctpd);
}

static void
md_compare_stacks(const struct stack_difference *d)
{
	puts("\n| | kernel | userland |\n| --- | --- | --- |");
	for (; d->key != NULL; d++)
		printf("| %s | %s | %s |\n", d->key, d->kernel, d->userland);
}

static const struct style markdown = {
	md_section, md_entry, md_text, md_list, md_item, md_end, md_compare,
	md_compare_stacks
};

/* ---- mdoc ----------------------------------------------------------- */

/* Whether a paragraph needs a macro to part it from what is above. */
static bool	man_apart;

static void
man_text(const char *text)
{
	if (man_apart)
		puts(".Pp");
	mdoc_fill(text);
	man_apart = true;
}

static void
man_section(const char *title)
{
	printf(".Sh ");
	for (; *title != '\0'; title++)
		putchar(toupper((unsigned char)*title));
	putchar('\n');
	man_apart = false;
}

static void
man_entry(const char *name, const char *from)
{
	char	text[160];

	printf(".Ss %s\n", name);
	man_apart = false;
	(void)snprintf(text, sizeof text, "From %s.", from);
	man_text(text);
}

static void
man_list(const char *title, bool typed)
{
	char	text[80];

	(void)typed;
	(void)snprintf(text, sizeof text, "%c%s:",
	    toupper((unsigned char)title[0]), title + 1);
	man_text(text);
	puts(".Bl -tag -width Ds -offset indent -compact");
}

static void
man_item(const char *name, const char *type, const char *text)
{
	printf(".It Va %s", name);
	if (*type != '\0')
		printf(" Pq %s", type);
	putchar('\n');
	mdoc_fill(text);
}

static void
man_end(void)
{
	puts(".El");
}

/* A text of any length behind its label. */
static void
man_labelled(const char *label, const char *text)
{
	char	*line;

	if (asprintf(&line, "%s: %s", label, text) == -1) {
		perror("doc");
		exit(EXIT_FAILURE);
	}
	mdoc_fill(line);
	free(line);
}

/* How two sides differ, below a heading. */
static void
man_both(const char *what, const char *one, const char *its, const char *other,
    const char *others)
{
	printf(".It Em %s\n", what);
	man_labelled(one, its);
	puts(".Pp");
	man_labelled(other, others);
}

static void
man_compare(const struct difference *d)
{
	man_apart = true;
	puts(".Bl -tag -width Ds");
	for (; d->what != NULL; d++)
		man_both(d->what, "gen_sctp", d->otp, "sctpd", d->sctpd);
	puts(".El");
}

static void
man_compare_stacks(const struct stack_difference *d)
{
	man_apart = true;
	puts(".Bl -tag -width Ds");
	for (; d->key != NULL; d++)
		man_both(d->key, "kernel", d->kernel, "userland", d->userland);
	puts(".El");
}

static const struct style mdoc = {
	man_section, man_entry, man_text, man_list, man_item, man_end, man_compare,
	man_compare_stacks
};

/* ---- the tables ----------------------------------------------------- */

static const char *const type_names[] = {
	[FIELD_BOOL] = "bool",
	[FIELD_U8] = "u8",
	[FIELD_U16] = "u16",
	[FIELD_U32] = "u32",
	[FIELD_S32] = "s32",
	[FIELD_MAYBE16] = "u16",
	[FIELD_U64] = "u64",
	[FIELD_BE16] = "u16",
	[FIELD_BE32] = "u32",
	[FIELD_TIMEOUT] = "timeout",
	[FIELD_WORD] = "word",
	[FIELD_WORDS] = "words",
	[FIELD_ADDR] = "address",
	[FIELD_IP] = "address",
	[FIELD_ENDPOINT] = "endpoint",
	[FIELD_CHARS] = "string",
	[FIELD_STR] = "string",
	[FIELD_BIN] = "bytes",
	[FIELD_RECORD] = "map",
	[FIELD_ANY] = "any",
	[FIELD_TAIL] = "bytes",
	[FIELD_TAIL16] = "list of u16",
	[FIELD_LIST] = "words",
};

static const char *
type_name(const struct field *f)
{
	return type_names[f->type == FIELD_LIST && f->words == NULL ? FIELD_BIN : f->type];
}

static void
print_types(const struct style *st)
{
	struct field	f = { .key = "" };

	st->section("Types");
	st->list("type", false);
	for (int t = FIELD_BOOL; t <= FIELD_RECORD; t++) {
		if (t == FIELD_BE16 || t == FIELD_BE32 || t == FIELD_MAYBE16 || t == FIELD_ADDR ||
		    t == FIELD_CHARS)
			continue;	/* as others, once outside */
		f.type = (enum field_type)t;
		st->item(type_names[t], "", codec_field_type(&f));
	}
	st->item("any", "", "a value as the description says");
	st->end();
}

/* The text names every word that the field takes. */
static bool
has_words(const struct field *f)
{
	for (const struct word *w = f->words; w->name != NULL; w++) {
		if (strstr(f->doc, w->name) == NULL)
			return false;
	}
	return true;
}

/* A field's text, and its words where the text does not name them. */
static void
field_text(const struct field *f, char *buf, size_t size)
{
	size_t	n = (size_t)snprintf(buf, size, "%s%s", f->doc,
	    f->sparse ? "; may be absent" : "");

	if (f->words == NULL || has_words(f))
		return;
	for (const struct word *w = f->words; w->name != NULL && n < size; w++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s",
		    w == f->words ? ". Words: " : ", ", w->name);
}

/* Items of a table; those of a record inside follow it with dots. */
static void
print_items(const struct style *st, const struct field *f, const char *under,
    bool args)
{
	char	name[96], type[40], text[512];

	for (; f->key != NULL; f++) {
		(void)snprintf(name, sizeof name, "%s%s%s", under,
		    *under != '\0' ? "." : "", *f->key != '\0' ? f->key : "value");
		(void)snprintf(type, sizeof type, "%s%s", type_name(f),
		    args && f->required ? ", required" : "");
		field_text(f, text, sizeof text);
		st->item(name, type, text);
		if (f->type == FIELD_RECORD)
			print_items(st, f->sub, name, false);
	}
}

static void
print_fields(const struct style *st, const char *title, const struct field *f)
{
	if (f->key == NULL)
		return;
	st->list(title, true);
	print_items(st, f, "", strcmp(title, "argument") == 0);
	st->end();
}

static void
print_methods(const struct style *st)
{
	st->section("Methods");
	for (int m = 0; m < RPC_COUNT; m++) {
		st->entry(rpc_table[m].name, rpc_table[m].from);
		st->text(rpc_table[m].doc);
		print_fields(st, "argument", rpc_table[m].in);
		print_fields(st, "result", rpc_table[m].out);
	}
}

static const char *const access_text[] = {
	[SOCKOPT_GET] = "Read only",
	[SOCKOPT_SET] = "Set only",
	[SOCKOPT_RW] = "Read and set",
	[SOCKOPT_OPEN] = "At open only",
};

static const char *const scope_text[] = {
	[SCOPE_SOCKET] = "the option belongs to the socket",
	[SCOPE_FUTURE] = "assoc_id selects an association, or with 0 new associations",
	[SCOPE_CURRENT] = "assoc_id selects an association, or with 0 new associations, with 1 existing ones, with 2 both",
	[SCOPE_ASSOC] = "assoc_id selects an association; it is not needed on a one-to-one socket",
};

/* Which stacks have the option, and from which version on. */
static void
print_where(const struct style *st, const struct sockopt *o)
{
	char	text[160];

	if (o->level == LEVEL_HANDLED || o->level == LEVEL_STORED)
		(void)snprintf(text, sizeof text, "The daemon's own%s.",
		    o->kernel_only ? ", with the kernel's stack only" : ", with both stacks");
	else
		(void)snprintf(text, sizeof text, "Kernel: %s%s. Userland stack: %s.",
		    o->since != NULL ? "Linux " : "all versions", o->since != NULL ? o->since : "",
		    o->kernel_only ? "no" : "yes");
	st->text(text);
}

static void
print_absent(const struct style *st, const char *title, const struct sockopt_absent *a)
{
	st->text(title);
	st->list("constant", false);
	for (; a->name != NULL; a++)
		st->item(a->name, "", a->why);
	st->end();
}

static void
print_all_absent(const struct style *st)
{
	st->section("Constants that are no options");
	print_absent(st, "Those of the kernel:", sockopt_absent_kernel);
	print_absent(st, "Those of usrsctp:", sockopt_absent_userland);
}

static void
print_options(const struct style *st)
{
	char	text[160];

	st->section("Options");
	st->text("An option with fields is a map of them. Fields that are not given keep their value. An option without fields is a single value.");
	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++) {
		st->entry(o->name, o->from);
		st->text(o->doc);
		(void)snprintf(text, sizeof text, "%s; %s.",
		    access_text[o->access], scope_text[o->scope]);
		st->text(text);
		print_where(st, o);
		print_fields(st, *o->fields->key != '\0' ? "field" : "value",
		    o->fields);
	}
}

static void
print_events(const struct style *st)
{
	st->section("Events");
	st->text("Every event begins with these fields:");
	print_fields(st, "field", event_head_fields);
	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		st->entry(n->name, n->from);
		st->text(n->doc);
		print_fields(st, "field", n->fields);
	}
}

static void
print_errors(const struct style *st)
{
	st->section("Error codes");
	st->list("code", false);
	for (int e = ERR_OK + 1; e < ERR_COUNT; e++)
		st->item(error_table[e].code, "", error_table[e].doc);
	st->end();
}

static void
print_differences(const struct style *st)
{
	st->section("Differences from gen_sctp");
	st->text("What differs for a program that was written for gen_sctp. The column gen_sctp describes OTP 25 and 27 on Linux.");
	st->compare(difference_table);
	st->text("Values of the options of a new socket, as they read back:");
	st->compare(difference_defaults);
}

static void
print_stack_differences(const struct style *st)
{
	st->section("Differences between the stacks");
	st->text("What differs between the kernel's SCTP and the userland stack. The field `stack` of `hello` and `status` says which one is in use.");
	st->compare_stacks(stack_difference_table);
}

static void
print_tables(const struct style *st)
{
	print_types(st);
	print_methods(st);
	print_options(st);
	print_all_absent(st);
	print_events(st);
	print_errors(st);
	print_stack_differences(st);
	print_differences(st);
}

/* ---- proto/README.md as mdoc ---------------------------------------- */

/* The paragraph or list item that is being read. */
struct prose {
	char	text[4096];
	size_t	len;
	const char *list;	/* the kind of the list that this is inside of; NULL: none */
	bool	literal;	/* inside a display */
};

static void
prose_flush(struct prose *p)
{
	if (p->len > 0)
		(p->list != NULL ? mdoc_fill : man_text)(p->text);
	p->len = 0;
}

static void
prose_end_list(struct prose *p)
{
	prose_flush(p);
	if (p->list != NULL)
		puts(".El");
	p->list = NULL;
}

static void
prose_item(struct prose *p, const char *kind)
{
	prose_flush(p);
	if (p->list == NULL)
		printf(".Bl -%s -offset indent\n", kind);
	p->list = kind;
	man_apart = true;
	puts(".It");
}

static void
prose_add(struct prose *p, const char *line)
{
	size_t	room = sizeof p->text - p->len;
	size_t	n = (size_t)snprintf(p->text + p->len, room, "%s ", line);

	if (n >= room) {
		fprintf(stderr, "proto-doc: a paragraph is too long\n");
		exit(1);
	}
	p->len += n;
}

static void
prose_literal(struct prose *p, const char *line)
{
	bool	bold = false;

	if (strncmp(line, "```", 3) == 0) {
		p->literal = false;
		puts(".Ed");
		return;
	}
	mdoc_word(line, strlen(line), 0, &bold);
	putchar('\n');
}

/* What follows "1. "; NULL: the line begins no step of a numbered list. */
static const char *
numbered(const char *line)
{
	size_t	n = strspn(line, "0123456789");

	return n > 0 && strncmp(line + n, ". ", 2) == 0 ? line + n + 2 : NULL;
}

static void
prose_line(struct prose *p, const char *line)
{
	if (p->literal) {
		prose_literal(p, line);
	} else if (strncmp(line, "```", 3) == 0) {
		prose_end_list(p);
		puts(".Bd -literal -offset indent");
		p->literal = man_apart = true;
	} else if (strncmp(line, "# ", 2) == 0) {
		man_section("Description");
	} else if (strncmp(line, "## ", 3) == 0) {
		prose_end_list(p);
		man_section(line + 3);
	} else if (strncmp(line, "- ", 2) == 0) {
		prose_item(p, "bullet");
		prose_add(p, line + 2);
	} else if (numbered(line) != NULL) {
		prose_item(p, "enum");
		prose_add(p, numbered(line));
	} else if (*line == '\0') {
		prose_end_list(p);
	} else {
		prose_add(p, line);
	}
}

static int
print_prose(const char *path)
{
	static struct prose	 p;
	char			 line[256];
	FILE			*fp;

	if ((fp = fopen(path, "r")) == NULL) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof line, fp) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		prose_line(&p, line);
	}
	prose_end_list(&p);
	(void)fclose(fp);
	return 0;
}

/* ---- the two documents ---------------------------------------------- */

static int
print_markdown(void)
{
	puts("# Reference\n\n"
	    "Printed by `build/proto-doc markdown` from the tables in this directory; do\n"
	    "not edit. `README.md` describes the protocol.");
	print_tables(&markdown);
	return 0;
}

/* What a page begins with. */
static void
man_head(const char *how, const char *date, const char *name, const char *what)
{
	printf(".\\\" SPDX-License-Identifier: BSD-2-Clause\n"
	    ".\\\" Printed by build/proto-doc %s; do not edit.\n"
	    ".Dd %s\n"
	    ".Dt ", how, date);
	for (const char *s = name; *s != '\0'; s++)
		putchar(toupper((unsigned char)*s));
	printf(" 7\n"
	    ".Os\n"
	    ".Sh NAME\n"
	    ".Nm %s\n"
	    ".Nd %s\n", name, what);
}

static int
print_man(const char *readme)
{
	man_head("man", "November 22, 2026", "sctpd-protocol",
	    "protocol between programs and sctpd");
	if (print_prose(readme) == -1)
		return 1;
	print_tables(&mdoc);
	puts(".Sh SEE ALSO\n"
	    ".Xr sctpctl 1 ,\n"
	    ".Xr libsctpd 3 ,\n"
	    ".Xr sctp 7 ,\n"
	    ".Xr sctpd-n2 7 ,\n"
	    ".Xr sctpd 8\n"
	    ".Sh STANDARDS\n"
	    "RFC 6458 (the sockets API), RFC 9260 (SCTP), RFC 4895, RFC 5061, RFC 6525,\n"
	    "RFC 6951, RFC 7496, RFC 7829, RFC 8260; the MessagePack and MessagePack-RPC\n"
	    "specifications.");
	return 0;
}

/* A page of prose alone, whose first line is "# NAME: WHAT IT IS ABOUT". */
static int
print_page(const char *path)
{
	char	 line[256] = "", how[256];
	char	*what;
	FILE	*fp;

	if ((fp = fopen(path, "r")) == NULL) {
		perror(path);
		return 1;
	}
	if (fgets(line, sizeof line, fp) == NULL)
		*line = '\0';
	(void)fclose(fp);
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "# ", 2) != 0 || (what = strstr(line, ": ")) == NULL) {
		fprintf(stderr, "%s: it must begin with \"# NAME: WHAT IT IS ABOUT\"\n", path);
		return 1;
	}
	*what = '\0';
	(void)snprintf(how, sizeof how, "page %s", path);
	man_head(how, "November 29, 2026", line + 2, what + 2);
	return print_prose(path) == -1;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "markdown") == 0)
		return print_markdown();
	if (argc == 3 && strcmp(argv[1], "page") == 0)
		return print_page(argv[2]);
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "man") == 0)
		return print_man(argc == 3 ? argv[2] : README);
	if (argc == 2 && strcmp(argv[1], "json") == 0) {
		json_tables(type_name);
		return 0;
	}
	fprintf(stderr, "usage: proto-doc markdown\n       proto-doc json\n       proto-doc man [%s]\n"
	    "       proto-doc page FILE\n", README);
	return 1;
}
