/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: associations, how they come and get a socket of their
 * own, and how they go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "config.h"
#include "log.h"
#include "mem.h"
#include "userland.h"

/* How many are looked at in a millisecond: ten thousand within a second. */
#define LOOK_AT	12

static LIST_HEAD(, userland_assoc) lingering = LIST_HEAD_INITIALIZER(lingering);
static TAILQ_HEAD(all_assocs, userland_assoc) all = TAILQ_HEAD_INITIALIZER(all);

/* usrsctp counts per socket: here they are unique, as the kernel's are. */
static uint32_t
new_id(void)
{
	static uint32_t	last = 2;	/* 0 to 2 are none */

	return last = last == INT32_MAX ? 3 : last + 1;
}

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

/* ---- what happens at its socket ------------------------------------- */

/* One that was taken back: say what is said of others, and free it. */
static void
assoc_on_finish(void *arg)
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

/*
 * usrsctp wakes nobody for what its timers say, a path that failed or a message
 * whose time is over, before the next packet comes: it is looked for in turn, and
 * so is the room that there may be for another message.
 */
void
userland_look(int64_t ms)
{
	struct userland_assoc	*ua, *last = TAILQ_LAST(&all, all_assocs);
	bool			 end = last == NULL;

	for (int64_t i = 0; i < LOOK_AT * ms && !end; i++) {
		ua = TAILQ_FIRST(&all);
		end = ua == last;
		TAILQ_REMOVE(&all, ua, all);
		TAILQ_INSERT_TAIL(&all, ua, all);
		if (ua->so == NULL || ua->wake.fn == NULL)
			continue;
		if (ua->awaits_room ||
		    (!ua->is_ready && (usrsctp_get_events(ua->so) & SCTP_EVENT_READ)))
			wake_now(&ua->wake);
	}
}

void
userland_await_room(struct assoc *a, bool on)
{
	a->stack.userland->awaits_room = on;
}

/* ---- coming --------------------------------------------------------- */

void
userland_assoc_init(struct assoc *a)
{
	struct userland_assoc	*ua = xcalloc(1, sizeof *ua);

	ua->assoc = a;
	TAILQ_INIT(&ua->held);
	ua->finish.fn = assoc_on_finish;
	ua->finish.arg = a;
	TAILQ_INSERT_TAIL(&all, ua, all);
	a->stack.userland = ua;
}

/* An IPv4 peer is shown to an inet6 socket as mapped, unless it says no. */
static struct sockaddr_storage
peer_name(const struct sock *s, const struct path *path, uint16_t port)
{
	struct sockaddr_storage	ss = path_peer(path, port);

	if (s->family == AF_INET6 && !s->stack.userland->unmapped)
		addr_map(&ss);
	return ss;
}

struct assoc *
userland_new_assoc(struct sock *s, struct path *path, uint16_t port, sctp_assoc_t id)
{
	struct sockaddr_storage	 peer = peer_name(s, path, port);
	struct assoc		*a = assoc_new(s, new_id(), &peer);
	struct userland_assoc	*ua = a->stack.userland;

	ua->path = path_ref(path);
	ua->pathmtu = s->stack.userland->pathmtu;
	ua->port = port_ref(s->stack.userland->port);
	LIST_INSERT_HEAD(&ua->port->assocs, ua, at_port);
	ua->promised = hold_taken(ua->port, path, port);
	ua->coming.key = id;
	if (s->many) {
		hash_add(&s->stack.userland->coming, &ua->coming, id);
		ua->is_coming = true;
	}
	userland_charge_new(a);
	return a;
}

struct assoc *
userland_find_coming(struct sock *s, sctp_assoc_t id)
{
	struct userland_assoc	*ua = HASH_FIND(userland_assoc, &s->stack.userland->coming, id);

	return ua != NULL ? ua->assoc : NULL;
}

/* It leaves the socket that it came on. */
static void
leave_coming(struct userland_assoc *ua)
{
	if (ua->is_coming)
		hash_remove(&ua->assoc->sock->stack.userland->coming, &ua->coming);
	ua->is_coming = false;
}

/* It is up, or it never will be. */
void
userland_has_come(struct userland_assoc *ua)
{
	if (ua->is_starting)
		LIST_REMOVE(ua, starting);
	ua->is_starting = false;
	leave_coming(ua);
}

/*
 * usrsctp does not know the way and takes the least MTU that there may be. Where
 * a user knows better packets stay as usrsctp makes them.
 */
