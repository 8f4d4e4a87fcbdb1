/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last words to a connection that is not its client's any more.
 */
#ifndef FAREWELL_H
#define FAREWELL_H

#include <stddef.h>
#include <sys/types.h>

struct user;

/*
 * Another process has the session: say so on a duplicate of fd, after the rest
 * of the message of which it has the beginning, and as soon as it reads; else
 * it would come back and supersede the newer. Takes half a minute at most, and
 * counts as a connection of the user's until then; of many of one user the
 * oldest end first.
 */
void farewell_say(struct user *, int fd, const char *rest, size_t len, pid_t);

/* The connection is about to be closed before it was served: say why. */
void farewell_refuse(int fd, const char *why);

#endif
