/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: sockets, and how they come and go.
 *
 * A one-to-many socket of the kernel's cannot pause one association, lets one
 * stalled peer stop all sends, and aborts every association when it is closed
 * with data unread. So each association is peeled off as soon as it comes up.
 * The socket itself then says only what belongs to no association yet, and is
 * read at once; the associations' descriptors sit in an epoll set that is
 * read on demand, so that to stop and start reading costs the same for one
 * association and for thousands.
 *
 * Of lksctp-tools only sctp_bindx is used; its sctp_connectx takes a stale
 * errno for a failure, and sctp_peeloff_flags is declared but not there, so
 * these and what is as simple are the system calls behind them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "config.h"
#include "kernel.h"
#include "log.h"
#include "loop.h"

/* What is asked for; the kernel doubles it. */
#define SNDBUF	(2 << 20)
#define RCVBUF	(512 << 10)
/* And where SO_RCVBUFFORCE is not allowed: five times this must be. */
#define RCVBUF_SMALL	(32 << 10)

static TAILQ_HEAD(, assoc) lingering = TAILQ_HEAD_INITIALIZER(lingering);

const char *
stack_name(void)
{
	return "kernel";
}

const char *
stack_probe(void)
{
	int	fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd == -1)
		return errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT ?
		    "this kernel has no SCTP: try \"modprobe sctp\"; see whether "
		    "/etc/modprobe.d forbids it (\"install sctp /bin/false\"), and "
		    "whether the distribution has it in a package of its own" :
		    strerror(errno);
	(void)close(fd);
	return NULL;
}

/* ---- buffers and events --------------------------------------------- */

void
kernel_set_buffer(int fd, int force, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) == -1)
		(void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

/*
 * The window that is offered is counted in bytes and fixed when the
 * association is made; the memory behind it is counted in whole packets. So
 * the buffer is made small first and large afterwards: else small messages
 * exhaust it long before the window is full, and each loss costs a second.
 */
static void
set_first_buffers(int fd)
{
	int		got = 0;
	socklen_t	len = sizeof got;

	kernel_set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SNDBUF);
	kernel_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RCVBUF);
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0 && got < 2 * RCVBUF)
		kernel_set_buffer(fd, SO_RCVBUF, SO_RCVBUF, RCVBUF_SMALL);
}

static void
raise_receive_buffer(int fd)
{
	int		bytes = 0;
	socklen_t	len = sizeof bytes;

	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len) == 0)
		kernel_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF,
		    bytes / 2 * KERNEL_RCVBUF_UP);
}

/*
 * One type at a time: the struct of SCTP_EVENTS differs between kernels.
 * Changes of associations are always wanted, by us.
 */
void
kernel_subscribe(const struct sock *s, int fd)
{
	struct sctp_event	e = { .se_assoc_id = SCTP_ALL_ASSOC };

	for (const struct notice *n = notice_table; n->name != NULL; n++) {
		if (n->subscribe < 0)
			continue;
		e.se_type = n == notice_send_failed ? SCTP_SEND_FAILED_EVENT : n->sn_type;
		e.se_on = n->sn_type == SCTP_ASSOC_CHANGE || s->subscribed[n->subscribe];
		if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e) == -1 && e.se_on)
			log_warning("sock %llu: no %s: %s",
			    (unsigned long long)s->node.key, n->name, strerror(errno));
	}
}

void
stack_subscribe(struct sock *s)
{
	struct assoc	*a = NULL;

	if (s->stack.fd != -1)
		kernel_subscribe(s, s->stack.fd);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd != -1 && a->stack.owns_fd)
			kernel_subscribe(s, a->stack.fd);
	}
}

/* ---- reading on demand ---------------------------------------------- */

static void
sock_on_set_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	sock_readable(arg);
}

static void
sock_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = arg;

	(void)fd, (void)what;
	for (int i = 0; i < 32 && kernel_read_socket(s); i++)
		;
	sock_pump(s);
}

