/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message or a notification of which not all has come yet. What has come was
 * taken from the kernel, so it lies in the journal.
 *
 * With I-DATA (RFC 8260), messages of several streams come piece by piece at the
 * same time: one ordered and one unordered message of each stream. So an
 * association keeps a list of them (struct partials). Without I-DATA there is one
 * message at a time, and the list has one at most.
 */
#ifndef PARTIAL_H
#define PARTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "journal/journal.h"
#include "limits/user.h"

enum partial_kind { PARTIAL_LONE, PARTIAL_DATA, PARTIAL_NOTICE, PARTIAL_FAILED, PARTIAL_SOCKET };

struct partial {
	enum partial_kind	 kind;		/* PARTIAL_LONE: it dies with the process */
	uint64_t	 owner;		/* the association's number, or the socket's handle */
	struct user	*user;		/* the user who is charged, or NULL */
	size_t		 charged;
	struct record	*record;
	size_t		 len;
	bool		 begun;
	bool		 skip;		/* too long: the rest is thrown away */
	bool		 sent;		/* a part of it was on the wire */

	/* Of a message in a list. */
	LIST_ENTRY(partial) entry;
	uint32_t	 key;		/* see partial_key */
	uint32_t	 ppid;		/* only the first piece has it */
};

/* The most messages of one association that may be incomplete at the same time. */
#define PARTIALS	128

struct partials {
	LIST_HEAD(, partial)	 list;
	unsigned		 n;
	bool			 refused;	/* there were more */
	uint64_t		 owner;
};

/* What tells the messages of a list apart. */
static inline uint32_t
partial_key(uint16_t stream, bool unordered)
{
	return (uint32_t)stream << 1 | unordered;
}

void partials_init(struct partials *, uint64_t owner);

/* The message with this key of which a piece has come. NULL: there is none. */
struct partial *partials_find(struct partials *, uint32_t key, uint32_t ppid);

/* Begin a message. NULL: too many are incomplete; too_many says that once. */
struct partial *partials_begin(struct partials *, uint32_t key, uint32_t ppid, bool *too_many);

/*
 * Take a message from the list; and free it, with what has come. In between the
 * message is the caller's alone.
 */
void partials_take(struct partials *, struct partial *);
void partial_free(struct partial *);

/* Forget the message with this key or, if there is none, all of them. */
void partials_forget(struct partials *, uint32_t key);
void partials_clear(struct partials *);

bool partials_restore(struct partials *, struct record *);

void partial_init(struct partial *, enum partial_kind, uint64_t owner);

/*
 * Add a piece, and charge it to the user unless that is NULL. False: the
 * message would be longer than is allowed, or than that user has memory for.
 */
bool partial_add(struct partial *, struct user *, const char *, size_t);

/*
 * Join the n bytes at p with what has come. True: this piece was the last, and
 * the whole is in p and n. A message that comes in one piece is not copied.
 * False: there is more to come, or the message is too long. too_long says that
 * once.
 */
bool partial_join(struct partial *, struct user *, bool last, char **p, size_t *n, bool *too_long);

/* What has come so far. */
char *partial_data(const struct partial *);

/* A part of the message was on the wire. */
void partial_mark_sent(struct partial *);

/* Forget what has come, to begin anew or to end. */
void partial_clear(struct partial *);

/*
 * Take the record that the previous process left, unless it is damaged; and say
 * whose record it is.
 */
bool partial_restore(struct partial *, struct record *);
uint64_t partial_owner(const struct record *, enum partial_kind *);

#endif
