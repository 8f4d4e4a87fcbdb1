/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns a socket, and what happens to it when that changes.
 *
 * A socket has one owner at any time: a client, as an Erlang port has a process.
 * A client and its connection are two things. The connection is a descriptor and
 * what was read from it (rpc/connection.c); the client is what owns sockets and
 * what messages are kept for, and it may be there without a connection.
 *
 *	client        has a       comes by                 goes by
 *	              connection
 *	here          yes         connection_new; or       its connection ends -> away,
 *	                          hello with its token     or gone if it has no socket
 *	                          (connection_take)
 *	away          no          its connection ended,    hello with its token -> here;
 *	                          and some of its sockets  its last socket is closed or
 *	                          are held                 given away -> gone
 *	expected      no          the daemon died, and it  hello with its token -> here;
 *	                          had a session            resume_time passes -> away
 *	                          (owner_expect)           or gone
 *	gone          no          client_end               freed when the turn ends
 *	resident      no          client_make_resident     client_end
 *
 * When its connection ends, or it does not come back to a daemon that was
 * started again (owner_exit), each of its sockets does what its option
 * on_owner_exit says:
 *
 *	close	it is closed: associations are shut down and linger
 *	abort	its associations are aborted, then it is closed
 *	hold	it is held for hold_time; nobody reads it, so its peers' windows
 *		close; adopt gives it to another client (sock_give)
 *
 * The states of a socket:
 *
 *	owned	its owner gets what happens, as its mode allows (deliver.c)
 *	held	its owner is away; what happens waits in the socket
 *	lent	its owner has the descriptor and calls SCTP itself; the daemon
 *		neither reads nor writes it until it is taken back
 *
 * The invariant: what an owner was sent and has not acknowledged belongs to the
 * socket, not to the client. When the socket goes to another owner these
 * messages are taken from the old owner's output and packed anew for the new
 * one, the oldest first, before anything newer (sock_give). With a session
 * nothing is lost or doubled by that; without one, what was written counts as
 * handled.
 *
 * A socket with a home (sock->home) is a resident's when it is nobody's else: when
 * its owner is gone it goes back there, and is not held, closed or aborted. If
 * nobody takes its messages, its associations are read only as far as the first
 * one: what the stack says of them stands behind that, and their ends must be seen.
 *
 * Who may end an association: daemon/README.md lists it. Here is only what the
 * end of an owner does.
 */
#ifndef OWNER_H
#define OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rpc/connection.h"
#include "socket/sock.h"

/* A new socket, owned by the client, with nothing below it yet. */
struct sock *sock_new(struct client *, bool many, int family);

/* Close it. The owner is told if somebody else closed it, or if why is not NULL. */
void sock_close(struct sock *, const char *why);

/* Give it to another owner, with everything that waits or was not handled. */
void sock_give(struct sock *, struct client *);

/* The same, and the new owner is not told of it. Gives how many messages went along. */
uint64_t sock_move(struct sock *, struct client *);

/* Give it back to its home, passive. */
void sock_go_home(struct sock *);

/* From now on, charge it to another user, with its associations and events. */
void sock_set_user(struct sock *, uid_t);

/* Lend the descriptor to its owner, while the daemon does not use it; and take it back. */
void sock_lend(struct sock *);
void sock_take_back(struct sock *);

/* If it would be held, keep what its owner is sent until that is written. */
void sock_keeps_output(struct sock *);

/* Free a look-up: its name is known, or nobody needs it any more. */
void lookup_free(struct lookup *);

/* A client is gone for good: close, abort or hold its sockets. */
void owner_exit(struct client *);

/* The socket's owner was gone before, but the socket was a group's: now it does the same. */
void owner_has_left(struct sock *);

/* The client may have nothing left to exist for: then it ends. */
void owner_end_if_unneeded(struct client *);

/* Wait resume_time for the client to come back. */
void owner_expect(struct client *);

/* The client is back, from the same process or another. */
void owner_is_back(struct client *, bool same_process);

/* The client's output has room again: look at its sockets. */
void owner_has_room(struct client *);

/* The daemon ends: lose all clients, close all sockets. */
void owner_free_all(void);

#endif
