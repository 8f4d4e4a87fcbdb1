/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that wait for room in an association, and what they count against
 * the clients that sent them.
 */
#ifndef SENDCOUNT_H
#define SENDCOUNT_H

#include "proto/rpc.h"
#include "socket/assoc.h"

struct asked;
struct record;

/*
 * What waits in an association counts against the clients that sent it, until
 * the association is stuck (see stuck.h). From then on none of it counts. That
 * takes the same time however much it is: a new era begins, and what was counted
 * in an earlier era is void.
 */
struct send_count {
	TAILQ_ENTRY(send_count)	 entry;
	struct client		*client;
	size_t			 bytes;		/* of this era, against its limit */
	unsigned		 era;
	unsigned		 sends;		/* messages that point to this */
};

/*
 * A message that found no room. A message that was sent as a notification is
 * accepted for good: its sender is told nothing more unless it fails. When its
 * sender goes, it belongs to its association, which sends it before shutting down.
 */
struct waiting_send {
	TAILQ_ENTRY(waiting_send)	 entry;
	struct assoc			*assoc;
	struct call			*call;		/* NULL: its sender is gone */
	uint64_t			 session;	/* its sender's number; 0: it had none */
	uint64_t			 ordinal;	/* of a notification there; else 0 */
	unsigned			 many;		/* it is the first of so many; 0: of a send */
	struct sndrcvinfo		 info;
	size_t				 len;
	size_t				 cost;		/* bytes that it is charged with */
	struct send_count		*count;		/* NULL: it does not count */
	size_t				 counted;	/* bytes of that, if this is still the */
	unsigned			 era;		/* era in which it was counted */
	bool				 free_request;	/* a session's, not bound: see rpc/asked.h */
	struct asked			*asked;		/* of a bound request that may be repeated */
	struct record			*record;	/* of a session's notification */
	char				 data[];
};

/* Count n bytes against its client; and stop counting them. */
void sendcount_add(struct waiting_send *, size_t n);
void sendcount_take(struct waiting_send *);

/* What waits in the association does not count against its clients any more. */
void sendcount_clear(struct assoc *);

#endif
