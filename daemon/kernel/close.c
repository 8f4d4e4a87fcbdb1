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
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "addr.h"
#include "config.h"
#include "fault.h"
#include "journal.h"
#include "kernel.h"
#include "park.h"
#include "log.h"
#include "loop.h"

void
stack_init(void)
{
	kernel_budget_init();
	kernel_recv_init();
	kernel_send_init();
}

void
stack_stage(void)
{
	kernel_recv_stage();
	kernel_send_stage();
}

/* What else there is to do where the kernel has none; where sctpd has a stack of its own it is in sctpd.conf(5). */
#ifdef USERLAND
#define OR_USERLAND
#else
#define OR_USERLAND	"; or install usrsctp (Debian: libusrsctp-dev) and build sctpd again, "	\
	"for SCTP over UDP without the kernel's"
#endif

const char *
stack_probe(void)
{
	int	fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd == -1)
		return errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT ?
		    "this kernel has no SCTP: try \"modprobe sctp\"; see whether "
		    "/etc/modprobe.d forbids it (\"install sctp /bin/false\"), and "
		    "whether the distribution has it in a package of its own"
		    OR_USERLAND :
		    strerror(errno);
	(void)close(fd);
	return NULL;
}

/* ---- events ------------------------------------------------------------- */

/*
 * One type at a time: the struct of SCTP_EVENTS differs between kernels.
 * Changes of associations are always wanted, by us. Gives the errno of what
 * is wanted and not there; that the kernel does not know a type is EINVAL,
 * and only said.
 */
int
kernel_subscribe(const struct sock *s, int fd)
{
	struct sctp_event	e = { .se_assoc_id = SCTP_ALL_ASSOC };
	int			failed = 0;

	for (const struct notice *n = notice_table; n->name != NULL; n++) {
		if (n->subscribe < 0)
			continue;
		e.se_type = n == notice_send_failed ? SCTP_SEND_FAILED_EVENT : n->sn_type;
		e.se_on = n->sn_type == SCTP_ASSOC_CHANGE || s->subscribed[n->subscribe];
		if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e) == 0 || !e.se_on)
			continue;
		if (errno != EINVAL || n->sn_type == SCTP_ASSOC_CHANGE)
			failed = errno;
		if (log_allowed())
			log_warning("sock %llu: no %s: %s",
			    (unsigned long long)s->node.key, n->name, strerror(errno));
	}
	return failed;
}

