/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Methods of groups: who may make, join and change them.
 */
#include <string.h>

#include "group/member.h"
#include "group/share.h"
#include "group/spread.h"
#include "methods/arguments.h"
#include "methods/handler.h"
#include "methods/policy.h"
#include "proto/codec.h"
#include "proto/error.h"
#include "rpc/turn.h"
#include "socket/assoc.h"
#include "socket/deliver.h"

#define PRIORITY_MAX	1000
#define PRIORITY	100
#define SHARES_A_UNIT	16	/* see rpc/turn.h */

/* ---- arguments -------------------------------------------------------- */

static enum error
find_group(struct slice name, struct group **g)
{
	if ((*g = group_named(name.ptr, name.len)) != NULL)
		return ERR_OK;
	return call_fail(ERR_enoent, "name: there is no such group; the method groups lists them");
}

static bool
may_change(const struct client *c, const struct group *g)
{
	return client_may_use(c, g->sock->uid) || policy_is_admin(c->uid);
}

static enum error
check_may_change(const struct client *c, const struct group *g)
{
	if (may_change(c, g))
		return ERR_OK;
	return call_fail(ERR_eacces, "name: group \"%s\" belongs to user %u, and you are user %u",
	    g->name, (unsigned)g->sock->uid, (unsigned)c->uid);
}

/* The caller's membership, or that of another whom the caller may change. */
static enum error
find_member(const struct call *call, struct slice name, bool has_client, uint64_t client,
    struct member **m)
{
	struct client	*c = has_client ? client_find(client) : call->client;
	struct group	*g;
	enum error	 e;

	if ((e = find_group(name, &g)) != ERR_OK)
		return e;
	if (has_client && client != call->client->node.key && (e = check_may_change(call->client, g)) != ERR_OK)
		return e;
	if (c != NULL && (*m = group_find_member(g, c)) != NULL)
		return ERR_OK;
	if (has_client)
		return call_fail(ERR_badarg, "client %llu: it is no member of group \"%s\"",
		    (unsigned long long)client, g->name);
	return call_fail(ERR_einval, "name: you are no member of group \"%s\"; join makes you one", g->name);
}

/* ---- group ------------------------------------------------------------ */

static enum error
check_by(const struct rpc_group_in *in)
{
	bool	is_key = in->by >= GROUP_BY_PPID, has_by = RPC_HAS(in, group, by);

	if (in->policy == GROUP_SPREAD && (!has_by || !is_key))
		return call_fail(ERR_badarg, "by: with spread it takes ppid, stream or bytes");
	if (in->policy == GROUP_STICKY && is_key)
		return call_fail(ERR_badarg, "by: with sticky it takes load or hash");
	if (in->policy == GROUP_ACTIVE_STANDBY && has_by)
		return call_fail(ERR_badarg, "by: with active_standby the priority decides");
	if (in->by != GROUP_BY_BYTES && (RPC_HAS(in, group, offset) || RPC_HAS(in, group, length)))
		return call_fail(ERR_badarg, "%s: it belongs to by = bytes",
		    RPC_HAS(in, group, offset) ? "offset" : "length");
	if (in->by == GROUP_BY_BYTES && (in->length < 1 || in->length > GROUP_KEY))
		return call_fail(ERR_badarg, "length: with bytes it takes 1 to %d", GROUP_KEY);
	if (in->offset > UINT32_MAX - GROUP_KEY)
		return call_fail(ERR_badarg, "offset: no message is so long");
	return ERR_OK;
}

static enum error
check_name(struct slice name)
{
	struct group	*g;
	char		 text[GROUP_NAME + 1];

	if (name.len == 0 || name.len > GROUP_NAME)
		return call_fail(ERR_badarg, "name: it takes 1 to %d bytes", GROUP_NAME);
	for (uint32_t i = 0; i < name.len; i++) {
		if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
			return call_fail(ERR_badarg, "name: there is a control character in it");
	}
	errtext_name(text, sizeof text, name.ptr, name.len);
	if (memcmp(text, name.ptr, name.len) != 0)
		return call_fail(ERR_badarg, "name: it is no UTF-8");
	if ((g = group_named(name.ptr, name.len)) != NULL)
		return call_fail(ERR_ebusy, "name: user %u has a group \"%s\" already", (unsigned)g->sock->uid, g->name);
	return ERR_OK;
}

