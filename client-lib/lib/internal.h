/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libsctpd: a connection, and who does what to it.
 *
 * core.c is the protocol and does no I/O: bytes in, answers and events out;
 * session.c is what sessions add to it. conn.c moves the bytes, dial.c reaches
 * the daemon, again and again if need be. words.c makes arguments of key=value
 * words. calls.c and opt.c are the methods as C functions; batch.c is those for
 * many messages at once, which fast.c reads by hand.
 */
#ifndef CORE_H
#define CORE_H

#include <msgpack.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/un.h>

#include "frame.h"
#include "sctpd.h"

#define CORE_MAX_MESSAGE	((16u << 20) + (64u << 10))	/* bytes, either way */
#define CORE_MAX_EVENTS		4096		/* that wait to be taken */
#define CORE_MAX_EVENTS_MEANWHILE 65536		/* the same, while many are sent */
#define CORE_MAX_EVENT_BYTES	(64u << 20)
#define CORE_MAX_OUT		(64u << 20)	/* bytes that wait to be written */
#define CORE_MAX_PASSED		4		/* descriptors */

/* Bytes off to len are there; room in all. */
struct buf {
	char	*data;
	size_t	 off;
	size_t	 len;
	size_t	 room;
};

/* In a session: which message, and how many bytes came before it. */
struct mark {
	uint64_t	number;		/* or 0 */
	uint64_t	bytes;
};

/* One message of the daemon's, with all that its values point to. */
struct message {
	TAILQ_ENTRY(message)	 entry;
	msgpack_zone		 zone;
	msgpack_object		 obj;
	struct sctpd_event	 event;
	struct mark		 mark;
	int			 fd;		/* that came with it, or -1 */
	size_t			 len;
	char			 bytes[];
};
TAILQ_HEAD(messages, message);

enum request_state {
	REQUEST_FREE,
	REQUEST_CALLBACK,	/* its answer goes to fn */
	REQUEST_WAIT,		/* its answer goes to the waiting function */
	REQUEST_ABANDONED,	/* the function stopped waiting */
	REQUEST_OWN,		/* the library's: nobody waits for it */
};

struct request {
	enum request_state	 state;
	bool			 recv;		/* an answer is an event */
	bool			 gives;		/* the socket to another client */
	bool			 lends;		/* an answer comes with a descriptor */
	uint32_t		 id;
	uint64_t		 sock;		/* that it gives */
	uint64_t		 order;		/* see struct sent */
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

/* A message in c->out that may have to be sent again, when a session goes on. */
struct sent {
	uint64_t		 order;		/* among all of the connection's */
	uint64_t		 note;		/* a notification's number, or 0 */
	uint32_t		 id;		/* a request's */
	uint32_t		 len;
};

/*
 * What sctpd_events gave last: the program has it until it asks for more.
 * Events that stand in c->in have the buffer: before that is read into again
 * it goes aside, and the one that was aside becomes c->in.
 */
struct given {
	struct messages		 messages;	/* that are no data events, or were queued */
	struct mark		 mark;		/* of the first */
	struct sctpd_event	*events;	/* those that stand in a buffer */
	size_t			 room;
	size_t			 n;		/* given */
	bool			 giving;
	bool			 in_place;	/* some stand in c->in */
	bool			 is_aside;	/* some stand in aside */
	struct buf		 aside;
	char			*end;		/* where a NUL is to be, when what is there was read */
	bool			 is_cut;	/* it is over the first byte not taken of c->in, */
	char			 cut;		/* which was this */
};

enum session_phase {
	SESSION_UP,		/* also: there is no session */
	SESSION_GREETING,	/* connected; hello is not answered */
	SESSION_AWAY,		/* the timer says when to dial again */
};

struct session {
	bool			 on;
	bool			 fresh;		/* what is said before hello's answer is a predecessor's */
	bool			 survives;	/* the daemon does */
	bool			 confirming;	/* an ack waits for its answer */
	enum session_phase	 phase;
	char			 token[33];
	uint64_t		 client;	/* our number */
	sctpd_session_fn	*fn;
	void			*arg;

