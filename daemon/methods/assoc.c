/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods that make and end associations.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "limits/drain.h"
#include "methods/admin.h"
#include "methods/arguments.h"
#include "methods/bind.h"
#include "methods/handler.h"
#include "proto/addr.h"
#include "rpc/turn.h"
#include "socket/deliver.h"
#include "socket/ending.h"
#include "socket/owner.h"
#include "socket/report.h"
#include "socket/upcall.h"
#include "socket/resolve.h"
#include "util/mem.h"

#define CONNECT_UNITS	64	/* see rpc/turn.h */

static enum error
connect_failed(int number, const struct sockaddr_storage *peer)
{
	char	text[ADDR_TEXT];

	(void)addr_text(peer, text);
	switch (number) {
	case EISCONN:
		return call_fail(ERR_eisconn, "%s:%u: the socket has an association with it already",
		    text, addr_port(peer));
	case EALREADY:
		return call_fail(ERR_ealready, "%s:%u: an association with it is being set up",
		    text, addr_port(peer));
	default:
		return call_fail(error_from_errno(number), "%s:%u: %s", text,
		    addr_port(peer), strerror(number));
	}
}

/* The arguments of connect, connect_init and connectx_init. */
struct target {
	uint64_t		 sock;
	const msgpack_object	*addr;
	uint16_t		 port;
	const msgpack_object	*options;
	int64_t			 timeout;
	bool			 wait;		/* until it is up */
};

/*
 * Nobody waits for it any more: abandon the attempt. But a session may come back
 * and repeat the request, as it has no answer: it must find what it began.
 */
static void
connect_ended(struct call *call, enum call_end why)
{
	struct assoc	*a = call->waits_for;
	char		 who[REPORT_WHO];

	a->connect = NULL;
	a->asked = why == CALL_CLIENT_GONE && call->client->token[0] != '\0';
	a->sock->any_asked = a->sock->any_asked || a->asked;
	a->unwanted = !a->asked;
	assoc_changed(a);
	a->sock->connecting--;
	if (a->unwanted)
		(void)report_abort(a, NULL, 0, report_who(call->client, who), why == CALL_TIMED_OUT ?
		    "its connect waited as long as its time-out says" : "it is gone, and so is its connect");
	if (why == CALL_TIMED_OUT)
		call_finish_error(call, ERR_timeout,
		    "connect: the peer did not answer in time; the attempt was aborted");
	else
		call_forget(call);
}

static enum error
taken(const struct sock *s)
{
	return call_fail(ERR_eisconn, "sock %llu: it has an association already",
	    (unsigned long long)s->node.key);
}

/* May the socket connect at all? */
static enum error
may_connect(struct sock *s)
{
	const struct assoc	*a = s->many ? NULL : assoc_next(s, NULL);

	if (s->over)
		return call_fail(ERR_closed, "sock %llu: its association has ended; open another socket",
		    (unsigned long long)s->node.key);
	if (a != NULL && !a->asked)	/* otherwise this request may repeat its connect */
		return taken(s);
	if (s->listening && !s->many)
		return call_fail(ERR_einval, "sock %llu: a listening stream socket cannot connect",
		    (unsigned long long)s->node.key);
	return ERR_OK;
}

/* An association that was requested in an earlier process, and not answered. With none at all, that is not searched for each time. */
static struct assoc *
find_asked(struct sock *s, const struct sockaddr_storage *peer)
{
	struct assoc	*a = NULL;
	bool		 any = false;

	if (!s->any_asked)
		return NULL;
	while ((a = assoc_next(s, a)) != NULL) {
		any = any || a->asked;
		if (!a->asked || !addr_equal(&a->peer, peer) || a->state == ASSOC_OVER)
			continue;
		a->asked = false;
		assoc_changed(a);
		return a;
	}
	s->any_asked = any;
	return NULL;
}

