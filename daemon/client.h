/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connected client.
 *
 * Bytes arrive, frame.c cuts them into messages, dispatch.c answers. A client
 * owns its sockets: when it goes, they go. It is freed at the end of the
 * loop's turn, so that a callback may lose the client it is serving.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <msgpack.h>

#include "call.h"
#include "frame.h"
#include "hash.h"
#include "mem.h"
#include "notice.h"

struct sock;
TAILQ_HEAD(socks, sock);

struct client {
	struct hash_node	 node;		/* key: its number */
	TAILQ_ENTRY(client)	 dirty_entry;
	TAILQ_ENTRY(client)	 watch_entry;
	int			 fd;
	uid_t			 uid;
	pid_t			 pid;
	char			*name;
	struct event		 readable;
	struct event		 writable;
	struct buf		 in;
	struct buf		 out;
	size_t			 answers;	/* bytes of out, not counting events */
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
	bool			 dirty;
	bool			 dead;
};

void client_init(void);

/* Take a connection. Takes the descriptor. */
void client_new(int fd);

/* All of them, by number. */
struct client *client_find(uint64_t number);
struct client *client_next(const struct client *);
size_t client_count(void);

/* End a connection; why goes to the log. */
void client_lost(struct client *, const char *why);

/* Where to pack what goes to the client; it is written when the turn ends. */
msgpack_packer *client_packer(struct client *);

/* An event of the broker's own, if the client ever asked for events. */
void client_tell(struct client *, const struct notice *, uint64_t sock, const void *body);

/* There is room for another event; else it is noted that one was kept back. */
bool client_has_room(struct client *);

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

#endif
