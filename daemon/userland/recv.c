/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: reading.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "userland/userland.h"

#define SLOT	65536
/* Pieces from a socket itself that one turn reads. */
#define A_TURN	64

/* One piece of what was received. One area is enough, as there is one thread. */
static struct {
	_Alignas(uint64_t) char	data[SLOT];
	size_t			len;
	int			flags;
	struct sctp_rcvinfo	info;
	struct sockaddr_conn	from;
} piece;

/* Receive one piece; -1 with errno. Zero is the end. */
static ssize_t
receive_once(struct socket *so)
{
	socklen_t	fromlen = sizeof piece.from, infolen = sizeof piece.info;
	unsigned	infotype = 0;
	ssize_t		n;

	piece.flags = 0;
	memset(&piece.from, 0, sizeof piece.from);
	n = usrsctp_recvv(so, piece.data, SLOT, (struct sockaddr *)&piece.from, &fromlen,
	    &piece.info, &infolen, &infotype, &piece.flags);
	if (n > 0)
		piece.len = (size_t)n;
	if (n > 0 && infotype != SCTP_RECVV_RCVINFO)
		memset(&piece.info, 0, sizeof piece.info);
	return n;
}

/*
 * usrsctp reports once how an association ended, as an error that comes before
 * all that is left to read.
 */
static ssize_t
receive(struct socket *so)
{
	ssize_t	n = receive_once(so);

	if (n == -1 && errno != EAGAIN && errno != EINTR)
		n = receive_once(so);
	return n;
}

static bool
is_drained(struct socket *so)
{
	struct sockaddr_conn	from;
	struct sctp_rcvinfo	info;
	socklen_t		fromlen = sizeof from, infolen = sizeof info;
	unsigned		infotype;
	int			flags = MSG_PEEK;
	char			c;

	return usrsctp_recvv(so, &c, 1, (struct sockaddr *)&from, &fromlen, &info, &infolen,
	    &infotype, &flags) <= 0;
}

/* ---- messages ------------------------------------------------------- */

static bool
is_last(void)
{
	return (piece.flags & MSG_EOR) != 0;
}

static struct sndrcvinfo
read_info(const struct assoc *a)
{
	bool	unordered = (piece.info.rcv_flags & SCTP_UNORDERED) != 0;

	return (struct sndrcvinfo){
		.stream = piece.info.rcv_sid,
		.ssn = piece.info.rcv_ssn,
		.flags = unordered ? SNDRCV_UNORDERED : 0,
		.ppid = ntohl(piece.info.rcv_ppid),
		.context = piece.info.rcv_context,
		.tsn = piece.info.rcv_tsn,
		.cumtsn = unordered ? piece.info.rcv_cumtsn : 0,
		.assoc_id = assoc_id(a),
	};
}

/* usrsctp does not say when a message arrived, so it is now. */
static uint64_t
now_us(void)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
take_data(struct sock *s, struct assoc *a)
{
	struct userland_assoc	*ua;
	struct event_data	 d = { .data = { NULL, 0 } };
	struct stack_event	 e = { .row = EVENT_data };
	bool			 too_long = false;
	char			*p = piece.data;
	size_t			 n = piece.len;

	if (a == NULL)	/* the association could not get a socket of its own */
		a = userland_find_coming(s, piece.info.rcv_assoc_id);
	if (a == NULL || a->unwanted)
		return;
	ua = a->stack.userland;
	if (!partial_join(&ua->data, a->user, is_last(), &p, &n, &too_long)) {
		if (too_long)
			upcall_refuse_long_message(a);
		return;
	}
	d.sctp_sndrcvinfo = read_info(a);
	if (s->stack.userland->timestamp)
		d.timestamp = now_us();
	d.data = (struct slice){ p, (uint32_t)n };
	e.assoc = a;
	e.assoc_id = assoc_id(a);
	e.from = &a->peer;
	e.body = &d;
	e.len = sizeof d;
	sock_event(s, &e);
	partial_clear(&ua->data);
}

