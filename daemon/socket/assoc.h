/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An association of a socket's, and the messages that wait for room in it.
 *
 *	COMING_UP -> UP -> GOING_DOWN -> OVER
 *
 * It may also be over at any time. One that is over stays until the stack has
 * given all that was left of it.
 */
#ifndef ASSOC_H
#define ASSOC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "call.h"
#include "hash.h"
#include "hot.h"
#include "rpc.h"
#include "stack.h"
#include "user.h"

struct client;
struct sock;

enum assoc_state {
	ASSOC_COMING_UP,
	ASSOC_UP,
	ASSOC_GOING_DOWN,
	ASSOC_OVER,
};

/*
 * What waits in an association counts against the clients that sent it, until
 * the association is stuck (see stuck.h). Then it all counts no more, at once
 * however much it is: what was counted in an earlier era is not there any more.
 */
struct send_count {
	TAILQ_ENTRY(send_count)	 entry;
	struct client		*client;
	size_t			 bytes;		/* of this era, against its limit */
	unsigned		 era;
	unsigned		 sends;		/* that have a pointer to this */
};

/*
 * A message that found no room. One that was sent as a notification is taken
 * for good: nobody is told of it any more. When its sender goes it is its
 * association's alone, which sends it before it shuts down.
 */
struct waiting_send {
	TAILQ_ENTRY(waiting_send)	 entry;
	struct assoc			*assoc;
	struct call			*call;		/* NULL: its sender is gone */
	uint64_t			 session;	/* its sender's number; 0: it had none */
	uint64_t			 ordinal;	/* of a notification there; else 0 */
	struct sndrcvinfo		 info;
	size_t				 len;
	size_t				 cost;		/* what it is charged with */
	struct send_count		*count;		/* NULL: it does not count */
	size_t				 counted;	/* bytes of that, if this is still the */
	unsigned			 era;		/* era in which it was counted */
	bool				 free_request;	/* a session's, not bound: see asked.h */
	struct asked			*asked;		/* of a bound one that may be asked for */
	struct record			*record;	/* of a session's notification */
	char				 data[];
};

/*
 * A close that waits until the associations of its socket are over, or for as
 * long as linger says. It lives until they all are.
 */
struct closer {
	struct call	*call;		/* NULL: nobody waits any more */
	unsigned	 left;
};

struct closer *closer_new(const struct call *, int seconds);

/* The socket is closed: CALL_ANSWERED if there is something to wait for. */
enum error closer_begin(struct closer *);

struct assoc {
	struct hash_node	 node;		/* key: its id */
	struct sock		*sock;		/* NULL: its socket is closed */
	struct user		*user;		/* whom it is charged to */
	enum assoc_state	 state;
	uint16_t		 outbound;	/* streams; 0 while unknown */
	uint16_t		 inbound;
	struct sockaddr_storage	 peer;
	struct call		*connect;	/* the one that waits for it */
	struct closer		*closer;	/* the close that waits for its end */
	bool			 unwanted;	/* nobody waits for it any more */
	bool			 eof_asked;	/* shut down once sends is empty */
	struct hot_from		 from;		/* where its messages come from */
	struct sndrcvinfo	 defaults;	/* of send by stream alone */
	bool			 defaults_known;
	TAILQ_HEAD(waiting_sends, waiting_send) sends;
	TAILQ_HEAD(, send_count) counts;	/* of its senders, the last one first */
	size_t			 waiting;	/* bytes in sends */
	size_t			 charged;	/* the memory that they take */
	unsigned		 free_requests;	/* how many of them are such */
	size_t			 left;		/* of that what has no sender any more */
	TAILQ_ENTRY(assoc)	 full_entry;	/* while there are any: see stuck.h */
	unsigned		 still;		/* ms without one taken */
	bool			 moved;		/* one was taken since the last look */
	bool			 given_up;	/* none was for queue_time */
	bool			 full;		/* above the high watermark, and not
						   yet down to the low one */
	uint64_t		 number;	/* unlike its id never used again */
	bool			 asked;		/* a connect waited for it in a process
						   before us: it may ask again */
	struct record		*record;
	TAILQ_ENTRY(assoc)	 changed_entry;
	bool			 changed;

	struct stack_assoc	 stack;		/* the stack's own */
};

struct assoc *assoc_new(struct sock *, uint32_t id, const struct sockaddr_storage *peer);

/* The same with the number that it has; of no socket, it lingers. */
struct assoc *assoc_make(struct sock *, uint32_t id, const struct sockaddr_storage *peer,
    uint64_t number, uid_t);

/* Another user's from now on. */
void assoc_set_user(struct assoc *, uid_t);
struct assoc *assoc_free(struct assoc *);

/* The association with that id; a one-to-one socket's only one for any. */
struct assoc *assoc_find(struct sock *, uint32_t id);
struct assoc *assoc_next(struct sock *, const struct assoc *);

/* All associations there are, and those whose sockets are closed. */
size_t assoc_count(void);
size_t assoc_lingering(void);

uint32_t assoc_id(const struct assoc *);

/* The id of a one-to-one socket's, which was not known. */
void assoc_set_id(struct assoc *, uint32_t);
const char *assoc_state_name(const struct assoc *);

/* The one way in which a state changes: logged. */
void assoc_enter(struct assoc *, enum assoc_state);

/*
 * Send, with those that follow, when assoc_send_run is called: until then data
 * must stay. If there is no room it is copied and waits. CALL_ANSWERED: the
 * answer comes then, or later.
 */
enum error assoc_send(struct assoc *, struct call *, const struct sndrcvinfo *,
    const char *data, size_t len);

void assoc_send_run(void);

/* How many notifications of a client's were received that this has not dealt with yet? */
unsigned assoc_unsettled(const struct client *);

/* Is the notification with this ordinal, the client's last, one of them? */
bool assoc_has_queued(const struct client *, uint64_t ordinal);

/* A message sent as a notification failed: it goes back to its sender, who is told why. */
void assoc_give_back(struct client *, uint64_t sock, const struct sndrcvinfo *,
    struct slice data, const char *error);

/* This bound request waits on; its client may ask for it again. */
void assoc_may_be_asked(struct call *);

/* What waits in it does not count against its clients any more. */
void assoc_uncount_sends(struct assoc *);

/* One that waited in a process before us waits again; without a sender, too. */
void assoc_wait_again(struct assoc *, const struct call *, const struct stack_message *,
    struct record *);

/* From the stack: there is room; or it came up, and what waited for that goes on. */
void assoc_writable(struct assoc *);

/* Shut down after what waits; gives an errno. */
int assoc_eof(struct assoc *);

/* For handlers: shut it down, or abort it with a reason; says why not. */
enum error assoc_shut(struct assoc *);
enum error assoc_abort(struct assoc *, const char *reason, size_t len);

/* What waits will never be sent. */
void assoc_fail_sends(struct assoc *, enum error, const char *why);

/* It leaves its socket for another, or, with NULL, for none. */
void assoc_move(struct assoc *, struct sock *);

#endif
