/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message -> row -> arguments -> handler -> answer. Knows no method by name.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stdbool.h>
#include <stddef.h>

struct client;

/*
 * Serve one message, which frame.c has measured. False if it is none: the
 * connection is over then.
 */
bool dispatch(struct client *, const char *, size_t len);

void dispatch_init(void);
void dispatch_free(void);

/*
 * If there is an ordinary send at p, all of it, carry it out: gives its
 * length. 0: it is for dispatch, and to be scanned first.
 */
size_t dispatch_send(struct client *, const char *p, size_t n);

#endif