static enum error
connect_to(struct sock *s, struct sockaddr_storage *addrs, size_t n, uint16_t port,
    struct assoc **a)
{
	enum error	 e;
	const char	*why;
	int		 number;

	for (size_t i = 0; i < n; i++)
		addr_set_port(&addrs[i], port);
	if ((*a = find_asked(s, &addrs[0])) != NULL)
		return ERR_OK;
	if (!s->many && assoc_next(s, NULL) != NULL)
		return taken(s);
	if ((e = may_connect(s)) != ERR_OK)
		return e;
	if (drain_is_on())
		return call_fail(ERR_eagain, "%s; the method drain with on: false ends that", upcall_no_room(s));
	if ((why = budget_no_room(s->user)) != NULL)
		return call_fail(ERR_limit, "%s", why);
	if ((e = bind_free(s)) != ERR_OK)
		return e;
	if ((number = stack->connect(s, addrs, n, a)) != 0)
		return connect_failed(number, &addrs[0]);
	return ERR_OK;
}

/* The association is being set up: decide who waits for what. */
static void
await_connect(struct call *kept, struct assoc *a)
{
	if (a->state == ASSOC_UP) {
		struct rpc_connect_out	out = {
			.state = { "comm_up", 7 },
			.outbound_streams = a->outbound,
			.inbound_streams = a->inbound,
			.assoc_id = assoc_id(a),
		};

		call_finish(kept, &out);	/* it came up while no daemon was running */
		return;
	}
	assoc_changed(a);
	a->sock->connecting++;
	a->connect = kept;
	kept->waits_for = a;
	kept->end = connect_ended;
	sock_pump(a->sock);
}

/* ---- by name -------------------------------------------------------- */

static void
lookup_ended(struct call *call, enum call_end why)
{
	lookup_free(call->waits_for);
	if (why == CALL_TIMED_OUT)
		call_finish_error(call, ERR_timeout, "addr: the name was not resolved in time");
	else
		call_forget(call);
}

/* The name is resolved: go on as if the addresses had been given. */
static enum error
go_on(struct lookup *l, const struct sockaddr_storage *addr)
{
	struct rpc_connect_init_out	 out = { .assoc_id = 0 };
	struct sockaddr_storage		 first = *addr;
	struct assoc			*a;
	enum error			 e;

	if ((e = connect_to(l->sock, &first, 1, l->port, &a)) != ERR_OK)
		return e;
	if (l->wait) {
		await_connect(l->call, a);
		return ERR_OK;
	}
	out.assoc_id = assoc_id(a);
	sock_pump(l->sock);
	call_finish(l->call, &out);
	return ERR_OK;
}

static void
lookup_done(void *arg, const struct sockaddr_storage *addrs, size_t n, const char *why)
{
	struct lookup	*l = arg;
	struct call	*call = l->call;
	enum error	 e;

	l->resolve = NULL;
	if (n == 0)
		call_finish_error(call, ERR_nxdomain, "addr: the name was not resolved: %s", why);
	else if ((e = go_on(l, &addrs[0])) != ERR_OK)
		call_finish_error(call, e, "%s", call_why());
	lookup_free(l);
}

static enum error
look_up(const struct call *call, const struct target *t, struct sock *s)
{
	size_t		 cost = sizeof(struct lookup) + 2 * MALLOC_EXTRA +
			    resolve_size(t->addr->via.str.size);
	struct account	*account = &call->client->account;
	struct lookup	*l;
	enum error	 e;

	if ((e = find_room(account->user, CHARGE_LOOKUPS, 1)) != ERR_OK ||
	    (e = find_room(account->user, CHARGE_MEMORY, cost + CALL_COST)) != ERR_OK)
		return e;
	l = xcalloc(1, sizeof *l);
	l->user = user_get(user_uid(account->user));
	l->cost = cost;
	user_charge(l->user, CHARGE_LOOKUPS, 1);
	user_charge(l->user, CHARGE_MEMORY, cost);
	l->sock = s;
	l->port = t->port;
	l->wait = t->wait;
	l->call = call_keep(call, t->timeout, lookup_ended, l);
	l->resolve = resolve_start(l->user, t->addr->via.str.ptr, t->addr->via.str.size,
	    s->family, lookup_done, l);
	LIST_INSERT_HEAD(&s->lookups, l, entry);
	return CALL_ANSWERED;
}

