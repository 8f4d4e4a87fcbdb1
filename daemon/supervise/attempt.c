/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses, names, and the INIT: see attempt.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits/drain.h"
#include "lines.h"
#include "proto/addr.h"
#include "socket/assoc.h"
#include "socket/deliver.h"
#include "socket/resolve.h"
#include "supervise/attempt.h"
#include "supervise/socket.h"
#include "supervise/wanted.h"
#include "util/counter.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define BLOCKED_MS	1000	/* between two looks at an association that nobody reads */

/* The names of a peer, while they are looked up one after another. */
struct attempt {
	struct resolve		*resolve;
	struct wanted		 w;
	uint32_t		 at;		/* the item */
	size_t			 n;
	bool			 more;		/* than there is room for */
	struct sockaddr_storage	 addrs[LOCAL_ADDRS];
	char			 why[120];
};

void
attempt_end(struct supervised *v)
{
	if (v->attempt == NULL)
		return;
	if (v->attempt->resolve != NULL) {
		(void)resolve_cancel(v->attempt->resolve);
		user_discharge(v->home->account.user, CHARGE_LOOKUPS, 1);
	}
	wanted_free(&v->attempt->w);
	account_discharge(&v->home->account, sizeof *v->attempt);
	free(v->attempt);
	v->attempt = NULL;
}

uint64_t
attempt_pause(const struct supervised *v)
{
	uint64_t	ms = v->backoff_min;
	uint32_t	chance, less;

	for (uint32_t i = 0; i < v->attempts && ms < v->backoff_max; i++)
		ms *= 2;
	if (ms > v->backoff_max)
		ms = v->backoff_max;
	random_fill(&chance, sizeof chance);
	less = (uint32_t)(ms * v->jitter / 100);
	return ms - (less > 0 ? chance % (less + 1) : 0);
}

void
attempt_wait(struct supervised *v, uint64_t ms)
{
	struct timeval	tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	v->next = supervise_now() + ms;
	(void)evtimer_add(&v->timer, &tv);
}

void
attempt_later(struct supervised *v, const char *why)
{
	attempt_end(v);
	(void)snprintf(v->why, sizeof v->why, "%s", why);
	COUNT(supervised_lost, 1);
	attempt_wait(v, attempt_pause(v));
	supervised_say(v, LINE_supervised_waiting, v->why);
	v->attempts++;
	supervised_enter(v, SUPERVISED_WAITING);
}

void
attempt_is_up(struct supervised *v)
{
	(void)evtimer_del(&v->timer);
	attempt_end(v);
	v->next = 0;
	COUNT(supervised_up, 1);
	supervised_say(v, LINE_supervised_up, "");
	v->attempts = 0;
	supervised_enter(v, SUPERVISED_UP);
}

/* ---- connecting ------------------------------------------------------ */

/* The addresses that the socket can talk to, the wanted primary first. */
static size_t
order_peers(const struct supervised *v, const struct rpc_supervise_in *in, struct sockaddr_storage *addrs, size_t n)
{
	struct sockaddr_storage	primary = { .ss_family = AF_UNSPEC }, ss;
	size_t			m = 0;

	if (RPC_HAS(in, supervise, primary))
		(void)addr_parse(in->primary.ptr, in->primary.len, &primary);
	for (size_t i = 0; i < n; i++) {
		if (v->sock->family == AF_INET && addrs[i].ss_family != AF_INET)
			continue;
		ss = addrs[i];
		if (addr_equal(&ss, &primary)) {
			memmove(addrs + 1, addrs, m * sizeof *addrs);
			addrs[0] = ss;
		} else
			addrs[m] = ss;
		m++;
	}
	for (size_t i = 0; i < m; i++)
		addr_set_port(&addrs[i], in->peer_port);
	return m;
}

static void
call_peer(struct supervised *v, const struct rpc_supervise_in *in, struct sockaddr_storage *addrs, size_t n)
{
	struct assoc	*a;
	const char	*why;
	char		 text_of[200];
	int		 number;

	if ((why = supervised_open(v, in, addrs, n)) == NULL && (n = order_peers(v, in, addrs, n)) == 0)
		why = "the peer has no address of the family of the local addresses";
	if (why == NULL)
		why = budget_no_room(v->sock->user);
	if (why != NULL) {
		(void)snprintf(text_of, sizeof text_of, "%s", why);
		attempt_later(v, text_of);
		return;
	}
	COUNT(supervised_attempts, 1);
	if ((number = stack->connect(v->sock, addrs, n, &a)) != 0 && number != EISCONN && number != EALREADY) {
		(void)snprintf(text_of, sizeof text_of, "connect: %s", strerror(number));
		attempt_later(v, text_of);
		return;
	}
	attempt_end(v);
	sock_pump(v->sock);
}

static void go_on(struct supervised *);