static enum error
check_users(const struct rpc_group_in *in, uid_t users[GROUP_USERS], size_t *n)
{
	const msgpack_object	*o = in->users.obj;

	*n = 0;
	if (!RPC_HAS(in, group, users))
		return ERR_OK;
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > GROUP_USERS)
		return call_fail(ERR_badarg, "users: it takes a list of up to %d numbers of users", GROUP_USERS);
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		if (o->via.array.ptr[i].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
		    o->via.array.ptr[i].via.u64 >= UINT32_MAX)
			return call_fail(ERR_badarg, "users[%u]: got %s; it takes the number of a user", i,
			    codec_type(&o->via.array.ptr[i]));
		users[(*n)++] = (uid_t)o->via.array.ptr[i].via.u64;
	}
	return ERR_OK;
}

/* Does the policy fit the socket as it is now? */
static enum error
check_sock(const struct call *call, struct sock *s, const struct rpc_group_in *in)
{
	unsigned long long	handle = s->node.key;

	if (s->owner != call->client)
		return call_fail(ERR_not_owner, "sock %llu: client %llu owns it, and only the owner may share it",
		    handle, (unsigned long long)s->owner->node.key);
	if (s->lent)
		return call_fail(ERR_einval, "sock %llu: it is lent to you; give it back first", handle);
	if (s->recv != NULL || s->connecting > 0 || !LIST_EMPTY(&s->lookups))
		return call_fail(ERR_ebusy, "sock %llu: a recv or a connect waits on it", handle);
	if (s->over)
		return call_fail(ERR_closed, "sock %llu: its association has ended", handle);
	if (!s->many && !s->listening && assoc_next(s, NULL) == NULL)
		return call_fail(ERR_enotconn, "sock %llu: it neither listens nor has an association yet", handle);
	if (in->policy == GROUP_SPREAD && s->home == NULL && (s->many || s->listening))
		return call_fail(ERR_eopnotsupp, "sock %llu: spread is for a socket with a single association; peel one off or accept one first",
		    handle);
	if (in->policy == GROUP_SPREAD && in->by != GROUP_BY_BYTES && !s->subscribed[SUBSCRIBE_DATA_IO])
		return call_fail(ERR_einval, "sock %llu: data_io_event of sctp_events is off, so messages come without ppid and stream",
		    handle);
	if (call->client->out.session ? call->client->out.acked < s->last : false)
		return call_fail(ERR_ebusy, "sock %llu: acknowledge first what you were sent of it, up to message %llu",
		    handle, (unsigned long long)s->last);
	return ERR_OK;
}

enum error
handle_group(struct call *call, const struct rpc_group_in *in, struct rpc_group_out *out)
{
	char		 name[GROUP_NAME + 1] = "";
	uid_t		 users[GROUP_USERS];
	size_t		 nusers;
	struct sock	*s;
	struct group	*g;
	enum error	 e;

	(void)out;
	if ((e = find_sock(call, in->sock, &s)) != ERR_OK || (e = find_not_grouped(s)) != ERR_OK ||
	    (e = check_name(in->name)) != ERR_OK || (e = check_by(in)) != ERR_OK ||
	    (e = check_users(in, users, &nusers)) != ERR_OK || (e = check_sock(call, s, in)) != ERR_OK)
		return e;
	if (in->grace > GROUP_GRACE)
		return call_fail(ERR_badarg, "grace: %u is out of range; it takes 0 to %d", in->grace, GROUP_GRACE);
	if (in->hand_over_time > GROUP_HAND_OVER)
		return call_fail(ERR_badarg, "hand_over_time: %u is out of range; it takes 0 to %d", in->hand_over_time, GROUP_HAND_OVER);
	if ((e = find_room(s->user, CHARGE_MEMORY, sizeof *g)) != ERR_OK)
		return e;
	memcpy(name, in->name.ptr, in->name.len);
	g = group_make(s, name);
	g->policy = (enum group_policy)in->policy;
	g->by = (enum group_by)in->by;
	g->offset = in->offset;
	g->length = in->length;
	g->grace = in->grace;
	g->hand_over_time = in->hand_over_time;
	g->nusers = nusers;
	memcpy(g->users, users, nusers * sizeof *users);
	group_begin(g);
	return ERR_OK;
}

