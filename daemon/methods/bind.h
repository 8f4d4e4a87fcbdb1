/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binding a socket.
 *
 * A socket that open left unbound has port 0 and the wildcard address as its
 * name. It becomes bound by the method bind, or, as with the kernel's own
 * sockets, by the first listen or connect, which bind it to any address and a
 * free port. It stays bound if that listen or connect fails.
 */
#ifndef METHODS_BIND_H
#define METHODS_BIND_H

#include <msgpack.h>
#include <stdint.h>

#include "proto/error.h"
#include "socket/sock.h"

/* Bind the socket to all the addresses of ip: an address, a list, or NULL for any. */
enum error bind_sock(struct sock *, const msgpack_object *ip, uint16_t port);

/* Bind it to any address and a free port, if it is not bound. */
enum error bind_free(struct sock *);

#endif
