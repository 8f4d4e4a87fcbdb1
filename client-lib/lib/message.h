/* SPDX-License-Identifier: BSD-2-Clause */
/* One message of the daemon's, and the values in it. */
#ifndef LIB_MESSAGE_H
#define LIB_MESSAGE_H

#include "lib/internal.h"

/* A copy of one whole frame, unpacked. NULL without memory. */
struct message *message_new(const char *, size_t len);
struct message *message_free(struct message *);

/* Describe the event of that name in this map, which is of the message. */
void message_set_event(struct message *, const char *name, const msgpack_object *map);

/* A map's value, NULL if it has none or is no map. Strings need no NUL. */
const msgpack_object *map_get(const msgpack_object *, const char *key, size_t len);

#endif
