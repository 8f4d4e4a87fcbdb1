/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's connection: its requests are read, served in turn, and answered,
 * and nothing is written that the journal does not know.
 *
 * This file does not know what a request means. Functions given at the start
 * (struct client_ops) serve requests and end what a client's end ends.
 *
 * The end of a turn. While a turn of the loop serves requests and events,
 * nothing is written to any client: what is to be said is packed, and its
 * client is marked (client_dirty). When the turn ends, connection_write_all does
 * the following, in this order:
 *
 *	1. changes_commit: each client, socket and association that changed
 *	   writes its record, each session's output its new messages, and the
 *	   kernel's areas say which of their slots are dealt with. All of that is
 *	   one transaction (journal/journal.c).
 *	2. Each marked client is written to, once, unless its output has changed
 *	   since that commit: what the writing of others caused (a socket that is
 *	   read again as there is room) is not in the journal yet.
 *	3. Those that were marked meanwhile: again from 1, until there are none.
 *	4. Clients that are gone are freed; their messages are dropped from the
 *	   journal by one more commit.
 *
 * So a byte that a client has read is in the journal, and the next process
 * knows that it may have been read. The reverse is not promised: what is in the
 * journal may not have been written. A session tells the two apart by the number
 * of the last message that it has handled.
 *
 * After that, clients that wait for their user's share of the time are served
 * (turn.h), and the steps above are repeated. Then the next turn begins.
 *
 * When a client is not read. There are four reasons:
 *
 *	paused	its answers, or its messages that find no room, have reached
 *		client_queue; it is read again when they are fewer
 *		(is_over_limit; socket/stuck.h for messages that will not move)
 *	hungry	its user has no units left in this turn (turn.h)
 *	trouble	the kernel had no memory for a read or a write; it is tried again
 *		after 20 ms
 *	ended	it closed its own direction: there is nothing more to read
 *
 * When a client is gone. Reading tells so when all that it had sent was read. Writing
 * tells so before that: the client, if it has hung up, is deaf from then on. Nothing
 * more is written to it, and its last requests are served, so that an answer and the
 * acknowledgement behind it, which a member of a group wrote at once, are both carried
 * out. A deaf client that cannot be read, because it is paused or has ended, is lost at
 * once.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/client.h"

/* What connections need from the rooms that know sockets and methods. */
struct client_ops {
	/* Serve one message of known length. False: it is not MessagePack-RPC; the connection ends. */
	bool	 (*serve)(struct client *, const char *, size_t len);

	/* Serve an ordinary send at p, if it is complete; returns its length, or 0. */
	size_t	 (*serve_send)(struct client *, const char *p, size_t n);

	/* Nothing more is served for now: carry out the sends that were gathered. */
	void	 (*flush)(void);

	/* A client was paused. */
	void	 (*paused)(void);

	/* The client's output has room again for events that its sockets kept back. */
	void	 (*room)(struct client *);

	/* Its connection is gone: close or hold its sockets. If none is left, call client_end. */
	void	 (*gone)(struct client *);

	/* It has a connection again, from the same process or another. */
	void	 (*back)(struct client *, bool same_process);

	/* Does a socket have this number? */
	bool	 (*is_taken)(uint64_t number);
};

/* Borrows the functions for good. */
void connection_init(const struct client_ops *);

/* Has a client or a socket this number? They share one sequence of numbers. */
bool client_or_sock(uint64_t number);

/* Serve a connection. Takes the descriptor. */
void connection_new(int fd);

/* Take over the connection of another client, which ends. */
void connection_take(struct client *, struct client *from);

/* End a client's connection; why is logged. */
void connection_lost(struct client *, const char *why);

/* End the client; its memory is freed when the turn ends. */
void client_end(struct client *);

/* Clear bytes of the request that is served: a secret, wherever what was read of it lies. */
void connection_forget(const char *, size_t);

/* Is there a client whose requests are not read? */
bool client_any_paused(void);

/* Commit, write what was packed, and free lost clients. Called at the end of each turn. */
void connection_write_all(void);

/* At the end of the daemon: write what is left, and free all clients. */
void connection_free(void);

#endif
