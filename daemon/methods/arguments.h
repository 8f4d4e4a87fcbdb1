/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From arguments to what they name: sockets, associations, addresses, options.
 * Each function returns ERR_OK, or says by call_fail what is wrong with which
 * argument.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "rpc/call.h"
#include "socket/assoc.h"
#include "socket/sock.h"

/* The most addresses of one endpoint. */
#define FIND_ADDRS	32

/* The socket with this handle, if the caller may use it. */
enum error find_sock(const struct call *, uint64_t handle, struct sock **);

/* The socket may change its owner: it is in no group. */
enum error find_not_grouped(const struct sock *);

/* The association; on a one-to-one socket the id may be 0. */
enum error find_assoc(struct sock *, uint32_t id, struct assoc **);

/*
 * One address or a list of addresses, for an argument of this name. If local is
 * true, "any" and "loopback" are accepted.
 */
enum error find_addrs(const msgpack_object *, const char *name, bool local,
    int family, struct sockaddr_storage [FIND_ADDRS], size_t *n);

/* Options that one request may give or ask for; and how many of how many. */
#define FIND_OPTIONS	1024
enum error find_too_many(const struct sock *, uint32_t n, bool set);

/* May the user have n more of these? If not, the error limit. */
enum error find_room(const struct user *, enum charge, size_t n);

/* Is it a host name that must be resolved, rather than an address? */
bool find_is_name(const msgpack_object *);

/* Set options from a map, or a list of pairs, left to right. */
enum error find_and_set_options(const struct call *, struct sock *, const msgpack_object *);

/*
 * Set an option to a value, or read one: as its row describes it. The value may
 * be changed.
 */
enum error find_and_set_value(const struct call *, struct sock *, const struct sockopt *, char *value);
enum error find_value(struct sock *, const struct sockopt *, char *value);

/* Subscribe to what the socket's flags say now; if that fails, they are as before. */
enum error find_and_subscribe(struct sock *, const uint8_t before[SUBSCRIBE_SIZE]);

/* Report a value that does not fit its row. */
enum error find_bad_value(const struct sockopt *, const struct errtext *);

/* Is an option of this name given? For options that must be known before the others. */
const msgpack_object *find_option(const msgpack_object *, const char *name);

/* Clear the values of options that are secret, where the request was read. */
void find_and_forget_secrets(const msgpack_object *);

#endif
