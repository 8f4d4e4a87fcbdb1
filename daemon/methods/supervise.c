/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods about supervised associations.
 */
#include <stdio.h>
#include <string.h>

#include "limits/drain.h"
#include "methods/arguments.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/addr.h"
#include "proto/codec.h"
#include "rpc/connection.h"
#include "rpc/turn.h"
#include "socket/deliver.h"
#include "socket/owner.h"
#include "stack/stack.h"
#include "supervise/supervise.h"

#define SUPERVISE_UNITS	64	/* see rpc/turn.h */
#define LOOKED_A_UNIT	16

/* ---- which one ------------------------------------------------------- */

static enum error
find(struct slice name, struct supervised **v)
{
	turn_cost(supervised_count() / LOOKED_A_UNIT);
	if ((*v = supervised_find(name)) != NULL)
		return ERR_OK;
	return call_fail(ERR_enoent, "name: there is no supervised association \"%.*s\"; the method supervised lists them",
	    name.len > WANTED_NAME ? WANTED_NAME : (int)name.len, name.ptr);
}

/* May the caller change it? */
static enum error
find_own(const struct call *call, struct slice name, struct supervised **v)
{
	enum error	e = find(name, v);

	if (e != ERR_OK || client_may_use(call->client, (*v)->home->uid) || policy_is_admin(call->client->uid))
		return e;
	return call_fail(ERR_eacces, "name: %s belongs to user %u, and you are user %u, and no administrator",
	    (*v)->name, (unsigned)(*v)->home->uid, (unsigned)call->client->uid);
}

static bool
may_see(const struct call *call, const struct supervised *v)
{
	return policy_may_see(call->client, v->home->uid) || supervised_may_attach(v, call->client);
}

/* ---- making and ending it -------------------------------------------- */

static enum error
there_is_one(const struct call *call, const struct supervised *v, const msgpack_sbuffer *b,
    struct rpc_supervise_out *out)
{
	if (v->config || v->home->uid != call->client->uid || b->size != v->len || memcmp(b->data, v->map, v->len) != 0)
		return call_fail(ERR_ealready, "name: there is a supervised association %s, %s", v->name,
		    v->config ? "in the configuration" : "with other arguments or of another user; unsupervise ends it");
	out->sock = v->sock != NULL ? v->sock->node.key : 0;
	return ERR_OK;
}

static enum error
add(const struct call *call, const msgpack_sbuffer *b, struct rpc_supervise_out *out)
{
	struct user		*u = call->client->account.user;
	struct supervised	*v;
	enum error		 e;

	if ((e = find_room(u, CHARGE_SOCKETS, 1)) != ERR_OK ||
	    (e = find_room(u, CHARGE_MEMORY, supervised_cost(b->size) + sizeof(struct client))) != ERR_OK)
		return e;
	turn_cost(SUPERVISE_UNITS);
	v = supervised_add(b->data, b->size, call->client->uid, false);
	out->sock = v->sock != NULL ? v->sock->node.key : 0;
	return ERR_OK;
}

enum error
handle_supervise(struct call *call, const struct rpc_supervise_in *in, struct rpc_supervise_out *out)
{
	struct supervised	*v;
	struct errtext		 err;
	msgpack_sbuffer		 b;
	enum error		 e;

	if (!wanted_check(in, false, &err))
		return call_fail(ERR_badarg, "%s: %s", err.path, err.why);
	if ((e = policy_port(call->client->uid, in->local_port)) != ERR_OK)
		return e;
	turn_cost(supervised_count() / LOOKED_A_UNIT);
	msgpack_sbuffer_init(&b);
	wanted_pack(&b, in, WANTED_ALL);
	v = supervised_find(in->name);
	e = v != NULL ? there_is_one(call, v, &b, out) : add(call, &b, out);
	msgpack_sbuffer_destroy(&b);
	return e;
}

