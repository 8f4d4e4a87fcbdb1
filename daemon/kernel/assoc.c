/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: associations, how they get a descriptor of their own and
 * how they, and their sockets, go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "fault.h"
#include "keep.h"
#include "kernel.h"
#include "park.h"
#include "log.h"
#include "loop.h"

static void
assoc_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	assoc_writable(arg);
}

static void
assoc_on_finish(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	kernel_finish(arg);
}

void
stack_assoc_init(struct assoc *a)
{
	a->stack.fd = -1;
	joint_init(&a->stack.data, JOINT_DATA, a->number);
	joint_init(&a->stack.notice, JOINT_NOTICE, a->number);
	joint_init(&a->stack.failed, JOINT_FAILED, a->number);
	(void)event_assign(&a->stack.writable, loop_base(), -1, 0, assoc_on_writable, a);
	(void)event_assign(&a->stack.linger, loop_base(), -1, 0, assoc_on_finish, a);
}

void
kernel_has_fd(struct assoc *a)
{
	(void)event_assign(&a->stack.writable, loop_base(), a->stack.fd, EV_WRITE,
	    assoc_on_writable, a);
}

/* The association has its descriptor now. */
static void
assoc_has_fd(struct assoc *a)
{
	kernel_has_fd(a);
	kernel_size_assoc(a);
}

/* The kernel peels off only what is in the network namespace of the caller. */
static int
peel(struct sock *s, uint32_t id)
{
	sctp_peeloff_flags_arg_t	arg = {
		.p_arg = { .associd = (sctp_assoc_t)id, .sd = -1 },
		.flags = SOCK_NONBLOCK | SOCK_CLOEXEC,
	};
	socklen_t			len = sizeof arg;
	int				home = -1;

	if (s->stack.netns != -1 && (home = kernel_go_to(s->stack.netns)) == -1)
		return -1;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF_FLAGS, &arg, &len) == -1)
		arg.p_arg.sd = -1;
	if (home != -1)
		kernel_come_back(home);
	return arg.p_arg.sd;
}

void
kernel_came_up(struct assoc *a)
{
	struct sock	*s = a->sock;

	if (!s->many) {
		if (a->stack.stream && a->state == ASSOC_COMING_UP)
			kernel_size_assoc(a);
		return;
	}
	if (a->stack.fd != -1)
		return;
	if ((a->stack.fd = peel(s, assoc_id(a))) != -1) {
		fault_point("peeled");
		a->stack.parked = park_put(a->number, a->stack.fd);
	} else if (errno == EINVAL)
		a->stack.fd = kernel_find_orphan(a);
	fault_point("peeloff");
	if (a->stack.fd == -1) {
		if (errno == EINVAL)
			return;		/* it is over: all of it comes from the socket */
		if (log_allowed())
			log_err("assoc %u: aborted, no descriptor for it: %s; raise LimitNOFILE",
			    assoc_id(a), strerror(errno));
		/* The kernel has made a socket of it already, and closes that in silence. */
		a->stack.no_fd = stack_abort(a, "out of descriptors", 18) != 0;
		return;
	}
	a->stack.owns_fd = true;
	assoc_has_fd(a);
	kernel_inherit(s, a->stack.fd);
	kernel_follow(a, false);
}

/* The id is in the comm_up that waits, even of one that is over already. */
static uint32_t
accepted_id(int fd)
{
	struct sctp_assoc_change	c = { .sac_assoc_id = 0 };

	for (int i = 0; i < 2; i++) {	/* how it ended may be said first, once */
		if (recv(fd, &c, sizeof c, MSG_PEEK | MSG_DONTWAIT) == sizeof c &&
		    c.sac_type == SCTP_ASSOC_CHANGE)
			break;
	}
	return (uint32_t)c.sac_assoc_id;
}

