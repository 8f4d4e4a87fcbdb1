/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: usrsctp's sockets. A socket of ours has one, and so has
 * each of its associations that is up.
 */
#include <errno.h>
#include <string.h>

#include "userland/userland.h"
#include "util/log.h"
#include "util/mem.h"

const struct userland_wakes	*wakes;

sctp_assoc_t
userland_id(const struct assoc *a)
{
	return (sctp_assoc_t)a->stack.userland->coming.key;
}

struct socket *
userland_so(const struct assoc *a)
{
	if (a->stack.userland->so != NULL || a->sock == NULL)
		return a->stack.userland->so;
	return a->sock->stack.userland->so;
}

void
userland_count_streams(struct assoc *a)
{
	struct sctp_status	st = { .sstat_assoc_id = userland_id(a) };
	socklen_t		len = sizeof st;

	if (userland_so(a) == NULL || usrsctp_getsockopt(userland_so(a), IPPROTO_SCTP,
	    SCTP_STATUS, &st, &len) == -1)
		return;
	a->outbound = st.sstat_outstrms;
	a->inbound = st.sstat_instrms;
}

/* ---- events --------------------------------------------------------- */

const struct event_type *
userland_notice(const char *name)
{
	const struct event_type	*n = event_type_table;

	while (n->name != NULL && strcmp(n->name, name) != 0)
		n++;
	return n;
}

/*
 * Subscribe to one type at a time, as with the kernel. We always need changes
 * of associations ourselves, and the log wants those of paths.
 */
int
userland_subscribe_one(const struct sock *s, struct socket *so)
{
	static const struct {
		uint16_t	type;
		const char	*name;
	}			 types[] = {
		{ SCTP_ASSOC_CHANGE, "sctp_assoc_change" },
		{ SCTP_PEER_ADDR_CHANGE, "sctp_paddr_change" },
		{ SCTP_REMOTE_ERROR, "sctp_remote_error" },
		{ SCTP_SEND_FAILED_EVENT, "sctp_send_failed" },
		{ SCTP_SHUTDOWN_EVENT, "sctp_shutdown_event" },
		{ SCTP_ADAPTATION_INDICATION, "sctp_adaptation_event" },
		{ SCTP_PARTIAL_DELIVERY_EVENT, "sctp_pdapi_event" },
		{ SCTP_AUTHENTICATION_EVENT, "sctp_authkey_event" },
		{ SCTP_SENDER_DRY_EVENT, "sctp_sender_dry_event" },
		{ SCTP_STREAM_RESET_EVENT, "sctp_stream_reset_event" },
		{ SCTP_ASSOC_RESET_EVENT, "sctp_assoc_reset_event" },
		{ SCTP_STREAM_CHANGE_EVENT, "sctp_stream_change_event" },
	};
	struct sctp_event	 e = { .se_assoc_id = SCTP_ALL_ASSOC };
	int			 failed = 0;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const struct event_type	*n = userland_notice(types[i].name);

		/*
		 * usrsctp has this event for existing associations only, not
		 * for those to come.
		 */
		if (types[i].type == SCTP_SENDER_DRY_EVENT && s->many &&
		    so == s->stack.userland->so)
			continue;
		e.se_type = types[i].type;
		e.se_on = e.se_type == SCTP_ASSOC_CHANGE || e.se_type == SCTP_PEER_ADDR_CHANGE ||
		    s->subscribed[n->subscribe];
		if (usrsctp_setsockopt(so, IPPROTO_SCTP, SCTP_EVENT, &e, sizeof e) == 0 || !e.se_on)
			continue;
		if (errno != EINVAL || e.se_type == SCTP_ASSOC_CHANGE)
			failed = errno;
		if (log_allowed(LOG_WARNING, "events that usrsctp does not have"))
			log_warning("sock %llu: no %s: %s",
			    (unsigned long long)s->node.key, n->name, strerror(errno));
	}
	return failed;
}

