/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libsctpd: the types that its files share, and the map of them.
 *
 * This room is the C client: sctpd.h is what programs see, libsctpd.map what
 * the library exports. It may use the tables and the codec of proto/ and
 * nothing of the daemon. What is particular to a program does not belong here:
 * no output, no signal handlers, no global state, no exit.
 *
 * A file calls those above it in this list only; tests/rooms.py checks that.
 *
 *	buf		bytes that grow
 *	codes		error codes, and the connection's last error
 *	message		a message of the daemon's, and the values in it
 *	fastpath	the two that come by the thousand, read in place
 *	groups		whose events become other members' when this client leaves
 *	requests	requests that wait for an answer
 *	sent		messages of ours that are kept, in a session
 *	numbers		messages of the daemon's, counted and acknowledged
 *	core		the protocol, without I/O: bytes in, answers and events out
 *	session		hello, states (see there), the end
 *	given		what sctpd_events gave
 *	conn		the life of a connection: write, read, end
 *	wait		waiting for an answer, with a deadline
 *	dial		reaching the daemon again
 *	connect		reaching it for the first time
 *	batch, events	many messages with one call, out and in
 *	words*		key=value words to the arguments of a method
 *	calls, opt	the methods and socket options as C functions
 *
 * Where something low has to start something high, the high one leaves a
 * pointer: session leaves on_hello for core, dial leaves redial for conn.
 */
#ifndef LIB_INTERNAL_H
#define LIB_INTERNAL_H

#include <msgpack.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/un.h>

#include "lib/sctpd.h"
#include "proto/frame.h"

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
	bool			 gives;		/* sockets to other clients */
	bool			 lends;		/* an answer comes with a descriptor */
	bool			 taps;		/* and so may this one's */
	uint32_t		 id;
	uint64_t		 sock;		/* that it gives */
	struct group		*group;		/* that it joins, or leaves, which gives all it has of it */
	uint64_t		 order;		/* see struct sent */
	sctpd_reply_fn		*fn;
	void			*arg;		/* struct wait of REQUEST_WAIT */
	uint32_t		 next_free;
};

/* A group of which this client is a member: see groups.c. */
struct group {
	TAILQ_ENTRY(group)	 entry;
	uint64_t		 sock;		/* the group's; 0: not known */
	uint64_t		*socks;		/* that the client was assigned, sorted */
	size_t			 n;
	size_t			 room;
	unsigned		 requests;	/* about it */
	size_t			 len;
	char			 name[];
};
TAILQ_HEAD(groups, group);

/* What the request that is being packed does, if the library has to know. */
enum begun {
	BEGUN_OTHER,
	BEGUN_ACK,
	BEGUN_GIFT,		/* of a socket to another client */
	BEGUN_JOIN,
	BEGUN_LEAVE,
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
	char			*end;		/* where a NUL goes as soon as what stands there was read */
	bool			 is_cut;	/* that NUL is over the first byte of c->in that is not taken, */
	char			 cut;		/* which was this */
};

enum session_phase {
	SESSION_UP,		/* also: there is no session */
	SESSION_GREETING,	/* connected; hello is not answered */
	SESSION_AWAY,		/* the timer says when to dial again */
};

struct session {
	bool			 on;
	bool			 fresh;		/* what comes before hello's answer belongs to calls of the past */
	bool			 survives;	/* the daemon does */
	bool			 confirming;	/* an ack waits for its answer */
	enum session_phase	 phase;
	char			 token[33];
	uint64_t		 client;	/* our number */
	sctpd_session_fn	*fn;
	void			*arg;
	int			(*on_hello)(struct sctpd *, const struct message *);	/* its answer */

	/* Messages of the daemon's, by their numbers. */
	uint64_t		 seq;		/* the last that came */
	uint64_t		 at;		/* the last on this connection */
	uint64_t		 acked;
	uint64_t		 bytes;		/* all that came */
	uint64_t		 acked_bytes;
	uint64_t		 most;		/* bytes that may be not acknowledged */
	struct mark		 busy;		/* one that a callback has now */
	bool			 own_acks;	/* the program acknowledges events: sctpd_ack */
	uint64_t		 shown;		/* the last event that it was given */
	uint64_t		 done;		/* what it has acknowledged */

	/* Messages of ours: see session.c. */
	struct buf		 first;		/* what is written first: hello, acks */
	struct buf		 sent;		/* struct sent, in the order of c->out */
	size_t			 written;	/* bytes of c->out, from its off */
	size_t			 whole;		/* messages that are written, of sent */
	size_t			 part;		/* bytes of the next one that are */
	size_t			 kept;		/* bytes that sent.c kept when it last dropped what is done */
	uint64_t		 order;
	uint64_t		 taken;		/* the daemon has certainly taken all up to that order */
	uint64_t		 notes;
	size_t			 loose;		/* notifications since the last request */
	unsigned		 gives;		/* requests that give sockets away */

	/* See dial.c. */
	struct sockaddr_un	 path;
	int			 timer;
	int			 max_ms;
	int			 pause;
	int64_t			 next_try;
	int64_t			 give_up;	/* 0: it is not away */
};

/* What makes a broken connection anew: dial.c, if the path is known. */
struct redial {
	int	(*broken)(struct sctpd *);	/* gives SCTPD_OK if that is no end */
	int	(*turn)(struct sctpd *);	/* the session is not up: try, if it is time */
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
	enum begun		 begun_what;
	bool			 no_memory;
	bool			 secret;	/* a key is in out: it is cleared once nothing of out is needed */

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
	struct groups		 groups;
	int			 passed[CORE_MAX_PASSED];	/* descriptors whose answer is not taken yet */
	size_t			 n_passed;
	char			 error[512];
	struct session		 session;
	const struct redial	*redial;	/* NULL: a connection that breaks is over */
};

#define NO_ID		UINT32_MAX	/* of a notification */
#define HELLO_ID	(UINT32_MAX - 1)	/* of the hello that begins a connection */

static inline const struct sctpd_value *
value_of(const msgpack_object *o)
{
	return (const struct sctpd_value *)(const void *)o;
}

#endif