/* ---- all of them ---------------------------------------------------- */

/* ERR_OK with the association, or CALL_ANSWERED if that comes later. */
static enum error
begin_connect(const struct call *call, const struct target *t, struct assoc **a)
{
	struct sockaddr_storage	 addrs[FIND_ADDRS];
	struct sock		*s;
	enum error		 e;
	size_t			 n;

	turn_cost(CONNECT_UNITS);
	if ((e = find_sock(call, t->sock, &s)) != ERR_OK)
		return e;
	if (t->port == 0)
		return call_fail(ERR_einval, "port: 0 is not a port of a peer; it takes 1 to 65535");
	if (!find_is_name(t->addr) &&
	    (e = find_addrs(t->addr, "addr", false, s->family, addrs, &n)) != ERR_OK)
		return e;
	if ((e = may_connect(s)) != ERR_OK ||
	    (t->options != NULL && (e = find_and_set_options(call, s, t->options)) != ERR_OK))
		return e;
	if (find_is_name(t->addr))
		return look_up(call, t, s);
	if ((e = connect_to(s, addrs, n, t->port, a)) != ERR_OK)
		return e;
	if (!t->wait) {
		sock_pump(s);
		return ERR_OK;
	}
	await_connect(call_keep(call, t->timeout, connect_ended, *a), *a);
	return CALL_ANSWERED;
}

/* The methods' arguments have the same names; each has its own struct. */
#define TARGET(METHOD, WAIT) {						\
	.sock = in->sock, .addr = in->addr.obj, .port = in->port,	\
	.options = in->options.obj, .wait = (WAIT),			\
	.timeout = RPC_HAS(in, METHOD, timeout) ? in->timeout : -1 }

enum error
handle_connect(struct call *call, const struct rpc_connect_in *in, struct rpc_connect_out *out)
{
	struct target	 t = TARGET(connect, true);
	struct assoc	*a;

	(void)out;
	return begin_connect(call, &t, &a);
}

static enum error
begin_init(struct call *call, struct target *t, uint32_t *id)
{
	struct assoc	*a;
	enum error	 e = begin_connect(call, t, &a);

	if (e == ERR_OK)
		*id = assoc_id(a);
	return e;
}

enum error
handle_connect_init(struct call *call, const struct rpc_connect_init_in *in,
    struct rpc_connect_init_out *out)
{
	struct target	t = TARGET(connect_init, false);

	return begin_init(call, &t, &out->assoc_id);
}

enum error
handle_connectx_init(struct call *call, const struct rpc_connectx_init_in *in,
    struct rpc_connectx_init_out *out)
{
	struct target	t = TARGET(connectx_init, false);

	return begin_init(call, &t, &out->assoc_id);
}

enum error
handle_eof(struct call *call, const struct rpc_eof_in *in, struct rpc_eof_out *out)
{
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	return assoc_shut(a);
}

enum error
handle_abort(struct call *call, const struct rpc_abort_in *in, struct rpc_abort_out *out)
{
	char		 who[REPORT_WHO];
	struct sock	*s;
	struct assoc	*a;
	enum error	 e;

	(void)out;
	if ((e = admin_find_sock(call, in->sock, &s)) != ERR_OK ||
	    (e = find_assoc(s, in->assoc_id, &a)) != ERR_OK)
		return e;
	if (s->owner != call->client)
		return admin_abort(call->client, a, in->reason.ptr, in->reason.len);
	return assoc_abort(report_who(call->client, who), a, in->reason.ptr, in->reason.len);
}
