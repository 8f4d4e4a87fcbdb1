/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which associations are watched, and when each is looked at.
 *
 * libevent keeps the timers in a heap, and an association without a wait has
 * none. So the work does not grow with the number of associations, but with what
 * happens to them. Where very many have something to wait for, each is looked at
 * less often, so that there are at most LOOKS_A_MS looks.
 */
#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "proto/addr.h"
#include "rpc/call.h"
#include "rpc/turn.h"
#include "socket/assoc.h"
#include "socket/sock.h"
#include "util/loop.h"
#include "util/mem.h"
#include "watch/ask.h"
#include "watch/primary.h"
#include "watch/stall.h"
#include "watch/watch.h"

#define LOOKS_A_MS	4
#define COST		(sizeof(struct watch) + MALLOC_EXTRA)

static size_t waiting;		/* how many timers run */

/* ---- life ------------------------------------------------------------ */

static struct watch *
of(struct assoc *a)
{
	return (struct watch *)(void *)a->watched;
}

static void
stop_timer(struct watch *w)
{
	if (!evtimer_pending(&w->timer, NULL))
		return;
	(void)evtimer_del(&w->timer);
	waiting--;
}

static void
watch_free(struct assoc *a)
{
	struct watch	*w = of(a);

	stop_timer(w);
	user_discharge(w->user, CHARGE_MEMORY, COST);
	(void)user_put(w->user);
	free(w);
	a->watched = NULL;
}

static void watch_on_time(evutil_socket_t, short, void *);

static struct watch *
watch_new(struct assoc *a)
{
	struct watch	*w = xcalloc(1, sizeof *w);

	w->assoc = a;
	w->kept.free = watch_free;
	w->user = user_get(user_uid(a->user));
	user_charge(w->user, CHARGE_MEMORY, COST);
	(void)evtimer_assign(&w->timer, loop_base(), watch_on_time, w);
	a->watched = &w->kept;
	return w;
}

/* The association's user may have changed. */
static void
charge_anew(struct watch *w)
{
	struct user	*was = w->user;

	if (w->user == w->assoc->user)
		return;
	w->user = user_get(user_uid(w->assoc->user));
	user_charge(w->user, CHARGE_MEMORY, COST);
	user_discharge(was, CHARGE_MEMORY, COST);
	(void)user_put(was);
}

/* ---- looking --------------------------------------------------------- */

static bool
is_wanted(const struct assoc *a)
{
	return a->state == ASSOC_UP && a->sock != NULL && !a->unwanted &&
	    (a->sock->own.paths.on || a->sock->own.stall.time >= 0);
}

static void
look_again(struct watch *w, uint64_t ms)
{
	struct timeval	tv;

	ms += waiting / LOOKS_A_MS;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (evtimer_add(&w->timer, &tv) == 0)
		waiting++;
}

static void
look(struct watch *w)
{
	uint64_t	paths = primary_look(w), stall = stall_look(w);
	uint64_t	next = paths < stall ? paths : stall;

	stop_timer(w);
	if (next != NO_MORE_LOOKS)
		look_again(w, next);
}

/* Something happened to it. */
static void
watch_marked(struct assoc *a)
{
	if (!is_wanted(a)) {
		if (a->watched == NULL)
			return;
		if (a->sock != NULL && a->state == ASSOC_UP)
			stall_end(of(a));
		watch_free(a);
		assoc_changed(a);
		return;
	}
	if (a->watched == NULL)
		watch_new(a)->fresh = true;
	charge_anew(of(a));
	look(of(a));
}

/* Its socket may be closed by now, and that it is marked not be dealt with. */
static void
watch_on_time(evutil_socket_t fd, short what, void *arg)
{
	struct watch	*w = arg;

	(void)fd, (void)what;
	waiting--;
	watch_marked(w->assoc);
}

void
watch_init(void)
{
	assoc_give_marked(watch_marked);
}

void
watch_restore(struct assoc *a, const struct assoc_record *k)
{
	struct watch	*w;

	assoc_mark(a);
	if (!is_wanted(a))
		return;
	w = watch_new(a);
	w->kept.stalled = k->stalled;
	w->kept.wanted = k->wanted;
	w->kept.penalty = k->penalty;
	w->kept.penalty_at = k->penalty_at;
	w->kept.damped = k->damped;
}

