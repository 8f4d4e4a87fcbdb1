/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three messages of the data path, read and written by hand.
 *
 * What these do, the codec does too, by the tables, and for everything else:
 * but it takes some thousands of instructions a message, and these a hundred.
 * A test holds the two against each other.
 */
#ifndef FASTPATH_H
#define FASTPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/event_type.h"
#include "proto/rpc.h"

struct fastpath_send {
	bool			notification;
	uint32_t		msgid;
	struct rpc_send_in	in;
};

/*
 * Is there a whole, ordinary request or notification to send at p? Gives its
 * length and what it says, in place. 0: ask the scanner and the codec.
 */
size_t fastpath_read_send(const char *p, size_t n, struct fastpath_send *);

/* A peer as an event names it, packed once: "from" and {addr, port}. */
struct fastpath_from {
	struct sockaddr_storage	ss;
	uint8_t			len;
	char			packed[96];
};

/*
 * All of a data event but its last bytes, the message itself; info NULL: it is
 * not wanted. seq 0: no session; timestamp 0: none. Gives how many bytes of to
 * were taken.
 */
#define FASTPATH_EVENT_MAX	352
size_t fastpath_write_data(char to[FASTPATH_EVENT_MAX], uint64_t seq, uint64_t sock, struct fastpath_from *,
    const struct sockaddr_storage *from, const struct sndrcvinfo *info, uint64_t timestamp, uint32_t len);

/* The answer that says nothing but "done". */
#define FASTPATH_DONE_MAX	9
size_t fastpath_write_done(char to[FASTPATH_DONE_MAX], uint32_t msgid);

#endif
