/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events and messages of a socket, and who gets them.
 *
 * Below a one-to-many socket the stack keeps each association apart. What comes
 * from them meets here, where it is decided who gets it and when.
 *
 *	stack -> sock_event -> a waiting connect, or
 *	                       the waiting recv, or
 *	                       the owner, while the mode and its queue allow, or
 *	                       the events that wait
 */
#ifndef DELIVER_H
#define DELIVER_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "socket/sock.h"

struct assoc;

/* Deliver what may be delivered, and tell the stack to read or to stop. */
void sock_pump(struct sock *);

/* From the stack: there is something to read; and here is an event. */
void sock_readable(struct sock *);
void sock_event(struct sock *, const struct stack_event *);

/* An event of the daemon's own, in order with the others. */
void sock_tell(struct sock *, const struct event_type *, struct assoc *, const void *body);

/* Restore an event that waits; the bytes it is charged with; and drop it. */
void sock_add_pending(struct sock *, struct pending *);
size_t pending_cost(const struct pending *);
void sock_drop_pending(struct sock *, struct pending *);

/* Move the waiting events of this association to another socket. */
void sock_move_pending(struct sock *from, struct sock *to, uint32_t assoc_id);

/* Set the mode as gen_sctp does; false if the count leaves its range. */
bool sock_set_active(struct sock *, enum active_mode, int32_t n);

/* The mode as the option active shows it. */
void sock_pack_active(msgpack_packer *, const struct sock *);

#endif
