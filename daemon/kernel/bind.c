/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: the addresses that sockets are bound to, at first and later.
 *
 * The kernel cannot unbind a descriptor. So several addresses are tried with
 * another descriptor first, and a bind that fails leaves the socket unbound. A
 * process that is killed after the kernel bound and before the commit leaves a
 * record that says "not bound": kernel_restore_bound sees it, and the client's
 * bind, asked again, finds what it wanted (bound_untold).
 *
 * A one-to-many socket is several descriptors in the daemon, and the kernel
 * keeps the addresses of each apart: the socket's own descriptor has those that
 * its next associations get, and an association's has those of that association.
 * So an address is added to each of them, or removed. The kernel tells the peer
 * of the association on the descriptor that changes (ASCONF, RFC 5061), if the
 * peer agreed to that when the association came up. The descriptor of an
 * association whose peer did not agree is left alone: its association would not
 * change.
 *
 * Two descriptors of one port may have the same address only if both have
 * SO_REUSEPORT. So while an address is added, the descriptors of this user at
 * this port have that option. The kernel then refuses less than it should, so
 * is_taken refuses it first. A socket gets the option before its associations,
 * and loses it after them. So if the process is killed in between, the next one
 * sees it at the socket, and takes it from all (kernel_restore_sock).
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "proto/addr.h"
#include "util/fault.h"
#include "util/mem.h"

/*
 * For each association, the kernel goes through all descriptors of the port. So
 * many steps take some ten milliseconds.
 */
#define BINDX_STEPS	(1u << 21)

/* Make an IPv4 address what an inet6 socket wants. */
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

size_t
kernel_pack_addrs(char *to, const struct sockaddr_storage *addrs, size_t n, int family)
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

/* Has the socket SO_REUSEADDR or SO_REUSEPORT? */
static bool
has_option(const struct sock *s, int name)
{
	int		on = 0;
	socklen_t	len = sizeof on;

	return s->stack.fd != -1 &&
	    getsockopt(s->stack.fd, SOL_SOCKET, name, &on, &len) == 0 && on;
}

/* Is one of the n addresses also an address of the socket? */
static bool
overlap(struct sock *t, const struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	*has, want;
	size_t			 nhas;
	bool			 found = false;

	if (kernel_names(t, NULL, false, &has, &nhas) != 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		want = addrs[i];
		addr_set_port(&want, t->port);
		for (size_t j = 0; j < nhas; j++)
			found = found || addr_is_any(&want) || addr_is_any(&has[j]) || addr_equal(&want, &has[j]);
	}
	free(has);
	return found;
}

/* The network namespace of a socket; 0 is the daemon's own. */
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
 * Sockets with SO_REUSEPORT may share a port if they belong to the same user.
 * The kernel looks at who made a socket, so it takes all sockets of the daemon
 * for one user's. Check the users here.
 */
static bool
is_anothers(const struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct sock	*t = NULL;
	uint16_t	 port = addr_port(&addrs[0]);

	if (port == 0 || !has_option(s, SO_REUSEPORT))
		return false;
	while ((t = sock_next(t)) != NULL) {
		if (t->port == port && t->uid != s->uid && has_option(t, SO_REUSEPORT) &&
		    network_of(t) == network_of(s) && overlap(t, addrs, n))
			return true;
	}
	return false;
}

/* ---- adding and removing addresses ---------------------------------- */

/* A socket that has its only association and takes no other. */
static bool
is_lone(const struct sock *s)
{
	return !s->many && !s->listening;
}

/* May both have the same address and port? */
static bool
may_share(const struct sock *s, const struct sock *t)
{
	if (has_option(s, SO_REUSEADDR) && has_option(t, SO_REUSEADDR) && !t->listening)
		return true;
	return s->uid == t->uid && (is_lone(s) || is_lone(t) ||
	    (has_option(s, SO_REUSEPORT) && has_option(t, SO_REUSEPORT)));
}

/* Has another socket one of the addresses, and does not share it? */
static bool
is_taken(struct sock *s, const struct stack_bindx *b)
{
	struct sock	*t = NULL;

	while ((t = sock_next(t)) != NULL) {
		if (t != s && t->port == s->port && network_of(t) == network_of(s) &&
		    !may_share(s, t) && overlap(t, b->addrs, b->n))
			return true;
	}
	return false;
}

/* Descriptors that share their port for as long as addresses are added. */
struct sharing {
	int	*fds;
	size_t	 n;
};

static void
share_fd(struct sharing *h, int fd)
{
	static const int	one = 1;
	int			on = 0;
	socklen_t		len = sizeof on;

	if (fd != -1 && getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &len) == 0 && !on &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0)
		h->fds[h->n++] = fd;
}

static bool
is_sibling(const struct sock *s, const struct sock *t)
{
	return t->port == s->port && t->uid == s->uid;
}

