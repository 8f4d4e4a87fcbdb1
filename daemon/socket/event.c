/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packing of events, by their rows.
 */
#include <string.h>

#include "proto/codec.h"
#include "rpc/client.h"
#include "socket/event.h"
#include "socket/sock.h"
#include "util/counter.h"

/* Without data_io_event a message has no first field. */
static const struct field *
fields_of(const struct stack_event *e, bool io)
{
	return e->row == EVENT_data && !io ? e->row->fields + 1 : e->row->fields;
}

unsigned
event_count(const struct stack_event *e, bool io)
{
	return (e->from != NULL) + codec_count(fields_of(e, io), e->body, e->len);
}

void
event_pack(msgpack_packer *pk, const struct stack_event *e, bool io)
{
	if (e->from != NULL) {
		codec_pack_text(pk, "from");
		codec_pack_endpoint(pk, e->from);
	}
	codec_pack_fields(pk, fields_of(e, io), e->body, e->len);
}

const msgpack_object *
event_map(const msgpack_object *o, enum message_kind kind)
{
	uint32_t	at = kind == MESSAGE_EVENT ? 2 : 3;

	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != at + 1)
		return NULL;
	o = &o->via.array.ptr[at];
	if (kind == MESSAGE_EVENT && o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 1)
		o = &o->via.array.ptr[0];
	return o->type == MSGPACK_OBJECT_MAP ? o : NULL;
}

/* Is it a key that a message's new head or name replaces? */
static bool
is_head(const msgpack_object *key)
{
	return codec_is(key, "seq") || codec_is(key, "sock") || codec_is(key, "event");
}

void
event_repack(struct client *to, uint64_t sock, const msgpack_object *map,
    const msgpack_object *message)
{
	const msgpack_object	*name = &message->via.array.ptr[1];
	const struct event_type	*row;
	msgpack_packer		*pk;
	unsigned		 n = 0;

	for (uint32_t i = 0; i < map->via.map.size; i++) {
		if (codec_is(&map->via.map.ptr[i].key, "event"))
			name = &map->via.map.ptr[i].val;
		n += !is_head(&map->via.map.ptr[i].key);
	}
	if (name->type != MSGPACK_OBJECT_STR ||
	    (row = event_type_named(name->via.str.ptr, name->via.str.size)) == NULL)
		return;
	pk = client_event_begin(to, row, sock, n, true);
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		if (is_head(&map->via.map.ptr[i].key))
			continue;
		msgpack_pack_object(pk, map->via.map.ptr[i].key);
		msgpack_pack_object(pk, map->via.map.ptr[i].val);
	}
}

void
event_watch(struct sock *s, const struct event_type *row,
    const struct sockaddr_storage *from, const void *body, size_t len)
{
	struct stack_event	 e = { .row = row, .from = from, .body = body, .len = len };
	struct client		*c = NULL;
	msgpack_packer		*pk;

	while ((c = client_next_watcher(c)) != NULL) {
		if (!client_may_use(c, s->uid))
			continue;
		if (!client_has_room(c)) {
			c->lost++;
			COUNT(watch_lost, 1);
			continue;
		}
		/* Not a message of the socket's: it does not go to another owner. */
		pk = client_event_begin(c, EVENT_watch, s->node.key, event_count(&e, true) + 1, false);
		codec_pack_text(pk, "event");
		codec_pack_text(pk, row->name);
		event_pack(pk, &e, true);
	}
}