	/* Messages of the daemon's, by their numbers. */
	uint64_t		 seq;		/* the last that came */
	uint64_t		 at;		/* the last on this connection */
	uint64_t		 acked;
	uint64_t		 bytes;		/* all that came */
	uint64_t		 acked_bytes;
	uint64_t		 most;		/* bytes that may be not acknowledged */
	struct mark		 busy;		/* one that a callback has now */

	/* Messages of ours: see session.c. */
	struct buf		 first;		/* what is written first: hello, acks */
	struct buf		 sent;		/* struct sent, in the order of c->out */
	size_t			 written;	/* bytes of c->out, from its off */
	size_t			 whole;		/* messages that are written, of sent */
	size_t			 part;		/* bytes of the next one that are */
	size_t			 compact_at;
	uint64_t		 order;
	uint64_t		 taken;		/* by the daemon, for sure: up to that order */
	uint64_t		 notes;
	size_t			 loose;		/* notifications since the last request */
	unsigned		 gives;		/* requests that give a socket away */

	/* See dial.c. */
	struct sockaddr_un	 path;
	int			 timer;
	int			 max_ms;
	int			 pause;
	int64_t			 next_try;
	int64_t			 give_up;	/* 0: it is not away */
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
	bool			 begun_ack;
	bool			 begun_gives;
	bool			 no_memory;

	struct request		*requests;	/* by the low bits of the id */
	uint32_t		 room;
	uint32_t		 free;		/* first free one, or room */
	uint32_t		 last_free;
	size_t			 pending;

	struct messages		 events;
	size_t			 n_events;
	size_t			 event_bytes;
	sctpd_event_fn		*on_event;
	void			*on_event_arg;

