/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervised associations, their list, and what the journal has of each.
 */
#ifndef SUPERVISE_TABLE_H
#define SUPERVISE_TABLE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "journal/changes.h"
#include "lines.h"
#include "socket/sock.h"
#include "supervise/users.h"
#include "supervise/wanted.h"

enum supervised_state {
	SUPERVISED_DOWN,
	SUPERVISED_WAITING,
	SUPERVISED_CONNECTING,
	SUPERVISED_LISTENING,
	SUPERVISED_UP,
};

struct attempt;

struct supervised {
	TAILQ_ENTRY(supervised)	 entry;
	char			 name[WANTED_NAME + 1];
	char			*map;		/* what is wanted, packed */
	size_t			 len;
	struct client		*home;
	struct sock		*sock;		/* or NULL */
	enum supervised_state	 state;
	enum supervise_role	 role;
	bool			 config;	/* it stands in sctpd.conf */
	bool			 down;		/* somebody said so */
	bool			 listed;	/* while the configuration is taken in */
	uint32_t		 backoff_min, backoff_max, jitter;
	uint32_t		 attempts;	/* that failed in a row */
	uint64_t		 since;		/* ms */
	uint64_t		 next;		/* ms; 0: no attempt waits */
	struct event		 timer;
	struct attempt		*attempt;	/* the one that looks names up */
	struct supervised_users	 users;
	char			 why[160];
	struct kept		 kept;
};

/* Flags of the record. */
enum { FLAG_CONFIG = 1, FLAG_DOWN = 2 };

/* The time in ms, as since and next have it. */
uint64_t supervise_now(void);

struct slice slice_of(const char *);

struct supervised *supervised_find(struct slice name);
struct supervised *supervised_next(const struct supervised *);
size_t supervised_count(void);
const char *supervised_state_name(const struct supervised *);

/* May the client attach? Is one attached? */
bool supervised_may_attach(const struct supervised *, const struct client *);
bool supervised_is_attached(const struct supervised *);

/* Its association that is up, or one of those; or NULL. */
struct assoc *supervised_assoc(const struct supervised *);

/* Bytes that one takes whose map has this length. */
size_t supervised_cost(size_t len);

/* Write a line of the log. */
void supervised_say(const struct supervised *, enum line, const char *cause);

/* Take a state, and tell the socket's owner and watchers of it. */
void supervised_enter(struct supervised *, enum supervised_state);

/* Put one into the list, without its timer; take it out, and free it. */
struct supervised *supervised_make(struct client *home, const char *map, size_t len, bool config);
void supervised_drop(struct supervised *);

/* Take over what is wanted; the arguments were checked. */
void supervised_set_map(struct supervised *, const char *map, size_t len);

/* Does what is wanted say down? */
bool supervised_is_wanted_down(const struct supervised *);

#endif