static void
take(struct sock *s, struct assoc *a)
{
	struct partial	*j = a != NULL ? &a->stack.userland->message : &s->stack.userland->notice;
	bool		 too_long = false;
	char		*p = piece.data;
	size_t		 n = piece.len;

	if (!(piece.flags & MSG_NOTIFICATION)) {
		take_data(s, a);
		return;
	}
	if (!partial_join(j, NULL, is_last(), &p, &n, &too_long))
		return;
	userland_take_notification(s, a, p, n, &piece.from);
	partial_clear(j);
}

/* ---- sockets -------------------------------------------------------- */

void
userland_read_socket(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;

	for (int i = 0; i < A_TURN; i++) {
		if (u->so == NULL)
			return;
		if (receive(u->so) <= 0) {
			embryo_drop_all(u->port);
			return;
		}
		take(s, NULL);
	}
	wake_now(&u->wake);
}

/*
 * Read up to n pieces of an association. Returns how many there were. The
 * association stays ready until there is no more.
 */
static unsigned
receive_assoc(struct sock *s, struct assoc *a, unsigned n)
{
	struct userland_assoc	*ua = a->stack.userland;
	unsigned		 got = 0;

	while (got < n && ua->so != NULL && receive(ua->so) > 0) {
		take(s, a);
		got++;
	}
	if (got == n && (a->state != ASSOC_OVER || !is_drained(ua->so)))
		return got;
	userland_unready(ua);
	userland_tell_deferred(a);
	if (a->state == ASSOC_OVER)
		userland_finish(a);
	return got;
}

/* ---- sockets and associations --------------------------------------- */

void
userland_read(struct sock *s, bool messages, bool events)
{
	struct userland_sock	*u = s->stack.userland;
	bool			 more = events && !u->events;

	if (u == NULL)
		return;
	u->messages = messages;
	u->events = events;
	if (messages && (!TAILQ_EMPTY(&u->ready) || (u->acceptable && !u->resting)))
		wake_now(&u->deliver);
	if (more && s->many)
		wake_now(&u->wake);
}

void
userland_receive(struct sock *s, unsigned n)
{
	struct userland_sock	*u = s->stack.userland;
	struct userland_assoc	*ua, *last = TAILQ_LAST(&u->ready, userland_assocs);
	uint64_t		 until = s->received.oct + s->own.buffer;
	unsigned		 share = n > 16 ? n / 4 : n;
	bool			 end = false;

	while (u->acceptable && !u->resting && n > 0 && userland_receive_accept(s))
		n--;
	while (!end && n > 0 && s->received.oct < until && (ua = TAILQ_FIRST(&u->ready)) != NULL) {
		unsigned	want = n < share ? n : share;

		end = ua == last;
		TAILQ_REMOVE(&u->ready, ua, ready);	/* the next association has the next turn */
		TAILQ_INSERT_TAIL(&u->ready, ua, ready);
		want = receive_assoc(s, ua->assoc, want);
		n -= want < n ? want : n;
	}
}

bool
userland_discard(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	ssize_t			 n;

	while ((n = receive(ua->so)) > 0) {
		if (!(piece.flags & MSG_NOTIFICATION))
			continue;
		if (userland_is_end(piece.data, piece.len))
			return false;
		/* It came up, and its socket was closed during the set-up. */
		if (a->state == ASSOC_COMING_UP && userland_is_up(piece.data, piece.len)) {
			userland_came_up(a);
			assoc_enter(a, ASSOC_UP);
			userland_go_on(a);
		}
	}
	return n == -1 && (errno == EAGAIN || errno == EINTR);
}

/* ---- wakes ---------------------------------------------------------- */

/*
 * What comes on the socket itself is read at once. A listener that accepts does
 * so on demand.
 */
void
userland_sock_on_wake(void *arg)
{
	struct sock		*s = arg;
	struct userland_sock	*u = s->stack.userland;

	if (!s->many && s->listening) {
		u->acceptable = true;
		if (u->messages)
			wake_now(&u->deliver);
		return;
	}
	if (s->many && u->events && u->so != NULL) {
		userland_read_socket(s);
		sock_pump(s);
	}
}

void
userland_sock_on_deliver(void *arg)
{
	struct sock	*s = arg;

	if (s->stack.userland->messages)
		sock_readable(s);
}
