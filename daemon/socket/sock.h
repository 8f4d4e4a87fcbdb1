/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SCTP socket as its user knows it: a handle, an owner, a mode, and the
 * events that wait.
 *
 * Below a one-to-many socket the stack keeps each association apart; what
 * comes from them meets here, and here it is decided who gets it and when.
 *
 *	stack -> sock_event -> a waiting connect, or
 *	                       the waiting recv, or
 *	                       the owner, while the mode and its queue allow, or
 *	                       the events that wait
 */
#ifndef SOCK_H
#define SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "assoc.h"
#include "call.h"
#include "client.h"
#include "hash.h"
#include "journal.h"
#include "notice.h"
#include "stack.h"
#include "user.h"

enum active_mode {
	ACTIVE_FALSE,
	ACTIVE_TRUE,
	ACTIVE_ONCE,
	ACTIVE_COUNT,		/* as many as count says */
};

#define ACTIVE_MAX	32767
#define ACTIVE_MIN	(-32768)

/* An event that waits, packed but for its head: in a record of the journal. */
struct pending {
	TAILQ_ENTRY(pending)	 entry;
	const struct notice	*row;
	struct record		*record;
	uint32_t		 assoc_id;
	uint32_t		 fields;
	uint32_t		 len;
};

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
	struct user		*user;		/* the same, to be charged */
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
	struct sockopt_own	 own;		/* the options kept here */
	struct call		*recv;		/* the one that waits */
	unsigned		 connecting;	/* connects that wait */
	LIST_HEAD(, lookup)	 lookups;	/* and those before them */
	TAILQ_HEAD(, pending)	 pending;
	size_t			 npending;
	size_t			 pending_bytes;

	struct hash		 assocs;	/* by id */
	struct sock_stat	 received;
	struct sock_stat	 sent;
	size_t			 waiting;	/* bytes of sends without room */

	struct closer		*closer;	/* the close that waits, once closed */
	bool			 lent;		/* its owner has the descriptor */
	bool			 held;		/* its owner is gone */
	struct event		 hold;		/* and until when it waits for another */
	struct record		*record;
	TAILQ_ENTRY(sock)	 changed_entry;
	bool			 changed;	/* its record is to be written anew */
	bool			 words_changed;	/* or its words at least */

	struct stack_sock	 stack;		/* the stack's own */
};

/* A new socket, owned by the client, with nothing below it yet. */
struct sock *sock_new(struct client *, bool many, int family);
struct sock *sock_make(struct client *, bool many, int family, uint64_t handle);

/* Why the client may not have another with an association; NULL: it may. */
const char *sock_no_room(const struct client *);

/* Another user's from now on, with its associations and events. */
void sock_set_user(struct sock *, uid_t);

/* Close it; its owner is told if somebody else did it or why is not NULL. */
void sock_close(struct sock *, const char *why);

/* All of them, by handle. */
struct sock *sock_find(uint64_t handle);
struct sock *sock_next(const struct sock *);
size_t sock_count(void);

/* Nobody wants the name any more, or it is known. */
void lookup_free(struct lookup *);

/* Another owner; everything that waits, or was not handled, goes along. */
void sock_give(struct sock *, struct client *);

/* The owner is gone: close, abort or hold; and it is back. */
void sock_owner_gone(struct sock *);
void sock_unhold(struct sock *);

/* Its owner has the descriptor, and nobody else does anything; or gives it back. */
void sock_lend(struct sock *);
void sock_take_back(struct sock *);

/* If it would be held, what its owner is sent is kept until it is written. */
void sock_keeps_output(struct sock *);

/* How many messages may be delivered now. */
unsigned sock_credit(struct sock *);

/* Deliver what may be delivered, and let the stack read or not. */
void sock_pump(struct sock *);

/* From the stack: there is something to read; it happened. */
void sock_readable(struct sock *);
void sock_event(struct sock *, const struct stack_event *);

/* An event of the broker's own, in its place among the others. */
void sock_tell(struct sock *, const struct notice *, struct assoc *, const void *body);

/* One that waits again. */
void sock_add_pending(struct sock *, struct pending *);

/* Events of this association that wait go to another socket. */
void sock_move_pending(struct sock *from, struct sock *to, uint32_t assoc_id);

/* Set the mode as gen_sctp does; false when the count leaves its range. */
bool sock_set_active(struct sock *, enum active_mode, int32_t n);

/* The mode as the option active shows it. */
void sock_pack_active(msgpack_packer *, const struct sock *);

/* What all sockets, closed ones too, received and sent. */
void sock_totals(struct sock_stat *received, struct sock_stat *sent);

void sock_free_all(void);

#endif
