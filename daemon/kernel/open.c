/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: making sockets; bind, listen and connect.
 *
 * Of lksctp-tools only sctp_bindx is used. sctp_connectx takes a stale errno
 * for a failure, and sctp_peeloff_flags is declared but not there. So the
 * system calls behind these two are used directly, and so are those behind
 * other simple functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "journal/fdpark.h"
#include "kernel/kernel.h"
#include "proto/addr.h"
#include "util/fault.h"

/* ---- a new socket --------------------------------------------------- */

/*
 * Open a namespace that a client names. Opening a device or a FIFO has side
 * effects. So open the name with O_PATH first, which opens nothing, and open
 * the file itself only if it belongs to nsfs.
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
 * Make a socket in another network namespace. The namespace is kept, because
 * associations are peeled off there. Whatever cannot be entered is ENOENT: a
 * client must not learn from the daemon about files that it cannot see.
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
	(void)fdpark_put(s->stack.netns_number, s->stack.netns);
	return fd;
}

int
kernel_open(struct sock *s, const char *netns)
{
	static const int	one = 1;
	int			type = (s->many ? SOCK_SEQPACKET : SOCK_STREAM) |
				    SOCK_NONBLOCK | SOCK_CLOEXEC;
	int			fd, number;

	kernel_begin(s);
	fd = netns != NULL ? socket_in(s, netns, type) :
	    socket(s->family, type, IPPROTO_SCTP);
	if (fd == -1)
		return errno;
	(void)setsockopt(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof one);
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_RECVRCVINFO, &one, sizeof one) == -1)
		number = errno;
	else
		number = kernel_subscribe_new(s, fd);
	if (number != 0) {
		(void)close(fd);
		return number;
	}
	kernel_adopt(s, fd);
	kernel_begin_sizes(s);
	return s->many ? kernel_read_at_once(s) : 0;
}

/* ---- listen ---------------------------------------------------------- */

static void
share_port(struct sock *s)
{
	static const int	one = 1;
	struct assoc		*a = NULL;

	/* A socket made of an association holds the port even if that association is over. */
	if (!s->many && !s->listening && s->stack.fd != -1)
		(void)setsockopt(s->stack.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd != -1)
			(void)setsockopt(a->stack.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	}
}

/*
 * Associations that were peeled off or accepted have the same port. The kernel
 * treats them as unrelated sockets, which must agree to share it.
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
kernel_listen(struct sock *s, int backlog)
{
	int	number = 0;

	if (backlog == 0 && !s->listening)
		return 0;
	kernel_size_socket(s);
	if (listen(s->stack.fd, backlog) == -1)
		number = errno;
	if (number == EADDRINUSE)
		number = listen_shared(s, backlog);
	if (number == 0 && !s->many && backlog > 0 &&
	    (number = kernel_watch(s, s->stack.fd, NULL, false)) != 0)
		(void)listen(s->stack.fd, 0);
	if (number != 0)
		return number;
	s->listening = backlog > 0;
	s->stack.may_come = s->stack.may_come || s->listening;
	sock_changed(s);
	if (!s->many && !s->listening)
		kernel_unwatch(s, s->stack.fd);
	return 0;
}

/* For a peer whose association was peeled off, the kernel says EADDRNOTAVAIL. */
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

/*
 * The kernel says that this one-to-one socket has an association, but the
 * daemon knows none. The previous process began the association and died, and
 * the client asks again. The association's id is in what is read when it is up.
 */
static bool
is_begun(const struct sock *s, int number)
{
	return !s->many && (number == EALREADY || number == EISCONN);
}

int
kernel_connect(struct sock *s, const struct sockaddr_storage *addrs, size_t n,
    struct assoc **made)
{
	char				*packed = xmalloc(n * sizeof *addrs);
	struct sctp_getaddrs_old	 arg = { .assoc_id = 0 };
	socklen_t			 len = sizeof arg;
	int				 number = 0;
	struct assoc			*a;

	kernel_size_socket(s);
	arg.addr_num = (int)kernel_pack_addrs(packed, addrs, n, s->family);
	arg.addrs = (struct sockaddr *)(void *)packed;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX3, &arg, &len) == -1 &&
	    errno != EINPROGRESS)
		number = errno;
	fault_point("connectx");
	free(packed);
	if (number != 0 && !is_begun(s, number))
		return connect_errno(s, number, &addrs[0]);
	a = assoc_new(s, (uint32_t)arg.assoc_id, &addrs[0]);
	if (!s->many) {
		a->stack.one_to_one = true;
		a->stack.fd = s->stack.fd;
		kernel_has_fd(a);
		kernel_follow(a, false);
	}
	kernel_charge_connect(a);
	*made = a;
	return 0;
}
