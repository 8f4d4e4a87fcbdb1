/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: reading.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>

#include "addr.h"
#include "config.h"
#include "log.h"
#include "loop.h"
#include "userland.h"

#define SLOT	65536
/* Notifications of a socket that one turn reads. */
#define A_TURN	64

/* One piece of what was received: one area, as there is one thread. */
static struct {
	_Alignas(uint64_t) char	data[SLOT];
	size_t			len;
	int			flags;
	struct sctp_rcvinfo	info;
	struct sockaddr_conn	from;
} piece;

/* How an association ended is said once, before all that is left to read. */
static bool
is_error(ssize_t n)
{
	return n == -1 && errno != EAGAIN && errno != EINTR;
}

/* Receive one; -1 with errno. Zero is the end. */
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

static ssize_t
receive(struct socket *so)
{
	ssize_t	n = receive_once(so);

	return is_error(n) ? receive_once(so) : n;
}

/* Nothing is left to read. */
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

/* As the kernel's reader does: the whole is in p and n after the last piece. */
static bool
join(struct joint *j, struct user *u, char **p, size_t *n, bool *too_long)
{
	bool	last = (piece.flags & MSG_EOR) != 0;

	*p = piece.data;
	*n = piece.len;
	if (last && !j->begun)
		return true;
	if (!joint_add(j, u, piece.data, piece.len)) {
		*too_long = !j->skip;
		joint_skip(j, last);
		return false;
	}
	*p = joint_data(j);
	*n = j->len;
	return last;
}

/* ---- messages ------------------------------------------------------- */

static void
refuse_long_message(struct assoc *a)
{
	static const char	reason[] = "message too long";

	if (log_allowed())
		log_warning("assoc %u: aborted, its peer sends a message over max_message, %llu bytes, or its user %u has no memory for it",
		    assoc_id(a), (unsigned long long)config.max_message,
		    (unsigned)user_uid(a->user));
	(void)userland_abort(a, reason, sizeof reason - 1);
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

static void
take_data(struct sock *s, struct assoc *a)
{
	struct userland_assoc	*ua;
	struct event_data	 d = { .data = { NULL, 0 } };
	struct stack_event	 e = { .row = notice_data };
	bool			 too_long = false;
	char			*p;
	size_t			 n;

	if (a == NULL)	/* it had no socket of its own to be given */
		a = userland_find_coming(s, piece.info.rcv_assoc_id);
	if (a == NULL || a->unwanted)
		return;
	ua = a->stack.userland;
	if (!join(&ua->data, a->user, &p, &n, &too_long)) {
		if (too_long)
			refuse_long_message(a);
		return;
	}
	d.sctp_sndrcvinfo = read_info(a);
	d.data = (struct slice){ p, (uint32_t)n };
	e.assoc = a;
	e.assoc_id = assoc_id(a);
	e.from = &a->peer;
	e.body = &d;
	e.len = sizeof d;
	sock_event(s, &e);
	joint_clear(&ua->data);
}

static void
take(struct sock *s, struct assoc *a)
{
	struct joint	*j = a != NULL ? &a->stack.userland->message : &s->stack.userland->notice;
	bool		 too_long = false;
	char		*p;
	size_t		 n;

	if (!(piece.flags & MSG_NOTIFICATION)) {
		take_data(s, a);
		return;
	}
	if (!join(j, NULL, &p, &n, &too_long))
		return;
	userland_take_notification(s, a, p, n, &piece.from);
	joint_clear(j);
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
			hold_drop_all(u->port);
			return;
		}
		take(s, NULL);
	}
	wake_now(&u->wake);
}

void
userland_ready(struct userland_assoc *ua)
{
	struct userland_sock	*u = ua->assoc->sock->stack.userland;

	if (!ua->is_ready)
		TAILQ_INSERT_TAIL(&u->ready, ua, ready);
	ua->is_ready = true;
	if (u->messages)
		wake_now(&u->deliver);
}

