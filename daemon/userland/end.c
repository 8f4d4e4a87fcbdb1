/* SPDX-License-Identifier: BSD-2-Clause */
/* The userland stack: how we end associations, by shutdown or abort. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "userland/userland.h"

/* The association may be up though its notification (comm_up) is not read yet. */
static bool
is_set_up(const struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	socklen_t		len = sizeof st;

	return a->state != ASSOC_COMING_UP || userland_so(a) == NULL ||
	    usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP, SCTP_STATUS, &st, &len) == -1 ||
	    (st.sstat_state != SCTP_COOKIE_WAIT && st.sstat_state != SCTP_COOKIE_ECHOED);
}

/*
 * usrsctp treats SCTP_EOF as if the association were up. During the set-up it
 * would send SHUTDOWN to a peer whose verification tag it does not know. So the
 * shutdown waits until the set-up is over.
 */
int
userland_eof(struct assoc *a)
{
	static const struct sndrcvinfo	eof = { .flags = SNDRCV_EOF };
	int				number;

	if (!is_set_up(a)) {
		a->stack.userland->eof_waits = true;
		return 0;
	}
	number = userland_send_one(a, &eof, NULL, 0);
	if (number == 0)
		assoc_enter(a, ASSOC_GOING_DOWN);
	return number;
}

void
userland_go_on(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;

	if (!ua->eof_waits || !is_set_up(a))
		return;
	ua->eof_waits = false;
	(void)userland_eof(a);
}

/*
 * usrsctp aborts only an association that is up. Any other can only be closed,
 * in a socket of its own, and usrsctp gives no notification of that.
 */
int
userland_abandon(struct assoc *a)
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

int
userland_abort(struct assoc *a, const void *reason, size_t len)
{
	static const struct sndrcvinfo	 abort = { .flags = SNDRCV_ABORT };
	static const int		 enough = INT32_MAX / 4;
	struct userland_assoc		*ua = a->stack.userland;
	int				 number;

	ua->aborted = true;
	if (a->state == ASSOC_COMING_UP)
		return userland_abandon(a);
	/* usrsctp gives back only as many messages as the receive buffer takes. */
	if (ua->so != NULL)
		(void)usrsctp_setsockopt(ua->so, SOL_SOCKET, SO_RCVBUF, &enough, sizeof enough);
	number = userland_send_one(a, &abort, reason, len);
	if (number != 0)
		return number;
	assoc_fail_sends(a, ERR_epipe, "the association was aborted");
	/* usrsctp wakes nobody for what we did ourselves. */
	wake_now(ua->so != NULL || a->sock == NULL ? &ua->wake :
	    &a->sock->stack.userland->wake);
	return 0;
}
