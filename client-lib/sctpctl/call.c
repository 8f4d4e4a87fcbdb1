/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A method and its words: what the library takes, and bytes from files too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rpc.h"
#include "proto/sockopt.h"
#include "sctpctl/call.h"
#include "sctpctl/list.h"
#include "sctpctl/out.h"

/* "KEY=hex:..." with the contents of the file, allocated. NULL: errno says why. */
static char *
hex_of_file(const char *key, size_t keylen, FILE *in)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*out = open_memstream(&text, &size);
	int	 c;

	if (out == NULL)
		return NULL;
	fprintf(out, "%.*s=hex:", (int)keylen, key);
	while ((c = getc(in)) != EOF)
		fprintf(out, "%02x", (unsigned)c);
	if (ferror(in) || fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

static bool
is_bytes(const struct field *f)
{
	return f->type == FIELD_BIN || (f->type == FIELD_LIST && f->words == NULL);
}

/* NAME.FIELD of an option. */
static bool
option_takes_bytes(const char *key, size_t len)
{
	const char		*dot = memchr(key, '.', len);
	size_t			 name = dot != NULL ? (size_t)(dot - key) : len;
	const struct sockopt	*o = sockopt_find(key, name);

	for (const struct field *f = o != NULL && dot != NULL ? o->fields : NULL; f != NULL && f->key != NULL; f++) {
		if (is_bytes(f) && strlen(f->key) == len - name - 1 && memcmp(f->key, dot + 1, len - name - 1) == 0)
			return true;
	}
	return false;
}

static bool
takes_bytes(const struct rpc_desc *m, const char *key, size_t len)
{
	if (len > 8 && memcmp(key, "options.", 8) == 0)
		return option_takes_bytes(key + 8, len - 8);
	for (const struct field *f = m->in; f->key != NULL; f++) {
		if (is_bytes(f) && strlen(f->key) == len &&
		    memcmp(f->key, key, len) == 0)
			return true;
	}
	return false;
}

void
call_forget_word(char *word)
{
	if (word != NULL)
		explicit_bzero(word, strlen(word));
	free(word);
}

int
call_read_word(const struct rpc_desc *m, const char *word, char **given)
{
	const char	*eq = strchr(word, '=');
	FILE		*f;

	*given = NULL;
	if (eq == NULL || !takes_bytes(m, word, (size_t)(eq - word)))
		return CTL_OK;
	if (strcmp(eq + 1, "-") == 0) {
		if ((*given = hex_of_file(word, (size_t)(eq - word), stdin)) == NULL)
			return ctl_fail(CTL_FAILED, "standard input: %s", strerror(errno));
	} else if (eq[1] == '@') {
		if ((f = fopen(eq + 2, "rb")) == NULL)
			return ctl_fail(CTL_FAILED, "\"%s\": %s", eq + 2, strerror(errno));
		*given = hex_of_file(word, (size_t)(eq - word), f);
		fclose(f);
		if (*given == NULL)
			return ctl_fail(CTL_FAILED, "\"%s\": %s", eq + 2, strerror(errno));
	}
	return CTL_OK;
}

/*
 * The words are checked before the daemon is reached, by beginning the call
 * on a connection that is not dialed yet.
 */
static int
check(struct ctl *ctl, int argc, const char *const *argv)
{
	struct sctpd	*c;
	int		 code, fail = CTL_OK;

	if (sctpd_fd(ctl->c) != -1)
		return CTL_OK;
	if ((c = sctpd_new()) == NULL)
		return ctl_fail(CTL_FAILED, "there is no memory left");
	code = sctpd_callv_async(c, NULL, NULL, argc, argv);
	if (code == SCTPD_BADARG || code == SCTPD_ENOSYS)
		fail = ctl_fail(CTL_USAGE, "%s\nsee: sctpctl help %s", sctpd_error(c), argv[0]);
	sctpd_free(c);
	return fail;
}

int
call_ask(struct ctl *ctl, int argc, const char *const *argv, const struct sctpd_value **v)
{
	int	code, fail;

	if ((fail = check(ctl, argc, argv)) != CTL_OK || (fail = ctl_dial(ctl)) != CTL_OK)
		return fail;
	if ((code = sctpd_callv(ctl->c, v, argc, argv)) != SCTPD_OK)
		return ctl_fail_call(ctl, code);
	return CTL_OK;
}

int
call_print(struct ctl *ctl, const char *method, const struct sctpd_value *v)
{
	if (!ctl->json && list_knows(method))
		list_print(ctl, method, v);
	else
		out_result(ctl, v);
	return out_flush();
}

int
call_with(struct ctl *ctl, int argc, char **argv, call_fn *fn, void *arg)
{
	const struct rpc_desc	 *m = rpc_find(argv[0], strlen(argv[0]));
	const char		**words = calloc((size_t)argc, sizeof *words);
	char			**given = calloc((size_t)argc, sizeof *given);
	int			  fail = CTL_OK;

	if (words == NULL || given == NULL)
		fail = ctl_fail(CTL_FAILED, "there is no memory left");
	for (int i = 0; i < argc && fail == CTL_OK; i++) {
		fail = i > 0 ? call_read_word(m, argv[i], &given[i]) : CTL_OK;
		words[i] = given[i] != NULL ? given[i] : argv[i];
	}
	if (fail == CTL_OK)
		fail = fn(ctl, argc, words, arg);
	for (int i = 0; given != NULL && i < argc; i++)
		call_forget_word(given[i]);
	free(given);
	free(words);
	return fail;
}

static int
ask_and_print(struct ctl *ctl, int argc, const char *const *argv, void *arg)
{
	const struct sctpd_value	**v = arg;
	int				  fail = call_ask(ctl, argc, argv, v);

	return fail == CTL_OK ? call_print(ctl, argv[0], *v) : fail;
}

int
call_run(struct ctl *ctl, int argc, char **argv, const struct sctpd_value **v)
{
	return call_with(ctl, argc, argv, ask_and_print, v);
}
