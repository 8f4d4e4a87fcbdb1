/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: clients that may come back, by a token.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stddef.h>

#include "rpc/client.h"

/* From now on, number the client's messages and keep each until it is acknowledged. */
void session_begin(struct client *);

/* The client with this token, or NULL. The time taken does not depend on the token. */
struct client *session_find(const char *token, size_t len);

/* The client is back, on the connection of on, and has handled messages up to seq. */
void session_come_back(struct client *, struct client *on, uint64_t seq);

#endif
