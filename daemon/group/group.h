/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups: clients that own a socket together.
 *
 * This room, group, holds groups, their members, and what each of them has. It may
 * use sockets and their owners (socket/) and what lies below. It must not know any
 * method. Sockets tell it what happens by struct sock_ops (socket/sock.h).
 *
 * The socket of a group is owned by a resident, which is a client without a
 * connection that never ends by itself. So nothing that happens to a member closes
 * it, and what nobody can have waits in it. There are two ways to share it:
 *
 *	sticky, active_standby	Each association gets a socket of its own as it
 *		comes up, as peeloff and accept make them. Such a socket is a
 *		share (share.h), and one member owns it.
 *	spread	The socket has one association. Its messages are dealt into
 *		slots by a key, and each slot belongs to a member (spread.h).
 *
 * The invariant is that of owners (socket/owner.h): what a member was sent and has
 * not acknowledged belongs to the socket. A share or slot goes to another member in
 * one of two ways. If its member is gone or leaves, what it had not acknowledged is
 * packed anew for the next one, before anything newer. If its member stays, the
 * share rests until the member has acknowledged what it was sent, and goes then. So
 * no message has two members at a time, and none overtakes another.
 *
 * Files, lowest first: group.c, share.c, spread.c, member.c.
 */
#ifndef GROUP_H
#define GROUP_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "journal/changes.h"
#include "lines.h"
#include "proto/rpc.h"
#include "rpc/client.h"
#include "socket/sock.h"
#include "util/hash.h"

struct slot;

#define GROUP_NAME	64
#define GROUP_MEMBERS	64
#define GROUP_USERS	16
#define GROUP_KEY	64		/* bytes of a message */
#define GROUP_GRACE	60000		/* ms */
#define GROUP_HAND_OVER	3600000		/* ms */
#define GROUP_SLOTS	256

struct member {
	TAILQ_ENTRY(member)	 entry;		/* of the group's, the first by priority first */
	LIST_ENTRY(member)	 of_client;
	struct group		*group;
	struct client		*client;
	uint32_t		 priority;
	bool			 draining;
	bool			 gone;		/* it is being removed */
	size_t			 n;		/* shares that it has or is to have */
	TAILQ_HEAD(, share)	 resting;	/* shares that wait for its acknowledgement */
	struct pending_queue	 queue;		/* of spread: what it gets when it has room */
	size_t			 going;		/* of spread: slots that wait for its acknowledgement */
	uint64_t		 going_since;	/* and since when, as trace_now; or 0 */
	struct event		 overdue;	/* until when what it gives up may wait for that */
	struct event		 away;		/* until when it may come back */
};

struct group {
	struct hash_node	 node;		/* key: the handle of its socket */
	struct sock		*sock;
	struct client		*resident;
	char			 name[GROUP_NAME + 1];
	enum group_policy	 policy;
	enum group_by		 by;
	uint32_t		 offset;	/* of the key */
	uint32_t		 length;
	uint32_t		 grace;
	uint32_t		 hand_over_time;
	uid_t			 users[GROUP_USERS];
	size_t			 nusers;
	TAILQ_HEAD(, member)	 members;
	size_t			 nmembers;
	TAILQ_HEAD(shares, share) shares;
	size_t			 nunheld;	/* of those, what nobody holds */
	struct hash		 by_id;		/* of shares, by assoc_id */
	struct slot		*slots;		/* of spread */
	struct pending_queue	 nobodys;	/* of spread: events that no member may have now */
	uint64_t		 handovers;
	uint64_t		 again;		/* messages that were sent to another member again */
	struct event		 look;		/* something happened on its socket */
	struct event		 wait;		/* until when members may come back to this process */
	struct kept		 kept;		/* its record */
};

/* All groups; and that of a socket, or of a name. */
struct group *group_next(const struct group *);
struct group *group_find(uint64_t sock);
struct group *group_named(const char *name, size_t len);

/* A new group without members; write writes its record. What it takes is charged to the user. */
struct group *group_new(struct sock *, struct client *resident, const char *name,
    void (*write)(struct kept *));
void group_free(struct group *);

/* Its record has changed: write it with the next commit. */
void group_changed(struct group *);

/* Something of the member's waits for its acknowledgement, for hand_over_time at most. */
void member_is_waited_for(struct member *);

/* Look at what waits, once this callback is done. */
void group_look_soon(struct group *);

/* Is the member connected? */
static inline bool
member_is_here(const struct member *m)
{
	return !m->client->away && !m->client->dead;
}

/* Has it acknowledged all messages up to this number? */
static inline bool
member_has_handled(const struct member *m, uint64_t seq)
{
	return m->client->out.acked >= seq;
}

/* The first member by priority that is here and, if there is one, not draining; or NULL. */
struct member *group_first(const struct group *);

/* The client that gets what belongs to no share: the first member, or else the resident. */
struct client *group_lead(const struct group *);

/* Lines about the group, and about a member. */
void group_say(const struct group *, enum line, const char *cause);
void member_say(const struct member *, enum line, const char *cause, size_t shares, uint64_t messages);

/* The client's membership; NULL: it is no member. */
struct member *group_find_member(const struct group *, const struct client *);

#endif
