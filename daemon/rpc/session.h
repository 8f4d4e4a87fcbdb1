/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions: clients that may come back, by a token.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stddef.h>

#include "client.h"

/* From now on its messages are numbered, and kept until it acknowledges them. */
void session_begin(struct client *);

/* Whose token it is, or NULL. Takes as long for any token. */
struct client *session_find(const char *token, size_t len);

/* The client is here again, on the other's connection, and has handled up to seq. */
void session_come_back(struct client *, struct client *on, uint64_t seq);

#endif