/* What was accepted is up, though its comm_up may be read much later. */
static struct assoc *
accepted_assoc(struct sock *to, int fd, const struct sockaddr_storage *peer)
{
	struct sctp_status	st = { .sstat_assoc_id = 0 };
	socklen_t		len = sizeof st;
	struct assoc		*a;

	if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
		st.sstat_assoc_id = (sctp_assoc_t)accepted_id(fd);
	a = assoc_new(to, (uint32_t)st.sstat_assoc_id, peer);
	a->outbound = st.sstat_outstrms;
	a->inbound = st.sstat_instrms;
	a->stack.stream = true;
	a->stack.fd = fd;
	assoc_has_fd(a);
	assoc_enter(a, ASSOC_UP);
	return a;
}

struct assoc *
kernel_accepted(struct sock *listener, struct sock *to, int fd,
    const struct sockaddr_storage *peer)
{
	struct assoc	*a;

	to->port = listener->port;
	to->name = listener->name;
	memcpy(to->subscribed, listener->subscribed, sizeof to->subscribed);
	to->own = listener->own;
	budget_inherit(listener, to);
	sock_keeps_output(to);
	kernel_inherit(listener, fd);
	(void)kernel_adopt(to, fd);	/* it is one-to-one: nothing can fail */
	a = accepted_assoc(to, fd, peer);
	kernel_follow(a, false);
	kernel_size_socket(listener);
	keep_sock(to);
	return a;
}

