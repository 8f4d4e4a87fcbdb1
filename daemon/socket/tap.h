/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taps: clients that get a copy of the messages of all sockets.
 *
 * A tap is of a connection, and ends with it. Messages are copied where they enter
 * (sock_event) and where a stack took them (count_sent), as blocks of pcapng. There
 * are two ways from there to the client. It may share a ring with the daemon
 * (tapring.h): nothing is copied again, and the client is told when there is more
 * than it has read. Or the blocks go into a buffer of the tap, and that to the
 * client as one event when it has enough. Either way a client that shares the
 * processor with the daemon is woken a few times a second, and not for each message.
 *
 * No message waits for a tap. If the client does not read, the ring is full; or its
 * output fills up to client_queue, as with any events, and then the buffer. What
 * comes then is dropped and counted. The tap says so itself: in the event, and in
 * the file by a block of statistics where messages are missing.
 *
 * The log says who begins and ends one. A tap costs its ring or TAP_BUFFER bytes, and each association that it has seen
 * about 1,300 until the association is forgotten. A message that does not fit into
 * the buffer goes to the client by itself; of one that is longer than half of
 * the ring only so much is copied. While there is no tap, tap_is_on is all that a message costs.
 *
 * What is tapped is not in the journal (journal/known.h), so a session has no tap,
 * and nothing of a tap outlives the process.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/error.h"
#include "proto/event_type.h"
#include "rpc/client.h"
#include "stack/stack.h"

#define TAP_BUFFER	(256u << 10)
/* The most taps, how many of them are for root alone, and the most of another user. */
#define TAPS_MAX	16
#define TAPS_FOR_ROOT	4
#define TAPS_A_USER	4

struct assoc;

/* What is wanted; 0 or false: whatever it is. */
struct tap_filter {
	uint64_t		sock;
	uint64_t		client;
	uint32_t		assoc_id;
	bool			by_ppid;
	uint32_t		ppid;
	uint16_t		port;		/* of the peer */
	struct sockaddr_storage	addr;		/* of the peer; AF_UNSPEC: any */
	uint32_t		snap;		/* most bytes of a message; 0: all */
	size_t			ring;		/* bytes of a ring, a power of two; 0: none, it goes by events */
};

struct tap_counts {
	uint64_t	messages;	/* that it has seen */
	uint64_t	dropped;	/* of these */
};

extern bool tap_is_on;		/* there is at least one */

/*
 * Begin a tap, instead of the one that the client has; is it root's? Says by call_fail why not. With a ring, its descriptor is
 * for the client, and the caller closes it.
 */
enum error tap_begin(struct client *, const struct tap_filter *, bool root, int *fd);

/* Send what is left, and end it. */
struct tap_counts tap_finish(struct client *);

/* End it; nothing more is sent. */
void tap_end(struct client *);

/* The settings have changed: end those of users who may not tap any more, and tell them. */
void tap_end_unless(bool (*may)(uid_t));

/* Call these only if tap_is_on. */
void tap_received(struct assoc *, const struct sockaddr_storage *from, const struct event_data *);
void tap_sent(struct assoc *, const struct stack_message *, unsigned n);

#endif
