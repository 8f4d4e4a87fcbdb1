/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a supervised association may be said to be: the arguments of the method
 * supervise, as MessagePack, or paragraphs of sctpd.conf, which begin with an
 * "a" or "#". What is wrong is named with its key. What is right is packed,
 * and says the same when it is read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "fuzz.h"
#include "supervise/wanted.h"
#include "util/log.h"

/* Every value may be asked for. */
static void
look_at(const struct rpc_supervise_in *in)
{
	const struct any	*lists[] = { &in->local, &in->peer, &in->attach };
	size_t			 n = 0;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		for (uint32_t j = 0; j < wanted_count(lists[i]); j++)
			n += wanted_item(lists[i], j).len;
	}
	must(n > 0 || in->peer.obj == NULL);
	must(wanted_backoff_min(in) >= 10 && wanted_backoff_min(in) <= wanted_backoff_max(in) && wanted_jitter(in) <= 100);
	must(in->name.len > 0 && in->name.len <= WANTED_NAME);
}

/* Packed, read and packed again it is the same; what is hard is a part of it. */
static void
read_again(const char *bytes, size_t n, bool is_paragraph)
{
	struct wanted	w;
	struct errtext	err;
	msgpack_sbuffer	again, hard;

	msgpack_sbuffer_init(&again);
	msgpack_sbuffer_init(&hard);
	must(wanted_read(&w, bytes, n, &err) && wanted_check(&w.in, is_paragraph, &err));
	look_at(&w.in);
	wanted_pack(&again, &w.in, WANTED_ALL);
	wanted_pack(&hard, &w.in, WANTED_HARD);
	must(again.size == n && memcmp(again.data, bytes, n) == 0 && hard.size <= n);
	wanted_free(&w);
	msgpack_sbuffer_destroy(&again);
	msgpack_sbuffer_destroy(&hard);
}

static void
arguments(const char *bytes, size_t n)
{
	struct wanted	w;
	struct errtext	err = { .why = "" };
	msgpack_sbuffer	b;

	msgpack_sbuffer_init(&b);
	if (!wanted_read(&w, bytes, n, &err))
		must(err.why[0] != '\0');
	else if (!wanted_check(&w.in, false, &err))
		must(err.why[0] != '\0' && err.path[0] != '\0');
	else {
		wanted_pack(&b, &w.in, WANTED_ALL);
		read_again(b.data, b.size, false);
	}
	wanted_free(&w);
	msgpack_sbuffer_destroy(&b);
}

static bool
check(const struct paragraph *p, char *error, size_t size)
{
	msgpack_sbuffer	b;
	struct errtext	err = { .why = "" };
	bool		ok;

	msgpack_sbuffer_init(&b);
	if ((ok = wanted_from_paragraph(&b, p, &err)))
		read_again(b.data, b.size, true);
	else {
		must(err.why[0] != '\0');
		(void)snprintf(error, size, "%s: %s", err.path, err.why);
	}
	msgpack_sbuffer_destroy(&b);
	return ok;
}

static void
paragraphs(const void *data, size_t n)
{
	union { const void *in; void *out; } p = { .in = data };
	struct config	 c;
	char		 error[512] = "";
	FILE		*f = fmemopen(p.out, n, "r");

	must(f != NULL);
	config_init(&c);
	if (!config_parse(&c, f, "file", error, sizeof error))
		must(strncmp(error, "file:", 5) == 0 && strlen(error) > 8);
	config_free(&c);
	(void)fclose(f);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	log_set_level(-1);
	config_check_paragraph = check;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const void	*at = data;

	if (n > 0 && (data[0] == 'a' || data[0] == '#'))
		paragraphs(at, n);
	else
		arguments(at, n);
	return 0;
}
