/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners: who owns a socket, and what happens to it. See owner.h.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "journal/journal.h"
#include "rpc/call.h"
#include "rpc/connection.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/event.h"
#include "socket/owner.h"
#include "socket/report.h"
#include "socket/resolve.h"
#include "socket/sock.h"
#include "socket/supervised.h"
#include "socket/tap.h"
#include "util/log.h"
#include "util/loop.h"

/* A client without a connection exists for its sockets and groups, or to come back. */
void
owner_end_if_unneeded(struct client *c)
{
	if (c->away && !c->expected && !c->resident && c->nsocks == 0 && LIST_EMPTY(&c->memberships))
		client_end(c);
}

struct sock *
sock_new(struct client *owner, bool many, int family)
{
	return sock_make(owner, many, family, journal_handle(client_or_sock));
}

/* ---- a socket ends --------------------------------------------------- */

void
lookup_free(struct lookup *l)
{
	(void)resolve_cancel(l->resolve);
	user_discharge(l->user, CHARGE_LOOKUPS, 1);
	user_discharge(l->user, CHARGE_MEMORY, l->cost);
	(void)user_put(l->user);
	LIST_REMOVE(l, entry);
	free(l);
}

/* The connects that wait on it end with it. */
static void
end_connects(struct sock *s)
{
	struct assoc	*a = NULL;
	struct lookup	*l;
	struct call	*call;

	while ((l = LIST_FIRST(&s->lookups)) != NULL) {
		call_finish_error(l->call, ERR_closed, "sock %llu: it was closed",
		    (unsigned long long)s->node.key);
		lookup_free(l);
	}
	while ((a = assoc_next(s, a)) != NULL) {
		if ((call = a->connect) == NULL)
			continue;
		a->connect = NULL;
		s->connecting--;
		call_finish_error(call, ERR_closed, "sock %llu: it was closed",
		    (unsigned long long)s->node.key);
	}
}

/* It has an owner again, or ends: stop waiting for one. */
static void
unhold(struct sock *s)
{
	if (s->held)
		(void)evtimer_del(&s->hold);
	s->held = false;
}

void
sock_close(struct sock *s, const char *why)
{
	struct client		*owner;
	struct call		*call;
	struct pending		*p;
	struct event_closed	 e;

	if (s->group != 0)
		sock_ops->closed(s);
	owner = s->owner;
	if (why != NULL) {
		e.reason = (struct slice){ why, (uint32_t)strlen(why) };
		client_tell(s->owner, EVENT_closed, s->node.key, &e);
		event_watch(s, EVENT_closed, NULL, &e, sizeof e);
	}
	log_debug("sock %llu: closed, %zu associations",
	    (unsigned long long)s->node.key, s->assocs.count);
	s->closing = true;
	if (s->supervised != NULL)
		supervise_ops->closed(s, why);
	if ((call = s->recv) != NULL) {
		s->recv = NULL;
		call_finish_error(call, ERR_closed, "sock %llu: it was closed",
		    (unsigned long long)s->node.key);
	}
	end_connects(s);
	stack->close(s);
	while ((p = TAILQ_FIRST(&s->pending)) != NULL)
		sock_drop_pending(s, p);
	unhold(s);
	sock_free(s);
	owner_end_if_unneeded(owner);
}

/* ---- it goes to another ---------------------------------------------- */

void
sock_set_user(struct sock *s, uid_t uid)
{
	struct user	*was = user_get(s->uid);
	struct pending	*p;
	struct assoc	*a = NULL;

	sock_discharge(s);
	sock_charge(s, uid);
	while ((a = assoc_next(s, a)) != NULL)
		assoc_set_user(a, uid);
	stack->set_user(s);
	TAILQ_FOREACH(p, &s->pending, entry) {
		user_discharge(was, CHARGE_MEMORY, pending_cost(p));
		user_charge(s->user, CHARGE_MEMORY, pending_cost(p));
	}
	user_put(was);
}

/*
 * Send the new owner an event that the old one was sent and did not handle: the
 * same event, with a number of the new owner's. An answer to recv becomes the
 * event that it brought.
 */
