/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: options, and which events are subscribed to.
 *
 * A one-to-many socket is several descriptors in the daemon. An option's row
 * says what the option is about, and so which descriptors are asked or told.
 * The socket's own descriptor stands for future associations, and the other
 * descriptors stand for current associations.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "util/log.h"

static int
level_of(const struct sockopt *o)
{
	switch (o->level) {
	case LEVEL_SOCKET:
		return SOL_SOCKET;
	case LEVEL_IP:
		return IPPROTO_IP;
	case LEVEL_IPV6:
		return IPPROTO_IPV6;
	case LEVEL_SCTP:
		return IPPROTO_SCTP;
	case LEVEL_HANDLED:
	case LEVEL_STORED:
	case LEVEL_STACK:
		break;
	}
	return -1;
}

static void
put_id(const struct sockopt *o, char *buf, uint32_t id)
{
	const struct field	*f = sockopt_assoc(o);

	if (f != NULL)
		memcpy(buf + f->offset, &id, sizeof id);
}

/* With IP_TOS the kernel changes the priority. The daemon keeps the two apart. */
static int
set_tos(int fd, const void *buf, socklen_t size)
{
	int		priority = 0;
	socklen_t	len = sizeof priority;
	int		number;

	(void)getsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, &len);
	number = setsockopt(fd, IPPROTO_IP, IP_TOS, buf, size) == -1 ? errno : 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
	return number;
}

static int
set_one(int fd, const struct sockopt *o, const void *buf)
{
	if (fd == -1)
		return ENOTCONN;
	if (o->level == LEVEL_IP && o->optname == IP_TOS)
		return set_tos(fd, buf, o->size);
	return setsockopt(fd, level_of(o), o->optname, buf, o->size) == -1 ? errno : 0;
}

/*
 * Set the option on all current associations that have a descriptor apart from
 * the socket's. Each id is put where the option has one.
 */
static int
set_current(struct sock *s, const struct sockopt *o, char *buf)
{
	struct assoc	*a = NULL;
	int		 number, first = 0;

	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd == -1 || a->stack.fd == s->stack.fd)
			continue;
		put_id(o, buf, assoc_id(a));
		number = set_one(a->stack.fd, o, buf);
		first = first == 0 ? number : first;
	}
	return first;
}

static int
set_socket(struct sock *s, const struct sockopt *o, char *buf)
{
	int	bytes, number;

	if (o->level == LEVEL_SOCKET && (o->optname == SO_RCVBUF || o->optname == SO_SNDBUF)) {
		if (s->stack.fd == -1)
			return ENOTCONN;
		memcpy(&bytes, buf, sizeof bytes);
		if (bytes < 0)
			return EINVAL;
		kernel_want(s, o->optname == SO_RCVBUF, bytes);
		return 0;
	}
	number = set_one(s->stack.fd, o, buf);
	return number != 0 ? number : set_current(s, o, buf);
}

/* The path's address names the association if the id is 0. */
static struct assoc *
meant_by_address(struct sock *s, const struct sockopt *o, const char *buf)
{
	struct sctp_paddrinfo	 want, try;
	struct assoc		*a = NULL;
	socklen_t		 len;

	if (o->level != LEVEL_SCTP || o->optname != SCTP_GET_PEER_ADDR_INFO)
		return NULL;
	memcpy(&want, buf, sizeof want);
	while ((a = assoc_next(s, a)) != NULL) {
		try = want;
		try.spinfo_assoc_id = (sctp_assoc_t)assoc_id(a);
		len = sizeof try;
		if (a->stack.fd != -1 && getsockopt(a->stack.fd, IPPROTO_SCTP,
		    SCTP_GET_PEER_ADDR_INFO, &try, &len) == 0)
			return a;
	}
	return NULL;
}

static int
fd_for(struct sock *s, const struct assoc *a)
{
	return a != NULL && a->stack.fd != -1 ? a->stack.fd : s->stack.fd;
}

