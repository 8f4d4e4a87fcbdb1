/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is observed of an association: how much went each way, since when, and
 * what was wrong last.
 *
 * The room trace. Whatever observes associations reads it: the method assocs,
 * the metrics, the flight recorder. The rooms above tell it what happens, at the
 * few places where everything passes: sock_event (socket/deliver.c) for what
 * comes, count_sent (socket/sends.c) for what a stack took, and assoc_enter
 * (socket/assoc.c) for states. It knows the rows of events and the struct of a
 * stack's event (stack/stack.h). It must not know what a socket, an association
 * or a client is.
 *
 * A trace lies in the struct of its association. Whoever owns that struct writes
 * it to the journal with the rest, so it outlives the process. The counters are
 * words of the association's record. They are written within a second, and with
 * the record: what a process that is killed had counted since then is missing.
 */
#ifndef TRACE_H
#define TRACE_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/stack.h"

/* The most PPIDs that are remembered. */
#define TRACE_PPIDS	8
#define TRACE_ERROR	96

struct recorder;
struct user;

struct traffic {
	uint64_t	messages;
	uint64_t	bytes;
};

struct trace {
	struct traffic	 received;		/* from the peer, to whoever owns the socket */
	struct traffic	 sent;			/* taken by the stack */
	uint64_t	 up;			/* when it came up, or was restarted, as trace_now
						   says; 0: not yet */
	uint32_t	 ppid[TRACE_PPIDS];	/* those seen either way, the first one first */
	uint8_t		 nppids;
	uint8_t		 last_ppid;		/* which of them the last message had */
	bool		 more_ppids;		/* there were others */
	char		 error[TRACE_ERROR];	/* what was wrong last, in words; empty: nothing */
	uint64_t	 error_at;		/* and when */
	struct recorder	*recorder;	/* record.h; NULL: there is none yet */
	struct user	*user;		/* whose memory it takes */
	bool		 not_recorded;	/* there was none left, and that is counted */
};

/* Milliseconds since the host was booted. That outlives the process, and is never set. */
uint64_t trace_now(void);

/* Remember a PPID that is not the last one's; true: it is new. */
bool trace_new_ppid(struct trace *, uint32_t ppid);

/* A message has this PPID. True: something has changed that is not a counter. */
static inline bool
trace_ppid(struct trace *t, uint32_t ppid)
{
	return (t->nppids == 0 || t->ppid[t->last_ppid] != ppid) && trace_new_ppid(t, ppid);
}

static inline void
trace_count(struct traffic *way, uint64_t messages, uint64_t bytes)
{
	way->messages += messages;
	way->bytes += bytes;
}

/* The association came up. */
void trace_up(struct trace *);

/* The stack says something that is not a message. True: the trace has changed. */
bool trace_event(struct trace *, const struct stack_event *);

/* Pack the pairs of a map that are about this, at the time now; and how many they are. */
#define TRACE_PAIRS	9u
void trace_pack(msgpack_packer *, const struct trace *, uint64_t now);

#endif
