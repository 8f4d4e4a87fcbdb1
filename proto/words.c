/* SPDX-License-Identifier: BSD-2-Clause */
/* Words in groups, by the parts of their keys: see words.h. */
#include <string.h>

#include "proto/codec.h"
#include "proto/sockopt.h"
#include "proto/words.h"

/* Words with the same head, their keys cut to what follows it. */
struct group {
	const char	*head;
	size_t		 len;
	size_t		 n;
	struct word_arg	 args[MAX_WORDS];
};

static bool	pack_record(struct words *, const struct word_arg *, size_t,
		    const struct field *);

/* ---- groups --------------------------------------------------------- */

static size_t
head_len(const struct word_arg *a)
{
	const char	*dot = memchr(a->key, '.', a->len);

	return dot != NULL ? (size_t)(dot - a->key) : a->len;
}

static bool
same_head(const struct word_arg *a, const struct word_arg *b)
{
	size_t	n = head_len(a);

	return n == head_len(b) && memcmp(a->key, b->key, n) == 0;
}

/* Is it the first of its head? */
static bool
is_first(const struct word_arg *args, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (same_head(&args[j], &args[i]))
			return false;
	}
	return true;
}

static void
group_of(struct group *g, const struct word_arg *args, size_t n, size_t i)
{
	size_t	cut;

	g->head = args[i].key;
	g->len = head_len(&args[i]);
	g->n = 0;
	for (size_t j = i; j < n; j++) {
		if (!same_head(&args[i], &args[j]))
			continue;
		cut = g->len + (args[j].len > g->len);
		g->args[g->n++] = (struct word_arg){ args[j].key + cut,
		    args[j].len - cut, args[j].value };
	}
}

/* ---- options -------------------------------------------------------- */

bool
words_check(struct words *p, size_t from, const struct field *fields, void *to, uint64_t *has)
{
	size_t		 end;
	const char	*bytes = p->packed(p->arg, &end);
	msgpack_zone	 zone;
	msgpack_object	 obj;
	bool		 ok;

	if (bytes == NULL)
		return true;		/* whoever asked will find out */
	if (!msgpack_zone_init(&zone, 1024)) {
		p->no_memory = true;
		return true;
	}
	if (msgpack_unpack(bytes, end, &from, &zone, &obj) < 0)
		p->no_memory = ok = true;
	else
		ok = codec_unpack(&obj, fields, to, has, &p->why);
	msgpack_zone_destroy(&zone);
	return ok;
}

/* The row of an option that may be used so, or why not. */
static const struct sockopt *
find_option(struct words *p, const char *name, size_t len, uint16_t access)
{
	const struct sockopt	*row = sockopt_find(name, len);

	if (row == NULL)
		words_refuse(p, "there is no such option");
	else if ((row->access & access) == 0) {
		words_refuse(p, row->access == SOCKOPT_GET ? "it can only be read" :
		    row->access == SOCKOPT_SET ? "it can only be set" : "it can only be given at open");
		row = NULL;
	}
	if (row == NULL)
		errtext_under(&p->why, name, len);
	return row;
}

static bool
opens(const struct rpc_desc *m)
{
	return strcmp(m->name, "open") == 0 || strcmp(m->name, "supervise") == 0;
}

/* What a method does with options. */
static uint16_t
access_of(const struct words *p)
{
	if (strcmp(p->method->name, "getopts") == 0)
		return SOCKOPT_GET;
	return opens(p->method) ? SOCKOPT_SET | SOCKOPT_OPEN : SOCKOPT_SET;
}

