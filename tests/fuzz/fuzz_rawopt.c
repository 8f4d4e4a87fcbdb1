/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options as level, name and bytes. The first byte says whether the bytes set an
 * option or ask for it, then come level and name, and the rest is the value.
 * What is accepted is what the row allows: it packs by name, its list is not
 * longer than the room for it, and read back into as many bytes it is there
 * again.
 */
#include <msgpack.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proto/codec.h"
#include "proto/rawopt.h"

static void
pack_by_name(const struct sockopt *o, const char *value)
{
	msgpack_sbuffer	b;
	msgpack_packer	pk;

	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	codec_pack(&pk, o->fields, value, o->size);
	must(b.size > 0);
	msgpack_sbuffer_destroy(&b);
}

static void
set(const struct sockopt *o, const char *bytes, size_t n)
{
	char	value[SOCKOPT_MAX], *again;
	int	got;

	if (rawopt_set(o, bytes, n, value) != 0)
		return;
	pack_by_name(o, value);
	again = calloc(1, SOCKOPT_MAX);
	must(again != NULL);
	got = rawopt_answer(o, value, again, SOCKOPT_MAX);
	must(got >= 0 && (size_t)got <= o->size && memcmp(again, value, (size_t)got) == 0);
	free(again);
}

static void
ask(const struct sockopt *o, const char *bytes, size_t n)
{
	char	value[SOCKOPT_MAX], *room;
	int	got;

	if (rawopt_ask(o, bytes, n, value) != 0)
		return;
	pack_by_name(o, value);
	room = malloc(n + 1);
	must(room != NULL);
	memcpy(room, bytes, n);
	got = rawopt_answer(o, value, room, n);
	must(got >= -1 && (got == -1 || (size_t)got <= n));
	free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint32_t	levels[] = { 132, 1, 0, 41 };
	const struct sockopt	*o;
	char			*bytes;

	if (n < 2)
		return 0;
	o = rawopt_find(levels[data[0] >> 1 & 3], data[1], n - 2);
	if (o == NULL)
		return 0;
	bytes = malloc(n - 1);		/* of its own, so that what is read behind it is seen */
	must(bytes != NULL);
	memcpy(bytes, data + 2, n - 2);
	if (data[0] & 1)
		set(o, bytes, n - 2);
	else
		ask(o, bytes, n - 2);
	free(bytes);
	return 0;
}
