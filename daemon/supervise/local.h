/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's addresses, and where its routes lead.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "proto/field.h"

#define LOCAL_ADDRS	32

/* Is it an address, a network, or what may be an interface? */
bool local_is_right(struct slice);

/*
 * Add the addresses that an item of "local" stands for to the n that are there,
 * each once. An address stands for itself, whether it is the host's or not; an
 * interface for its addresses; a network for the host's addresses in it, but not
 * those of loopback and bridges: such addresses are on every host, and a peer that
 * is told of them sends its packets to itself. Gives NULL, or why there is none.
 */
const char *local_add(struct slice, struct sockaddr_storage [LOCAL_ADDRS], size_t *n);

/* The address from which the host sends to this one. Gives 0 or an errno. */
int local_route(const struct sockaddr_storage *to, struct sockaddr_storage *from);

/*
 * Which of n addresses does Linux name in an INIT to this peer? It leaves those
 * out that reach less far than the peer's: see net.sctp.addr_scope_policy.
 */
void local_offered(const struct sockaddr_storage *, size_t n, const struct sockaddr_storage *peer, bool offered[]);

/* Is it an address of this host; of loopback; of a private network? */
bool local_is_ours(const struct sockaddr_storage *);
bool local_is_loopback(const struct sockaddr_storage *);
bool local_is_private(const struct sockaddr_storage *);

#endif