/* [name, value], checked. */
static bool
pack_option(struct words *p, const struct group *g)
{
	const struct sockopt	*row = find_option(p, g->head, g->len, access_of(p));
	_Alignas(8) char	 scratch[SOCKOPT_MAX];
	size_t			 from;
	bool			 ok;

	if (row == NULL)
		return false;
	p->secret = p->secret || row->secret;
	msgpack_pack_array(p->pk, 2);
	codec_pack_text(p->pk, row->name);
	(void)p->packed(p->arg, &from);
	if (row->fields[0].key == NULL || row->fields[0].key[0] != '\0')
		ok = g->args[0].len > 0 ? pack_record(p, g->args, g->n, row->fields) :
		    words_refuse_record(p, row->fields);
	else if (g->n != 1 || g->args[0].len > 0)
		ok = words_refuse(p, "it is one value, without parts");
	else
		ok = words_pack_text(p, &row->fields[0], g->args[0].value);
	ok = ok && words_check(p, from, row->fields, scratch, NULL);
	if (row->secret)
		explicit_bzero(scratch, sizeof scratch);
	if (!ok)
		errtext_under(&p->why, g->head, g->len);
	return ok;
}

static uint32_t
count_names(const char *s)
{
	uint32_t	n = *s != '\0';

	for (; *s != '\0'; s++)
		n += *s == ',';
	return n;
}

/* options=a,b of getopts: names alone. */
static bool
pack_names(struct words *p, const char *s)
{
	const struct sockopt	*row;
	size_t			 len;

	while (*s != '\0') {
		len = strcspn(s, ",");
		if ((row = find_option(p, s, len, SOCKOPT_GET)) == NULL)
			return false;
		codec_pack_text(p->pk, row->name);
		s += len + (s[len] == ',');
	}
	return true;
}

/* The list of [name, value] that options takes, in the order of the words. */
static bool
pack_options(struct words *p, const struct word_arg *args, size_t n)
{
	struct group	g;
	uint32_t	items = 0;

	for (size_t i = 0; i < n; i++) {
		if (args[i].len == 0 && strcmp(p->method->name, "getopts") != 0)
			return words_refuse(p,
			    "name them: options.NAME=VALUE, options.NAME.FIELD=VALUE");
		if (args[i].len == 0)
			items += count_names(args[i].value);
		else
			items += is_first(args, i);
	}
	msgpack_pack_array(p->pk, items);
	for (size_t i = 0; i < n; i++) {
		if (args[i].len == 0 && !pack_names(p, args[i].value))
			return false;
		if (args[i].len == 0 || !is_first(args, i))
			continue;
		group_of(&g, args, n, i);
		if (!pack_option(p, &g))
			return false;
	}
	return true;
}

/* ---- records -------------------------------------------------------- */

static const struct field *
find_field(const struct field *fields, const char *key, size_t len)
{
	for (const struct field *f = fields; f->key != NULL; f++) {
		if (strlen(f->key) == len && memcmp(f->key, key, len) == 0)
			return f;
	}
	return NULL;
}

static bool
pack_field(struct words *p, const struct group *g, const struct field *f)
{
	static const struct field unknown = { .key = "", .type = FIELD_ANY };

	if (f == NULL)
		f = &unknown;		/* check will refuse the key */
	if (f->type == FIELD_ANY && strcmp(f->key, "options") == 0)
		return pack_options(p, g->args, g->n);
	if (g->args[0].len > 0 && f->type == FIELD_RECORD)
		return pack_record(p, g->args, g->n, f->sub);
	if (g->args[0].len > 0 && f != &unknown)
		return words_refuse(p, "it has no parts");
	if (g->n != 1 && f != &unknown)
		return words_refuse(p, "given twice");
	return words_pack_text(p, f, g->args[0].value);
}

static bool
pack_record(struct words *p, const struct word_arg *args, size_t n, const struct field *fields)
{
	struct group	g;
	uint32_t	heads = 0;

	for (size_t i = 0; i < n; i++)
		heads += is_first(args, i);
	msgpack_pack_map(p->pk, heads);
	for (size_t i = 0; i < n; i++) {
		if (!is_first(args, i))
			continue;
		group_of(&g, args, n, i);
		msgpack_pack_str_with_body(p->pk, g.head, g.len);
		if (!pack_field(p, &g, find_field(fields, g.head, g.len))) {
			errtext_under(&p->why, g.head, g.len);
			return false;
		}
	}
	return true;
}

bool
words_pack(struct words *p, const struct word_arg *args, size_t n)
{
	return pack_record(p, args, n, p->method->in);
}
