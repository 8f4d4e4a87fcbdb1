/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From root to a user who may do no more than the daemon has to.
 */
#ifndef DROP_H
#define DROP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Become this user, for good, with the few capabilities that SCTP takes; what
 * is executed from then on has them too. The directory of the socket is made,
 * and is the user's, if it is not there. False, with a reason in error, if
 * that is not possible. For a process that is not root there is nothing to do,
 * if it is this user; nor is there for anybody if user is "".
 */
bool drop_to_user(const char *user, const char *socket, char *error, size_t size);

/* Could it, as far as its name says? */
bool drop_check(const char *user, char *error, size_t size);

#endif
