/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records of the journal: what their fields and words are. keep.c writes
 * them, keep-restore.c reads them.
 */
#ifndef KEEP_RECORD_H
#define KEEP_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "field.h"
#include "journal.h"

struct keep_client {
	uint64_t		number;
	uint32_t		uid;
	uint32_t		pid;
	char			name[65];
	char			token[33];
	bool			events;
	bool			watching;
};

struct keep_sock {
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
	bool			inet6;
	bool			lent;
#if JOURNAL_VERSION > 1			/* for tests: a field that we do not know */
	uint64_t		from_version_2;
#endif
};

struct keep_assoc {
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
};

extern const struct field keep_client_fields[];
extern const struct field keep_sock_fields[];
extern const struct field keep_assoc_fields[];

/* Their words. */
enum { CLIENT_ACKED, CLIENT_SEQ, CLIENT_NOTIFICATIONS };
enum { SOCK_ACTIVE, SOCK_RECV_CNT, SOCK_RECV_OCT, SOCK_SEND_CNT, SOCK_SEND_OCT, SOCK_MAX };
enum { WAITING_CLIENT, WAITING_ORDER, WAITING_ASSOC, WAITING_DATA, WAITING_ORDINAL };
enum { PENDING_SOCK, PENDING_ORDER, PENDING_ASSOC, PENDING_FIELDS, PENDING_LEN };

#endif