static void
share(const struct sock *s, struct sharing *h)
{
	struct sock	*t = NULL;
	struct assoc	*a = NULL;
	size_t		 most = 0;

	while ((t = sock_next(t)) != NULL)
		most += is_sibling(s, t) ? 1 + t->assocs.count : 0;
	h->fds = xcalloc(most, sizeof *h->fds);
	while ((t = sock_next(t)) != NULL) {
		if (!is_sibling(s, t))
			continue;
		share_fd(h, t->stack.fd);
		while ((a = assoc_next(t, a)) != NULL)
			share_fd(h, a->stack.fd);
	}
}

bool
kernel_share_no_more(int fd)
{
	static const int	zero = 0;
	int			on = 0;
	socklen_t		len = sizeof on;

	return fd != -1 && getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, &len) == 0 && on &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &zero, sizeof zero) == 0;
}

static void
share_no_more(struct sharing *h)
{
	while (h->n > 0)
		(void)kernel_share_no_more(h->fds[--h->n]);
	free(h->fds);
}

/* Has the peer agreed to changes of addresses? */
static bool
has_agreed(const struct assoc *a)
{
	return a->state == ASSOC_UP && a->stack.fd != -1 && kernel_asconf(a) == 1;
}

/* The next association whose own descriptor is meant. */
static struct assoc *
next_meant(struct sock *s, const struct stack_bindx *b, struct assoc *a)
{
	while ((a = assoc_next(s, a)) != NULL) {
		if ((b->current || a == b->only) && a->stack.fd != s->stack.fd && has_agreed(a))
			break;
	}
	return a;
}

static bool
is_too_much(struct sock *s, const struct stack_bindx *b)
{
	struct assoc	*a = NULL;
	size_t		 steps = 0;

	if (s->assocs.count * s->assocs.count <= BINDX_STEPS)
		return false;
	while (steps <= BINDX_STEPS && (a = next_meant(s, b, a)) != NULL)
		steps += s->assocs.count;
	return steps > BINDX_STEPS;
}

static bool
is_among(const struct sockaddr_storage *ss, const struct sockaddr_storage *has, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addr_equal(ss, &has[i]))
			return true;
	}
	return false;
}

/* Add to one descriptor the addresses that it lacks, or remove those that it has. */
static int
change(const struct sock *s, int fd, const struct stack_bindx *b)
{
	char			*packed = xmalloc(b->n * sizeof *b->addrs);
	struct sockaddr_storage	*has, want;
	size_t			 nhas, len = 0;
	int			 n = 0, number;

	if ((number = kernel_names_on(fd, 0, false, &has, &nhas)) == 0) {
		for (size_t i = 0; i < b->n; i++) {
			want = b->addrs[i];
			addr_set_port(&want, s->port);
			if (is_among(&want, has, nhas) == b->add)
				continue;
			len += kernel_pack_addrs(packed + len, &want, 1, s->family);
			n++;
		}
		free(has);
		number = n == 0 ? EALREADY : sctp_bindx(fd, (struct sockaddr *)(void *)packed, n,
		    b->add ? SCTP_BINDX_ADD_ADDR : SCTP_BINDX_REM_ADDR) == -1 ? errno : 0;
	}
	free(packed);
	fault_point("bindx");
	return number;
}

/* An association's descriptor does not have it from the socket: is_of_binding in kernel/opt.c. */
static void
hand_on_freebind(const struct sock *s, int fd)
{
	int		on = 0;
	socklen_t	len = sizeof on;

	if (getsockopt(s->stack.fd, IPPROTO_IP, IP_FREEBIND, &on, &len) == 0 && on)
		(void)setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
}

/*
 * The socket first: what is refused there is refused before anything is done.
 * What fails at one association does not stop the others.
 */
static int
change_all(struct sock *s, const struct stack_bindx *b, unsigned *told)
{
	struct assoc	*a = NULL;
	int		 result = EALREADY, failed = 0, number;

	if (b->socket || !s->many) {
		result = change(s, s->stack.fd, b);
		if (result != 0 && result != EALREADY)
			return result;
	}
	*told = !s->many && result == 0 && assoc_next(s, NULL) != NULL;
	while (s->many && (a = next_meant(s, b, a)) != NULL) {
		if (b->add)
			hand_on_freebind(s, a->stack.fd);
		number = change(s, a->stack.fd, b);
		*told += number == 0;
		if (number == 0)
			result = 0;
		else if (number != EALREADY && failed == 0)
			failed = number;
	}
	return failed != 0 ? failed : result;
}

/* Its name must be an address that it has. */
static void
mend_name(struct sock *s)
{
	struct sockaddr_storage	*has;
	size_t			 n;

	if (kernel_names_on(s->stack.fd, 0, false, &has, &n) != 0)
		return;
	if (n > 0 && !is_among(&s->name, has, n)) {
		s->name = has[n - 1];
		sock_changed(s);
	}
	free(has);
}