void
userland_set_mtu(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct sctp_paddrparams	 p = {
		.spp_assoc_id = userland_id(a),
		.spp_pathmtu = ua->pathmtu != 0 ? ua->pathmtu : udp_mtu(ua->path),
		.spp_flags = SPP_PMTUD_DISABLE,
	};
	struct sockaddr_conn	 name = path_name(ua->path, addr_port(&a->peer));

	memcpy(&p.spp_address, &name, sizeof name);
	if (usrsctp_setsockopt(userland_so(a), IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &p,
	    sizeof p) == -1)
		log_debug("assoc %u: mtu %u: %s", assoc_id(a), p.spp_pathmtu, strerror(errno));
	else if (ua->pathmtu != 0)
		path_limit(ua->path);
	else if (!ua->path->limited)
		ua->path->longest = p.spp_pathmtu;
}

void
userland_came_up(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct sock		*s = a->sock;

	userland_know(ua);
	userland_set_mtu(a);
	if (s == NULL || !s->many || ua->so != NULL) {
		userland_has_come(ua);
		return;
	}
	ua->so = usrsctp_peeloff(s->stack.userland->so, userland_id(a));
	if (ua->so == NULL) {
		if (log_allowed())
			log_debug("assoc %u: not peeled off: %s", assoc_id(a), strerror(errno));
		return;			/* it is over: all of it comes from the socket */
	}
	clock_need();
	ua->owns_so = true;
	userland_has_come(ua);
	(void)usrsctp_set_non_blocking(ua->so, 1);
	(void)userland_subscribe(s, ua->so);
	userland_size_assoc(a);
	wake_attach(&ua->wake, ua->so, userland_assoc_on_wake, a);
}

/* What was accepted is up, though its comm_up may be read much later. */
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
		hold_drop_all(u->port);
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
	wake_attach(&(*made)->stack.userland->wake, so, userland_assoc_on_wake, *made);
	return 0;
}

/* A new socket has what the one that it came from has. */
void
userland_inherit(struct sock *to, const struct sock *from)
{
	struct userland_sock	*u = to->stack.userland, *old = from->stack.userland;

	to->port = from->port;
	to->name = from->name;
	memcpy(to->subscribed, from->subscribed, sizeof to->subscribed);
	to->own = from->own;
	budget_inherit(from, to);
	u->port = port_ref(old->port);
	u->guest = true;
	u->unmapped = old->unmapped;
	u->peer_udp_port = old->peer_udp_port;
	u->pathmtu = old->pathmtu;
}

int
userland_peeloff(struct assoc *a, struct sock *to)
{
	struct userland_assoc	*ua = a->stack.userland;
	struct sock		*from = a->sock;
	bool			 was_ready = ua->is_ready;

	if (ua->so == NULL)
		return EAGAIN;		/* it is not up yet */
	userland_unready(ua);
	(void)userland_sock_new(to, ua->so);
	userland_inherit(to, from);
	assoc_move(a, to);
	to->peeled = true;
	ua->owns_so = false;
	if (was_ready)
		userland_ready(ua);
	return 0;
}

/* ---- going ---------------------------------------------------------- */

/*
 * It has no socket any more; its own is closed at once. usrsctp must have none
 * without a socket that is being set up and has something to send: it would
 * go on, and die of a NULL pointer if the peer's own INIT met ours.
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
userland_assoc_free(struct assoc *a)
{
	struct userland_assoc	*ua = a->stack.userland;
	bool			 was_starting = ua->is_starting;

	userland_unready(ua);
	userland_has_come(ua);
	if (ua->is_lingering)
		LIST_REMOVE(ua, lingering);
	TAILQ_REMOVE(&all, ua, all);
	userland_forget(ua);
	wake_forget(&ua->finish);
	wake_detach(&ua->wake, ua->so);
	if (was_starting)
		userland_drop_so(ua);
	else if (ua->owns_so)
		userland_close_so(ua->so);
	if (ua->port != NULL) {
		hold_drop(ua->port, ua->path, addr_port(&a->peer));
		LIST_REMOVE(ua, at_port);
	}
	path_unref(ua->path);
	port_unref(ua->port);
	budget_uncharge(&a->stack.charged);
	userland_drop_held(ua);
	joint_clear(&ua->data);
	joint_clear(&ua->message);
	joint_clear(&ua->failed);
	free(ua);
	a->stack.userland = NULL;
}

/* One that is being set up on its socket's has one of its own from now on. */
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
	wake_attach(&ua->wake, ua->so, userland_assoc_on_wake, a);
	return true;
}

/* Its socket is closed: send what waits, shut down, and read until it is over. */
static void
linger(struct assoc *a)
{
	static const struct linger	 off = { .l_onoff = 0 };
	struct userland_assoc		*ua = a->stack.userland;
	struct userland_sock		*u = a->sock->stack.userland;

	userland_unready(ua);
	leave_coming(ua);
	if (u->so == ua->so)
		u->so = NULL;		/* it goes on with the association */
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
 * One that is being set up has nothing to shut down: it is taken back, unless
 * messages were sent that shall arrive once it is up.
 */
void
userland_close_assoc(struct assoc *a, bool abort)
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
