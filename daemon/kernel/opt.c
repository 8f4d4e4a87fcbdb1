/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: options.
 *
 * A one-to-many socket is several descriptors here. Its row says what an
 * option is about, and so which of them are asked or told: the socket's own
 * stands for associations to come, the others for those that are.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "addr.h"
#include "kernel.h"

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
	case LEVEL_BROKER:
	case LEVEL_OWN:
		break;
	}
	return -1;
}

static uint32_t
get_id(const struct sockopt *o, const char *buf)
{
	const struct field	*f = sockopt_assoc(o);
	uint32_t		 id = 0;

	if (f != NULL)
		memcpy(&id, buf + f->offset, sizeof id);
	return id;
}

static void
put_id(const struct sockopt *o, char *buf, uint32_t id)
{
	const struct field	*f = sockopt_assoc(o);

	if (f != NULL)
		memcpy(buf + f->offset, &id, sizeof id);
}

static bool
is_buffer(const struct sockopt *o)
{
	return o->level == LEVEL_SOCKET && (o->optname == SO_RCVBUF || o->optname == SO_SNDBUF);
}

/* Of the associations too, as far as there is memory. */
static int
set_buffer(struct sock *s, const struct sockopt *o, const void *buf)
{
	int	bytes;

	memcpy(&bytes, buf, sizeof bytes);
	if (bytes < 0)
		return EINVAL;
	kernel_want(s, o->optname == SO_RCVBUF, bytes);
	return 0;
}

/* The kernel changes the priority with it; they are two options here. */
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

/* Is the association's descriptor one more than the socket's? */
static bool
is_apart(const struct assoc *a)
{
	return a->stack.fd != -1 && a->stack.fd != a->sock->stack.fd;
}

/* Tell all that are; their ids are put where the option has one. */
static int
set_current(struct sock *s, const struct sockopt *o, char *buf)
{
	struct assoc	*a = NULL;
	int		 number, first = 0;

	while ((a = assoc_next(s, a)) != NULL) {
		if (!is_apart(a))
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
	int	number;

	if (is_buffer(o))
		return s->stack.fd == -1 ? ENOTCONN : set_buffer(s, o, buf);
	number = set_one(s->stack.fd, o, buf);
	return number != 0 ? number : set_current(s, o, buf);
}

/* The association that is meant; ids 0 to 2 are not associations. */
static struct assoc *
meant(struct sock *s, uint32_t id)
{
	return s->many && id <= SCTP_ALL_ASSOC ? NULL : assoc_find(s, id);
}

/* The path's address names the association, where its id is 0. */
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
stack_count_streams(struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof st;

	if (a->stack.fd == -1 ||
	    getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
		return;
	a->outbound = st.sstat_outstrms;
	a->inbound = st.sstat_instrms;
}

/* What send by stream alone sends with may be another now. */
static void
forget_defaults(struct sock *s)
{
	struct assoc	*a = NULL;

	while ((a = assoc_next(s, a)) != NULL)
		a->defaults_known = false;
}

static int
set_scoped(struct sock *s, const struct sockopt *o, char *buf)
{
	uint32_t	 id = get_id(o, buf);
	struct assoc	*a = meant(s, id);
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

/* Options that the kernel does not hand on to an association's descriptor. */
static bool
is_left_behind(const struct sockopt *o)
{
	return o->level != LEVEL_SCTP || o->optname == SCTP_ASCONF_SUPPORTED ||
	    o->optname == SCTP_AUTH_SUPPORTED || o->optname == SCTP_AUTO_ASCONF;
}

/* Without these, addresses that were agreed to come and go do not. */
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
		{ SOL_SOCKET, SO_PRIORITY },	/* last: IP_TOS changes it */
	};
	int		value;
	socklen_t	len;

	if (!s->stack.plain)
		return;
	inherit_asconf(s, fd);
	for (size_t i = 0; i < sizeof option / sizeof *option; i++) {
		len = sizeof value;
		if (getsockopt(s->stack.fd, option[i].level, option[i].name, &value, &len) == 0)
			(void)setsockopt(fd, option[i].level, option[i].name, &value, len);
	}
}

int
stack_setopt(struct sock *s, const struct sockopt *o, void *buf)
{
	forget_defaults(s);
	s->stack.plain = s->stack.plain || is_left_behind(o);
	return o->scope == SCOPE_SOCKET ? set_socket(s, o, buf) : set_scoped(s, o, buf);
}

int
stack_getopt(struct sock *s, const struct sockopt *o, void *buf)
{
	socklen_t	 len = o->size;
	struct assoc	*a = NULL;
	int		 fd;

	if (o->scope != SCOPE_SOCKET) {
		if ((a = meant(s, get_id(o, buf))) == NULL)
			a = meant_by_address(s, o, buf);
		if (a == NULL && (o->scope == SCOPE_ASSOC || get_id(o, buf) != 0))
			return ENOENT;
		put_id(o, buf, a != NULL ? assoc_id(a) : 0);
	}
	if ((fd = fd_for(s, a)) == -1)
		return ENOTCONN;
	return getsockopt(fd, level_of(o), o->optname, buf, &len) == -1 ? errno : 0;
}
