/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SCTP socket as its user knows it: a handle, an owner, a mode, and the
 * events that wait.
 *
 * This room, socket, holds sockets, associations, the messages that wait for
 * room in them, their owners, and the delivery of events. It may use clients
 * and calls (rpc) and the table of the stack (stack/stack.h). It must not know
 * any method, which of the stacks is in use, or what a stack keeps of its own.
 */
#ifndef SOCK_H
#define SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "journal/changes.h"
#include "limits/user.h"
#include "proto/event_type.h"
#include "proto/sockopt.h"
#include "stack/stack.h"
#include "util/hash.h"

struct call;
struct client;
struct supervised;
struct closer;
struct resolve;
struct share;

enum active_mode {
	ACTIVE_FALSE,
	ACTIVE_TRUE,
	ACTIVE_ONCE,
	ACTIVE_COUNT,		/* as many messages as count says */
};

#define ACTIVE_MAX	32767
#define ACTIVE_MIN	(-32768)

/* An event that waits, packed without its head, in a record of the journal. */
struct pending {
	TAILQ_ENTRY(pending)	 entry;
	const struct event_type	*row;
	struct record		*record;
	uint32_t		 assoc_id;
	uint32_t		 fields;
	uint32_t		 len;
	uint32_t		 slot;		/* where messages are spread: which of the group's; NO_SLOT */
	struct pending_queue	*queue;		/* and in which of the group's queues it is; or NULL */
	TAILQ_ENTRY(pending)	 queued;
};

TAILQ_HEAD(pending_queue, pending);

#define NO_SLOT	UINT32_MAX		/* it is not a message, but an event */

/* A connect whose peer's name is being looked up. */
struct lookup {
	LIST_ENTRY(lookup)	 entry;
	struct call		*call;
	struct resolve		*resolve;
	struct user		*user;		/* whom it is charged to */
	size_t			 cost;
	struct sock		*sock;
	uint16_t		 port;
	bool			 wait;		/* until the association is up */
};

struct sock_stat {
	uint64_t	cnt;
	uint64_t	oct;
	uint64_t	max;
};

struct sock {
	struct hash_node	 node;		/* key: the handle */
	TAILQ_ENTRY(sock)	 owned;
	struct client		*owner;
	uid_t			 uid;
	struct user		*user;		/* the owner's user, to be charged */
	bool			 many;		/* one-to-many */
	bool			 peeled;	/* one-to-one, from a one-to-many */
	bool			 listening;
	bool			 closing;
	bool			 over;		/* one-to-one: its association ended */
	int			 family;
	uint16_t		 port;
	struct sockaddr_storage	 name;		/* the last address of open */

	enum active_mode	 active;
	int32_t			 count;
	uint8_t			 subscribed[SUBSCRIBE_SIZE];
	struct sockopt_own	 own;		/* the options that the daemon keeps */
	struct call		*recv;		/* the one that waits */
	unsigned		 connecting;	/* connects that wait */
	bool			 any_asked;	/* one of its associations may be "asked" */
	LIST_HEAD(, lookup)	 lookups;	/* connects whose names are being looked up */
	TAILQ_HEAD(, pending)	 pending;
	size_t			 npending;
	size_t			 npending_data;	/* of them, messages */
	size_t			 pending_bytes;

	struct hash		 assocs;	/* by id */
	struct sock_stat	 received;
	struct sock_stat	 sent;
	size_t			 waiting;	/* bytes of sends without room */

	struct closer		*closer;	/* the close that waits, once closed */
	bool			 lent;		/* its owner has the descriptor */
	bool			 held;		/* its owner is gone */
	struct client		*home;		/* the resident that owns it when nobody does, or NULL */
	struct supervised	*supervised;	/* whose socket it is, or NULL: see supervised.h */
	bool			 finish;	/* of home's: read on until its associations are over */
	struct event		 hold;		/* until when it waits for another owner */
	uint64_t		 group;		/* handle of its group's socket; 0: it is in none */
	struct share		*share;		/* what the group has of it: see group/group.h */
	bool			 passing;	/* it goes to another member, once its owner has
						   handled what it was sent */
	bool			 pends;		/* what happens waits in it, and its group hands that out */
	uint64_t		 last;		/* number, in its owner's output, of the last message that goes along with it; or 0 */
	struct kept		 kept;		/* its record */
	bool			 fields_changed; /* the fields of the record, not only its words */

	struct stack_sock	 stack;		/* the stack's own */
};

/* What groups need to be told; they are in a room above this one (group/group.h). */
struct sock_ops {
	/* The client is gone for good, but still has its sockets. */
	void	 (*gone)(struct client *);

	/* A socket that is in a group is being closed. */
	void	 (*closed)(struct sock *);

	/* Something happened on the socket of a group. */
	void	 (*happened)(struct sock *);

	/* What happens waits: the slot of a message; take note of an event; and hand out what waits. */
	uint32_t (*slot)(const struct sock *, const struct stack_event *);
	void	 (*waits)(struct sock *, struct pending *);
	void	 (*hand_out)(struct sock *);
};

/* Borrows the functions for good. */
extern const struct sock_ops *sock_ops;
void sock_init(const struct sock_ops *);

/*
 * A new socket, owned by the client, with nothing below it yet. Its handle is
 * a number that nobody has.
 */
struct sock *sock_make(struct client *, bool many, int family, uint64_t handle);

/* Add what the open sockets received and sent; the counters have what closed ones did. */
void sock_add_counts(uint64_t counters[]);

/* Free a socket that nothing refers to any more. */
void sock_free(struct sock *);

/* Free the table, once there is no socket any more. */
void sock_free_all(void);

/* Why the client may not have another socket with an association; NULL: it may. */
const char *sock_no_room(const struct client *);

/* Charge the socket to this user; and stop charging it. */
void sock_charge(struct sock *, uid_t);
void sock_discharge(struct sock *);

/* All sockets, by handle. */
struct sock *sock_find(uint64_t handle);
struct sock *sock_next(const struct sock *);
/* The one after this handle in an order that does not change, as hash_after says; NULL: the first. */
struct sock *sock_after(const uint64_t *handle);
size_t sock_count(void);
bool sock_is_taken(uint64_t handle);

/* Its record has changed: write it with the next commit. Or only its mode or counters have. */
void sock_changed(struct sock *);
static inline void
sock_words_changed(struct sock *s)
{
	kept_changed(&s->kept);
}

#endif
