/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key=value words to the arguments of a method.
 *
 * A word's text becomes the MessagePack value that its field's type suggests;
 * then the daemon's own reader, codec_unpack, says whether it fits. So both
 * ends refuse the same things in the same words.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "core.h"
#include "rpc.h"
#include "sockopt.h"

#define MAX_WORDS	64

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

struct pack {
	struct sctpd		*c;
	const struct rpc_desc	*method;
	struct errtext		 why;
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

static uint32_t
count_heads(const struct arg *args, size_t n)
{
	uint32_t	heads = 0;

	for (size_t i = 0; i < n; i++)
		heads += is_first(args, i);
	return heads;
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

/* ---- one value ------------------------------------------------------ */

static bool
refuse(struct pack *p, const char *why)
{
	errtext_set(&p->why, "%s", why);
	return false;
}

static bool
parse_number(const char *s, size_t len, int64_t *v)
{
	char	 buf[32], *end;
	bool	 hex;

	if (len == 0 || len >= sizeof buf)
		return false;
	memcpy(buf, s, len);
	buf[len] = '\0';
	hex = buf[0] == '0' && (buf[1] == 'x' || buf[1] == 'X');
	if (!isdigit((unsigned char)buf[0]) && buf[0] != '-')
		return false;
	*v = strtoll(buf, &end, hex ? 16 : 10);
	return *end == '\0';
}

/* The value that a text looks like, where the type does not say. */
static void
pack_guess(msgpack_packer *pk, const char *s, size_t len, bool words)
{
	int64_t	v;

	if (parse_number(s, len, &v))
		msgpack_pack_int64(pk, v);
	else if (!words && len == 4 && memcmp(s, "true", 4) == 0)
		msgpack_pack_true(pk);
	else if (!words && len == 5 && memcmp(s, "false", 5) == 0)
		msgpack_pack_false(pk);
	else
		msgpack_pack_str_with_body(pk, s, len);
}

/* a,b,c as a list. */
static void
pack_list(msgpack_packer *pk, const char *s, bool words)
{
	uint32_t	n = *s != '\0';
	size_t		len;

	for (const char *q = s; *q != '\0'; q++)
		n += *q == ',';
	msgpack_pack_array(pk, n);
	for (uint32_t i = 0; i < n; i++) {
		len = strcspn(s, ",");
		pack_guess(pk, s, len, words);
		s += len + (s[len] == ',');
	}
}

static void
pack_bool(msgpack_packer *pk, const char *s)
{
	if (strcmp(s, "1") == 0 || strcmp(s, "true") == 0)
		msgpack_pack_true(pk);
	else if (strcmp(s, "0") == 0 || strcmp(s, "false") == 0)
		msgpack_pack_false(pk);
	else
		codec_pack_text(pk, s);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
pack_hex(struct pack *p, const char *s)
{
	msgpack_packer	*pk = &p->c->pk;
	size_t		 len = strlen(s);
	char		 byte;

	for (size_t i = 0; i < len; i++) {
		if (hex_digit(s[i]) < 0 || len % 2 != 0)
			return refuse(p, "hex: takes pairs of the digits 0-9 and a-f");
	}
	msgpack_pack_bin(pk, len / 2);
	for (size_t i = 0; i < len; i += 2) {
		byte = (char)(hex_digit(s[i]) << 4 | hex_digit(s[i + 1]));
		msgpack_pack_bin_body(pk, &byte, 1);
	}
	return true;
}

static bool
pack_bytes(struct pack *p, const char *s)
{
	if (strncmp(s, "hex:", 4) == 0)
		return pack_hex(p, s + 4);
	if (strncmp(s, "text:", 5) == 0)
		s += 5;
	msgpack_pack_bin_with_body(&p->c->pk, s, strlen(s));
	return true;
}

/* 10.0.0.1:2905 or [2001:db8::1]:2905 */
static bool
pack_endpoint(struct pack *p, const char *s)
{
	msgpack_packer	*pk = &p->c->pk;
	const char	*colon = strrchr(s, ':');
	size_t		 len = colon != NULL ? (size_t)(colon - s) : 0;

	if (len == 0)
		return refuse(p, "it takes ADDRESS:PORT, such as 10.0.0.1:2905 or [2001:db8::1]:2905");
	if (s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	msgpack_pack_map(pk, 2);
	codec_pack_text(pk, "addr");
	msgpack_pack_str_with_body(pk, s, len);
	codec_pack_text(pk, "port");
	pack_guess(pk, colon + 1, strlen(colon + 1), true);
	return true;
}

static bool
refuse_record(struct pack *p, const struct field *sub)
{
	char	known[224] = "";
	size_t	n = 0;

	for (const struct field *f = sub; f != NULL && f->key != NULL && n < sizeof known; f++)
		n += (size_t)snprintf(known + n, sizeof known - n, " .%s", f->key);
	errtext_set(&p->why, "it is a record; name its parts:%s", known);
	return false;
}

static bool
pack_text(struct pack *p, const struct field *f, const char *s)
{
	msgpack_packer	*pk = &p->c->pk;

	switch (f->type) {
	case FIELD_BOOL:
		pack_bool(pk, s);
		return true;
	case FIELD_WORDS:
		pack_list(pk, s, true);
		return true;
	case FIELD_STR:
	case FIELD_ADDR:
		codec_pack_text(pk, s);
		return true;
	case FIELD_BIN:
		return pack_bytes(p, s);
	case FIELD_ENDPOINT:
		return pack_endpoint(p, s);
	case FIELD_ANY:
		if (strchr(s, ',') != NULL)
			pack_list(pk, s, false);
		else
			pack_guess(pk, s, strlen(s), false);
		return true;
	case FIELD_RECORD:
		return refuse_record(p, f->sub);
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_S32:
	case FIELD_U64:
	case FIELD_BE16:
	case FIELD_BE32:
	case FIELD_TIMEOUT:
	case FIELD_WORD:
	case FIELD_TAIL:
	case FIELD_TAIL16:
		pack_guess(pk, s, strlen(s), true);
		return true;
	}
	return false;
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
		refuse(p, "there is no such option");
	else if ((row->access & access) == 0) {
		refuse(p, access == SOCKOPT_SET ? "it can only be read" : "it can only be set");
		row = NULL;
	}
	if (row == NULL)
		errtext_under(&p->why, name, len);
	return row;
}

/* [name, value], checked. */
static bool
pack_option(struct pack *p, const struct group *g)
{
	bool			 set = strcmp(p->method->name, "getopts") != 0;
	const struct sockopt	*row = find_option(p, g->head, g->len, set ? SOCKOPT_SET : SOCKOPT_GET);
	_Alignas(8) char	 scratch[SOCKOPT_MAX];
	size_t			 from;
	bool			 ok;

	if (row == NULL)
		return false;
	msgpack_pack_array(&p->c->pk, 2);
	codec_pack_text(&p->c->pk, row->name);
	from = p->c->out.len - p->c->begun;
	if (row->fields[0].key == NULL || row->fields[0].key[0] != '\0')
		ok = g->args[0].len > 0 ? pack_record(p, g->args, g->n, row->fields) :
		    refuse_record(p, row->fields);
	else if (g->n != 1 || g->args[0].len > 0)
		ok = refuse(p, "it is one value, without parts");
	else
		ok = pack_text(p, &row->fields[0], g->args[0].value);
	if (!ok || !check(p, from, row->fields, scratch, NULL)) {
		errtext_under(&p->why, g->head, g->len);
		return false;
	}
	return true;
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
			return refuse(p, "name them: options.NAME=VALUE, options.NAME.FIELD=VALUE");
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
		return refuse(p, "it has no parts");
	if (g->n != 1 && f != &unknown)
		return refuse(p, "given twice");
	return pack_text(p, f, g->args[0].value);
}

static bool
pack_record(struct pack *p, const struct arg *args, size_t n, const struct field *fields)
{
	struct group	g;

	msgpack_pack_map(&p->c->pk, count_heads(args, n));
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
		return core_error(p->c, SCTPD_BADARG, "%d words; at most %d", argc, MAX_WORDS);
	for (int i = 0; i < argc; i++) {
		if ((eq = strchr(argv[i], '=')) == NULL || eq == argv[i])
			return core_error(p->c, SCTPD_BADARG, "%s: \"%.64s\" is no key=value word", p->method->name, argv[i]);
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
		return core_error(c, SCTPD_ENOSYS, "there is no method \"%.64s\"", argc < 1 ? "" : argv[0]);
	if (p.method->in_size > sizeof in)
		return core_error(c, SCTPD_ENOSYS, "%s: its arguments do not fit", argv[0]);
	if ((code = split(&p, argc - 1, argv + 1, args)) != SCTPD_OK ||
	    (code = core_begin(c, p.method->name, answered)) != SCTPD_OK)
		return code;
	from = c->out.len - c->begun;
	if (!pack_record(&p, args, (size_t)argc - 1, p.method->in) ||
	    !check(&p, from, p.method->in, in, &has)) {
		core_cancel(c);
		return core_error(c, SCTPD_BADARG, "%s: %s%s%s", p.method->name, p.why.path,
		    p.why.path[0] != '\0' ? ": " : "", p.why.why);
	}
	if (timeout != NULL)
		*timeout = c->no_memory ? 0 : own_timeout(p.method, in, has);
	return SCTPD_OK;
}

/* ---- words of a format ---------------------------------------------- */

#define SEPARATOR	'\x1f'

static int
count_separators(const char *s)
{
	int	n = 0;

	for (; *s != '\0'; s++)
		n += *s == SEPARATOR;
	return n;
}

/* The filled-in format, its own blanks made separators. NULL without memory. */
static char *
fill_in(const char *format, va_list ap, int *separators)
{
	size_t	 len = strlen(format);
	char	*marked = malloc(len + 1), *text = NULL;
	int	 n;

	if (marked == NULL)
		return NULL;
	for (size_t i = 0; i <= len; i++)
		marked[i] = isspace((unsigned char)format[i]) ? SEPARATOR : format[i];
	*separators = count_separators(marked);
	n = vasprintf(&text, marked, ap);
	free(marked);
	return n < 0 ? NULL : text;
}

int
words_beginf(struct sctpd *c, bool answered, const char *method, const char *format,
    va_list ap, int64_t *timeout)
{
	const char	*argv[MAX_WORDS + 2];
	int		 argc = 0, separators, code;
	char		*text, *rest, *word;

	if ((text = rest = fill_in(format, ap, &separators)) == NULL)
		return core_error(c, SCTPD_ENOMEM, "this program has no memory left");
	if (method != NULL)
		argv[argc++] = method;
	if (count_separators(text) != separators) {
		code = core_error(c, SCTPD_BADARG, "the byte 0x1f cannot be part of a word");
		goto out;
	}
	while ((word = strsep(&rest, "\x1f")) != NULL && argc <= MAX_WORDS + 1) {
		if (*word != '\0')
			argv[argc++] = word;
	}
	code = words_begin(c, answered, argc, argv, timeout);
out:
	free(text);
	return code;
}
