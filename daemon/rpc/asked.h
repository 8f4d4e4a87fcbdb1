/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a session that wait for room and will be asked for again.
 *
 * When its connection breaks, or the daemon dies, a session asks again for
 * what has no answer: so a send that waits is dropped then, and asked for
 * again. A notification that waits is not asked for again: it stays. But what
 * if it waits behind such a request? Asked for again, the request would come
 * behind it. So from then on the request stays as well (it is bound, and in
 * the journal), and is answered when the stack takes it; when the client asks
 * for it again, that is recognized by its msgid and content, and passed over.
 */
#ifndef ASKED_H
#define ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct client;

struct asked {
	TAILQ_ENTRY(asked)	 entry;
	struct client		*client;
	uint32_t		 msgid;
	size_t			 len;
	uint64_t		 sum;		/* of its data */
	uint64_t		 answer;	/* the number of its answer; 0: there is none yet */
	bool			 passed;	/* it was asked for again on this connection */
};

TAILQ_HEAD(asked_list, asked);

/* The connection over which it came is gone, and the request waits on. */
struct asked *asked_new(struct client *, uint32_t msgid, const char *data, size_t len);

/* Is this a request that waits already, or was answered since? It is so once. */
bool asked_again(struct client *, uint32_t msgid, const char *data, size_t len);

/* Its answer is the client's next message. */
void asked_answered(struct asked *);

/* The client has that answer, up to this number: it will not ask for those any more. */
void asked_acked(struct client *, uint64_t seq);

/*
 * The client comes back: those that were answered will not be asked for, as
 * their answers come first; the others may be, also a second time.
 */
void asked_come_back(struct client *);
void asked_free_all(struct client *);

#endif
