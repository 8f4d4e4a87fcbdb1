/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One message of the daemon's, and the values in it.
 *
 * A message owns a copy of its bytes; strings are read where they lie. What
 * follows a string there is the head of the next value, which has been read
 * by then: a NUL is put over it, so every string is one of C's too.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/message.h"
#include "proto/codec.h"
#include "proto/event_type.h"

_Static_assert((int)SCTPD_UNORDERED == (int)SNDRCV_UNORDERED &&
    (int)SCTPD_ADDR_OVER == (int)SNDRCV_ADDR_OVER &&
    (int)SCTPD_SACK_IMMEDIATELY == (int)SNDRCV_SACK_IMMEDIATELY, "flags are the protocol's");

/* The bytes are the message's own; msgpack-c only says so with const. */
static const char *
terminate_at(char *bytes, const char *ptr, uint32_t size)
{
	if (size == 0)
		return "";	/* its ptr may be anything */
	bytes[ptr + size - bytes] = '\0';
	return ptr;
}

/* Depth is bounded by frame.c. */
static void
terminate(char *bytes, msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_STR:
		o->via.str.ptr = terminate_at(bytes, o->via.str.ptr, o->via.str.size);
		break;
	case MSGPACK_OBJECT_BIN:
		o->via.bin.ptr = terminate_at(bytes, o->via.bin.ptr, o->via.bin.size);
		break;
	case MSGPACK_OBJECT_ARRAY:
		for (uint32_t i = 0; i < o->via.array.size; i++)
			terminate(bytes, &o->via.array.ptr[i]);
		break;
	case MSGPACK_OBJECT_MAP:
		for (uint32_t i = 0; i < o->via.map.size; i++) {
			terminate(bytes, &o->via.map.ptr[i].key);
			terminate(bytes, &o->via.map.ptr[i].val);
		}
		break;
	default:
		break;
	}
}

struct message *
message_new(const char *bytes, size_t len)
{
	struct message	*m;
	size_t		 off = 0;

	if ((m = calloc(1, sizeof *m + len + 1)) == NULL)
		return NULL;
	memcpy(m->bytes, bytes, len);
	m->len = len;
	m->fd = -1;
	if (!msgpack_zone_init(&m->zone, 2048)) {
		free(m);
		return NULL;
	}
	/* The frame was scanned: what fails here is memory. */
	if (msgpack_unpack(m->bytes, len, &off, &m->zone, &m->obj) < 0)
		return message_free(m);
	terminate(m->bytes, &m->obj);
	return m;
}

struct message *
message_free(struct message *m)
{
	if (m == NULL)
		return NULL;
	if (m->fd != -1)
		close(m->fd);
	msgpack_zone_destroy(&m->zone);
	free(m);
	return NULL;
}

const msgpack_object *
map_get(const msgpack_object *o, const char *key, size_t len)
{
	const msgpack_object_kv	*kv;

	for (uint32_t i = 0; o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++) {
		kv = &o->via.map.ptr[i];
		if (kv->key.type == MSGPACK_OBJECT_STR && kv->key.via.str.size == len &&
		    memcmp(kv->key.via.str.ptr, key, len) == 0)
			return &kv->val;
	}
	return NULL;
}

/* ---- events --------------------------------------------------------- */

static void
set_info(struct sctpd_event *ev, const msgpack_object *map)
{
	struct sndrcvinfo	in = { .stream = 0 };
	struct errtext		why;
	uint64_t		has;

	if (!codec_read(map, sndrcvinfo_fields, &in, &has, &why))
		return;
	ev->info = (struct sctpd_sndrcvinfo){
		.stream = in.stream, .ssn = in.ssn, .flags = in.flags,
		.ppid = in.ppid, .context = in.context,
		.timetolive = in.timetolive, .tsn = in.tsn,
		.cumtsn = in.cumtsn, .assoc_id = in.assoc_id,
	};
}

void
message_set_event(struct message *m, const char *name, const msgpack_object *map)
{
	struct sctpd_event		*ev = &m->event;
	const struct sctpd_value	*v = value_of(map);
	const struct sctpd_value	*info;

	ev->name = name != NULL ? name : sctpd_get_str(v, "event");
	ev->fields = v;
	ev->sock = (uint64_t)sctpd_get_int(v, "sock");
	ev->from = sctpd_get_str(v, "from.addr");
	ev->from_port = (uint16_t)sctpd_get_int(v, "from.port");
	ev->data = sctpd_str(sctpd_get(v, "data"), &ev->len);
	ev->timestamp = (uint64_t)sctpd_get_int(v, "timestamp");
	if ((info = sctpd_get(v, "sctp_sndrcvinfo")) == NULL)
		info = sctpd_get(v, "info");
	if (info != NULL)
		set_info(ev, (const msgpack_object *)(const void *)info);
	ev->assoc_id = (uint32_t)sctpd_get_int(v, "assoc_id");
	if (ev->assoc_id == 0)
		ev->assoc_id = ev->info.assoc_id;
}