int
userland_subscribe(struct sock *s)
{
	struct assoc	*a = NULL;
	int		 failed = 0, number;

	if (s->stack.userland->so != NULL)
		failed = userland_subscribe_one(s, s->stack.userland->so);
	while ((a = assoc_next(s, a)) != NULL) {
		if (a->stack.userland->so != NULL &&
		    (number = userland_subscribe_one(s, a->stack.userland->so)) != 0)
			failed = number;
	}
	return failed;
}

/* ---- making and closing --------------------------------------------- */

void
userland_set(struct socket *so, int level, int name, int value)
{
	(void)usrsctp_setsockopt(so, level, name, &value, sizeof value);
}

struct socket *
userland_new_so(const struct sock *s)
{
	struct socket	*so = usrsctp_socket(AF_CONN, s->many ? SOCK_SEQPACKET : SOCK_STREAM,
			    IPPROTO_SCTP, NULL, NULL, 0, NULL);

	if (so != NULL)
		clock_need();
	return so;
}

int
userland_bind_so(struct socket *so, const struct port *port)
{
	struct sockaddr_conn	name = path_name(NULL, port->inner);

	return usrsctp_bind(so, (struct sockaddr *)&name, sizeof name) == -1 ? errno : 0;
}

struct userland_sock *
userland_sock_new(struct sock *s, struct socket *so)
{
	struct userland_sock	*u = xcalloc(1, sizeof *u);

	u->so = so;
	u->deliver.fn = wakes->deliver;
	u->deliver.arg = s;
	u->events = true;
	TAILQ_INIT(&u->ready);
	s->stack.userland = u;
	if (s->many)
		wake_attach(&u->wake, so, wakes->sock, s);
	return u;
}

void
userland_close_so(struct socket *so)
{
	if (so == NULL)
		return;
	(void)usrsctp_set_upcall(so, NULL, NULL);
	usrsctp_close(so);
	clock_forget();
}

/* ---- sockets of associations ---------------------------------------- */

void
userland_leave_coming(struct userland_assoc *ua)
{
	if (ua->is_coming)
		hash_remove(&ua->assoc->sock->stack.userland->coming, &ua->coming);
	ua->is_coming = false;
}

void
userland_has_come(struct userland_assoc *ua)
{
	if (ua->is_starting)
		LIST_REMOVE(ua, starting);
	ua->is_starting = false;
	userland_leave_coming(ua);
}

bool
userland_own_so(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;

	if (ua->so != NULL)
		return true;
	errno = ENOTCONN;
	if (a->sock == NULL || !a->sock->many || a->sock->stack.userland->so == NULL)
		return false;
	if ((ua->so = usrsctp_peeloff(a->sock->stack.userland->so, userland_id(a))) == NULL)
		return false;
	clock_need();
	(void)usrsctp_set_non_blocking(ua->so, 1);
	wake_attach(&ua->wake, ua->so, wakes->assoc, a);
	return true;
}

/*
 * The association has no socket any more. A socket of its own is closed at
 * once. usrsctp must never have an association without a socket that is being
 * set up and has something to send. Such an association would go on, and
 * usrsctp would die of a NULL pointer if the peer's own INIT met ours.
 */
void
userland_drop_so(struct userland_assoc *ua)
{
	static const struct linger	at_once = { .l_onoff = 1, .l_linger = 0 };

	wake_detach(&ua->wake, ua->so);
	if (ua->owns_so && ua->so != NULL) {
		(void)usrsctp_setsockopt(ua->so, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		userland_close_so(ua->so);
	}
	ua->so = NULL;
	ua->owns_so = false;
}

void
userland_ready(struct userland_assoc *ua)
{
	struct userland_sock	*u = ua->assoc->sock->stack.userland;

	if (!ua->is_ready)
		TAILQ_INSERT_TAIL(&u->ready, ua, ready);
	ua->is_ready = true;
	if (u->messages)
		wake_now(&u->deliver);
}

void
userland_unready(struct userland_assoc *ua)
{
	if (ua->is_ready)
		TAILQ_REMOVE(&ua->assoc->sock->stack.userland->ready, ua, ready);
	ua->is_ready = false;
}
