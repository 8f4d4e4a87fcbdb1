/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may ask the daemon for what only a privileged process may do.
 *
 * The kernel checks what the daemon may do. Whether the client could have done it
 * itself is checked here. Root, and the user whom the daemon runs as, may ask for
 * everything that the daemon can do. Each function returns ERR_OK, or says by
 * call_fail what is wrong with which argument.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"
#include "proto/sockopt.h"
#include "rpc/client.h"

/*
 * Call it after config was read: looks up the users named there, and what the
 * system allows. False, with a line in the log, if a user does not exist.
 */
bool policy_init(void);

/* May this user open a socket in another network namespace? */
enum error policy_netns(uid_t);

/* May it bind this port? */
enum error policy_port(uid_t, uint16_t port);

/* Is it root, or the user whom the daemon runs as? */
bool policy_is_root(uid_t);

/* May it tap the messages of all? */
bool policy_may_tap(uid_t);
enum error policy_tap(uid_t);

/* Is the user an administrator? And may it do this, which only administrators may? */
bool policy_is_admin(uid_t);
enum error policy_admin(uid_t, const char *what);

/* May the client see what belongs to this user, in lists? */
bool policy_may_see(const struct client *, uid_t);

/* The user's name, if it is root or named in admin_users; "user N" otherwise: nobody is looked up. */
void policy_user_name(uid_t, char *to, size_t size);

/* May it set an option to this value, which fits the option's row? */
enum error policy_option(uid_t, const struct sockopt *, const void *value);

#endif
