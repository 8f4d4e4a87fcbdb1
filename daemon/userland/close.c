/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: closing sockets, and associations that go on alone after
 * that until they are over.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "userland/userland.h"

static LIST_HEAD(, userland_assoc) lingering = LIST_HEAD_INITIALIZER(lingering);

/* ---- what happens at an association's socket ------------------------- */

/*
 * An attempt was taken back, or is lost. usrsctp gives no notification of that,
 * so handle one as for any other end. That frees the association.
 */
void
userland_assoc_on_finish(void *arg)
{
	struct assoc			*a = arg;
	struct sctp_assoc_change	 c = {
		.sac_type = SCTP_ASSOC_CHANGE,
		.sac_length = sizeof c,
		.sac_state = a->stack.userland->aborted ? SCTP_COMM_LOST : SCTP_CANT_STR_ASSOC,
		.sac_assoc_id = userland_id(a),
	};

	if (a->sock == NULL)
		(void)assoc_free(a);
	else
		userland_take_notification(a->sock, a, (char *)&c, sizeof c, NULL);
}

void
userland_assoc_on_wake(void *arg)
{
	struct assoc		*a = arg;
	struct userland_assoc	*ua = a->stack.userland;

	userland_go_on(a);
	if (ua->is_lingering) {
		if (!userland_discard(a))
			(void)assoc_free(a);
		else if (ua->awaits_room) {
			ua->awaits_room = false;
			assoc_writable(a);
		}
		return;
	}
	userland_ready(ua);
	if (ua->awaits_room && (usrsctp_get_events(ua->so) & SCTP_EVENT_WRITE)) {
		ua->awaits_room = false;
		assoc_writable(a);
	}
}

/* ---- closing -------------------------------------------------------- */

/* The socket is closed: send what waits, shut down, and read until the association is over. */
static void
linger(struct assoc *a)
{
	static const struct linger	 off = { .l_onoff = 0 };
	struct userland_assoc		*ua = a->stack.userland;
	struct userland_sock		*u = a->sock->stack.userland;

	userland_unready(ua);
	userland_leave_coming(ua);
	if (u->so == ua->so)
		u->so = NULL;		/* the association keeps it */
	ua->owns_so = true;
	assoc_move(a, NULL);
	ua->is_lingering = true;
	LIST_INSERT_HEAD(&lingering, ua, lingering);
	(void)usrsctp_setsockopt(ua->so, SOL_SOCKET, SO_LINGER, &off, sizeof off);
	if (!a->eof_asked)
		(void)assoc_eof(a);
	if (!userland_discard(a))
		(void)assoc_free(a);
}

/*
 * An association that is being set up has nothing to shut down. It is taken
 * back, unless messages were sent that are to arrive once it is up.
 */
static void
close_assoc(struct assoc *a, bool abort)
{
	if (a->state == ASSOC_COMING_UP && !abort)
		abort = (a->stack.userland->given.messages == 0 && TAILQ_EMPTY(&a->sends)) ||
		    !userland_own_so(a);
	if (a->state != ASSOC_OVER && a->stack.userland->so != NULL && !abort) {
		linger(a);
		return;
	}
	if (a->state != ASSOC_OVER)
		(void)userland_abort(a, NULL, 0);
	(void)assoc_free(a);
}

void
userland_abort_lingering(void)
{
	struct userland_assoc	*ua;

	while ((ua = LIST_FIRST(&lingering)) != NULL) {
		(void)userland_abort(ua->assoc, NULL, 0);
		(void)assoc_free(ua->assoc);
	}
}

int
userland_linger(const struct sock *s)
{
	struct linger	 l = { .l_onoff = 0 };
	socklen_t	 len = sizeof l;
	struct assoc	*a = assoc_next((struct sock *)(uintptr_t)s, NULL);
	struct socket	*so = s->stack.userland != NULL ? s->stack.userland->so : NULL;

	if (so == NULL && a != NULL)
		so = a->stack.userland->so;
	if (so == NULL || usrsctp_getsockopt(so, SOL_SOCKET, SO_LINGER, &l, &len) == -1 ||
	    !l.l_onoff)
		return -1;
	return l.l_linger;
}

void
userland_close(struct sock *s)
{
	struct userland_sock	*u = s->stack.userland;
	struct assoc		*a;
	bool			 abort;

	if (u == NULL)
		return;
	abort = userland_linger(s) == 0;	/* SO_LINGER is on, with 0 seconds */
	/* Associations whose notifications are not read yet are closed, too. */
	if (s->many && !abort && u->so != NULL)
		userland_read_socket(s);
	userland_read(s, false, false);
	while ((a = assoc_next(s, NULL)) != NULL)
		close_assoc(a, abort);
	wake_forget(&u->wake);
	wake_forget(&u->deliver);
	userland_close_so(u->so);
	if (u->guest)
		port_unref(u->port);
	else
		port_close(u->port);
	partial_clear(&u->notice);
	hash_free(&u->coming);
	free(u);
	s->stack.userland = NULL;
}