void
kernel_count_streams(struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof st;

	if (a->stack.fd == -1 ||
	    getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
		return;
	a->outbound = st.sstat_outstrms;
	a->inbound = st.sstat_instrms;
}

static int
set_scoped(struct sock *s, const struct sockopt *o, char *buf)
{
	uint32_t	 id = sockopt_get_assoc(o, buf);
	struct assoc	*a = upcall_meant(s, id);
	int		 number = 0;

	if (a != NULL) {
		put_id(o, buf, assoc_id(a));
		return set_one(fd_for(s, a), o, buf);
	}
	if (s->many && id > SCTP_ALL_ASSOC)
		return ENOENT;
	if (o->scope == SCOPE_ASSOC || (o->scope == SCOPE_FUTURE && id != 0))
		return ENOENT;
	if (id != SCTP_CURRENT_ASSOC) {
		put_id(o, buf, SCTP_FUTURE_ASSOC);
		number = set_one(s->stack.fd, o, buf);
	}
	if (number == 0 && id != SCTP_FUTURE_ASSOC)
		number = set_current(s, o, buf);
	return number;
}

/* Is this only about binding? An association's descriptor is bound; kernel_bindx gives it what it needs for more addresses. */
static bool
is_of_binding(const struct sockopt *o)
{
	return (o->level == LEVEL_IP && o->optname == IP_FREEBIND) || (o->level == LEVEL_IPV6 && o->optname == IPV6_V6ONLY) ||
	    (o->level == LEVEL_SOCKET && (o->optname == SO_REUSEADDR || o->optname == SO_REUSEPORT));
}

/* Does the kernel not hand this option on to an association's descriptor? If so, each association costs twenty system calls. */
static bool
is_left_behind(const struct sockopt *o)
{
	if (o->level != LEVEL_SCTP)
		return !is_of_binding(o);
	return o->optname == SCTP_ASCONF_SUPPORTED || o->optname == SCTP_AUTH_SUPPORTED ||
	    o->optname == SCTP_AUTO_ASCONF || o->optname == SCTP_AUTH_CHUNK || o->optname == SCTP_HMAC_IDENT;
}

/*
 * Without these options, a peeled-off association does not add or remove
 * addresses, although that was agreed with the peer.
 */
static void
inherit_asconf(const struct sock *s, int fd)
{
	static const int	name[] = { SCTP_AUTH_SUPPORTED, SCTP_ASCONF_SUPPORTED };
	struct sctp_assoc_value	v = { .assoc_id = SCTP_FUTURE_ASSOC };
	socklen_t		len = sizeof v;
	int			on = 0;

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		v.assoc_value = 0;
		if (getsockopt(s->stack.fd, IPPROTO_SCTP, name[i], &v, &len) == 0 && v.assoc_value)
			(void)setsockopt(fd, IPPROTO_SCTP, name[i], &v, len);
	}
	len = sizeof on;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_AUTO_ASCONF, &on, &len) == 0 && on)
		(void)setsockopt(fd, IPPROTO_SCTP, SCTP_AUTO_ASCONF, &on, len);
}

/*
 * An association has its keys and its list of chunks from the socket that it was
 * made on. But when its peer restarts it, the list is taken anew from the
 * descriptor that it is on now: without the list there, nothing would have to be
 * authenticated any more. The keys stay.
 */
static void
inherit_auth(const struct sock *s, int fd)
{
	union {
		struct sctp_hmacalgo	hmacs;
		struct sctp_authchunks	chunks;
		char			room[sizeof(struct sctp_authchunks) + SOCKOPT_CHUNKS];
	}			 v = { .room = { 0 } };
	struct sctp_authchunk	 one;
	socklen_t		 len = sizeof v;

	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_HMAC_IDENT, &v, &len) == 0)
		(void)setsockopt(fd, IPPROTO_SCTP, SCTP_HMAC_IDENT, &v, len);
	memset(&v, 0, sizeof v);
	len = sizeof v;
	if (getsockopt(s->stack.fd, IPPROTO_SCTP, SCTP_LOCAL_AUTH_CHUNKS, &v, &len) == -1)
		return;
	for (uint32_t i = 0; i < v.chunks.gauth_number_of_chunks && i < SOCKOPT_CHUNKS; i++) {
		one.sauth_chunk = v.chunks.gauth_chunks[i];
		(void)setsockopt(fd, IPPROTO_SCTP, SCTP_AUTH_CHUNK, &one, sizeof one);
	}
}

