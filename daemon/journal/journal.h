/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What outlives the process: a memory file that the service manager holds.
 *
 * It is a heap of records, an area for received messages and one for sent
 * ones, and a list of words to be set. A record is written, then made to
 * count, and what was in force before it to count no more, by words that are
 * all set or none: journal_set says which, journal_commit does it. A process
 * that is killed between any two instructions leaves the journal of its last
 * commit; what it had begun since is as if it had never been.
 *
 * No fsync and no system call: the memory is the kernel's, and stores are
 * seen in the order in which they were made.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* It is a heap of 16 GiB of address space, and its words are stored by one instruction. */
#if UINTPTR_MAX < UINT64_MAX
#error "sctpd is for 64-bit machines: its journal takes more address space than others have"
#endif

/*
 * Who writes it, and the oldest that understands what is written. A field
 * added to a record raises the first; only what an older daemon would get
 * wrong raises the second.
 */
#ifndef JOURNAL_VERSION
#define JOURNAL_VERSION		1
#endif
#define JOURNAL_READABLE_BY	1

enum record_kind {
	RECORD_FREE,
	RECORD_CLIENT,
	RECORD_SOCK,
	RECORD_ASSOC,
	RECORD_PENDING,		/* an event that waits */
	RECORD_OUTPUT,		/* messages to a client */
	RECORD_JOINT,		/* the beginning of a message */
	RECORD_WAITING,		/* a message that found no room, and nobody waits for */
	RECORD_CONFIG,		/* the configuration in force, as a file */
	RECORD_KINDS,
};

#define RECORD_WORDS	6

struct record {
	uint64_t	kind;			/* set by journal_keep and _drop only */
	uint64_t	size;			/* of the block, this included */
	uint64_t	len;			/* of body, as far as it is used */
	uint64_t	word[RECORD_WORDS];	/* what changes often: journal_set */
	char		body[];
};

/*
 * The memory that an earlier process left, or, with -1, new memory. Takes the
 * descriptor. What is not a journal that we understand, or a damaged one, is
 * ignored as a whole, with a line in the log. True: there is something to
 * restore, and each of its records lies where it should; what is in them is
 * for who reads them to check.
 */
bool journal_open(int fd);
int journal_fd(void);
void journal_close(void);

/* Restoring begins and ends; one that ended the process too often is ignored. */
void journal_begin_restore(void);
void journal_end_restore(void);

/*
 * A number that is used once while the host is up, and larger than those before
 * it. Clients are not told: it is JOURNAL_HANDLES or more.
 */
uint64_t journal_number(void);

/*
 * A number that clients are told, of a socket or of one of them. It is below
 * JOURNAL_HANDLES for good, as some of them have no integers beyond 32 bits.
 * They are given in turn, by the daemon and by those that take its journal
 * over: one comes again after all the others were given, and then not while
 * somebody has it. A daemon without a journal to take over begins where those
 * before it cannot have come: they gave less than one in a millisecond.
 */
#define JOURNAL_HANDLES	(UINT64_C(1) << 32)
uint64_t journal_handle(bool (*taken)(uint64_t));

/* Fixed memory that is always there, and what was in it. */
enum journal_area { AREA_RECEIVE, AREA_SEND, AREAS };
void *journal_area(enum journal_area, size_t size);

/* Room for a record of len bytes, or more; it does not count yet. */
struct record *journal_new(size_t len);
size_t journal_room(const struct record *);

/*
 * With the next commit: this word; this record counts; this one no more. There
 * is no limit to what one commit does, and nothing is done before it.
 */
void journal_set(uint64_t *word, uint64_t value);
void journal_keep(struct record *, enum record_kind);
void journal_drop(struct record *);

/* One that never counted. */
void journal_forget(struct record *);

void journal_commit(void);

/* All that count, in no order: NULL begins. */
struct record *journal_next(const struct record *, enum record_kind);

/* Bytes in use. */
size_t journal_size(void);

/* The room of all records that there can ever be. */
size_t journal_room_for_all(void);

#endif
