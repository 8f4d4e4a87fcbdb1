/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flight recorder: the last messages of each association, and what happened.
 *
 * An association that was lost last night cannot be asked any more. So the last
 * messages of each are kept, or the beginning of each message, with what the stack
 * and the daemon said. When the association is lost, aborted or restarted, or when
 * somebody asks, they are written out (socket/report.c says when) as a section of
 * a pcapng file (recordfile.h).
 *
 * The memory is taken on first use, so what says and sends nothing costs a
 * pointer. It is bounded: RECORD_EVENTS bytes and record_messages messages for
 * each association, and record_memory for all, of which each user has a share
 * (limits/user.h). An association that finds no memory left is not recorded; that
 * is counted and logged. Nothing is allocated for a message but the first.
 * A recorder begins anew with each process: what is in it does not outlive a kill.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "proto/pcapng.h"
#include "proto/rpc.h"
#include "trace/trace.h"

/* Bytes of the texts of an association's events. */
#define RECORD_EVENTS	2048u

static inline bool
record_is_on(void)
{
	return config.record_messages > 0;
}

/* A message went one way. */
void record_put(struct trace *, bool sent, const struct sndrcvinfo *, const void *, size_t len);

static inline void
record_message(struct trace *t, bool sent, const struct sndrcvinfo *info, const void *data,
    size_t len)
{
	if (record_is_on())
		record_put(t, sent, info, data, len);
}

/* Something happened, how urgent it is as for syslog(3), and in words. */
void record_event(struct trace *, int priority, const char *text);

/* The same in the words of the event's row. */
void record_stack_event(struct trace *, const struct stack_event *);

void record_free(struct trace *);

/* From now on it takes this user's memory. NULL: nobody's; then nothing may be recorded. */
void record_set_user(struct trace *, struct user *);

/* What belongs to a section beside the record itself. */
struct record_about {
	const struct sockaddr_storage	*peer, *local;	/* with their ports */
	const char			*why;		/* in words, for its comment */
};

/* The section, in memory that the caller frees. */
char *record_section(const struct trace *, const struct record_about *, size_t *len);

#endif
