/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room of the kernel's SCTP. Every system call on an SCTP socket is made
 * here. This room knows sockets and associations (socket/) and what lies below
 * them. It knows no method, and nothing of the userland stack. main takes the
 * table of functions from kernel/ops.h and calls nothing else here.
 *
 * A one-to-many socket of the kernel cannot pause one association, lets one
 * stalled peer stop all sends, and aborts every association when it is closed
 * with data unread. So each association is peeled off as soon as it comes up.
 * After that the socket itself speaks only of what belongs to no association
 * yet, and it is read at once. The descriptors of the associations sit in an
 * epoll set that is read on demand. So starting and stopping to read costs the
 * same for one association as for thousands. A socket with one such descriptor
 * has no set: the loop watches that descriptor.
 *
 * A file calls only into the files above it in this list:
 *
 *	state.c		what the kernel says of an association when it is asked; names
 *	budget.c	how much of the kernel's memory buffers may take
 *	blackhole.c	the option blackhole: what is silent to packets that belong to nothing
 *	opt.c		options, and which events are subscribed to
 *	fd.c		descriptors, sets of descriptors, network namespaces
 *	throttle.c	busy associations that are left alone for a moment
 *	send.c		sending, and the journal's notes of what is sent
 *	reset.c		resetting streams, and associations
 *	end.c		shutting down, aborting, and ends that are not announced
 *	assoc.c		how an association gets a descriptor of its own; lending
 *	accept.c	what comes to a one-to-one listener
 *	notice.c	notifications, and what they say of associations
 *	recv.c		reading, into an area of the journal
 *	close.c		closing, and associations that go on alone after that
 *	bind.c		the addresses of sockets: bind, and adding and removing them
 *	open.c		making a socket; listen, connect
 *	restore.c	taking over what the previous process left
 *	ops.c		the table
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "rpc/call.h"
#include "rpc/client.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/owner.h"
#include "socket/sends.h"
#include "socket/sock.h"
#include "socket/upcall.h"
#include "stack/stack.h"

/* An association came up. Give it a descriptor of its own and its buffers. */
void kernel_came_up(struct assoc *);

/*
 * Deal with one whole notification. The association is NULL if the notification
 * came on the socket's own descriptor.
 */
void kernel_take_notification(struct sock *, struct assoc *, char *, size_t len,
    const struct sockaddr_storage *from);

/* What a state of struct sctp_assoc_change means. */
enum assoc_event kernel_assoc_event(uint16_t state);

/* Begin what the kernel's stack keeps with a socket; give the socket its descriptor; have that read at once. */
void kernel_begin(struct sock *);
void kernel_adopt(struct sock *, int fd);
int kernel_read_at_once(struct sock *);

/*
 * Enter another network namespace, and return. kernel_go_to gives a descriptor
 * to return by, or -1.
 */
int kernel_go_to(int netns);
void kernel_come_back(int home);

/* May this process enter network namespaces at all? */
bool kernel_can_enter(void);

/* Read how much memory there is for associations. */

/*
 * Buffers. In this order: the sizes that a new socket begins with; the sizes
 * that the socket's next association begins with, which depend on the memory
 * left now; the buffers of an association that is up; the sizes of a restored
 * socket; and what a user is charged for an association that was restored, or
 * that is not up yet.
 */
void kernel_begin_sizes(struct sock *);
void kernel_size_socket(struct sock *);
void kernel_size_assoc(struct assoc *);
void kernel_restore_sizes(struct sock *);
void kernel_charge_restored(struct assoc *);
void kernel_charge_connect(struct assoc *);

/* The client wants buffers of that size. They become smaller if there is not enough memory. */
void kernel_want(struct sock *, bool receive, int bytes);

/*
 * A message is longer than the send buffer. Make room for the message. Gives 0;
 * ENOBUFS if there is no memory; or EMSGSIZE if the client's buffer size does
 * not allow it.
 */
int kernel_grow_send(struct assoc *, size_t len);

/* The association has no message that the kernel keeps back. */
void kernel_no_tail(struct assoc *);

/*
 * A descriptor is read on demand from now on, or no more. A socket with only
 * one such descriptor needs no set of them.
 */
int kernel_watch(struct sock *, int fd, struct assoc *, bool edge);
void kernel_unwatch(struct sock *, int fd);

/* The socket's own descriptor is ready: may it be read? */
bool kernel_wants_events(struct sock *);

/* The socket is closed: the loop forgets its descriptors. */
void kernel_read_no_more(struct sock *);

/* Put an association's descriptor into the set. If there is no room, a timer tries again. */
void kernel_follow(struct assoc *, bool edge);

/* Make a socket of the listener's next association, or leave that for later. False: there is no more. */
bool kernel_receive_accept(struct sock *);
void kernel_accept_later(struct sock *, const char *why);

