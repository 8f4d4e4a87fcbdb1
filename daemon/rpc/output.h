/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The output of a client: packed messages that are to be written and, in a
 * session, acknowledged.
 *
 * Without a session it is a buffer. In a session each message has a number and
 * stays in the journal until the client says that it has handled it. After the
 * daemon or the client has died, it is written again to whoever resumes the
 * session.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "journal/journal.h"
#include "limits/user.h"
#include "proto/field.h"
#include "util/mem.h"

enum message_kind {
	MESSAGE_ANSWER,
	MESSAGE_HELLO,		/* an answer that is not repeated */
	MESSAGE_RECEIVED,	/* an answer to recv, which brings an event */
	MESSAGE_EVENT,
	MESSAGE_VOID,		/* an event that went to another owner */
};

/* A part of the queue that is in one record of the journal. */
struct chunk {
	TAILQ_ENTRY(chunk)	 entry;
	struct record		*record;
	uint32_t		 count;		/* messages */
	uint32_t		 first;		/* the first one not acknowledged */
	uint32_t		 bytes;
	bool			 changed;
};

struct output {
	struct account		*account;	/* which the chunks are charged to */
	struct buf		 unnumbered;
	bool			 session;
	bool			 self_acking;	/* a message counts as handled once written */
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
	size_t			 unacked;		/* bytes not acknowledged */
	int			 pass;		/* a descriptor for the client; -1 */
	size_t			 pass_after;	/* it goes with the byte after so many */
};

void output_init(struct output *, struct account *);
void output_free(struct output *);

/*
 * From now on, number messages and keep them for the client of that number until
 * they are acknowledged or, with self_acking, written.
 */
void output_keep(struct output *, uint64_t client, bool self_acking);

/* Begin a message, add bytes to it, end it. Beginning the next one ends it too. */
void output_begin(struct output *, enum message_kind, uint64_t sock);
void output_add(struct output *, const char *, size_t);
void output_end(struct output *);

/* Send a duplicate of fd along with the message that begins now. */
void output_pass(struct output *, int fd);

/* Bytes not written yet, and bytes not acknowledged yet. */
size_t output_unwritten(const struct output *);
size_t output_unacked(const struct output *);

/* The rest of a message that was written in part; returns the number of bytes. */
size_t output_rest(const struct output *, const char **);

/* Write as much as fd takes; returns the number of bytes, or -1 with errno. */
ssize_t output_write(struct output *, int fd);

/* The number of the last message that was written whole. */
uint64_t output_told(struct output *);

/* Messages up to seq are handled. False: there is no message seq yet. */
bool output_ack(struct output *, uint64_t seq);

/* Start writing again at the first message that is not acknowledged. */
void output_rewind(struct output *);

/*
 * Call give for each event about a socket that is not acknowledged, the oldest
 * first, and remove it from this output: it goes to another owner.
 */
void output_take(struct output *, uint64_t sock,
    void (*give)(void *, enum message_kind, const char *, size_t), void *arg);

/* Call each for every event about a socket that is kept and not acknowledged, the oldest first. */
void output_each_event(const struct output *, void (*each)(void *, uint64_t seq, uint64_t sock,
    enum message_kind, struct slice), void *arg);

/* Record the changes in the journal, with its next commit. */
void output_stage(struct output *);

/* A chunk that an earlier process left: its client's number; and take it in. Then rewind. */
uint64_t output_owner(const struct record *);
bool output_restore(struct output *, struct record *);

#endif
