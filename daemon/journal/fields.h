/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields and words of the journal's records. Clients, sockets and associations
 * write their own records; restore.c reads them.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "journal/journal.h"
#include "proto/field.h"

struct client_record {
	uint64_t		number;
	uint32_t		uid;
	uint32_t		pid;
	char			name[81];	/* a group's has "group " before the group's own */
	char			token[33];
	bool			events;
	bool			watching;
	bool			resident;
};

struct sock_record {
	uint64_t		handle;
	uint64_t		owner;
	uint64_t		netns_number;
	uint32_t		uid;
	uint32_t		subscribed;
	uint32_t		want_receive;
	uint32_t		want_send;
	struct sockaddr_storage	name;
	uint16_t		port;
	bool			many;
	bool			peeled;
	bool			listening;
	bool			over;
	bool			plain;
	bool			own_point;
	bool			own_port;
	bool			inet6;
	bool			lent;
	uint64_t		home;
	uint64_t		group;
#if JOURNAL_VERSION > JOURNAL_WRITTEN			/* for tests: a field of a later version */
	uint64_t		from_later_version;
#endif
};

struct assoc_record {
	uint64_t		number;
	uint64_t		sock;
	struct sockaddr_storage	peer;
	uint32_t		uid;
	uint32_t		id;
	int32_t			state;
	uint16_t		outbound;
	uint16_t		inbound;
	bool			unwanted;
	bool			eof_asked;
	bool			asked;
	bool			stream;
	bool			own_descriptor;
	uint64_t		up;
	uint64_t		error_at;
	char			error[96];
	struct slice		ppids;		/* as they lie in memory */
	bool			more_ppids;
	uint64_t		stalled;
	struct sockaddr_storage	wanted;
	uint64_t		penalty_at;
	uint32_t		penalty;
	bool			damped;
};

struct group_record {
	uint64_t		sock;
	uint64_t		resident;
	char			name[65];
	int32_t			policy;
	int32_t			by;
	uint32_t		offset;
	uint32_t		length;
	uint32_t		grace;
	uint32_t		hand_over_time;
	struct slice		users;		/* as they lie in memory */
	struct slice		members;	/* the same: struct member_record */
	struct slice		slots;		/* of spread: see group/spread.h */
};

struct member_record {
	uint64_t		client;
	uint32_t		priority;
	uint32_t		draining;
};

extern const struct field group_record_fields[];
extern const struct field client_record_fields[];
extern const struct field sock_record_fields[];
extern const struct field assoc_record_fields[];

/* Their words. */
enum { CLIENT_ACKED, CLIENT_SEQ, CLIENT_NOTIFICATIONS };
enum { SOCK_ACTIVE, SOCK_RECV_CNT, SOCK_RECV_OCT, SOCK_SEND_CNT, SOCK_SEND_OCT, SOCK_MAX };
enum { ASSOC_RECV_CNT, ASSOC_RECV_OCT, ASSOC_SEND_CNT, ASSOC_SEND_OCT };
enum { WAITING_CLIENT, WAITING_ORDER, WAITING_ASSOC, WAITING_DATA, WAITING_ORDINAL };
enum { SUPERVISED_SOCK, SUPERVISED_HOME, SUPERVISED_UID, SUPERVISED_FLAGS, SUPERVISED_ATTEMPTS };
enum { PENDING_SOCK, PENDING_ORDER, PENDING_ASSOC, PENDING_FIELDS, PENDING_LEN, PENDING_SLOT };

#endif