enum error
handle_unsupervise(struct call *call, const struct rpc_unsupervise_in *in, struct rpc_unsupervise_out *out)
{
	struct supervised	*v;
	enum error		 e;

	(void)out;
	if ((e = find_own(call, in->name, &v)) != ERR_OK)
		return e;
	if (v->config)
		return call_fail(ERR_einval, "name: %s stands in the configuration; remove it there, or use down", v->name);
	supervised_remove(v, "removed by a client");
	return ERR_OK;
}

enum error
handle_up(struct call *call, const struct rpc_up_in *in, struct rpc_up_out *out)
{
	struct supervised	*v;
	enum error		 e;

	(void)out;
	if ((e = find_own(call, in->name, &v)) != ERR_OK)
		return e;
	turn_cost(SUPERVISE_UNITS);
	supervised_up(v, "a client takes it up");
	return ERR_OK;
}

enum error
handle_down(struct call *call, const struct rpc_down_in *in, struct rpc_down_out *out)
{
	struct supervised	*v;
	enum error		 e;

	(void)out;
	if ((e = find_own(call, in->name, &v)) != ERR_OK)
		return e;
	turn_cost(SUPERVISE_UNITS);
	supervised_down(v, "a client took it down");
	return ERR_OK;
}

/* ---- owning it ------------------------------------------------------- */

static enum error
may_attach(const struct call *call, const struct supervised *v, bool take)
{
	const struct client	*owner = v->sock != NULL ? v->sock->owner : NULL;

	if (!supervised_may_attach(v, call->client))
		return call_fail(ERR_eacces, "name: %s: its attach does not name you, user %u", v->name,
		    (unsigned)call->client->uid);
	if (v->down)
		return call_fail(ERR_enotconn, "name: %s is down; the method up ends that", v->name);
	if (owner == NULL)
		return call_fail(ERR_eagain, "name: %s has no socket yet: %s", v->name, v->why);
	if (owner == v->home || owner == call->client)
		return ERR_OK;
	if (!take || !client_may_use(call->client, owner->uid))
		return call_fail(ERR_ebusy, "name: %s: client %llu of user %u is attached; %s", v->name,
		    (unsigned long long)owner->node.key, (unsigned)owner->uid,
		    take ? "only its user may take it" : "its user may take it, with take: true");
	if (v->sock->lent)
		return call_fail(ERR_einval, "name: %s: its socket is lent", v->name);
	return ERR_OK;
}

static enum error
find_room_for(const struct call *call, const struct sock *s)
{
	const struct user	*u = call->client->account.user;
	enum error		 e;

	if (s->owner == call->client || s->uid == call->client->uid)
		return ERR_OK;
	if ((e = find_room(u, CHARGE_SOCKETS, 1)) != ERR_OK)
		return e;
	return find_room(u, CHARGE_ASSOCIATIONS, s->assocs.count);
}

/* Set the options before it changes hands, so that a wrong one changes no owner. Nothing is delivered meanwhile. */
static enum error
set_options(const struct call *call, struct sock *s, const msgpack_object *o)
{
	enum active_mode	active = s->active;
	int32_t			count = s->count;
	enum error		e;

	s->passing = true;
	e = find_and_set_options(call, s, o);
	s->passing = false;
	if (e == ERR_OK)
		return e;
	s->active = active;
	s->count = count;
	sock_pump(s);
	return e;
}

/* Who loses it is told, too. */
static void
become_owner(const struct call *call, struct sock *s)
{
	struct client		*was = s->owner;
	struct event_owner	 e = { .owner = call->client->node.key, .was = was->node.key };

	if (was == call->client) {
		sock_pump(s);
		return;
	}
	if (s->uid != call->client->uid)
		sock_set_user(s, call->client->uid);
	call->client->events = true;
	sock_give(s, call->client);
	if (was != s->home && !was->away)
		client_tell(was, EVENT_owner, s->node.key, &e);
}