/* The set of a new socket, made at once: later there might be no descriptor. */
static int
make_set(struct sock *s)
{
	if ((s->stack.set = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return errno;
	(void)event_assign(&s->stack.set_readable, loop_base(), s->stack.set,
	    EV_READ | EV_PERSIST, sock_on_set_readable, s);
	return 0;
}

void
kernel_watch(struct sock *s, int fd, struct assoc *a, bool edge)
{
	struct epoll_event	ev = {
		.events = EPOLLIN | (edge ? (uint32_t)EPOLLET : 0),
		.data.ptr = a,
	};

	if (epoll_ctl(s->stack.set, EPOLL_CTL_ADD, fd, &ev) == -1 && (errno != EEXIST ||
	    epoll_ctl(s->stack.set, EPOLL_CTL_MOD, fd, &ev) == -1))
		log_fatal("epoll_ctl: %s", strerror(errno));
}

void
kernel_unwatch(struct sock *s, int fd)
{
	if (s->stack.set != -1)
		(void)epoll_ctl(s->stack.set, EPOLL_CTL_DEL, fd, NULL);
}

static void
arm(struct event *ev, bool *armed, bool on)
{
	if (on == *armed)
		return;
	*armed = on;
	if (on)
		(void)event_add(ev, NULL);
	else
		(void)event_del(ev);
}

void
stack_read(struct sock *s, bool messages, bool events)
{
	if (s->stack.set != -1)
		arm(&s->stack.set_readable, &s->stack.reading_set, messages);
	if (s->many && s->stack.fd != -1)
		arm(&s->stack.readable, &s->stack.reading, events);
}

/* ---- coming --------------------------------------------------------- */

/* What is common to a new socket and to one made of an association. */
static void
adopt_fd(struct sock *s, int fd)
{
	s->stack.fd = fd;
	if (!s->many)
		return;
	(void)event_assign(&s->stack.readable, loop_base(), fd, EV_READ | EV_PERSIST,
	    sock_on_readable, s);
	stack_read(s, false, true);
}

/* Go to another network namespace: gives the way back, or -1. */
static int
go_to(int netns)
{
	int	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int	number;

	if (home == -1 || setns(netns, CLONE_NEWNET) == 0)
		return home;
	number = errno;
	(void)close(home);
	errno = number;
	return -1;
}

static void
come_back(int home)
{
	int	number = errno;

	if (setns(home, CLONE_NEWNET) == -1)
		log_fatal("netns: no way back: %s", strerror(errno));
	(void)close(home);
	errno = number;
}

/* A socket in another network namespace, which is kept to peel off there. */
static int
socket_in(struct sock *s, const char *netns, int type)
{
	int	home, fd;

	if ((s->stack.netns = open(netns, O_RDONLY | O_CLOEXEC)) == -1 ||
	    (home = go_to(s->stack.netns)) == -1)
		return -1;
	fd = socket(s->family, type, IPPROTO_SCTP);
	come_back(home);
	return fd;
}

int
stack_open(struct sock *s, const char *netns)
{
	static const int	one = 1, zero = 0;
	int			type = (s->many ? SOCK_SEQPACKET : SOCK_STREAM) |
				    SOCK_NONBLOCK | SOCK_CLOEXEC;
	int			fd, number;

	if ((number = make_set(s)) != 0)
		return number;
	fd = netns != NULL ? socket_in(s, netns, type) :
	    socket(s->family, type, IPPROTO_SCTP);
	if (fd == -1)
		return errno;
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &zero, sizeof zero);
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &one, sizeof one) == -1) {
		number = errno;
		(void)close(fd);
		return number;
	}
	set_first_buffers(fd);
	kernel_subscribe(s, fd);
	adopt_fd(s, fd);
	return 0;
}

/* An IPv4 address as an inet6 socket wants it. */
static void
to_family(struct sockaddr_storage *ss, int family)
{
	struct sockaddr_in	s4;
	struct sockaddr_in6	s6 = { .sin6_family = AF_INET6 };

	if (ss->ss_family != AF_INET || family != AF_INET6)
		return;
	memcpy(&s4, ss, sizeof s4);
	s6.sin6_port = s4.sin_port;
	if (s4.sin_addr.s_addr != htonl(INADDR_ANY)) {
		s6.sin6_addr.s6_addr[10] = s6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&s6.sin6_addr.s6_addr[12], &s4.sin_addr, 4);
	}
	memset(ss, 0, sizeof *ss);
	memcpy(ss, &s6, sizeof s6);
}

