/* SPDX-License-Identifier: BSD-2-Clause */
/* The userland stack: sockets. How they are made and bound, and listen. */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "userland/userland.h"
#include "util/mem.h"

/* An IPv4 address as an inet6 socket shows it. */
static struct sockaddr_storage
in_family(const struct sockaddr_storage *ss, const struct sock *s)
{
	struct sockaddr_storage	a = *ss;

	if (s->family == AF_INET6)
		addr_map(&a);
	return a;
}

int
userland_open(struct sock *s, const char *netns)
{
	struct socket	*so;

	if (netns != NULL)
		return ENOPROTOOPT;
	if (udp_open() != NULL)
		return EPROTONOSUPPORT;
	if ((so = userland_new_so(s)) == NULL)
		return errno;
	(void)usrsctp_set_non_blocking(so, 1);
	userland_set(so, IPPROTO_SCTP, SCTP_NODELAY, 1);
	userland_set(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
	(void)userland_sock_new(s, so);
	userland_begin_sizes(s);
	return userland_subscribe_one(s, so);
}

/* The addresses as packets have them: those of IPv4 not mapped. */
static int
open_port(struct userland_sock *u, const struct sockaddr_storage *addrs, size_t n)
{
	struct port		 like = { .v6only = u->v6only, .reuse = u->reuse };
	struct sockaddr_storage	*plain = xcalloc(n, sizeof *plain);
	int			 number = 0;

	for (size_t i = 0; i < n; i++) {
		plain[i] = addrs[i];
		addr_unmap(&plain[i]);
		if (u->v6only && plain[i].ss_family == AF_INET)
			number = EINVAL;
	}
	if (number == 0)
		number = port_open(plain, n, addr_port(&addrs[0]), &like, &u->port);
	free(plain);
	return number;
}

int
userland_bind(struct sock *s, const struct sockaddr_storage *addrs, size_t n)
{
	struct userland_sock	*u = s->stack.userland;
	int			 number;

	if ((number = open_port(u, addrs, n)) != 0)
		return number;
	if ((number = userland_bind_so(u->so, u->port)) != 0) {
		port_close(u->port);
		u->port = NULL;
		return number;
	}
	u->port->sock = s;
	s->port = u->port->number;
	u->port->tos = u->tos;
	u->port->ttl = u->ttl;
	u->port->tclass = u->tclass;
	s->name = in_family(&addrs[n - 1], s);
	addr_set_port(&s->name, s->port);
	sock_changed(s);
	return 0;
}

int
userland_listen(struct sock *s, int backlog)
{
	struct userland_sock	*u = s->stack.userland;

	if (backlog == 0 && !s->listening)
		return 0;
	if (u->so == NULL)
		return ENOTCONN;
	if (backlog > 0 && port_has_listener(u->port))
		return EADDRINUSE;
	userland_size_socket(s);
	if (usrsctp_listen(u->so, backlog) == -1)
		return errno;
	s->listening = u->port->listening = backlog > 0;
	if (!s->many && s->listening)
		wake_attach(&u->wake, u->so, wakes->sock, s);
	return 0;
}

void
userland_set_user(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;

	if (u != NULL && u->port != NULL && !u->guest)
		embryo_move_all(u->port);
	userland_size_anew(s);
}

/* ---- names ---------------------------------------------------------- */

/* All addresses of this host that a socket has when it is bound to the wildcard address. */
static size_t
host_addrs(const struct sock *s, struct sockaddr_storage **names)
{
	struct ifaddrs	*all, *i;
	size_t		 n = 0;

	*names = NULL;
	if (getifaddrs(&all) == -1)
		return 0;
	for (i = all; i != NULL; i = i->ifa_next) {
		sa_family_t	family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : 0;

		if (family != AF_INET && (family != AF_INET6 || s->family != AF_INET6))
			continue;
		*names = xrealloc(*names, (n + 1) * sizeof **names);
		memset(&(*names)[n], 0, sizeof **names);
		memcpy(&(*names)[n], i->ifa_addr, family == AF_INET ?
		    sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		addr_set_port(&(*names)[n], s->port);
		(*names)[n] = in_family(&(*names)[n], s);
		n++;
	}
	freeifaddrs(all);
	return n;
}

static size_t
sock_addrs(const struct sock *s, struct sockaddr_storage **names)
{
	const struct port	*p = s->stack.userland->port;
	struct sockaddr_storage	 any = { .ss_family = p->addrs[0].ss_family };

	addr_set_port(&any, addr_port(&p->addrs[0]));
	if (addr_equal(&p->addrs[0], &any))
		return host_addrs(s, names);
	*names = xcalloc(p->naddrs, sizeof **names);
	for (size_t i = 0; i < p->naddrs; i++) {
		(*names)[i] = in_family(&p->addrs[i], s);
		addr_set_port(&(*names)[i], p->number);
	}
	return p->naddrs;
}

int
userland_names(struct sock *s, struct assoc *a, bool peer,
    struct sockaddr_storage **names, size_t *n)
{
	struct userland_assoc	*ua;

	if (a == NULL && !s->many)
		a = assoc_next(s, NULL);
	if (a == NULL && s->port == 0) {
		*names = NULL;	/* it is not bound */
		*n = 0;
		return 0;
	}
	if (a == NULL && s->stack.userland->port == NULL)
		return ENOTCONN;
	if (a == NULL) {
		*n = sock_addrs(s, names);
		return 0;
	}
	ua = a->stack.userland;
	*names = xcalloc(1, sizeof **names);
	*n = 1;
	(*names)[0] = peer ? a->peer : ua->path->local->addr;
	if (!peer)
		addr_set_port(&(*names)[0], ua->port->number);
	return 0;
}
