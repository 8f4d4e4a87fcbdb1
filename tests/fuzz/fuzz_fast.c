/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libsctpd reads by hand, against the same by msgpack-c: where fastpath.c
 * takes a message, that is one, with the same length and the same values.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/fastpath.h"
#include "lib/message.h"

#define MAX	65536

static struct message *
by_the_book(const char *p, size_t n, size_t len)
{
	struct frame	 f = { .at = 0 };
	struct message	*m;
	size_t		 scanned = 0;

	must(len <= n && frame_scan(&f, p, n, MAX, &scanned) == FRAME_MESSAGE && scanned == len);
	must((m = message_new(p, len)) != NULL);
	return m;
}

/* A key that is there twice is taken by either as it likes: no daemon writes one. */
static bool
is_plain(const msgpack_object *map)
{
	const msgpack_object_kv	*kv = map->via.map.ptr;

	for (uint32_t i = 0; i < map->via.map.size; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (msgpack_object_equal(kv[i].key, kv[k].key))
				return false;
		}
		if ((kv[i].val.type == MSGPACK_OBJECT_MAP && !is_plain(&kv[i].val)) ||
		    (kv[i].val.type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
		    kv[i].val.via.u64 > INT64_MAX))
			return false;
	}
	return true;
}

static void
same_event(const struct sctpd_event *a, const struct sctpd_event *b)
{
	must(strcmp(a->name, b->name) == 0 && a->sock == b->sock);
	must(strcmp(a->from, b->from) == 0 && a->from_port == b->from_port);
	must(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
	must(memcmp(&a->info, &b->info, sizeof a->info) == 0);
	must(a->assoc_id == b->assoc_id);
	must(a->seq == (uint64_t)sctpd_get_int(b->fields, "seq"));
}

static void
read_data(const char *data, size_t n, char *copy)
{
	struct sctpd_event	 ev;
	const msgpack_object	*map;
	struct message		*m;
	size_t			 len = fastpath_data(copy, n, &ev);

	if (len == 0) {
		must(memcmp(copy, data, n) == 0);	/* others are to read it yet */
		return;
	}
	m = by_the_book(data, n, len);
	map = &m->obj.via.array.ptr[2].via.array.ptr[0];
	if (is_plain(map)) {
		message_set_event(m, "data", map);
		same_event(&ev, &m->event);
	}
	message_free(m);
}

static void
read_done(const char *data, size_t n, char *copy)
{
	struct message	*m;
	uint32_t	 id;
	size_t		 len = fastpath_done(copy, n, &id);

	if (len == 0)
		return;
	m = by_the_book(data, n, len);
	must(m->obj.via.array.size == 4 && m->obj.via.array.ptr[1].via.u64 == id);
	must(m->obj.via.array.ptr[2].type == MSGPACK_OBJECT_NIL);
	must(m->obj.via.array.ptr[3].via.map.size == 0);
	message_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char	*copy = malloc(n);		/* what is read behind it is seen */

	if (copy == NULL)
		return 0;
	memcpy(copy, data, n);
	read_done((const char *)data, n, copy);
	read_data((const char *)data, n, copy);
	free(copy);
	return 0;
}