/* n addresses one behind the other, as the kernel takes them. */
static size_t
pack_addrs(char *to, const struct sockaddr_storage *addrs, size_t n, int family)
{
	struct sockaddr_storage	ss;
	size_t			len = 0;

	for (size_t i = 0; i < n; i++) {
		ss = addrs[i];
		to_family(&ss, family);
		memcpy(to + len, &ss, addr_len(&ss));
		len += addr_len(&ss);
	}
	return len;
}

int
stack_bind(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	ss = addrs[0];
	socklen_t		len = sizeof ss;
	char			packed[sizeof ss];

	to_family(&ss, s->family);
	if (bind(s->stack.fd, (struct sockaddr *)&ss, addr_len(&ss)) == -1)
		return errno;
	if (getsockname(s->stack.fd, (struct sockaddr *)&ss, &len) == -1)
		return errno;
	s->port = addr_port(&ss);
	s->name = ss;
	for (size_t i = 1; i < n; i++) {
		s->name = addrs[i];
		addr_set_port(&s->name, s->port);
		(void)pack_addrs(packed, &s->name, 1, s->family);
		if (sctp_bindx(s->stack.fd, (struct sockaddr *)(void *)packed, 1,
		    SCTP_BINDX_ADD_ADDR) == -1)
			return errno;
	}
	return 0;
}

/* Let the port of a socket's associations be shared. */
static void
share_port(struct sock *s)
{
	static const int	one = 1;
	struct assoc		*a = NULL;

	/* One that was made of an association has it though that may be over. */
	if (!s->many && !s->listening && s->stack.fd != -1)
		(void)setsockopt(s->stack.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd != -1)
			(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	}
}

/*
 * The associations that were peeled off or accepted have the same port, and
 * the kernel takes them for strangers who must agree to share it.
 */
static int
listen_shared(struct sock *s, int backlog)
{
	static const int	one = 1;
	struct sock		*t = NULL;
	int			 before = 0, number;
	socklen_t		 len = sizeof before;

	while ((t = sock_next(t)) != NULL) {
		if (t->port == s->port && t->uid == s->uid)
			share_port(t);
	}
	(void)getsockopt(s->stack.fd, SOL_SOCKET, SO_REUSEADDR, &before, &len);
	(void)setsockopt(s->stack.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	number = listen(s->stack.fd, backlog) == -1 ? errno : 0;
	(void)setsockopt(s->stack.fd, SOL_SOCKET, SO_REUSEADDR, &before, sizeof before);
	return number;
}

int
stack_listen(struct sock *s, int backlog)
{
	int	number = 0;

	if (backlog == 0 && !s->listening)
		return 0;
	if (listen(s->stack.fd, backlog) == -1)
		number = errno;
	if (number == EADDRINUSE)
		number = listen_shared(s, backlog);
	if (number != 0)
		return number;
	s->listening = backlog > 0;
	if (!s->many && s->listening)
		kernel_watch(s, s->stack.fd, NULL, false);
	else if (!s->many)
		kernel_unwatch(s, s->stack.fd);
	return 0;
}

/* The kernel takes a peer that was peeled off for an address in use. */
static int
connect_errno(struct sock *s, int number, const struct sockaddr_storage *peer)
{
	struct assoc	*a = NULL;

	if (number != EADDRNOTAVAIL)
		return number;
	while ((a = assoc_next(s, a)) != NULL) {
		if (addr_equal(&a->peer, peer) && a->state != ASSOC_OVER)
			return EISCONN;
	}
	return number;
}

int
stack_connect(struct sock *s, const struct sockaddr_storage *addrs, size_t n,
    struct assoc **made)
{
	char				*packed = xmalloc(n * sizeof *addrs);
	struct sctp_getaddrs_old	 arg = { .assoc_id = 0 };
	socklen_t			 len = sizeof arg;
	int				 number = 0;
	struct assoc			*a;

	arg.addr_num = (int)pack_addrs(packed, addrs, n, s->family);
	arg.addrs = (struct sockaddr *)(void *)packed;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX3, &arg, &len) == -1 &&
	    errno != EINPROGRESS)
		number = errno;
	free(packed);
	if (number != 0)
		return connect_errno(s, number, &addrs[0]);
	a = assoc_new(s, (uint32_t)arg.assoc_id, &addrs[0]);
	if (!s->many) {
		a->stack.stream = true;
		a->stack.fd = s->stack.fd;
		kernel_watch(s, s->stack.fd, a, false);
	}
	*made = a;
	return 0;
}

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
	(void)event_assign(&a->stack.writable, loop_base(), -1, 0, assoc_on_writable, a);
	(void)event_assign(&a->stack.linger, loop_base(), -1, 0, assoc_on_finish, a);
}

