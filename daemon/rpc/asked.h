/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a session that wait for room and that the client will repeat.
 *
 * When its connection breaks, or the daemon dies, a session repeats each
 * request that has no answer. A send request that waits is therefore dropped
 * at that moment. A notification that waits is not repeated, so it stays. If
 * it waits behind a send request, the repeated request would be queued behind
 * the notification, and the order would be wrong. From then on that request
 * therefore stays as well: it is bound, and kept in the journal. It is answered
 * when the stack takes it. When the client repeats it, the repetition is
 * recognized by its msgid and content, and skipped.
 */
#ifndef ASKED_H
#define ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "rpc/client.h"

struct asked {
	TAILQ_ENTRY(asked)	 entry;
	struct client		*client;
	uint32_t		 msgid;
	size_t			 len;
	uint64_t		 sum;		/* of its data */
	uint64_t		 answer;	/* the number of its answer; 0: there is none yet */
	bool			 passed;	/* the client repeated it on this connection */
};

/* Keep a request that goes on waiting after its connection has ended. */
struct asked *asked_new(struct client *, uint32_t msgid, const char *data, size_t len);

/* Does this repeat a request that waits, or was answered since? True once for each connection. */
bool asked_again(struct client *, uint32_t msgid, const char *data, size_t len);

/* The client's next message is the answer to this request. */
void asked_answered(struct asked *);

/* The client has handled the messages up to seq, so it repeats no request answered there. */
void asked_acked(struct client *, uint64_t seq);

/*
 * The client comes back. It does not repeat requests that were answered, because
 * the answers reach it first. It may repeat the others, even for a second time.
 */
void asked_come_back(struct client *);
void asked_free_all(struct client *);

#endif
