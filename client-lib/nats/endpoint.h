/* SPDX-License-Identifier: BSD-2-Clause */
/* The endpoints of the configuration, and their sockets in sctpd. */
#ifndef NATS_ENDPOINT_H
#define NATS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sctpd.h"

/* Could sctpd take what the configuration says of them? False: why says what is wrong, with the file and line. */
bool endpoints_check(const char *file, char *why, size_t size);

/* The endpoint of a socket, or SUBJECT_NOBODY. */
const char *endpoint_name(uint64_t sock);

/* The socket of an endpoint; 0: there is none. */
uint64_t endpoint_sock(const char *name);

/* Its socket was closed: open it again, later. */
void endpoint_closed(uint64_t sock);

/*
 * Open those that have no socket, once a second, or all that is missing if "now".
 * What the program before left open counts if the state knows it. True: one was
 * opened.
 */
bool endpoints_open(struct sctpd *, bool now);

/* Forget those sockets that this client does not own any more, and close those that it owns and does not know. */
bool endpoints_look(struct sctpd *, uint64_t client);

/* Has this machine all the addresses that the endpoints are to have? False if none names any. */
bool endpoints_have_addresses(void);

#endif
