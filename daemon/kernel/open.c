/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: addresses, and what is done with them: bind, listen,
 * connect, and who is who.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "addr.h"
#include "fault.h"
#include "keep.h"
#include "kernel.h"

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

/* ---- ports that are shared ------------------------------------------ */

static bool
has_reuseport(const struct sock *s)
{
	int		on = 0;
	socklen_t	len = sizeof on;

	return s->stack.fd != -1 &&
	    getsockopt(s->stack.fd, SOL_SOCKET, SO_REUSEPORT, &on, &len) == 0 && on;
}

static bool
is_any(const struct sockaddr_storage *ss)
{
	static const char	zero[sizeof(struct in6_addr)];
	struct sockaddr_in	s4;
	struct sockaddr_in6	s6;

	if (ss->ss_family == AF_INET) {
		memcpy(&s4, ss, sizeof s4);
		return s4.sin_addr.s_addr == htonl(INADDR_ANY);
	}
	memcpy(&s6, ss, sizeof s6);
	return memcmp(&s6.sin6_addr, zero, sizeof zero) == 0;
}

/* Is one of the n addresses also one of the socket's? */
static bool
overlap(struct sock *t, const struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	*has, want;
	size_t			 nhas;
	bool			 found = false;

	if (stack_names(t, NULL, false, &has, &nhas) != 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		want = addrs[i];
		addr_set_port(&want, t->port);
		for (size_t j = 0; j < nhas; j++)
			found = found || is_any(&want) || is_any(&has[j]) || addr_equal(&want, &has[j]);
	}
	free(has);
	return found;
}

/* Where a socket lives: 0 for the daemon's own network. */
static ino_t
network_of(const struct sock *s)
{
	struct stat	there, here;

	if (s->stack.netns == -1 || fstat(s->stack.netns, &there) == -1 ||
	    (stat("/proc/self/ns/net", &here) == 0 && here.st_ino == there.st_ino))
		return 0;
	return there.st_ino;
}

/*
 * Sockets with SO_REUSEPORT share a port if they are one user's. The kernel
 * takes all of ours for one: for whose they are it looks at who made them.
 */
static bool
is_anothers(const struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct sock	*t = NULL;
	uint16_t	 port = addr_port(&addrs[0]);

	if (port == 0 || !has_reuseport(s))
		return false;
	while ((t = sock_next(t)) != NULL) {
		if (t->port == port && t->uid != s->uid && has_reuseport(t) &&
		    network_of(t) == network_of(s) && overlap(t, addrs, n))
			return true;
	}
	return false;
}

int
stack_bind(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	ss = addrs[0];
	socklen_t		len = sizeof ss;
	char			packed[sizeof ss];

	if (is_anothers(s, addrs, n))
		return EADDRINUSE;
	to_family(&ss, s->family);
	if (bind(s->stack.fd, (struct sockaddr *)&ss, addr_len(&ss)) == -1)
		return errno;
	if (getsockname(s->stack.fd, (struct sockaddr *)&ss, &len) == -1)
		return errno;
	s->port = addr_port(&ss);
	s->name = ss;
	keep_sock(s);
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
	keep_sock(s);
	if (!s->many && !s->listening)
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

/*
 * A one-to-one socket of which we know no association has one: a process
 * before us had begun it as it died, and it is asked for again. Its id is in
 * what is read when it is up.
 */
static bool
is_begun(const struct sock *s, int number)
{
	return !s->many && (number == EALREADY || number == EISCONN);
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

	kernel_size_socket(s);
	arg.addr_num = (int)pack_addrs(packed, addrs, n, s->family);
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
		a->stack.stream = true;
		a->stack.fd = s->stack.fd;
		kernel_has_fd(a);
		kernel_follow(a, false);
	}
	kernel_charge_connect(a);
	*made = a;
	return 0;
}

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
