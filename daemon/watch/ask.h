/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the path manager and the stall detector ask the stack, and tell it, of an
 * association that is up: by the rows of options, so that each stack gives what it
 * has. Those that can fail give 0 or an errno.
 */
#ifndef ASK_H
#define ASK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct assoc;
struct sock;

/* Its primary path; and make another one that. */
int ask_primary(const struct assoc *, struct sockaddr_storage *);
int ask_set_primary(const struct assoc *, const struct sockaddr_storage *);

/* Does messages' way to this address of the peer work? Then srtt is how long it takes. */
bool ask_works(const struct assoc *, const struct sockaddr_storage *, uint32_t *srtt);

/* Send a heartbeat there now. */
void ask_heartbeat(const struct assoc *, const struct sockaddr_storage *);

/* Ask the peer to make this address of ours its primary path. */
int ask_peer(const struct assoc *, const struct sockaddr_storage *);

/*
 * For associations to come on a socket, and for those that are: show paths that
 * are potentially failed; and fail over within a second.
 */
int ask_show_failing(struct sock *);
int ask_fast_failover(struct sock *);

#endif
