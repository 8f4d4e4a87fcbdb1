/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a stack is: everything that the daemon knows of an SCTP implementation.
 *
 * A stack is a table of functions. Each stack lives in a room of its own above
 * this one (kernel/, userland/). main gives the tables to stack_give, so
 * nothing here or in socket/ and methods/ knows which stacks there are.
 * Whatever needs SCTP calls the stack in use: stack->send(a, ...).
 *
 * To add a function, add it to ops.def and write its body for each stack.
 *
 * A function that can fail gives 0 or an errno. What comes from the stack comes
 * through sock_readable, sock_event, assoc_writable and the functions of
 * socket/upcall.h, in host byte order.
 */
#ifndef STACK_H
#define STACK_H

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "limits/budget.h"
#include "proto/event_type.h"
#include "proto/rpc.h"
#include "proto/sockopt.h"
#include "stack/partial.h"

struct sock;
struct assoc;
struct sctp_getaddrs;
struct userland_sock;
struct userland_assoc;
struct user;
struct call;
struct record;

/* Counts up to the time in us, to tell how fast messages come one way. */
struct rate {
	uint64_t		 received, sent;	/* messages */
	uint64_t		 bytes;
	uint64_t		 us, cpu_us;	/* 0: not known */
	bool			 on;		/* many small messages come fast */
};

/* What the stack keeps with a socket. */
struct stack_sock {
	int			 fd;		/* the socket itself */
	int			 set;		/* epoll set that is read on demand; -1: none is needed */
	int			 only;		/* without a set: the descriptor that is read; or -1 */
	struct assoc		*only_assoc;	/* and whose it is; NULL: it is the listener's */
	int			 netns;		/* its network namespace, if not the daemon's */
	struct event		 readable;	/* fd of a one-to-many socket: read at once */
	struct event		 set_readable;	/* set, or only */
	bool			 reading;	/* readable is armed */
	bool			 reading_set;	/* set_readable is armed */
	bool			 wants_events;	/* else it is disarmed when it says something */
	bool			 wants_messages;
	bool			 may_come;	/* associations that are not announced yet */
	uint8_t			 looks;		/* how often it was looked at in its last turn */
	uint64_t		 looked;	/* which was this */
	bool			 accepts_later;	/* it accepts nothing for a while */
	uint8_t			 quiet;		/* turns for which others are kept short */
	uint64_t		 quiet_assoc;	/* the quiet association */
	struct rate		 rate;
	uint32_t		 piece;		/* length of the last piece that was read */
	bool			 has_local_options; /* options were set that the kernel does not
						       hand on */
	uint64_t		 netns_number;	/* number of netns in the park */
	bool			 bound_untold;	/* the previous process bound it, and died before it said so */
	bool			 interleaves;	/* SCTP_FRAGMENT_INTERLEAVE is not 0 */
	bool			 own_point;	/* the client set SCTP_PARTIAL_DELIVERY_POINT */
	bool			 own_port;	/* nobody asked for SO_REUSEPORT */
	bool			 was_sharing;	/* but the previous process left it: see kernel/bind.c */
	struct sizes		 sizes;		/* buffers of its next association */
	bool			 parked;
	struct partial		 notice;
	struct userland_sock	*userland;	/* the userland stack's, all of it */
};

/* What the stack keeps with an association. */
struct stack_assoc {
	int			 fd;		/* -1: it is still on the socket's own */
	bool			 owns_fd;
	bool			 parked;
	bool			 one_to_one;	/* fd is a one-to-one socket */
	bool			 at_end;	/* fd always says "end" when it is read */
	struct event		 writable;
	struct event		 linger;	/* reads a lingering association until it is over */
	struct partials		 data;
	struct partial		 notice;
	struct partial		 failed;	/* a failed message that is given back */
	bool			 is_lingering;
	TAILQ_ENTRY(assoc)	 lingering;
	bool			 is_going;	/* the daemon looks for its end */
	TAILQ_ENTRY(assoc)	 going;
	time_t			 moved;		/* seconds: the first look since it began to linger, or
						   took a message; 0: there was none yet */
	bool			 has_sent;	/* a message, before it was up */
	bool			 has_tail;	/* the kernel may wait for another message: see kernel/send.c */
	bool			 in_tails;
	uint8_t			 looks;		/* since it was flushed last */
	uint64_t		 sacks;		/* that had come then */
	TAILQ_ENTRY(assoc)	 tail;
	bool			 no_fd;		/* no descriptor was left: the kernel closes it */
	bool			 is_throttled;
	TAILQ_ENTRY(assoc)	 throttled;
	struct charged		 charged;	/* for its buffers */
	struct sctp_getaddrs	*names[2];	/* addresses of this side, and of the peer, that are kept: see kernel/state.c */
	bool			 names_change;	/* and none are, as they may change */
	struct userland_assoc	*userland;	/* the userland stack's, all of it */
};

