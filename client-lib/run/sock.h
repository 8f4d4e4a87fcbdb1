/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A socket: the program's in the daemon, and the pair that stands for it.
 *
 * Events are taken from the daemon by count (its option active), so many at a
 * time as the program reads: what waits here is bounded, and when the program
 * does not read, the daemon stops reading, and the peer's window closes.
 *
 *	IDLE -> CONNECTING -> UP -> ENDED	one-to-one
 *	IDLE					one-to-many, listening
 */
#ifndef RUN_SOCK_H
#define RUN_SOCK_H

#include <netinet/in.h>
#include <netinet/sctp.h>

#include "run/call.h"

enum sock_state { SOCK_IDLE, SOCK_CONNECTING, SOCK_UP, SOCK_ENDED };

/* What waits to be read: a message, a notification, or an association for accept(2). */
struct arrival {
	TAILQ_ENTRY(arrival)	entry;
	bool			is_notice;
	uint64_t		accepted;	/* handle, or 0 */
	struct sockaddr_storage	from;
	struct sctp_sndrcvinfo	info;		/* as the program gets it */
	uint64_t		timestamp;	/* us since 1970, with SO_TIMESTAMP; or 0 */
	size_t			len;
	size_t			read;		/* bytes that the program has had of it */
	char			*data;
};

TAILQ_HEAD(arrivals, arrival);

/* An association of a one-to-many socket. */
struct peer {
	TAILQ_ENTRY(peer)	entry;
	uint32_t		assoc_id;
	struct sockaddr_storage	addr;
	bool			up;
	bool			stuck;		/* a message of it waits for room */
};

TAILQ_HEAD(peers, peer);

struct sock {
	struct waiters		waiters;
	TAILQ_ENTRY(sock)	by_inode;
	TAILQ_ENTRY(sock)	by_handle;
	struct run		*run;
	uint64_t		inode;		/* of the program's end; 0 until there is one */
	uint64_t		handle;		/* the daemon's; 0: closed there */
	uint64_t		hashed;		/* handle by which it is found */
	int			end;		/* ours, or -1 */
	int			number;		/* of the program's first descriptor */
	int			family;
	int			type;
	enum sock_state		state;
	bool			peeled;		/* off a one-to-many socket */
	bool			bound;
	bool			listening;
	bool			readable;	/* a byte lies in the pair */
	bool			full;		/* the pair is full */
	bool			eof;		/* the peer shut the association down */
	bool			cannot_read;	/* shutdown(2) */
	int			error;		/* SO_ERROR */
	uint32_t		assoc_id;	/* of one-to-one, */
	struct sockaddr_storage	local, remote;	/* and its addresses, as they are still asked for when it has ended */
	struct peers		peers;
	unsigned		stuck;		/* associations that are */
	struct arrivals		arrivals;
	unsigned		narrivals;
	unsigned		credit;		/* events that the daemon may send still */
	unsigned		window;		/* events wanted here and there */
	struct pump		*pump;
	void			(*arrived)(struct sock *);	/* its pump's: something did, or it ended; or NULL */
	bool			end_closed;	/* the program has none but the pump's */
	int64_t			rcvtimeo, sndtimeo;	/* ms; -1: none */
	uint8_t			subscribed[16];	/* struct sctp_event_subscribe */
	struct sctp_sndrcvinfo	defaults;
	uint32_t		kept[2][64];	/* options that the daemon need not know: of SOL_SOCKET, and SCTP's own */
	int64_t			connecting_since;
	int			not_up;		/* errno of one-to-many's last association that did not come up */
};

/* A socket of the daemon's, which has no descriptor yet. NULL without memory. */
struct sock *sock_new(struct run *, uint64_t handle, int family, int type);
/* Make the pair, and give the program's end, which the caller closes; -1 with errno. */
int sock_pair(struct sock *, int flags);
void sock_ref(struct sock *);
void sock_unref(struct sock *);

struct sock *sock_of_inode(struct run *, uint64_t inode);
struct sock *sock_of_handle(struct run *, uint64_t handle);

/* Forget one that has no descriptor and no handle. */
void sock_forget(struct sock *);
/* Close it at the daemon: the program has no descriptor of it any more. */
void sock_close(struct sock *);

/* Close those whose last descriptor the program has closed. */
void sock_ends(struct run *);

/* An event of the daemon. */
void sock_event(struct run *, const struct sctpd_event *);
/* The daemon is gone, and with it all sockets. */
void sock_lose_all(struct run *);

/* Let the daemon send more, as far as the program has read. */
void sock_ask_more(struct sock *);
/* The first arrival was taken. */
void sock_took(struct sock *);

/*
 * What poll(2) finds. Taking it back needs the program's end, and so a call on
 * it; readability is given at any time.
 */
void sock_set_readable(struct sock *);
void sock_clear_readable(struct call *);
void sock_set_full(struct call *);
void sock_clear_full(struct sock *);
bool sock_has_something(const struct sock *);
/* Remember the address that an association has here. */
void sock_learn_local(struct sock *);

void sock_enter_up(struct sock *, uint32_t assoc_id);
void sock_enter_ended(struct sock *, int error);

struct peer *sock_peer(const struct sock *, uint32_t assoc_id);
struct peer *sock_peer_at(const struct sock *, const struct sockaddr_storage *);
struct peer *sock_add_peer(struct sock *, uint32_t assoc_id, const struct sockaddr_storage *);
void sock_remove_peer(struct sock *, uint32_t assoc_id);
void sock_set_stuck(struct sock *, uint32_t assoc_id, bool);

int64_t sock_now(void);

#endif