/* The association that is named, or that a one-to-one socket has. */
static struct assoc *
one_meant(struct sock *s, const struct stack_bindx *b)
{
	return s->many ? b->only : assoc_next(s, NULL);
}

int
kernel_bindx(struct sock *s, const struct stack_bindx *b, unsigned *told)
{
	struct assoc	*only = one_meant(s, b);
	struct sharing	 h = { .n = 0 };
	int		 number;

	if (s->stack.fd == -1)
		return ENOTCONN;
	if (only != NULL && !has_agreed(only))
		return EOPNOTSUPP;
	if (is_too_much(s, b))
		return E2BIG;
	if (b->add && is_taken(s, b))
		return EADDRINUSE;
	if (b->add)
		share(s, &h);
	number = change_all(s, b, told);
	share_no_more(&h);
	if (!b->add)
		mend_name(s);
	return number;
}

/* ---- the first addresses -------------------------------------------- */

/* What decides whether an address may be bound. */
static void
copy_bind_options(const struct sock *s, int to)
{
	static const struct {
		int	level, name;
	}		option[] = {
		{ SOL_SOCKET, SO_REUSEADDR },
		{ SOL_SOCKET, SO_REUSEPORT },
		{ SOL_SOCKET, SO_BINDTODEVICE },
		{ IPPROTO_IP, IP_FREEBIND },
		{ IPPROTO_IPV6, IPV6_V6ONLY },
	};
	char		value[IFNAMSIZ];
	socklen_t	len;

	for (size_t i = 0; i < sizeof option / sizeof *option; i++) {
		len = sizeof value;
		if (getsockopt(s->stack.fd, option[i].level, option[i].name, value, &len) == 0)
			(void)setsockopt(to, option[i].level, option[i].name, value, len);
	}
}

/* Bind a descriptor to all the addresses. bound gets the first one, with its port. */
static int
bind_fd(int fd, int family, const struct sockaddr_storage *addrs, size_t n,
    struct sockaddr_storage *bound)
{
	struct sockaddr_storage	one = addrs[0];
	socklen_t		len = sizeof *bound;
	char			packed[sizeof one];

	to_family(&one, family);
	if (bind(fd, (struct sockaddr *)&one, addr_len(&one)) == -1 ||
	    getsockname(fd, (struct sockaddr *)bound, &len) == -1)
		return errno;
	for (size_t i = 1; i < n; i++) {
		one = addrs[i];
		addr_set_port(&one, addr_port(bound));
		(void)kernel_pack_addrs(packed, &one, 1, family);
		if (sctp_bindx(fd, (struct sockaddr *)(void *)packed, 1, SCTP_BINDX_ADD_ADDR) == -1)
			return errno;
	}
	return 0;
}

/*
 * A descriptor that is bound to an address cannot be unbound. So what may fail
 * after the first address is tried with another descriptor.
 */
static int
try_to_bind(const struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	bound;
	int			home = -1, fd, number;

	if (s->stack.netns != -1 && (home = kernel_go_to(s->stack.netns)) == -1)
		return errno;
	fd = socket(s->family, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);
	if (home != -1)
		kernel_come_back(home);
	if (fd == -1)
		return errno;
	copy_bind_options(s, fd);
	number = bind_fd(fd, s->family, addrs, n, &bound);
	(void)close(fd);
	return number;
}

/*
 * The previous process bound it, and died before it said so. Now the client asks
 * again, probably for the same.
 */
static int
bind_again(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	const struct stack_bindx	b = { .add = true, .addrs = addrs, .n = n };
	uint16_t			port = addr_port(&addrs[0]);
	int				number = 0;

	if ((port != 0 && port != s->port) || addr_is_any(&addrs[0]) != addr_is_any(&s->name))
		return EINVAL;
	if (!addr_is_any(&addrs[0]))
		number = change(s, s->stack.fd, &b);
	return number == EALREADY ? 0 : number;
}

int
kernel_bind(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	bound;
	int			number = 0;

	if (is_anothers(s, addrs, n))
		return EADDRINUSE;
	if (s->stack.bound_untold)
		return bind_again(s, addrs, n);
	if (n > 1)
		number = try_to_bind(s, addrs, n);
	if (number == 0)
		number = bind_fd(s->stack.fd, s->family, addrs, n, &bound);
	if (number != 0)
		return number;
	fault_point("bound");
	s->port = addr_port(&bound);
	s->name = bound;
	if (n > 1)
		s->name = addrs[n - 1];
	addr_set_port(&s->name, s->port);
	sock_changed(s);
	return 0;
}

void
kernel_restore_bound(struct sock *s)
{
	struct sockaddr_storage	ss;
	socklen_t		len = sizeof ss;

	memset(&ss, 0, sizeof ss);
	if (s->port != 0 || getsockname(s->stack.fd, (struct sockaddr *)&ss, &len) == -1 ||
	    addr_port(&ss) == 0)
		return;
	s->port = addr_port(&ss);
	s->name = ss;
	s->stack.bound_untold = true;
}
