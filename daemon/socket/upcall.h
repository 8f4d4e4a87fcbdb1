/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both stacks do alike when something happens below: each calls these
 * functions, and neither knows the other.
 */
#ifndef UPCALL_H
#define UPCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "socket/sock.h"

struct assoc;

/* The association that an id means; 0 to 2 of a one-to-many socket are none. */
struct assoc *upcall_meant(struct sock *, uint32_t id);

/* An option was set: what send by stream alone sends with may have changed. */
void upcall_forget_defaults(struct sock *);

/* Why the socket may have no other association; or NULL. */
const char *upcall_no_room(const struct sock *);

/* That is so for an association that a peer began: it is aborted; why goes to the log. */
void upcall_turn_away(struct assoc *, const char *why);

/* Did an association come up whose peer does not support AUTH, which its socket demands? */
bool upcall_lacks_auth(struct assoc *);

/* Then it is aborted, and nobody hears of it any more. */
void upcall_abort_without_auth(struct assoc *);

/* Its peer sends a message that is longer than is allowed: it is aborted. */
void upcall_refuse_long_message(struct assoc *);

/* The association of a one-to-one socket is over, and the socket cannot connect again. */
void upcall_over(struct sock *, struct assoc *);

/*
 * The next association of a stream listener becomes a socket, and its owner is
 * told. Gives 0 or an errno; or ENFILE with why, if the owner may have no more.
 */
int upcall_accept(struct sock *, const char **why);

/* Peers wait, as nothing can be accepted: why goes to the log, now and then. */
void upcall_peers_wait(const struct sock *, const char *why);

#endif
