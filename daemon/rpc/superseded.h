/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last message to a connection that its client has lost to another process.
 */
#ifndef SUPERSEDED_H
#define SUPERSEDED_H

#include <stddef.h>
#include <sys/types.h>

struct user;

/*
 * Another process has taken over the session. Say so on a duplicate of fd, after
 * the rest of the message that was written in part, as soon as the process reads.
 * Otherwise it would come back and supersede the newer one. This takes half a
 * minute at most, and counts as a connection of the user until then. If one user
 * has too many of these, the oldest end first.
 */
void superseded_say(struct user *, int fd, const char *rest, size_t len, pid_t);

/* A connection is about to be closed without having been served: tell it why. */
void superseded_refuse(int fd, const char *why);

#endif
