/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client, connected or expected to be.
 *
 * Bytes arrive, frame.c cuts them into messages, dispatch.c answers. A client
 * owns its sockets: when it goes, they go, or are held. It is freed at the end
 * of the loop's turn, so that a callback may lose the client it is serving.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <msgpack.h>

#include "asked.h"
#include "call.h"
#include "frame.h"
#include "output.h"
#include "hash.h"
#include "hot.h"
#include "mem.h"
#include "notice.h"
#include "user.h"

struct sock;
struct client;
TAILQ_HEAD(socks, sock);
TAILQ_HEAD(client_list, client);

#define CLIENT_TOKEN	32	/* hexadecimal digits */

struct client {
	struct hash_node	 node;		/* key: its number */
	TAILQ_ENTRY(client)	 dirty_entry;
	TAILQ_ENTRY(client)	 watch_entry;
	TAILQ_ENTRY(client)	 hungry_entry;
	int			 fd;
	uid_t			 uid;
	struct account		 account;	/* what it has of its user's */
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
	size_t			 waiting;	/* bytes of sends without room */
	uint64_t		 lost;		/* events of a watcher left out */
	bool			 events;	/* it asked for some, ever */
	bool			 watching;
	bool			 starved;	/* a socket of its stopped for it */
	bool			 paused;	/* its requests are not read */
	bool			 ended;		/* it will send no more of them */
	bool			 hungry;	/* it waits for its turn: see turn.h */
	bool			 dirty;
	bool			 listed;	/* it is being written to */
	bool			 dead;

	/* In a session, or while a socket of its is held: see keep.h. */
	bool			 away;		/* it has no connection */
	bool			 expected;	/* but may come back */
	char			 token[CLIENT_TOKEN + 1]; /* of its session; or empty */
	uint64_t		 notifications;	/* taken in the session */
	bool			 said;		/* one of them did something that is not in the
						   journal yet */
	struct asked_list	 asked;		/* of its requests: see asked.h */
	struct event		 patience;	/* away: how long; here: when to try again */
	uint64_t		 trouble;	/* ms; its connection lacks memory since; 0 */
	struct client		*successor;	/* who got the connection */
	struct record		*record;
	TAILQ_ENTRY(client)	 changed_entry;
	TAILQ_ENTRY(client)	 output_entry;
	bool			 changed;
	bool			 output_changed;
};

void client_init(void);

/* Take a connection. Takes the descriptor. */
void client_new(int fd);

/* Has a client or a socket this number? Both are numbered from one count. */
bool client_or_sock(uint64_t number);

/* All of them, by number; and how many, those without a connection included. */
struct client *client_find(uint64_t number);
struct client *client_next(const struct client *);
size_t client_count(void);
size_t client_count_away(void);

/* End a connection, and what its owner's exit ends; why goes to the log. */
void client_lost(struct client *, const char *why);

/* One that has no connection: a process before us had it. */
struct client *client_make(uint64_t number, uid_t);

/* Wait for resume_time for it to come back; and do not any more. */
void client_expect(struct client *);
void client_exit(struct client *);

/* A socket of its is gone: it may have been all that it was there for. */
void client_less(struct client *);

/* The connection of another is this one's from now on; the other is no more. */
void client_take_connection(struct client *, struct client *from);

/* Something is to be written to it, or it is to be looked at, this turn. */
void client_dirty(struct client *);

/* A notification of its session was dealt with; the journal does not know it yet. */
void client_said(struct client *);

/*
 * Where to pack one message for the client, about a socket or 0; it is
 * written when the turn ends.
 */
msgpack_packer *client_packer(struct client *, enum message_kind, uint64_t sock);

/* The answer of a send that was taken; and a message that came, by hand. */
void client_answer_done(struct client *, uint32_t msgid);
void client_data(struct client *, uint64_t sock, struct hot_from *,
    const struct sockaddr_storage *from, const struct sndrcvinfo *, struct slice data);

/*
 * The same for an event, up to where n more fields are to follow. moves: it
 * goes to another owner with its socket.
 */
msgpack_packer *client_event_begin(struct client *, const struct notice *, uint64_t sock,
    unsigned n, bool moves);

/* An event of the broker's own, if the client ever asked for events. */
void client_tell(struct client *, const struct notice *, uint64_t sock, const void *body);

/* There is room for another event; else it is noted that one was kept back. */
bool client_has_room(struct client *);

/* Is there one whose requests are not read? */
bool client_any_paused(void);

/* Messages of the client wait for room (n bytes more, or fewer). */
void client_wait_more(struct client *, size_t n);
void client_wait_less(struct client *, size_t n);

/* May it use what belongs to this user? */
bool client_may_use(const struct client *, uid_t);

/* Begin or end to watch; all watchers. */
void client_watch(struct client *, bool on);
struct client *client_next_watcher(const struct client *);

/* Write what was packed in this turn and free who was lost in it. */
void client_end_turn(void);

/* Lose them all. */
void client_free_all(void);

/* Between client.c and client-out.c: nothing is to be written to it any more. */
void client_clean(struct client *);

/* It will send no more, and has all that it waited for: that is its end. */
void client_end_if_done(struct client *);

/* It is its turn: serve what it sent and could not be served in the last. */
void client_serve_turn(struct client *);

/* Read its requests again, if nothing speaks against it any more. */
void client_serve_again(struct client *);

/* Free who was lost; false: nobody was. */
bool client_free_dead(void);

/*
 * The kernel has no memory for a read or a write of the connection: that
 * passes. Both are tried again a moment later, up to a limit.
 */
bool client_lacks_memory(int number);
void client_try_again(struct client *, int number);

/* libevent's: there is room in the connection. */
void client_on_writable(evutil_socket_t, short, void *);

#endif