static void
give_message(void *arg, enum message_kind kind, const char *p, size_t n)
{
	const msgpack_object	*map;
	struct sock		*s = arg;
	msgpack_unpacked	 u;
	size_t			 off = 0;

	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, p, n, &off) == MSGPACK_UNPACK_SUCCESS &&
	    (map = event_map(&u.data, kind)) != NULL)
		event_repack(s->owner, s->node.key, map, &u.data);
	msgpack_unpacked_destroy(&u);
}

static void
change_owner(struct sock *s, struct client *to)
{
	struct client	*was = s->owner;

	TAILQ_REMOVE(&was->socks, s, owned);
	was->nsocks--;
	TAILQ_INSERT_TAIL(&to->socks, s, owned);
	to->nsocks++;
	s->owner = to;
	unhold(s);
	sock_changed(s);
}

static void
take_from(struct sock *s, struct client *was)
{
	/* Messages that count as handled once written have reached a client that is still there. */
	if (was->away || !was->out.self_acking)
		output_take(&was->out, s->node.key, give_message, s);
}

void
sock_give(struct sock *s, struct client *to)
{
	struct client		*was = s->owner;
	struct event_owner	 e = { .owner = to->node.key, .was = was->node.key };
	uint64_t		 before;

	if (was == to)
		return;
	change_owner(s, to);
	client_tell(to, EVENT_owner, s->node.key, &e);
	event_watch(s, EVENT_owner, NULL, &e, sizeof e);
	before = to->out.seq;
	take_from(s, was);
	s->last = to->out.seq > before ? to->out.seq : 0;
	if (was->resident && was->nsocks == 0 && output_ack(&was->out, was->out.seq))
		client_output_changed(was);	/* all of it went along */
	if (s->supervised != NULL)
		supervise_ops->owned(s);
	sock_keeps_output(s);
	sock_pump(s);
	if (was->away)
		client_tell(was, EVENT_owner, s->node.key, &e);
	owner_end_if_unneeded(was);
}

uint64_t
sock_move(struct sock *s, struct client *to)
{
	struct client		*was = s->owner;
	struct event_owner	 e = { .owner = to->node.key, .was = was->node.key };
	uint64_t		 before = to->out.seq;

	change_owner(s, to);
	event_watch(s, EVENT_owner, NULL, &e, sizeof e);
	take_from(s, was);
	before = to->out.seq - before;
	s->last = before > 0 ? to->out.seq : 0;
	if (s->supervised != NULL)
		supervise_ops->owned(s);
	sock_pump(s);
	return before;
}

/* ---- it is lent, or held --------------------------------------------- */

void
sock_keeps_output(struct sock *s)
{
	struct client	*c = s->owner;

	if ((s->own.on_owner_exit == EXIT_HOLD || s->home != NULL) && !c->out.session) {
		output_keep(&c->out, c->node.key, true);
		client_changed(c);
	}
}

static void
sock_on_hold_end(evutil_socket_t fd, short what, void *arg)
{
	struct sock	*s = arg;

	(void)fd, (void)what;
	if (s->home != NULL) {
		if (log_allowed(LOG_NOTICE, "socket is nobody's after hold_time"))
			log_notice("sock %llu: it is nobody's again, its owner did not come back within hold_time",
			    (unsigned long long)s->node.key);
		sock_go_home(s);
		return;
	}
	if (log_allowed(LOG_NOTICE, "socket closed after hold_time"))
		log_notice("sock %llu: closed, no client took it over within hold_time",
		    (unsigned long long)s->node.key);
	sock_close(s, NULL);
}

static void
hold(struct sock *s)
{
	struct timeval	tv = {
		.tv_sec = (time_t)(s->own.hold_time / 1000),
		.tv_usec = (suseconds_t)(s->own.hold_time % 1000 * 1000),
	};

	s->held = true;
	(void)evtimer_assign(&s->hold, loop_base(), sock_on_hold_end, s);
	if (s->own.hold_time >= 0)
		(void)evtimer_add(&s->hold, &tv);
	if (log_allowed(LOG_INFO, "socket held"))
		log_info("sock %llu: held, its owner is gone", (unsigned long long)s->node.key);
	sock_pump(s);
}

