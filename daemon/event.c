/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packing of events, by their rows.
 */
#include <string.h>

#include "client.h"
#include "codec.h"
#include "event.h"
#include "sock.h"

/* Without data_io_event a message comes without its first field. */
static const struct field *
fields_of(const struct stack_event *e, bool io)
{
	return e->row == notice_data && !io ? e->row->fields + 1 : e->row->fields;
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

static void
tell_watcher(struct client *c, const struct sock *s, const struct stack_event *e)
{
	struct event_head	 head = { .sock = s->node.key };
	msgpack_packer		*pk;

	if (!client_has_room(c)) {
		c->lost++;
		return;
	}
	pk = client_packer(c);
	msgpack_pack_array(pk, 3);
	msgpack_pack_uint8(pk, RPC_NOTIFICATION);
	codec_pack_text(pk, notice_watch->name);
	msgpack_pack_array(pk, 1);
	msgpack_pack_map(pk, event_count(e, true) + 2);
	codec_pack_text(pk, "event");
	codec_pack_text(pk, e->row->name);
	codec_pack_fields(pk, event_head_fields, &head, sizeof head);
	event_pack(pk, e, true);
}

void
event_watch(struct sock *s, const struct notice *row,
    const struct sockaddr_storage *from, const void *body, size_t len)
{
	struct stack_event	 e = { .row = row, .from = from, .body = body, .len = len };
	struct client		*c = NULL;

	while ((c = client_next_watcher(c)) != NULL) {
		if (client_may_use(c, s->uid))
			tell_watcher(c, s, &e);
	}
}