/* What happened to an association, for the layers above. */
enum assoc_event {
	ASSOC_EVENT_NONE,
	ASSOC_EVENT_UP,
	ASSOC_EVENT_RESTART,
	ASSOC_EVENT_LOST,
	ASSOC_EVENT_SHUTDOWN_COMP,
	ASSOC_EVENT_CANT,
};

static inline bool
assoc_event_is_up(enum assoc_event what)
{
	return what == ASSOC_EVENT_UP || what == ASSOC_EVENT_RESTART;
}

struct stack_event {
	const struct event_type	*row;
	struct assoc		*assoc;		/* NULL if it is not known */
	uint32_t		 assoc_id;
	enum assoc_event	 what;
	uint16_t		 error;		/* cause, for what */
	const struct sockaddr_storage *from;	/* NULL if there is none */
	const void		*body;		/* as row->fields describe it */
	size_t			 len;
};

/* A message to send, and, if it has a session, what the journal says of it. */
struct stack_message {
	struct sndrcvinfo	 info;
	const void		*data;
	size_t			 len;
	uint64_t		 client;	/* 0: the message has no session */
	uint64_t		 ordinal;	/* of a client's notification, else 0 */
	uint64_t		 msgid;		/* of a request; and, above, of how many with send_many */
};

/* A msgid, and the number of messages that the request has if it is send_many. */
#define MSGID_OF_MANY(msgid, n)	((uint64_t)(n) << 32 | (msgid))
#define MSGID_MANY(id)		((unsigned)((id) >> 32 & 0xffff))

/* Addresses to add to a socket and its associations, or to remove. */
struct stack_bindx {
	bool			 add;
	bool			 socket;	/* of the socket, for new associations */
	bool			 current;	/* of all associations that are up */
	struct assoc		*only;		/* of this one; NULL: of no one in particular */
	const struct sockaddr_storage *addrs;
	size_t			 n;
};

/* What is known of messages that were sent and not acknowledged. */
struct stack_outstanding {
	uint64_t		 acked;		/* grows with what is acknowledged; with data that is
						   sent, too, but then sacks stays as it is */
	uint64_t		 sacks;		/* messages of the peer by which acked may grow */
	uint64_t		 answers;	/* control chunks of other kinds that came */
	uint32_t		 unacked;	/* chunks */
	uint32_t		 window;	/* the peer's, bytes */
	bool			 own_closed;	/* our own window has no room for a packet */
	struct sockaddr_storage	 path;		/* the primary */
};

/* The most messages that send is given. */
#define STACK_RUN	64

struct stack {
	const char	*name;

	/* Whose memory the stack takes, and which setting limits that; text for people. */
	const char	*memory;

	/* Are the stack's associations still there after the process has died? */
	bool		 survives;

	/* Does the stack have descriptors that can be lent? */
	bool		 can_lend;

	/* Does its INIT name the local addresses, but for those that reach less far than the peer's? */
	bool		 offers_by_scope;

	/* The functions, and what they do, are in ops.def. */
#define OP(result, name, ...)	result (*name)(__VA_ARGS__);
#include "stack/ops.def"
};

/* The stack in use. Until stack_choose has chosen, this is the first that was given. */
extern const struct stack *stack;

/* Give the stacks that there are, best first. The table stays the caller's. */
void stack_give(const struct stack *const *, size_t n);

/* Choose the stack that config.stack says. */
void stack_choose(void);

/* Why the stack in use was chosen. */
const char *stack_why(void);

#endif