/* The association has its descriptor now. */
static void
assoc_has_fd(struct assoc *a)
{
	(void)event_assign(&a->stack.writable, loop_base(), a->stack.fd, EV_WRITE,
	    assoc_on_writable, a);
	raise_receive_buffer(a->stack.fd);
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

	if (s->stack.netns != -1 && (home = go_to(s->stack.netns)) == -1)
		return -1;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_SOCKOPT_PEELOFF_FLAGS, &arg, &len) == -1)
		arg.p_arg.sd = -1;
	if (home != -1)
		come_back(home);
	return arg.p_arg.sd;
}

void
kernel_came_up(struct assoc *a)
{
	struct sock	*s = a->sock;

	if (!s->many) {
		if (a->stack.stream && a->state == ASSOC_COMING_UP)
			assoc_has_fd(a);
		return;
	}
	if (a->stack.fd != -1)
		return;
	if ((a->stack.fd = peel(s, assoc_id(a))) == -1) {
		if (errno == EINVAL)
			return;		/* it is over: all of it comes from the socket */
		if (log_allowed())
			log_err("assoc %u: aborted, no descriptor for it: %s; raise LimitNOFILE",
			    assoc_id(a), strerror(errno));
		(void)stack_abort(a, "out of descriptors", 18);
		return;
	}
	a->stack.owns_fd = true;
	assoc_has_fd(a);
	kernel_inherit(s, a->stack.fd);
	kernel_watch(s, a->stack.fd, a, false);
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

int
stack_accept(struct sock *listener, struct sock *to, struct assoc **made)
{
	struct sockaddr_storage	 peer;
	socklen_t		 len = sizeof peer;
	int			 fd, number;

	memset(&peer, 0, sizeof peer);
	if ((number = make_set(to)) != 0)
		return number;
	fd = accept4(listener->stack.fd, (struct sockaddr *)&peer, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return errno == EWOULDBLOCK ? EAGAIN : errno;
	to->port = listener->port;
	to->name = listener->name;
	memcpy(to->subscribed, listener->subscribed, sizeof to->subscribed);
	to->own = listener->own;
	kernel_inherit(listener, fd);
	adopt_fd(to, fd);
	*made = accepted_assoc(to, fd, &peer);
	kernel_watch(to, fd, *made, false);
	return 0;
}

int
stack_peeloff(struct assoc *a, struct sock *to)
{
	struct sock	*from = a->sock;
	int		 number;

	if (a->stack.fd == -1)
		return EAGAIN;		/* it is not up yet */
	if ((number = make_set(to)) != 0)
		return number;
	kernel_unwatch(from, a->stack.fd);
	assoc_move(a, to);
	to->port = from->port;
	to->name = from->name;
	memcpy(to->subscribed, from->subscribed, sizeof to->subscribed);
	to->own = from->own;
	to->peeled = true;
	adopt_fd(to, a->stack.fd);
	a->stack.owns_fd = false;
	kernel_watch(to, a->stack.fd, a, false);
	return 0;
}

/* ---- going ---------------------------------------------------------- */

static void
joint_free(struct joint *j)
{
	buf_free(&j->part);
	j->begun = j->skip = j->sent = false;
}

void
stack_assoc_free(struct assoc *a)
{
	stack_await_room(a, false);
	if (a->sock != NULL && a->stack.fd != -1)
		kernel_unwatch(a->sock, a->stack.fd);
	(void)event_del(&a->stack.linger);
	if (a->sock == NULL)
		TAILQ_REMOVE(&lingering, a, stack.lingering);
	joint_free(&a->stack.data);
	joint_free(&a->stack.notice);
	joint_free(&a->stack.failed);
	if (a->stack.owns_fd && a->stack.fd != -1)
		(void)close(a->stack.fd);
	a->stack.fd = -1;
}

static void
assoc_on_linger(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	if (!kernel_discard(arg))
		(void)assoc_free(arg);
}

/* Its socket is closed: send what waits, shut down, and read until it is over. */
static void
linger(struct assoc *a)
{
	static const struct linger	off = { .l_onoff = 0 };

	assoc_move(a, NULL);
	a->stack.owns_fd = true;
	/* Who waits, if anybody does, is answered by us: close(2) must not. */
	(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
	TAILQ_INSERT_TAIL(&lingering, a, stack.lingering);
	(void)event_assign(&a->stack.linger, loop_base(), a->stack.fd,
	    EV_READ | EV_PERSIST, assoc_on_linger, a);
	(void)event_add(&a->stack.linger, NULL);
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

static void
close_assoc(struct assoc *a, bool abort)
{
	if (a->stack.fd == -1 || a->state == ASSOC_OVER) {
		(void)assoc_free(a);
		return;
	}
	if (abort) {
		if (!a->stack.stream)
			(void)stack_abort(a, NULL, 0);
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
	if (s->stack.set != -1)
		(void)close(s->stack.set);
	if (s->stack.fd != -1)
		(void)close(s->stack.fd);
	if (s->stack.netns != -1)
		(void)close(s->stack.netns);
	joint_free(&s->stack.notice);
	s->stack.fd = s->stack.set = s->stack.netns = -1;
}

void
stack_free(void)
{
	struct assoc	*a;

	while ((a = TAILQ_FIRST(&lingering)) != NULL)
		(void)assoc_free(a);
}

/* ---- addresses ------------------------------------------------------ */

/*
 * The addresses of a socket or an association as the kernel packs them. The
 * length that it gives back is without the head, so that valgrind thinks the
 * end was not written: zeroed memory contents it.
 */
static struct sctp_getaddrs *
get_addrs(int fd, int optname, uint32_t id, int *number)
{
	struct sctp_getaddrs	*g;
	socklen_t		 len;

	for (size_t size = 4096; ; size *= 2) {
		g = xcalloc(1, size);
		g->assoc_id = (sctp_assoc_t)id;
		len = (socklen_t)size;
		if (getsockopt(fd, IPPROTO_SCTP, optname, g, &len) == 0)
			return g;
		*number = errno;
		free(g);
		if (*number != ENOMEM || size > 1 << 20)
			return NULL;
	}
}

int
stack_names(struct sock *s, struct assoc *a, bool peer,
    struct sockaddr_storage **names, size_t *n)
{
	int			 fd = a != NULL && a->stack.fd != -1 ? a->stack.fd : s->stack.fd;
	int			 number;
	struct sctp_getaddrs	*g;
	const unsigned char	*p;

	if (fd == -1)
		return ENOTCONN;
	g = get_addrs(fd, peer ? SCTP_GET_PEER_ADDRS : SCTP_GET_LOCAL_ADDRS,
	    a != NULL ? assoc_id(a) : 0, &number);
	if (g == NULL)
		return number;
	*names = xcalloc((size_t)g->addr_num + 1, sizeof **names);
	*n = g->addr_num;
	p = g->addrs;
	for (size_t i = 0; i < *n; i++) {
		sa_family_t	family;

		memcpy(&family, p, sizeof family);
		(*names)[i].ss_family = family;
		memcpy(&(*names)[i], p, addr_len(&(*names)[i]));
		p += addr_len(&(*names)[i]);
	}
	free(g);
	return 0;
}
