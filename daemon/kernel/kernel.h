/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the kernel stack share: stack-kernel.c makes sockets,
 * kernel-addr.c binds and connects them, kernel-assoc.c has associations come
 * and go, kernel-recv.c reads, kernel-notice.c understands, kernel-send.c
 * writes, kernel-opt.c sets.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "assoc.h"
#include "sock.h"
#include "stack.h"

/* An association came up: give it a descriptor of its own and its buffers. */
void kernel_came_up(struct assoc *);

/* One whole notification: of an association, if it came on its descriptor. */
void kernel_take_notification(struct sock *, struct assoc *, char *, size_t len,
    const struct sockaddr_storage *from);

/* What a state of sctp_assoc_change means, and whether it is a beginning. */
enum assoc_event kernel_what_happened(uint16_t state);
bool kernel_is_up(enum assoc_event);

/* A socket's descriptor: its own from now on; and its set of those to read. */
int kernel_adopt(struct sock *, int fd);
int kernel_read_at_once(struct sock *);
int kernel_make_set(struct sock *);

/* Go to another network namespace, giving the way back or -1, and come back. */
int kernel_go_to(int netns);
void kernel_come_back(int home);

/* May this process enter network namespaces at all? */
bool kernel_can_enter(void);

/* The memory that there is for associations: read how much. */
void kernel_budget_init(void);

/*
 * Buffers: those of a new socket; those that its next association begins
 * with, as there is memory now; and those of an association that is up, or
 * was restored, or is not up yet, with which its user is charged.
 */
void kernel_begin_sizes(struct sock *, int fd);
void kernel_size_socket(struct sock *);
void kernel_size_assoc(struct assoc *);
void kernel_restore_sizes(struct sock *);
void kernel_charge_restored(struct assoc *);
void kernel_charge_connect(struct assoc *);

/* The client wants buffers of that size; none is larger than there is memory. */
void kernel_want(struct sock *, bool receive, int bytes);

/*
 * A message is longer than the send buffer: make room for it. Gives 0, ENOBUFS
 * as there is no memory, or EMSGSIZE, as the buffer was not to be larger.
 */
int kernel_grow_send(struct assoc *, size_t len);

/* Put a descriptor into the set of those read on demand, or take it out. */
int kernel_watch(struct sock *, int fd, struct assoc *, bool edge);
void kernel_unwatch(struct sock *, int fd);

/* An association's; where there is no room for it, it is tried again by the clock. */
void kernel_follow(struct assoc *, bool edge);

/* A listener, later. */
void kernel_accept_later(struct sock *, const char *why);

/* Not to read an association for a moment; and to forget about that. */
void kernel_rest(struct assoc *);
void kernel_no_rest(struct assoc *);

/* All that the only association of a socket had was read: rest if it is a stream. */
void kernel_rest_in_stream(struct assoc *);

/* Read what the socket itself says; gives false when there is no more. */
bool kernel_read_socket(struct sock *);

/* The areas of the journal: find them, and say that they are dealt with. */
void kernel_recv_init(void);
void kernel_recv_stage(void);
void kernel_send_init(void);
void kernel_send_stage(void);

/* Messages are being dealt with, and no commit may come between them. */
bool kernel_in_batch(void);

/* What one call received, or may have: in slots of the journal. */
struct kernel_batch {
	uint64_t	sock;		/* handle */
	uint64_t	assoc;		/* number; 0: the socket's own */
	uint32_t	first, n;	/* slots */
};

/* The i-th of the batches that a process before us had in hand, and to deal with it. */
bool kernel_last_batch(unsigned i, struct kernel_batch *);
void kernel_take_last_batch(const struct kernel_batch *, struct sock *, struct assoc *);

/* Answer the sends that the kernel took and a process before us did not answer. */
void kernel_answer_last_sends(void);

/* A descriptor that nobody knows of may be this association's. */
int kernel_find_orphan(struct assoc *);

/* The association has its descriptor; it ended in this way, and the kernel does not say so. */
void kernel_has_fd(struct assoc *);
void kernel_say_end(struct assoc *, enum sctp_sac_state, uint16_t error);

/* It is going down: look for its end, which the kernel does not always say. */
void kernel_going(struct assoc *);
bool kernel_look_for_end(struct assoc *);
time_t kernel_seconds(void);

/* End it at once, what is under way is lost; it is to be freed. */
void kernel_take_back(struct assoc *);

/* Nothing is left to read. Takes a pending error away, which is known. */
bool kernel_is_drained(int fd);

/* Does the kernel still, or already, know it? */
bool kernel_knows(const struct assoc *);

/* It goes on alone: read until it is over. */
void kernel_linger(struct assoc *);
void kernel_linger_no_more(struct assoc *);
void kernel_end_lingering(void);

/* An association that was accepted. */
struct assoc *kernel_accepted(struct sock *listener, struct sock *to, int fd,
    const struct sockaddr_storage *peer);

/* Read and throw away, until it is over. False: it is. */
bool kernel_discard(struct assoc *);

/* It is over and nothing is left of it: free it. */
void kernel_finish(struct assoc *);

/* Give the descriptor of an association what the kernel does not hand on. */
void kernel_inherit(const struct sock *, int fd);

int kernel_subscribe(const struct sock *, int fd);

/* The receive buffer once the association is up, as a multiple. */
#define KERNEL_RCVBUF_UP	5

#endif
