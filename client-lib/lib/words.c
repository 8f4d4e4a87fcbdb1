/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key=value words to the arguments of a method.
 *
 * A word's text becomes the MessagePack value that its field's type suggests;
 * then the daemon's own reader, codec_unpack, says whether it fits. So both
 * ends refuse the same things in the same words.
 */
#include <string.h>

#include "lib/codes.h"
#include "lib/core.h"
#include "lib/words-text.h"
#include "lib/words.h"
#include "proto/codec.h"
#include "proto/sockopt.h"

/* A word, or what is left of it inside its record. */
struct arg {
	const char	*key;
	size_t		 len;
	const char	*value;
};

/* Words with the same head, their keys cut to what follows it. */
struct group {
	const char	*head;
	size_t		 len;
	size_t		 n;
	struct arg	 args[MAX_WORDS];
};

static bool	pack_record(struct pack *, const struct arg *, size_t,
		    const struct field *);

/* ---- groups --------------------------------------------------------- */

static size_t
head_len(const struct arg *a)
{
	const char	*dot = memchr(a->key, '.', a->len);

	return dot != NULL ? (size_t)(dot - a->key) : a->len;
}

static bool
same_head(const struct arg *a, const struct arg *b)
{
	size_t	n = head_len(a);

	return n == head_len(b) && memcmp(a->key, b->key, n) == 0;
}

/* Is it the first of its head? */
static bool
is_first(const struct arg *args, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (same_head(&args[j], &args[i]))
			return false;
	}
	return true;
}

static void
group_of(struct group *g, const struct arg *args, size_t n, size_t i)
{
	size_t	cut;

	g->head = args[i].key;
	g->len = head_len(&args[i]);
	g->n = 0;
	for (size_t j = i; j < n; j++) {
		if (!same_head(&args[i], &args[j]))
			continue;
		cut = g->len + (args[j].len > g->len);
		g->args[g->n++] = (struct arg){ args[j].key + cut,
		    args[j].len - cut, args[j].value };
	}
}

/* ---- options -------------------------------------------------------- */

/* Would the daemon take the map or value packed since then? */
static bool
check(struct pack *p, size_t from, const struct field *fields, void *to, uint64_t *has)
{
	const char	*bytes = p->c->out.data + p->c->begun;
	size_t		 end = p->c->out.len - p->c->begun;
	msgpack_zone	 zone;
	msgpack_object	 obj;
	bool		 ok;

	if (p->c->no_memory)
		return true;		/* core_end will say so */
	if (!msgpack_zone_init(&zone, 1024)) {
		p->c->no_memory = true;
		return true;
	}
	if (msgpack_unpack(bytes, end, &from, &zone, &obj) < 0)
		p->c->no_memory = ok = true;
	else
		ok = codec_unpack(&obj, fields, to, has, &p->why);
	msgpack_zone_destroy(&zone);
	return ok;
}

/* The row of an option that may be used so, or why not. */
static const struct sockopt *
find_option(struct pack *p, const char *name, size_t len, uint16_t access)
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

/* What a method does with options. */
static uint16_t
access_of(const struct pack *p)
{
	if (strcmp(p->method->name, "getopts") == 0)
		return SOCKOPT_GET;
	return strcmp(p->method->name, "open") == 0 ? SOCKOPT_SET | SOCKOPT_OPEN : SOCKOPT_SET;
}

