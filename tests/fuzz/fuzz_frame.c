/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client sends, from the first byte to a method's arguments.
 *
 * Beyond not crashing: bytes in pieces give what they give in one, whatever
 * the scanner takes msgpack-c takes with the same length, and the limits hold
 * for what is taken.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "fuzz.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/event_type.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"

#define MAX	65536

/* The same bytes, arriving in pieces. */
static enum frame_result
scan_pieces(const uint8_t *data, size_t n, size_t *len)
{
	struct frame		f = { .at = 0 };
	enum frame_result	r = FRAME_MORE;

	for (size_t have = 0; r == FRAME_MORE && have < n; ) {
		have += 1 + data[have] % 7;
		r = frame_scan(&f, data, have < n ? have : n, MAX, len);
	}
	return r;
}

/* Take an object as fields, give them back as MessagePack. */
static void
go_there_and_back(const msgpack_object *o, const struct field *fields, size_t size)
{
	union { char bytes[8192]; uint64_t align; } room;
	struct errtext	err;
	msgpack_sbuffer	buf;
	msgpack_packer	pk;
	uint64_t	has;

	must(size <= sizeof room);
	memset(&room, 0, size);
	if (!codec_unpack(o, fields, &room, &has, &err)) {
		must(strlen(err.path) < sizeof err.path && err.why[0] != '\0');
		return;
	}
	msgpack_sbuffer_init(&buf);
	msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
	codec_pack(&pk, fields, &room, size);
	msgpack_sbuffer_destroy(&buf);
}

/* The values of an option map, as each option might take them. */
static void
set_options(const msgpack_object *args)
{
	const msgpack_object	*value;

	for (const struct sockopt *o = sockopt_table; o->name != NULL; o++)
		go_there_and_back(args, o->fields, o->size);
	for (uint32_t i = 0; i < args->via.map.size; i++) {
		value = &args->via.map.ptr[i].val;
		if (value->type != MSGPACK_OBJECT_MAP)
			continue;
		for (uint32_t j = 0; j < value->via.map.size; j++) {
			const msgpack_object_kv	*kv = &value->via.map.ptr[j];
			const struct sockopt	*o = kv->key.type == MSGPACK_OBJECT_STR ?
			    sockopt_find(kv->key.via.str.ptr, kv->key.via.str.size) : NULL;

			if (o != NULL)
				go_there_and_back(&kv->val, o->fields, o->size);
		}
	}
}

static void
serve(const msgpack_object_array *a)
{
	const msgpack_object	*params = &a->ptr[a->size - 1];
	const msgpack_object	*args;

	if (params->type != MSGPACK_OBJECT_ARRAY || params->via.array.size == 0)
		return;
	args = &params->via.array.ptr[0];
	for (int m = 0; m < RPC_COUNT; m++)
		go_there_and_back(args, rpc_table[m].in, rpc_table[m].in_size);
	if (args->type == MSGPACK_OBJECT_MAP)
		set_options(args);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct frame		f = { .at = 0 };
	msgpack_unpacked	msg;
	size_t			len = 0, len2 = 0, off = 0;

	if (frame_scan(&f, data, n, MAX, &len) != FRAME_MESSAGE) {
		must(scan_pieces(data, n, &len2) != FRAME_MESSAGE);
		return 0;
	}
	must(len <= n && len <= MAX);
	must(scan_pieces(data, n, &len2) == FRAME_MESSAGE && len == len2);
	msgpack_unpacked_init(&msg);
	must(msgpack_unpack_next(&msg, (const char *)data, len, &off) ==
	    MSGPACK_UNPACK_SUCCESS && off == len);
	must(msg.data.type == MSGPACK_OBJECT_ARRAY && msg.data.via.array.size >= 3);
	codec_normalize(&msg.data);
	serve(&msg.data.via.array);
	msgpack_unpacked_destroy(&msg);
	return 0;
}
