/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: attempts to associate, how they begin and how they end
 * if they come to nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "addr.h"
#include "config.h"
#include "userland.h"

static LIST_HEAD(, userland_assoc) starting = LIST_HEAD_INITIALIZER(starting);

/* Nobody is there: any address, or those of many. */
static bool
is_no_peer(const struct sockaddr_storage *ss)
{
	struct sockaddr_in	s4;
	struct sockaddr_in6	s6;

	if (ss->ss_family == AF_INET) {
		memcpy(&s4, ss, sizeof s4);
		return s4.sin_addr.s_addr == htonl(INADDR_ANY) ||
		    s4.sin_addr.s_addr == htonl(INADDR_BROADCAST) ||
		    IN_MULTICAST(ntohl(s4.sin_addr.s_addr));
	}
	memcpy(&s6, ss, sizeof s6);
	return IN6_IS_ADDR_UNSPECIFIED(&s6.sin6_addr) || IN6_IS_ADDR_MULTICAST(&s6.sin6_addr);
}

/* Why there is no path to a peer, in errno's words. */
static int
find_path(struct sock *s, const struct sockaddr_storage *peer, struct path **path)
{
	struct userland_sock	*u = s->stack.userland;
	struct sockaddr_storage	 to = *peer, any = { .ss_family = 0 };
	struct local		*local;
	size_t			 i = 0;

	addr_unmap(&to);
	if (is_no_peer(&to))
		return EINVAL;
	addr_set_port(&to, u->peer_udp_port != 0 ? u->peer_udp_port : (uint16_t)config.peer_udp_port);
	any.ss_family = to.ss_family;
	/* From the first of its addresses that is of the peer's family. */
	while (i < u->port->naddrs && u->port->addrs[i].ss_family != to.ss_family)
		i++;
	local = udp_local(i < u->port->naddrs ? &u->port->addrs[i] : &any, &to);
	if (local == NULL)
		return errno == EACCES ? EINVAL : errno;	/* broadcast */
	if ((*path = path_get(local, &to, true)) != NULL)
		return 0;
	local_drop(local);
	return EADDRINUSE;
}

/*
 * Whether there is an association with a peer already: usrsctp would make
 * another with one that was peeled off, and says EALREADY of all others.
 */
static int
is_connected(const struct sock *s, const struct path *path, uint16_t port)
{
	struct userland_assoc	*ua;

	LIST_FOREACH(ua, &s->stack.userland->port->assocs, at_port) {
		if (ua->path != path || addr_port(&ua->assoc->peer) != port ||
		    ua->assoc->state == ASSOC_OVER)
			continue;
		if (ua->assoc->sock != s)
			return EADDRNOTAVAIL;
		return ua->assoc->state == ASSOC_COMING_UP ? EALREADY : EISCONN;
	}
	return 0;
}

/* What the set-up itself is sent with: the user's, or what fits the way. */
static void
set_first_mtu(struct sock *s, const struct path *path)
{
	uint32_t		own = s->stack.userland->pathmtu;
	struct sctp_paddrparams	p = {
		.spp_assoc_id = SCTP_FUTURE_ASSOC,
		.spp_pathmtu = own != 0 ? own : udp_mtu(path),
		.spp_flags = SPP_PMTUD_DISABLE,
	};

	(void)usrsctp_setsockopt(s->stack.userland->so, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS,
	    &p, sizeof p);
}

int
userland_connect(struct sock *s, const struct sockaddr_storage *addrs, size_t n,
    struct assoc **made)
{
	struct userland_sock	*u = s->stack.userland;
	struct sockaddr_conn	 name;
	struct path		*path;
	uint16_t		 port = addr_port(&addrs[0]);
	int			 number;

	(void)n;		/* one path: the first that there is */
	if (u->so == NULL)
		return ENOTCONN;
	if ((number = find_path(s, &addrs[0], &path)) != 0)
		return number;
	if ((number = is_connected(s, path, port)) != 0)
		return number;
	name = path_name(path, port);
	set_first_mtu(s, path);
	userland_size_socket(s);
	if (usrsctp_connect(u->so, (struct sockaddr *)&name, sizeof name) == -1 &&
	    errno != EINPROGRESS)
		return errno;
	*made = userland_new_assoc(s, path, port,
	    usrsctp_getassocid(u->so, (struct sockaddr *)&name));
	(*made)->stack.userland->is_starting = true;
	LIST_INSERT_HEAD(&starting, (*made)->stack.userland, starting);
	if (!s->many) {
		(*made)->stack.userland->so = u->so;
		wake_attach(&(*made)->stack.userland->wake, u->so, userland_assoc_on_wake, *made);
	}
	userland_know((*made)->stack.userland);
	return 0;
}

/* ---- coming to nothing ---------------------------------------------- */

static bool
is_known(const struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	socklen_t		len = sizeof st;

	return usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0;
}

/*
 * When the last INIT was not answered usrsctp ends the association without
 * saying so. What is missed twice has not said anything in between.
 */
void
userland_find_lost(void)
{
	struct userland_assoc	*ua, *next;

	for (ua = LIST_FIRST(&starting); ua != NULL; ua = next) {
		next = LIST_NEXT(ua, starting);
		if (is_known(ua->assoc))
			continue;
		if (!ua->is_missed) {
			ua->is_missed = true;
			wake_now(ua->so != NULL ? &ua->wake : &ua->assoc->sock->stack.userland->wake);
			continue;
		}
		userland_has_come(ua);
		userland_unready(ua);
		userland_drop_so(ua);
		wake_now(&ua->finish);
	}
}

/*
 * usrsctp aborts only what is up. Else it can be closed only, in a socket of
 * its own, and says nothing of it.
 */
int
userland_take_back(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct userland_sock	*u = a->sock != NULL ? a->sock->stack.userland : NULL;

	if (!userland_own_so(a))
		return errno == ENOENT || errno == ENOTCONN ? EPIPE : errno;
	userland_has_come(ua);
	if (u != NULL && ua->so == u->so)
		u->so = NULL;
	ua->owns_so = true;
	userland_unready(ua);
	userland_drop_so(ua);
	assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	wake_now(&ua->finish);
	return 0;
}