enum error
handle_attach(struct call *call, const struct rpc_attach_in *in, struct rpc_attach_out *out)
{
	struct supervised	*v;
	struct assoc		*a;
	const char		*state;
	enum error		 e;

	if ((e = find(in->name, &v)) != ERR_OK || (v->sock != NULL && (e = find_not_grouped(v->sock)) != ERR_OK) ||
	    (e = may_attach(call, v, in->take)) != ERR_OK)
		return e;
	turn_cost(SUPERVISE_UNITS);
	if ((e = find_room_for(call, v->sock)) != ERR_OK)
		return e;
	out->waiting = v->sock->npending;
	if (RPC_HAS(in, attach, options) && (e = set_options(call, v->sock, in->options.obj)) != ERR_OK)
		return e;
	become_owner(call, v->sock);
	a = supervised_assoc(v);
	state = supervised_state_name(v);
	out->sock = v->sock->node.key;
	out->state = (struct slice){ state, (uint32_t)strlen(state) };
	out->associations = v->sock->assocs.count;
	out->assoc_id = a != NULL ? assoc_id(a) : 0;
	out->outbound_streams = a != NULL ? a->outbound : 0;
	out->inbound_streams = a != NULL ? a->inbound : 0;
	return ERR_OK;
}

enum error
handle_detach(struct call *call, const struct rpc_detach_in *in, struct rpc_detach_out *out)
{
	struct supervised	*v;
	enum error		 e;

	(void)out;
	if ((e = find(in->name, &v)) != ERR_OK)
		return e;
	if (v->sock == NULL || v->sock->owner != call->client)
		return call_fail(ERR_not_owner, "name: %s: you are not attached", v->name);
	if ((e = find_not_grouped(v->sock)) != ERR_OK)
		return e;
	sock_take_back(v->sock);
	sock_go_home(v->sock);
	return ERR_OK;
}

/* ---- lists ----------------------------------------------------------- */

static void
pack_one(msgpack_packer *pk, const struct supervised *v)
{
	uint64_t	now = supervise_now();

	msgpack_pack_map(pk, 12);
	codec_pack_string(pk, "name", v->name);
	codec_pack_string(pk, "role", supervise_role_words[v->role].name);
	codec_pack_string(pk, "state", supervised_state_name(v));
	codec_pack_number(pk, "since", now - v->since);
	codec_pack_number(pk, "attempts", v->attempts);
	codec_pack_number(pk, "next", v->state == SUPERVISED_WAITING && v->next > now ? v->next - now : 0);
	codec_pack_string(pk, "reason", v->why);
	codec_pack_number(pk, "sock", v->sock != NULL ? v->sock->node.key : 0);
	codec_pack_number(pk, "associations", v->sock != NULL ? v->sock->assocs.count : 0);
	codec_pack_number(pk, "owner", supervised_is_attached(v) ? v->sock->owner->node.key : 0);
	codec_pack_number(pk, "uid", v->home->uid);
	codec_pack_text(pk, "config");
	(void)(v->config ? msgpack_pack_true(pk) : msgpack_pack_false(pk));
}

enum error
handle_supervised(struct call *call, const struct rpc_supervised_in *in, struct rpc_supervised_out *out)
{
	struct supervised	*v = NULL, *only = NULL;
	msgpack_packer		*pk;
	uint32_t		 n = 0;
	enum error		 e;

	(void)out;
	if (RPC_HAS(in, supervised, name) && (e = find(in->name, &only)) != ERR_OK)
		return e;
	turn_cost(2 * supervised_count());
	while ((v = supervised_next(v)) != NULL)
		n += (only == NULL || only == v) && may_see(call, v);
	pk = call_reply_begin(call);
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "supervised");
	msgpack_pack_array(pk, n);
	while ((v = supervised_next(v)) != NULL) {
		if ((only == NULL || only == v) && may_see(call, v))
			pack_one(pk, v);
	}
	return CALL_ANSWERED;
}

/* ---- explain --------------------------------------------------------- */

/* What will probably go wrong: texts, packed one behind the other. */
struct problems {
	msgpack_sbuffer	b;
	msgpack_packer	pk;
	uint32_t	n;
};