int
stack_accept(struct sock *listener, struct sock *to, struct assoc **made)
{
	struct sockaddr_storage	 peer;
	socklen_t		 len = sizeof peer;
	int			 fd, number;

	memset(&peer, 0, sizeof peer);
	if ((number = kernel_make_set(to)) != 0)
		return number;
	fd = accept4(listener->stack.fd, (struct sockaddr *)&peer, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return errno == EWOULDBLOCK ? EAGAIN : errno;
	fault_point("accept4");
	*made = kernel_accepted(listener, to, fd, &peer);
	fault_point("accept");
	return 0;
}

int
stack_peeloff(struct assoc *a, struct sock *to)
{
	struct sock	*from = a->sock;
	int		 number;

	if (a->stack.fd == -1)
		return EAGAIN;		/* it is not up yet */
	if ((number = kernel_make_set(to)) != 0)
		return number;
	if ((number = kernel_watch(to, a->stack.fd, a, false)) != 0)
		return number;
	kernel_unwatch(from, a->stack.fd);
	assoc_move(a, to);
	to->port = from->port;
	to->name = from->name;
	memcpy(to->subscribed, from->subscribed, sizeof to->subscribed);
	to->own = from->own;
	budget_inherit(from, to);
	to->peeled = true;
	sock_keeps_output(to);
	(void)kernel_adopt(to, a->stack.fd);
	/* Its number stays parked, too: the journal has it under that until the commit. */
	a->stack.owns_fd = false;
	keep_sock(to);
	return 0;
}

/* ---- lending -------------------------------------------------------- */

bool
stack_has_part(const struct assoc *a)
{
	return a->stack.data.begun || a->stack.notice.begun;
}

int
stack_lend(const struct sock *s)
{
	return s->stack.fd;
}

/*
 * Whoever had it may have read how the association ended: then nobody will
 * tell us.
 */
void
stack_take_back(struct sock *s)
{
	struct sctp_status	 st = { .sstat_assoc_id = 0 };
	socklen_t		 len = sizeof st;
	struct assoc		*a = assoc_next(s, NULL);
	char			 c;

	(void)fcntl(s->stack.fd, F_SETFL, O_RDWR | O_NONBLOCK);
	if (a == NULL || getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0 ||
	    recv(s->stack.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		return;
	assoc_enter(a, ASSOC_OVER);
	kernel_finish(a);
}

/* ---- going ---------------------------------------------------------- */

void
stack_assoc_free(struct assoc *a)
{
	stack_await_room(a, false);
	kernel_no_rest(a);
	budget_uncharge(&a->stack.charged);
	if (a->sock != NULL && a->stack.fd != -1)
		kernel_unwatch(a->sock, a->stack.fd);
	(void)event_del(&a->stack.linger);
	kernel_linger_no_more(a);
	joint_clear(&a->stack.data);
	joint_clear(&a->stack.notice);
	joint_clear(&a->stack.failed);
	if (a->stack.parked)
		park_drop(a->number);
	if (a->stack.owns_fd && a->stack.fd != -1)
		(void)close(a->stack.fd);
	a->stack.fd = -1;
}

/* Its socket is closed: send what waits, shut down, and read until it is over. */
static void
linger(struct assoc *a)
{
	static const struct linger	off = { .l_onoff = 0 };

	assoc_move(a, NULL);
	if (!a->stack.parked)
		a->stack.parked = park_put(a->number, a->stack.fd);
	/* Who waits, if anybody does, is answered by us: close(2) must not. */
	(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
	kernel_linger(a);
	if (!a->eof_asked)
		(void)assoc_eof(a);
	if (!kernel_discard(a))
		(void)assoc_free(a);
}

int
stack_linger(const struct sock *s)
{
	struct linger	l = { .l_onoff = 0 };
	socklen_t	len = sizeof l;

	if (s->stack.fd == -1 ||
	    getsockopt(s->stack.fd, SOL_SOCKET, SO_LINGER, &l, &len) == -1 || !l.l_onoff)
		return -1;
	return l.l_linger;
}

void
kernel_take_back(struct assoc *a)
{
	static const struct linger	at_once = { .l_onoff = 1, .l_linger = 0 };

	if (a->stack.stream)	/* aborted when its last descriptor is closed */
		(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	else
		(void)stack_abort(a, NULL, 0);
}

/* One that is coming up has a descriptor of its own from now on. */
static bool
own_descriptor(struct assoc *a)
{
	if (a->stack.fd == -1 && (a->stack.fd = peel(a->sock, assoc_id(a))) != -1)
		kernel_has_fd(a);
	return a->stack.fd != -1;
}

/* It may be up though its user has not read that it is. */
static bool
is_coming_up(const struct assoc *a)
{
	return a->state == ASSOC_COMING_UP && !(a->stack.stream && kernel_knows(a));
}

/*
 * Has it something to do without its socket? One that is coming up has nothing
 * to shut down, and the kernel would forget it without a word; but what was
 * sent on it, and was taken, shall arrive once it is up.
 */
static bool
goes_on(struct assoc *a)
{
	if (a->state == ASSOC_OVER)
		return false;
	if (!is_coming_up(a))
		return a->stack.fd != -1;
	return (a->stack.has_sent || !TAILQ_EMPTY(&a->sends)) && own_descriptor(a);
}

static void
close_assoc(struct assoc *a, bool abort)
{
	if (abort || !goes_on(a)) {
		if (a->state == ASSOC_COMING_UP || (abort && a->stack.fd != -1))
			kernel_take_back(a);
		(void)assoc_free(a);
		return;
	}
	if (a->stack.fd == a->sock->stack.fd)
		a->sock->stack.fd = -1;		/* it goes on with the association */
	linger(a);
}

void
stack_close(struct sock *s)
{
	struct assoc	*a;
	bool		 abort = stack_linger(s) == 0;	/* with linger {on, 0} */

	/* Associations that the socket has not spoken of yet are closed too. */
	while (s->many && !abort && kernel_read_socket(s))
		;
	stack_read(s, false, false);
	while ((a = assoc_next(s, NULL)) != NULL)
		close_assoc(a, abort);
	/* Before the descriptor: it is the last that closes the socket. */
	if (s->stack.parked)
		park_drop(s->node.key);
	if (s->stack.netns_number != 0)
		park_drop(s->stack.netns_number);
	s->stack.parked = false;
	if (s->stack.set != -1)
		(void)close(s->stack.set);
	if (s->stack.fd != -1)
		(void)close(s->stack.fd);
	if (s->stack.netns != -1)
		(void)close(s->stack.netns);
	fault_point("closed");
	joint_clear(&s->stack.notice);
	s->stack.fd = s->stack.set = s->stack.netns = -1;
}

void
stack_free(void)
{
	kernel_end_lingering();
	budget_free();
}
