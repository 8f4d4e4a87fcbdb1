/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: our ends of paths, and what the route to a peer is like.
 * The kernel knows both, and is asked by a UDP socket that sends nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/addr.h"
#include "userland/userland.h"
#include "util/mem.h"

#define ETHERNET_MTU	1500

int		udp_fds[UDP_MAX_FDS];
unsigned	udp_nfds;

static LIST_HEAD(, local)	locals = LIST_HEAD_INITIALIZER(locals);

int
udp_fd(sa_family_t family)
{
	struct sockaddr_storage	ss;
	socklen_t		len;

	for (unsigned i = 0; i < udp_nfds; i++) {
		len = sizeof ss;
		if (getsockname(udp_fds[i], (struct sockaddr *)&ss, &len) == 0 &&
		    ss.ss_family == family)
			return udp_fds[i];
	}
	errno = EAFNOSUPPORT;
	return -1;
}

/* A local end that was asked for moves to the front, as there may be many others. */
struct local *
udp_local_at(int fd, const struct sockaddr_storage *addr)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof ss;
	struct local		*l;

	LIST_FOREACH(l, &locals, entry) {
		ss = l->addr;
		addr_set_port(&ss, 0);
		if (l->fd != fd || !addr_equal(&ss, addr))
			continue;
		LIST_REMOVE(l, entry);
		LIST_INSERT_HEAD(&locals, l, entry);
		return l;
	}
	l = xcalloc(1, sizeof *l);
	l->addr = *addr;
	l->fd = fd;
	/* Of a raw socket it is the protocol. */
	addr_set_port(&l->addr, !wire_is_raw() && getsockname(fd, (struct sockaddr *)&ss, &len) == 0 ?
	    addr_port(&ss) : 0);
	LIST_INSERT_HEAD(&locals, l, entry);
	return l;
}

static bool
is_any(const struct sockaddr_storage *ss)
{
	struct sockaddr_storage	any = { .ss_family = ss->ss_family };

	addr_set_port(&any, addr_port(ss));
	return addr_equal(ss, &any) || ss->ss_family == 0;
}

/* A socket connected to a peer, which tells what the route is like; -1 with errno. */
static int
probe(const struct sockaddr_storage *from, const struct sockaddr_storage *to)
{
	struct sockaddr_storage	 a = *from;
	int			 fd, number;

	if ((fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	addr_set_port(&a, 0);
	if ((is_any(from) || bind(fd, (struct sockaddr *)&a, addr_len(&a)) == 0) &&
	    connect(fd, (const struct sockaddr *)to, addr_len(to)) == 0)
		return fd;
	number = errno;
	(void)close(fd);
	errno = number;
	return -1;
}

struct local *
udp_local(const struct sockaddr_storage *from, const struct sockaddr_storage *to)
{
	struct sockaddr_storage	ss = *from;
	socklen_t		len = sizeof ss;
	int			fd = probe(from, to);
	bool			known = true;

	/*
	 * The network may come back. Whoever has an address goes on, as with
	 * the kernel's SCTP.
	 */
	if (fd == -1 && (is_any(from) || (errno != ENETUNREACH && errno != EHOSTUNREACH)))
		return NULL;
	if (fd != -1) {
		known = getsockname(fd, (struct sockaddr *)&ss, &len) == 0;
		(void)close(fd);
	}
	addr_set_port(&ss, 0);
	if (!known || (fd = udp_fd(ss.ss_family)) == -1)
		return NULL;
	return udp_local_at(fd, &ss);
}

uint32_t
udp_mtu(const struct path *path)
{
	bool		v6 = path->peer.ss_family == AF_INET6;
	int		mtu = ETHERNET_MTU, fd = probe(&path->local->addr, &path->peer);
	socklen_t	len = sizeof mtu;

	if (fd != -1) {
		(void)getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU,
		    &mtu, &len);
		(void)close(fd);
	}
	mtu -= (v6 ? 40 : 20) + (wire_is_raw() ? 0 : 8);
	mtu = mtu < UDP_LONGEST ? mtu : UDP_LONGEST;
	/* usrsctp does not count SCTP's own header in the MTU of an AF_CONN path. */
	return (uint32_t)(mtu - SCTP_HEADER) & ~3u;
}

struct local *
local_ref(struct local *l)
{
	l->refs++;
	return l;
}

void
local_drop(struct local *l)
{
	if (l->refs > 0)
		return;
	LIST_REMOVE(l, entry);
	free(l);
}

void
local_unref(struct local *l)
{
	if (l == NULL)
		return;
	l->refs--;
	local_drop(l);
}

void
local_free_all(void)
{
	struct local	*l;

	while ((l = LIST_FIRST(&locals)) != NULL) {
		LIST_REMOVE(l, entry);
		free(l);
	}
}