void
kernel_inherit(const struct sock *s, int fd)
{
	static const struct {
		int	level, name;
	}		option[] = {
		{ IPPROTO_IP, IP_TOS },
		{ IPPROTO_IP, IP_RECVTOS },
		{ IPPROTO_IP, IP_RECVTTL },
		{ IPPROTO_IPV6, IPV6_TCLASS },
		{ IPPROTO_IPV6, IPV6_RECVTCLASS },
		{ SOL_SOCKET, SO_TIMESTAMP },
		{ SOL_SOCKET, SO_MARK },
		{ SOL_SOCKET, SO_PRIORITY },	/* last: IP_TOS changes it */
	};
	int		value;
	socklen_t	len;

	if (!s->stack.has_local_options)
		return;
	inherit_asconf(s, fd);
	inherit_auth(s, fd);
	for (size_t i = 0; i < sizeof option / sizeof *option; i++) {
		len = sizeof value;
		if (getsockopt(s->stack.fd, option[i].level, option[i].name, &value, &len) == 0)
			(void)setsockopt(fd, option[i].level, option[i].name, &value, len);
	}
}

bool
kernel_interleaves(int fd)
{
	int		on = 0;
	socklen_t	len = sizeof on;

	return getsockopt(fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &on, &len) == 0 && on != 0;
}

/*
 * Without I-DATA, whole messages of a stream may come between the pieces of
 * another one of that stream, if the kernel interleaves, and nothing tells them
 * apart. So a descriptor interleaves only if its association has I-DATA.
 */
void
kernel_interleave(const struct assoc *a)
{
	struct sctp_assoc_value	v = { .assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof v;
	int			on;

	if (!a->sock->stack.interleaves || a->stack.fd == -1)
		return;
	on = getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_INTERLEAVING_SUPPORTED, &v, &len) == 0 &&
	    v.assoc_value != 0;
	(void)setsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_FRAGMENT_INTERLEAVE, &on, sizeof on);
}

static int
set_interleave(struct sock *s, const struct sockopt *o, const void *buf)
{
	struct assoc	*a = NULL;
	int		 number = set_one(s->stack.fd, o, buf);

	if (number != 0)
		return number;
	s->stack.interleaves = kernel_interleaves(s->stack.fd);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd != -1 && a->stack.fd != s->stack.fd)
			(void)set_one(a->stack.fd, o, buf);
		if (a->state != ASSOC_COMING_UP)
			kernel_interleave(a);
	}
	return 0;
}

/* What is set on the buffers now must not be undone when they get their sizes later. */
static void
size_first(struct sock *s)
{
	if (s->stack.sizes.level == BUDGET_LEVEL_UNKNOWN)
		kernel_size_socket(s);
}

int
kernel_setopt(struct sock *s, const struct sockopt *o, void *buf)
{
	int	number;

	if (o->level == LEVEL_SCTP && o->optname == SCTP_FRAGMENT_INTERLEAVE)
		return set_interleave(s, o, buf);
	if (o->level == LEVEL_STACK && o->optname == STACK_BLACKHOLE)
		return kernel_set_blackhole(s, *(const int *)buf != 0);
	upcall_forget_defaults(s);
	if (o->level == LEVEL_SOCKET && o->optname == SO_REUSEPORT)
		s->stack.own_port = *(const int *)buf == 0;
	s->stack.has_local_options = s->stack.has_local_options || is_left_behind(o);
	size_first(s);
	number = o->scope == SCOPE_SOCKET ? set_socket(s, o, buf) : set_scoped(s, o, buf);
	if (number == 0 && o->level == LEVEL_SCTP && o->optname == SCTP_PARTIAL_DELIVERY_POINT)
		s->stack.own_point = true;
	return number;
}