/* ---- members ---------------------------------------------------------- */

static bool
may_join(const struct client *c, const struct group *g)
{
	for (size_t i = 0; i < g->nusers; i++) {
		if (g->users[i] == c->uid)
			return true;
	}
	return client_may_use(c, g->sock->uid);
}

enum error
handle_join(struct call *call, const struct rpc_join_in *in, struct rpc_join_out *out)
{
	struct client	*c = call->client;
	struct member	*m;
	struct group	*g;
	enum error	 e;

	if ((e = find_group(in->name, &g)) != ERR_OK)
		return e;
	if (!may_join(c, g))
		return call_fail(ERR_eacces, "name: group \"%s\" belongs to user %u, and users does not name you, user %u",
		    g->name, (unsigned)g->sock->uid, (unsigned)c->uid);
	if (in->priority > PRIORITY_MAX)
		return call_fail(ERR_badarg, "priority: %u is out of range; it takes 0 to %d", in->priority, PRIORITY_MAX);
	if ((m = group_find_member(g, c)) != NULL)
		return call_fail(ERR_ealready, "name: you are a member of group \"%s\" already%s", g->name,
		    m->draining ? ", and drained; drain_member with on=false ends that" : "");
	if (!c->events)
		return call_fail(ERR_einval, "join: this client has not called hello or watch, so it cannot be given a socket");
	if (c->tapping)
		return call_fail(ERR_einval, "join: this connection taps messages; call tap with on=false first, or join on a new connection");
	if (g->nmembers >= GROUP_MEMBERS)
		return call_fail(ERR_limit, "name: group \"%s\" has %d members, and no group may have more", g->name, GROUP_MEMBERS);
	turn_cost(g->by_id.count / SHARES_A_UNIT);
	member_join(g, c, RPC_HAS(in, join, priority) ? in->priority : PRIORITY);
	out->sock = g->node.key;
	out->members = (uint32_t)g->nmembers;
	return ERR_OK;
}

enum error
handle_leave(struct call *call, const struct rpc_leave_in *in, struct rpc_leave_out *out)
{
	struct member	*m;
	enum error	 e;

	(void)out;
	if ((e = find_member(call, in->name, RPC_HAS(in, leave, client), in->client, &m)) != ERR_OK)
		return e;
	turn_cost(m->group->by_id.count / SHARES_A_UNIT);
	member_leave(m, m->client != call->client ? "another client took it out of the group" : NULL);
	return ERR_OK;
}

enum error
handle_drain_member(struct call *call, const struct rpc_drain_member_in *in,
    struct rpc_drain_member_out *out)
{
	bool		 on = !RPC_HAS(in, drain_member, on) || in->on;
	struct member	*m;
	enum error	 e;

	if ((e = find_member(call, in->name, RPC_HAS(in, drain_member, client), in->client, &m)) != ERR_OK)
		return e;
	turn_cost(m->group->by_id.count / SHARES_A_UNIT);
	member_drain(m, on);
	out->sockets = (uint32_t)member_sockets(m);
	return ERR_OK;
}

enum error
handle_ungroup(struct call *call, const struct rpc_ungroup_in *in, struct rpc_ungroup_out *out)
{
	struct group	*g;
	enum error	 e;

	if ((e = find_group(in->name, &g)) != ERR_OK || (e = check_may_change(call->client, g)) != ERR_OK)
		return e;
	if (!call->client->events)
		return call_fail(ERR_einval, "ungroup: this client has not called hello or watch, so it cannot be given a socket");
	turn_cost(g->by_id.count / SHARES_A_UNIT);
	out->sock = g->node.key;
	group_end(g, call->client, "the group was ended");
	return ERR_OK;
}

/* ---- groups ----------------------------------------------------------- */

