/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bucket of a standby: a key-value store of JetStream, sctp-HOST-standby.
 *
 *	form		which version of the bucket this is
 *	owner		"member=east term=7": who has the associations. Written by "sctpd-nats --take-over", and only if
 *			nobody wrote it meanwhile; each time the term is one more
 *	taken		"member=east term=7 ...": the owner has restarted what there was, with numbers
 *	lost.MEMBER	what a member had and could not hand on, when it last lost the associations
 *	assoc.NAME	an association, see standby.c; NAME is what it is called in subjects, ASSOC-SESSION
 *
 * All of this waits for answers of JetStream, so it is done by jobs.
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

struct bucket_row {
	char	*name;
	char	*text;
};

/* Give life (with a reference) and member; the job gives the rest. The caller frees the rows with bucket_forget. */
struct bucket_look {
	struct life		*life;
	bool			 all;		/* the associations too, if the owner is us */

	char			 why[512];	/* if this is not empty, it failed */
	struct bucket_owner	 owner;
	uint64_t		 taken;		/* the term of the key "taken" */
	struct bucket_row	*rows;
	size_t			 n;
};

void bucket_look(void *);
void bucket_forget(struct bucket_look *);

/* Changes of keys, in order: a value, or NULL to delete it. */
struct bucket_change {
	STAILQ_ENTRY(bucket_change)	 entry;
	char				*key;
	char				*value;
};
STAILQ_HEAD(bucket_changes, bucket_change);

/* Give life (with a reference) and the changes; the job gives why. It frees what it has carried out. */
struct bucket_write {
	struct life		*life;
	struct bucket_changes	 changes;
	char			 why[512];
};

void bucket_write(void *);

/*
 * Make this member the owner, and wait until its bridge has reported, for so many ms. Not a job: it waits. Gives what to
 * print in text. False: text says why not.
 */
bool bucket_take_over(struct life *, int64_t wait_ms, char *text, size_t size);

#endif
