/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row of an event: what a client is told, by itself or in answer to recv.
 *
 * Most come from one notification of the SCTP stack, whose struct the fields
 * describe; the rest are the daemon's own, with structs made from event.def.
 */
#ifndef EVENT_TYPE_H
#define EVENT_TYPE_H

#include "proto/field.h"
#include "proto/rpc.h"

struct event_type {
	const char		*name;
	const char		*from;
	uint16_t		 sn_type;	/* 0: the daemon's own */
	uint16_t		 size;		/* least bytes of the struct */
	int16_t			 subscribe;	/* offset of its flag in struct
						   sctp_event_subscribe, or -1 */
	const struct field	*fields;
	const char		*doc;
};

/* The fields that every event has in front of its own. */
struct event_head {
	uint64_t		seq;		/* in a session */
	uint64_t		sock;
	struct sockaddr_storage	from;
};

/* The daemon's own. */
#define EVENT(NAME, KEY, FROM, FLAG, DOC) struct event_##NAME {
#define HAS(NAME, TYPE, FIELD, DOC) RPC_##TYPE FIELD;
#define HAS_NONE(NAME) char none;
#define END(NAME) };
#include "proto/event.def"

/* Flags of struct sctp_event_subscribe, which are its bytes. */
#define SUBSCRIBE_DATA_IO	0
#define SUBSCRIBE_SIZE		16

extern const struct field event_head_fields[];
extern const struct event_type event_type_table[];

/* Rows that the daemon names; the other events are found by sn_type. */
#define EVENT(NAME, KEY, FROM, FLAG, DOC) extern const struct event_type *const EVENT_##NAME;
#include "proto/event.def"

/* The row of that name, NULL if there is none. */
const struct event_type *event_type_named(const char *name, size_t len);

/* The row of a stack's notification, NULL for one that is not known. */
const struct event_type *event_type_find(uint16_t sn_type);

#endif
