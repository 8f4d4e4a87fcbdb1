/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of what the daemon knows of an SCTP implementation: stack.c hands
 * each call to the one that was chosen. Only stack-kernel.c, stack-userland.c
 * and their files make SCTP calls.
 *
 * Functions that can fail give 0 or an errno. What comes from the stack comes
 * through sock_readable, sock_event and assoc_writable, in host byte order.
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

#include "budget.h"
#include "joint.h"
#include "notice.h"
#include "rpc.h"
#include "sockopt.h"

struct sock;
struct assoc;
struct userland_sock;
struct userland_assoc;
struct user;
struct call;
struct record;

/* What the stack keeps with a socket. */
/* How fast messages come one way: since then. */
struct stream {
	uint64_t		 received, sent;	/* messages */
	uint64_t		 bytes;
	uint64_t		 us, cpu_us;	/* 0: not known */
	bool			 on;		/* it is a stream */
};

struct stack_sock {
	int			 fd;		/* the socket itself */
	int			 set;		/* epoll set of what is read on demand */
	int			 netns;		/* where it is, if not where we are */
	struct event		 readable;	/* fd of a one-to-many: read at once */
	struct event		 set_readable;
	bool			 reading;	/* readable is armed */
	bool			 reading_set;	/* set_readable is armed */
	bool			 resting;	/* it accepts nothing for a while */
	uint8_t			 calm;		/* turns that others are kept short for */
	uint64_t		 calm_assoc;	/* this one, that has little to say */
	struct stream		 stream;
	uint32_t		 piece;		/* length of what was read last */
	bool			 plain;		/* options were set that the kernel
						   does not hand on */
	uint64_t		 netns_number;	/* the descriptors' in the park */
	struct buffers		 want;		/* that were asked for */
	uint8_t			 level;		/* how often they were halved */
	bool			 parked;
	struct joint		 notice;
	struct userland_sock	*userland;	/* the userland stack's, all of it */
};

/* And with an association. */
struct stack_assoc {
	int			 fd;		/* -1: still on the socket's own */
	bool			 owns_fd;
	bool			 parked;
	bool			 stream;	/* fd is of the one-to-one kind */
	bool			 at_end;	/* fd says "end" whenever it is asked */
	struct event		 writable;
	struct event		 linger;	/* its socket is closed: read until over */
	struct joint		 data;
	struct joint		 notice;
	struct joint		 failed;	/* of a message given back */
	bool			 is_lingering;
	TAILQ_ENTRY(assoc)	 lingering;
	bool			 is_going;	/* its end is looked for */
	TAILQ_ENTRY(assoc)	 going;
	time_t			 moved;		/* seconds: when it lingered, or took a message */
	bool			 has_sent;	/* before it was up */
	bool			 no_fd;		/* there was none: the kernel closes it */
	bool			 is_resting;
	TAILQ_ENTRY(assoc)	 resting;
	struct charged		 charged;	/* for its buffers */
	struct userland_assoc	*userland;	/* the userland stack's, all of it */
};

/* What happened to an association, for those above that must know. */
enum assoc_event {
	ASSOC_EVENT_NONE,
	ASSOC_EVENT_UP,
	ASSOC_EVENT_RESTART,
	ASSOC_EVENT_LOST,
	ASSOC_EVENT_SHUTDOWN_COMP,
	ASSOC_EVENT_CANT,
};

struct stack_event {
	const struct notice	*row;
	struct assoc		*assoc;		/* NULL if it is not known */
	uint32_t		 assoc_id;
	enum assoc_event	 what;
	uint16_t		 error;		/* of what */
	const struct sockaddr_storage *from;	/* NULL if there is none */
	const void		*body;		/* as row->fields describe it */
	size_t			 len;
};

/* Take the stack that config.stack says, before all else. */
void stack_choose(void);
/* After journal_open. */
void stack_init(void);

/* The configuration has changed, and maybe what the system allows. */
void stack_reload(void);

/* Is there SCTP, and if not, why not and what to do. NULL: there is. */
const char *stack_probe(void);
const char *stack_name(void);

/* Whose memory it takes, and what sets how much. */
const char *stack_memory(void);

/* Why it was chosen. */
const char *stack_why(void);

/* Do its associations outlive the process? */
bool stack_survives(void);

