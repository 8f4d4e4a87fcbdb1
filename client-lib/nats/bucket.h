/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bucket of a standby: a key-value store of JetStream, sctp-HOST-standby.
 *
 *	form		which version of the bucket this is
 *	owner		"member=east term=7": who has the associations. Written by "sctpd-nats --take-over", and only if
 *			nobody wrote it meanwhile; each time the term is one more
 *	taken		"member=east term=7 ...": the owner has restarted what there was, with numbers
 *	alive		"member=east term=7 ...": the owner is there, and its machine has the addresses (lease.h)
 *	lost.MEMBER	what a member had and could not hand on, when it last lost the associations
 *	assoc.NAME	an association, see standby.c; NAME is what it is called in subjects, ASSOC-SESSION
 *
 * What waits for answers of JetStream is done by jobs.
 */
#ifndef NATS_BUCKET_H
#define NATS_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "nats/bus.h"

#define BUCKET_MEMBER	64

struct bucket_owner {
	char		member[BUCKET_MEMBER];	/* "": nobody has taken over yet */
	uint64_t	term;
};

/* An association: NAME of its key, and its value. */
struct bucket_row {
	LIST_ENTRY(bucket_row)	 entry;
	char			*name;
	char			*text;
};
LIST_HEAD(bucket_rows, bucket_row);

/*
 * What the bucket says, of which the loop has a copy: all is read when a connection begins, and from then on the servers tell
 * each change, in the order in which they were made. So a member that reads that it is the owner has all that was in the bucket
 * at that moment.
 */
struct bucket {
	bool			 known;		/* all that there was was read, on the connection that is up */
	const char		*why;		/* if not NULL: it cannot be read, or has something wrong in it */
	struct bucket_owner	 owner;
	uint64_t		 taken;		/* the term of the key "taken" */
	int64_t			 alive;		/* when the owner was last heard of, by our clock */
	struct bucket_rows	 rows;
};

const struct bucket *bucket(void);

/*
 * The loop's part, called in each turn, with the connection that is up, or NULL; on_row gets each row that changes after all
 * is known, with its new text, or NULL. And the end of the program.
 */
void bucket_turn(struct life *, void (*on_row)(const char *name, const char *text));
void bucket_stop(void);

/* Changes of keys, in order: a value, or NULL to delete it. */
struct bucket_change {
	STAILQ_ENTRY(bucket_change)	 entry;
	char				*key;
	char				*value;
};
STAILQ_HEAD(bucket_changes, bucket_change);

/* Give life (with a reference) and the changes; the job gives why. It carries out the first of them, if they are many, and frees those. */
struct bucket_write {
	struct life		*life;
	struct bucket_changes	 changes;
	char			 why[512];
};

void bucket_write(void *);

/* Give life (with a reference) and the term that is known; the job gives why, if it failed. */
struct bucket_lease {
	struct life	*life;
	uint64_t	 term;
	char		 why[512];
};

void bucket_alive(void *);	/* the owner, who we are, is alive */
void bucket_claim(void *);	/* make us the owner, unless there is a later term already */

enum bucket_try { BUCKET_DONE, BUCKET_AGAIN, BUCKET_REFUSED };

/*
 * Make this member the owner, and wait until its bridge has reported. Not a job: it waits. Gives in text what to print, or why
 * it was not done. AGAIN: on another connection it may be; *term, which is 0 at first, is to stay as it is.
 */
enum bucket_try bucket_take_over(struct life *, int64_t deadline, uint64_t *term, char *text, size_t size);

#endif
