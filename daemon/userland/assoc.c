/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userland stack: associations. How they come and get a socket of their
 * own, and how they go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "userland/userland.h"
#include "util/log.h"
#include "util/mem.h"

/* Associations that are looked at per millisecond: some ten thousand a second. */
#define LOOK_AT	12

static TAILQ_HEAD(all_assocs, userland_assoc) all = TAILQ_HEAD_INITIALIZER(all);

/* usrsctp's ids are unique per socket only. Ours are unique everywhere, as the kernel's are. */
static uint32_t
new_id(void)
{
	static uint32_t	last = 2;	/* 0 to 2 have special meanings */

	return last = last == INT32_MAX ? 3 : last + 1;
}

/*
 * usrsctp wakes nobody for what its timers find (a path that failed, a message
 * whose lifetime is over) before the next packet comes. So the associations are
 * looked at in turn. Those that wait for room are woken, too, as there may be
 * room for another message.
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
	TAILQ_INIT(&ua->deferred);
	ua->finish.fn = wakes->finish;
	ua->finish.arg = a;
	TAILQ_INSERT_TAIL(&all, ua, all);
	a->stack.userland = ua;
}

struct assoc *
userland_new_assoc(struct sock *s, struct path *path, uint16_t port, sctp_assoc_t id)
{
	struct sockaddr_storage	 peer = path_peer(path, port);
	struct assoc		*a;
	struct userland_assoc	*ua;

	/* An inet6 socket sees an IPv4 peer as a mapped address, unless it is set otherwise. */
	if (s->family == AF_INET6 && !s->stack.userland->unmapped)
		addr_map(&peer);
	a = assoc_new(s, new_id(), &peer);
	ua = a->stack.userland;
	ua->path = path_ref(path);
	ua->pathmtu = s->stack.userland->pathmtu;
	ua->port = s->stack.userland->port;
	port_add_assoc(ua);
	ua->promised = embryo_taken(ua->port, path, port);
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

/*
 * usrsctp does not know the route and assumes the least MTU that there may be.
 * So it is told the MTU. Where a user has set an MTU, packets stay as usrsctp
 * makes them.
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
		if (log_allowed(LOG_DEBUG, "association not peeled off"))
			log_debug("assoc %u: not peeled off: %s", assoc_id(a), strerror(errno));
		return;			/* over already: the rest of it is read from the socket */
	}
	clock_need();
	ua->owns_so = true;
	userland_has_come(ua);
	(void)usrsctp_set_non_blocking(ua->so, 1);
	(void)userland_subscribe_one(s, ua->so);
	userland_size_assoc(a);
	wake_attach(&ua->wake, ua->so, wakes->assoc, a);
}

void
userland_inherit(struct sock *to, const struct sock *from)
{
	struct userland_sock	*u = to->stack.userland, *old = from->stack.userland;

	to->port = from->port;
	to->name = from->name;
	memcpy(to->subscribed, from->subscribed, sizeof to->subscribed);
	to->own = from->own;
	to->stack.sizes = from->stack.sizes;
	u->port = port_ref(old->port);
	u->guest = true;
	u->unmapped = old->unmapped;
	u->timestamp = old->timestamp;
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
		embryo_drop(ua->port, ua->path, addr_port(&a->peer));
		port_remove_assoc(ua);
	}
	path_unref(ua->path);
	budget_uncharge(&a->stack.charged);
	userland_drop_deferred(ua);
	partial_clear(&ua->data);
	partial_clear(&ua->message);
	partial_clear(&ua->failed);
	free(ua);
	a->stack.userland = NULL;
}
