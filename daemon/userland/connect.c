/* SPDX-License-Identifier: BSD-2-Clause */
/* The userland stack: attempts to associate. How they begin, and how they end if they fail. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "config.h"
#include "proto/addr.h"
#include "userland/userland.h"
#include "util/log.h"

static LIST_HEAD(, userland_assoc) starting = LIST_HEAD_INITIALIZER(starting);

/* An address that no single peer has: the wildcard, broadcast or multicast. */
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

static int
find_path(struct sock *s, const struct sockaddr_storage *peer, struct path **path)
{
	struct userland_sock	*u = s->stack.userland;
	struct sockaddr_storage	 to = *peer, any = { .ss_family = 0 };
	struct local		*local;
	size_t			 i = 0;

	addr_unmap(&to);
	if (is_no_peer(&to) || (u->v6only && to.ss_family == AF_INET))
		return EINVAL;
	addr_set_port(&to, wire_is_raw() ? 0 :
	    u->peer_udp_port != 0 ? u->peer_udp_port : (uint16_t)config.peer_udp_port);
	any.ss_family = to.ss_family;
	/* Send from the first of the socket's addresses that is of the peer's family. */
	while (i < u->port->naddrs && u->port->addrs[i].ss_family != to.ss_family)
		i++;
	local = udp_local(i < u->port->naddrs ? &u->port->addrs[i] : &any, &to);
	if (local == NULL)
		return errno == EACCES ? EINVAL : errno;	/* EACCES: a broadcast address */
	if ((*path = path_get(local, &to, true)) != NULL)
		return 0;
	local_drop(local);
	return EADDRINUSE;
}

/*
 * An errno if there is an association with the peer already, or 0. usrsctp
 * would make a second one if the first was peeled off, and says EALREADY in all
 * other cases.
 */
static int
is_connected(const struct sock *s, const struct path *path, uint16_t port)
{
	struct userland_assoc	*ua = NULL;

	while ((ua = port_assoc(s->stack.userland->port, path, port, ua)) != NULL) {
		if (ua->assoc->state == ASSOC_OVER)
			continue;
		if (ua->assoc->sock != s)
			return EADDRNOTAVAIL;
		return ua->assoc->state == ASSOC_COMING_UP ? EALREADY : EISCONN;
	}
	return 0;
}

/* The MTU of the set-up itself: the user's, or what fits the route. */
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

	(void)n;		/* there is one path: to the first address */
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
		wake_attach(&(*made)->stack.userland->wake, u->so, wakes->assoc, *made);
	}
	userland_know((*made)->stack.userland);
	return 0;
}

/* ---- attempts that fail --------------------------------------------- */

/*
 * usrsctp ends an association silently when the last INIT was not answered. If
 * usrsctp does not know an association, first all that usrsctp has said about
 * it is read. If usrsctp still does not know the association at the next look,
 * it is lost.
 */
void
userland_find_lost(void)
{
	struct userland_assoc	*ua, *next;
	struct sctp_status	 st;
	socklen_t		 len;

	for (ua = LIST_FIRST(&starting); ua != NULL; ua = next) {
		next = LIST_NEXT(ua, starting);
		st = (struct sctp_status){ .sstat_assoc_id = userland_id(ua->assoc) };
		len = sizeof st;
		if (usrsctp_getsockopt(userland_so(ua->assoc), IPPROTO_SCTP, SCTP_STATUS, &st,
		    &len) == 0)
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
 * Make a stream socket anew whose attempt failed: usrsctp refuses to connect a
 * socket again whose first attempt was refused. A socket with keys is over: keys
 * cannot be read, and without them it would take the empty one.
 */
static void
renew(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;
	struct socket		*so = userland_new_so(s);

	if (so == NULL)
		return;
	(void)usrsctp_set_non_blocking(so, 1);
	userland_copy_options(u->so, so);
	userland_set(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
	(void)userland_subscribe_one(s, so);
	userland_close_so(u->so);
	u->so = so;
	if (userland_bind_so(so, u->port) != 0)
		log_warning("sock %llu: not bound again: %s",
		    (unsigned long long)s->node.key, strerror(errno));
	userland_size_anew(s);
}

void
userland_finish(struct assoc *a)
{
	struct sock		*s = a->sock;
	struct userland_sock	*u = s->stack.userland;
	bool			 is_over = a->outbound != 0 || u->so == NULL || u->set_only;

	if (!s->many && is_over)
		upcall_over(s, a);
	(void)assoc_free(a);
	if (!s->many && !is_over)
		renew(s);
}