static void
looked_up(void *arg, const struct sockaddr_storage *addrs, size_t n, const char *why)
{
	struct supervised	*v = arg;
	struct attempt		*t = v->attempt;
	struct slice		 name = wanted_item(&t->w.in.peer, t->at);

	t->resolve = NULL;
	user_discharge(v->home->account.user, CHARGE_LOOKUPS, 1);
	if (n == 0)
		(void)snprintf(t->why, sizeof t->why, "peer: %.*s: %s", (int)name.len, name.ptr, why);
	t->more = t->more || n > LOCAL_ADDRS - t->n;
	for (size_t i = 0; i < n && t->n < LOCAL_ADDRS; i++)
		t->addrs[t->n++] = addrs[i];
	t->at++;
	go_on(v);
}

/* Look up the next name; when there is none left, call. */
static void
go_on(struct supervised *v)
{
	struct attempt		*t = v->attempt;
	struct slice		 item;
	const struct sock	*s = v->sock;
	char			 why[120];

	for (; t->at < wanted_count(&t->w.in.peer) && t->n < LOCAL_ADDRS; t->at++) {
		item = wanted_item(&t->w.in.peer, t->at);
		if (addr_parse(item.ptr, item.len, &t->addrs[t->n])) {
			t->n++;
			continue;
		}
		if (!user_may(v->home->account.user, CHARGE_LOOKUPS, 1)) {
			(void)snprintf(t->why, sizeof t->why, "%s", user_why_not(v->home->account.user, CHARGE_LOOKUPS, 1));
			continue;
		}
		user_charge(v->home->account.user, CHARGE_LOOKUPS, 1);
		t->resolve = resolve_start(v->home->account.user, item.ptr, item.len,
		    s != NULL ? s->family : AF_UNSPEC, looked_up, v);
		return;
	}
	if ((t->more || t->at < wanted_count(&t->w.in.peer)) && log_allowed(LOG_NOTICE, "supervised addresses"))
		log_notice("supervised %s: its peer has more than %d addresses: the others are left out", v->name, LOCAL_ADDRS);
	if (t->n > 0) {
		call_peer(v, &t->w.in, t->addrs, t->n);
		return;
	}
	(void)snprintf(why, sizeof why, "%s", t->why);
	attempt_later(v, why);
}

void
attempt_begin(struct supervised *v)
{
	struct attempt	*t;
	struct errtext	 err;
	const char	*why;

	(void)evtimer_del(&v->timer);
	attempt_end(v);
	v->next = 0;
	if (drain_is_on()) {
		attempt_later(v, "an administrator drains sctpd: it takes no new associations");
		return;
	}
	t = v->attempt = xcalloc(1, sizeof *t);
	account_charge(&v->home->account, sizeof *t);
	if (!wanted_read(&t->w, v->map, v->len, &err)) {
		attempt_later(v, err.why);
		return;
	}
	if (v->role == ROLE_LISTEN) {
		if ((why = supervised_open(v, &t->w.in, NULL, 0)) != NULL) {
			attempt_later(v, why);
			return;
		}
		attempt_end(v);
		v->attempts = 0;
		v->why[0] = '\0';
		supervised_enter(v, SUPERVISED_LISTENING);
		return;
	}
	supervised_enter(v, SUPERVISED_CONNECTING);
	go_on(v);
}

/* Does the stack still have all of its associations? */
static bool
are_all_there(struct supervised *v)
{
	static const struct sockopt	*o;
	_Alignas(8) char		 value[SOCKOPT_MAX];
	struct assoc			*a = NULL;
	uint32_t			 id;

	if (o == NULL)
		o = sockopt_find("sctp_status", 11);
	while ((a = assoc_next(v->sock, a)) != NULL) {
		id = assoc_id(a);
		memset(value, 0, sizeof value);
		memcpy(value + sockopt_assoc(o)->offset, &id, sizeof id);
		if (a->state == ASSOC_UP && stack->getopt(v->sock, o, value) != 0)
			return false;
	}
	return true;
}

void
attempt_look_later(struct supervised *v)
{
	attempt_wait(v, BLOCKED_MS);
}

/* ---- its timer ------------------------------------------------------- */

/*
 * A message waits, and nobody reads it. What the stack says of the
 * association's end stands behind what follows it: that is read when the end is seen.
 */
static void
look(struct supervised *v)
{
	if (v->sock->npending_data == 0)
		return;
	if (!v->sock->finish && !are_all_there(v))
		v->sock->finish = true;
	sock_pump(v->sock);
	if (v->state == SUPERVISED_UP)
		attempt_look_later(v);
}

void
attempt_on_timer(struct supervised *v)
{
	if (v->state == SUPERVISED_UP) {
		look(v);
		return;
	}
	if (v->sock != NULL && v->role == ROLE_CONNECT && !supervised_is_free(v)) {
		v->sock->finish = true;
		sock_pump(v->sock);
		attempt_wait(v, v->backoff_min);
		return;
	}
	if (v->sock != NULL)
		v->sock->finish = false;
	attempt_begin(v);
}