static void
problem(struct problems *p, const char *text)
{
	codec_pack_text(&p->pk, text);
	p->n++;
}

static void
complain(void *arg, struct slice item, const char *why)
{
	char	text[200];

	(void)snprintf(text, sizeof text, "local: %.*s: %s", item.len > 64 ? 64 : (int)item.len, item.ptr, why);
	problem(arg, text);
}

/* The address of the peer that the INIT goes to; false: that is a name's. */
static bool
first_peer(const struct rpc_supervise_in *in, struct sockaddr_storage *peer)
{
	struct slice	item;

	if (in->role == ROLE_LISTEN)
		return false;
	if (RPC_HAS(in, supervise, primary) && addr_parse(in->primary.ptr, in->primary.len, peer))
		return true;
	item = wanted_item(&in->peer, 0);
	return addr_parse(item.ptr, item.len, peer);
}

/* A stack that does not offer by scope names none in its INIT, and sends from all of them. */
static size_t
explain_offer(struct problems *p, const struct rpc_supervise_in *in, struct sockaddr_storage *local, size_t n)
{
	struct sockaddr_storage	peer;
	bool			offered[LOCAL_ADDRS];
	char			addr[ADDR_TEXT], there[ADDR_TEXT], text[240];
	size_t			left = 0;

	if (!stack->offers_by_scope || !first_peer(in, &peer))
		return n;
	local_offered(local, n, &peer, offered);
	for (size_t i = 0; i < n; i++) {
		if (offered[i]) {
			local[left++] = local[i];
			continue;
		}
		(void)snprintf(text, sizeof text,
		    "local: %s is not offered: it reaches less far than the peer's %s (net.sctp.addr_scope_policy)",
		    addr_text(&local[i], addr), addr_text(&peer, there));
		problem(p, text);
	}
	if (left == 0 && n > 0)
		problem(p, "local: no address is left to be offered: the attempt will fail");
	return left;
}

static void
explain_local(struct problems *p, msgpack_packer *pk, const struct rpc_supervise_in *in,
    struct sockaddr_storage *local, size_t n)
{
	char	addr[ADDR_TEXT], text[160];
	size_t	offered;

	for (size_t i = 0; i < n; i++) {
		if (local_is_ours(&local[i]))
			continue;
		(void)snprintf(text, sizeof text, "local: %s is not an address of this host", addr_text(&local[i], addr));
		problem(p, text);
	}
	offered = explain_offer(p, in, local, n);
	msgpack_pack_array(pk, (uint32_t)offered);
	for (size_t i = 0; i < offered; i++)
		codec_pack_text(pk, addr_text(&local[i], addr));
	if (n == 0 && in->local.obj == NULL)
		problem(p, "local: it is not given, and no route leads to an address of the peer that is known now");
}

/* Why the peer may not reach one of our addresses, or we not the peer. */
static void
explain_pair(struct problems *p, const struct sockaddr_storage *peer, const struct sockaddr_storage *local, size_t n)
{
	char	there[ADDR_TEXT], here[ADDR_TEXT], text[240];

	(void)addr_text(peer, there);
	for (size_t i = 0; i < n; i++) {
		(void)addr_text(&local[i], here);
		if (local_is_loopback(&local[i]) != local_is_loopback(peer))
			(void)snprintf(text, sizeof text, "%s and %s: one of them is a loopback address, which only its own host reaches", here, there);
		else if (local_is_private(&local[i]) && !local_is_private(peer) && !local_is_loopback(peer))
			(void)snprintf(text, sizeof text, "%s is private, and the peer's %s is not: the peer may not be able to reach it", here, there);
		else
			continue;
		problem(p, text);
	}
}

