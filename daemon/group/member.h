/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members: how they come and go; and what sockets and clients tell groups.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include "group/group.h"
#include "journal/fields.h"

/* Tell the sockets whom to ask. */
void group_init(void);

/* The socket of the group goes to a resident; what it has is shared once members join. */
void group_begin(struct group *);

/* A group for a socket, whose owner is a resident from now on. The rest of it is set before group_begin. */
struct group *group_make(struct sock *, const char *name);

/* It ends, and its socket goes to a client; NULL: the socket is being closed. why is for the members. */
void group_end(struct group *, struct client *, const char *why);

/* A client joins; it leaves or is gone; it is in service or not. why, if not NULL, is told to it. */
void member_join(struct group *, struct client *, uint32_t priority);
void member_leave(struct member *, const char *why);
void member_drain(struct member *, bool on);

/* How many of its sockets or slots wait for its acknowledgement to go to others; and for how long, in ms. */
size_t member_going(const struct member *, uint64_t *ms);

/* How many shares it has: sockets, or slots; and how many sockets. */
size_t member_shares(const struct member *);
size_t member_sockets(const struct member *);

/* The client has a connection again. */
void group_is_back(struct client *, bool same_process);

/* The client has acknowledged messages; its output has room. */
void group_acked(struct client *);
void group_has_room(struct client *);

/* The association with this id, if a share of the socket's group has it. */
struct assoc *group_assoc(const struct sock *, uint32_t assoc_id);

/* May the client use the socket, as a member of its group? */
bool group_may_use(const struct client *, const struct sock *);

/*
 * Take over what an earlier process left: a group, whose socket and members are
 * there, with its record; then all shares. False: it does not fit. Then wait for
 * members to come back.
 */
bool group_restore(const struct group_record *, struct record *);
void group_restore_shares(void);
void group_expect(void);

#endif
