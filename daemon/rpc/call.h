/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of a client's, from its first byte to its answer.
 *
 * A call that is answered at once lives on dispatch's stack. One that waits
 * is kept on the heap and belongs to its client: it ends with it.
 */
#ifndef CALL_H
#define CALL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <msgpack.h>

#include "error.h"
#include "output.h"
#include "rpc.h"
#include "user.h"

struct client;

/* What a handler gives back when the answer is given, or comes later. */
#define CALL_ANSWERED	((enum error)ERR_COUNT)

enum call_end {
	CALL_TIMED_OUT,
	CALL_CLIENT_GONE,
};

/*
 * A request that was answered before the stack took it, with non_block_send,
 * is like a notification from then on; this makes its ordinal unlike one's.
 */
#define ORDINAL_ANSWERED	(UINT64_C(1) << 63)

/* In the journal, of a request that is bound, with its msgid: see asked.h. */
#define ORDINAL_BOUND		(UINT64_C(1) << 62)

struct call {
	TAILQ_ENTRY(call)	 entry;
	struct client		*client;
	const struct rpc_desc	*method;
	uint32_t		 msgid;
	bool			 notification;	/* nobody wants an answer */
	bool			 bound;		/* it waits on without its connection: see asked.h */
	uint64_t		 ordinal;	/* of a notification: which of its client's */

	/* Of those that wait: how to stop waiting, and for what. */
	void			(*end)(struct call *, enum call_end);
	void			*waits_for;
	struct event		 timer;
};

TAILQ_HEAD(calls, call);

/* What one that waits is charged with. */
#define CALL_COST	(sizeof(struct call) + MALLOC_EXTRA)

/*
 * Keep a call: gives the copy that waits. end takes it out of where it waits
 * and finishes it; timeout is in ms, -1 for none.
 */
struct call *call_keep(const struct call *, int64_t timeout,
    void (*end)(struct call *, enum call_end), void *waits_for);

/* Say why a request fails: for handlers to return. */
enum error call_fail(enum error, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What call_fail said last. */
const char *call_why(void);

/* The error string of these two, until the next one. */
const char *call_error_text(enum error, const char *why);

/* Answer: with the method's results, with packed bytes, or with an error. */
void call_reply(const struct call *, const void *out);
msgpack_packer *call_reply_begin(const struct call *);
msgpack_packer *call_reply_begin_as(const struct call *, enum message_kind, uint64_t sock);
void call_reply_error(const struct call *, enum error, const char *why);

/* The same for a call that was kept, which is gone afterwards. */
void call_finish(struct call *, const void *out);
void call_finish_error(struct call *, enum error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void call_forget(struct call *);

#endif