static const char *
explain_route(struct problems *p, const struct sockaddr_storage *peer, const struct sockaddr_storage *local, size_t n,
    char from_text[ADDR_TEXT])
{
	static char		text[200];
	struct sockaddr_storage	from;
	char			there[ADDR_TEXT];
	int			number = local_route(peer, &from);

	text[0] = from_text[0] = '\0';
	if (number != 0) {
		(void)snprintf(text, sizeof text, "peer: %s: the host has no route to it: %s", addr_text(peer, there), strerror(number));
		problem(p, text);
		return text;
	}
	(void)addr_text(&from, from_text);
	for (size_t i = 0; i < n; i++) {
		if (addr_equal(&local[i], &from))
			return text;
	}
	if (n > 0) {
		(void)snprintf(text, sizeof text, "peer: %s: the route to it leads from %s, which is not among the local addresses",
		    addr_text(peer, there), from_text);
		problem(p, text);
	}
	return text;
}

static void
explain_peers(struct problems *p, msgpack_packer *pk, const struct rpc_supervise_in *in,
    const struct sockaddr_storage *local, size_t n)
{
	struct sockaddr_storage	peer;
	char			from[ADDR_TEXT], name[256];
	const char		*why;
	struct slice		item;

	msgpack_pack_array(pk, wanted_count(&in->peer));
	for (uint32_t i = 0; i < wanted_count(&in->peer); i++) {
		item = wanted_item(&in->peer, i);
		(void)snprintf(name, sizeof name, "%.*s", (int)item.len, item.ptr);
		from[0] = '\0';
		why = "a name, which is looked up before each attempt";
		if (addr_parse(item.ptr, item.len, &peer)) {
			why = explain_route(p, &peer, local, n, from);
			explain_pair(p, &peer, local, n);
		}
		msgpack_pack_map(pk, 3);
		codec_pack_string(pk, "peer", name);
		codec_pack_string(pk, "from", from);
		codec_pack_string(pk, "problem", why);
	}
}

static void
explain(struct problems *p, msgpack_packer *pk, struct supervised *v, const struct rpc_supervise_in *in)
{
	struct sockaddr_storage	 local[LOCAL_ADDRS], offered[LOCAL_ADDRS];
	const char		*why = supervised_try_open(v);
	char			 text[240];
	size_t			 n;

	if (why != NULL)
		problem(p, why);
	if (drain_is_on())
		problem(p, "an administrator drains sctpd: it takes no new associations");
	if (v->state == SUPERVISED_WAITING && v->why[0] != '\0' && (why == NULL || strcmp(why, v->why) != 0)) {
		(void)snprintf(text, sizeof text, "the last attempt: %s", v->why);
		problem(p, text);
	}
	supervised_local(in, local, &n, complain, p);
	codec_pack_text(pk, "local");
	memcpy(offered, local, n * sizeof *local);
	explain_local(p, pk, in, offered, n);
	codec_pack_text(pk, "routes");
	explain_peers(p, pk, in, local, n);
}

enum error
handle_explain(struct call *call, const struct rpc_explain_in *in, struct rpc_explain_out *out)
{
	struct supervised	*v;
	struct problems		 p = { .n = 0 };
	struct wanted		 w;
	struct errtext		 err;
	msgpack_packer		*pk;
	enum error		 e;

	(void)out;
	if ((e = find(in->name, &v)) != ERR_OK)
		return e;
	if (!may_see(call, v))
		return call_fail(ERR_eacces, "name: %s belongs to user %u, and you are user %u", v->name,
		    (unsigned)v->home->uid, (unsigned)call->client->uid);
	turn_cost(10 * SUPERVISE_UNITS);	/* the kernel lists the host's addresses several times */
	msgpack_sbuffer_init(&p.b);
	msgpack_packer_init(&p.pk, &p.b, msgpack_sbuffer_write);
	(void)wanted_read(&w, v->map, v->len, &err);
	pk = call_reply_begin(call);
	msgpack_pack_map(pk, 3);
	explain(&p, pk, v, &w.in);
	codec_pack_text(pk, "problems");
	msgpack_pack_array(pk, p.n);
	if (p.n > 0)
		(void)pk->callback(pk->data, p.b.data, p.b.size);
	wanted_free(&w);
	msgpack_sbuffer_destroy(&p.b);
	return CALL_ANSWERED;
}
