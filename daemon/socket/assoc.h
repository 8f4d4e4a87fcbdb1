/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An association of a socket, and the messages that wait for room in it.
 *
 *	COMING_UP -> UP -> GOING_DOWN -> OVER
 *
 * It may also go to OVER from any state. An association that is over stays until
 * the stack has handed over everything that was left of it.
 */
#ifndef ASSOC_H
#define ASSOC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "journal/changes.h"
#include "limits/user.h"
#include "proto/fastpath.h"
#include "proto/rpc.h"
#include "socket/watched.h"
#include "stack/stack.h"
#include "trace/trace.h"
#include "util/hash.h"

struct call;
struct client;
struct send_count;
struct sock;
struct waiting_send;

enum assoc_state {
	ASSOC_COMING_UP,
	ASSOC_UP,
	ASSOC_GOING_DOWN,
	ASSOC_OVER,
};

/* Who ended an association that a notification says is over, as far as the stack knows. */
enum assoc_ended {
	ENDED_UNKNOWN,
	ENDED_BY_US,
	ENDED_BY_PEER,
	ENDED_BY_NOBODY,	/* the peer does not answer */
	ENDED_WITH_DAEMON,	/* its descriptor did not outlive the process before */
};

/*
 * A close that waits until the associations of its socket are over, or for as
 * long as linger says. It lives until they all are.
 */
struct closer {
	struct call	*call;		/* NULL: the caller is gone */
	unsigned	 left;
};

struct assoc {
	struct hash_node	 node;		/* key: its id */
	struct sock		*sock;		/* NULL: its socket is closed */
	struct user		*user;		/* the user it is charged to */
	enum assoc_state	 state;
	uint16_t		 outbound;	/* streams; 0 while unknown */
	uint16_t		 inbound;
	struct sockaddr_storage	 peer;
	struct call		*connect;	/* the one that waits for it */
	struct closer		*closer;	/* the close that waits for its end */
	bool			 unwanted;	/* nobody waits for it any more */
	bool			 eof_asked;	/* shut down once sends is empty */
	struct fastpath_from		 from;		/* where its messages come from */
	struct sndrcvinfo	 defaults;	/* of send by stream alone */
	bool			 defaults_known;
	TAILQ_HEAD(waiting_sends, waiting_send) sends;
	TAILQ_HEAD(, send_count) counts;	/* of its senders, the last one first */
	size_t			 waiting;	/* bytes in sends */
	size_t			 charged;	/* the memory that they take */
	unsigned		 free_requests;	/* how many are a session's, not bound */
	size_t			 left;		/* of that, what has no sender any more */
	TAILQ_ENTRY(assoc)	 full_entry;	/* while there are any: see stuck.h */
	unsigned		 still;		/* ms in which none was taken */
	bool			 moved;		/* one was taken since the last look */
	bool			 given_up;	/* none was taken for queue_time */
	bool			 full;		/* above the high watermark, and not
						   yet down to the low one */
	uint64_t		 number;	/* unlike its id, never used again */
	enum assoc_ended	 ended_by;
	bool			 up_said;	/* in the log; see report.h */
	bool			 end_said;
	bool			 owner_gone;
	uint16_t		 port;		/* of this side; 0: it was not up in this process */
	bool			 asked;		/* a connect waited for it in a process
						   before us: it may ask again */
	struct kept		 kept;		/* its record */
	bool			 fields_changed; /* the fields of the record, not only its words */
	bool			 is_counted;	/* its counters are not in the record yet */
	TAILQ_ENTRY(assoc)	 counted;	/* then */
	struct trace		 trace;		/* what is observed of it */
	struct watched		*watched;	/* NULL: no option asks for that */
	bool			 is_marked;
	TAILQ_ENTRY(assoc)	 marked;	/* then */
	struct tapped		*tapped;	/* what taps say of it; NULL: not tapped yet */

	struct stack_assoc	 stack;		/* the stack's own */
};

struct assoc *assoc_new(struct sock *, uint32_t id, const struct sockaddr_storage *peer);

/* The same with the number that it has; without a socket, it lingers. */
struct assoc *assoc_make(struct sock *, uint32_t id, const struct sockaddr_storage *peer,
    uint64_t number, uid_t);

/* From now on, charge it to another user. */
void assoc_set_user(struct assoc *, uid_t);

/* Free an association that nothing refers to any more. */
void assoc_forget(struct assoc *);

/* Its record has changed: write it with the next commit. */
void assoc_changed(struct assoc *);

/*
 * Its counters have changed, which are words of the record. These are written
 * within a second, as writing them each turn would cost as much as a part of a
 * message does.
 */
void assoc_list_counted(struct assoc *);

/* At an orderly end: the counters of all go with the next commit. */
void assoc_write_counted(void);

static inline void
assoc_counted(struct assoc *a)
{
	if (!a->is_counted)
		assoc_list_counted(a);
}

/*
 * Something happened that whoever watches associations wants to know: its state,
 * its paths, its socket or its options changed. watch is given those that are
 * marked, a moment later, when nothing else is being done.
 */
void assoc_mark(struct assoc *);
void assoc_give_marked(void (*watch)(struct assoc *));

/* A message was taken, or begins to wait. */
static inline void
assoc_has_sent(struct assoc *a)
{
	if (a->watched != NULL && a->watched->wants_sends)
		assoc_mark(a);
}

/* The association with that id; on a one-to-one socket, its only one for any id. */
struct assoc *assoc_find(struct sock *, uint32_t id);
struct assoc *assoc_next(struct sock *, const struct assoc *);
/* The one after this id in an order that does not change, as hash_after says; NULL: the first. */
struct assoc *assoc_after(struct sock *, const uint32_t *id);

/* The number of all associations, and those whose sockets are closed. */
size_t assoc_count(void);
size_t assoc_lingering(void);

uint32_t assoc_id(const struct assoc *);

/* The id of a one-to-one socket's association has become known. */
void assoc_set_id(struct assoc *, uint32_t);
const char *assoc_state_name(const struct assoc *);

/* Change the state, and log it. No state changes in another way. */
void assoc_enter(struct assoc *, enum assoc_state);

/* Move it to another socket, or with NULL to none. */
void assoc_move(struct assoc *, struct sock *);

#endif
