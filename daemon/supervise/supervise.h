/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervised associations: the daemon sets them up, and again whenever they end,
 * whether a client has them or not.
 *
 * This room, supervise, holds what is wanted (wanted.h), the host's addresses
 * (local.h), and the associations themselves. It may use sockets and clients, and
 * knows no method; that options are set by a function of methods/ is given to it.
 *
 * A supervised association has a home, which is a resident client, and a socket,
 * whose home that is (socket/owner.h). Who attaches becomes the socket's owner by
 * sock_give, as whoever adopts one.
 *
 *	down		somebody said so: no socket
 *	waiting		its timer runs; then it tries again
 *	connecting	names are looked up, or an INIT was sent
 *	listening	role listen, and no peer is there
 *	up		there is an association
 *
 * A pause is twice the one before, from backoff_min to backoff_max, and jitter
 * percent of it are left out by chance: so a thousand that lost one peer together
 * do not call it together. Each waits with a timer of the loop, which is a heap;
 * nothing goes through all of them but requests that ask for all.
 *
 * The socket is opened when it is needed first, and stays. Its record in the
 * journal is one with the association's: after a death of the daemon what was up
 * is up, where the stack keeps associations, and what waited waits anew. Where it
 * does not, those of sctpd.conf are set up again, and those of programs are gone
 * like everything else of theirs.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "config.h"
#include "journal/changes.h"
#include "rpc/call.h"
#include "socket/sock.h"
#include "supervise/local.h"
#include "supervise/wanted.h"

enum supervised_state {
	SUPERVISED_DOWN,
	SUPERVISED_WAITING,
	SUPERVISED_CONNECTING,
	SUPERVISED_LISTENING,
	SUPERVISED_UP,
};

struct attempt;

/* Who may attach. */
struct supervised_users {
	bool		all;
	uint32_t	nuids, ngids;
	uid_t		uid[WANTED_ITEMS];
	gid_t		gid[WANTED_ITEMS];
};

struct supervised {
	TAILQ_ENTRY(supervised)	 entry;
	char			 name[WANTED_NAME + 1];
	char			*map;		/* what is wanted, packed */
	size_t			 len;
	struct client		*home;
	struct sock		*sock;		/* or NULL */
	enum supervised_state	 state;
	enum supervise_role	 role;
	bool			 config;	/* it stands in sctpd.conf */
	bool			 down;		/* somebody said so */
	bool			 listed;	/* while the configuration is taken in */
	uint32_t		 backoff_min, backoff_max, jitter;
	uint32_t		 attempts;	/* that failed in a row */
	uint64_t		 since;		/* ms */
	uint64_t		 next;		/* ms; 0: no attempt waits */
	struct event		 timer;
	struct attempt		*attempt;	/* the one that looks names up */
	struct supervised_users	 users;
	char			 why[160];
	struct kept		 kept;
};

/* The function that sets options as setopts does. */
typedef enum error supervise_options_fn(const struct call *, struct sock *, const msgpack_object *);

void supervise_init(supervise_options_fn *);

/* After all sockets and associations were restored. */
void supervise_restore(void);

/* Take in what the configuration says: what changed, and nothing else. */
void supervise_configure(const struct config *);

/* At the end of the daemon. */
void supervise_free(void);

/* The time in ms, as since and next have it. */
uint64_t supervise_now(void);

struct supervised *supervised_find(struct slice name);
struct supervised *supervised_next(const struct supervised *);
size_t supervised_count(void);
const char *supervised_state_name(const struct supervised *);

/* Bytes that one takes whose map has this length. */
size_t supervised_cost(size_t len);

/* Make one, and begin; map is the packed arguments, and checked. */
struct supervised *supervised_add(const char *map, size_t len, uid_t, bool config);

/* End it in order. why is for the log. */
void supervised_remove(struct supervised *, const char *why);

/* Up: try now. Down: shut it down, and stay so. */
void supervised_up(struct supervised *, const char *why);
void supervised_down(struct supervised *, const char *why);

/* May the client attach? Is it attached? */
bool supervised_may_attach(const struct supervised *, const struct client *);
bool supervised_is_attached(const struct supervised *);

/* Its association that is up, or one of those; or NULL. */
struct assoc *supervised_assoc(const struct supervised *);

/* Open and bind its socket, for explain; NULL: it can be, or why not. */
const char *supervised_try_open(struct supervised *);

/*
 * The addresses that it would be bound to, and of the peer those that are no
 * names. Gives what is wrong with an item by say.
 */
void supervised_local(const struct rpc_supervise_in *, struct sockaddr_storage [LOCAL_ADDRS], size_t *n,
    void (*say)(void *, struct slice item, const char *why), void *arg);

#endif