/* What else it can, for hello: names up to a NULL. */
const char *const *stack_features(void);

/* Does it have this option? One that it lacks is ENOPROTOOPT. */
bool stack_has_option(const struct sockopt *);

/* The largest value of a field that it takes, if that is less than the field does; or 0. */
uint32_t stack_most(const struct sockopt *, const struct field *);

/*
 * A socket with the daemon's defaults; options may be set before it is bound.
 * netns, if not NULL, is the path of the network namespace it shall live in.
 */
int stack_open(struct sock *, const char *netns);
int stack_bind(struct sock *, const struct sockaddr_storage *, size_t n);
int stack_listen(struct sock *, int backlog);

/* Begin an association with a peer of n addresses; gives it. */
int stack_connect(struct sock *, const struct sockaddr_storage *, size_t n,
    struct assoc **);

/* The next association of a listener, for a new socket. EAGAIN: none. */
int stack_accept(struct sock *listener, struct sock *to, struct assoc **);

/* Make an association the only one of a new socket. */
int stack_peeloff(struct assoc *, struct sock *to);

/* A message to be sent; and, of a session, what the journal says of it. */
struct stack_message {
	struct sndrcvinfo	 info;
	const void		*data;
	size_t			 len;
	uint64_t		 client;	/* 0: it has no session */
	uint64_t		 ordinal;	/* of a notification; else 0 */
	uint32_t		 msgid;
};

/*
 * Take up to STACK_RUN messages of one client's, from the first on. Gives how
 * many were taken, and in number why the next was not: EAGAIN or an errno.
 */
#define STACK_RUN	64
unsigned stack_send(struct assoc *, const struct stack_message *, unsigned n, int *number);
int stack_eof(struct assoc *);
int stack_abort(struct assoc *, const void *reason, size_t len);

/* Tell assoc_writable, once, when there is room. */
void stack_await_room(struct assoc *, bool);

/*
 * Read the associations' messages, or leave it to the peers to wait; and read
 * what the socket itself says, which is events only, or not.
 */
void stack_read(struct sock *, bool messages, bool events);

/* Deliver up to n messages through sock_event. */
void stack_receive(struct sock *, unsigned n);

int stack_setopt(struct sock *, const struct sockopt *, void *);
int stack_getopt(struct sock *, const struct sockopt *, void *);

/* What send by stream alone sends with. */
void stack_defaults(struct assoc *, struct sndrcvinfo *);

/* How many streams there are now: they may have become more. */
void stack_count_streams(struct assoc *);

/* Subscribe as sock->subscribed says. */
int stack_subscribe(struct sock *);

/* Addresses of one side of an association, or of the socket for NULL. */
int stack_names(struct sock *, struct assoc *, bool peer,
    struct sockaddr_storage **, size_t *n);

/*
 * Close: associations that wait for their messages to arrive, or for the
 * peer, go on alone until they are over.
 */
void stack_close(struct sock *);

/* The socket has another user. */
void stack_set_user(struct sock *);

/* What linger says of a close: seconds, or -1 for none. */
int stack_linger(const struct sock *);

/*
 * What a process before us left: the descriptors of its sockets and
 * associations, the events of its last batch, the sends of its last turn; and
 * what it had begun and nobody knows of. False: the thing is gone.
 */
bool stack_restore_sock(struct sock *);
bool stack_restore_assoc(struct assoc *);
bool stack_restore_joint(struct sock *, struct assoc *, struct record *);
void stack_restore_batches(void);
bool stack_took(uint64_t client, uint64_t ordinal);

/* Its descriptor did not outlive the process: it is over, and that is said. */
void stack_gone(struct assoc *);

/* Before the journal is told: the last batch is dealt with. */
void stack_stage(void);

/* Has it descriptors that can be lent? */
bool stack_can_lend(void);

/* The descriptor to lend; and it is back: what became of it meanwhile? */
int stack_lend(const struct sock *);
bool stack_has_part(const struct assoc *);	/* the beginning of a message */
void stack_take_back(struct sock *);

/* Give up what an association has of the stack. */
void stack_assoc_init(struct assoc *);
void stack_assoc_free(struct assoc *);

/* End the associations that go on alone. */
void stack_free(void);

#endif
