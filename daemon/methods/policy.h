/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may have the daemon do what only a privileged process may.
 *
 * The kernel asks what the daemon may; whether the client could have done it
 * itself is asked here. Root may have all that the daemon can do, and so may
 * the user whom the daemon runs as. Each function gives ERR_OK or says, by
 * call_fail, what is wrong with which argument.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "sockopt.h"

/*
 * After config was read: who is named there, and what the system says. False,
 * with a line in the log, if there is no such user.
 */
bool policy_init(void);

/* Is it root, or the user whom the daemon runs as? */
bool policy_is_root(uid_t);

/* May this user open a socket in another network namespace? */
enum error policy_netns(uid_t);

/* May it bind this port? */
enum error policy_port(uid_t, uint16_t port);

/* May it set an option to this value, which fits the option's row? */
enum error policy_option(uid_t, const struct sockopt *, const void *value);

#endif
