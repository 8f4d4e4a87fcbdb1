/* SPDX-License-Identifier: BSD-2-Clause */
/* key=value words to a request: see proto/words.h. */
#include <string.h>

#include "lib/codes.h"
#include "lib/core.h"
#include "lib/words.h"
#include "proto/words.h"

/* ---- the whole request ---------------------------------------------- */

/* The request that is being packed. */
static const char *
packed(const void *arg, size_t *len)
{
	const struct sctpd	*c = arg;

	*len = c->out.len - c->begun;
	return c->no_memory ? NULL : c->out.data + c->begun;
}

static int
split(struct sctpd *c, const struct rpc_desc *m, int argc, const char *const *argv, struct word_arg *args)
{
	const char	*eq;

	if (argc > MAX_WORDS)
		return lib_error(c, SCTPD_BADARG, "there are %d words; a call takes %d at most", argc, MAX_WORDS);
	for (int i = 0; i < argc; i++) {
		if ((eq = strchr(argv[i], '=')) == NULL || eq == argv[i])
			return lib_error(c, SCTPD_BADARG,
			    "%s: \"%.64s\" is not a key=value word", m->name, argv[i]);
		args[i] = (struct word_arg){ argv[i], (size_t)(eq - argv[i]), eq + 1 };
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
refused(struct sctpd *c, const struct words *p, const struct word_arg *args, size_t n)
{
	static const char	 got[] = "got a string; ";
	const char		*path = p->why.path, *sep = path[0] != '\0' ? ": " : "";

	for (size_t i = 0; i < n && strncmp(p->why.why, got, sizeof got - 1) == 0; i++) {
		if (strlen(path) == args[i].len && memcmp(path, args[i].key, args[i].len) == 0)
			return lib_error(c, SCTPD_BADARG, "%s: %s: got \"%.64s\"; %s", p->method->name,
			    path, args[i].value, p->why.why + sizeof got - 1);
	}
	return lib_error(c, SCTPD_BADARG, "%s: %s%s%s", p->method->name, path, sep, p->why.why);
}

int
words_begin(struct sctpd *c, bool answered, int argc, const char *const *argv,
    int64_t *timeout)
{
	_Alignas(8) char	in[1024] = { 0 };
	struct word_arg		args[MAX_WORDS];
	struct words		p = { .pk = &c->pk, .packed = packed, .arg = c };
	uint64_t		has;
	size_t			from;
	int			code;

	if (argc < 1 || (p.method = rpc_find(argv[0], strlen(argv[0]))) == NULL)
		return lib_error(c, SCTPD_ENOSYS,
		    "there is no method \"%.64s\"", argc < 1 ? "" : argv[0]);
	p.secret = strcmp(p.method->name, "setsockopt") == 0;	/* its bytes may be a key */
	if (p.method->in_size > sizeof in)
		return lib_error(c, SCTPD_ENOSYS, "%s: its arguments do not fit", argv[0]);
	if ((code = split(c, p.method, argc - 1, argv + 1, args)) != SCTPD_OK ||
	    (code = core_begin(c, p.method->name, answered)) != SCTPD_OK)
		return code;
	from = c->out.len - c->begun;
	if (!words_pack(&p, args, (size_t)argc - 1) ||
	    !words_check(&p, from, p.method->in, in, &has)) {
		c->secret = c->secret || p.secret;
		core_cancel(c);
		return refused(c, &p, args, (size_t)argc - 1);
	}
	c->secret = c->secret || p.secret;
	c->no_memory = c->no_memory || p.no_memory;
	if (timeout != NULL)
		*timeout = c->no_memory ? 0 : own_timeout(p.method, in, has);
	return SCTPD_OK;
}