void
userland_unready(struct userland_assoc *ua)
{
	if (ua->is_ready)
		TAILQ_REMOVE(&ua->assoc->sock->stack.userland->ready, ua, ready);
	ua->is_ready = false;
}

void
userland_finish(struct assoc *a)
{
	struct sock		*s = a->sock;
	bool			 was_up = a->outbound != 0;
	struct event_closed	 e = { .reason = { "the association is over", 23 } };

	if (!s->many && (was_up || s->stack.userland->so == NULL)) {
		s->over = true;
		sock_tell(s, notice_closed, a, &e);
	}
	(void)assoc_free(a);
	if (!s->many && !was_up && s->stack.userland->so != NULL)
		userland_renew(s);
}

/*
 * Read up to n pieces of an association; gives how many there were. It stays
 * ready until there is no more.
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
	userland_tell_held(a);
	if (a->state == ASSOC_OVER)
		userland_finish(a);
	return got;
}

/* ---- accepting ------------------------------------------------------ */

static struct event	accept_retry;

static void
accept_on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = NULL;

	(void)fd, (void)what, (void)arg;
	while ((s = sock_next(s)) != NULL) {
		if (!s->stack.userland->resting)
			continue;
		s->stack.userland->resting = false;
		if (s->stack.userland->messages)
			wake_now(&s->stack.userland->deliver);
	}
}

static void
accept_later(struct sock *s, const char *why)
{
	static time_t			last;
	static const struct timeval	wait = { .tv_usec = 100000 };

	if (log_seldom(&last))
		log_warning("sock %llu: accept: %s; peers wait",
		    (unsigned long long)s->node.key, why);
	s->stack.userland->resting = true;
	if (!event_initialized(&accept_retry))
		(void)evtimer_assign(&accept_retry, loop_base(), accept_on_retry, NULL);
	if (!evtimer_pending(&accept_retry, NULL))
		(void)evtimer_add(&accept_retry, &wait);
}

/* A stream listener: each association becomes a socket. */
static bool
receive_accept(struct sock *s)
{
	struct event_accept	 e;
	struct client		*c = s->recv != NULL ? s->recv->client : s->owner;
	struct sock		*to;
	struct assoc		*a;
	const char		*why;
	int			 number;

	if ((why = sock_no_room(c)) != NULL) {
		accept_later(s, why);
		return false;
	}
	to = sock_new(c, false, s->family);
	if ((number = userland_accept(s, to, &a)) != 0) {
		sock_close(to, NULL);
		s->stack.userland->acceptable = false;
		return false;
	}
	e.accepted = to->node.key;
	e.assoc_id = assoc_id(a);
	sock_tell(s, notice_accept, a, &e);
	return true;
}

/* ---- both ----------------------------------------------------------- */

void
userland_receive(struct sock *s, unsigned n)
{
	struct userland_sock	*u = s->stack.userland;
	struct userland_assoc	*ua, *last = TAILQ_LAST(&u->ready, userland_assocs);
	uint64_t		 until = s->received.oct + s->own.buffer;
	unsigned		 share = n > 16 ? n / 4 : n;
	bool			 end = false;

	while (u->acceptable && !u->resting && n > 0 && receive_accept(s))
		n--;
	while (!end && n > 0 && s->received.oct < until && (ua = TAILQ_FIRST(&u->ready)) != NULL) {
		unsigned	want = n < share ? n : share;

		end = ua == last;
		TAILQ_REMOVE(&u->ready, ua, ready);	/* the next has the next turn */
		TAILQ_INSERT_TAIL(&u->ready, ua, ready);
		want = receive_assoc(s, ua->assoc, want);
		n -= want < n ? want : n;
	}
}

/* Its socket was closed while it was set up. */
static void
came_up_alone(struct assoc *a)
{
	userland_came_up(a);
	assoc_enter(a, ASSOC_UP);
	userland_go_on(a);
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
		if (a->state == ASSOC_COMING_UP && userland_is_up(piece.data, piece.len))
			came_up_alone(a);
	}
	return n == -1 && (errno == EAGAIN || errno == EINTR);
}