int
stack_subscribe(struct sock *s)
{
	struct assoc	*a = NULL;
	int		 failed = 0, number;

	if (s->stack.fd != -1)
		failed = kernel_subscribe(s, s->stack.fd);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd != -1 && a->stack.owns_fd &&
		    (number = kernel_subscribe(s, a->stack.fd)) != 0)
			failed = number;
	}
	return failed;
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
int
kernel_make_set(struct sock *s)
{
	if ((s->stack.set = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return errno;
	joint_init(&s->stack.notice, JOINT_SOCKET, s->node.key);
	(void)event_assign(&s->stack.set_readable, loop_base(), s->stack.set,
	    EV_READ | EV_PERSIST, sock_on_set_readable, s);
	return 0;
}

int
kernel_watch(struct sock *s, int fd, struct assoc *a, bool edge)
{
	struct epoll_event	ev = {
		.events = EPOLLIN | (edge ? (uint32_t)EPOLLET : 0),
		.data.ptr = a,
	};

	if (epoll_ctl(s->stack.set, EPOLL_CTL_ADD, fd, &ev) == -1 && (errno != EEXIST ||
	    epoll_ctl(s->stack.set, EPOLL_CTL_MOD, fd, &ev) == -1))
		return errno;
	return 0;
}

/* Its messages stay with its peer until there is room to watch it. */
void
kernel_follow(struct assoc *a, bool edge)
{
	int	number = kernel_watch(a->sock, a->stack.fd, a, edge);

	if (number == 0)
		return;
	if (log_allowed())
		log_warning("assoc %u: cannot be watched: %s; it is tried again; see fs.epoll.max_user_watches",
		    assoc_id(a), strerror(number));
	kernel_rest(a);
}

void
kernel_unwatch(struct sock *s, int fd)
{
	if (s->stack.set != -1)
		(void)epoll_ctl(s->stack.set, EPOLL_CTL_DEL, fd, NULL);
}

static void
arm(struct event *ev, int fd, bool *armed, bool on)
{
	if (on == *armed)
		return;
	*armed = on;
	if (on)
		loop_watch(ev, fd, EV_READ | EV_PERSIST);
	else
		(void)event_del(ev);
}

void
stack_read(struct sock *s, bool messages, bool events)
{
	if (s->stack.set != -1)
		arm(&s->stack.set_readable, s->stack.set, &s->stack.reading_set, messages);
	if (s->many && s->stack.fd != -1)
		arm(&s->stack.readable, s->stack.fd, &s->stack.reading, events);
}

/* ---- coming --------------------------------------------------------- */

/* What is common to a new socket and to one made of an association. */
int
kernel_adopt(struct sock *s, int fd)
{
	s->stack.fd = fd;
	if (!s->stack.parked)	/* by a process before us that could not say so any more */
		s->stack.parked = park_put(s->node.key, fd);
	fault_point("opened");
	return s->many ? kernel_read_at_once(s) : 0;
}

int
kernel_read_at_once(struct sock *s)
{
	(void)event_assign(&s->stack.readable, loop_base(), s->stack.fd, EV_READ | EV_PERSIST,
	    sock_on_readable, s);
	if (event_add(&s->stack.readable, NULL) == -1)
		return errno;
	s->stack.reading = true;
	return 0;
}

/* Go to another network namespace: gives the way back, or -1. */
int
kernel_go_to(int netns)
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

void
kernel_come_back(int home)
{
	int	number = errno;

	if (setns(home, CLONE_NEWNET) == -1)
		log_fatal("netns: no way back: %s", strerror(errno));
	(void)close(home);
	errno = number;
}

/* The one that it is in tells: to enter that takes the same right. Asked once. */
bool
kernel_can_enter(void)
{
	static int	can = -1;
	int		self;

	if (can == -1 && (self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) != -1) {
		can = setns(self, CLONE_NEWNET) == 0;
		(void)close(self);
	}
	return can == 1;
}

/*
 * A namespace that a client names. open(2) does something to a device or a
 * FIFO, so it comes only after the name has led to a file of nsfs, by a
 * descriptor that opens nothing.
 */
static int
open_namespace(const char *path)
{
	struct statfs	fs;
	char		self[32];
	int		name, fd = -1;

	if ((name = open(path, O_PATH | O_CLOEXEC)) == -1)
		return -1;
	(void)snprintf(self, sizeof self, "/proc/self/fd/%d", name);
	if (fstatfs(name, &fs) == 0 && fs.f_type == NSFS_MAGIC)
		fd = open(self, O_RDONLY | O_CLOEXEC);
	(void)close(name);
	return fd;
}

/*
 * A socket in another network namespace, which is kept to peel off there. What
 * cannot be entered is ENOENT, whatever it is: a client shall not learn from
 * us of files that it cannot see.
 */
static int
socket_in(struct sock *s, const char *netns, int type)
{
	int	home, fd;

	if (!kernel_can_enter()) {
		errno = EPERM;
		return -1;
	}
	if ((s->stack.netns = open_namespace(netns)) == -1 ||
	    (home = kernel_go_to(s->stack.netns)) == -1) {
		errno = ENOENT;
		return -1;
	}
	fd = socket(s->family, type, IPPROTO_SCTP);
	kernel_come_back(home);
	s->stack.netns_number = journal_number();
	(void)park_put(s->stack.netns_number, s->stack.netns);
	return fd;
}

int
stack_open(struct sock *s, const char *netns)
{
	static const int	one = 1, zero = 0;
	int			type = (s->many ? SOCK_SEQPACKET : SOCK_STREAM) |
				    SOCK_NONBLOCK | SOCK_CLOEXEC;
	int			fd, number;

	if ((number = kernel_make_set(s)) != 0)
		return number;
	fd = netns != NULL ? socket_in(s, netns, type) :
	    socket(s->family, type, IPPROTO_SCTP);
	if (fd == -1)
		return errno;
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &zero, sizeof zero);
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &one, sizeof one) == -1)
		number = errno;
	else
		number = kernel_subscribe(s, fd);
	if (number != 0) {
		(void)close(fd);
		return number;
	}
	kernel_begin_sizes(s, fd);
	if ((number = kernel_adopt(s, fd)) != 0)
		return number;
	kernel_size_socket(s);
	return 0;
}