/* Leave an association unread for a moment, or end that moment. */
void kernel_throttle(struct assoc *);
void kernel_unthrottle(struct assoc *);

/*
 * Everything that a socket's only association had was read. If it sends a
 * stream of small messages, let it rest.
 */
void kernel_throttle_lone(struct assoc *);

/* Read once what the socket itself says. False: there is no more. */
bool kernel_read_socket(struct sock *);

/* The areas of the journal: find them at the start, and empty them in a commit. */
void kernel_recv_init(void);
void kernel_recv_stage(void);
void kernel_send_init(void);
void kernel_send_stage(void);

/* Messages are being dealt with. No commit may come between them. */
extern bool kernel_in_batch;

/* What one call received, or may have received, in slots of the journal. */
struct kernel_batch {
	uint64_t	sock;		/* handle */
	uint64_t	assoc;		/* number; 0: the socket's own */
	uint32_t	first, n;	/* slots */
};

/* The i-th batch that the previous process had in hand; and how to deal with it. */
bool kernel_last_batch(unsigned i, struct kernel_batch *);
void kernel_take_last_batch(const struct kernel_batch *, struct sock *, struct assoc *);

/* Answer the sends that the kernel took and that the previous process did not answer. */
void kernel_answer_last_sends(void);

/* The association has its descriptor; or it ended in this way, and the kernel does not say so. */
void kernel_has_fd(struct assoc *);
void kernel_say_end(struct assoc *, enum sctp_sac_state, uint16_t error);

/*
 * The association is going down. Look for its end, because the kernel does not
 * always announce it.
 */
void kernel_going(struct assoc *);	/* the look begins with the end of the turn */
void kernel_not_going(struct assoc *);
bool kernel_look_for_end(struct assoc *);
bool kernel_look_from_now_on(void);

/* Abort the association. Messages under way are lost. The caller frees the association. */
void kernel_abandon(struct assoc *);

/* Nothing is left to read. This clears a pending error, which is known already. */
bool kernel_is_drained(int fd);

/* Does the kernel know the association, already or still? */
bool kernel_knows(const struct assoc *);

/*
 * Why a one-to-one socket takes no message while it connects. 0: the
 * association is up.
 */
int kernel_not_up_yet(const struct assoc *);

/* The addresses of one side of an association, or with the id 0 of a descriptor. The caller frees them. */
int kernel_names_on(int fd, uint32_t id, bool peer, struct sockaddr_storage **, size_t *n);

/* Has the peer agreed to changes of addresses? 1, 0; -1: the kernel does not say. */
int kernel_asconf(const struct assoc *);

/* The addresses may be other ones now. */
void kernel_forget_names(struct assoc *);

/* Take SO_REUSEPORT from a descriptor. False: it did not have it. */
bool kernel_share_no_more(int fd);

/* The descriptor of a socket that the record says is not bound may be bound already. */
void kernel_restore_bound(struct sock *);

/* Put n addresses one behind the other, as the kernel takes them. Gives their length. */
size_t kernel_pack_addrs(char *to, const struct sockaddr_storage *, size_t n, int family);

/* The id of the association on a descriptor. 0: there is none. */
uint32_t kernel_assoc_on(int fd, struct sctp_status *);

/* Peel an association off its socket. Gives the new descriptor, or -1 with errno. */
int kernel_peel(struct sock *, uint32_t id);

/* The association goes on without a socket. Read from it until it is over. */
void kernel_let_linger(struct assoc *);

/* Make an association of a descriptor that was accepted. */
struct assoc *kernel_accepted(struct sock *listener, struct sock *to, int fd,
    const struct sockaddr_storage *peer);

/* Read and throw away. False: the association is over. */
bool kernel_discard(struct assoc *);

/* The association is over and nothing is left to read. Free it. */
void kernel_finish(struct assoc *);

/* Set on an association's descriptor the options that the kernel does not hand on. */
void kernel_inherit(const struct sock *, int fd);

/* Subscribe a descriptor to what the socket wants; and a descriptor that has no association yet. */
int kernel_subscribe_one(const struct sock *, int fd);
int kernel_subscribe_new(const struct sock *, int fd);

/* The option blackhole of a socket. They give 0 or an errno. */
int kernel_set_blackhole(const struct sock *, bool on);
int kernel_get_blackhole(const struct sock *, int *on);

/* Does a descriptor interleave messages? The association is up: may its descriptor do so? */
bool kernel_interleaves(int fd);
void kernel_interleave(const struct assoc *);

/* Once an association is up, its receive buffer is this many times as large. */
#define KERNEL_RCVBUF_UP	5

/* The functions of the stack: stack/ops.def says what they do. */
#define OP(result, name, ...)	result kernel_##name(__VA_ARGS__);
#include "stack/ops.def"

#endif
