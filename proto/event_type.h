/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row of an event: what a client is told, by itself or in answer to recv.
 *
 * Most come from one notification of the SCTP stack, whose struct the fields
 * describe; the rest are the broker's own, with structs from here.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "field.h"
#include "rpc.h"

struct notice {
	const char		*name;
	const char		*from;
	uint16_t		 sn_type;	/* 0: the broker's own */
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

/* The broker's own. */
struct event_data {
	struct sndrcvinfo	sctp_sndrcvinfo;
	struct slice		data;
};

struct event_send_failed {
	bool			flags;
	uint32_t		error;
	struct sndrcvinfo	info;
	uint32_t		assoc_id;
	struct slice		reason;
	struct slice		data;
};

struct event_accept {
	uint64_t		accepted;
	uint32_t		assoc_id;
};

struct event_unknown {
	uint16_t		type;
	uint16_t		flags;
	struct slice		data;
};

struct event_closed {
	struct slice		reason;
};

struct event_owner {
	uint64_t		owner;
	uint64_t		was;
};

struct event_watch {
	struct slice		event;
};

struct event_error {
	struct slice		method;
	struct slice		error;
};

struct event_overrun {
	uint64_t		lost;
};

struct event_superseded {
	uint64_t		pid;
};

/* Flags of struct sctp_event_subscribe, which are its bytes. */
#define SUBSCRIBE_DATA_IO	0
#define SUBSCRIBE_SIZE		16

extern const struct field event_head_fields[];
extern const struct notice notice_table[];

/* Rows that the daemon names; the other events are found by sn_type. */
extern const struct notice *const notice_data;
extern const struct notice *const notice_send_failed;
extern const struct notice *const notice_accept;
extern const struct notice *const notice_unknown;
extern const struct notice *const notice_passive;
extern const struct notice *const notice_closed;
extern const struct notice *const notice_owner;
extern const struct notice *const notice_watch;
extern const struct notice *const notice_error;
extern const struct notice *const notice_overrun;
extern const struct notice *const notice_superseded;

/* The row of that name, NULL if there is none. */
const struct notice *notice_named(const char *name, size_t len);

/* The row of a stack's notification, NULL for one that is not known. */
const struct notice *notice_find(uint16_t sn_type);

#endif
