/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client, connected or expected to connect again.
 *
 * This room, rpc, holds clients, their connections, sessions, requests and
 * output. It may use the journal, the limits and everything below those. It
 * must not know what a socket, an association or a method is: the rooms above
 * give it functions for that (struct client_ops in connection.h).
 *
 * A client owns its sockets: when it goes, they are closed, aborted or held
 * (socket/owner.h). A client is freed at the end of the loop's turn, so a
 * callback may lose the client that it is serving.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <msgpack.h>

#include "journal/changes.h"
#include "limits/user.h"
#include "proto/event_type.h"
#include "proto/fastpath.h"
#include "proto/frame.h"
#include "rpc/output.h"
#include "util/hash.h"
#include "util/mem.h"

struct asked;
struct call;
struct client;
struct member;
struct sock;
TAILQ_HEAD(asked_list, asked);
TAILQ_HEAD(calls, call);
TAILQ_HEAD(client_list, client);
TAILQ_HEAD(socks, sock);
LIST_HEAD(memberships, member);

#define CLIENT_TOKEN	32	/* hexadecimal digits */

struct client {
	struct hash_node	 node;		/* key: its number */
	TAILQ_ENTRY(client)	 dirty_entry;
	TAILQ_ENTRY(client)	 watch_entry;
	TAILQ_ENTRY(client)	 hungry_entry;
	int			 fd;
	uid_t			 uid;
	struct account		 account;	/* its part of what its user has */
	size_t			 in_charged;	/* of in and out, in bytes */
	size_t			 out_charged;
	pid_t			 pid;
	char			*name;
	struct event		 readable;
	struct event		 writable;
	struct buf		 in;
	struct output		 out;
	size_t			 answers;	/* bytes to write, not counting events */
	struct frame		 frame;
	struct calls		 calls;		/* those that wait */
	struct socks		 socks;		/* those it owns */
	size_t			 nsocks;
	struct memberships	 memberships;	/* groups that it has joined: see group/group.h */
	size_t			 waiting;	/* bytes of sends without room */
	uint64_t		 lost;		/* events that a watcher was not sent */
	bool			 events;	/* it has asked for events at least once */
	bool			 watching;
	bool			 tapping;	/* see socket/tap.h */
	bool			 starved;	/* one of its sockets waits for room in out */
	bool			 paused;	/* its requests are not read */
	bool			 ended;		/* it will send no more requests */
	bool			 deaf;		/* it is gone, but for requests that it had sent */
	bool			 hungry;	/* it waits for its turn: see turn.h */
	bool			 dirty;
	bool			 listed;	/* it is being written to */
	bool			 dead;

	/* In a session, or while a socket of its is held: see journal/changes.h. */
	bool			 away;		/* it has no connection */
	bool			 expected;	/* but may come back */
	bool			 resident;	/* it never has one: it owns what is nobody's now */
	char			 token[CLIENT_TOKEN + 1]; /* of its session; or empty */
	uint64_t		 notifications;	/* taken in the session */
	unsigned		 unsettled;	/* notifications taken, not carried out yet */
	bool			 said;		/* one of them did something that is not in the
						   journal yet */
	struct asked_list	 asked;		/* bound requests: see asked.h */
	struct event		 timer;		/* away: until when it may come back; here: when to try again */
	uint64_t		 trouble;	/* since when the kernel lacks memory for it, in ms; or 0 */
	struct client		*successor;	/* the client that took over the connection */
	struct kept		 kept;		/* its record */
	bool			 fields_changed; /* of that */
	bool			 output_changed; /* its kept messages, or how far it has acknowledged */
};

/* All clients, by number. The count includes those without a connection. */
struct client *client_find(uint64_t number);
struct client *client_next(const struct client *);
size_t client_count(void);
size_t client_count_away(void);	/* residents aside */

/* Make a client without a connection; and remove one, so that it is not found any more. */
struct client *client_make(uint64_t number, uid_t);

/*
 * Make a resident: a client that never has a connection, and that exists until
 * client_end. Its sockets are not read. What their owners were sent and did not
 * handle is kept, for whoever gets them.
 */
struct client *client_make_resident(uint64_t number, uid_t, const char *name);
void client_forget(struct client *);
void client_free_all(void);

/* Its record, or its output, has changed: write it with the next commit. */
void client_changed(struct client *);
void client_output_changed(struct client *);

/* Write to this client, or look at it, at the end of this turn. */
void client_dirty(struct client *);

/* A notification of its session was carried out; the journal does not know it yet. */
void client_said(struct client *);

/*
 * The packer for one message to the client, about a socket or 0. The message is
 * written when the turn ends.
 */
msgpack_packer *client_packer(struct client *, enum message_kind, uint64_t sock);

/* The answer to a send that was taken, and a received message: packed without msgpack-c. */
void client_answer_done(struct client *, uint32_t msgid);
void client_data(struct client *, uint64_t sock, struct fastpath_from *,
    const struct sockaddr_storage *from, const struct sndrcvinfo *, uint64_t timestamp,
    struct slice data);

/*
 * The packer for an event; the caller packs n more fields. moves: the event goes
 * along when its socket goes to another owner.
 */
msgpack_packer *client_event_begin(struct client *, const struct event_type *, uint64_t sock,
    unsigned n, bool moves);

/* An event of the daemon's own, if the client has ever asked for events. */
void client_tell(struct client *, const struct event_type *, uint64_t sock, const void *body);

/* Is there room for another event? If not, notes that one was kept back. */
bool client_has_room(struct client *);

/* n bytes more, or fewer, of the client's messages wait for room. */
void client_wait_more(struct client *, size_t n);
void client_wait_less(struct client *, size_t n);

/* May the client use what belongs to this user? */
bool client_may_use(const struct client *, uid_t);

/* Begin or stop watching; iterate over all watchers. */
void client_watch(struct client *, bool on);
struct client *client_next_watcher(const struct client *);

/*
 * Iterate over the dirty clients, to write to each; NULL ends it. Then: has any
 * become dirty again?
 */
void client_begin_writing(void);
struct client *client_next_to_write(void);
bool client_any_dirty(void);

/* There is nothing to write to this client any more. */
void client_clean(struct client *);

#endif
