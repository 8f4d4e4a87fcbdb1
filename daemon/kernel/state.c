/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: what the kernel says of an association when it is asked.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "proto/addr.h"
#include "util/mem.h"

/*
 * Does the kernel know the association? Of a one-to-one socket, the kernel does
 * not know it before it is up, and no longer once it is over, even if nobody
 * has read that yet.
 */
bool
kernel_knows(const struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof st;

	return getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == 0;
}

/*
 * Why a one-to-one socket takes no message while it connects. 0: the
 * association is up. There is something to read once the association is up, was
 * up, or has failed.
 */
int
kernel_not_up_yet(const struct assoc *a)
{
	struct pollfd	p = { .fd = a->stack.fd, .events = POLLIN };

	if (!a->stack.one_to_one || a->state != ASSOC_COMING_UP || kernel_knows(a))
		return 0;
	if (poll(&p, 1, 0) == 0)
		return EAGAIN;
	return kernel_knows(a) ? 0 : EPIPE;
}

bool
kernel_is_drained(int fd)
{
	char	c;

	for (int i = 0; i < 2; i++) {
		ssize_t	n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

		if (n > 0)
			return false;
		if (n == 0 || errno == EAGAIN)
			return true;
	}
	return true;
}

uint32_t
kernel_assoc_on(int fd, struct sctp_status *st)
{
	socklen_t	len = sizeof *st;

	memset(st, 0, sizeof *st);
	if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, st, &len) == -1)
		return 0;
	return (uint32_t)st->sstat_assoc_id;
}

enum assoc_event
kernel_assoc_event(uint16_t state)
{
	switch (state) {
	case SCTP_COMM_UP:
		return ASSOC_EVENT_UP;
	case SCTP_RESTART:
		return ASSOC_EVENT_RESTART;
	case SCTP_COMM_LOST:
		return ASSOC_EVENT_LOST;
	case SCTP_SHUTDOWN_COMP:
		return ASSOC_EVENT_SHUTDOWN_COMP;
	case SCTP_CANT_STR_ASSOC:
		return ASSOC_EVENT_CANT;
	}
	return ASSOC_EVENT_NONE;
}

/*
 * The addresses of a socket or an association, as the kernel packs them. The
 * length that the kernel gives back leaves out the head, so valgrind thinks
 * that the end was not written. Memory that is zeroed first avoids that.
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

/* The addresses one by one. Gives how many bytes all of it has. */
static size_t
unpack(const struct sctp_getaddrs *g, struct sockaddr_storage **names, size_t *n)
{
	const unsigned char	*p = g->addrs;

	*names = xcalloc((size_t)g->addr_num + 1, sizeof **names);
	*n = g->addr_num;
	for (size_t i = 0; i < *n; i++) {
		sa_family_t	family;

		memcpy(&family, p, sizeof family);
		(*names)[i].ss_family = family;
		memcpy(&(*names)[i], p, addr_len(&(*names)[i]));
		p += addr_len(&(*names)[i]);
	}
	return (size_t)(p - (const unsigned char *)g);
}

int
kernel_names_on(int fd, uint32_t id, bool peer, struct sockaddr_storage **names, size_t *n)
{
	int			 number;
	struct sctp_getaddrs	*g;

	if (fd == -1)
		return ENOTCONN;
	g = get_addrs(fd, peer ? SCTP_GET_PEER_ADDRS : SCTP_GET_LOCAL_ADDRS, id, &number);
	if (g == NULL)
		return number;
	(void)unpack(g, names, n);
	free(g);
	return 0;
}

int
kernel_asconf(const struct assoc *a)
{
	struct sctp_assoc_value	v = { .assoc_id = (sctp_assoc_t)assoc_id(a) };
	socklen_t		len = sizeof v;

	if (getsockopt(a->stack.fd, IPPROTO_SCTP, SCTP_ASCONF_SUPPORTED, &v, &len) == -1)
		return -1;
	return v.assoc_value != 0;
}

/*
 * The addresses of an association that is up change in two ways: by ASCONF, which
 * both sides agreed to when it was set up, or never do; and by a restart, with
 * which the peer may leave some of its own out. So those of an association that
 * has not agreed are asked for once and kept, until a notification says that one
 * was removed, or that it was restarted. While its socket is lent, the borrower
 * reads that notification.
 */
static bool
may_keep(struct assoc *a)
{
	if (a->stack.names_change || a->stack.fd == -1 || (a->sock != NULL && a->sock->lent) ||
	    (a->state != ASSOC_UP && a->state != ASSOC_GOING_DOWN))
		return false;
	if (a->stack.names[0] == NULL && a->stack.names[1] == NULL)
		a->stack.names_change = kernel_asconf(a) != 0;
	return !a->stack.names_change;
}

void
kernel_forget_names(struct assoc *a)
{
	for (size_t i = 0; i < 2; i++) {
		free(a->stack.names[i]);
		a->stack.names[i] = NULL;
	}
	a->stack.names_change = false;
}

int
kernel_names(struct sock *s, struct assoc *a, bool peer,
    struct sockaddr_storage **names, size_t *n)
{
	int			 fd = a != NULL && a->stack.fd != -1 ? a->stack.fd : s->stack.fd, number;
	struct sctp_getaddrs	*g;
	size_t			 len;

	if (a == NULL || !may_keep(a))
		return kernel_names_on(fd, a != NULL ? assoc_id(a) : 0, peer, names, n);
	if ((g = a->stack.names[peer]) == NULL &&
	    (g = get_addrs(fd, peer ? SCTP_GET_PEER_ADDRS : SCTP_GET_LOCAL_ADDRS, assoc_id(a), &number)) == NULL)
		return number;
	len = unpack(g, names, n);
	if (a->stack.names[peer] == NULL)
		a->stack.names[peer] = xrealloc(g, len);
	return 0;
}
