/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as text ("10.0.0.1", "fe80::1%eth0") and as the system has them.
 */
#ifndef ADDR_H
#define ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for an IPv6 address with its zone. */
#define ADDR_TEXT	(INET6_ADDRSTRLEN + 18)

/* Text, len bytes of it, to an address with port 0; false if it is none. */
bool addr_parse(const char *, size_t len, struct sockaddr_storage *);

/* The address without its port; "" for a family that is not IP's. */
const char *addr_text(const struct sockaddr_storage *, char buf[ADDR_TEXT]);

uint16_t addr_port(const struct sockaddr_storage *);
void addr_set_port(struct sockaddr_storage *, uint16_t port);

/* Bytes that the address takes as a struct sockaddr_in or sockaddr_in6. */
socklen_t addr_len(const struct sockaddr_storage *);

/*
 * The same address and port; ::ffff:a.b.c.d is a.b.c.d, and an address without
 * a zone is that address in any.
 */
bool addr_equal(const struct sockaddr_storage *, const struct sockaddr_storage *);

/* Is it the address that stands for all of the host? */
bool addr_is_any(const struct sockaddr_storage *);

/* ::ffff:a.b.c.d becomes a.b.c.d, and back. Other addresses stay. */
void addr_unmap(struct sockaddr_storage *);
void addr_map(struct sockaddr_storage *);

/* An address in 16 bytes, without port and zone: a.b.c.d is ::ffff:a.b.c.d there. And back. */
void addr_pack(const struct sockaddr_storage *, struct in6_addr *);
void addr_unpack(const struct in6_addr *, struct sockaddr_storage *);

#endif
