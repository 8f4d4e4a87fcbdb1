/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes to a client: messages packed, to be written, and, in a session, to
 * be acknowledged.
 *
 * Without a session it is a buffer. In one, each message has a number and lies
 * in the journal until the client says that it has handled it: it is written
 * again to whoever comes back for it, after our death or the client's.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "journal.h"
#include "mem.h"
#include "user.h"

enum message_kind {
	MESSAGE_ANSWER,
	MESSAGE_HELLO,		/* an answer that is not given again */
	MESSAGE_RECEIVED,	/* an answer that brings an event: recv's */
	MESSAGE_EVENT,
	MESSAGE_VOID,		/* an event that went to another owner */
};

/* A part of the queue that is in one record of the journal. */
struct chunk {
	TAILQ_ENTRY(chunk)	 entry;
	struct record		*record;
	uint32_t		 count;		/* messages */
	uint32_t		 first;		/* of them, not acknowledged */
	uint32_t		 bytes;
	bool			 changed;
};

struct output {
	struct account		*account;	/* that chunks are charged to */
	struct buf		 plain;
	bool			 session;
	bool			 self_acking;	/* what is written is handled */
	bool			 open;		/* a message is being packed */
	enum message_kind	 kind;		/* of it */
	uint32_t		 start;
	uint64_t		 sock;
	uint64_t		 client;
	uint64_t		 seq;		/* of the last message */
	uint64_t		 acked;
	TAILQ_HEAD(output_chunks, chunk) chunks;
	struct chunk		*at;		/* where the next byte to write is */
	uint32_t		 offset;
	size_t			 unwritten;
	size_t			 held;		/* bytes not acknowledged */
	int			 pass;		/* a descriptor for the client; -1 */
	size_t			 pass_after;	/* with the byte after so many */
};

void output_init(struct output *, struct account *);
void output_free(struct output *);

/*
 * From now on messages are numbered and kept for the client of that number,
 * until they are acknowledged or, self_acking, written.
 */
void output_keep(struct output *, uint64_t client, bool self_acking);

/* Begin a message; what is added is its next bytes, up to the next one. */
void output_begin(struct output *, enum message_kind, uint64_t sock);
void output_add(struct output *, const char *, size_t);
void output_end(struct output *);

/* A duplicate of a descriptor goes with the message that begins now. */
void output_pass(struct output *, int fd);

/* Bytes to be written, and bytes that are kept. */
size_t output_unwritten(const struct output *);
size_t output_held(const struct output *);

/* The rest of a message of which a part was written; gives how many bytes. */
size_t output_rest(const struct output *, const char **);

/* Write what can be written: -1 with errno, or the bytes. */
ssize_t output_write(struct output *, int fd);

/* The number of the last message that was written whole. */
uint64_t output_told(struct output *);

/* Up to that one they are handled. False: there is no such message yet. */
bool output_ack(struct output *, uint64_t seq);

/* Write again all that is not acknowledged. */
void output_rewind(struct output *);

/*
 * Give each event about a socket that is not acknowledged, the oldest first,
 * and forget it: it is another's.
 */
void output_take(struct output *, uint64_t sock,
    void (*give)(void *, enum message_kind, const char *, size_t), void *arg);

/* Have the journal know, with its next commit. */
void output_stage(struct output *);

/* A part that a process before us left, and whose; when all are there, rewind. */
uint64_t output_owner(const struct record *);
bool output_restore(struct output *, struct record *);

#endif