int
kernel_getopt(struct sock *s, const struct sockopt *o, void *buf)
{
	socklen_t	 len = o->size;
	struct assoc	*a = NULL;
	int		 fd;

	if (o->level == LEVEL_STACK && o->optname == STACK_BLACKHOLE)
		return kernel_get_blackhole(s, buf);
	size_first(s);
	if (o->scope != SCOPE_SOCKET) {
		if ((a = upcall_meant(s, sockopt_get_assoc(o, buf))) == NULL)
			a = meant_by_address(s, o, buf);
		if (a == NULL && (o->scope == SCOPE_ASSOC || sockopt_get_assoc(o, buf) != 0))
			return ENOENT;
		put_id(o, buf, a != NULL ? assoc_id(a) : 0);
	}
	if ((fd = fd_for(s, a)) == -1)
		return ENOTCONN;
	return getsockopt(fd, level_of(o), o->optname, buf, &len) == -1 ? errno : 0;
}

/* ---- events ------------------------------------------------------------- */

static bool
is_wanted(const struct sock *s, const struct event_type *n)
{
	return n->sn_type == SCTP_ASSOC_CHANGE || n->sn_type == SCTP_PARTIAL_DELIVERY_EVENT ||
	    n->sn_type == SCTP_PEER_ADDR_CHANGE ||
	    s->subscribed[n->subscribe];
}

static uint16_t
type_of(const struct event_type *n)
{
	return n == EVENT_send_failed ? SCTP_SEND_FAILED_EVENT : n->sn_type;
}

/*
 * Subscribe to one type at a time, because the struct of SCTP_EVENTS differs
 * between kernels. The daemon itself always wants association changes, and to
 * know that the rest of a message will not come; the log wants what becomes of paths. Gives the errno of a wanted
 * type that failed. EINVAL means that the kernel does not know the type; that is
 * only logged, except for association changes.
 */
int
kernel_subscribe_one(const struct sock *s, int fd)
{
	struct sctp_event	e = { .se_assoc_id = SCTP_ALL_ASSOC };
	int			failed = 0;

	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		if (n->subscribe < 0)
			continue;
		e.se_type = type_of(n);
		e.se_on = is_wanted(s, n);
		if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e) == 0 || !e.se_on)
			continue;
		if (errno != EINVAL || n->sn_type == SCTP_ASSOC_CHANGE)
			failed = errno;
		if (log_allowed(LOG_WARNING, "events that the kernel does not have"))
			log_warning("sock %llu: no %s: %s",
			    (unsigned long long)s->node.key, n->name, strerror(errno));
	}
	return failed;
}

/*
 * A new socket: one system call for all types, where the kernel knows them all.
 * The struct of SCTP_EVENTS has a byte for each type, in the order of the types.
 */
int
kernel_subscribe_new(const struct sock *s, int fd)
{
	uint8_t	on[SCTP_SEND_FAILED_EVENT - SCTP_SN_TYPE_BASE + 1] = { 0 };

	for (const struct event_type *n = event_type_table; n->name != NULL; n++) {
		if (n->subscribe < 0)
			continue;
		if ((size_t)(type_of(n) - SCTP_SN_TYPE_BASE) >= sizeof on)
			return kernel_subscribe_one(s, fd);
		on[type_of(n) - SCTP_SN_TYPE_BASE] = is_wanted(s, n);
	}
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_EVENTS, on, sizeof on) == 0)
		return 0;
	return kernel_subscribe_one(s, fd);
}

int
kernel_subscribe(struct sock *s)
{
	struct assoc	*a = NULL;
	int		 failed = 0, number;

	if (s->stack.fd != -1)
		failed = kernel_subscribe_one(s, s->stack.fd);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.fd != -1 && a->stack.owns_fd &&
		    (number = kernel_subscribe_one(s, a->stack.fd)) != 0)
			failed = number;
	}
	return failed;
}
