/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From root to a user with no more privileges than the daemon needs.
 */
#ifndef DROP_H
#define DROP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Become this user for good, with the few capabilities that SCTP needs;
 * programs that are executed later have them, too. If the directory of the
 * socket is missing, it is made and given to the user. False, with a reason in
 * error, if this fails. There is nothing to do if the process is this user
 * already, or if user is "".
 */
bool drop_to_user(const char *user, const char *socket, char *error, size_t size);

/* Does the user exist? False, with a reason in error. */
bool drop_check(const char *user, char *error, size_t size);

#endif
