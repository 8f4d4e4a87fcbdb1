/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the kernel stack share: stack-kernel.c makes and ends
 * sockets, kernel-recv.c reads, kernel-send.c writes, kernel-opt.c sets.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <netinet/in.h>
#include <netinet/sctp.h>
#include <stdbool.h>
#include <stddef.h>

#include "assoc.h"
#include "sock.h"
#include "stack.h"

/* An association came up: give it a descriptor of its own and its buffers. */
void kernel_came_up(struct assoc *);

/* Put a descriptor into the set of those read on demand, or take it out. */
void kernel_watch(struct sock *, int fd, struct assoc *, bool edge);
void kernel_unwatch(struct sock *, int fd);

/* Read what the socket itself says; gives false when there is no more. */
bool kernel_read_socket(struct sock *);

/* Read and throw away, until it is over. False: it is. */
bool kernel_discard(struct assoc *);

/* It is over and nothing is left of it: free it. */
void kernel_finish(struct assoc *);

/* Give the descriptor of an association what the kernel does not hand on. */
void kernel_inherit(const struct sock *, int fd);

void kernel_subscribe(const struct sock *, int fd);
void kernel_set_buffer(int fd, int force, int plain, int bytes);

/* The receive buffer once the association is up, as a multiple. */
#define KERNEL_RCVBUF_UP	5

#endif
