/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of a client, from its first byte to its answer.
 *
 * A call that is answered at once lives on dispatch's stack. A call that waits
 * is kept on the heap. It belongs to its client and ends with the client.
 */
#ifndef CALL_H
#define CALL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <msgpack.h>

#include "proto/error.h"
#include "proto/rpc.h"
#include "rpc/client.h"

/* A handler returns this if it has answered itself, or the answer comes later. */
#define CALL_ANSWERED	((enum error)ERR_COUNT)

enum call_end {
	CALL_TIMED_OUT,
	CALL_CLIENT_GONE,
	CALL_CLIENT_AWAY,	/* a bound call goes on waiting; the client may repeat it */
};

/*
 * With non_block_send a request is answered before the stack takes it. From then
 * on it is treated as a notification. This bit keeps its ordinal distinct.
 */
#define ORDINAL_ANSWERED	(UINT64_C(1) << 63)

/* In the journal: marks the msgid of a bound request; see asked.h. */
#define ORDINAL_BOUND		(UINT64_C(1) << 62)

struct call {
	TAILQ_ENTRY(call)	 entry;
	struct client		*client;
	const struct rpc_desc	*method;
	uint32_t		 msgid;
	bool			 notification;	/* nobody wants an answer */
	bool			 bound;		/* it waits without its connection: see asked.h */
	uint64_t		 ordinal;	/* of a notification: its number in the session */

	/* While it waits: how to end that, and what it waits for. */
	void			(*end)(struct call *, enum call_end);
	void			*waits_for;
	struct event		 timer;
};

/* Bytes that a waiting call is charged to its user. */
#define CALL_COST	(sizeof(struct call) + MALLOC_EXTRA)

/*
 * Keep a call that waits; returns the copy. end removes it from where it waits
 * and finishes it; CALL_CLIENT_AWAY, which comes to bound calls only, keeps it.
 * timeout is in ms; -1 means none.
 */
struct call *call_keep(const struct call *, int64_t timeout,
    void (*end)(struct call *, enum call_end), void *waits_for);

/* Record why a request fails; returns the error, for a handler to return. */
enum error call_fail(enum error, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The last text given to call_fail. */
const char *call_why(void);

/* The error string made of these two; valid until the next call. */
const char *call_error_text(enum error, const char *why);

/* Answer: with the method's results, with packed bytes, or with an error. */
void call_reply(const struct call *, const void *out);
msgpack_packer *call_reply_begin(const struct call *);
msgpack_packer *call_reply_begin_as(const struct call *, enum message_kind, uint64_t sock);
void call_reply_error(const struct call *, enum error, const char *why);

/* The same for a kept call; frees it. */
void call_finish(struct call *, const void *out);
void call_finish_error(struct call *, enum error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void call_forget(struct call *);

/* End the client's calls for which which() is true, with CALL_CLIENT_GONE. */
void call_end_all(struct client *, bool (*which)(const struct call *));

#endif