/* ---- options --------------------------------------------------------- */

/* What it costs to set the most options of each association: see rpc/turn.h. */
#define OPTIONS_SET	4
#define TIME_LEAST	1000
#define DAY		86400000
#define HOUR		3600000

static bool
is_paths(const struct sockopt *o)
{
	return o->level == LEVEL_STORED && o->optname == offsetof(struct sockopt_own, paths);
}

static bool
is_stall(const struct sockopt *o)
{
	return o->level == LEVEL_STORED && o->optname == offsetof(struct sockopt_own, stall);
}

static enum error
check_stall(const struct sockopt_stall *v)
{
	if (v->time >= 0 && (v->time < TIME_LEAST || v->time > DAY))
		return call_fail(ERR_einval, "stall.time: %lld ms; it takes %d to %d, or infinity",
		    (long long)v->time, TIME_LEAST, DAY);
	if (v->abort && v->time < 0)
		return call_fail(ERR_einval, "stall.abort: nothing is aborted without a time; give time, too");
	return ERR_OK;
}

static enum error
check_paths(const struct sock *s, const struct sockopt_paths *v)
{
	struct sockaddr_storage	 addr = v->primary;
	char			 text[ADDR_TEXT];
	const struct in6_addr	*six = &((const struct sockaddr_in6 *)&addr)->sin6_addr;
	const struct in_addr	*four = &((const struct sockaddr_in *)&addr)->sin_addr;

	addr_unmap(&addr);
	if (addr.ss_family == AF_INET6 && s->family == AF_INET)
		return call_fail(ERR_einval, "path_manager.primary: %s is no address of an inet socket's peer",
		    addr_text(&addr, text));
	if ((addr.ss_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(six)) ||
	    (addr.ss_family == AF_INET && (IN_MULTICAST(ntohl(four->s_addr)) || four->s_addr == INADDR_BROADCAST)))
		return call_fail(ERR_einval, "path_manager.primary: %s is no address of one host",
		    addr_text(&addr, text));
	if (v->half_life < 0 || v->half_life > HOUR)
		return call_fail(ERR_einval, "path_manager.half_life: it takes 0 to %d ms", HOUR);
	if (v->wait > DAY)
		return call_fail(ERR_einval, "path_manager.return: %lld ms; it takes 0 to %d, or infinity",
		    (long long)v->wait, DAY);
	return ERR_OK;
}

static enum error
set_paths(struct sock *s, const struct sockopt_paths *v)
{
	int	number = 0;

	turn_cost(OPTIONS_SET * s->assocs.count);
	if (v->on && !s->own.paths.on && (number = ask_show_failing(s)) == ENOPROTOOPT)
		number = 0;		/* a kernel before 5.5 shows them as it does */
	if (number == 0 && v->failover == FAILOVER_FAST)
		number = ask_fast_failover(s);
	if (number != 0)
		return call_fail(error_from_errno(number), "path_manager: %s", strerror(number));
	return ERR_OK;
}

/* Another path is wanted from now on. */
static void
take_at_once(struct sock *s)
{
	struct assoc	*a = NULL;

	while ((a = assoc_next(s, a)) != NULL) {
		if (a->watched != NULL)
			of(a)->fresh = true;
	}
}

enum error
watch_option(struct sock *s, const struct sockopt *o, const struct sockopt_own *new)
{
	enum error	e;

	if (is_stall(o))
		return check_stall(&new->stall);
	if (!is_paths(o))
		return ERR_OK;
	if ((e = check_paths(s, &new->paths)) != ERR_OK)
		return e;
	if ((e = set_paths(s, &new->paths)) == ERR_OK &&
	    memcmp(&s->own.paths.primary, &new->paths.primary, sizeof new->paths.primary) != 0)
		take_at_once(s);
	return e;
}

void
watch_option_set(struct sock *s, const struct sockopt *o)
{
	struct assoc	*a = NULL;

	if (addr_is_any(&s->own.paths.primary))
		memset(&s->own.paths.primary, 0, sizeof s->own.paths.primary);
	while ((is_paths(o) || is_stall(o)) && (a = assoc_next(s, a)) != NULL)
		assoc_mark(a);
}
