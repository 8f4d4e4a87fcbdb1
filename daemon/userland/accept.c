/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: associations that come to a one-to-one listener. Each of
 * them becomes a socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <string.h>

#include "userland/userland.h"
#include "util/loop.h"

/* An accepted association is up, though its notification (comm_up) may be read much later. */
int
userland_accept(struct sock *listener, struct sock *to, struct assoc **made)
{
	struct userland_sock	*u = listener->stack.userland;
	struct sockaddr_conn	 name;
	socklen_t		 len = sizeof name;
	struct path		*path;
	struct socket		*so;

	memset(&name, 0, sizeof name);
	if ((so = usrsctp_accept(u->so, (struct sockaddr *)&name, &len)) == NULL) {
		if (errno != EWOULDBLOCK)
			return errno;
		embryo_drop_all(u->port);
		return EAGAIN;
	}
	clock_need();
	if ((path = path_of(&name)) == NULL) {
		userland_close_so(so);
		return ENOTCONN;
	}
	(void)userland_sock_new(to, so);
	userland_inherit(to, listener);
	(void)usrsctp_set_non_blocking(so, 1);
	*made = userland_new_assoc(to, path, ntohs(name.sconn_port), 0);
	(*made)->stack.userland->so = so;
	userland_know((*made)->stack.userland);
	userland_count_streams(*made);
	userland_set_mtu(*made);
	userland_size_assoc(*made);
	userland_size_socket(listener);
	assoc_enter(*made, ASSOC_UP);
	wake_attach(&(*made)->stack.userland->wake, so, wakes->assoc, *made);
	return 0;
}

/* ---- when there is room for them ------------------------------------ */

static struct event	accept_retry;

static void
accept_on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = NULL;

	(void)fd, (void)what, (void)arg;
	while ((s = sock_next(s)) != NULL) {
		if (!s->stack.userland->resting)
			continue;
		s->stack.userland->resting = false;
		if (s->stack.userland->messages)
			wake_now(&s->stack.userland->deliver);
	}
}

bool
userland_receive_accept(struct sock *s)
{
	static const struct timeval	 wait = { .tv_usec = 100000 };
	const char			*why;
	int				 number = upcall_accept(s, &why);

	if (number == EAGAIN)
		s->stack.userland->acceptable = false;
	if (number == 0 || number == EAGAIN)
		return number == 0;
	upcall_peers_wait(s, why != NULL ? why : strerror(number));
	s->stack.userland->resting = true;
	if (!event_initialized(&accept_retry))
		(void)evtimer_assign(&accept_retry, loop_base(), accept_on_retry, NULL);
	if (!evtimer_pending(&accept_retry, NULL))
		(void)evtimer_add(&accept_retry, &wait);
	return false;
}
