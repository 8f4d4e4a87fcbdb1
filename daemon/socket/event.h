/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as they are packed, and the clients that watch them.
 */
#ifndef EVENT_H
#define EVENT_H

#include <msgpack.h>
#include <stdbool.h>

#include "proto/event_type.h"
#include "rpc/client.h"
#include "stack/stack.h"

/* The fields of an event, without sock; io: with sctp_sndrcvinfo. */
unsigned event_count(const struct stack_event *, bool io);
void event_pack(msgpack_packer *, const struct stack_event *, bool io);

/* Tell the watchers that may see this socket. */
void event_watch(struct sock *, const struct event_type *,
    const struct sockaddr_storage *from, const void *body, size_t len);

/*
 * The map of a packed message of that kind; and the message anew, as an event
 * for another client.
 */
const msgpack_object *event_map(const msgpack_object *, enum message_kind);
void event_repack(struct client *, uint64_t sock, const msgpack_object *map,
    const msgpack_object *message);

#endif
