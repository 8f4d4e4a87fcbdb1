/* SPDX-License-Identifier: BSD-2-Clause */
/* In a session: the groups that this client is a member of, and the sockets that it has in them. */
#ifndef LIB_GROUPS_H
#define LIB_GROUPS_H

#include "lib/internal.h"

/* The group of that name, made if it is not known; NULL without memory. */
struct group *group_get(struct sctpd *, const char *name, size_t len);

/* An unanswered request is about it, or is not any more. */
void group_hold(struct group *);
void group_release(struct sctpd *, struct group *);

/* Is the socket the group's, or one that this client was assigned? */
bool group_has(const struct group *, uint64_t sock);

/* The client is no member any more. */
void group_left(struct sctpd *, struct group *);
void groups_forget(struct sctpd *);
void groups_free(struct sctpd *);

/*
 * An event says who has a socket. Make room for that, before the event is taken;
 * false without memory. Then note it; "left" gives the group that the client is no
 * member of, if what it has not handled is other members' now, and NULL otherwise.
 */
bool groups_reserve(struct sctpd *, const char *name, const struct sctpd_value *fields);
struct group *groups_note(struct sctpd *, const char *name, const struct sctpd_value *fields);

/* The event that says that a socket is closed is the program's: its last one. */
void groups_closed(struct sctpd *, uint64_t sock);

#endif
