/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket of a supervised association: its addresses, its options, opening and closing it.
 */
#ifndef SUPERVISE_SOCKET_H
#define SUPERVISE_SOCKET_H

#include "rpc/call.h"
#include "supervise/local.h"
#include "supervise/table.h"

/* The function that sets options as setopts does. */
typedef enum error supervise_options_fn(const struct call *, struct sock *, const msgpack_object *);
void supervised_set_by(supervise_options_fn *);

/*
 * The addresses that it would be bound to, and of the peer those that are no
 * names. Gives what is wrong with an item by say.
 */
void supervised_local(const struct rpc_supervise_in *, struct sockaddr_storage [LOCAL_ADDRS], size_t *n,
    void (*say)(void *, struct slice item, const char *why), void *arg);

/* Open its socket, or have it the local addresses of this moment if it is open; peers are the addresses that are known. Gives NULL, or why it cannot be. */
const char *supervised_open(struct supervised *, const struct rpc_supervise_in *, const struct sockaddr_storage *peers, size_t npeers);

/* Open and bind its socket, for explain; NULL: it can be, or why not. */
const char *supervised_try_open(struct supervised *);

/* why is told to the owner. Without a socket this does nothing. */
void supervised_close(struct supervised *, const char *why);

/* Are all of its associations over? Nobody has read an earlier one's end, but it must have been. */
bool supervised_is_free(struct supervised *);

#endif