static void
pack_member(msgpack_packer *pk, const struct member *m)
{
	const struct client	*c = m->client;
	uint64_t		 ms;
	size_t			 going = member_going(m, &ms);

	msgpack_pack_map(pk, 10);
	codec_pack_number(pk, "client", c->node.key);
	codec_pack_string(pk, "name", c->name != NULL ? c->name : "");
	codec_pack_number(pk, "pid", (uint64_t)c->pid);
	codec_pack_number(pk, "uid", c->uid);
	codec_pack_number(pk, "priority", m->priority);
	codec_pack_string(pk, "state", !member_is_here(m) ? "away" : m->draining ? "draining" : "active");
	codec_pack_number(pk, "sockets", m->group->slots != NULL ? spread_count(m) : member_sockets(m));
	codec_pack_number(pk, "going", going);
	codec_pack_number(pk, "going_for", ms);
	codec_pack_number(pk, "queued", output_unacked(&c->out));
}

/* How many associations members have, and how many events wait. */
static void
count_shares(const struct group *g, uint64_t *held, uint64_t *waiting)
{
	struct share	*h;

	*held = 0;
	*waiting = g->sock->share == NULL ? g->sock->npending : 0;
	TAILQ_FOREACH(h, &g->shares, entry) {
		*held += h->holder != NULL;
		*waiting += h->sock->npending;
	}
}

static void
pack_group(msgpack_packer *pk, const struct group *g)
{
	uint64_t	 held, waiting;
	struct member	*m;

	count_shares(g, &held, &waiting);
	msgpack_pack_map(pk, 15);
	codec_pack_string(pk, "name", g->name);
	codec_pack_number(pk, "sock", g->node.key);
	codec_pack_number(pk, "uid", g->sock->uid);
	codec_pack_string(pk, "policy", group_policy_words[g->policy].name);
	codec_pack_string(pk, "by", g->policy == GROUP_ACTIVE_STANDBY ? "" : group_by_words[g->by].name);
	codec_pack_number(pk, "offset", g->offset);
	codec_pack_number(pk, "length", g->length);
	codec_pack_number(pk, "grace", g->grace);
	codec_pack_number(pk, "hand_over_time", g->hand_over_time);
	codec_pack_text(pk, "users");
	msgpack_pack_array(pk, g->nusers);
	for (size_t i = 0; i < g->nusers; i++)
		msgpack_pack_uint64(pk, g->users[i]);
	codec_pack_text(pk, "members");
	msgpack_pack_array(pk, g->nmembers);
	TAILQ_FOREACH(m, &g->members, entry)
		pack_member(pk, m);
	codec_pack_number(pk, "associations", held);
	codec_pack_number(pk, "unassigned", g->by_id.count - held + (g->sock->share == NULL ? g->sock->assocs.count : 0));
	codec_pack_number(pk, "waiting", waiting);
	codec_pack_number(pk, "handovers", g->handovers);
}

static bool
is_listed(const struct call *call, const struct rpc_groups_in *in, const struct group *g)
{
	if (RPC_HAS(in, groups, name) && group_named(in->name.ptr, in->name.len) != g)
		return false;
	return policy_may_see(call->client, g->sock->uid) || group_find_member(g, call->client) != NULL;
}

enum error
handle_groups(struct call *call, const struct rpc_groups_in *in, struct rpc_groups_out *out)
{
	struct group	*g = NULL;
	uint32_t	 n = 0;
	size_t		 cost = 0;
	msgpack_packer	*pk;

	(void)out;
	if (call->notification)
		return CALL_ANSWERED;
	while ((g = group_next(g)) != NULL) {
		n += is_listed(call, in, g);
		cost += 1 + g->by_id.count * (1 + g->nmembers);
	}
	turn_cost(cost / SHARES_A_UNIT);
	if (RPC_HAS(in, groups, name) && n == 0)
		return call_fail(ERR_enoent, "name: there is no such group that you may see");
	pk = call_reply_begin(call);
	msgpack_pack_map(pk, 1);
	codec_pack_text(pk, "groups");
	msgpack_pack_array(pk, n);
	while ((g = group_next(g)) != NULL) {
		if (is_listed(call, in, g))
			pack_group(pk, g);
	}
	return CALL_ANSWERED;
}
