/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which associations are watched, and when each is looked at.
 */
#ifndef WATCH_H
#define WATCH_H

#include "journal/fields.h"
#include "proto/error.h"
#include "proto/sockopt.h"

struct assoc;
struct sock;

/* From now on those that sockets mark are looked at. */
void watch_init(void);

/* Take over what the process before knew of an association. */
void watch_restore(struct assoc *, const struct assoc_record *);

/*
 * May an option of the socket be changed to what new has? Then it is done in the
 * stack, too. For other options than those of this room: yes.
 */
enum error watch_option(struct sock *, const struct sockopt *, const struct sockopt_own *new);

/* It was changed. */
void watch_option_set(struct sock *, const struct sockopt *);

#endif
