/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: descriptors, the sets of descriptors that are read on
 * demand, and network namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/log.h"
#include "util/loop.h"

/* ---- reading on demand ---------------------------------------------- */

/*
 * The loop watches a descriptor until it says something that nobody wants:
 * most clients want the next message before it comes, and then no system call
 * is needed to stop and to begin again.
 */
static void
arm(struct event *ev, int fd, bool *armed)
{
	if (*armed)
		return;
	*armed = true;
	loop_watch(ev, fd, EV_READ | EV_PERSIST);
}

static void
disarm(struct event *ev, bool *armed)
{
	if (*armed)
		(void)event_del(ev);
	*armed = false;
}

/* Have the loop watch the set, or the only descriptor, if messages are wanted. */
static void
arm_messages(struct sock *s)
{
	int	fd = s->stack.set != -1 ? s->stack.set : s->stack.only;

	if (s->stack.wants_messages && fd != -1)
		arm(&s->stack.set_readable, fd, &s->stack.reading_set);
}

static void
sock_on_set_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = arg;

	(void)fd, (void)what;
	if (s->stack.wants_messages)
		sock_readable(s);
	else
		disarm(&s->stack.set_readable, &s->stack.reading_set);
}

/* May the socket's own descriptor be read, which is ready? If not, do not watch it any more. */
bool
kernel_wants_events(struct sock *s)
{
	if (!s->stack.wants_events)
		disarm(&s->stack.readable, &s->stack.reading);
	return s->stack.wants_events;
}

void
kernel_begin(struct sock *s)
{
	partial_init(&s->stack.notice, PARTIAL_SOCKET, s->node.key);
	(void)event_assign(&s->stack.set_readable, loop_base(), -1, 0, sock_on_set_readable, s);
}

static int
add_to_set(int set, int fd, struct assoc *a, bool edge)
{
	struct epoll_event	ev = {
		.events = EPOLLIN | (edge ? (uint32_t)EPOLLET : 0),
		.data.ptr = a,
	};

	if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) == -1 && (errno != EEXIST ||
	    epoll_ctl(set, EPOLL_CTL_MOD, fd, &ev) == -1))
		return errno;
	return 0;
}

/* The socket has more than one descriptor to read, or one whose news alone are wanted. */
static int
make_set(struct sock *s)
{
	int	set = epoll_create1(EPOLL_CLOEXEC), number;

	if (set == -1)
		return errno;
	if (s->stack.only != -1 &&
	    (number = add_to_set(set, s->stack.only, s->stack.only_assoc, false)) != 0) {
		(void)close(set);
		return number;
	}
	disarm(&s->stack.set_readable, &s->stack.reading_set);
	s->stack.set = set;
	s->stack.only = -1;
	s->stack.only_assoc = NULL;
	arm_messages(s);
	return 0;
}

int
kernel_watch(struct sock *s, int fd, struct assoc *a, bool edge)
{
	int	number;

	if (s->stack.set == -1 && !edge && (s->stack.only == -1 || s->stack.only == fd)) {
		s->stack.only = fd;
		s->stack.only_assoc = a;
		arm_messages(s);
		return 0;
	}
	if (s->stack.set == -1 && (number = make_set(s)) != 0)
		return number;
	return add_to_set(s->stack.set, fd, a, edge);
}

void
kernel_unwatch(struct sock *s, int fd)
{
	if (s->stack.set != -1)
		(void)epoll_ctl(s->stack.set, EPOLL_CTL_DEL, fd, NULL);
	else if (s->stack.only == fd) {
		disarm(&s->stack.set_readable, &s->stack.reading_set);
		s->stack.only = -1;
		s->stack.only_assoc = NULL;
	}
}

void
kernel_read(struct sock *s, bool messages, bool events)
{
	s->stack.wants_messages = messages;
	arm_messages(s);
	s->stack.wants_events = events;
	if (events && s->many && s->stack.fd != -1)
		arm(&s->stack.readable, s->stack.fd, &s->stack.reading);
}

void
kernel_read_no_more(struct sock *s)
{
	s->stack.wants_messages = s->stack.wants_events = false;
	disarm(&s->stack.set_readable, &s->stack.reading_set);
	disarm(&s->stack.readable, &s->stack.reading);
}

/* ---- descriptors --------------------------------------------------------- */

/* What a new socket and a socket made of an association have in common. */
void
kernel_adopt(struct sock *s, int fd)
{
	s->stack.fd = fd;
	s->stack.own_port = true;
	if (!s->stack.parked)	/* or the previous process parked it and died */
		s->stack.parked = fdpark_put(s->node.key, fd);
	fault_point("opened");
}

/* Enter another network namespace. Gives a descriptor to return by, or -1. */
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
		log_fatal("netns: cannot return to the daemon's own namespace: %s", strerror(errno));
	(void)close(home);
	errno = number;
}

/* Entering the daemon's own namespace takes the same right, so try that. Done once. */
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
