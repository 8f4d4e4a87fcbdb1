/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libsctpd: a connection, and who does what to it.
 *
 * core.c is the protocol and does no I/O: bytes in, answers and events out.
 * conn.c moves the bytes. words.c makes arguments of key=value words. calls.c
 * and opt.c are the methods as C functions.
 */
#ifndef CORE_H
#define CORE_H

#include <msgpack.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "frame.h"
#include "sctpd.h"

#define CORE_MAX_MESSAGE	((16u << 20) + (64u << 10))	/* bytes, either way */
#define CORE_MAX_EVENTS		4096		/* that wait to be taken */
#define CORE_MAX_EVENT_BYTES	(64u << 20)
#define CORE_MAX_OUT		(64u << 20)	/* bytes that wait to be written */

/* Bytes off to len are there; room in all. */
struct buf {
	char	*data;
	size_t	 off;
	size_t	 len;
	size_t	 room;
};

/* One message of the daemon's, with all that its values point to. */
struct message {
	TAILQ_ENTRY(message)	 entry;
	msgpack_zone		 zone;
	msgpack_object		 obj;
	struct sctpd_event	 event;
	size_t			 len;
	char			 bytes[];
};
TAILQ_HEAD(messages, message);

enum request_state {
	REQUEST_FREE,
	REQUEST_CALLBACK,	/* its answer goes to fn */
	REQUEST_WAIT,		/* its answer goes to the waiting function */
	REQUEST_ABANDONED,	/* the function stopped waiting */
};

struct request {
	enum request_state	 state;
	bool			 recv;		/* an answer is an event */
	uint32_t		 id;
	sctpd_reply_fn		*fn;
	void			*arg;		/* struct wait of REQUEST_WAIT */
	uint32_t		 next_free;
};

/* A blocking call: where its answer is put. */
struct wait {
	bool		 done;
	int		 code;
	uint32_t	 id;
	struct message	*reply;
};

struct sctpd {
	int			 fd;
	int			 timeout;
	int			 lost;		/* why it ended: a code, or 0 */
	unsigned		 depth;		/* callbacks under way */
	bool			 doomed;	/* freed inside one of them */
	struct buf		 in;
	struct buf		 out;
	struct frame		 frame;		/* of the message being read */

	/* The request that is being packed. */
	msgpack_packer		 pk;
	size_t			 begun;		/* where it starts in out */
	uint32_t		 begun_id;
	bool			 no_memory;

	struct request		*requests;	/* by the low bits of the id */
	uint32_t		 room;
	uint32_t		 free;		/* first free one, or room */
	size_t			 pending;

	struct messages		 events;
	size_t			 n_events;
	size_t			 event_bytes;
	sctpd_event_fn		*on_event;
	void			*on_event_arg;

	struct message		*reply;		/* lent by the last call */
	struct message		*lent;		/* the last event taken */
	char			 error[512];
};

/* ---- core.c --------------------------------------------------------- */

/* Room for n more bytes; false without memory. */
bool buf_reserve(struct buf *, size_t n);
void buf_free(struct buf *);

/* Keep the text; give the code. */
int core_error(struct sctpd *, int code, const char *fmt, ...) SCTPD_PRINTF(3, 4);
/* The same with the text as the daemon sent it, code and all. */
int core_error_text(struct sctpd *, int code, const char *text);

/*
 * Begin a request (or, not answered, a notification): its arguments, one map,
 * are then packed into c->pk, and core_end or core_cancel comes next. Ending
 * says who gets the answer; it gives the code of why the request cannot be
 * sent, and takes back what was packed.
 */
int core_begin(struct sctpd *, const char *method, bool answered);
int core_end(struct sctpd *, enum request_state, sctpd_reply_fn *, void *);
void core_cancel(struct sctpd *);

/* The answer is not waited for any more. */
void core_abandon(struct sctpd *, uint32_t id);

/*
 * Take the messages from c->in: answers reach those who wait for them, events
 * are queued. Stops while the queue is full. Gives SCTPD_OK, ENOMEM, or
 * EPROTO for bytes that no daemon sends.
 */
int core_parse(struct sctpd *);
bool core_full(const struct sctpd *);

/* The next event of the queue, NULL if it is empty. Gives it. */
struct message *core_event(struct sctpd *);

/* No answer will come any more: tell those who wait. */
void core_fail_all(struct sctpd *, int code);

/* ---- message.c ------------------------------------------------------ */

/* A copy of one whole frame, unpacked. NULL without memory. */
struct message *message_new(const char *, size_t len);
struct message *message_free(struct message *);

/* Describe the event of that name in this map, which is of the message. */
void message_set_event(struct message *, const char *name, const msgpack_object *map);

/* A map's value, NULL if it has none or is no map. */
const msgpack_object *map_get(const msgpack_object *, const char *key, size_t len);

static inline const struct sctpd_value *
value_of(const msgpack_object *o)
{
	return (const struct sctpd_value *)(const void *)o;
}

/* ---- conn.c --------------------------------------------------------- */

/*
 * End the request, send it, and wait for its answer, timeout ms (-1: for
 * ever) on top of the connection's own. The answer is c->reply.
 */
int conn_finish(struct sctpd *, int64_t timeout);
const msgpack_object *conn_result(const struct sctpd *);
/* A callback begins; one ended: false if the connection is gone. */
void conn_enter(struct sctpd *);
bool conn_leave(struct sctpd *);

/* ---- words.c -------------------------------------------------------- */

/*
 * Begin the request that the words say, method first, arguments packed.
 * timeout, if not NULL, gets what the method's own timeout is: -1 for ever.
 */
int words_begin(struct sctpd *, bool answered, int argc, const char *const *argv,
    int64_t *timeout);
/* The same with words as one format. */
int words_beginf(struct sctpd *, bool answered, const char *method,
    const char *fmt, va_list, int64_t *timeout);

/* ---- codes.c -------------------------------------------------------- */

/* The code that an error text begins with. */
int code_of_text(const char *, size_t len);
int code_of_errno(int);

#endif
