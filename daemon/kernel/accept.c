/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's SCTP: associations that come to a one-to-one listener. Each
 * becomes a socket.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "util/fault.h"
#include "util/loop.h"

/* The id is in the SCTP_COMM_UP that waits, even if the association is over already. */
static uint32_t
accepted_id(int fd)
{
	struct sctp_assoc_change	c = { .sac_assoc_id = 0 };

	for (int i = 0; i < 2; i++) {	/* the error that ended it may come first, once */
		if (recv(fd, &c, sizeof c, MSG_PEEK | MSG_DONTWAIT) == sizeof c &&
		    c.sac_type == SCTP_ASSOC_CHANGE)
			break;
	}
	return (uint32_t)c.sac_assoc_id;
}

/* An accepted association is up, though its SCTP_COMM_UP may be read much later. */
struct assoc *
kernel_accepted(struct sock *listener, struct sock *to, int fd,
    const struct sockaddr_storage *peer)
{
	struct sctp_status	 st = { .sstat_assoc_id = 0 };
	socklen_t		 len = sizeof st;
	struct assoc		*a;

	to->port = listener->port;
	to->name = listener->name;
	memcpy(to->subscribed, listener->subscribed, sizeof to->subscribed);
	to->own = listener->own;
	to->stack.sizes = listener->stack.sizes;
	to->stack.own_point = listener->stack.own_point;
	to->stack.has_local_options = listener->stack.has_local_options;
	sock_keeps_output(to);
	kernel_inherit(listener, fd);
	kernel_adopt(to, fd);
	if (getsockopt(fd, IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1)
		st.sstat_assoc_id = (sctp_assoc_t)accepted_id(fd);
	a = assoc_new(to, (uint32_t)st.sstat_assoc_id, peer);
	a->outbound = st.sstat_outstrms;
	a->inbound = st.sstat_instrms;
	a->stack.one_to_one = true;
	a->stack.fd = fd;
	kernel_has_fd(a);
	kernel_size_assoc(a);
	to->stack.interleaves = listener->stack.interleaves;
	kernel_interleave(a);
	assoc_enter(a, ASSOC_UP);
	kernel_follow(a, false);
	kernel_size_socket(listener);
	sock_changed(to);
	return a;
}

int
kernel_accept(struct sock *listener, struct sock *to, struct assoc **made)
{
	struct sockaddr_storage	 peer;
	socklen_t		 len = sizeof peer;
	int			 fd;

	memset(&peer, 0, sizeof peer);
	kernel_begin(to);
	fd = accept4(listener->stack.fd, (struct sockaddr *)&peer, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return errno == EWOULDBLOCK ? EAGAIN : errno;
	fault_point("accept4");
	*made = kernel_accepted(listener, to, fd, &peer);
	fault_point("accept");
	return 0;
}

/* ---- when there is room for them ------------------------------------ */

static struct event accept_retry;

static void
accept_on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = NULL;
	int		 number;

	(void)fd, (void)what, (void)arg;
	while ((s = sock_next(s)) != NULL) {
		if (!s->stack.accepts_later)
			continue;
		s->stack.accepts_later = false;
		if (s->listening && (number = kernel_watch(s, s->stack.fd, NULL, false)) != 0)
			kernel_accept_later(s, strerror(number));
	}
}

/*
 * There is no room for an association that could be accepted. It waits in the
 * kernel's queue, which is bounded. The listener rests a while, so that it does
 * not report that association all the time.
 */
void
kernel_accept_later(struct sock *s, const char *why)
{
	static const struct timeval	wait = { .tv_usec = 100000 };

	upcall_peers_wait(s, why);
	kernel_unwatch(s, s->stack.fd);
	s->stack.accepts_later = true;
	if (!event_initialized(&accept_retry))
		(void)evtimer_assign(&accept_retry, loop_base(), accept_on_retry, NULL);
	if (!evtimer_pending(&accept_retry, NULL))
		(void)evtimer_add(&accept_retry, &wait);
}

/* A one-to-one listener: each association becomes a socket. */
bool
kernel_receive_accept(struct sock *s)
{
	const char	*why;
	int		 number = upcall_accept(s, &why);

	if (number != 0 && number != EAGAIN)
		kernel_accept_later(s, why != NULL ? why : strerror(number));
	return number == 0;
}