/* ---- values --------------------------------------------------------- */

static const msgpack_object *
object(const struct sctpd_value *v)
{
	static const msgpack_object nil = { .type = MSGPACK_OBJECT_NIL };

	return v != NULL ? (const msgpack_object *)(const void *)v : &nil;
}

enum sctpd_type
sctpd_type(const struct sctpd_value *v)
{
	switch (object(v)->type) {
	case MSGPACK_OBJECT_BOOLEAN:
		return SCTPD_BOOL;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return SCTPD_INT;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return SCTPD_FLOAT;
	case MSGPACK_OBJECT_STR:
		return SCTPD_STR;
	case MSGPACK_OBJECT_BIN:
		return SCTPD_BIN;
	case MSGPACK_OBJECT_ARRAY:
		return SCTPD_LIST;
	case MSGPACK_OBJECT_MAP:
		return SCTPD_MAP;
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_EXT:
		break;
	}
	return SCTPD_NIL;
}

int64_t
sctpd_int(const struct sctpd_value *v)
{
	const msgpack_object	*o = object(v);

	if (o->type == MSGPACK_OBJECT_BOOLEAN)
		return o->via.boolean;
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return o->via.i64;
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		return o->via.u64 > INT64_MAX ? INT64_MAX : (int64_t)o->via.u64;
	return 0;
}

double
sctpd_float(const struct sctpd_value *v)
{
	const msgpack_object	*o = object(v);

	if (o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64)
		return o->via.f64;
	return (double)sctpd_int(v);
}

const char *
sctpd_str(const struct sctpd_value *v, size_t *len)
{
	const msgpack_object	*o = object(v);
	struct slice		 s = { "", 0 };

	if (o->type == MSGPACK_OBJECT_STR)
		s = (struct slice){ o->via.str.ptr, o->via.str.size };
	else if (o->type == MSGPACK_OBJECT_BIN)
		s = (struct slice){ o->via.bin.ptr, o->via.bin.size };
	if (len != NULL)
		*len = s.len;
	return s.ptr;
}

size_t
sctpd_count(const struct sctpd_value *v)
{
	const msgpack_object	*o = object(v);

	if (o->type == MSGPACK_OBJECT_ARRAY)
		return o->via.array.size;
	return o->type == MSGPACK_OBJECT_MAP ? o->via.map.size : 0;
}

const struct sctpd_value *
sctpd_item(const struct sctpd_value *v, size_t i)
{
	const msgpack_object	*o = object(v);

	if (i >= sctpd_count(v))
		return NULL;
	return value_of(o->type == MSGPACK_OBJECT_MAP ?
	    &o->via.map.ptr[i].val : &o->via.array.ptr[i]);
}

const char *
sctpd_key(const struct sctpd_value *v, size_t i)
{
	const msgpack_object	*o = object(v);

	if (o->type != MSGPACK_OBJECT_MAP || i >= o->via.map.size)
		return "";
	return sctpd_str(value_of(&o->via.map.ptr[i].key), NULL);
}

/* What follows k in the key "k" or "k.rest"; NULL if that is another key, which the first letter tells of most. */
static const char *
behind(const char *key, const char *k)
{
	if (*k == '\0')
		return NULL;
	for (; *k != '\0'; k++, key++) {
		if (*key != *k)
			return NULL;
	}
	return *key == '\0' || *key == '.' ? key : NULL;
}

const struct sctpd_value *
sctpd_get(const struct sctpd_value *v, const char *key)
{
	const char	*rest;

	for (size_t i = 0; i < sctpd_count(v); i++) {
		if ((rest = behind(key, sctpd_key(v, i))) != NULL)
			return *rest == '\0' ? sctpd_item(v, i) : sctpd_get(sctpd_item(v, i), rest + 1);
	}
	return NULL;
}

int64_t
sctpd_get_int(const struct sctpd_value *v, const char *key)
{
	return sctpd_int(sctpd_get(v, key));
}

const char *
sctpd_get_str(const struct sctpd_value *v, const char *key)
{
	return sctpd_str(sctpd_get(v, key), NULL);
}