void
sock_lend(struct sock *s)
{
	s->lent = true;
	sock_changed(s);
	sock_pump(s);
}

void
sock_take_back(struct sock *s)
{
	if (!s->lent)
		return;
	s->lent = false;
	sock_changed(s);
	stack->take_back(s);
	sock_pump(s);
}

void
sock_go_home(struct sock *s)
{
	s->active = ACTIVE_FALSE;
	s->own.on_owner_exit = EXIT_CLOSE;	/* the next owner says itself what it wants */
	if (s->uid != s->home->uid)
		sock_set_user(s, s->home->uid);
	sock_give(s, s->home);
}

/* ---- its owner goes, and comes back ---------------------------------- */

/* Its owner is gone, and it is in no group: it goes home, is held, aborted or closed. */
static void
leave(struct sock *s, struct client *c)
{
	struct assoc	*a = NULL;

	sock_take_back(s);
	if (s->home != NULL && (s->home == c || s->own.on_owner_exit != EXIT_HOLD)) {
		if (s->home != c)
			sock_go_home(s);
		return;
	}
	if (s->own.on_owner_exit == EXIT_HOLD) {
		hold(s);
		return;
	}
	while (s->own.on_owner_exit == EXIT_ABORT && (a = assoc_next(s, a)) != NULL)
		(void)report_abort(a, NULL, 0, NULL, "its owner is gone, and on_owner_exit is abort");
	while (s->own.on_owner_exit == EXIT_CLOSE && (a = assoc_next(s, a)) != NULL)
		report_owner_gone(a, c);
	sock_close(s, "its owner is gone");
}

void
owner_has_left(struct sock *s)
{
	leave(s, s->owner);
}

void
owner_exit(struct client *c)
{
	struct sock	*s, *next;

	c->expected = false;
	tap_end(c);
	if (event_initialized(&c->timer))
		(void)evtimer_del(&c->timer);
	if (!LIST_EMPTY(&c->memberships))
		sock_ops->gone(c);
	for (s = TAILQ_FIRST(&c->socks); s != NULL; s = next) {
		next = TAILQ_NEXT(s, owned);
		if (s->group == 0)
			leave(s, c);	/* otherwise its group waits for the client */
	}
	owner_end_if_unneeded(c);
}

static void
owner_on_resume_time(evutil_socket_t fd, short what, void *arg)
{
	struct client	*c = arg;

	(void)fd, (void)what;
	if (log_allowed(LOG_NOTICE, "client did not come back"))
		log_notice("client %llu: it did not come back within resume_time, %zu sockets",
		    (unsigned long long)c->node.key, c->nsocks);
	c->expected = true;
	owner_exit(c);
}

void
owner_expect(struct client *c)
{
	struct timeval	tv = {
		.tv_sec = (time_t)(config.resume_time / 1000),
		.tv_usec = (suseconds_t)(config.resume_time % 1000 * 1000),
	};

	c->expected = true;
	(void)evtimer_assign(&c->timer, loop_base(), owner_on_resume_time, c);
	(void)evtimer_add(&c->timer, &tv);
}

void
owner_is_back(struct client *c, bool same_process)
{
	struct sock	*s;

	TAILQ_FOREACH(s, &c->socks, owned) {
		unhold(s);
		if (!same_process)
			sock_take_back(s);	/* another process has no descriptor */
	}
}

void
owner_has_room(struct client *c)
{
	struct sock	*s, *next;

	for (s = TAILQ_FIRST(&c->socks); s != NULL; s = next) {
		next = TAILQ_NEXT(s, owned);
		sock_pump(s);
	}
}

void
owner_free_all(void)
{
	struct client	*c;
	struct sock	*s;

	while ((s = sock_next(NULL)) != NULL)
		sock_close(s, NULL);
	while ((c = client_next(NULL)) != NULL) {
		connection_lost(c, "the daemon ends");
		c->expected = false;
		while (!TAILQ_EMPTY(&c->socks))
			sock_close(TAILQ_FIRST(&c->socks), NULL);
		client_end(c);
	}
	sock_free_all();
}
