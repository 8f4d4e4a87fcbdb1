/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What outlives the process: a memory file that the service manager holds.
 *
 * This room, journal, holds records, transactions, counters and parked
 * descriptors. It may use util, config and service. It must not know what a
 * record means: clients, sockets and associations write their own records
 * (changes.h), and restore.c reads them.
 *
 * The file contains a heap of records, an area for received messages, an area for
 * sent messages, and a list of words to be set. A new record is written first.
 * Then it is made to count, and the record that it replaces is made void, by
 * setting words: journal_set lists them, and journal_commit sets all of them or
 * none. A process that is killed between any two instructions leaves the journal
 * of its last commit. What it had begun since then has no effect.
 *
 * There is no fsync and no system call. The memory belongs to the kernel, and
 * stores are seen in the order in which they were made.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The heap takes 16 GiB of address space, and one instruction must store a word. */
#if UINTPTR_MAX < UINT64_MAX
#error "sctpd is for 64-bit machines: its journal takes more address space than others have"
#endif

/*
 * The version that writes the journal, and the oldest version that understands it.
 * An added field or kind of record raises the first. Only a change that an older
 * daemon would misread raises the second.
 */
#define JOURNAL_WRITTEN		4
#ifndef JOURNAL_VERSION			/* tests build a daemon of a later version */
#define JOURNAL_VERSION		JOURNAL_WRITTEN
#endif
#define JOURNAL_READABLE_BY	1

enum record_kind {
	RECORD_FREE,
	RECORD_CLIENT,
	RECORD_SOCK,
	RECORD_ASSOC,
	RECORD_PENDING,		/* an event that waits */
	RECORD_OUTPUT,		/* messages to a client */
	RECORD_PARTIAL,		/* the beginning of a message */
	RECORD_WAITING,		/* a message that found no room and that nobody waits for */
	RECORD_CONFIG,		/* the configuration in force, as a file */
	RECORD_COUNTERS,	/* what the daemon counts of itself: counters.c */
	RECORD_DRAIN,		/* there is one while the daemon is being drained: limits/drain.h */
	RECORD_SUPERVISED,	/* a supervised association: supervise/supervise.h */
	RECORD_GROUP,		/* clients that share a socket: group/group.h */
	RECORD_KINDS,
};

#define RECORD_WORDS	6

struct record {
	uint64_t	kind;			/* set by journal_keep and _drop only */
	uint64_t	size;			/* of the block, this included */
	uint64_t	len;			/* of body, the part in use */
	uint64_t	word[RECORD_WORDS];	/* what changes often: journal_set */
	char		body[];
};

/*
 * Open the memory that an earlier process left or, with -1, new memory. Takes the
 * descriptor. A journal that is damaged, or that we do not understand, is ignored
 * as a whole, with a line in the log. True: there is something to restore, and each
 * record lies where it should. Whoever reads the records checks their contents.
 */
bool journal_open(int fd);
int journal_fd(void);
void journal_close(void);

/* Restoring begins and ends. A journal whose restoring ended the process too often is ignored. */
void journal_begin_restore(void);
void journal_end_restore(void);

/*
 * A number that is used only once while the host is up, and is larger than those
 * before it. Clients never see it: it is JOURNAL_HANDLES or more.
 */
uint64_t journal_number(void);

/*
 * A number of a socket or a client, which clients see. It always stays below
 * JOURNAL_HANDLES, because some clients have no integers beyond 32 bits. Numbers
 * are given in sequence, by this daemon and by those that take its journal over.
 * A number is given again only after all others were given, and never while it is
 * in use. A daemon without a journal to take over begins where earlier daemons
 * cannot have come, because they gave less than one number in a millisecond.
 */
#define JOURNAL_HANDLES	(UINT64_C(1) << 32)
uint64_t journal_handle(bool (*taken)(uint64_t));

/* Fixed memory that is always present, and what the earlier process left in it. */
enum journal_area { AREA_RECEIVE, AREA_SEND, AREAS };
void *journal_area(enum journal_area, size_t size);

/* Room for a record of len bytes or more. The record does not count yet. */
struct record *journal_new(size_t len);
size_t journal_room(const struct record *);

/*
 * With the next commit: set this word; make this record count; drop this record.
 * A commit has no size limit, and nothing takes effect before it.
 */
void journal_set(uint64_t *word, uint64_t value);
void journal_keep(struct record *, enum record_kind);
void journal_drop(struct record *);

/* Free a record that never counted. */
void journal_forget(struct record *);

void journal_commit(void);

/* Iterate over all records that count, in no order; NULL begins. */
struct record *journal_next(const struct record *, enum record_kind);

/* Bytes in use. */
size_t journal_size(void);

/* The bytes of all records that there can ever be. */
size_t journal_room_for_all(void);

#endif