	struct message		*reply;		/* lent by the last call */
	struct message		*lent;		/* the last event taken */
	struct given		 given;		/* the last events taken */
	struct batch		*batch;		/* being sent: see batch.c */
	int			 passed[CORE_MAX_PASSED];	/* descriptors whose answer is not taken yet */
	size_t			 n_passed;
	char			 error[512];
	struct session		 session;
};

/* ---- core.c --------------------------------------------------------- */

#define NO_ID		UINT32_MAX	/* of a notification */
#define HELLO_ID	(UINT32_MAX - 1)	/* of the hello that begins a connection */

/* Room for n more bytes; false without memory. */
bool buf_reserve(struct buf *, size_t n);
bool buf_add(struct buf *, const void *, size_t n);
void buf_free(struct buf *);

/* Keep the text; give the code. */
int core_error(struct sctpd *, int code, const char *fmt, ...) SCTPD_PRINTF(3, 4);
/* The same with the text as the daemon sent it, code and all. */
int core_error_text(struct sctpd *, int code, const char *text);
/* Why nothing can be said any more. */
const char *core_why_lost(const struct sctpd *);

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
 * are queued. Stops while the queue is full. Gives SCTPD_OK, ENOMEM, EPROTO
 * for bytes that no daemon sends, or why a session is over.
 */
int core_parse(struct sctpd *);
/* Take one; *any says if there was one. */
int core_step(struct sctpd *, bool *any);
bool core_full(const struct sctpd *);

/* A descriptor came with the bytes that were read last. Takes it. */
void core_pass(struct sctpd *, int fd);
/* Close those that no answer came for. */
void core_pass_nothing(struct sctpd *);

/* Is a request of that id not answered? */
bool core_is_pending(const struct sctpd *, uint32_t id);

/* Forget the queued events of a socket. */
void core_drop_events(struct sctpd *, uint64_t sock);

/* The code of an answer's error, which becomes the connection's; SCTPD_OK for nil. */
int core_take_error(struct sctpd *, const msgpack_object *);

/* The next event of the queue, NULL if there is none to be given yet. Gives it. */
bool core_has_event(const struct sctpd *);
struct message *core_event(struct sctpd *);

/* No answer will come any more: tell those who wait. */
void core_fail_all(struct sctpd *, int code);

/* ---- session.c ------------------------------------------------------ */

/* Bytes of c->out that are to be written, from where; and that some were. */
const char *session_unwritten(const struct sctpd *, size_t *n);
void session_wrote(struct sctpd *, size_t n);

/* Note the message that ends c->out. False without memory. */
bool session_note(struct sctpd *);

/* A request was answered. */
void session_answered(struct sctpd *, const struct request *);

/*
 * Number a message of len bytes; an event says its number itself. False: it
 * came before.
 */
bool session_number(struct sctpd *, struct mark *, size_t len, uint64_t seq);

/* What the program has handled: all up to that number. */
uint64_t session_handled(const struct sctpd *);

/* Is it time to say so; and say so. */
bool session_is_due(const struct sctpd *);
void session_ack(struct sctpd *);

/* The program knows what it has in its hands, and handed it over. */
void session_let_go(struct sctpd *);

/* Begin a connection: hello is the first that is said. */
bool session_greet(struct sctpd *);
/* The answer to it. Gives SCTPD_OK, or why the session is over. */
int session_welcome(struct sctpd *, const struct message *);

/* Nothing more is sent of what was begun; and, with forget, it is no session any more. */
void session_end(struct sctpd *, bool forget);
void session_free(struct sctpd *);

void session_tell(struct sctpd *, enum sctpd_session_change);

/* ---- message.c ------------------------------------------------------ */

/* A copy of one whole frame, unpacked. NULL without memory. */
struct message *message_new(const char *, size_t len);
struct message *message_free(struct message *);

/* Describe the event of that name in this map, which is of the message. */
void message_set_event(struct message *, const char *name, const msgpack_object *map);

/* A map's value, NULL if it has none or is no map. Strings need no NUL. */
const msgpack_object *map_get(const msgpack_object *, const char *key, size_t len);

static inline const struct sctpd_value *
value_of(const msgpack_object *o)
{
	return (const struct sctpd_value *)(const void *)o;
}

/* ---- conn.c --------------------------------------------------------- */

/* Write what can be written. */
int conn_flush(struct sctpd *);
/*
 * Write and read once, waiting until that can be done or the deadline comes:
 * then SCTPD_TIMEOUT.
 */
int conn_wait(struct sctpd *, int64_t deadline);
/* The same, but what was read is not taken yet. */
int conn_await(struct sctpd *, int64_t deadline);
/* core_step; bytes that make no sense end the connection. */
int conn_step(struct sctpd *, bool *any);
/* The connection is over for good; all who wait are told. Gives the code. */
int conn_over(struct sctpd *, int code);
int64_t conn_now(void);

/* ---- dial.c --------------------------------------------------------- */

/* The connection broke: may it be dialed again by itself? Begin to. */
bool dial_may_return(const struct sctpd *);
int dial_later(struct sctpd *);
/* Try once, if it is time. */
int dial_again(struct sctpd *);
/* The timer is not needed any more. */
void dial_stop(struct sctpd *);

/* ---- conn.c, once more ---------------------------------------------- */

/*
 * End the request, send it, and wait for its answer, timeout ms (-1: for
 * ever) on top of the connection's own. The answer is c->reply.
 */
int conn_finish(struct sctpd *, int64_t timeout);
const msgpack_object *conn_result(const struct sctpd *);
/* A callback begins; one ended: false if the connection is gone. */
void conn_enter(struct sctpd *);
bool conn_leave(struct sctpd *);

/* ---- batch.c -------------------------------------------------------- */

/* c->in is to be read into, or what is in it to be taken. False without memory. */
bool given_leave(struct sctpd *);
/* The program asks for more, and has no more use for what it has. */
void given_back(struct sctpd *);
void given_free(struct sctpd *);

/* ---- fast.c --------------------------------------------------------- */

/*
 * The ordinary message that the n bytes at p begin with: its length, 0 if it
 * is none or not whole. Of a data event: what it says, in place; the byte
 * behind its data is not touched. Of an answer that says no more than done:
 * what it answers.
 */
size_t fast_read_data(char *p, size_t n, struct sctpd_event *);
size_t fast_read_done(char *p, size_t n, uint32_t *id);

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