/* [name, value], checked. */
static bool
pack_option(struct pack *p, const struct group *g)
{
	const struct sockopt	*row = find_option(p, g->head, g->len, access_of(p));
	_Alignas(8) char	 scratch[SOCKOPT_MAX];
	size_t			 from;
	bool			 ok;

	if (row == NULL)
		return false;
	p->c->secret = p->c->secret || row->secret;
	msgpack_pack_array(&p->c->pk, 2);
	codec_pack_text(&p->c->pk, row->name);
	from = p->c->out.len - p->c->begun;
	if (row->fields[0].key == NULL || row->fields[0].key[0] != '\0')
		ok = g->args[0].len > 0 ? pack_record(p, g->args, g->n, row->fields) :
		    words_refuse_record(p, row->fields);
	else if (g->n != 1 || g->args[0].len > 0)
		ok = words_refuse(p, "it is one value, without parts");
	else
		ok = words_pack_text(p, &row->fields[0], g->args[0].value);
	ok = ok && check(p, from, row->fields, scratch, NULL);
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
pack_names(struct pack *p, const char *s)
{
	const struct sockopt	*row;
	size_t			 len;

	while (*s != '\0') {
		len = strcspn(s, ",");
		if ((row = find_option(p, s, len, SOCKOPT_GET)) == NULL)
			return false;
		codec_pack_text(&p->c->pk, row->name);
		s += len + (s[len] == ',');
	}
	return true;
}

/* The list of [name, value] that options takes, in the order of the words. */
static bool
pack_options(struct pack *p, const struct arg *args, size_t n)
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
	msgpack_pack_array(&p->c->pk, items);
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
pack_field(struct pack *p, const struct group *g, const struct field *f)
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
pack_record(struct pack *p, const struct arg *args, size_t n, const struct field *fields)
{
	struct group	g;
	uint32_t	heads = 0;

	for (size_t i = 0; i < n; i++)
		heads += is_first(args, i);
	msgpack_pack_map(&p->c->pk, heads);
	for (size_t i = 0; i < n; i++) {
		if (!is_first(args, i))
			continue;
		group_of(&g, args, n, i);
		msgpack_pack_str_with_body(&p->c->pk, g.head, g.len);
		if (!pack_field(p, &g, find_field(fields, g.head, g.len))) {
			errtext_under(&p->why, g.head, g.len);
			return false;
		}
	}
	return true;
}

/* ---- the whole request ---------------------------------------------- */

static int
split(struct pack *p, int argc, const char *const *argv, struct arg *args)
{
	const char	*eq;

	if (argc > MAX_WORDS)
		return lib_error(p->c, SCTPD_BADARG, "there are %d words; a call takes %d at most", argc, MAX_WORDS);
	for (int i = 0; i < argc; i++) {
		if ((eq = strchr(argv[i], '=')) == NULL || eq == argv[i])
			return lib_error(p->c, SCTPD_BADARG,
			    "%s: \"%.64s\" is not a key=value word", p->method->name, argv[i]);
		args[i] = (struct arg){ argv[i], (size_t)(eq - argv[i]), eq + 1 };
	}
	return SCTPD_OK;
}

/* What the method itself will wait: -1 for ever, 0 if it does not. */
static int64_t
own_timeout(const struct rpc_desc *d, const char *in, uint64_t has)
{
	int64_t	ms;

	for (const struct field *f = d->in; f->key != NULL; f++) {
		if (f->type != FIELD_TIMEOUT)
			continue;
		if ((has >> (f - d->in) & 1) == 0)
			return -1;
		memcpy(&ms, in + f->offset, sizeof ms);
		return ms;
	}
	return 0;
}

/* Keep why the words are refused. A text that is no value of its type is shown. */
static int
refused(const struct pack *p, const struct arg *args, size_t n)
{
	static const char	 got[] = "got a string; ";
	const char		*path = p->why.path, *sep = path[0] != '\0' ? ": " : "";

	for (size_t i = 0; i < n && strncmp(p->why.why, got, sizeof got - 1) == 0; i++) {
		if (strlen(path) == args[i].len && memcmp(path, args[i].key, args[i].len) == 0)
			return lib_error(p->c, SCTPD_BADARG, "%s: %s: got \"%.64s\"; %s", p->method->name,
			    path, args[i].value, p->why.why + sizeof got - 1);
	}
	return lib_error(p->c, SCTPD_BADARG, "%s: %s%s%s", p->method->name, path, sep, p->why.why);
}

int
words_begin(struct sctpd *c, bool answered, int argc, const char *const *argv,
    int64_t *timeout)
{
	_Alignas(8) char	in[1024] = { 0 };
	struct arg		args[MAX_WORDS];
	struct pack		p = { .c = c };
	uint64_t		has;
	size_t			from;
	int			code;

	if (argc < 1 || (p.method = rpc_find(argv[0], strlen(argv[0]))) == NULL)
		return lib_error(c, SCTPD_ENOSYS,
		    "there is no method \"%.64s\"", argc < 1 ? "" : argv[0]);
	if (p.method->in_size > sizeof in)
		return lib_error(c, SCTPD_ENOSYS, "%s: its arguments do not fit", argv[0]);
	if ((code = split(&p, argc - 1, argv + 1, args)) != SCTPD_OK ||
	    (code = core_begin(c, p.method->name, answered)) != SCTPD_OK)
		return code;
	from = c->out.len - c->begun;
	if (!pack_record(&p, args, (size_t)argc - 1, p.method->in) ||
	    !check(&p, from, p.method->in, in, &has)) {
		core_cancel(c);
		return refused(&p, args, (size_t)argc - 1);
	}
	if (timeout != NULL)
		*timeout = c->no_memory ? 0 : own_timeout(p.method, in, has);
	return SCTPD_OK;
}
